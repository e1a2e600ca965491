package store

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
)

// Avatar returns a user's picture, or NotFound.
func (tx *Tx) Avatar(ctx context.Context, id identity.UserID) (identity.Avatar, error) {
	var r struct {
		Hash    string `db:"hash"`
		Content []byte `db:"content"`
		Updated moment `db:"updated_at"`
	}
	err := tx.get(ctx, &r, `SELECT hash, content, updated_at FROM avatars WHERE user_id = ?`, string(id))
	return identity.Avatar{UserID: id, Hash: r.Hash, Content: r.Content, UpdatedAt: r.Updated.time()}, err
}

// AvatarHash returns the hash of a user's picture; "" when there is none.
func (tx *Tx) AvatarHash(ctx context.Context, id identity.UserID) (string, error) {
	var hashes []string
	err := tx.list(ctx, &hashes, `SELECT hash FROM avatars WHERE user_id = ?`, string(id))
	if err != nil || len(hashes) == 0 {
		return "", err
	}
	return hashes[0], nil
}

// PutAvatar sets a user's picture.
func (tx *Tx) PutAvatar(ctx context.Context, a identity.Avatar) error {
	return tx.exec(ctx, `INSERT INTO avatars (user_id, hash, content, updated_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, content = excluded.content, updated_at = excluded.updated_at`, string(a.UserID), a.Hash, a.Content, tx.now)
}

// DeleteAvatar deletes a user's picture, or returns NotFound.
func (tx *Tx) DeleteAvatar(ctx context.Context, id identity.UserID) error {
	return tx.execOne(ctx, `DELETE FROM avatars WHERE user_id = ?`, string(id))
}
