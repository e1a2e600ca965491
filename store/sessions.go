package store

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

type sessionRow struct {
	ID           text   `db:"id"`
	UserID       text   `db:"user_id"`
	ConnectionID text   `db:"connection_id"`
	IP           string `db:"ip"`
	UserAgent    string `db:"user_agent"`
	SessionIndex string `db:"session_index"`
	CreatedAt    moment `db:"created_at"`
	LastSeenAt   moment `db:"last_seen_at"`
	ExpiresAt    moment `db:"expires_at"`
}

const sessionColumns = `s.id, s.user_id, s.connection_id, s.ip, s.user_agent, s.session_index, s.created_at, s.last_seen_at, s.expires_at`

func (r *sessionRow) session() identity.Session {
	return identity.Session{
		ID: identity.SessionID(r.ID), UserID: identity.UserID(r.UserID), ConnectionID: identity.ConnectionID(r.ConnectionID), IP: r.IP, UserAgent: r.UserAgent,
		SessionIndex: r.SessionIndex, CreatedAt: r.CreatedAt.time(), LastSeenAt: r.LastSeenAt.time(), ExpiresAt: r.ExpiresAt.time(),
	}
}

// InsertSession writes a session with the hash of its cookie.
func (tx *Tx) InsertSession(ctx context.Context, s identity.Session, tokenHash []byte) error {
	return tx.exec(ctx, `INSERT INTO sessions (id, token_hash, user_id, connection_id, ip, user_agent, session_index, created_at, last_seen_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(s.ID), tokenHash, string(s.UserID), null(s.ConnectionID), s.IP, s.UserAgent, s.SessionIndex, s.CreatedAt, s.LastSeenAt, s.ExpiresAt)
}

// SessionByHash returns the session with this cookie's hash, expired or not, or NotFound.
func (tx *Tx) SessionByHash(ctx context.Context, hash []byte) (identity.Session, error) {
	var r sessionRow
	err := tx.get(ctx, &r, `SELECT `+sessionColumns+` FROM sessions s WHERE s.token_hash = ?`, hash)
	return r.session(), err
}

// Session returns a session, or NotFound.
func (tx *Tx) Session(ctx context.Context, id identity.SessionID) (identity.Session, error) {
	var r sessionRow
	err := tx.get(ctx, &r, `SELECT `+sessionColumns+` FROM sessions s WHERE s.id = ?`, string(id))
	return r.session(), err
}

// SessionsOf returns a user's sessions that have not expired, newest first.
func (tx *Tx) SessionsOf(ctx context.Context, user identity.UserID) ([]identity.Session, error) {
	var rows []sessionRow
	err := tx.list(ctx, &rows, `SELECT `+sessionColumns+` FROM sessions s WHERE s.user_id = ? AND s.expires_at > ? ORDER BY s.id DESC`, string(user), tx.now)
	out := make([]identity.Session, len(rows))
	for i := range rows {
		out[i] = rows[i].session()
	}
	return out, err
}

// TouchSession notes that a session was used.
func (tx *Tx) TouchSession(ctx context.Context, id identity.SessionID, at time.Time) error {
	return tx.exec(ctx, `UPDATE sessions SET last_seen_at = ? WHERE id = ?`, at, string(id))
}

// DeleteSession ends a session, or returns NotFound.
func (tx *Tx) DeleteSession(ctx context.Context, id identity.SessionID) error {
	return tx.execOne(ctx, `DELETE FROM sessions WHERE id = ?`, string(id))
}

// DeleteSessionsOf ends all sessions of a user but one and returns how many there were.
func (tx *Tx) DeleteSessionsOf(ctx context.Context, user identity.UserID, except identity.SessionID) (int, error) {
	if except == "" {
		return tx.execCount(ctx, `DELETE FROM sessions WHERE user_id = ?`, string(user))
	}
	return tx.execCount(ctx, `DELETE FROM sessions WHERE user_id = ? AND id <> ?`, string(user), string(except))
}
