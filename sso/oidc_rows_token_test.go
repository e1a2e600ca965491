package sso_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// tokenCase is an ID token of a whole sign-in, and what must come of it. Without a code the person is in.
type tokenCase struct {
	name   string
	change func(*ssotest.IDToken)
	code   string
}

// eachDatabase builds a house on both databases.
func eachDatabase(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *store.DB) { test(t, build(t, db)) })
}

// tokens signs Ada in with each token, on both databases: who is refused is refused with 401.
func tokens(t *testing.T, cases ...tokenCase) {
	t.Helper()
	eachDatabase(t, func(t *testing.T, h *house) { h.tokens(t, h.viaOIDC, cases...) })
}

func (h *house) tokens(t *testing.T, c identity.Connection, cases ...tokenCase) {
	t.Helper()
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			h.t = t
			h.oidc.Change(tt.change)
			b := h.browser()
			res := b.signInAt(c, ada.Email)
			if tt.code == "" {
				b.wantSession(res, "")
				return
			}
			b.wantRefusal(res, http.StatusUnauthorized, tt.code)
		})
	}
}

// attacker is a key that no provider of ours has.
var attacker = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func claim(name string, value any) func(*ssotest.IDToken) {
	return func(id *ssotest.IDToken) { id.Claims[name] = value }
}

func noClaim(name string) func(*ssotest.IDToken) {
	return func(id *ssotest.IDToken) { delete(id.Claims, name) }
}

func in(name string, d time.Duration) func(*ssotest.IDToken) {
	return func(id *ssotest.IDToken) { id.Claims[name] = time.Now().Add(d).Unix() }
}

// audiences addresses a token to somebody else and to us, for the party that azp names; empty: azp is absent.
func audiences(azp func(us string) string) func(*ssotest.IDToken) {
	return func(id *ssotest.IDToken) {
		us, _ := id.Claims["aud"].(string)
		id.Claims["aud"] = []string{"somebody else", us}
		if party := azp(us); party != "" {
			id.Claims["azp"] = party
		}
	}
}

func TestO01ATokenWithoutASignatureIsRefused(t *testing.T) {
	tokens(
		t,
		tokenCase{"none", func(id *ssotest.IDToken) { id.Header["alg"] = "none" }, "oidc.bad_algorithm"},
		tokenCase{"None", func(id *ssotest.IDToken) { id.Header["alg"] = "None" }, "oidc.bad_algorithm"},
		tokenCase{"no algorithm at all", func(id *ssotest.IDToken) { delete(id.Header, "alg") }, "oidc.bad_algorithm"},
	)
}

func TestO02ATokenSignedWithOurPublicKnowledgeIsRefused(t *testing.T) {
	tokens(
		t,
		tokenCase{"HS256 with the provider's public key", func(id *ssotest.IDToken) {
			der, err := x509.MarshalPKIXPublicKey(&id.Key.PublicKey)
			if err != nil {
				t.Error(err)
			}
			id.Header["alg"], id.HMAC = "HS256", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		}, "oidc.bad_algorithm"},
		tokenCase{"HS256 with the client secret", func(id *ssotest.IDToken) { id.Header["alg"], id.HMAC = "HS256", []byte("s3cret") }, "oidc.bad_algorithm"},
	)
}

func TestO03AKeyThatTheTokenBringsIsNeverUsed(t *testing.T) {
	var asked atomic.Int64
	outside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer outside.Close()
	brings := func(header string, value any) func(*ssotest.IDToken) {
		return func(id *ssotest.IDToken) { id.Key, id.Header[header] = attacker(), value }
	}
	certificate, err := ssotest.SelfSigned(attacker(), "attacker")
	if err != nil {
		t.Fatal(err)
	}
	tokens(
		t,
		tokenCase{"jwk", brings("jwk", map[string]any{"kty": "RSA", "n": base64.RawURLEncoding.EncodeToString(attacker().N.Bytes()), "e": "AQAB"}), "oidc.bad_signature"},
		tokenCase{"jku", brings("jku", outside.URL+"/jwks"), "oidc.bad_signature"},
		tokenCase{"x5u", brings("x5u", outside.URL+"/certificate"), "oidc.bad_signature"},
		tokenCase{"x5c", brings("x5c", []string{base64.StdEncoding.EncodeToString(certificate)}), "oidc.bad_signature"},
	)
	if asked.Load() != 0 {
		t.Errorf("a token made us ask an address of the attacker %d times", asked.Load())
	}
}

func TestO04AnAlgorithmThatTheConnectionDoesNotListIsRefused(t *testing.T) {
	eachDatabase(t, func(t *testing.T, h *house) {
		pin := func(algorithms ...string) {
			_, err := h.people.UpdateConnection(t.Context(), h.operator, h.viaOIDC.ID, func(c *identity.Connection) error { c.OIDC.Algorithms = algorithms; return nil })
			if err != nil {
				t.Fatal(err)
			}
		}
		pin("ES256")
		h.tokens(t, h.viaOIDC, tokenCase{"RS256 where ES256 is listed", nil, "oidc.bad_algorithm"})
		pin("ES256", "RS256")
		h.tokens(t, h.viaOIDC, tokenCase{"RS256 where it is listed too", nil, ""})
	})
}

func TestO05WhatDiscoverySaysAboutAlgorithmsIsIgnored(t *testing.T) {
	_, oidc := providers()
	oidc.Publish("id_token_signing_alg_values_supported", []string{"HS256", "none"})
	defer oidc.Publish("id_token_signing_alg_values_supported", []string{"RS256"})
	tokens(
		t,
		tokenCase{"HS256", func(id *ssotest.IDToken) { id.Header["alg"], id.HMAC = "HS256", []byte("s3cret") }, "oidc.bad_algorithm"},
		tokenCase{"none", func(id *ssotest.IDToken) { id.Header["alg"] = "none" }, "oidc.bad_algorithm"},
		tokenCase{"RS256", nil, ""},
	)
}

func TestO06AnotherIssuerIsRefused(t *testing.T) {
	tokens(
		t,
		tokenCase{"somebody else", claim("iss", "https://evil.example"), "oidc.wrong_issuer"},
		tokenCase{"a trailing slash", func(id *ssotest.IDToken) { id.Claims["iss"] = id.Claims["iss"].(string) + "/" }, "oidc.wrong_issuer"},
		tokenCase{"another tenant of the same provider", func(id *ssotest.IDToken) { id.Claims["iss"] = id.Claims["iss"].(string) + "/other" }, "oidc.wrong_issuer"},
		tokenCase{"the right one in another member's case", func(id *ssotest.IDToken) {
			id.Claims["ISS"], id.Claims["iss"] = id.Claims["iss"], "https://evil.example"
		}, "oidc.wrong_issuer"},
		tokenCase{"none", noClaim("iss"), "oidc.wrong_issuer"},
	)
}

func TestO07AnIssuerOfManyTenantsNeedsAListOfThem(t *testing.T) {
	const trusted, stranger = "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"
	eachDatabase(t, func(t *testing.T, h *house) {
		entra := h.anotherProvider(t)
		entra.Publish("issuer", entra.Issuer()+"/{tenantid}/v2.0")
		h.oidc = entra
		connect := func(name string, tenants ...string) identity.Connection {
			c := h.create(identity.Connection{Name: name, Kind: identity.OIDC, OIDC: identity.OIDCSettings{Issuer: entra.Issuer(), ClientID: "entra " + name, ClientSecret: "s3cret", TenantIDs: tenants}})
			entra.Register(ssotest.OIDCClient{ID: c.OIDC.ClientID, Secret: "s3cret", RedirectURI: h.at(c, "callback")})
			return c
		}
		of := func(tid, iss string) func(*ssotest.IDToken) {
			return func(id *ssotest.IDToken) {
				id.Claims["tid"], id.Claims["iss"], id.Claims["xms_edov"] = tid, entra.Issuer()+"/"+iss+"/v2.0", true
			}
		}
		listed := connect("listed", trusted)
		h.tokens(
			t, listed,
			tokenCase{"a listed tenant", of(trusted, trusted), ""},
			tokenCase{"a tenant that is not listed", of(stranger, stranger), "oidc.wrong_issuer"},
			tokenCase{"tid of a listed tenant, iss of another", of(trusted, stranger), "oidc.wrong_issuer"},
			tokenCase{"iss of a listed tenant, tid of another", of(stranger, trusted), "oidc.wrong_issuer"},
			tokenCase{"the template itself", of("{tenantid}", "{tenantid}"), "oidc.wrong_issuer"},
			tokenCase{"no tid", func(id *ssotest.IDToken) { of(trusted, trusted)(id); delete(id.Claims, "tid") }, "oidc.wrong_issuer"},
		)
		h.t = t
		b := h.browser()
		b.wantRefusal(b.get(h.at(connect("unlisted"), "login")), http.StatusForbidden, "oidc.tenants_missing")
	})
}

func TestO08AnotherAudienceIsRefused(t *testing.T) {
	tokens(
		t,
		tokenCase{"somebody else", claim("aud", "somebody else"), "oidc.wrong_audience"},
		tokenCase{"nobody", noClaim("aud"), "oidc.wrong_audience"},
		tokenCase{"an empty list", claim("aud", []string{}), "oidc.wrong_audience"},
	)
}

func TestO09AnotherAuthorizedPartyIsRefused(t *testing.T) {
	tokens(
		t,
		tokenCase{"two audiences and azp is the other", audiences(func(string) string { return "somebody else" }), "oidc.wrong_azp"},
		tokenCase{"we alone and azp is another", claim("azp", "somebody else"), "oidc.wrong_azp"},
		tokenCase{"we alone and azp is empty", claim("azp", ""), "oidc.wrong_azp"},
		tokenCase{"two audiences and azp is us", audiences(func(us string) string { return us }), ""},
	)
}

func TestO10SeveralAudiencesWithoutAnAuthorizedPartyAreRefused(t *testing.T) {
	tokens(t, tokenCase{"two audiences", audiences(func(string) string { return "" }), "oidc.wrong_azp"})
}

func TestO11AMissingOrDifferentNonceIsRefused(t *testing.T) {
	tokens(
		t,
		tokenCase{"missing", noClaim("nonce"), "oidc.wrong_nonce"},
		tokenCase{"empty", claim("nonce", ""), "oidc.wrong_nonce"},
		tokenCase{"different", claim("nonce", "different"), "oidc.wrong_nonce"},
	)
}

func TestO12ATokenOfAnotherSignInIsRefused(t *testing.T) {
	eachDatabase(t, func(t *testing.T, h *house) {
		var stolen any
		h.tokens(
			t, h.viaOIDC,
			tokenCase{"the sign-in that it was made for", func(id *ssotest.IDToken) { stolen = id.Claims["nonce"] }, ""},
			tokenCase{"another sign-in", func(id *ssotest.IDToken) { id.Claims["nonce"] = stolen }, "oidc.wrong_nonce"},
		)
	})
}

func TestO13AnExpiredTokenIsRefusedBeyondTheSkew(t *testing.T) {
	tokens(
		t,
		tokenCase{"30 seconds ago", in("exp", -30*time.Second), ""},
		tokenCase{"ten minutes ago", in("exp", -10*time.Minute), "oidc.expired"},
		tokenCase{"never", noClaim("exp"), "oidc.expired"},
	)
}

func TestO14ATokenFromAnotherTimeIsRefused(t *testing.T) {
	tokens(
		t,
		tokenCase{"in an hour", in("iat", time.Hour), "oidc.wrong_issue_time"},
		tokenCase{"30 days ago", in("iat", -30*24*time.Hour), "oidc.wrong_issue_time"},
		tokenCase{"missing", noClaim("iat"), "oidc.wrong_issue_time"},
	)
}

func TestO15ATokenAboutNobodyIsRefused(t *testing.T) {
	tokens(
		t,
		tokenCase{"missing", noClaim("sub"), "oidc.no_subject"},
		tokenCase{"empty", claim("sub", ""), "oidc.no_subject"},
		tokenCase{"in another case", func(id *ssotest.IDToken) { id.Claims["SUB"] = id.Claims["sub"]; delete(id.Claims, "sub") }, "oidc.no_subject"},
	)
}

func TestO16ALogoutTokenIsNoIDToken(t *testing.T) {
	tokens(
		t,
		tokenCase{"by its event", claim("events", map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}), "oidc.not_an_id_token"},
		tokenCase{"by its type", func(id *ssotest.IDToken) { id.Header["typ"] = "logout+jwt" }, "oidc.not_an_id_token"},
	)
}
