package provisioning

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// How long traces are kept when nothing else is said, and how many refusals of one connection in an hour: of somebody, and of strangers in whose
// message nothing was proven. What comes beyond is counted only, so that a flood fills no disk.
const (
	DefaultTraceAge = 30 * 24 * time.Hour
	maxPeopleTraces = 2000
	maxStrangers    = 200
)

// sweepTraces is how many traces one transaction deletes.
const sweepTraces = 1000

// KeepTraces sets how long traces are kept. It is called before the service is used.
func (s *Service) KeepTraces(age time.Duration) { s.traceAge = age }

// TraceAge returns how long traces are kept.
func (s *Service) TraceAge() time.Duration { return s.traceAge }

// RecordTrace keeps an attempt to sign in. A refusal is also an event, so that the audit shows it. Of a flood of refusals only the first of each
// hour are kept.
func (s *Service) RecordTrace(ctx context.Context, t identity.Trace) error {
	return s.db.Update(ctx, func(tx *store.Tx) error {
		if t.ID == "" {
			t.ID = identity.NewID[identity.TraceID]()
		}
		if t.At.IsZero() {
			t.At = tx.Now()
		}
		for _, field := range []*string{&t.Issuer, &t.Subject, &t.Email, &t.Message} {
			*field = strings.ReplaceAll(strings.ToValidUTF8(*field, "\ufffd"), "\x00", "\ufffd")
		}
		if full, err := tooMany(ctx, tx, t); err != nil || full {
			return err
		}
		if err := tx.InsertTrace(ctx, t); err != nil || t.OK || t.Purpose == identity.PurposeTest || t.Purpose == identity.PurposeLogout {
			return err
		}
		if t.UserID == "" && t.Subject == "" && t.Email == "" {
			return nil // about nobody: events stay for ever, and any stranger can post rubbish
		}
		e := event(identity.Actor{Kind: identity.ActorConnection, ID: string(t.ConnectionID), Label: t.Email, Door: "sso"}, identity.SignInRefused)
		e.TenantID, e.UserID, e.ObjectKind, e.ObjectID, e.ObjectLabel = t.TenantID, t.UserID, "trace", string(t.ID), t.Email
		e.Reason = t.Code
		return tx.InsertEvent(ctx, e)
	})
}

// tooMany counts a refusal and reports whether this hour has enough of them at its connection.
func tooMany(ctx context.Context, tx *store.Tx, t identity.Trace) (bool, error) {
	if t.OK || t.ConnectionID == "" {
		return false, nil
	}
	limit, somebody := int64(maxStrangers), t.Issuer+t.Subject+t.Email+string(t.UserID) != ""
	if somebody {
		limit = maxPeopleTraces
	}
	n, err := tx.CountRefusal(ctx, t.ConnectionID, t.At.Truncate(time.Hour), somebody)
	return n > limit, err
}

// TraceQuery says which traces are wanted; empty fields do not narrow.
type TraceQuery = store.TraceQuery

// Traces returns attempts to sign in, newest first.
func (s *Service) Traces(ctx context.Context, by identity.Actor, q TraceQuery) (identity.Page[identity.Trace], error) {
	var page identity.Page[identity.Trace]
	scope, err := s.scopeFor(by, auditRead)
	if err != nil {
		return page, err
	}
	q.After = cursor(q.After)
	if !validIDs(&q.ConnectionID) || !validIDs(&q.UserID) {
		return page, nil
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		page, err = tx.Traces(ctx, scope, q)
		return err
	})
	return page, err
}

// Trace returns one attempt, or NotFound.
func (s *Service) Trace(ctx context.Context, by identity.Actor, id identity.TraceID) (identity.Trace, error) {
	scope, err := s.scopeFor(by, auditRead)
	if err != nil {
		return identity.Trace{}, err
	}
	if !validIDs(&id) || id == "" {
		return identity.Trace{}, s.noTrace()
	}
	var t identity.Trace
	err = s.db.View(ctx, func(tx *store.Tx) error {
		t, err = tx.Trace(ctx, scope, id)
		return err
	})
	return t, sharpen(err, s.noTrace)
}

func (s *Service) noTrace() *identity.Error {
	return identity.Errorf(identity.NotFound, "There is no such sign-in here; they are kept for %s, and of a flood of refused ones the first of each hour.", days(s.traceAge))
}

// days writes a whole number of days.
func days(age time.Duration) string {
	if n := int(age.Hours() / 24); n != 1 {
		return fmt.Sprintf("%d days", n)
	}
	return "a day"
}

// TracesNotKept returns for each connection how many refusals of the last 24 hours were counted and not kept; none has no entry.
func (s *Service) TracesNotKept(ctx context.Context, by identity.Actor) (map[identity.ConnectionID]int64, error) {
	scope, err := s.scopeFor(by, auditRead)
	if err != nil {
		return nil, err
	}
	var out map[identity.ConnectionID]int64
	err = s.db.View(ctx, func(tx *store.Tx) error {
		out, err = tx.RefusalsBeyond(ctx, scope, tx.Now().Add(-24*time.Hour), maxStrangers, maxPeopleTraces)
		return err
	})
	return out, err
}

// SweepTraces deletes the traces that are older than they are kept, in small transactions, until none is left or ctx ends, with what else of them has
// ended: counts, and links that expired as long ago. It may run at any time and on every replica.
func (s *Service) SweepTraces(ctx context.Context) error {
	before := time.Now().Add(-s.traceAge)
	for {
		n := 0
		err := s.db.Update(ctx, func(tx *store.Tx) (err error) {
			if n, err = tx.DeleteTraces(ctx, before, sweepTraces); err != nil || n == sweepTraces {
				return err
			}
			if err := tx.DeleteCounts(ctx, time.Now().Add(-48*time.Hour)); err != nil {
				return err
			}
			return tx.DeleteTraceShares(ctx, before)
		})
		if err != nil || n < sweepTraces {
			return err
		}
	}
}

// SignInConnections returns a page of the connections whose sign-ins the actor may look at, without their secrets: the tenant's own, or all.
func (s *Service) SignInConnections(ctx context.Context, by identity.Actor, q identity.Query) (identity.Page[identity.Connection], error) {
	var page identity.Page[identity.Connection]
	scope, err := s.scopeFor(by, auditRead)
	if err != nil {
		return page, err
	}
	q.After = cursor(q.After)
	err = s.db.View(ctx, func(tx *store.Tx) error {
		page, err = tx.Connections(ctx, scope, q)
		return err
	})
	for i := range page.Items {
		page.Items[i] = hideSecrets(by, page.Items[i])
	}
	return page, err
}
