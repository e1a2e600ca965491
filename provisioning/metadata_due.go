package provisioning

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

const (
	// refreshLease is how long whoever claimed a refresh has for it; then another replica may begin.
	refreshLease = time.Minute
	// refreshBatch is how many connections one look finds.
	refreshBatch = 20
)

// ClaimMetadataRefresh returns an enabled connection whose provider's metadata is to be read now; no other replica gets the same one. NotFound means
// that nothing is to do.
func (s *Service) ClaimMetadataRefresh(ctx context.Context) (identity.ConnectionID, error) {
	var claimed identity.ConnectionID
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		claimed = ""
		ids, err := tx.ConnectionsToRefresh(ctx, refreshBatch)
		if err != nil {
			return err
		}
		for _, id := range ids {
			mine, err := tx.ClaimMetadata(ctx, id, tx.Now().Add(refreshLease))
			if err != nil {
				return err
			}
			if mine {
				claimed = id
				return nil
			}
		}
		return nil
	})
	if err == nil && claimed == "" {
		err = identity.Errorf(identity.NotFound, "No metadata is to be read now.")
	}
	return claimed, err
}

// FinishMetadataRefresh says when a connection's metadata is read next: after the usual time, or sooner when it could not be read, at first after a
// minute, then after two, four and so on, never rarer than usual.
func (s *Service) FinishMetadataRefresh(ctx context.Context, id identity.ConnectionID, every time.Duration, failed bool) error {
	return s.db.Update(ctx, func(tx *store.Tx) error {
		failures, err := tx.MetadataFailures(ctx, id)
		if err != nil {
			return err
		}
		failures, pause := failures+1, every
		if failed {
			pause = min(every, time.Minute<<min(failures-1, 20))
		} else {
			failures = 0
		}
		return tx.SetMetadataDue(ctx, id, tx.Now().Add(pause), failures)
	})
}
