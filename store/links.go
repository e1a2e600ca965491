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
	Email        string `db:"email"`
	CreatedAt    moment `db:"created_at"`
	LastUsedAt   moment `db:"last_used_at"`
}

const (
	linkColumns = `l.connection_id, c.name, l.issuer, l.subject, l.user_id, l.email, l.created_at, l.last_used_at`
	linkTables  = ` FROM links l JOIN connections c ON c.id = l.connection_id WHERE `
)

func (r *linkRow) link() identity.Link {
	return identity.Link{
		ConnectionID: identity.ConnectionID(r.ConnectionID), ConnectionName: string(r.Name), Issuer: r.Issuer, Subject: r.Subject,
		UserID: identity.UserID(r.UserID), Email: r.Email, CreatedAt: r.CreatedAt.time(), LastUsedAt: r.LastUsedAt.at,
	}
}

// FoundLink is a link as a sign-in finds it.
type FoundLink struct {
	identity.Link
	Ruled    bool // the connection's rules gave the user roles
	Reviewed bool // something about this subject waits for an administrator
}

// FindLink returns whom a subject is tied to, or NotFound.
func (tx *Tx) FindLink(ctx context.Context, connection identity.ConnectionID, issuer, subject string) (FoundLink, error) {
	var r struct {
		linkRow
		Ruled    bool `db:"ruled"`
		Reviewed bool `db:"reviewed"`
	}
	err := tx.get(ctx, &r, `SELECT `+linkColumns+`,
		EXISTS (SELECT 1 FROM assignments a WHERE a.user_id = l.user_id AND a.source = 'claim' AND a.source_id = ?) AS ruled,
		EXISTS (SELECT 1 FROM reviews r WHERE r.connection_id = l.connection_id AND r.issuer = l.issuer AND r.subject = l.subject AND r.state = 'open' AND NOT r.flag) AS reviewed`+
		linkTables+`l.connection_id = ? AND l.issuer = ? AND l.subject = ?`, string(connection), string(connection), issuer, subject)
	return FoundLink{r.link(), r.Ruled, r.Reviewed}, err
}

// Links returns a user's links.
func (tx *Tx) Links(ctx context.Context, id identity.UserID) ([]identity.Link, error) {
	var rows []linkRow
	err := tx.list(ctx, &rows, `SELECT `+linkColumns+linkTables+`l.user_id = ? ORDER BY l.created_at`, string(id))
	links := make([]identity.Link, len(rows))
	for i := range rows {
		links[i] = rows[i].link()
	}
	return links, err
}

// InsertLink ties a subject to a user. A second subject of one connection for one user, or a second user for one subject, is a Conflict.
func (tx *Tx) InsertLink(ctx context.Context, l identity.Link) error {
	return tx.later(ctx, `INSERT INTO links (connection_id, issuer, subject, user_id, email, created_at, last_used_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		string(l.ConnectionID), l.Issuer, l.Subject, string(l.UserID), l.Email, l.CreatedAt, l.LastUsedAt)
}

// TouchLink notes that a link was used, and the address that the provider said.
func (tx *Tx) TouchLink(ctx context.Context, l identity.Link) error {
	return tx.later(ctx, `UPDATE links SET last_used_at = ?, email = ? WHERE connection_id = ? AND issuer = ? AND subject = ?`, tx.now, l.Email, string(l.ConnectionID), l.Issuer, l.Subject)
}

// DeleteLink unties a subject, or returns NotFound.
func (tx *Tx) DeleteLink(ctx context.Context, l identity.Link) error {
	return tx.execOne(ctx, `DELETE FROM links WHERE connection_id = ? AND issuer = ? AND subject = ?`, string(l.ConnectionID), l.Issuer, l.Subject)
}
