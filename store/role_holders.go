package store

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
)

// RolePage returns a page of an application's roles in their order; After is the id of a role, Search is looked for in titles and descriptions.
func (tx *Tx) RolePage(ctx context.Context, application string, q identity.Query) (identity.Page[identity.RoleDefinition], error) {
	var page identity.Page[identity.RoleDefinition]
	b := builder{tx: tx}
	b.add("r.application = ? AND r.grants IS NOT NULL", application)
	if q.Search != "" {
		like := "%" + escapeLike(identity.NameKey(q.Search)) + "%"
		b.add(`(r.title_key LIKE ? ESCAPE '\' OR lower(r.description) LIKE ? ESCAPE '\')`, like, like)
	}
	var err error
	if page.Total, err = b.total(ctx, q, ` FROM roles r`, nil); err != nil || q.Limit == 0 {
		return page, err
	}
	if q.After != "" {
		b.add("(r.position, r.id) > (SELECT x.position, x.id FROM roles x WHERE x.application = ? AND x.id = ?)", application, q.After)
	}
	var rows []roleRow
	if err := tx.listBuilt(ctx, &rows, `SELECT `+roleColumns+` FROM roles r`+b.where()+` ORDER BY r.position, r.id LIMIT ?`, append(b.args, q.Limit+1)...); err != nil {
		return page, err
	}
	rows, page.More = cut(rows, q.Limit)
	page.Items, err = definitionsOf(rows)
	return page, err
}

func definitionsOf(rows []roleRow) ([]identity.RoleDefinition, error) {
	out := make([]identity.RoleDefinition, len(rows))
	for i := range rows {
		var err error
		if out[i], err = rows[i].definition(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// RoleDefinition returns a role, or NotFound.
func (tx *Tx) RoleDefinition(ctx context.Context, application string, id identity.RoleID) (identity.RoleDefinition, error) {
	var r roleRow
	err := tx.get(ctx, &r, `SELECT `+roleColumns+` FROM roles WHERE application = ? AND id = ? AND grants IS NOT NULL`, application, string(id))
	if err != nil {
		return identity.RoleDefinition{}, err
	}
	return r.definition()
}

// RoleHolders returns how many people of a scope hold each role. Whoever was deleted is counted only where deleted says so.
func (tx *Tx) RoleHolders(ctx context.Context, scope Scope, application string, deleted bool) (map[identity.RoleID]int, error) {
	visible, args := scope.tenants("u.tenant_id")
	if !deleted {
		visible += " AND u.deleted_at IS NULL"
	}
	var rows []struct {
		Role string `db:"role_id"`
		N    int    `db:"n"`
	}
	err := tx.list(ctx, &rows, `SELECT a.role_id, count(DISTINCT a.user_id) AS n FROM assignments a JOIN users u ON u.id = a.user_id
		WHERE a.application = ? AND `+visible+` GROUP BY a.role_id`, append([]any{application}, args...)...)
	out := make(map[identity.RoleID]int, len(rows))
	for _, r := range rows {
		out[identity.RoleID(r.Role)] = r.N
	}
	return out, err
}

// HolderQuery says whose roles are wanted.
type HolderQuery struct {
	Tenant  identity.TenantID // only this one
	Search  string            // only people whose names or addresses have these words
	Roles   []identity.RoleID // who holds one of these …
	Flagged bool              // … or carries the admin flag …
	Anybody bool              // … or everybody
	After   string            // the id of the last user of the page before
	Limit   int
	Total   bool
}

// HolderPage returns a page of the people of a scope who hold one of some roles, in the order of their ids; deleted people are left out.
func (tx *Tx) HolderPage(ctx context.Context, scope Scope, q HolderQuery) (identity.Page[identity.User], error) {
	var page identity.Page[identity.User]
	visible, args := scope.users()
	b := builder{tx: tx}
	b.add("u.deleted_at IS NULL AND "+visible, args...)
	b.userQuery(identity.Query{Tenant: q.Tenant, Search: q.Search})
	if !q.Anybody {
		in, names := tx.textList("a.role_id", roleTexts(q.Roles))
		held := "EXISTS (SELECT 1 FROM assignments a WHERE a.user_id = u.id AND " + in + ")"
		if q.Flagged {
			held = "(" + held + " OR EXISTS (SELECT 1 FROM positions p WHERE p.user_id = u.id AND p.administrator))"
		}
		b.add(held, names)
	}
	list := identity.Query{After: q.After, Limit: q.Limit, Total: q.Total}
	var err error
	if page.Total, err = b.total(ctx, list, userTables, []any{null(scope.directory)}); err != nil || q.Limit == 0 {
		return page, err
	}
	b.after("u.id", list)
	var rows []userRow
	if err := tx.listBuilt(ctx, &rows, `SELECT `+userColumns+userTables+b.where()+b.order("u.id", list), append([]any{null(scope.directory)}, b.args...)...); err != nil {
		return page, err
	}
	rows, page.More = cut(rows, q.Limit)
	page.Items, err = usersOf(rows)
	return page, err
}

func roleTexts(roles []identity.RoleID) []string {
	out := make([]string, len(roles))
	for i, r := range roles {
		out[i] = string(r)
	}
	return out
}

// CountComers returns how many people hold one of the roles, or carry the admin flag where it counts, and may come in.
func (tx *Tx) CountComers(ctx context.Context, roles []identity.RoleID, flagged bool) (int, error) {
	in, names := tx.textList("a.role_id", roleTexts(roles))
	held := `EXISTS (SELECT 1 FROM assignments a WHERE a.user_id = u.id AND ` + in + `)`
	if flagged {
		held = `(` + held + ` OR EXISTS (SELECT 1 FROM positions p WHERE p.user_id = u.id AND p.administrator))`
	}
	var n int
	err := tx.get(ctx, &n, `SELECT count(*) FROM users u WHERE u.enabled AND u.locked_at IS NULL AND u.deleted_at IS NULL AND `+held, names)
	return n, err
}

// AssignmentsTo returns the assignments of one role, also those of deleted people, locked until the transaction ends.
func (tx *Tx) AssignmentsTo(ctx context.Context, application string, role identity.RoleID) ([]identity.Assignment, error) {
	var rows []assignmentRow
	err := tx.list(ctx, &rows, `SELECT `+assignmentColumns+` FROM assignments a WHERE a.application = ? AND a.role_id = ? ORDER BY a.user_id, a.id`+tx.lockRows("a"), application, string(role))
	out := make([]identity.Assignment, len(rows))
	for i := range rows {
		out[i] = rows[i].assignment()
	}
	return out, err
}

// DeleteAssignmentsTo takes a role away from everybody, also from deleted people.
func (tx *Tx) DeleteAssignmentsTo(ctx context.Context, application string, role identity.RoleID) error {
	return tx.exec(ctx, `DELETE FROM assignments WHERE application = ? AND role_id = ?`, application, string(role))
}

// UsersOf returns some users by their ids, also deleted ones.
func (tx *Tx) UsersOf(ctx context.Context, ids []identity.UserID) (map[identity.UserID]identity.User, error) {
	in, args := idList(tx, "u.id", ids)
	users, err := tx.usersWhere(ctx, Everything(), in, len(ids), args...)
	out := make(map[identity.UserID]identity.User, len(users))
	for _, u := range users {
		out[u.ID] = u
	}
	return out, err
}

// TypesWithRole returns the titles of the user types that propose a role.
func (tx *Tx) TypesWithRole(ctx context.Context, application string, role identity.RoleID) ([]string, error) {
	var titles []string
	err := tx.list(ctx, &titles, `SELECT t.title FROM user_types t WHERE t.application = ? AND t.default_role = ? ORDER BY t.position, t.id`, application, string(role))
	return titles, err
}

// RecordsByUser returns the records that some people are tied to.
func (tx *Tx) RecordsByUser(ctx context.Context, ids []identity.UserID) (map[identity.UserID][]identity.Record, error) {
	in, args := idList(tx, "r.user_id", ids)
	var rows []recordRow
	err := tx.list(ctx, &rows, `SELECT `+recordColumns+` FROM records r WHERE `+in+` ORDER BY r.type, r.foreign_id`, args...)
	out := map[identity.UserID][]identity.Record{}
	for _, r := range recordsOf(rows) {
		out[r.UserID] = append(out[r.UserID], r)
	}
	return out, err
}
