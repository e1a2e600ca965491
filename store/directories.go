package store

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

type directoryRow struct {
	ID        text   `db:"id"`
	TenantID  text   `db:"tenant_id"`
	Name      string `db:"name"`
	Dialect   string `db:"dialect"`
	Enabled   bool   `db:"enabled"`
	Domains   text   `db:"domains"`
	Networks  text   `db:"networks"`
	Guard     text   `db:"guard"`
	CreatedAt moment `db:"created_at"`
	UpdatedAt moment `db:"updated_at"`
}

const directoryColumns = `d.id, d.tenant_id, d.name, d.dialect, d.enabled, d.domains, d.networks, d.guard, d.created_at, d.updated_at`

func (r *directoryRow) directory() (identity.Directory, error) {
	d := identity.Directory{
		ID: identity.DirectoryID(r.ID), TenantID: identity.TenantID(r.TenantID), Name: r.Name, Dialect: identity.Dialect(r.Dialect),
		Enabled: r.Enabled, CreatedAt: r.CreatedAt.time(), UpdatedAt: r.UpdatedAt.time(),
	}
	if err := fromJSON(r.Networks, &d.Networks); err != nil {
		return d, err
	}
	if err := fromJSON(r.Guard, &d.Guard); err != nil {
		return d, err
	}
	return d, fromJSON(r.Domains, &d.Domains)
}

// lists returns the columns of a directory that hold lists, and its guard.
func lists(d identity.Directory) (domains, networks string, guard any, err error) {
	if domains, err = asJSON(append([]string{}, d.Domains...)); err != nil {
		return "", "", nil, err
	}
	if networks, err = asJSON(identity.NetworkTexts(d.Networks)); err != nil || d.Guard == (identity.DirectoryGuard{}) {
		return domains, networks, nil, err
	}
	guard, err = asJSON(d.Guard)
	return domains, networks, guard, err
}

// Directory returns a directory of the scope, or NotFound.
func (tx *Tx) Directory(ctx context.Context, scope Scope, id identity.DirectoryID) (identity.Directory, error) {
	return tx.directory(ctx, scope, id, "")
}

// DirectoryForUpdate is Directory with the row locked until the transaction ends.
func (tx *Tx) DirectoryForUpdate(ctx context.Context, scope Scope, id identity.DirectoryID) (identity.Directory, error) {
	return tx.directory(ctx, scope, id, tx.lockRows("d"))
}

func (tx *Tx) directory(ctx context.Context, scope Scope, id identity.DirectoryID, lock string) (identity.Directory, error) {
	visible, args := scope.tenants("d.tenant_id")
	var r directoryRow
	err := tx.get(ctx, &r, `SELECT `+directoryColumns+` FROM directories d WHERE d.id = ? AND `+visible+lock, append([]any{string(id)}, args...)...)
	if err != nil {
		return identity.Directory{}, err
	}
	return r.directory()
}

// Directories returns a page of the scope's directories, without tokens.
func (tx *Tx) Directories(ctx context.Context, scope Scope, q identity.Query) (identity.Page[identity.Directory], error) {
	var page identity.Page[identity.Directory]
	visible, args := scope.tenants("d.tenant_id")
	b := builder{tx: tx}
	b.add(visible, args...)
	if q.Search != "" {
		b.add(`d.name_key LIKE ? ESCAPE '\'`, "%"+escapeLike(identity.NameKey(q.Search))+"%")
	}
	if q.Tenant != "" {
		b.add(`d.tenant_id = ?`, string(q.Tenant))
	}
	var err error
	if page.Total, err = b.total(ctx, q, ` FROM directories d`, nil); err != nil || q.Limit == 0 {
		return page, err
	}
	b.after("d.id", q)
	var rows []directoryRow
	if err := tx.listBuilt(ctx, &rows, `SELECT `+directoryColumns+` FROM directories d`+b.where()+b.order("d.id", q), b.args...); err != nil {
		return page, err
	}
	rows, page.More = cut(rows, q.Limit)
	page.Items = make([]identity.Directory, len(rows))
	for i := range rows {
		if page.Items[i], err = rows[i].directory(); err != nil {
			return page, err
		}
	}
	return page, nil
}

// InsertDirectory writes a new directory. A name that is taken is a Conflict.
func (tx *Tx) InsertDirectory(ctx context.Context, d identity.Directory) error {
	domains, networks, guard, err := lists(d)
	if err != nil {
		return err
	}
	tx.opens = true
	return tx.exec(ctx, `INSERT INTO directories (id, tenant_id, name, name_key, dialect, enabled, domains, networks, guard, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(d.ID), null(d.TenantID), d.Name, identity.NameKey(d.Name), string(d.Dialect), d.Enabled, domains, networks, guard, d.CreatedAt, d.UpdatedAt)
}

// UpdateDirectory writes a directory's settings; its tenant never changes.
func (tx *Tx) UpdateDirectory(ctx context.Context, d identity.Directory) error {
	domains, networks, guard, err := lists(d)
	if err != nil {
		return err
	}
	tx.opens = true
	return tx.execOne(ctx, `UPDATE directories SET name = ?, name_key = ?, dialect = ?, enabled = ?, domains = ?, networks = ?, guard = ?, updated_at = ? WHERE id = ?`,
		d.Name, identity.NameKey(d.Name), string(d.Dialect), d.Enabled, domains, networks, guard, d.UpdatedAt, string(d.ID))
}

type tokenRow struct {
	ID          text   `db:"id"`
	DirectoryID text   `db:"directory_id"`
	Hint        string `db:"hint"`
	CreatedAt   moment `db:"created_at"`
	ExpiresAt   moment `db:"expires_at"`
	LastUsedAt  moment `db:"last_used_at"`
	RevokedAt   moment `db:"revoked_at"`
	WarnedAt    moment `db:"warned_at"`
}

const tokenColumns = `k.id, k.directory_id, k.hint, k.created_at, k.expires_at, k.last_used_at, k.revoked_at, k.warned_at`

func (r *tokenRow) token() identity.Token {
	return identity.Token{
		ID: identity.TokenID(r.ID), DirectoryID: identity.DirectoryID(r.DirectoryID), Hint: r.Hint, CreatedAt: r.CreatedAt.time(),
		ExpiresAt: r.ExpiresAt.at, LastUsedAt: r.LastUsedAt.at, RevokedAt: r.RevokedAt.at, WarnedAt: r.WarnedAt.at,
	}
}

// Tokens returns the tokens of some directories, oldest first, revoked ones too.
func (tx *Tx) Tokens(ctx context.Context, ids []identity.DirectoryID) (map[identity.DirectoryID][]identity.Token, error) {
	in, args := idList(tx, "k.directory_id", ids)
	var rows []tokenRow
	err := tx.list(ctx, &rows, `SELECT `+tokenColumns+` FROM directory_tokens k WHERE `+in+` ORDER BY k.id`, args...)
	out := make(map[identity.DirectoryID][]identity.Token, len(ids))
	for i := range rows {
		t := rows[i].token()
		out[t.DirectoryID] = append(out[t.DirectoryID], t)
	}
	return out, err
}

// joinedDirectory are the columns of a directory beside those of what opens it.
const joinedDirectory = `d.id AS "d.id", d.tenant_id AS "d.tenant_id", d.name AS "d.name", d.dialect AS "d.dialect", d.enabled AS "d.enabled",
		d.domains AS "d.domains", d.networks AS "d.networks", d.guard AS "d.guard", d.created_at AS "d.created_at", d.updated_at AS "d.updated_at"`

// DirectoryByTokenHash returns the token with this hash and its directory, whatever their state, or NotFound.
func (tx *Tx) DirectoryByTokenHash(ctx context.Context, hash []byte) (identity.Directory, identity.Token, error) {
	var r struct {
		tokenRow
		D directoryRow `db:"d"`
	}
	err := tx.get(ctx, &r, `SELECT `+tokenColumns+`, `+joinedDirectory+`
		FROM directory_tokens k JOIN directories d ON d.id = k.directory_id WHERE k.hash = ?`, hash)
	if err != nil {
		return identity.Directory{}, identity.Token{}, err
	}
	d, err := r.D.directory()
	return d, r.token(), err
}

// InsertToken writes a new token with the hash of its secret.
func (tx *Tx) InsertToken(ctx context.Context, t identity.Token, hash []byte) error {
	tx.opens = true
	return tx.exec(ctx, `INSERT INTO directory_tokens (id, directory_id, hash, hint, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)`,
		string(t.ID), string(t.DirectoryID), hash, t.Hint, t.CreatedAt, t.ExpiresAt)
}

// TouchToken notes that a token was used.
func (tx *Tx) TouchToken(ctx context.Context, id identity.TokenID, at time.Time) error {
	return tx.exec(ctx, `UPDATE directory_tokens SET last_used_at = ? WHERE id = ?`, at, string(id))
}

// WarnToken notes that it was said that a token ends soon, unless that was noted after the moment given. It reports whether it was noted now.
func (tx *Tx) WarnToken(ctx context.Context, id identity.TokenID, unless time.Time) (bool, error) {
	n, err := tx.execCount(ctx, `UPDATE directory_tokens SET warned_at = ? WHERE id = ? AND (warned_at IS NULL OR warned_at <= ?)`, tx.now, string(id), unless)
	return n > 0, err
}

// RevokeToken ends a live token of a directory, or returns NotFound.
func (tx *Tx) RevokeToken(ctx context.Context, directory identity.DirectoryID, id identity.TokenID) error {
	tx.opens = true
	return tx.execOne(ctx, `UPDATE directory_tokens SET revoked_at = ? WHERE directory_id = ? AND id = ? AND revoked_at IS NULL`, tx.now, string(directory), string(id))
}

type directoryLinkRow struct {
	DirectoryID text   `db:"directory_id"`
	Name        text   `db:"name"`
	TenantID    text   `db:"tenant_id"`
	UserID      text   `db:"user_id"`
	ExternalID  text   `db:"external_id"`
	Active      bool   `db:"active"`
	CreatedAt   moment `db:"created_at"`
}

// DirectoryLinks returns the directories that know a user.
func (tx *Tx) DirectoryLinks(ctx context.Context, id identity.UserID) ([]identity.DirectoryLink, error) {
	all, err := tx.DirectoryLinksOf(ctx, []identity.UserID{id})
	return all[id], err
}

// DirectoryLinksOf returns the directories that know some users.
func (tx *Tx) DirectoryLinksOf(ctx context.Context, ids []identity.UserID) (map[identity.UserID][]identity.DirectoryLink, error) {
	in, args := idList(tx, "l.user_id", ids)
	var rows []directoryLinkRow
	err := tx.list(ctx, &rows, `SELECT l.directory_id, d.name, d.tenant_id, l.user_id, l.external_id, l.active, l.created_at
		FROM directory_users l JOIN directories d ON d.id = l.directory_id WHERE `+in+` ORDER BY l.created_at, l.directory_id`, args...)
	out := make(map[identity.UserID][]identity.DirectoryLink, len(ids))
	for _, r := range rows {
		l := identity.DirectoryLink{
			DirectoryID: identity.DirectoryID(r.DirectoryID), DirectoryName: string(r.Name), TenantID: identity.TenantID(r.TenantID), UserID: identity.UserID(r.UserID),
			ExternalID: string(r.ExternalID), Active: r.Active, CreatedAt: r.CreatedAt.time(),
		}
		out[l.UserID] = append(out[l.UserID], l)
	}
	return out, err
}

// PutDirectoryLink writes that a directory knows users, new or changed.
func (tx *Tx) PutDirectoryLink(ctx context.Context, links ...identity.DirectoryLink) error {
	args := make([]any, 0, 5*len(links))
	for _, l := range links {
		args = append(args, string(l.DirectoryID), string(l.UserID), null(l.ExternalID), l.Active, tx.now)
		tx.factsOf(string(l.UserID))
	}
	return tx.later(ctx, `INSERT INTO directory_users (directory_id, user_id, external_id, active, created_at) VALUES `+manyRows(5, len(links))+`
		ON CONFLICT (directory_id, user_id) DO UPDATE SET external_id = excluded.external_id, active = excluded.active,
			left_at = CASE WHEN excluded.active THEN NULL WHEN directory_users.active THEN excluded.created_at ELSE directory_users.left_at END`, args...)
}

// DeleteDirectoryLink forgets that a directory knows a user.
func (tx *Tx) DeleteDirectoryLink(ctx context.Context, directory identity.DirectoryID, user identity.UserID) error {
	tx.factsOf(string(user))
	return tx.exec(ctx, `DELETE FROM directory_users WHERE directory_id = ? AND user_id = ?`, string(directory), string(user))
}
