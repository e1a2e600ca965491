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
// depend on how many there are.
func (tx *Tx) insert(ctx context.Context, r rowsOf, args []any) error {
	n := len(r.columns)
	if tx.postgres() && len(args) >= fewRows*n {
		return tx.later(ctx, r.byArrays(), arrays(args, n)...)
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

func (r rowsOf) byArrays() string {
	return r.head() + "SELECT " + unnested(r.columns) + r.after
}

// unnested is the part of a statement that reads columns from one array each: "CAST(r.id AS uuid), … FROM unnest(…) AS r(id, …)".
func unnested(columns []cell) string {
	values, sources, names := make([]string, len(columns)), make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		values[i], sources[i], names[i] = "r."+c.name, "CAST(? AS "+c.kind+"[])", c.name
		if c.kind == "jsonb" || c.kind == "json" { // an array of texts is read faster
			values[i], sources[i] = "CAST(r."+c.name+" AS "+c.kind+")", "CAST(? AS text[])"
		}
	}
	return strings.Join(values, ", ") + " FROM unnest(" + strings.Join(sources, ", ") + ") AS r(" + strings.Join(names, ", ") + ")"
}

// arrays turns rows of n values into an array literal a column.
func arrays(args []any, n int) []any {
	out := make([]any, n)
	var b []byte
	for c := range n {
		b = append(b[:0], '{')
		for at := c; at < len(args); at += n {
			if at > c {
				b = append(b, ',')
			}
			b = appendElement(b, args[at])
		}
		out[c] = string(append(b, '}'))
	}
	return out
}

// textArray is an array literal of texts.
func textArray[T ~string](list []T) string {
	b := []byte{'{'}
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendQuoted(b, string(s))
	}
	return string(append(b, '}'))
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
