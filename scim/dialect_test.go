package scim

import (
	"fmt"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// spoken is how the three dialects answer the same request, as status and scimType.
type spoken struct{ standard, entra, okta string }

func (s spoken) of(d identity.Dialect) string {
	return map[identity.Dialect]string{identity.DialectStandard: s.standard, identity.DialectEntra: s.entra, identity.DialectOkta: s.okta}[d]
}

// everywhere is the same in every dialect.
func everywhere(s string) spoken { return spoken{s, s, s} }

// speaker is a client with a person and a group to try things on.
type speaker struct {
	*client
	ada, bob, group string
}

func (s *speaker) user() object { return s.must(200, "GET", "/Users/"+s.ada, "").object }

// dialectCase is one request of a row of the table of dialects. then looks at what became of it; it gets the answer.
type dialectCase struct {
	name   string
	method string
	path   func(*speaker) string
	body   func(*speaker) string
	want   spoken
	then   func(*speaker, reply) string // what it found
	found  spoken
}

func fixed(s string) func(*speaker) string { return func(*speaker) string { return s } }

func onAda(s *speaker) string { return "/Users/" + s.ada }

func onGroup(s *speaker) string { return "/Groups/" + s.group }

func ops(text string) func(*speaker) string {
	return func(*speaker) string { return patchBody(text) }
}

// checkDialects plays the cases of a row in every dialect on both databases, each with a fresh person and group.
func checkDialects(t *testing.T, cases []dialectCase) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBridge(t, db)
		for _, d := range []identity.Dialect{identity.DialectStandard, identity.DialectEntra, identity.DialectOkta} {
			for i, k := range cases {
				t.Run(string(d)+"/"+k.name, func(t *testing.T) {
					s := &speaker{client: b.client(t, fmt.Sprint(d, i), d)}
					s.ada, s.bob = s.createUser("ada"), s.createUser("bob")
					s.group = textOf(s.must(201, "POST", "/Groups", `{"schemas":["`+groupType.schema.ID+`"],"displayName":"g","members":[{"value":"`+s.ada+`"},{"value":"`+s.bob+`"}]}`).object["id"])
					body := ""
					if k.body != nil {
						body = k.body(s)
					}
					r, err := s.send(k.method, k.path(s), []byte(body))
					if err != nil {
						t.Fatal(err)
					}
					got := fmt.Sprint(r.status)
					if r.object["scimType"] != nil {
						got += " " + textOf(r.object["scimType"])
					}
					if got != k.want.of(d) {
						t.Fatalf("%s, want %s: %s", got, k.want.of(d), r.raw)
					}
					if k.then != nil {
						if found := k.then(s, r); found != k.found.of(d) {
							t.Errorf("then %s, want %s", found, k.found.of(d))
						}
					}
				})
			}
		}
	})
}

func TestDialectsDifferInAValuePathThatSelectsNothing(t *testing.T) {
	work := func(s *speaker, _ reply) string {
		for _, v := range listOf(s.user()["emails"]) {
			if e := v.(object); e["type"] == "work" {
				return textOf(e["value"])
			}
		}
		return "none"
	}
	checkDialects(t, []dialectCase{
		{
			"replace of a sub-attribute", "PATCH", onAda, ops(`{"op":"replace","path":"emails[type eq \"work\"].value","value":"ada@x.test"}`),
			spoken{"400 noTarget", "200", "200"},
			work,
			spoken{"none", "ada@x.test", "ada@x.test"},
		},
		{
			"replace of an element", "PATCH", onAda, ops(`{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":"ada@x.test"}}`),
			spoken{"400 noTarget", "200", "200"},
			work,
			spoken{"none", "ada@x.test", "ada@x.test"},
		},
		{"remove", "PATCH", onAda, ops(`{"op":"remove","path":"emails[type eq \"work\"]"}`), spoken{"400 noTarget", "200", "200"}, nil, spoken{}},
		{
			"add makes one everywhere", "PATCH", onAda, ops(`{"op":"add","path":"emails[type eq \"work\"].value","value":"ada@x.test"}`),
			everywhere("200"), work, everywhere("ada@x.test"),
		},
	})
}

func TestDialectsDifferInTheAnswerToPatch(t *testing.T) {
	shown := func(_ *speaker, r reply) string { return fmt.Sprint(r.object["id"] != nil) }
	checkDialects(t, []dialectCase{
		{"of a user", "PATCH", onAda, ops(`{"op":"replace","path":"title","value":"x"}`), everywhere("200"), shown, everywhere("true")},
		{"of a group", "PATCH", onGroup, ops(`{"op":"replace","path":"displayName","value":"x"}`), spoken{"200", "204", "200"}, shown, spoken{"true", "false", "true"}},
		{
			"of a group, with attributes", "PATCH", func(s *speaker) string { return onGroup(s) + "?attributes=displayName" }, ops(`{"op":"replace","path":"displayName","value":"x"}`),
			everywhere("200"), shown, everywhere("true"),
		},
	})
}

func TestDialectsDifferInBooleansAndNotInNamesOfOperations(t *testing.T) {
	active := func(s *speaker, _ reply) string { return fmt.Sprint(s.user()["active"]) }
	checkDialects(t, []dialectCase{
		{"Replace in capitals", "PATCH", onAda, ops(`{"op":"Replace","path":"active","value":false}`), everywhere("200"), active, everywhere("false")},
		{"False in quotes", "PATCH", onAda, ops(`{"op":"replace","path":"active","value":"False"}`), spoken{"400 invalidValue", "200", "400 invalidValue"}, active, spoken{"true", "false", "true"}},
		{"false in quotes", "PATCH", onAda, ops(`{"op":"replace","path":"active","value":"false"}`), spoken{"400 invalidValue", "200", "200"}, active, spoken{"true", "false", "false"}},
		{"without a path", "PATCH", onAda, ops(`{"op":"replace","value":{"active":"False"}}`), spoken{"400 invalidValue", "200", "400 invalidValue"}, active, spoken{"true", "false", "true"}},
		{"no boolean at all", "PATCH", onAda, ops(`{"op":"replace","path":"active","value":"no"}`), everywhere("400 invalidValue"), active, everywhere("true")},
		{
			"in POST", "POST", fixed("/Users"), fixed(`{"schemas":["` + urnCore + `"],"userName":"cyd","active":"True"}`),
			spoken{"400 invalidValue", "201", "400 invalidValue"},
			nil,
			spoken{},
		},
	})
}

func TestDialectsDifferInRemovingAListOfMembers(t *testing.T) {
	left := func(s *speaker, _ reply) string { return s.members(s.group) }
	remove := func(value func(*speaker) string) func(*speaker) string {
		return func(s *speaker) string {
			return patchBody(`{"op":"remove","path":"members","value":` + value(s) + `}`)
		}
	}
	checkDialects(t, []dialectCase{
		{
			"one of them", "PATCH", onGroup, remove(func(s *speaker) string { return `[{"value":"` + s.ada + `"}]` }),
			spoken{"400 invalidValue", "204", "200"},
			left,
			spoken{"ada bob", "bob", "bob"},
		},
		{"none of them", "PATCH", onGroup, remove(fixed(`[]`)), spoken{"400 invalidValue", "204", "200"}, left, everywhere("ada bob")},
		{"by a filter", "PATCH", onGroup, func(s *speaker) string {
			return patchBody(`{"op":"remove","path":"members[value eq \"` + s.ada + `\"]"}`)
		}, spoken{"200", "204", "200"}, left, everywhere("bob")},
		{"all", "PATCH", onGroup, ops(`{"op":"remove","path":"members"}`), spoken{"200", "204", "200"}, left, everywhere("")},
	})
}

func TestDialectsDifferInGroupsOfOneName(t *testing.T) {
	checkDialects(t, []dialectCase{
		{"the same", "POST", fixed("/Groups"), fixed(`{"schemas":["` + groupType.schema.ID + `"],"displayName":"g"}`), spoken{"201", "409 uniqueness", "201"}, nil, spoken{}},
		{"in another case", "POST", fixed("/Groups"), fixed(`{"schemas":["` + groupType.schema.ID + `"],"displayName":"G"}`), spoken{"201", "409 uniqueness", "201"}, nil, spoken{}},
		{"another", "POST", fixed("/Groups"), fixed(`{"schemas":["` + groupType.schema.ID + `"],"displayName":"h"}`), everywhere("201"), nil, spoken{}},
		{"its own", "PATCH", onGroup, ops(`{"op":"replace","path":"displayName","value":"g"}`), spoken{"200", "204", "200"}, nil, spoken{}},
	})
}

func TestDialectsDifferInTheFormsOfAManager(t *testing.T) {
	manager := func(s *speaker, _ reply) string {
		part, _ := s.user()[enterpriseURN].(object)
		m, _ := part["manager"].(object)
		return textOf(m["value"])
	}
	path := enterpriseURN + ":manager"
	given := func(value string) func(*speaker) string {
		return ops(`{"op":"add","path":"` + path + `","value":{"value":"old"}},{"op":"replace","path":"` + path + `","value":` + value + `}`)
	}
	no := "400 invalidValue"
	checkDialects(t, []dialectCase{
		{"an object", "PATCH", onAda, given(`{"value":"m"}`), everywhere("200"), manager, everywhere("m")},
		{"a string", "PATCH", onAda, given(`"m"`), spoken{no, "200", "200"}, manager, spoken{"", "m", "m"}},
		{"an array", "PATCH", onAda, given(`[{"value":"m"}]`), spoken{no, "200", no}, manager, spoken{"", "m", ""}},
		{"an array of two", "PATCH", onAda, given(`[{"value":"m"},{"value":"n"}]`), everywhere(no), manager, everywhere("")},
		{"an empty string", "PATCH", onAda, given(`""`), spoken{no, "200", no}, manager, everywhere("")},
		{"null", "PATCH", onAda, given(`null`), everywhere("200"), manager, everywhere("")},
		{
			"a string in PUT", "PUT", onAda, fixed(`{"schemas":["` + urnCore + `"],"userName":"ada","` + enterpriseURN + `":{"manager":"m"}}`),
			spoken{no, "200", "200"},
			manager,
			spoken{"", "m", "m"},
		},
	})
}

func TestDialectsDifferInTheCaseOfPaths(t *testing.T) {
	none := func(*speaker) string { return "" }
	checkDialects(t, []dialectCase{
		{"users", "GET", fixed("/users"), none, spoken{"404", "200", "404"}, nil, spoken{}},
		{"one user", "GET", func(s *speaker) string { return "/USERS/" + s.ada }, none, spoken{"404", "200", "404"}, nil, spoken{}},
		{"groups", "GET", fixed("/groups"), none, spoken{"404", "200", "404"}, nil, spoken{}},
		{"schemas", "GET", fixed("/schemas"), none, spoken{"404", "200", "404"}, nil, spoken{}},
		{"as it is written", "GET", fixed("/Users"), none, everywhere("200"), nil, spoken{}},
		{"with the parameter of Entra", "GET", fixed("/Users?aadOptscim062020"), none, everywhere("200"), nil, spoken{}},
	})
}

func TestDialectsDifferInBooleansOfFilters(t *testing.T) {
	total := func(_ *speaker, r reply) string { return fmt.Sprint(r.object["totalResults"]) }
	checkDialects(t, []dialectCase{
		{"in quotes", "GET", fixed(`/Users?filter=active+eq+%22True%22`), nil, everywhere("200"), total, spoken{"0", "2", "2"}},
		{"false in quotes", "GET", fixed(`/Users?filter=active+eq+%22False%22`), nil, everywhere("200"), total, everywhere("0")},
		{"as it should be", "GET", fixed(`/Users?filter=active+eq+true`), nil, everywhere("200"), total, everywhere("2")},
		{"in another case", "GET", fixed(`/Users?filter=active+eq+TRUE`), nil, everywhere("200"), total, everywhere("2")},
	})
}
