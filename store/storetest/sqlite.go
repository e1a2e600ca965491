package storetest

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/drawbridge-id/drawbridge/store"
)

// SQLite returns a migrated and seeded SQLite database in a folder of its own. Test and folder end together.
func SQLite(t testing.TB) *store.DB {
	t.Helper()
	db, _ := freshSQLite(t)
	return db
}

// SQLiteURL returns the URL of a SQLite database that does not exist yet, in a folder of its own.
func SQLiteURL(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "drawbridge.db")
}

// sqliteTemplate returns the bytes of a migrated and seeded database file; migrating once a process keeps tests quick.
var sqliteTemplate = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "drawbridge-sqlite-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "template.db")
	if err := prepareTemplate("sqlite:" + path); err != nil {
		return nil, err
	}
	if wal, err := os.Stat(path + "-wal"); err == nil && wal.Size() > 0 {
		return nil, errors.New("the closed database left a write-ahead log behind: its file alone is no copy")
	}
	return os.ReadFile(path)
})
