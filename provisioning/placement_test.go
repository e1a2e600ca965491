package provisioning_test

import (
	"slices"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

func TestPlacingMovesPeopleWithARole(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		okta := h.directory("Okta", "", identity.DialectOkta)
		acme := h.tenant("Acme")
		a, b := h.push(okta, "ada@example.com"), h.push(okta, "bob@example.com")
		root := h.as(h.admin("root@example.com").ID)
		p := provisioning.Placement{Users: []provisioning.PlacedUser{{a.ID, a.Version}, {b.ID, b.Version}}, Tenant: acme.ID, Role: "editor", Reason: "new project"}
		plan := must[provisioning.PlacementPlan](t)(h.PreviewPlacement(h.ctx, root, p))
		if plan.Refusals() != 0 || len(plan.Steps) != 2 || plan.Steps[0].FromTenant != "SSO Landing" {
			t.Fatalf("%+v", plan)
		}
		if h.roles(a.ID) != "viewer " {
			t.Error("the preview changed something")
		}
		must[provisioning.PlacementPlan](t)(h.PlaceUsers(h.ctx, root, p))
		if h.roles(a.ID) != "editor " || h.roles(b.ID) != "editor " || h.as(a.ID).TenantID != acme.ID {
			t.Errorf("%q in %s", h.roles(a.ID), h.as(a.ID).TenantID)
		}
		if !slices.Contains(h.events(b.ID), identity.UserPlaced) {
			t.Error("no event")
		}
		if left := must[identity.Page[identity.User]](t)(h.Landed(h.ctx, root, identity.Query{Limit: 10})); len(left.Items) != 0 {
			t.Error("still in the inbox")
		}
		// What the directory sends next neither moves nor demotes.
		must[identity.User](t)(h.UpdateUser(h.ctx, okta, a.ID, 0, func(u *identity.User) error { u.DisplayName = "Ada L."; return nil }))
		if h.roles(a.ID) != "editor " || h.as(a.ID).TenantID != acme.ID {
			t.Error("a sync undid the placement")
		}
	})
}

func TestPlacingIsAllOrNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		okta := h.directory("Okta", "", identity.DialectOkta)
		acme := h.tenant("Acme")
		held := h.push(h.directory("Other Okta", h.tenant("Other").ID, "okta"), "held@example.com")
		a, b := h.push(okta, "ada@example.com"), h.push(okta, "bob@example.com")
		must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("bob@example.com"), acme.ID), Role: "viewer"}))
		for name, bad := range map[string]provisioning.PlacedUser{"held by its tenant's directory": {ID: held.ID}, "name taken there": {ID: b.ID}, "stale": {ID: b.ID, Version: 99}} {
			p := provisioning.Placement{Users: []provisioning.PlacedUser{{ID: a.ID}, bad}, Tenant: acme.ID, Role: "editor"}
			if plan := must[provisioning.PlacementPlan](t)(h.PreviewPlacement(h.ctx, h.op, p)); plan.Refusals() != 1 {
				t.Errorf("%s: %+v", name, plan)
			}
			_, err := h.PlaceUsers(h.ctx, h.op, p)
			wantKind(t, err, identity.Conflict, "placement_refused")
			if h.roles(a.ID) != "viewer " || h.as(a.ID).TenantID != h.landing().ID {
				t.Errorf("%s: half of it was done", name)
			}
		}
	})
}

func TestPlacingToThePlatformNeedsAPlatformRole(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		okta := h.directory("Okta", "", identity.DialectOkta)
		a := h.push(okta, "ada@example.com")
		_, err := h.PlaceUsers(h.ctx, h.op, provisioning.Placement{Users: []provisioning.PlacedUser{{ID: a.ID}}, Role: "viewer"})
		wantKind(t, err, identity.Invalid, "")
		must[provisioning.PlacementPlan](t)(h.PlaceUsers(h.ctx, h.op, provisioning.Placement{Users: []provisioning.PlacedUser{{ID: a.ID}}, Role: "superadmin"}))
		h.admin("second@example.com")
		// The directory that brought the person still ends the access.
		u := must[identity.User](t)(h.UpdateUser(h.ctx, okta, a.ID, 0, func(u *identity.User) error { u.Enabled = false; return nil }))
		if u.Enabled {
			t.Error("a leaver stayed Super Admin")
		}
	})
}

func TestAPersonWhomTheTenantsDirectoryHoldsIsReleasedAndThenPlaced(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		okta := h.directory("Okta", acme.ID, identity.DialectOkta)
		u, out := h.push(okta, "ada@acme.test"), h.push(okta, "out@acme.test")
		must[identity.User](t)(h.UpdateUser(h.ctx, okta, out.ID, 0, func(u *identity.User) error { u.Enabled = false; return nil }))
		p := provisioning.Placement{Users: []provisioning.PlacedUser{{ID: u.ID}}, Tenant: beta.ID, Role: "editor"}
		_, err := h.PlaceUsers(h.ctx, h.op, p)
		wantKind(t, err, identity.Conflict, "placement_refused")
		must[identity.User](t)(h.ReleaseUser(h.ctx, h.op, u.ID, "changes sides"))
		must[provisioning.PlacementPlan](t)(h.PlaceUsers(h.ctx, h.op, p))
		_, err = h.User(h.ctx, okta, u.ID)
		wantKind(t, err, identity.NotFound, "")
		if still := must[identity.User](t)(h.ReleaseUser(h.ctx, h.op, out.ID, "")); still.Enabled {
			t.Error("a release let somebody in whom the directory kept out")
		}
		_, err = h.ReleaseUser(h.ctx, h.op, out.ID, "")
		wantKind(t, err, identity.Precondition, "")
	})
}
