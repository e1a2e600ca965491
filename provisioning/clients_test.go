package provisioning_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

func (h *house) about(object string) []identity.EventType {
	h.t.Helper()
	page := must[identity.Page[identity.Event]](h.t)(h.Events(h.ctx, h.op, provisioning.EventQuery{ObjectID: object, Limit: 100}))
	var out []identity.EventType
	for _, e := range page.Items {
		out = append([]identity.EventType{e.Type}, out...)
	}
	return out
}

func TestAClientIsMadeListedAndRevokedWithItsEvents(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		d, _, err := h.CreateDirectory(h.ctx, h.op, identity.Directory{Name: "Okta"})
		if err != nil {
			t.Fatal(err)
		}
		c, secret, err := h.CreateClient(h.ctx, h.op, d.ID, nil)
		if err != nil || !strings.HasPrefix(secret, identity.ClientSecretPrefix) || c.Hint != secret[len(secret)-4:] || c.Method != identity.ClientSecret {
			t.Fatalf("%+v %q %v", c, secret, err)
		}
		keyed, none, err := h.CreateClient(h.ctx, h.op, d.ID, keySet(t, ecKey(t, elliptic.P256())))
		if err != nil || none != "" || keyed.Method != identity.ClientKey {
			t.Fatalf("%+v %q %v", keyed, none, err)
		}
		if err := h.RevokeClient(h.ctx, h.op, d.ID, c.ID); err != nil {
			t.Fatal(err)
		}
		got := must[identity.Directory](t)(h.Directory(h.ctx, h.op, d.ID)).Clients
		if len(got) != 2 || got[0].RevokedAt == nil || got[1].RevokedAt != nil || !json.Valid(got[1].Keys) || got[0].Keys != nil {
			t.Errorf("listed are %+v", got)
		}
		if err := h.RevokeClient(h.ctx, h.op, d.ID, c.ID); identity.KindOf(err) != identity.NotFound {
			t.Errorf("revoked twice: %v", err)
		}
		want := []identity.EventType{identity.DirectoryCreated, identity.TokenIssued, identity.ClientCreated, identity.ClientCreated, identity.ClientRevoked}
		if events := h.about(string(d.ID)); !slices.Equal(events, want) {
			t.Errorf("the events are %v", events)
		}
		for range identity.MaxClients - 1 {
			if _, _, err := h.CreateClient(h.ctx, h.op, d.ID, nil); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := h.CreateClient(h.ctx, h.op, d.ID, nil); identity.KindOf(err) != identity.Conflict {
			t.Errorf("one client too many: %v", err)
		}
	})
}

func TestOnlyWhoRunsTheInstallationMakesClients(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		d, _, err := h.CreateDirectory(h.ctx, h.op, identity.Directory{Name: "Okta"})
		if err != nil {
			t.Fatal(err)
		}
		self := identity.Actor{Kind: identity.ActorDirectory, ID: string(d.ID), Label: d.Name}
		if _, _, err := h.CreateClient(h.ctx, self, d.ID, nil); identity.KindOf(err) != identity.Forbidden {
			t.Errorf("a directory made itself a client: %v", err)
		}
		if err := h.RevokeClient(h.ctx, self, d.ID, identity.NewID[identity.ClientID]()); identity.KindOf(err) != identity.Forbidden {
			t.Errorf("a directory may revoke clients: %v", err)
		}
	})
}

func ecKey(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	return must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(curve, rand.Reader))
}

// keySet is the set of a public key, or of what else is given.
func keySet(t *testing.T, key any) json.RawMessage {
	t.Helper()
	if private, ok := key.(*ecdsa.PrivateKey); ok {
		key = &private.PublicKey
	}
	return must[[]byte](t)(json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key, KeyID: "k"}}}))
}

func TestAKeySetHasPublicKeysThatAreStrongEnough(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		d, _, err := h.CreateDirectory(h.ctx, h.op, identity.Directory{Name: "Okta"})
		if err != nil {
			t.Fatal(err)
		}
		private := ecKey(t, elliptic.P256())
		public, _, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		large := must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 2048))
		small := json.RawMessage(`{"keys":[{"kty":"RSA","n":"` + strings.Repeat("_", 170) + `","e":"AQAB"}]}`)
		leaked := must[[]byte](t)(json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: private}}}))
		many := jose.JSONWebKeySet{}
		for range 11 {
			many.Keys = append(many.Keys, jose.JSONWebKey{Key: &private.PublicKey})
		}
		good := string(keySet(t, private))
		for _, tt := range []struct {
			name string
			keys json.RawMessage
			ok   bool
		}{
			{"P-256", keySet(t, private), true},
			{"Ed25519", keySet(t, public), true},
			{"RSA", keySet(t, &large.PublicKey), true},
			{"P-384", keySet(t, ecKey(t, elliptic.P384())), false},
			{"RSA of 1020 bits", small, false},
			{"a private key", leaked, false},
			{"a shared secret", keySet(t, []byte("0123456789abcdef0123456789abcdef")), false},
			{"for encryption", json.RawMessage(strings.Replace(good, `"kty"`, `"use":"enc","kty"`, 1)), false},
			{"another algorithm", json.RawMessage(strings.Replace(good, `"kty"`, `"alg":"RS256","kty"`, 1)), false},
			{"no keys", json.RawMessage(`{"keys":[]}`), false},
			{"a key without a set", json.RawMessage(strings.TrimSuffix(strings.TrimPrefix(good, `{"keys":[`), `]}`)), false},
			{"too many keys", must[[]byte](t)(json.Marshal(many)), false},
			{"no JSON", json.RawMessage(`keys`), false},
		} {
			_, _, err := h.CreateClient(h.ctx, h.op, d.ID, tt.keys)
			if (err == nil) != tt.ok || err != nil && identity.KindOf(err) != identity.Invalid {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
	})
}

func TestTheNetworksOfADirectoryAreCheckedAndKept(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		networks, err := identity.ParseNetworks([]string{"203.0.113.9/24", "203.0.113.0/24", "::ffff:198.51.100.0/120", "2001:db8::7"})
		if err != nil {
			t.Fatal(err)
		}
		d, _, err := h.CreateDirectory(h.ctx, h.op, identity.Directory{Name: "Okta", Networks: networks})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"203.0.113.0/24", "198.51.100.0/24", "2001:db8::7/128"}
		if got := identity.NetworkTexts(must[identity.Directory](t)(h.Directory(h.ctx, h.op, d.ID)).Networks); !slices.Equal(got, want) {
			t.Errorf("kept are %v, want %v", got, want)
		}
		none := func(d *identity.Directory) error { d.Networks = nil; return nil }
		if d, err = h.UpdateDirectory(h.ctx, h.op, d.ID, none); err != nil || len(d.Networks) != 0 {
			t.Errorf("%v %v", d.Networks, err)
		}
		if events := h.about(string(d.ID)); !slices.Contains(events, identity.DirectoryUpdated) {
			t.Errorf("the events are %v", events)
		}
		for _, wrong := range []string{"home", "10.0.0.0/33", "fe80::1%eth0", "::ffff:0:0/95"} {
			if _, err := identity.ParseNetworks([]string{wrong}); identity.KindOf(err) != identity.Invalid {
				t.Errorf("%s: %v", wrong, err)
			}
		}
	})
}

func TestTheFirstTokenOfADirectoryMayEnd(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		end := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
		d, _, err := h.CreateDirectoryUntil(h.ctx, h.op, identity.Directory{Name: "Okta"}, &end)
		if err != nil {
			t.Fatal(err)
		}
		if got := must[identity.Directory](t)(h.Directory(h.ctx, h.op, d.ID)).Tokens[0].ExpiresAt; got == nil || !got.Equal(end) {
			t.Errorf("it ends at %v, want %v", got, end)
		}
		past := time.Now().Add(-time.Hour)
		if _, _, err := h.CreateDirectoryUntil(h.ctx, h.op, identity.Directory{Name: "Entra"}, &past); identity.KindOf(err) != identity.Invalid {
			t.Errorf("a token that has ended already: %v", err)
		}
	})
}
