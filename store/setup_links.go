package store

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
)

type setupLinkRow struct {
	ID           text   `db:"id"`
	TenantID     text   `db:"tenant_id"`
	Name         string `db:"name"`
	Kind         string `db:"kind"`
	Domains      text   `db:"domains"`
	SwitchOn     bool   `db:"switch_on"`
	ConnectionID text   `db:"connection_id"`
	CreatedBy    string `db:"created_by"`
	CreatedAt    moment `db:"created_at"`
	ExpiresAt    moment `db:"expires_at"`
	RevokedAt    moment `db:"revoked_at"`
	CompletedAt  moment `db:"completed_at"`
}

const setupLinkColumns = `l.id, l.tenant_id, l.name, l.kind, l.domains, l.switch_on, l.connection_id, l.created_by, l.created_at, l.expires_at, l.revoked_at, l.completed_at`

func (r *setupLinkRow) link() (identity.SetupLink, error) {
	l := identity.SetupLink{
		ID: identity.SetupLinkID(r.ID), TenantID: identity.TenantID(r.TenantID), Name: r.Name, Kind: identity.ConnectionKind(r.Kind), SwitchOn: r.SwitchOn,
		ConnectionID: identity.ConnectionID(r.ConnectionID), CreatedBy: r.CreatedBy, CreatedAt: r.CreatedAt.time(), ExpiresAt: r.ExpiresAt.time(),
		RevokedAt: r.RevokedAt.at, CompletedAt: r.CompletedAt.at,
	}
	return l, fromJSON(r.Domains, &l.Domains)
}

// InsertSetupLink writes a new setup link under the hash of its token.
func (tx *Tx) InsertSetupLink(ctx context.Context, l identity.SetupLink, hash []byte) error {
	domains, err := asJSON(append([]string{}, l.Domains...))
	if err != nil {
		return err
	}
	return tx.exec(ctx, `INSERT INTO setup_links (id, tenant_id, name, kind, domains, switch_on, connection_id, token_hash, created_by, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(l.ID), string(l.TenantID), l.Name, string(l.Kind), domains, l.SwitchOn, string(l.ConnectionID), hash, l.CreatedBy, l.CreatedAt, l.ExpiresAt)
}

// SetupLink returns a setup link of the scope, whatever its state, or NotFound.
func (tx *Tx) SetupLink(ctx context.Context, scope Scope, id identity.SetupLinkID) (identity.SetupLink, error) {
	return tx.setupLink(ctx, scope, id, "")
}

// SetupLinkForUpdate is SetupLink with the row locked until the transaction ends.
func (tx *Tx) SetupLinkForUpdate(ctx context.Context, scope Scope, id identity.SetupLinkID) (identity.SetupLink, error) {
	return tx.setupLink(ctx, scope, id, tx.lockRows("l"))
}

func (tx *Tx) setupLink(ctx context.Context, scope Scope, id identity.SetupLinkID, lock string) (identity.SetupLink, error) {
	visible, args := scope.tenants("l.tenant_id")
	var r setupLinkRow
	if err := tx.get(ctx, &r, `SELECT `+setupLinkColumns+` FROM setup_links l WHERE l.id = ? AND `+visible+lock, append([]any{string(id)}, args...)...); err != nil {
		return identity.SetupLink{}, err
	}
	return r.link()
}

// SetupLinkByToken returns the setup link whose token has this hash, whatever its state, or NotFound.
func (tx *Tx) SetupLinkByToken(ctx context.Context, hash []byte) (identity.SetupLink, error) {
	var r setupLinkRow
	if err := tx.get(ctx, &r, `SELECT `+setupLinkColumns+` FROM setup_links l WHERE l.token_hash = ?`, hash); err != nil {
		return identity.SetupLink{}, err
	}
	return r.link()
}

// SetupLinks returns a page of the scope's setup links.
func (tx *Tx) SetupLinks(ctx context.Context, scope Scope, q identity.Query) (identity.Page[identity.SetupLink], error) {
	var page identity.Page[identity.SetupLink]
	visible, args := scope.tenants("l.tenant_id")
	b := builder{tx: tx}
	b.add(visible, args...)
	if q.Tenant != "" {
		b.add(`l.tenant_id = ?`, string(q.Tenant))
	}
	var err error
	if page.Total, err = b.total(ctx, q, ` FROM setup_links l`, nil); err != nil || q.Limit == 0 {
		return page, err
	}
	b.after("l.id", q)
	var rows []setupLinkRow
	if err := tx.listBuilt(ctx, &rows, `SELECT `+setupLinkColumns+` FROM setup_links l`+b.where()+b.order("l.id", q), b.args...); err != nil {
		return page, err
	}
	rows, page.More = cut(rows, q.Limit)
	page.Items = make([]identity.SetupLink, len(rows))
	for i := range rows {
		if page.Items[i], err = rows[i].link(); err != nil {
			return page, err
		}
	}
	return page, nil
}

// RevokeSetupLink ends a setup link that was neither revoked nor used up, or returns NotFound.
func (tx *Tx) RevokeSetupLink(ctx context.Context, id identity.SetupLinkID) error {
	return tx.execOne(ctx, `UPDATE setup_links SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL AND completed_at IS NULL`, tx.now, string(id))
}

// CompleteSetupLink uses a setup link up, once; a second time is NotFound.
func (tx *Tx) CompleteSetupLink(ctx context.Context, id identity.SetupLinkID) error {
	return tx.execOne(ctx, `UPDATE setup_links SET completed_at = ? WHERE id = ? AND revoked_at IS NULL AND completed_at IS NULL`, tx.now, string(id))
}
