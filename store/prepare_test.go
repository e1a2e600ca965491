package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"sync/atomic"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// parses counts the statements that a program prepares: those of a session have a name.
type parses struct {
	named, unnamed, setup atomic.Int64
}

func (p *parses) said(kind byte, body []byte) {
	if bytes.Contains(body, []byte("plan_cache_mode")) && bytes.Contains(body, []byte("max_parallel_workers_per_gather = 0")) {
		p.setup.Add(1)
	}
	switch {
	case kind != 'P':
	case len(body) > 0 && body[0] != 0:
		p.named.Add(1)
	default:
		p.unnamed.Add(1)
	}
}

// asPooler makes the server's process id one that the pooler made up, as pgbouncer does.
func asPooler(kind byte, body []byte) {
	if kind == 'K' {
		body[0] ^= 0x40
	}
}

// work runs methods of every kind some times each: reads, locks, single statements, transactions, and writes that travel together.
func work(ctx context.Context, t *testing.T, db *store.DB) {
	t.Helper()
	home := identity.Tenant{ID: identity.NewID[identity.TenantID](), Name: "T" + string(identity.NewID[identity.TenantID]())}
	d := identity.Directory{ID: identity.NewID[identity.DirectoryID](), TenantID: home.ID, Name: "D" + home.Name, Dialect: "standard", Enabled: true}
	change(t, db, func(tx *store.Tx) error {
		if err := tx.InsertTenant(ctx, home); err != nil {
			return err
		}
		return tx.InsertDirectory(ctx, d)
	})
	scope := store.OfDirectory(d.ID, home.ID)
	for range 4 {
		u := newUser(home.ID)
		change(t, db, func(tx *store.Tx) error {
			if err := tx.InsertUser(ctx, u); err != nil {
				return err
			}
			return tx.PutDirectoryLink(ctx, identity.DirectoryLink{DirectoryID: d.ID, UserID: u.ID, ExternalID: u.UserName, Active: true})
		})
		change(t, db, func(tx *store.Tx) error {
			before, _, err := tx.UserForChange(ctx, scope, u.ID)
			if err != nil {
				return err
			}
			after := before
			after.DisplayName, after.Version = "changed", before.Version+1
			return tx.UpdateUser(ctx, before, after)
		})
		readBack(ctx, t, db, scope, u)
		g := identity.Group{ID: identity.NewID[identity.GroupID](), DirectoryID: d.ID, TenantID: home.ID, DisplayName: "G", Version: 1}
		change(t, db, func(tx *store.Tx) error { return tx.InsertGroup(ctx, g) })
		change(t, db, func(tx *store.Tx) error {
			tx.ChangeMembers(g.ID, []identity.Member{{ID: string(u.ID), Type: identity.MemberUser, Display: "changed"}}, nil)
			return nil
		})
		change(t, db, func(tx *store.Tx) error {
			got, err := tx.GroupForUpdate(ctx, scope, g.ID)
			if err == nil && got.Version != 2 {
				t.Errorf("the group has version %d", got.Version)
			}
			return err
		})
	}
}

func readBack(ctx context.Context, t *testing.T, db *store.DB, scope store.Scope, u identity.User) {
	t.Helper()
	err := db.View(ctx, func(tx *store.Tx) error {
		got, err := tx.PushedUser(ctx, scope, u.ID)
		if err != nil || got.DisplayName != "changed" || got.ExternalID != u.UserName {
			t.Errorf("%+v %v", got, err)
		}
		found, err := tx.UsersByExternalID(ctx, scope, u.UserName, 2)
		if err != nil || len(found) != 1 {
			t.Errorf("%d found, %v", len(found), err)
		}
		page, err := tx.Users(ctx, scope, identity.Query{Limit: 100, Total: true, Lean: true})
		if int(page.Total) != len(page.Items) || page.Total == 0 {
			t.Errorf("%d of %d", len(page.Items), page.Total)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func change(t *testing.T, db *store.DB, fn func(*store.Tx) error) {
	t.Helper()
	if err := db.Update(t.Context(), fn); err != nil {
		t.Error(err)
	}
}

// newUser returns a user of a tenant with a name of its own.
func newUser(tenant identity.TenantID) identity.User {
	id := identity.NewID[identity.UserID]()
	return identity.User{ID: id, TenantID: tenant, UserName: "u" + string(id), DisplayName: "U", Enabled: true, Version: 1}
}

// migrated returns the address of an empty database that is migrated and seeded.
func migrated(t *testing.T, url string) string {
	t.Helper()
	storetest.Open(t, url)
	return url
}

func TestADirectConnectionPreparesWhatItSeesAgain(t *testing.T) {
	var p parses
	w := wire{said: p.said}
	db := open(t, w.listen(t, migrated(t, storetest.PostgresURL(t))), storetest.SecretKey())
	work(t.Context(), t, db)
	if p.named.Load() == 0 || p.setup.Load() == 0 {
		t.Errorf("%d statements were prepared, %d sessions told how to plan", p.named.Load(), p.setup.Load())
	}
	before, execs := p.named.Load(), p.unnamed.Load()
	work(t.Context(), t, db)
	if grown := p.named.Load() - before; grown > before/2 {
		t.Errorf("%d statements were prepared again, after %d", grown, before)
	}
	if grown := p.unnamed.Load() - execs; grown > execs/2 {
		t.Errorf("%d statements were not prepared the second time, %d the first", grown, execs)
	}
}

func TestBehindAPoolerNothingIsPrepared(t *testing.T) {
	var p parses
	w := wire{said: p.said, answer: asPooler}
	db := open(t, w.listen(t, migrated(t, storetest.PostgresURL(t))), storetest.SecretKey())
	for range 2 {
		work(t.Context(), t, db)
	}
	if p.named.Load() != 0 || p.setup.Load() != 0 || p.unnamed.Load() == 0 {
		t.Errorf("%d prepared, %d settings, %d unprepared", p.named.Load(), p.setup.Load(), p.unnamed.Load())
	}
}

func TestAMigrationByAnotherReplicaBreaksNoPreparedStatement(t *testing.T) {
	for name, ddl := range map[string]string{
		"the type of a result":   `ALTER TABLE users ALTER COLUMN display_name TYPE VARCHAR(500)`,
		"the type of a key":      `ALTER TABLE directory_users ALTER COLUMN external_id TYPE UUID USING CAST(substr(external_id, 2) AS UUID)`,
		"the type of a new cell": `ALTER TABLE users ALTER COLUMN attributes TYPE JSON`,
		"a new column":           `ALTER TABLE users ADD COLUMN shoe_size INTEGER NOT NULL DEFAULT 0`,
	} {
		t.Run(name, func(t *testing.T) {
			url := migrated(t, storetest.PostgresURL(t))
			db := open(t, url, storetest.SecretKey())
			work(t.Context(), t, db)
			other, err := sql.Open("postgres", url)
			if err != nil {
				t.Fatal(err)
			}
			defer other.Close()
			if _, err := other.ExecContext(t.Context(), ddl); err != nil {
				t.Fatal(err)
			}
			answersStill(t, db)
		})
	}
}

// answersStill looks for somebody by an id that is text as well as a UUID, and creates somebody.
func answersStill(t *testing.T, db *store.DB) {
	t.Helper()
	for range 3 {
		id := identity.NewID[identity.DirectoryID]()
		err := db.View(t.Context(), func(tx *store.Tx) error {
			_, err := tx.UsersByExternalID(t.Context(), store.OfDirectory(id, identity.TenantID(id)), string(id), 2)
			return err
		})
		if err != nil {
			t.Error(err)
		}
		u := newUser(identity.NewID[identity.TenantID]())
		change(t, db, func(tx *store.Tx) error { return tx.InsertUser(t.Context(), u) })
		change(t, db, func(tx *store.Tx) error {
			before, err := tx.UserForUpdate(t.Context(), store.Everything(), u.ID)
			if err != nil {
				return err
			}
			after := before
			after.DisplayName = "changed"
			return tx.UpdateUser(t.Context(), before, after)
		})
	}
}
