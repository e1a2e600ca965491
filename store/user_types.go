package store

import (
	"context"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
)

type userTypeRow struct {
	Application string `db:"application"`
	ID          string `db:"id"`
	Title       string `db:"title"`
	DefaultRole string `db:"default_role"`
	MaxUsers    int    `db:"max_users"`
	Shipped     bool   `db:"shipped"`
	Position    int    `db:"position"`
	CreatedAt   moment `db:"created_at"`
}

const userTypeColumns = `application, id, title, default_role, max_users, shipped, position, created_at`

func (r *userTypeRow) userType() identity.UserType {
	return identity.UserType{
		ID: identity.UserTypeID(r.ID), Application: r.Application, Title: r.Title, DefaultRole: identity.RoleID(r.DefaultRole), MaxUsers: r.MaxUsers,
		Shipped: r.Shipped, Position: r.Position, CreatedAt: r.CreatedAt.time(),
	}
}

// UserTypes returns the types of people of an application in their order.
func (tx *Tx) UserTypes(ctx context.Context, application string) ([]identity.UserType, error) {
	var rows []userTypeRow
	err := tx.list(ctx, &rows, `SELECT `+userTypeColumns+` FROM user_types WHERE application = ? ORDER BY position, id`, application)
	out := make([]identity.UserType, len(rows))
	for i := range rows {
		out[i] = rows[i].userType()
	}
	return out, err
}

// UserType returns a type of people, or NotFound.
func (tx *Tx) UserType(ctx context.Context, application string, id identity.UserTypeID) (identity.UserType, error) {
	var r userTypeRow
	err := tx.get(ctx, &r, `SELECT `+userTypeColumns+` FROM user_types WHERE application = ? AND id = ?`, application, string(id))
	return r.userType(), err
}

// PutUserType writes a type of people, new or changed; a title that another one has is a Conflict.
func (tx *Tx) PutUserType(ctx context.Context, t identity.UserType) error {
	return tx.exec(ctx, `INSERT INTO user_types (application, id, title, title_key, default_role, max_users, shipped, position, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (application, id) DO UPDATE SET title = excluded.title, title_key = excluded.title_key, default_role = excluded.default_role, max_users = excluded.max_users,
		shipped = excluded.shipped, position = excluded.position`,
		t.Application, string(t.ID), t.Title, identity.NameKey(t.Title), string(t.DefaultRole), t.MaxUsers, t.Shipped, t.Position, tx.now)
}

// DeleteUserType deletes a type of people, or returns NotFound. Deleted people who had it get the default.
func (tx *Tx) DeleteUserType(ctx context.Context, application string, id identity.UserTypeID) error {
	if err := tx.exec(ctx, `UPDATE positions SET user_type = '' WHERE user_type = ?`, string(id)); err != nil {
		return err
	}
	return tx.execOne(ctx, `DELETE FROM user_types WHERE application = ? AND id = ?`, application, string(id))
}

// SeedUserTypes puts the types of an access model in place: those that came with an earlier one and that nobody has go, what administrators added or renamed
// stays. How many people a type may have, and its place in lists, is the model's word.
func (tx *Tx) SeedUserTypes(ctx context.Context, application string, types []identity.UserType) error {
	old, err := tx.UserTypes(ctx, application)
	if err != nil {
		return err
	}
	counts, err := tx.CountTypes(ctx, Everything())
	if err != nil {
		return err
	}
	known := map[identity.UserTypeID]identity.UserType{}
	for _, t := range old {
		known[t.ID] = t
		stays := slices.ContainsFunc(types, func(n identity.UserType) bool { return n.ID == t.ID })
		if t.Shipped && !stays && counts[t.ID] == 0 {
			if err := tx.DeleteUserType(ctx, application, t.ID); err != nil {
				return err
			}
		}
	}
	for _, t := range types {
		t.Application, t.Shipped = application, true
		if was, ok := known[t.ID]; ok {
			t.Title, t.DefaultRole = was.Title, was.DefaultRole
		}
		if err := tx.PutUserType(ctx, t); err != nil {
			return err
		}
	}
	return nil
}
