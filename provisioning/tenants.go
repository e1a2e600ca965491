package provisioning

import (
	"context"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

func noTenant() *identity.Error {
	return identity.Errorf(identity.NotFound, "There is no such tenant.").WithField("tenant")
}

// Tenants returns a page of the tenants that the actor may see, with the number of their users.
func (s *Service) Tenants(ctx context.Context, by identity.Actor, q identity.Query) (identity.Page[identity.Tenant], error) {
	var page identity.Page[identity.Tenant]
	scope, err := s.scopeFor(by, usersRead)
	if err != nil {
		return page, err
	}
	q.After = cursor(q.After)
	err = s.db.View(ctx, func(tx *store.Tx) error {
		page, err = tx.Tenants(ctx, scope, q)
		return err
	})
	return page, err
}

// Tenant returns a tenant that the actor may see, or NotFound.
func (s *Service) Tenant(ctx context.Context, by identity.Actor, id identity.TenantID) (identity.Tenant, error) {
	if id == "" || !validIDs(&id) {
		return identity.Tenant{}, noTenant()
	}
	return s.tenant(ctx, by, func(tx *store.Tx, scope store.Scope) (identity.Tenant, error) { return tx.Tenant(ctx, scope, id) })
}

// TenantByName returns a tenant that the actor may see by its name in any case, or NotFound.
func (s *Service) TenantByName(ctx context.Context, by identity.Actor, name string) (identity.Tenant, error) {
	return s.tenant(ctx, by, func(tx *store.Tx, scope store.Scope) (identity.Tenant, error) {
		return tx.TenantByName(ctx, scope, name)
	})
}

func (s *Service) tenant(ctx context.Context, by identity.Actor, read func(*store.Tx, store.Scope) (identity.Tenant, error)) (identity.Tenant, error) {
	scope, err := s.scopeFor(by, usersRead)
	if err != nil {
		return identity.Tenant{}, err
	}
	var t identity.Tenant
	err = s.db.View(ctx, func(tx *store.Tx) error {
		t, err = read(tx, scope)
		return err
	})
	return t, sharpen(err, noTenant)
}

// CreateTenant creates a tenant. A name that is taken is a Conflict.
func (s *Service) CreateTenant(ctx context.Context, by identity.Actor, name string) (identity.Tenant, error) {
	var t identity.Tenant
	if err := s.platform(by); err != nil {
		return t, err
	}
	name = strings.TrimSpace(name)
	if name == "" || len(name) > 200 {
		return t, identity.Errorf(identity.Invalid, "A tenant needs a name of at most 200 bytes.").WithField("name")
	}
	if s.model.Single() {
		return t, identity.Errorf(identity.Forbidden, "This installation has one tenant, %s: the access model %s is for one organisation.", s.model.MainTenant(), s.model.Name()).WithCode("single_tenant")
	}
	err := s.db.Update(ctx, func(tx *store.Tx) (err error) {
		t, err = s.insertTenant(ctx, tx, by, name)
		return err
	})
	return t, sharpen(err, func() *identity.Error { return nameTaken("tenant", name) })
}

// insertTenant writes a new tenant with its event.
func (s *Service) insertTenant(ctx context.Context, tx *store.Tx, by identity.Actor, name string) (identity.Tenant, error) {
	t := identity.Tenant{ID: identity.NewID[identity.TenantID](), Name: name, CreatedAt: tx.Now()}
	if err := s.writeTenant(ctx, tx, t); err != nil {
		return t, err
	}
	e := event(by, identity.TenantCreated)
	e.TenantID, e.ObjectKind, e.ObjectID, e.ObjectLabel = t.ID, "tenant", string(t.ID), t.Name
	return t, tx.InsertEvent(ctx, e)
}

// writeTenant writes a new tenant with what every tenant has from its first moment on.
func (s *Service) writeTenant(ctx context.Context, tx *store.Tx, t identity.Tenant) error {
	if err := tx.InsertTenant(ctx, t); err != nil {
		return err
	}
	root, ok := s.model.RootUnit()
	if !ok {
		return nil
	}
	return tx.SeedRoot(ctx, t.ID, root)
}

// MainTenant returns the one tenant of an installation that has one; NotFound in others.
func (s *Service) MainTenant(ctx context.Context) (identity.Tenant, error) {
	var t identity.Tenant
	if !s.model.Single() {
		return t, noTenant()
	}
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		t, err = tx.MainTenant(ctx)
		return err
	})
	return t, sharpen(err, noTenant)
}

// homeByDefault gives a person the one tenant of an installation that has one, where no tenant was named and the role is one within a tenant.
func (s *Service) homeByDefault(ctx context.Context, tx *store.Tx, role identity.RoleID, u *identity.User) error {
	r, ok := s.model.Role(role)
	if u.TenantID != "" || !s.model.Single() || !ok || r.Scope != identity.ScopeTenant {
		return nil
	}
	main, err := tx.MainTenant(ctx)
	u.TenantID = main.ID
	return sharpen(err, noTenant)
}

func nameTaken(what, name string) *identity.Error {
	return identity.Errorf(identity.Conflict, "There is already a %s named %q.", what, name).WithField("name")
}

// Landing returns the tenant in which unknown people arrive.
func (s *Service) Landing(ctx context.Context) (identity.Tenant, error) {
	var t identity.Tenant
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		t, err = tx.LandingTenant(ctx)
		return err
	})
	return t, err
}

// landingID returns the id of the landing tenant, which never changes and is therefore asked for once.
func (s *Service) landingID(ctx context.Context, tx *store.Tx) (identity.TenantID, error) {
	if id := s.landing.Load(); id != nil {
		return *id, nil
	}
	t, err := tx.LandingTenant(ctx)
	if err == nil {
		s.landing.Store(&t.ID)
	}
	return t.ID, err
}

// household refuses everybody who may not change what is one for the whole installation: the platform may, and in an installation of one tenant whoever may
// write users there.
func (s *Service) household(ctx context.Context, by identity.Actor) error {
	return s.householdOf(by, func() (identity.TenantID, error) { return s.mainID(ctx) })
}

// householdWithin is household within a transaction.
func (s *Service) householdWithin(ctx context.Context, tx *store.Tx, by identity.Actor) error {
	return s.householdOf(by, func() (identity.TenantID, error) {
		t, err := tx.MainTenant(ctx)
		return t.ID, err
	})
}

func (s *Service) householdOf(by identity.Actor, one func() (identity.TenantID, error)) error {
	if by.Kind != identity.ActorUser || by.TenantID == "" || !s.model.Single() {
		return s.platform(by)
	}
	main, err := one()
	if err != nil {
		return err
	}
	if by.TenantID != main {
		return s.platform(by)
	}
	_, err = s.byHand(by)
	return err
}

// mayTake hides from the administrators of the one tenant everybody who is neither theirs nor waits to be placed.
func (s *Service) mayTake(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User) error {
	if trusted(by) || by.TenantID == "" || u.TenantID == by.TenantID {
		return nil
	}
	landing, err := s.landingID(ctx, tx)
	if err == nil && u.TenantID != landing {
		err = noUser()
	}
	return err
}

// mainID returns the id of the one tenant of an installation that has one. It never changes and is asked for once.
func (s *Service) mainID(ctx context.Context) (identity.TenantID, error) {
	if id := s.main.Load(); id != nil {
		return *id, nil
	}
	t, err := s.MainTenant(ctx)
	if err == nil {
		s.main.Store(&t.ID)
	}
	return t.ID, err
}
