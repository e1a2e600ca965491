package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// The capabilities that the access model binds its permissions to.
const (
	usersRead    = "users.read"
	usersWrite   = "users.write"
	tenantsWrite = "tenants.write"
	auditRead    = "audit.read"
)

// trusted reports whether the actor stands above the access model: the operator with the database in hand, and Drawbridge itself.
func trusted(by identity.Actor) bool {
	return by.Kind == identity.ActorOperator || by.Kind == identity.ActorSystem
}

// scopeFor returns what the actor may see with a capability, or Forbidden. A directory has its scope without asking the model.
func (s *Service) scopeFor(by identity.Actor, capability string) (store.Scope, error) {
	switch {
	case trusted(by):
		return store.Everything(), nil
	case by.Kind == identity.ActorDirectory && (capability == usersRead || capability == usersWrite):
		return store.OfDirectory(by.DirectoryID(), by.TenantID), nil
	case by.Kind == identity.ActorUser:
		d := s.model.Allows(access.Who(by), capability)
		if !d.Allowed {
			return store.Scope{}, identity.Errorf(identity.Forbidden, "You may not do this: it needs the right %s. %s", capability, d.Reason)
		}
		if by.TenantID == "" {
			return store.Everything(), nil
		}
		return store.OfTenant(by.TenantID), nil
	}
	return store.Scope{}, identity.Errorf(identity.Forbidden, "A %s may not do this.", by.Kind)
}

// May says whether an actor has a capability, as far as the access model goes, and why. It is for showing; every method asks again for itself.
func (s *Service) May(by identity.Actor, capability string) access.Decision {
	return s.model.Allows(access.Who(by), capability)
}

// platform refuses everybody who does not run the installation.
func (s *Service) platform(by identity.Actor) error {
	_, err := s.scopeFor(by, tenantsWrite)
	if err == nil && by.Kind == identity.ActorUser && by.TenantID != "" {
		err = identity.Errorf(identity.Forbidden, "Only a Super Admin may do this.")
	}
	return err
}

// privileged reports whether a user may manage people or stands above all tenants: nobody takes over such an account by an e-mail address or a push. It is the
// one place that says so: whatever else makes an account worth more than its roles, such as keys for programs, belongs here.
func (s *Service) privileged(ctx context.Context, tx *store.Tx, u identity.User) (bool, error) {
	if u.TenantID == "" {
		return true, nil
	}
	roles, err := tx.Assignments(ctx, u.ID)
	for _, a := range roles {
		if s.model.Privileged(a.RoleID) {
			return true, nil
		}
	}
	if _, flags := s.model.AdminFlag(); err != nil || !flags {
		return false, err
	}
	return tx.Administrator(ctx, u.ID)
}

func (s *Service) roleTitle(id identity.RoleID) string {
	if r, ok := s.model.Role(id); ok {
		return r.Title
	}
	return string(id)
}
