package store

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// CountStatuses returns how many of the scope's people are in each status, and how many are deleted and may come back.
func (tx *Tx) CountStatuses(ctx context.Context, scope Scope) (map[identity.Status]int64, int64, error) {
	visible, args := scope.tenants("u.tenant_id")
	var rows []struct {
		Status string `db:"status"`
		N      int64  `db:"n"`
	}
	err := tx.list(ctx, &rows, `SELECT CASE WHEN u.deleted_at IS NOT NULL THEN '' WHEN NOT u.enabled THEN 'Inactive' WHEN u.locked_at IS NOT NULL THEN 'Locked' WHEN u.last_login_at IS NULL THEN 'Pending' ELSE 'Active' END AS status,
		count(*) AS n FROM users u WHERE `+visible+` GROUP BY 1`, args...)
	out := make(map[identity.Status]int64, len(rows))
	var deleted int64
	for _, r := range rows {
		if r.Status == "" {
			deleted = r.N
			continue
		}
		out[identity.Status(r.Status)] = r.N
	}
	return out, deleted, err
}

// CountRoles returns how many of the scope's people hold each role.
func (tx *Tx) CountRoles(ctx context.Context, scope Scope) (map[identity.RoleID]int64, error) {
	visible, args := scope.tenants("u.tenant_id")
	var rows []struct {
		Role string `db:"role_id"`
		N    int64  `db:"n"`
	}
	err := tx.list(ctx, &rows, `SELECT a.role_id, count(DISTINCT u.id) AS n FROM assignments a JOIN users u ON u.id = a.user_id WHERE u.deleted_at IS NULL AND `+visible+` GROUP BY a.role_id`, args...)
	out := make(map[identity.RoleID]int64, len(rows))
	for _, r := range rows {
		out[identity.RoleID(r.Role)] = r.N
	}
	return out, err
}

// day is the day of a column of time, in UTC as 2006-01-02.
func (tx *Tx) day(column string) string {
	if tx.postgres() {
		return `to_char(` + column + ` AT TIME ZONE 'UTC', 'YYYY-MM-DD')`
	}
	return `substr(` + column + `, 1, 10)`
}

type dayRow struct {
	Day    string `db:"day"`
	N      int64  `db:"n"`
	Failed int64  `db:"failed"`
}

// CountEventsByDay returns how many events of a type the scope had on each day since a time.
func (tx *Tx) CountEventsByDay(ctx context.Context, scope Scope, kind identity.EventType, since time.Time) (map[string]int64, error) {
	visible, args := scope.tenants("e.tenant_id")
	var rows []dayRow
	err := tx.list(ctx, &rows, `SELECT `+tx.day("e.at")+` AS day, count(*) AS n, 0 AS failed FROM events e WHERE e.type = ? AND e.id >= ? AND e.at >= ? AND `+visible+` GROUP BY 1`,
		append([]any{string(kind), identity.IDBefore(since.Add(-time.Minute)), since.UTC()}, args...)...)
	out := make(map[string]int64, len(rows))
	for _, r := range rows {
		out[r.Day] = r.N
	}
	return out, err
}

// CountRefusedByDay returns how many of the scope's sign-ins were refused on each day since a time, as far as their traces are kept. Tests and log-outs do not count.
func (tx *Tx) CountRefusedByDay(ctx context.Context, scope Scope, since time.Time) (map[string]int64, error) {
	visible, args := scope.tenants("t.tenant_id")
	var rows []dayRow
	err := tx.list(ctx, &rows, `SELECT `+tx.day("t.at")+` AS day, count(*) AS n, 0 AS failed FROM traces t
		WHERE NOT t.ok AND t.id >= ? AND t.at >= ? AND t.purpose NOT IN ('`+string(identity.PurposeTest)+`', '`+string(identity.PurposeLogout)+`') AND `+visible+` GROUP BY 1`,
		append([]any{identity.IDBefore(since.Add(-time.Minute)), since.UTC()}, args...)...)
	out := make(map[string]int64, len(rows))
	for _, r := range rows {
		out[r.Day] = r.N
	}
	return out, err
}

// CountRequestsByDay returns how many requests of the scope's directories the journal has of each day since a time, and how many of them failed.
func (tx *Tx) CountRequestsByDay(ctx context.Context, scope Scope, since time.Time) (all, failed map[string]int64, err error) {
	visible, args := scope.tenants("r.tenant_id")
	var rows []dayRow
	err = tx.list(ctx, &rows, `SELECT `+tx.day("r.at")+` AS day, count(*) AS n, count(CASE WHEN r.status >= 400 THEN 1 END) AS failed FROM requests r WHERE r.id >= ? AND r.at >= ? AND `+visible+` GROUP BY 1`,
		append([]any{identity.IDBefore(since.Add(-time.Minute)), since.UTC()}, args...)...)
	all, failed = make(map[string]int64, len(rows)), make(map[string]int64, len(rows))
	for _, r := range rows {
		all[r.Day], failed[r.Day] = r.N, r.Failed
	}
	return all, failed, err
}
