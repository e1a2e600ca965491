package store

import (
	"context"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// DormantQuery says which accounts are wanted that nobody seems to use.
type DormantQuery struct {
	Before   time.Time             // not seen since; people who are newer are left out
	Why      []identity.DormantWhy // any of these; none: every reason
	TenantID identity.TenantID
	After    identity.UserID
	Limit    int
}

// seen is what else shows that an account is used: a session, or a key of a program.
const seen = `(EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = u.id AND s.last_seen_at >= ?) OR EXISTS (SELECT 1 FROM api_keys k WHERE k.user_id = u.id AND k.revoked_at IS NULL AND k.last_used_at >= ?))`

// dormant returns the condition of a reason, with its arguments.
func (q DormantQuery) dormant(why identity.DormantWhy) (string, []any) {
	at := q.Before.UTC()
	switch why {
	case identity.NotSeen:
		return `(u.enabled AND u.last_login_at < ? AND NOT ` + seen + `)`, []any{at, at, at}
	case identity.NeverSignedIn:
		return `(u.enabled AND u.last_login_at IS NULL AND NOT ` + seen + `)`, []any{at, at}
	case identity.DeactivatedUpstream:
		return `EXISTS (SELECT 1 FROM directory_users x WHERE x.user_id = u.id AND NOT x.active)`, nil
	case identity.NoSource:
		return `(u.enabled AND NOT EXISTS (SELECT 1 FROM directory_users x JOIN directories d ON d.id = x.directory_id WHERE x.user_id = u.id AND d.enabled)
			AND NOT EXISTS (SELECT 1 FROM links l JOIN connections c ON c.id = l.connection_id WHERE l.user_id = u.id AND c.enabled)
			AND NOT EXISTS (SELECT 1 FROM credentials p WHERE p.user_id = u.id))`, nil
	}
	return "1 = 0", nil
}

// Dormant returns a page of the scope's people whose account nobody seems to use, with the reasons. Accounts for emergencies are never among them.
func (tx *Tx) Dormant(ctx context.Context, scope Scope, q DormantQuery) (identity.Page[identity.Dormant], error) {
	var page identity.Page[identity.Dormant]
	if len(q.Why) == 0 {
		q.Why = identity.DormantWhys
	}
	var columns, ways []string
	var first, later []any
	for _, why := range q.Why {
		cond, args := q.dormant(why)
		columns, ways = append(columns, `CASE WHEN `+cond+` THEN '`+string(why)+` ' ELSE '' END`), append(ways, cond)
		first, later = append(first, args...), append(later, args...)
	}
	visible, more := scope.users()
	b := builder{tx: tx}
	b.add("u.deleted_at IS NULL AND u.created_at < ? AND "+visible, append([]any{q.Before.UTC()}, more...)...)
	b.add("("+strings.Join(ways, " OR ")+")", later...)
	b.add("NOT EXISTS (SELECT 1 FROM break_glass g WHERE g.user_id = u.id)")
	if q.TenantID != "" {
		b.add("u.tenant_id = ?", string(q.TenantID))
	}
	list := identity.Query{After: string(q.After), Limit: q.Limit}
	b.after("u.id", list)
	var rows []struct {
		userRow
		Why string `db:"why"`
	}
	args := append(append(first, null(scope.directory)), b.args...)
	err := tx.listBuilt(ctx, &rows, `SELECT `+userColumns+`, `+strings.Join(columns, " || ")+` AS why`+userTables+b.where()+b.order("u.id", list), args...)
	if err != nil {
		return page, err
	}
	rows, page.More = cut(rows, q.Limit)
	for i := range rows {
		u, err := rows[i].user()
		if err != nil {
			return page, err
		}
		d := identity.Dormant{User: u}
		for _, why := range strings.Fields(rows[i].Why) {
			d.Why = append(d.Why, identity.DormantWhy(why))
		}
		page.Items = append(page.Items, d)
	}
	return page, nil
}

// DormantRules returns the tenants that have their unseen people deactivated, with the days.
func (tx *Tx) DormantRules(ctx context.Context) (map[identity.TenantID]int, error) {
	days := `CAST(json_extract(t.settings, '$.dormant_days') AS INTEGER)`
	if tx.postgres() {
		days = `CAST(t.settings ->> 'dormant_days' AS INTEGER)`
	}
	var rows []struct {
		ID   text `db:"id"`
		Days int  `db:"days"`
	}
	err := tx.list(ctx, &rows, `SELECT t.id, `+days+` AS days FROM tenants t WHERE `+days+` > 0`)
	out := make(map[identity.TenantID]int, len(rows))
	for _, r := range rows {
		out[identity.TenantID(r.ID)] = r.Days
	}
	return out, err
}
