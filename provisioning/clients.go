package provisioning

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// The limits of a client's keys.
const (
	maxKeys    = 10
	maxKeySet  = 32 << 10 // bytes
	minRSABits = 2048
	maxRSABits = 8192
)

// CreateClient makes an OAuth client for a directory: with a secret, which is returned this once and of which only the hash is kept, or,
// when keys are given (a JWK set, RFC 7517, of public keys), without one. A directory may have ten live clients.
func (s *Service) CreateClient(ctx context.Context, by identity.Actor, id identity.DirectoryID, keys json.RawMessage) (identity.Client, string, error) {
	c := identity.Client{ID: identity.NewID[identity.ClientID](), Method: identity.ClientSecret}
	var secret string
	var hash []byte
	if len(keys) > 0 {
		var err error
		if c.Keys, err = publicKeys(keys); err != nil {
			return c, "", err
		}
		c.Method = identity.ClientKey
	} else {
		secret = identity.NewSecret(identity.ClientSecretPrefix)
		c.Hint, hash = secret[len(secret)-4:], identity.HashSecret(secret)
	}
	err := s.updateDirectory(ctx, by, id, func(tx *store.Tx, d identity.Directory) error {
		all, err := tx.Clients(ctx, []identity.DirectoryID{d.ID})
		if err != nil {
			return err
		}
		live := slices.DeleteFunc(all[d.ID], func(c identity.Client) bool { return c.RevokedAt != nil })
		if len(live) >= identity.MaxClients {
			return identity.Errorf(identity.Conflict, "A directory has at most %d clients; revoke one first.", identity.MaxClients).WithCode("client.too_many")
		}
		c.DirectoryID, c.CreatedAt = d.ID, tx.Now()
		if err := tx.InsertClient(ctx, c, hash); err != nil {
			return err
		}
		e := aboutDirectory(by, identity.ClientCreated, d)
		e.Changes = []identity.Change{{Field: "client", After: string(c.ID)}, {Field: "method", After: string(c.Method)}}
		return tx.InsertEvent(ctx, e)
	})
	return c, secret, err
}

// RevokeClient ends an OAuth client with all its access tokens at once.
func (s *Service) RevokeClient(ctx context.Context, by identity.Actor, id identity.DirectoryID, client identity.ClientID) error {
	none := func() *identity.Error {
		return identity.Errorf(identity.NotFound, "This directory has no such live client.")
	}
	if client == "" || !validIDs(&client) {
		return none()
	}
	return s.updateDirectory(ctx, by, id, func(tx *store.Tx, d identity.Directory) error {
		if err := tx.RevokeClient(ctx, d.ID, client); err != nil {
			return sharpen(err, none)
		}
		e := aboutDirectory(by, identity.ClientRevoked, d)
		e.Changes = []identity.Change{{Field: "client", Before: string(client)}}
		return tx.InsertEvent(ctx, e)
	})
}

func badKeys(format string, args ...any) error {
	return identity.Errorf(identity.Invalid, format, args...).WithField("jwks")
}

// publicKeys reads a JWK set and returns it as it is kept: public keys for signatures with RS256, PS256, ES256 or EdDSA, and nothing else.
func publicKeys(raw json.RawMessage) (json.RawMessage, error) {
	if len(raw) > maxKeySet {
		return nil, badKeys("The key set has more than %d bytes.", maxKeySet)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(bytes.TrimSpace(raw), &set); err != nil {
		return nil, identity.Errorf(identity.Invalid, `This is no JWK set. It looks like {"keys":[{"kty":"EC","crv":"P-256",…}]}.`).WithField("jwks").WithCause(err)
	}
	if len(set.Keys) == 0 || len(set.Keys) > maxKeys {
		return nil, badKeys("A key set has 1 to %d keys, not %d.", maxKeys, len(set.Keys))
	}
	kept := jose.JSONWebKeySet{}
	for i, key := range set.Keys {
		if wrong := wrongKey(key); wrong != "" {
			return nil, badKeys("Key %d of the set: %s", i+1, wrong)
		}
		kept.Keys = append(kept.Keys, jose.JSONWebKey{Key: key.Key, KeyID: key.KeyID, Algorithm: key.Algorithm, Use: key.Use})
	}
	out, err := json.Marshal(kept)
	if err != nil {
		return nil, identity.Errorf(identity.Invalid, "The key set cannot be kept.").WithField("jwks").WithCause(err)
	}
	return out, nil
}

// wrongKey says what is wrong with one key; "" when nothing is.
func wrongKey(key jose.JSONWebKey) string {
	if key.Use != "" && key.Use != "sig" {
		return "it is not for signatures (use must be sig)."
	}
	var algorithms []string
	if !key.Valid() {
		return "it is not a valid key."
	}
	switch k := key.Key.(type) {
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return "an RSA key must have 2048 to 8192 bits."
		}
		algorithms = []string{string(jose.RS256), string(jose.PS256)}
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return "an EC key must be on the curve P-256."
		}
		algorithms = []string{string(jose.ES256)}
	case ed25519.PublicKey:
		algorithms = []string{string(jose.EdDSA)}
	default:
		return "it is no public RSA, EC or Ed25519 key. Give the public part only; a private key stays with its owner."
	}
	if key.Algorithm != "" && !slices.Contains(algorithms, key.Algorithm) {
		return "alg does not fit the key; RS256, PS256, ES256 and EdDSA are known."
	}
	return ""
}
