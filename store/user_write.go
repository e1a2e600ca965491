package store

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// UpdateUser writes all that may change of a user whom UserForUpdate returned as before. A user name that is taken in the tenant is a Conflict, of
// this or of the transaction's next step.
func (tx *Tx) UpdateUser(ctx context.Context, before, u identity.User) error {
	if err := tx.noteMove(ctx, before, u); err != nil {
		return err
	}
	if err := tx.writeUser(ctx, before, u); err != nil {
		return err
	}
	if label := u.Label(); label != before.Label() {
		if err := tx.relabel(ctx, string(u.ID), label); err != nil {
			return err
		}
	}
	if slices.Equal(before.Emails, u.Emails) {
		return nil
	}
	if err := tx.exec(ctx, `DELETE FROM user_emails WHERE user_id = ?`, string(u.ID)); err != nil {
		return err
	}
	return tx.insertEmails(ctx, u)
}

// writeUser writes the row of a user: all of it, or what says who may come in, when the rest is as it was.
func (tx *Tx) writeUser(ctx context.Context, before, u identity.User) error {
	args := []any{u.Enabled, u.Held, u.LockedAt, u.Version, u.UpdatedAt, u.DeletedAt}
	query := `UPDATE users SET enabled = ?, held = ?, locked_at = ?, version = ?, updated_at = ?, deleted_at = ?`
	if !sameRecord(before, u) {
		list, err := asJSON(emailsOrNone(u.Emails))
		if err != nil {
			return err
		}
		query += `, tenant_id = ?, user_name = ?, user_name_key = ?, display_name = ?, display_name_key = ?, emails = ?, attributes = ?, search = ?`
		args = append(args, null(u.TenantID), u.UserName, identity.NameKey(u.UserName), u.DisplayName, identity.NameKey(u.DisplayName), list, attributes(u.Attributes), searchText(&u))
	}
	query, args = query+` WHERE id = ?`, append(args, string(u.ID))
	tx.wroteUser(string(u.ID))
	if tx.light {
		tx.named("person", 1, query+` AND xmin = CAST(? AS xid) RETURNING id`, append(args, tx.seen)...)
		return nil
	}
	return tx.later(ctx, query, args...)
}

// sameRecord reports whether what writeUser may leave out is the same of two states of a user.
func sameRecord(a, b identity.User) bool {
	return a.TenantID == b.TenantID && a.UserName == b.UserName && a.DisplayName == b.DisplayName && slices.Equal(a.Emails, b.Emails) && bytes.Equal(a.Attributes, b.Attributes)
}

// SetLastLogin notes a sign-in. It is no change of the user: the version stays.
func (tx *Tx) SetLastLogin(ctx context.Context, id identity.UserID, at time.Time) error {
	tx.wroteUser(string(id))
	return tx.execOne(ctx, `UPDATE users SET last_login_at = ? WHERE id = ?`, at, string(id))
}
