package provisioning_test

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sheets"
	"github.com/drawbridge-id/drawbridge/store"
)

// table reads a CSV file into one map a row.
func table(t *testing.T, file []byte) []map[string]string {
	t.Helper()
	rows := must[[][]string](t)(csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file, []byte("\ufeff")))).ReadAll())
	var out []map[string]string
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, cell := range row {
			m[rows[0][i]] = cell
		}
		out = append(out, m)
	}
	return out
}

func TestWhoHoldsWhatAndByWhichPath(t *testing.T) {
	t.Run("FSM-09 the report has every person, permission, data level and path, and is written as CSV", func(t *testing.T) {
		eachOn(t, "fentu-fsm", func(t *testing.T, h *house) { reports(t, h) })
	})
	t.Run("FC-65 who holds what is sensitive", func(t *testing.T) {
		eachOn(t, "fentu-connect", func(t *testing.T, h *house) {
			boss := h.boss("boss@example.com", "administrator")
			h.hire("keeper@example.com", "integration_manager")
			h.hire("ada@example.com", "viewer")
			page := must[identity.Page[provisioning.AccessHolder]](t)(h.AccessReport(h.ctx, boss, provisioning.AccessQuery{Sensitive: true, Limit: 50, Total: true}))
			var got []string
			for _, p := range page.Items {
				for _, g := range p.Paths[0].Grants {
					got = append(got, p.User.UserName+": "+g.Resource.ID)
				}
			}
			want := []string{"boss@example.com: connection_config", "boss@example.com: users", "boss@example.com: profiles", "keeper@example.com: connection_config"}
			if page.Total != 2 || !slices.Equal(got, want) {
				t.Errorf("%d people: %q", page.Total, got)
			}
		})
	})
}

func reports(t *testing.T, h *house) {
	boss := h.boss("boss@example.com", "administrator")
	ada, tech := h.hire("=ada@example.com", "dispatcher"), h.hire("tech@example.com", "technician")
	okta := h.connection("Okta", nil)
	h.given(ada.ID, "accountant", okta)
	err := h.db.Update(h.ctx, func(tx *store.Tx) error {
		if err := tx.PutPosition(h.ctx, identity.Position{UserID: ada.ID, DataLevel: "branch"}); err != nil {
			return err
		}
		return tx.PutRecord(h.ctx, identity.Record{Application: identity.DefaultApplication, Type: "technician", ForeignID: "T-7", Active: true, TenantID: tech.TenantID, UserID: tech.ID})
	})
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	rows := must[int](t)(h.WriteAccessReport(h.ctx, boss, provisioning.AccessQuery{}, sheets.CSV, &file))
	all := table(t, file.Bytes())
	if len(all) != rows || rows == 0 {
		t.Fatalf("%d rows, said %d", len(all), rows)
	}
	find := func(person, resource string) map[string]string {
		for _, r := range all {
			if strings.HasSuffix(r["user name"], person+"@example.com") && r["resource"] == resource {
				return r
			}
		}
		return nil
	}
	want := map[string]string{"user name": "'=ada@example.com", "role": "Dispatcher", "source": "manual", "reason": "hired", "granted by": "operator", "actions": "view, edit", "data level": "branch", "sensitive": "no", "from": ""}
	for name, cell := range want {
		if got := find("ada", "Work orders")[name]; got != cell {
			t.Errorf("%s is %q, want %q", name, got, cell)
		}
	}
	if r := find("ada", "Invoicing"); r["source"] != "claim" || r["from"] != "the rules of the connection Okta" || r["role"] != "Accountant" {
		t.Errorf("%v", r)
	}
	if r := find("tech", "Mobile app"); r["links"] != "technician T-7" {
		t.Errorf("%v", r)
	}
	if r := find("boss", "Users"); r["sensitive"] != "yes" {
		t.Errorf("%v", r)
	}
	if e := h.lastEvent(identity.AccessReported); e.TenantID != boss.TenantID || change(e, "rows").After == nil {
		t.Errorf("%+v", e)
	}
	narrows(t, h, boss, ada)
}

func narrows(t *testing.T, h *house, boss identity.Actor, ada identity.User) {
	for _, c := range []struct {
		q    provisioning.AccessQuery
		want int
	}{{provisioning.AccessQuery{Role: "technician"}, 1}, {provisioning.AccessQuery{Resource: "users"}, 1}, {provisioning.AccessQuery{Resource: "invoicing"}, 2}, {provisioning.AccessQuery{Tenant: ada.TenantID}, 3}} {
		c.q.Limit = 50
		if page := must[identity.Page[provisioning.AccessHolder]](t)(h.AccessReport(h.ctx, boss, c.q)); len(page.Items) != c.want {
			t.Errorf("%+v has %d people, want %d", c.q, len(page.Items), c.want)
		}
	}
	var file bytes.Buffer
	for _, wrong := range []provisioning.AccessQuery{{Role: "lost"}, {Resource: "lost"}} {
		_, err := h.WriteAccessReport(h.ctx, boss, wrong, sheets.CSV, &file)
		wantKind(t, err, identity.Invalid, "")
	}
	_, err := h.WriteAccessReport(h.ctx, h.as(ada.ID), provisioning.AccessQuery{}, sheets.CSV, &file)
	wantKind(t, err, identity.Forbidden, "")
	if file.Len() > 0 {
		t.Error("something was written to whoever may not see it")
	}
}

func TestTheFlagOfAdministratorsIsAPathToo(t *testing.T) {
	eachOn(t, "fintechos", func(t *testing.T, h *house) {
		chief := h.hire("chief@example.com", "portal_viewer")
		if err := h.db.Update(h.ctx, func(tx *store.Tx) error {
			return tx.PutPosition(h.ctx, identity.Position{UserID: chief.ID, Admin: true})
		}); err != nil {
			t.Fatal(err)
		}
		a := must[provisioning.AccessHolder](t)(h.UserAccess(h.ctx, h.op, chief.ID))
		if !a.Admin || len(a.Paths) != 2 || a.Paths[1].Role.ID != "" || len(a.Paths[1].Grants) != 4 {
			t.Errorf("%+v", a)
		}
		if page := must[identity.Page[provisioning.AccessHolder]](t)(h.AccessReport(h.ctx, h.op, provisioning.AccessQuery{Resource: "users", Limit: 9})); len(page.Items) != 1 {
			t.Errorf("%+v", page.Items)
		}
		r, items := h.review(h.op, "administrators")
		if len(items) != 1 || items["chief@example.com"].RoleID != "" || !items["chief@example.com"].Held {
			t.Errorf("%+v", items)
		}
		revoke := provisioning.AccessVerdict{Item: items["chief@example.com"].ID, Decision: identity.AccessRevoke, Reason: "retired"}
		wantKind(t, h.decide(h.op, r, revoke), identity.Forbidden, "last_administrator")
		second := h.hire("second@example.com", "portal_viewer")
		if err := h.db.Update(h.ctx, func(tx *store.Tx) error {
			return tx.PutPosition(h.ctx, identity.Position{UserID: second.ID, Admin: true})
		}); err != nil {
			t.Fatal(err)
		}
		if err := h.decide(h.op, r, revoke); err != nil {
			t.Errorf("%v", err)
		}
		if a := must[provisioning.AccessHolder](t)(h.UserAccess(h.ctx, h.op, chief.ID)); a.Admin || len(a.Paths) != 1 {
			t.Errorf("%+v", a)
		}
	})
}

func TestThePageOfAPersonShowsWhatTheyMayDo(t *testing.T) {
	t.Run("FC-61 the present profile, what it allows, and another one by choice or by copy", func(t *testing.T) {
		eachOn(t, "fentu-connect", func(t *testing.T, h *house) {
			boss, ada := h.boss("boss@example.com", "administrator"), h.hire("ada@example.com", "viewer")
			a := must[provisioning.AccessHolder](t)(h.UserAccess(h.ctx, boss, ada.ID))
			if len(a.Paths) != 1 || a.Paths[0].Role.ID != "viewer" || len(a.Paths[0].Grants) != 8 || !slices.Equal(a.Paths[0].Grants[1].Actions, []string{"view"}) {
				t.Errorf("%+v", a.Paths)
			}
			made := must[identity.RoleDefinition](t)(h.CloneRole(h.ctx, boss, "viewer", provisioning.RoleCopy{Title: "Viewer at night"}))
			must[identity.User](t)(h.SetRoles(h.ctx, boss, ada.ID, []identity.RoleID{made.ID}, "night shift"))
			if own := must[provisioning.AccessHolder](t)(h.UserAccess(h.ctx, h.as(ada.ID), ada.ID)); own.Paths[0].Role.ID != made.ID || own.Paths[0].Reason != "night shift" {
				t.Errorf("%+v", own)
			}
			_, err := h.UserAccess(h.ctx, h.as(ada.ID), boss.UserID())
			wantKind(t, err, identity.Forbidden, "")
		})
	})
	t.Run("FSM-13 a person has the assigned profile", func(t *testing.T) {
		eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
			ada := h.hire("ada@example.com", "dispatcher")
			if u := must[identity.User](t)(h.User(h.ctx, h.op, ada.ID)); len(u.Roles) != 1 || u.Roles[0].Title != "Dispatcher" {
				t.Errorf("%+v", u.Roles)
			}
		})
	})
	t.Run("FSM-06 what somebody may do comes from the profile and from nothing else", func(t *testing.T) {
		eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
			ada := h.hire("ada@example.com", "dispatcher")
			var got []string
			for _, g := range must[provisioning.AccessHolder](t)(h.UserAccess(h.ctx, h.op, ada.ID)).Paths[0].Grants {
				got = append(got, g.Resource.ID)
			}
			if !slices.Equal(got, []string{"work_orders", "scheduling", "customers"}) {
				t.Errorf("she may use %v", got)
			}
			must[identity.User](t)(h.SetRoles(h.ctx, h.op, ada.ID, []identity.RoleID{"accountant"}, "changed"))
			if h.may(ada.ID, "work_orders", "view") || !h.may(ada.ID, "invoicing", "edit") {
				t.Error("the old profile still counts")
			}
		})
	})
}
