package provisioning_test

import (
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// single are the systems of one organisation, with a role that manages users.
var single = map[string]identity.RoleID{"fentu-connect": "administrator", "fentu-fsm": "administrator", "fintechos": "user_management"}

func TestAnInstallationOfOneOrganisationHasOneTenant(t *testing.T) {
	for preset, manager := range single {
		t.Run(preset, func(t *testing.T) {
			eachWith(t, preset, func(t *testing.T, h *house) {
				_, err := h.CreateTenant(h.ctx, h.op, "Another")
				wantKind(t, err, identity.Forbidden, "single_tenant")
				wantSaid(t, err, "This installation has one tenant, Main")
				main := must[identity.Tenant](t)(h.MainTenant(h.ctx))
				boss := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: person("boss@example.com"), Role: manager, Reason: "first"}))
				if boss.TenantID != main.ID || main.Name != "Main" || !main.Main {
					t.Errorf("%+v in %+v", boss, main)
				}
				t.Run("FSM-57 whom nobody knows waits with the least role", func(t *testing.T) { h.waits(t, h.actor(boss.ID)) })
			})
		})
	}
	each(t, func(t *testing.T, h *house) {
		_, err := h.MainTenant(h.ctx)
		wantKind(t, err, identity.NotFound, "")
		h.tenant("Acme")
		_, err = h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: person("a@example.com"), Role: "viewer"})
		wantKind(t, err, identity.Invalid, "")
	})
}

// waits pushes somebody into the holding state and lets an administrator of the one tenant place them.
func (h *house) waits(t *testing.T, boss identity.Actor) {
	t.Helper()
	pushed := h.push(h.directory("Okta", "", "okta"), "new@example.com")
	_, least := h.Model().Landing()
	if pushed.TenantID != h.landing().ID || h.roles(pushed.ID) != string(least)+" " {
		t.Errorf("%+v as %s", pushed, h.roles(pushed.ID))
	}
	if level, _ := h.Model().Holding(); h.standing(pushed.ID).DataLevel != level {
		t.Errorf("sees as far as %q", h.standing(pushed.ID).DataLevel)
	}
	list := must[identity.Page[identity.User]](t)(h.Landed(h.ctx, boss, identity.Query{Limit: 9}))
	if len(list.Items) != 1 || list.Items[0].ID != pushed.ID {
		t.Errorf("needs placement: %+v", list.Items)
	}
	placement := provisioning.Placement{Users: []provisioning.PlacedUser{{ID: pushed.ID}}, Role: least, Reason: "known now"}
	plan := must[provisioning.PlacementPlan](t)(h.PlaceUsers(h.ctx, boss, placement))
	if plan.Tenant.Name != "Main" || plan.Steps[0].User.TenantID != boss.TenantID {
		t.Errorf("%+v", plan)
	}
	if e := h.lastAbout(pushed.ID); e.ActorID != boss.ID || e.Reason != "known now" {
		t.Errorf("%+v", e)
	}
	again := h.push(h.directory("Entra", "", "entra"), "second@example.com")
	stranger := h.as(again.ID)
	_, err := h.Landed(h.ctx, stranger, identity.Query{Limit: 9})
	wantKind(t, err, identity.Forbidden, "")
	root := h.admin("root@example.com")
	placement.Users = []provisioning.PlacedUser{{ID: root.ID}}
	_, err = h.PlaceUsers(h.ctx, boss, placement)
	wantKind(t, err, identity.NotFound, "")
	placement.Users, placement.Role = []provisioning.PlacedUser{{ID: again.ID}}, "superadmin"
	_, err = h.PlaceUsers(h.ctx, boss, placement)
	wantKind(t, err, identity.Forbidden, "")
}

func TestAnAdministratorOfOneTenantAmongManyPlacesNobody(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		boss := h.as(must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("boss@acme.test"), acme.ID), Role: "administrator"})).ID)
		_, err := h.Landed(h.ctx, boss, identity.Query{Limit: 9})
		wantKind(t, err, identity.Forbidden, "")
		pushed := h.push(h.directory("Okta", "", "okta"), "new@example.com")
		_, err = h.PlaceUsers(h.ctx, boss, provisioning.Placement{Users: []provisioning.PlacedUser{{ID: pushed.ID}}, Tenant: acme.ID, Role: "viewer"})
		wantKind(t, err, identity.Forbidden, "")
	})
}
