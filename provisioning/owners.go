package provisioning

import (
	"context"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// Ownership hands a tenant to one of its people.
type Ownership struct {
	Tenant  identity.TenantID
	User    identity.UserID
	OldRole identity.RoleID // what the owner until now becomes; needed where the tenant has one
	Reason  string          // needed, and kept with the events
}

// Owner returns who owns a tenant that the actor may see; a zero user when nobody does.
func (s *Service) Owner(ctx context.Context, by identity.Actor, tenant identity.TenantID) (identity.User, error) {
	t, err := s.Tenant(ctx, by, tenant)
	if err != nil {
		return identity.User{}, err
	}
	var owner identity.User
	err = s.db.View(ctx, func(tx *store.Tx) error {
		id, err := tx.Owner(ctx, t.ID)
		if err != nil || id == "" {
			return err
		}
		owner, err = tx.AnyUser(ctx, store.Everything(), id)
		return err
	})
	return owner, err
}

// TransferOwnership makes a person of a tenant its owner, in place of whoever was, who gets another role: the platform's act, since an owner is protected from
// everybody else's. Both lose the roles that they had, in one transaction. It returns the new owner; one who is the owner already changes nothing. Invalid where
// the access model has no owners, or the reason or the old owner's role is missing; Precondition when the person cannot come in.
func (s *Service) TransferOwnership(ctx context.Context, by identity.Actor, o Ownership) (identity.User, error) {
	if err := s.checkOwnership(by, &o); err != nil {
		return identity.User{}, err
	}
	var owner identity.User
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		if err := tx.Lock(ctx, "owner of "+string(o.Tenant)); err != nil {
			return err
		}
		t, err := tx.Tenant(ctx, store.Everything(), o.Tenant)
		if err != nil {
			return sharpen(err, noTenant)
		}
		was, err := tx.Owner(ctx, t.ID)
		if err != nil {
			return err
		}
		people, err := lockBoth(ctx, tx, o.User, was)
		if err != nil {
			return err
		}
		if owner = people[o.User]; owner.ID == "" || owner.DeletedAt != nil || owner.TenantID != t.ID {
			return noUser()
		}
		if was == owner.ID {
			return nil
		}
		return s.hand(ctx, tx, by, o, t, people[was], owner)
	})
	return owner, err
}

// checkOwnership refuses what needs no database to be refused.
func (s *Service) checkOwnership(by identity.Actor, o *Ownership) error {
	if err := s.platform(by); err != nil {
		return err
	}
	if _, ok := s.model.Owner(); !ok {
		return identity.Errorf(identity.Invalid, "Tenants have no owners in the access model %s.", s.model.Name()).WithCode("no_owners")
	}
	if o.Reason = strings.TrimSpace(o.Reason); o.Reason == "" || len(o.Reason) > 500 {
		return identity.Errorf(identity.Invalid, "Say why the tenant gets an owner, in at most 500 bytes.").WithField("reason")
	}
	if o.Tenant == "" || !validIDs(&o.Tenant) {
		return noTenant()
	}
	if o.User == "" || !validIDs(&o.User) {
		return noUser()
	}
	return nil
}

// lockBoth locks people, deleted or not, in the order of their ids; an empty id and an unknown person are left out.
func lockBoth(ctx context.Context, tx *store.Tx, ids ...identity.UserID) (map[identity.UserID]identity.User, error) {
	out := map[identity.UserID]identity.User{}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if id == "" {
			continue
		}
		u, err := tx.AnyUserForUpdate(ctx, store.Everything(), id)
		if identity.KindOf(err) == identity.NotFound {
			continue
		}
		if err != nil {
			return out, err
		}
		out[id] = u
	}
	return out, nil
}

// hand makes the change: the new owner gets the owner's role, and the old one another.
func (s *Service) hand(ctx context.Context, tx *store.Tx, by identity.Actor, o Ownership, t identity.Tenant, was, owner identity.User) error {
	if !owner.Enabled {
		return identity.Errorf(identity.Precondition, "%s cannot come in; an owner must. Activate the person first.", owner.Label())
	}
	rule, _ := s.model.Owner()
	events := []identity.Event{}
	if was.ID != "" {
		if o.OldRole == "" {
			return identity.Errorf(identity.Invalid, "%s owns the tenant; say which role the old owner gets.", was.Label()).WithField("old owner role")
		}
		if err := s.checkRole(ctx, tx, by, o.OldRole, t.ID); err != nil {
			return err
		}
		given, err := s.becomes(ctx, tx, by, was, o.OldRole, o.Reason)
		if err != nil {
			return err
		}
		events = append(events, given...)
	}
	given, err := s.becomes(ctx, tx, by, owner, rule.Role, o.Reason)
	if err != nil {
		return err
	}
	return s.own(ctx, tx, by, t, was, owner, o.Reason, append(events, given...))
}

// own writes who owns a tenant, with the events.
func (s *Service) own(ctx context.Context, tx *store.Tx, by identity.Actor, t identity.Tenant, was, owner identity.User, reason string, events []identity.Event) error {
	e := about(by, identity.TenantHanded, owner)
	e.TenantID, e.ObjectKind, e.ObjectID, e.ObjectLabel, e.Reason = t.ID, "tenant", string(t.ID), t.Name, reason
	e.Changes = []identity.Change{{Field: "owner", Before: orNil(was.Label()), After: owner.Label()}}
	if err := tx.SetOwner(ctx, t.ID, owner.ID); err != nil {
		return err
	}
	return tx.InsertEvent(ctx, append(events, e)...)
}

// becomes makes a role the only one that somebody has, and returns the events.
func (s *Service) becomes(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, role identity.RoleID, reason string) ([]identity.Event, error) {
	held, err := tx.Assignments(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	if err := s.keepAdministrators(ctx, tx, departure{User: u, Roles: lacking(roleIDs(held), []identity.RoleID{role})}); err != nil {
		return nil, err
	}
	var events []identity.Event
	for _, a := range held {
		e, err := s.unassign(ctx, tx, by, u, a, reason)
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	e, err := s.assign(ctx, tx, by, u, role, identity.SourceManual, reason)
	return append(events, e), err
}

// found gives a new tenant to the person who registered it, who has no role yet.
func (s *Service) found(ctx context.Context, tx *store.Tx, by identity.Actor, t identity.Tenant, owner identity.User, reason string) error {
	rule, ok := s.model.Owner()
	if !ok {
		return identity.Errorf(identity.Invalid, "Tenants have no owners in the access model %s.", s.model.Name()).WithCode("no_owners")
	}
	given, err := s.assign(ctx, tx, by, owner, rule.Role, identity.SourceManual, reason)
	if err != nil {
		return err
	}
	return s.own(ctx, tx, by, t, identity.User{}, owner, reason, []identity.Event{given})
}
