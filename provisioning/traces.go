package provisioning

import (
	"context"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// RecordTrace keeps an attempt to sign in. A refusal is also an event, so that the audit shows it.
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
		if err := tx.InsertTrace(ctx, t); err != nil || t.OK || t.Purpose == identity.PurposeTest {
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
	none := func() *identity.Error {
		return identity.Errorf(identity.NotFound, "There is no such sign-in; traces are kept for 30 days.")
	}
	scope, err := s.scopeFor(by, auditRead)
	if err != nil {
		return identity.Trace{}, err
	}
	if !validIDs(&id) || id == "" {
		return identity.Trace{}, none()
	}
	var t identity.Trace
	err = s.db.View(ctx, func(tx *store.Tx) error {
		t, err = tx.Trace(ctx, scope, id)
		return err
	})
	return t, sharpen(err, none)
}
