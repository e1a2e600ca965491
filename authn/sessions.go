package authn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// The longest texts of a session, in characters.
const (
	maxIP           = 64
	maxUserAgent    = 300
	maxSessionIndex = 1024
)

// secretLength is the length of what identity.NewSecret("") returns.
const secretLength = 43

// Visit is one request of somebody who is signed in.
type Visit struct {
	Session identity.Session
	User    identity.User  // with roles
	Actor   identity.Actor // Kind user, the roles as they are now, Door "console"; the request id is for the door to set
	Must    Duty           // what comes before anything else
}

// StartSession signs a user in and returns the secret for the browser's cookie, of which only the hash is kept. Of the session that is given, connection, IP,
// user agent and what it says of the provider's session count, and ExpiresAt when the provider limits that; id and times are filled in. token is the
// provider's, for a later log-out there, and may be empty. Forbidden, with a code such as
// "user.inactive", when the user may not sign in any more.
func (s *Service) StartSession(ctx context.Context, u identity.User, session identity.Session, token string) (string, identity.Session, error) {
	cookie, limit := identity.NewSecret(""), session.ExpiresAt
	session.ID, session.UserID = identity.NewID[identity.SessionID](), u.ID
	session.IP, session.UserAgent = clean(session.IP, maxIP), clean(session.UserAgent, maxUserAgent)
	session.SessionIndex = clean(session.SessionIndex, maxSessionIndex)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		now := tx.Now()
		session.CreatedAt, session.LastSeenAt, session.ExpiresAt = now, now, time.Time{}
		if !limit.IsZero() {
			session.ExpiresAt = limit.UTC().Truncate(time.Microsecond)
		}
		return s.start(ctx, tx, u.ID, &session, identity.HashSecret(cookie), token)
	})
	if err != nil {
		return "", identity.Session{}, err
	}
	return cookie, session, nil
}

// start looks at the user once more, on the locked row, and writes the session with its event. ExpiresAt comes as the provider limits it.
func (s *Service) start(ctx context.Context, tx *store.Tx, id identity.UserID, session *identity.Session, hash []byte, token string) error {
	if !session.ExpiresAt.IsZero() && !session.ExpiresAt.After(tx.Now()) {
		return identity.Errorf(identity.Unauthenticated, "The provider's session has ended already. Sign in again.").WithCode("session.ended")
	}
	u, err := tx.UserForUpdate(ctx, store.Everything(), id)
	if identity.KindOf(err) == identity.NotFound {
		return identity.Errorf(identity.Forbidden, "This account cannot sign in.").WithCode("user.deleted").WithCause(err)
	}
	if err != nil {
		return err
	}
	roles, err := s.rightsOf(ctx, tx, &u)
	if err != nil {
		return err
	}
	v := s.standing(u, roles)
	if !v.refused() {
		v, err = timely(ctx, tx, u.ID)
	}
	if err != nil {
		return err
	}
	if v.refused() {
		return identity.Errorf(identity.Forbidden, "This account cannot sign in.").WithCode(v.code).WithCause(errors.New(v.why))
	}
	if session.ConnectionID == "" {
		if err := s.startLocal(ctx, tx, self(u, roles, "console"), u, session); err != nil {
			return err
		}
	}
	limits, err := s.limits(ctx, tx, u.TenantID)
	if err != nil {
		return err
	}
	if ends := session.CreatedAt.Add(limits.age); session.ExpiresAt.IsZero() || ends.Before(session.ExpiresAt) {
		session.ExpiresAt = ends
	}
	if err := makeRoom(ctx, tx, u, limits.most); err != nil {
		return err
	}
	if err := tx.InsertSession(ctx, *session, hash, token); err != nil {
		return err
	}
	if err := tx.SetLastLogin(ctx, u.ID, tx.Now()); err != nil {
		return err
	}
	door := "console"
	if session.ConnectionID != "" {
		door = "sso"
	}
	e := about(self(u, roles, door), identity.SessionStarted, u, *session)
	e.IP = session.IP
	e.Changes = []identity.Change{{Field: "ip", After: session.IP}}
	if session.ConnectionID != "" {
		e.Changes = append(e.Changes, identity.Change{Field: "connection", After: string(session.ConnectionID)})
	}
	if session.MustChange {
		e.Changes = append(e.Changes, identity.Change{Field: "must change the password", After: true})
	}
	return tx.InsertEvent(ctx, e)
}

// timely refuses who starts later or whose end is over, also where the job that lets people in and out has not come to them yet.
func timely(ctx context.Context, tx *store.Tx, id identity.UserID) (verdict, error) {
	terms, err := tx.Terms(ctx, id)
	if err != nil || !terms.Over(tx.Now()) {
		return verdict{}, err
	}
	return verdict{"user.out_of_time", fmt.Sprintf("The person belongs here from %s until %s.", moment(terms.StartsAt), moment(terms.EndsAt))}, nil
}

// moment writes a start or an end for an administrator.
func moment(at *time.Time) string {
	if at == nil {
		return "any time"
	}
	return at.UTC().Format(time.RFC3339)
}

// makeRoom ends the oldest sessions of a user who has too many for one more.
func makeRoom(ctx context.Context, tx *store.Tx, u identity.User, most int) error {
	live, err := tx.SessionsOf(ctx, u.ID) // newest first
	if err != nil {
		return err
	}
	for len(live) >= most {
		oldest := live[len(live)-1]
		live = live[:len(live)-1]
		if err := tx.DeleteSession(ctx, oldest.ID); err != nil {
			return err
		}
		e := about(identity.System(), identity.SessionEnded, u, oldest)
		e.Reason = "too many sessions"
		if err := tx.InsertEvent(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

func signedOut(cause error) error {
	return identity.Errorf(identity.Unauthenticated, "You are not signed in, or not any more. Sign in again.").WithCode("session.required").WithCause(cause)
}

// Sessions returns a user's live sessions, newest first: one's own, or with the right to read users somebody else's.
func (s *Service) Sessions(ctx context.Context, by identity.Actor, user identity.UserID) ([]identity.Session, error) {
	var out []identity.Session
	err := s.db.View(ctx, func(tx *store.Tx) error {
		u, err := s.person(ctx, tx, by, user, usersRead)
		if err != nil {
			return err
		}
		limits, err := s.limits(ctx, tx, u.TenantID)
		if err != nil {
			return err
		}
		out, err = tx.SessionsOf(ctx, u.ID)
		out = slices.DeleteFunc(out, func(session identity.Session) bool { return limits.ended(session, tx.Now()) != nil })
		for i := range out {
			out[i].ExpiresAt = limits.expiry(out[i])
			out[i].EndsAt, out[i].EndsBy = out[i].Ending(limits.idle)
		}
		return err
	})
	return out, err
}

// EndSession ends one session: one's own, or with the right to write users somebody else's. NotFound when there is none in sight.
func (s *Service) EndSession(ctx context.Context, by identity.Actor, id identity.SessionID) error {
	none := identity.Errorf(identity.NotFound, "There is no such session; it may have ended already.")
	id, ok := identity.ParseID[identity.SessionID](string(id))
	if !ok {
		return none
	}
	return s.db.Update(ctx, func(tx *store.Tx) error {
		session, err := tx.Session(ctx, id)
		if identity.KindOf(err) == identity.NotFound {
			return none
		}
		if err != nil {
			return err
		}
		u, err := s.person(ctx, tx, by, session.UserID, usersWrite)
		if identity.KindOf(err) == identity.NotFound {
			return none
		}
		if err != nil {
			return err
		}
		if err := tx.DeleteSession(ctx, id); err != nil {
			return err
		}
		return tx.InsertEvent(ctx, about(by, identity.SessionEnded, u, session))
	})
}

// EndSessions ends all sessions of a user but one (none is spared when it is empty) and returns how many there were. Who may do it is as with EndSession.
func (s *Service) EndSessions(ctx context.Context, by identity.Actor, user identity.UserID, except identity.SessionID) (int, error) {
	if except != "" {
		var ok bool
		if except, ok = identity.ParseID[identity.SessionID](string(except)); !ok {
			return 0, identity.Errorf(identity.Invalid, "The session to spare has no valid id.").WithField("session")
		}
	}
	var n int
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := s.person(ctx, tx, by, user, usersWrite)
		if err != nil {
			return err
		}
		n, err = endAll(ctx, tx, by, u, except)
		return err
	})
	return n, err
}

// endAll deletes a user's sessions and writes an event for each that was live.
func endAll(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, except identity.SessionID) (int, error) {
	live, err := tx.SessionsOf(ctx, u.ID)
	if err != nil {
		return 0, err
	}
	if _, err := tx.DeleteSessionsOf(ctx, u.ID, except); err != nil {
		return 0, err
	}
	var events []identity.Event
	for _, session := range live {
		if session.ID != except {
			events = append(events, about(by, identity.SessionEnded, u, session))
		}
	}
	return len(events), tx.InsertEvent(ctx, events...)
}

// about starts an event of an actor about one session of a user.
func about(by identity.Actor, kind identity.EventType, u identity.User, session identity.Session) identity.Event {
	e := eventBy(by, kind, u)
	e.ObjectKind, e.ObjectID = "session", string(session.ID)
	return e
}
