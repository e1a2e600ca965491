package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

type apiKeyRow struct {
	ID          text   `db:"id"`
	Application string `db:"application"`
	UserID      text   `db:"user_id"`
	Name        string `db:"name"`
	Hint        string `db:"hint"`
	Revealable  bool   `db:"revealable"`
	CreatedBy   string `db:"created_by"`
	CreatedAt   moment `db:"created_at"`
	LastUsedAt  moment `db:"last_used_at"`
	RevokedAt   moment `db:"revoked_at"`
}

const apiKeyColumns = `k.id, k.application, k.user_id, k.name, k.hint, (k.sealed IS NOT NULL) AS revealable, k.created_by, k.created_at, k.last_used_at, k.revoked_at`

func (r *apiKeyRow) key() identity.APIKey {
	return identity.APIKey{
		ID: identity.APIKeyID(r.ID), Application: r.Application, UserID: identity.UserID(r.UserID), Name: r.Name, Hint: r.Hint, Revealable: r.Revealable,
		CreatedBy: r.CreatedBy, CreatedAt: r.CreatedAt.time(), LastUsedAt: r.LastUsedAt.at, RevokedAt: r.RevokedAt.at,
	}
}

func apiKeyPlace(id identity.APIKeyID) string { return "api_keys/sealed/" + string(id) }

// InsertAPIKey writes a key; secret is the key itself, of which the hash is kept, and the sealed text where it may be shown again.
func (tx *Tx) InsertAPIKey(ctx context.Context, k identity.APIKey, secret string) error {
	var sealed any
	if k.Revealable {
		sealed = tx.seal(apiKeyPlace(k.ID), []byte(secret))
	}
	return tx.exec(ctx, `INSERT INTO api_keys (id, application, user_id, name, key_hash, hint, sealed, created_by, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(k.ID), k.Application, string(k.UserID), k.Name, identity.HashSecret(secret), k.Hint, sealed, k.CreatedBy, k.CreatedAt)
}

// APIKeyByHash returns the key with that hash, revoked ones too, or NotFound.
func (tx *Tx) APIKeyByHash(ctx context.Context, hash []byte) (identity.APIKey, error) {
	var r apiKeyRow
	err := tx.get(ctx, &r, `SELECT `+apiKeyColumns+` FROM api_keys k WHERE k.key_hash = ?`, hash)
	return r.key(), err
}

// APIKey returns a key, revoked ones too, or NotFound.
func (tx *Tx) APIKey(ctx context.Context, id identity.APIKeyID) (identity.APIKey, error) {
	var r apiKeyRow
	err := tx.get(ctx, &r, `SELECT `+apiKeyColumns+` FROM api_keys k WHERE k.id = ?`, string(id))
	return r.key(), err
}

// APIKeySecret returns the key itself, or NotFound where it is not kept.
func (tx *Tx) APIKeySecret(ctx context.Context, id identity.APIKeyID) (string, error) {
	var sealed []byte
	if err := tx.get(ctx, &sealed, `SELECT sealed FROM api_keys WHERE id = ? AND sealed IS NOT NULL AND revoked_at IS NULL`, string(id)); err != nil {
		return "", err
	}
	secret, err := tx.open(apiKeyPlace(id), sealed)
	return string(secret), err
}

// APIKeys returns a person's keys, newest first, revoked ones too.
func (tx *Tx) APIKeys(ctx context.Context, user identity.UserID, limit int) ([]identity.APIKey, error) {
	var rows []apiKeyRow
	err := tx.list(ctx, &rows, `SELECT `+apiKeyColumns+` FROM api_keys k WHERE k.user_id = ? ORDER BY k.id DESC LIMIT ?`, string(user), limit)
	out := make([]identity.APIKey, len(rows))
	for i := range rows {
		out[i] = rows[i].key()
	}
	return out, err
}

// RevokeAPIKey ends a key for good and forgets what was kept of it. NotFound when it does not work any more.
func (tx *Tx) RevokeAPIKey(ctx context.Context, id identity.APIKeyID) error {
	return tx.execOne(ctx, `UPDATE api_keys SET revoked_at = ?, sealed = NULL WHERE id = ? AND revoked_at IS NULL`, tx.now, string(id))
}

// TouchAPIKey notes the last use of a key.
func (tx *Tx) TouchAPIKey(ctx context.Context, id identity.APIKeyID, at time.Time) error {
	return tx.exec(ctx, `UPDATE api_keys SET last_used_at = ? WHERE id = ?`, at, string(id))
}

// KeyRoles returns the roles whose API keys work where the installation says other than its access model; ok is false when it does not say.
func (tx *Tx) KeyRoles(ctx context.Context) (roles []identity.RoleID, ok bool, err error) {
	var raw []byte
	err = tx.get(ctx, &raw, `SELECT value FROM settings WHERE name = 'api_key_roles'`)
	if identity.KindOf(err) == identity.NotFound {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return roles, true, json.Unmarshal(raw, &roles)
}

// PutKeyRoles says whose API keys work; nil is every role.
func (tx *Tx) PutKeyRoles(ctx context.Context, roles []identity.RoleID) error {
	raw, err := json.Marshal(roles)
	if err != nil {
		return err
	}
	return tx.exec(ctx, `INSERT INTO settings (name, value) VALUES ('api_key_roles', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, raw)
}

// DeleteKeyRoles leaves it to the access model whose API keys work.
func (tx *Tx) DeleteKeyRoles(ctx context.Context) error {
	return tx.exec(ctx, `DELETE FROM settings WHERE name = 'api_key_roles'`)
}

// RevokeAPIKeysOf ends all keys of a person and returns how many there were.
func (tx *Tx) RevokeAPIKeysOf(ctx context.Context, user identity.UserID) (int, error) {
	return tx.execCount(ctx, `UPDATE api_keys SET revoked_at = ?, sealed = NULL WHERE user_id = ? AND revoked_at IS NULL`, tx.now, string(user))
}
