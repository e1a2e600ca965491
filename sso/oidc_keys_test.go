package sso

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

// jwksOf renders keys as a provider publishes them.
func jwksOf(keys ...any) []byte {
	raw, err := json.Marshal(map[string]any{"keys": keys})
	must(err)
	return raw
}

// rsaOf is an RSA key of so many bits that nobody has the private part of.
func rsaOf(bits int) map[string]any {
	n := new(big.Int).SetBit(new(big.Int), bits-1, 1)
	return map[string]any{"kty": "RSA", "kid": fmt.Sprint(bits), "n": base64.RawURLEncoding.EncodeToString(n.Add(n, big.NewInt(1)).Bytes()), "e": "AQAB"}
}

func with(key map[string]any, name string, value any) map[string]any {
	key[name] = value
	return key
}

func TestWhichPublishedKeysAreUsed(t *testing.T) {
	secret := map[string]any{"kty": "oct", "k": "c2VjcmV0"}
	tests := []struct {
		name string
		raw  []byte
		n    int
		want string
	}{
		{"a good one", jwksOf(rsaOf(2048)), 1, ""},
		{"those beside it are passed over", jwksOf(rsaOf(2048), secret, with(rsaOf(2048), "use", "enc"), map[string]any{"kty": "new"}, "x", rsaOf(1024)), 1, ""},
		{"a weak one alone", jwksOf(rsaOf(1024)), 0, "1024 bits"},
		{"one that would take long", jwksOf(rsaOf(16384)), 0, "no key for signatures"},
		{"a secret alone", jwksOf(secret), 0, "a secret"},
		{"for encryption alone", jwksOf(with(rsaOf(2048), "use", "enc")), 0, "no key for signatures"},
		{"none", jwksOf(), 0, "no key for signatures"},
		{"too many", jwksOf(make([]any, 101)...), 0, "101 keys"},
		{"HTML", []byte("<html>"), 0, "no JWKS"},
		{"a list", []byte("[]"), 0, "no JWKS"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			keys, err := parseKeys(tt.raw)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) || err == nil && len(keys.keys) != tt.n {
				t.Errorf("%+v, %v; want %d keys, or %q", keys, err, tt.n, tt.want)
			}
		})
	}
}

// signedBy signs a payload; the header names the key when there is a name.
func signedBy(t *testing.T, algorithm jose.SignatureAlgorithm, key any, name string) string {
	t.Helper()
	options := &jose.SignerOptions{}
	if name != "" {
		options.WithHeader("kid", name)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign([]byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestAKeyIsUsedForWhatItIsPublishedFor(t *testing.T) {
	ours := attackerPair().key
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	publish := func(keys ...jose.JSONWebKey) *publishedKeys {
		raw, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
		must(err)
		known, err := parseKeys(raw)
		must(err)
		return known
	}
	plain := publish(jose.JSONWebKey{Key: &ours.PublicKey, KeyID: "a"}, jose.JSONWebKey{Key: &curve.PublicKey, KeyID: "c"})
	for name, tt := range map[string]struct {
		keys *publishedKeys
		raw  string
		good bool
	}{
		"by its name":                        {plain, signedBy(t, jose.RS256, ours, "a"), true},
		"without a name":                     {plain, signedBy(t, jose.PS256, ours, ""), true},
		"on a curve":                         {plain, signedBy(t, jose.ES256, curve, ""), true},
		"by another name":                    {plain, signedBy(t, jose.RS256, ours, "b"), false},
		"by the name of another key":         {plain, signedBy(t, jose.RS256, ours, "c"), false},
		"an algorithm that it is not for":    {publish(jose.JSONWebKey{Key: &ours.PublicKey, Algorithm: "RS256"}), signedBy(t, jose.PS256, ours, ""), false},
		"the algorithm that it is for":       {publish(jose.JSONWebKey{Key: &ours.PublicKey, Algorithm: "RS256"}), signedBy(t, jose.RS256, ours, ""), true},
		"a signature in the form of JSON":    {plain, `{"payload":"e30","signatures":[]}`, false},
		"more than any token needs to weigh": {plain, signedBy(t, jose.RS256, ours, "a") + strings.Repeat("A", maxIDToken), false},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := tt.keys.VerifySignature(context.Background(), tt.raw); (err == nil) != tt.good {
				t.Errorf("good %v, want %v: %v", err == nil, tt.good, err)
			}
		})
	}
}

func TestATokenWithoutANameIsTriedWithAFewKeysOnly(t *testing.T) {
	var keys []publishedKey
	for range maxTried {
		n := new(big.Int).SetBit(big.NewInt(1), 2047, 1)
		keys = append(keys, publishedKey{JSONWebKey: jose.JSONWebKey{Key: &rsa.PublicKey{N: n, E: 65537}}})
	}
	known := &publishedKeys{append(keys, publishedKey{JSONWebKey: jose.JSONWebKey{Key: &attackerPair().key.PublicKey, KeyID: "last"}})}
	if _, err := known.VerifySignature(context.Background(), signedBy(t, jose.RS256, attackerPair().key, "")); !errors.Is(err, errNoKey) {
		t.Errorf("the eleventh key was tried: %v", err)
	}
	if _, err := known.VerifySignature(context.Background(), signedBy(t, jose.RS256, attackerPair().key, "last")); err != nil {
		t.Errorf("by its name: %v", err)
	}
}

func TestAKeyOfOneTenantSignsForNoOther(t *testing.T) {
	const template = "https://login.example.com/{tenantid}/v2.0"
	public, err := json.Marshal(jose.JSONWebKey{Key: &attackerPair().key.PublicKey, KeyID: "a"})
	must(err)
	for name, tt := range map[string]struct {
		issuer, iss, tid string
		good             bool
	}{
		"nobody says whose it is":                    {"", "https://login.example.com/b/v2.0", "b", true},
		"a key for every tenant":                     {template, "https://login.example.com/b/v2.0", "b", true},
		"a key for every tenant, and a false tenant": {template, "https://login.example.com/b/v2.0", "a", false},
		"the tenant's own key":                       {"https://login.example.com/a/v2.0", "https://login.example.com/a/v2.0", "a", true},
		"another tenant's key":                       {"https://login.example.com/a/v2.0", "https://login.example.com/b/v2.0", "b", false},
		"nobody's token":                             {template, "", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			var key map[string]any
			must(json.Unmarshal(public, &key))
			key["issuer"] = tt.issuer
			known, err := parseKeys(jwksOf(key))
			must(err)
			token := ssotest.IDToken{Header: map[string]any{"alg": "RS256", "kid": "a"}, Claims: map[string]any{"iss": tt.iss, "tid": tt.tid}, Key: attackerPair().key}
			raw, err := token.Compact()
			must(err)
			if _, err := known.VerifySignature(context.Background(), raw); (err == nil) != tt.good || errors.Is(err, errNoKey) {
				t.Errorf("good %v, want %v: %v", err == nil, tt.good, err)
			}
		})
	}
}
