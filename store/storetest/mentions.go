package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
)

// Mentions returns where in the database at the URL a text stands, as table.column, in any case: what is said to be gone can be shown to be gone. It reads
// all columns of text; what is sealed it cannot see.
func Mentions(t testing.TB, url, word string) []string {
	t.Helper()
	ctx := context.Background()
	driver, source, cols := "postgres", url, `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' AND data_type IN ('text', 'jsonb', 'json', 'uuid')`
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, source, cols = "sqlite", "file:"+path, `SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'`
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var found []string
	for _, at := range columns(ctx, t, db, cols) {
		var n int
		query := fmt.Sprintf(`SELECT count(*) FROM %q WHERE lower(CAST(%q AS TEXT)) LIKE '%%%s%%'`, at[0], at[1], strings.ToLower(word))
		if err := db.QueryRowContext(ctx, query).Scan(&n); err != nil {
			t.Fatal(at, err)
		}
		if n > 0 {
			found = append(found, at[0]+"."+at[1])
		}
	}
	return found
}

// columns returns pairs of a table and a column.
func columns(ctx context.Context, t testing.TB, db *sql.DB, query string) (out [][2]string) {
	t.Helper()
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var at [2]string
		if err := rows.Scan(&at[0], &at[1]); err != nil {
			t.Fatal(err)
		}
		out = append(out, at)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
