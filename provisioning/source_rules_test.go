package provisioning_test

import (
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// when is a condition.
func when(field string, is ...string) []identity.SourceCondition {
	return []identity.SourceCondition{{Field: field, Is: is}}
}

func TestRulesSayWherePeopleOfASourceBelong(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		o := provisioning.ImportOptions{Source: "hr"}
		o.Rules = []identity.SourceRule{
			{When: when("location", "London"), Tenant: acme.ID},
			{When: when("department", "MARKETING*", "press"), Roles: []identity.RoleID{"editor"}},
			{When: when("department", "Sales"), Roles: []identity.RoleID{"operator"}},
			{When: []identity.SourceCondition{{Field: "title", Is: []string{"Trainee"}, Except: true}, {Field: "location", Is: []string{"Paris"}}}, Tenant: beta.ID},
		}
		head := "externalId,email,displayName,department,location,title,role"
		p := h.plan(o, head,
			"1,ada@acme.test,Ada,Sales,London,,", "2,bob@acme.test,Bob,marketing EMEA,London,,", "3,cid@acme.test,Cid,Legal,Paris,Analyst,", "4,dan@acme.test,Dan,Sales,London,,viewer")
		t.Run("the step says which rule gave what, and what a row says itself stays", func(t *testing.T) {
			for line, want := range map[int]string{
				2: "tenant by rule 1: location = London; operator by rule 3: department = Sales",
				3: "tenant by rule 1: location = London; editor by rule 2: department = marketing EMEA",
				4: "tenant by rule 4: title is not Trainee, location = Paris",
				5: "tenant by rule 1: location = London",
			} {
				got := strings.Split(h.detailOf(p.ID, line), "; ")
				for _, part := range strings.Split(want, "; ") {
					if !strings.Contains(strings.Join(got, "; "), part) {
						t.Errorf("line %d: %q is not in %q", line, part, got)
					}
				}
				if len(got) != len(strings.Split(want, "; ")) {
					t.Errorf("line %d: %q, want %q", line, got, want)
				}
			}
		})
		h.apply(p.ID)
		t.Run("the plan does it, and the role says why", func(t *testing.T) {
			bob, cid, dan := h.known("bob@acme.test"), h.known("cid@acme.test"), h.known("dan@acme.test")
			if bob.TenantID != acme.ID || cid.TenantID != beta.ID || h.roles(bob.ID) != "editor " || h.roles(dan.ID) != "viewer " {
				t.Errorf("%+v %+v %s %s", bob, cid, h.roles(bob.ID), h.roles(dan.ID))
			}
			d := must[provisioning.UserDetail](t)(h.UserDetail(h.ctx, h.op, bob.ID))
			if a := d.Assignments[0]; a.Source != identity.SourceImport || a.Reason != "import people.csv, line 3, rule 2: department = marketing EMEA" {
				t.Errorf("%+v", a)
			}
		})
		t.Run("another department is another role, and none that a rule knows takes back what a rule gave", func(t *testing.T) {
			h.bring(o, "externalId,department", "2,Sales")
			if got := h.roles(h.known("bob@acme.test").ID); !strings.Contains(got, "operator") {
				t.Error(got)
			}
			h.bring(o, "externalId,title", "2,Head") // no word of the department
			if got := h.roles(h.known("bob@acme.test").ID); !strings.Contains(got, "operator") {
				t.Error(got)
			}
			h.bring(o, "externalId,department", "2,Legal")
			if got := h.roles(h.known("bob@acme.test").ID); got != "viewer " {
				t.Error(got)
			}
		})
		t.Run("another place is another tenant", func(t *testing.T) {
			p := h.plan(o, "externalId,email,location,title", "2,bob@acme.test,Paris,Head")
			h.wantSteps(t, p.ID, "2 move open Bob")
			if got := h.detailOf(p.ID, 2); !strings.Contains(got, "tenant by rule 4") {
				t.Error(got)
			}
			h.apply(p.ID)
			if u := h.known("bob@acme.test"); u.TenantID != beta.ID {
				t.Errorf("%+v", u)
			}
		})
	})
	eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
		h.account()
		root, _ := h.Model().RootUnit()
		o := provisioning.ImportOptions{Source: "hr"}
		o.Rules = []identity.SourceRule{{Unit: root, Type: "technician"}}
		h.bring(o, "email,displayName,type", "ada@acme.test,Ada,", "bob@acme.test,Bob,dispatcher")
		t.Run("units and types too", func(t *testing.T) {
			if a, b := h.row("hr", "ada@acme.test"), h.row("hr", "bob@acme.test"); a["type"] != "technician" || a["unit"] != root || b["type"] != "dispatcher" {
				t.Errorf("%v %v", a, b)
			}
		})
	})
}

func TestRulesGiveOnlyWhatWhoeverSavesThemMayGive(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		boss := h.as(h.userIn(acme.ID, "boss@acme.test", "administrator").ID)
		save := func(by identity.Actor, tenant identity.TenantID, rules ...identity.SourceRule) error {
			source := identity.Source{TenantID: tenant, Name: "hr"}
			source.Settings.Rules = rules
			_, err := h.PutSource(h.ctx, by, source, "")
			return err
		}
		for name, c := range map[string]struct {
			by     identity.Actor
			tenant identity.TenantID
			rule   identity.SourceRule
			says   string // empty: it may be saved
		}{
			"a role of the tenant":                 {boss, acme.ID, identity.SourceRule{Roles: []identity.RoleID{"editor"}}, ""},
			"a role of the platform":               {boss, acme.ID, identity.SourceRule{Roles: []identity.RoleID{"superadmin"}}, "Rule 1: "},
			"the installation's, of the platform":  {h.op, "", identity.SourceRule{Roles: []identity.RoleID{"superadmin"}}, "Rule 1: No provider gives"},
			"another tenant":                       {boss, acme.ID, identity.SourceRule{Tenant: beta.ID}, "Rule 1: There is no such tenant."},
			"another tenant, by who stands above":  {h.op, "", identity.SourceRule{When: when("department", "Sales"), Tenant: beta.ID}, ""},
			"a condition on what is no field":      {h.op, "", identity.SourceRule{When: when("shoe", "44"), Tenant: beta.ID}, `Rule 1: There is no field "shoe"`},
			"a condition that compares nothing":    {h.op, "", identity.SourceRule{When: when("title"), Tenant: beta.ID}, "Rule 1: The condition on title has nothing"},
			"a rule that gives nothing":            {h.op, "", identity.SourceRule{When: when("title", "x")}, "Rule 1: It gives nothing"},
			"a user type that the model has not":   {boss, acme.ID, identity.SourceRule{Type: "wizard"}, "Rule 1: There is no user type"},
			"a role that the access model has not": {boss, acme.ID, identity.SourceRule{Roles: []identity.RoleID{"king"}}, "Rule 1: "},
		} {
			err := save(c.by, c.tenant, c.rule)
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("%s: %v", name, err)
			}
		}
		source := identity.Source{TenantID: acme.ID, Name: "hr"}
		source.Settings.Fields = map[string]identity.FieldPolicy{"title": {Manual: "perhaps"}}
		if _, err := h.PutSource(h.ctx, boss, source, ""); identity.KindOf(err) != identity.Invalid {
			t.Error(err)
		}
	})
}
