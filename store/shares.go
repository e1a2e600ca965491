package store

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

type shareRow struct {
	ID           text   `db:"id"`
	TenantID     text   `db:"tenant_id"`
	TraceID      text   `db:"trace_id"`
	ConnectionID text   `db:"connection_id"`
	CreatedBy    string `db:"created_by"`
	CreatedAt    moment `db:"created_at"`
	ExpiresAt    moment `db:"expires_at"`
	LastUsedAt   moment `db:"last_used_at"`
	RevokedAt    moment `db:"revoked_at"`
}

const shareColumns = `s.id, s.tenant_id, s.trace_id, s.connection_id, s.created_by, s.created_at, s.expires_at, s.last_used_at, s.revoked_at`

func (r *shareRow) share() identity.TraceShare {
	return identity.TraceShare{
		ID: identity.ShareID(r.ID), TenantID: identity.TenantID(r.TenantID), TraceID: identity.TraceID(r.TraceID), ConnectionID: identity.ConnectionID(r.ConnectionID),
		CreatedBy: r.CreatedBy, CreatedAt: r.CreatedAt.time(), ExpiresAt: r.ExpiresAt.time(), LastUsedAt: r.LastUsedAt.at, RevokedAt: r.RevokedAt.at,
	}
}

// ScopeOf is the scope of what a link to traces can show.
func ScopeOf(s identity.TraceShare) Scope {
	if s.TenantID == "" {
		return Everything()
	}
	return OfTenant(s.TenantID)
}

// InsertTraceShare writes a link to traces under the hash of its token.
func (tx *Tx) InsertTraceShare(ctx context.Context, s identity.TraceShare, tokenHash []byte) error {
	return tx.exec(ctx, `INSERT INTO trace_shares (id, token_hash, tenant_id, trace_id, connection_id, created_by, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		string(s.ID), tokenHash, null(s.TenantID), null(s.TraceID), null(s.ConnectionID), s.CreatedBy, s.CreatedAt, s.ExpiresAt)
}

// TraceShareByHash returns the link with this token's hash, whatever its state, or NotFound.
func (tx *Tx) TraceShareByHash(ctx context.Context, tokenHash []byte) (identity.TraceShare, error) {
	var r shareRow
	err := tx.get(ctx, &r, `SELECT `+shareColumns+` FROM trace_shares s WHERE s.token_hash = ?`, tokenHash)
	return r.share(), err
}

// TraceShare returns a link of the scope, whatever its state, or NotFound.
func (tx *Tx) TraceShare(ctx context.Context, scope Scope, id identity.ShareID) (identity.TraceShare, error) {
	visible, args := scope.tenants("s.tenant_id")
	var r shareRow
	err := tx.get(ctx, &r, `SELECT `+shareColumns+` FROM trace_shares s WHERE s.id = ? AND `+visible, append([]any{string(id)}, args...)...)
	return r.share(), err
}

// ShareQuery says which links to traces are wanted; empty fields do not narrow.
type ShareQuery struct {
	TraceID      identity.TraceID
	ConnectionID identity.ConnectionID
	After        string // older than this one
	Limit        int
}

// TraceShares returns the scope's links to traces, newest first, revoked and expired ones too.
func (tx *Tx) TraceShares(ctx context.Context, scope Scope, q ShareQuery) (identity.Page[identity.TraceShare], error) {
	var page identity.Page[identity.TraceShare]
	visible, args := scope.tenants("s.tenant_id")
	b := builder{tx: tx}
	b.add(visible, args...)
	if q.TraceID != "" {
		b.add("s.trace_id = ?", string(q.TraceID))
	}
	if q.ConnectionID != "" {
		b.add("s.connection_id = ?", string(q.ConnectionID))
	}
	list := identity.Query{After: q.After, Newest: true, Limit: q.Limit}
	b.after("s.id", list)
	var rows []shareRow
	if err := tx.listBuilt(ctx, &rows, `SELECT `+shareColumns+` FROM trace_shares s`+b.where()+b.order("s.id", list), b.args...); err != nil {
		return page, err
	}
	rows, page.More = cut(rows, q.Limit)
	page.Items = make([]identity.TraceShare, len(rows))
	for i := range rows {
		page.Items[i] = rows[i].share()
	}
	return page, nil
}

// TouchTraceShare notes that a link was used.
func (tx *Tx) TouchTraceShare(ctx context.Context, id identity.ShareID, at time.Time) error {
	return tx.exec(ctx, `UPDATE trace_shares SET last_used_at = ? WHERE id = ?`, at, string(id))
}

// RevokeTraceShare ends a link that was not revoked, or returns NotFound.
func (tx *Tx) RevokeTraceShare(ctx context.Context, id identity.ShareID) error {
	return tx.execOne(ctx, `UPDATE trace_shares SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL`, tx.now, string(id))
}

// DeleteTraceShares deletes links that ended before a time.
func (tx *Tx) DeleteTraceShares(ctx context.Context, before time.Time) error {
	return tx.exec(ctx, `DELETE FROM trace_shares WHERE expires_at < ?`, before.UTC())
}
