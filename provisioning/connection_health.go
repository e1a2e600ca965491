package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// ReportConnection keeps how it went when a connection's provider was read: failure is what to do about it, empty when it went well. A connection that
// was deleted meanwhile is no error.
func (s *Service) ReportConnection(ctx context.Context, id identity.ConnectionID, failure string) error {
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Connection(ctx, store.Everything(), id); err != nil {
			return err
		}
		h := identity.ConnectionHealth{ConnectionID: id, CheckedAt: tx.Now(), Failure: failure}
		if failure == "" {
			now := tx.Now()
			h.SucceededAt = &now
		}
		return tx.PutConnectionHealth(ctx, h)
	})
	if identity.KindOf(err) == identity.NotFound {
		return nil
	}
	return err
}

// ConnectionHealth returns how it went when the providers of these connections were read last; one that was never read is not in it.
func (s *Service) ConnectionHealth(ctx context.Context, by identity.Actor, ids ...identity.ConnectionID) (map[identity.ConnectionID]identity.ConnectionHealth, error) {
	if err := s.platform(by); err != nil {
		return nil, err
	}
	var out map[identity.ConnectionID]identity.ConnectionHealth
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		out, err = tx.ConnectionHealth(ctx, ids...)
		return err
	})
	return out, err
}
