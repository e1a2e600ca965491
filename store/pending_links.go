package store

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
)

type pendingLinkRow struct {
	ID           text   `db:"id"`
	ConnectionID text   `db:"connection_id"`
	Connection   string `db:"connection"`
	Issuer       string `db:"issuer"`
	Subject      string `db:"subject"`
	Email        string `db:"email"`
	UserID       text   `db:"user_id"`
	Browser      []byte `db:"browser_hash"`
	Asked        bool   `db:"asked"`
	CreatedAt    moment `db:"created_at"`
	ExpiresAt    moment `db:"expires_at"`
}

func (r *pendingLinkRow) link() identity.PendingLink {
	return identity.PendingLink{
		ID: identity.PendingLinkID(r.ID), ConnectionID: identity.ConnectionID(r.ConnectionID), ConnectionName: r.Connection, Issuer: r.Issuer, Subject: r.Subject, Email: r.Email,
		UserID: identity.UserID(r.UserID), BrowserHash: r.Browser, Asked: r.Asked, CreatedAt: r.CreatedAt.time(), ExpiresAt: r.ExpiresAt.time(),
	}
}

// InsertPendingLink writes a link that its owner must confirm; an earlier one of the same browser, user and connection goes.
func (tx *Tx) InsertPendingLink(ctx context.Context, l identity.PendingLink) error {
	err := tx.exec(ctx, `DELETE FROM pending_links WHERE user_id = ? AND connection_id = ? AND browser_hash = ?`, string(l.UserID), string(l.ConnectionID), l.BrowserHash)
	if err != nil {
		return err
	}
	return tx.exec(ctx, `INSERT INTO pending_links (id, connection_id, issuer, subject, email, user_id, browser_hash, asked, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(l.ID), string(l.ConnectionID), l.Issuer, l.Subject, l.Email, string(l.UserID), l.BrowserHash, l.Asked, l.CreatedAt, l.ExpiresAt)
}

// PendingLinks returns the links that a user can confirm in a browser and that have not expired, newest first.
func (tx *Tx) PendingLinks(ctx context.Context, user identity.UserID, browser []byte) ([]identity.PendingLink, error) {
	var rows []pendingLinkRow
	err := tx.list(ctx, &rows, `SELECT p.id, p.connection_id, c.name AS connection, p.issuer, p.subject, p.email, p.user_id, p.browser_hash, p.asked, p.created_at, p.expires_at
		FROM pending_links p JOIN connections c ON c.id = p.connection_id WHERE p.user_id = ? AND p.browser_hash = ? AND p.expires_at > ? ORDER BY p.id DESC`, string(user), browser, tx.now)
	out := make([]identity.PendingLink, len(rows))
	for i := range rows {
		out[i] = rows[i].link()
	}
	return out, err
}

// DeletePendingLink forgets a link that was to be confirmed; NotFound when somebody was faster.
func (tx *Tx) DeletePendingLink(ctx context.Context, id identity.PendingLinkID) error {
	return tx.execOne(ctx, `DELETE FROM pending_links WHERE id = ?`, string(id))
}

// maxLinkable is how many connections one person is offered.
const maxLinkable = 50

// LinkableConnections returns id, name and kind of the enabled connections of the installation and of a tenant that none of the links is about, oldest first.
func (tx *Tx) LinkableConnections(ctx context.Context, tenant identity.TenantID, links []identity.Link) ([]identity.Connection, error) {
	linked := make([]identity.ConnectionID, len(links))
	for i, l := range links {
		linked[i] = l.ConnectionID
	}
	in, args := idList(tx, "c.id", linked)
	var rows []struct {
		ID   text   `db:"id"`
		Name string `db:"name"`
		Kind string `db:"kind"`
	}
	err := tx.list(ctx, &rows, `SELECT c.id, c.name, c.kind FROM connections c WHERE NOT (`+in+`) AND c.enabled AND (c.tenant_id IS NULL OR c.tenant_id = `+tx.cast()+`) ORDER BY c.id LIMIT ?`,
		append(args, null(tenant), maxLinkable)...)
	out := make([]identity.Connection, len(rows))
	for i, r := range rows {
		out[i] = identity.Connection{ID: identity.ConnectionID(r.ID), Name: r.Name, Kind: identity.ConnectionKind(r.Kind)}
	}
	return out, err
}
