package authn

import (
	"context"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// keyPolicy is what holds now: the access model's word, and the roles that the installation chose instead.
func (s *Service) keyPolicy(ctx context.Context, tx *store.Tx) (identity.KeyPolicy, error) {
	p := s.modelKeys()
	roles, said, err := tx.KeyRoles(ctx)
	if said {
		p.Roles = roles
	}
	return p, err
}

// modelKeys is the access model's word. One that does not speak of keys lets the platform's roles have them: somebody must be able to connect applications.
func (s *Service) modelKeys() identity.KeyPolicy {
	k, ok := s.model.APIKeys()
	if ok {
		return identity.KeyPolicy{Enabled: true, Roles: k.Roles, Reveal: !k.RevealOnce, JWT: k.JWT, Age: k.Lifetime}
	}
	p := identity.KeyPolicy{Enabled: true, Roles: []identity.RoleID{}, JWT: true}
	for _, r := range s.model.Roles() {
		if r.Scope == identity.ScopePlatform {
			p.Roles = append(p.Roles, r.ID)
		}
	}
	return p
}

// KeyPolicy returns whose API keys work.
func (s *Service) KeyPolicy(ctx context.Context, by identity.Actor) (identity.KeyPolicy, error) {
	var p identity.KeyPolicy
	if by.Kind != identity.ActorUser && by.Kind != identity.ActorOperator && by.Kind != identity.ActorSystem {
		return p, identity.Errorf(identity.Forbidden, "A %s may not do this.", by.Kind)
	}
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		p, err = s.keyPolicy(ctx, tx)
		return err
	})
	return p, err
}

// KeyChoice is whose API keys the installation wants to work: those of some roles, of every role, or as the access model says.
type KeyChoice struct {
	Roles []identity.RoleID
	Every bool
	Model bool
}

// ChooseKeyRoles says whose API keys work, from the next call on: keys of other roles are kept and work again when they are chosen again. Super Admins only.
func (s *Service) ChooseKeyRoles(ctx context.Context, by identity.Actor, c KeyChoice, reason string) (identity.KeyPolicy, error) {
	var after identity.KeyPolicy
	above := by.Kind == identity.ActorOperator || by.Kind == identity.ActorUser && by.TenantID == "" && s.model.Allows(access.Who(by), "tenants.write").Allowed
	if !above {
		return after, identity.Errorf(identity.Forbidden, "Only a Super Admin may do this.")
	}
	for _, id := range c.Roles {
		if _, ok := s.model.Role(id); !ok {
			return after, identity.Errorf(identity.Invalid, "There is no role %q in the access model.", id).WithField("roles")
		}
	}
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		before, err := s.keyPolicy(ctx, tx)
		if err != nil {
			return err
		}
		if err := putChoice(ctx, tx, c); err != nil {
			return err
		}
		if after, err = s.keyPolicy(ctx, tx); err != nil {
			return err
		}
		e := identity.Event{
			Type: identity.KeyRolesChanged, ActorKind: by.Kind, ActorID: by.ID, ActorLabel: by.Label, Door: by.Door, RequestID: by.RequestID, IP: by.IP,
			ObjectKind: "policy", ObjectID: "api_keys", ObjectLabel: "API keys", Reason: reason,
		}
		e.Changes = []identity.Change{{Field: "roles", Before: roleWords(before), After: roleWords(after)}}
		return tx.InsertEvent(ctx, e)
	})
	return after, err
}

func putChoice(ctx context.Context, tx *store.Tx, c KeyChoice) error {
	switch {
	case c.Model:
		return tx.DeleteKeyRoles(ctx)
	case c.Every:
		return tx.PutKeyRoles(ctx, nil)
	}
	return tx.PutKeyRoles(ctx, slices.Clip(append([]identity.RoleID{}, c.Roles...)))
}

// roleWords names the roles of a policy for an event.
func roleWords(p identity.KeyPolicy) any {
	if p.Roles == nil {
		return "every role"
	}
	return p.Roles
}

// VerifyingKeys returns the public key that API keys are signed with, as a JWK set; an empty one before there is a key.
func (s *Service) VerifyingKeys(ctx context.Context) (jose.JSONWebKeySet, error) {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	err := s.db.View(ctx, func(tx *store.Tx) error {
		key, err := tx.VerifyingKey(ctx)
		if identity.KindOf(err) == identity.NotFound {
			return nil
		}
		if err == nil {
			set.Keys = append(set.Keys, jose.JSONWebKey{Key: key, Algorithm: string(jose.EdDSA), Use: "sig"})
		}
		return err
	})
	return set, err
}
