package provisioning_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

// standing returns where somebody stands, as the user's page shows it.
func (h *house) standing(id identity.UserID) provisioning.Standing {
	h.t.Helper()
	return must[provisioning.UserDetail](h.t)(h.UserDetail(h.ctx, h.op, id)).Standing
}

// actor is as, with the admin flag.
func (h *house) actor(id identity.UserID) identity.Actor {
	h.t.Helper()
	a := h.as(id)
	a.Admin = h.standing(id).Admin
	return a
}

// named is a person with a user name and nothing else.
func named(name string) identity.User { return identity.User{UserName: name, DisplayName: name} }

// clerk creates somebody of the one tenant.
func (h *house) clerk(name string, role identity.RoleID, p identity.Position) identity.User {
	h.t.Helper()
	return must[identity.User](h.t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: named(name), Role: role, Reason: "joined", Position: p}))
}

// unit creates a unit or team of the one tenant.
func (h *house) unit(name string, kind identity.UnitKind, parent identity.UnitID) identity.Unit {
	h.t.Helper()
	return must[identity.Unit](h.t)(h.CreateUnit(h.ctx, h.op, identity.Unit{Name: name, Kind: kind, ParentID: parent}))
}

func (h *house) root() identity.Unit {
	h.t.Helper()
	return must[[]provisioning.UnitNode](h.t)(h.Units(h.ctx, h.op, ""))[0].Unit
}

// lastAbout returns the newest event about a user.
func (h *house) lastAbout(id identity.UserID) identity.Event {
	h.t.Helper()
	return must[identity.Page[identity.Event]](h.t)(h.Events(h.ctx, h.op, provisioning.EventQuery{UserID: id, Limit: 1})).Items[0]
}

// set changes where somebody stands.
func (h *house) set(by identity.Actor, id identity.UserID, change func(*identity.Position)) error {
	_, err := h.SetPosition(h.ctx, by, id, func(p *identity.Position) error { change(p); return nil }, "")
	return err
}

// wantSaid fails the test unless the error says this.
func wantSaid(t *testing.T, err error, part string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), part) {
		t.Errorf("%v does not say %q", err, part)
	}
}

func TestUserTypesAreWordsForPeople(t *testing.T) {
	eachWith(t, "fintechos", func(t *testing.T, h *house) {
		t.Run("FOS-09 everybody is Back Office when created, with no special access", func(t *testing.T) {
			u := h.clerk("ada", "portal_viewer", identity.Position{})
			if s := h.standing(u.ID); s.Type != "back_office" || s.TypeTitle != "Back Office" {
				t.Errorf("%+v", s)
			}
			pushed := h.push(h.directory("Okta", "", "okta"), "pushed@example.com")
			if s := h.standing(pushed.ID); s.Type != "back_office" {
				t.Errorf("pushed: %+v", s)
			}
		})
		t.Run("FOS-10 Guest is a category without a meaning for access", func(t *testing.T) {
			p := must[identity.RoleID](t)(h.ProposedRole(h.ctx, h.op, "guest"))
			if p != "portal_viewer" {
				t.Errorf("a guest is proposed %q", p)
			}
		})
		t.Run("FOS-12 the type DNN Portal is shipped", func(t *testing.T) {
			types := must[[]identity.UserType](t)(h.UserTypes(h.ctx, h.op))
			if len(types) != 3 || types[2].ID != "dnn_portal" || types[2].Title != "DNN Portal" || !types[2].Shipped || types[0].Users != 2 {
				t.Errorf("%+v", types)
			}
		})
		t.Run("FOS-08 changing the type changes no permission", func(t *testing.T) {
			u := h.clerk("typed", "user_management", identity.Position{})
			before := h.permissions(u.ID)
			for _, kind := range []identity.UserTypeID{"dnn_portal", "guest", "back_office"} {
				if err := h.set(h.op, u.ID, func(p *identity.Position) { p.Type = kind }); err != nil {
					t.Fatal(err)
				}
				if after := h.permissions(u.ID); after != before || !strings.Contains(before, "users:edit true") {
					t.Errorf("as %s:\n%s\nbefore:\n%s", kind, after, before)
				}
			}
			e := h.lastAbout(u.ID)
			if e.Type != identity.UserPositioned || len(e.Changes) != 1 || e.Changes[0].Field != "user type" || e.Changes[0].Before != "Guest" || e.Changes[0].After != "Back Office" {
				t.Errorf("%+v", e)
			}
		})
	})
}

// permissions writes down everything that somebody may do.
func (h *house) permissions(id identity.UserID) string {
	h.t.Helper()
	who := access.Who(h.actor(id))
	var b strings.Builder
	for _, r := range h.Model().Catalogue() {
		for _, a := range r.Actions {
			fmt.Fprintf(&b, "%s:%s %v\n", r.ID, a, h.Model().Decide(who, r.ID, a).Allowed)
		}
	}
	return b.String()
}

func TestThereIsOneGuest(t *testing.T) {
	eachWith(t, "fintechos", func(t *testing.T, h *house) {
		guest := identity.Position{Type: "guest"}
		t.Run("FOS-11 of many guests who come at once one is let in", func(t *testing.T) {
			people := make([]identity.User, 6)
			for i := range people {
				people[i] = h.clerk(fmt.Sprintf("p%d", i), "portal_viewer", identity.Position{})
			}
			errs := make([]error, 2*len(people))
			var wg sync.WaitGroup
			for i, u := range people {
				wg.Go(func() { errs[2*i] = h.set(h.op, u.ID, func(p *identity.Position) { p.Type = "guest" }) })
				wg.Go(func() {
					_, errs[2*i+1] = h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: named(fmt.Sprintf("new%d", i)), Role: "portal_viewer", Position: guest})
				})
			}
			wg.Wait()
			let := 0
			for _, err := range errs {
				if err == nil {
					let++
					continue
				}
				wantKind(t, err, identity.Conflict, "uniqueness")
			}
			if n := h.guests(); let != 1 || n != 1 {
				t.Errorf("%d were let in, %d guests are there", let, n)
			}
		})
		t.Run("FOS-11 a directory makes no second one either", func(t *testing.T) {
			okta, u := h.directory("Okta", "", "okta"), person("b2b@example.com")
			made := must[identity.User](t)(h.CreateUser(h.ctx, okta, provisioning.NewUser{User: u, Position: guest})) // a directory says nothing there
			if s := h.standing(made.ID); s.Type != "back_office" || h.guests() != 1 {
				t.Errorf("%+v, %d guests", s, h.guests())
			}
			u = person("b2c@example.com")
			u.Attributes = []byte(`{"userType":"Guest"}`)
			_, err := h.CreateUser(h.ctx, okta, provisioning.NewUser{User: u})
			wantKind(t, err, identity.Conflict, "uniqueness")
		})
		t.Run("FOS-11 the second is told why", func(t *testing.T) {
			_, err := h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: named("second"), Role: "portal_viewer", Position: guest})
			wantKind(t, err, identity.Conflict, "uniqueness")
			wantSaid(t, err, "There can be one user of the type Guest, and there is one already")
		})
	})
}

func (h *house) guests() int {
	h.t.Helper()
	return int(must[identity.Page[identity.User]](h.t)(h.Users(h.ctx, h.op, identity.Query{Type: "guest", Total: true})).Total)
}

func TestWhoeverWantsTheSeatWaitsForWhoeverIsSittingDown(t *testing.T) {
	eachWith(t, "fintechos", func(t *testing.T, h *house) {
		first, second := h.clerk("first", "portal_viewer", identity.Position{}), h.clerk("second", "portal_viewer", identity.Position{})
		done, start := make(chan error, 1), sync.Once{}
		err := h.db.Update(h.ctx, func(tx *store.Tx) error {
			if err := tx.Lock(h.ctx, "user type guest"); err != nil {
				return err
			}
			if err := tx.PutPosition(h.ctx, identity.Position{UserID: first.ID, Type: "guest"}); err != nil {
				return err
			}
			start.Do(func() {
				go func() { done <- h.set(h.op, second.ID, func(p *identity.Position) { p.Type = "guest" }) }()
			})
			select {
			case err := <-done:
				t.Errorf("the second did not wait: %v", err)
				done <- err
			case <-time.After(200 * time.Millisecond):
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Run("FOS-11 the second sees the first", func(t *testing.T) { wantKind(t, <-done, identity.Conflict, "uniqueness") })
	})
}

func TestAGuestWhoComesBackFindsTheSeatTaken(t *testing.T) {
	eachWith(t, "fintechos", func(t *testing.T, h *house) {
		okta := h.directory("Okta", h.home().ID, "okta")
		u := h.push(okta, "guest@example.com")
		seat := func(p *identity.Position) { p.Type = "guest" }
		if err := h.set(h.op, u.ID, seat); err != nil {
			t.Fatal(err)
		}
		if err := h.DeleteUser(h.ctx, okta, u.ID, 0); err != nil {
			t.Fatal(err)
		}
		next := h.clerk("next", "portal_viewer", identity.Position{Type: "guest"})
		_, err := h.RestoreUser(h.ctx, h.op, u.ID)
		wantKind(t, err, identity.Conflict, "uniqueness")
		t.Run("FOS-11 by a directory the person comes back with the default type", func(t *testing.T) {
			if back := h.push(okta, "guest@example.com"); back.ID != u.ID || h.standing(u.ID).Type != "back_office" || h.guests() != 1 {
				t.Errorf("%+v, %d guests", h.standing(u.ID), h.guests())
			}
			if e := h.lastAbout(u.ID); e.Type != identity.UserRestored || !slices.ContainsFunc(e.Changes, func(c identity.Change) bool { return c.Field == "user type" && c.Before == "Guest" }) {
				t.Errorf("%+v", e)
			}
		})
		if err := h.set(h.op, next.ID, func(p *identity.Position) { p.Type = "" }); err != nil {
			t.Fatal(err)
		}
		if err := h.set(h.op, u.ID, seat); err != nil {
			t.Errorf("the seat is free: %v", err)
		}
	})
}

func TestTypesAreAddedWhereTheModelLetsThemBe(t *testing.T) {
	eachWith(t, "fintechos", func(t *testing.T, h *house) {
		admin := h.actor(h.clerk("boss", "user_management", identity.Position{}).ID)
		t.Run("FOS-19 a new type can be inserted and chosen at once", func(t *testing.T) {
			made := must[identity.UserType](t)(h.CreateUserType(h.ctx, admin, identity.UserType{Title: "Branch Partner"}))
			u := h.clerk("partner", "portal_viewer", identity.Position{Type: made.ID})
			if s := h.standing(u.ID); made.ID != "branch_partner" || s.TypeTitle != "Branch Partner" {
				t.Errorf("%+v %+v", made, s)
			}
			_, err := h.CreateUserType(h.ctx, admin, identity.UserType{Title: "BRANCH partner"})
			wantKind(t, err, identity.Conflict, "")
			wantSaid(t, err, `There is already a user type named "BRANCH partner"`)
			wantKind(t, h.DeleteUserType(h.ctx, admin, made.ID), identity.Conflict, "type_in_use")
			if err := h.set(h.op, u.ID, func(p *identity.Position) { p.Type = "" }); err != nil {
				t.Fatal(err)
			}
			if err := h.DeleteUserType(h.ctx, admin, made.ID); err != nil {
				t.Error(err)
			}
		})
		t.Run("FOS-19 a type is renamed, and the default stays", func(t *testing.T) {
			must[identity.UserType](t)(h.UpdateUserType(h.ctx, admin, "dnn_portal", func(u *identity.UserType) error { u.Title, u.DefaultRole = "Portal", "officer"; return nil }))
			if got := must[identity.RoleID](t)(h.ProposedRole(h.ctx, h.op, "dnn_portal")); got != "officer" {
				t.Error(got)
			}
			_, err := h.UpdateUserType(h.ctx, admin, "dnn_portal", func(u *identity.UserType) error { u.Title = "guest"; return nil })
			wantKind(t, err, identity.Conflict, "")
			wantKind(t, h.DeleteUserType(h.ctx, admin, "back_office"), identity.Forbidden, "")
			_, err = h.UpdateUserType(h.ctx, h.actor(h.clerk("viewer", "portal_viewer", identity.Position{}).ID), "guest", func(*identity.UserType) error { return nil })
			wantKind(t, err, identity.Forbidden, "")
		})
	})
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		_, err := h.CreateUserType(h.ctx, h.op, identity.UserType{Title: "Another"})
		wantKind(t, err, identity.Forbidden, "")
	})
}

func TestTheAdminFlagIsForThoseWhoMayDoEverything(t *testing.T) {
	eachWith(t, "fintechos", func(t *testing.T, h *house) {
		boss := h.clerk("boss", "portal_viewer", identity.Position{Admin: true})
		t.Run("FOS-20 the flag gives full access whatever the roles say", func(t *testing.T) {
			for _, r := range h.Model().Catalogue() {
				for _, action := range r.Actions {
					if d := h.Model().Decide(access.Who(h.actor(boss.ID)), r.ID, action); !d.Allowed {
						t.Errorf("%s %s: %s", r.ID, action, d.Reason)
					}
				}
			}
			must[identity.Page[identity.User]](t)(h.Users(h.ctx, h.actor(boss.ID), identity.Query{Limit: 5}))
		})
		t.Run("FOS-20 who manages users and no more cannot give the flag", func(t *testing.T) {
			hr, u := h.clerk("hr", "user_management", identity.Position{}), h.clerk("u", "portal_viewer", identity.Position{})
			for _, id := range []identity.UserID{u.ID, hr.ID} {
				err := h.set(h.actor(hr.ID), id, func(p *identity.Position) { p.Admin = true })
				wantKind(t, err, identity.Forbidden, "")
			}
			if err := h.set(h.actor(boss.ID), u.ID, func(p *identity.Position) { p.Admin = true }); err != nil || !h.standing(u.ID).Admin {
				t.Error(err)
			}
			if e := h.lastAbout(u.ID); e.Type != identity.UserPositioned || e.Changes[0].Field != "administrator" || e.Changes[0].Before != false || e.Changes[0].After != true || e.ActorID != string(boss.ID) {
				t.Errorf("%+v", e)
			}
		})
		t.Run("FOS-20 a directory takes over nobody who carries the flag", func(t *testing.T) {
			_, err := h.CreateUser(h.ctx, h.directory("Okta", h.home().ID, "okta"), provisioning.NewUser{User: named("boss")})
			wantKind(t, err, identity.Conflict, "uniqueness")
		})
		t.Run("FOS-20 the flag stays behind with the tenant", func(t *testing.T) {
			u := h.clerk("leaver", "portal_viewer", identity.Position{Admin: true})
			must[provisioning.PlacementPlan](t)(h.PlaceUsers(h.ctx, h.op, provisioning.Placement{Users: []provisioning.PlacedUser{{ID: u.ID}}, Tenant: h.landing().ID, Role: "portal_viewer", Reason: "out"}))
			if h.standing(u.ID).Admin {
				t.Error("still an administrator")
			}
		})
	})
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		u := h.clerk("ada", "read_only", identity.Position{})
		err := h.set(h.op, u.ID, func(p *identity.Position) { p.Admin = true })
		wantKind(t, err, identity.Invalid, "")
		err = h.set(h.op, u.ID, func(p *identity.Position) { p.External = true })
		wantKind(t, err, identity.Invalid, "")
	})
}

func TestWhoIsAuthorizedMayComeIn(t *testing.T) {
	eachWith(t, "fintechos", func(t *testing.T, h *house) {
		t.Run("FOS-21 Is Authorized is whether the user may come in", func(t *testing.T) {
			u := h.clerk("off", "portal_viewer", identity.Position{})
			if got := h.Model().EnabledLabel(); got != "Is Authorized" {
				t.Errorf("it is called %q", got)
			}
			u = must[identity.User](t)(h.DeactivateUser(h.ctx, h.op, u.ID, ""))
			if u.Enabled || u.Status() != identity.StatusInactive {
				t.Errorf("%+v", u)
			}
			okta := h.directory("Okta 2", h.home().ID, "okta")
			pushed := h.push(okta, "word@example.com")
			off := must[identity.User](t)(h.UpdateUser(h.ctx, okta, pushed.ID, 0, func(u *identity.User) error { u.Enabled = false; return nil }))
			if off.Enabled {
				t.Error("the directory's active false lets the person in")
			}
		})
	})
}

func TestExternalPeopleAreMarkedAndFound(t *testing.T) {
	eachWith(t, "fintechos", func(t *testing.T, h *house) {
		t.Run("FOS-04 people outside the organisation are users who are shown and found as such", func(t *testing.T) {
			out, in := h.clerk("out", "portal_viewer", identity.Position{External: true}), h.clerk("in", "portal_viewer", identity.Position{})
			if !h.standing(out.ID).External || h.standing(in.ID).External {
				t.Error("marked wrongly")
			}
			for _, external := range []bool{true, false} {
				page := must[identity.Page[identity.User]](t)(h.Users(h.ctx, h.op, identity.Query{External: &external, Limit: 10}))
				if len(page.Items) != 1 || (page.Items[0].ID == out.ID) != external {
					t.Errorf("external %v: %+v", external, page.Items)
				}
			}
		})
	})
}

func TestAPositionIsCheckedFieldByField(t *testing.T) {
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		u := h.clerk("ada", "dispatcher", identity.Position{})
		for field, change := range map[string]func(*identity.Position){
			"type":  func(p *identity.Position) { p.Type = "chief" },
			"unit":  func(p *identity.Position) { p.UnitID = identity.NewID[identity.UnitID]() },
			"team":  func(p *identity.Position) { p.TeamID = identity.NewID[identity.UnitID]() },
			"level": func(p *identity.Position) { p.DataLevel = "galactic" },
			"admin": func(p *identity.Position) { p.Admin = true },
		} {
			err := h.set(h.op, u.ID, change)
			var e *identity.Error
			if !errors.As(err, &e) || e.Kind != identity.Invalid || e.Field != field {
				t.Errorf("%s: %v", field, err)
			}
		}
		if got := h.events(u.ID); len(got) != 1 {
			t.Errorf("something was written: %v", got)
		}
		east, west := h.unit("East", "", ""), h.unit("West", "", "")
		night := h.unit("Night", identity.KindTeam, west.ID)
		err := h.set(h.op, u.ID, in(east.ID, night.ID))
		wantKind(t, err, identity.Invalid, "")
		wantSaid(t, err, "Night is a team of another Branch")
		wantKind(t, h.set(h.op, u.ID, in(night.ID, "")), identity.Invalid, "")
		err = h.set(h.directory("Okta", "", "okta"), u.ID, func(p *identity.Position) { p.DataLevel = "global" })
		wantKind(t, err, identity.Forbidden, "")
		t.Run("a change of nothing writes nothing", func(t *testing.T) {
			if err := h.set(h.op, u.ID, func(*identity.Position) {}); err != nil || len(h.events(u.ID)) != 1 {
				t.Error(err)
			}
		})
		t.Run("nobody below everything changes the own position", func(t *testing.T) {
			err := h.db.Update(h.ctx, func(tx *store.Tx) error {
				return tx.PutRole(h.ctx, identity.RoleDefinition{
					Role: identity.Role{ID: "hr", Application: identity.DefaultApplication, Title: "HR", Scope: identity.ScopeTenant, Interactive: true}, Assignable: true, Version: 1,
					Grants: map[string][]string{"users": {"view", "edit"}},
				})
			})
			if err != nil {
				t.Fatal(err)
			}
			h.refresh()
			hr := h.clerk("hr", "hr", identity.Position{})
			wide := func(p *identity.Position) { p.DataLevel = "global" }
			wantKind(t, h.set(h.actor(hr.ID), hr.ID, wide), identity.Forbidden, "")
			if err := h.set(h.actor(hr.ID), u.ID, wide); err != nil {
				t.Error(err)
			}
		})
	})
}

// refresh makes the model read its roles again.
func (h *house) refresh() {
	h.t.Helper()
	err := h.db.Update(h.ctx, func(tx *store.Tx) error { return tx.RaiseAccessVersion(h.ctx, identity.DefaultApplication) })
	if err == nil {
		err = h.db.View(h.ctx, func(tx *store.Tx) error { return h.Model().Refresh(h.ctx, tx) })
	}
	if err != nil {
		h.t.Fatal(err)
	}
}
