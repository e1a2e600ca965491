package store

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// AccessModelRecord is the access model that is in force, as it is kept.
type AccessModelRecord struct {
	Application string
	Name        string
	Document    []byte
	Version     int64
	AppliedBy   string
	AppliedAt   time.Time
}

// AccessModelRecord returns the model in force, or NotFound before the first start.
func (tx *Tx) AccessModelRecord(ctx context.Context, application string) (AccessModelRecord, error) {
	var r struct {
		Name     string `db:"name"`
		Document string `db:"document"`
		Version  int64  `db:"version"`
		By       string `db:"applied_by"`
		At       moment `db:"applied_at"`
	}
	err := tx.get(ctx, &r, `SELECT name, document, version, applied_by, applied_at FROM access_models WHERE application = ?`, application)
	return AccessModelRecord{Application: application, Name: r.Name, Document: []byte(r.Document), Version: r.Version, AppliedBy: r.By, AppliedAt: r.At.time()}, err
}

// AccessModel returns the version in force with its document and roles; nothing but the version when it is the known one. Without a model the version is 0.
func (tx *Tx) AccessModel(ctx context.Context, application string, known int64) (int64, []byte, []identity.RoleDefinition, error) {
	var version []int64
	if err := tx.list(ctx, &version, `SELECT version FROM access_models WHERE application = ?`, application); err != nil || len(version) == 0 {
		return known, nil, nil, err
	}
	if version[0] == known {
		return known, nil, nil, nil
	}
	r, err := tx.AccessModelRecord(ctx, application)
	if err != nil {
		return known, nil, nil, err
	}
	roles, err := tx.RoleDefinitions(ctx, application)
	return r.Version, r.Document, roles, err
}

// PutAccessModel puts a document in force, as the next version.
func (tx *Tx) PutAccessModel(ctx context.Context, r AccessModelRecord) error {
	return tx.exec(ctx, `INSERT INTO access_models (application, name, document, version, applied_by, applied_at) VALUES (?, ?, ?, 1, ?, ?)
		ON CONFLICT (application) DO UPDATE SET name = excluded.name, document = excluded.document, version = access_models.version + 1, applied_by = excluded.applied_by, applied_at = excluded.applied_at`,
		r.Application, r.Name, string(r.Document), r.AppliedBy, tx.now)
}

// RaiseAccessVersion makes everybody read the roles again. It locks the model's row, so that changes of roles come one after the other.
func (tx *Tx) RaiseAccessVersion(ctx context.Context, application string) error {
	return tx.execOne(ctx, `UPDATE access_models SET version = version + 1 WHERE application = ?`, application)
}
