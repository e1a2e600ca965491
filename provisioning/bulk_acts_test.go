package provisioning_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// bulk computes a plan of a bulk act that must be possible.
func (h *house) bulk(by identity.Actor, act provisioning.BulkAct) identity.Plan {
	h.t.Helper()
	act.Reason = "yearly review"
	return must[identity.Plan](h.t)(h.PlanBulk(h.ctx, by, act))
}

func (h *house) applyAs(by identity.Actor, id identity.PlanID, why string) identity.Plan {
	h.t.Helper()
	return must[identity.Plan](h.t)(h.ApplyPlan(h.ctx, by, id, provisioning.ApplyOptions{Override: why}))
}

func TestManyPeopleAreDeactivatedByAPlan(t *testing.T) {
	eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
		home := h.account()
		boss := h.boss("boss@acme.test", "administrator")
		var ids []identity.UserID
		for i := range 12 {
			ids = append(ids, h.hire(fmt.Sprintf("old%02d@acme.test", i), "dispatcher").ID)
		}
		okta := h.directory("Okta", home.ID, identity.DialectOkta)
		out := h.push(okta, "out@acme.test")
		must[identity.User](t)(h.UpdateUser(h.ctx, okta, out.ID, 0, func(u *identity.User) error { u.Enabled = false; return nil }))
		h.session(ids[0])
		var p identity.Plan
		t.Run("FSM-58 a bulk act is a plan: it shows each person, and whoever a rule keeps, and changes nothing", func(t *testing.T) {
			p = h.bulk(boss, provisioning.BulkAct{Act: provisioning.BulkDeactivate, Users: append(ids, boss.UserID(), out.ID, identity.NewID[identity.UserID]())})
			if p.Kind != identity.PlanBulk || p.State != identity.PlanHeld || p.Summary.Deactivate != 12 || p.Summary.Errors != 2 {
				t.Fatalf("%+v\n%s", p, strings.Join(h.steps(p.ID), "\n"))
			}
			text := strings.Join(h.steps(p.ID), "\n")
			for _, want := range []string{"deactivate open old00@acme.test", "error none boss@acme.test: active: You cannot deactivate yourself", "deactivate open out@acme.test", "id: Nobody here has the id"} {
				if !strings.Contains(text, want) {
					t.Errorf("%q is missing in\n%s", want, text)
				}
			}
			if !h.known("old00@acme.test").Enabled || h.sessions(ids[0]) != 1 {
				t.Error("somebody was changed")
			}
		})
		t.Run("FSM-58 it is carried out as by hand: sessions end, and no directory lets them in again", func(t *testing.T) {
			_, err := h.ApplyPlan(h.ctx, boss, p.ID, provisioning.ApplyOptions{})
			wantKind(t, err, identity.Precondition, "plan_held")
			done := h.applyAs(boss, p.ID, "the branch was closed")
			if done.State != identity.PlanDone || done.Summary.Done != 13 || done.Summary.Failed != 0 {
				t.Fatalf("%+v", done)
			}
			gone := must[identity.User](t)(h.User(h.ctx, h.op, ids[0]))
			held := must[identity.User](t)(h.User(h.ctx, h.op, out.ID))
			if gone.Enabled || !gone.Held || !held.Held || h.sessions(ids[0]) != 0 || h.lastEvent(identity.UserDeactivated).Reason != "yearly review" {
				t.Errorf("%+v %+v", gone, held)
			}
		})
		t.Run("FC-55 the same again changes nothing, and the opposite brings them back", func(t *testing.T) {
			if again := h.bulk(boss, provisioning.BulkAct{Act: provisioning.BulkDeactivate, Users: ids}); again.Summary.Skip != 12 || again.Summary.Deactivate != 0 {
				t.Errorf("%+v", again.Summary)
			}
			back := h.applyAs(boss, h.bulk(boss, provisioning.BulkAct{Act: provisioning.BulkActivate, Filter: &identity.Query{Search: "old0"}}).ID, "meant so")
			if back.Summary.Restore != 10 || back.Summary.Done != 10 || !h.known("old00@acme.test").Enabled || h.known("old10@acme.test").Enabled {
				t.Errorf("%+v", back)
			}
		})
	})
}

func TestManyPeopleGetARoleAPlaceOrATenantByAPlan(t *testing.T) {
	eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
		home := h.account()
		boss := h.boss("boss@acme.test", "administrator")
		ada, bob := h.hire("ada@acme.test", "dispatcher"), h.hire("bob@acme.test", "dispatcher")
		must[identity.Unit](t)(h.CreateUnit(h.ctx, h.op, identity.Unit{TenantID: home.ID, Kind: identity.KindUnit, Name: "Depot"}))
		both := []identity.UserID{ada.ID, bob.ID}
		t.Run("ETL-40 a role that is given by hand belongs to no source, and whoever was changed meanwhile is left alone", func(t *testing.T) {
			p := h.bulk(boss, provisioning.BulkAct{Act: provisioning.BulkSetRole, Users: both, Role: "manager"})
			must[identity.User](t)(h.SetRoles(h.ctx, h.op, bob.ID, []identity.RoleID{"technician"}, "meanwhile"))
			done := h.applyAs(boss, p.ID, "meant so")
			if done.Summary.Done != 1 || done.Summary.Changed != 1 || h.roles(ada.ID) != "manager " || h.roles(bob.ID) != "technician " {
				t.Fatalf("%+v\n%s", done.Summary, strings.Join(h.steps(p.ID), "\n"))
			}
			d := must[provisioning.UserDetail](t)(h.UserDetail(h.ctx, h.op, ada.ID))
			if a := d.Assignments[0]; a.Source != identity.SourceManual || a.SourceID != "" || a.Reason != "yearly review" {
				t.Errorf("%+v", a)
			}
			p = h.bulk(boss, provisioning.BulkAct{Act: provisioning.BulkAssignRole, Users: both, Role: "manager"})
			h.wantSteps(t, p.ID, "2 error none bob@acme.test: role: bob@acme.test has Technician, and nobody has more than one role here")
		})
		t.Run("FSM-58 a bulk act is undone by a plan of its own", func(t *testing.T) {
			p := h.bulk(boss, provisioning.BulkAct{Act: provisioning.BulkDeactivate, Users: both})
			h.applyAs(boss, p.ID, "meant so")
			back := must[identity.Plan](t)(h.UndoPlan(h.ctx, boss, p.ID, provisioning.UndoOptions{}))
			done := h.applyAs(boss, back.ID, "meant so")
			if u := h.known("ada@acme.test"); done.Summary.Done != 2 || !u.Enabled || u.Held {
				t.Errorf("%+v %+v\n%s", done.Summary, u, strings.Join(h.steps(back.ID), "\n"))
			}
		})
		t.Run("ETL-40 a business unit is where they stand then", func(t *testing.T) {
			done := h.applyAs(boss, h.bulk(boss, provisioning.BulkAct{Act: provisioning.BulkSetUnit, Users: both, Unit: "depot"}).ID, "meant so")
			d := must[provisioning.UserDetail](t)(h.UserDetail(h.ctx, h.op, ada.ID))
			if done.Summary.Done != 2 || d.Standing.UnitName != "Depot" {
				t.Errorf("%+v %+v", done.Summary, d.Standing)
			}
		})
		t.Run("what cannot be is refused before there is a plan", func(t *testing.T) {
			for _, act := range []provisioning.BulkAct{
				{Act: "sing", Users: both}, {Act: provisioning.BulkDeactivate}, {Act: provisioning.BulkSetRole, Users: both, Role: "king"}, {Act: provisioning.BulkMove, Users: both, Role: "manager"},
			} {
				act.Reason = "x"
				_, err := h.PlanBulk(h.ctx, boss, act)
				wantKind(t, err, identity.Invalid, "")
			}
			_, err := h.PlanBulk(h.ctx, h.as(ada.ID), provisioning.BulkAct{Act: provisioning.BulkDeactivate, Users: both, Reason: "x"})
			wantKind(t, err, identity.Forbidden, "")
		})
	})
	each(t, func(t *testing.T, h *house) {
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		ada, namesake := h.userIn(acme.ID, "ada@acme.test", "viewer"), h.userIn(acme.ID, "bob@acme.test", "viewer")
		h.userIn(beta.ID, "bob@acme.test", "viewer")
		both := []identity.UserID{ada.ID, namesake.ID}
		t.Run("ETL-40 a bulk move keeps the rules of a placement, person by person", func(t *testing.T) {
			p := h.bulk(h.op, provisioning.BulkAct{Act: provisioning.BulkMove, Users: both, Tenant: beta.ID, Role: "editor"})
			h.wantSteps(t, p.ID, "1 move open ada@acme.test", "2 conflict none bob@acme.test: : bob@acme.test the user name bob@acme.test is taken")
			if done := h.applyAs(h.op, p.ID, "meant so"); done.Summary.Move != 1 || done.Summary.Done != 1 || h.roles(ada.ID) != "editor " || h.inTenant(beta.ID, "ada").ID != ada.ID {
				t.Errorf("%+v", done)
			}
		})
		t.Run("ETL-40 roles are added and taken away", func(t *testing.T) {
			h.applyAs(h.op, h.bulk(h.op, provisioning.BulkAct{Act: provisioning.BulkSetRole, Users: both, Role: "operator"}).ID, "meant so")
			p := h.bulk(h.op, provisioning.BulkAct{Act: provisioning.BulkRemoveRole, Users: both, Role: "editor"})
			if p.Summary.Skip != 2 || p.Summary.Update != 0 {
				t.Errorf("%+v", p.Summary)
			}
			boss := h.as(h.userIn(acme.ID, "boss@acme.test", "administrator").ID)
			p = h.bulk(boss, provisioning.BulkAct{Act: provisioning.BulkDeactivate, Users: both})
			h.wantSteps(t, p.ID, "1 error none", "2 deactivate open bob")
			_, err := h.PlanBulk(h.ctx, boss, provisioning.BulkAct{Act: provisioning.BulkMove, Users: both, Tenant: beta.ID, Role: "viewer"})
			wantKind(t, err, identity.Forbidden, "")
		})
	})
}

func TestAFilterOfABulkActFindsNoMoreThanItMay(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		for i := range 3 {
			h.userIn(acme.ID, fmt.Sprintf("p%d@acme.test", i), "viewer")
			h.userIn(beta.ID, fmt.Sprintf("p%d@beta.test", i), "viewer")
		}
		boss := h.as(h.userIn(acme.ID, "boss@acme.test", "administrator").ID)
		viewer := h.as(h.userIn(acme.ID, "viewer@acme.test", "viewer").ID)
		act := provisioning.BulkAct{Act: provisioning.BulkDeactivate, Filter: &identity.Query{Role: "viewer", Order: identity.OrderName, After: "x", Descending: true}, Reason: "x", Most: 4}
		found := must[identity.Page[identity.User]](t)(h.FoundPeople(h.ctx, boss, act, 2))
		if found.Total != 4 || len(found.Items) != 2 || found.Items[0].TenantID != acme.ID {
			t.Errorf("%d people are found, the first of them %+v", found.Total, found.Items)
		}
		for name, c := range map[string]struct {
			by   identity.Actor
			most int
			q    identity.Query
			kind identity.Kind
		}{
			"too many":            {boss, 1, identity.Query{Search: "acme"}, identity.TooLarge},
			"nobody":              {boss, 9, identity.Query{Search: "nobody"}, identity.Invalid},
			"another tenant":      {boss, 9, identity.Query{Tenant: beta.ID}, identity.Invalid},
			"who may not":         {viewer, 9, identity.Query{Search: "acme"}, identity.Forbidden},
			"a directory":         {h.directory("Okta", acme.ID, identity.DialectOkta), 9, identity.Query{Search: "acme"}, identity.Forbidden},
			"who was deleted":     {boss, 9, identity.Query{Deleted: true}, identity.Invalid},
			"deleted, any number": {boss, 0, identity.Query{Deleted: true}, identity.Invalid},
		} {
			t.Run(name, func(t *testing.T) {
				act.Filter, act.Most = &c.q, c.most
				_, err := h.PlanBulk(h.ctx, c.by, act)
				wantKind(t, err, c.kind, "")
				_, err = h.StartBulk(h.ctx, c.by, act, time.Minute)
				wantKind(t, err, c.kind, "")
			})
		}
		act.Filter, act.Most = &identity.Query{Search: "acme", Tenant: acme.ID, Order: identity.OrderName}, 9
		slow := must[identity.Plan](t)(h.StartBulk(h.ctx, boss, act, 0))
		for slow.State == identity.PlanComputing {
			slow = must[identity.Plan](t)(h.Plan(h.ctx, boss, slow.ID))
		}
		if slow.State != identity.PlanHeld && slow.State != identity.PlanReady || slow.TenantID != acme.ID || slow.Summary.Rows < 3 {
			t.Errorf("%+v", slow)
		}
	})
}
