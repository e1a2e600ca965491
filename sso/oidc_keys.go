package sso

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// What a provider may publish, so that its keys cost us little to read and to try: 4096 bits are verified in a tenth of a millisecond.
const (
	maxKeys     = 100
	maxTried    = 10 // keys that are tried on one signature when the token does not name its key
	maxExponent = 1<<31 - 1
)

// publishedKeys are the keys of a JWKS document (RFC 7517 section 5) that may verify a signature. They never change.
type publishedKeys struct{ keys []publishedKey }

// publishedKey is one of them. Providers that speak for many organisations under one address say whose each key is (Entra's member issuer, with a place for
// the tenant): a key that signs for one of them signs for no other.
type publishedKey struct {
	jose.JSONWebKey
	issuer string // empty: the provider does not say
}

// parseKeys reads a JWKS document. Keys of kinds that we do not know, secret ones and those for encryption are passed over (RFC 7517 section 5); a document
// without any key for us is an error that says why.
func parseKeys(raw []byte) (*publishedKeys, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(raw, &set); err != nil {
		return nil, fmt.Errorf("the document at jwks_uri is no JWKS: %w", err)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("the provider publishes %d keys; at most %d are read", len(set.Keys), maxKeys)
	}
	known := &publishedKeys{}
	why := errors.New("the provider publishes no key for signatures")
	for _, one := range set.Keys {
		var key publishedKey
		var owner struct {
			Issuer string `json:"issuer"`
		}
		if json.Unmarshal(one, &key.JSONWebKey) != nil || json.Unmarshal(one, &owner) != nil || key.Use != "" && key.Use != "sig" {
			continue
		}
		key.issuer = owner.Issuer
		if err := usableKey(key.Key); err != nil {
			why = err
			continue
		}
		known.keys = append(known.keys, key)
	}
	if len(known.keys) == 0 {
		return nil, why
	}
	return known, nil
}

// usableKey refuses what is no public key, what is too weak, and what would take long to verify with.
func usableKey(key any) error {
	switch key := key.(type) {
	case *rsa.PublicKey:
		if n := key.N.BitLen(); n < minRSABits || n > maxRSABits || key.E < 3 || key.E > maxExponent {
			return fmt.Errorf("the provider's RSA key has %d bits; it must have %d to %d", n, minRSABits, maxRSABits)
		}
		return nil
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return nil
	}
	return errors.New("the provider publishes a secret as a key")
}

// errNoKey says that none of the published keys made a signature.
var errNoKey = errors.New("no key that the provider publishes made this signature")

// VerifySignature implements oidc.KeySet: it returns the payload of a JWT in compact form (RFC 7515 section 7.1) that one of the keys signed. A token that
// names its key is tried with that one alone, and a key that names its algorithm is used for no other. What the token says about keys beyond a name (jwk,
// jku, x5u, x5c) is not read.
func (k *publishedKeys) VerifySignature(_ context.Context, raw string) ([]byte, error) {
	if len(raw) > maxIDToken {
		return nil, fmt.Errorf("the token has more than %d bytes", maxIDToken)
	}
	if !writtenOnce(raw) {
		return nil, errors.New("it is not written as RFC 7515 writes a token: base64url without white space or spare bits")
	}
	jws, err := jose.ParseSignedCompact(raw, signatureAlgorithms)
	if err != nil {
		return nil, err
	}
	header, tried := jws.Signatures[0].Header, 0
	for i := range k.keys {
		key := &k.keys[i]
		if header.KeyID != "" && key.KeyID != header.KeyID || key.Algorithm != "" && key.Algorithm != header.Algorithm || !fits(key.Key, header.Algorithm) {
			continue
		}
		if tried++; tried > maxTried {
			break
		}
		if payload, err := jws.Verify(key.Key); err == nil {
			return payload, key.mayVouch(payload)
		}
	}
	return nil, errNoKey
}

// mayVouch refuses what a key signed for another issuer than the one that it is published for.
func (k *publishedKey) mayVouch(payload []byte) error {
	if k.issuer == "" {
		return nil
	}
	var claims struct {
		Issuer   string `json:"iss"`
		TenantID string `json:"tid"`
	}
	if _, err := readClaims(payload, &claims); err != nil {
		return err
	}
	if claims.Issuer == "" || claims.Issuer != strings.Replace(k.issuer, tenantPlaceholder, claims.TenantID, 1) {
		return fmt.Errorf("the key that made this signature is published for the issuer %q only", shown(k.issuer))
	}
	return nil
}

// fits reports whether a key is of the kind that an algorithm uses (RFC 7518 section 3.1).
func fits(key any, algorithm string) bool {
	switch key.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(algorithm, "RS") || strings.HasPrefix(algorithm, "PS")
	case *ecdsa.PublicKey:
		return strings.HasPrefix(algorithm, "ES")
	case ed25519.PublicKey:
		return algorithm == string(jose.EdDSA)
	}
	return false
}

// signatureAlgorithms are those that can be accepted at all; each connection pins fewer.
var signatureAlgorithms = func() []jose.SignatureAlgorithm {
	out := make([]jose.SignatureAlgorithm, len(possibleAlgorithms))
	for i, name := range possibleAlgorithms {
		out[i] = jose.SignatureAlgorithm(name)
	}
	return out
}()

// writtenOnce reports whether a compact token is in the one form that its bytes have (RFC 7515 sections 2 and 7.1). jose would verify others too, since it
// writes the parts again before it checks their signature.
func writtenOnce(raw string) bool {
	for part := range strings.SplitSeq(raw, ".") {
		if _, err := base64.RawURLEncoding.Strict().DecodeString(part); err != nil || strings.ContainsAny(part, "\r\n") {
			return false
		}
	}
	return true
}
