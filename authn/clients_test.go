package authn_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

const (
	endpoint = "https://id.example.com/oauth/token"
	issuer   = "https://id.example.com"
)

// client makes a client with a secret, or with keys.
func (h *house) client(d identity.Directory, keys json.RawMessage) (identity.ClientID, string) {
	h.t.Helper()
	c := identity.Client{ID: identity.NewID[identity.ClientID](), DirectoryID: d.ID, Method: identity.ClientSecret, Keys: keys}
	secret := identity.NewSecret(identity.ClientSecretPrefix)
	hash := identity.HashSecret(secret)
	if keys != nil {
		c.Method, hash = identity.ClientKey, nil
	}
	h.update(func(tx *store.Tx) error {
		c.CreatedAt = tx.Now()
		return tx.InsertClient(h.t.Context(), c, hash)
	})
	return c.ID, secret
}

func (h *house) issue(p authn.ClientProof) (identity.AccessToken, error) {
	p.Audiences = []string{endpoint, issuer}
	return h.IssueAccessToken(h.t.Context(), p)
}

func TestASecretGetsAnAccessTokenThatOpensTheDoor(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		d := h.directory(h.acme, "Okta", true)
		id, secret := h.client(d, nil)
		got, err := h.issue(authn.ClientProof{ID: string(id), Secret: secret})
		if err != nil || !strings.HasPrefix(got.Token, identity.AccessTokenPrefix) || got.Expires != 10*time.Minute || got.Scope != "scim" {
			t.Fatalf("%+v %v", got, err)
		}
		v, err := h.DirectoryByToken(t.Context(), got.Token, "")
		if err != nil || v.Directory.ID != d.ID || v.Key != string(id) || v.Actor.Kind != identity.ActorDirectory {
			t.Fatalf("it opens %+v: %v", v, err)
		}
		h.update(func(tx *store.Tx) error { return tx.RevokeClient(t.Context(), d.ID, id) })
		if h.opens(got.Token, "") {
			t.Error("the token outlives its client")
		}
		if _, err := h.issue(authn.ClientProof{ID: string(id), Secret: secret}); identity.KindOf(err) != identity.Unauthenticated {
			t.Errorf("a revoked client gets a token: %v", err)
		}
	})
}

func TestAnAccessTokenEndsAfterTenMinutesAndIsSwept(t *testing.T) {
	storetest.SQLite(t)
	synctest.Test(t, func(t *testing.T) {
		h := build(t, storetest.SQLite(t))
		id, secret := h.client(h.directory(h.acme, "Okta", true), nil)
		got, err := h.issue(authn.ClientProof{ID: string(id), Secret: secret})
		if err != nil {
			t.Fatal(err)
		}
		pass(10*time.Minute - time.Second)
		before := h.opens(got.Token, "")
		pass(time.Second)
		if after := h.opens(got.Token, ""); !before || after {
			t.Errorf("before its end: %v; at its end: %v", before, after)
		}
		pass(time.Second)
		if err := h.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		err = h.db.View(t.Context(), func(tx *store.Tx) error {
			_, _, _, err := tx.DirectoryByAccessToken(t.Context(), identity.HashSecret(got.Token))
			return err
		})
		wantKind(t, err, identity.NotFound)
	})
}

func TestAWrongClientGetsOneAnswer(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		on, off := h.directory(h.acme, "On", true), h.directory(h.acme, "Off", false)
		id, secret := h.client(on, nil)
		other, _ := h.client(on, nil)
		offID, offSecret := h.client(off, nil)
		key := newSigner(t, "ES256", "k1")
		keyed, _ := h.client(on, key.set)
		said := map[string]bool{}
		for _, tt := range []struct {
			name  string
			proof authn.ClientProof
			cause string
		}{
			{"a wrong secret", authn.ClientProof{ID: string(id), Secret: secret + "x"}, "wrong secret"},
			{"no secret", authn.ClientProof{ID: string(id)}, "wrong secret"},
			{"another client's secret", authn.ClientProof{ID: string(other), Secret: secret}, "wrong secret"},
			{"an unknown client", authn.ClientProof{ID: string(identity.NewID[identity.ClientID]()), Secret: secret}, "no such client"},
			{"what is no id", authn.ClientProof{ID: "x", Secret: secret}, "no such client"},
			{"a client of a disabled directory", authn.ClientProof{ID: string(offID), Secret: offSecret}, "disabled"},
			{"a secret where there are keys", authn.ClientProof{ID: string(keyed), Secret: ""}, "must sign"},
			{"a JWT where there is a secret", authn.ClientProof{Assertion: key.sign(t, claimsOf(id))}, "has a secret"},
		} {
			_, err := h.issue(tt.proof)
			if identity.KindOf(err) != identity.Unauthenticated || !strings.Contains(err.Error(), tt.cause) || strings.Contains(err.Error(), secret) {
				t.Errorf("%s: %v", tt.name, err)
			}
			said[message(err)] = true
		}
		if len(said) != 1 {
			t.Errorf("the answers differ: %v", said)
		}
	})
}

// signer is a client's private key with the set of its public one.
type signer struct {
	jose.Signer
	set     json.RawMessage
	private crypto.Signer
}

// named is the same key under another name.
func (s signer) named(t *testing.T, kid string) signer {
	t.Helper()
	other, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: s.private, KeyID: kid}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return signer{Signer: other}
}

func newSigner(t *testing.T, alg, kid string) signer {
	t.Helper()
	var private crypto.Signer
	var err error
	switch alg {
	case "RS256", "PS256":
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ES256":
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "EdDSA":
		_, private, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(alg), Key: jose.JSONWebKey{Key: private, KeyID: kid}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: private.Public(), KeyID: kid}}})
	if err != nil {
		t.Fatal(err)
	}
	return signer{s, set, private}
}

func (s signer) sign(t *testing.T, claims any) string {
	t.Helper()
	raw, err := jwt.Signed(s.Signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func claimsOf(id identity.ClientID) map[string]any {
	return map[string]any{
		"iss": id, "sub": id, "aud": endpoint, "exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix(), "jti": identity.NewSecret(""),
	}
}

func TestASignedJWTGetsAnAccessTokenOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		d := h.directory(h.acme, "Okta", true)
		for _, alg := range []string{"RS256", "PS256", "ES256", "EdDSA"} {
			s := newSigner(t, alg, "k-"+alg)
			id, _ := h.client(d, s.set)
			once := s.sign(t, claimsOf(id))
			got, err := h.issue(authn.ClientProof{ID: string(id), Assertion: once})
			if err != nil || !h.opens(got.Token, "") {
				t.Fatalf("%s: %v", alg, err)
			}
			if _, err := h.issue(authn.ClientProof{Assertion: once}); identity.KindOf(err) != identity.Unauthenticated || !strings.Contains(err.Error(), "before") {
				t.Errorf("%s: the same JWT again: %v", alg, err)
			}
		}
	})
}

func TestAJWTIsHeldAgainstEachRule(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	d := h.directory(h.acme, "Okta", true)
	s, stranger := newSigner(t, "ES256", "k1"), newSigner(t, "ES256", "k1")
	unnamed := newSigner(t, "ES256", "")
	id, _ := h.client(d, s.set)
	in := func(after time.Duration) int64 { return time.Now().Add(after).Unix() }
	for _, tt := range []struct {
		name   string
		signer signer
		change map[string]any // nil value: the claim is missing
		ok     bool
	}{
		{"as it should be", s, nil, true},
		{"meant for the issuer", s, map[string]any{"aud": issuer}, true},
		{"meant for both of our names", s, map[string]any{"aud": []string{endpoint, issuer}}, true},
		{"a clock that is a little ahead", s, map[string]any{"iat": in(20 * time.Second), "nbf": in(20 * time.Second)}, true},
		{"a clock that is a little behind", s, map[string]any{"exp": in(-20 * time.Second)}, true},
		{"ten minutes", s, map[string]any{"exp": in(10 * time.Minute)}, true},
		{"meant for somebody else too", s, map[string]any{"aud": []string{endpoint, "https://evil.example"}}, false},
		{"meant for somebody else", s, map[string]any{"aud": "https://evil.example"}, false},
		{"meant for nobody", s, map[string]any{"aud": nil}, false},
		{"another issuer", s, map[string]any{"iss": "x"}, false},
		{"no issuer", s, map[string]any{"iss": nil}, false},
		{"expired", s, map[string]any{"exp": in(-time.Minute)}, false},
		{"no end", s, map[string]any{"exp": nil}, false},
		{"an end far ahead", s, map[string]any{"exp": in(time.Hour)}, false},
		{"from the future", s, map[string]any{"iat": in(time.Hour)}, false},
		{"not yet", s, map[string]any{"nbf": in(time.Hour)}, false},
		{"no id", s, map[string]any{"jti": nil}, false},
		{"a long id", s, map[string]any{"jti": strings.Repeat("x", 1025)}, false},
		{"another key of the same name", stranger, nil, false},
		{"another key without a name", unnamed, nil, false},
		{"the key without its name", s.named(t, ""), nil, true},
		{"the key under another name", s.named(t, "k2"), nil, false},
	} {
		claims := claimsOf(id)
		for name, v := range tt.change {
			if claims[name] = v; v == nil {
				delete(claims, name)
			}
		}
		_, err := h.issue(authn.ClientProof{ID: string(id), Assertion: tt.signer.sign(t, claims)})
		if tt.ok != (err == nil) || err != nil && identity.KindOf(err) != identity.Unauthenticated {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestAJWTIsSignedAndNothingElse(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	s := newSigner(t, "ES256", "k1")
	id, _ := h.client(h.directory(h.acme, "Okta", true), s.set)
	good := s.sign(t, claimsOf(id))
	parts := strings.Split(good, ".")
	symmetric, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(s.set)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string]string{
		"nothing in it":           "..",
		"no JWT":                  "x",
		"no signature":            parts[0] + "." + parts[1] + ".",
		"the algorithm none":      "eyJhbGciOiJub25lIn0." + parts[1] + ".",
		"another's claims":        parts[0] + "." + strings.Split(s.sign(t, claimsOf(id)), ".")[1] + "." + parts[2],
		"the public key as a MAC": signer{Signer: symmetric}.sign(t, claimsOf(id)),
		"too long":                good + strings.Repeat("A", 8<<10),
	} {
		if _, err := h.issue(authn.ClientProof{Assertion: raw}); identity.KindOf(err) != identity.Unauthenticated {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := h.issue(authn.ClientProof{ID: string(identity.NewID[identity.ClientID]()), Assertion: good}); identity.KindOf(err) != identity.Unauthenticated {
		t.Errorf("beside another client_id: %v", err)
	}
}

func TestWrongTriesOfOneAddressAreLimited(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	id, secret := h.client(h.directory(h.acme, "Okta", true), nil)
	try := func(secret, ip string) error {
		_, err := h.issue(authn.ClientProof{ID: string(id), Secret: secret, IP: ip})
		return err
	}
	for range 120 {
		if err := try(secret, "203.0.113.9"); err != nil {
			t.Fatalf("a right secret is counted: %v", err)
		}
	}
	for range 100 {
		wantKind(t, try("wrong", "203.0.113.9"), identity.Unauthenticated)
	}
	wantKind(t, try(secret, "203.0.113.9"), identity.TooMany)
	if err := try(secret, "203.0.113.10"); err != nil {
		t.Errorf("another address: %v", err)
	}
}

func TestAClientAsksFromItsDirectorysNetworksOnly(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	d := h.directory(h.acme, "Okta", true)
	var err error
	if d.Networks, err = identity.ParseNetworks([]string{"203.0.113.0/24"}); err != nil {
		t.Fatal(err)
	}
	h.update(func(tx *store.Tx) error { return tx.UpdateDirectory(t.Context(), d) })
	id, secret := h.client(d, nil)
	_, err = h.issue(authn.ClientProof{ID: string(id), Secret: secret, IP: "198.51.100.1"})
	wantKind(t, err, identity.Forbidden)
	if _, err := h.issue(authn.ClientProof{ID: string(id), Secret: secret, IP: "203.0.113.1"}); err != nil {
		t.Error(err)
	}
}

func TestAClientHasNoMoreThanAThousandLiveTokens(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	id, secret := h.client(h.directory(h.acme, "Okta", true), nil)
	h.update(func(tx *store.Tx) error {
		for range 999 {
			if err := tx.InsertAccessToken(t.Context(), id, identity.HashSecret(identity.NewSecret("")), tx.Now().Add(time.Minute)); err != nil {
				return err
			}
		}
		return nil
	})
	if _, err := h.issue(authn.ClientProof{ID: string(id), Secret: secret}); err != nil {
		t.Error(err)
	}
	_, err := h.issue(authn.ClientProof{ID: string(id), Secret: secret})
	wantKind(t, err, identity.TooMany)
}
