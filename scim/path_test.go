package scim

import (
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestPathsAreResolved(t *testing.T) {
	for _, c := range []struct {
		path   string
		want   string // the path of the attribute that is meant
		filter bool
	}{
		{path: "title", want: "title"},
		{path: "TITLE", want: "title"},
		{path: "name.givenname", want: "name.givenName"},
		{path: "urn:ietf:params:scim:schemas:core:2.0:User:name.givenName", want: "name.givenName"},
		{path: `emails[type eq "work"]`, want: "emails", filter: true},
		{path: `emails[type eq "work" and not (value co "]")].value`, want: "emails.value", filter: true},
		{path: "emails.value", want: "emails.value"},
		{path: enterpriseURN + ":manager.value", want: enterpriseURN + ":manager.value"},
		{path: enterpriseURN + ":manager.$ref", want: enterpriseURN + ":manager.$ref"},
	} {
		got, err := userType.path(c.path, dialect{})
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		if got.leaf().path() != c.want || (got.filter != nil) != c.filter {
			t.Errorf("%s means %s (filter %v), want %s", c.path, got.leaf().path(), got.filter != nil, c.want)
		}
	}
}

func TestWrongPathsAreRefused(t *testing.T) {
	for _, path := range []string{
		"", " ", "[", "noSuch", "name.noSuch", "name.givenName.x", "title.x", `title[value eq "x"]`, "emails[type eq", "emails[]", `emails[type eq "x"`,
		`emails[type eq "x"]value`, `emails[type eq "x"].`, `emails[type eq "x"].a.b`, `emails[type eq "x"].noSuch`, `emails.value[type eq "x"]`,
		`emails[noSuch eq "x"]`, "urn:example:User:title", "department", "a b", "title\x00", enterpriseURN + ":noSuch", enterpriseURN + ":",
	} {
		if _, err := userType.path(path, dialect{}); identity.CodeOf(err) != invalidPath {
			t.Errorf("%q: %v, want %s", path, err, invalidPath)
		}
	}
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{"title", `emails[type eq "work"].value`, enterpriseURN, enterpriseURN + ":manager", "a[b pr].c", "[", ".", "password"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePath(text, Limits{})
		if err == nil {
			again, err := parsePath(p.String(), Limits{})
			if err == nil && (again.name != p.name || again.sub != p.sub || (again.filter == nil) != (p.filter == nil)) {
				t.Fatalf("%q is printed as %q, which reads as %+v", text, p, again)
			}
		}
		for _, rt := range []*resourceType{userType, groupType} {
			if _, err := rt.path(text, dialectOf(identity.DialectEntra)); err != nil && identity.CodeOf(err) != invalidPath {
				t.Fatalf("%q: %v", text, err)
			}
		}
	})
}
