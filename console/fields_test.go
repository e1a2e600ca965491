package console

import (
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestAChangeIsWrittenInPlainWords(t *testing.T) {
	const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	for _, c := range []struct {
		change identity.Change
		want   [][3]string
	}{
		{identity.Change{Field: "userName", Before: "ada", After: "ada.l"}, [][3]string{{"user name", "ada", "ada.l"}}},
		{identity.Change{Field: "active", Before: true, After: false}, [][3]string{{"may come in", "yes", "no"}}},
		{
			identity.Change{Field: "name", Before: map[string]any{"givenName": "Ada", "familyName": "B"}, After: map[string]any{"givenName": "Ada", "familyName": "L"}},
			[][3]string{{"family name", "B", "L"}},
		},
		{
			identity.Change{Field: enterprise, After: map[string]any{"department": "Sales", "employeeNumber": "1815", "costCenter": "77", "manager": map[string]any{"value": "m1", "$ref": "x"}}},
			[][3]string{{"cost center", "–", "77"}, {"department", "–", "Sales"}, {"employee number", "–", "1815"}, {"manager", "–", "m1"}},
		},
		{
			identity.Change{Field: "phoneNumbers", Before: []any{map[string]any{"type": "work", "value": "+1"}, map[string]any{"value": "+2"}}},
			[][3]string{{"phone", "+1, +2", "–"}},
		},
		{identity.Change{Field: "emails", After: []string{"a@x.example", "b@x.example"}}, [][3]string{{"e-mail", "–", "a@x.example, b@x.example"}}},
		{identity.Change{Field: "expires", After: "2026-01-31T12:00:00Z"}, [][3]string{{"expires", "–", "2026-01-31 12:00 UTC"}}},
	} {
		got := plainChanges([]identity.Change{c.change})
		if len(got) != len(c.want) {
			t.Fatalf("%s became %v", c.change.Field, got)
		}
		for i, g := range got {
			if said := [3]string{fieldName(g.Field), changeValue(g.Before), changeValue(g.After)}; said != c.want[i] {
				t.Errorf("%s: %q, not %q", c.change.Field, said, c.want[i])
			}
		}
	}
}

func TestNamesForProgramsArePartedIntoWords(t *testing.T) {
	for name, want := range map[string]string{"costCenter": "cost center", "cost_center": "cost center", "ownerID": "owner ID", "SAML": "SAML", "urn:a:b:User.division": "division", "roles": "roles"} {
		if got := fieldName(name); got != want {
			t.Errorf("%s is written %q", name, got)
		}
	}
}
