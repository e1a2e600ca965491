package store

import (
	"context"

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
	IP           string `db:"ip"`
	Purpose      string `db:"purpose"`
	Checks       text   `db:"checks"`
	Facts        text   `db:"facts"`
}

const traceColumns = `t.id, t.at, t.connection_id, t.tenant_id, t.ok, t.code, t.message, t.issuer, t.subject, t.email, t.user_id, t.ip, t.purpose, t.checks, t.facts`

func (r *traceRow) trace() (identity.Trace, error) {
	t := identity.Trace{
		ID: identity.TraceID(r.ID), At: r.At.time(), ConnectionID: identity.ConnectionID(r.ConnectionID), TenantID: identity.TenantID(r.TenantID), OK: r.OK, Code: r.Code,
		Message: r.Message, Issuer: r.Issuer, Subject: r.Subject, Email: r.Email, UserID: identity.UserID(r.UserID), IP: r.IP, Purpose: identity.SignInPurpose(r.Purpose),
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
	return tx.exec(ctx, `INSERT INTO traces (id, at, connection_id, tenant_id, ok, code, message, issuer, subject, email, user_id, ip, purpose, checks, facts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(t.ID), t.At, null(t.ConnectionID), null(t.TenantID), t.OK, t.Code, t.Message, t.Issuer, t.Subject, t.Email, null(t.UserID), t.IP, string(t.Purpose), checks, facts)
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
	After        string // older than this one
	Limit        int
}

// Traces returns the scope's traces, newest first.
func (tx *Tx) Traces(ctx context.Context, scope Scope, q TraceQuery) (identity.Page[identity.Trace], error) {
	var page identity.Page[identity.Trace]
	visible, args := scope.tenants("t.tenant_id")
	b := builder{tx: tx}
	b.add(visible, args...)
	if q.ConnectionID != "" {
		b.add("t.connection_id = ?", string(q.ConnectionID))
	}
	if q.UserID != "" {
		b.add("t.user_id = ?", string(q.UserID))
	}
	if q.Refused {
		b.add("NOT t.ok")
	}
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
