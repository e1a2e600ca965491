package scim

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// members returns the sorted names of a group's members.
func (c *client) members(group string) string {
	c.t.Helper()
	var names []string
	for _, v := range listOf(c.must(200, "GET", "/Groups/"+group, "").object["members"]) {
		names = append(names, textOf(v.(object)["display"]))
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestAMemberWhomAPathSelectsIsReplacedByAnother(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBridge(t, db)
		for _, dialect := range []identity.Dialect{identity.DialectStandard, identity.DialectOkta} {
			c := b.client(t, "members "+string(dialect), dialect)
			id := map[string]string{}
			for _, name := range []string{"ada", "bob", "cyd"} {
				id[name] = c.createUser(name)
			}
			one := func(name string) string { return `members[value eq \"` + id[name] + `\"]` }
			value := func(name string) string { return `{"value":"` + id[name] + `"}` }
			g := textOf(c.must(201, "POST", "/Groups", `{"schemas":["`+groupType.schema.ID+`"],"displayName":"g","members":[`+value("ada")+`]}`).object["id"])
			c.must(200, "PATCH", "/Groups/"+g, patchBody(`{"op":"replace","path":"`+one("ada")+`","value":`+value("bob")+`}`))
			if got := c.members(g); got != "bob" {
				t.Errorf("%s: the members are %s", dialect, got)
			}
			before := c.must(200, "GET", "/Groups/"+g, "").header.Get("ETag")
			c.must(200, "PATCH", "/Groups/"+g, patchBody(`{"op":"replace","path":"`+one("bob")+`","value":`+value("bob")+`}`))
			if after := c.must(200, "GET", "/Groups/"+g, "").header.Get("ETag"); after != before || c.members(g) != "bob" {
				t.Errorf("%s: bob in the place of bob is a change: %s, %s", dialect, after, c.members(g))
			}
			missing := patchBody(`{"op":"replace","path":"` + one("ada") + `","value":` + value("cyd") + `}`)
			want := "bob"
			if dialect == identity.DialectStandard {
				if r := c.must(400, "PATCH", "/Groups/"+g, missing); r.object["scimType"] != noTarget {
					t.Errorf("nobody selected: %s", r.raw)
				}
			} else {
				c.must(200, "PATCH", "/Groups/"+g, missing)
				want = "bob cyd"
			}
			if got := c.members(g); got != want {
				t.Errorf("%s: the members are %s, want %s", dialect, got, want)
			}
			c.must(200, "PATCH", "/Groups/"+g, patchBody(`{"op":"replace","path":"members[type eq \"User\"]","value":[`+value("ada")+`,`+value("bob")+`]}`))
			if got := c.members(g); got != "ada bob" {
				t.Errorf("%s: the members are %s", dialect, got)
			}
			if r := c.must(400, "PATCH", "/Groups/"+g, patchBody(`{"op":"replace","path":"`+one("ada")+`.value","value":"`+id["cyd"]+`"}`)); r.object["scimType"] != mutability {
				t.Errorf("the value of a member was changed: %s", r.raw)
			}
			events, err := b.people.Events(context.Background(), identity.Operator(), provisioning.EventQuery{ObjectID: g, Type: identity.MembersRemoved, Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			if n := len(events.Items); n != map[identity.Dialect]int{identity.DialectStandard: 1, identity.DialectOkta: 2}[dialect] {
				t.Errorf("%s: %d events of members who went: %s", dialect, n, fmt.Sprint(events.Items))
			}
		}
	})
}

func TestTheTokenOfADirectoryHasNoMe(t *testing.T) {
	c := newBridge(t, storetest.SQLite(t)).client(t, "me", identity.DialectEntra)
	for _, method := range []string{"GET", "PUT", "PATCH", "DELETE", "POST"} {
		for _, path := range []string{"/Me", "/me/"} {
			if r := c.must(501, method, path, "{}"); textOf(r.object["detail"]) == "" || r.object["status"] != "501" {
				t.Errorf("%s %s: %s", method, path, r.raw)
			}
		}
	}
	c.must(401, "GET", "/Me", "", "Authorization", "")
}
