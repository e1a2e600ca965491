package store

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// ConnectionsToRefresh returns enabled SAML connections whose provider's metadata has an address and is to be read now, the longest waiting first.
func (tx *Tx) ConnectionsToRefresh(ctx context.Context, limit int) ([]identity.ConnectionID, error) {
	var ids []identity.ConnectionID
	err := tx.list(ctx, &ids, `SELECT c.id FROM connections c LEFT JOIN connection_metadata m ON m.connection_id = c.id
		WHERE c.kind = 'saml' AND c.enabled AND COALESCE(c.settings ->> 'metadata_url', '') <> '' AND (m.due_at IS NULL OR m.due_at <= ?)
		ORDER BY COALESCE(m.due_at, c.created_at), c.id LIMIT ?`, tx.now, limit)
	return ids, err
}

// ClaimMetadata reports whether this caller is the one who reads a connection's metadata now; nobody else does before the moment given.
func (tx *Tx) ClaimMetadata(ctx context.Context, id identity.ConnectionID, until time.Time) (bool, error) {
	n, err := tx.execCount(ctx, `INSERT INTO connection_metadata (connection_id, due_at, failures) VALUES (?, ?, 0)
		ON CONFLICT (connection_id) DO UPDATE SET due_at = excluded.due_at WHERE connection_metadata.due_at <= ?`, string(id), until, tx.now)
	return n > 0, err
}

// MetadataFailures returns how many times in a row a connection's metadata could not be read.
func (tx *Tx) MetadataFailures(ctx context.Context, id identity.ConnectionID) (int, error) {
	var n []int
	err := tx.list(ctx, &n, `SELECT failures FROM connection_metadata WHERE connection_id = ?`, string(id))
	if err != nil || len(n) == 0 {
		return 0, err
	}
	return n[0], nil
}

// SetMetadataDue writes when a connection's metadata is read next, and how many times in a row it could not be read.
func (tx *Tx) SetMetadataDue(ctx context.Context, id identity.ConnectionID, due time.Time, failures int) error {
	return tx.exec(ctx, `UPDATE connection_metadata SET due_at = ?, failures = ? WHERE connection_id = ?`, due, failures, string(id))
}

// heldMetadata is the JSON of what waits.
type heldMetadata struct {
	Provider identity.SAMLSettings `json:"provider"`
	Changes  []identity.Change     `json:"changes"`
}

// HeldMetadata returns the change of a connection's metadata that waits, or NotFound.
func (tx *Tx) HeldMetadata(ctx context.Context, id identity.ConnectionID) (identity.MetadataChange, error) {
	var r struct {
		Digest string `db:"digest"`
		SeenAt moment `db:"seen_at"`
		Held   text   `db:"held"`
	}
	err := tx.get(ctx, &r, `SELECT digest, seen_at, held FROM connection_metadata WHERE connection_id = ? AND digest <> ''`, string(id))
	if err != nil {
		return identity.MetadataChange{}, err
	}
	var held heldMetadata
	err = fromJSON(r.Held, &held)
	return identity.MetadataChange{ConnectionID: id, Digest: r.Digest, SeenAt: r.SeenAt.time(), Provider: held.Provider, Changes: held.Changes}, err
}

// RejectedMetadata returns the digest of the change that was rejected last, or "".
func (tx *Tx) RejectedMetadata(ctx context.Context, id identity.ConnectionID) (string, error) {
	var digests []string
	err := tx.list(ctx, &digests, `SELECT rejected FROM connection_metadata WHERE connection_id = ?`, string(id))
	if err != nil || len(digests) == 0 {
		return "", err
	}
	return digests[0], nil
}

// HoldMetadata writes the change that waits, in the place of another.
func (tx *Tx) HoldMetadata(ctx context.Context, c identity.MetadataChange) error {
	held, err := asJSON(heldMetadata{c.Provider, c.Changes})
	if err != nil {
		return err
	}
	return tx.exec(ctx, `INSERT INTO connection_metadata (connection_id, due_at, failures, digest, seen_at, held) VALUES (?, ?, 0, ?, ?, ?)
		ON CONFLICT (connection_id) DO UPDATE SET digest = excluded.digest, seen_at = excluded.seen_at, held = excluded.held`,
		string(c.ConnectionID), tx.now, c.Digest, c.SeenAt, held)
}

// DropHeldMetadata forgets the change that waits; rejected is remembered as what was refused, "" as nothing.
func (tx *Tx) DropHeldMetadata(ctx context.Context, id identity.ConnectionID, rejected string) error {
	return tx.exec(ctx, `UPDATE connection_metadata SET digest = '', held = '{}', seen_at = NULL, rejected = ? WHERE connection_id = ?`, rejected, string(id))
}
