package provisioning_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

// drifted lists what a report says, as "who field: said -> now by somebody".
func drifted(report provisioning.DriftReport) []string {
	var out []string
	for _, i := range report.Items {
		out = append(out, fmt.Sprintf("%s %s: %s -> %s by %s", i.Who, i.Field, i.Said, i.Now, i.ChangedBy))
	}
	slices.Sort(out)
	return out
}

func TestDriftSaysWhatIsNotAsADirectoryPushedIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		boss := h.administrator("boss@acme.test", acme.ID, "administrator")
		okta, hr := h.directory("Okta", acme.ID, identity.DialectOkta), h.directory("HR", acme.ID, identity.DialectStandard)
		people := map[string]identity.User{}
		var all []identity.UserID
		for _, name := range []string{"ada", "bob", "carol", "dora", "eve"} {
			people[name] = h.push(okta, name+"@acme.test")
			all = append(all, people[name].ID)
		}
		must[identity.Group](t)(h.CreateGroup(h.ctx, okta, identity.Group{DisplayName: "Readers"}, members(all...)))
		drift := func() provisioning.DriftReport {
			return must[provisioning.DriftReport](t)(h.DirectoryDrift(h.ctx, h.op, okta.DirectoryID()))
		}
		if r := drift(); len(r.Items) > 0 || r.Checked != 6 || r.Source != "Okta" {
			t.Fatalf("where nobody did anything it says %+v", r)
		}
		change := func(by identity.Actor, who string, fn func(*identity.User)) {
			must[identity.User](t)(h.UpdateUser(h.ctx, by, people[who].ID, 0, func(u *identity.User) error { fn(u); return nil }))
		}
		change(boss, "ada", func(u *identity.User) { u.Enabled = false })
		change(hr, "bob", func(u *identity.User) { u.DisplayName = "Robert" })
		change(okta, "carol", func(u *identity.User) { u.DisplayName, u.Attributes = "Carol", []byte(`{"title":"Analyst"}`) })
		for who, by := range map[string]identity.Actor{"dora": h.op, "eve": okta} {
			if err := h.DeleteUser(h.ctx, by, people[who].ID, 0); err != nil {
				t.Fatal(err)
			}
		}
		h.behindItsBack(people["carol"].ID, `{"title":"Queen"}`)
		want := []string{
			"Readers members: dora@acme.test ->  by operator",
			"ada@acme.test active: yes -> no by boss@acme.test",
			"bob@acme.test displayName: bob@acme.test -> Robert by HR",
			"carol@acme.test title: Analyst -> Queen by ",
			"dora@acme.test active: yes -> deleted by operator",
		}
		if got := drifted(drift()); !slices.Equal(got, want) {
			t.Errorf("it says\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		change(okta, "bob", func(u *identity.User) { u.DisplayName = "Bobby" })
		if got := strings.Join(drifted(drift()), "\n"); strings.Contains(got, "bob@") {
			t.Errorf("after the directory spoke again it says\n%s", got)
		}
		_, err := h.DirectoryDrift(h.ctx, boss, okta.DirectoryID())
		wantKind(t, err, identity.Forbidden, "")
	})
}

func TestTheNameOfAManagerIsNoDrift(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		okta := h.directory("Okta", h.tenant("Acme").ID, identity.DialectOkta)
		lead := h.push(okta, "lead@acme.test")
		u := person("ada@acme.test")
		u.Attributes = []byte(`{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"R","manager":{"value":"` + string(lead.ID) + `","displayName":"Lead"}}}`)
		must[identity.User](t)(h.CreateUser(h.ctx, okta, provisioning.NewUser{User: u}))
		if got := drifted(must[provisioning.DriftReport](t)(h.DirectoryDrift(h.ctx, h.op, okta.DirectoryID()))); len(got) > 0 {
			t.Errorf("it says %v", got)
		}
	})
}

// behindItsBack gives a person other attributes without an event.
func (h *house) behindItsBack(id identity.UserID, attributes string) {
	h.t.Helper()
	err := h.db.Update(h.ctx, func(tx *store.Tx) error {
		u, err := tx.UserForUpdate(h.ctx, store.Everything(), id)
		if err != nil {
			return err
		}
		after := u
		after.Attributes = []byte(attributes)
		return tx.UpdateUser(h.ctx, u, after)
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func TestDriftOfASourceIsThePlanThatItWouldMakeAgain(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		boss := h.administrator("boss@acme.test", acme.ID, "administrator")
		o := provisioning.ImportOptions{Tenant: acme.ID, Source: "hr"}
		o.Role = "viewer"
		h.bring(o, "email,displayName,title", "ada@acme.test,Ada,Analyst", "bob@acme.test,Bob,Clerk", "carol@acme.test,Carol,Smith")
		q := provisioning.DriftQuery{Tenant: acme.ID, Source: "hr"}
		drift := func() provisioning.DriftReport {
			return must[provisioning.DriftReport](t)(h.SourceDrift(h.ctx, boss, q))
		}
		if r := drift(); len(r.Items) > 0 || r.Checked != 3 {
			t.Fatalf("where nobody did anything it says %+v", r)
		}
		must[identity.User](t)(h.UpdateUser(h.ctx, h.op, h.known("ada@acme.test").ID, 0, func(u *identity.User) error { u.DisplayName = "Countess"; return nil }))
		must[identity.User](t)(h.UpdateUser(h.ctx, boss, h.known("bob@acme.test").ID, 0, func(u *identity.User) error { u.Attributes = []byte(`{"title":"Chief"}`); return nil }))
		want := []string{"Ada displayName: Ada -> Countess by operator", "Bob title: Clerk -> Chief by boss@acme.test"}
		got := drifted(drift())
		for i := range got {
			got[i] = strings.Replace(got[i], "Countess displayName", "Ada displayName", 1)
		}
		if !slices.Equal(got, want) {
			t.Errorf("it says\n%s", strings.Join(got, "\n"))
		}
		if plans := must[identity.Page[identity.Plan]](t)(h.Plans(h.ctx, boss, identity.Query{Limit: 10})); len(plans.Items) != 1 {
			t.Errorf("a report left %d plans behind", len(plans.Items)-1)
		}
		q.Keep = true
		kept := drift().Plan
		_, err := h.ApplyPlan(h.ctx, boss, kept.ID, provisioning.ApplyOptions{})
		wantKind(t, err, identity.Precondition, "plan_held")
		must[identity.Plan](t)(h.ApplyPlan(h.ctx, boss, kept.ID, provisioning.ApplyOptions{Override: "the source is right"}))
		if got := drifted(drift()); len(got) > 0 {
			t.Errorf("after the plan was applied it says %v", got)
		}
		q.Source = "payroll"
		_, err = h.SourceDrift(h.ctx, boss, q)
		wantKind(t, err, identity.NotFound, "")
		_, err = h.SourceDrift(h.ctx, h.administrator("plain@acme.test", acme.ID, "viewer"), q)
		wantKind(t, err, identity.Forbidden, "")
	})
}
