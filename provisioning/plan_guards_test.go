package provisioning_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sheets"
	"github.com/drawbridge-id/drawbridge/store"
)

// guardFile is a heading and the rows of so many people, who differ from each other in every column.
func guardFile(people int) []string {
	lines := []string{"employeeNumber,email,givenName,familyName,role"}
	for i := range people {
		lines = append(lines, fmt.Sprintf("%d,p%02d@acme.test,Given%02d,Family%02d,viewer", i, i, i, i))
	}
	return lines
}

// guardPeople is everybody as a table has them.
func (h *house) guardPeople() string {
	h.t.Helper()
	content, _ := h.export(provisioning.ExportQuery{}, sheets.CSV)
	return string(content)
}

// wantHeld fails the test unless a plan is held for the reason, cannot be applied, and left everybody as they were.
func (h *house) wantHeld(t *testing.T, p identity.Plan, before string, why ...string) {
	t.Helper()
	holds := strings.Join(p.Summary.Holds, " ")
	for _, words := range why {
		if !strings.Contains(holds, words) {
			t.Errorf("%q is not in %q", words, holds)
		}
	}
	if p.State != identity.PlanHeld {
		t.Fatalf("it is not held: %+v", p)
	}
	_, err := h.ApplyPlan(h.ctx, h.op, p.ID, provisioning.ApplyOptions{})
	wantKind(t, err, identity.Precondition, "plan_held")
	if after := h.guardPeople(); after != before {
		t.Errorf("people changed before anybody approved it:\n%s\n%s", before, after)
	}
}

func TestAListThatCannotBeRightIsHeld(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		h.userIn(acme.ID, "boss@acme.test", "administrator")
		o := provisioning.ImportOptions{Tenant: acme.ID, Source: "hr"}
		o.Missing = true
		lines := guardFile(40)
		h.bring(o, lines...)
		before := h.guardPeople()
		swap := func(i, j int) []string {
			out := []string{lines[0]}
			for _, line := range lines[1:] {
				cells := strings.Split(line, ",")
				cells[i], cells[j] = cells[j], cells[i]
				out = append(out, strings.Join(cells, ","))
			}
			return out
		}
		t.Run("FSM-50 the empty file is held, and nothing changes before somebody approves it", func(t *testing.T) {
			h.wantHeld(t, h.plan(o, lines[0]), before, "no rows", "40 of 41 people would no longer be let in: Given00 Family00", "and 35 more")
		})
		t.Run("FSM-50 the half file is held", func(t *testing.T) {
			h.wantHeld(t, h.plan(o, lines[:21]...), before, "20 of 41 people", "It has 20 rows; the last whole list of hr", "had 40")
		})
		t.Run("FSM-50 the file whose columns were swapped is held, whichever they are", func(t *testing.T) {
			h.wantHeld(t, h.plan(o, swap(2, 3)...), before, "In 40 of 40 rows givenName and familyName have changed places.", "40 of 40 people would get other names")
			h.wantHeld(t, h.plan(o, swap(1, 2)...), before, "None of the 40 rows can be used")
			h.wantHeld(t, h.plan(o, swap(0, 3)...), before, "In 40 of 40 rows")
			partial := o
			partial.Missing = false
			h.wantHeld(t, h.plan(partial, swap(2, 3)...), before, "changed places")
			h.wantHeld(t, h.plan(partial, swap(1, 2)...), before, "None of the 40 rows")
		})
		t.Run("FSM-50 a list that gives many people another address is held, one that does so for some is not", func(t *testing.T) {
			renamed := []string{lines[0]}
			for _, line := range lines[1:11] {
				renamed = append(renamed, strings.Replace(line, "@acme.test", "@new.test", 1))
			}
			p := h.plan(o, append(renamed, lines[11:]...)...)
			h.wantHeld(t, p, before, "10 of 40 people would get another e-mail address or user name: Given00 Family00")
			if p := h.plan(o, append(renamed[:5:5], lines[5:]...)...); p.State != identity.PlanReady {
				t.Errorf("%+v", p.Summary)
			}
		})
		t.Run("a source may say other limits, or none", func(t *testing.T) {
			loose := o
			loose.Guards = identity.Guards{Most: -1, Percent: -1, Fewer: -1}
			if p := h.plan(loose, lines[:21]...); p.State != identity.PlanReady {
				t.Errorf("%+v", p.Summary)
			}
			tight := o
			tight.Guards = identity.Guards{Most: 1}
			h.wantHeld(t, h.plan(tight, lines[:39]...), before, "2 of 41 people")
			if p := h.plan(o, lines[:40]...); p.State != identity.PlanReady || p.Summary.Deactivate != 1 {
				t.Errorf("one leaver is held: %+v", p.Summary)
			}
		})
		t.Run("FSM-50 a list whose employee numbers are those of another column is held, also where nothing was known of that column", func(t *testing.T) {
			hr := provisioning.ImportOptions{Tenant: o.Tenant, Source: "numbers"}
			plain, moved := []string{"employeeNumber,email,costCenter"}, []string{"costCenter,email,employeeNumber"}
			for n := range 20 {
				row := fmt.Sprintf("%d,n%02d@acme.test,CC%d", 9000+n, n, n)
				plain, moved = append(plain, strings.TrimSuffix(row, fmt.Sprintf("CC%d", n))), append(moved, row)
			}
			h.bring(hr, plain...)
			p := h.plan(hr, moved...)
			if p.State != identity.PlanHeld || !strings.Contains(strings.Join(p.Summary.Holds, " "), "20 of 20 people would get another employee number: ") {
				t.Errorf("%s: %v", p.State, p.Summary.Holds)
			}
			if p := h.plan(hr, "email,employeeNumber", "n01@acme.test,8001", "n02@acme.test,8002"); p.State != identity.PlanReady {
				t.Errorf("two that were put right are held: %v", p.Summary.Holds)
			}
		})
	})
}

func TestAPlanThatLeavesAGroupOrARoleEmptyIsHeld(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		h.userIn(acme.ID, "boss@acme.test", "administrator")
		o := provisioning.ImportOptions{Tenant: acme.ID, Source: "hr"}
		lines := guardFile(40)
		h.bring(o, lines...)
		h.bring(o, "email,role", "p00@acme.test,editor", "p01@acme.test,editor")
		okta := h.directory("Okta", acme.ID, identity.DialectOkta)
		var members []identity.Member
		for _, name := range []string{"p02@acme.test", "p03@acme.test"} {
			members = append(members, identity.Member{ID: string(h.known(name).ID), Type: identity.MemberUser})
		}
		must[identity.Group](t)(h.CreateGroup(h.ctx, okta, identity.Group{DisplayName: "Night shift"}, members))
		before := h.guardPeople()
		t.Run("FSM-50 the last people with a role, by leaving or by another role", func(t *testing.T) {
			h.wantHeld(t, h.plan(o, "email,active", "p00@acme.test,no", "p01@acme.test,no"), before, "It would leave nobody with the roles Editor.")
			h.wantHeld(t, h.plan(o, "email,role", "p00@acme.test,viewer", "p01@acme.test,viewer"), before, "It would leave nobody with the roles Editor.")
			for _, rows := range [][]string{{"p00@acme.test,viewer"}, {"p00@acme.test,viewer", "p01@acme.test,viewer", "p09@acme.test,editor"}} {
				if p := h.plan(o, append([]string{"email,role"}, rows...)...); p.State != identity.PlanReady {
					t.Errorf("%+v", p.Summary)
				}
			}
		})
		t.Run("FSM-50 the last people of a group", func(t *testing.T) {
			h.wantHeld(t, h.plan(o, "email,active", "p02@acme.test,no", "p03@acme.test,no"), before, "It would leave nobody in the groups Night shift.")
			off := o
			off.Guards.NoGroups = true
			if p := h.plan(off, "email,active", "p02@acme.test,no", "p03@acme.test,no"); p.State != identity.PlanReady {
				t.Errorf("%+v", p.Summary)
			}
		})
	})
	eachOn(t, "fluentpro-backup", func(t *testing.T, h *house) {
		t.Run("FSM-50 the owner of a tenant", func(t *testing.T) { guardOwner(t, h) })
	})
}

func TestAdministratorsHearOfAHeldPlan(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.LeadTo("https://id.example")
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		h.admin("root@id.test")
		h.userIn(acme.ID, "boss@acme.test", "administrator")
		h.userIn(beta.ID, "boss@beta.test", "administrator")
		o := provisioning.ImportOptions{Tenant: acme.ID, Source: "hr"}
		lines := guardFile(12)
		h.bring(o, lines...)
		o.Missing = true
		h.post()
		t.Run("FSM-50 those who may decide get one mail with what it would do and a link, and nobody of another tenant does", func(t *testing.T) {
			p := h.plan(o, lines[0])
			told := map[string]string{}
			for _, m := range h.post() {
				told[m.To] += m.Text
			}
			if len(told) != 2 {
				t.Fatalf("%v", told)
			}
			for _, who := range []string{"root@id.test", "boss@acme.test"} {
				if !strings.Contains(told[who], "https://id.example/console/plans/"+string(p.ID)) || strings.Count(told[who], "waits until") != 1 || !strings.Contains(told[who], "12 of 13 people") {
					t.Errorf("%s: %s", who, told[who])
				}
			}
			h.plan(provisioning.ImportOptions{Tenant: acme.ID, Source: "hr"}, lines...)
			if n := len(h.post()); n != 0 {
				t.Errorf("%d mails about a plan that is not held", n)
			}
		})
		t.Run("sessions of those whom it would keep out end at once where the source wants that, and they stay enabled", func(t *testing.T) {
			leaver := h.known("p01@acme.test")
			h.session(leaver.ID)
			h.plan(o, lines[0])
			if h.sessions(leaver.ID) != 1 {
				t.Error("a session ended without being asked for")
			}
			o.Guards.EndSession = true
			h.plan(o, lines[0])
			if h.sessions(leaver.ID) != 0 || !h.known("p01@acme.test").Enabled {
				t.Errorf("%d sessions", h.sessions(leaver.ID))
			}
			h.wantEvent(leaver.ID, identity.SessionEnded)
		})
	})
}

// guardOwner shows that a file that would keep the owner of a tenant out is held, though the rule refuses that row anyway.
func guardOwner(t *testing.T, h *house) {
	acme := h.account()
	owner := h.hire("owner@acme.test", "admin")
	h.ok(h.db.Update(h.ctx, func(tx *store.Tx) error { return tx.SetOwner(h.ctx, acme.ID, owner.ID) }))
	o := provisioning.ImportOptions{Tenant: acme.ID}
	p := h.plan(o, "email,active", "owner@acme.test,no")
	h.wantSteps(t, p.ID, "2 error none owner@acme.test: : owner@acme.test owns the tenant")
	if p.State != identity.PlanHeld || !strings.Contains(p.Summary.Holds[0], "who must stay, owners or last administrators: owner@acme.test") {
		t.Errorf("%+v", p)
	}
}
