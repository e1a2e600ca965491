package store

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// InsertRequest writes an entry of the request journal.
func (tx *Tx) InsertRequest(ctx context.Context, r identity.Request) error {
	return tx.later(ctx, `INSERT INTO requests (id, at, directory_id, tenant_id, method, path, body, status, detail, duration_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(r.ID), r.At, null(r.DirectoryID), null(r.TenantID), r.Method, r.Path, r.Body, r.Status, r.Detail, r.Duration.Microseconds())
}

// RequestQuery says which requests are wanted; empty fields do not narrow.
type RequestQuery struct {
	DirectoryID identity.DirectoryID
	Failed      bool
	After       identity.RequestID // older than this one
	Limit       int
}

// Requests returns the scope's journal, newest first.
func (tx *Tx) Requests(ctx context.Context, scope Scope, q RequestQuery) (identity.Page[identity.Request], error) {
	var page identity.Page[identity.Request]
	visible, args := scope.tenants("r.tenant_id")
	b := builder{tx: tx}
	b.add(visible, args...)
	if q.DirectoryID != "" {
		b.add("r.directory_id = ?", string(q.DirectoryID))
	}
	if q.Failed {
		b.add("r.status >= 400")
	}
	list := identity.Query{After: string(q.After), Newest: true, Limit: q.Limit}
	b.after("r.id", list)
	var rows []struct {
		ID          text   `db:"id"`
		At          moment `db:"at"`
		DirectoryID text   `db:"directory_id"`
		TenantID    text   `db:"tenant_id"`
		Method      string `db:"method"`
		Path        string `db:"path"`
		Body        string `db:"body"`
		Status      int    `db:"status"`
		Detail      string `db:"detail"`
		DurationUS  int64  `db:"duration_us"`
	}
	err := tx.listBuilt(ctx, &rows, `SELECT r.id, r.at, r.directory_id, r.tenant_id, r.method, r.path, r.body, r.status, r.detail, r.duration_us FROM requests r`+b.where()+b.order("r.id", list), b.args...)
	rows, page.More = cut(rows, q.Limit)
	for _, r := range rows {
		page.Items = append(page.Items, identity.Request{
			ID: identity.RequestID(r.ID), At: r.At.time(), DirectoryID: identity.DirectoryID(r.DirectoryID), TenantID: identity.TenantID(r.TenantID),
			Method: r.Method, Path: r.Path, Body: r.Body, Status: r.Status, Detail: r.Detail, Duration: time.Duration(r.DurationUS) * time.Microsecond,
		})
	}
	return page, err
}
