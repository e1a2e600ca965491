package store

import (
	"context"
	"crypto/ed25519"

	"github.com/drawbridge-id/drawbridge/identity"
)

const signingKeyPlace = "settings/value/signing_key"

// SigningKey returns the key with which this installation signs what leaves the house for applications: keys for programs, notices of a transfer. It is made
// when it is first asked for, which takes an Update, and is sealed at rest.
func (tx *Tx) SigningKey(ctx context.Context) (ed25519.PrivateKey, error) {
	key, err := tx.signingKey(ctx)
	if identity.KindOf(err) != identity.NotFound {
		return key, err
	}
	_, fresh, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	err = tx.exec(ctx, `INSERT INTO settings (name, value) VALUES ('signing_key', ?) ON CONFLICT (name) DO NOTHING`, tx.seal(signingKeyPlace, fresh.Seed()))
	if err != nil {
		return nil, err
	}
	return tx.signingKey(ctx) // another replica may have been quicker
}

// VerifyingKey returns the public half of the signing key, or NotFound before there is one.
func (tx *Tx) VerifyingKey(ctx context.Context) (ed25519.PublicKey, error) {
	key, err := tx.signingKey(ctx)
	if err != nil {
		return nil, err
	}
	return key.Public().(ed25519.PublicKey), nil
}

func (tx *Tx) signingKey(ctx context.Context) (ed25519.PrivateKey, error) {
	var sealed []byte
	if err := tx.get(ctx, &sealed, `SELECT value FROM settings WHERE name = 'signing_key'`); err != nil {
		return nil, err
	}
	seed, err := tx.open(signingKeyPlace, sealed)
	if err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed), nil
}
