package scim

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestDiscoveryIsAsRFC7644Asks(t *testing.T) {
	examine(t, identity.DialectStandard, []clause{
		{"ServiceProviderConfig has everything that is required", func(c *examiner) {
			o := c.ok(200, "GET", "/ServiceProviderConfig", "")
			c.expect(fsprint(o["schemas"]) == configURN, "schemas is %v", o["schemas"])
			for _, path := range []string{"patch.supported", "bulk.supported", "filter.supported", "changePassword.supported", "sort.supported", "etag.supported", "pagination.cursor", "pagination.index"} {
				_, isBool := at(o, path).(bool)
				c.expect(isBool, "%s is %v", path, at(o, path))
			}
			for _, path := range []string{"bulk.maxOperations", "bulk.maxPayloadSize", "filter.maxResults"} {
				n, isNumber := at(o, path).(float64)
				c.expect(isNumber && n > 0, "%s is %v", path, at(o, path))
			}
			schemes := listOf(o["authenticationSchemes"])
			c.expect(len(schemes) > 0, "no authentication scheme")
			for _, s := range schemes {
				c.expect(textOf(at(s, "type")) != "" && textOf(at(s, "name")) != "" && textOf(at(s, "description")) != "", "%v", s)
			}
			c.see(o, "meta.resourceType", "ServiceProviderConfig")
			c.see(o, "meta.location", c.base+"/ServiceProviderConfig")
		}},
		{"each resource type has name, endpoint and schema, is found under its name, and is served", func(c *examiner) {
			list := c.ok(200, "GET", "/ResourceTypes", "")
			c.expect(fsprint(list["schemas"]) == listResponse && len(listOf(list["Resources"])) > 1, "%v", list)
			for _, v := range listOf(list["Resources"]) {
				o := v.(object)
				c.expect(fsprint(o["schemas"]) == resourceTypeURN && o["id"] == o["name"], "%v", o)
				c.expect(fmt.Sprint(c.ok(200, "GET", "/ResourceTypes/"+textOf(o["name"]), "")) == fmt.Sprint(o), "alone it is another")
				c.ok(200, "GET", textOf(o["endpoint"]), "")
				c.ok(200, "GET", "/Schemas/"+textOf(o["schema"]), "")
				for _, x := range listOf(o["schemaExtensions"]) {
					_, isBool := at(x, "required").(bool)
					c.expect(isBool, "%v", x)
					c.ok(200, "GET", "/Schemas/"+textOf(at(x, "schema")), "")
				}
			}
		}},
		{"each schema has what section 7 asks, is found under its URN, and is used", func(c *examiner) {
			types := string(c.must(200, "GET", "/ResourceTypes", "").raw)
			list := c.ok(200, "GET", "/Schemas", "")
			for _, v := range listOf(list["Resources"]) {
				o := v.(object)
				c.expect(fsprint(o["schemas"]) == schemaURN && strings.Contains(types, textOf(o["id"])), "%v", o["id"])
				c.expect(fmt.Sprint(c.ok(200, "GET", "/Schemas/"+textOf(o["id"]), "")) == fmt.Sprint(o), "alone it is another")
				c.see(o, "meta.location", c.base+"/Schemas/"+textOf(o["id"]))
				for _, a := range listOf(o["attributes"]) {
					c.wellDeclared(a)
				}
			}
		}},
		{"a filter is 403, everything else of a question is ignored", func(c *examiner) {
			for _, path := range []string{"/ServiceProviderConfig", "/ResourceTypes", "/Schemas", "/ResourceTypes/User", "/Schemas/" + urnCore} {
				c.refused(403, "", "GET", path+"?filter=id pr", "")
				plain := string(c.must(200, "GET", path, "").raw)
				odd := string(c.must(200, "GET", path+"?sortBy=id&startIndex=2&count=1&attributes=id&cursor=", "").raw)
				c.expect(plain == odd, "%s is another with parameters", path)
			}
		}},
		{"nothing there can be changed, and what is not there is 404", func(c *examiner) {
			for _, path := range []string{"/ServiceProviderConfig", "/ResourceTypes", "/Schemas", "/ResourceTypes/User", "/Schemas/" + urnCore} {
				for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
					c.refused(405, "", method, path, "{}")
				}
			}
			c.refused(404, "", "GET", "/Schemas/urn:x", "")
			c.refused(404, "", "GET", "/ResourceTypes/Device", "")
		}},
	})
}

// wellDeclared checks the declaration of one attribute (RFC 7643 section 7).
func (c *examiner) wellDeclared(a any) {
	c.t.Helper()
	in := func(name string, values ...string) {
		c.t.Helper()
		c.expect(strings.Contains(" "+strings.Join(values, " ")+" ", " "+fmt.Sprint(at(a, name))+" "), "%v: %s is %v", at(a, "name"), name, at(a, name))
	}
	in("type", "string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex")
	in("mutability", "readOnly", "readWrite", "immutable", "writeOnly")
	in("returned", "always", "never", "default", "request")
	in("multiValued", "true", "false")
	in("required", "true", "false")
	if at(a, "type") != "complex" && at(a, "type") != "boolean" {
		in("uniqueness", "none", "server", "global")
		in("caseExact", "true", "false")
	}
	c.expect((at(a, "type") == "complex") == (at(a, "subAttributes") != nil), "%v has or lacks parts", at(a, "name"))
	c.expect((at(a, "type") == "reference") == (at(a, "referenceTypes") != nil), "%v has or lacks reference types", at(a, "name"))
	for _, s := range listOf(at(a, "subAttributes")) {
		c.wellDeclared(s)
	}
}

func TestWhatTheConfigurationDeclaresWorks(t *testing.T) {
	examine(t, identity.DialectStandard, []clause{
		{"patch", func(c *examiner) {
			c.declared("patch.supported", "true")
			c.see(c.patch(c.person("ada", ""), `{"op":"add","path":"title","value":"x"}`), "title", "x")
		}},
		{"bulk, up to as many operations as it says", func(c *examiner) {
			c.declared("bulk.supported", "true")
			most := c.limit("bulk.maxOperations")
			operations := make([]string, most)
			for i := range operations {
				operations[i] = `{"method":"DELETE","path":"/Users/` + nobody + `"}`
			}
			c.expect(len(c.bulk("", operations...)) == most, "not all were done")
		}},
		{"a body of as many bytes as it says", func(c *examiner) {
			body := bulkBody(`"x":"%s",`, `{"method":"DELETE","path":"/Users/`+nobody+`"}`)
			fill := c.limit("bulk.maxPayloadSize") - len(body) + len("%s")
			c.ok(200, "POST", "/Bulk", strings.Replace(body, "%s", strings.Repeat("x", fill), 1))
			c.refused(413, "", "POST", "/Bulk", strings.Replace(body, "%s", strings.Repeat("x", fill+1), 1))
		}},
		{"filter", func(c *examiner) {
			c.declared("filter.supported", "true")
			c.people()
			c.expect(c.search(`/Users?filter=title pr and not (userName eq "bob")`) == "ada", "the filter does not work")
		}},
		{"a page has as many as it says when nothing is asked, and at most as many as it says", func(c *examiner) {
			most, usual := c.limit("filter.maxResults"), c.limit("pagination.defaultPageSize")
			c.declared("pagination.maxPageSize", fmt.Sprint(most))
			var operations []string
			for i := range most + 1 {
				operations = append(operations, bulkUser(fmt.Sprint(i), fmt.Sprintf("u%d", i)))
			}
			for part := range slices.Chunk(operations, c.limit("bulk.maxOperations")) {
				c.bulk("", part...)
			}
			for query, want := range map[string]int{"": usual, "&count=99999": most, "&count=99999&cursor=": most, "&count=7": 7} {
				c.see(c.ok(200, "GET", "/Users?attributes=id"+query, ""), "itemsPerPage", fmt.Sprint(want))
			}
		}},
		{"no change of passwords", func(c *examiner) {
			c.declared("changePassword.supported", "false")
			ada := c.patch(c.person("ada", ""), `{"op":"add","path":"password","value":"hunter2hunter2"}`)
			c.see(ada, "password", "<nil>")
		}},
		{"sort", func(c *examiner) {
			c.declared("sort.supported", "true")
			c.people()
			c.expect(c.search("/Users?sortBy=userName&sortOrder=descending") == "cyd bob ada", "the order is another")
		}},
		{"etag", func(c *examiner) {
			c.declared("etag.supported", "true")
			ada := c.person("ada", "")
			c.must(304, "GET", c.path(ada), "", "If-None-Match", textOf(at(ada, "meta.version")))
			c.refused(412, "", "DELETE", c.path(ada), "", "If-Match", `W/"99"`)
		}},
		{"pages by index, which is the way of whoever does not choose, and by cursor", func(c *examiner) {
			c.declared("pagination.index", "true")
			c.declared("pagination.cursor", "true")
			c.declared("pagination.defaultPaginationMethod", "index")
			c.people()
			c.see(c.ok(200, "GET", "/Users?count=1", ""), "nextCursor", "<nil>")
			c.see(c.ok(200, "GET", "/Users?count=1", ""), "startIndex", "1")
			c.expect(at(c.ok(200, "GET", "/Users?count=1&cursor=", ""), "nextCursor") != nil, "no cursor")
		}},
		{"a token in the header Authorization: Bearer", func(c *examiner) {
			c.declared("authenticationSchemes.0.type", "oauthbearertoken")
			c.ok(200, "GET", "/Users", "")
			c.ok(200, "GET", "/Users", "", "Authorization", "bearer "+c.token)
		}},
	})
}

// declared checks what the configuration says.
func (c *examiner) declared(path, want string) {
	c.t.Helper()
	v := at(c.ok(200, "GET", "/ServiceProviderConfig", ""), path)
	if n, ok := v.(float64); ok {
		v = int64(n)
	}
	if fmt.Sprint(v) != want {
		c.t.Fatalf("%s is declared as %v, want %s", path, v, want)
	}
}
