package authn

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// DirectoryByToken returns the directory that a bearer token belongs to, and the directory as an actor (Door "scim"; the request id is for the door to set).
// Unauthenticated, with one message for all, when the token is malformed, unknown, expired or revoked, or the directory is disabled; the Cause says which.
func (s *Service) DirectoryByToken(ctx context.Context, token string) (identity.Directory, identity.Actor, error) {
	if !strings.HasPrefix(token, identity.DirectoryTokenPrefix) || len(token) != len(identity.DirectoryTokenPrefix)+secretLength {
		return identity.Directory{}, identity.Actor{}, badToken(errors.New("the token does not look like one of ours"))
	}
	var d identity.Directory
	var t identity.Token
	var touch bool
	err := s.db.View(ctx, func(tx *store.Tx) error {
		var err error
		d, t, err = tx.DirectoryByTokenHash(ctx, identity.HashSecret(token))
		if identity.KindOf(err) == identity.NotFound {
			return badToken(errors.New("no directory has this token"))
		}
		if err != nil {
			return err
		}
		touch = t.LastUsedAt == nil || tx.Now().Sub(*t.LastUsedAt) >= touchEvery
		return live(d, t, tx.Now())
	})
	if err != nil {
		return identity.Directory{}, identity.Actor{}, err
	}
	if touch {
		err = s.db.Update(ctx, func(tx *store.Tx) error { return tx.TouchToken(ctx, t.ID, tx.Now()) })
	}
	return d, identity.Actor{Kind: identity.ActorDirectory, ID: string(d.ID), Label: d.Name, TenantID: d.TenantID, Door: "scim"}, err
}

// live says why a token that was found does not count.
func live(d identity.Directory, t identity.Token, now time.Time) error {
	switch {
	case t.RevokedAt != nil:
		return badToken(fmt.Errorf("token %s of directory %s was revoked at %s", t.ID, d.ID, t.RevokedAt.Format(time.RFC3339)))
	case t.ExpiresAt != nil && !now.Before(*t.ExpiresAt):
		return badToken(fmt.Errorf("token %s of directory %s expired at %s", t.ID, d.ID, t.ExpiresAt.Format(time.RFC3339)))
	case !d.Enabled:
		return badToken(fmt.Errorf("directory %s is disabled", d.ID))
	}
	return nil
}

func badToken(cause error) error {
	return identity.Errorf(identity.Unauthenticated, "The bearer token is missing, wrong, expired or revoked. Make a new one for this directory in Drawbridge.").WithCode("token.invalid").WithCause(cause)
}
