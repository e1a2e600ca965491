package store

import (
	"context"
	"fmt"

	"github.com/drawbridge-id/drawbridge/identity"
)

// few is how many rows are read and sorted rather than found along an index of everybody.
const few = 2000

// fewFound is the same for people whom a filter finds: looking for so many must not take long where few match.
const fewFound = 200

// userOrder says where an order of people is.
type userOrder struct {
	tables string // with the users as u, found along an index that has the key
	key    string
	own    string // what makes each person come once
	none   string // who has no key
	time   bool
}

var userOrders = map[identity.UserOrder]userOrder{
	identity.OrderName: {tables: `users u`, key: `u.display_name_key`, own: `u.display_name_key > ''`, none: `u.display_name_key = ''`},
	identity.OrderSeen: {tables: `users u`, key: `u.last_login_at`, own: `u.last_login_at IS NOT NULL`, none: `u.last_login_at IS NULL`, time: true},
	identity.OrderEmail: {
		tables: `user_emails e CROSS JOIN users u`, key: `e.value_key`,
		own:  `e.value_key > '' AND u.id = e.user_id AND e.position = (SELECT x.position FROM user_emails x WHERE x.user_id = e.user_id ORDER BY x.is_primary DESC, x.position LIMIT 1)`,
		none: `NOT EXISTS (SELECT 1 FROM user_emails e WHERE e.user_id = u.id AND e.value_key > '')`,
	},
}

// alive is the condition that somebody is not deleted, or the other way round.
func alive(q identity.Query) string {
	if q.Deleted {
		return "u.deleted_at IS NOT NULL"
	}
	return "u.deleted_at IS NULL"
}

// usersInOrder is Users in one of the orders: first those who have a key, along its index, then the others. Where few people are in the list, they are found once and sorted.
func (tx *Tx) usersInOrder(ctx context.Context, scope Scope, q identity.Query) (page identity.Page[identity.User], err error) {
	o, ok := userOrders[q.Order]
	if !ok || scope.directory != "" {
		return page, identity.Errorf(identity.Invalid, "There is no order %q of people.", q.Order).WithField("sort")
	}
	l, err := tx.orderedList(ctx, scope, q)
	if err != nil {
		return page, err
	}
	var rows []userRow
	if q.After == "" || q.AfterKey != nil {
		if rows, err = tx.keyed(ctx, l, q, o); err != nil {
			return page, err
		}
		q.After = ""
	}
	if len(rows) <= q.Limit {
		rest := q
		rest.Limit -= len(rows)
		more, err := tx.keyless(ctx, l, rest, o)
		if err != nil {
			return page, err
		}
		rows = append(rows, more...)
	}
	rows, page.More = cut(rows, q.Limit)
	if len(rows) > 0 {
		page.LastKey = rows[len(rows)-1].SortKey
	}
	page.Items, err = usersOf(rows)
	return page, err
}

// keyed reads people who have a key, one more than asked for.
func (tx *Tx) keyed(ctx context.Context, l orderedList, q identity.Query, o userOrder) (rows []userRow, err error) {
	b := l.builder()
	b.add(o.own)
	down, more, key := "", ">", o.key
	if q.Descending {
		down, more = " DESC", "<"
	}
	if l.sorted && !tx.postgres() {
		key = "+" + key
	}
	if q.After != "" {
		v := "?"
		if o.time {
			v = tx.castTime()
		}
		b.add(fmt.Sprintf(`%s %s= %s AND (%s %s %s OR u.id %s ?)`, o.key, more, v, o.key, more, v, more), *q.AfterKey, *q.AfterKey, q.After)
	}
	query := `SELECT ` + userColumns + `, CAST(` + o.key + ` AS TEXT) AS sort_key FROM ` + o.tables + ` LEFT JOIN directory_users du ON du.user_id = u.id AND du.directory_id = ?` +
		b.where() + fmt.Sprintf(` ORDER BY %s%s, u.id%s LIMIT %d`, key, down, down, q.Limit+1)
	err = tx.listBuilt(ctx, &rows, query, append([]any{nil}, b.args...)...)
	return rows, err
}

// keyless reads people who have none, in the order of their ids.
func (tx *Tx) keyless(ctx context.Context, l orderedList, q identity.Query, o userOrder) (rows []userRow, err error) {
	b := l.builder()
	b.add(o.none)
	if q.After != "" {
		b.add("u.id > ?", q.After)
	}
	err = tx.listBuilt(ctx, &rows, `SELECT `+userColumns+userTables+b.where()+fmt.Sprintf(` ORDER BY u.id LIMIT %d`, q.Limit+1), append([]any{nil}, b.args...)...)
	return rows, err
}

// orderedList is who is in a list that has an order.
type orderedList struct {
	base   builder
	sorted bool // they are few: they are read and sorted, instead of looked for along an index of everybody
}

func (l *orderedList) builder() *builder {
	b := l.base
	return &b
}

// orderedList finds out how many people a list has. Few are named one by one; among many, the index of the order comes to enough of them soon.
func (tx *Tx) orderedList(ctx context.Context, scope Scope, q identity.Query) (l orderedList, err error) {
	tenant := q.Tenant
	if scope.tenant != "" {
		tenant = scope.tenant
	}
	b := tx.usersBuilder(scope, q)
	if err := tx.ties(ctx, b, q); err != nil {
		return l, err
	}
	l.base = *b
	if narrows(q) {
		var ids []text
		err := tx.listBuilt(ctx, &ids, `SELECT u.id`+userTables+b.where()+fmt.Sprintf(` LIMIT %d`, fewFound+1), append([]any{nil}, b.args...)...)
		if err != nil {
			return l, err
		}
		if len(ids) <= fewFound {
			in, args := idList(tx, "u.id", ids)
			l.sorted, l.base = true, builder{tx: tx, table: usersTable}
			l.base.add(in, args...)
			return l, nil
		}
	}
	if tenant == "" || tx.postgres() { // PostgreSQL knows by its statistics how many a tenant has
		return l, nil
	}
	if l.sorted, err = tx.isFew(ctx, `SELECT 1 FROM users WHERE tenant_id = ?`, string(tenant)); err != nil || l.sorted {
		return l, err
	}
	return tx.walkedList(ctx, scope, q, tenant)
}

// walkedList is the list of a tenant of many, for which its index is no help.
func (tx *Tx) walkedList(ctx context.Context, scope Scope, q identity.Query, tenant identity.TenantID) (orderedList, error) {
	b := &builder{tx: tx, table: usersTable}
	b.add(alive(q)+" AND "+tx.same("u.tenant_id"), string(tenant))
	if q.Tenant != "" && scope.tenant != "" && q.Tenant != scope.tenant {
		b.add("1 = 0")
	}
	q.Tenant = ""
	b.userQuery(q)
	if q.Filter != nil {
		b.filter(q.Filter)
	}
	err := tx.ties(ctx, b, q)
	return orderedList{base: *b}, err
}

// narrows reports whether a query asks for anything beside a tenant.
func narrows(q identity.Query) bool {
	return q.Filter != nil || q.Search != "" || q.Status != "" || q.Type != "" || q.Unit != "" || q.External != nil || q.Role != "" || q.Directory != "" || q.Deleted
}

// ties adds what a list asks of people's roles and directories: few who have them are looked up, many are found among the people of the list.
func (tx *Tx) ties(ctx context.Context, b *builder, q identity.Query) error {
	tie := func(table, cond string, args ...any) error {
		rare, err := tx.isFew(ctx, `SELECT 1 FROM `+table+` t WHERE `+cond, args...)
		if rare {
			b.add(`u.id IN (SELECT t.user_id FROM `+table+` t WHERE `+cond+`)`, args...)
		} else {
			b.add(`EXISTS (SELECT 1 FROM `+table+` t WHERE t.user_id = u.id AND `+cond+`)`, args...)
		}
		return err
	}
	if q.Role != "" {
		if err := tie("assignments", "t.application = ? AND t.role_id = ?", identity.DefaultApplication, string(q.Role)); err != nil {
			return err
		}
	}
	if q.Directory != "" {
		return tie("directory_users", "t.directory_id = ?", string(q.Directory))
	}
	return nil
}

// isFew reports whether a query finds few rows; it reads no more than that.
func (tx *Tx) isFew(ctx context.Context, query string, args ...any) (bool, error) {
	var n int
	err := tx.get(ctx, &n, fmt.Sprintf(`SELECT count(*) FROM (%s LIMIT %d) found`, query, few+1), args...)
	return n <= few, err
}
