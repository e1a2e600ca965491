package store

import (
	"context"
	"encoding/json"

	"github.com/drawbridge-id/drawbridge/identity"
)

type roleRow struct {
	Application string `db:"application"`
	ID          string `db:"id"`
	Title       string `db:"title"`
	Scope       string `db:"scope"`
	Interactive bool   `db:"interactive"`
	Assignable  bool   `db:"assignable"`
	Shipped     bool   `db:"shipped"`
	Grants      []byte `db:"grants"`
	Levels      []byte `db:"levels"`
	Description string `db:"description"`
	IntendedFor string `db:"intended_for"`
	Provides    string `db:"provides"`
	ReviewedAt  moment `db:"reviewed_at"`
	ReviewedBy  string `db:"reviewed_by"`
	Position    int    `db:"position"`
	Version     int64  `db:"version"`
	CreatedAt   moment `db:"created_at"`
	UpdatedAt   moment `db:"updated_at"`
}

const roleColumns = `application, id, title, scope, interactive, assignable, shipped, grants, levels, description, intended_for, provides, reviewed_at, reviewed_by, position, version, created_at, updated_at`

func (r *roleRow) definition() (identity.RoleDefinition, error) {
	d := identity.RoleDefinition{
		Role:       identity.Role{Application: r.Application, ID: identity.RoleID(r.ID), Title: r.Title, Scope: identity.RoleScope(r.Scope), Interactive: r.Interactive},
		Assignable: r.Assignable, Shipped: r.Shipped, Description: r.Description, IntendedFor: r.IntendedFor, Provides: r.Provides,
		ReviewedAt: r.ReviewedAt.at, ReviewedBy: r.ReviewedBy, Position: r.Position, Version: r.Version, CreatedAt: r.CreatedAt.time(), UpdatedAt: r.UpdatedAt.time(),
	}
	if err := json.Unmarshal(r.Levels, &d.Levels); err != nil {
		return d, err
	}
	return d, json.Unmarshal(r.Grants, &d.Grants)
}

// PutRole writes a role, new or changed; a title that another role has is a Conflict. Whoever calls it raises the version of the access model too.
func (tx *Tx) PutRole(ctx context.Context, d identity.RoleDefinition) error {
	grants, err := asJSON(d.Grants)
	if err != nil {
		return err
	}
	levels, err := asJSON(d.Levels)
	if err != nil {
		return err
	}
	if d.Levels == nil {
		levels = "{}"
	}
	if d.Grants == nil {
		grants = "{}"
	}
	return tx.exec(ctx, `INSERT INTO roles (application, id, title, title_key, scope, interactive, assignable, shipped, grants, levels, description, intended_for, provides, reviewed_at, reviewed_by,
		position, version, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (application, id) DO UPDATE SET title = excluded.title, title_key = excluded.title_key, scope = excluded.scope, interactive = excluded.interactive, assignable = excluded.assignable,
		shipped = excluded.shipped, grants = excluded.grants, levels = excluded.levels, description = excluded.description, intended_for = excluded.intended_for, provides = excluded.provides,
		reviewed_at = excluded.reviewed_at, reviewed_by = excluded.reviewed_by, position = excluded.position, version = excluded.version, updated_at = excluded.updated_at`,
		d.Application, string(d.ID), d.Title, identity.NameKey(d.Title), string(d.Scope), d.Interactive, d.Assignable, d.Shipped, grants, levels, d.Description, d.IntendedFor, d.Provides,
		d.ReviewedAt, d.ReviewedBy, d.Position, d.Version, tx.now, tx.now)
}

// RoleDefinitions returns the roles of an application in their order.
func (tx *Tx) RoleDefinitions(ctx context.Context, application string) ([]identity.RoleDefinition, error) {
	var rows []roleRow
	if err := tx.list(ctx, &rows, `SELECT `+roleColumns+` FROM roles WHERE application = ? AND grants IS NOT NULL ORDER BY position, id`, application); err != nil {
		return nil, err
	}
	return definitionsOf(rows)
}

// DeleteRole deletes a role that nobody holds, or returns NotFound; one that somebody holds is a Conflict.
func (tx *Tx) DeleteRole(ctx context.Context, application string, id identity.RoleID) error {
	return tx.execOne(ctx, `DELETE FROM roles WHERE application = ? AND id = ?`, application, string(id))
}

type assignmentRow struct {
	ID          text   `db:"id"`
	UserID      text   `db:"user_id"`
	Application string `db:"application"`
	RoleID      string `db:"role_id"`
	Source      string `db:"source"`
	SourceID    string `db:"source_id"`
	Reason      string `db:"reason"`
	GrantedBy   string `db:"granted_by"`
	CreatedAt   moment `db:"created_at"`
}

const assignmentColumns = `a.id, a.user_id, a.application, a.role_id, a.source, a.source_id, a.reason, a.granted_by, a.created_at`

func (r *assignmentRow) assignment() identity.Assignment {
	return identity.Assignment{
		ID: identity.AssignmentID(r.ID), UserID: identity.UserID(r.UserID), Application: r.Application, RoleID: identity.RoleID(r.RoleID),
		Source: identity.SourceKind(r.Source), SourceID: r.SourceID, Reason: r.Reason, GrantedBy: r.GrantedBy, CreatedAt: r.CreatedAt.time(),
	}
}

// Assignments returns a user's roles with their sources.
func (tx *Tx) Assignments(ctx context.Context, id identity.UserID) ([]identity.Assignment, error) {
	all, err := tx.AssignmentsOf(ctx, []identity.UserID{id})
	return all[id], err
}

// AssignmentsOf returns the roles of some users.
func (tx *Tx) AssignmentsOf(ctx context.Context, ids []identity.UserID) (map[identity.UserID][]identity.Assignment, error) {
	in, args := idList(tx, "a.user_id", ids)
	var rows []assignmentRow
	err := tx.list(ctx, &rows, `SELECT `+assignmentColumns+` FROM assignments a WHERE `+in+` ORDER BY a.created_at, a.id`, args...)
	out := make(map[identity.UserID][]identity.Assignment, len(ids))
	for i := range rows {
		a := rows[i].assignment()
		out[a.UserID] = append(out[a.UserID], a)
	}
	return out, err
}

// InsertAssignment gives roles; the same role from the same source is a Conflict.
func (tx *Tx) InsertAssignment(ctx context.Context, list ...identity.Assignment) error {
	args := make([]any, 0, 9*len(list))
	for _, a := range list {
		args = append(args, string(a.ID), string(a.UserID), a.Application, string(a.RoleID), string(a.Source), a.SourceID, a.Reason, a.GrantedBy, a.CreatedAt)
	}
	return tx.insert(ctx, newAssignments, args)
}

var newAssignments = rowsOf{table: "assignments", columns: []cell{
	{"id", "uuid"}, {"user_id", "uuid"}, {"application", "text"}, {"role_id", "text"}, {"source", "text"}, {"source_id", "text"}, {"reason", "text"}, {"granted_by", "text"}, {"created_at", "timestamptz"},
}}

// DeleteAssignment takes a role away.
func (tx *Tx) DeleteAssignment(ctx context.Context, id identity.AssignmentID) error {
	return tx.execOne(ctx, `DELETE FROM assignments WHERE id = ?`, string(id))
}

// CountHolders returns how many people other than one hold a role and may come in; an empty except leaves nobody out.
func (tx *Tx) CountHolders(ctx context.Context, role identity.RoleID, except identity.UserID) (int, error) {
	var n int
	err := tx.get(ctx, &n, `SELECT count(DISTINCT u.id) FROM assignments a JOIN users u ON u.id = a.user_id
		WHERE a.role_id = ? AND u.id <> COALESCE(`+tx.cast()+`, '00000000-0000-0000-0000-000000000000') AND u.enabled AND u.locked_at IS NULL AND u.deleted_at IS NULL`, string(role), null(except))
	return n, err
}

// Holders returns the people of a tenant (none: those above all tenants) who hold one of the roles and may come in, oldest first.
func (tx *Tx) Holders(ctx context.Context, tenant identity.TenantID, roles []identity.RoleID, limit int) ([]identity.User, error) {
	names, err := asJSON(roles)
	if err != nil {
		return nil, err
	}
	in := `a.role_id IN (SELECT value FROM json_each(?))`
	if tx.postgres() {
		in = `a.role_id IN (SELECT x.value FROM json_array_elements_text(CAST(? AS json)) AS x(value))`
	}
	home, args := `u.tenant_id IS NULL`, []any(nil)
	if tenant != "" {
		home, args = `u.tenant_id = ?`, []any{string(tenant)}
	}
	return tx.usersWhere(ctx, Everything(), home+` AND u.enabled AND u.locked_at IS NULL AND u.deleted_at IS NULL AND EXISTS (SELECT 1 FROM assignments a WHERE a.user_id = u.id AND `+in+`)`,
		limit, append(args, names)...)
}
