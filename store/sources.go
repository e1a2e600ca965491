package store

import (
	"context"
	"database/sql"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
)

// nobody stands for no tenant in unique indexes.
const nobody = `'00000000-0000-0000-0000-000000000000'`

type sourceRow struct {
	TenantID  text   `db:"tenant_id"`
	Name      string `db:"name"`
	Settings  text   `db:"settings"`
	CreatedAt moment `db:"created_at"`
	UpdatedAt moment `db:"updated_at"`
}

const sourceColumns = `s.tenant_id, s.name, s.settings, s.created_at, s.updated_at`

func (r *sourceRow) source() (identity.Source, error) {
	s := identity.Source{TenantID: identity.TenantID(r.TenantID), Name: r.Name, CreatedAt: r.CreatedAt.time(), UpdatedAt: r.UpdatedAt.time()}
	return s, fromJSON(r.Settings, &s.Settings)
}

// Source returns a source of a tenant (empty: of the whole installation), or NotFound.
func (tx *Tx) Source(ctx context.Context, tenant identity.TenantID, name string) (identity.Source, error) {
	return tx.source(ctx, tenant, name, "")
}

// SourceForUpdate is Source with the row locked until the transaction ends.
func (tx *Tx) SourceForUpdate(ctx context.Context, tenant identity.TenantID, name string) (identity.Source, error) {
	return tx.source(ctx, tenant, name, tx.lockRows("s"))
}

func (tx *Tx) source(ctx context.Context, tenant identity.TenantID, name, lock string) (identity.Source, error) {
	var r sourceRow
	err := tx.get(ctx, &r, `SELECT `+sourceColumns+` FROM sources s WHERE COALESCE(s.tenant_id, `+nobody+`) = COALESCE(`+tx.cast()+`, `+nobody+`) AND s.name = ?`+lock, null(tenant), name)
	if err != nil {
		return identity.Source{}, err
	}
	return r.source()
}

// Sources returns the sources of the scope by their names, at most limit behind a name.
func (tx *Tx) Sources(ctx context.Context, scope Scope, after string, limit int) (identity.Page[identity.Source], error) {
	var page identity.Page[identity.Source]
	visible, args := scope.tenants("s.tenant_id")
	var rows []sourceRow
	err := tx.list(ctx, &rows, `SELECT `+sourceColumns+` FROM sources s WHERE `+visible+` AND s.name > ? ORDER BY s.name LIMIT ?`, append(args, after, limit+1)...)
	if err != nil {
		return page, err
	}
	rows, page.More = cut(rows, limit)
	page.Items = make([]identity.Source, len(rows))
	for i := range rows {
		if page.Items[i], err = rows[i].source(); err != nil {
			return page, err
		}
	}
	return page, nil
}

// PutSource writes a source, new or changed.
func (tx *Tx) PutSource(ctx context.Context, s identity.Source) error {
	settings, err := asJSON(s.Settings)
	if err != nil {
		return err
	}
	return tx.exec(ctx, `INSERT INTO sources (tenant_id, name, settings, created_at, updated_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (COALESCE(tenant_id, `+nobody+`), name) DO UPDATE SET settings = excluded.settings, updated_at = excluded.updated_at`, null(s.TenantID), s.Name, settings, tx.now, tx.now)
}

// DeleteSource deletes a source, or returns NotFound. What it knows of people stays.
func (tx *Tx) DeleteSource(ctx context.Context, tenant identity.TenantID, name string) error {
	return tx.execOne(ctx, `DELETE FROM sources WHERE COALESCE(tenant_id, `+nobody+`) = COALESCE(`+tx.cast()+`, `+nobody+`) AND name = ?`, null(tenant), name)
}

// SourceUser is a person as a source other than a directory knows them.
type SourceUser struct {
	TenantID   identity.TenantID // of the plans of the source
	Source     string
	UserID     identity.UserID
	ExternalID string // may be empty
}

// PutSourceUser writes that sources know people, new or changed.
func (tx *Tx) PutSourceUser(ctx context.Context, list ...SourceUser) error {
	if len(list) == 0 {
		return nil
	}
	args := make([]any, 0, 5*len(list))
	for _, u := range list {
		args = append(args, null(u.TenantID), u.Source, string(u.UserID), u.ExternalID, tx.now)
	}
	return tx.insert(ctx, newSourceUsers, args)
}

var newSourceUsers = rowsOf{table: "source_users", columns: []cell{
	{"tenant_id", "uuid"}, {"source", "text"}, {"user_id", "uuid"}, {"external_id", "text"}, {"updated_at", "timestamptz"},
}, after: ` ON CONFLICT (COALESCE(tenant_id, ` + nobody + `), source, user_id) DO UPDATE SET external_id = excluded.external_id, updated_at = excluded.updated_at`}

// DeleteSourceUser forgets that a source knows a person.
func (tx *Tx) DeleteSourceUser(ctx context.Context, u SourceUser) error {
	return tx.exec(ctx, `DELETE FROM source_users WHERE COALESCE(tenant_id, `+nobody+`) = COALESCE(`+tx.cast()+`, `+nobody+`) AND source = ? AND user_id = ?`,
		null(u.TenantID), u.Source, string(u.UserID))
}

// SourcesOf returns the sources of the scope that know some people, those of its own tenant alone.
func (tx *Tx) SourcesOf(ctx context.Context, scope Scope, ids []identity.UserID) (map[identity.UserID][]SourceUser, error) {
	visible, more := scope.tenants("k.tenant_id")
	in, args := idList(tx, "k.user_id", ids)
	out := map[identity.UserID][]SourceUser{}
	err := tx.each(ctx, tx.bind(`SELECT k.tenant_id, k.source, k.user_id, k.external_id FROM source_users k WHERE `+in+` AND `+visible+` ORDER BY k.updated_at, k.source`), append(args, more...), func(rows *sql.Rows) error {
		var tenant, user text
		var s SourceUser
		err := rows.Scan(&tenant, &s.Source, &user, &s.ExternalID)
		s.TenantID, s.UserID = identity.TenantID(tenant), identity.UserID(user)
		out[s.UserID] = append(out[s.UserID], s)
		return err
	})
	return out, err
}

// UsersOfSource returns the ids of the people of a source who are not deleted and may come in, behind one, in the order of ids, at most limit.
func (tx *Tx) UsersOfSource(ctx context.Context, tenant identity.TenantID, source string, after identity.UserID, limit int) ([]identity.UserID, error) {
	var ids []text
	err := tx.list(ctx, &ids, `SELECT u.id FROM source_users k JOIN users u ON u.id = k.user_id WHERE COALESCE(k.tenant_id, `+nobody+`) = COALESCE(`+tx.cast()+`, `+nobody+`) AND k.source = ?
		AND u.deleted_at IS NULL AND u.enabled AND u.id > COALESCE(`+tx.cast()+`, `+nobody+`) ORDER BY u.id LIMIT ?`, null(tenant), source, null(after), limit)
	out := make([]identity.UserID, len(ids))
	for i, id := range ids {
		out[i] = identity.UserID(id)
	}
	return out, err
}

// Keys are what people of a file may be known by.
type Keys struct {
	IDs         []identity.UserID
	ExternalIDs []string
	Names       []string // user names, in any case
	Addresses   []string // as EmailKey makes them
	TenantID    identity.TenantID
	Source      string // whose external ids count beside those of the directories of the scope
}

// KeyKind says by what somebody was found.
type KeyKind string

// The kinds.
const (
	ByID         KeyKind = "id"
	ByExternalID KeyKind = "externalId"
	ByName       KeyKind = "userName"
	ByAddress    KeyKind = "email"
)

// Known is somebody whom a key names.
type Known struct {
	Kind     KeyKind
	Key      string
	UserID   identity.UserID
	TenantID identity.TenantID
}

// KnownBy returns the people of the scope, deleted ones aside, whom one of the keys names; somebody whom several name comes several times.
func (tx *Tx) KnownBy(ctx context.Context, scope Scope, k Keys) ([]Known, error) {
	visible, own := scope.tenants("u.tenant_id")
	if scope.tenant != "" {
		visible = tx.same("u.tenant_id") // by the keys, not by the tenant's index
	}
	dirs, dirArgs := scope.tenants("d.tenant_id")
	names := make([]string, len(k.Names))
	for i, n := range k.Names {
		names[i] = identity.NameKey(n)
	}
	byID, ids := idList(tx, "u.id", k.IDs)
	byExternal, externals := tx.textList("x.external_id", k.ExternalIDs)
	byName, nameArg := tx.textList("u.user_name_key", names)
	byAddress, addressArg := tx.textList("e.email_key", k.Addresses)
	there := ` AND u.deleted_at IS NULL AND ` + visible
	plus := "" // by the external ids, not by the source: SQLite does not know which are fewer
	if !tx.postgres() {
		plus = "+"
	}
	query := `SELECT 'id', CAST(u.id AS TEXT), u.id, u.tenant_id FROM users u WHERE ` + byID + there + `
		UNION SELECT 'externalId', x.external_id, u.id, u.tenant_id FROM directory_users x JOIN users u ON u.id = x.user_id
			WHERE x.directory_id IN (SELECT d.id FROM directories d WHERE ` + dirs + `) AND ` + byExternal + there + `
		UNION SELECT 'externalId', x.external_id, u.id, u.tenant_id FROM source_users x JOIN users u ON u.id = x.user_id
			WHERE ` + plus + `COALESCE(x.tenant_id, ` + nobody + `) = COALESCE(` + tx.cast() + `, ` + nobody + `) AND x.source = ? AND ` + byExternal + there + `
		UNION SELECT 'userName', u.user_name_key, u.id, u.tenant_id FROM users u WHERE ` + byName + there + `
		UNION SELECT 'email', e.email_key, u.id, u.tenant_id FROM user_emails e JOIN users u ON u.id = e.user_id WHERE ` + byAddress + there
	args := slices.Concat(ids, own, dirArgs, []any{externals}, own, []any{null(k.TenantID), k.Source, externals}, own, []any{nameArg}, own, []any{addressArg}, own)
	var out []Known
	err := tx.each(ctx, tx.bind(query), args, func(rows *sql.Rows) error {
		var k Known
		var user, tenant text
		err := rows.Scan(&k.Kind, &k.Key, &user, &tenant)
		k.UserID, k.TenantID = identity.UserID(user), identity.TenantID(tenant)
		out = append(out, k)
		return err
	})
	return out, err
}

// employeeNumber is where SCIM keeps it (RFC 7643 4.3).
const employeeNumber = `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User`

// EmployeeNumbers calls see with the number, id and home of everybody of the scope who has one and is not deleted. It reads all of them.
func (tx *Tx) EmployeeNumbers(ctx context.Context, scope Scope, see func(number string, id identity.UserID, tenant identity.TenantID)) error {
	visible, args := scope.tenants("u.tenant_id")
	number := `CAST(json_extract(u.attributes, '$."` + employeeNumber + `"."employeeNumber"') AS TEXT)`
	if tx.postgres() {
		number = `(u.attributes #>> '{"` + employeeNumber + `","employeeNumber"}')`
	}
	return tx.each(ctx, tx.bind(`SELECT `+number+`, u.id, u.tenant_id FROM users u WHERE u.deleted_at IS NULL AND `+number+` IS NOT NULL AND `+visible), args, func(rows *sql.Rows) error {
		var n, user, tenant text
		if err := rows.Scan(&n, &user, &tenant); err != nil {
			return err
		}
		see(string(n), identity.UserID(user), identity.TenantID(tenant))
		return nil
	})
}
