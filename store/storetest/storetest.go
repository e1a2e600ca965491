package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// Model is the access model whose roles and landing tenant every database of this package is seeded with.
const Model = "etlworks"

// setupTime is how long a database may take to be made, on a slow machine that does other things too.
const setupTime = 2 * time.Minute

// SecretKey returns the 32 bytes that seal secrets in every database of this package, so that several replicas can open one.
func SecretKey() []byte { return []byte("storetest: thirty-two bytes, yes") }

// Each runs the test on every kind of database, each time on a fresh one that is migrated, seeded and otherwise empty.
// The PostgreSQL part skips, or fails under DRAWBRIDGE_TEST_POSTGRES=require, where no server program is installed.
func Each(t *testing.T, test func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, Postgres(t)) })
}

// EachURL runs the test on the URL of every kind of database, each time an empty one that was never migrated. It is for tests
// that start the whole program, or several replicas with Open.
func EachURL(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLiteURL(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, PostgresURL(t)) })
}

// Open opens the database at the URL as one more replica would: it migrates and seeds where that was not done yet.
// The database is closed when the test ends.
func Open(t testing.TB, url string) *store.DB {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), setupTime)
	defer cancel()
	db, err := prepare(ctx, url)
	if err != nil {
		t.Fatalf("the test database could not be opened: %v", err)
	}
	closeAfter(t, db)
	return db
}

// reopen opens a database that is migrated and seeded already.
func reopen(t testing.TB, url string) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), url, store.Options{SecretKey: SecretKey()})
	if err != nil {
		t.Fatalf("the test database could not be opened: %v", err)
	}
	closeAfter(t, db)
	return db
}

func closeAfter(t testing.TB, db *store.DB) {
	t.Helper()
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("the test database could not be closed: %v", err)
		}
	})
}

// prepare opens, migrates and seeds.
func prepare(ctx context.Context, url string) (*store.DB, error) {
	model, err := access.Load(Model)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, url, store.Options{SecretKey: SecretKey()})
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx); err != nil {
		db.Close()
		return nil, err
	}
	if err := db.Seed(ctx, model); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// prepareTemplate makes the database at the URL ready to be copied: migrated, seeded, closed.
func prepareTemplate(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), setupTime)
	defer cancel()
	db, err := prepare(ctx, url)
	if err != nil {
		return err
	}
	return db.Close()
}

// Preset puts another built-in access model in force in a fresh database and returns it; nobody may hold a role yet.
func Preset(t testing.TB, db *store.DB, name string) *access.Model {
	t.Helper()
	model, err := access.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	err = db.Update(ctx, func(tx *store.Tx) error {
		old, err := tx.RoleDefinitions(ctx, identity.DefaultApplication)
		if err != nil {
			return err
		}
		for _, d := range old {
			if err := tx.DeleteRole(ctx, d.Application, d.ID); err != nil {
				return err
			}
		}
		for _, d := range model.Definitions() {
			d.Version = 1
			if err := tx.PutRole(ctx, d); err != nil {
				return err
			}
		}
		if err := tx.SeedOrganisation(ctx, model); err != nil {
			return err
		}
		return tx.PutAccessModel(ctx, store.AccessModelRecord{Application: identity.DefaultApplication, Name: model.Name(), Document: model.Source(), AppliedBy: "test"})
	})
	if err == nil {
		err = db.View(ctx, func(tx *store.Tx) error { return model.Refresh(ctx, tx) })
	}
	if err != nil {
		t.Fatal(err)
	}
	return model
}
