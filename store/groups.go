package store

import (
	"context"
	"database/sql"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// groupSlots is over how many rows the versions of a group's members are spread on PostgreSQL, as migration 0002 has it.
const groupSlots = 16

// groupColumns returns the columns of a group. On PostgreSQL a change of members counts beside the group's row, so that many at once need
// not wait for one another.
func (tx *Tx) groupColumns() string {
	const columns = `g.id, g.directory_id, g.tenant_id, g.display_name, g.external_id, g.attributes, g.created_at, `
	if tx.postgres() {
		return columns + `g.version + COALESCE((SELECT CAST(sum(v.n) AS bigint) FROM group_versions v WHERE v.group_id = g.id), 0) AS version,
			GREATEST(g.updated_at, (SELECT max(v.updated_at) FROM group_versions v WHERE v.group_id = g.id)) AS updated_at`
	}
	return columns + `g.version, g.updated_at`
}

// slot returns the row in which the next change of members counts.
func (db *DB) slot() int { return int(db.slots.Add(1) % groupSlots) }

type groupRow struct {
	ID          text   `db:"id"`
	DirectoryID text   `db:"directory_id"`
	TenantID    text   `db:"tenant_id"`
	DisplayName string `db:"display_name"`
	ExternalID  text   `db:"external_id"`
	Attributes  text   `db:"attributes"`
	Version     int64  `db:"version"`
	CreatedAt   moment `db:"created_at"`
	UpdatedAt   moment `db:"updated_at"`

	SortKey *string `db:"sort_key"` // of a sorted list
}

func (r *groupRow) group() identity.Group {
	return identity.Group{
		ID: identity.GroupID(r.ID), DirectoryID: identity.DirectoryID(r.DirectoryID), TenantID: identity.TenantID(r.TenantID), DisplayName: r.DisplayName,
		ExternalID: string(r.ExternalID), Attributes: []byte(r.Attributes), Version: r.Version, CreatedAt: r.CreatedAt.time(), UpdatedAt: r.UpdatedAt.time(),
	}
}

// groups returns the condition on the table "groups g": a directory sees its own, a tenant's people those of the tenant.
func (s Scope) groups() (string, []any) {
	if s.directory != "" {
		return "g.directory_id = ?", []any{string(s.directory)}
	}
	return s.tenants("g.tenant_id")
}

// group is groups for one group whose id is given: no other index must seem better.
func (s Scope) group(tx *Tx) (string, []any) {
	if s.directory != "" {
		return tx.same("g.directory_id"), []any{string(s.directory)}
	}
	return s.tenants("g.tenant_id")
}

// Group returns a group of the scope, or NotFound.
func (tx *Tx) Group(ctx context.Context, scope Scope, id identity.GroupID) (identity.Group, error) {
	return tx.group(ctx, scope, id, "")
}

// GroupForUpdate is Group with the row and the members locked until the transaction ends.
func (tx *Tx) GroupForUpdate(ctx context.Context, scope Scope, id identity.GroupID) (identity.Group, error) {
	if tx.postgres() { // first, so that the group is read as the last change of its members left it
		if err := tx.exec(ctx, `SELECT 1 FROM group_versions v WHERE v.group_id = ? ORDER BY v.slot FOR UPDATE`, string(id)); err != nil {
			return identity.Group{}, err
		}
	}
	return tx.group(ctx, scope, id, tx.lockRows("g"))
}

func (tx *Tx) group(ctx context.Context, scope Scope, id identity.GroupID, lock string) (identity.Group, error) {
	visible, args := scope.group(tx)
	var r groupRow
	err := tx.get(ctx, &r, `SELECT `+tx.groupColumns()+` FROM groups g WHERE g.id = ? AND `+visible+lock, append([]any{string(id)}, args...)...)
	return r.group(), err
}

// Groups returns a page of the scope's groups, without members.
func (tx *Tx) Groups(ctx context.Context, scope Scope, q identity.Query) (identity.Page[identity.Group], error) {
	var page identity.Page[identity.Group]
	visible, args := scope.groups()
	b := builder{tx: tx, table: groupsTable, directory: scope.directory}
	b.add(visible, args...)
	if q.Filter != nil {
		b.filter(q.Filter)
	}
	if q.Directory != "" {
		b.add("g.directory_id = ?", string(q.Directory))
	}
	for _, word := range strings.Fields(q.Search) {
		b.add(`g.display_name_key LIKE ? ESCAPE '\'`, "%"+escapeLike(identity.NameKey(word))+"%")
	}
	var err error
	if page.Total, err = b.total(ctx, q, ` FROM groups g`, nil); err != nil || q.Limit == 0 {
		return page, err
	}
	b.after("g.id", q)
	var rows []groupRow
	if err := tx.listBuilt(ctx, &rows, `SELECT `+tx.groupColumns()+b.keyColumn(q)+` FROM groups g`+b.where()+b.order("g.id", q), b.args...); err != nil {
		return page, err
	}
	rows, page.More = cut(rows, q.Limit)
	page.Items = make([]identity.Group, len(rows))
	for i := range rows {
		page.Items[i], page.LastKey = rows[i].group(), rows[i].SortKey
	}
	return page, nil
}

// GroupNamed returns the id of another group of the directory with this display name in any case, or NotFound.
func (tx *Tx) GroupNamed(ctx context.Context, directory identity.DirectoryID, name string, except identity.GroupID) (identity.GroupID, error) {
	var id []string
	err := tx.list(ctx, &id, `SELECT id FROM groups WHERE directory_id = ? AND display_name_key = ? ORDER BY id LIMIT 2`, string(directory), identity.NameKey(name))
	for _, found := range id {
		if identity.GroupID(found) != except {
			return identity.GroupID(found), nil
		}
	}
	if err == nil {
		err = identity.Errorf(identity.NotFound, "not found")
	}
	return "", err
}

// InsertGroup writes a new group without members.
func (tx *Tx) InsertGroup(ctx context.Context, g identity.Group) error {
	if tx.postgres() {
		err := tx.later(ctx, `INSERT INTO group_versions (group_id, slot, n, updated_at) SELECT ?, s, 0, ? FROM generate_series(0, ?) AS s`, string(g.ID), g.UpdatedAt, groupSlots-1)
		if err != nil {
			return err
		}
	}
	return tx.later(ctx, `INSERT INTO groups (id, directory_id, tenant_id, display_name, display_name_key, external_id, attributes, version, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(g.ID), string(g.DirectoryID), null(g.TenantID), g.DisplayName, identity.NameKey(g.DisplayName), null(g.ExternalID), attributes(g.Attributes), g.Version, g.CreatedAt, g.UpdatedAt)
}

// UpdateGroup writes all that may change of a group itself, which GroupForUpdate returned as before.
func (tx *Tx) UpdateGroup(ctx context.Context, before, g identity.Group) error {
	if before.DisplayName != g.DisplayName {
		if err := tx.relabel(ctx, string(g.ID), g.DisplayName); err != nil {
			return err
		}
	}
	return tx.later(ctx, `UPDATE groups SET display_name = ?, display_name_key = ?, external_id = ?, attributes = ?, version = version + ?, updated_at = ? WHERE id = ?`,
		g.DisplayName, identity.NameKey(g.DisplayName), null(g.ExternalID), attributes(g.Attributes), g.Version-before.Version, g.UpdatedAt, string(g.ID))
}

// DeleteGroup deletes a group, its memberships and its places in other groups.
func (tx *Tx) DeleteGroup(ctx context.Context, id identity.GroupID) error {
	if tx.postgres() {
		if err := tx.exec(ctx, `DELETE FROM group_versions WHERE group_id = ?`, string(id)); err != nil {
			return err
		}
	}
	if err := tx.exec(ctx, `DELETE FROM group_members WHERE group_id = ? OR member_id = ?`, string(id), string(id)); err != nil {
		return err
	}
	return tx.execOne(ctx, `DELETE FROM groups WHERE id = ?`, string(id))
}

// GroupsAmong returns which of the ids are groups of the scope, with their names.
func (tx *Tx) GroupsAmong(ctx context.Context, scope Scope, ids []identity.GroupID) (map[identity.GroupID]string, error) {
	in, args := idList(tx, "g.id", ids)
	visible, more := scope.group(tx)
	set := make(map[identity.GroupID]string, len(ids))
	err := tx.each(ctx, tx.bind(`SELECT g.id, g.display_name FROM groups g WHERE `+in+` AND `+visible), append(args, more...), func(rows *sql.Rows) error {
		var id, name text
		err := rows.Scan(&id, &name)
		set[identity.GroupID(id)] = string(name)
		return err
	})
	return set, err
}
