package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

const userColumns = `u.id, u.tenant_id, u.user_name, u.display_name, u.enabled, u.held, u.locked_at, u.emails, u.attributes,
	u.version, u.created_at, u.updated_at, u.last_login_at, u.deleted_at, du.external_id`

const userTables = ` FROM users u LEFT JOIN directory_users du ON du.user_id = u.id AND du.directory_id = ?`

type userRow struct {
	ID          text   `db:"id"`
	TenantID    text   `db:"tenant_id"`
	UserName    string `db:"user_name"`
	DisplayName string `db:"display_name"`
	Enabled     bool   `db:"enabled"`
	Held        bool   `db:"held"`
	LockedAt    moment `db:"locked_at"`
	Emails      text   `db:"emails"`
	Attributes  text   `db:"attributes"`
	Version     int64  `db:"version"`
	CreatedAt   moment `db:"created_at"`
	UpdatedAt   moment `db:"updated_at"`
	LastLoginAt moment `db:"last_login_at"`
	DeletedAt   moment `db:"deleted_at"`
	ExternalID  text   `db:"external_id"`

	SortKey *string `db:"sort_key"` // of a sorted list
}

func (r *userRow) user() (identity.User, error) {
	u := identity.User{
		ID: identity.UserID(r.ID), TenantID: identity.TenantID(r.TenantID), UserName: r.UserName, DisplayName: r.DisplayName,
		Enabled: r.Enabled, Held: r.Held, LockedAt: r.LockedAt.at, Attributes: []byte(r.Attributes), ExternalID: string(r.ExternalID),
		Version: r.Version, CreatedAt: r.CreatedAt.time(), UpdatedAt: r.UpdatedAt.time(), LastLoginAt: r.LastLoginAt.at, DeletedAt: r.DeletedAt.at,
	}
	return u, fromJSON(r.Emails, &u.Emails)
}

func usersOf(rows []userRow) ([]identity.User, error) {
	users := make([]identity.User, len(rows))
	for i := range rows {
		var err error
		if users[i], err = rows[i].user(); err != nil {
			return nil, err
		}
	}
	return users, nil
}

// User returns a user of the scope who is not deleted, or NotFound.
func (tx *Tx) User(ctx context.Context, scope Scope, id identity.UserID) (identity.User, error) {
	return tx.user(ctx, scope, "u.deleted_at IS NULL AND u.id = ?", "", string(id))
}

// UserForUpdate is User with the row locked until the transaction ends.
func (tx *Tx) UserForUpdate(ctx context.Context, scope Scope, id identity.UserID) (identity.User, error) {
	return tx.user(ctx, scope, "u.deleted_at IS NULL AND u.id = ?", tx.lockRows("u"), string(id))
}

// DeletedUserForUpdate returns a tombstone with its row locked, or NotFound.
func (tx *Tx) DeletedUserForUpdate(ctx context.Context, scope Scope, id identity.UserID) (identity.User, error) {
	return tx.user(ctx, scope, "u.deleted_at IS NOT NULL AND u.id = ?", tx.lockRows("u"), string(id))
}

func (tx *Tx) user(ctx context.Context, scope Scope, where, lock string, args ...any) (identity.User, error) {
	visible, more := scope.users()
	var r userRow
	err := tx.get(ctx, &r, `SELECT `+userColumns+userTables+` WHERE `+where+` AND `+visible+lock,
		append(append([]any{null(scope.directory)}, args...), more...)...)
	if err != nil {
		return identity.User{}, err
	}
	return r.user()
}

// Users returns a page of the scope's users who are not deleted.
func (tx *Tx) Users(ctx context.Context, scope Scope, q identity.Query) (identity.Page[identity.User], error) {
	if page, ok, err := tx.usersByPlace(ctx, scope, q); ok || err != nil {
		return page, err
	}
	if q.Order != "" {
		return tx.usersInOrder(ctx, scope, q)
	}
	var page identity.Page[identity.User]
	b := tx.usersBuilder(scope, q)
	if err := tx.ties(ctx, b, q); err != nil {
		return page, err
	}
	if q.Limit > 0 {
		rows := *b
		rows.after("u.id", q)
		var err error
		if page, err = tx.usersPage(ctx, scope, &rows, q); err != nil {
			return page, err
		}
	}
	var err error
	page.Total, err = totalOf(q, len(page.Items), page.More, func() (int64, error) {
		return b.total(ctx, q, userTables, []any{null(scope.directory)})
	})
	return page, err
}

// usersBuilder returns the conditions of a list.
func (tx *Tx) usersBuilder(scope Scope, q identity.Query) *builder {
	visible, args := scope.users()
	if scope.tenant != "" && pointed(q.Filter) {
		visible = tx.same("u.tenant_id")
	}
	b := &builder{tx: tx, table: usersTable, directory: scope.directory}
	b.add(alive(q)+" AND "+visible, args...)
	b.userQuery(q)
	if q.Filter != nil {
		b.filter(q.Filter)
	}
	return b
}

// usersPage reads one page, without the total.
func (tx *Tx) usersPage(ctx context.Context, scope Scope, b *builder, q identity.Query) (page identity.Page[identity.User], err error) {
	directory := null(scope.directory)
	if q.Lean {
		joined := speaksOf(q.Filter, "externalId") || q.Sort != nil
		query := tx.rebound(tx.selectPushed(joined, b.keyColumn(q)) + b.where() + b.order("u.id", q))
		var keys []*string
		page.Items, keys, err = tx.pushed(ctx, scope, query, expected(q), append([]any{directory, directory}, b.args...))
		page.Items, page.More = cut(page.Items, q.Limit)
		if q.Sort != nil && len(page.Items) > 0 {
			page.LastKey = keys[len(page.Items)-1]
		}
		return page, err
	}
	var rows []userRow
	if err := tx.listBuilt(ctx, &rows, `SELECT `+userColumns+b.keyColumn(q)+userTables+b.where()+b.order("u.id", q), append([]any{directory}, b.args...)...); err != nil {
		return page, err
	}
	rows, page.More = cut(rows, q.Limit)
	if len(rows) > 0 {
		page.LastKey = rows[len(rows)-1].SortKey
	}
	page.Items, err = usersOf(rows)
	return page, err
}

// expected is how many rows a page probably has.
func expected(q identity.Query) int {
	if pointed(q.Filter) {
		return 1
	}
	return min(q.Limit+1, 128)
}

// userQuery adds what people's search forms ask for.
func (b *builder) userQuery(q identity.Query) {
	if q.Tenant != "" {
		b.add("u.tenant_id = ?", string(q.Tenant))
	}
	for _, word := range strings.Fields(strings.ToLower(q.Search)) {
		b.add(`u.search LIKE ? ESCAPE '\'`, "%"+escapeLike(word)+"%")
	}
	const waits = "u.id IN (SELECT k.user_id FROM credentials k WHERE k.locked_until > ?)" // after wrong passwords
	switch q.Status {
	case identity.StatusActive:
		b.add("u.enabled AND u.locked_at IS NULL AND u.last_login_at IS NOT NULL AND NOT "+waits, b.tx.now)
	case identity.StatusInactive:
		b.add("NOT u.enabled")
	case identity.StatusLocked:
		b.add("u.enabled AND u.id IN (SELECT l.id FROM users l WHERE l.locked_at IS NOT NULL UNION SELECT k.user_id FROM credentials k WHERE k.locked_until > ?)", b.tx.now)
	case identity.StatusPending:
		b.add("u.enabled AND u.locked_at IS NULL AND u.last_login_at IS NULL AND NOT "+waits, b.tx.now)
	}
	b.userPosition(q)
}

// InsertUser writes new users and the index of their addresses. A user name that is taken in the tenant is a Conflict, of this or of the
// transaction's next step.
func (tx *Tx) InsertUser(ctx context.Context, users ...identity.User) error {
	args := make([]any, 0, 17*len(users))
	for i := range users {
		u := &users[i]
		emails, err := asJSON(emailsOrNone(u.Emails))
		if err != nil {
			return err
		}
		args = append(args, string(u.ID), null(u.TenantID), u.UserName, identity.NameKey(u.UserName), u.DisplayName, identity.NameKey(u.DisplayName), u.Enabled, u.Held, u.LockedAt, emails, attributes(u.Attributes),
			searchText(u), u.Version, u.CreatedAt, u.UpdatedAt, u.LastLoginAt, u.DeletedAt)
		tx.added = append(tx.added, identity.User{ID: u.ID, TenantID: u.TenantID})
		tx.wroteUser(string(u.ID))
	}
	if err := tx.insert(ctx, newUsers, args); err != nil {
		return err
	}
	return tx.insertEmails(ctx, users...)
}

var newUsers = rowsOf{table: "users", columns: []cell{
	{"id", "uuid"},
	{"tenant_id", "uuid"},
	{"user_name", "text"},
	{"user_name_key", "text"},
	{"display_name", "text"},
	{"display_name_key", "text"},
	{"enabled", "boolean"},
	{"held", "boolean"},
	{"locked_at", "timestamptz"},
	{"emails", "json"},
	{"attributes", "jsonb"},
	{"search", "text"},
	{"version", "bigint"},
	{"created_at", "timestamptz"},
	{"updated_at", "timestamptz"},
	{"last_login_at", "timestamptz"},
	{"deleted_at", "timestamptz"},
}}

var newEmails = rowsOf{table: "user_emails", columns: []cell{
	{"user_id", "uuid"}, {"position", "integer"}, {"value_key", "text"}, {"email_key", "text"}, {"type", "text"}, {"display", "text"}, {"is_primary", "boolean"},
}}

// manyRows returns the placeholders of some rows.
func manyRows(columns, rows int) string {
	row := "(" + strings.Repeat(", ?", columns)[2:] + ")"
	return strings.Repeat(", "+row, rows)[2:]
}

func (tx *Tx) insertEmails(ctx context.Context, users ...identity.User) error {
	args := make([]any, 0, 7*len(users))
	for _, u := range users {
		for i, e := range u.Emails {
			key, err := identity.EmailKey(e.Value)
			if err != nil {
				key = "" // kept and shown, but nobody signs in by it
			}
			args = append(args, string(u.ID), i, strings.ToLower(e.Value), null(key), strings.ToLower(e.Type), strings.ToLower(e.Display), e.Primary)
		}
	}
	return tx.insert(ctx, newEmails, args)
}

// UsersByEmail returns the users of the scope, at most limit, with this address (as EmailKey makes it) or with it as user name. Deleted people are included.
func (tx *Tx) UsersByEmail(ctx context.Context, scope Scope, key string, limit int) ([]identity.User, error) {
	return tx.usersWhere(ctx, scope, `u.id IN (SELECT n.id FROM users n WHERE n.user_name_key = ? UNION SELECT e.user_id FROM user_emails e WHERE e.email_key = ?)`, limit, key, key)
}

// UsersByName returns the users of the scope, at most limit, with this user name in any case. Deleted people are included.
func (tx *Tx) UsersByName(ctx context.Context, scope Scope, name string, limit int) ([]identity.User, error) {
	return tx.usersWhere(ctx, scope, `u.user_name_key = ?`, limit, identity.NameKey(name))
}

// UsersByExternalID returns the users, at most limit, whom a directory knows under its own id. Deleted people are included.
func (tx *Tx) UsersByExternalID(ctx context.Context, scope Scope, externalID string, limit int) ([]identity.User, error) {
	return tx.usersWhere(ctx, scope, `du.external_id = ?`, limit, externalID)
}

// UsersLike returns the users of a directory's scope, at most limit and the namesakes first, who have this user name, this externalId of the directory, or this address
// (as EmailKey makes it); an empty one matches nobody. Deleted people are included and come last.
func (tx *Tx) UsersLike(ctx context.Context, scope Scope, name, externalID, key string, limit int) ([]identity.User, error) {
	return tx.usersOrdered(ctx, scope, `u.id IN (SELECT n.id FROM users n WHERE n.user_name_key IN (?, ?)
		UNION SELECT k.user_id FROM directory_users k WHERE k.directory_id = ? AND k.external_id = ?
		UNION SELECT e.user_id FROM user_emails e WHERE e.email_key = ?)`, `u.user_name_key <> ?, `, limit,
		[]any{identity.NameKey(name)}, identity.NameKey(name), key, null(scope.directory), null(externalID), null(key))
}

func (tx *Tx) usersWhere(ctx context.Context, scope Scope, where string, limit int, args ...any) ([]identity.User, error) {
	return tx.usersOrdered(ctx, scope, where, "", limit, nil, args...)
}

// usersOrdered lists users, those who are not deleted first, then by order, which is empty or ends with a comma.
func (tx *Tx) usersOrdered(ctx context.Context, scope Scope, where, order string, limit int, orderArgs []any, args ...any) ([]identity.User, error) {
	visible, more := scope.users()
	if scope.tenant != "" {
		visible = tx.same("u.tenant_id") // by what is asked for, not by the tenant's index
	}
	all := slices.Concat([]any{null(scope.directory)}, args, more, orderArgs, []any{limit})
	var rows []userRow
	err := tx.list(ctx, &rows, `SELECT `+userColumns+userTables+` WHERE `+where+` AND `+visible+` ORDER BY u.deleted_at IS NOT NULL, `+order+`u.id LIMIT ?`, all...)
	if err != nil {
		return nil, err
	}
	return usersOf(rows)
}

// ShareUsers returns which of the ids are users of the scope who are not deleted, with their names; they stay so until the transaction ends.
func (tx *Tx) ShareUsers(ctx context.Context, scope Scope, ids []identity.UserID) (map[identity.UserID]string, error) {
	visible, more := scope.users()
	in, args := idList(tx, "u.id", ids)
	lock := ""
	if tx.postgres() {
		lock = " FOR SHARE OF u"
	}
	found := make(map[identity.UserID]string, len(ids))
	err := tx.each(ctx, tx.bind(`SELECT u.id, u.user_name, u.display_name, CASE WHEN u.display_name = '' THEN u.attributes END`+userTables+` WHERE u.deleted_at IS NULL AND `+in+` AND `+visible+lock),
		slices.Concat([]any{null(scope.directory)}, args, more), func(rows *sql.Rows) error {
			var u identity.User
			var id, attributes text
			err := rows.Scan(&id, &u.UserName, &u.DisplayName, &attributes)
			u.Attributes = []byte(attributes)
			found[identity.UserID(id)] = u.Label()
			return err
		})
	return found, err
}

func attributes(raw []byte) string {
	if len(raw) == 0 {
		return "{}"
	}
	return string(raw)
}

func emailsOrNone(emails []identity.Email) []identity.Email {
	if emails == nil {
		return []identity.Email{}
	}
	return emails
}

// searchText is what a search box looks through.
func searchText(u *identity.User) string {
	n := u.Name()
	parts := []string{u.UserName, u.DisplayName, n.GivenName, n.FamilyName}
	for _, e := range u.Emails {
		parts = append(parts, e.Value)
	}
	return strings.ToLower(strings.Join(parts, " "))
}

// UserNames is by what somebody is known.
type UserNames struct {
	TenantID identity.TenantID
	UserName string
	Label    string
	Deleted  bool
}

// NamesOfUsers returns by what people are known, deleted ones too.
func (tx *Tx) NamesOfUsers(ctx context.Context, ids []identity.UserID) (map[identity.UserID]UserNames, error) {
	in, args := idList(tx, "u.id", ids)
	out := map[identity.UserID]UserNames{}
	err := tx.each(ctx, tx.bind(`SELECT u.id, u.tenant_id, u.user_name, u.display_name, CASE WHEN u.display_name = '' THEN u.attributes END, u.deleted_at IS NOT NULL FROM users u WHERE `+in), args, func(rows *sql.Rows) error {
		var u identity.User
		var id, tenant, attributes text
		var deleted bool
		err := rows.Scan(&id, &tenant, &u.UserName, &u.DisplayName, &attributes, &deleted)
		u.Attributes = []byte(attributes)
		out[identity.UserID(id)] = UserNames{TenantID: identity.TenantID(tenant), UserName: u.UserName, Label: u.Label(), Deleted: deleted}
		return err
	})
	return out, err
}
