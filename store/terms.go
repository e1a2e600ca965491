package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

const termsColumns = `m.user_id, m.starts_at, m.ends_at, m.started, m.ended, m.kept_at, m.welcome, m.source, m.updated_at`

func scanTerms(rows *sql.Rows) (identity.Terms, error) {
	var t identity.Terms
	var user text
	var starts, ends, kept, updated moment
	var welcome string
	err := rows.Scan(&user, &starts, &ends, &t.Started, &t.Ended, &kept, &welcome, &t.Source, &updated)
	t.UserID, t.StartsAt, t.EndsAt, t.KeptAt = identity.UserID(user), starts.at, ends.at, kept.at
	t.Welcome, t.UpdatedAt = identity.Welcome(welcome), updated.time()
	return t, err
}

// TermsOf returns the terms of some people; who has none is not in it.
func (tx *Tx) TermsOf(ctx context.Context, ids []identity.UserID) (map[identity.UserID]identity.Terms, error) {
	in, args := idList(tx, "m.user_id", ids)
	out := map[identity.UserID]identity.Terms{}
	err := tx.each(ctx, tx.bind(`SELECT `+termsColumns+` FROM user_terms m WHERE `+in), args, func(rows *sql.Rows) error {
		t, err := scanTerms(rows)
		out[t.UserID] = t
		return err
	})
	return out, err
}

// Terms returns the terms of one person; they are empty when there are none.
func (tx *Tx) Terms(ctx context.Context, id identity.UserID) (identity.Terms, error) {
	all, err := tx.TermsOf(ctx, []identity.UserID{id})
	t := all[id]
	t.UserID = id
	return t, err
}

// OutOfTerms reports whether the terms of somebody keep them out.
func (tx *Tx) OutOfTerms(ctx context.Context, id identity.UserID) (bool, error) {
	t, err := tx.Terms(ctx, id)
	return t.Out(), err
}

// PutTerms writes the terms of people, new or changed.
func (tx *Tx) PutTerms(ctx context.Context, list ...identity.Terms) error {
	if len(list) == 0 {
		return nil
	}
	args := make([]any, 0, 9*len(list))
	for _, t := range list {
		tx.factsOf(string(t.UserID))
		args = append(args, string(t.UserID), t.StartsAt, t.EndsAt, t.Started, t.Ended, t.KeptAt, string(t.Welcome), t.Source, tx.now)
	}
	return tx.later(ctx, `INSERT INTO user_terms (user_id, starts_at, ends_at, started, ended, kept_at, welcome, source, updated_at) VALUES `+manyRows(9, len(list))+`
		ON CONFLICT (user_id) DO UPDATE SET starts_at = excluded.starts_at, ends_at = excluded.ends_at, started = excluded.started, ended = excluded.ended,
			kept_at = excluded.kept_at, welcome = excluded.welcome, source = excluded.source, updated_at = excluded.updated_at`, args...)
}

// DeleteTerms forgets the terms of a person.
func (tx *Tx) DeleteTerms(ctx context.Context, id identity.UserID) error {
	tx.factsOf(string(id))
	return tx.exec(ctx, `DELETE FROM user_terms WHERE user_id = ?`, string(id))
}

// TermsDue returns the people who are not deleted and whose start or end has come without having been done, behind one, in the order of ids, at most limit. What a rule
// refused after again is left out.
func (tx *Tx) TermsDue(ctx context.Context, again time.Time, after identity.UserID, limit int) ([]identity.UserID, error) {
	// The conditions are those of the two indexes, so that only what is due is read.
	const rest = ` AND (m.kept_at IS NULL OR m.kept_at < ?) AND u.deleted_at IS NULL AND u.id > COALESCE(`
	due := func(when string) string {
		return `SELECT u.id AS id FROM user_terms m JOIN users u ON u.id = m.user_id WHERE ` + when + rest + tx.cast() + `, ` + nobody + `)`
	}
	var ids []text
	err := tx.list(ctx, &ids, `SELECT d.id FROM (`+due(`m.starts_at IS NOT NULL AND NOT m.started AND m.starts_at <= ?`)+` UNION `+due(`m.ends_at IS NOT NULL AND NOT m.ended AND m.ends_at <= ?`)+`) d
		ORDER BY d.id LIMIT ?`, tx.now, again, null(after), tx.now, again, null(after), limit)
	out := make([]identity.UserID, len(ids))
	for i, id := range ids {
		out[i] = identity.UserID(id)
	}
	return out, err
}
