package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// builder gathers the conditions of one list. Values are always arguments; only texts of this package become SQL.
type builder struct {
	tx    *Tx
	table *table

	directory identity.DirectoryID // who asks; may be empty
	conds     []string
	args      []any
}

func (b *builder) add(cond string, args ...any) {
	b.conds = append(slices.Clip(b.conds), cond)
	b.args = append(slices.Clip(b.args), args...)
}

func (b *builder) where() string {
	if len(b.conds) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(b.conds, " AND ")
}

// total counts the matches when the query asks for it.
func (b *builder) total(ctx context.Context, q identity.Query, tables string, first []any) (int64, error) {
	if !q.Total {
		return 0, nil
	}
	var n []int64
	err := b.tx.listBuilt(ctx, &n, `SELECT count(*)`+tables+b.where(), append(append([]any{}, first...), b.args...)...)
	if err != nil {
		return 0, err
	}
	return n[0], nil
}

// totalOf returns how many matches a list has in all. A page behind which nothing comes says so by itself.
func totalOf(q identity.Query, items int, more bool, count func() (int64, error)) (int64, error) {
	switch {
	case !q.Total:
		return 0, nil
	case q.Limit > 0 && !more && q.After == "" && (items > 0 || q.Offset == 0):
		return int64(q.Offset + items), nil
	}
	return count()
}

// after adds the keyset condition.
func (b *builder) after(column string, q identity.Query) {
	if q.After == "" {
		return
	}
	if s, ok := b.sortTerm(q); ok {
		cond, args := s.after(q.Sort.Descending, column, q.AfterKey, q.After)
		b.add(cond, args...)
		return
	}
	if q.Newest {
		b.add(column+" < ?", q.After)
	} else {
		b.add(column+" > ?", q.After)
	}
}

// order returns ORDER BY with LIMIT and OFFSET; one row more than asked for tells whether there is a next page.
func (b *builder) order(column string, q identity.Query) string {
	direction := ""
	if q.Newest {
		direction = " DESC"
	}
	sort := ""
	if s, ok := b.sortTerm(q); ok {
		sort = s.order(q.Sort.Descending)
	}
	s := " ORDER BY " + sort + column + direction + fmt.Sprintf(" LIMIT %d", q.Limit+1)
	if q.Offset > 0 {
		s += fmt.Sprintf(" OFFSET %d", q.Offset)
	}
	return s
}

func cut[T any](rows []T, limit int) ([]T, bool) {
	if len(rows) > limit {
		return rows[:limit], true
	}
	return rows, false
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func escapeLike(s string) string { return likeEscaper.Replace(s) }
