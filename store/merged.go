package store

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
)

// MergedInto returns the ids of those whom an administrator joined with a user.
func (tx *Tx) MergedInto(ctx context.Context, id identity.UserID) ([]identity.UserID, error) {
	var ids []identity.UserID
	err := tx.list(ctx, &ids, `SELECT m.user_id FROM merged_users m WHERE m.kept_id = ? ORDER BY m.at, m.user_id`, string(id))
	return ids, err
}

// InsertMerged notes that one user was joined with another, with all who had been joined with the one before.
func (tx *Tx) InsertMerged(ctx context.Context, dropped, kept identity.UserID) error {
	if err := tx.exec(ctx, `UPDATE merged_users SET kept_id = ? WHERE kept_id = ?`, string(kept), string(dropped)); err != nil {
		return err
	}
	return tx.exec(ctx, `INSERT INTO merged_users (user_id, kept_id, at) VALUES (?, ?, ?)`, string(dropped), string(kept), tx.now)
}
