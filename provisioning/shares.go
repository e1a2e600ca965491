package provisioning

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// sharedRows is how many refused sign-ins of a connection a link shows, the newest.
const sharedRows = 50

// touchShareEvery is how often a link notes its last use, so that reading does not become writing.
const touchShareEvery = time.Minute

func noShare() *identity.Error {
	return identity.Errorf(identity.NotFound, "There is no such link here.")
}

// sharedGone is the one answer to a token that is wrong, over or revoked.
func sharedGone() *identity.Error {
	return identity.Errorf(identity.NotFound, "This link opens nothing: it is mistyped, or its time is over, or it was revoked. Ask the administrator who gave it to you for a new one.").WithCode("share.unknown")
}

// mayShare returns what the actor may give to somebody without an account: it needs the right to read the audit and the right to change users, so that
// an auditor, who only reads, lets nothing out.
func (s *Service) mayShare(by identity.Actor) (store.Scope, error) {
	if _, err := s.scopeFor(by, usersWrite); err != nil {
		return store.Scope{}, err
	}
	if by.Kind == identity.ActorDirectory {
		return store.Scope{}, identity.Errorf(identity.Forbidden, "A directory may not do this.")
	}
	return s.scopeFor(by, auditRead)
}

// CreateTraceShare makes a link to one trace, or to the refused sign-ins of one connection, until ExpiresAt: one hour to 30 days from now. The token is
// returned this once. NotFound when the actor may not see the trace, or the connection is not the actor's.
func (s *Service) CreateTraceShare(ctx context.Context, by identity.Actor, share identity.TraceShare) (identity.TraceShare, string, error) {
	scope, err := s.mayShare(by)
	if err != nil {
		return share, "", err
	}
	if !validIDs(&share.TraceID) || !validIDs(&share.ConnectionID) || (share.TraceID == "") == (share.ConnectionID == "") {
		return share, "", identity.Errorf(identity.Invalid, "A link shows one sign-in, or the refused ones of one connection.")
	}
	token := identity.NewSecret(identity.SharePrefix)
	share.ID, share.TenantID, share.CreatedBy = identity.NewID[identity.ShareID](), by.TenantID, by.Label
	share.LastUsedAt, share.RevokedAt = nil, nil
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		share.CreatedAt, share.ExpiresAt = tx.Now(), share.ExpiresAt.UTC().Truncate(time.Microsecond)
		if age := share.ExpiresAt.Sub(share.CreatedAt) + time.Minute; age < identity.MinShareAge || age > identity.MaxShareAge+2*time.Minute {
			return identity.Errorf(identity.Invalid, "A link ends after one hour at the earliest and 30 days at the latest.").WithField("until")
		}
		label, err := s.shared(ctx, tx, scope, share)
		if err != nil {
			return err
		}
		if err := tx.InsertTraceShare(ctx, share, identity.HashSecret(token)); err != nil {
			return err
		}
		e := aboutShare(by, identity.TracesShared, share, label)
		e.Changes = []identity.Change{{Field: "until", After: share.ExpiresAt}}
		return tx.InsertEvent(ctx, e)
	})
	if err != nil {
		return share, "", err
	}
	return share, token, nil
}

// shared makes sure that what a link shows is there for who makes it, and returns how it is called.
func (s *Service) shared(ctx context.Context, tx *store.Tx, scope store.Scope, share identity.TraceShare) (string, error) {
	if share.TraceID != "" {
		_, err := tx.Trace(ctx, scope, share.TraceID)
		return "sign-in " + string(share.TraceID), sharpen(err, s.noTrace)
	}
	c, err := tx.Connection(ctx, scope, share.ConnectionID)
	return "refused sign-ins of " + c.Name, sharpen(err, noConnection)
}

func aboutShare(by identity.Actor, kind identity.EventType, share identity.TraceShare, label string) identity.Event {
	e := event(by, kind)
	e.TenantID, e.ObjectKind, e.ObjectID, e.ObjectLabel = share.TenantID, "share", string(share.ID), label
	return e
}

// ShareQuery says which links are wanted; empty fields do not narrow.
type ShareQuery = store.ShareQuery

// TraceShares returns the links that the actor may revoke, newest first, those that are over too. Their tokens are nowhere.
func (s *Service) TraceShares(ctx context.Context, by identity.Actor, q ShareQuery) (identity.Page[identity.TraceShare], error) {
	var page identity.Page[identity.TraceShare]
	scope, err := s.mayShare(by)
	if err != nil {
		return page, err
	}
	q.After = cursor(q.After)
	if !validIDs(&q.TraceID) || !validIDs(&q.ConnectionID) {
		return page, nil
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		page, err = tx.TraceShares(ctx, scope, q)
		return err
	})
	return page, err
}

// TraceShare returns one link, or NotFound.
func (s *Service) TraceShare(ctx context.Context, by identity.Actor, id identity.ShareID) (identity.TraceShare, error) {
	scope, err := s.mayShare(by)
	if err != nil {
		return identity.TraceShare{}, err
	}
	if id == "" || !validIDs(&id) {
		return identity.TraceShare{}, noShare()
	}
	var share identity.TraceShare
	err = s.db.View(ctx, func(tx *store.Tx) error {
		share, err = tx.TraceShare(ctx, scope, id)
		return err
	})
	return share, sharpen(err, noShare)
}

// RevokeTraceShare ends a link at once. One that was revoked before is NotFound.
func (s *Service) RevokeTraceShare(ctx context.Context, by identity.Actor, id identity.ShareID) error {
	scope, err := s.mayShare(by)
	if err != nil {
		return err
	}
	if id == "" || !validIDs(&id) {
		return noShare()
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		share, err := tx.TraceShare(ctx, scope, id)
		if err != nil {
			return err
		}
		if err := tx.RevokeTraceShare(ctx, id); err != nil {
			return err
		}
		label, err := s.shared(ctx, tx, scope, share)
		if identity.KindOf(err) == identity.NotFound {
			label, err = "sign-ins that are gone", nil
		}
		if err != nil {
			return err
		}
		return tx.InsertEvent(ctx, aboutShare(by, identity.TracesUnshared, share, label))
	})
	return sharpen(err, noShare)
}

// SharedTraces is what a link shows: one trace as it is, or the newest refused ones of a connection without what would tell other people's addresses.
type SharedTraces struct {
	Share      identity.TraceShare
	Connection string // its name; empty: a password
	Traces     []identity.Trace
}

// SharedTrace returns what the link with this token shows. A token that is wrong, over or revoked is one same NotFound. Whoever asks has no account:
// the caller limits how often somebody may guess.
func (s *Service) SharedTrace(ctx context.Context, token string) (SharedTraces, error) {
	var out SharedTraces
	if !strings.HasPrefix(token, identity.SharePrefix) || len(token) > 100 {
		return out, sharedGone()
	}
	var touch bool
	err := s.db.View(ctx, func(tx *store.Tx) error {
		share, err := tx.TraceShareByHash(ctx, identity.HashSecret(token))
		if err != nil {
			return err
		}
		if !share.Live(tx.Now()) {
			return identity.Errorf(identity.NotFound, "not found")
		}
		touch = share.LastUsedAt == nil || tx.Now().Sub(*share.LastUsedAt) >= touchShareEvery
		out, err = showShared(ctx, tx, share)
		return err
	})
	if err != nil {
		return SharedTraces{}, sharpen(err, sharedGone)
	}
	if touch {
		err = s.db.Update(ctx, func(tx *store.Tx) error { return tx.TouchTraceShare(ctx, out.Share.ID, tx.Now()) })
	}
	return out, err
}

func showShared(ctx context.Context, tx *store.Tx, share identity.TraceShare) (SharedTraces, error) {
	out := SharedTraces{Share: share}
	scope, connection := store.ScopeOf(share), share.ConnectionID
	if share.TraceID != "" {
		t, err := tx.Trace(ctx, scope, share.TraceID)
		if err != nil {
			return out, err
		}
		t.UserID, t.SessionID = "", ""
		out.Traces, connection = []identity.Trace{t}, t.ConnectionID
	} else {
		page, err := tx.Traces(ctx, scope, TraceQuery{ConnectionID: connection, Refused: true, Limit: sharedRows})
		if err != nil {
			return out, err
		}
		for _, t := range page.Items {
			out.Traces = append(out.Traces, masked(t))
		}
	}
	if connection == "" {
		return out, nil
	}
	c, err := tx.Connection(ctx, store.Everything(), connection)
	out.Connection = c.Name
	return out, err
}

// masked takes out of a trace what tells who it was about: ids, facts and network address go, of addresses the first letter and the domain stay.
func masked(t identity.Trace) identity.Trace {
	hide := func(s string) string {
		if t.Subject != "" && !strings.Contains(t.Subject, "@") {
			s = strings.ReplaceAll(s, t.Subject, maskSubject(t.Subject))
		}
		return address.ReplaceAllString(s, "$1•••@$2")
	}
	t.Checks = append([]identity.Check{}, t.Checks...)
	for i := range t.Checks {
		c := &t.Checks[i]
		c.Got, c.Expected, c.Fix = hide(c.Got), hide(c.Expected), hide(c.Fix)
		if strings.Contains(c.Name, ".") { // ours, about users: it may have their names
			c.Got, c.Expected = "", ""
		}
	}
	if failure, ok := t.Failure(); ok {
		t.Message = failure.Fix
	}
	t.Message, t.Email, t.Subject = hide(t.Message), hide(t.Email), hide(t.Subject)
	t.UserID, t.SessionID, t.IP, t.Facts = "", "", "", nil
	return t
}

// address finds e-mail addresses in a text, the first letter and the domain.
var address = regexp.MustCompile(`([^\s@<>"',;:()])[^\s@<>"',;:()]*@([^\s@<>"',;:()]+)`)

func maskSubject(s string) string {
	if r := []rune(s); len(r) > 8 {
		return string(r[:4]) + "•••"
	}
	return "•••"
}
