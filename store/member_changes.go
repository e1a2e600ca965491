package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
)

// Spreads reports whether changes of one group's members can be made side by side. SQLite has one writer, which gains nothing by it.
func (db *DB) Spreads() bool { return db.writer == nil }

// MemberFact is what is known of an id that is to become a member of a group or to stop being one.
type MemberFact struct {
	ID     string  `json:"i"`
	Name   *string `json:"n"` // of a user whom the scope sees; nil: there is none
	Member bool    `json:"m"`
}

// GroupFacts returns a group of a directory's scope, or NotFound, with what is known of some ids. It locks nothing. PostgreSQL only.
func (tx *Tx) GroupFacts(ctx context.Context, scope Scope, id identity.GroupID, ids []string) (g identity.Group, facts []MemberFact, err error) {
	seen, more := "u.tenant_id IS NOT NULL OR EXISTS (SELECT 1 FROM directory_users o WHERE o.user_id = u.id AND o.directory_id = ?)", []any{string(scope.directory)}
	if !scope.all {
		seen, more = "u.tenant_id = ?", []any{string(scope.tenant)}
	}
	visible, args := scope.group(tx)
	query := `SELECT g.id, g.directory_id, g.tenant_id, g.display_name, g.external_id, g.attributes, g.created_at,
		g.version + COALESCE((SELECT CAST(sum(v.n) AS bigint) FROM group_versions v WHERE v.group_id = g.id), 0),
		(SELECT json_agg(json_build_object('i', w.id, 'm', EXISTS (SELECT 1 FROM group_members m WHERE m.group_id = g.id AND m.member_id = w.id), 'n', (SELECT ` + userLabel + ` FROM users u WHERE u.id = w.id AND u.deleted_at IS NULL AND (` + seen + `))))
			FROM unnest(CAST(? AS uuid[])) AS w(id))
		FROM groups g WHERE g.id = ? AND ` + visible
	var raw text
	found := false
	err = tx.each(ctx, tx.bind(query), slices.Concat(more, []any{"{" + joinIDs(ids) + "}", string(id)}, args), func(rows *sql.Rows) error {
		var r groupRow
		found = true
		err := rows.Scan(&r.ID, &r.DirectoryID, &r.TenantID, &r.DisplayName, &r.ExternalID, &r.Attributes, &r.CreatedAt, &r.Version, &raw)
		g = r.group()
		return err
	})
	if err == nil && !found {
		err = identity.Errorf(identity.NotFound, "not found")
	}
	if err != nil || raw == "" {
		return g, nil, err
	}
	return g, facts, json.Unmarshal([]byte(raw), &facts)
}

// userLabel is identity.User.Label in SQL.
const userLabel = `COALESCE(NULLIF(u.display_name, ''), NULLIF(u.attributes -> 'name' ->> 'formatted', ''),
	NULLIF(TRIM(COALESCE(u.attributes -> 'name' ->> 'givenName', '') || ' ' || COALESCE(u.attributes -> 'name' ->> 'familyName', '')), ''), u.user_name)`

// ChangeMembers adds users to a group and removes members, as GroupFacts saw both. Where that no longer holds, the transaction ends with a
// Conflict: somebody else was faster, or the group or a user is gone. Changes of one group do not wait for one another. PostgreSQL only.
func (tx *Tx) ChangeMembers(group identity.GroupID, came []identity.Member, went []string) {
	tx.named("slot", 1, `UPDATE group_versions SET n = n + 1, updated_at = ? WHERE group_id = ? AND slot = ? RETURNING group_id`, tx.now, string(group), tx.db.slot())
	if len(came) > 0 {
		tx.named("came", len(came), `INSERT INTO group_members (group_id, member_type, member_id, display)
			SELECT slot.group_id, 'User', u.id, w.value ->> 1 FROM slot, json_array_elements(CAST(? AS json)) AS w(value), users u
			WHERE u.id = CAST(w.value ->> 0 AS uuid) AND u.deleted_at IS NULL FOR KEY SHARE OF u RETURNING member_id`, membersAs(came, identity.MemberUser))
	}
	if len(went) > 0 {
		tx.named("went", len(went), `DELETE FROM group_members m USING slot WHERE m.group_id = slot.group_id AND m.member_id = ANY(CAST(? AS uuid[])) RETURNING m.member_id`, "{"+joinIDs(went)+"}")
	}
}
