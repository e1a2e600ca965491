package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"maps"
	"strings"

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
	ExternalID string            // may be empty
	Said       map[string]string // what the source said last, by field
	Manager    string            // who leads them by the source's word, as long as nobody is found by it
	Away       string            // AwayByRow or AwayMissing: the source keeps them out; empty: it does not
}

// How a source keeps somebody out.
const (
	AwayByRow   = "row"     // it said so
	AwayMissing = "missing" // its whole list no longer had them
)

// Same reports whether a source knows somebody as before.
func (u SourceUser) Same(other SourceUser) bool {
	return u.TenantID == other.TenantID && u.Source == other.Source && u.UserID == other.UserID && u.ExternalID == other.ExternalID &&
		u.Manager == other.Manager && u.Away == other.Away && maps.Equal(u.Said, other.Said)
}

// PutSourceUser writes that sources know people, new or changed.
func (tx *Tx) PutSourceUser(ctx context.Context, list ...SourceUser) error {
	if len(list) == 0 {
		return nil
	}
	args := make([]any, 0, 8*len(list))
	for _, u := range list {
		var said any
		if len(u.Said) > 0 {
			text, err := asJSON(u.Said)
			if err != nil {
				return err
			}
			said = text
		}
		args = append(args, null(u.TenantID), u.Source, string(u.UserID), u.ExternalID, said, u.Manager, u.Away, tx.now)
	}
	return tx.insert(ctx, newSourceUsers, args)
}

// ForgetAway notes that no source keeps a person out any more: somebody else let them in, or keeps them out. It reports whether one did.
func (tx *Tx) ForgetAway(ctx context.Context, id identity.UserID) (bool, error) {
	n, err := tx.execCount(ctx, `UPDATE source_users SET away = '' WHERE user_id = ? AND away <> ''`, string(id))
	return n > 0, err
}

var newSourceUsers = rowsOf{table: "source_users", columns: []cell{
	{"tenant_id", "uuid"},
	{"source", "text"},
	{"user_id", "uuid"},
	{"external_id", "text"},
	{"said", "jsonb"},
	{"manager", "text"},
	{"away", "text"},
	{"updated_at", "timestamptz"},
}, after: ` ON CONFLICT (COALESCE(tenant_id, ` + nobody + `), source, user_id) DO UPDATE SET external_id = excluded.external_id, said = excluded.said, manager = excluded.manager,
	away = excluded.away, updated_at = excluded.updated_at`}

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
	err := tx.each(ctx, tx.bind(`SELECT k.tenant_id, k.source, k.user_id, k.external_id, k.said, k.manager, k.away FROM source_users k WHERE `+in+` AND `+visible+` ORDER BY k.updated_at, k.source`), append(args, more...), func(rows *sql.Rows) error {
		var tenant, user, said text
		var s SourceUser
		if err := rows.Scan(&tenant, &s.Source, &user, &s.ExternalID, &said, &s.Manager, &s.Away); err != nil {
			return err
		}
		s.TenantID, s.UserID = identity.TenantID(tenant), identity.UserID(user)
		var err error
		if said != "" {
			s.Said, err = identity.ReadTexts(string(said))
		}
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
	Numbers     []string // personnel numbers
	TenantID    identity.TenantID
	Source      string // whose external ids count beside those of the directories of the scope
}

// KeyKind says by what somebody was found.
type KeyKind string

// The kinds.
const (
	ByID         KeyKind = "id"
	ByExternalID KeyKind = "externalId"
	ByNumber     KeyKind = "employeeNumber"
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

// KnownBy returns the people of the scope, deleted ones aside, whom one of the keys names; somebody whom several name comes several times. Each key is looked up by
// its index, whatever the database thinks of how many it will find.
func (tx *Tx) KnownBy(ctx context.Context, scope Scope, k Keys) ([]Known, error) {
	names := make([]string, len(k.Names))
	for i, n := range k.Names {
		names[i] = identity.NameKey(n)
	}
	ids := make([]string, len(k.IDs))
	for i, id := range k.IDs {
		ids[i] = string(id)
	}
	dirs, dirArgs := scope.tenants("d.tenant_id")
	q := knownQuery{tx: tx, scope: scope}
	q.addUsers(ByID, ids, `u.id = `+q.key("uuid"))
	q.add(ByExternalID, k.ExternalIDs, `SELECT x.user_id AS id FROM directory_users x WHERE x.external_id = `+q.key("text")+` AND x.directory_id IN (SELECT d.id FROM directories d WHERE `+dirs+`)`, dirArgs...)
	q.add(ByExternalID, k.ExternalIDs, `SELECT x.user_id AS id FROM source_users x WHERE x.source = ? AND x.external_id = `+q.key("text")+`
		AND COALESCE(x.tenant_id, `+nobody+`) = COALESCE(`+tx.cast()+`, `+nobody+`)`, k.Source, null(k.TenantID))
	q.addUsers(ByNumber, k.Numbers, tx.numberColumn()+` = `+q.key("text")+` AND `+tx.numberColumn()+` IS NOT NULL`)
	q.addUsers(ByName, names, `u.user_name_key = `+q.key("text"))
	q.add(ByAddress, k.Addresses, `SELECT e.user_id AS id FROM user_emails e WHERE e.email_key = `+q.key("text"))
	if len(q.parts) == 0 {
		return nil, nil
	}
	var out []Known
	err := tx.each(ctx, tx.bind(strings.Join(q.parts, " UNION ")), q.args, func(rows *sql.Rows) error {
		var k Known
		var user, tenant text
		var there bool
		err := rows.Scan(&k.Kind, &k.Key, &user, &tenant, &there)
		k.UserID, k.TenantID = identity.UserID(user), identity.TenantID(tenant)
		if there {
			out = append(out, k)
		}
		return err
	})
	return out, err
}

// knownQuery gathers the look-ups of KnownBy.
type knownQuery struct {
	tx    *Tx
	scope Scope
	parts []string
	args  []any
}

// key is the key that is looked up.
func (q *knownQuery) key(kind string) string {
	if q.tx.postgres() {
		return `CAST(w.key AS ` + kind + `)`
	}
	return `w.value`
}

// add looks keys up: which says whose a key is. PostgreSQL does so key by key, since OFFSET 0 keeps it from going the other way round, which seems as good to it
// while the tables are empty, and makes a plan that is kept. For the same reason whether somebody is deleted is no condition: indexes of those who are not would lead astray.
func (q *knownQuery) add(kind KeyKind, keys []string, which string, args ...any) {
	if q.tx.postgres() {
		q.part(kind, keys, `CROSS JOIN LATERAL (`+which+` OFFSET 0) f CROSS JOIN LATERAL (SELECT u.id, u.tenant_id, u.deleted_at FROM users u WHERE u.id = f.id OFFSET 0) u WHERE `, args)
		return
	}
	q.part(kind, keys, `CROSS JOIN users u WHERE u.id IN (`+which+`) AND `, args)
}

// addUsers is add for keys that stand in the rows of users themselves.
func (q *knownQuery) addUsers(kind KeyKind, keys []string, that string) {
	if q.tx.postgres() {
		q.part(kind, keys, `CROSS JOIN LATERAL (SELECT u.id, u.tenant_id, u.deleted_at FROM users u WHERE `+that+` OFFSET 0) u WHERE `, nil)
		return
	}
	q.part(kind, keys, `CROSS JOIN users u WHERE `+that+` AND `, nil)
}

func (q *knownQuery) part(kind KeyKind, keys []string, join string, args []any) {
	if len(keys) == 0 {
		return
	}
	visible, own := q.scope.tenants("u.tenant_id")
	if q.scope.tenant != "" {
		visible = q.tx.same("u.tenant_id") // by the keys, not by the tenant's index
	}
	raw, _ := json.Marshal(keys) // strings always encode
	from, list := `json_each(?) w `, any(string(raw))
	if q.tx.postgres() {
		from, list = `unnest(CAST(? AS text[])) AS w(key) `, textArray(keys)
	}
	q.parts = append(q.parts, `SELECT '`+string(kind)+`', `+q.key("text")+`, u.id, u.tenant_id, u.deleted_at IS NULL FROM `+from+join+visible)
	q.args = append(append(append(q.args, list), args...), own...)
}

// Tombstone is somebody deleted, with what they may be known again by.
type Tombstone struct {
	UserID      identity.UserID
	TenantID    identity.TenantID
	ExternalID  string // of the source
	UserNameKey string
	Number      string
	Emails      []identity.Email
}

// TombstonesOf calls see with everybody of the scope whom a source knew and who is deleted.
func (tx *Tx) TombstonesOf(ctx context.Context, scope Scope, tenant identity.TenantID, source string, see func(Tombstone) error) error {
	visible, more := scope.tenants("u.tenant_id")
	gone := `SELECT u.* FROM users u WHERE u.deleted_at IS NOT NULL`
	if tx.postgres() {
		gone += ` OFFSET 0` // by the index of those few, not by everybody whom the source knows
	}
	query := `SELECT u.id, u.tenant_id, k.external_id, u.user_name_key, COALESCE(` + tx.numberColumn() + `, ''), u.emails FROM (` + gone + `) u
		JOIN source_users k ON k.user_id = u.id WHERE ` + visible + ` AND COALESCE(k.tenant_id, ` + nobody + `) = COALESCE(` + tx.cast() + `, ` + nobody + `) AND k.source = ?`
	return tx.each(ctx, tx.bind(query), append(more, null(tenant), source), func(rows *sql.Rows) error {
		var t Tombstone
		var id, home, emails text
		if err := rows.Scan(&id, &home, &t.ExternalID, &t.UserNameKey, &t.Number, &emails); err != nil {
			return err
		}
		t.UserID, t.TenantID = identity.UserID(id), identity.TenantID(home)
		if err := fromJSON(emails, &t.Emails); err != nil {
			return err
		}
		return see(t)
	})
}

// employeeNumber is where SCIM keeps it (RFC 7643 4.3).
const employeeNumber = `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User`

// numberColumn is the personnel number of a user, as users_by_number has it.
func (tx *Tx) numberColumn() string {
	if tx.postgres() {
		return `(u.attributes #>> '{` + employeeNumber + `,employeeNumber}')`
	}
	return `CAST(json_extract(u.attributes, '$."` + employeeNumber + `".employeeNumber') AS TEXT)`
}
