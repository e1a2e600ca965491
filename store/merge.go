package store

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
)

// OwnsTenant reports whether a user owns a tenant.
func (tx *Tx) OwnsTenant(ctx context.Context, id identity.UserID) (bool, error) {
	var n []int
	err := tx.list(ctx, &n, `SELECT 1 FROM tenants WHERE owner_id = ? LIMIT 1`, string(id))
	return len(n) > 0, err
}

// MoveLinks gives one user's links to another. A provider that knows both is a Conflict.
func (tx *Tx) MoveLinks(ctx context.Context, from, to identity.UserID) error {
	return tx.exec(ctx, `UPDATE links SET user_id = ? WHERE user_id = ?`, string(to), string(from))
}

// MoveDirectoryLinks makes directories that knew one user know another. A directory that knows both is a Conflict.
func (tx *Tx) MoveDirectoryLinks(ctx context.Context, from, to identity.UserID) error {
	tx.factsOf(string(from))
	tx.factsOf(string(to))
	return tx.exec(ctx, `UPDATE directory_users SET user_id = ? WHERE user_id = ?`, string(to), string(from))
}

// MoveMemberships puts a user called label into the groups of another, in whose place they are, and returns the groups.
func (tx *Tx) MoveMemberships(ctx context.Context, from, to identity.UserID, label string) ([]identity.GroupID, error) {
	groups, err := tx.DeleteMembershipsOf(ctx, from)
	if err != nil || len(groups) == 0 {
		return groups, err
	}
	for _, g := range groups {
		if _, err := tx.InsertMembers(ctx, g, []identity.Member{{ID: string(to), Type: identity.MemberUser, Display: label}}); err != nil {
			return groups, err
		}
	}
	return groups, tx.BumpGroups(ctx, groups)
}

// MoveAssignment gives a role that one user has to another.
func (tx *Tx) MoveAssignment(ctx context.Context, id identity.AssignmentID, to identity.UserID) error {
	return tx.execOne(ctx, `UPDATE assignments SET user_id = ? WHERE id = ?`, string(to), string(id))
}

// MoveAvatar gives a user's picture to another who has none.
func (tx *Tx) MoveAvatar(ctx context.Context, from, to identity.UserID) error {
	return tx.exec(ctx, `UPDATE avatars SET user_id = ? WHERE user_id = ? AND NOT EXISTS (SELECT 1 FROM avatars a WHERE a.user_id = ?)`, string(to), string(from), string(to))
}

// MoveTracks makes the mails, the traces of sign-ins and the reviews of one user those of another.
func (tx *Tx) MoveTracks(ctx context.Context, from, to identity.UserID) error {
	for _, table := range []string{"mails", "traces", "reviews"} {
		if err := tx.exec(ctx, `UPDATE `+table+` SET user_id = ? WHERE user_id = ?`, string(to), string(from)); err != nil {
			return err
		}
	}
	return nil
}
