package store

import (
	"context"
	"errors"

	"github.com/drawbridge-id/drawbridge/identity"
)

// Try runs fn inside the transaction so that its failure undoes what it did and nothing else. Only what identity.Error says with a kind other than Internal is
// such a failure; anything else, such as a deadlock, undoes the whole transaction and must be returned from it.
func (tx *Tx) Try(ctx context.Context, fn func() error) (refused *identity.Error, err error) {
	if err := tx.exec(ctx, `SAVEPOINT step`); err != nil {
		return nil, err
	}
	added := len(tx.added)
	err = fn()
	if err == nil {
		err = tx.ready(ctx) // what waits belongs to the step
	} else if late := tx.arrived(); late != nil {
		err = errors.Join(err, late)
	}
	if err != nil {
		if !errors.As(err, &refused) || refused.Kind == identity.Internal {
			return nil, err
		}
		tx.queue, tx.hopes, tx.added = nil, nil, tx.added[:added]
		if err := tx.exec(ctx, `ROLLBACK TO SAVEPOINT step`); err != nil {
			return nil, err
		}
	}
	return refused, tx.exec(ctx, `RELEASE SAVEPOINT step`)
}
