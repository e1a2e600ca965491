package store

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// Credential is a local password; LastFailedAt and Failures count wrong ones since the last right one.
type Credential struct {
	UserID       identity.UserID
	PasswordHash string // PHC
	Failures     int
	LastFailedAt *time.Time
	UpdatedAt    time.Time
}

// Credential returns a user's password, or NotFound.
func (tx *Tx) Credential(ctx context.Context, id identity.UserID) (Credential, error) {
	var r struct {
		Hash     string `db:"password_hash"`
		Failures int    `db:"failures"`
		FailedAt moment `db:"last_failed_at"`
		Updated  moment `db:"updated_at"`
	}
	err := tx.get(ctx, &r, `SELECT password_hash, failures, last_failed_at, updated_at FROM credentials WHERE user_id = ?`, string(id))
	return Credential{UserID: id, PasswordHash: r.Hash, Failures: r.Failures, LastFailedAt: r.FailedAt.at, UpdatedAt: r.Updated.time()}, err
}

// PutCredential sets a user's password and clears the count of wrong ones.
func (tx *Tx) PutCredential(ctx context.Context, c Credential) error {
	return tx.exec(ctx, `INSERT INTO credentials (user_id, password_hash, failures, updated_at) VALUES (?, ?, 0, ?)
		ON CONFLICT (user_id) DO UPDATE SET password_hash = excluded.password_hash, failures = 0, last_failed_at = NULL, updated_at = excluded.updated_at`,
		string(c.UserID), c.PasswordHash, tx.now)
}

// DeleteCredential takes a user's password and identifiers away, with the sessions that it began, and reports whether there was one.
func (tx *Tx) DeleteCredential(ctx context.Context, id identity.UserID) (bool, error) {
	n, err := tx.execCount(ctx, `DELETE FROM credentials WHERE user_id = ?`, string(id))
	if err != nil || n == 0 {
		return false, err
	}
	if err := tx.exec(ctx, `DELETE FROM logins WHERE user_id = ?`, string(id)); err != nil {
		return false, err
	}
	return true, tx.exec(ctx, `DELETE FROM sessions WHERE user_id = ? AND connection_id IS NULL`, string(id))
}

// RecordPasswordFailure counts a wrong password and returns the count.
func (tx *Tx) RecordPasswordFailure(ctx context.Context, id identity.UserID, at time.Time) (int, error) {
	var n []int
	err := tx.list(ctx, &n, `UPDATE credentials SET failures = failures + 1, last_failed_at = ? WHERE user_id = ? RETURNING failures`, at, string(id))
	if err != nil || len(n) == 0 {
		return 0, err
	}
	return n[0], nil
}

// ClearPasswordFailures forgets wrong passwords.
func (tx *Tx) ClearPasswordFailures(ctx context.Context, id identity.UserID) error {
	return tx.exec(ctx, `UPDATE credentials SET failures = 0, last_failed_at = NULL WHERE user_id = ? AND failures > 0`, string(id))
}

// ReplaceLogins sets the identifiers (keys of e-mail address and user name) by which a user may sign in with a password. One that
// somebody else has is left out; the count says how many were set.
func (tx *Tx) ReplaceLogins(ctx context.Context, id identity.UserID, keys []string) (int, error) {
	if err := tx.exec(ctx, `DELETE FROM logins WHERE user_id = ?`, string(id)); err != nil {
		return 0, err
	}
	set := 0
	for _, key := range keys {
		n, err := tx.execCount(ctx, `INSERT INTO logins (login_key, user_id) VALUES (?, ?) ON CONFLICT DO NOTHING`, key, string(id))
		if err != nil {
			return 0, err
		}
		set += n
	}
	return set, nil
}

// LoginCandidates returns who may sign in with this identifier and a password: nobody or one.
func (tx *Tx) LoginCandidates(ctx context.Context, key string) ([]identity.User, error) {
	return tx.usersWhere(ctx, Everything(), `u.deleted_at IS NULL AND u.id IN (SELECT l.user_id FROM logins l JOIN credentials k ON k.user_id = l.user_id WHERE l.login_key = ?)`, 2, key)
}

// HasCredential reports whether a user has a local password.
func (tx *Tx) HasCredential(ctx context.Context, id identity.UserID) (bool, error) {
	var n []int
	err := tx.list(ctx, &n, `SELECT 1 FROM credentials WHERE user_id = ?`, string(id))
	return len(n) > 0, err
}
