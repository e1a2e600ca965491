package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

type clientRow struct {
	ID          text   `db:"id"`
	DirectoryID text   `db:"directory_id"`
	Method      string `db:"method"`
	Hint        string `db:"hint"`
	Keys        text   `db:"jwks"`
	CreatedAt   moment `db:"created_at"`
	LastUsedAt  moment `db:"last_used_at"`
	RevokedAt   moment `db:"revoked_at"`
}

const clientColumns = `c.id, c.directory_id, c.method, c.hint, c.jwks, c.created_at, c.last_used_at, c.revoked_at`

func (r *clientRow) client() identity.Client {
	c := identity.Client{
		ID: identity.ClientID(r.ID), DirectoryID: identity.DirectoryID(r.DirectoryID), Method: identity.ClientMethod(r.Method), Hint: r.Hint,
		CreatedAt: r.CreatedAt.time(), LastUsedAt: r.LastUsedAt.at, RevokedAt: r.RevokedAt.at,
	}
	if r.Keys != "" {
		c.Keys = json.RawMessage(r.Keys)
	}
	return c
}

// Clients returns the OAuth clients of some directories, oldest first, revoked ones too.
func (tx *Tx) Clients(ctx context.Context, ids []identity.DirectoryID) (map[identity.DirectoryID][]identity.Client, error) {
	in, args := idList(tx, "c.directory_id", ids)
	var rows []clientRow
	err := tx.list(ctx, &rows, `SELECT `+clientColumns+` FROM directory_clients c WHERE `+in+` ORDER BY c.id`, args...)
	out := make(map[identity.DirectoryID][]identity.Client, len(ids))
	for i := range rows {
		c := rows[i].client()
		out[c.DirectoryID] = append(out[c.DirectoryID], c)
	}
	return out, err
}

// ClientWithDirectory returns a client, the hash of its secret (nil for keys) and its directory, whatever their state, or NotFound.
func (tx *Tx) ClientWithDirectory(ctx context.Context, id identity.ClientID) (identity.Client, []byte, identity.Directory, error) {
	var r struct {
		clientRow
		Hash []byte       `db:"secret_hash"`
		D    directoryRow `db:"d"`
	}
	err := tx.get(ctx, &r, `SELECT `+clientColumns+`, c.secret_hash, `+joinedDirectory+`
		FROM directory_clients c JOIN directories d ON d.id = c.directory_id WHERE c.id = ?`, string(id))
	if err != nil {
		return identity.Client{}, nil, identity.Directory{}, err
	}
	d, err := r.D.directory()
	return r.client(), r.Hash, d, err
}

// InsertClient writes a new client, with the hash of its secret when it has one.
func (tx *Tx) InsertClient(ctx context.Context, c identity.Client, hash []byte) error {
	tx.opens = true
	return tx.exec(ctx, `INSERT INTO directory_clients (id, directory_id, method, secret_hash, hint, jwks, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		string(c.ID), string(c.DirectoryID), string(c.Method), hash, c.Hint, null(string(c.Keys)), c.CreatedAt)
}

// TouchClient notes that a client was used.
func (tx *Tx) TouchClient(ctx context.Context, id identity.ClientID, at time.Time) error {
	return tx.exec(ctx, `UPDATE directory_clients SET last_used_at = ? WHERE id = ?`, at, string(id))
}

// RevokeClient ends a live client of a directory and deletes its access tokens, or returns NotFound.
func (tx *Tx) RevokeClient(ctx context.Context, directory identity.DirectoryID, id identity.ClientID) error {
	tx.opens = true
	err := tx.execOne(ctx, `UPDATE directory_clients SET revoked_at = ? WHERE directory_id = ? AND id = ? AND revoked_at IS NULL`, tx.now, string(directory), string(id))
	if err != nil {
		return err
	}
	return tx.exec(ctx, `DELETE FROM access_tokens WHERE client_id = ?`, string(id))
}

// InsertAccessToken writes an access token of a client under the hash of its secret.
func (tx *Tx) InsertAccessToken(ctx context.Context, id identity.ClientID, hash []byte, expires time.Time) error {
	return tx.exec(ctx, `INSERT INTO access_tokens (hash, client_id, created_at, expires_at) VALUES (?, ?, ?, ?)`, hash, string(id), tx.now, expires)
}

// LiveAccessTokens counts the access tokens of a client that have not expired.
func (tx *Tx) LiveAccessTokens(ctx context.Context, id identity.ClientID) (int, error) {
	var n int
	err := tx.get(ctx, &n, `SELECT COUNT(*) FROM access_tokens WHERE client_id = ? AND expires_at > ?`, string(id), tx.now)
	return n, err
}

// DirectoryByAccessToken returns the client and the directory of the access token with this hash, and its end, whatever their state, or NotFound.
func (tx *Tx) DirectoryByAccessToken(ctx context.Context, hash []byte) (identity.Directory, identity.Client, time.Time, error) {
	var r struct {
		clientRow
		End moment       `db:"token_end"`
		D   directoryRow `db:"d"`
	}
	err := tx.get(ctx, &r, `SELECT `+clientColumns+`, a.expires_at AS token_end, `+joinedDirectory+`
		FROM access_tokens a JOIN directory_clients c ON c.id = a.client_id JOIN directories d ON d.id = c.directory_id WHERE a.hash = ?`, hash)
	if err != nil {
		return identity.Directory{}, identity.Client{}, time.Time{}, err
	}
	d, err := r.D.directory()
	return d, r.client(), r.End.time(), err
}

// InsertClientReplay remembers that a client used a signed JWT; a second time is a Conflict.
func (tx *Tx) InsertClientReplay(ctx context.Context, id identity.ClientID, keyHash []byte, until time.Time) error {
	return tx.exec(ctx, `INSERT INTO client_replays (client_id, key_hash, expires_at) VALUES (?, ?, ?)`, string(id), keyHash, until)
}
