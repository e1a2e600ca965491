package store

import (
	"github.com/drawbridge-id/drawbridge/identity"
)

// maxSortText is how many characters of a text outside the columns count for the order, so that the key of a cursor stays short. Texts
// that differ only behind them are in the order of their ids.
const maxSortText = "256"

// sortTerm is what a list is ordered by before the id: an SQL expression that is NULL where a resource has no value.
type sortTerm struct {
	tx   *Tx
	sql  string
	kind identity.AttributeType
	id   bool
}

// sortTerm returns the term of an attribute; false when resources cannot be ordered by it, which leaves the order of the ids.
// A multi-valued attribute counts by its primary value, else by its first (RFC 7644 3.4.2.3).
func (t *table) sortTerm(tx *Tx, a identity.Attribute) (sortTerm, bool) {
	c := compiler{tx: tx, table: t}
	s := sortTerm{tx: tx, kind: a.Type}
	if a.MultiValued {
		left, ok := c.firstElement(a)
		s.sql = c.sortable(a, left)
		return s, ok
	}
	left := c.simple(a)
	s.sql, s.id = c.sortable(a, left), left.id
	return s, true
}

// sortable gives the value of an attribute the type by which it is ordered.
func (c *compiler) sortable(a identity.Attribute, left operand) string {
	switch {
	case left.id, left.sql == "u.user_name_key": // never empty, and ordered as it is stored
		return left.sql
	case a.Type == identity.TypeString:
		sql := left.sql
		if !a.CaseExact && !left.folded {
			sql = c.fold(sql)
		}
		if left.json {
			sql = "substr(" + sql + ", 1, " + maxSortText + ")"
		}
		if a.CaseExact && c.tx.postgres() { // by the letters, not by the database's language
			sql = "(CAST(" + sql + ` AS TEXT) COLLATE "C")`
		}
		return "NULLIF(" + sql + ", '')"
	case !left.json:
		return left.sql
	case a.Type == identity.TypeBoolean && c.tx.postgres():
		return "(" + left.sql + " = 'true')"
	case a.Type == identity.TypeDateTime:
		return c.jsonTime(left.sql)
	case a.Type == identity.TypeInteger || a.Type == identity.TypeDecimal:
		return c.castNumber(left)
	}
	return left.sql
}

// firstElement returns the value of the primary element of a multi-valued attribute, else of its first; false when its rows have no order.
func (c *compiler) firstElement(a identity.Attribute) (operand, bool) {
	if r, ok := c.table.rows[a.Name]; ok && a.Schema == "" {
		if r.order == "" {
			return operand{}, false
		}
		left := r.element(a.Sub)
		left.sql = "(SELECT " + left.sql + " FROM " + r.from + " WHERE " + r.id + " = " + c.table.id + " ORDER BY " + r.order + " LIMIT 1)"
		return left, true
	}
	element, primary, position := c.jsonElement(a.Sub), c.jsonElement("primary"), "x.key"
	from := c.jsonEach(a)
	if c.tx.postgres() {
		from, position = c.jsonEachRow(a), "x.position"
		primary = "(CASE WHEN jsonb_typeof(x.value) = 'object' THEN " + primary + " END) = 'true'"
	} else {
		primary = "CASE x.type WHEN 'object' THEN " + primary + " END"
	}
	order := "COALESCE(" + primary + ", FALSE) DESC, " + position
	return operand{sql: "(SELECT " + element + " FROM " + from + " ORDER BY " + order + " LIMIT 1)", json: true}, true
}

// order returns the leading part of ORDER BY. Resources without the attribute come last ascending and first descending (RFC 7644 3.4.2.3).
func (s sortTerm) order(descending bool) string {
	if descending {
		return s.sql + " IS NOT NULL, " + s.sql + " DESC, "
	}
	return s.sql + " IS NULL, " + s.sql + ", "
}

// text returns the term as text from which value makes the same value again.
func (s sortTerm) text() string {
	number := s.kind == identity.TypeInteger || s.kind == identity.TypeDecimal
	if number && !s.tx.postgres() { // CAST keeps fifteen digits, a number has up to seventeen
		return "CASE typeof(" + s.sql + ") WHEN 'integer' THEN CAST(" + s.sql + " AS TEXT) WHEN 'real' THEN printf('%!.17g', " + s.sql + ") END"
	}
	return "CAST(" + s.sql + " AS TEXT)"
}

// value returns the placeholder for a text that was made by text.
func (s sortTerm) value() string {
	types := map[identity.AttributeType][2]string{ // PostgreSQL, SQLite
		identity.TypeBoolean: {"boolean", "INTEGER"}, identity.TypeInteger: {"numeric", "NUMERIC"},
		identity.TypeDecimal: {"numeric", "NUMERIC"}, identity.TypeDateTime: {"timestamptz", "TEXT"},
	}
	t, ok := types[s.kind]
	switch {
	case s.id && s.tx.postgres():
		return "CAST(? AS uuid)"
	case !ok:
		return "CAST(? AS TEXT)"
	case s.tx.postgres():
		return "CAST(? AS " + t[0] + ")"
	}
	return "CAST(? AS " + t[1] + ")"
}

// after returns the condition of what comes behind the resource with this key and id; a nil key stands for no value.
func (s sortTerm) after(descending bool, column string, key *string, id string) (string, []any) {
	switch {
	case key == nil && descending:
		return "(" + s.sql + " IS NOT NULL OR " + column + " > ?)", []any{id}
	case key == nil:
		return "(" + s.sql + " IS NULL AND " + column + " > ?)", []any{id}
	}
	more, tail := " > ", " OR "+s.sql+" IS NULL"
	if descending {
		more, tail = " < ", ""
	}
	v := s.value()
	return "(" + s.sql + more + v + " OR (" + s.sql + " = " + v + " AND " + column + " > ?)" + tail + ")", []any{*key, *key, id}
}

// sortTerm returns the term of a query; false when its list is in the order of the ids alone.
func (b *builder) sortTerm(q identity.Query) (sortTerm, bool) {
	if q.Sort == nil || b.table == nil {
		return sortTerm{}, false
	}
	return b.table.sortTerm(b.tx, q.Sort.Attr)
}

// keyColumn returns the column sort_key of a sorted list, with a comma in front, or "".
func (b *builder) keyColumn(q identity.Query) string {
	s, ok := b.sortTerm(q)
	if !ok {
		return ""
	}
	return ", " + s.text() + " AS sort_key"
}
