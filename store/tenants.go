package store

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
)

type tenantRow struct {
	ID        text   `db:"id"`
	Name      string `db:"name"`
	Landing   bool   `db:"landing"`
	Main      bool   `db:"main"`
	CreatedAt moment `db:"created_at"`
	Users     int64  `db:"users"`
	Require   bool   `db:"require_sso"`
}

func (r *tenantRow) tenant() identity.Tenant {
	return identity.Tenant{ID: identity.TenantID(r.ID), Name: r.Name, Landing: r.Landing, Main: r.Main, CreatedAt: r.CreatedAt.time(), Users: r.Users, RequireSSO: r.Require}
}

const tenantColumns = `t.id, t.name, t.landing, t.main, t.created_at, t.require_sso`

func (tx *Tx) tenant(ctx context.Context, where string, args ...any) (identity.Tenant, error) {
	var r tenantRow
	err := tx.get(ctx, &r, `SELECT `+tenantColumns+`, 0 AS users FROM tenants t WHERE `+where, args...)
	return r.tenant(), err
}

// Tenant returns a tenant of the scope, or NotFound.
func (tx *Tx) Tenant(ctx context.Context, scope Scope, id identity.TenantID) (identity.Tenant, error) {
	visible, args := scope.tenants("t.id")
	return tx.tenant(ctx, `t.id = ? AND `+visible, append([]any{string(id)}, args...)...)
}

// TenantByName returns a tenant of the scope by its name in any case, or NotFound.
func (tx *Tx) TenantByName(ctx context.Context, scope Scope, name string) (identity.Tenant, error) {
	visible, args := scope.tenants("t.id")
	return tx.tenant(ctx, `t.name_key = ? AND `+visible, append([]any{identity.NameKey(name)}, args...)...)
}

// LandingTenant returns the tenant in which unknown people arrive.
func (tx *Tx) LandingTenant(ctx context.Context) (identity.Tenant, error) {
	return tx.tenant(ctx, `t.landing`)
}

// MainTenant returns the one tenant of an installation that has one, or NotFound.
func (tx *Tx) MainTenant(ctx context.Context) (identity.Tenant, error) {
	return tx.tenant(ctx, `t.main`)
}

// Tenants returns a page of the scope's tenants with the number of their users.
func (tx *Tx) Tenants(ctx context.Context, scope Scope, q identity.Query) (identity.Page[identity.Tenant], error) {
	var page identity.Page[identity.Tenant]
	visible, args := scope.tenants("t.id")
	b := builder{tx: tx}
	b.add(visible, args...)
	if q.Search != "" {
		b.add(`t.name_key LIKE ? ESCAPE '\'`, "%"+escapeLike(identity.NameKey(q.Search))+"%")
	}
	var err error
	if page.Total, err = b.total(ctx, q, ` FROM tenants t`, nil); err != nil || q.Limit == 0 {
		return page, err
	}
	b.after("t.id", q)
	var rows []tenantRow
	users := `(SELECT count(*) FROM users u WHERE u.tenant_id = t.id AND u.deleted_at IS NULL)`
	if q.Lean {
		users = `0`
	}
	err = tx.listBuilt(ctx, &rows, `SELECT `+tenantColumns+`, `+users+` AS users FROM tenants t`+b.where()+b.order("t.id", q), b.args...)
	rows, page.More = cut(rows, q.Limit)
	for i := range rows {
		page.Items = append(page.Items, rows[i].tenant())
	}
	return page, err
}

// TenantNames returns the names of some tenants.
func (tx *Tx) TenantNames(ctx context.Context, ids []identity.TenantID) (map[identity.TenantID]string, error) {
	in, args := idList(tx, "t.id", ids)
	var rows []tenantRow
	err := tx.list(ctx, &rows, `SELECT `+tenantColumns+`, 0 AS users FROM tenants t WHERE `+in, args...)
	names := make(map[identity.TenantID]string, len(rows))
	for _, r := range rows {
		names[identity.TenantID(r.ID)] = r.Name
	}
	return names, err
}

// InsertTenant writes a new tenant. A name that is taken is a Conflict.
func (tx *Tx) InsertTenant(ctx context.Context, t identity.Tenant) error {
	return tx.exec(ctx, `INSERT INTO tenants (id, name, name_key, landing, created_at) VALUES (?, ?, ?, ?, ?)`,
		string(t.ID), t.Name, identity.NameKey(t.Name), t.Landing, t.CreatedAt)
}

// seedLanding creates the landing tenant when there is none.
func (tx *Tx) seedLanding(ctx context.Context, name string) error {
	return tx.exec(ctx, `INSERT INTO tenants (id, name, name_key, landing, created_at) SELECT `+tx.cast()+`, ?, ?, TRUE, `+tx.castTime()+`
		WHERE NOT EXISTS (SELECT 1 FROM tenants WHERE landing) ON CONFLICT DO NOTHING`,
		string(identity.NewID[identity.TenantID]()), name, identity.NameKey(name), tx.now)
}

// seedMain marks the one tenant of an installation that has one: the tenant of that name, or a new one.
func (tx *Tx) seedMain(ctx context.Context, name string) error {
	err := tx.exec(ctx, `UPDATE tenants SET main = TRUE WHERE name_key = ? AND NOT landing AND NOT EXISTS (SELECT 1 FROM tenants m WHERE m.main)`, identity.NameKey(name))
	if err != nil {
		return err
	}
	return tx.exec(ctx, `INSERT INTO tenants (id, name, name_key, landing, main, created_at) SELECT `+tx.cast()+`, ?, ?, FALSE, TRUE, `+tx.castTime()+`
		WHERE NOT EXISTS (SELECT 1 FROM tenants WHERE main) ON CONFLICT DO NOTHING`,
		string(identity.NewID[identity.TenantID]()), name, identity.NameKey(name), tx.now)
}

// cast and castTime are placeholders for an id and a time where PostgreSQL cannot tell the type from a column.
func (tx *Tx) cast() string {
	if tx.postgres() {
		return "CAST(? AS uuid)"
	}
	return "?"
}

func (tx *Tx) castTime() string {
	if tx.postgres() {
		return "CAST(? AS timestamptz)"
	}
	return "?"
}
