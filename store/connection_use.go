package store

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
)

// ConnectionUse counts the links that a connection has and the sessions that came through it.
func (tx *Tx) ConnectionUse(ctx context.Context, id identity.ConnectionID) (links, sessions int, err error) {
	var n struct {
		Links    int `db:"links"`
		Sessions int `db:"sessions"`
	}
	err = tx.get(ctx, &n, `SELECT (SELECT COUNT(*) FROM links WHERE connection_id = ?) AS links, (SELECT COUNT(*) FROM sessions WHERE connection_id = ?) AS sessions`, string(id), string(id))
	return n.Links, n.Sessions, err
}

// DeleteConnection deletes a connection with its links and all that hangs on it, and the sessions that came through it.
func (tx *Tx) DeleteConnection(ctx context.Context, id identity.ConnectionID) error {
	if err := tx.exec(ctx, `DELETE FROM sessions WHERE connection_id = ?`, string(id)); err != nil {
		return err
	}
	return tx.execOne(ctx, `DELETE FROM connections WHERE id = ?`, string(id))
}
