package authn

import (
	"context"
	"slices"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// EndUpstreamSessions ends the sessions that a provider's log-out names, and returns them with what is needed to answer: those of the subject, of the session
// index (SessionIndex or sid), or of both when both are given; a session whose index the provider never told is meant by every index of its subject. It asks
// for no right: the caller has checked that the provider said so.
func (s *Service) EndUpstreamSessions(ctx context.Context, by identity.Actor, connection identity.ConnectionID, issuer, subject, index string) ([]identity.Session, error) {
	var ended []identity.Session
	err := s.db.Update(ctx, func(tx *store.Tx) (err error) {
		ended, err = endUpstream(ctx, tx, by, connection, issuer, subject, index)
		return err
	})
	return ended, err
}

// EndUpstreamSessionsOnce is EndUpstreamSessions for a log-out with a name of its own (jti), which is remembered until it could not be used anyway. A second
// time, on whichever replica, is a Conflict and ends nothing. One that failed on our side was not used, so that the provider can send it again.
func (s *Service) EndUpstreamSessionsOnce(ctx context.Context, by identity.Actor, connection identity.ConnectionID, key string, until time.Time, issuer, subject, index string) ([]identity.Session, error) {
	if err := usableKey(&connection, key); err != nil {
		return nil, err
	}
	var ended []identity.Session
	err := s.db.Update(ctx, func(tx *store.Tx) (err error) {
		if err := tx.InsertReplay(ctx, connection, identity.HashSecret(key), until.UTC().Truncate(time.Microsecond)); err != nil {
			return usedBefore(err)
		}
		ended, err = endUpstream(ctx, tx, by, connection, issuer, subject, index)
		return err
	})
	return ended, err
}

func endUpstream(ctx context.Context, tx *store.Tx, by identity.Actor, connection identity.ConnectionID, issuer, subject, index string) ([]identity.Session, error) {
	named, err := namedUpstream(ctx, tx, connection, issuer, subject, index)
	if err != nil {
		return nil, err
	}
	var ended []identity.Session
	for _, session := range named {
		if err := tx.DeleteSession(ctx, session.ID); identity.KindOf(err) == identity.NotFound {
			continue // somebody else ends it at this moment
		} else if err != nil {
			return nil, err
		}
		u, err := tx.User(ctx, store.Everything(), session.UserID)
		if err != nil && identity.KindOf(err) != identity.NotFound {
			return nil, err
		}
		e := about(by, identity.SessionEnded, u, session)
		e.Reason = "logged out at the provider"
		if err := tx.InsertEvent(ctx, e); err != nil {
			return nil, err
		}
		ended = append(ended, session)
	}
	return ended, nil
}

// namedUpstream returns the sessions that a log-out names.
func namedUpstream(ctx context.Context, tx *store.Tx, connection identity.ConnectionID, issuer, subject, index string) ([]identity.Session, error) {
	if subject == "" && index == "" {
		return nil, identity.Errorf(identity.Invalid, "A log-out names a subject or a session.")
	}
	if subject == "" {
		return tx.SessionsOfIndex(ctx, connection, issuer, index)
	}
	named, err := tx.SessionsOfSubject(ctx, connection, issuer, subject)
	return slices.DeleteFunc(named, func(session identity.Session) bool {
		return index != "" && session.SessionIndex != "" && session.SessionIndex != index
	}), err
}

// UpstreamToken returns the provider's token of one's own session, "" when there is none: the id_token_hint of a log-out at the provider.
func (s *Service) UpstreamToken(ctx context.Context, v Visit) (string, error) {
	var token string
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		token, err = tx.SessionToken(ctx, v.Session.ID)
		return err
	})
	return token, err
}
