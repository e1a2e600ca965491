package store

import (
	"context"
	"database/sql"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
)

// NeedsLock is the code of a Conflict of UpdateLight: what was seen is no longer so, or must be asked under a lock. Then Update does it.
const NeedsLock = "needs_lock"

var errNeedsLock = identity.Errorf(identity.Conflict, "this must be done under a lock").WithCode(NeedsLock)

// UpdateLight runs fn once, with no transaction around it: fn looks at one user by UserSeen, and what it writes goes out as one statement, which holds only when
// the user and the facts are still as they were seen. Any other query ends it with NeedsLock. PostgreSQL only.
func (db *DB) UpdateLight(ctx context.Context, fn func(*Tx) error) error {
	tx := &Tx{db: db, now: now(), lazy: true, light: true}
	if err := fn(tx); err != nil {
		return err
	}
	if len(tx.untouched()) > 0 {
		return errNeedsLock
	}
	tx.lazy, tx.q = false, db.write
	err := tx.flush(ctx)
	if retryable(err) {
		return errNeedsLock
	}
	return err
}

// UserSeen is UserForChange without a lock, for UpdateLight.
func (tx *Tx) UserSeen(ctx context.Context, scope Scope, id identity.UserID) (identity.User, UserFacts, error) {
	look := &Tx{db: tx.db, q: tx.db.read, now: tx.now}
	visible, more := scope.users()
	directory := null(scope.directory)
	var r userRow
	var f UserFacts
	var links, groups text
	err := look.each(ctx, look.bind(`SELECT CAST(u.xmin AS text), `+userColumns+`, `+look.factsSQL("u.id")+userTables+` WHERE u.deleted_at IS NULL AND u.id = ? AND `+visible),
		append([]any{directory, directory, string(id)}, more...), func(rows *sql.Rows) error {
			return rows.Scan(&tx.seen, &r.ID, &r.TenantID, &r.UserName, &r.DisplayName, &r.Enabled, &r.Held, &r.LockedAt, &r.Emails, &r.Attributes,
				&r.Version, &r.CreatedAt, &r.UpdatedAt, &r.LastLoginAt, &r.DeletedAt, &r.ExternalID, &links, &f.Sessions, &f.Out, &groups)
		})
	if err != nil {
		return identity.User{}, f, err
	}
	if tx.seen == "" {
		return identity.User{}, f, identity.Errorf(identity.NotFound, "not found")
	}
	u, err := r.user()
	if err != nil {
		return u, f, err
	}
	return look.withFacts(ctx, scope, u, f, links, groups)
}

// factsOf notes that facts of a user are written: at its end the transaction writes the user's row too, so that whoever has seen it by UserSeen learns of it.
func (tx *Tx) factsOf(user string) {
	if !tx.facts[user] {
		tx.noteFacts(user, false)
	}
}

// wroteUser notes that the row of a user is written.
func (tx *Tx) wroteUser(user string) { tx.noteFacts(user, true) }

func (tx *Tx) noteFacts(user string, written bool) {
	if !tx.postgres() {
		return
	}
	if tx.facts == nil {
		tx.facts = map[string]bool{}
	}
	tx.facts[user] = written
}

// untouched returns the users of whom facts were written and nothing else.
func (tx *Tx) untouched() []identity.UserID {
	var ids []identity.UserID
	for id, written := range tx.facts {
		if !written {
			ids = append(ids, identity.UserID(id))
		}
	}
	slices.Sort(ids)
	return ids
}

// touchUsers writes the rows of those who are untouched.
func (tx *Tx) touchUsers(ctx context.Context) error {
	ids := tx.untouched()
	if len(ids) == 0 {
		return nil
	}
	in, args := idList(tx, "id", ids)
	return tx.exec(ctx, `UPDATE users SET version = version WHERE `+in, args...)
}
