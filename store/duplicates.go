package store

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// enterprise is the schema that has the employee number (RFC 7643 4.3).
const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// DuplicateKey is some users of one tenant who have something in common.
type DuplicateKey struct {
	Rank     int // of the kind in identity.DuplicateKinds
	Key      string
	TenantID identity.TenantID
	Users    []identity.UserID
}

type duplicateRow struct {
	Rank     int    `db:"rank"`
	Key      string `db:"dup_key"`
	TenantID string `db:"tenant"`
	Users    string `db:"users"`
}

// duplicates are the pairs of a user and what others may have in common with them, by kind; each has the columns rank, tenant, dup_key and user_id.
func (tx *Tx) duplicates(kinds []identity.DuplicateKind) string {
	const alive, home = `u.deleted_at IS NULL`, `COALESCE(CAST(u.tenant_id AS TEXT), '')`
	employee, domain := `json_extract(u.attributes, '$."`+enterprise+`".employeeNumber')`, `substr(e.email_key, instr(e.email_key, '@') + 1)`
	if tx.postgres() {
		employee, domain = `u.attributes -> '`+enterprise+`' ->> 'employeeNumber'`, `split_part(e.email_key, '@', 2)`
	}
	sources := map[identity.DuplicateKind]string{
		identity.SameIdentity:       `l.issuer || ' ' || l.subject AS dup_key, u.id AS user_id FROM links l JOIN users u ON u.id = l.user_id WHERE ` + alive,
		identity.SameEmail:          `e.email_key AS dup_key, u.id AS user_id FROM user_emails e JOIN users u ON u.id = e.user_id WHERE e.email_key IS NOT NULL AND ` + alive,
		identity.SameExternalID:     `k.external_id AS dup_key, u.id AS user_id FROM directory_users k JOIN users u ON u.id = k.user_id WHERE COALESCE(k.external_id, '') <> '' AND ` + alive,
		identity.SameEmployeeNumber: `CAST(` + employee + ` AS TEXT) AS dup_key, u.id AS user_id FROM users u WHERE COALESCE(CAST(` + employee + ` AS TEXT), '') <> '' AND ` + alive,
		identity.SameName: `u.display_name_key || ' @ ' || ` + domain + ` AS dup_key, u.id AS user_id FROM users u JOIN user_emails e ON e.user_id = u.id
			WHERE u.display_name_key <> '' AND u.display_name_key <> u.user_name_key AND e.email_key IS NOT NULL AND ` + alive,
	}
	var parts []string
	for rank, kind := range identity.DuplicateKinds {
		if len(kinds) == 0 || slices.Contains(kinds, kind) {
			parts = append(parts, `SELECT `+strconv.Itoa(rank)+` AS rank, `+home+` AS tenant, `+sources[kind])
		}
	}
	return strings.Join(parts, " UNION ALL ")
}

// Duplicates returns the scope's users who have something in common within their tenant, the surest kind first, behind the one named, at most limit groups and a
// few users of each. It reads everybody.
func (tx *Tx) Duplicates(ctx context.Context, scope Scope, kinds []identity.DuplicateKind, after *DuplicateKey, limit int) ([]DuplicateKey, bool, error) {
	const most = 20 // users of one group
	visible, args := "1 = 1", []any(nil)
	if !scope.all {
		visible, args = "d.tenant = ?", []any{string(scope.tenant)}
	}
	behind := ""
	if after != nil {
		behind = ` AND (d.rank > ? OR (d.rank = ? AND (d.dup_key > ? OR (d.dup_key = ? AND d.tenant > ?))))`
		args = append(args, after.Rank, after.Rank, after.Key, after.Key, string(after.TenantID))
	}
	joined := `group_concat(DISTINCT d.user_id)`
	if tx.postgres() {
		joined = `string_agg(DISTINCT CAST(d.user_id AS TEXT), ',')`
	}
	var rows []duplicateRow
	err := tx.listBuilt(ctx, &rows, `SELECT d.rank, d.dup_key, d.tenant, `+joined+` AS users FROM (`+tx.duplicates(kinds)+`) d WHERE `+visible+behind+`
		GROUP BY d.rank, d.dup_key, d.tenant HAVING count(DISTINCT d.user_id) > 1 ORDER BY d.rank, d.dup_key, d.tenant LIMIT ?`, append(args, limit+1)...)
	if err != nil {
		return nil, false, err
	}
	rows, more := cut(rows, limit)
	out := make([]DuplicateKey, len(rows))
	for i, r := range rows {
		ids := strings.Split(r.Users, ",")
		slices.Sort(ids)
		out[i] = DuplicateKey{Rank: r.Rank, Key: r.Key, TenantID: identity.TenantID(r.TenantID)}
		for _, id := range ids[:min(len(ids), most)] {
			out[i].Users = append(out[i].Users, identity.UserID(id))
		}
	}
	return out, more, nil
}

// UsersByID returns those of the ids who are users of the scope and not deleted, in the order of the ids.
func (tx *Tx) UsersByID(ctx context.Context, scope Scope, ids []identity.UserID) ([]identity.User, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	in, args := idList(tx, "u.id", ids)
	return tx.usersWhere(ctx, scope, `u.deleted_at IS NULL AND `+in, len(ids), args...)
}
