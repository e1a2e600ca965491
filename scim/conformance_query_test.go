package scim

import (
	"fmt"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

// people makes a few people and a group to ask for.
func (c *examiner) people() {
	c.t.Helper()
	c.person("ada", `"title":"Countess","externalId":"E1","active":true,"emails":[{"value":"ada@work.example","type":"work","primary":true},{"value":"ada@home.example","type":"home"}],
		"name":{"givenName":"Ada","familyName":"Lovelace"},"x509Certificates":[{"value":"AAAA"}],"`+enterpriseURN+`":{"department":"Engines"}`)
	c.person("bob", `"title":"bricklayer","active":false,"emails":[{"value":"bob@home.example","type":"home"}]`)
	c.person("cyd", `"emails":[{"value":"cyd@home.example","type":"work"}],"name":{"familyName":"Other"}`)
	c.team("readers")
}

func TestOneResourceIsReadAsRFC7644Asks(t *testing.T) {
	examine(t, identity.DialectStandard, []clause{
		{"one that exists is 200, any other 404", func(c *examiner) {
			c.read(c.person("ada", ""))
			c.read(c.team("g"))
			for _, path := range []string{"/Users/" + nobody, "/Groups/" + nobody, "/Users/ada", "/Users/" + nobody + "/emails"} {
				c.refused(404, "", "GET", path, "")
			}
		}},
		{"attributes gives these and what is always returned", func(c *examiner) {
			ada := c.person("ada", `"title":"t","name":{"givenName":"g","familyName":"f"}`)
			got := c.ok(200, "GET", c.path(ada)+"?attributes=name.givenName,title", "")
			c.expect(len(got) == 4 && got["id"] == ada["id"] && got["title"] == "t" && fsprint(got["schemas"]) == urnCore, "%v", got)
			c.see(got, "name", "map[givenName:g]")
		}},
		{"excludedAttributes takes these away, and nothing that is always returned", func(c *examiner) {
			ada := c.person("ada", `"title":"t","name":{"givenName":"g","familyName":"f"}`)
			got := c.ok(200, "GET", c.path(ada)+"?excludedAttributes=title,name.familyName,id,schemas,meta", "")
			c.expect(got["title"] == nil && got["meta"] == nil && got["id"] == ada["id"] && fsprint(got["schemas"]) == urnCore, "%v", got)
			c.see(got, "name", "map[givenName:g]")
		}},
		{"a value of which nothing is asked for is not there, rather than empty", func(c *examiner) {
			ada := c.person("ada", `"name":{"givenName":"g"},"emails":[{"value":"a@example.com"},{"value":"b@example.com","type":"work"}]`)
			got := c.ok(200, "GET", c.path(ada)+"?attributes=name.familyName,emails.display", "")
			c.expect(len(got) == 2 && got["id"] == ada["id"], "%v", got)
			c.see(c.ok(200, "GET", c.path(ada)+"?attributes=emails.type", ""), "emails", "[map[type:work]]")
			got = c.ok(200, "GET", c.path(ada)+"?excludedAttributes=name.givenName", "")
			c.expect(got["name"] == nil && got["userName"] == "ada", "%v", got)
		}},
		{"the answers of POST, PUT, PATCH and lists are cut in the same way", func(c *examiner) {
			ada := c.ok(201, "POST", "/Users?attributes=userName", personBody("ada", `"title":"t"`))
			c.expect(len(ada) == 3 && ada["userName"] == "ada", "%v", ada)
			path := "/Users/" + textOf(ada["id"])
			c.see(c.ok(200, "PUT", path+"?attributes=title", personBody("ada", `"title":"u"`)), "userName", "<nil>")
			c.see(c.ok(200, "PATCH", path+"?excludedAttributes=title", patchBody(`{"op":"add","path":"title","value":"v"}`)), "title", "<nil>")
			list := c.ok(200, "GET", "/Users?attributes=title", "")
			c.see(list, "Resources.0.userName", "<nil>")
			c.see(list, "Resources.0.title", "v")
		}},
	})
}

func TestListsAreAsRFC7644Asks(t *testing.T) {
	examine(t, identity.DialectStandard, []clause{
		{"a list is a ListResponse with totalResults, and with numbers where it is a part", func(c *examiner) {
			c.people()
			r := c.ok(200, "GET", "/Users?count=2", "")
			c.expect(fsprint(r["schemas"]) == listResponse && len(listOf(r["Resources"])) == 2, "%v", r)
			c.see(r, "totalResults", "3")
			c.see(r, "itemsPerPage", "2")
			c.see(r, "startIndex", "1")
		}},
		{"nobody found is 200 with no results", func(c *examiner) {
			c.see(c.ok(200, "GET", `/Users?filter=userName eq "x"`, ""), "totalResults", "0")
			c.see(c.ok(200, "GET", "/Groups", ""), "totalResults", "0")
		}},
		{"a startIndex below one is one, and one behind the end finds nothing", func(c *examiner) {
			c.people()
			for _, n := range []string{"0", "-5", "1"} {
				c.see(c.ok(200, "GET", "/Users?startIndex="+n, ""), "startIndex", "1")
			}
			r := c.ok(200, "GET", "/Users?startIndex=4", "")
			c.expect(len(listOf(r["Resources"])) == 0, "%v", r)
			c.see(r, "totalResults", "3")
		}},
		{"a negative count is none, and none tells only the total", func(c *examiner) {
			c.people()
			for _, n := range []string{"-1", "0"} {
				r := c.ok(200, "GET", "/Users?count="+n, "")
				c.expect(len(listOf(r["Resources"])) == 0, "%v", r)
				c.see(r, "totalResults", "3")
			}
		}},
		{"never more than count, and pages join to the whole", func(c *examiner) {
			c.people()
			var all []string
			for start := 1; start <= 3; start++ {
				name := c.search(fmt.Sprintf("/Users?count=1&startIndex=%d", start))
				c.expect(len(strings.Fields(name)) == 1, "page %d is %q", start, name)
				all = append(all, name)
			}
			c.expect(strings.Join(all, " ") == c.search("/Users"), "the pages are %v", all)
		}},
		{"a list of everything has every type, and an attribute of one type is missing in the others", func(c *examiner) {
			c.people()
			c.see(c.ok(200, "GET", "/", ""), "totalResults", "4")
			c.expect(c.search(`/?filter=userName eq "ada"`) == "ada", "another one matches")
			c.expect(c.search(`/?filter=displayName eq "readers" or userName eq "bob"`) == "bob readers", "the types do not join: %q", c.search(`/?filter=displayName eq "readers" or userName eq "bob"`))
			c.expect(c.search(`/?filter=not (title pr) and `+enterpriseURN+`:department eq null&sortBy=title`) == "cyd readers", "what is absent is not unassigned")
			c.expect(c.search(`/?filter=emails[type pr] and title ne "countess"`) == "bob cyd", "a value path does not look at one type only")
			for _, f := range []string{`nothing eq "x"`, `nothing eq "x" or userName pr`, `active gt true or displayName pr`} {
				c.refused(400, "invalidFilter", "GET", "/?filter="+f, "")
			}
		}},
		{"POST to .search is the same question", func(c *examiner) {
			c.people()
			for _, path := range []string{"/Users/.search", "/.search"} {
				r := c.ok(200, "POST", path, `{"schemas":["`+searchURN+`"],"filter":"userName sw \"a\"","attributes":["userName"],"startIndex":1,"count":5}`)
				c.expect(fsprint(r["schemas"]) == listResponse, "%v", r)
				c.see(r, "Resources.0.userName", "ada")
				c.see(r, "Resources.0.title", "<nil>")
				c.see(r, "totalResults", "1")
			}
			c.see(c.ok(200, "POST", "/Groups/.search", `{"schemas":["`+searchURN+`"]}`), "totalResults", "1")
			c.refused(400, "invalidValue", "POST", "/Users/.search", `{"filter":"id pr"}`)
		}},
		{"too much at once is refused with tooMany", func(c *examiner) {
			c.refused(400, "tooMany", "GET", "/Users?filter="+manyTerms, "")
			c.see(c.ok(200, "GET", "/Users?count=999999", ""), "totalResults", "0")
		}},
	})
}

func TestFiltersAreAsRFC7644Asks(t *testing.T) {
	found := func(want string, filters ...string) func(*examiner) {
		return func(c *examiner) {
			c.people()
			for _, f := range filters {
				if got := c.search("/Users?sortBy=userName&filter=" + f); got != want {
					c.t.Errorf("%s finds %q, want %q", f, got, want)
				}
			}
		}
	}
	refused := func(filters ...string) func(*examiner) {
		return func(c *examiner) {
			for _, f := range filters {
				c.refused(400, "invalidFilter", "GET", "/Users?filter="+f, "")
			}
		}
	}
	examine(t, identity.DialectStandard, []clause{
		{"eq, co, sw, ew and pr", found("ada", `userName eq "ada"`, `title co "ount"`, `title sw "count"`, `title ew "ESS"`, `x509Certificates pr`, enterpriseURN+`:department eq "engines"`)},
		{"ne is also true of what is not there", found("bob cyd", `userName ne "ada"`, `title ne "countess"`)},
		{"gt, ge, lt and le compare in the order of the type", found("ada bob cyd", `userName ge "ada"`, `meta.created gt "2020-01-01T00:00:00Z"`, `meta.lastModified lt "2100-01-01T00:00:00+14:00"`, `userName le "cyd"`)},
		{"brackets before not, not before and, and before or", found("ada bob", `userName eq "ada" or userName eq "bob" and title pr`, `not (userName eq "cyd")`, `(userName eq "ada" or userName eq "bob") and not (userName eq "cyd")`, `userName eq "bob" or userName eq "ada" and not (title eq "x")`)},
		{"or is the last that binds", found("ada", `userName eq "ada" or userName eq "bob" and title eq "countess"`, `(userName eq "ada" or userName eq "bob") and title eq "countess"`)},
		{"a multi-valued attribute matches when any of its values does", found("ada", `emails.value eq "ada@home.example"`, `emails eq "ada@work.example"`)},
		{"a filter in brackets asks one value for everything", found("cyd", `emails[type eq "work" and value co "home"]`, `emails[not (type eq "home") and value ew "@home.example"]`)},
		{"without brackets different values may answer", found("ada cyd", `emails.type eq "work" and emails.value co "home"`)},
		{"what no value has, no value answers", found("", `emails[type eq "home" and type eq "work"]`, `title eq "nobody"`, `userName eq 5`, `active eq "true"`)},
		{"booleans are true and false", found("bob", `active eq false`, `active ne true`)},
		{"schemas has values as every list has", found("ada", `schemas eq "`+enterpriseURN+`"`, `schemas[value eq "`+enterpriseURN+`"]`, `schemas[value ew ":user" and value co "enterprise"]`, `not (schemas[value sw "urn:x"]) and schemas[not (value ne "`+enterpriseURN+`")]`)},
		{"null is what is not there", found("cyd", `title eq null`, `not (title pr)`)},
		{"strings are compared by the rule of their attribute", func(c *examiner) {
			c.people()
			c.expect(c.search(`/Users?filter=title eq "COUNTESS"`) == "ada" && c.search(`/Users?filter=externalId eq "e1"`) == "" && c.search(`/Users?filter=externalId eq "E1"`) == "ada", "the rules are not kept")
		}},
		{"strings are JSON", found("ada", `title eq "\u0043ountess"`, `title sw "Coun\u0074"`)},
		{"text that means something to SQL or LIKE is only text", found("", `title co "%"`, `title eq "_ountess"`, `userName eq "x' or '1'='1"`)},
		{"what is no filter is refused, not ignored", refused(`userName`, `userName eq`, `userName is "a"`, `(userName pr`, `userName eq "a" and`, `emails[type eq "work"`, `not userName pr`, `userName eq a`, `nothing eq "a"`, `name eq "a"`)},
		{"booleans and binaries have no order", refused(`active gt true`, `active le false`, `emails.primary ge true`, `x509Certificates.value gt "A"`, `x509Certificates.value lt "A"`)},
	})
}

func TestSortingIsAsRFC7644Asks(t *testing.T) {
	examine(t, identity.DialectStandard, []clause{
		{"ascending unless it says descending, in no regard to case", func(c *examiner) {
			c.people()
			c.expect(c.search("/Users?sortBy=title&filter=title pr") == "bob ada", "ascending: %s", c.search("/Users?sortBy=title&filter=title pr"))
			c.expect(c.search("/Users?sortBy=title&filter=title pr&sortOrder=descending") == "ada bob", "descending")
			c.expect(c.search("/Users?sortBy=USERNAME&sortOrder=Ascending") == "ada bob cyd", "by name")
		}},
		{"who has no value is last, and first when the order is turned", func(c *examiner) {
			c.people()
			c.expect(c.search("/Users?sortBy=title") == "bob ada cyd", "ascending: %s", c.search("/Users?sortBy=title"))
			c.expect(c.search("/Users?sortBy=title&sortOrder=descending") == "cyd ada bob", "descending: %s", c.search("/Users?sortBy=title&sortOrder=descending"))
		}},
		{"an attribute that is case-exact is sorted by case", func(c *examiner) {
			for name, id := range map[string]string{"low": "a", "high": "B", "last": "c"} {
				c.person(name, `"externalId":"`+id+`"`)
			}
			c.expect(c.search("/Users?sortBy=externalId") == "high low last", "%s", c.search("/Users?sortBy=externalId"))
		}},
		{"of several values the primary one counts, else the first", func(c *examiner) {
			c.person("one", `"emails":[{"value":"z@x.example"},{"value":"a@x.example","primary":true}]`)
			c.person("two", `"emails":[{"value":"b@x.example"},{"value":"0@x.example"}]`)
			c.expect(c.search("/Users?sortBy=emails.value") == "one two", "%s", c.search("/Users?sortBy=emails.value"))
			c.expect(c.search("/Users?sortBy=emails") == "one two", "%s", c.search("/Users?sortBy=emails"))
		}},
		{"times are sorted as times", func(c *examiner) {
			c.people()
			c.expect(c.search("/Users?sortBy=meta.created&sortOrder=descending") == "cyd bob ada", "%s", c.search("/Users?sortBy=meta.created&sortOrder=descending"))
		}},
		{"pages keep the order", func(c *examiner) {
			c.people()
			c.expect(c.search("/Users?sortBy=title&startIndex=2&count=1") == "ada", "%s", c.search("/Users?sortBy=title&startIndex=2&count=1"))
		}},
	})
}
