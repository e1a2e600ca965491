package scim

import (
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

const fullPerson = `"title":"t","nickName":"n","name":{"givenName":"g","familyName":"f"},
	"emails":[{"value":"w@x.example","type":"work","primary":true},{"value":"h@x.example","type":"home"}]`

func TestReplacingIsAsRFC7644Asks(t *testing.T) {
	examine(t, identity.DialectStandard, []clause{
		{"200 with the resource; given values replace, what is left out is unassigned", func(c *examiner) {
			ada := c.person("ada", fullPerson)
			got := c.ok(200, "PUT", c.path(ada), personBody("ada", `"title":"new"`))
			c.see(got, "title", "new")
			for _, name := range []string{"nickName", "name", "emails"} {
				c.see(got, name, "<nil>")
			}
			c.see(got, "id", textOf(ada["id"]))
			c.see(got, "meta.created", textOf(at(ada, "meta.created")))
		}},
		{"what is read-only is ignored", func(c *examiner) {
			ada := c.person("ada", "")
			got := c.ok(200, "PUT", c.path(ada), personBody("ada", `"id":"`+nobody+`","groups":[{"value":"x"}],"meta":{"created":"2000-01-01T00:00:00Z"}`))
			c.see(got, "id", textOf(ada["id"]))
			c.see(got, "groups", "<nil>")
			c.see(got, "meta.created", textOf(at(ada, "meta.created")))
		}},
		{"what is required must be there", func(c *examiner) {
			ada, g := c.person("ada", ""), c.team("g")
			c.refused(400, "invalidValue", "PUT", c.path(ada), `{"schemas":["`+urnCore+`"],"title":"x"}`)
			c.refused(400, "invalidValue", "PUT", c.path(g), `{"schemas":["`+coreGroup+`"]}`)
		}},
		{"PUT makes nothing new", func(c *examiner) {
			c.refused(404, "", "PUT", "/Users/"+nobody, userBody("ada"))
			c.expect(c.search("/Users") == "", "somebody was made")
		}},
		{"a name that somebody else has is 409", func(c *examiner) {
			c.person("ada", "")
			c.refused(409, "uniqueness", "PUT", c.path(c.person("bob", "")), userBody("Ada"))
		}},
		{"the members of a group are replaced as a whole", func(c *examiner) {
			ada, bob := c.person("ada", ""), c.person("bob", "")
			g := c.team("g", textOf(ada["id"]))
			got := c.ok(200, "PUT", c.path(g), teamBody("g", "", textOf(bob["id"])))
			c.see(got, "members.0.display", "bob")
			c.see(got, "members.1", "<nil>")
		}},
	})
}

func TestPatchIsAsRFC7644Asks(t *testing.T) {
	examine(t, identity.DialectStandard, []clause{
		{"schemas and Operations must be there, and op is one of three", func(c *examiner) {
			ada := c.path(c.person("ada", ""))
			c.refused(400, "invalidValue", "PATCH", ada, `{"Operations":[{"op":"add","path":"title","value":"x"}]}`)
			c.refused(400, "invalidSyntax", "PATCH", ada, `{"schemas":["`+patchURN+`"]}`)
			c.refused(400, "invalidSyntax", "PATCH", ada, patchBody(`{"path":"title","value":"x"}`))
			c.refused(400, "invalidSyntax", "PATCH", ada, patchBody(`{"op":"set","path":"title","value":"x"}`))
		}},
		{"200 with the resource, also with attributes", func(c *examiner) {
			ada := c.path(c.person("ada", ""))
			c.see(c.ok(200, "PATCH", ada, patchBody(`{"op":"add","path":"title","value":"x"}`)), "title", "x")
			got := c.ok(200, "PATCH", ada+"?attributes=title", patchBody(`{"op":"add","path":"title","value":"y"}`))
			c.expect(got["title"] == "y" && got["userName"] == nil, "%v", got)
		}},
		{"all or nothing", func(c *examiner) {
			ada := c.person("ada", "")
			c.refused(400, "mutability", "PATCH", c.path(ada), patchBody(`{"op":"add","path":"title","value":"x"},{"op":"replace","path":"id","value":"x"}`))
			c.see(c.read(ada), "title", "<nil>")
			c.see(c.read(ada), "meta.version", textOf(at(ada, "meta.version")))
			g := c.team("g")
			c.refused(400, "invalidValue", "PATCH", c.path(g), patchBody(`{"op":"replace","path":"displayName","value":"h"},{"op":"add","path":"members","value":[{"value":"`+nobody+`"}]}`))
			c.see(c.read(g), "displayName", "g")
		}},
		{"operations follow one another", func(c *examiner) {
			ada := c.patch(c.person("ada", ""), `{"op":"add","path":"title","value":"x"},{"op":"replace","path":"title","value":"y"},{"op":"add","path":"nickName","value":"n"},{"op":"remove","path":"nickName"}`)
			c.see(ada, "title", "y")
			c.see(ada, "nickName", "<nil>")
		}},
		{"what is read-only cannot be changed, what is immutable only once", func(c *examiner) {
			ada := c.person("ada", "")
			for _, path := range []string{"id", "meta.created", "meta", "groups"} {
				c.refused(400, "mutability", "PATCH", c.path(ada), patchBody(`{"op":"replace","path":"`+path+`","value":"x"}`))
			}
			g := c.team("g", textOf(ada["id"]))
			c.refused(400, "mutability", "PATCH", c.path(g), patchBody(`{"op":"replace","path":"members[value eq \"`+textOf(ada["id"])+`\"].value","value":"`+nobody+`"}`))
		}},
		{"a value that becomes primary takes the mark from the others", func(c *examiner) {
			ada := c.patch(c.person("ada", fullPerson), `{"op":"replace","path":"emails[type eq \"home\"].primary","value":true}`)
			c.see(ada, "emails.0.primary", "false")
			c.see(ada, "emails.1.primary", "true")
			ada = c.patch(ada, `{"op":"add","path":"emails","value":[{"value":"o@x.example","primary":true}]}`)
			n := strings.Count(string(c.must(200, "GET", c.path(ada), "").raw), `"primary":true`)
			c.expect(n == 1, "%d are primary", n)
		}},
		{"a value of the wrong type is refused", func(c *examiner) {
			ada := c.path(c.person("ada", ""))
			for path, value := range map[string]string{"title": "5", "active": `"maybe"`, "emails": `"x"`, "name": "true"} {
				c.refused(400, "invalidValue", "PATCH", ada, patchBody(`{"op":"replace","path":"`+path+`","value":`+value+`}`))
			}
		}},
		{"a path that is none, or names nothing, is invalidPath", func(c *examiner) {
			ada := c.path(c.person("ada", fullPerson))
			for _, path := range []string{"nothing", "title.x", `emails[type eq`, "emails[type eq \\\"work\\\"].nothing", "name[givenName eq \\\"g\\\"]", "urn:x:title"} {
				c.refused(400, "invalidPath", "PATCH", ada, patchBody(`{"op":"replace","path":"`+path+`","value":"x"}`))
			}
		}},
		{"nobody is made, and who was deleted stays away", func(c *examiner) {
			c.refused(404, "", "PATCH", "/Users/"+nobody, patchBody(`{"op":"add","path":"title","value":"x"}`))
		}},
	})
}

func TestPatchAddIsAsRFC7644Asks(t *testing.T) {
	examine(t, identity.DialectStandard, []clause{
		{"it has a value", func(c *examiner) {
			c.refused(400, "invalidValue", "PATCH", c.path(c.person("ada", "")), patchBody(`{"op":"add","path":"title"}`))
		}},
		{"without a path the value holds attributes of the resource", func(c *examiner) {
			ada := c.patch(c.person("ada", ""), `{"op":"add","value":{"title":"x","name":{"givenName":"g"},"emails":[{"value":"a@x.example"}],"`+enterpriseURN+`":{"department":"d"}}}`)
			c.see(ada, "title", "x")
			c.see(ada, "emails.0.value", "a@x.example")
			c.expect(at(ada[enterpriseURN], "department") == "d" && strings.Contains(fsprint(ada["schemas"]), enterpriseURN), "%v", ada)
		}},
		{"a single value is replaced, a new one of several appended", func(c *examiner) {
			ada := c.patch(c.person("ada", fullPerson), `{"op":"add","path":"title","value":"u"},{"op":"add","path":"emails","value":[{"value":"o@x.example","type":"other"}]}`)
			c.see(ada, "title", "u")
			c.expect(len(listOf(ada["emails"])) == 3, "%v", ada["emails"])
		}},
		{"a complex value gets the parts that were named, the others stay", func(c *examiner) {
			c.see(c.patch(c.person("ada", fullPerson), `{"op":"add","path":"name","value":{"givenName":"new"}}`), "name", "map[familyName:f givenName:new]")
		}},
		{"a complex value is given as an object", func(c *examiner) {
			c.refused(400, "invalidValue", "PATCH", c.path(c.person("ada", "")), patchBody(`{"op":"add","path":"name","value":"x"}`))
		}},
		{"what is there already changes nothing, also not the time", func(c *examiner) {
			ada := c.person("ada", fullPerson)
			again := c.patch(ada, `{"op":"add","path":"title","value":"t"},{"op":"add","path":"emails","value":[{"value":"h@x.example","type":"home"}]}`)
			c.see(again, "meta.lastModified", textOf(at(ada, "meta.lastModified")))
			g := c.team("g", textOf(ada["id"]))
			c.see(c.patch(g, `{"op":"add","path":"members","value":[{"value":"`+textOf(ada["id"])+`"}]}`), "meta.lastModified", textOf(at(g, "meta.lastModified")))
		}},
		{"an attribute of an extension is named by its URN", func(c *examiner) {
			ada := c.patch(c.person("ada", ""), `{"op":"add","path":"`+enterpriseURN+`:department","value":"d"},{"op":"add","path":"`+enterpriseURN+`","value":{"division":"v"}}`)
			c.expect(at(ada[enterpriseURN], "department") == "d" && at(ada[enterpriseURN], "division") == "v", "%v", ada)
		}},
		{"members are added to those who are there", func(c *examiner) {
			ada, bob := c.person("ada", ""), c.person("bob", "")
			g := c.patch(c.team("g", textOf(ada["id"])), `{"op":"add","path":"members","value":[{"value":"`+textOf(bob["id"])+`"}]}`)
			c.expect(len(listOf(g["members"])) == 2, "%v", g["members"])
		}},
	})
}

func TestPatchRemoveIsAsRFC7644Asks(t *testing.T) {
	examine(t, identity.DialectStandard, []clause{
		{"without a path it is noTarget", func(c *examiner) {
			c.refused(400, "noTarget", "PATCH", c.path(c.person("ada", "")), patchBody(`{"op":"remove"}`))
		}},
		{"a value, all of several, a part, or those that fit are gone", func(c *examiner) {
			ada := c.person("ada", fullPerson+`,"phoneNumbers":[{"value":"1","type":"work"},{"value":"2","type":"home"}],"ims":[{"value":"i"}]`)
			ada = c.patch(ada, `{"op":"remove","path":"title"},{"op":"remove","path":"emails"},{"op":"remove","path":"name.familyName"},{"op":"remove","path":"phoneNumbers[type eq \"work\"]"},{"op":"remove","path":"ims[value eq \"i\"]"}`)
			for path, want := range map[string]string{"title": "<nil>", "emails": "<nil>", "name": "map[givenName:g]", "phoneNumbers.0.value": "2", "phoneNumbers.1": "<nil>", "ims": "<nil>"} {
				c.see(ada, path, want)
			}
		}},
		{"a part of those that fit is gone", func(c *examiner) {
			c.see(c.patch(c.person("ada", `"phoneNumbers":[{"value":"1","type":"work","display":"d"}]`), `{"op":"remove","path":"phoneNumbers[type eq \"work\"].display"}`), "phoneNumbers.0.display", "<nil>")
		}},
		{"what is required or read-only stays: mutability", func(c *examiner) {
			ada := c.person("ada", "")
			for _, path := range []string{"userName", "id", "meta", "groups"} {
				c.refused(400, "mutability", "PATCH", c.path(ada), patchBody(`{"op":"remove","path":"`+path+`"}`))
			}
			c.refused(400, "mutability", "PATCH", c.path(c.team("g")), patchBody(`{"op":"remove","path":"displayName"}`))
		}},
		{"one member or all of them", func(c *examiner) {
			ada, bob := c.person("ada", ""), c.person("bob", "")
			g := c.team("g", textOf(ada["id"]), textOf(bob["id"]))
			g = c.patch(g, `{"op":"remove","path":"members[value eq \"`+textOf(ada["id"])+`\"]"}`)
			c.see(g, "members.0.display", "bob")
			c.see(g, "members.1", "<nil>")
			c.see(c.patch(g, `{"op":"remove","path":"members"}`), "members", "<nil>")
		}},
	})
}

func TestPatchReplaceIsAsRFC7644Asks(t *testing.T) {
	examine(t, identity.DialectStandard, []clause{
		{"without a path the value holds the attributes to replace", func(c *examiner) {
			ada := c.patch(c.person("ada", fullPerson), `{"op":"replace","value":{"title":"u","emails":[{"value":"o@x.example"}]}}`)
			c.see(ada, "title", "u")
			c.see(ada, "nickName", "n")
			c.see(ada, "emails.0.value", "o@x.example")
			c.see(ada, "emails.1", "<nil>")
		}},
		{"a whole list is replaced", func(c *examiner) {
			ada := c.patch(c.person("ada", fullPerson), `{"op":"replace","path":"emails","value":[{"value":"o@x.example"}]}`)
			c.expect(len(listOf(ada["emails"])) == 1, "%v", ada["emails"])
		}},
		{"what is not there is added", func(c *examiner) {
			c.see(c.patch(c.person("ada", ""), `{"op":"replace","path":"title","value":"x"},{"op":"replace","path":"name.givenName","value":"g"}`), "name.givenName", "g")
		}},
		{"the parts of a complex value that were named", func(c *examiner) {
			c.see(c.patch(c.person("ada", fullPerson), `{"op":"replace","path":"name","value":{"givenName":"new"}}`), "name", "map[familyName:f givenName:new]")
		}},
		{"those that fit, whole or in one part", func(c *examiner) {
			ada := c.patch(c.person("ada", fullPerson), `{"op":"replace","path":"emails[type eq \"work\"].value","value":"new@x.example"},{"op":"replace","path":"emails[type eq \"home\"]","value":{"value":"other@x.example","type":"home"}}`)
			c.see(ada, "emails.0.value", "new@x.example")
			c.see(ada, "emails.1.value", "other@x.example")
		}},
		{"a filter that fits nothing is noTarget", func(c *examiner) {
			c.refused(400, "noTarget", "PATCH", c.path(c.person("ada", fullPerson)), patchBody(`{"op":"replace","path":"emails[type eq \"other\"].value","value":"x@x.example"}`))
		}},
		{"the members are replaced", func(c *examiner) {
			ada, bob := c.person("ada", ""), c.person("bob", "")
			g := c.patch(c.team("g", textOf(ada["id"])), `{"op":"replace","path":"members","value":[{"value":"`+textOf(bob["id"])+`"}]}`)
			c.see(g, "members.0.display", "bob")
			c.see(g, "members.1", "<nil>")
		}},
		{"a name that somebody else has is 409", func(c *examiner) {
			c.person("ada", "")
			c.refused(409, "uniqueness", "PATCH", c.path(c.person("bob", "")), patchBody(`{"op":"replace","path":"userName","value":"ADA"}`))
		}},
	})
}

func TestDeletingIsAsRFC7644Asks(t *testing.T) {
	examine(t, identity.DialectStandard, []clause{
		{"204 without a body, and then 404 for every method", func(c *examiner) {
			for _, o := range []object{c.person("ada", ""), c.team("g")} {
				r := c.must(204, "DELETE", c.path(o), "")
				c.expect(len(r.raw) == 0, "%s", r.raw)
				c.refused(404, "", "GET", c.path(o), "")
				c.refused(404, "", "DELETE", c.path(o), "")
				c.refused(404, "", "PATCH", c.path(o), patchBody(`{"op":"replace","path":"displayName","value":"x"}`))
			}
			c.refused(404, "", "PUT", "/Users/"+nobody, userBody("ada"))
		}},
		{"no list and no group has the deleted any more", func(c *examiner) {
			ada := c.person("ada", "")
			g := c.team("g", textOf(ada["id"]))
			c.must(204, "DELETE", c.path(ada), "")
			c.expect(c.search("/Users") == "" && c.search(`/Users?filter=userName eq "ada"`) == "" && c.search(`/?filter=id pr`) == "g", "Ada is still listed")
			c.see(c.read(g), "members", "<nil>")
			c.see(c.ok(200, "GET", "/Users", ""), "totalResults", "0")
		}},
		{"the name is free again", func(c *examiner) {
			c.must(204, "DELETE", c.path(c.person("ada", "")), "")
			c.person("ada", "")
			bob := c.person("bob", "")
			c.must(204, "DELETE", c.path(c.person("cyd", "")), "")
			c.see(c.patch(bob, `{"op":"replace","path":"userName","value":"cyd"}`), "userName", "cyd")
		}},
	})
}
