package authn

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// CapabilityCall is what a role needs for Drawbridge's own API. A role for programs that lacks it calls the applications only.
const CapabilityCall = "api.call"

const (
	maxKeys    = 20   // live API keys of one person
	maxKeyText = 2048 // the longest text in bytes that is looked at as a key
	keysListed = 200
)

// Call is one request of a program with an API key.
type Call struct {
	Key   identity.APIKey
	User  identity.User  // with roles
	Actor identity.Actor // Kind user, the roles as they are now, Door "api"
}

// CreateAPIKey makes a key for a person and returns it: one's own, or with the right to write users somebody else's. One that is replaced, the
// person's too, is revoked in the same transaction. Forbidden, with a code, when the person's roles have no keys or the person may not come in;
// Precondition while an invitation is open.
func (s *Service) CreateAPIKey(ctx context.Context, by identity.Actor, user identity.UserID, name string, replaces identity.APIKeyID) (identity.APIKey, string, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > 100 || clean(name, 100) != name {
		return identity.APIKey{}, "", identity.Errorf(identity.Invalid, "A key needs a name of at most 100 characters that says what it is for.").WithField("name")
	}
	var k identity.APIKey
	var secret string
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := s.person(ctx, tx, by, user, usersWrite)
		if err != nil {
			return err
		}
		policy, err := s.mayHaveKey(ctx, tx, u)
		if err != nil {
			return err
		}
		if replaces != "" {
			old, err := s.keyOf(ctx, tx, u.ID, replaces)
			if err != nil {
				return err
			}
			if err := s.endKey(ctx, tx, by, u, old, "replaced by a new one"); err != nil {
				return err
			}
		}
		k, secret, err = s.issueKey(ctx, tx, by, u, name, policy)
		return err
	})
	return k, secret, err
}

// issueKey signs and writes a key.
func (s *Service) issueKey(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, name string, policy identity.KeyPolicy) (identity.APIKey, string, error) {
	k := identity.APIKey{
		ID: identity.NewID[identity.APIKeyID](), Application: identity.DefaultApplication, UserID: u.ID, Name: name, Revealable: policy.Reveal,
		CreatedBy: by.Label, CreatedAt: tx.Now(),
	}
	secret := identity.NewSecret("dbk_")
	if policy.JWT {
		var err error
		if secret, err = signKey(ctx, tx, k); err != nil {
			return k, "", err
		}
	}
	k.Hint = secret[len(secret)-6:]
	if err := tx.InsertAPIKey(ctx, k, secret); err != nil {
		return k, "", err
	}
	e := eventBy(by, identity.APIKeyCreated, u)
	e.ObjectKind, e.ObjectID, e.ObjectLabel = "api_key", string(k.ID), k.Name
	e.Changes = []identity.Change{{Field: "name", After: k.Name}, {Field: "hint", After: k.Hint}}
	return k, secret, tx.InsertEvent(ctx, e)
}

// signKey returns a key as a JWT (RFC 7519) without an end: its jti is what makes it work, and what ends it.
func signKey(ctx context.Context, tx *store.Tx, k identity.APIKey) (string, error) {
	private, err := tx.SigningKey(ctx)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: private}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: "drawbridge", Subject: string(k.UserID), Audience: jwt.Audience{k.Application}, ID: string(k.ID), IssuedAt: jwt.NewNumericDate(k.CreatedAt),
	}).Serialize()
}

// mayHaveKey says whether a key of this person would work, and if not why.
func (s *Service) mayHaveKey(ctx context.Context, tx *store.Tx, u identity.User) (identity.KeyPolicy, error) {
	roles, err := s.rightsOf(ctx, tx, &u)
	if err != nil {
		return identity.KeyPolicy{}, err
	}
	policy, err := s.keyPolicy(ctx, tx)
	if err != nil {
		return policy, err
	}
	if v, err := s.keyStanding(ctx, tx, u, roles, policy); err != nil {
		return policy, err
	} else if v.refused() {
		return policy, identity.Errorf(identity.Forbidden, "%s can have no API key: %s", u.Label(), v.why).WithCode(v.code)
	}
	live, err := tx.APIKeys(ctx, u.ID, keysListed)
	if err != nil {
		return policy, err
	}
	n := 0
	for _, k := range live {
		if k.RevokedAt == nil {
			n++
		}
	}
	if n >= maxKeys {
		return policy, identity.Errorf(identity.TooMany, "%s has %d API keys already; revoke one that is not needed.", u.Label(), n).WithCode("api_key.too_many")
	}
	return policy, nil
}

// keyStanding judges whether a person's keys work now. A lock after wrong passwords does not stop them: it would let a stranger stop somebody's programs.
func (s *Service) keyStanding(ctx context.Context, tx *store.Tx, u identity.User, roles []identity.RoleID, policy identity.KeyPolicy) (verdict, error) {
	switch {
	case u.DeletedAt != nil:
		return verdict{"user.deleted", "The user is deleted."}, nil
	case !u.Enabled:
		return verdict{"user.inactive", "The user is deactivated."}, nil
	case !policy.Allows(roles):
		return verdict{"role_not_allowed", "API keys are switched off for the user's role."}, nil
	}
	v, err := s.local(ctx, tx, u)
	if err != nil || v.refused() {
		return v, err
	}
	return s.joined(ctx, tx, u)
}

// CheckKey returns who calls with this key. Unauthenticated, with one message for all and the reason as Cause, when nobody does: an unknown or
// revoked key, a deactivated user, a role whose keys are switched off. Forbidden with the code "role_not_allowed" for
// a role that may call the applications only: it is Drawbridge's own API that is called. TooMany after a hundred wrong keys of one address in a quarter of an hour.
func (s *Service) CheckKey(ctx context.Context, key, ip string) (Call, error) {
	if err := s.keys.take(ip, time.Now()); err != nil {
		return Call{}, err
	}
	c, err := s.callWith(ctx, key)
	if identity.KindOf(err) != identity.Unauthenticated {
		s.keys.done(ip)
	}
	if err != nil {
		return c, err
	}
	if d := s.model.Allows(access.Who(c.Actor), CapabilityCall); !d.Allowed {
		return Call{}, identity.Errorf(identity.Forbidden, "This key may not call Drawbridge's own API: %s.", d.Reason).WithCode("role_not_allowed")
	}
	return c, nil
}

// InspectKey returns who calls with a key that was given to the application of an actor, who needs the right to see users. A key of somebody out of the actor's
// sight is Unauthenticated like one that does not work.
func (s *Service) InspectKey(ctx context.Context, by identity.Actor, key string) (Call, error) {
	trusted := by.Kind == identity.ActorOperator || by.Kind == identity.ActorSystem
	if d := s.model.Allows(access.Who(by), usersRead); !d.Allowed && !trusted {
		return Call{}, identity.Errorf(identity.Forbidden, "Whose key it is may be asked by who may see users: %s.", d.Reason).WithCode("role_not_allowed")
	}
	c, err := s.callWith(ctx, key)
	if err == nil && by.TenantID != "" && by.TenantID != c.User.TenantID {
		return Call{}, badKey(fmt.Errorf("key %s belongs to another tenant", c.Key.ID))
	}
	return c, err
}

func (s *Service) callWith(ctx context.Context, key string) (Call, error) {
	if key == "" || len(key) > maxKeyText {
		return Call{}, badKey(errors.New("no key, or one of a wrong length"))
	}
	var c Call
	var touch bool
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		if err = s.model.Refresh(ctx, tx); err != nil {
			return err
		}
		c, err = s.call(ctx, tx, identity.HashSecret(key))
		touch = err == nil && (c.Key.LastUsedAt == nil || tx.Now().Sub(*c.Key.LastUsedAt) >= touchEvery)
		return err
	})
	if err != nil || !touch {
		return c, err
	}
	return c, s.db.Update(ctx, func(tx *store.Tx) error { return tx.TouchAPIKey(ctx, c.Key.ID, tx.Now()) })
}

// call finds who calls. The hash is of the whole key, so a JWT that says anything else than what was signed is unknown.
func (s *Service) call(ctx context.Context, tx *store.Tx, hash []byte) (Call, error) {
	k, err := tx.APIKeyByHash(ctx, hash)
	if identity.KindOf(err) == identity.NotFound {
		return Call{}, badKey(errors.New("there is no such key"))
	}
	if err != nil {
		return Call{}, err
	}
	if k.RevokedAt != nil {
		return Call{}, badKey(fmt.Errorf("key %s was revoked at %s", k.ID, k.RevokedAt.Format(time.RFC3339)))
	}
	u, err := tx.User(ctx, store.Everything(), k.UserID)
	if identity.KindOf(err) == identity.NotFound {
		return Call{}, badKey(fmt.Errorf("key %s: its user is deleted", k.ID))
	}
	if err != nil {
		return Call{}, err
	}
	roles, err := s.rightsOf(ctx, tx, &u)
	if err != nil {
		return Call{}, err
	}
	policy, err := s.keyPolicy(ctx, tx)
	if err != nil {
		return Call{}, err
	}
	v, err := s.keyStanding(ctx, tx, u, roles, policy)
	if err != nil {
		return Call{}, err
	}
	if v.refused() {
		return Call{}, badKey(fmt.Errorf("key %s: %s: %s", k.ID, v.code, v.why))
	}
	if end := k.CreatedAt.Add(policy.Age); policy.Age > 0 && !tx.Now().Before(end) {
		return Call{}, badKey(fmt.Errorf("key %s ended at %s", k.ID, end.Format(time.RFC3339)))
	}
	return Call{Key: k, User: s.withRoles(u, roles), Actor: self(u, roles, "api")}, nil
}

func badKey(cause error) error {
	return identity.Errorf(identity.Unauthenticated, "The API key is not valid, or not any more. Make a new one in My Account, or ask an administrator.").WithCode("api_key.invalid").WithCause(cause)
}

// APIKeys returns a person's keys, newest first, revoked ones too: one's own, or with the right to read users somebody else's.
func (s *Service) APIKeys(ctx context.Context, by identity.Actor, user identity.UserID) ([]identity.APIKey, error) {
	var out []identity.APIKey
	err := s.db.View(ctx, func(tx *store.Tx) error {
		u, err := s.person(ctx, tx, by, user, usersRead)
		if err != nil {
			return err
		}
		out, err = tx.APIKeys(ctx, u.ID, keysListed)
		return err
	})
	return out, err
}

// APIKey returns a key of oneself, or with the right to write users of somebody else.
func (s *Service) APIKey(ctx context.Context, by identity.Actor, id identity.APIKeyID) (identity.APIKey, error) {
	var out identity.APIKey
	err := s.withKey(ctx, by, id, func(_ *store.Tx, _ identity.User, k identity.APIKey) error {
		out = k
		return nil
	})
	return out, err
}

// RevealAPIKey shows a key again, which is written down: one's own, or with the right to write users somebody else's. Precondition where keys are shown once.
func (s *Service) RevealAPIKey(ctx context.Context, by identity.Actor, id identity.APIKeyID) (string, error) {
	var secret string
	err := s.withKey(ctx, by, id, func(tx *store.Tx, u identity.User, k identity.APIKey) error {
		policy, err := s.keyPolicy(ctx, tx)
		if err != nil {
			return err
		}
		secret, err = tx.APIKeySecret(ctx, k.ID)
		if identity.KindOf(err) == identity.NotFound || err == nil && !policy.Reveal {
			secret = ""
			return identity.Errorf(identity.Precondition, "This key was shown when it was made, and cannot be shown again. Make a new one in its place.").WithCode("api_key.shown_once")
		}
		if err != nil {
			return err
		}
		return tx.InsertEvent(ctx, keyEvent(by, identity.APIKeyRevealed, u, k))
	})
	return secret, err
}

// RevokeAPIKey ends a key at once and for good: one's own, or with the right to write users somebody else's.
func (s *Service) RevokeAPIKey(ctx context.Context, by identity.Actor, id identity.APIKeyID, reason string) error {
	return s.withKey(ctx, by, id, func(tx *store.Tx, u identity.User, k identity.APIKey) error {
		return s.endKey(ctx, tx, by, u, k, reason)
	})
}

func (s *Service) endKey(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, k identity.APIKey, reason string) error {
	if err := tx.RevokeAPIKey(ctx, k.ID); err != nil {
		return noKeyIf(err)
	}
	e := keyEvent(by, identity.APIKeyRevoked, u, k)
	e.Reason = reason
	return tx.InsertEvent(ctx, e)
}

// endKeysWithPassword revokes the keys of somebody whose password changes, where the access model does not let them survive that.
func (s *Service) endKeysWithPassword(ctx context.Context, tx *store.Tx, u identity.User) error {
	if keys, ok := s.model.APIKeys(); !ok || keys.SurvivesPasswordChange {
		return nil
	}
	n, err := tx.RevokeAPIKeysOf(ctx, u.ID)
	if err != nil || n == 0 {
		return err
	}
	e := eventBy(identity.System(), identity.APIKeyRevoked, u)
	e.Reason = "the password changed"
	e.Changes = []identity.Change{{Field: "api keys", Before: n, After: 0}}
	return tx.InsertEvent(ctx, e)
}

// withKey works on a key of somebody whom the actor may look after.
func (s *Service) withKey(ctx context.Context, by identity.Actor, id identity.APIKeyID, work func(*store.Tx, identity.User, identity.APIKey) error) error {
	id, ok := identity.ParseID[identity.APIKeyID](string(id))
	if !ok {
		return noKey()
	}
	return s.db.Update(ctx, func(tx *store.Tx) error {
		k, err := tx.APIKey(ctx, id)
		if err != nil {
			return noKeyIf(err)
		}
		u, err := s.person(ctx, tx, by, k.UserID, usersWrite)
		if err != nil {
			return noKeyIf(err)
		}
		return work(tx, u, k)
	})
}

// keyOf returns a key of a person, or NotFound.
func (s *Service) keyOf(ctx context.Context, tx *store.Tx, user identity.UserID, id identity.APIKeyID) (identity.APIKey, error) {
	id, ok := identity.ParseID[identity.APIKeyID](string(id))
	if !ok {
		return identity.APIKey{}, noKey()
	}
	k, err := tx.APIKey(ctx, id)
	if err == nil && k.UserID != user {
		err = noKey()
	}
	return k, noKeyIf(err)
}

func noKey() error {
	return identity.Errorf(identity.NotFound, "There is no such API key; it may have been revoked already.")
}

// noKeyIf hides who is out of sight: a key of nobody and a key of somebody else's people are the same.
func noKeyIf(err error) error {
	if identity.KindOf(err) == identity.NotFound {
		return noKey()
	}
	return err
}

func keyEvent(by identity.Actor, kind identity.EventType, u identity.User, k identity.APIKey) identity.Event {
	e := eventBy(by, kind, u)
	e.ObjectKind, e.ObjectID, e.ObjectLabel = "api_key", string(k.ID), k.Name
	return e
}
