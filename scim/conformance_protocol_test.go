package scim

import (
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func TestWhoAsksIsKnownAsRFC7644Asks(t *testing.T) {
	examine(t, identity.DialectStandard, []clause{
		{"a missing or wrong token is told the scheme in WWW-Authenticate", func(c *examiner) {
			for _, value := range []string{"", "Bearer dbs_wrong", "Basic YTpi"} {
				r := c.refused(401, "", "GET", "/Users", "", "Authorization", value)
				c.expect(strings.HasPrefix(r.header.Get("WWW-Authenticate"), "Bearer "), "%q: WWW-Authenticate is %q", value, r.header.Get("WWW-Authenticate"))
			}
		}},
		{"a token leads to what its directory may see and do", func(c *examiner) {
			other := c.bridge.client(c.t, "another customer", identity.DialectStandard)
			ada := c.person("ada", "")
			other.must(404, "GET", c.path(ada), "")
			other.must(404, "DELETE", c.path(ada), "")
			c.read(ada)
		}},
		{"without a token only the configuration is told", func(c *examiner) {
			c.ok(200, "GET", "/ServiceProviderConfig", "", "Authorization", "")
			for _, path := range []string{"/Users", "/Groups", "/Schemas", "/ResourceTypes", "/", "/Me"} {
				c.refused(401, "", "GET", path, "", "Authorization", "")
			}
			for _, path := range []string{"/Users", "/Groups", "/Bulk", "/.search"} {
				c.refused(401, "", "POST", path, "{}", "Authorization", "")
			}
		}},
		{"a directory that is switched off is let in no more", func(c *examiner) {
			off := func(d *identity.Directory) error { d.Enabled = false; return nil }
			if _, err := c.bridge.people.UpdateDirectory(c.t.Context(), identity.Operator(), c.directory.ID, off); err != nil {
				c.t.Fatal(err)
			}
			r := c.must(401, "GET", "/Users", "")
			c.see(r.object, "status", "401")
		}},
	})
}

func TestBodiesAreSentAndReadAsRFC7644Asks(t *testing.T) {
	examine(t, identity.DialectStandard, []clause{
		{"JSON is read under both of its names, and without one", func(c *examiner) {
			for name, kind := range map[string]string{"a": "application/scim+json", "b": "application/json", "c": "application/scim+json; charset=utf-8", "d": ""} {
				c.ok(201, "POST", "/Users", userBody(name), "Content-Type", kind)
			}
			c.refused(415, "", "POST", "/Users", userBody("e"), "Content-Type", "application/xml")
		}},
		{"answers are application/scim+json whatever of JSON is accepted", func(c *examiner) {
			for _, accept := range []string{"application/scim+json", "application/json", "*/*", ""} {
				r := c.must(200, "GET", "/Users", "", "Accept", accept)
				c.expect(r.header.Get("Content-Type") == contentType, "Accept %q: %s", accept, r.header.Get("Content-Type"))
			}
		}},
		{"text is UTF-8 in both directions", func(c *examiner) {
			ada := c.person("ada", `"displayName":"Žofie \u0141 李 😀"`)
			c.see(c.read(ada), "displayName", "Žofie Ł 李 😀")
		}},
		{"every error has a body with schemas, status as a string and a detail", func(c *examiner) {
			ada := c.person("ada", "")
			c.refused(400, "invalidSyntax", "POST", "/Users", `{"`)
			c.refused(401, "", "GET", "/Users", "", "Authorization", "")
			c.refused(403, "", "GET", "/Schemas?filter=id pr", "")
			c.refused(404, "", "GET", "/Users/"+nobody, "")
			c.refused(404, "", "GET", "/Nothing", "")
			c.refused(405, "", "DELETE", "/Users", "")
			c.refused(409, "uniqueness", "POST", "/Users", userBody("ADA"))
			c.refused(412, "", "DELETE", c.path(ada), "", "If-Match", `W/"99"`)
			c.refused(413, "", "POST", "/Users", `{"a":"`+strings.Repeat("x", c.limit("bulk.maxPayloadSize"))+`"}`)
			c.refused(415, "", "POST", "/Users", "<x/>", "Content-Type", "text/xml")
			c.refused(501, "", "GET", "/Me", "")
		}},
		{"the keywords of table 9 say what was wrong", func(c *examiner) {
			ada := c.path(c.person("ada", `"emails":[{"value":"a@example.com","type":"work"}]`))
			c.refused(400, "invalidFilter", "GET", `/Users?filter=userName zz "a"`, "")
			c.refused(400, "tooMany", "GET", "/Users?filter="+manyTerms, "")
			c.refused(409, "uniqueness", "POST", "/Users", userBody("ada"))
			c.refused(400, "mutability", "PATCH", ada, patchBody(`{"op":"replace","path":"id","value":"x"}`))
			c.refused(400, "invalidSyntax", "PATCH", ada, patchBody(`{"op":"move","path":"title"}`))
			c.refused(400, "invalidPath", "PATCH", ada, patchBody(`{"op":"add","path":"title[","value":"x"}`))
			c.refused(400, "noTarget", "PATCH", ada, patchBody(`{"op":"replace","path":"emails[type eq \"home\"].value","value":"x"}`))
			c.refused(400, "invalidValue", "POST", "/Users", `{"schemas":["`+urnCore+`"]}`)
		}},
		{"names, operators and URNs are understood in any case", func(c *examiner) {
			ada := c.ok(201, "POST", "/Users", `{"SCHEMAS":["`+strings.ToUpper(urnCore)+`"],"USERNAME":"ada","NAME":{"GivenName":"Ada"},"`+strings.ToUpper(enterpriseURN)+`":{"DEPARTMENT":"d"}}`)
			c.see(ada, "name.givenName", "Ada")
			c.expect(at(ada[enterpriseURN], "department") == "d", "the extension is lost: %v", ada)
			c.expect(c.search(`/Users?filter=USERNAME EQ "ada" AND Name.GIVENNAME Sw "a"`) == "ada", "a filter in another case finds nobody")
			c.see(c.patch(ada, `{"op":"replace","path":"NAME.FAMILYNAME","value":"Lovelace"}`), "name.familyName", "Lovelace")
			c.see(c.ok(200, "GET", c.path(ada)+"?attributes=NAME.givenname", ""), "name.givenName", "Ada")
		}},
		{"an attribute may carry the URN of its schema, and one of an extension must", func(c *examiner) {
			ada := c.person("ada", `"`+enterpriseURN+`":{"department":"d"}`)
			c.expect(c.search(`/Users?filter=`+urnCore+`:userName eq "ada" and `+enterpriseURN+`:department eq "d"`) == "ada", "full names find nobody")
			c.refused(400, "invalidFilter", "GET", `/Users?filter=department eq "d"`, "")
			c.refused(400, "invalidPath", "PATCH", c.path(ada), patchBody(`{"op":"replace","path":"department","value":"x"}`))
			got := c.ok(200, "GET", c.path(ada)+"?attributes="+enterpriseURN+":department", "")
			c.expect(at(got[enterpriseURN], "department") == "d" && got["userName"] == nil, "%v", got)
		}},
		{"/Me is not there, and says so with 501", func(c *examiner) { c.refused(501, "", "GET", "/Me", "") }},
		{"the version of the protocol stands in front of the endpoint", func(c *examiner) {
			c.expect(strings.HasSuffix(c.base, "/v2"), "the base is %s", c.base)
		}},
		{"a parameter that nobody knows does not disturb", func(c *examiner) {
			c.person("ada", "")
			c.expect(c.search("/Users?aadOptscim062020=&x=1") == "ada", "Ada is not listed")
		}},
	})
}

func TestVersionsAreToldAndHeldAsRFC7644Asks(t *testing.T) {
	const title = `{"op":"replace","path":"title","value":"x"}`
	examine(t, identity.DialectStandard, []clause{
		{"the entity tag is in the header and in meta.version", func(c *examiner) {
			r := c.must(201, "POST", "/Users", userBody("ada"))
			c.see(r.object, "meta.version", r.header.Get("ETag"))
			g := c.must(201, "POST", "/Groups", teamBody("g", ""))
			c.see(g.object, "meta.version", g.header.Get("ETag"))
			again := c.must(200, "GET", c.path(g.object), "")
			c.see(again.object, "meta.version", again.header.Get("ETag"))
			c.expect(strings.HasPrefix(r.header.Get("ETag"), `W/"`), "the tag %s is not weak", r.header.Get("ETag"))
		}},
		{"every change has a new version", func(c *examiner) {
			ada := c.person("ada", "")
			c.expect(at(c.patch(ada, title), "meta.version") != at(ada, "meta.version"), "the version stayed")
		}},
		{"If-None-Match of the present version is answered with 304 and no body", func(c *examiner) {
			ada := c.person("ada", "")
			r := c.must(304, "GET", c.path(ada), "", "If-None-Match", textOf(at(ada, "meta.version")))
			c.expect(len(r.raw) == 0 && r.header.Get("ETag") == at(ada, "meta.version"), "%s %s", r.header.Get("ETag"), r.raw)
			c.ok(200, "GET", c.path(ada), "", "If-None-Match", `W/"99"`)
		}},
		{"If-None-Match of the present version changes nothing and is 412", func(c *examiner) {
			ada := c.person("ada", "")
			for method, body := range map[string]string{"PATCH": patchBody(title), "PUT": personBody("ada", `"title":"x"`), "DELETE": ""} {
				for _, tag := range []string{"*", textOf(at(ada, "meta.version")), `W/"99", ` + textOf(at(ada, "meta.version"))} {
					c.refused(412, "", method, c.path(ada), body, "If-None-Match", tag)
				}
				c.refused(404, "", method, "/Users/"+nobody, body, "If-None-Match", "*")
			}
			c.see(c.read(ada), "title", "<nil>")
			c.ok(200, "PATCH", c.path(ada), patchBody(title), "If-None-Match", `W/"99"`)
		}},
		{"If-Match of another version changes nothing and is 412", func(c *examiner) {
			ada := c.person("ada", "")
			for method, body := range map[string]string{"PATCH": patchBody(title), "PUT": personBody("ada", `"title":"x"`), "DELETE": ""} {
				c.refused(412, "", method, c.path(ada), body, "If-Match", `W/"99"`)
			}
			c.see(c.read(ada), "title", "<nil>")
			c.ok(200, "PATCH", c.path(ada), patchBody(title), "If-Match", textOf(at(ada, "meta.version")))
		}},
	})
}

func TestAnOutsiderLearnsNothingFromAnInternalError(t *testing.T) {
	db := storetest.SQLite(t)
	c := &examiner{client: newBridge(t, db).client(t, "broken", identity.DialectStandard)}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	r := c.refused(500, "", "GET", "/Users", "")
	for _, word := range []string{"sql", "database", "closed"} {
		c.expect(!strings.Contains(strings.ToLower(string(r.raw)), word), "the answer speaks of %s: %s", word, r.raw)
	}
}
