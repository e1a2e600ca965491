package store

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// CountEventsSince returns how many events of a type the scope had since a time, counted up to most: no page waits for a long count.
func (tx *Tx) CountEventsSince(ctx context.Context, scope Scope, kind identity.EventType, since time.Time, most int) (int64, error) {
	visible, args := scope.tenants("e.tenant_id")
	var n int64
	err := tx.get(ctx, &n, `SELECT count(*) FROM (SELECT 1 FROM events e WHERE e.type = ? AND e.id >= ? AND `+visible+` LIMIT ?) counted`,
		append(append([]any{string(kind), identity.IDBefore(since)}, args...), most)...)
	return n, err
}

// CountRefusedSince returns how many of the scope's sign-ins were refused since a time, counted up to most.
func (tx *Tx) CountRefusedSince(ctx context.Context, scope Scope, since time.Time, most int) (int64, error) {
	visible, args := scope.tenants("t.tenant_id")
	var n int64
	err := tx.get(ctx, &n, `SELECT count(*) FROM (SELECT 1 FROM traces t WHERE NOT t.ok AND t.id >= ? AND `+visible+` LIMIT ?) counted`,
		append(append([]any{identity.IDBefore(since)}, args...), most)...)
	return n, err
}

// DirectoryCount is how many requests of a directory the journal has, and how many of them failed.
type DirectoryCount struct {
	DirectoryID identity.DirectoryID
	All, Failed int64
}

// CountRequestsSince returns how much each directory sent since a time, of the newest most requests.
func (tx *Tx) CountRequestsSince(ctx context.Context, scope Scope, since time.Time, most int) ([]DirectoryCount, error) {
	visible, args := scope.tenants("r.tenant_id")
	var rows []struct {
		Directory text  `db:"directory_id"`
		N         int64 `db:"n"`
		Failed    int64 `db:"failed"`
	}
	err := tx.list(ctx, &rows, `SELECT directory_id, count(*) AS n, count(CASE WHEN status >= 400 THEN 1 END) AS failed
		FROM (SELECT r.directory_id, r.status FROM requests r WHERE r.id >= ? AND `+visible+` ORDER BY r.id DESC LIMIT ?) counted GROUP BY directory_id ORDER BY n DESC`,
		append(append([]any{identity.IDBefore(since)}, args...), most)...)
	out := make([]DirectoryCount, len(rows))
	for i, r := range rows {
		out[i] = DirectoryCount{identity.DirectoryID(r.Directory), r.N, r.Failed}
	}
	return out, err
}
