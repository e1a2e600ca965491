package store

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

type domainRow struct {
	ID         text   `db:"id"`
	Domain     string `db:"domain"`
	TenantID   text   `db:"tenant_id"`
	TenantName text   `db:"tenant_name"`
	Token      string `db:"token"`
	Holds      bool   `db:"holds"`
	Created    moment `db:"created_at"`
	Verified   moment `db:"verified_at"`
	By         string `db:"override_by"`
	Reason     string `db:"override_reason"`
	Checked    moment `db:"checked_at"`
	Failing    moment `db:"failing_since"`
	Failure    string `db:"failure"`
}

const domainColumns = `d.id, d.domain, d.tenant_id, t.name AS tenant_name, d.token, d.holds, d.created_at, d.verified_at, d.override_by, d.override_reason, d.checked_at, d.failing_since, d.failure`

const domainTables = ` FROM domains d LEFT JOIN tenants t ON t.id = d.tenant_id`

func (r *domainRow) domain() identity.Domain {
	return identity.Domain{
		ID: identity.DomainID(r.ID), Domain: r.Domain, TenantID: identity.TenantID(r.TenantID), TenantName: string(r.TenantName), Token: r.Token, Holds: r.Holds,
		CreatedAt: r.Created.time(), VerifiedAt: r.Verified.at, OverrideBy: r.By, OverrideReason: r.Reason, CheckedAt: r.Checked.at, FailingSince: r.Failing.at, Failure: r.Failure,
	}
}

func (tx *Tx) domain(ctx context.Context, where string, args ...any) (identity.Domain, error) {
	var r domainRow
	err := tx.get(ctx, &r, `SELECT `+domainColumns+domainTables+` WHERE `+where, args...)
	return r.domain(), err
}

// Domain returns a claim of the scope, or NotFound.
func (tx *Tx) Domain(ctx context.Context, scope Scope, id identity.DomainID) (identity.Domain, error) {
	visible, args := scope.tenants("d.tenant_id")
	return tx.domain(ctx, `d.id = ? AND `+visible, append([]any{string(id)}, args...)...)
}

// DomainHolder returns the claim that holds a domain, or NotFound.
func (tx *Tx) DomainHolder(ctx context.Context, domain string) (identity.Domain, error) {
	return tx.domain(ctx, `d.domain = ? AND d.holds`, domain)
}

// DomainClaim returns the claim of a tenant (none: of the installation), or NotFound.
func (tx *Tx) DomainClaim(ctx context.Context, tenant identity.TenantID, domain string) (identity.Domain, error) {
	if tenant == "" {
		return tx.domain(ctx, `d.domain = ? AND d.tenant_id IS NULL`, domain)
	}
	return tx.domain(ctx, `d.domain = ? AND d.tenant_id = ?`, domain, string(tenant))
}

// Domains returns a page of the scope's claims.
func (tx *Tx) Domains(ctx context.Context, scope Scope, q identity.Query) (identity.Page[identity.Domain], error) {
	var page identity.Page[identity.Domain]
	visible, args := scope.tenants("d.tenant_id")
	b := builder{tx: tx}
	b.add(visible, args...)
	if q.Search != "" {
		b.add(`d.domain LIKE ? ESCAPE '\'`, "%"+escapeLike(identity.NameKey(q.Search))+"%")
	}
	if q.Tenant != "" {
		b.add(`d.tenant_id = ?`, string(q.Tenant))
	}
	var err error
	if page.Total, err = b.total(ctx, q, ` FROM domains d`, nil); err != nil || q.Limit == 0 {
		return page, err
	}
	b.after("d.id", q)
	var rows []domainRow
	err = tx.listBuilt(ctx, &rows, `SELECT `+domainColumns+domainTables+b.where()+b.order("d.id", q), b.args...)
	rows, page.More = cut(rows, q.Limit)
	for i := range rows {
		page.Items = append(page.Items, rows[i].domain())
	}
	return page, err
}

// HeldDomains returns the domains that a tenant (none: the installation) holds, in alphabetical order.
func (tx *Tx) HeldDomains(ctx context.Context, tenant identity.TenantID) ([]string, error) {
	var out []string
	if tenant == "" {
		err := tx.list(ctx, &out, `SELECT d.domain FROM domains d WHERE d.tenant_id IS NULL AND d.holds ORDER BY d.domain`)
		return out, err
	}
	err := tx.list(ctx, &out, `SELECT d.domain FROM domains d WHERE d.tenant_id = ? AND d.holds ORDER BY d.domain`, string(tenant))
	return out, err
}

// DueDomains returns verified domains whose record was not looked for since a time, longest ago first.
func (tx *Tx) DueDomains(ctx context.Context, since time.Time, limit int) ([]identity.Domain, error) {
	var rows []domainRow
	err := tx.list(ctx, &rows, `SELECT `+domainColumns+domainTables+` WHERE d.holds AND d.verified_at IS NOT NULL AND d.checked_at < ? ORDER BY d.checked_at, d.id LIMIT ?`, since, limit)
	out := make([]identity.Domain, len(rows))
	for i := range rows {
		out[i] = rows[i].domain()
	}
	return out, err
}

// TakeDueDomain notes that a domain is being looked at now. NotFound when somebody else was faster: another replica looks at it.
func (tx *Tx) TakeDueDomain(ctx context.Context, d identity.Domain) error {
	return tx.execOne(ctx, `UPDATE domains SET checked_at = ? WHERE id = ? AND checked_at = ?`, tx.now, string(d.ID), d.CheckedAt)
}

// ConnectionsListing returns the names of a tenant's connections (none: of the installation) that list a domain, enabled or not.
func (tx *Tx) ConnectionsListing(ctx context.Context, tenant identity.TenantID, domain string) ([]string, error) {
	var names []string
	const query = `SELECT c.name FROM connections c JOIN connection_domains d ON d.connection_id = c.id WHERE d.domain = ? AND `
	if tenant == "" {
		err := tx.list(ctx, &names, query+`c.tenant_id IS NULL ORDER BY c.name`, domain)
		return names, err
	}
	err := tx.list(ctx, &names, query+`c.tenant_id = ? ORDER BY c.name`, domain, string(tenant))
	return names, err
}

// InsertDomain writes a new claim. A second one of the same tenant is a Conflict, and so is one that holds a domain which another holds.
func (tx *Tx) InsertDomain(ctx context.Context, d identity.Domain) error {
	return tx.exec(ctx, `INSERT INTO domains (id, domain, tenant_id, token, holds, created_at, verified_at, override_by, override_reason, checked_at, failing_since, failure) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(d.ID), d.Domain, null(d.TenantID), d.Token, d.Holds, d.CreatedAt, d.VerifiedAt, d.OverrideBy, d.OverrideReason, d.CheckedAt, d.FailingSince, d.Failure)
}

// UpdateDomain writes the condition of a claim. It is a Conflict when another claim holds the domain already.
func (tx *Tx) UpdateDomain(ctx context.Context, d identity.Domain) error {
	return tx.execOne(ctx, `UPDATE domains SET holds = ?, verified_at = ?, override_by = ?, override_reason = ?, checked_at = ?, failing_since = ?, failure = ? WHERE id = ?`,
		d.Holds, d.VerifiedAt, d.OverrideBy, d.OverrideReason, d.CheckedAt, d.FailingSince, d.Failure, string(d.ID))
}

// DeleteDomain removes a claim, or returns NotFound.
func (tx *Tx) DeleteDomain(ctx context.Context, id identity.DomainID) error {
	return tx.execOne(ctx, `DELETE FROM domains WHERE id = ?`, string(id))
}
