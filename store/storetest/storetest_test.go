//go:build unix

package storetest_test

import (
	"context"
	"database/sql"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func TestEachDatabaseIsMigratedSeededAndItsOwn(t *testing.T) {
	for range 2 {
		storetest.Each(t, func(t *testing.T, db *store.DB) {
			err := db.Update(t.Context(), func(tx *store.Tx) error {
				if _, err := tx.LandingTenant(t.Context()); err != nil {
					t.Errorf("the landing tenant is not seeded: %v", err)
				}
				if _, err := tx.TenantByName(t.Context(), store.Everything(), "Contoso"); identity.KindOf(err) != identity.NotFound {
					t.Errorf("a tenant of another test is here: %v", err)
				}
				return tx.InsertTenant(t.Context(), identity.Tenant{ID: identity.NewID[identity.TenantID](), Name: "Contoso"})
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestTwoReplicasOpenOneDatabase(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		first, second := storetest.Open(t, url), storetest.Open(t, url)
		contoso := identity.Tenant{ID: identity.NewID[identity.TenantID](), Name: "Contoso"}
		if err := first.Update(t.Context(), func(tx *store.Tx) error { return tx.InsertTenant(t.Context(), contoso) }); err != nil {
			t.Fatal(err)
		}
		err := second.View(t.Context(), func(tx *store.Tx) error {
			_, err := tx.TenantByName(t.Context(), store.Everything(), "Contoso")
			return err
		})
		if err != nil {
			t.Errorf("the second replica does not see what the first wrote: %v", err)
		}
	})
}

const victimVariable = "DRAWBRIDGE_STORETEST_VICTIM"

func TestTheServerAndItsFolderDoNotOutliveAKilledTestProcess(t *testing.T) {
	if os.Getenv(victimVariable) != "" {
		beVictim(t)
		return
	}
	storetest.PostgresURL(t) // skips where there is no server
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	victim := exec.Command(self, "-test.run", "^"+t.Name()+"$")
	victim.Env = append(os.Environ(), victimVariable+"=1")
	out, err := victim.Output()
	if err == nil {
		t.Fatal("the victim was not killed")
	}
	address, folder, found := strings.Cut(strings.TrimSpace(string(out)), " ")
	if !found {
		t.Fatalf("the victim printed %q", out)
	}
	eventually(t, "the server is still there", func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	eventually(t, "the folder is still there: "+folder, func() bool {
		_, err := os.Stat(folder)
		return os.IsNotExist(err)
	})
}

// beVictim starts a server, prints its address and its folder and dies without any chance to clear up.
func beVictim(t *testing.T) {
	at, err := url.Parse(storetest.PostgresURL(t))
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("postgres", at.String())
	if err != nil {
		t.Fatal(err)
	}
	var folder string
	if err := db.QueryRow("SHOW data_directory").Scan(&folder); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stdout.WriteString(at.Host + " " + folder); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-context.Background().Done() // never returns: the signal is on its way
}

// eventually waits until the condition holds, for at most ten seconds.
func eventually(t *testing.T, otherwise string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-ctx.Done():
			t.Fatal(otherwise)
		case <-tick.C:
		}
	}
}
