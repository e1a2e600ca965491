package store

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
)

// CountAdministrators returns how many people of a tenant (none: those above all tenants) hold a role and may come in, but for some. Without a role it is
// those who carry the admin flag. Who was invited and never joined does not count: nobody knows whether they will.
func (tx *Tx) CountAdministrators(ctx context.Context, tenant identity.TenantID, role identity.RoleID, except []identity.UserID) (int, error) {
	holds, args := `EXISTS (SELECT 1 FROM positions p WHERE p.user_id = u.id AND p.administrator)`, []any(nil)
	if role != "" {
		holds, args = `EXISTS (SELECT 1 FROM assignments a WHERE a.user_id = u.id AND a.role_id = ?)`, []any{string(role)}
	}
	home := ` AND u.tenant_id IS NULL`
	if tenant != "" {
		home, args = ` AND u.tenant_id = ?`, append(args, string(tenant))
	}
	others, ids := idList(tx, "u.id", except)
	var n int
	err := tx.get(ctx, &n, `SELECT count(*) FROM users u WHERE `+holds+home+` AND u.enabled AND u.locked_at IS NULL AND u.deleted_at IS NULL
		AND NOT (u.last_login_at IS NULL AND EXISTS (`+openInvitation+`)) AND NOT (`+others+`)`, append(args, ids...)...)
	return n, err
}

// Owner returns who owns a tenant; "" when nobody does.
func (tx *Tx) Owner(ctx context.Context, tenant identity.TenantID) (identity.UserID, error) {
	var ids []text
	err := tx.list(ctx, &ids, `SELECT owner_id FROM tenants WHERE id = ? AND owner_id IS NOT NULL`, string(tenant))
	if err != nil || len(ids) == 0 {
		return "", err
	}
	return identity.UserID(ids[0]), nil
}

// SetOwner makes somebody the owner of a tenant in place of whoever was, or returns NotFound.
func (tx *Tx) SetOwner(ctx context.Context, tenant identity.TenantID, owner identity.UserID) error {
	return tx.execOne(ctx, `UPDATE tenants SET owner_id = ? WHERE id = ?`, string(owner), string(tenant))
}
