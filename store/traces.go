package store

import (
	"context"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

type traceRow struct {
	ID           text   `db:"id"`
	At           moment `db:"at"`
	ConnectionID text   `db:"connection_id"`
	TenantID     text   `db:"tenant_id"`
	OK           bool   `db:"ok"`
	Code         string `db:"code"`
	Message      string `db:"message"`
	Issuer       string `db:"issuer"`
	Subject      string `db:"subject"`
	Email        string `db:"email"`
	UserID       text   `db:"user_id"`
	SessionID    text   `db:"session_id"`
	IP           string `db:"ip"`
	Purpose      string `db:"purpose"`
	Checks       text   `db:"checks"`
	Facts        text   `db:"facts"`
}

const traceColumns = `t.id, t.at, t.connection_id, t.tenant_id, t.ok, t.code, t.message, t.issuer, t.subject, t.email, t.user_id, t.session_id, t.ip, t.purpose, t.checks, t.facts`

func (r *traceRow) trace() (identity.Trace, error) {
	t := identity.Trace{
		ID: identity.TraceID(r.ID), At: r.At.time(), ConnectionID: identity.ConnectionID(r.ConnectionID), TenantID: identity.TenantID(r.TenantID), OK: r.OK, Code: r.Code,
		Message: r.Message, Issuer: r.Issuer, Subject: r.Subject, Email: r.Email, UserID: identity.UserID(r.UserID), SessionID: identity.SessionID(r.SessionID), IP: r.IP, Purpose: identity.SignInPurpose(r.Purpose),
	}
	if err := fromJSON(r.Facts, &t.Facts); err != nil {
		return t, err
	}
	return t, fromJSON(r.Checks, &t.Checks)
}

// InsertTrace writes a sign-in trace.
func (tx *Tx) InsertTrace(ctx context.Context, t identity.Trace) error {
	checks, err := asJSON(append([]identity.Check{}, t.Checks...))
	if err != nil {
		return err
	}
	facts, err := asJSON(append([]identity.Fact{}, t.Facts...))
	if err != nil {
		return err
	}
	return tx.exec(ctx, `INSERT INTO traces (id, at, connection_id, tenant_id, ok, code, message, issuer, subject, email, user_id, session_id, ip, purpose, checks, facts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(t.ID), t.At, null(t.ConnectionID), null(t.TenantID), t.OK, t.Code, t.Message, t.Issuer, t.Subject, t.Email, null(t.UserID), null(t.SessionID), t.IP, string(t.Purpose), checks, facts)
}

// Trace returns a trace of the scope, or NotFound.
func (tx *Tx) Trace(ctx context.Context, scope Scope, id identity.TraceID) (identity.Trace, error) {
	visible, args := scope.tenants("t.tenant_id")
	var r traceRow
	if err := tx.get(ctx, &r, `SELECT `+traceColumns+` FROM traces t WHERE t.id = ? AND `+visible, append([]any{string(id)}, args...)...); err != nil {
		return identity.Trace{}, err
	}
	return r.trace()
}

// TraceQuery says which traces are wanted; empty fields do not narrow.
type TraceQuery struct {
	ConnectionID identity.ConnectionID
	UserID       identity.UserID
	Refused      bool
	Word         string // a part of the address, subject, issuer or code, or the whole network address
	Email        string // the whole address
	Subject      string // the whole subject
	Code         string // a reason code, or the start of some, such as "saml."
	Since        time.Time
	Until        time.Time // exclusive
	After        string    // older than this one
	Limit        int
}

// conditions adds what the query asks for.
func (q TraceQuery) conditions(b *builder) {
	if q.ConnectionID != "" {
		b.add("t.connection_id = ?", string(q.ConnectionID))
	}
	if q.UserID != "" {
		b.add("t.user_id = ?", string(q.UserID))
	}
	if q.Refused || q.Code != "" {
		b.add("NOT t.ok")
	}
	if q.Email != "" {
		b.add("t.email <> '' AND lower(t.email) = ?", strings.ToLower(q.Email))
	}
	if q.Subject != "" {
		b.add("t.subject = ?", q.Subject)
	}
	if q.Code != "" {
		b.add(`t.code LIKE ? ESCAPE '\'`, escapeLike(q.Code)+"%")
	}
	if word := strings.ToLower(q.Word); word != "" {
		ways := []string{"t.ip = ?"}
		args := []any{word}
		for _, column := range []string{"t.email", "t.subject", "t.issuer", "t.code"} {
			ways, args = append(ways, b.holds("lower("+column+")")), append(args, word)
		}
		b.add("("+strings.Join(ways, " OR ")+")", args...)
	}
	if !q.Since.IsZero() { // ids are of the time of the attempt, give or take nothing worth an index of its own
		b.add("t.at >= ? AND t.id >= ?", q.Since.UTC(), identity.IDBefore(q.Since.Add(-time.Minute)))
	}
	if !q.Until.IsZero() {
		b.add("t.at < ? AND t.id < ?", q.Until.UTC(), identity.IDBefore(q.Until.Add(time.Minute)))
	}
}

// Traces returns the scope's traces, newest first.
func (tx *Tx) Traces(ctx context.Context, scope Scope, q TraceQuery) (identity.Page[identity.Trace], error) {
	var page identity.Page[identity.Trace]
	visible, args := scope.tenants("t.tenant_id")
	b := builder{tx: tx}
	b.add(visible, args...)
	q.conditions(&b)
	list := identity.Query{After: q.After, Newest: true, Limit: q.Limit}
	b.after("t.id", list)
	var rows []traceRow
	if err := tx.listBuilt(ctx, &rows, `SELECT `+traceColumns+` FROM traces t`+b.where()+b.order("t.id", list), b.args...); err != nil {
		return page, err
	}
	rows, page.More = cut(rows, q.Limit)
	page.Items = make([]identity.Trace, len(rows))
	for i := range rows {
		var err error
		if page.Items[i], err = rows[i].trace(); err != nil {
			return page, err
		}
	}
	return page, nil
}

// DeleteTraces deletes traces from before a time, at most limit, the oldest first, and returns how many.
func (tx *Tx) DeleteTraces(ctx context.Context, before time.Time, limit int) (int, error) {
	return tx.execCount(ctx, `DELETE FROM traces WHERE id IN (SELECT t.id FROM traces t WHERE t.at < ? ORDER BY t.at LIMIT ?)`, before.UTC(), limit)
}

// CountRefusal counts a refusal of a connection in its hour and returns how many of that sort there were with it: those in which nothing was proven, or
// those of somebody.
func (tx *Tx) CountRefusal(ctx context.Context, connection identity.ConnectionID, hour time.Time, somebody bool) (int64, error) {
	column, strangers, people := "strangers", 1, 0
	if somebody {
		column, strangers, people = "people", 0, 1
	}
	var n []int64
	err := tx.list(ctx, &n, `INSERT INTO trace_counts (connection_id, hour, strangers, people) VALUES (?, ?, ?, ?)
		ON CONFLICT (connection_id, hour) DO UPDATE SET strangers = trace_counts.strangers + excluded.strangers, people = trace_counts.people + excluded.people RETURNING `+column,
		string(connection), hour.UTC(), strangers, people)
	if err != nil || len(n) == 0 {
		return 0, err
	}
	return n[0], nil
}

// RefusalsBeyond returns for each connection of the scope how many refusals since a time were counted and not kept: beyond strangers or people in an hour.
func (tx *Tx) RefusalsBeyond(ctx context.Context, scope Scope, since time.Time, strangers, people int64) (map[identity.ConnectionID]int64, error) {
	visible, args := scope.tenants("c.tenant_id")
	var rows []struct {
		ID        text  `db:"connection_id"`
		Strangers int64 `db:"strangers"`
		People    int64 `db:"people"`
	}
	err := tx.list(ctx, &rows, `SELECT n.connection_id, n.strangers, n.people FROM trace_counts n JOIN connections c ON c.id = n.connection_id
		WHERE n.hour >= ? AND (n.strangers > ? OR n.people > ?) AND `+visible, append([]any{since.UTC(), strangers, people}, args...)...)
	out := map[identity.ConnectionID]int64{}
	for _, r := range rows {
		out[identity.ConnectionID(r.ID)] += max(r.Strangers-strangers, 0) + max(r.People-people, 0)
	}
	return out, err
}

// DeleteCounts deletes the counts of hours before a time.
func (tx *Tx) DeleteCounts(ctx context.Context, before time.Time) error {
	return tx.exec(ctx, `DELETE FROM trace_counts WHERE hour < ?`, before.UTC())
}
