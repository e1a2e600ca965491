package store

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"github.com/drawbridge-id/drawbridge/identity"
)

// newSealKey makes a key of the ring; its id is the start of its hash.
func newSealKey(key []byte) (sealKey, error) {
	if len(key) != 32 {
		return sealKey{}, identity.Errorf(identity.Invalid, "the secret key has %d bytes; it needs 32", len(key)).WithField("secret_key")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealKey{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return sealKey{}, err
	}
	seed, err := hkdf.Extract(sha256.New, key, nil)
	if err != nil {
		return sealKey{}, err
	}
	sum := sha256.Sum256(key)
	return sealKey{id: [4]byte(sum[:4]), aead: aead, seed: seed}, nil
}

// mac returns the HMAC-SHA256 of a message under a key of its own for the purpose (RFC 5869).
func (k sealKey) mac(purpose string, message []byte) ([]byte, error) {
	key, err := hkdf.Expand(sha256.New, k.seed, "drawbridge sign "+purpose, sha256.Size)
	if err != nil {
		return nil, err
	}
	h := hmac.New(sha256.New, key)
	h.Write(message)
	return h.Sum(nil), nil
}

// Sign returns a MAC of 32 bytes over a message that leaves the house and comes back, such as a cursor. Every replica makes the same one. What
// was signed for one purpose is worth nothing for another.
func (db *DB) Sign(purpose string, message []byte) ([]byte, error) {
	return db.keys[0].mac(purpose, message)
}

// Signed reports whether mac is one that Sign made for the purpose, with any key of the ring. It takes the same time for every wrong one.
func (db *DB) Signed(purpose string, message, mac []byte) bool {
	ok := false
	for _, k := range db.keys {
		want, err := k.mac(purpose, message)
		ok = err == nil && hmac.Equal(want, mac) || ok
	}
	return ok
}

// seal encrypts a secret for one place, such as "connections/secret/<id>": moved elsewhere, it cannot be opened.
func (tx *Tx) seal(place string, secret []byte) []byte {
	k := tx.db.keys[0]
	return k.aead.Seal(bytes.Clone(k.id[:]), nil, secret, []byte(place))
}

// open decrypts what seal made, with whichever key of the ring it was sealed.
func (tx *Tx) open(place string, sealed []byte) ([]byte, error) {
	if len(sealed) > 4 {
		for _, k := range tx.db.keys {
			if bytes.Equal(k.id[:], sealed[:4]) {
				return k.aead.Open(nil, nil, sealed[4:], []byte(place))
			}
		}
	}
	return nil, identity.Errorf(identity.Internal, "a secret in the database was sealed with another secret key; start with the key that wrote it")
}

const canaryPlace = "settings/value/canary"

// checkKey refuses a secret key that is not the one this database was written with, before anything is written with it.
func (tx *Tx) checkKey(ctx context.Context) error {
	var sealed []byte
	err := tx.get(ctx, &sealed, `SELECT value FROM settings WHERE name = 'canary'`)
	if identity.KindOf(err) == identity.NotFound {
		return tx.exec(ctx, `INSERT INTO settings (name, value) VALUES ('canary', ?) ON CONFLICT (name) DO NOTHING`, tx.seal(canaryPlace, []byte("drawbridge")))
	}
	if err != nil {
		return err
	}
	if _, err := tx.open(canaryPlace, sealed); err != nil {
		return identity.Errorf(identity.Invalid, "this database was written with another secret key; set DRAWBRIDGE_SECRET_KEY to that one").WithField("secret_key").WithCause(err)
	}
	return nil
}

// SealKeys names the keys of the ring, the one that seals first: the first four bytes of the SHA-256 of each, in hex.
func (db *DB) SealKeys() []string {
	out := make([]string, len(db.keys))
	for i, k := range db.keys {
		out[i] = hex.EncodeToString(k.id[:])
	}
	return out
}
