package store

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
)

type reviewRow struct {
	ID           text   `db:"id"`
	At           moment `db:"at"`
	LastAt       moment `db:"last_at"`
	Attempts     int    `db:"attempts"`
	ConnectionID text   `db:"connection_id"`
	Connection   string `db:"connection"`
	TenantID     text   `db:"tenant_id"`
	Issuer       string `db:"issuer"`
	Subject      string `db:"subject"`
	Email        string `db:"email"`
	Name         string `db:"name"`
	Code         string `db:"code"`
	Message      string `db:"message"`
	Flag         bool   `db:"flag"`
	TraceID      text   `db:"trace_id"`
	UserID       text   `db:"user_id"`
	State        string `db:"state"`
	SettledBy    string `db:"settled_by"`
	SettledAt    moment `db:"settled_at"`
	Note         string `db:"note"`
}

const reviewQuery = `SELECT r.id, r.at, r.last_at, r.attempts, r.connection_id, c.name AS connection, r.tenant_id, r.issuer, r.subject, r.email, r.name, r.code, r.message, r.flag, r.trace_id, r.user_id, r.state, r.settled_by, r.settled_at, r.note
	FROM reviews r JOIN connections c ON c.id = r.connection_id`

func (r *reviewRow) review() identity.Review {
	return identity.Review{
		ID: identity.ReviewID(r.ID), At: r.At.time(), LastAt: r.LastAt.time(), Attempts: r.Attempts, ConnectionID: identity.ConnectionID(r.ConnectionID), ConnectionName: r.Connection,
		TenantID: identity.TenantID(r.TenantID), Issuer: r.Issuer, Subject: r.Subject, Email: r.Email, Name: r.Name, Code: r.Code, Message: r.Message, Flag: r.Flag,
		TraceID: identity.TraceID(r.TraceID), UserID: identity.UserID(r.UserID), State: identity.ReviewState(r.State), SettledBy: r.SettledBy, SettledAt: r.SettledAt.at, Note: r.Note,
	}
}

// PutReview writes a review, or counts one more attempt of the one that is there for the same subject and reason: a settled one is open again, a
// dismissed one stays dismissed. At most most reviews of a connection are open at once; a new one beyond that is not written. It reports whether a
// review was opened.
func (tx *Tx) PutReview(ctx context.Context, r identity.Review, most int) (bool, error) {
	var again []string
	err := tx.list(ctx, &again, `UPDATE reviews SET last_at = ?, attempts = attempts + 1, trace_id = ?, email = ?, name = ?, message = ?, user_id = ?,
		state = CASE WHEN state = 'settled' THEN 'open' ELSE state END
		WHERE connection_id = ? AND issuer = ? AND subject = ? AND code = ? RETURNING state`,
		r.LastAt, null(r.TraceID), r.Email, r.Name, r.Message, null(r.UserID), string(r.ConnectionID), r.Issuer, r.Subject, r.Code)
	if err != nil || len(again) > 0 {
		return false, err
	}
	n, err := tx.execCount(ctx, `INSERT INTO reviews (id, at, last_at, attempts, connection_id, tenant_id, issuer, subject, email, name, code, message, flag, trace_id, user_id, state, settled_by, note)
		SELECT `+tx.reviewValues()+` WHERE (SELECT count(*) FROM reviews x WHERE x.connection_id = `+tx.cast()+` AND x.state = 'open') < ?
		ON CONFLICT (connection_id, issuer, subject, code) DO NOTHING`,
		string(r.ID), r.At, r.LastAt, 1, string(r.ConnectionID), null(r.TenantID), r.Issuer, r.Subject, r.Email, r.Name, r.Code, r.Message, r.Flag, null(r.TraceID), null(r.UserID),
		string(identity.ReviewOpen), "", "", string(r.ConnectionID), most)
	return n > 0, err
}

// reviewValues are the values of a new review; PostgreSQL must be told their types where they stand in a SELECT.
func (tx *Tx) reviewValues() string {
	if tx.postgres() {
		return `CAST(? AS uuid), CAST(? AS timestamptz), CAST(? AS timestamptz), CAST(? AS bigint), CAST(? AS uuid), CAST(? AS uuid), CAST(? AS text), CAST(? AS text), CAST(? AS text),
			CAST(? AS text), CAST(? AS text), CAST(? AS text), CAST(? AS boolean), CAST(? AS uuid), CAST(? AS uuid), CAST(? AS text), CAST(? AS text), CAST(? AS text)`
	}
	return `?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?`
}

// ReviewQuery says which reviews are wanted; empty fields do not narrow.
type ReviewQuery struct {
	State        identity.ReviewState
	ConnectionID identity.ConnectionID
	After        string // older than this one
	Limit        int
	Total        bool
}

// Reviews returns the scope's reviews, newest first.
func (tx *Tx) Reviews(ctx context.Context, scope Scope, q ReviewQuery) (identity.Page[identity.Review], error) {
	var page identity.Page[identity.Review]
	visible, args := scope.tenants("r.tenant_id")
	b := builder{tx: tx}
	b.add(visible, args...)
	if q.State != "" {
		b.add("r.state = ?", string(q.State))
	}
	if q.ConnectionID != "" {
		b.add("r.connection_id = ?", string(q.ConnectionID))
	}
	list := identity.Query{After: q.After, Newest: true, Limit: q.Limit, Total: q.Total}
	var err error
	if page.Total, err = b.total(ctx, list, ` FROM reviews r`, nil); err != nil || q.Limit == 0 {
		return page, err
	}
	b.after("r.id", list)
	var rows []reviewRow
	if err := tx.listBuilt(ctx, &rows, reviewQuery+b.where()+b.order("r.id", list), b.args...); err != nil {
		return page, err
	}
	rows, page.More = cut(rows, q.Limit)
	page.Items = make([]identity.Review, len(rows))
	for i := range rows {
		page.Items[i] = rows[i].review()
	}
	return page, nil
}

// Review returns a review of the scope, or NotFound.
func (tx *Tx) Review(ctx context.Context, scope Scope, id identity.ReviewID) (identity.Review, error) {
	return tx.review(ctx, scope, id, "")
}

// ReviewForUpdate is Review with the row locked until the transaction ends.
func (tx *Tx) ReviewForUpdate(ctx context.Context, scope Scope, id identity.ReviewID) (identity.Review, error) {
	return tx.review(ctx, scope, id, tx.lockRows("r"))
}

func (tx *Tx) review(ctx context.Context, scope Scope, id identity.ReviewID, lock string) (identity.Review, error) {
	visible, args := scope.tenants("r.tenant_id")
	var r reviewRow
	err := tx.get(ctx, &r, reviewQuery+` WHERE r.id = ? AND `+visible+lock, append([]any{string(id)}, args...)...)
	return r.review(), err
}

// CloseReview writes what became of a review.
func (tx *Tx) CloseReview(ctx context.Context, r identity.Review) error {
	return tx.execOne(ctx, `UPDATE reviews SET state = ?, settled_by = ?, settled_at = ?, note = ?, user_id = ? WHERE id = ?`,
		string(r.State), r.SettledBy, r.SettledAt, r.Note, null(r.UserID), string(r.ID))
}

// SettleReviews closes the open reviews of a subject that is tied to a user now, but for flags.
func (tx *Tx) SettleReviews(ctx context.Context, l identity.Link, by, note string) error {
	return tx.later(ctx, `UPDATE reviews SET state = 'settled', settled_by = ?, settled_at = ?, note = ?, user_id = ? WHERE connection_id = ? AND issuer = ? AND subject = ? AND state = 'open' AND NOT flag`,
		by, tx.now, note, string(l.UserID), string(l.ConnectionID), l.Issuer, l.Subject)
}
