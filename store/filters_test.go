package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// attr is a core string attribute that ignores case.
func attr(name, sub string) identity.Attribute {
	return identity.Attribute{Name: name, Sub: sub, Type: identity.TypeString}
}

func list(a identity.Attribute) identity.Attribute { a.MultiValued = true; return a }

func exact(a identity.Attribute) identity.Attribute { a.CaseExact = true; return a }

func of(a identity.Attribute, kind identity.AttributeType) identity.Attribute {
	a.Type = kind
	return a
}

func in(schema string, a identity.Attribute) identity.Attribute { a.Schema = schema; return a }

func f(a identity.Attribute, op identity.FilterOp, v any) *identity.Filter {
	return &identity.Filter{Op: op, Attr: a, Value: v}
}

func join(op identity.FilterOp, children ...*identity.Filter) *identity.Filter {
	return &identity.Filter{Op: op, Children: children}
}

func TestFilters(t *testing.T) {
	cases := []struct {
		name   string
		filter *identity.Filter
		want   string // first letters of those who match
	}{
		{"eq ignores case", f(attr("userName", ""), identity.OpEq, "ADA@x.test"), "a"},
		{"ne", f(attr("userName", ""), identity.OpNe, "ada@x.test"), "bç"},
		{"co", f(attr("userName", ""), identity.OpCo, "X.TEST"), "abç"},
		{"sw beyond ASCII", f(attr("userName", ""), identity.OpSw, "Ç"), "ç"},
		{"ew", f(attr("userName", ""), identity.OpEw, "b@x.test"), "b"},
		{"a percent sign is a percent sign", f(attr("userName", ""), identity.OpCo, "%"), ""},
		{"an underscore too", f(attr("userName", ""), identity.OpCo, "a_a"), ""},
		{"SQL is text", f(attr("userName", ""), identity.OpEq, "x' OR '1'='1"), ""},
		{"display name", f(attr("displayName", ""), identity.OpEq, "ada l."), "a"},
		{"active", f(of(attr("active", ""), identity.TypeBoolean), identity.OpEq, true), "aç"},
		{"active ne", f(of(attr("active", ""), identity.TypeBoolean), identity.OpNe, true), "b"},
		{"a number is no text", join(identity.OpNone), ""},
		{"pr of what is empty", f(attr("displayName", ""), identity.OpPr, nil), "a"},
		{"eq null", f(attr("title", ""), identity.OpEq, nil), "bç"},
		{"ne null", f(attr("title", ""), identity.OpNe, nil), "a"},
		{"what is not there is smaller than nothing", f(attr("displayName", ""), identity.OpLt, "zz"), "a"},
		{"what is not there is no empty text", f(attr("displayName", ""), identity.OpEq, ""), ""},
		{"and holds none", f(attr("displayName", ""), identity.OpSw, ""), "a"},
		{"and is different from it", f(attr("displayName", ""), identity.OpNe, ""), "abç"},
		{"primary is false where nothing is said", f(list(of(attr("phoneNumbers", "primary"), identity.TypeBoolean)), identity.OpEq, false), "a"},
		{"JSON attribute", f(attr("title", ""), identity.OpEq, "BOSS"), "a"},
		{"ne holds without the attribute", f(attr("title", ""), identity.OpNe, "Boss"), "bç"},
		{"complex attribute", f(attr("name", "familyName"), identity.OpSw, "love"), "a"},
		{"extension", f(in(enterprise, attr("department", "")), identity.OpEq, "it"), "b"},
		{"extension complex", f(in(enterprise, exact(attr("manager", "value"))), identity.OpEq, "m-1"), "b"},
		{"exact case", f(in(enterprise, exact(attr("manager", "value"))), identity.OpEq, "M-1"), ""},
		{"exact case sw", f(in(enterprise, exact(attr("manager", "value"))), identity.OpSw, "M"), ""},
		{"emails.value", f(list(attr("emails", "value")), identity.OpEq, "Home@x.test"), "a"},
		{"emails by default", f(list(attr("emails", "")), identity.OpEq, "home@x.test"), "a"},
		{"emails pr", f(list(of(attr("emails", ""), identity.TypeComplex)), identity.OpPr, nil), "ab"},
		{"emails ne: none is equal", f(list(attr("emails", "value")), identity.OpNe, "home@x.test"), "bç"},
		{"value path, one element", &identity.Filter{Op: identity.OpExists, Attr: list(attr("emails", "")), Children: []*identity.Filter{
			join(identity.OpAnd, f(attr("", "type"), identity.OpEq, "work"), f(attr("", "value"), identity.OpCo, "@x")),
		}}, "ab"},
		{"value path, never two elements", &identity.Filter{Op: identity.OpExists, Attr: list(attr("emails", "")), Children: []*identity.Filter{
			join(identity.OpAnd, f(attr("", "type"), identity.OpEq, "work"), f(attr("", "value"), identity.OpEq, "home@x.test")),
		}}, ""},
		{"value path in JSON", &identity.Filter{Op: identity.OpExists, Attr: list(attr("phoneNumbers", "")), Children: []*identity.Filter{
			join(identity.OpAnd, f(attr("", "type"), identity.OpEq, "mobile"), f(of(attr("", "primary"), identity.TypeBoolean), identity.OpEq, true)),
		}}, "a"},
		{"list in JSON", f(list(exact(attr("phoneNumbers", "value"))), identity.OpEq, "+49 1"), "a"},
		{"and or", join(identity.OpOr, f(attr("userName", ""), identity.OpEq, "ada@x.test"), join(identity.OpAnd, f(attr("userName", ""), identity.OpEq, "bob@x.test"), f(of(attr("active", ""), identity.TypeBoolean), identity.OpEq, true))), "a"},
		{"not", join(identity.OpNot, f(attr("title", ""), identity.OpEq, "boss")), "bç"},
		{"not of what is missing", join(identity.OpNot, f(in(enterprise, attr("department", "")), identity.OpSw, "i")), "aç"},
		{"an id that is none", f(exact(attr("id", "")), identity.OpEq, "nope"), ""},
		{"created before now", f(of(attr("meta", "created"), identity.TypeDateTime), identity.OpLe, time.Now().Add(time.Hour)), "abç"},
		{"created in the future", f(of(attr("meta", "lastModified"), identity.TypeDateTime), identity.OpGt, time.Now().Add(time.Hour)), ""},
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		insert(t, db, "ada@x.test", func(u *identity.User) {
			u.DisplayName = "Ada L."
			u.Emails = []identity.Email{{Value: "work@x.test", Type: "work"}, {Value: "home@x.test", Type: "home", Primary: true}}
			u.Attributes = []byte(`{"title":"Boss","name":{"familyName":"Lovelace"},"phoneNumbers":[{"type":"work","value":"1"},{"type":"mobile","value":"+49 1","primary":true}]}`)
		})
		insert(t, db, "bob@x.test", func(u *identity.User) {
			u.Enabled = false
			u.Emails = []identity.Email{{Value: "b@x.test", Type: "Work"}}
			u.Attributes = []byte(`{"` + enterprise + `":{"department":"IT","manager":{"value":"m-1"}}}`)
		})
		insert(t, db, "Çelik@x.test")
		for _, tc := range cases {
			t.Run(tc.name, func(t *testing.T) {
				if got := matches(t, db, identity.Query{Filter: tc.filter, Limit: 10, Total: true}); got != tc.want {
					t.Errorf("got %q, want %q", got, tc.want)
				}
			})
		}
	})
}

// matches returns the first letters of the users of a list, sorted by age.
func matches(t testing.TB, db *store.DB, q identity.Query) string {
	t.Helper()
	var page identity.Page[identity.User]
	err := db.View(t.Context(), func(tx *store.Tx) (err error) {
		page, err = tx.Users(t.Context(), store.Everything(), q)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if q.Total && int(page.Total) != len(page.Items) {
		t.Errorf("total %d, items %d", page.Total, len(page.Items))
	}
	var letters []rune
	for _, u := range page.Items {
		letters = append(letters, []rune(identity.NameKey(u.UserName))[0])
	}
	return string(letters)
}

func TestSort(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		title := func(s string) func(*identity.User) {
			return func(u *identity.User) { u.Attributes = []byte(`{"title":"` + s + `"}`) }
		}
		insert(t, db, "b", title("x"))
		insert(t, db, "A", title("Y"))
		insert(t, db, "c")
		for want, s := range map[string]identity.Sort{
			"abc": {Attr: attr("userName", "")},
			"cba": {Attr: attr("userName", ""), Descending: true},
			"bac": {Attr: attr("title", "")},
			"cab": {Attr: attr("title", ""), Descending: true},
		} {
			if got := matches(t, db, identity.Query{Sort: &s, Limit: 10}); got != want {
				t.Errorf("sorted %q, want %q", got, want)
			}
		}
	})
}

func TestOffsetAndMore(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for _, n := range []string{"a", "b", "c"} {
			insert(t, db, n)
		}
		var letters []string
		for offset := range 3 {
			letters = append(letters, matches(t, db, identity.Query{Limit: 1, Offset: offset}))
		}
		if !slices.Equal(letters, []string{"a", "b", "c"}) {
			t.Errorf("%v", letters)
		}
	})
}
