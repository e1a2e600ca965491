package store

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
)

const groupColumns = `g.id, g.directory_id, g.tenant_id, g.display_name, g.external_id, g.attributes, g.version, g.created_at, g.updated_at`

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

// Group returns a group of the scope, or NotFound.
func (tx *Tx) Group(ctx context.Context, scope Scope, id identity.GroupID) (identity.Group, error) {
	return tx.group(ctx, scope, id, "")
}

// GroupForUpdate is Group with the row locked until the transaction ends.
func (tx *Tx) GroupForUpdate(ctx context.Context, scope Scope, id identity.GroupID) (identity.Group, error) {
	return tx.group(ctx, scope, id, tx.lockRows("g"))
}

func (tx *Tx) group(ctx context.Context, scope Scope, id identity.GroupID, lock string) (identity.Group, error) {
	visible, args := scope.groups()
	var r groupRow
	err := tx.get(ctx, &r, `SELECT `+groupColumns+` FROM groups g WHERE g.id = ? AND `+visible+lock, append([]any{string(id)}, args...)...)
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
	var err error
	if page.Total, err = b.total(ctx, q, ` FROM groups g`, nil); err != nil || q.Limit == 0 {
		return page, err
	}
	b.after("g.id", q)
	var rows []groupRow
	if err := tx.listBuilt(ctx, &rows, `SELECT `+groupColumns+b.keyColumn(q)+` FROM groups g`+b.where()+b.order("g.id", q), b.args...); err != nil {
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
	return tx.later(ctx, `INSERT INTO groups (id, directory_id, tenant_id, display_name, display_name_key, external_id, attributes, version, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(g.ID), string(g.DirectoryID), null(g.TenantID), g.DisplayName, identity.NameKey(g.DisplayName), null(g.ExternalID), attributes(g.Attributes), g.Version, g.CreatedAt, g.UpdatedAt)
}

// UpdateGroup writes all that may change of a group itself, which GroupForUpdate returned.
func (tx *Tx) UpdateGroup(ctx context.Context, g identity.Group) error {
	return tx.later(ctx, `UPDATE groups SET display_name = ?, display_name_key = ?, external_id = ?, attributes = ?, version = ?, updated_at = ? WHERE id = ?`,
		g.DisplayName, identity.NameKey(g.DisplayName), null(g.ExternalID), attributes(g.Attributes), g.Version, g.UpdatedAt, string(g.ID))
}

// DeleteGroup deletes a group, its memberships and its places in other groups.
func (tx *Tx) DeleteGroup(ctx context.Context, id identity.GroupID) error {
	if err := tx.exec(ctx, `DELETE FROM group_members WHERE member_id = ?`, string(id)); err != nil {
		return err
	}
	return tx.execOne(ctx, `DELETE FROM groups WHERE id = ?`, string(id))
}

// GroupsAmong returns which of the ids are groups of the scope.
func (tx *Tx) GroupsAmong(ctx context.Context, scope Scope, ids []identity.GroupID) (map[identity.GroupID]bool, error) {
	in, args := idList(tx, "g.id", ids)
	visible, more := scope.groups()
	var found []string
	err := tx.list(ctx, &found, `SELECT g.id FROM groups g WHERE `+in+` AND `+visible, append(args, more...)...)
	set := make(map[identity.GroupID]bool, len(found))
	for _, id := range found {
		set[identity.GroupID(id)] = true
	}
	return set, err
}
