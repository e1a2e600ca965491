package store

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
)

// KeyQuery says which API keys are wanted; empty fields do not narrow.
type KeyQuery struct {
	Revoked        *bool             // only those that were revoked, or only the others
	TenantID       identity.TenantID // of this tenant's people
	identity.Query                   // After, Newest and Limit
}

// APIKeysWhere returns the keys of the scope's people, by the ids of the keys.
func (tx *Tx) APIKeysWhere(ctx context.Context, scope Scope, q KeyQuery) (identity.Page[identity.APIKey], error) {
	var page identity.Page[identity.APIKey]
	visible, args := scope.tenants("u.tenant_id")
	b := builder{tx: tx}
	b.add(visible, args...)
	if q.TenantID != "" {
		b.add("u.tenant_id = ?", string(q.TenantID))
	}
	if q.Revoked != nil && *q.Revoked {
		b.add("k.revoked_at IS NOT NULL")
	} else if q.Revoked != nil {
		b.add("k.revoked_at IS NULL")
	}
	q.Sort = nil
	b.after("k.id", q.Query)
	var rows []apiKeyRow
	if err := tx.listBuilt(ctx, &rows, `SELECT `+apiKeyColumns+` FROM api_keys k JOIN users u ON u.id = k.user_id`+b.where()+b.order("k.id", q.Query), b.args...); err != nil {
		return page, err
	}
	rows, page.More = cut(rows, q.Limit)
	page.Items = make([]identity.APIKey, len(rows))
	for i := range rows {
		page.Items[i] = rows[i].key()
	}
	return page, nil
}
