package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// PendingMetadata returns the change of a connection's metadata that waits for a Super Admin, or NotFound.
func (s *Service) PendingMetadata(ctx context.Context, by identity.Actor, id identity.ConnectionID) (identity.MetadataChange, error) {
	var held identity.MetadataChange
	if err := s.platform(by); err != nil {
		return held, err
	}
	if id == "" || !validIDs(&id) {
		return held, noConnection()
	}
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		held, err = tx.HeldMetadata(ctx, id)
		return err
	})
	return held, sharpen(err, nothingWaits)
}

func nothingWaits() *identity.Error {
	return identity.Errorf(identity.NotFound, "No change of this connection's metadata waits for approval.")
}

// ApproveMetadata lets the change with this digest into force, as PendingMetadata showed it. Another one that waits by now is a Precondition.
func (s *Service) ApproveMetadata(ctx context.Context, by identity.Actor, id identity.ConnectionID, digest string) error {
	return s.changeMetadata(ctx, by, id, func(tx *store.Tx, before identity.Connection) error {
		held, err := waitingFor(ctx, tx, id, digest)
		if err != nil {
			return err
		}
		if err := sameProvider(before, held.Provider); err != nil {
			return err
		}
		after := before
		after.SAML = renewed(before.SAML, held.Provider, tx.Now())
		if err := tx.DropHeldMetadata(ctx, id, ""); err != nil {
			return err
		}
		e := aboutConnection(by, identity.MetadataApproved, after)
		e.Changes, e.Reason = diffConnections(before, after), held.Digest
		return s.putMetadata(ctx, tx, after, e)
	})
}

// RejectMetadata refuses the change with this digest: nothing changes, and the same metadata is not held again. Another one that waits by now is a
// Precondition.
func (s *Service) RejectMetadata(ctx context.Context, by identity.Actor, id identity.ConnectionID, digest string) error {
	return s.changeMetadata(ctx, by, id, func(tx *store.Tx, c identity.Connection) error {
		held, err := waitingFor(ctx, tx, id, digest)
		if err != nil {
			return err
		}
		e := aboutConnection(by, identity.MetadataRejected, c)
		e.Changes, e.Reason = held.Changes, held.Digest
		if err := tx.InsertEvent(ctx, e); err != nil {
			return err
		}
		return tx.DropHeldMetadata(ctx, id, held.Digest)
	})
}

func waitingFor(ctx context.Context, tx *store.Tx, id identity.ConnectionID, digest string) (identity.MetadataChange, error) {
	held, err := tx.HeldMetadata(ctx, id)
	if err == nil && held.Digest != digest {
		err = identity.Errorf(identity.Precondition, "The provider's metadata has changed again since you looked. Look at what waits now.")
	}
	return held, sharpen(err, nothingWaits)
}

// RefuseMetadata keeps that a provider's metadata was not believed, and tells the administrators: once, not at every reading. The settings stay.
func (s *Service) RefuseMetadata(ctx context.Context, by identity.Actor, id identity.ConnectionID, why *identity.Error) error {
	return s.changeMetadata(ctx, by, id, func(tx *store.Tx, c identity.Connection) error {
		known, err := tx.ConnectionHealth(ctx, id)
		if err != nil {
			return err
		}
		err = tx.PutConnectionHealth(ctx, identity.ConnectionHealth{ConnectionID: id, CheckedAt: tx.Now(), Failure: why.Message})
		if err != nil || known[id].Failure == why.Message {
			return err
		}
		e := aboutConnection(by, identity.MetadataRefused, c)
		e.Reason = why.Message
		if err := tx.InsertEvent(ctx, e); err != nil {
			return err
		}
		return s.tell(ctx, tx, c.TenantID, mailRefused(c, why))
	})
}
