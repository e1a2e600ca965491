package sso

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestATraceSaysWhatToDoAboutDiscovery(t *testing.T) {
	const issuer = "https://idp.example.com"
	asked := func(err error) error { return &url.Error{Op: "Get", URL: issuer, Err: err} }
	tests := []struct {
		name, issuer string
		err          error
		want         string
	}{
		{"the address of the document as the issuer", issuer + "/.well-known/openid-configuration", errors.New("404"), "what stands before"},
		{"another spelling", issuer + "/", sameIssuer(issuer+"/", discovery{Issuer: issuer}), "exactly as the provider spells it"},
		{"nobody listens", issuer, asked(errors.New("connection refused")), "cannot be reached"},
		{"a certificate that nobody trusts", issuer, asked(&tls.CertificateVerificationError{Err: errors.New("unknown authority")}), "does not trust"},
		{"plain http", "http://idp.example.com", newFetcher(false).allowed(&url.URL{Scheme: "http", Host: "idp.example.com"}), "DRAWBRIDGE_ALLOW_PRIVATE_PROVIDERS=true"},
		{"a private address", issuer, asked(newFetcher(false).control("tcp", "10.0.0.1:443", nil)), "DRAWBRIDGE_ALLOW_PRIVATE_PROVIDERS=true"},
		{"no such document", issuer, errors.New(issuer + " answered 404 Not Found"), "compare the issuer URL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := discoveryFix(tt.issuer, tt.err); !strings.Contains(got, tt.want) {
				t.Errorf("the fix is %q, want one with %q", got, tt.want)
			}
		})
	}
}

func TestATraceSaysWhatToDoAboutTheTokenEndpoint(t *testing.T) {
	answer := func(status int, code string) error {
		return fmt.Errorf("exchange: %w", &oauth2.RetrieveError{Response: &http.Response{StatusCode: status}, ErrorCode: code})
	}
	tests := []struct {
		name string
		err  error
		auth identity.ClientAuth
		want string
	}{
		{"a key that is not known there", answer(401, "invalid_client"), identity.ClientAuthPrivateKey, "jwks.json"},
		{"a wrong secret", answer(401, "invalid_client"), "", "client secret: enter both again"},
		{"a wrong secret in Keycloak's words", answer(401, "unauthorized_client"), "", "client secret: enter both again"},
		{"a wrong secret without a word", answer(401, ""), "", "client secret: enter both again"},
		{"a wrong code", answer(400, "invalid_grant"), "", "compare the redirect URI"},
		{"nobody listens", &url.Error{Op: "Post", Err: errors.New("connection refused")}, "", "cannot be reached"},
		{"something else", answer(500, ""), "", "did not give tokens"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tokenFix(tt.err, tt.auth); !strings.Contains(got, tt.want) {
				t.Errorf("the fix is %q, want one with %q", got, tt.want)
			}
		})
	}
}

func TestATraceSaysWhatToDoAboutAnErrorOfTheProvider(t *testing.T) {
	for code, want := range map[string]string{
		"access_denied": "assign them", "invalid_scope": "openid, profile and email", "unauthorized_client": "authorization code flow",
		"temporarily_unavailable": "try again later", "": "neither a code", "x": "own log",
	} {
		if got := answerFix(code); !strings.Contains(got, want) {
			t.Errorf("the fix of %q is %q, want one with %q", code, got, want)
		}
	}
	d := discovery{Issuer: "https://idp.example.com", IssInResponse: true}
	if c := responseIssCheck(url.Values{}, d); c.ok || !strings.Contains(c.fix, "RFC 9207") {
		t.Errorf("an answer without iss: %+v", c)
	}
	if c := responseIssCheck(url.Values{"iss": {"https://evil.example"}}, d); c.ok || !strings.Contains(c.fix, "another provider") {
		t.Errorf("an answer of another: %+v", c)
	}
}

func TestUserInfoAsJSONOrAsASignedToken(t *testing.T) {
	tests := []struct {
		name   string
		change func(*oidcCase)
		good   bool
	}{
		{"signed", func(*oidcCase) {}, true},
		{"signed by somebody else", foreignKey("x", func(*rsa.PublicKey) any { return "" }), false},
		{"of another issuer", claim("iss", "https://evil.example"), false},
		{"for another client", claim("aud", "other"), false},
		{"for nobody", noClaim("aud"), false},
		{"not signed", func(o *oidcCase) { o.token.Header["alg"] = "none" }, false},
		{"an algorithm that the connection does not list", func(o *oidcCase) { o.connection.OIDC.Algorithms = []string{"ES256"} }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newOIDCCase(t)
			tt.change(o)
			raw, err := o.token.Compact()
			must(err)
			info, err := readUserInfo(context.Background(), []byte(raw+"\n"), o.keys, &o.connection)
			if (err == nil) != tt.good || tt.good && info.Email != ada.Email || !tt.good && info.Email != "" {
				t.Errorf("read as %+v, error %v", info, err)
			}
		})
	}
	plain, err := readUserInfo(context.Background(), []byte(` {"sub":"1","email":"a@example.com"}`), nil, &identity.Connection{})
	if err != nil || plain.Email != "a@example.com" || plain.Subject != "1" {
		t.Errorf("JSON reads as %+v, error %v", plain, err)
	}
	if _, err := readUserInfo(context.Background(), []byte("<html>"), nil, &identity.Connection{}); err == nil {
		t.Error("HTML is read as userinfo")
	}
}

func TestUnreadableClaimsAreNotCalledAWrongSignature(t *testing.T) {
	for name, change := range map[string]func(*oidcCase){
		"a number as the subject": claim("sub", 12345), "a string as the expiry": claim("exp", "1999999999"), "an object as the name": claim("name", map[string]any{"a": 1}),
	} {
		t.Run(name, func(t *testing.T) {
			o := newOIDCCase(t)
			change(o)
			_, tr, err := o.verify(t)
			wantCode(t, tr, err, "oidc.malformed_token")
		})
	}
	o := newOIDCCase(t)
	foreignKey("x", func(*rsa.PublicKey) any { return "" })(o)
	_, tr, err := o.verify(t)
	wantCode(t, tr, err, "oidc.bad_signature")
}
