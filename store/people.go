package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
)

// SomebodyLike reports whether a directory's scope has anybody whom UsersLike would return. People outside make no difference, not even in time.
func (tx *Tx) SomebodyLike(ctx context.Context, scope Scope, name, externalID, key string) (found bool, err error) {
	like, args := tx.somebodyLike(scope, name, externalID, key)
	err = tx.each(ctx, tx.bind(`SELECT `+like), args, func(rows *sql.Rows) error { return rows.Scan(&found) })
	return found, err
}

// NobodyLike makes what waits to be written depend on SomebodyLike being false; otherwise nothing of it is written, and the outcome is a Conflict. PostgreSQL only.
func (tx *Tx) NobodyLike(scope Scope, name, externalID, key string) {
	like, args := tx.somebodyLike(scope, name, externalID, key)
	tx.hopes = append(tx.hopes, expectation{"NOT (" + like + ")", args})
}

// somebodyLike returns the condition of SomebodyLike, with its arguments.
func (tx *Tx) somebodyLike(scope Scope, name, externalID, key string) (string, []any) {
	within, one := " AND "+tx.same("u.tenant_id"), []any{string(scope.tenant)}
	if scope.all {
		within = " AND (u.tenant_id IS NOT NULL OR EXISTS (SELECT 1 FROM directory_users o WHERE o.user_id = u.id AND o.directory_id = ?))"
		one = []any{string(scope.directory)}
	}
	args := slices.Concat([]any{identity.NameKey(name)}, one, []any{key}, one, []any{null(scope.directory), null(externalID), null(key)}, one)
	return `EXISTS (SELECT 1 FROM users u WHERE u.user_name_key = ?` + within + `) OR EXISTS (SELECT 1 FROM users u WHERE u.user_name_key = ?` + within + `)
		OR EXISTS (SELECT 1 FROM directory_users k WHERE k.directory_id = ? AND k.external_id = ?)
		OR EXISTS (SELECT 1 FROM user_emails e JOIN users u ON u.id = e.user_id WHERE e.email_key = ?` + within + `)`, args
}

// Person is by what somebody may already be known.
type Person struct {
	Name, ExternalID, AddressKey string
}

// Strangers reports of each person whether SomebodyLike would find nobody.
func (tx *Tx) Strangers(ctx context.Context, scope Scope, people []Person) ([]bool, error) {
	var names, externals, keys []string
	for _, p := range people {
		names = append(names, identity.NameKey(p.Name), p.AddressKey)
		externals, keys = append(externals, p.ExternalID), append(keys, p.AddressKey)
	}
	within, one := " AND "+tx.same("u.tenant_id"), []any{string(scope.tenant)}
	if scope.all {
		within = " AND (u.tenant_id IS NOT NULL OR EXISTS (SELECT 1 FROM directory_users o WHERE o.user_id = u.id AND o.directory_id = ?))"
		one = []any{string(scope.directory)}
	}
	any1, a1 := tx.textList("u.user_name_key", names)
	any2, a2 := tx.textList("k.external_id", externals)
	any3, a3 := tx.textList("e.email_key", keys)
	known := map[string]bool{}
	err := tx.each(ctx, tx.bind(`SELECT 'n' || u.user_name_key FROM users u WHERE `+any1+within+`
		UNION ALL SELECT 'x' || k.external_id FROM directory_users k WHERE k.directory_id = ? AND `+any2+`
		UNION ALL SELECT 'e' || e.email_key FROM user_emails e JOIN users u ON u.id = e.user_id WHERE `+any3+within),
		slices.Concat([]any{a1}, one, []any{null(scope.directory), a2, a3}, one), func(rows *sql.Rows) error {
			var key string
			err := rows.Scan(&key)
			known[key] = true
			return err
		})
	out := make([]bool, len(people))
	for i, p := range people {
		out[i] = !known["n"+identity.NameKey(p.Name)] && !known["n"+p.AddressKey] && !(p.ExternalID != "" && known["x"+p.ExternalID]) && !(p.AddressKey != "" && known["e"+p.AddressKey])
	}
	return out, err
}

// textList returns a condition that a column is one of some texts, with its argument.
func (tx *Tx) textList(column string, texts []string) (string, any) {
	raw, _ := json.Marshal(append([]string{}, texts...)) // strings always encode, and no list is an empty one
	if tx.postgres() {
		return column + " = ANY(ARRAY(SELECT json_array_elements_text(CAST(? AS json))))", string(raw)
	}
	return column + " IN (SELECT value FROM json_each(?))", string(raw)
}

// same compares a column in a way for which no index is used: where another condition leaves a row or two, the planner must not be tempted,
// before it has statistics, to read a whole tenant instead.
func (tx *Tx) same(column string) string {
	if tx.postgres() {
		return column + " IS NOT DISTINCT FROM ?"
	}
	return "+" + column + " = ?"
}
