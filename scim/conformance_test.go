package scim

import (
	"fmt"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// The tests of the files conformance_*_test.go are clauses of the standards, played over HTTP. docs/conformance.md names them.

const (
	listResponse = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	errorURN     = "urn:ietf:params:scim:api:messages:2.0:Error"
	coreGroup    = "urn:ietf:params:scim:schemas:core:2.0:Group"
	nobody       = "0190a2b4-0000-7000-8000-000000000000"
)

// manyTerms is a filter of more comparisons than are answered.
var manyTerms = strings.TrimSuffix(strings.Repeat("id pr or ", 1000), " or ")

// clause is one thing that a standard asks.
type clause struct {
	name  string
	check func(c *examiner)
}

// examiner is a client of an empty tenant that looks at one clause.
type examiner struct {
	*client
	bridge *bridge
	db     *store.DB
}

// examine checks clauses on both databases, each in a tenant of its own.
func examine(t *testing.T, dialect identity.Dialect, clauses []clause) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBridge(t, db)
		for i, c := range clauses {
			t.Run(c.name, func(t *testing.T) {
				c.check(&examiner{client: b.client(t, fmt.Sprintf("clause %d", i), dialect), bridge: b, db: db})
			})
		}
	})
}

// expect fails the clause unless ok.
func (c *examiner) expect(ok bool, format string, args ...any) {
	c.t.Helper()
	if !ok {
		c.t.Errorf(format, args...)
	}
}

// ok sends a request that succeeds with the status and returns the object of the answer.
func (c *examiner) ok(status int, method, path, body string, headers ...string) object {
	c.t.Helper()
	return c.must(status, method, address(path), body, headers...).object
}

// refused sends a request and checks that the answer is a SCIM error with the status and the keyword.
func (c *examiner) refused(status int, keyword, method, path, body string, headers ...string) reply {
	c.t.Helper()
	r := c.must(status, method, address(path), body, headers...)
	schemas := fmt.Sprint(listOf(r.object["schemas"])...)
	if schemas != errorURN || r.object["status"] != fmt.Sprint(status) || textOf(r.object["scimType"]) != keyword || textOf(r.object["detail"]) == "" {
		c.t.Errorf("%s %s: %s, want a SCIM error with scimType %q", method, path, r.raw, keyword)
	}
	if got := r.header.Get("Content-Type"); got != contentType {
		c.t.Errorf("%s %s: the error is sent as %s", method, path, got)
	}
	return r
}

// person makes a user; fields is the rest of the body, such as `"title":"x"`. It returns the answer.
func (c *examiner) person(name, fields string) object {
	c.t.Helper()
	return c.ok(201, "POST", "/Users", personBody(name, fields))
}

func personBody(name, fields string) string {
	if fields != "" {
		fields = "," + fields
	}
	return `{"schemas":["` + urnCore + `","` + enterpriseURN + `"],"userName":"` + name + `"` + fields + `}`
}

// team makes a group of some ids.
func (c *examiner) team(name string, members ...string) object {
	c.t.Helper()
	return c.ok(201, "POST", "/Groups", teamBody(name, "", members...))
}

func teamBody(name, fields string, members ...string) string {
	list := make([]string, len(members))
	for i, id := range members {
		list[i] = `{"value":"` + id + `"}`
	}
	if fields != "" {
		fields = "," + fields
	}
	return `{"schemas":["` + coreGroup + `"],"displayName":"` + name + `","members":[` + strings.Join(list, ",") + `]` + fields + `}`
}

// path is the path of a resource below the base URL.
func (c *examiner) path(resource object) string {
	c.t.Helper()
	location := textOf(at(resource, "meta.location"))
	rest, ok := strings.CutPrefix(location, c.base)
	c.expect(ok && rest != "", "the location %q is not below %s", location, c.base)
	return rest
}

// read reads a resource again.
func (c *examiner) read(resource object) object {
	c.t.Helper()
	return c.ok(200, "GET", c.path(resource), "")
}

// patch applies operations to a resource and reads it again.
func (c *examiner) patch(resource object, operations string) object {
	c.t.Helper()
	r, err := c.send("PATCH", c.path(resource), []byte(patchBody(operations)))
	if err != nil {
		c.t.Fatal(err)
	}
	if r.status != 200 && r.status != 204 {
		c.t.Fatalf("PATCH %s: %d %s", operations, r.status, r.raw)
	}
	return c.read(resource)
}

// search returns the user names, or the names of groups, that a list answers with, in its order.
func (c *examiner) search(path string) string {
	c.t.Helper()
	r := c.ok(200, "GET", path, "")
	var names []string
	for _, v := range listOf(r["Resources"]) {
		o, _ := v.(object)
		name := textOf(o["userName"])
		if name == "" {
			name = textOf(o["displayName"])
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

// at returns what a dotted path leads to in an answer; a number is an index of a list.
func at(v any, path string) any {
	if path == "" {
		return v
	}
	step, rest, _ := strings.Cut(path, ".")
	switch t := v.(type) {
	case object:
		return at(t[step], rest)
	case []any:
		for i, e := range t {
			if fmt.Sprint(i) == step {
				return at(e, rest)
			}
		}
	}
	return nil
}

// see fails the clause unless the value at a path of an answer prints as want; "<nil>" is what is not there.
func (c *examiner) see(answer object, path, want string) {
	c.t.Helper()
	if got := fmt.Sprint(at(answer, path)); got != want {
		c.t.Errorf("%s is %s, want %s", path, got, want)
	}
}

// limit is a number that the configuration declares.
func (c *examiner) limit(path string) int {
	c.t.Helper()
	n, ok := at(c.ok(200, "GET", "/ServiceProviderConfig", ""), path).(float64)
	if !ok || n < 1 {
		c.t.Fatalf("%s is not declared", path)
	}
	return int(n)
}
