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
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		t = identity.Tenant{ID: identity.NewID[identity.TenantID](), Name: name, CreatedAt: tx.Now()}
		if err := tx.InsertTenant(ctx, t); err != nil {
			return err
		}
		e := event(by, identity.TenantCreated)
		e.TenantID, e.ObjectKind, e.ObjectID, e.ObjectLabel = t.ID, "tenant", string(t.ID), t.Name
		return tx.InsertEvent(ctx, e)
	})
	return t, sharpen(err, func() *identity.Error { return nameTaken("tenant", name) })
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
