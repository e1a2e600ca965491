package scim

import (
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestCreatingIsAsRFC7644Asks(t *testing.T) {
	examine(t, identity.DialectStandard, []clause{
		{"201 with the resource, and its address in Location and meta.location", func(c *examiner) {
			for path, body := range map[string]string{"/Users": userBody("ada"), "/Groups": teamBody("g", "")} {
				r := c.must(201, "POST", path, body)
				c.see(r.object, "meta.location", r.header.Get("Location"))
				c.expect(textOf(r.object["id"]) != "" && strings.HasSuffix(r.header.Get("Location"), path+"/"+textOf(r.object["id"])), "%s", r.raw)
				c.read(r.object)
			}
		}},
		{"what is read-only is ignored: id, meta, groups", func(c *examiner) {
			ada := c.person("ada", `"id":"`+nobody+`","meta":{"created":"2000-01-01T00:00:00Z","resourceType":"Group","version":"W/\"77\""},"groups":[{"value":"x"}]`)
			c.expect(ada["id"] != nobody, "the client chose the id")
			c.see(ada, "meta.resourceType", "User")
			c.see(ada, "groups", "<nil>")
			c.expect(!strings.HasPrefix(textOf(at(ada, "meta.created")), "2000"), "the client chose the time")
		}},
		{"meta.resourceType is that of the endpoint", func(c *examiner) {
			c.see(c.person("ada", ""), "meta.resourceType", "User")
			c.see(c.team("g"), "meta.resourceType", "Group")
		}},
		{"somebody who is there already is 409 with uniqueness", func(c *examiner) {
			c.person("ada", "")
			c.refused(409, "uniqueness", "POST", "/Users", userBody("ada"))
			c.refused(409, "uniqueness", "POST", "/Users", userBody("ADA"))
		}},
		{"what is required must be there", func(c *examiner) {
			c.refused(400, "invalidValue", "POST", "/Users", `{"schemas":["`+urnCore+`"],"title":"x"}`)
			c.refused(400, "invalidValue", "POST", "/Groups", `{"schemas":["`+coreGroup+`"]}`)
		}},
		{"a POST to one resource makes nothing", func(c *examiner) {
			r := c.refused(405, "", "POST", "/Users/"+nobody, userBody("ada"))
			c.expect(r.header.Get("Allow") != "", "no Allow")
			c.expect(c.search("/Users") == "", "somebody was made")
		}},
	})
}

func TestResourcesAreAsRFC7643Asks(t *testing.T) {
	examine(t, identity.DialectStandard, []clause{
		{"schemas is there, lists what is in use, each once", func(c *examiner) {
			c.expect(fsprint(c.person("ada", "")["schemas"]) == urnCore, "a plain person has other schemas")
			with := c.person("bob", `"`+enterpriseURN+`":{"department":"d"}`)
			c.expect(fsprint(with["schemas"]) == urnCore+" "+enterpriseURN, "schemas is %v", with["schemas"])
		}},
		{"the order and repetition of schemas say nothing", func(c *examiner) {
			ada := c.ok(201, "POST", "/Users", `{"schemas":["`+enterpriseURN+`","`+urnCore+`","`+urnCore+`"],"userName":"ada"}`)
			c.expect(fsprint(ada["schemas"]) == urnCore, "schemas is %v", ada["schemas"])
		}},
		{"a resource without schemas, or of another type, is refused", func(c *examiner) {
			c.refused(400, "invalidValue", "POST", "/Users", `{"userName":"ada"}`)
			c.refused(400, "invalidValue", "POST", "/Users", `{"schemas":[],"userName":"ada"}`)
			c.refused(400, "invalidValue", "POST", "/Users", `{"schemas":["`+coreGroup+`"],"userName":"ada"}`)
		}},
		{"an id is there, is the server's, and stays", func(c *examiner) {
			ada := c.person("ada", "")
			c.patch(ada, `{"op":"replace","path":"userName","value":"countess"}`)
			c.see(c.read(ada), "id", textOf(ada["id"]))
			c.expect(ada["id"] != c.person("bob", "")["id"] && !strings.Contains(textOf(ada["id"]), "bulkId"), "the id is %v", ada["id"])
		}},
		{"externalId is the client's: kept in its case, never invented, not required to be unique", func(c *examiner) {
			c.see(c.person("ada", ""), "externalId", "<nil>")
			bob := c.person("bob", `"externalId":"ExT-1"`)
			c.see(bob, "externalId", "ExT-1")
			c.person("cyd", `"externalId":"ext-1"`)
			c.person("dan", `"externalId":"ExT-1"`)
			c.expect(c.search(`/Users?filter=externalId eq "ext-1"`) == "cyd", "another case was found")
		}},
		{"externalId is scoped to the directory that gave it", func(c *examiner) {
			c.person("ada", `"externalId":"1"`)
			other := c.bridge.client(c.t, "another domain", identity.DialectStandard)
			r := other.must(200, "GET", address(`/Users?filter=externalId eq "1"`), "")
			c.see(r.object, "totalResults", "0")
			other.must(201, "POST", "/Users", personBody("eve", `"externalId":"1"`))
		}},
		{"created and lastModified are times, the same at first, and only the second moves", func(c *examiner) {
			ada := c.person("ada", "")
			c.see(ada, "meta.lastModified", textOf(at(ada, "meta.created")))
			later := c.patch(ada, `{"op":"add","path":"title","value":"x"}`)
			c.see(later, "meta.created", textOf(at(ada, "meta.created")))
			was, err1 := parseTime(textOf(at(ada, "meta.lastModified")))
			is, err2 := parseTime(textOf(at(later, "meta.lastModified")))
			c.expect(err1 == nil && err2 == nil && is.After(was), "%v, then %v", was, is)
		}},
		{"null, an empty list and what is not there are the same", func(c *examiner) {
			full := `"title":"t","emails":[{"value":"a@example.com"}],"name":{"givenName":"g"}`
			for name, body := range map[string]string{"null": `"title":null,"emails":null,"name":null`, "empty": `"emails":[]`, "absent": ""} {
				u := c.person(name, full)
				got := c.ok(200, "PUT", c.path(u), personBody(name, body))
				c.see(got, "title", "<nil>")
				c.see(got, "emails", "<nil>")
				c.see(got, "name", "<nil>")
			}
		}},
		{"values have the type of the schema", func(c *examiner) {
			for _, wrong := range []string{`"active":"yes"`, `"title":5`, `"name":"x"`, `"emails":["x"]`, `"displayName":["x"]`, `"x509Certificates":[{"value":"%"}]`, `"addresses":[{"primary":1}]`} {
				c.refused(400, "invalidValue", "POST", "/Users", personBody("ada", wrong))
			}
		}},
		{"at most one value is primary", func(c *examiner) {
			c.refused(400, "invalidValue", "POST", "/Users", personBody("ada", `"phoneNumbers":[{"value":"1","primary":true},{"value":"2","primary":true}]`))
		}},
		{"no value and type come twice", func(c *examiner) {
			ada := c.person("ada", `"phoneNumbers":[{"value":"1","type":"work"},{"value":"1","type":"WORK","display":"d"},{"value":"1","type":"home"}]`)
			c.expect(len(listOf(ada["phoneNumbers"])) == 2, "%v", ada["phoneNumbers"])
		}},
		{"a complex value has no complex parts", func(c *examiner) {
			for _, s := range listOf(c.ok(200, "GET", "/Schemas", "")["Resources"]) {
				for _, a := range listOf(at(s, "attributes")) {
					for _, sub := range listOf(at(a, "subAttributes")) {
						c.expect(at(sub, "type") != "complex", "%v has a complex part", at(a, "name"))
					}
				}
			}
		}},
		{"a reference leads to the resource, or says that there is none", func(c *examiner) {
			ada := c.person("ada", "")
			g := c.team("g", textOf(ada["id"]))
			for _, ref := range []any{at(g, "members.0.$ref"), at(c.read(ada), "groups.0.$ref")} {
				rest, ok := strings.CutPrefix(textOf(ref), c.base)
				c.expect(ok, "%v is no address here", ref)
				c.ok(200, "GET", rest, "")
			}
		}},
		{"userName is there, in any case the same, and not empty", func(c *examiner) {
			c.refused(400, "invalidValue", "POST", "/Users", personBody("  ", ""))
			c.person("Ada", "")
			c.refused(409, "uniqueness", "POST", "/Users", userBody("aDA"))
			c.expect(c.search(`/Users?filter=userName eq "ADA"`) == "Ada", "the name is not found, or not kept as it was written")
		}},
		{"a password is never kept nor shown", func(c *examiner) {
			r := c.must(201, "POST", "/Users", personBody("ada", `"password":"hunter2hunter2"`))
			all := string(r.raw) + string(c.must(200, "GET", c.path(r.object)+"?attributes=password,userName", "").raw)
			c.expect(!strings.Contains(all, "hunter2") && !strings.Contains(all, `"password"`), "%s", all)
			c.refused(400, "invalidFilter", "GET", `/Users?filter=password eq "hunter2hunter2"`, "")
		}},
		{"the groups of a person are read-only, and direct or indirect", func(c *examiner) {
			ada := c.person("ada", "")
			inner := c.team("inner", textOf(ada["id"]))
			c.team("outer", textOf(inner["id"]))
			types := map[any]any{}
			for _, g := range listOf(c.read(ada)["groups"]) {
				types[at(g, "display")] = at(g, "type")
			}
			c.expect(len(types) == 2 && types["inner"] == "direct" && types["outer"] == "indirect", "%v", types)
			c.refused(400, "mutability", "PATCH", c.path(ada), patchBody(`{"op":"add","path":"groups","value":[{"value":"`+textOf(inner["id"])+`"}]}`))
		}},
		{"people are found by each part of their groups, direct or indirect", func(c *examiner) {
			ada := c.person("ada", "")
			c.person("bob", "")
			inner := c.team("inner", textOf(ada["id"]))
			outer := textOf(c.team("outer", textOf(inner["id"]))["id"])
			top := c.team("top", outer)
			for _, f := range []string{
				`groups pr`, `groups.type pr`, `groups.type eq "direct"`, `groups.type eq "Indirect"`, `groups.$ref pr`, `groups.$ref eq "` + textOf(at(top, "meta.location")) + `"`,
				`groups eq "` + outer + `"`, `groups.value eq "` + textOf(top["id"]) + `"`, `groups.display eq "TOP"`, `groups[value eq "` + outer + `" and type eq "indirect"]`,
				`groups[display sw "in" and type eq "direct"]`, `not (groups eq null)`,
			} {
				c.expect(c.search("/Users?filter="+f) == "ada", "%s finds %q", f, c.search("/Users?filter="+f))
			}
			for _, f := range []string{`groups[value eq "` + outer + `" and type eq "direct"]`, `groups[display eq "inner" and type eq "indirect"]`, `groups.type eq "other"`} {
				c.expect(c.search("/Users?filter="+f) == "", "%s finds %q", f, c.search("/Users?filter="+f))
			}
			c.expect(c.search(`/Users?filter=groups.value ne "`+outer+`"`) == "bob", "ne does not look at the groups around")
			c.expect(c.search(`/Groups?sortBy=displayName&filter=members.$ref pr and members[$ref eq "`+c.base+`/Groups/`+outer+`"]`) == "top", "members have no $ref")
		}},
		{"a group has a name, and members with an address and a type", func(c *examiner) {
			c.refused(400, "invalidValue", "POST", "/Groups", `{"schemas":["`+coreGroup+`"],"displayName":""}`)
			ada := c.person("ada", "")
			g := c.team("g", textOf(ada["id"]), textOf(c.team("inner")["id"]))
			types := map[any]bool{at(g, "members.0.type"): true, at(g, "members.1.type"): true}
			c.expect(types["User"] && types["Group"], "%v", g["members"])
		}},
		{"the server names the manager, the client only points", func(c *examiner) {
			boss := c.person("boss", `"displayName":"The Boss"`)
			ada := c.person("ada", `"`+enterpriseURN+`":{"manager":{"value":"`+textOf(boss["id"])+`","displayName":"Somebody Else"}}`)
			c.expect(at(ada[enterpriseURN], "manager.value") == boss["id"] && at(ada[enterpriseURN], "manager.displayName") != "Somebody Else", "%v", ada[enterpriseURN])
		}},
		{"the attributes of an extension stand under its URN", func(c *examiner) {
			ada := c.person("ada", `"`+enterpriseURN+`":{"department":"d"}`)
			c.expect(at(ada[enterpriseURN], "department") == "d" && ada["department"] == nil, "%v", ada)
		}},
	})
}

// fsprint joins the texts of a list.
func fsprint(v any) string {
	var s []string
	for _, e := range listOf(v) {
		s = append(s, textOf(e))
	}
	return strings.Join(s, " ")
}
