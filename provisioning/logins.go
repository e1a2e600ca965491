package provisioning

import (
	"context"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// putPassword gives a user a local password and the identifiers to use it with.
func (s *Service) putPassword(ctx context.Context, tx *store.Tx, u identity.User, hash string, terms identity.PasswordTerms) error {
	c := store.Credential{UserID: u.ID, PasswordHash: hash, PasswordTerms: terms, History: s.model.Policy().PasswordHistory}
	if err := tx.PutCredential(ctx, c); err != nil {
		return err
	}
	return replaceLogins(ctx, tx, u)
}

func replaceLogins(ctx context.Context, tx *store.Tx, u identity.User) error {
	n, err := tx.ReplaceLogins(ctx, u.ID, u.LoginKeys())
	if err == nil && n == 0 {
		err = identity.Errorf(identity.Conflict, "Somebody else already signs in as %s; choose another e-mail address or user name.", u.UserName).WithField("email").WithCode("uniqueness")
	}
	return err
}

// keepLogins lets a password follow a new user name or address that an administrator gave. A directory cannot do that: it could take the
// identifier of somebody elsewhere.
func keepLogins(ctx context.Context, tx *store.Tx, by identity.Actor, before, after identity.User) error {
	if by.Kind == identity.ActorDirectory || slices.Equal(before.LoginKeys(), after.LoginKeys()) {
		return nil
	}
	has, err := tx.HasCredential(ctx, after.ID)
	if err != nil || !has {
		return err
	}
	return replaceLogins(ctx, tx, after)
}
