package provisioning

import (
	"context"

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
		if (r.Scope == identity.ScopePlatform) == (tenant == "") && s.model.Assignable(r.ID) && s.mayAssign(by, tenant) == nil {
			out = append(out, r)
		}
	}
	return out, nil
}

func (s *Service) mayAssign(by identity.Actor, tenant identity.TenantID) error {
	if trusted(by) || by.Kind == identity.ActorUser && (by.TenantID == "" || by.TenantID == tenant && tenant != "") {
		return nil
	}
	return identity.Errorf(identity.Forbidden, "You may not give roles there.").WithField("role")
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
	if tenant == "" {
		return nil
	}
	_, err := tx.Tenant(ctx, store.Everything(), tenant)
	return sharpen(err, noTenant)
}

// assign writes an assignment and returns its event.
func (s *Service) assign(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, role identity.RoleID, source identity.SourceKind, reason string) (identity.Event, error) {
	a := assignment(tx, by, u, role, source, reason)
	e := about(by, identity.RoleAssigned, u)
	e.Reason = reason
	e.Changes = []identity.Change{{Field: "role", After: s.roleTitle(role)}, {Field: "source", After: source}}
	return e, tx.InsertAssignment(ctx, a)
}

// unassign takes an assignment away and returns its event.
func (s *Service) unassign(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, a identity.Assignment, reason string) (identity.Event, error) {
	e := about(by, identity.RoleRemoved, u)
	e.Reason = reason
	e.Changes = []identity.Change{{Field: "role", Before: s.roleTitle(a.RoleID)}, {Field: "source", Before: a.Source}}
	return e, tx.DeleteAssignment(ctx, a.ID)
}

// assignment returns a role for somebody.
func assignment(tx *store.Tx, by identity.Actor, u identity.User, role identity.RoleID, source identity.SourceKind, reason string) identity.Assignment {
	return identity.Assignment{
		ID: identity.NewID[identity.AssignmentID](), UserID: u.ID, RoleID: role, Application: identity.DefaultApplication,
		Source: source, Reason: reason, GrantedBy: by.Label, CreatedAt: tx.Now(),
	}
}
