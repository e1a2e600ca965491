package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// Roles returns the roles of the access model.
func (s *Service) Roles(_ context.Context, by identity.Actor) ([]identity.Role, error) {
	if _, err := s.scopeFor(by, usersRead); err != nil {
		return nil, err
	}
	return s.model.Roles(), nil
}

// AssignableRoles returns the roles that the actor may give to users of a tenant; an empty tenant means users of the platform.
func (s *Service) AssignableRoles(_ context.Context, by identity.Actor, tenant identity.TenantID) ([]identity.Role, error) {
	if _, err := s.scopeFor(by, usersWrite); err != nil {
		return nil, err
	}
	var out []identity.Role
	for _, r := range s.model.Roles() {
		if (r.Scope == identity.ScopePlatform) == (tenant == "") && s.model.Assignable(r.ID) && s.mayAssign(by, tenant) == nil && mayGive(s.model, by, r.ID) == nil {
			out = append(out, r)
		}
	}
	return out, nil
}

func (s *Service) mayAssign(by identity.Actor, tenant identity.TenantID) error {
	within := by.TenantID == "" || by.TenantID == tenant && tenant != ""
	if trusted(by) || by.Kind == identity.ActorUser && within {
		return nil
	}
	if by.Kind == identity.ActorDirectory && within && tenant != "" {
		return nil // what an administrator wrote into the rules of its source; mayGive keeps it from making administrators
	}
	return identity.Errorf(identity.Forbidden, "You may not give roles there.").WithField("role")
}

// mayGive refuses to give a role with which somebody could do more here than the actor, who is below the platform: manage people or roles, read the audit.
// What a role grants in the application is no matter: who manages people gives roles that they do not need themselves.
func mayGive(m *access.Model, by identity.Actor, id identity.RoleID) error {
	if ofPlatform(by) {
		return nil
	}
	for _, capability := range administrative {
		if m.Allows(access.Subject{Roles: []identity.RoleID{id}}, capability).Allowed && !m.Allows(access.Who(by), capability).Allowed {
			role, _ := m.Role(id)
			return identity.Errorf(identity.Forbidden, "You may not give %s: it has the right %s, which you do not have yourself.", role.Title, capability).WithField("role").WithCode("escalation")
		}
	}
	return nil
}

// checkRole refuses a role that does not exist, does not fit the tenant (a platform role needs a user without one, every other role a
// user with one), or that the actor may not give.
func (s *Service) checkRole(ctx context.Context, tx *store.Tx, by identity.Actor, id identity.RoleID, tenant identity.TenantID) error {
	if err := s.fits(id, tenant); err != nil {
		return err
	}
	if !s.model.Assignable(id) {
		return identity.Errorf(identity.Invalid, "%s is given by no administrator in the access model %s.", s.roleTitle(id), s.model.Name()).WithField("role")
	}
	if err := s.mayAssign(by, tenant); err != nil {
		return err
	}
	if err := mayGive(s.model, by, id); err != nil {
		return err
	}
	if tenant == "" {
		return nil
	}
	_, err := tx.Tenant(ctx, store.Everything(), tenant)
	return sharpen(err, noTenant)
}

// assign writes an assignment and returns its event.
func (s *Service) assign(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, role identity.RoleID, source identity.SourceKind, reason string) (identity.Event, error) {
	a := assignment(tx, by, u, role, source, reason)
	return s.roleEvent(by, identity.RoleAssigned, u, a, reason), tx.InsertAssignment(ctx, a)
}

// unassign takes an assignment away and returns its event.
func (s *Service) unassign(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, a identity.Assignment, reason string) (identity.Event, error) {
	return s.roleEvent(by, identity.RoleRemoved, u, a, reason), tx.DeleteAssignment(ctx, a.ID)
}

// roleEvent is the event of a role that somebody got or lost.
func (s *Service) roleEvent(by identity.Actor, kind identity.EventType, u identity.User, a identity.Assignment, reason string) identity.Event {
	e := about(by, kind, u)
	e.Reason = reason
	if kind == identity.RoleAssigned {
		e.Changes = []identity.Change{{Field: "role", After: s.roleTitle(a.RoleID)}, {Field: "source", After: a.Source}}
	} else {
		e.Changes = []identity.Change{{Field: "role", Before: s.roleTitle(a.RoleID)}, {Field: "source", Before: a.Source}}
	}
	return e
}

// assignment returns a role for somebody.
func assignment(tx *store.Tx, by identity.Actor, u identity.User, role identity.RoleID, source identity.SourceKind, reason string) identity.Assignment {
	if reason == "" && by.Kind == identity.ActorDirectory {
		reason = "pushed by the directory " + by.Label
	}
	return identity.Assignment{
		ID: identity.NewID[identity.AssignmentID](), UserID: u.ID, RoleID: role, Application: identity.DefaultApplication,
		Source: source, Reason: reason, GrantedBy: by.Label, CreatedAt: tx.Now(),
	}
}
