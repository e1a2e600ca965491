package provisioning_test

import (
	"slices"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

// protected gives somebody a password and a second factor, as package authn does.
func (h *house) protected(id identity.UserID) {
	h.t.Helper()
	err := h.db.Update(h.ctx, func(tx *store.Tx) error {
		if err := tx.PutCredential(h.ctx, store.Credential{UserID: id, PasswordHash: "a hash"}); err != nil {
			return err
		}
		if err := tx.BeginSecondFactor(h.ctx, id, []byte("twenty bytes of seed")); err != nil {
			return err
		}
		return tx.ConfirmSecondFactor(h.ctx, id)
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// cameIn leaves the trace of a sign-in through a connection.
func (h *house) cameIn(c identity.Connection, at time.Time, change func(*identity.Trace)) {
	h.t.Helper()
	trace := identity.Trace{ConnectionID: c.ID, TenantID: c.TenantID, At: at, OK: true, Subject: "s"}
	if change != nil {
		change(&trace)
	}
	if err := h.RecordTrace(h.ctx, trace); err != nil {
		h.t.Fatal(err)
	}
}

func TestATenantRequiresItsProviderOnlyAfterAProvenSignIn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, other := h.tenant("Acme"), h.tenant("Other")
		boss := h.chief(acme, "boss@acme.test")
		root := h.admin("root@bridge.test")
		h.protected(root.ID)
		if err := h.SetBreakGlass(h.ctx, h.op, root.ID, true, "the safe"); err != nil {
			t.Fatal(err)
		}
		c := h.connection("Acme", func(c *identity.Connection) { c.TenantID, c.Domains = acme.ID, []string{"acme.test"} })
		theirs := h.connection("Other", func(c *identity.Connection) { c.TenantID, c.Domains = other.ID, []string{"other.test"} })
		ours := h.connection("Ours", nil)
		now := time.Now().UTC().Truncate(time.Microsecond)
		refused := func(why string) {
			t.Helper()
			_, err := h.RequireSSO(h.ctx, boss, acme.ID, true)
			if identity.KindOf(err) != identity.Precondition || identity.CodeOf(err) != "sso.unproven" {
				t.Errorf("%s: %v", why, err)
			}
		}
		refused("nobody came in")
		h.cameIn(c, now.AddDate(0, 0, -31), nil)
		refused("too long ago")
		h.cameIn(c, now, func(t *identity.Trace) { t.OK = false })
		refused("somebody was refused")
		h.cameIn(c, now, func(t *identity.Trace) { t.Purpose = identity.PurposeLogout })
		refused("somebody left")
		h.cameIn(theirs, now, nil)
		refused("somebody came in elsewhere")
		h.cameIn(ours, now, nil)
		refused("a stranger came in through the installation's")
		h.cameIn(c, now, func(t *identity.Trace) { t.Purpose = identity.PurposeTest })
		must[identity.Connection](t)(h.UpdateConnection(h.ctx, h.op, c.ID, func(c *identity.Connection) error { c.Enabled = false; return nil }))
		refused("the connection is disabled")
		must[identity.Connection](t)(h.UpdateConnection(h.ctx, h.op, c.ID, func(c *identity.Connection) error { c.Enabled = true; return nil }))
		if on := must[identity.Tenant](t)(h.RequireSSO(h.ctx, boss, acme.ID, true)); !on.RequireSSO {
			t.Error("it is not on")
		}
		if again := must[identity.Tenant](t)(h.Tenant(h.ctx, boss, acme.ID)); !again.RequireSSO {
			t.Error("it is not kept")
		}
		must[identity.Tenant](t)(h.RequireSSO(h.ctx, boss, acme.ID, true)) // again is no event
		must[identity.Tenant](t)(h.RequireSSO(h.ctx, boss, acme.ID, false))
		want := []identity.EventType{identity.TenantCreated, identity.TenantUpdated, identity.TenantUpdated}
		if got := h.objectEvents(string(acme.ID)); !slices.Equal(got, want) {
			t.Errorf("the events are %v", got)
		}
	})
}

func TestWhoseProviderIsTheInstallationsMayRequireItToo(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, root := h.tenant("Acme"), h.admin("root@bridge.test")
		h.protected(root.ID)
		if err := h.SetBreakGlass(h.ctx, h.op, root.ID, true, ""); err != nil {
			t.Fatal(err)
		}
		ada := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("ada@acme.test"), acme.ID), Role: "viewer"}))
		h.cameIn(h.connection("Ours", nil), time.Now().UTC(), func(t *identity.Trace) { t.UserID = ada.ID })
		must[identity.Tenant](t)(h.RequireSSO(h.ctx, h.op, acme.ID, true))
	})
}

func TestATenantRequiresItsProviderOnlyWhileSomebodyCanComeInWithoutIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		boss, root := h.chief(acme, "boss@acme.test"), h.admin("root@bridge.test")
		rooted := h.as(root.ID)
		c := h.connection("Acme", func(c *identity.Connection) { c.TenantID, c.Domains = acme.ID, []string{"acme.test"} })
		h.cameIn(c, time.Now().UTC(), nil)
		_, err := h.RequireSSO(h.ctx, boss, acme.ID, true)
		wantKind(t, err, identity.Precondition, "sso.no_break_glass")
		wantKind(t, h.SetBreakGlass(h.ctx, h.op, boss.UserID(), true, ""), identity.Precondition, "break_glass.unprotected")
		h.protected(boss.UserID())
		_, err = h.RequireSSO(h.ctx, boss, acme.ID, true)
		wantKind(t, err, identity.Precondition, "sso.no_break_glass") // it can come in, but nobody said that it may
		wantKind(t, h.SetBreakGlass(h.ctx, boss, boss.UserID(), true, ""), identity.Forbidden, "")
		if err := h.SetBreakGlass(h.ctx, rooted, boss.UserID(), true, "sealed envelope"); err != nil {
			t.Fatal(err)
		}
		must[identity.Tenant](t)(h.RequireSSO(h.ctx, boss, acme.ID, true))
		wantKind(t, h.SetBreakGlass(h.ctx, rooted, boss.UserID(), false, ""), identity.Precondition, "break_glass.last")
		_, err = h.DeactivateUser(h.ctx, rooted, boss.UserID(), "")
		wantKind(t, err, identity.Precondition, "break_glass.last")
		wantKind(t, h.DeleteUser(h.ctx, h.op, boss.UserID(), 0), identity.Precondition, "break_glass.last")
		_, err = h.SetRoles(h.ctx, h.op, boss.UserID(), []identity.RoleID{"api_user"}, "")
		wantKind(t, err, identity.Precondition, "break_glass.last") // programs' roles open no page
		_, err = h.PlaceUsers(h.ctx, h.op, provisioning.Placement{Users: []provisioning.PlacedUser{{ID: boss.UserID()}}, Tenant: h.landing().ID, Role: "viewer"})
		wantKind(t, err, identity.Conflict, "placement_refused")
		h.protected(root.ID)
		if err := h.SetBreakGlass(h.ctx, h.op, root.ID, true, ""); err != nil {
			t.Fatal(err)
		}
		if users := must[[]identity.User](t)(h.BreakGlassUsers(h.ctx, boss)); len(users) != 1 || users[0].ID != boss.UserID() {
			t.Errorf("the tenant sees %d accounts for emergencies", len(users))
		}
		must[identity.User](t)(h.DeactivateUser(h.ctx, rooted, boss.UserID(), ""))
		want := []identity.EventType{identity.BreakGlassGranted}
		got := slices.DeleteFunc(h.events(boss.UserID()), func(e identity.EventType) bool {
			return e != identity.BreakGlassGranted && e != identity.BreakGlassRevoked
		})
		if !slices.Equal(got, want) {
			t.Errorf("the events are %v", got)
		}
	})
}

func TestTheLandingTenantRequiresNoProvider(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		_, err := h.RequireSSO(h.ctx, h.op, h.landing().ID, true)
		wantKind(t, err, identity.Invalid, "")
		_, err = h.RequireSSO(h.ctx, h.chief(h.tenant("Acme"), "boss@acme.test"), h.tenant("Other").ID, true)
		wantKind(t, err, identity.NotFound, "")
	})
}

func TestPasswordSessionsEndWhenTheProviderIsRequired(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, other := h.tenant("Acme"), h.tenant("Other")
		boss, elsewhere := h.chief(acme, "boss@acme.test"), h.chief(other, "boss@other.test")
		ada := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("ada@acme.test"), acme.ID), Role: "viewer"}))
		h.protected(boss.UserID())
		if err := h.SetBreakGlass(h.ctx, h.op, boss.UserID(), true, ""); err != nil {
			t.Fatal(err)
		}
		c := h.connection("Acme", func(c *identity.Connection) { c.TenantID, c.Domains = acme.ID, []string{"acme.test"} })
		h.cameIn(c, time.Now().UTC(), nil)
		for _, id := range []identity.UserID{ada.ID, boss.UserID(), elsewhere.UserID()} {
			h.session(id)
		}
		must[identity.Tenant](t)(h.RequireSSO(h.ctx, boss, acme.ID, true))
		if h.sessions(ada.ID) != 0 || h.sessions(boss.UserID()) != 1 || h.sessions(elsewhere.UserID()) != 1 {
			t.Errorf("left are %d, %d and %d", h.sessions(ada.ID), h.sessions(boss.UserID()), h.sessions(elsewhere.UserID()))
		}
		if got := h.events(ada.ID); !slices.Contains(got, identity.SessionEnded) {
			t.Errorf("the events are %v", got)
		}
	})
}
