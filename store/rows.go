package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// cell is a column into which rows are written, with its type on PostgreSQL.
type cell struct{ name, kind string }

// rowsOf says where rows are written: the table, its columns, and what follows the values, such as ON CONFLICT.
type rowsOf struct {
	table   string
	columns []cell
	after   string
}

// fewRows is below how many rows a statement has its values one by one: each number of rows is then a text of its own.
const fewRows = 8

// mostValues is how many parameters a statement of SQLite may have.
const mostValues = 32766

// insert writes rows, whose values stand in args one row behind the other. On PostgreSQL many rows are one array a column, so that the text of the statement does not
// depend on how many there are; a column that says the same in all of them is one value.
func (tx *Tx) insert(ctx context.Context, r rowsOf, args []any) error {
	n := len(r.columns)
	if tx.postgres() && len(args) >= fewRows*n {
		query, values := r.byArrays(args)
		return tx.later(ctx, query, values...)
	}
	for most := mostValues / n * n; len(args) > most; args = args[most:] {
		if err := tx.later(ctx, r.byValues(most/n), args[:most]...); err != nil {
			return err
		}
	}
	if len(args) == 0 {
		return nil
	}
	return tx.later(ctx, r.byValues(len(args)/n), args...)
}

func (r rowsOf) head() string {
	names := make([]string, len(r.columns))
	for i, c := range r.columns {
		names[i] = c.name
	}
	return "INSERT INTO " + r.table + " (" + strings.Join(names, ", ") + ") "
}

func (r rowsOf) byValues(rows int) string {
	return r.head() + "VALUES " + manyRows(len(r.columns), rows) + r.after
}

// byArrays is "INSERT … SELECT CAST(? AS text), r.id, … FROM unnest(…) AS r(id, …)" with its arguments. There is an array always, which says how many rows there are.
func (r rowsOf) byArrays(args []any) (string, []any) {
	n := len(r.columns)
	var values, sources, names []string
	var before, lists []any
	for i, c := range r.columns {
		if i < n-1 || len(lists) > 0 {
			if constant(args, i, n) {
				values, before = append(values, "CAST(? AS "+c.kind+")"), append(before, scalar(args[i]))
				continue
			}
		}
		value, source := "r."+c.name, "CAST(? AS "+c.kind+"[])"
		if c.kind == "jsonb" || c.kind == "json" { // an array of texts is read faster
			value, source = "CAST(r."+c.name+" AS "+c.kind+")", "CAST(? AS text[])"
		}
		values, sources, names = append(values, value), append(sources, source), append(names, c.name)
		lists = append(lists, arrayOf(c.kind, args, i, n))
	}
	return r.head() + "SELECT " + strings.Join(values, ", ") + " FROM unnest(" + strings.Join(sources, ", ") + ") AS r(" + strings.Join(names, ", ") + ")" + r.after, append(before, lists...)
}

// constant reports whether a column of rows of n values says the same in all of them.
func constant(args []any, column, n int) bool {
	for at := column + n; at < len(args); at += n {
		if !equal(args[at], args[column]) {
			return false
		}
	}
	return true
}

func equal(a, b any) bool {
	switch x := a.(type) {
	case *time.Time:
		y, ok := b.(*time.Time)
		return ok && (x == nil && y == nil || x != nil && y != nil && x.Equal(*y))
	case []byte:
		y, ok := b.([]byte)
		return ok && len(x)+len(y) == 0
	case nil, string, bool, int, int64, time.Time:
		return a == b
	}
	return false
}

// scalar is a value that stands for a column. PostgreSQL takes bytes as they are, and a nil pointer as NULL.
func scalar(v any) any {
	if at, ok := v.(*time.Time); ok && at == nil {
		return nil
	}
	return v
}

// array is the literal of a column of rows of n values.
func array(args []any, column, n int) string {
	size := 2
	for at := column; at < len(args); at += n {
		size += elementSize(args[at])
	}
	b := append(make([]byte, 0, size), '{')
	for at := column; at < len(args); at += n {
		if at > column {
			b = append(b, ',')
		}
		b = appendElement(b, args[at])
	}
	return string(append(b, '}'))
}

// elementSize is about how many bytes appendElement writes, and a comma.
func elementSize(value any) int {
	switch v := value.(type) {
	case string:
		return len(v) + len(v)/8 + 4
	case []byte:
		return 2*len(v) + 8
	}
	return 32
}

// appendElement writes one value as an element of an array literal.
func appendElement(b []byte, value any) []byte {
	switch v := value.(type) {
	case nil:
		return append(b, "NULL"...)
	case string:
		return appendQuoted(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case time.Time:
		return appendTime(b, v)
	case *time.Time:
		if v == nil {
			return append(b, "NULL"...)
		}
		return appendTime(b, *v)
	case []byte:
		b = append(b, `"\\x`...)
		return append(appendHex(b, v), '"')
	}
	return appendQuoted(b, fmt.Sprint(value))
}

func appendTime(b []byte, t time.Time) []byte {
	return append(t.UTC().AppendFormat(append(b, '"'), "2006-01-02 15:04:05.999999Z07:00"), '"')
}

func appendHex(b, raw []byte) []byte {
	const digits = "0123456789abcdef"
	for _, c := range raw {
		b = append(b, digits[c>>4], digits[c&15])
	}
	return b
}

// appendQuoted writes a text as an element of an array literal.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b = append(append(b, s[from:i]...), '\\')
			from = i
		}
	}
	return append(append(b, s[from:]...), '"')
}
