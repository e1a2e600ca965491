package provisioning_test

import (
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

func TestARoleThatIsHeldIsNotDeletedWithoutAnother(t *testing.T) {
	t.Run("FC-47 people get another profile in the moment in which theirs is deleted", func(t *testing.T) {
		eachOn(t, "fentu-connect", func(t *testing.T, h *house) { deletesWithSuccessor(t, h) })
	})
	t.Run("a model without reassignment refuses until nobody holds the role", func(t *testing.T) {
		eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
			made := must[identity.RoleDefinition](t)(h.CreateRole(h.ctx, h.op, provisioning.RoleDraft{Title: "Planner", Grants: map[string][]string{"scheduling": {"view"}}}))
			ada := h.hire("ada@example.com", made.ID)
			_, err := h.DeleteRole(h.ctx, h.op, made.ID, "read_only", "")
			wantKind(t, err, identity.Conflict, "role_in_use")
			wantSentence(t, err, "One person holds Planner. Give this person another role first.")
			must[identity.User](t)(h.SetRoles(h.ctx, h.op, ada.ID, []identity.RoleID{"read_only"}, "moved"))
			must[int](t)(h.DeleteRole(h.ctx, h.op, made.ID, "", ""))
			_, err = h.Role(h.ctx, h.op, made.ID, identity.Query{})
			wantKind(t, err, identity.NotFound, "")
		})
	})
}

func deletesWithSuccessor(t *testing.T, h *house) {
	ada, bob, gone := h.hire("ada@example.com", "integration_manager"), h.hire("bob@example.com", "integration_manager"), h.hire("gone@example.com", "integration_manager")
	if err := h.DeleteUser(h.ctx, h.op, gone.ID, 0); err != nil {
		t.Fatal(err)
	}
	_, err := h.DeleteRole(h.ctx, h.op, "integration_manager", "", "")
	wantKind(t, err, identity.Conflict, "role_in_use")
	wantSentence(t, err, "3 people hold Integration Manager (1 of them deleted, who would come back with it). Name the role that they get instead.")
	for _, wrong := range []identity.RoleID{"integration_manager", "lost", "superadmin"} {
		_, err := h.DeleteRole(h.ctx, h.op, "integration_manager", wrong, "")
		wantKind(t, err, identity.Invalid, "")
	}
	if n := must[int](t)(h.DeleteRole(h.ctx, h.op, "integration_manager", "restricted", "no more credentials")); n != 3 {
		t.Errorf("%d got another role", n)
	}
	for _, id := range []identity.UserID{ada.ID, bob.ID} {
		if h.roles(id) != "restricted " || h.may(id, "connection_config", "view") {
			t.Errorf("the roles are %q", h.roles(id))
		}
	}
	back := must[identity.User](t)(h.RestoreUser(h.ctx, h.op, gone.ID))
	if h.roles(back.ID) != "restricted " {
		t.Errorf("who comes back has %q", h.roles(back.ID))
	}
	e := h.lastEvent(identity.RoleDeleted)
	if c := change(e, "people"); c.After != "No credentials" || e.Reason != "no more credentials" || change(e, "grants connection_config").Before == nil {
		t.Errorf("the event is %+v", e)
	}
	if e := h.lastEvent(identity.RoleAssigned); e.Reason != "the role Integration Manager was deleted: no more credentials" || change(e, "source").After != "manual" {
		t.Errorf("the event is %+v", e)
	}
	_, err = h.DeleteRole(h.ctx, h.op, "integration_manager", "", "")
	wantKind(t, err, identity.NotFound, "")
}

func TestARoleThatSomethingDependsOnStays(t *testing.T) {
	eachOn(t, "fentu-connect", func(t *testing.T, h *house) {
		_, err := h.DeleteRole(h.ctx, h.op, "viewer", "restricted", "")
		wantKind(t, err, identity.Forbidden, "role_in_use")
		wantSentence(t, err, "Viewer cannot be deleted: people whom nobody knows yet arrive with it.")
		_, err = h.DeleteRole(h.ctx, h.op, "administrator", "restricted", "")
		wantKind(t, err, identity.Forbidden, "last_administrator")
		h.connection("IdP", func(c *identity.Connection) { c.Options.Ceiling = []identity.RoleID{"restricted"} })
		_, err = h.DeleteRole(h.ctx, h.op, "restricted", "", "")
		wantKind(t, err, identity.Conflict, "role_needed")
		wantSentence(t, err, "The connection IdP gives No credentials; change its rules and its ceiling first.")
	})
	eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
		_, err := h.DeleteRole(h.ctx, h.op, "dispatcher", "", "")
		wantSentence(t, err, "Dispatcher is the role of the user type Dispatcher; give the type another one first.")
	})
}

func TestWhoDeletesARoleGivesNobodyMoreThanTheyHave(t *testing.T) {
	eachOn(t, "fentu-connect", func(t *testing.T, h *house) {
		d := draft("Profile manager")
		d.Grants["profiles"], d.ConfirmSensitive = []string{"view", "edit"}, []string{"profiles"}
		must[identity.RoleDefinition](t)(h.CreateRole(h.ctx, h.op, d))
		by := h.boss("p@example.com", "profile_manager")
		h.hire("ada@example.com", "integration_manager")
		_, err := h.DeleteRole(h.ctx, by, "integration_manager", "administrator", "")
		wantKind(t, err, identity.Forbidden, "escalation")
		wantSentence(t, err, "You may not give Administrator: it has the right users.read, which you do not have yourself.")
	})
}
