package store_test

import (
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func TestARefreshIsClaimedOnceUntilItIsDueAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := identity.Connection{
			ID: identity.NewID[identity.ConnectionID](), Name: "Okta", Kind: identity.SAML, Enabled: true, Unknown: identity.UnknownLanding,
			SAML: identity.SAMLSettings{MetadataURL: "https://idp.example/metadata"},
		}
		update(t, db, func(tx *store.Tx) error { return tx.InsertConnection(t.Context(), c) })
		claim := func(until time.Duration) (mine bool) {
			update(t, db, func(tx *store.Tx) (err error) {
				mine, err = tx.ClaimMetadata(t.Context(), c.ID, tx.Now().Add(until))
				return err
			})
			return mine
		}
		due := func() (n int) {
			update(t, db, func(tx *store.Tx) error {
				ids, err := tx.ConnectionsToRefresh(t.Context(), 10)
				n = len(ids)
				return err
			})
			return n
		}
		if due() != 1 || !claim(time.Minute) {
			t.Error("one that was never read is not due")
		}
		if due() != 0 || claim(time.Minute) {
			t.Error("it was claimed twice")
		}
		update(t, db, func(tx *store.Tx) error { return tx.SetMetadataDue(t.Context(), c.ID, tx.Now(), 3) })
		if due() != 1 || !claim(time.Minute) {
			t.Error("it is not due again")
		}
		update(t, db, func(tx *store.Tx) error {
			n, err := tx.MetadataFailures(t.Context(), c.ID)
			if n != 3 {
				t.Errorf("%d failures", n)
			}
			return err
		})
		update(t, db, func(tx *store.Tx) error {
			c.SAML.MetadataURL = ""
			return tx.UpdateConnection(t.Context(), c)
		})
		update(t, db, func(tx *store.Tx) error { return tx.SetMetadataDue(t.Context(), c.ID, tx.Now(), 0) })
		if due() != 0 {
			t.Error("one without an address is due")
		}
	})
}

func update(t *testing.T, db *store.DB, do func(*store.Tx) error) {
	t.Helper()
	if err := db.Update(t.Context(), do); err != nil {
		t.Fatal(err)
	}
}
