package store

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

type uploadRow struct {
	ID         text   `db:"id"`
	Directory  text   `db:"directory_id"`
	TenantID   text   `db:"tenant_id"`
	Source     string `db:"source"`
	Job        string `db:"job"`
	Operations int    `db:"operations"`
	State      string `db:"state"`
	Failure    string `db:"failure"`
	PlanID     text   `db:"plan_id"`
	RequestID  text   `db:"request_id"`
	CreatedAt  moment `db:"created_at"`
	FinishedAt moment `db:"finished_at"`
	LeaseUntil moment `db:"lease_until"`
	LeaseBy    string `db:"lease_by"`
}

const uploadColumns = `u.id, u.directory_id, u.tenant_id, u.source, u.job, u.operations, u.state, u.failure, u.plan_id, u.request_id, u.created_at, u.finished_at, u.lease_until, u.lease_by`

func (r *uploadRow) upload() identity.Upload {
	return identity.Upload{
		ID: identity.UploadID(r.ID), DirectoryID: identity.DirectoryID(r.Directory), TenantID: identity.TenantID(r.TenantID), Source: r.Source, Job: r.Job,
		Operations: r.Operations, State: identity.UploadState(r.State), Failure: r.Failure, PlanID: identity.PlanID(r.PlanID), RequestID: identity.RequestID(r.RequestID),
		CreatedAt: r.CreatedAt.time(), FinishedAt: r.FinishedAt.at, LeaseUntil: r.LeaseUntil.at, LeaseBy: r.LeaseBy,
	}
}

// uploadPlace is what the body of an upload is sealed for.
func uploadPlace(id identity.UploadID) string { return "uploads/body/" + string(id) }

func (tx *Tx) sealUpload(u identity.Upload) []byte {
	if len(u.Body) == 0 {
		return nil
	}
	return tx.seal(uploadPlace(u.ID), u.Body)
}

// InsertUpload writes what an HR system sent.
func (tx *Tx) InsertUpload(ctx context.Context, u identity.Upload) error {
	return tx.exec(ctx, `INSERT INTO uploads (id, directory_id, tenant_id, source, job, body, operations, state, request_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(u.ID), string(u.DirectoryID), null(u.TenantID), u.Source, u.Job, tx.sealUpload(u), u.Operations, string(u.State), null(u.RequestID), u.CreatedAt)
}

// UpdateUpload writes how far an upload is, who works on it, and its body.
func (tx *Tx) UpdateUpload(ctx context.Context, u identity.Upload) error {
	return tx.execOne(ctx, `UPDATE uploads SET state = ?, failure = ?, plan_id = ?, finished_at = ?, lease_until = ?, lease_by = ?, body = ? WHERE id = ?`,
		string(u.State), u.Failure, null(u.PlanID), u.FinishedAt, u.LeaseUntil, u.LeaseBy, tx.sealUpload(u), string(u.ID))
}

// RenewUpload gives whoever works on an upload longer, and reports whether it is still theirs.
func (tx *Tx) RenewUpload(ctx context.Context, id identity.UploadID, by string, until time.Time) (bool, error) {
	n, err := tx.execCount(ctx, `UPDATE uploads SET lease_until = ? WHERE id = ? AND lease_by = ? AND state = 'working'`, until, string(id), by)
	return n > 0, err
}

// Upload returns an upload of a directory (empty: of any) with its body, or NotFound.
func (tx *Tx) Upload(ctx context.Context, directory identity.DirectoryID, id identity.UploadID) (identity.Upload, error) {
	return tx.upload(ctx, directory, id, "")
}

// UploadForUpdate is Upload with the row locked until the transaction ends.
func (tx *Tx) UploadForUpdate(ctx context.Context, id identity.UploadID) (identity.Upload, error) {
	return tx.upload(ctx, "", id, tx.lockRows("u"))
}

func (tx *Tx) upload(ctx context.Context, directory identity.DirectoryID, id identity.UploadID, lock string) (identity.Upload, error) {
	var r struct {
		uploadRow
		Body []byte `db:"body"`
	}
	query, args := `SELECT `+uploadColumns+`, u.body FROM uploads u WHERE u.id = ?`, []any{string(id)}
	if directory != "" {
		query, args = query+` AND u.directory_id = ?`, append(args, string(directory))
	}
	if err := tx.get(ctx, &r, query+lock, args...); err != nil {
		return identity.Upload{}, err
	}
	u := r.upload()
	if len(r.Body) == 0 {
		return u, nil
	}
	var err error
	u.Body, err = tx.open(uploadPlace(u.ID), r.Body)
	return u, err
}

// UploadQuery says which uploads are wanted; empty fields do not narrow.
type UploadQuery struct {
	DirectoryID identity.DirectoryID
	Job         string
	After       identity.UploadID // older than this one
	From        identity.UploadID // not newer than this one
	Limit       int
}

// Uploads returns a page of uploads without their bodies, newest first.
func (tx *Tx) Uploads(ctx context.Context, q UploadQuery) (identity.Page[identity.Upload], error) {
	var page identity.Page[identity.Upload]
	b := builder{tx: tx}
	b.add("1 = 1")
	if q.DirectoryID != "" {
		b.add("u.directory_id = ?", string(q.DirectoryID))
	}
	if q.Job != "" {
		b.add("u.job = ?", q.Job)
	}
	if q.After != "" {
		b.add("u.id < ?", string(q.After))
	}
	if q.From != "" {
		b.add("u.id <= ?", string(q.From))
	}
	var rows []uploadRow
	if err := tx.listBuilt(ctx, &rows, `SELECT `+uploadColumns+` FROM uploads u`+b.where()+` ORDER BY u.id DESC LIMIT ?`, append(b.args, q.Limit+1)...); err != nil {
		return page, err
	}
	rows, page.More = cut(rows, q.Limit)
	page.Items = make([]identity.Upload, len(rows))
	for i := range rows {
		page.Items[i] = rows[i].upload()
	}
	return page, nil
}

// CountOpenUploads returns how many uploads of a directory are still to be worked off.
func (tx *Tx) CountOpenUploads(ctx context.Context, directory identity.DirectoryID) (int, error) {
	var n int
	err := tx.get(ctx, &n, `SELECT count(*) FROM uploads u WHERE u.directory_id = ? AND u.state IN ('waiting', 'working')`, string(directory))
	return n, err
}

// UploadsToWork returns uploads that nobody works on, without their bodies, the oldest first: of each directory none but its oldest that is open.
func (tx *Tx) UploadsToWork(ctx context.Context, limit int) ([]identity.Upload, error) {
	var rows []uploadRow
	err := tx.list(ctx, &rows, `SELECT `+uploadColumns+` FROM uploads u WHERE u.state IN ('waiting', 'working') AND (u.lease_until IS NULL OR u.lease_until < ?)
		AND NOT EXISTS (SELECT 1 FROM uploads e WHERE e.state IN ('waiting', 'working') AND e.directory_id = u.directory_id AND e.id < u.id) ORDER BY u.id LIMIT ?`, tx.now, limit)
	out := make([]identity.Upload, len(rows))
	for i := range rows {
		out[i] = rows[i].upload()
	}
	return out, err
}

// DeleteUploads deletes uploads that are done, from before a time, at most limit, and returns how many.
func (tx *Tx) DeleteUploads(ctx context.Context, before time.Time, limit int) (int, error) {
	return tx.execCount(ctx, `DELETE FROM uploads WHERE id IN (SELECT u.id FROM uploads u WHERE u.created_at < ? AND u.state IN ('done', 'failed') ORDER BY u.id LIMIT ?)`, before, limit)
}
