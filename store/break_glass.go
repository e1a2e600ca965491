package store

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// RequiresSSO reports whether the people of a tenant come in through a provider only.
func (tx *Tx) RequiresSSO(ctx context.Context, id identity.TenantID) (bool, error) {
	var n []int
	err := tx.list(ctx, &n, `SELECT 1 FROM tenants WHERE id = ? AND require_sso`, string(id))
	return len(n) > 0, err
}

// SetRequireSSO switches it on or off, or returns NotFound.
func (tx *Tx) SetRequireSSO(ctx context.Context, id identity.TenantID, on bool) error {
	return tx.execOne(ctx, `UPDATE tenants SET require_sso = ? WHERE id = ?`, on, string(id))
}

// AnyRequiresSSO reports whether one of the tenants requires a provider: that tenant, or with an empty id any.
func (tx *Tx) AnyRequiresSSO(ctx context.Context, id identity.TenantID) (bool, error) {
	if id != "" {
		return tx.RequiresSSO(ctx, id)
	}
	var n []int
	err := tx.list(ctx, &n, `SELECT 1 FROM tenants WHERE require_sso LIMIT 1`)
	return len(n) > 0, err
}

// BreakGlass reports whether a user may come in with a password while their tenant requires a provider.
func (tx *Tx) BreakGlass(ctx context.Context, id identity.UserID) (bool, error) {
	var n []int
	err := tx.list(ctx, &n, `SELECT 1 FROM break_glass WHERE user_id = ?`, string(id))
	return len(n) > 0, err
}

// InsertBreakGlass makes an account one for emergencies. It is a Conflict when it is one already.
func (tx *Tx) InsertBreakGlass(ctx context.Context, id identity.UserID, by, reason string) error {
	return tx.exec(ctx, `INSERT INTO break_glass (user_id, granted_by, reason, created_at) VALUES (?, ?, ?, ?)`, string(id), by, reason, tx.now)
}

// DeleteBreakGlass makes it an ordinary account again, or returns NotFound.
func (tx *Tx) DeleteBreakGlass(ctx context.Context, id identity.UserID) error {
	return tx.execOne(ctx, `DELETE FROM break_glass WHERE user_id = ?`, string(id))
}

// BreakGlassAccounts returns the accounts for emergencies that can be used for a tenant: enabled, with a password and a confirmed second factor, in the
// tenant itself or above all tenants (above all tenants only, when the tenant is empty). One may be left out. Whether their roles let them sign in is for the caller to judge.
func (tx *Tx) BreakGlassAccounts(ctx context.Context, tenant identity.TenantID, except identity.UserID) ([]identity.UserID, error) {
	var ids []identity.UserID
	query := `SELECT u.id FROM users u JOIN break_glass b ON b.user_id = u.id JOIN credentials k ON k.user_id = u.id JOIN second_factors f ON f.user_id = u.id
		WHERE u.deleted_at IS NULL AND u.enabled AND u.locked_at IS NULL AND f.confirmed_at IS NOT NULL AND (u.tenant_id IS NULL OR u.tenant_id = ` + tx.cast() + `)`
	args := []any{null(tenant)}
	if except != "" {
		query, args = query+` AND u.id <> ?`, append(args, string(except))
	}
	err := tx.list(ctx, &ids, query+` ORDER BY u.id`, args...)
	return ids, err
}

// BreakGlassUsers returns everybody of the scope who has an account for emergencies, usable or not.
func (tx *Tx) BreakGlassUsers(ctx context.Context, scope Scope) ([]identity.User, error) {
	return tx.usersWhere(ctx, scope, `u.deleted_at IS NULL AND u.id IN (SELECT b.user_id FROM break_glass b)`, maxBreakGlass)
}

// maxBreakGlass is how many accounts for emergencies a list shows: nobody has more than a few.
const maxBreakGlass = 100

// ProvenSignIn reports whether somebody came in, or a test went well, since a time: through an enabled connection of the tenant, or as one of its people through one of the installation.
func (tx *Tx) ProvenSignIn(ctx context.Context, tenant identity.TenantID, since time.Time) (bool, error) {
	var n []int
	err := tx.list(ctx, &n, `SELECT 1 FROM traces t JOIN connections c ON c.id = t.connection_id LEFT JOIN users u ON u.id = t.user_id
		WHERE t.ok AND c.enabled AND t.purpose IN ('', 'test') AND t.at >= ? AND (c.tenant_id = ? OR c.tenant_id IS NULL AND u.tenant_id = ?) LIMIT 1`,
		since, string(tenant), string(tenant))
	return len(n) > 0, err
}

// PasswordSessionsOf returns the live sessions of a tenant's people that began with a password, but for those of accounts for emergencies with a second factor.
func (tx *Tx) PasswordSessionsOf(ctx context.Context, tenant identity.TenantID) ([]identity.Session, error) {
	return tx.sessions(ctx, `s.connection_id IS NULL AND s.expires_at > ? AND s.user_id IN (SELECT u.id FROM users u WHERE u.tenant_id = ?)
		AND s.user_id NOT IN (SELECT b.user_id FROM break_glass b JOIN second_factors f ON f.user_id = b.user_id WHERE f.confirmed_at IS NOT NULL)`, tx.now, string(tenant))
}
