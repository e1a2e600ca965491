package scim

import (
	"fmt"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

// bulk sends a bulk request and returns its results.
func (c *examiner) bulk(more string, operations ...string) []any {
	c.t.Helper()
	r := c.ok(200, "POST", "/Bulk", bulkBody(more, operations...))
	c.expect(fsprint(r["schemas"]) == bulkResponseURN, "schemas is %v", r["schemas"])
	return listOf(r["Operations"])
}

func TestBulkIsAsRFC7644Asks(t *testing.T) {
	wrong := `{"method":"DELETE","path":"/Users/` + nobody + `"}`
	examine(t, identity.DialectStandard, []clause{
		{"each result has the method, the status as a string, the address and the version", func(c *examiner) {
			ada := c.person("ada", "")
			path := c.path(ada)
			got := c.bulk("", bulkUser("b", "bob"), `{"method":"PUT","path":"`+path+`","data":`+userBody("ada")+`}`,
				`{"method":"PATCH","path":"`+path+`","data":`+patchBody(`{"op":"add","path":"title","value":"x"}`)+`}`, `{"method":"DELETE","path":"`+path+`"}`)
			for i, want := range []string{"POST 201", "PUT 200", "PATCH 200", "DELETE 204"} {
				r := got[i].(object)
				c.expect(textOf(r["method"])+" "+textOf(r["status"]) == want && strings.HasPrefix(textOf(r["location"]), c.base+"/Users/"), "%v, want %s", r, want)
				c.expect(i == 3 || strings.HasPrefix(textOf(r["version"]), `W/"`), "no version: %v", r)
			}
		}},
		{"the bulkId comes back with what became of it", func(c *examiner) {
			r := c.bulk("", bulkUser("qwerty", "ada"))[0].(object)
			c.see(r, "bulkId", "qwerty")
			c.expect(c.search("/Users") == "ada", "nobody was made")
		}},
		{"a POST without a bulkId is refused", func(c *examiner) {
			c.see(c.bulk("", `{"method":"POST","path":"/Users","data":`+userBody("ada")+`}`)[0].(object), "status", "400")
		}},
		{"a failure has the error of the single request as its response", func(c *examiner) {
			c.person("ada", "")
			got := c.bulk("", wrong, bulkUser("a", "ada"))
			c.see(got[0].(object), "status", "404")
			c.see(got[0].(object), "response.status", "404")
			c.see(got[1].(object), "response.scimType", "uniqueness")
			c.expect(fsprint(at(got[1], "response.schemas")) == errorURN, "%v", got[1])
		}},
		{"only a failed POST has no address", func(c *examiner) {
			c.person("ada", "")
			path := "/Users/" + nobody
			got := c.bulk("", wrong, bulkUser("a", "ada"), `{"method":"PUT","path":"`+path+`","data":`+userBody("x")+`}`, `{"method":"PATCH","path":"`+path+`","data":{}}`, `{"method":"PATCH","path":"`+path+`"}`)
			for i, r := range got {
				c.expect((at(r, "location") == nil) == (i == 1), "%v", r)
			}
		}},
		{"it goes on after failures, and stops at failOnErrors", func(c *examiner) {
			c.expect(len(c.bulk("", wrong, wrong, bulkUser("a", "ada"))) == 3, "it stopped")
			c.expect(len(c.bulk(`"failOnErrors":2,`, wrong, wrong, bulkUser("b", "bob"))) == 2, "it went on")
			c.expect(c.search("/Users") == "ada", "%s", c.search("/Users"))
		}},
		{"a bulkId stands for the id: in data, in a path, before and after", func(c *examiner) {
			group := `{"method":"POST","path":"/Groups","bulkId":"g","data":` + teamBody("g", "", "bulkId:a") + `}`
			rename := `{"method":"PATCH","path":"/Users/bulkId:a","data":` + patchBody(`{"op":"add","path":"title","value":"x"}`) + `}`
			for _, r := range c.bulk("", group, bulkUser("a", "ada"), rename) {
				c.expect(strings.HasPrefix(textOf(at(r, "status")), "20"), "%v", r)
			}
			c.see(c.ok(200, "GET", "/Groups", ""), "Resources.0.members.0.display", "ada")
			c.expect(c.search(`/Users?filter=title eq "x"`) == "ada", "the path was not resolved")
		}},
		{"a circle of references is resolved", func(c *examiner) {
			boss := func(id, other string) string {
				return `{"method":"POST","path":"/Users","bulkId":"` + id + `","data":` + personBody(id, `"`+enterpriseURN+`":{"manager":{"value":"bulkId:`+other+`"}}`) + `}`
			}
			for _, r := range c.bulk("", boss("a", "b"), boss("b", "a")) {
				c.see(r.(object), "status", "201")
			}
			c.expect(c.search(`/Users?sortBy=userName&filter=`+enterpriseURN+`:manager.value pr`) == "a b", "somebody has no manager")
		}},
		{"what refers to nothing is 409 or 400, and is not made", func(c *examiner) {
			got := textOf(at(c.bulk("", `{"method":"POST","path":"/Groups","bulkId":"g","data":`+teamBody("g", "", "bulkId:none")+`}`)[0], "status"))
			c.expect((got == "409" || got == "400") && c.search("/Groups") == "", "status %s", got)
		}},
		{"If-Match of one operation is its version", func(c *examiner) {
			ada := c.person("ada", "")
			r := c.bulk("", `{"method":"DELETE","path":"`+c.path(ada)+`","version":"W/\"99\""}`)[0]
			c.see(r.(object), "status", "412")
			c.read(ada)
		}},
		{"more operations or bytes than declared are 413, and the answer says the limit", func(c *examiner) {
			most, bytes := c.limit("bulk.maxOperations"), c.limit("bulk.maxPayloadSize")
			many := strings.TrimSuffix(strings.Repeat("{},", most+1), ",")
			r := c.refused(413, "", "POST", "/Bulk", bulkBody("", many))
			c.expect(strings.Contains(textOf(r.object["detail"]), fmt.Sprint(most)), "%s", r.raw)
			r = c.refused(413, "", "POST", "/Bulk", bulkBody(`"x":"`+strings.Repeat("x", bytes)+`",`, wrong))
			c.expect(strings.Contains(textOf(r.object["detail"]), fmt.Sprint(bytes)), "%s", r.raw)
		}},
	})
}
