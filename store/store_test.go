package store_test

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func secretKey() []byte {
	key := make([]byte, 32)
	rand.Read(key)
	return key
}

// eachURL runs a test on the address of an empty database that was never migrated.
func eachURL(t *testing.T, fn func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { fn(t, storetest.SQLiteURL(t)) })
	t.Run("postgres", func(t *testing.T) { fn(t, storetest.PostgresURL(t)) })
}

func open(t *testing.T, url string, key []byte) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), url, store.Options{SecretKey: key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// oneRole is an access model with one role.
type oneRole struct{}

func (oneRole) Name() string                       { return "small" }
func (oneRole) Source() []byte                     { return []byte("name: small") }
func (oneRole) Landing() (string, identity.RoleID) { return "SSO Landing", "viewer" }
func (oneRole) Single() bool                       { return true }
func (oneRole) MainTenant() string                 { return "Main" }
func (oneRole) RootUnit() (string, bool)           { return "Root", true }
func (oneRole) UserTypes() []identity.UserType {
	return []identity.UserType{{ID: "clerk", Title: "Clerk"}}
}

func (oneRole) Definitions() []identity.RoleDefinition {
	return []identity.RoleDefinition{{Role: identity.Role{ID: "viewer", Application: identity.DefaultApplication, Title: "Viewer", Scope: identity.ScopeTenant}}}
}

func TestFourReplicasMayMigrateAtOnce(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		key := secretKey()
		var wg sync.WaitGroup
		for range 4 {
			db := open(t, url, key)
			wg.Go(func() {
				if err := db.Migrate(t.Context()); err != nil {
					t.Error(err)
				}
				if err := db.Seed(t.Context(), oneRole{}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		db := open(t, url, key)
		err := db.View(t.Context(), func(tx *store.Tx) error {
			page, err := tx.Tenants(t.Context(), store.Everything(), identity.Query{Limit: 10, Total: true})
			if page.Total != 2 || !page.Items[0].Landing || !page.Items[1].Main {
				t.Errorf("%+v", page)
			}
			if err == nil { // no migration was done a second time, which would take away what later ones added
				_, _, err = tx.KeptOut(t.Context(), identity.NewID[identity.DirectoryID](), tx.Now())
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestAnotherSecretKeyIsRefusedAtTheStart(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		old := secretKey()
		if err := open(t, url, old).Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		err := open(t, url, secretKey()).Migrate(t.Context())
		if identity.KindOf(err) != identity.Invalid || !strings.Contains(err.Error(), "DRAWBRIDGE_SECRET_KEY") {
			t.Errorf("got %v", err)
		}
		rotated, err := store.Open(t.Context(), url, store.Options{SecretKey: secretKey(), OldKeys: [][]byte{old}})
		if err != nil {
			t.Fatal(err)
		}
		defer rotated.Close()
		if err := rotated.Migrate(t.Context()); err != nil {
			t.Errorf("the old key in the ring: %v", err)
		}
	})
}

func TestASignatureOutlivesTheKeyThatItWasMadeWith(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "db")
	old := secretKey()
	before := open(t, url, old)
	mac, err := before.Sign("cursor", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	rotated, err := store.Open(t.Context(), url, store.Options{SecretKey: secretKey(), OldKeys: [][]byte{old}})
	if err != nil {
		t.Fatal(err)
	}
	defer rotated.Close()
	if !before.Signed("cursor", []byte("x"), mac) || !rotated.Signed("cursor", []byte("x"), mac) {
		t.Error("a signature was not known again")
	}
	fresh, err := rotated.Sign("cursor", []byte("x"))
	if err != nil || before.Signed("cursor", []byte("x"), fresh) || !rotated.Signed("cursor", []byte("x"), fresh) {
		t.Errorf("the new key does not sign: %v", err)
	}
	if before.Signed("cursor", []byte("y"), mac) || before.Signed("other", []byte("x"), mac) || before.Signed("cursor", []byte("x"), mac[:31]) || before.Signed("cursor", []byte("x"), nil) {
		t.Error("a signature counts for something else")
	}
	if open(t, url, secretKey()).Signed("cursor", []byte("x"), mac) {
		t.Error("another key knows the signature")
	}
}

func TestWrongAddressesSayWhatToDo(t *testing.T) {
	for address, want := range map[string]string{
		"mysql://x":          "sqlite: or postgres://",
		"sqlite:":            "needs a file",
		"sqlite:/no/such/db": "cannot be written",
		"postgres://127.0.0.1:1/x?sslmode=disable&connect_timeout=2": "does not answer",
	} {
		_, err := store.Open(t.Context(), address, store.Options{SecretKey: secretKey()})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := store.Open(t.Context(), "sqlite:x", store.Options{SecretKey: []byte("short")}); err == nil {
		t.Error("a short key was accepted")
	}
}

func TestTheSQLiteFileIsForItsOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file with spaces & ?.db")
	path = strings.ReplaceAll(path, "?", "q")
	open(t, "sqlite:"+path, secretKey())
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
}

func TestUpdateKeepsAllOrNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		boom := errors.New("boom")
		err := db.Update(ctx, func(tx *store.Tx) error {
			if err := tx.InsertTenant(ctx, identity.Tenant{ID: identity.NewID[identity.TenantID](), Name: "T", CreatedAt: tx.Now()}); err != nil {
				t.Error(err)
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		err = db.View(ctx, func(tx *store.Tx) error {
			_, err := tx.TenantByName(ctx, store.Everything(), "t")
			return err
		})
		if identity.KindOf(err) != identity.NotFound {
			t.Errorf("half a change stayed: %v", err)
		}
	})
}

func TestTwoTransactionsThatWaitForEachOtherBothEnd(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		ids := []identity.UserID{insert(t, db, "a"), insert(t, db, "b")}
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				err := db.Update(ctx, func(tx *store.Tx) error {
					for _, id := range []identity.UserID{ids[i%2], ids[1-i%2]} {
						u, err := tx.UserForUpdate(ctx, store.Everything(), id)
						if err != nil {
							return err
						}
						before := u
						u.Version++
						if err := tx.UpdateUser(ctx, before, u); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, id := range ids {
			if u := read(t, db, id); u.Version != 9 {
				t.Errorf("version %d, want 9: an update was lost", u.Version)
			}
		}
	})
}

func insert(t testing.TB, db *store.DB, name string, change ...func(*identity.User)) identity.UserID {
	t.Helper()
	id := identity.NewID[identity.UserID]()
	err := db.Update(t.Context(), func(tx *store.Tx) error {
		landing, err := tx.LandingTenant(t.Context())
		if err != nil {
			return err
		}
		u := identity.User{ID: id, TenantID: landing.ID, UserName: name, Enabled: true, Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
		for _, c := range change {
			c(&u)
		}
		return tx.InsertUser(t.Context(), u)
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func read(t *testing.T, db *store.DB, id identity.UserID) (u identity.User) {
	t.Helper()
	err := db.View(t.Context(), func(tx *store.Tx) (err error) {
		u, err = tx.User(t.Context(), store.Everything(), id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestACancelledQuerySaysSo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := db.View(ctx, func(tx *store.Tx) error {
			_, err := tx.Users(ctx, store.Everything(), identity.Query{Limit: 1})
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestWhatBelongsToARowThatIsGoneIsAConflict(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		runs := 0
		err := db.Update(t.Context(), func(tx *store.Tx) error {
			runs++
			return tx.InsertReplay(t.Context(), identity.NewID[identity.ConnectionID](), []byte("key"), tx.Now())
		})
		if identity.KindOf(err) != identity.Conflict || identity.CodeOf(err) != store.ChangedMeanwhile || runs > 2 {
			t.Errorf("after %d runs it said %v", runs, err)
		}
	})
}
