package store

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
)

type trialRow struct {
	ID           text   `db:"id"`
	ConnectionID text   `db:"connection_id"`
	UserID       text   `db:"user_id"`
	SetupID      text   `db:"setup_id"`
	By           string `db:"started_by"`
	CreatedAt    moment `db:"created_at"`
	ExpiresAt    moment `db:"expires_at"`
	OpenedAt     moment `db:"opened_at"`
	FinishedAt   moment `db:"finished_at"`
	OK           bool   `db:"ok"`
	TraceID      text   `db:"trace_id"`
}

const trialColumns = `l.id, l.connection_id, l.user_id, l.setup_id, l.started_by, l.created_at, l.expires_at, l.opened_at, l.finished_at, l.ok, l.trace_id`

func (r *trialRow) trial() identity.Trial {
	return identity.Trial{
		ID: identity.TrialID(r.ID), ConnectionID: identity.ConnectionID(r.ConnectionID), UserID: identity.UserID(r.UserID), SetupID: identity.SetupLinkID(r.SetupID), By: r.By,
		CreatedAt: r.CreatedAt.time(), ExpiresAt: r.ExpiresAt.time(), OpenedAt: r.OpenedAt.at, FinishedAt: r.FinishedAt.at, OK: r.OK, TraceID: identity.TraceID(r.TraceID),
	}
}

// InsertTrial writes a new trial under the hash of its secret.
func (tx *Tx) InsertTrial(ctx context.Context, t identity.Trial, hash []byte) error {
	return tx.exec(ctx, `INSERT INTO trials (id, connection_id, user_id, setup_id, started_by, secret_hash, created_at, expires_at, ok) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(t.ID), string(t.ConnectionID), null(t.UserID), null(t.SetupID), t.By, hash, t.CreatedAt, t.ExpiresAt, false)
}

// Trial returns a trial, or NotFound.
func (tx *Tx) Trial(ctx context.Context, id identity.TrialID) (identity.Trial, error) {
	var r trialRow
	err := tx.get(ctx, &r, `SELECT `+trialColumns+` FROM trials l WHERE l.id = ?`, string(id))
	return r.trial(), err
}

// TrialBySecret returns the trial whose secret has this hash, or NotFound.
func (tx *Tx) TrialBySecret(ctx context.Context, hash []byte) (identity.Trial, error) {
	var r trialRow
	err := tx.get(ctx, &r, `SELECT `+trialColumns+` FROM trials l WHERE l.secret_hash = ?`, hash)
	return r.trial(), err
}

// LastTrial returns the newest finished trial of a connection, or NotFound.
func (tx *Tx) LastTrial(ctx context.Context, connection identity.ConnectionID) (identity.Trial, error) {
	var r trialRow
	err := tx.get(ctx, &r, `SELECT `+trialColumns+` FROM trials l WHERE l.connection_id = ? AND l.finished_at IS NOT NULL ORDER BY l.finished_at DESC, l.id DESC LIMIT 1`, string(connection))
	return r.trial(), err
}

// OpenTrial notes that a browser is on its way with a trial; a second time is NotFound.
func (tx *Tx) OpenTrial(ctx context.Context, id identity.TrialID) error {
	return tx.execOne(ctx, `UPDATE trials SET opened_at = ? WHERE id = ? AND opened_at IS NULL`, tx.now, string(id))
}

// FinishTrial writes how a trial ended; a second time is NotFound.
func (tx *Tx) FinishTrial(ctx context.Context, id identity.TrialID, ok bool, trace identity.TraceID) error {
	return tx.execOne(ctx, `UPDATE trials SET finished_at = ?, ok = ?, trace_id = ? WHERE id = ? AND finished_at IS NULL`, tx.now, ok, string(trace), string(id))
}
