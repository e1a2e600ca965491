package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/drawbridge-id/drawbridge/identity"
)

//go:embed migrations/*/*.sql
var migrations embed.FS

// Migrate brings the tables up to this version of the program. Several replicas may call it at once: on PostgreSQL they wait for
// one lock, on SQLite the one that came second finds the work done.
func (db *DB) Migrate(ctx context.Context) error {
	folder, err := fs.Sub(migrations, "migrations/"+db.driver)
	if err != nil {
		return err
	}
	opts := []goose.ProviderOption{goose.WithVerbose(false)}
	dialect := goose.DialectSQLite3
	if db.driver == driverPostgres {
		dialect = goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60))
		if err != nil {
			return err
		}
		opts = append(opts, goose.WithSessionLocker(locker))
	}
	for try := 1; ; try++ {
		err = db.migrate(ctx, dialect, folder, opts)
		if err == nil || ctx.Err() != nil || try == 5 {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(try) * 100 * time.Millisecond):
		}
	}
	if err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	return db.Update(ctx, func(tx *Tx) error { return tx.checkKey(ctx) })
}

func (db *DB) migrate(ctx context.Context, dialect goose.Dialect, folder fs.FS, opts []goose.ProviderOption) error {
	p, err := goose.NewProvider(dialect, db.write.DB, folder, opts...)
	if err != nil {
		return err
	}
	has, target, err := versions(ctx, p)
	if err != nil {
		return err
	}
	if has > target {
		return identity.Errorf(identity.Precondition, "the database is at version %d, this program knows %d; start the newer program", has, target)
	}
	if has == target {
		return nil
	}
	return db.alone(ctx, func() error {
		_, err := p.Up(ctx) // asks again which version the database has
		return err
	})
}

func versions(ctx context.Context, p *goose.Provider) (has, target int64, err error) {
	has, err = p.GetDBVersion(ctx)
	if err != nil {
		return 0, 0, err
	}
	sources := p.ListSources()
	if len(sources) == 0 {
		return 0, 0, errors.New("no migrations are embedded")
	}
	return has, sources[len(sources)-1].Version, nil
}

// Model is what Seed needs to know of an access model.
type Model interface {
	Name() string
	Source() []byte
	Landing() (tenant string, role identity.RoleID)
	Definitions() []identity.RoleDefinition
	Organisation
}

// Organisation is what an access model says of tenants, units and types of people.
type Organisation interface {
	Single() bool
	MainTenant() string
	RootUnit() (name string, ok bool)
	UserTypes() []identity.UserType
}

// Seed makes sure that the landing tenant exists, and at the very first start puts the access model with its roles in force; later on the database owns
// them. It may be called at every start.
func (db *DB) Seed(ctx context.Context, m Model) error {
	return db.Update(ctx, func(tx *Tx) error {
		landing, _ := m.Landing()
		if err := tx.seedLanding(ctx, landing); err != nil {
			return err
		}
		_, err := tx.AccessModelRecord(ctx, identity.DefaultApplication)
		if identity.KindOf(err) == identity.NotFound {
			err = tx.seedModel(ctx, m)
		}
		return err
	})
}

func (tx *Tx) seedModel(ctx context.Context, m Model) error {
	if err := tx.Lock(ctx, "access model"); err != nil {
		return err
	}
	if _, err := tx.AccessModelRecord(ctx, identity.DefaultApplication); identity.KindOf(err) != identity.NotFound {
		return err // another replica was quicker
	}
	for _, d := range m.Definitions() {
		d.Version = 1
		if err := tx.PutRole(ctx, d); err != nil {
			return err
		}
	}
	if err := tx.SeedOrganisation(ctx, m); err != nil {
		return err
	}
	return tx.PutAccessModel(ctx, AccessModelRecord{Application: identity.DefaultApplication, Name: m.Name(), Document: m.Source(), AppliedBy: "the first start"})
}

// SeedOrganisation makes sure that what an access model says of the organisation is there: the one tenant of an installation that has one, the root unit of
// every tenant, and the types of people. Whoever puts a model in force calls it in the same transaction.
func (tx *Tx) SeedOrganisation(ctx context.Context, m Organisation) error {
	if m.Single() {
		if err := tx.seedMain(ctx, m.MainTenant()); err != nil {
			return err
		}
	}
	if name, ok := m.RootUnit(); ok {
		if err := tx.SeedRoots(ctx, name); err != nil {
			return err
		}
	}
	return tx.SeedUserTypes(ctx, identity.DefaultApplication, m.UserTypes())
}
