package store

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
)

// PutConnectionHealth writes how it went when a provider was read last. SucceededAt nil keeps what is known.
func (tx *Tx) PutConnectionHealth(ctx context.Context, h identity.ConnectionHealth) error {
	return tx.exec(ctx, `INSERT INTO connection_health (connection_id, checked_at, succeeded_at, failure) VALUES (?, ?, ?, ?)
		ON CONFLICT (connection_id) DO UPDATE SET checked_at = excluded.checked_at, succeeded_at = COALESCE(excluded.succeeded_at, connection_health.succeeded_at), failure = excluded.failure`,
		string(h.ConnectionID), h.CheckedAt, h.SucceededAt, h.Failure)
}

// ConnectionHealth returns the health of the connections that were ever read, by id.
func (tx *Tx) ConnectionHealth(ctx context.Context, ids ...identity.ConnectionID) (map[identity.ConnectionID]identity.ConnectionHealth, error) {
	out := make(map[identity.ConnectionID]identity.ConnectionHealth, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	in, args := idList(tx, "h.connection_id", ids)
	var rows []struct {
		ID        text   `db:"connection_id"`
		Checked   moment `db:"checked_at"`
		Succeeded moment `db:"succeeded_at"`
		Failure   string `db:"failure"`
	}
	err := tx.list(ctx, &rows, `SELECT h.connection_id, h.checked_at, h.succeeded_at, h.failure FROM connection_health h WHERE `+in, args...)
	for _, r := range rows {
		id := identity.ConnectionID(r.ID)
		out[id] = identity.ConnectionHealth{ConnectionID: id, CheckedAt: r.Checked.time(), SucceededAt: r.Succeeded.at, Failure: r.Failure}
	}
	return out, err
}
