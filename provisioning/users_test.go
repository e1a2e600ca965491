package provisioning_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

func TestAPushedPersonLandsAsViewerOrInTheDirectorysTenant(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		everywhere, own := h.directory("Installation", "", identity.DialectOkta), h.directory("Acme Okta", acme.ID, identity.DialectOkta)
		a, b := h.push(everywhere, "ada@example.com"), h.push(own, "bob@acme.test")
		if a.TenantID != h.landing().ID || b.TenantID != acme.ID {
			t.Errorf("tenants %s, %s", a.TenantID, b.TenantID)
		}
		if h.roles(a.ID) != "viewer " || h.roles(b.ID) != "viewer " {
			t.Errorf("roles %q, %q", h.roles(a.ID), h.roles(b.ID))
		}
		if got := h.events(a.ID); !slices.Equal(got, []identity.EventType{identity.UserCreated}) {
			t.Errorf("events %v", got)
		}
	})
}

func TestOneOfSixteenParallelPushesWins(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, by := range []identity.Actor{h.directory("A", h.tenant("T").ID, "standard"), h.directory("B", "", "standard")} {
			var wg sync.WaitGroup
			var mu sync.Mutex
			made, taken := 0, 0
			for range 16 {
				wg.Go(func() {
					_, err := h.CreateUser(h.ctx, by, provisioning.NewUser{User: identity.User{UserName: "race", Enabled: true}})
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						made++
					} else if identity.KindOf(err) == identity.Conflict && identity.CodeOf(err) == "uniqueness" {
						taken++
					} else {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if made != 1 || taken != 15 {
				t.Errorf("%s: %d made, %d taken", by.Label, made, taken)
			}
		}
	})
}

func TestADirectorySeesItsScopeOnly(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a, b := h.directory("A", h.tenant("TA").ID, "standard"), h.directory("B", h.tenant("TB").ID, "standard")
		everywhere := h.directory("I", "", "standard")
		u := h.push(a, "same@example.com")
		if other := h.push(b, "same@example.com"); other.ID == u.ID {
			t.Error("two tenants share one record")
		}
		_, err := h.User(h.ctx, b, u.ID)
		wantKind(t, err, identity.NotFound, "")
		_, err = h.UpdateUser(h.ctx, b, u.ID, 0, func(u *identity.User) error { u.DisplayName = "mine"; return nil })
		wantKind(t, err, identity.NotFound, "")
		wantKind(t, h.DeleteUser(h.ctx, b, u.ID, 0), identity.NotFound, "")
		root := h.admin("root@example.com")
		_, err = h.User(h.ctx, everywhere, root.ID)
		wantKind(t, err, identity.NotFound, "")
		must[identity.User](t)(h.User(h.ctx, everywhere, u.ID))
		page := must[identity.Page[identity.User]](t)(h.Users(h.ctx, b, identity.Query{Limit: 10, Total: true}))
		if page.Total != 1 || page.Items[0].TenantID != b.TenantID {
			t.Errorf("B sees %d", page.Total)
		}
	})
}

func TestAnExistingPersonIsAdoptedAndAPrivilegedOneIsNot(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		okta := h.directory("Okta", acme.ID, identity.DialectOkta)
		known := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("ann@acme.test"), acme.ID), Role: "editor"}))
		boss := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("boss@acme.test"), acme.ID), Role: "administrator"}))
		pushed := person("ann@acme.test")
		pushed.ExternalID = "00u1"
		got := must[identity.User](t)(h.CreateUser(h.ctx, okta, provisioning.NewUser{User: pushed}))
		if got.ID != known.ID || got.ExternalID != "00u1" || h.roles(known.ID) != "editor " {
			t.Errorf("adopted %+v with %q", got, h.roles(known.ID))
		}
		if !slices.Contains(h.events(known.ID), identity.UserAdopted) {
			t.Error("no event says so")
		}
		_, err := h.CreateUser(h.ctx, okta, provisioning.NewUser{User: person("boss@acme.test")})
		wantKind(t, err, identity.Conflict, "uniqueness")
		_, err = h.UpdateUser(h.ctx, okta, boss.ID, 0, func(u *identity.User) error { u.Enabled = false; return nil })
		wantKind(t, err, identity.Forbidden, "")
		wantKind(t, h.DeleteUser(h.ctx, okta, boss.ID, 0), identity.Forbidden, "")
		_, err = h.CreateUser(h.ctx, okta, provisioning.NewUser{User: pushed})
		wantKind(t, err, identity.Conflict, "uniqueness")
	})
}

func TestAdoptionKeepsToTheDirectorysDomains(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		okta := h.directory("Okta", acme.ID, identity.DialectOkta, "acme.test")
		must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("ann@other.test"), acme.ID), Role: "editor"}))
		_, err := h.CreateUser(h.ctx, okta, provisioning.NewUser{User: person("ann@other.test")})
		wantKind(t, err, identity.Conflict, "uniqueness")
	})
}

func TestDeactivationEndsSessionsAndTheAdministratorsWordStands(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		okta := h.directory("Okta", "", identity.DialectOkta)
		u := h.push(okta, "ada@example.com")
		h.session(u.ID)
		active := func(on bool) func(*identity.User) error {
			return func(u *identity.User) error { u.Enabled = on; return nil }
		}
		u = must[identity.User](t)(h.UpdateUser(h.ctx, okta, u.ID, 0, active(false)))
		if u.Enabled || h.sessions(u.ID) != 0 {
			t.Errorf("enabled %v, %d sessions", u.Enabled, h.sessions(u.ID))
		}
		_, err := h.ActivateUser(h.ctx, h.op, u.ID, "")
		if err == nil {
			if u := must[identity.User](t)(h.User(h.ctx, h.op, u.ID)); u.Enabled {
				t.Error("an administrator overruled the directory in silence")
			}
		}
		u = must[identity.User](t)(h.UpdateUser(h.ctx, okta, u.ID, 0, active(true)))
		if !u.Enabled {
			t.Error("the directory cannot undo its own word")
		}
		must[identity.User](t)(h.DeactivateUser(h.ctx, h.op, u.ID, "left on bad terms"))
		u = must[identity.User](t)(h.UpdateUser(h.ctx, okta, u.ID, 0, active(true)))
		if u.Enabled {
			t.Error("a sync undid an administrator")
		}
		u = must[identity.User](t)(h.ActivateUser(h.ctx, h.op, u.ID, "back"))
		if !u.Enabled {
			t.Error("the administrator cannot undo the own word")
		}
	})
}

func TestAccessEndsWhenEitherDirectoryEndsIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		hr, okta := h.directory("HR", acme.ID, "standard"), h.directory("Okta", acme.ID, "okta")
		u := h.push(hr, "ada@acme.test")
		if again := h.push(okta, "ada@acme.test"); again.ID != u.ID {
			t.Fatal("two records for one person")
		}
		must[identity.User](t)(h.UpdateUser(h.ctx, hr, u.ID, 0, func(u *identity.User) error { u.Enabled = false; return nil }))
		got := must[identity.User](t)(h.UpdateUser(h.ctx, okta, u.ID, 0, func(u *identity.User) error { u.Enabled = true; u.DisplayName = "Ada"; return nil }))
		if got.Enabled || got.DisplayName != "Ada" {
			t.Errorf("%+v", got)
		}
		// A word that changes nothing in the user is told all the same.
		before := len(h.events(u.ID))
		must[identity.User](t)(h.UpdateUser(h.ctx, okta, u.ID, 0, func(u *identity.User) error { u.Enabled = false; return nil }))
		if after := len(h.events(u.ID)); after != before+1 {
			t.Errorf("%d events became %d", before, after)
		}
	})
}

func TestDeleteLeavesATombstoneAndTheSamePersonComesBack(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		okta := h.directory("Okta", "", identity.DialectOkta)
		u := h.push(okta, "ada@example.com")
		g := must[identity.Group](t)(h.CreateGroup(h.ctx, okta, identity.Group{DisplayName: "G"}, []identity.Member{{ID: string(u.ID)}}))
		if err := h.DeleteUser(h.ctx, okta, u.ID, u.Version+7); identity.KindOf(err) != identity.Precondition {
			t.Fatal(err)
		}
		if err := h.DeleteUser(h.ctx, okta, u.ID, 0); err != nil {
			t.Fatal(err)
		}
		wantKind(t, h.DeleteUser(h.ctx, okta, u.ID, 0), identity.NotFound, "")
		_, err := h.User(h.ctx, okta, u.ID)
		wantKind(t, err, identity.NotFound, "")
		if m := must[map[identity.GroupID][]identity.Member](t)(h.Members(h.ctx, okta, []identity.GroupID{g.ID})); len(m[g.ID]) != 0 {
			t.Errorf("still a member: %v", m)
		}
		back := h.push(okta, "ada@example.com")
		if back.ID != u.ID || !back.Enabled || h.roles(u.ID) != "viewer " {
			t.Errorf("%+v", back)
		}
	})
}

func TestAnAdministratorRestoresWhomADirectoryOrAnAdministratorDeleted(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		okta := h.directory("Okta", "", identity.DialectOkta)
		u := h.push(okta, "ada@example.com")
		if err := h.DeleteUser(h.ctx, h.op, u.ID, 0); err != nil {
			t.Fatal(err)
		}
		if again := h.push(okta, "ada@example.com"); again.ID != u.ID || again.Enabled {
			t.Errorf("a sync undid an administrator: %+v", again)
		}
		if err := h.DeleteUser(h.ctx, h.op, u.ID, 0); err != nil {
			t.Fatal(err)
		}
		back := must[identity.User](t)(h.RestoreUser(h.ctx, h.op, u.ID))
		if back.ID != u.ID || !back.Enabled || h.roles(u.ID) != "viewer " || !slices.Contains(h.events(u.ID), identity.UserRestored) {
			t.Errorf("%+v with %q", back, h.roles(u.ID))
		}
		_, err := h.RestoreUser(h.ctx, okta, u.ID)
		wantKind(t, err, identity.Forbidden, "")
	})
}

func TestTheLastSuperAdminStays(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		root := h.admin("root@example.com")
		_, err := h.DeactivateUser(h.ctx, h.op, root.ID, "")
		wantKind(t, err, identity.Forbidden, "last_administrator")
		wantKind(t, h.DeleteUser(h.ctx, h.op, root.ID, 0), identity.Forbidden, "last_administrator")
		_, err = h.PlaceUsers(h.ctx, h.op, provisioning.Placement{Users: []provisioning.PlacedUser{{ID: root.ID}}, Tenant: h.landing().ID, Role: "viewer"})
		wantKind(t, err, identity.Conflict, "placement_refused")
		second := h.admin("second@example.com")
		for range 10 {
			errs := make([]error, 2)
			var wg sync.WaitGroup
			for i, id := range []identity.UserID{root.ID, second.ID} {
				wg.Go(func() { _, errs[i] = h.DeactivateUser(h.ctx, h.op, id, "") })
			}
			wg.Wait()
			if (errs[0] == nil) == (errs[1] == nil) {
				t.Fatalf("of two at once exactly one may go: %v", errors.Join(errs...))
			}
			for _, id := range []identity.UserID{root.ID, second.ID} {
				must[identity.User](t)(h.ActivateUser(h.ctx, h.op, id, ""))
			}
		}
	})
}

func TestAStaleVersionChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		okta := h.directory("Okta", "", identity.DialectOkta)
		u := h.push(okta, "ada@example.com")
		same := must[identity.User](t)(h.UpdateUser(h.ctx, okta, u.ID, u.Version, func(*identity.User) error { return nil }))
		if same.Version != u.Version {
			t.Error("a change of nothing made a version")
		}
		must[identity.User](t)(h.UpdateUser(h.ctx, okta, u.ID, u.Version, func(u *identity.User) error { u.DisplayName = "1"; return nil }))
		_, err := h.UpdateUser(h.ctx, okta, u.ID, u.Version, func(u *identity.User) error { u.DisplayName = "2"; return nil })
		wantKind(t, err, identity.Precondition, "")
	})
}

func TestRightsOfPeople(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, other := h.tenant("Acme"), h.tenant("Other")
		make := func(name string, tenant identity.TenantID, role identity.RoleID) identity.Actor {
			u := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person(name), tenant), Role: role}))
			return h.as(u.ID)
		}
		boss, viewer, stranger := make("boss@acme.test", acme.ID, "administrator"), make("v@acme.test", acme.ID, "viewer"), make("s@other.test", other.ID, "viewer")
		_, err := h.Users(h.ctx, viewer, identity.Query{Limit: 1})
		wantKind(t, err, identity.Forbidden, "")
		if page := must[identity.Page[identity.User]](t)(h.Users(h.ctx, boss, identity.Query{Limit: 10})); len(page.Items) != 2 {
			t.Errorf("the administrator sees %d people", len(page.Items))
		}
		_, err = h.User(h.ctx, boss, stranger.UserID())
		wantKind(t, err, identity.NotFound, "")
		_, err = h.CreateUser(h.ctx, boss, provisioning.NewUser{User: withTenant(person("x@other.test"), other.ID), Role: "viewer"})
		wantKind(t, err, identity.Forbidden, "")
		_, err = h.CreateUser(h.ctx, boss, provisioning.NewUser{User: person("x@acme.test"), Role: "superadmin"})
		wantKind(t, err, identity.Forbidden, "")
		for _, by := range []identity.Actor{boss, viewer} {
			_, err = h.CreateTenant(h.ctx, by, "Mine")
			wantKind(t, err, identity.Forbidden, "")
			_, _, err = h.CreateDirectory(h.ctx, by, identity.Directory{Name: "D"})
			wantKind(t, err, identity.Forbidden, "")
			_, err = h.PlaceUsers(h.ctx, by, provisioning.Placement{Users: []provisioning.PlacedUser{{ID: viewer.UserID()}}, Tenant: other.ID, Role: "viewer"})
			wantKind(t, err, identity.Forbidden, "")
		}
		_, err = h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("x@acme.test"), acme.ID), Role: "superadmin"})
		wantKind(t, err, identity.Invalid, "")
		_, err = h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: person("x@acme.test"), Role: "viewer"})
		wantKind(t, err, identity.Invalid, "")
	})
}

func TestSearchStatusAndPaging(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		okta := h.directory("Okta", "", identity.DialectOkta)
		for _, n := range []string{"ada@example.com", "bob@example.com", "Çelik@example.com", "d_e@example.com"} {
			h.push(okta, n)
		}
		count := func(q identity.Query) int {
			q.Limit = 50
			return len(must[identity.Page[identity.User]](t)(h.Users(h.ctx, h.op, q)).Items)
		}
		if count(identity.Query{Search: "çELIK"}) != 1 || count(identity.Query{Search: "d_e"}) != 1 || count(identity.Query{Search: "%"}) != 0 || count(identity.Query{Search: "example ada"}) != 1 {
			t.Error("search")
		}
		if count(identity.Query{Status: identity.StatusPending}) != 4 || count(identity.Query{Status: identity.StatusActive}) != 0 {
			t.Error("status")
		}
		first := must[identity.Page[identity.User]](t)(h.Users(h.ctx, h.op, identity.Query{Limit: 3, Newest: true}))
		rest := must[identity.Page[identity.User]](t)(h.Users(h.ctx, h.op, identity.Query{Limit: 3, Newest: true, After: string(first.Items[2].ID)}))
		if !first.More || rest.More || len(rest.Items) != 1 || rest.Items[0].UserName != "ada@example.com" {
			t.Errorf("paging: %v %v", first.More, rest)
		}
	})
}

func withTenant(u identity.User, id identity.TenantID) identity.User {
	u.TenantID = id
	return u
}
