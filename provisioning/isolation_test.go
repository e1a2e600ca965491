package provisioning_test

import (
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

func TestTheLastAdministratorsCannotGoTogether(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		a, b := h.admin("a@example.com"), h.admin("b@example.com")
		_, err := h.PlaceUsers(h.ctx, h.as(a.ID), provisioning.Placement{Users: []provisioning.PlacedUser{{ID: a.ID}, {ID: b.ID}}, Tenant: acme.ID, Role: "viewer"})
		if err == nil {
			t.Errorf("both last Super Admins are gone: %q %q", h.roles(a.ID), h.roles(b.ID))
		}
	})
}

func TestADirectoryAdoptsNobodyWhoWasMovedMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		if !strings.HasSuffix(t.Name(), "postgres") {
			return // SQLite has one writer: the two cannot meet
		}
		acme := h.tenant("Acme")
		beta := h.tenant("Beta")
		dir := h.directory("Okta Acme", acme.ID, "okta")
		u := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("ada@example.com"), acme.ID), Role: "viewer"}))
		locked, done := make(chan bool), make(chan error)
		go func() {
			first := true
			done <- h.db.Update(h.ctx, func(tx *store.Tx) error {
				x, err := tx.UserForUpdate(h.ctx, store.Everything(), u.ID)
				if err != nil {
					return err
				}
				if first {
					first = false
					close(locked)
					<-time.After(700 * time.Millisecond)
				}
				before := x
				x.TenantID, x.Version = beta.ID, x.Version+1
				return tx.UpdateUser(h.ctx, before, x)
			})
		}()
		<-locked
		p := person("ada@example.com")
		p.DisplayName = "Owned"
		_, _ = h.CreateUser(h.ctx, dir, provisioning.NewUser{User: p}) // a new user or a refusal: both are right
		if e := <-done; e != nil {
			t.Fatal(e)
		}
		now := must[identity.User](t)(h.User(h.ctx, h.op, u.ID))
		if now.DisplayName == "Owned" && now.TenantID == beta.ID {
			t.Error("a directory of Acme took over a user of Beta")
		}
	})
}

func TestAnAdministratorHoldsSomebodyWhomADirectoryKeepsOutAlready(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		dir := h.directory("Okta", "", "okta")
		u := h.push(dir, "ada@example.com")
		must[identity.User](t)(h.UpdateUser(h.ctx, dir, u.ID, 0, func(u *identity.User) error { u.Enabled = false; return nil }))
		must[identity.User](t)(h.DeactivateUser(h.ctx, h.op, u.ID, "fired"))
		must[identity.User](t)(h.UpdateUser(h.ctx, dir, u.ID, 0, func(u *identity.User) error { u.Enabled = true; return nil }))
		if must[identity.User](t)(h.User(h.ctx, h.op, u.ID)).Enabled {
			t.Error("an administrator's deactivation answered success and a directory undid it")
		}
	})
}

func TestWhoLeavesATenantLeavesItsGroups(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		dir := h.directory("Okta", acme.ID, "okta")
		u := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("ada@example.com"), acme.ID), Role: "viewer"}))
		g := must[identity.Group](t)(h.CreateGroup(h.ctx, dir, identity.Group{DisplayName: "G"}, []identity.Member{{ID: string(u.ID)}}))
		must[provisioning.PlacementPlan](t)(h.PlaceUsers(h.ctx, h.op, provisioning.Placement{Users: []provisioning.PlacedUser{{ID: u.ID}}, Tenant: beta.ID, Role: "viewer"}))
		must[identity.User](t)(h.UpdateUser(h.ctx, h.op, u.ID, 0, func(u *identity.User) error { u.DisplayName = "Secret new name"; return nil }))
		m := must[map[identity.GroupID][]identity.Member](t)(h.Members(h.ctx, dir, []identity.GroupID{g.ID}))
		if len(m[g.ID]) != 0 {
			t.Errorf("Acme's directory reads the name of a user of Beta: %+v", m[g.ID])
		}
	})
}

func TestATenantsProviderFollowsThePersonButNeverAboveTheTenants(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		c := h.connection("Acme IdP", func(c *identity.Connection) { c.TenantID = acme.ID })
		u := must[identity.User](t)(h.signIn(c, claims("s1", "new@example.com")))
		place := func(tenant identity.TenantID, role identity.RoleID) {
			t.Helper()
			must[provisioning.PlacementPlan](t)(h.PlaceUsers(h.ctx, h.op, provisioning.Placement{Users: []provisioning.PlacedUser{{ID: u.ID}}, Tenant: tenant, Role: role}))
		}
		place(beta.ID, "editor")
		if again := must[identity.User](t)(h.signIn(c, claims("s1", "new@example.com"))); again.ID != u.ID || h.roles(u.ID) != "editor " {
			t.Errorf("signed in as %s, %q", again.UserName, h.roles(u.ID))
		}
		place("", "superadmin")
		_, err := h.signIn(c, claims("s1", "new@example.com"))
		wantKind(t, err, identity.Forbidden, "link.above_tenants")
	})
}

func TestNobodyDeactivatesOneselfByAnotherSpelling(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a := h.admin("a@example.com")
		h.admin("b@example.com")
		_, err := h.DeactivateUser(h.ctx, h.as(a.ID), identity.UserID(strings.ToUpper(string(a.ID))), "")
		if err == nil {
			t.Error("deactivated oneself")
		}
	})
}

func TestAPushedAddressThatIsNoneDoesNotProtectFromDeactivation(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		dir := h.directory("Entra", "", "entra")
		p := person("alice")
		u := must[identity.User](t)(h.CreateUser(h.ctx, dir, provisioning.NewUser{User: p}))
		if _, err := h.DeactivateUser(h.ctx, h.op, u.ID, "left"); err != nil {
			t.Error(err)
		}
	})
}

func TestWhoLeavesATenantLeavesThePasswordThatItsAdministratorsMayKnow(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		u := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("ceo@example.com"), acme.ID), Role: "viewer", PasswordHash: "$argon2id$known"}))
		h.session(u.ID)
		must[provisioning.PlacementPlan](t)(h.PlaceUsers(h.ctx, h.op, provisioning.Placement{Users: []provisioning.PlacedUser{{ID: u.ID}}, Tenant: beta.ID, Role: "editor"}))
		err := h.db.View(h.ctx, func(tx *store.Tx) error {
			has, err := tx.HasCredential(h.ctx, u.ID)
			if has || h.sessions(u.ID) != 0 {
				t.Errorf("a password: %v, %d sessions", has, h.sessions(u.ID))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
