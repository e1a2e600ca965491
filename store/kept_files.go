package store

import (
	"context"
	"strconv"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

type keptFileRow struct {
	ID        text   `db:"id"`
	TenantID  text   `db:"tenant_id"`
	BroughtBy string `db:"brought_by"`
	Name      string `db:"name"`
	Source    string `db:"source"`
	Size      int64  `db:"size"`
	CreatedAt moment `db:"created_at"`
}

const keptFileColumns = `f.id, f.tenant_id, f.brought_by, f.name, f.source, f.size, f.created_at`

func (r keptFileRow) file() identity.KeptFile {
	return identity.KeptFile{
		ID: identity.KeptFileID(r.ID), TenantID: identity.TenantID(r.TenantID), BroughtBy: r.BroughtBy, Name: r.Name, Source: r.Source, Size: r.Size, CreatedAt: r.CreatedAt.time(),
	}
}

// keptPart is what a part of a file is sealed for: in another place of the same file, or in another file, it cannot be opened.
func keptPart(id identity.KeptFileID, number int) string {
	return "kept_file_parts/body/" + string(id) + "/" + strconv.Itoa(number)
}

// InsertKeptFile writes a file without its parts.
func (tx *Tx) InsertKeptFile(ctx context.Context, f identity.KeptFile) error {
	return tx.exec(ctx, `INSERT INTO kept_files (id, tenant_id, brought_by, name, source, size, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		string(f.ID), null(f.TenantID), f.BroughtBy, f.Name, f.Source, f.Size, f.CreatedAt)
}

// UpdateKeptFile notes how long a file is, in bytes.
func (tx *Tx) UpdateKeptFile(ctx context.Context, id identity.KeptFileID, size int64) error {
	return tx.execOne(ctx, `UPDATE kept_files SET size = ? WHERE id = ?`, size, string(id))
}

// InsertKeptPart adds a part to a file, sealed. The parts are numbered from 0.
func (tx *Tx) InsertKeptPart(ctx context.Context, id identity.KeptFileID, number int, body []byte) error {
	return tx.exec(ctx, `INSERT INTO kept_file_parts (file_id, number, body) VALUES (?, ?, ?)`, string(id), number, tx.seal(keptPart(id, number), body))
}

// KeptFile returns a file that somebody brought, or NotFound.
func (tx *Tx) KeptFile(ctx context.Context, broughtBy string, id identity.KeptFileID) (identity.KeptFile, error) {
	var r keptFileRow
	err := tx.get(ctx, &r, `SELECT `+keptFileColumns+` FROM kept_files f WHERE f.id = ? AND f.brought_by = ?`, string(id), broughtBy)
	return r.file(), err
}

// KeptFiles returns the files that somebody brought, newest first.
func (tx *Tx) KeptFiles(ctx context.Context, broughtBy string, limit int) ([]identity.KeptFile, error) {
	var rows []keptFileRow
	err := tx.list(ctx, &rows, `SELECT `+keptFileColumns+` FROM kept_files f WHERE f.brought_by = ? ORDER BY f.id DESC LIMIT ?`, broughtBy, limit)
	out := make([]identity.KeptFile, len(rows))
	for i, r := range rows {
		out[i] = r.file()
	}
	return out, err
}

// KeptPart returns a part of a file, or NotFound.
func (tx *Tx) KeptPart(ctx context.Context, id identity.KeptFileID, number int) ([]byte, error) {
	var sealed []byte
	if err := tx.get(ctx, &sealed, `SELECT p.body FROM kept_file_parts p WHERE p.file_id = ? AND p.number = ?`, string(id), number); err != nil {
		return nil, err
	}
	return tx.open(keptPart(id, number), sealed)
}

// DeleteKeptFile deletes a file that somebody brought, or returns NotFound.
func (tx *Tx) DeleteKeptFile(ctx context.Context, broughtBy string, id identity.KeptFileID) error {
	return tx.execOne(ctx, `DELETE FROM kept_files WHERE id = ? AND brought_by = ?`, string(id), broughtBy)
}

// TrimKeptFiles deletes all files that somebody brought but the newest.
func (tx *Tx) TrimKeptFiles(ctx context.Context, broughtBy string, keep int) error {
	return tx.exec(ctx, `DELETE FROM kept_files WHERE brought_by = ? AND id NOT IN (SELECT f.id FROM kept_files f WHERE f.brought_by = ? ORDER BY f.id DESC LIMIT ?)`, broughtBy, broughtBy, keep)
}

// DeleteKeptFiles deletes files from before a time, at most limit, the oldest first, and returns how many.
func (tx *Tx) DeleteKeptFiles(ctx context.Context, before time.Time, limit int) (int, error) {
	return tx.execCount(ctx, `DELETE FROM kept_files WHERE id IN (SELECT f.id FROM kept_files f WHERE f.created_at < ? ORDER BY f.created_at LIMIT ?)`, before, limit)
}
