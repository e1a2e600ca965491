package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// CheckConnectionPlan reports what is wrong with a connection before anything is known of its provider: the name, whom it is for and what it is trusted for.
// Nothing is written.
func (s *Service) CheckConnectionPlan(ctx context.Context, by identity.Actor, c identity.Connection) error {
	if err := s.platform(by); err != nil {
		return err
	}
	if err := s.checkPlan(&c); err != nil {
		return err
	}
	return s.db.Update(ctx, func(tx *store.Tx) error { return s.checkReferences(ctx, tx, c) })
}
