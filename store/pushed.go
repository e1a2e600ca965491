package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/drawbridge-id/drawbridge/identity"
)

// What a directory's answer shows of a user, with the directory's groups as JSON: one journey for all of it. The groups are found by their member and never by
// their directory, which may have thousands (see Tx.same).
const (
	pushedColumns = `u.id, u.tenant_id, u.user_name, u.display_name, u.enabled, u.emails, u.attributes, u.version, u.created_at, u.updated_at, du.external_id, `

	pushedGroupsPostgres = `(SELECT json_agg(json_build_object('g', m.group_id, 'd', g.display_name, 'n', EXISTS (SELECT 1 FROM group_members p WHERE p.member_id = m.group_id)))
		FROM group_members m JOIN groups g ON g.id = m.group_id WHERE m.member_id = u.id AND g.directory_id IS NOT DISTINCT FROM ?)`
	pushedGroupsSQLite = `(SELECT json_group_array(json_object('g', m.group_id, 'd', g.display_name, 'n', json(CASE WHEN EXISTS (SELECT 1 FROM group_members p WHERE p.member_id = m.group_id) THEN 'true' ELSE 'false' END)))
		FROM group_members m JOIN groups g ON g.id = m.group_id WHERE m.member_id = u.id AND g.directory_id = ?)`
)

// pushedTables is userTables in a form that looks the directory's row up for each user, and never joins all of them.
const pushedTables = ` FROM users u LEFT JOIN LATERAL (SELECT l.user_id, l.external_id FROM directory_users l WHERE l.user_id = u.id AND l.directory_id = ? LIMIT 1) du ON TRUE`

// selectPushed returns the beginning of a query; it has two arguments, both the directory. joined keeps the index on the directory's own ids;
// key is the column of a sorted list, with a comma in front, or empty.
func (tx *Tx) selectPushed(joined bool, key string) string {
	if key == "" {
		key = ", NULL"
	}
	if tx.postgres() && joined {
		return `SELECT ` + pushedColumns + pushedGroupsPostgres + key + userTables
	}
	if tx.postgres() {
		return `SELECT ` + pushedColumns + pushedGroupsPostgres + key + pushedTables
	}
	return `SELECT ` + pushedColumns + pushedGroupsSQLite + key + userTables
}

// PushedUser returns a user of a directory's scope who is not deleted, as Query.Lean would, or NotFound.
func (tx *Tx) PushedUser(ctx context.Context, scope Scope, id identity.UserID) (identity.User, error) {
	visible, more := scope.users()
	directory := null(scope.directory)
	users, _, err := tx.pushed(ctx, scope, tx.bind(tx.selectPushed(false, "")+` WHERE u.deleted_at IS NULL AND u.id = ? AND `+visible), 1, append([]any{directory, directory, string(id)}, more...))
	if err != nil {
		return identity.User{}, err
	}
	if len(users) == 0 {
		return identity.User{}, identity.Errorf(identity.NotFound, "not found")
	}
	return users[0], nil
}

// pushed reads rows that begin with selectPushed, and the values by which they are sorted.
func (tx *Tx) pushed(ctx context.Context, scope Scope, query string, expected int, args []any) ([]identity.User, []*string, error) {
	users := make([]identity.User, 0, expected)
	keys := make([]*string, 0, expected)
	nested := false
	err := tx.each(ctx, query, args, func(rows *sql.Rows) error {
		var u identity.User
		var id, tenant, emails, attributes, external, groups text
		var key *string
		if err := rows.Scan(&id, &tenant, &u.UserName, &u.DisplayName, &u.Enabled, &emails, &attributes, &u.Version, &u.CreatedAt, &u.UpdatedAt, &external, &groups, &key); err != nil {
			return err
		}
		u.ID, u.TenantID, u.ExternalID = identity.UserID(id), identity.TenantID(tenant), string(external)
		u.RawEmails, u.Attributes = json.RawMessage(emails), json.RawMessage(attributes)
		u.CreatedAt, u.UpdatedAt = u.CreatedAt.UTC(), u.UpdatedAt.UTC()
		below, err := groupsOf(&u, groups)
		nested = nested || below
		users = append(users, u)
		keys = append(keys, key)
		return err
	})
	if err != nil || !nested {
		return users, keys, err
	}
	return users, keys, tx.nestedGroups(ctx, scope, users)
}

// groupsOf reads the groups of a user; below reports that one of them is in another group.
func groupsOf(u *identity.User, raw text) (below bool, err error) {
	if raw == "" || raw == "[]" {
		return false, nil
	}
	var list []struct {
		Group   identity.GroupID `json:"g"`
		Display string           `json:"d"`
		Nested  bool             `json:"n"`
	}
	if err := json.Unmarshal([]byte(raw), &list); err != nil {
		return false, err
	}
	u.Groups = make([]identity.Membership, len(list))
	for i, g := range list {
		u.Groups[i] = identity.Membership{UserID: u.ID, GroupID: g.Group, Display: g.Display, Direct: true}
		below = below || g.Nested
	}
	slices.SortFunc(u.Groups, func(a, b identity.Membership) int { return strings.Compare(string(a.GroupID), string(b.GroupID)) })
	return below, nil
}

// nestedGroups fills in the groups of some users with every group above: rare, and dearer.
func (tx *Tx) nestedGroups(ctx context.Context, scope Scope, users []identity.User) error {
	ids := make([]identity.UserID, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	all, err := tx.Memberships(ctx, scope.directory, ids)
	for i := range users {
		users[i].Groups = all[users[i].ID]
	}
	return err
}

// rebound writes a built query's question marks as the driver wants them, without keeping the text.
func (tx *Tx) rebound(query string) string {
	if tx.postgres() {
		return sqlx.Rebind(sqlx.DOLLAR, query)
	}
	return query
}
