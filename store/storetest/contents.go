package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/store"
)

// Fresh opens one more database of a kind, migrated, seeded and otherwise empty, and returns its URL. It ends with the test.
type Fresh func(t testing.TB) (db *store.DB, url string)

// EachFresh runs the test on every kind of database, with a way to make as many of them as it needs. The PostgreSQL part skips or fails as Each does.
func EachFresh(t *testing.T, test func(t *testing.T, fresh Fresh)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, freshSQLite) })
	t.Run("postgres", func(t *testing.T) { runningServer(t); test(t, freshPostgres) })
}

func freshSQLite(t testing.TB) (*store.DB, string) {
	t.Helper()
	template, err := sqliteTemplate()
	if err != nil {
		t.Fatalf("the SQLite template could not be made: %v", err)
	}
	path := filepath.Join(t.TempDir(), "drawbridge.db")
	if err := os.WriteFile(path, template, 0o600); err != nil {
		t.Fatal(err)
	}
	return reopen(t, "sqlite:"+path), "sqlite:" + path
}

func freshPostgres(t testing.TB) (*store.DB, string) {
	t.Helper()
	s := runningServer(t)
	if err := s.template(); err != nil {
		t.Fatalf("the PostgreSQL template could not be made: %v", err)
	}
	url := s.newDatabase(t, templateName)
	return reopen(t, url), url
}

// Row is one row of a table, by column.
type Row map[string]string

// String writes a row so that equal rows are equal texts.
func (r Row) String() string { return fmt.Sprint(map[string]string(r)) }

// Rows returns all rows of some tables of the database at the URL, in no order. What is NULL is the empty text.
func Rows(t testing.TB, url string, tables ...string) map[string][]Row {
	t.Helper()
	ctx := context.Background()
	driver, source, cols := "postgres", url, `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'`
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, source, cols = "sqlite", "file:"+path, `SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'`
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	names := map[string][]string{}
	for _, at := range columns(ctx, t, db, cols) {
		names[at[0]] = append(names[at[0]], at[1])
	}
	out := map[string][]Row{}
	for _, table := range tables {
		out[table] = rowsOf(ctx, t, db, table, names[table])
	}
	return out
}

func rowsOf(ctx context.Context, t testing.TB, db *sql.DB, table string, names []string) (out []Row) {
	t.Helper()
	rows, err := db.QueryContext(ctx, fmt.Sprintf(`SELECT "%s" FROM %q`, strings.Join(names, `", "`), table))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		cells := make([]sql.NullString, len(names))
		into := make([]any, len(names))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		r := Row{}
		for i, name := range names {
			r[name] = cells[i].String
		}
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// Exec changes the database at the URL as no method does, such as to make something long ago.
func Exec(t testing.TB, url, statement string) {
	t.Helper()
	driver, source := "postgres", url
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, source = "sqlite", "file:"+path+"?_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(context.Background(), statement); err != nil {
		t.Fatal(err)
	}
}
