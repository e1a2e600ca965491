package store

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
)

type linkRow struct {
	ConnectionID text   `db:"connection_id"`
	Name         text   `db:"name"`
	Issuer       string `db:"issuer"`
	Subject      string `db:"subject"`
	UserID       text   `db:"user_id"`
	CreatedAt    moment `db:"created_at"`
	LastUsedAt   moment `db:"last_used_at"`
}

const linkQuery = `SELECT l.connection_id, c.name, l.issuer, l.subject, l.user_id, l.created_at, l.last_used_at FROM links l JOIN connections c ON c.id = l.connection_id WHERE `

func (r *linkRow) link() identity.Link {
	return identity.Link{
		ConnectionID: identity.ConnectionID(r.ConnectionID), ConnectionName: string(r.Name), Issuer: r.Issuer, Subject: r.Subject,
		UserID: identity.UserID(r.UserID), CreatedAt: r.CreatedAt.time(), LastUsedAt: r.LastUsedAt.at,
	}
}

// Link returns whom a subject is tied to, or NotFound.
func (tx *Tx) Link(ctx context.Context, connection identity.ConnectionID, issuer, subject string) (identity.Link, error) {
	var r linkRow
	err := tx.get(ctx, &r, linkQuery+`l.connection_id = ? AND l.issuer = ? AND l.subject = ?`, string(connection), issuer, subject)
	return r.link(), err
}

// Links returns a user's links.
func (tx *Tx) Links(ctx context.Context, id identity.UserID) ([]identity.Link, error) {
	var rows []linkRow
	err := tx.list(ctx, &rows, linkQuery+`l.user_id = ? ORDER BY l.created_at`, string(id))
	links := make([]identity.Link, len(rows))
	for i := range rows {
		links[i] = rows[i].link()
	}
	return links, err
}

// InsertLink ties a subject to a user. A second subject of one connection for one user, or a second user for one subject, is a Conflict.
func (tx *Tx) InsertLink(ctx context.Context, l identity.Link) error {
	return tx.later(ctx, `INSERT INTO links (connection_id, issuer, subject, user_id, created_at, last_used_at) VALUES (?, ?, ?, ?, ?, ?)`,
		string(l.ConnectionID), l.Issuer, l.Subject, string(l.UserID), l.CreatedAt, l.LastUsedAt)
}

// TouchLink notes that a link was used.
func (tx *Tx) TouchLink(ctx context.Context, l identity.Link) error {
	return tx.later(ctx, `UPDATE links SET last_used_at = ? WHERE connection_id = ? AND issuer = ? AND subject = ?`, tx.now, string(l.ConnectionID), l.Issuer, l.Subject)
}
