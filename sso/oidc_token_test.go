package sso

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

// oidcCase is a provider that listens, a connection to it, and an ID token that is about to be signed.
type oidcCase struct {
	provider   *ssotest.OIDC
	keys       *provider
	connection identity.Connection
	discovery  discovery
	token      *ssotest.IDToken
	now        time.Time
}

const testNonce = "nonce-1"

// openProvider listens once for all tests of tokens, because keys are slow to make.
var openProvider = sync.OnceValue(func() *ssotest.OIDC {
	var idp *ssotest.OIDC
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { idp.ServeHTTP(w, r) }))
	var err error
	idp, err = ssotest.NewOIDC(server.URL, ada)
	must(err)
	return idp
})

func newOIDCCase(t testing.TB) *oidcCase {
	t.Helper()
	idp := openProvider()
	o := &oidcCase{provider: idp, now: time.Now()}
	o.connection = identity.Connection{
		ID: "0197a000-0000-7000-8000-000000000002", Kind: identity.OIDC, Enabled: true,
		OIDC: identity.OIDCSettings{Issuer: idp.Issuer(), ClientID: "drawbridge", ClientSecret: "secret"},
	}
	cache := providers{fetch: newFetcher(true)}
	o.keys = cache.of(&o.connection)
	var err error
	if o.discovery, err = o.keys.discover(context.Background()); err != nil {
		t.Fatal(err)
	}
	o.token = idp.NewIDToken(ssotest.OIDCClient{ID: "drawbridge"}, ada, testNonce)
	return o
}

func (o *oidcCase) verify(t testing.TB) (idToken, *trail, error) {
	t.Helper()
	raw, err := o.token.Compact()
	if err != nil {
		t.Fatal(err)
	}
	var tr trail
	id, err := verifyIDToken(context.Background(), raw, o.keys, &o.connection, o.discovery, testNonce, o.now, &tr)
	return id, &tr, err
}

func claim(name string, value any) func(*oidcCase) {
	return func(o *oidcCase) { o.token.Claims[name] = value }
}

func noClaim(name string) func(*oidcCase) {
	return func(o *oidcCase) { delete(o.token.Claims, name) }
}

func after(name string, d time.Duration) func(*oidcCase) {
	return func(o *oidcCase) { o.token.Claims[name] = o.now.Add(d).Unix() }
}

// foreignKey signs with a key of the attacker and names it in the header.
func foreignKey(header string, value func(*rsa.PublicKey) any) func(*oidcCase) {
	return func(o *oidcCase) {
		o.token.Key = attackerPair().key
		o.token.Header[header] = value(&attackerPair().key.PublicKey)
	}
}

func TestIDTokens(t *testing.T) {
	var asked atomic.Int64
	outside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer outside.Close()
	tests := []struct {
		name string
		do   func(*oidcCase)
		code string
	}{
		{"good", func(*oidcCase) {}, ""},
		{"O01 alg none", func(o *oidcCase) { o.token.Header["alg"] = "none" }, "oidc.bad_algorithm"},
		{"O01 alg None", func(o *oidcCase) { o.token.Header["alg"] = "None" }, "oidc.bad_algorithm"},
		{"O02 HS256 with the public key as the secret", func(o *oidcCase) {
			der, err := x509.MarshalPKIXPublicKey(&o.token.Key.PublicKey)
			must(err)
			o.token.Header["alg"], o.token.HMAC = "HS256", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		}, "oidc.bad_algorithm"},
		{"O02 HS256 even where the connection lists it", func(o *oidcCase) {
			o.connection.OIDC.Algorithms = []string{"HS256", "none"}
			o.token.Header["alg"], o.token.HMAC = "HS256", []byte("secret")
		}, "oidc.bad_algorithm"},
		{"O03 the attacker's key as jwk", foreignKey("jwk", func(k *rsa.PublicKey) any {
			return map[string]any{"kty": "RSA", "n": base64.RawURLEncoding.EncodeToString(k.N.Bytes()), "e": "AQAB"}
		}), "oidc.bad_signature"},
		{"O03 the attacker's key at jku", foreignKey("jku", func(*rsa.PublicKey) any { return outside.URL }), "oidc.bad_signature"},
		{"O03 the attacker's key at x5u", foreignKey("x5u", func(*rsa.PublicKey) any { return outside.URL }), "oidc.bad_signature"},
		{"O04 an algorithm that the connection does not list", func(o *oidcCase) { o.connection.OIDC.Algorithms = []string{"ES256"} }, "oidc.bad_algorithm"},
		{"O05 the provider advertises HS256 and none", func(o *oidcCase) {
			o.provider.Publish("id_token_signing_alg_values_supported", []string{"HS256", "none"})
			o.token.Header["alg"], o.token.HMAC = "HS256", []byte("secret")
		}, "oidc.bad_algorithm"},
		{"O06 another issuer", claim("iss", "https://evil.example"), "oidc.wrong_issuer"},
		{"O06 a trailing slash", func(o *oidcCase) { o.token.Claims["iss"] = o.provider.Issuer() + "/" }, "oidc.wrong_issuer"},
		{"O06 no issuer", noClaim("iss"), "oidc.wrong_issuer"},
		{"O08 another audience", claim("aud", "other"), "oidc.wrong_audience"},
		{"O08 no audience", noClaim("aud"), "oidc.wrong_audience"},
		{"O09 two audiences and azp of the other", func(o *oidcCase) {
			o.token.Claims["aud"], o.token.Claims["azp"] = []string{"other", "drawbridge"}, "other"
		}, "oidc.wrong_azp"},
		{"O09 one audience and azp of another", claim("azp", "other"), "oidc.wrong_azp"},
		{"O09 an empty azp", claim("azp", ""), "oidc.wrong_azp"},
		{"O10 two audiences without azp", claim("aud", []string{"other", "drawbridge"}), "oidc.wrong_azp"},
		{"two audiences and azp is us", func(o *oidcCase) {
			o.token.Claims["aud"], o.token.Claims["azp"] = []string{"other", "drawbridge"}, "drawbridge"
		}, ""},
		{"O11 no nonce", noClaim("nonce"), "oidc.wrong_nonce"},
		{"O12 the nonce of another sign-in", claim("nonce", "nonce-2"), "oidc.wrong_nonce"},
		{"O13 expired within the skew", after("exp", -30*time.Second), ""},
		{"O13 expired ten minutes ago", after("exp", -10*time.Minute), "oidc.expired"},
		{"O13 no expiry", noClaim("exp"), "oidc.expired"},
		{"O14 issued in an hour", after("iat", time.Hour), "oidc.wrong_issue_time"},
		{"O14 issued 30 days ago", after("iat", -30*24*time.Hour), "oidc.wrong_issue_time"},
		{"O14 no iat", noClaim("iat"), "oidc.wrong_issue_time"},
		{"not yet valid", after("nbf", time.Hour), "oidc.not_yet_valid"},
		{"O15 no subject", noClaim("sub"), "oidc.no_subject"},
		{"O15 an empty subject", claim("sub", ""), "oidc.no_subject"},
		{"O16 a logout token", claim("events", map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}), "oidc.not_an_id_token"},
		{"O16 a logout token by its type", func(o *oidcCase) { o.token.Header["typ"] = "logout+jwt" }, "oidc.not_an_id_token"},
		{"an unknown critical header", func(o *oidcCase) { o.token.Header["crit"] = []string{"unknown"} }, "oidc.bad_signature"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newOIDCCase(t)
			tt.do(o)
			_, tr, err := o.verify(t)
			wantCode(t, tr, err, tt.code)
			if err != nil && identity.KindOf(err) != identity.Unauthenticated {
				t.Errorf("kind %v, want unauthenticated", identity.KindOf(err))
			}
		})
	}
	if asked.Load() != 0 {
		t.Error("O03: a token made us ask an address of the attacker")
	}
}

func TestGarbageTokensAreRefused(t *testing.T) {
	o := newOIDCCase(t)
	for _, raw := range []string{"", ".", "..", "a.b.c", "eyJhbGciOiJSUzI1NiJ9", "eyJhbGciOiJSUzI1NiJ9.e30.", strings.Repeat("a", 1<<20)} {
		var tr trail
		if _, err := verifyIDToken(context.Background(), raw, o.keys, &o.connection, o.discovery, testNonce, o.now, &tr); identity.KindOf(err) != identity.Unauthenticated {
			t.Errorf("%.20q: %v", raw, err)
		}
	}
}

// O07, E08: issuers that speak for many tenants.
func TestMultiTenantIssuers(t *testing.T) {
	const tenant = "11111111-2222-3333-4444-555555555555"
	setUp := func(o *oidcCase) {
		o.discovery.Issuer = o.provider.Issuer() + "/{tenantid}/v2.0"
		o.connection.OIDC.TenantIDs = []string{tenant}
		o.token.Claims["iss"], o.token.Claims["tid"] = o.provider.Issuer()+"/"+tenant+"/v2.0", tenant
	}
	tests := []struct {
		name     string
		do       func(*oidcCase)
		code     string
		verified bool
	}{
		{"a listed tenant", func(*oidcCase) {}, "", false},
		{"the domain is the tenant's own", claim("xms_edov", true), "", true},
		{"the same as a number", claim("xms_edov", 1), "", true},
		{"the domain is not the tenant's own", claim("xms_edov", 0), "", false},
		{"a tenant that is not listed", func(o *oidcCase) { o.connection.OIDC.TenantIDs = []string{"other"} }, "oidc.wrong_issuer", false},
		{"no tenant is listed", func(o *oidcCase) { o.connection.OIDC.TenantIDs = nil }, "oidc.wrong_issuer", false},
		{"tid and iss differ", func(o *oidcCase) { o.token.Claims["iss"] = o.provider.Issuer() + "/other/v2.0" }, "oidc.wrong_issuer", false},
		{"no tid", noClaim("tid"), "oidc.wrong_issuer", false},
		{"the template itself", func(o *oidcCase) { o.token.Claims["iss"], o.token.Claims["tid"] = o.discovery.Issuer, "{tenantid}" }, "oidc.wrong_issuer", false},
	}
	for _, tt := range tests {
		t.Run("O07 E08 "+tt.name, func(t *testing.T) {
			o := newOIDCCase(t)
			setUp(o)
			tt.do(o)
			id, tr, err := o.verify(t)
			wantCode(t, tr, err, tt.code)
			if err != nil {
				return
			}
			c := id.claims(o.discovery)
			if c.EmailVerified == nil || *c.EmailVerified != tt.verified {
				t.Errorf("verified %v, want %v", c.EmailVerified, tt.verified)
			}
		})
	}
}

func TestWhenAnAddressCountsAsVerified(t *testing.T) { // E04 to E07
	yes, no := true, false
	tests := []struct {
		raw  string
		want *bool
	}{{`true`, &yes}, {`"true"`, &yes}, {`false`, &no}, {`"false"`, &no}, {`1`, &no}, {`"1"`, &no}, {`"yes"`, &no}, {`{}`, &no}, {`null`, nil}}
	for _, tt := range tests {
		var id idToken
		must(json.Unmarshal([]byte(`{"email_verified":`+tt.raw+`}`), &id))
		got := id.claims(discovery{}).EmailVerified
		if (got == nil) != (tt.want == nil) || got != nil && *got != *tt.want {
			t.Errorf("E07 email_verified %s became %v", tt.raw, got)
		}
	}
	if (&idToken{}).claims(discovery{}).EmailVerified != nil {
		t.Error("E05 an absent email_verified must stay unknown")
	}
}

func TestClaimsOfTheSession(t *testing.T) {
	o := newOIDCCase(t)
	o.token.Claims["sid"], o.token.Claims["acr"], o.token.Claims["amr"], o.token.Claims["session_expiry"] = "s1", "mfa", []string{"pwd", "otp"}, o.now.Add(time.Hour).Unix()
	id, tr, err := o.verify(t)
	wantCode(t, tr, err, "")
	c := id.claims(o.discovery)
	if c.SessionIndex != "s1" || c.ACR != "mfa" || len(c.AMR) != 2 || c.AuthTime == nil || c.SessionEnds == nil || c.SessionEnds.Unix() != o.now.Add(time.Hour).Unix() {
		t.Errorf("claims %+v", c)
	}
	if c.Subject != ada.Subject || c.Email != ada.Email || c.GivenName != "Ada" || c.FamilyName != "Lovelace" || len(c.Groups) != 2 {
		t.Errorf("claims %+v", c)
	}
}

// FuzzIDToken: no bytes make the verifier panic, and none are believed that the provider did not sign.
func FuzzIDToken(f *testing.F) {
	o := newOIDCCase(f)
	raw, err := o.token.Compact()
	must(err)
	f.Add(raw)
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	keys := staticKeys("https://idp.example.com/keys", []byte(`{"keys":[]}`))
	f.Fuzz(func(t *testing.T, raw string) {
		var tr trail
		if _, err := verifyIDToken(context.Background(), raw, keys, &o.connection, o.discovery, testNonce, o.now, &tr); err == nil {
			t.Fatal("believed a token although the provider publishes no key")
		}
	})
}
