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
	identity.PasswordTerms
	Failures     int
	LastFailedAt *time.Time
	LockedUntil  *time.Time // no password is taken before
	ChangedAt    *time.Time // nil: not since it is noted; for PutCredential: now
	UpdatedAt    time.Time
	History      int // for PutCredential: how many former hashes are kept
}

// Credential returns a user's password, or NotFound.
func (tx *Tx) Credential(ctx context.Context, id identity.UserID) (Credential, error) {
	var r struct {
		Hash       string `db:"password_hash"`
		Failures   int    `db:"failures"`
		FailedAt   moment `db:"last_failed_at"`
		Locked     moment `db:"locked_until"`
		MustChange bool   `db:"must_change"`
		Temporary  bool   `db:"temporary"`
		Imported   bool   `db:"imported"`
		Changed    moment `db:"changed_at"`
		Expires    moment `db:"expires_at"`
		Updated    moment `db:"updated_at"`
	}
	err := tx.get(ctx, &r, `SELECT password_hash, failures, last_failed_at, locked_until, must_change, temporary, imported, changed_at, expires_at, updated_at FROM credentials WHERE user_id = ?`, string(id))
	return Credential{
		UserID: id, PasswordHash: r.Hash, Failures: r.Failures, LastFailedAt: r.FailedAt.at, LockedUntil: r.Locked.at, ChangedAt: r.Changed.at, UpdatedAt: r.Updated.time(),
		PasswordTerms: identity.PasswordTerms{MustChange: r.MustChange, Temporary: r.Temporary, Imported: r.Imported, ExpiresAt: r.Expires.at},
	}, err
}

// PutCredential sets a user's password with its terms and clears the count of wrong ones. The former one goes to the history, of which c.History are kept; one that somebody else
// made up is forgotten.
func (tx *Tx) PutCredential(ctx context.Context, c Credential) error {
	if c.History > 0 {
		if err := tx.keepPassword(ctx, c.UserID, c.History); err != nil {
			return err
		}
	}
	changed := tx.now
	if c.ChangedAt != nil {
		changed = *c.ChangedAt
	}
	return tx.exec(ctx, `INSERT INTO credentials (user_id, password_hash, failures, must_change, temporary, imported, changed_at, expires_at, updated_at) VALUES (?, ?, 0, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (user_id) DO UPDATE SET password_hash = excluded.password_hash, failures = 0, last_failed_at = NULL, locked_until = NULL, must_change = excluded.must_change,
		temporary = excluded.temporary, imported = excluded.imported, changed_at = excluded.changed_at, expires_at = excluded.expires_at, updated_at = excluded.updated_at`,
		string(c.UserID), c.PasswordHash, c.MustChange, c.Temporary, c.Imported, changed, c.ExpiresAt, tx.now)
}

// keepPassword puts the present hash into the history, and leaves that many.
func (tx *Tx) keepPassword(ctx context.Context, id identity.UserID, keep int) error {
	err := tx.exec(ctx, `INSERT INTO password_history (user_id, at, password_hash) SELECT user_id, `+tx.castTime()+`, password_hash FROM credentials WHERE user_id = ? AND NOT temporary
		ON CONFLICT DO NOTHING`, tx.now, string(id))
	if err != nil {
		return err
	}
	return tx.exec(ctx, `DELETE FROM password_history WHERE user_id = ? AND at NOT IN (SELECT h.at FROM password_history h WHERE h.user_id = ? ORDER BY h.at DESC LIMIT ?)`, string(id), string(id), keep)
}

// PasswordHistory returns the hashes of a user's former passwords, newest first, at most that many.
func (tx *Tx) PasswordHistory(ctx context.Context, id identity.UserID, most int) ([]string, error) {
	var hashes []string
	err := tx.list(ctx, &hashes, `SELECT password_hash FROM password_history WHERE user_id = ? ORDER BY at DESC LIMIT ?`, string(id), most)
	return hashes, err
}

// Rehash replaces the hash of a password that stays the same; mustChange demands another one beside what is demanded already. When the password is another meanwhile, nothing happens.
func (tx *Tx) Rehash(ctx context.Context, id identity.UserID, old, hash string, mustChange bool) error {
	return tx.exec(ctx, `UPDATE credentials SET password_hash = ?, imported = FALSE, must_change = must_change OR ?, updated_at = ? WHERE user_id = ? AND password_hash = ?`, hash, mustChange, tx.now, string(id), old)
}

// SetMustChange demands another password at the next sign-in, or does not any more. NotFound without a password.
func (tx *Tx) SetMustChange(ctx context.Context, id identity.UserID, on bool) error {
	return tx.execOne(ctx, `UPDATE credentials SET must_change = ?, updated_at = ? WHERE user_id = ?`, on, tx.now, string(id))
}

// HasImported reports whether anybody has a password whose hash was made elsewhere.
func (tx *Tx) HasImported(ctx context.Context) (bool, error) {
	var n []int
	err := tx.list(ctx, &n, `SELECT 1 FROM credentials WHERE imported LIMIT 1`)
	return len(n) > 0, err
}

// DeleteCredential takes a user's password and identifiers away, with the sessions that it began, and reports whether there was one.
func (tx *Tx) DeleteCredential(ctx context.Context, id identity.UserID) (bool, error) {
	n, err := tx.execCount(ctx, `DELETE FROM credentials WHERE user_id = ?`, string(id))
	if err != nil || n == 0 {
		return false, err
	}
	if err := tx.exec(ctx, `DELETE FROM password_history WHERE user_id = ?`, string(id)); err != nil {
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

// ClearPasswordFailures forgets wrong passwords and ends a wait.
func (tx *Tx) ClearPasswordFailures(ctx context.Context, id identity.UserID) error {
	return tx.exec(ctx, `UPDATE credentials SET failures = 0, last_failed_at = NULL, locked_until = NULL WHERE user_id = ? AND (failures > 0 OR locked_until IS NOT NULL)`, string(id))
}

// LockPassword lets an account take no password until then.
func (tx *Tx) LockPassword(ctx context.Context, id identity.UserID, until time.Time) error {
	return tx.execOne(ctx, `UPDATE credentials SET locked_until = ? WHERE user_id = ?`, until, string(id))
}

// SetLocked locks a user until somebody unlocks it, or with nil unlocks it. NotFound when there is no such user.
func (tx *Tx) SetLocked(ctx context.Context, id identity.UserID, at *time.Time) error {
	return tx.execOne(ctx, `UPDATE users SET locked_at = ? WHERE id = ?`, at, string(id))
}

// LockedUntil returns when some accounts take passwords again, for those that take none now.
func (tx *Tx) LockedUntil(ctx context.Context, ids []identity.UserID) (map[identity.UserID]time.Time, error) {
	in, args := idList(tx, "user_id", ids)
	var rows []struct {
		UserID text   `db:"user_id"`
		Until  moment `db:"locked_until"`
	}
	if err := tx.list(ctx, &rows, `SELECT user_id, locked_until FROM credentials WHERE `+in+` AND locked_until > ?`, append(args, tx.now)...); err != nil || len(rows) == 0 {
		return nil, err
	}
	out := make(map[identity.UserID]time.Time, len(rows))
	for _, r := range rows {
		out[identity.UserID(r.UserID)] = r.Until.time()
	}
	return out, nil
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
