package store

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// InsertSignIn remembers a sign-in that was sent to a provider, under the hash of its key.
func (tx *Tx) InsertSignIn(ctx context.Context, s identity.SignInState, keyHash []byte) error {
	return tx.exec(ctx, `INSERT INTO signin_states (key_hash, connection_id, browser_hash, nonce, verifier, return_to, purpose, user_id, trial_id, force, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		keyHash, string(s.ConnectionID), s.BrowserHash, s.Nonce, s.Verifier, s.ReturnTo, string(s.Purpose), null(s.UserID), null(s.TrialID), s.Force, s.CreatedAt, s.ExpiresAt)
}

// TakeSignIn returns what InsertSignIn remembered for the connection and forgets it; a second call is NotFound. The key is not filled in.
func (tx *Tx) TakeSignIn(ctx context.Context, connection identity.ConnectionID, keyHash []byte) (identity.SignInState, error) {
	var rows []struct {
		Browser  []byte `db:"browser_hash"`
		Nonce    string `db:"nonce"`
		Verifier string `db:"verifier"`
		ReturnTo string `db:"return_to"`
		Purpose  string `db:"purpose"`
		UserID   text   `db:"user_id"`
		TrialID  text   `db:"trial_id"`
		Force    bool   `db:"force"`
		Created  moment `db:"created_at"`
		Expires  moment `db:"expires_at"`
	}
	err := tx.list(ctx, &rows, `DELETE FROM signin_states WHERE key_hash = ? AND connection_id = ? RETURNING browser_hash, nonce, verifier, return_to, purpose, user_id, trial_id, force, created_at, expires_at`, keyHash, string(connection))
	if err != nil {
		return identity.SignInState{}, err
	}
	if len(rows) == 0 {
		return identity.SignInState{}, identity.Errorf(identity.NotFound, "not found")
	}
	r := rows[0]
	return identity.SignInState{
		ConnectionID: connection, BrowserHash: r.Browser, Nonce: r.Nonce, Verifier: r.Verifier, ReturnTo: r.ReturnTo,
		Purpose: identity.SignInPurpose(r.Purpose), UserID: identity.UserID(r.UserID), TrialID: identity.TrialID(r.TrialID), Force: r.Force, CreatedAt: r.Created.time(), ExpiresAt: r.Expires.time(),
	}, nil
}

// InsertReplay remembers that an assertion or token was used; a second time is a Conflict.
func (tx *Tx) InsertReplay(ctx context.Context, connection identity.ConnectionID, keyHash []byte, until time.Time) error {
	return tx.exec(ctx, `INSERT INTO replays (connection_id, key_hash, expires_at) VALUES (?, ?, ?)`, string(connection), keyHash, until)
}

// enrolmentAge is how long a second factor that was begun may wait to be confirmed; reviewAge is how long a review is kept after the last attempt: a person who
// stopped trying waits for nobody.
const (
	enrolmentAge = time.Hour
	reviewAge    = 90 * 24 * time.Hour
)

// Sweep deletes what is past its end: sessions, sign-in states, replays, access tokens, pending links, old reviews, and second factors that were never confirmed.
func (tx *Tx) Sweep(ctx context.Context, at time.Time) error {
	for _, query := range []string{
		`DELETE FROM sessions WHERE expires_at < ?`,
		`DELETE FROM signin_states WHERE expires_at < ?`,
		`DELETE FROM replays WHERE expires_at < ?`,
		`DELETE FROM client_replays WHERE expires_at < ?`,
		`DELETE FROM access_tokens WHERE expires_at < ?`,
		`DELETE FROM pending_links WHERE expires_at < ?`,
		`DELETE FROM signin_steps WHERE expires_at < ?`,
		`DELETE FROM trials WHERE expires_at < ? AND NOT ok`, // those that went well stay, as proof
	} {
		if err := tx.exec(ctx, query, at); err != nil {
			return err
		}
	}
	if err := tx.exec(ctx, `DELETE FROM second_factors WHERE confirmed_at IS NULL AND created_at < ?`, at.Add(-enrolmentAge)); err != nil {
		return err
	}
	if err := tx.exec(ctx, `DELETE FROM reviews WHERE last_at < ?`, at.Add(-reviewAge)); err != nil {
		return err
	}
	return tx.exec(ctx, `DELETE FROM user_moves WHERE at < ?`, at.Add(-movesKept))
}
