package provisioning_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

func technician(id string) provisioning.RecordKey {
	return provisioning.RecordKey{Type: "technician", ForeignID: id}
}

// kinds returns the kinds of active records that somebody is tied to.
func (h *house) kinds(id identity.UserID) (out []string) {
	h.t.Helper()
	err := h.db.View(h.ctx, func(tx *store.Tx) (err error) {
		out, err = tx.RecordTypesOf(h.ctx, id)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

func TestUsersAndTechniciansAreTwoThings(t *testing.T) {
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		name := "Tom the technician"
		t.Run("FSM-03 a technician exists without a user, and a user without a technician", func(t *testing.T) {
			r := must[identity.Record](t)(h.PutRecord(h.ctx, h.op, technician("T-1"), provisioning.RecordChange{Display: &name}))
			u := h.clerk("tom", "technician", identity.Position{})
			if r.UserID != "" || !r.Active || r.Display != name || r.TenantID != h.home().ID || len(h.kinds(u.ID)) != 0 {
				t.Errorf("%+v, %v", r, h.kinds(u.ID))
			}
			_, err := h.PutRecord(h.ctx, h.op, provisioning.RecordKey{Type: "vehicle", ForeignID: "V-1"}, provisioning.RecordChange{})
			wantKind(t, err, identity.Invalid, "")
		})
		t.Run("FSM-24 first the user, then from the technician's side the link", func(t *testing.T) {
			u := h.clerk("mary", "technician", identity.Position{})
			free := must[identity.Page[identity.Record]](t)(h.Records(h.ctx, h.op, provisioning.RecordQuery{Type: "technician", Unlinked: true, Active: true, Search: "TOM", Limit: 9}))
			if len(free.Items) != 1 || free.Items[0].ForeignID != "T-1" {
				t.Errorf("the picker shows %+v", free.Items)
			}
			admin := h.actor(h.clerk("admin", "administrator", identity.Position{}).ID)
			r := must[identity.Record](t)(h.PutRecord(h.ctx, admin, technician("T-1"), provisioning.RecordChange{User: &u.ID, Reason: "phone"}))
			d := must[provisioning.UserDetail](t)(h.UserDetail(h.ctx, h.op, u.ID))
			if r.UserID != u.ID || r.Display != name || !slices.Equal(h.kinds(u.ID), []string{"technician"}) || len(d.Records) != 1 || d.Records[0].ForeignID != "T-1" {
				t.Errorf("%+v %v %+v", r, h.kinds(u.ID), d.Records)
			}
			e := h.lastAbout(u.ID)
			if e.Type != identity.RecordLinked || e.Changes[0].After != "mary" || e.Reason != "phone" || e.ActorID != admin.ID || e.ObjectLabel != name {
				t.Errorf("%+v", e)
			}
			if free = must[identity.Page[identity.Record]](t)(h.Records(h.ctx, h.op, provisioning.RecordQuery{Type: "technician", Unlinked: true, Limit: 9})); len(free.Items) != 0 {
				t.Errorf("still offered: %+v", free.Items)
			}
		})
	})
}

func TestATechnicianIsTiedToOneUserAndOpensTheMobileApp(t *testing.T) {
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		off := false
		t.Run("FSM-24 a technician has one user and a user one technician", func(t *testing.T) {
			u, v := h.clerk("one", "technician", identity.Position{}), h.clerk("two", "technician", identity.Position{})
			must[identity.Record](t)(h.PutRecord(h.ctx, h.op, technician("T-2"), provisioning.RecordChange{User: &u.ID}))
			_, err := h.LinkRecord(h.ctx, h.op, technician("T-2"), v.ID, "")
			wantKind(t, err, identity.Conflict, "record_linked")
			_, err = h.PutRecord(h.ctx, h.op, technician("T-3"), provisioning.RecordChange{User: &u.ID})
			wantKind(t, err, identity.Conflict, "record_linked")
			wantSaid(t, err, "one is tied to the Technician T-2 already")
			must[identity.Record](t)(h.UnlinkRecord(h.ctx, h.op, technician("T-2"), "left"))
			if e := h.lastAbout(u.ID); e.Type != identity.RecordUnlinked || e.Changes[0].Before != "one" {
				t.Errorf("%+v", e)
			}
			must[identity.Record](t)(h.LinkRecord(h.ctx, h.op, technician("T-2"), v.ID, ""))
			_, err = h.LinkRecord(h.ctx, h.op, technician("T-404"), v.ID, "")
			wantKind(t, err, identity.NotFound, "")
		})
		t.Run("FSM-04 the mobile app needs the role and an active technician", func(t *testing.T) {
			u := h.clerk("three", "technician", identity.Position{})
			h.came(u, "")
			mobile := func() provisioning.Answer {
				return must[provisioning.Answer](t)(h.Check(h.ctx, h.op, u.ID, "mobile_app", "view"))
			}
			if a := mobile(); a.Allowed || !strings.Contains(a.Reason, "needs an active Technician record that is linked") {
				t.Errorf("without a technician: %+v", a)
			}
			must[identity.Record](t)(h.PutRecord(h.ctx, h.op, technician("T-9"), provisioning.RecordChange{User: &u.ID}))
			if !slices.Equal(h.kinds(u.ID), []string{"technician"}) {
				t.Error("not tied")
			}
			if a := mobile(); !a.Allowed {
				t.Errorf("with a technician: %+v", a)
			}
			r := must[identity.Record](t)(h.PutRecord(h.ctx, h.op, technician("T-9"), provisioning.RecordChange{Active: &off}))
			if r.UserID != u.ID || r.Active || len(h.kinds(u.ID)) != 0 || mobile().Allowed {
				t.Errorf("%+v %v", r, h.kinds(u.ID))
			}
		})
	})
}

func TestOfTwoTechniciansForOneUserAtOnceOneIsTied(t *testing.T) {
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		u := h.clerk("ada", "technician", identity.Position{})
		for _, id := range []string{"T-1", "T-2"} {
			must[identity.Record](t)(h.PutRecord(h.ctx, h.op, technician(id), provisioning.RecordChange{}))
		}
		for range 6 {
			errs := make([]error, 2)
			var wg sync.WaitGroup
			for i, id := range []string{"T-1", "T-2"} {
				wg.Go(func() { _, errs[i] = h.LinkRecord(h.ctx, h.op, technician(id), u.ID, "") })
			}
			wg.Wait()
			if (errs[0] == nil) == (errs[1] == nil) {
				t.Fatalf("%v", errs)
			}
			for _, r := range must[provisioning.UserDetail](t)(h.UserDetail(h.ctx, h.op, u.ID)).Records {
				must[identity.Record](t)(h.UnlinkRecord(h.ctx, h.op, technician(r.ForeignID), ""))
			}
		}
	})
}

func TestRecordsBelongToOneTenant(t *testing.T) {
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		u := h.clerk("ada", "technician", identity.Position{})
		waiting := h.push(h.directory("Okta", "", "okta"), "new@example.com")
		must[identity.Record](t)(h.PutRecord(h.ctx, h.op, technician("T-1"), provisioning.RecordChange{User: &u.ID}))
		_, err := h.PutRecord(h.ctx, h.op, technician("T-2"), provisioning.RecordChange{User: &waiting.ID})
		wantKind(t, err, identity.NotFound, "")
		must[provisioning.PlacementPlan](t)(h.PlaceUsers(h.ctx, h.op, provisioning.Placement{Users: []provisioning.PlacedUser{{ID: u.ID}}, Tenant: h.landing().ID, Role: "read_only", Reason: "back"}))
		if len(h.kinds(u.ID)) != 0 || !slices.Contains(h.events(u.ID), identity.RecordUnlinked) {
			t.Errorf("%v %v", h.kinds(u.ID), h.events(u.ID))
		}
		viewer := h.actor(h.clerk("viewer", "read_only", identity.Position{}).ID)
		_, err = h.PutRecord(h.ctx, viewer, technician("T-1"), provisioning.RecordChange{User: &u.ID})
		wantKind(t, err, identity.Forbidden, "")
		_, err = h.Records(h.ctx, viewer, provisioning.RecordQuery{Limit: 1})
		wantKind(t, err, identity.Forbidden, "")
	})
}
