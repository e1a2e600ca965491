package provisioning

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// update runs one change in one transaction, together with the journal entry of the request that asked for it.
func (s *Service) update(ctx context.Context, by identity.Actor, fn func(*store.Tx) error) error {
	r := by.Request
	if r == nil || r.Kept {
		return s.db.Update(ctx, fn)
	}
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		entry := *r
		entry.Duration = time.Since(r.At)
		return tx.InsertRequest(ctx, entry)
	})
	r.Kept = err == nil
	return err
}

// RecordRequest keeps what a directory sent and how it was answered, where no change kept it. The caller redacted the body.
func (s *Service) RecordRequest(ctx context.Context, r identity.Request) error {
	return s.db.Update(ctx, func(tx *store.Tx) error { return tx.InsertRequest(ctx, r) })
}

// RequestQuery says which requests are wanted; empty fields do not narrow.
type RequestQuery = store.RequestQuery

// Requests returns the request journal, newest first.
func (s *Service) Requests(ctx context.Context, by identity.Actor, q RequestQuery) (identity.Page[identity.Request], error) {
	var page identity.Page[identity.Request]
	if err := s.platform(by); err != nil {
		return page, err
	}
	q.After = identity.RequestID(cursor(string(q.After)))
	if !validIDs(&q.DirectoryID) {
		return page, nil
	}
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		page, err = tx.Requests(ctx, store.Everything(), q)
		return err
	})
	return page, err
}
