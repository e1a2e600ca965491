package store

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"

	"modernc.org/sqlite"
)

// alone runs fn while no other program migrates the same database. On SQLite, where each migration is a transaction of its own, a second program could otherwise carry
// one out again that the first has done. It is a lock on an empty file beside the database, which ends with the program that has it, however that ends.
// On PostgreSQL goose's own lock does the same.
func (db *DB) alone(ctx context.Context, fn func() error) (err error) {
	if db.path == "" {
		return fn()
	}
	beside := db.path + "-migrating"
	connector, err := sqlite.NewConnector("file:" + (&url.URL{Path: beside}).EscapedPath() + "?_pragma=busy_timeout(300000)&_txlock=exclusive")
	if err != nil {
		return err
	}
	lock := sql.OpenDB(connector)
	defer func() { err = errors.Join(err, lock.Close()) }()
	tx, err := lock.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err == nil {
			err = os.Remove(beside) // whoever waits for the old file finds nothing left to do
		}
		if errors.Is(err, os.ErrNotExist) {
			err = nil // another one, which found nothing left to do, was quicker
		}
		err = errors.Join(err, tx.Rollback())
	}()
	return fn()
}
