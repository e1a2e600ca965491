package config

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// EnsureSecretKey fills SecretKey where it was not set: from drawbridge.key beside the SQLite file, which it makes (mode 0600) for a
// database that does not exist yet. It refuses to make a key for a database that has been used: what was sealed with the lost key
// would be lost too. With PostgreSQL it does nothing, since Load requires the key there.
func (s *Settings) EnsureSecretKey() error {
	path := s.KeyFile()
	if len(s.SecretKey) > 0 || path == "" {
		return nil
	}
	err := s.readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if info, err := os.Stat(s.SQLiteFile()); err == nil && info.Size() > 0 {
		return fmt.Errorf("%s exists and its key %s is missing. Put the key file back, or set DRAWBRIDGE_SECRET_KEY to the key that was used before", s.SQLiteFile(), path)
	}
	if err := makeKey(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("the secret key cannot be written: %w. Make the folder writable or set DRAWBRIDGE_SECRET_KEY", err)
	}
	return s.readKey(path) // not what was just made: another process may have been first
}

func (s *Settings) readKey(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var key Key
	if err := key.UnmarshalText(content); err != nil {
		return fmt.Errorf("%s is no secret key: %w. Put the right file back", path, err)
	}
	s.SecretKey = key
	return nil
}

// makeKey writes a new key. The file appears under its name complete or not at all, and never replaces another.
func makeKey(path string) error {
	var key [KeySize]byte
	rand.Read(key[:])
	draft, err := os.CreateTemp(filepath.Dir(path), "drawbridge-key-") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name())
	_, err = draft.WriteString(base64.StdEncoding.EncodeToString(key[:]) + "\n")
	if err := errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	return os.Link(draft.Name(), path)
}
