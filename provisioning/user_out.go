package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// loadOut reads who keeps a person out, or what locked the account.
func loadOut(ctx context.Context, tx *store.Tx, u identity.User) (*identity.Event, error) {
	switch {
	case u.DeletedAt != nil:
		return lastEvent(ctx, tx, u.ID, identity.UserDeleted)
	case !u.Enabled:
		return lastEvent(ctx, tx, u.ID, identity.UserDeactivated, identity.UserTermsChanged, identity.UserUpdated, identity.UserCreated)
	case u.LockedAt != nil || u.LockedUntil != nil:
		return lastEvent(ctx, tx, u.ID, identity.UserLocked, identity.PasswordLocked)
	}
	return nil, nil
}

// lastEvent returns the newest event about a person of some types, nil when there is none. Of an update only one that says who keeps the person out counts.
func lastEvent(ctx context.Context, tx *store.Tx, id identity.UserID, types ...identity.EventType) (*identity.Event, error) {
	const looked = 20
	page, err := tx.Events(ctx, store.Everything(), EventQuery{UserID: id, Types: types, Limit: looked})
	for i, e := range page.Items {
		if saysOut(e) {
			return &page.Items[i], err
		}
	}
	return nil, err
}

func saysOut(e identity.Event) bool {
	if e.Type != identity.UserUpdated {
		return true
	}
	for _, c := range e.Changes {
		if c.Field == "kept out by" || c.Field == "active" || c.Field == "held" {
			return true
		}
	}
	return false
}

// Gone is somebody who was deleted and can be brought back.
type Gone struct {
	User   identity.User
	Tenant identity.Tenant
	Out    *identity.Event // who deleted the person, when and why; nil when nothing tells any more
}

// DeletedUser returns somebody who was deleted and of whom a record is left, or NotFound. It needs the right to change users.
func (s *Service) DeletedUser(ctx context.Context, by identity.Actor, id identity.UserID) (Gone, error) {
	var g Gone
	scope, err := s.scopeFor(by, usersWrite)
	if err != nil {
		return g, err
	}
	if by.Kind == identity.ActorDirectory || id == "" || !validIDs(&id) {
		return g, noUser()
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		u, err := tx.AnyUser(ctx, scope, id)
		if err != nil {
			return err
		}
		if u.DeletedAt == nil {
			return noUser()
		}
		g.User = u
		if u.TenantID != "" {
			if g.Tenant, err = tx.Tenant(ctx, store.Everything(), u.TenantID); err != nil {
				return err
			}
		}
		g.Out, err = loadOut(ctx, tx, u)
		return err
	})
	return g, sharpen(err, noUser)
}
