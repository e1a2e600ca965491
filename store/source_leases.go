package store

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// LeaseSource lets one have a source alone until some time, and reports whether that worked: not while somebody else has it. Whoever has it renews it so.
func (tx *Tx) LeaseSource(ctx context.Context, tenant identity.TenantID, source, by string, until time.Time) (bool, error) {
	n, err := tx.execCount(ctx, `INSERT INTO source_leases (tenant_id, source, lease_by, lease_until) VALUES (?, ?, ?, ?)
		ON CONFLICT (COALESCE(tenant_id, `+nobody+`), source) DO UPDATE SET lease_by = excluded.lease_by, lease_until = excluded.lease_until
		WHERE source_leases.lease_by = excluded.lease_by OR source_leases.lease_until <= ?`, null(tenant), source, by, until, tx.now)
	return n == 1, err
}

// FreeSource gives a lease back.
func (tx *Tx) FreeSource(ctx context.Context, tenant identity.TenantID, source, by string) error {
	return tx.exec(ctx, `DELETE FROM source_leases WHERE COALESCE(tenant_id, `+nobody+`) = COALESCE(`+tx.cast()+`, `+nobody+`) AND source = ? AND lease_by = ?`, null(tenant), source, by)
}
