package store

import (
	"context"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

type unitRow struct {
	ID        text   `db:"id"`
	TenantID  text   `db:"tenant_id"`
	ParentID  text   `db:"parent_id"`
	Kind      string `db:"kind"`
	Name      string `db:"name"`
	CreatedAt moment `db:"created_at"`
	Users     int    `db:"users"`
}

const unitColumns = `b.id, b.tenant_id, b.parent_id, b.kind, b.name, b.created_at`

func (r *unitRow) unit() identity.Unit {
	return identity.Unit{
		ID: identity.UnitID(r.ID), TenantID: identity.TenantID(r.TenantID), ParentID: identity.UnitID(r.ParentID), Kind: identity.UnitKind(r.Kind),
		Name: r.Name, CreatedAt: r.CreatedAt.time(), Users: r.Users,
	}
}

// Unit returns a business unit or a team of the scope, or NotFound.
func (tx *Tx) Unit(ctx context.Context, scope Scope, id identity.UnitID) (identity.Unit, error) {
	visible, args := scope.tenants("b.tenant_id")
	var r unitRow
	err := tx.get(ctx, &r, `SELECT `+unitColumns+`, 0 AS users FROM business_units b WHERE b.id = ? AND `+visible, append([]any{string(id)}, args...)...)
	return r.unit(), err
}

// RootUnit returns the root of a tenant's tree, or NotFound where there is none yet.
func (tx *Tx) RootUnit(ctx context.Context, tenant identity.TenantID) (identity.Unit, error) {
	var r unitRow
	err := tx.get(ctx, &r, `SELECT `+unitColumns+`, 0 AS users FROM business_units b WHERE b.tenant_id = ? AND b.parent_id IS NULL`, string(tenant))
	return r.unit(), err
}

// Units returns the units and teams of a tenant by name, with how many people each has who are not deleted: in a team those of the team, in the root also those
// of whom nothing was said.
func (tx *Tx) Units(ctx context.Context, tenant identity.TenantID) ([]identity.Unit, error) {
	var rows []unitRow
	err := tx.list(ctx, &rows, `SELECT `+unitColumns+`, (SELECT count(*) FROM users u LEFT JOIN positions p ON p.user_id = u.id WHERE u.tenant_id = b.tenant_id AND u.deleted_at IS NULL
		AND (p.unit_id = b.id OR p.team_id = b.id OR p.unit_id IS NULL AND b.parent_id IS NULL)) AS users
		FROM business_units b WHERE b.tenant_id = ? ORDER BY b.name_key, b.id`, string(tenant))
	out := make([]identity.Unit, len(rows))
	for i := range rows {
		out[i] = rows[i].unit()
	}
	return out, err
}

// UnitsUncounted is Units without how many people each has.
func (tx *Tx) UnitsUncounted(ctx context.Context, tenant identity.TenantID) ([]identity.Unit, error) {
	var rows []unitRow
	err := tx.list(ctx, &rows, `SELECT `+unitColumns+`, 0 AS users FROM business_units b WHERE b.tenant_id = ? ORDER BY b.name_key, b.id`, string(tenant))
	out := make([]identity.Unit, len(rows))
	for i := range rows {
		out[i] = rows[i].unit()
	}
	return out, err
}

// UnitNames returns the names of some units.
func (tx *Tx) UnitNames(ctx context.Context, ids []identity.UnitID) (map[identity.UnitID]string, error) {
	in, args := idList(tx, "b.id", ids)
	var rows []unitRow
	err := tx.list(ctx, &rows, `SELECT `+unitColumns+`, 0 AS users FROM business_units b WHERE `+in, args...)
	names := make(map[identity.UnitID]string, len(rows))
	for _, r := range rows {
		names[identity.UnitID(r.ID)] = r.Name
	}
	return names, err
}

// UnitsBelow returns the id of a unit and those of everything below it, teams too.
func (tx *Tx) UnitsBelow(ctx context.Context, id identity.UnitID) ([]identity.UnitID, error) {
	var ids []text
	err := tx.list(ctx, &ids, `WITH RECURSIVE below (id) AS (
			SELECT b.id FROM business_units b WHERE b.id = ?
			UNION SELECT c.id FROM below JOIN business_units c ON c.parent_id = below.id)
		SELECT id FROM below ORDER BY id`, string(id))
	return unitIDs(ids), err
}

// UnitWithTeams returns the id of a unit and those of its own teams.
func (tx *Tx) UnitWithTeams(ctx context.Context, id identity.UnitID) ([]identity.UnitID, error) {
	var ids []text
	err := tx.list(ctx, &ids, `SELECT b.id FROM business_units b WHERE b.id = ? OR b.parent_id = ? AND b.kind = ? ORDER BY b.id`, string(id), string(id), string(identity.KindTeam))
	return unitIDs(ids), err
}

func unitIDs(ids []text) []identity.UnitID {
	out := make([]identity.UnitID, len(ids))
	for i, id := range ids {
		out[i] = identity.UnitID(id)
	}
	return out
}

// InsertUnit writes a new unit or team. A name that another one below the same parent has is a Conflict.
func (tx *Tx) InsertUnit(ctx context.Context, units ...identity.Unit) error {
	args := make([]any, 0, 7*len(units))
	for _, b := range units {
		args = append(args, string(b.ID), string(b.TenantID), null(b.ParentID), string(b.Kind), b.Name, identity.NameKey(b.Name), b.CreatedAt)
	}
	return tx.exec(ctx, `INSERT INTO business_units (id, tenant_id, parent_id, kind, name, name_key, created_at) VALUES `+manyRows(7, len(units)), args...)
}

// UpdateUnit writes the name and the parent of a unit. A name that another one below the same parent has is a Conflict.
func (tx *Tx) UpdateUnit(ctx context.Context, b identity.Unit) error {
	return tx.execOne(ctx, `UPDATE business_units SET parent_id = ?, name = ?, name_key = ? WHERE id = ?`, null(b.ParentID), b.Name, identity.NameKey(b.Name), string(b.ID))
}

// DeleteUnit deletes a unit that nobody is in and nothing is below, or returns NotFound.
func (tx *Tx) DeleteUnit(ctx context.Context, id identity.UnitID) error {
	return tx.execOne(ctx, `DELETE FROM business_units WHERE id = ?`, string(id))
}

// ReassignUnit puts everybody of a unit, deleted people too, into another one.
func (tx *Tx) ReassignUnit(ctx context.Context, from, to identity.UnitID) error {
	return tx.exec(ctx, `UPDATE positions SET unit_id = ?, updated_at = ? WHERE unit_id = ?`, string(to), tx.now, string(from))
}

// ReassignTeam puts everybody of a team, deleted people too, into another one; an empty one is none.
func (tx *Tx) ReassignTeam(ctx context.Context, from, to identity.UnitID) error {
	return tx.exec(ctx, `UPDATE positions SET team_id = `+tx.cast()+`, updated_at = ? WHERE team_id = ?`, null(to), tx.now, string(from))
}

// ReparentUnits puts everything directly below a unit below another one. A name that is there already is a Conflict.
func (tx *Tx) ReparentUnits(ctx context.Context, from, to identity.UnitID) error {
	return tx.exec(ctx, `UPDATE business_units SET parent_id = ? WHERE parent_id = ?`, string(to), string(from))
}

// SeedRoots gives every tenant that has no tree of units its root, and renames nothing.
func (tx *Tx) SeedRoots(ctx context.Context, name string) error {
	var tenants []text
	err := tx.list(ctx, &tenants, `SELECT t.id FROM tenants t WHERE NOT EXISTS (SELECT 1 FROM business_units b WHERE b.tenant_id = t.id) ORDER BY t.id`)
	for _, t := range tenants {
		if err == nil {
			err = tx.SeedRoot(ctx, identity.TenantID(t), name)
		}
	}
	return err
}

// SeedRoot gives a tenant the root of its tree, unless it has one.
func (tx *Tx) SeedRoot(ctx context.Context, tenant identity.TenantID, name string) error {
	name = strings.TrimSpace(name)
	return tx.exec(ctx, `INSERT INTO business_units (id, tenant_id, kind, name, name_key, created_at) SELECT `+tx.cast()+`, `+tx.cast()+`, ?, ?, ?, `+tx.castTime()+`
		WHERE NOT EXISTS (SELECT 1 FROM business_units WHERE tenant_id = ?) ON CONFLICT DO NOTHING`,
		string(identity.NewID[identity.UnitID]()), string(tenant), string(identity.KindUnit), name, identity.NameKey(name), tx.now, string(tenant))
}
