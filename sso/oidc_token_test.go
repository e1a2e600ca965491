package sso

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
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

// TestIDTokens has what the rows of the acceptance table leave out.
func TestIDTokens(t *testing.T) {
	tests := []struct {
		name string
		do   func(*oidcCase)
		code string
	}{
		{"good", func(*oidcCase) {}, ""},
		{"HS256 even where the connection lists it", func(o *oidcCase) {
			o.connection.OIDC.Algorithms = []string{"HS256", "none"}
			o.token.Header["alg"], o.token.HMAC = "HS256", []byte("secret")
		}, "oidc.bad_algorithm"},
		{"not yet valid", after("nbf", time.Hour), "oidc.not_yet_valid"},
		{"an unknown critical header", func(o *oidcCase) { o.token.Header["crit"] = []string{"unknown"} }, "oidc.bad_signature"},
		{"without the name of the key", func(o *oidcCase) { delete(o.token.Header, "kid") }, ""},
		{"a claim in capitals beside the true one", claim("SUB", "somebody else"), ""},
		{"a claim with a letter that folds to the true one", claim("\u017fub", "somebody else"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newOIDCCase(t)
			tt.do(o)
			id, tr, err := o.verify(t)
			wantCode(t, tr, err, tt.code)
			if err != nil && identity.KindOf(err) != identity.Unauthenticated {
				t.Errorf("kind %v, want unauthenticated", identity.KindOf(err))
			}
			if err == nil && id.Subject != ada.Subject {
				t.Errorf("the subject is %q", id.Subject)
			}
		})
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

// At issuers that speak for many tenants.
func TestWhoseWordCountsForAnAddressAtASharedIssuer(t *testing.T) {
	const tenant = "11111111-2222-3333-4444-555555555555"
	setUp := func(o *oidcCase) {
		o.discovery.Issuer = o.provider.Issuer() + "/{tenantid}/v2.0"
		o.connection.OIDC.TenantIDs = []string{tenant}
		o.token.Claims["iss"], o.token.Claims["tid"] = o.provider.Issuer()+"/"+tenant+"/v2.0", tenant
	}
	tests := []struct {
		name     string
		do       func(*oidcCase)
		verified bool
	}{
		{"a listed tenant", func(*oidcCase) {}, false},
		{"the domain is the tenant's own", claim("xms_edov", true), true},
		{"the same as a number", claim("xms_edov", 1), true},
		{"the address is from userinfo", func(o *oidcCase) { claim("xms_edov", true)(o); noClaim("email")(o) }, false},
		{"the domain is not the tenant's own", claim("xms_edov", 0), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newOIDCCase(t)
			setUp(o)
			tt.do(o)
			id, tr, err := o.verify(t)
			wantCode(t, tr, err, "")
			id.add(userInfo{profile: profile{Email: ada.Email, EmailVerified: true}})
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
