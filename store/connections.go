package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

type connectionRow struct {
	ID          text   `db:"id"`
	TenantID    text   `db:"tenant_id"`
	Name        string `db:"name"`
	Kind        string `db:"kind"`
	Enabled     bool   `db:"enabled"`
	Policy      string `db:"unknown_policy"`
	Role        string `db:"unknown_role"`
	DirectoryID text   `db:"directory_id"`
	SkewMS      int64  `db:"skew_ms"`
	Settings    text   `db:"settings"`
	Options     text   `db:"options"`
	Secret      []byte `db:"secret"`
	CreatedAt   moment `db:"created_at"`
	UpdatedAt   moment `db:"updated_at"`
}

const connectionColumns = `c.id, c.tenant_id, c.name, c.kind, c.enabled, c.unknown_policy, c.unknown_role, c.directory_id, c.skew_ms, c.settings, c.options, c.secret, c.created_at, c.updated_at`

func connectionPlace(id identity.ConnectionID) string { return "connections/secret/" + string(id) }

// connection reads the settings and opens the secret: the private key of SAML, the client secret of OIDC.
func (tx *Tx) openConnection(r *connectionRow, domains []string) (identity.Connection, error) {
	c := identity.Connection{
		ID: identity.ConnectionID(r.ID), TenantID: identity.TenantID(r.TenantID), Name: r.Name, Kind: identity.ConnectionKind(r.Kind), Enabled: r.Enabled, Domains: domains,
		Unknown: identity.UnknownPolicy(r.Policy), UnknownRole: identity.RoleID(r.Role), DirectoryID: identity.DirectoryID(r.DirectoryID),
		Skew: time.Duration(r.SkewMS) * time.Millisecond, CreatedAt: r.CreatedAt.time(), UpdatedAt: r.UpdatedAt.time(),
	}
	if err := fromJSON(r.Options, &c.Options); err != nil {
		return c, err
	}
	secret, err := tx.open(connectionPlace(c.ID), r.Secret)
	if err != nil {
		return c, err
	}
	if c.Kind == identity.SAML {
		if err = fromJSON(r.Settings, &c.SAML); err == nil {
			err = splitKeys(&c.SAML, secret)
		}
	} else {
		if err = fromJSON(r.Settings, &c.OIDC); err == nil {
			err = splitClientSecret(&c.OIDC, secret)
		}
	}
	return c, err
}

func connectionSettings(c identity.Connection) (settings, options string, secret []byte, err error) {
	if options, err = asJSON(c.Options); err != nil {
		return "", "", nil, err
	}
	var raw []byte
	if c.Kind == identity.SAML {
		if raw, err = json.Marshal(c.SAML); err == nil {
			secret, err = joinKeys(&c.SAML)
		}
	} else {
		if raw, err = json.Marshal(c.OIDC); err == nil {
			secret, err = joinClientSecret(&c.OIDC)
		}
	}
	return string(raw), options, secret, err
}

// joinKeys makes one secret of our keys: the key itself (DER) while there is only one, else a JSON list in the order of SAMLSettings.Own.
func joinKeys(s *identity.SAMLSettings) ([]byte, error) {
	if len(s.Standby) == 0 {
		return s.Key, nil
	}
	var keys [][]byte
	for _, pair := range s.Own() {
		keys = append(keys, pair.Key)
	}
	return json.Marshal(keys)
}

// splitKeys is the way back from joinKeys; DER never begins with a bracket.
func splitKeys(s *identity.SAMLSettings, secret []byte) error {
	if len(secret) == 0 || secret[0] != '[' {
		s.Key = secret
		return nil
	}
	var keys [][]byte
	if err := json.Unmarshal(secret, &keys); err != nil {
		return err
	}
	if len(keys) != len(s.Standby)+1 {
		return errors.New("a connection has not as many keys as certificates of its own")
	}
	s.Key = keys[0]
	for i := range s.Standby {
		s.Standby[i].Key = keys[i+1]
	}
	return nil
}

// clientSecrets is what is sealed of an OIDC connection that has keys of its own.
type clientSecrets struct {
	Secret string   `json:"secret"`
	Keys   [][]byte `json:"keys"` // in the order of OIDCSettings.Keys
}

// withKeys starts a sealed text that has keys; no client secret begins with it.
const withKeys = "\x00keys "

// joinClientSecret makes one secret of a connection's client secret and keys: the client secret itself while there are no keys.
func joinClientSecret(s *identity.OIDCSettings) ([]byte, error) {
	if len(s.Keys) == 0 {
		return []byte(s.ClientSecret), nil
	}
	all := clientSecrets{Secret: s.ClientSecret}
	for _, pair := range s.Keys {
		all.Keys = append(all.Keys, pair.Key)
	}
	raw, err := json.Marshal(all)
	return append([]byte(withKeys), raw...), err
}

// splitClientSecret is the way back from joinClientSecret.
func splitClientSecret(s *identity.OIDCSettings, secret []byte) error {
	raw, found := bytes.CutPrefix(secret, []byte(withKeys))
	if !found {
		s.ClientSecret = string(secret)
		return nil
	}
	var all clientSecrets
	if err := json.Unmarshal(raw, &all); err != nil {
		return err
	}
	if len(all.Keys) != len(s.Keys) {
		return errors.New("a connection has not as many keys as certificates of its own")
	}
	s.ClientSecret = all.Secret
	for i := range s.Keys {
		s.Keys[i].Key = all.Keys[i]
	}
	return nil
}

// Connection returns a connection of the scope with its secrets, or NotFound.
func (tx *Tx) Connection(ctx context.Context, scope Scope, id identity.ConnectionID) (identity.Connection, error) {
	return tx.connection(ctx, scope, id, "")
}

// ConnectionForUpdate is Connection with the row locked until the transaction ends.
func (tx *Tx) ConnectionForUpdate(ctx context.Context, scope Scope, id identity.ConnectionID) (identity.Connection, error) {
	return tx.connection(ctx, scope, id, tx.lockRows("c"))
}

func (tx *Tx) connection(ctx context.Context, scope Scope, id identity.ConnectionID, lock string) (identity.Connection, error) {
	visible, args := scope.tenants("c.tenant_id")
	var r connectionRow
	if err := tx.get(ctx, &r, `SELECT `+connectionColumns+` FROM connections c WHERE c.id = ? AND `+visible+lock, append([]any{string(id)}, args...)...); err != nil {
		return identity.Connection{}, err
	}
	domains, err := tx.connectionDomains(ctx, []identity.ConnectionID{id})
	if err != nil {
		return identity.Connection{}, err
	}
	return tx.openConnection(&r, domains[id])
}

func (tx *Tx) connectionDomains(ctx context.Context, ids []identity.ConnectionID) (map[identity.ConnectionID][]string, error) {
	in, args := idList(tx, "connection_id", ids)
	var rows []struct {
		ID     text   `db:"connection_id"`
		Domain string `db:"domain"`
	}
	err := tx.list(ctx, &rows, `SELECT connection_id, domain FROM connection_domains WHERE `+in+` ORDER BY domain`, args...)
	out := make(map[identity.ConnectionID][]string, len(ids))
	for _, r := range rows {
		out[identity.ConnectionID(r.ID)] = append(out[identity.ConnectionID(r.ID)], r.Domain)
	}
	return out, err
}

// Connections returns a page of the scope's connections with their secrets.
func (tx *Tx) Connections(ctx context.Context, scope Scope, q identity.Query) (identity.Page[identity.Connection], error) {
	var page identity.Page[identity.Connection]
	visible, args := scope.tenants("c.tenant_id")
	b := builder{tx: tx}
	b.add(visible, args...)
	if q.Search != "" {
		b.add(`c.name_key LIKE ? ESCAPE '\'`, "%"+escapeLike(identity.NameKey(q.Search))+"%")
	}
	if q.Tenant != "" {
		b.add(`c.tenant_id = ?`, string(q.Tenant))
	}
	var err error
	if page.Total, err = b.total(ctx, q, ` FROM connections c`, nil); err != nil || q.Limit == 0 {
		return page, err
	}
	b.after("c.id", q)
	var rows []connectionRow
	if err := tx.listBuilt(ctx, &rows, `SELECT `+connectionColumns+` FROM connections c`+b.where()+b.order("c.id", q), b.args...); err != nil {
		return page, err
	}
	rows, page.More = cut(rows, q.Limit)
	ids := make([]identity.ConnectionID, len(rows))
	for i := range rows {
		ids[i] = identity.ConnectionID(rows[i].ID)
	}
	domains, err := tx.connectionDomains(ctx, ids)
	if err != nil {
		return page, err
	}
	page.Items = make([]identity.Connection, len(rows))
	for i := range rows {
		if page.Items[i], err = tx.openConnection(&rows[i], domains[ids[i]]); err != nil {
			return page, err
		}
	}
	return page, nil
}

// ConnectionsByDomain returns the enabled connections that list a domain, oldest first.
func (tx *Tx) ConnectionsByDomain(ctx context.Context, domain string) ([]identity.ConnectionID, error) {
	var ids []identity.ConnectionID
	err := tx.list(ctx, &ids, `SELECT c.id FROM connections c JOIN connection_domains d ON d.connection_id = c.id WHERE d.domain = ? AND c.enabled ORDER BY c.id`, domain)
	return ids, err
}

// InsertConnection writes a new connection. A name that is taken is a Conflict.
func (tx *Tx) InsertConnection(ctx context.Context, c identity.Connection) error {
	settings, options, secret, err := connectionSettings(c)
	if err != nil {
		return err
	}
	err = tx.exec(ctx, `INSERT INTO connections (id, tenant_id, name, name_key, kind, enabled, unknown_policy, unknown_role, directory_id, skew_ms, settings, options, secret, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(c.ID), null(c.TenantID), c.Name, identity.NameKey(c.Name), string(c.Kind), c.Enabled, string(c.Unknown), string(c.UnknownRole), null(c.DirectoryID),
		c.Skew.Milliseconds(), settings, options, tx.seal(connectionPlace(c.ID), secret), c.CreatedAt, c.UpdatedAt)
	if err != nil {
		return err
	}
	return tx.insertDomains(ctx, c)
}

// UpdateConnection writes a connection's settings; its tenant and kind never change.
func (tx *Tx) UpdateConnection(ctx context.Context, c identity.Connection) error {
	settings, options, secret, err := connectionSettings(c)
	if err != nil {
		return err
	}
	err = tx.execOne(ctx, `UPDATE connections SET name = ?, name_key = ?, enabled = ?, unknown_policy = ?, unknown_role = ?, directory_id = ?, skew_ms = ?, settings = ?, options = ?, secret = ?, updated_at = ? WHERE id = ?`,
		c.Name, identity.NameKey(c.Name), c.Enabled, string(c.Unknown), string(c.UnknownRole), null(c.DirectoryID), c.Skew.Milliseconds(),
		settings, options, tx.seal(connectionPlace(c.ID), secret), c.UpdatedAt, string(c.ID))
	if err != nil {
		return err
	}
	if err := tx.exec(ctx, `DELETE FROM connection_domains WHERE connection_id = ?`, string(c.ID)); err != nil {
		return err
	}
	return tx.insertDomains(ctx, c)
}

func (tx *Tx) insertDomains(ctx context.Context, c identity.Connection) error {
	for _, d := range c.Domains {
		if err := tx.exec(ctx, `INSERT INTO connection_domains (connection_id, domain) VALUES (?, ?) ON CONFLICT DO NOTHING`, string(c.ID), d); err != nil {
			return err
		}
	}
	return nil
}
