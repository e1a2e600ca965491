package provisioning_test

import (
	"slices"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

func TestAUserIsMadeReadChangedAndTakenAwayByWhoMayManageUsers(t *testing.T) {
	for _, row := range []struct{ id, preset string }{{"FC-01", "fentu-connect"}, {"FSM-05", "fentu-fsm"}, {"FOS-01", "fintechos"}, {"ETL-01", "etlworks"}} {
		t.Run(row.id+" users are managed with the right to, and every call asks for it", func(t *testing.T) {
			eachWith(t, row.preset, func(t *testing.T, h *house) {
				home := h.home()
				_, boss := h.staff(home.ID, "boss@acme.test", h.chiefRole())
				ada, plain := h.staff(home.ID, "plain@acme.test", h.plainRole())
				h.refusesAll(t, plain, home, ada)
				h.managesAll(t, boss, home)
			})
		})
	}
}

// refusesAll tries every call about others without the right.
func (h *house) refusesAll(t *testing.T, by identity.Actor, home identity.Tenant, self identity.User) {
	other, _ := h.staff(home.ID, "other@acme.test", h.plainRole())
	one := provisioning.PlacedUser{ID: other.ID}
	calls := map[string]error{}
	_, calls["create"] = h.CreateUser(h.ctx, by, provisioning.NewUser{User: withTenant(person("new@acme.test"), home.ID), Role: h.plainRole(), Reason: "x"})
	_, calls["read"] = h.User(h.ctx, by, other.ID)
	_, calls["list"] = h.Users(h.ctx, by, identity.Query{Limit: 5})
	_, calls["update"] = h.UpdateUser(h.ctx, by, other.ID, 0, func(u *identity.User) error { u.DisplayName = "x"; return nil })
	_, calls["deactivate"] = h.DeactivateUser(h.ctx, by, other.ID, "")
	_, calls["activate"] = h.ActivateUser(h.ctx, by, other.ID, "")
	calls["delete"], calls["erase"], calls["remove"] = h.DeleteUser(h.ctx, by, other.ID, 0), h.EraseUser(h.ctx, by, other.ID, 0, ""), h.RemoveUser(h.ctx, by, other.ID, 0, "")
	_, calls["restore"] = h.RestoreUser(h.ctx, by, other.ID)
	_, calls["delete plan"] = h.DeletePlan(h.ctx, by, other.ID)
	_, calls["merge"] = h.MergeUsers(h.ctx, by, provisioning.Merge{Keep: one, Drop: provisioning.PlacedUser{ID: h.push(h.directory("D", home.ID, "standard"), "d@acme.test").ID}})
	_, calls["duplicates"] = h.Duplicates(h.ctx, by, provisioning.DuplicateQuery{})
	_, calls["dormant"] = h.Dormant(h.ctx, by, provisioning.DormantQuery{})
	calls["deactivate many"], calls["rule"] = h.DeactivateUsers(h.ctx, by, []identity.UserID{other.ID}, "x", nil), h.SetDormantRule(h.ctx, by, home.ID, 90, "")
	_, calls["hand over"] = h.TransferHoldings(h.ctx, by, other.ID, self.ID, nil, "")
	_, calls["warnings"] = h.UserWarnings(h.ctx, by, other)
	_, calls["picture"] = h.SetAvatar(h.ctx, by, other.ID, nil)
	for name, err := range calls {
		if identity.KindOf(err) != identity.Forbidden {
			t.Errorf("%s without the right: %v", name, err)
		}
	}
	must[identity.User](t)(h.User(h.ctx, by, self.ID)) // what is kept about oneself
}

// managesAll goes through the life of a user with the right.
func (h *house) managesAll(t *testing.T, boss identity.Actor, home identity.Tenant) {
	u := must[identity.User](t)(h.CreateUser(h.ctx, boss, provisioning.NewUser{User: withTenant(person("life@acme.test"), home.ID), Role: h.plainRole(), Reason: "joined"}))
	must[identity.User](t)(h.UpdateUser(h.ctx, boss, u.ID, u.Version, func(u *identity.User) error { u.DisplayName = "A Life"; return nil }))
	if got := must[identity.User](t)(h.User(h.ctx, boss, u.ID)); got.DisplayName != "A Life" {
		t.Errorf("read %+v", got)
	}
	must[identity.User](t)(h.DeactivateUser(h.ctx, boss, u.ID, "on leave"))
	must[identity.User](t)(h.ActivateUser(h.ctx, boss, u.ID, "back"))
	want := []identity.EventType{identity.UserCreated, identity.UserUpdated, identity.UserDeactivated, identity.UserActivated}
	if got := h.events(u.ID); !slices.Equal(got, want) {
		t.Errorf("events %v", got)
	}
	err := h.DeleteUser(h.ctx, boss, u.ID, 0)
	if h.Model().DeleteMode() == "hidden" {
		wantKind(t, err, identity.Forbidden, "deactivate_instead")
		return
	}
	h.ok(err)
	_, err = h.User(h.ctx, boss, u.ID)
	wantKind(t, err, identity.NotFound, "")
}

func TestDeactivatingIsOfferedBesideDeletingAndCanBeUndone(t *testing.T) {
	for _, preset := range []string{"fentu-connect", "fentu-fsm"} {
		t.Run("FC-22 whoever comes back has the role, the place and the links as before on "+preset, func(t *testing.T) {
			eachWith(t, preset, func(t *testing.T, h *house) {
				home := h.home()
				_, boss := h.staff(home.ID, "boss@acme.test", "administrator")
				ada, _ := h.staff(home.ID, "ada@acme.test", h.plainRole())
				c := h.connection("Idp", func(c *identity.Connection) { c.TenantID, c.Domains = home.ID, []string{"acme.test"} })
				h.ok(h.LinkUser(h.ctx, h.op, ada.ID, identity.Link{ConnectionID: c.ID, Subject: "ada"}, ""))
				h.session(ada.ID)
				plan := must[provisioning.DeletePlan](t)(h.DeletePlan(h.ctx, boss, ada.ID))
				if plan.Refused != "" || !plan.Deactivate || plan.Sessions != 1 || len(plan.Links) != 1 {
					t.Errorf("the dialog: %+v", plan)
				}
				before := must[provisioning.UserDetail](t)(h.UserDetail(h.ctx, boss, ada.ID))
				stood := h.stands(ada.ID)
				must[identity.User](t)(h.DeactivateUser(h.ctx, boss, ada.ID, "leave"))
				must[identity.User](t)(h.ActivateUser(h.ctx, boss, ada.ID, "back"))
				after := must[provisioning.UserDetail](t)(h.UserDetail(h.ctx, boss, ada.ID))
				if !slices.Equal(after.Assignments, before.Assignments) || len(after.Links) != 1 || after.Links[0].Subject != "ada" || h.stands(ada.ID) != stood || after.User.DisplayName != ada.DisplayName {
					t.Errorf("came back as %+v", after)
				}
			})
		})
	}
}

// stands returns where somebody stands.
func (h *house) stands(id identity.UserID) identity.Position {
	h.t.Helper()
	var p identity.Position
	h.ok(h.db.View(h.ctx, func(tx *store.Tx) (err error) {
		p, err = tx.Position(h.ctx, id)
		return err
	}))
	return p
}

func TestALeaverIsOutAtOnce(t *testing.T) {
	eachWith(t, "fentu-connect", func(t *testing.T, h *house) {
		home := h.home()
		_, boss := h.staff(home.ID, "boss@acme.test", "administrator")
		leave := map[string]func(identity.UserID) error{
			"deactivated": func(id identity.UserID) error { _, err := h.DeactivateUser(h.ctx, boss, id, "left"); return err },
			"deleted":     func(id identity.UserID) error { return h.DeleteUser(h.ctx, boss, id, 0) },
		}
		for name, leaves := range leave {
			t.Run("FC-62 who is "+name+" has no session and no key any more, in the same moment", func(t *testing.T) {
				u, _ := h.staff(home.ID, name+"@acme.test", "viewer")
				h.session(u.ID)
				h.session(u.ID)
				h.password(u.ID)
				h.ok(h.db.Update(h.ctx, func(tx *store.Tx) error {
					return tx.InsertAPIKey(h.ctx, identity.APIKey{ID: identity.NewID[identity.APIKeyID](), Application: "default", UserID: u.ID, Name: "k", CreatedBy: "test", CreatedAt: tx.Now()}, "secret "+name)
				}))
				h.ok(leaves(u.ID))
				h.ok(h.db.View(h.ctx, func(tx *store.Tx) error {
					sessions, err := tx.SessionsOf(h.ctx, u.ID)
					if err != nil || len(sessions) != 0 {
						t.Errorf("%d sessions are left, %v", len(sessions), err)
					}
					k, err := tx.APIKeyByHash(h.ctx, identity.HashSecret("secret "+name))
					if identity.KindOf(err) == identity.NotFound {
						return nil // gone with the person
					}
					if now, err := tx.User(h.ctx, store.Everything(), k.UserID); err != nil || now.Enabled {
						t.Errorf("the key is still somebody's who may come in: %v", err)
					}
					return err
				}))
			})
		}
	})
}

func TestStatusFollowsFromWhatHappened(t *testing.T) {
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		t.Run("FSM-15 the status is active, inactive, locked or pending and never set by hand", func(t *testing.T) {
			home := h.home()
			_, boss := h.staff(home.ID, "boss@acme.test", "administrator")
			u, _ := h.staff(home.ID, "ada@acme.test", "technician")
			is := func(want identity.Status) {
				t.Helper()
				if got := must[identity.User](t)(h.User(h.ctx, boss, u.ID)); got.Status() != want {
					t.Errorf("is %s, not %s", got.Status(), want)
				}
				page := must[identity.Page[identity.User]](t)(h.Users(h.ctx, boss, identity.Query{Status: want, Search: "ada", Limit: 5}))
				if len(page.Items) != 1 {
					t.Errorf("the list of %s has %d", want, len(page.Items))
				}
			}
			is(identity.StatusPending)
			h.ok(h.db.Update(h.ctx, func(tx *store.Tx) error { return tx.SetLastLogin(h.ctx, u.ID, tx.Now()) }))
			is(identity.StatusActive)
			locked := func(at *time.Time) {
				h.ok(h.db.Update(h.ctx, func(tx *store.Tx) error {
					before, err := tx.UserForUpdate(h.ctx, store.Everything(), u.ID)
					after := before
					after.LockedAt = at
					if err == nil {
						err = tx.UpdateUser(h.ctx, before, after)
					}
					return err
				}))
			}
			now := time.Now().UTC()
			locked(&now)
			is(identity.StatusLocked)
			locked(nil)
			must[identity.User](t)(h.DeactivateUser(h.ctx, boss, u.ID, "left"))
			is(identity.StatusInactive)
		})
	})
}

func TestTheAuditLog(t *testing.T) {
	eachWith(t, "fentu-connect", func(t *testing.T, h *house) {
		home := h.home()
		_, boss := h.staff(home.ID, "boss@acme.test", "administrator")
		_, plain := h.staff(home.ID, "plain@acme.test", "viewer")
		began := time.Now()
		ada := must[identity.User](t)(h.CreateUser(h.ctx, boss, provisioning.NewUser{User: withTenant(person("ada@acme.test"), home.ID), Role: "viewer"}))
		boss.RequestID = identity.NewID[identity.RequestID]()
		must[identity.User](t)(h.UpdateUser(h.ctx, boss, ada.ID, 0, func(u *identity.User) error { u.DisplayName = "Ada"; return nil }))
		list := func(q provisioning.EventQuery) []identity.Event {
			t.Helper()
			q.Limit = 50
			return must[identity.Page[identity.Event]](t)(h.Events(h.ctx, h.op, q)).Items
		}
		t.Run("FC-70 an event says who did what, when, through which door and request, and what was before and after", func(t *testing.T) {
			e := list(provisioning.EventQuery{UserID: ada.ID, Type: identity.UserUpdated})[0]
			if e.ActorID != boss.ID || e.ActorLabel != boss.Label || e.Door != "console" || e.RequestID != boss.RequestID || e.At.Before(began.Add(-time.Second)) || e.ObjectID != string(ada.ID) ||
				!slices.Contains(e.Changes, identity.Change{Field: "displayName", Before: "ada@acme.test", After: "Ada"}) {
				t.Errorf("the event is %+v", e)
			}
		})
		t.Run("FC-70 it is filtered by person, actor, type, time and tenant", func(t *testing.T) {
			if n := len(list(provisioning.EventQuery{ActorID: boss.UserID()})); n != 2 {
				t.Errorf("boss did %d things", n)
			}
			if n := len(list(provisioning.EventQuery{UserID: ada.ID, Until: began})); n != 0 {
				t.Errorf("%d events before it began", n)
			}
			if n := len(list(provisioning.EventQuery{UserID: ada.ID, Since: began.Add(-time.Second), Until: time.Now().Add(time.Second)})); n != 2 {
				t.Errorf("%d events since", n)
			}
			if n := len(list(provisioning.EventQuery{Types: []identity.EventType{identity.UserUpdated}, TenantID: home.ID})); n != 1 {
				t.Errorf("%d changes", n)
			}
			if n := len(list(provisioning.EventQuery{ActorID: "nobody"})); n != 0 {
				t.Errorf("%d of nobody", n)
			}
		})
		t.Run("FC-70 who may not read it does not, and a person's own timeline needs the right to see people", func(t *testing.T) {
			_, err := h.Events(h.ctx, plain, provisioning.EventQuery{Limit: 5})
			wantKind(t, err, identity.Forbidden, "")
			_, err = h.Events(h.ctx, plain, provisioning.EventQuery{UserID: ada.ID, Limit: 5})
			wantKind(t, err, identity.Forbidden, "")
			if n := len(must[identity.Page[identity.Event]](t)(h.Events(h.ctx, boss, provisioning.EventQuery{UserID: ada.ID, Limit: 5})).Items); n != 2 {
				t.Errorf("the timeline has %d", n)
			}
		})
	})
}

func TestTheNumbersBehindTheStatisticsPage(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		t.Run("ETL-42 users by status, tenant and role, sign-ins and pushes by day, for those who may read the audit", func(t *testing.T) {
			acme, beta := h.tenant("Acme"), h.tenant("Beta")
			boss, plain := h.administrator("boss@acme.test", acme.ID, "administrator"), h.administrator("plain@acme.test", acme.ID, "editor")
			h.userIn(acme.ID, "gone@acme.test", "viewer")
			h.userIn(beta.ID, "eve@beta.test", "viewer")
			okta := h.directory("Okta", acme.ID, identity.DialectOkta)
			h.keep(0, identity.Request{DirectoryID: okta.DirectoryID(), TenantID: acme.ID, Path: "/scim/v2/Users", Status: 201})
			h.keep(0, identity.Request{DirectoryID: okta.DirectoryID(), TenantID: acme.ID, Path: "/scim/v2/Users", Status: 409, Detail: "taken"})
			h.keep(0, identity.Request{Path: "/scim/v2/Users", Status: 201})
			h.ok(h.db.Update(h.ctx, func(tx *store.Tx) error {
				return tx.InsertEvent(h.ctx, identity.Event{Type: identity.SessionStarted, ActorKind: identity.ActorUser, TenantID: acme.ID, ObjectKind: "session"})
			}))
			_, err := h.Statistics(h.ctx, plain, 30)
			wantKind(t, err, identity.Forbidden, "")
			st := must[provisioning.Statistics](t)(h.Statistics(h.ctx, boss, 30))
			today := st.Days[len(st.Days)-1]
			if st.Statuses[identity.StatusPending] != 3 || len(st.Tenants) != 1 || st.Tenants[0].Users != 3 || today.SignIns != 1 || today.Pushes != 2 || today.Failed != 1 || len(st.Days) != 30 {
				t.Errorf("of one tenant: %+v", st)
			}
			all := must[provisioning.Statistics](t)(h.Statistics(h.ctx, h.op, 7))
			if all.Statuses[identity.StatusPending] != 4 || len(all.Tenants) != 3 || all.Days[6].Pushes != 3 {
				t.Errorf("of all: %+v", all)
			}
			for _, r := range all.Roles {
				if r.Role.ID == "viewer" && r.Users != 2 {
					t.Errorf("%d viewers", r.Users)
				}
			}
		})
	})
}
