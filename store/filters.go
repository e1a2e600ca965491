package store

import (
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// column is a simple attribute that has a column of its own. key, when set, is a column that holds the value in lower case.
type column struct {
	name string
	key  string
	id   bool // a UUID: PostgreSQL compares it as text
}

// rows is a multi-valued attribute that has a table of its own: from names it, on ties it to the resource,
// and the sub-attributes are its columns, in lower case where the schema ignores case.
type rows struct {
	from string
	id   string // the column that holds the resource's id
	subs map[string]column

	owned bool   // from has one argument: the asking directory, whose rows these must be
	once  bool   // from is dear, so it is asked once for all resources and not for each of them
	order string // the first of them is the one that a list is sorted by; empty: no list is
}

// table says where the attributes of a resource type are; what has no place of its own is in the attributes column.
type table struct {
	id      string
	json    string
	columns map[string]column
	rows    map[string]rows
}

var usersTable = &table{
	id: "u.id", json: "u.attributes",
	columns: map[string]column{
		"id":                {name: "u.id", id: true},
		"userName":          {name: "u.user_name", key: "u.user_name_key"},
		"displayName":       {name: "u.display_name", key: "u.display_name_key"},
		"active":            {name: "u.enabled"},
		"externalId":        {name: "du.external_id"},
		"meta.created":      {name: "u.created_at"},
		"meta.lastModified": {name: "u.updated_at"},
	},
	rows: map[string]rows{
		"emails": {from: "user_emails x", id: "x.user_id", order: "x.is_primary DESC, x.position", subs: map[string]column{
			"value": {name: "x.value_key", key: "x.value_key"}, "type": {name: "x.type", key: "x.type"},
			"display": {name: "x.display", key: "x.display"}, "primary": {name: "x.is_primary"},
		}},
		"groups": {from: groupsAbove, owned: true, once: true, id: "x.member_id", subs: map[string]column{
			"value": {name: "y.id", id: true}, "$ref": {name: "y.id", id: true}, "display": {name: "y.display_name", key: "y.display_name_key"},
			"type": {name: membershipKind, key: membershipKind},
		}},
	},
}

// groupsAbove has a row for each membership x of a user and each group y that it makes them a member of: the group itself and those that it is in. Its one argument
// is the directory whose groups these are. What is followed are the groups, which are few, and never the users in them.
const groupsAbove = `group_members x JOIN (WITH RECURSIVE above (id, top, directory_id) AS (
		SELECT id, id, directory_id FROM groups WHERE directory_id = ?
		UNION SELECT a.id, g.id, g.directory_id FROM above a CROSS JOIN group_members m CROSS JOIN groups g
			WHERE m.member_id = a.top AND m.member_type = 'Group' AND g.id = m.group_id AND g.directory_id = a.directory_id)
	SELECT id, top FROM above) z ON z.id = x.group_id JOIN groups y ON y.id = z.top`

// membershipKind says how the user of a row of groupsAbove is in its group, as Memberships has it: who is in it both ways is in it directly.
const membershipKind = `(CASE WHEN z.id = z.top OR EXISTS (SELECT 1 FROM group_members d WHERE d.group_id = y.id AND d.member_id = x.member_id) THEN 'direct' ELSE 'indirect' END)`

var groupsTable = &table{
	id: "g.id", json: "g.attributes",
	columns: map[string]column{
		"id":                {name: "g.id", id: true},
		"displayName":       {name: "g.display_name", key: "g.display_name_key"},
		"externalId":        {name: "g.external_id"},
		"meta.created":      {name: "g.created_at"},
		"meta.lastModified": {name: "g.updated_at"},
	},
	rows: map[string]rows{
		"members": {from: "group_members x", id: "x.group_id", subs: map[string]column{
			"value": {name: "x.member_id", id: true}, "$ref": {name: "x.member_id", id: true}, "type": {name: "x.member_type"}, "display": {name: "x.display"},
		}},
	},
}

// pointed reports whether a filter asks for the one or two resources that have a value in an index.
func pointed(f *identity.Filter) bool {
	if f == nil || f.Op != identity.OpEq || f.Value == nil || f.Attr.Schema != "" {
		return false
	}
	switch f.Attr.Name {
	case "id", "userName", "externalId", "emails":
		return f.Attr.Sub == "" || f.Attr.Sub == "value"
	}
	return false
}

// speaksOf reports whether a filter has a core attribute.
func speaksOf(f *identity.Filter, name string) bool {
	if f == nil {
		return false
	}
	if f.Attr.Name == name && f.Attr.Schema == "" {
		return true
	}
	return slices.ContainsFunc(f.Children, func(child *identity.Filter) bool { return speaksOf(child, name) })
}

// element returns the operand of a sub-attribute of one row; the default is value.
func (r rows) element(sub string) operand {
	if sub == "" {
		sub = "value"
	}
	col, ok := r.subs[sub]
	if !ok {
		return operand{sql: "NULL"}
	}
	if col.key != "" {
		return operand{sql: col.key, folded: true}
	}
	return operand{sql: col.name, id: col.id}
}

// filter adds a filter that was resolved against the schema.
func (b *builder) filter(f *identity.Filter) {
	c := compiler{tx: b.tx, table: b.table, directory: b.directory}
	sql := c.compile(f)
	b.add(sql, c.args...)
}

// compiler writes one filter as SQL. Inside a value path, element is the source of sub-attributes.
type compiler struct {
	tx    *Tx
	table *table
	args  []any

	directory identity.DirectoryID // who asks; may be empty
	element   func(sub string) operand
}

// operand is the left side of a comparison.
type operand struct {
	sql    string
	folded bool // already in lower case
	json   bool // text taken out of JSON: numbers and booleans must be cast
	id     bool
}

func (c *compiler) compile(f *identity.Filter) string {
	switch f.Op {
	case identity.OpAnd, identity.OpOr:
		parts := make([]string, len(f.Children))
		for i, child := range f.Children {
			parts[i] = c.compile(child)
		}
		return "(" + strings.Join(parts, map[identity.FilterOp]string{identity.OpAnd: " AND ", identity.OpOr: " OR "}[f.Op]) + ")"
	case identity.OpNot:
		return "NOT COALESCE(" + c.compile(f.Children[0]) + ", FALSE)"
	case identity.OpExists:
		return c.exists(f.Attr, func() string { return c.compile(f.Children[0]) })
	case identity.OpNone:
		return "(1 = 0)"
	}
	if c.element != nil {
		return c.compare(f, c.element(f.Attr.Sub))
	}
	if f.Attr.MultiValued {
		return c.multi(f)
	}
	return c.compare(f, c.simple(f.Attr))
}

// multi compares each value of a multi-valued attribute: one that fits is enough. "ne" holds when no value is equal.
func (c *compiler) multi(f *identity.Filter) string {
	if f.Op == identity.OpNe {
		eq := *f
		eq.Op = identity.OpEq
		return "NOT " + c.multi(&eq)
	}
	if f.Op == identity.OpEq && f.Value == nil {
		return "NOT " + c.multi(&identity.Filter{Op: identity.OpPr, Attr: f.Attr})
	}
	return c.exists(f.Attr, func() string {
		if f.Attr.Sub == "" && f.Attr.Type == identity.TypeComplex && f.Op == identity.OpPr {
			return "1 = 1"
		}
		return c.compare(f, c.element(f.Attr.Sub))
	})
}

// exists opens a multi-valued attribute, so that inner speaks of one of its elements.
func (c *compiler) exists(a identity.Attribute, inner func() string) string {
	outer := c.element
	defer func() { c.element = outer }()
	if r, ok := c.table.rows[a.Name]; ok && a.Schema == "" {
		c.element = r.element
		if r.owned {
			c.args = append(c.args, null(c.directory))
		}
		if r.once {
			return c.table.id + " IN (SELECT " + r.id + " FROM " + r.from + " WHERE " + inner() + ")"
		}
		return "EXISTS (SELECT 1 FROM " + r.from + " WHERE " + r.id + " = " + c.table.id + " AND " + inner() + ")"
	}
	c.element = func(sub string) operand { return operand{sql: c.jsonElement(sub), json: true} }
	return "EXISTS (SELECT 1 FROM " + c.jsonEach(a) + " WHERE " + inner() + ")"
}

// simple returns the operand of a single-valued attribute.
func (c *compiler) simple(a identity.Attribute) operand {
	name := a.Name
	if a.Sub != "" {
		name += "." + a.Sub
	}
	if col, ok := c.table.columns[name]; ok && a.Schema == "" {
		if col.key != "" && !a.CaseExact {
			return operand{sql: col.key, folded: true}
		}
		return operand{sql: col.name, id: col.id}
	}
	return operand{sql: c.jsonPath(a), json: true}
}

var comparisons = map[identity.FilterOp]string{
	identity.OpEq: "=", identity.OpNe: "<>", identity.OpGt: ">", identity.OpGe: ">=", identity.OpLt: "<", identity.OpLe: "<=",
}

// compare writes one comparison. An attribute that is not there is equal to nothing and different from everything (RFC 7644 3.4.2.2).
func (c *compiler) compare(f *identity.Filter, left operand) string {
	if f.Op == identity.OpPr {
		return c.present(f.Attr, left)
	}
	switch v := f.Value.(type) {
	case nil:
		if f.Op == identity.OpNe {
			return c.present(f.Attr, left)
		}
		return "NOT COALESCE(" + c.present(f.Attr, left) + ", FALSE)"
	case string:
		return c.compareText(f, left, v)
	case bool:
		return c.compareBool(f, left, v)
	case time.Time:
		if left.json {
			return c.compareJSONTime(f, left.sql, v.UTC())
		}
		return c.orMissing(f, left.sql, v.UTC())
	default:
		return c.orMissing(f, c.castNumber(left), v)
	}
}

func (c *compiler) present(a identity.Attribute, left operand) string {
	if !left.id && a.Type == identity.TypeString {
		return "(" + left.sql + " IS NOT NULL AND " + left.sql + " <> '')"
	}
	return "(" + left.sql + " IS NOT NULL)"
}

func (c *compiler) orMissing(f *identity.Filter, left string, value any) string {
	c.args = append(c.args, value)
	s := left + " " + comparisons[f.Op] + " ?"
	if f.Op == identity.OpNe {
		return "(" + left + " IS NULL OR " + s + ")"
	}
	return "(" + s + ")"
}

func (c *compiler) compareText(f *identity.Filter, left operand, value string) string {
	if left.id {
		return c.compareID(f, left, value)
	}
	if !f.Attr.CaseExact {
		value = strings.ToLower(value)
		if !left.folded {
			left.sql = c.fold(left.sql)
		}
	}
	if !left.json && (value == "" || f.Op == identity.OpLt || f.Op == identity.OpLe) {
		return c.compareKept(f, left, value)
	}
	return c.compareFolded(f, left.sql, value)
}

// compareKept compares a column, where an attribute that is not there is an empty text: it is smaller than nothing and holds nothing.
func (c *compiler) compareKept(f *identity.Filter, left operand, value string) string {
	if f.Op == identity.OpNe {
		return "(1 = 1)"
	}
	return "(" + left.sql + " <> '' AND " + c.compareFolded(f, left.sql, value) + ")"
}

// compareFolded compares a text whose case is as the schema wants it.
func (c *compiler) compareFolded(f *identity.Filter, left, value string) string {
	switch f.Op {
	case identity.OpCo:
		return c.like(left, "%"+escapeLike(value)+"%")
	case identity.OpSw:
		return c.like(left, escapeLike(value)+"%")
	case identity.OpEw:
		return c.like(left, "%"+escapeLike(value))
	}
	return c.orMissing(f, left, value)
}

// compareID keeps the index on equality: what is no UUID equals nothing.
func (c *compiler) compareID(f *identity.Filter, left operand, value string) string {
	if f.Op == identity.OpEq || f.Op == identity.OpNe {
		id, ok := identity.ParseID[string](value)
		if !ok {
			return map[identity.FilterOp]string{identity.OpEq: "(1 = 0)", identity.OpNe: "(1 = 1)"}[f.Op]
		}
		return c.orMissing(f, left.sql, id)
	}
	left.id, left.sql = false, "CAST("+left.sql+" AS TEXT)"
	return c.compareText(f, left, value)
}

func (c *compiler) compareBool(f *identity.Filter, left operand, value bool) string {
	if f.Op != identity.OpEq && f.Op != identity.OpNe {
		return "(1 = 0)"
	}
	if left.json {
		if f.Attr.Sub == "primary" { // RFC 7643 2.4: one that is not there is false
			left.sql = "COALESCE(" + left.sql + ", " + c.jsonFalse() + ")"
		}
		if c.tx.postgres() {
			word := map[bool]string{true: "true", false: "false"}[value]
			return c.orMissing(f, left.sql, word)
		}
		return c.orMissing(f, left.sql, map[bool]int{true: 1}[value])
	}
	return c.orMissing(f, left.sql, value)
}

// like matches a pattern whose own wildcards are escaped; both databases are set to respect case.
func (c *compiler) like(left, pattern string) string {
	c.args = append(c.args, pattern)
	return "(" + left + ` LIKE ? ESCAPE '\')`
}

func (c *compiler) fold(sql string) string {
	if c.tx.postgres() {
		return "lower(" + sql + ")"
	}
	return "fold(" + sql + ")"
}

func (c *compiler) compareJSONTime(f *identity.Filter, sql string, value time.Time) string {
	if c.tx.postgres() {
		return c.orMissing(f, c.jsonTime(sql), value)
	}
	return c.orMissing(f, c.jsonTime(sql), value.Format("2006-01-02 15:04:05.000"))
}

// jsonTime turns a text of the JSON column into what times are compared as.
func (c *compiler) jsonTime(sql string) string {
	if c.tx.postgres() {
		return "CAST(substring(" + sql + " from '^([0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:.]+([Zz]|[-+][0-9:]+){0,1})$') AS timestamptz)"
	}
	return "strftime('%Y-%m-%d %H:%M:%f', " + sql + ")"
}

// castNumber gives PostgreSQL the number that a text of the JSON column is; none, where a schema was another one when the text was kept.
func (c *compiler) castNumber(left operand) string {
	if left.json && c.tx.postgres() {
		return "CAST(substring(" + left.sql + " from '^(-{0,1}[0-9]+([.][0-9]+){0,1}([eE][-+]{0,1}[0-9]+){0,1})$') AS numeric)"
	}
	return left.sql
}
