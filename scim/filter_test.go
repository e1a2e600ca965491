package scim

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	oracle "github.com/scim2/filter-parser/v2"
	"pgregory.net/rapid"

	"github.com/drawbridge-id/drawbridge/identity"
)

var (
	userName   = identity.Attribute{Name: "userName", Type: identity.TypeString}
	title      = identity.Attribute{Name: "title", Type: identity.TypeString}
	active     = identity.Attribute{Name: "active", Type: identity.TypeBoolean}
	emailValue = identity.Attribute{Name: "emails", Sub: "value", Type: identity.TypeString, MultiValued: true}
	subType    = identity.Attribute{Sub: "type", Type: identity.TypeString}
	subValue   = identity.Attribute{Sub: "value", Type: identity.TypeString}
	emails     = identity.Attribute{Name: "emails", Type: identity.TypeComplex, MultiValued: true}
	extID      = identity.Attribute{Name: "externalId", Type: identity.TypeString, CaseExact: true}
	department = identity.Attribute{Schema: enterpriseURN, Name: "department", Type: identity.TypeString}
	manager    = identity.Attribute{Schema: enterpriseURN, Name: "manager", Sub: "value", Type: identity.TypeString}
	modified   = identity.Attribute{Name: "meta", Sub: "lastModified", Type: identity.TypeDateTime}
)

func is(op identity.FilterOp, a identity.Attribute, v any) *identity.Filter {
	return &identity.Filter{Op: op, Attr: a, Value: v}
}

func all(op identity.FilterOp, kids ...*identity.Filter) *identity.Filter {
	return &identity.Filter{Op: op, Children: kids}
}

func exists(a identity.Attribute, child *identity.Filter) *identity.Filter {
	return &identity.Filter{Op: identity.OpExists, Attr: a, Children: []*identity.Filter{child}}
}

func TestFiltersAreResolvedAgainstTheSchema(t *testing.T) {
	ada := is(identity.OpEq, userName, "ada")
	work := is(identity.OpEq, subType, "work")
	for _, c := range []struct {
		filter  string
		dialect identity.Dialect
		want    *identity.Filter
	}{
		{`userName eq "ada"`, "", ada},
		{`USERNAME Eq "ada"`, "", ada},
		{`urn:ietf:params:scim:schemas:core:2.0:user:userName eq "ada"`, "", ada},
		{`title pr`, "", is(identity.OpPr, title, nil)},
		{`title eq "a" or title eq "b" and active eq true`, "", all(identity.OpOr, is(identity.OpEq, title, "a"),
			all(identity.OpAnd, is(identity.OpEq, title, "b"), is(identity.OpEq, active, true)))},
		{`not(title pr)`, "", all(identity.OpNot, is(identity.OpPr, title, nil))},
		{`externalId eq "A"`, "", is(identity.OpEq, extID, "A")},
		{`emails eq "a"`, "", is(identity.OpEq, emailValue, "a")},
		{`emails.value sw "a"`, "", is(identity.OpSw, emailValue, "a")},
		{`emails pr`, "", is(identity.OpPr, emails, nil)},
		{`emails[type eq "work"]`, "", exists(emails, work)},
		{`emails[type eq "work"].value eq "a"`, "", exists(emails, all(identity.OpAnd, work, is(identity.OpEq, subValue, "a")))},
		{`emails[not (type eq "work")]`, "", exists(emails, all(identity.OpNot, work))},
		{enterpriseURN + `:department eq "x"`, "", is(identity.OpEq, department, "x")},
		{enterpriseURN + `:manager eq "x"`, "", is(identity.OpEq, manager, "x")},
		{enterpriseURN + `:manager.value eq "x"`, "", is(identity.OpEq, manager, "x")},
		{`department eq "x"`, identity.DialectEntra, is(identity.OpEq, department, "x")},
		{`meta.lastModified gt "2020-01-02T03:04:05+01:00"`, "", is(identity.OpGt, modified, time.Date(2020, 1, 2, 2, 4, 5, 0, time.UTC))},
		{`userName eq "\u0061da"`, "", ada},
		{`title eq 5`, "", never()},
		{`title ne 5`, "", always()},
		{`title eq null`, "", all(identity.OpNot, is(identity.OpPr, title, nil))},
		{`title ne null`, "", is(identity.OpPr, title, nil)},
		{`active eq "True"`, "", never()},
		{`active eq "True"`, identity.DialectEntra, is(identity.OpEq, active, true)},
		{`active eq "true"`, identity.DialectOkta, is(identity.OpEq, active, true)},
		{`meta.resourceType eq "User"`, "", always()},
		{`meta.resourceType eq "Group"`, "", never()},
		{`meta.location eq "https://x/scim/v2/Users/7"`, "", is(identity.OpEq, identity.Attribute{Name: "id", Type: identity.TypeString, CaseExact: true}, "7")},
		{`groups.$ref eq "https://x/scim/v2/Groups/7"`, "", is(identity.OpEq, identity.Attribute{Name: "groups", Sub: "value", Type: identity.TypeString, MultiValued: true}, "7")},
		{`schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"`, "", always()},
		{`id pr and title pr`, "", all(identity.OpAnd, is(identity.OpPr, identity.Attribute{Name: "id", Type: identity.TypeString, CaseExact: true}, nil), is(identity.OpPr, title, nil))},
	} {
		got, err := userType.filter(c.filter, dialectOf(c.dialect))
		if err != nil {
			t.Errorf("%s: %v", c.filter, err)
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.filter, diff)
		}
	}
}

func TestWrongFiltersAreRefused(t *testing.T) {
	for _, c := range []struct{ filter, keyword string }{
		{``, invalidFilter},
		{`userName`, invalidFilter},
		{`userName eq`, invalidFilter},
		{`userName xx "a"`, invalidFilter},
		{`userName eq "a`, invalidFilter},
		{`userName eq 'a'`, invalidFilter},
		{`userName eq "\x"`, invalidFilter},
		{`userName eq "\u0000"`, invalidFilter},
		{"userName eq \"\xff\"", invalidFilter},
		{`userName eq 01`, invalidFilter},
		{`(userName eq "a"`, invalidFilter},
		{`userName eq "a")`, invalidFilter},
		{`userName eq "a" and`, invalidFilter},
		{`userName eq "a" userName eq "b"`, invalidFilter},
		{`not userName eq "a"`, invalidFilter},
		{`noSuch eq "a"`, invalidFilter},
		{`userName.value eq "a"`, invalidFilter},
		{`name eq "a"`, invalidFilter},
		{`name.noSuch eq "a"`, invalidFilter},
		{`name[familyName eq "a"]`, invalidFilter},
		{`emails[noSuch eq "a"]`, invalidFilter},
		{`emails[type eq "a"`, invalidFilter},
		{`emails[emails[type eq "a"]]`, invalidFilter},
		{`emails[type eq "a"].`, invalidFilter},
		{`department eq "a"`, invalidFilter},
		{`urn:example:User:x eq "a"`, invalidFilter},
		{`password eq "a"`, invalidFilter},
		{`active gt true`, invalidFilter},
		{`active co "t"`, invalidFilter},
		{`x509Certificates.value gt "a"`, invalidFilter},
		{`meta.created co "2020"`, invalidFilter},
		{`meta.created gt "yesterday"`, invalidFilter},
		{`title gt null`, invalidFilter},
		{strings.Repeat("(", 200) + `title pr` + strings.Repeat(")", 200), invalidFilter},
		{strings.Repeat("not (", 200) + `title pr` + strings.Repeat(")", 200), invalidFilter},
		{`title eq "` + strings.Repeat("a", DefaultLimits().Filter) + `"`, invalidFilter},
		{`title pr` + strings.Repeat(` or title pr`, DefaultLimits().FilterTerms), tooMany},
	} {
		_, err := userType.filter(c.filter, dialect{})
		if got := identity.CodeOf(err); identity.KindOf(err) != identity.Invalid || got != c.keyword {
			t.Errorf("%.60s: %v with %q, want Invalid with %q", c.filter, err, got, c.keyword)
		}
	}
}

// anyExpr makes filters that the grammar allows.
func anyExpr(depth int, inside bool) *rapid.Generator[*expr] {
	comparison := rapid.Custom(func(t *rapid.T) *expr {
		names := []string{"userName", "name.familyName", enterpriseURN + ":department", "emails.value", "meta.created"}
		if inside {
			names = []string{"type", "value", "primary", "$ref"}
		}
		e := &expr{name: rapid.SampledFrom(names).Draw(t, "name")}
		ops := []identity.FilterOp{"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr"}
		if e.op = rapid.SampledFrom(ops).Draw(t, "op"); e.op == identity.OpPr {
			return e
		}
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			e.value = rapid.StringMatching(`[^\x00]{0,12}`).Draw(t, "text")
		case 1:
			e.value = rapid.Bool().Draw(t, "boolean")
		case 2:
			e.value = json.Number(rapid.StringMatching(`-?(0|[1-9][0-9]{0,5})(\.[0-9]{1,3})?`).Draw(t, "number"))
		}
		return e
	})
	if depth == 0 {
		return comparison
	}
	kid := anyExpr(depth-1, inside)
	joined := rapid.Custom(func(t *rapid.T) *expr {
		op := rapid.SampledFrom([]identity.FilterOp{identity.OpAnd, identity.OpOr}).Draw(t, "op")
		return &expr{op: op, kids: rapid.SliceOfN(kid, 2, 3).Draw(t, "kids")}
	})
	not := rapid.Map(kid, func(e *expr) *expr { return &expr{op: identity.OpNot, kids: []*expr{e}} })
	if inside {
		return rapid.OneOf(comparison, joined, not)
	}
	path := rapid.Map(anyExpr(depth-1, true), func(e *expr) *expr {
		return &expr{op: identity.OpExists, name: "emails", kids: []*expr{e}}
	})
	return rapid.OneOf(comparison, joined, not, path)
}

func TestAPrintedFilterIsReadBackAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyExpr(3, false).Draw(t, "filter")
		text := want.String()
		got, err := parseFilter(text, Limits{})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !got.same(want) {
			t.Fatalf("%s was read as %s", text, got)
		}
	})
}

func TestAnotherParserAcceptsWhatIsPrinted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := anyExpr(2, false).Draw(t, "filter")
		text := e.String()
		if strings.Contains(text, `\`) || strings.Contains(text, "$ref") || manyInside(e) {
			return // the other parser knows no escapes by \u, no names with a dollar sign, and one comparison in a value path
		}
		if _, err := oracle.ParseFilter([]byte(text)); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	})
}

// manyInside reports whether a value path holds more than one comparison.
func manyInside(e *expr) bool {
	if e.op == identity.OpExists {
		return len(e.kids[0].kids) > 0
	}
	return slices.ContainsFunc(e.kids, manyInside)
}

func FuzzFilter(f *testing.F) {
	for _, s := range []string{
		`userName eq "a"`, `emails[type eq "work" and not (value co "@")].value eq "x"`, `a.b:c pr or (x ne -1.5e3)`, `not(not(title pr))`,
		enterpriseURN + ` pr`, `schemas eq "x" and meta.lastModified gt "2020-01-01T00:00:00Z"`, `active eq null`, "\x00\"[",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := parseFilter(text, Limits{})
		if err != nil {
			if identity.KindOf(err) != identity.Invalid {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		again, err := parseFilter(e.String(), Limits{})
		if err == nil && !again.same(e) {
			t.Fatalf("%q is printed as %q, which reads as %q", text, e, again)
		}
		for _, rt := range []*resourceType{userType, groupType} {
			for _, d := range []identity.Dialect{"", identity.DialectEntra} {
				if _, err := rt.filter(text, dialectOf(d)); err != nil && identity.KindOf(err) != identity.Invalid {
					t.Fatalf("%q: %v", text, err)
				}
			}
		}
	})
}
