package store_test

import (
	"testing"
	"time"
	"unicode/utf8"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// FuzzFiltersOfAnySchema compiles filters and orders on attributes whose names are data, as those of an extension are: the database
// accepts what is made of them, and everybody matches either the filter or its opposite.
func FuzzFiltersOfAnySchema(f *testing.F) {
	db := storetest.SQLite(f)
	insert(f, db, "ada@x.test", func(u *identity.User) {
		u.Attributes = []byte(`{"title":"Boss","urn:a'b\"c":{"it's":[{"x\"y":1},{"z?":true}],"n":1.5},"name":{"familyName":"Lovelace"}}`)
	})
	insert(f, db, "bob@x.test")
	f.Add("", "title", "", "Boss", uint8(0), false)
	f.Add(`urn:a'b"c`, "it's", `x"y`, "1", uint8(13), true)
	f.Add("urn:x'); DROP TABLE users; --", `$[*]?`, "z?", "'", uint8(4), true)
	f.Add("", "members", "value", "%", uint8(7), false)
	f.Add("", "title", "value", "Boss", uint8(0), true) // a list in the schema, and none in what was kept before
	f.Add("", "emails", `'`, "", uint8(25), true)
	kinds := []identity.AttributeType{identity.TypeString, identity.TypeBoolean, identity.TypeDecimal, identity.TypeDateTime, identity.TypeComplex}
	ops := []identity.FilterOp{"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr"}
	f.Fuzz(func(t *testing.T, schema, name, sub, value string, which uint8, list bool) {
		if !utf8.ValidString(schema+name+sub+value) || name == "" {
			return
		}
		a := identity.Attribute{Schema: schema, Name: name, Sub: sub, Type: kinds[int(which/10)%len(kinds)], MultiValued: list}
		filter := &identity.Filter{Op: ops[which%10], Attr: a, Value: literal(a.Type, value)}
		if a.Type != identity.TypeString && (filter.Op == identity.OpCo || filter.Op == identity.OpSw || filter.Op == identity.OpEw) {
			return // no door makes that
		}
		yes := len(matches(t, db, identity.Query{Filter: filter, Limit: 10, Total: true}))
		no := len(matches(t, db, identity.Query{Filter: &identity.Filter{Op: identity.OpNot, Children: []*identity.Filter{filter}}, Limit: 10}))
		if yes+no != 2 {
			t.Fatalf("%+v matches %d, and its opposite %d, of two", filter, yes, no)
		}
		if got := matches(t, db, identity.Query{Sort: &identity.Sort{Attr: a}, Limit: 10}); len(got) != 2 {
			t.Fatalf("sorted by %+v there is %q", a, got)
		}
	})
}

func literal(kind identity.AttributeType, text string) any {
	switch kind {
	case identity.TypeBoolean:
		return text != ""
	case identity.TypeDecimal:
		return float64(len(text))
	case identity.TypeDateTime:
		return time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC).AddDate(len(text), 0, 0)
	case identity.TypeComplex:
		return nil
	}
	return text
}
