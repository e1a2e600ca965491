package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func TestTheSecretOfASecondFactorIsNowhereInTheFile(t *testing.T) {
	url := storetest.SQLiteURL(t)
	db := open(t, url, secretKey())
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	u := identity.User{ID: identity.NewID[identity.UserID](), UserName: "ada-in-the-file", Version: 1}
	secret := []byte("twenty bytes of seed")
	err := db.Update(t.Context(), func(tx *store.Tx) error {
		u.CreatedAt, u.UpdatedAt = tx.Now(), tx.Now()
		if err := tx.InsertUser(t.Context(), u); err != nil {
			return err
		}
		return tx.BeginSecondFactor(t.Context(), u.ID, secret)
	})
	if err != nil {
		t.Fatal(err)
	}
	file := strings.TrimPrefix(url, "sqlite:")
	names, err := filepath.Glob(file + "*")
	if err != nil || len(names) == 0 {
		t.Fatalf("%v: %v", names, err)
	}
	var all []byte
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, content...)
	}
	if !bytes.Contains(all, []byte(u.UserName)) {
		t.Fatal("what was written is not in the file: this test looks in the wrong place")
	}
	if bytes.Contains(all, secret) {
		t.Error("the secret is in the file as it is")
	}
	if err := db.View(t.Context(), func(tx *store.Tx) error {
		f, err := tx.SecondFactor(t.Context(), u.ID)
		if !bytes.Equal(f.Secret, secret) {
			t.Errorf("read again it is %q", f.Secret)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}
