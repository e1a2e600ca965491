package sso

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

// signingInput is what a signature of a compact JWT covers.
func signingInput(raw string) string { return raw[:max(strings.LastIndexByte(raw, '.'), 0)] }

// FuzzIDToken: no bytes make the verifier panic, and none are believed that the provider did not sign.
func FuzzIDToken(f *testing.F) {
	o := newOIDCCase(f)
	good, err := o.token.Compact()
	must(err)
	f.Add(good)
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("eyJhbGciOiJSUzI1NiIsImNyaXQiOlsiYjY0Il0sImI2NCI6ZmFsc2V9.e30.AA")
	keys := o.fetched(f)
	f.Fuzz(func(t *testing.T, raw string) {
		var tr trail
		id, err := verifyIDToken(context.Background(), raw, keys, &o.connection, o.discovery, testNonce, o.now, &tr)
		if err == nil && signingInput(raw) != signingInput(good) {
			t.Fatal("believed a token that the provider did not sign")
		}
		for _, fact := range id.facts() {
			if !utf8.ValidString(fact.Name+fact.Value) || len(fact.Value) > 4*maxShown+4 {
				t.Fatalf("a fact that cannot be kept: %q", fact)
			}
		}
	})
}

// FuzzLogoutToken: the same for tokens that anybody may post.
func FuzzLogoutToken(f *testing.F) {
	o := newOIDCCase(f)
	good, err := o.provider.NewLogoutToken(ssotest.OIDCClient{ID: "drawbridge"}, ada.Subject, "s").Compact()
	must(err)
	f.Add(good)
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	keys := o.fetched(f)
	f.Fuzz(func(t *testing.T, raw string) {
		var tr trail
		if _, err := verifyLogoutToken(context.Background(), raw, keys, &o.connection, o.discovery, o.now, &tr); err == nil && signingInput(raw) != signingInput(good) {
			t.Fatal("believed a token that the provider did not sign")
		}
	})
}

// fetched returns the provider's keys without the network.
func (o *oidcCase) fetched(f testing.TB) *publishedKeys {
	f.Helper()
	keys, _, err := o.keys.keySet(context.Background(), false)
	must(err)
	return keys
}

// FuzzClaims: whatever a provider signs, reading it does not panic, and what is kept of it is bounded and text.
func FuzzClaims(f *testing.F) {
	f.Add([]byte(`{"sub":"1","aud":["a","b"],"groups":["x",1,true,null,{}],"_claim_names":{"groups":"src1"},"exp":1e300,"events":{"a":{}}}`))
	f.Add([]byte(`{"SUB":"1","\u017fub":"2","sub":3,"hasgroups":"true"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var id idToken
		var err error
		if id.all, err = readClaims(raw, &id); err != nil {
			return
		}
		c := id.claims(discovery{Issuer: "https://login.example.com/{tenantid}/v2.0"})
		if len(c.Attributes) > maxClaims {
			t.Fatalf("%d claims are kept", len(c.Attributes))
		}
		for name, values := range c.Attributes {
			for _, value := range append(values, name) {
				if len(value) > maxClaimValue || !utf8.ValidString(value) {
					t.Fatalf("%q is kept", value)
				}
			}
		}
		if c.EmailVerified == nil || *c.EmailVerified && !strings.Contains(string(raw), "xms_edov") && !strings.Contains(string(raw), `\u`) {
			t.Fatal("an address is believed that nobody vouches for")
		}
	})
}

// FuzzDiscovery: a document is used only when it is about the issuer and names addresses that may be asked.
func FuzzDiscovery(f *testing.F) {
	good, err := json.Marshal(map[string]any{
		"issuer": "https://idp.example.com", "authorization_endpoint": "https://idp.example.com/a", "token_endpoint": "https://idp.example.com/t", "jwks_uri": "https://idp.example.com/k",
	})
	must(err)
	f.Add(good)
	f.Add([]byte(`{"issuer":"https://idp.example.com/{tenantid}/v2.0"}`))
	p := &provider{issuer: "https://idp.example.com", fetch: newFetcher(false)}
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := p.parseDiscovery(raw)
		if err != nil {
			return
		}
		for _, address := range []string{d.Authorization, d.Token, d.Keys} {
			if u, err := url.Parse(address); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
				t.Fatalf("%q would be asked", address)
			}
		}
		if d.Issuer != p.issuer && !d.multiTenant() {
			t.Fatalf("the document of %q is used", d.Issuer)
		}
	})
}

// FuzzJWKS: what is kept of a document can verify, and costs little.
func FuzzJWKS(f *testing.F) {
	f.Add(jwksOf(rsaOf(2048)))
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"},{"kty":"OKP","crv":"Ed25519","x":"AA"},{"kty":"oct","k":"AA"}]}`))
	token := signedToken()
	f.Fuzz(func(t *testing.T, raw []byte) {
		keys, err := parseKeys(raw)
		if err != nil {
			return
		}
		if len(keys.keys) == 0 || len(keys.keys) > maxKeys {
			t.Fatalf("%d keys", len(keys.keys))
		}
		for _, key := range keys.keys {
			if err := usableKey(key.Key); err != nil || !key.Valid() {
				t.Fatalf("%v is kept", key)
			}
		}
		if _, err := keys.VerifySignature(context.Background(), token); err == nil {
			t.Fatal("a foreign key made our signature")
		}
	})
}

// signedToken is a token by a key that no document in a corpus has.
func signedToken() string {
	o := ssotest.IDToken{Header: map[string]any{"alg": "RS256"}, Claims: map[string]any{}, Key: attackerPair().key}
	raw, err := o.Compact()
	must(err)
	return raw
}

// FuzzUserInfo: no answer panics, and a signed one is believed only with the provider's key.
func FuzzUserInfo(f *testing.F) {
	o := newOIDCCase(f)
	good, err := o.token.Compact()
	must(err)
	f.Add([]byte(good))
	f.Add([]byte(` {"sub":"1","email":"a@example.com","groups":{"a":1}}`))
	keys := o.fetched(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		info, err := readUserInfo(context.Background(), raw, keys, &o.connection)
		text := strings.TrimSpace(string(raw))
		if err == nil && !strings.HasPrefix(text, "{") && signingInput(text) != signingInput(good) {
			t.Fatal("believed an answer that the provider did not sign")
		}
		id := idToken{all: map[string]json.RawMessage{}}
		id.add(info)
	})
}

// FuzzCallbackQuery: an answer goes on only with a code, without an error, and from the provider that was asked.
func FuzzCallbackQuery(f *testing.F) {
	f.Add("code=1&state=2&iss=https%3A%2F%2Fidp.example.com")
	f.Add("error=access_denied&error_description=%3Cscript%3E&state=2")
	f.Add("code=1&iss=https%3A%2F%2Fidp.example.com&iss=https%3A%2F%2Fevil.example")
	d := discovery{Issuer: "https://idp.example.com", IssInResponse: true}
	f.Fuzz(func(t *testing.T, raw string) {
		query, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		var tr trail
		if tr.require(responseIssCheck(query, d), responseErrorCheck(query)) != nil {
			for _, c := range tr.checks {
				if len(c.Got) > 4*maxShown+4 || !utf8.ValidString(c.Got) || c.Result == identity.Failed && c.Fix == "" {
					t.Fatalf("the trace keeps %q", c)
				}
			}
			return
		}
		if len(query["iss"]) != 1 || query.Get("iss") != d.Issuer || query.Get("code") == "" || query.Get("error") != "" {
			t.Fatalf("%q goes on", raw)
		}
	})
}
