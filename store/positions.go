package store

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
)

type positionRow struct {
	UserID    text   `db:"user_id"`
	Type      string `db:"user_type"`
	UnitID    text   `db:"unit_id"`
	TeamID    text   `db:"team_id"`
	DataLevel string `db:"data_level"`
	External  bool   `db:"external"`
	Admin     bool   `db:"administrator"`
	UpdatedAt moment `db:"updated_at"`
}

const positionColumns = `p.user_id, p.user_type, p.unit_id, p.team_id, p.data_level, p.external, p.administrator, p.updated_at`

func (r *positionRow) position() identity.Position {
	return identity.Position{
		UserID: identity.UserID(r.UserID), Type: identity.UserTypeID(r.Type), UnitID: identity.UnitID(r.UnitID), TeamID: identity.UnitID(r.TeamID),
		DataLevel: r.DataLevel, External: r.External, Admin: r.Admin, UpdatedAt: r.UpdatedAt.time(),
	}
}

// Position returns what was said of where a person stands; with nothing in it where nothing was said.
func (tx *Tx) Position(ctx context.Context, id identity.UserID) (identity.Position, error) {
	all, err := tx.PositionsOf(ctx, []identity.UserID{id})
	p := all[id]
	p.UserID = id
	return p, err
}

// PositionsOf returns what was said of where some people stand. Who is not in it has the access model's defaults.
func (tx *Tx) PositionsOf(ctx context.Context, ids []identity.UserID) (map[identity.UserID]identity.Position, error) {
	in, args := idList(tx, "p.user_id", ids)
	var rows []positionRow
	err := tx.list(ctx, &rows, `SELECT `+positionColumns+` FROM positions p WHERE `+in, args...)
	out := make(map[identity.UserID]identity.Position, len(rows))
	for i := range rows {
		out[identity.UserID(rows[i].UserID)] = rows[i].position()
	}
	return out, err
}

// PutPosition writes where people stand.
func (tx *Tx) PutPosition(ctx context.Context, list ...identity.Position) error {
	args := make([]any, 0, 8*len(list))
	for _, p := range list {
		args = append(args, string(p.UserID), string(p.Type), null(p.UnitID), null(p.TeamID), p.DataLevel, p.External, p.Admin, tx.now)
	}
	return tx.insert(ctx, newPositions, args)
}

var newPositions = rowsOf{table: "positions", columns: []cell{
	{"user_id", "uuid"}, {"user_type", "text"}, {"unit_id", "uuid"}, {"team_id", "uuid"}, {"data_level", "text"}, {"external", "boolean"}, {"administrator", "boolean"}, {"updated_at", "timestamptz"},
}, after: ` ON CONFLICT (user_id) DO UPDATE SET user_type = excluded.user_type, unit_id = excluded.unit_id, team_id = excluded.team_id, data_level = excluded.data_level,
	external = excluded.external, administrator = excluded.administrator, updated_at = excluded.updated_at`}

// Administrator reports whether a person carries the admin flag.
func (tx *Tx) Administrator(ctx context.Context, id identity.UserID) (bool, error) {
	var found bool
	err := tx.get(ctx, &found, `SELECT EXISTS (SELECT 1 FROM positions WHERE user_id = ? AND administrator)`, string(id))
	return found, err
}

// CountOfType returns how many people of the scope other than one have a user type and are not deleted; an empty except leaves nobody out.
func (tx *Tx) CountOfType(ctx context.Context, scope Scope, id identity.UserTypeID, except identity.UserID) (int, error) {
	visible, args := scope.tenants("u.tenant_id")
	var n int
	err := tx.get(ctx, &n, `SELECT count(*) FROM positions p JOIN users u ON u.id = p.user_id WHERE p.user_type = ? AND u.deleted_at IS NULL
		AND u.id <> COALESCE(`+tx.cast()+`, '00000000-0000-0000-0000-000000000000') AND `+visible, append([]any{string(id), null(except)}, args...)...)
	return n, err
}

// CountTypes returns how many people of the scope have each user type; those of whom nothing was said are under "".
func (tx *Tx) CountTypes(ctx context.Context, scope Scope) (map[identity.UserTypeID]int, error) {
	visible, args := scope.tenants("u.tenant_id")
	var rows []struct {
		Type  string `db:"user_type"`
		Users int    `db:"users"`
	}
	err := tx.list(ctx, &rows, `SELECT COALESCE(p.user_type, '') AS user_type, count(*) AS users FROM users u LEFT JOIN positions p ON p.user_id = u.id
		WHERE u.deleted_at IS NULL AND `+visible+` GROUP BY COALESCE(p.user_type, '')`, args...)
	out := make(map[identity.UserTypeID]int, len(rows))
	for _, r := range rows {
		out[identity.UserTypeID(r.Type)] = r.Users
	}
	return out, err
}

// userPosition adds what a list asks of where people stand.
func (b *builder) userPosition(q identity.Query) {
	const stands = `EXISTS (SELECT 1 FROM positions p WHERE p.user_id = u.id AND `
	if q.Type != "" {
		cond := stands + `p.user_type = ?)`
		if q.TypeIsDefault {
			cond = `(` + cond + ` OR NOT ` + stands + `p.user_type <> ''))`
		}
		b.add(cond, string(q.Type))
	}
	if len(q.Units) > 0 {
		in, args := idList(b.tx, "p.unit_id", q.Units)
		team, more := idList(b.tx, "p.team_id", q.Units)
		cond := stands + `(` + in + ` OR ` + team + `))`
		args = append(args, more...)
		if q.UnitRootOf != "" {
			cond = `(` + cond + ` OR u.tenant_id = ? AND NOT ` + stands + `p.unit_id IS NOT NULL))`
			args = append(args, string(q.UnitRootOf))
		}
		b.add(cond, args...)
	}
	if q.External != nil {
		not := ""
		if !*q.External {
			not = "NOT "
		}
		b.add(not + stands + `p.external)`)
	}
}

// InvitedAtBirth reports whether somebody became a user by an invitation: its link was made together with the user.
func (tx *Tx) InvitedAtBirth(ctx context.Context, u identity.User) (bool, error) {
	var found bool
	err := tx.get(ctx, &found, `SELECT EXISTS (SELECT 1 FROM mail_links WHERE user_id = ? AND kind = 'invitation' AND created_at = ?)`, string(u.ID), u.CreatedAt)
	return found, err
}
