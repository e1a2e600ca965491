package api_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/drawbridge-id/drawbridge/api"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// field is the field-service model with a branch that has a team below it.
type field struct {
	*house
	root         string // the Super Admin's key
	branch, team identity.Unit
}

func buildField(t *testing.T, db *store.DB) *field {
	t.Helper()
	h := buildOn(t, db, storetest.Preset(t, db, "fentu-fsm"), api.Options{})
	f := &field{house: h}
	_, f.root = h.key(h.root)
	tree, err := h.prov.Units(t.Context(), identity.Operator(), f.acme.ID)
	must(t, err)
	f.branch, err = h.prov.CreateUnit(t.Context(), identity.Operator(), identity.Unit{TenantID: f.acme.ID, ParentID: tree[0].ID, Kind: identity.KindUnit, Name: "North"})
	must(t, err)
	f.team, err = h.prov.CreateUnit(t.Context(), identity.Operator(), identity.Unit{TenantID: f.acme.ID, ParentID: f.branch.ID, Kind: identity.KindTeam, Name: "Night"})
	must(t, err)
	return f
}

// worker makes a dispatcher of the branch who sees as far as the level.
func (f *field) worker(name, level string) identity.User {
	f.t.Helper()
	u := f.person(name+"@field.example", f.acme.ID, "dispatcher")
	_, err := f.prov.SetPosition(f.t.Context(), identity.Operator(), u.ID, func(p *identity.Position) error {
		p.UnitID, p.TeamID, p.DataLevel = f.branch.ID, f.team.ID, level
		return nil
	}, "test")
	must(f.t, err)
	return u
}

func TestAnApplicationAsksWhatSomebodyMayDoAndWithWhichRecords(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		f := buildField(t, db)
		for _, tt := range []struct{ name, level string }{
			{"FSM-30 global: everything of all branches", "global"},
			{"FSM-31 branch: the branch and nothing else", "branch"},
			{"FSM-32 team: the team and nothing else", "team"},
			{"FSM-33 personal: the own records alone", "personal"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				u := f.worker(tt.level, tt.level)
				r := f.asked(u, "work_orders", "view")
				scope, _ := r.body["scope"].(map[string]any)
				units, _ := scope["units"].([]any)
				want := map[string][]any{"branch": {string(f.branch.ID), string(f.team.ID)}, "team": {string(f.team.ID)}}[tt.level]
				slices.SortFunc(want, func(a, b any) int { return compare(a.(string), b.(string)) })
				if r.body["allowed"] != true || scope["level"] != tt.level || !slices.Equal(units, want) || scope["all"] != (tt.level == "global") {
					t.Errorf("answered %v, want the units %v", r.body, want)
				}
			})
		}
		t.Run("what a role does not grant is denied with the reason", func(t *testing.T) {
			r := f.asked(f.worker("nobody", "global"), "invoicing", "view")
			if r.body["allowed"] != false || r.text("reason") == "" || r.body["scope"] != nil {
				t.Errorf("answered %v", r.body)
			}
		})
		t.Run("all permissions of a person come at once", func(t *testing.T) {
			u := f.worker("all", "branch")
			r := f.do("GET", "/api/v1/users/"+string(u.ID)+"/permissions", f.root, nil)
			f.want(r, http.StatusOK, "")
			if list, _ := r.body["permissions"].([]any); len(list) != 24 {
				t.Errorf("%d permissions", len(list))
			}
		})
	})
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// asked signs the person in once, so that the account is in order, and asks.
func (f *field) asked(u identity.User, resource, action string) reply {
	f.t.Helper()
	must(f.t, f.db.Update(f.t.Context(), func(tx *store.Tx) error { return tx.SetLastLogin(f.t.Context(), u.ID, tx.Now()) }))
	r := f.do("POST", "/api/v1/check", f.root, map[string]any{"user": u.ID, "resource": resource, "action": action})
	f.want(r, http.StatusOK, "")
	return r
}

func TestAnApplicationTiesItsRecordsToPeople(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		f := buildField(t, db)
		u := f.person("tess@field.example", f.acme.ID, "technician")
		t.Run("FSM-24 a technician's record is tied to a user from the record's side", func(t *testing.T) {
			if r := f.asked(u, "mobile_app", "view"); r.body["allowed"] != false {
				t.Errorf("without a record: %v", r.body)
			}
			r := f.do("PUT", "/api/v1/records/technician/t-7", f.root, map[string]any{"display": "Tess", "tenantId": f.acme.ID, "user": u.ID})
			f.want(r, http.StatusOK, "")
			if r := f.asked(u, "mobile_app", "view"); r.body["allowed"] != true {
				t.Errorf("with a record: %v", r.body)
			}
			f.do("PUT", "/api/v1/records/technician/t-7", f.root, map[string]any{"tenantId": f.acme.ID, "user": ""})
			if r := f.asked(u, "mobile_app", "view"); r.body["allowed"] != false {
				t.Errorf("untied: %v", r.body)
			}
		})
	})
}

func TestAnApplicationHandsOverWhatALeaverOwns(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := build(t, db, api.Options{})
		_, key := h.key(h.person("ada@acme.example", h.acme.ID, "administrator"))
		leaver, heir := h.person("lea@acme.example", h.acme.ID, "editor"), h.person("hei@acme.example", h.acme.ID, "editor")
		at := "/api/v1/applications/flows/"
		h.want(h.do("PUT", at+"holdings/ownership/f-1", key, map[string]any{"user": leaver.ID, "display": "Nightly flow"}), http.StatusOK, "")
		_, err := h.prov.TransferHoldings(t.Context(), identity.Operator(), leaver.ID, heir.ID, nil, "leaves")
		must(t, err)
		t.Run("FC-64 a transfer is open until the application acknowledges it, and proves itself", func(t *testing.T) {
			open := h.do("GET", at+"transfers", key, nil)
			first := open.body["transfers"].([]any)[0].(map[string]any)
			if first["user"] != string(leaver.ID) || first["successor"] != string(heir.ID) {
				t.Fatalf("answered %v", open.body)
			}
			h.verify(first["notice"].(string))
			done := h.do("POST", at+"transfers/"+first["transfer"].(string), key, nil)
			if done.text("user") != string(heir.ID) {
				t.Errorf("answered %v", done.body)
			}
			if again := h.do("GET", at+"transfers", key, nil); len(again.body["transfers"].([]any)) != 0 {
				t.Errorf("still open: %v", again.body)
			}
		})
		t.Run("FC-63 what somebody owns is listed", func(t *testing.T) {
			page, err := h.prov.Holdings(t.Context(), identity.Operator(), provisioning.HoldingQuery{UserID: heir.ID, Limit: 10})
			must(t, err)
			if len(page.Items) != 1 || page.Items[0].Display != "Nightly flow" {
				t.Errorf("owns %+v", page.Items)
			}
		})
		h.want(h.do("DELETE", at+"holdings/ownership/f-1", key, nil), http.StatusNoContent, "")
	})
}
