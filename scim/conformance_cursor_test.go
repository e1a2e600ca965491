package scim

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

// unreserved are the characters of a cursor (RFC 3986 section 2.3).
var unreserved = regexp.MustCompile(`^[A-Za-z0-9._~-]+$`)

// walk follows the cursors of a list and returns its pages; each is looked at.
func (c *examiner) walk(path string, look func(page object, last bool)) string {
	c.t.Helper()
	var pages []string
	cursor := ""
	for range 20 {
		r := c.ok(200, "GET", path+"&cursor="+cursor, "")
		var names []string
		for _, v := range listOf(r["Resources"]) {
			names = append(names, textOf(at(v, "userName")))
		}
		pages = append(pages, strings.Join(names, " "))
		next, more := r["nextCursor"].(string)
		if look != nil {
			look(r, !more)
		}
		if !more {
			return strings.Join(pages, "|")
		}
		cursor = next
	}
	c.t.Fatal("the cursors do not end")
	return ""
}

func TestCursorsAreAsRFC9865Asks(t *testing.T) {
	examine(t, identity.DialectStandard, []clause{
		{"every page but the last has a nextCursor of unreserved characters", func(c *examiner) {
			c.people()
			got := c.walk("/Users?sortBy=userName&count=2", func(page object, last bool) {
				_, there := page["nextCursor"]
				c.expect(there != last && (last || unreserved.MatchString(textOf(page["nextCursor"]))), "%v", page["nextCursor"])
				c.see(page, "totalResults", "3")
			})
			c.expect(got == "ada bob|cyd", "%s", got)
			c.expect(c.walk("/Users?count=3", nil) == "ada bob cyd", "a full last page is followed by another")
		}},
		{"an empty cursor is the first page, which has no previousCursor", func(c *examiner) {
			c.people()
			for _, query := range []string{"/Users?count=1&cursor=", "/Users?count=1&cursor"} {
				r := c.must(200, "GET", query, "").object
				c.see(r, "Resources.0.userName", "ada")
				c.see(r, "previousCursor", "<nil>")
			}
		}},
		{"a negative count is none, none tells only the total, and never more than count", func(c *examiner) {
			c.people()
			for _, n := range []string{"0", "-3"} {
				r := c.ok(200, "GET", "/Users?cursor=&count="+n, "")
				c.expect(len(listOf(r["Resources"])) == 0, "%v", r)
				c.see(r, "totalResults", "3")
			}
			c.refused(400, "invalidCount", "GET", "/Users?cursor=&count=x", "")
			c.expect(len(listOf(c.ok(200, "GET", "/Users?cursor=&count=2", "")["Resources"])) == 2, "more than two")
		}},
		{"what is no cursor, or one of another question, is invalidCursor", func(c *examiner) {
			c.people()
			next := textOf(c.ok(200, "GET", "/Users?count=1&cursor=", "")["nextCursor"])
			for _, query := range []string{
				"/Users?cursor=x", "/Users?cursor=" + next + "x", "/Users?cursor=" + next[1:], "/Users?count=1&filter=title pr&cursor=" + next,
				"/Users?count=1&sortBy=title&cursor=" + next, "/Groups?count=1&cursor=" + next,
			} {
				c.refused(400, "invalidCursor", "GET", query, "")
			}
		}},
		{"pages by cursor are sorted", func(c *examiner) {
			c.people()
			c.expect(c.walk("/Users?count=1&sortBy=title&sortOrder=descending", nil) == "cyd|ada|bob", "%s", c.walk("/Users?count=1&sortBy=title&sortOrder=descending", nil))
			c.expect(c.walk(`/Users?count=1&sortBy=userName&filter=title pr`, nil) == "ada|bob", "with a filter")
		}},
		{"who does not choose gets pages by index", func(c *examiner) {
			c.people()
			r := c.ok(200, "GET", "/Users?count=1", "")
			c.see(r, "nextCursor", "<nil>")
			c.see(r, "startIndex", "1")
		}},
		{"POST to .search takes and gives cursors", func(c *examiner) {
			c.people()
			body := `{"schemas":["` + searchURN + `"],"count":2,"sortBy":"userName","cursor":"%s"}`
			first := c.ok(200, "POST", "/Users/.search", fmt.Sprintf(body, ""))
			second := c.ok(200, "POST", "/Users/.search", fmt.Sprintf(body, textOf(first["nextCursor"])))
			c.see(first, "Resources.1.userName", "bob")
			c.see(second, "Resources.0.userName", "cyd")
			c.see(second, "nextCursor", "<nil>")
		}},
		{"a cursor shows nobody else's people", func(c *examiner) {
			c.people()
			next := textOf(c.ok(200, "GET", "/Users?count=1&cursor=", "")["nextCursor"])
			other := &examiner{client: c.bridge.client(c.t, "another customer", identity.DialectStandard)}
			r, err := other.send("GET", "/Users?count=1&cursor="+next, nil)
			if err != nil {
				c.t.Fatal(err)
			}
			c.expect(r.status == 400 || len(listOf(r.object["Resources"])) == 0, "%s", r.raw)
			c.expect(!strings.Contains(string(r.raw), "bob"), "%s", r.raw)
		}},
		{"who comes or goes meanwhile makes nobody appear twice or be left out", func(c *examiner) {
			c.people()
			first := c.ok(200, "GET", "/Users?count=1&cursor=", "")
			c.must(204, "DELETE", c.path(listOf(first["Resources"])[0].(object)), "")
			c.person("dan", "")
			second := c.ok(200, "GET", "/Users?count=5&cursor="+textOf(first["nextCursor"]), "")
			c.expect(len(listOf(second["Resources"])) == 3, "%v", second["Resources"])
			c.see(second, "Resources.0.userName", "bob")
		}},
	})
}
