package store

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// SecondFactor is somebody's app for one-time codes. Without ConfirmedAt it was begun and never shown to work.
type SecondFactor struct {
	UserID       identity.UserID
	Secret       []byte
	CreatedAt    time.Time
	ConfirmedAt  *time.Time
	LastStep     int64 // the last step of time whose code was taken; none before it is taken again
	Failures     int   // wrong codes since the last right one
	LastFailedAt *time.Time
}

func secondFactorPlace(id identity.UserID) string { return "second_factors/secret/" + string(id) }

// SecondFactor returns a user's second factor, confirmed or not, or NotFound.
func (tx *Tx) SecondFactor(ctx context.Context, id identity.UserID) (SecondFactor, error) {
	var r struct {
		Secret    []byte `db:"secret"`
		Created   moment `db:"created_at"`
		Confirmed moment `db:"confirmed_at"`
		LastStep  int64  `db:"last_step"`
		Failures  int    `db:"failures"`
		FailedAt  moment `db:"last_failed_at"`
	}
	err := tx.get(ctx, &r, `SELECT secret, created_at, confirmed_at, last_step, failures, last_failed_at FROM second_factors WHERE user_id = ?`, string(id))
	if err != nil {
		return SecondFactor{}, err
	}
	f := SecondFactor{UserID: id, CreatedAt: r.Created.time(), ConfirmedAt: r.Confirmed.at, LastStep: r.LastStep, Failures: r.Failures, LastFailedAt: r.FailedAt.at}
	f.Secret, err = tx.open(secondFactorPlace(id), r.Secret)
	return f, err
}

// HasSecondFactor reports whether a user has one that was confirmed.
func (tx *Tx) HasSecondFactor(ctx context.Context, id identity.UserID) (bool, error) {
	var n []int
	err := tx.list(ctx, &n, `SELECT 1 FROM second_factors WHERE user_id = ? AND confirmed_at IS NOT NULL`, string(id))
	return len(n) > 0, err
}

// BeginSecondFactor writes a secret that is still to be confirmed, sealed, in place of one that was begun before. Conflict when the user has a confirmed one.
func (tx *Tx) BeginSecondFactor(ctx context.Context, id identity.UserID, secret []byte) error {
	if err := tx.exec(ctx, `DELETE FROM second_factors WHERE user_id = ? AND confirmed_at IS NULL`, string(id)); err != nil {
		return err
	}
	return tx.exec(ctx, `INSERT INTO second_factors (user_id, secret, created_at, last_step, failures) VALUES (?, ?, ?, 0, 0)`,
		string(id), tx.seal(secondFactorPlace(id), secret), tx.now)
}

// ConfirmSecondFactor makes the one that was begun count, or returns NotFound.
func (tx *Tx) ConfirmSecondFactor(ctx context.Context, id identity.UserID) error {
	return tx.execOne(ctx, `UPDATE second_factors SET confirmed_at = ? WHERE user_id = ? AND confirmed_at IS NULL`, tx.now, string(id))
}

// TakeStep notes that the code of a step of time was used and forgets wrong ones. NotFound when that step, or a later one, was used before.
func (tx *Tx) TakeStep(ctx context.Context, id identity.UserID, step int64) error {
	return tx.execOne(ctx, `UPDATE second_factors SET last_step = ?, failures = 0, last_failed_at = NULL WHERE user_id = ? AND last_step < ?`, step, string(id), step)
}

// RecordCodeFailure counts a wrong code and returns the count.
func (tx *Tx) RecordCodeFailure(ctx context.Context, id identity.UserID, at time.Time) (int, error) {
	var n []int
	err := tx.list(ctx, &n, `UPDATE second_factors SET failures = failures + 1, last_failed_at = ? WHERE user_id = ? RETURNING failures`, at, string(id))
	if err != nil || len(n) == 0 {
		return 0, err
	}
	return n[0], nil
}

// ClearCodeFailures forgets wrong codes.
func (tx *Tx) ClearCodeFailures(ctx context.Context, id identity.UserID) error {
	return tx.exec(ctx, `UPDATE second_factors SET failures = 0, last_failed_at = NULL WHERE user_id = ? AND failures > 0`, string(id))
}

// DeleteSecondFactor takes a user's second factor and recovery codes away, or returns NotFound.
func (tx *Tx) DeleteSecondFactor(ctx context.Context, id identity.UserID) error {
	return tx.execOne(ctx, `DELETE FROM second_factors WHERE user_id = ?`, string(id))
}

// ReplaceRecoveryCodes gives a user new codes by their hashes; the old ones are worth nothing any more.
func (tx *Tx) ReplaceRecoveryCodes(ctx context.Context, id identity.UserID, hashes [][]byte) error {
	if err := tx.exec(ctx, `DELETE FROM recovery_codes WHERE user_id = ?`, string(id)); err != nil {
		return err
	}
	for _, hash := range hashes {
		if err := tx.exec(ctx, `INSERT INTO recovery_codes (user_id, hash) VALUES (?, ?)`, string(id), hash); err != nil {
			return err
		}
	}
	return nil
}

// TakeRecoveryCode uses a code up, or returns NotFound.
func (tx *Tx) TakeRecoveryCode(ctx context.Context, id identity.UserID, hash []byte) error {
	return tx.execOne(ctx, `DELETE FROM recovery_codes WHERE user_id = ? AND hash = ?`, string(id), hash)
}

// RecoveryCodes counts a user's codes that are left.
func (tx *Tx) RecoveryCodes(ctx context.Context, id identity.UserID) (int, error) {
	var n int
	err := tx.get(ctx, &n, `SELECT COUNT(*) FROM recovery_codes WHERE user_id = ?`, string(id))
	return n, err
}
