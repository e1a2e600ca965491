package sso_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

// clientCase is how a connection proves itself, and how the provider was told that it would.
type clientCase struct {
	name       string
	ours       identity.ClientAuth
	registered string
	code       string
}

func TestO32AClientProvesItselfBySecretOrByKey(t *testing.T) {
	eachDatabase(t, func(t *testing.T, h *house) {
		for _, tt := range []clientCase{
			{"basic", identity.ClientAuthBasic, "client_secret_basic", ""},
			{"post", identity.ClientAuthPost, "client_secret_post", ""},
			{"private_key_jwt", identity.ClientAuthPrivateKey, "private_key_jwt", ""},
			{"what every provider takes, where nothing is said", "", "client_secret_basic", ""},
			{"basic where post is registered", identity.ClientAuthBasic, "client_secret_post", "oidc.token_endpoint"},
			{"post where basic is registered", identity.ClientAuthPost, "client_secret_basic", "oidc.token_endpoint"},
			{"a secret where a key is registered", identity.ClientAuthPost, "private_key_jwt", "oidc.token_endpoint"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				h.t = t
				c := h.proving(tt)
				b := h.browser()
				res := b.signInAt(c, ada.Email)
				if tt.code == "" {
					b.wantSession(res, "")
					return
				}
				b.wantRefusal(res, http.StatusUnauthorized, tt.code)
			})
		}
		h.t = t
		h.rotatesItsKey()
	})
}

// proving makes a connection that proves itself in a way, and registers the client for one.
func (h *house) proving(tt clientCase) identity.Connection {
	h.t.Helper()
	id, secret := "client of "+identity.NewSecret(""), "s3cret"
	if tt.ours == identity.ClientAuthPrivateKey {
		secret = ""
	}
	c := h.create(identity.Connection{Name: id, Kind: identity.OIDC, OIDC: identity.OIDCSettings{Issuer: h.oidc.Issuer(), ClientID: id, ClientSecret: secret, ClientAuth: tt.ours}})
	h.oidc.Register(ssotest.OIDCClient{ID: id, Secret: "s3cret", RedirectURI: h.at(c, "callback"), Auth: tt.registered, Keys: h.at(c, "jwks.json")})
	return c
}

// rotatesItsKey changes a connection's own key, signing in after each step.
func (h *house) rotatesItsKey() {
	h.t.Helper()
	c := h.proving(clientCase{ours: identity.ClientAuthPrivateKey, registered: "private_key_jwt"})
	first := h.publishedKeys(c)
	if len(first) != 1 {
		h.t.Fatalf("%d keys at first", len(first))
	}
	want := map[provisioning.KeyStep]func(now []string) bool{
		provisioning.AddKey:  func(now []string) bool { return len(now) == 2 && now[0] == first[0] },
		provisioning.UseKey:  func(now []string) bool { return len(now) == 2 && now[1] == first[0] },
		provisioning.DropKey: func(now []string) bool { return len(now) == 1 && now[0] != first[0] },
	}
	for _, step := range []provisioning.KeyStep{provisioning.AddKey, provisioning.UseKey, provisioning.DropKey} {
		shown, err := h.people.RotateConnectionKey(h.t.Context(), h.operator, c.ID, step)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, pair := range shown.OIDC.Keys {
			if len(pair.Key) > 0 || len(pair.Certificate) == 0 {
				h.t.Error("the private key is shown, or the certificate is not")
			}
		}
		if now := h.publishedKeys(c); !want[step](now) {
			h.t.Errorf("after %s the keys are %v, at first %v", step, now, first)
		}
		b := h.browser()
		b.wantSession(b.signInAt(c, ada.Email), "")
	}
	if _, err := h.people.RotateConnectionKey(h.t.Context(), h.operator, h.viaOIDC.ID, provisioning.AddKey); identity.KindOf(err) != identity.Invalid {
		h.t.Errorf("a connection without a key of its own: %v", err)
	}
}

// publishedKeys returns the names of a connection's published keys, and fails when anything private is there.
func (h *house) publishedKeys(c identity.Connection) []string {
	h.t.Helper()
	res := h.browser().get(h.at(c, "jwks.json"))
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal([]byte(res.body), &set); err != nil || res.Header.Get("Content-Type") != "application/jwk-set+json" {
		h.t.Fatalf("%s: %v", res.body, err)
	}
	var names []string
	for _, key := range set.Keys {
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi"} {
			if _, there := key[private]; there {
				h.t.Errorf("%s is published", private)
			}
		}
		name, _ := key["kid"].(string)
		names = append(names, name)
	}
	return names
}

func TestWhoNeedsNoKeyPublishesNone(t *testing.T) {
	eachDatabase(t, func(t *testing.T, h *house) {
		if keys := h.publishedKeys(h.viaOIDC); len(keys) != 0 {
			t.Errorf("the keys are %v", keys)
		}
		if res := h.browser().get(h.at(h.viaSAML, "jwks.json")); res.StatusCode != http.StatusNotFound {
			t.Errorf("a SAML connection answers %d", res.StatusCode)
		}
		change := func(auth identity.ClientAuth) error {
			_, err := h.people.UpdateConnection(t.Context(), h.operator, h.viaOIDC.ID, func(c *identity.Connection) error { c.OIDC.ClientAuth = auth; return nil })
			return err
		}
		if err := change("magic"); identity.KindOf(err) != identity.Invalid {
			t.Errorf("a way that is none: %v", err)
		}
		for _, auth := range []identity.ClientAuth{identity.ClientAuthPrivateKey, identity.ClientAuthBasic} {
			if err := change(auth); err != nil {
				t.Fatal(err)
			}
			if keys := h.publishedKeys(h.viaOIDC); len(keys) != 1 || keys[0] == "" {
				t.Errorf("with %s the keys are %v", auth, keys)
			}
		}
		b := h.browser()
		b.wantSession(b.oidcSignIn(ada.Email), "") // the secret is still there
		events, err := h.people.Events(t.Context(), h.operator, provisioning.EventQuery{Type: identity.ConnectionUpdated, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(events.Items)
		if err != nil || !strings.Contains(string(text), "client authentication") || !strings.Contains(string(text), "own certificates") || strings.Contains(string(text), "PRIVATE") {
			t.Errorf("the events are %s (%v)", text, err)
		}
	})
}
