package store

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// SignInStep is a browser that gave the right password and is asked for a code.
type SignInStep struct {
	UserID    identity.UserID
	TraceID   identity.TraceID // of the attempt, which is not over yet
	ExpiresAt time.Time
}

// InsertSignInStep remembers a browser by the hash of its secret.
func (tx *Tx) InsertSignInStep(ctx context.Context, s SignInStep, hash []byte) error {
	return tx.exec(ctx, `INSERT INTO signin_steps (hash, user_id, trace_id, expires_at) VALUES (?, ?, ?, ?)`, hash, string(s.UserID), string(s.TraceID), s.ExpiresAt)
}

// SignInStep returns what InsertSignInStep remembered, expired or not, or NotFound.
func (tx *Tx) SignInStep(ctx context.Context, hash []byte) (SignInStep, error) {
	var r struct {
		UserID  text   `db:"user_id"`
		TraceID text   `db:"trace_id"`
		Expires moment `db:"expires_at"`
	}
	err := tx.get(ctx, &r, `SELECT user_id, trace_id, expires_at FROM signin_steps WHERE hash = ?`, hash)
	return SignInStep{UserID: identity.UserID(r.UserID), TraceID: identity.TraceID(r.TraceID), ExpiresAt: r.Expires.time()}, err
}

// DeleteSignInStep forgets a browser, or returns NotFound.
func (tx *Tx) DeleteSignInStep(ctx context.Context, hash []byte) error {
	return tx.execOne(ctx, `DELETE FROM signin_steps WHERE hash = ?`, hash)
}

// DeleteSignInStepsOf forgets every browser of a user: the password that they gave is no longer the right one.
func (tx *Tx) DeleteSignInStepsOf(ctx context.Context, id identity.UserID) error {
	return tx.exec(ctx, `DELETE FROM signin_steps WHERE user_id = ?`, string(id))
}

// DeleteTrace takes a trace away whose attempt went on: a whole one takes its place.
func (tx *Tx) DeleteTrace(ctx context.Context, id identity.TraceID) error {
	return tx.exec(ctx, `DELETE FROM traces WHERE id = ?`, string(id))
}
