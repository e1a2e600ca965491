package authn

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// warnEvery is how often it is said of one token that it ends soon.
const warnEvery = 24 * time.Hour

// tokenLength is the length of every bearer token in bytes; both prefixes have the same.
const tokenLength = len(identity.DirectoryTokenPrefix) + secretLength

// DirectoryVisit is one request of a directory that showed a bearer token.
type DirectoryVisit struct {
	Directory identity.Directory
	Actor     identity.Actor // Door "scim"; the request id is for the door to set
	Key       string         // the id of the token, or of the client that it was given to: what a rate is counted by
	Ending    *time.Time     // set once a day and token: it is in use and ends then, and the log should say so
}

// DirectoryByToken returns the directory that a bearer token belongs to: a directory's own token or an access token of one of its clients.
// Unauthenticated, with one message for all, when the token is malformed, unknown, expired or revoked, or the directory is disabled; the
// Cause says which. Forbidden, with the visit beside it, when the token is right and the address is in none of the directory's networks.
//
// What was found is believed for up to two seconds, and in this process no longer than until directories, tokens or clients change.
func (s *Service) DirectoryByToken(ctx context.Context, token, ip string) (DirectoryVisit, error) {
	k, err := s.pass(ctx, token)
	if err != nil {
		return DirectoryVisit{}, err
	}
	p := k.pass.Load()
	if p == nil { // it was revoked this very moment
		return DirectoryVisit{}, badToken(token, errors.New("the token was revoked"))
	}
	v := DirectoryVisit{Directory: p.directory, Actor: p.actor, Key: p.key}
	if len(p.directory.Networks) > 0 && !identity.InNetworks(p.directory.Networks, ip) {
		return v, strangeNetwork(p.directory, ip)
	}
	if k.due(time.Now()) {
		v.Ending, err = s.touch(ctx, p)
	}
	return v, err
}

// pass returns what is known of a token, from memory or from the database.
func (s *Service) pass(ctx context.Context, token string) (*known, error) {
	if !strings.HasPrefix(token, identity.DirectoryTokenPrefix) && !strings.HasPrefix(token, identity.AccessTokenPrefix) ||
		len(token) != tokenLength {
		return nil, badToken(token, errors.New("the token does not look like one of ours"))
	}
	var text [tokenLength]byte // on the stack
	copy(text[:], token)
	hash := sha256.Sum256(text[:])
	k := s.passes.find(hash)
	if k != nil && k.fresh(time.Now(), s.db.OpeningVersion()) {
		if !k.aging(time.Now()) || !k.renewing.CompareAndSwap(false, true) {
			return k, nil
		}
		defer k.renewing.Store(false) // this one asks the database, while the others go on with what is known
	}
	version := s.db.OpeningVersion() // before the question, so that a change during it counts
	p, err := s.readPass(ctx, token, hash)
	if err != nil {
		if k != nil {
			k.pass.Store(nil)
		}
		return nil, err
	}
	p.version = version
	return s.passes.keep(hash, p), nil
}

// readPass asks the database.
func (s *Service) readPass(ctx context.Context, token string, hash [sha256.Size]byte) (*pass, error) {
	var p *pass
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		if strings.HasPrefix(token, identity.AccessTokenPrefix) {
			p, err = accessPass(ctx, tx, hash[:])
		} else {
			p, err = tokenPass(ctx, tx, hash[:])
		}
		return err
	})
	switch identity.KindOf(err) {
	case identity.NotFound:
		return nil, badToken(token, errors.New("no directory has this token"))
	case identity.Unauthenticated:
		return nil, badToken(token, err)
	}
	if err != nil {
		return nil, err
	}
	d := p.directory
	p.actor = identity.Actor{Kind: identity.ActorDirectory, ID: string(d.ID), Label: d.Name, TenantID: d.TenantID, Door: "scim"}
	guard := d.Guard.For(d.Dialect)
	p.actor.Guard = &guard
	return p, nil
}

// tokenPass reads a directory's own token.
func tokenPass(ctx context.Context, tx *store.Tx, hash []byte) (*pass, error) {
	d, t, err := tx.DirectoryByTokenHash(ctx, hash)
	if err != nil {
		return nil, err
	}
	return &pass{directory: d, key: string(t.ID), token: t, ends: t.ExpiresAt, used: t.LastUsedAt, read: tx.Now()}, live(d, t, tx.Now())
}

// live says why a token that was found does not count.
func live(d identity.Directory, t identity.Token, now time.Time) error {
	switch {
	case t.RevokedAt != nil:
		return dead("token %s of directory %s was revoked at %s", t.ID, d.ID, t.RevokedAt.Format(time.RFC3339))
	case t.ExpiresAt != nil && !now.Before(*t.ExpiresAt):
		return dead("token %s of directory %s expired at %s", t.ID, d.ID, t.ExpiresAt.Format(time.RFC3339))
	case !d.Enabled:
		return dead("directory %s is disabled", d.ID)
	}
	return nil
}

// dead is the cause of a refusal; badToken gives it the words for the client.
func dead(format string, args ...any) error {
	return identity.Errorf(identity.Unauthenticated, "").WithCause(fmt.Errorf(format, args...))
}

func badToken(token string, cause error) error {
	message := "The bearer token is missing, wrong, expired or revoked. Make a new one for this directory in Drawbridge."
	if strings.HasPrefix(token, identity.AccessTokenPrefix) {
		message = "The access token is wrong, expired or revoked. Get a new one from the token endpoint."
	}
	return identity.Errorf(identity.Unauthenticated, "%s", message).WithCode("token.invalid").WithCause(cause)
}

func strangeNetwork(d identity.Directory, ip string) error {
	return identity.Errorf(identity.Forbidden, "This directory may not be used from %s. An administrator of Drawbridge can allow its network.", clean(ip, maxIP)).
		WithCode("directory.network").WithCause(fmt.Errorf("directory %s (%s) allows %v", d.ID, d.Name, identity.NetworkTexts(d.Networks)))
}

// touch writes down that a token was used, at most once a minute in each process, and that it ends soon where it does. The time is that
// end when nobody said so within a day.
func (s *Service) touch(ctx context.Context, p *pass) (*time.Time, error) {
	var ending *time.Time
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		ending = nil
		if p.client != "" {
			return tx.TouchClient(ctx, p.client, tx.Now())
		}
		if err := tx.TouchToken(ctx, p.token.ID, tx.Now()); err != nil || !p.token.Ending(tx.Now()) {
			return err
		}
		warned, err := warn(ctx, tx, p)
		if warned {
			ending = p.token.ExpiresAt
		}
		return err
	})
	return ending, err
}

// warn notes that a token ends soon: once with an event, and then once a day for the log.
func warn(ctx context.Context, tx *store.Tx, p *pass) (bool, error) {
	first, err := tx.WarnToken(ctx, p.token.ID, time.Time{})
	if err != nil || !first {
		if err != nil {
			return false, err
		}
		return tx.WarnToken(ctx, p.token.ID, tx.Now().Add(-warnEvery))
	}
	by, d := identity.System(), p.directory
	return true, tx.InsertEvent(ctx, identity.Event{
		Type: identity.TokenExpiring, ActorKind: by.Kind, ActorLabel: by.Label, Door: by.Door, TenantID: d.TenantID,
		ObjectKind: "directory", ObjectID: string(d.ID), ObjectLabel: d.Name,
		Changes: []identity.Change{{Field: "token", After: "…" + p.token.Hint}, {Field: "expires", After: p.token.ExpiresAt.Format(time.RFC3339)}},
	})
}
