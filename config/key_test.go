package config_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/drawbridge-id/drawbridge/config"
)

func sqliteIn(t *testing.T, dir string) config.Settings {
	t.Helper()
	return world{env: map[string]string{"DRAWBRIDGE_DATABASE": "sqlite:" + filepath.Join(dir, "people.db")}}.mustLoad(t)
}

func TestTheKeyIsMadeBesideANewDatabaseAndFoundAgain(t *testing.T) {
	dir := t.TempDir()
	first, second := sqliteIn(t, dir), sqliteIn(t, dir)
	if err := first.EnsureSecretKey(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "drawbridge.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the key file is %v, %v", info, err)
	}
	if err := os.WriteFile(second.SQLiteFile(), []byte("used"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := second.EnsureSecretKey(); err != nil {
		t.Fatal(err)
	}
	if len(first.SecretKey) != config.KeySize || !bytes.Equal(first.SecretKey, second.SecretKey) {
		t.Error("the second start has another key")
	}
}

func TestManyProcessesThatStartAtOnceShareOneKey(t *testing.T) {
	dir := t.TempDir()
	all := make([]config.Settings, 16)
	var wg sync.WaitGroup
	for i := range all {
		all[i] = sqliteIn(t, dir)
		wg.Go(func() {
			if err := all[i].EnsureSecretKey(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, s := range all {
		if !bytes.Equal(s.SecretKey, all[0].SecretKey) || len(s.SecretKey) == 0 {
			t.Error("two keys are in use")
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestNoNewKeyIsMadeForADatabaseThatWasUsed(t *testing.T) {
	s := sqliteIn(t, t.TempDir())
	if err := os.WriteFile(s.SQLiteFile(), []byte("used"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := s.EnsureSecretKey()
	if err == nil || !strings.Contains(err.Error(), "Put the key file back") {
		t.Errorf("the error is %v", err)
	}
	if _, err := os.Stat(s.KeyFile()); err == nil {
		t.Error("a key was made")
	}
}

func TestADamagedKeyFileIsNotReplaced(t *testing.T) {
	s := sqliteIn(t, t.TempDir())
	if err := os.WriteFile(s.KeyFile(), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.EnsureSecretKey(); err == nil || !strings.Contains(err.Error(), "is no secret key") {
		t.Errorf("the error is %v", err)
	}
}

func TestAKeyThatWasSetIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	w := world{env: map[string]string{
		"DRAWBRIDGE_DATABASE": "sqlite:" + filepath.Join(dir, "people.db"), "DRAWBRIDGE_SECRET_KEY": strings.Repeat("ab", config.KeySize),
	}}
	s := w.mustLoad(t)
	if err := s.EnsureSecretKey(); err != nil || s.SecretKey[0] != 0xab {
		t.Errorf("the key is replaced: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); left != nil {
		t.Errorf("made: %v", left)
	}
}
