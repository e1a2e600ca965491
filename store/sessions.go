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
	Issuer       string `db:"issuer"`
	Subject      string `db:"subject"`
	NameID       string `db:"name_id"`
	SessionIndex string `db:"session_index"`
	Upstream     text   `db:"upstream"`
	CreatedAt    moment `db:"created_at"`
	LastSeenAt   moment `db:"last_seen_at"`
	ExpiresAt    moment `db:"expires_at"`
	MustChange   bool   `db:"must_change"`
	Connection   text   `db:"connection_name"` // in lists only
}

const sessionColumns = `s.id, s.user_id, s.connection_id, s.ip, s.user_agent, s.issuer, s.subject, s.name_id, s.session_index, s.upstream, s.created_at, s.last_seen_at, s.expires_at, s.must_change`

func (r *sessionRow) session() (identity.Session, error) {
	s := identity.Session{
		ID: identity.SessionID(r.ID), UserID: identity.UserID(r.UserID), ConnectionID: identity.ConnectionID(r.ConnectionID), IP: r.IP, UserAgent: r.UserAgent,
		Issuer: r.Issuer, Subject: r.Subject, NameID: r.NameID, SessionIndex: r.SessionIndex, ConnectionName: string(r.Connection), CreatedAt: r.CreatedAt.time(), LastSeenAt: r.LastSeenAt.time(), ExpiresAt: r.ExpiresAt.time(),
		MustChange: r.MustChange,
	}
	return s, fromJSON(r.Upstream, &s.Upstream)
}

func sessionTokenPlace(id identity.SessionID) string { return "sessions/upstream_token/" + string(id) }

// InsertSession writes a session with the hash of its cookie, and the provider's token for a later log-out there, sealed; it may be empty.
func (tx *Tx) InsertSession(ctx context.Context, s identity.Session, tokenHash []byte, token string) error {
	upstream, err := asJSON(s.Upstream)
	if err != nil {
		return err
	}
	var sealed []byte
	if token != "" {
		sealed = tx.seal(sessionTokenPlace(s.ID), []byte(token))
	}
	return tx.exec(ctx, `INSERT INTO sessions (id, token_hash, user_id, connection_id, ip, user_agent, issuer, subject, name_id, session_index, upstream, upstream_token, created_at, last_seen_at, expires_at, must_change) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(s.ID), tokenHash, string(s.UserID), null(s.ConnectionID), s.IP, s.UserAgent, s.Issuer, s.Subject, s.NameID, s.SessionIndex, upstream, sealed, s.CreatedAt, s.LastSeenAt, s.ExpiresAt, s.MustChange)
}

// SessionToken returns the provider's token of a session, or "" when it has none.
func (tx *Tx) SessionToken(ctx context.Context, id identity.SessionID) (string, error) {
	var sealed []byte
	if err := tx.get(ctx, &sealed, `SELECT s.upstream_token FROM sessions s WHERE s.id = ?`, string(id)); err != nil || len(sealed) == 0 {
		return "", err
	}
	token, err := tx.open(sessionTokenPlace(id), sealed)
	return string(token), err
}

// SessionByHash returns the session with this cookie's hash, expired or not, or NotFound.
func (tx *Tx) SessionByHash(ctx context.Context, hash []byte) (identity.Session, error) {
	var r sessionRow
	if err := tx.get(ctx, &r, `SELECT `+sessionColumns+` FROM sessions s WHERE s.token_hash = ?`, hash); err != nil {
		return identity.Session{}, err
	}
	return r.session()
}

// Session returns a session, or NotFound.
func (tx *Tx) Session(ctx context.Context, id identity.SessionID) (identity.Session, error) {
	var r sessionRow
	if err := tx.get(ctx, &r, `SELECT `+sessionColumns+` FROM sessions s WHERE s.id = ?`, string(id)); err != nil {
		return identity.Session{}, err
	}
	return r.session()
}

// SessionsOf returns a user's sessions that have not expired, newest first.
func (tx *Tx) SessionsOf(ctx context.Context, user identity.UserID) ([]identity.Session, error) {
	return tx.sessions(ctx, `s.user_id = ? AND s.expires_at > ? ORDER BY s.id DESC`, string(user), tx.now)
}

// SessionsOfSubject returns the sessions that a provider's subject, or who was received by this name, began at a connection and that have not expired, newest first.
func (tx *Tx) SessionsOfSubject(ctx context.Context, connection identity.ConnectionID, issuer, subject string) ([]identity.Session, error) {
	return tx.sessions(ctx, `(s.connection_id = ? AND s.subject = ? AND s.subject <> '' OR s.connection_id = ? AND s.name_id = ? AND s.name_id <> '') AND s.issuer = ? AND s.expires_at > ? ORDER BY s.id DESC`,
		string(connection), subject, string(connection), subject, issuer, tx.now)
}

// SessionsOfIndex returns the sessions with a provider's session index (SessionIndex or sid) that have not expired, newest first.
func (tx *Tx) SessionsOfIndex(ctx context.Context, connection identity.ConnectionID, issuer, index string) ([]identity.Session, error) {
	return tx.sessions(ctx, `s.connection_id = ? AND s.session_index = ? AND s.session_index <> '' AND s.issuer = ? AND s.expires_at > ? ORDER BY s.id DESC`, string(connection), index, issuer, tx.now)
}

func (tx *Tx) sessions(ctx context.Context, where string, args ...any) ([]identity.Session, error) {
	var rows []sessionRow
	if err := tx.list(ctx, &rows, `SELECT `+sessionColumns+`, (SELECT c.name FROM connections c WHERE c.id = s.connection_id) AS connection_name FROM sessions s WHERE `+where, args...); err != nil {
		return nil, err
	}
	out := make([]identity.Session, len(rows))
	for i := range rows {
		var err error
		if out[i], err = rows[i].session(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// TouchSession notes that a session was used.
func (tx *Tx) TouchSession(ctx context.Context, id identity.SessionID, at time.Time) error {
	return tx.exec(ctx, `UPDATE sessions SET last_seen_at = ? WHERE id = ?`, at, string(id))
}

// SessionChanged notes that the password with which a session began was changed, as it had to be.
func (tx *Tx) SessionChanged(ctx context.Context, id identity.SessionID) error {
	return tx.exec(ctx, `UPDATE sessions SET must_change = FALSE WHERE id = ?`, string(id))
}

// SessionProved notes what a session is worth since its person proved more.
func (tx *Tx) SessionProved(ctx context.Context, id identity.SessionID, up identity.Upstream) error {
	raw, err := asJSON(up)
	if err != nil {
		return err
	}
	return tx.execOne(ctx, `UPDATE sessions SET upstream = ? WHERE id = ?`, raw, string(id))
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
