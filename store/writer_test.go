package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// soon is how long a test waits for what must not hang.
const soon = 20 * time.Second

// gathering holds the one writer of a SQLite database back, so that the changes that come meanwhile share a transaction.
type gathering struct {
	t       *testing.T
	db      *store.DB
	release chan struct{}
	running sync.WaitGroup
}

// gather returns when the writer is held back.
func gather(t *testing.T, db *store.DB) *gathering {
	t.Helper()
	g := &gathering{t: t, db: db, release: make(chan struct{})}
	begun := make(chan struct{})
	g.running.Go(func() {
		err := db.Update(context.Background(), func(*store.Tx) error {
			close(begun)
			<-g.release
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-begun
	return g
}

// add starts a change that waits for the writer; done gets its error, or what it panicked with.
func (g *gathering) add(ctx context.Context, fn func(*store.Tx) error, done func(err error, failed any)) {
	g.running.Go(func() {
		var err error
		defer func() { done(err, recover()) }()
		err = g.db.Update(ctx, fn)
	})
}

// end lets the writer go on and waits for all.
func (g *gathering) end() {
	g.t.Helper()
	close(g.release)
	within(g.t, g.running.Wait)
}

// within fails the test when a function does not return soon.
func within(t *testing.T, fn func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { fn(); close(done) }()
	select {
	case <-done:
	case <-time.After(soon):
		t.Fatal("something hangs")
	}
}

func named(name string) identity.Tenant {
	return identity.Tenant{ID: identity.NewID[identity.TenantID](), Name: name}
}

// tenantNames returns the names of all tenants but the landing one.
func tenantNames(t *testing.T, db *store.DB) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := db.View(t.Context(), func(tx *store.Tx) error {
		page, err := tx.Tenants(t.Context(), store.Everything(), identity.Query{Limit: 1000})
		for _, x := range page.Items {
			if !x.Landing {
				names[x.Name] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func wantNames(t *testing.T, db *store.DB, want ...string) {
	t.Helper()
	got := tenantNames(t, db)
	if len(got) != len(want) {
		t.Errorf("%d tenants, want %d: %v", len(got), len(want), got)
	}
	for _, name := range want {
		if !got[name] {
			t.Errorf("%s is not there", name)
		}
	}
}

func TestChangesThatWaitShareATransactionAndEachSeesItsOwnResult(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	db := storetest.Open(t, "sqlite:"+path)
	other, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	g := gather(t, db)
	var want []string
	most := 0
	for i := range 40 {
		name := fmt.Sprint("T", i)
		want = append(want, name)
		x := named(name)
		g.add(t.Context(), func(tx *store.Tx) error {
			if err := tx.InsertTenant(t.Context(), x); err != nil {
				return err
			}
			if got, err := tx.TenantByName(t.Context(), store.Everything(), name); err != nil || got.ID != x.ID {
				t.Errorf("%s does not see its own tenant: %+v %v", name, got, err)
			}
			page, err := tx.Tenants(t.Context(), store.Everything(), identity.Query{Limit: 1, Total: true})
			var committed int
			if err == nil {
				err = other.QueryRow(`SELECT count(*) FROM tenants`).Scan(&committed)
			}
			most = max(most, int(page.Total)-committed) // only the writer runs this
			return err
		}, func(err error, failed any) {
			if err != nil || failed != nil {
				t.Error(err, failed)
			}
			if !tenantNames(t, db)[name] {
				t.Errorf("%s was answered before it was committed", name)
			}
		})
	}
	g.end()
	if most < 2 {
		t.Errorf("at most %d changes were in one transaction", most)
	}
	wantNames(t, db, want...)
}

func TestAChangeThatFailsUndoesOnlyItself(t *testing.T) {
	db := storetest.SQLite(t)
	g := gather(t, db)
	refused := errors.New("no")
	taken := named("Taken")
	for i := range 12 {
		x := named(fmt.Sprint("T", i))
		g.add(t.Context(), func(tx *store.Tx) error {
			err := tx.InsertTenant(t.Context(), x)
			switch {
			case err != nil:
				return err
			case i%3 == 1:
				return refused
			case i%3 == 2: // what the database refuses
				return errors.Join(tx.InsertTenant(t.Context(), taken), tx.InsertTenant(t.Context(), taken))
			}
			return nil
		}, func(err error, failed any) {
			ok := i%3 == 0 && err == nil || i%3 == 1 && errors.Is(err, refused) || i%3 == 2 && err != nil && strings.Contains(err.Error(), "already exists")
			if !ok || failed != nil {
				t.Errorf("change %d: %v, %v", i, err, failed)
			}
		})
	}
	g.end()
	wantNames(t, db, "T0", "T3", "T6", "T9")
}

func TestAChangeThatPanicsPanicsInItsCallerAndHarmsNobody(t *testing.T) {
	db := storetest.SQLite(t)
	g := gather(t, db)
	for i := range 9 {
		x := named(fmt.Sprint("T", i))
		g.add(t.Context(), func(tx *store.Tx) error {
			err := tx.InsertTenant(t.Context(), x)
			if i == 4 {
				panic("four")
			}
			return err
		}, func(err error, failed any) {
			if err != nil || (failed != nil) != (i == 4) || i == 4 && failed != "four" {
				t.Errorf("change %d: %v, %v", i, err, failed)
			}
		})
	}
	g.end()
	wantNames(t, db, "T0", "T1", "T2", "T3", "T5", "T6", "T7", "T8")
	func() {
		defer func() {
			if recover() != "alone" {
				t.Error("a change that was alone did not panic")
			}
		}()
		_ = db.Update(t.Context(), func(tx *store.Tx) error {
			if err := tx.InsertTenant(t.Context(), named("Alone")); err != nil {
				t.Error(err)
			}
			panic("alone")
		})
	}()
	change(t, db, func(tx *store.Tx) error { return tx.InsertTenant(t.Context(), named("After")) })
	wantNames(t, db, "T0", "T1", "T2", "T3", "T5", "T6", "T7", "T8", "After")
}

func TestACancelledChangeDoesNothingBeforeItBeginsAndHarmsNobodyAfter(t *testing.T) {
	db := storetest.SQLite(t)
	before, cancelBefore := context.WithCancel(t.Context())
	during, cancelDuring := context.WithCancel(t.Context())
	defer cancelDuring()
	g := gather(t, db)
	add := func(ctx context.Context, name string, then func(), done func(error, any)) {
		g.add(ctx, func(tx *store.Tx) error {
			err := tx.InsertTenant(ctx, named(name))
			then()
			if err == nil {
				_, err = tx.TenantByName(ctx, store.Everything(), name) // the statement is not interrupted: that would undo everybody's changes
			}
			return err
		}, done)
	}
	fine := func(err error, failed any) {
		if err != nil || failed != nil {
			t.Error(err, failed)
		}
	}
	nothing := func() {}
	add(t.Context(), "First", nothing, fine)
	add(before, "Never", func() { t.Error("a cancelled change began") }, func(err error, _ any) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	add(during, "During", cancelDuring, func(error, any) {})
	add(t.Context(), "Last", nothing, fine)
	cancelBefore()
	g.end()
	got := tenantNames(t, db)
	if !got["First"] || !got["Last"] || got["Never"] {
		t.Errorf("%v", got)
	}
	if err := db.Update(before, func(*store.Tx) error { t.Error("it began"); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestCloseAnswersTheChangesThatWait(t *testing.T) {
	url := migrated(t, storetest.SQLiteURL(t))
	db, err := store.Open(t.Context(), url, store.Options{SecretKey: storetest.SecretKey()})
	if err != nil {
		t.Fatal(err)
	}
	g := gather(t, db)
	var mu sync.Mutex
	answered := 0
	var made []string
	for i := range 600 { // more than may wait inside
		x := named(fmt.Sprint("T", i))
		g.add(t.Context(), func(tx *store.Tx) error { return tx.InsertTenant(t.Context(), x) }, func(err error, failed any) {
			mu.Lock()
			defer mu.Unlock()
			answered++
			if err == nil {
				made = append(made, x.Name)
			}
			if failed != nil {
				t.Error(failed)
			}
		})
	}
	g.running.Go(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	g.end()
	if answered != 600 {
		t.Errorf("%d of 600 were answered", answered)
	}
	within(t, func() {
		if err := db.Update(t.Context(), func(*store.Tx) error { return nil }); err == nil {
			t.Error("a closed database made a change")
		}
	})
	wantNames(t, storetest.Open(t, url), made...)
}
