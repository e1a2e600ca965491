package store

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
)

type recordRow struct {
	Application string `db:"application"`
	Type        string `db:"type"`
	ForeignID   string `db:"foreign_id"`
	Display     string `db:"display"`
	Active      bool   `db:"active"`
	TenantID    text   `db:"tenant_id"`
	UserID      text   `db:"user_id"`
	CreatedAt   moment `db:"created_at"`
	UpdatedAt   moment `db:"updated_at"`
}

const recordColumns = `r.application, r.type, r.foreign_id, r.display, r.active, r.tenant_id, r.user_id, r.created_at, r.updated_at`

func (r *recordRow) record() identity.Record {
	return identity.Record{
		Application: r.Application, Type: r.Type, ForeignID: r.ForeignID, Display: r.Display, Active: r.Active, TenantID: identity.TenantID(r.TenantID),
		UserID: identity.UserID(r.UserID), CreatedAt: r.CreatedAt.time(), UpdatedAt: r.UpdatedAt.time(),
	}
}

func recordsOf(rows []recordRow) []identity.Record {
	out := make([]identity.Record, len(rows))
	for i := range rows {
		out[i] = rows[i].record()
	}
	return out
}

// RecordForUpdate returns a tenant's record of an application with its row locked, or NotFound.
func (tx *Tx) RecordForUpdate(ctx context.Context, key identity.Record) (identity.Record, error) {
	var r recordRow
	err := tx.get(ctx, &r, `SELECT `+recordColumns+` FROM records r WHERE r.tenant_id = ? AND r.application = ? AND r.type = ? AND r.foreign_id = ?`+tx.lockRows("r"),
		string(key.TenantID), key.Application, key.Type, key.ForeignID)
	return r.record(), err
}

// PutRecord writes a record, new or changed.
func (tx *Tx) PutRecord(ctx context.Context, r identity.Record) error {
	return tx.exec(ctx, `INSERT INTO records (application, type, foreign_id, display, active, tenant_id, user_id, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant_id, application, type, foreign_id) DO UPDATE SET display = excluded.display, active = excluded.active, user_id = excluded.user_id, updated_at = excluded.updated_at`,
		r.Application, r.Type, r.ForeignID, r.Display, r.Active, string(r.TenantID), null(r.UserID), tx.now, tx.now)
}

// RecordsOf returns the records that a person is tied to.
func (tx *Tx) RecordsOf(ctx context.Context, user identity.UserID) ([]identity.Record, error) {
	var rows []recordRow
	err := tx.list(ctx, &rows, `SELECT `+recordColumns+` FROM records r WHERE r.user_id = ? ORDER BY r.application, r.type, r.foreign_id`, string(user))
	return recordsOf(rows), err
}

// RecordTypesOf returns the kinds of active records that a person is tied to, such as "technician".
func (tx *Tx) RecordTypesOf(ctx context.Context, user identity.UserID) ([]string, error) {
	var types []string
	err := tx.list(ctx, &types, `SELECT DISTINCT r.type FROM records r WHERE r.user_id = ? AND r.active ORDER BY r.type`, string(user))
	return types, err
}

// RecordQuery says which records are wanted; empty fields do not narrow.
type RecordQuery struct {
	Tenant   identity.TenantID
	Type     string
	User     identity.UserID
	Unlinked bool // tied to nobody
	Active   bool // only those that are active

	ForeignID string // only the one with this id
	Search    string // in the name and the id
	After     string // the foreign id that the page before ended with; needs Tenant and Type
	Limit     int
}

// Records returns a page of the scope's records, by tenant, type and foreign id.
func (tx *Tx) Records(ctx context.Context, scope Scope, q RecordQuery) (identity.Page[identity.Record], error) {
	var page identity.Page[identity.Record]
	visible, args := scope.tenants("r.tenant_id")
	b := builder{tx: tx}
	b.add(visible, args...)
	if q.Tenant != "" {
		b.add("r.tenant_id = ?", string(q.Tenant))
	}
	if q.Type != "" {
		b.add("r.type = ?", q.Type)
	}
	if q.User != "" {
		b.add("r.user_id = ?", string(q.User))
	}
	if q.ForeignID != "" {
		b.add("r.foreign_id = ?", q.ForeignID)
	}
	if q.Unlinked {
		b.add("r.user_id IS NULL")
	}
	if q.Active {
		b.add("r.active")
	}
	if q.Search != "" {
		like := "%" + escapeLike(identity.NameKey(q.Search)) + "%"
		b.add(`(`+tx.folded("r.display")+` LIKE ? ESCAPE '\' OR `+tx.folded("r.foreign_id")+` LIKE ? ESCAPE '\')`, like, like)
	}
	if q.After != "" {
		b.add("r.foreign_id > ?", q.After)
	}
	var rows []recordRow
	err := tx.listBuilt(ctx, &rows, `SELECT `+recordColumns+` FROM records r`+b.where()+` ORDER BY r.tenant_id, r.type, r.foreign_id LIMIT ?`, append(b.args, q.Limit+1)...)
	rows, page.More = cut(rows, q.Limit)
	page.Items = recordsOf(rows)
	return page, err
}

// folded is a column in lower case.
func (tx *Tx) folded(column string) string {
	if tx.postgres() {
		return "lower(" + column + ")"
	}
	return "fold(" + column + ")"
}

// RecordTypesOfMany returns the kinds of active records that some people are tied to. Who has none is not in it.
func (tx *Tx) RecordTypesOfMany(ctx context.Context, ids []identity.UserID) (map[identity.UserID][]string, error) {
	in, args := idList(tx, "r.user_id", ids)
	var rows []struct {
		User text   `db:"user_id"`
		Type string `db:"type"`
	}
	err := tx.list(ctx, &rows, `SELECT DISTINCT r.user_id, r.type FROM records r WHERE r.active AND `+in+` ORDER BY r.user_id, r.type`, args...)
	out := map[identity.UserID][]string{}
	for _, r := range rows {
		id := identity.UserID(r.User)
		out[id] = append(out[id], r.Type)
	}
	return out, err
}
