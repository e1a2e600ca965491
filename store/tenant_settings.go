package store

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
)

// TenantSettings returns what a tenant asks of its people's sign-ins; what asks nothing when there is no such tenant, or none is given.
func (tx *Tx) TenantSettings(ctx context.Context, id identity.TenantID) (identity.TenantSettings, error) {
	var s identity.TenantSettings
	if id == "" {
		return s, nil
	}
	var raw []text
	if err := tx.list(ctx, &raw, `SELECT settings FROM tenants WHERE id = ?`, string(id)); err != nil || len(raw) == 0 {
		return s, err
	}
	return s, fromJSON(raw[0], &s)
}

// PutTenantSettings writes them, or returns NotFound.
func (tx *Tx) PutTenantSettings(ctx context.Context, id identity.TenantID, s identity.TenantSettings) error {
	raw, err := asJSON(s)
	if err != nil {
		return err
	}
	return tx.execOne(ctx, `UPDATE tenants SET settings = ? WHERE id = ?`, raw, string(id))
}
