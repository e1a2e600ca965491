package sso_test

import (
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func TestTheAccessTokenBelongsToTheIDToken(t *testing.T) {
	tokens(t, tokenCase{"another access token", claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), "oidc.wrong_access_token"}, tokenCase{"no hash", noClaim("at_hash"), ""})
}

func TestTheRequestToAnOpenIDProvider(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	b := h.browser()
	res := b.get(h.at(h.viaOIDC, "login") + "?login_hint=ada%40example.com&return_to=/console")
	q := mustQuery(t, res.Header.Get("Location"))
	for name, want := range map[string]string{
		"response_type": "code", "client_id": h.viaOIDC.OIDC.ClientID, "redirect_uri": h.at(h.viaOIDC, "callback"), "code_challenge_method": "S256", "scope": "openid profile email", "login_hint": "ada@example.com",
	} {
		if q.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, q.Get(name), want)
		}
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if len(q.Get(name)) != 43 {
			t.Errorf("%s has %d characters", name, len(q.Get(name)))
		}
	}
	if q.Get("client_secret") != "" || strings.Contains(res.Header.Get("Location"), "s3cret") {
		t.Error("the secret is in the browser")
	}
}

func TestAConnectionMayAskPeopleToAuthenticateAnew(t *testing.T) {
	eachDatabase(t, func(t *testing.T, h *house) {
		_, err := h.people.UpdateConnection(t.Context(), h.operator, h.viaOIDC.ID, func(c *identity.Connection) error { c.Options.ForceAuthn = true; return nil })
		if err != nil {
			t.Fatal(err)
		}
		q := mustQuery(t, h.browser().get(h.at(h.viaOIDC, "login")).Header.Get("Location"))
		if q.Get("prompt") != "login" || q.Get("max_age") != "0" {
			t.Errorf("the request asks with %v", q)
		}
		h.tokens(
			t, h.viaOIDC,
			tokenCase{"just now", nil, ""},
			tokenCase{"within the skew", in("auth_time", -30*time.Second), ""},
			tokenCase{"an hour ago", in("auth_time", -time.Hour), "oidc.stale_authentication"},
			tokenCase{"nobody knows when", noClaim("auth_time"), "oidc.stale_authentication"},
		)
	})
}

func TestASessionKeepsHowThePersonAuthenticated(t *testing.T) {
	eachDatabase(t, func(t *testing.T, h *house) {
		at := time.Now().Add(-time.Minute).UTC().Truncate(time.Second)
		h.oidc.Change(func(id *ssotest.IDToken) {
			id.Claims["acr"], id.Claims["amr"], id.Claims["auth_time"], id.Claims["sid"] = "phr", []string{"hwk", "pin"}, at.Unix(), "s-1"
		})
		b := h.browser()
		s := b.wantSession(b.oidcSignIn(ada.Email), "").Session
		if u := s.Upstream; u.ACR != "phr" || strings.Join(u.AMR, " ") != "hwk pin" || u.AuthTime == nil || !u.AuthTime.Equal(at) || u.Ends != nil {
			t.Errorf("it keeps %+v", u)
		}
		if s.Issuer != h.oidc.Issuer() || s.Subject != ada.Subject || s.SessionIndex != "s-1" {
			t.Errorf("the session is of %q, %q, %q", s.Issuer, s.Subject, s.SessionIndex)
		}
	})
}

func TestATraceSaysWhatTheTokenSaidWithoutItsSecrets(t *testing.T) {
	eachDatabase(t, func(t *testing.T, h *house) {
		nonce := ""
		h.oidc.Change(func(id *ssotest.IDToken) {
			nonce, _ = id.Claims["nonce"].(string)
			id.Claims["department"], id.Claims["levels"], id.Claims["upstream"] = "Bridges", []any{1, true, "x"}, "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"
		})
		b := h.browser()
		b.wantSession(b.oidcSignIn(ada.Email), "")
		facts := map[string]string{}
		for _, f := range h.lastTrace().Facts {
			facts[f.Name] = f.Value
		}
		for name, want := range map[string]string{"header alg": "RS256", "header typ": "JWT", "sub": ada.Subject, "email": ada.Email, "department": "Bridges", "levels": "1, true, x", "nonce": "", "at_hash": ""} {
			if facts[name] != want {
				t.Errorf("%s is %q, want %q", name, facts[name], want)
			}
		}
		text := h.traceText()
		if facts["header kid"] == "" || nonce == "" || strings.Contains(text, nonce) || strings.Contains(text, "eyJ") {
			t.Errorf("the trace is %s", text)
		}
		h.oidc.Change(func(id *ssotest.IDToken) { id.Key = attacker() })
		b.oidcSignIn(ada.Email)
		if trace := h.lastTrace(); trace.Code != "oidc.bad_signature" || len(trace.Facts) != 3 {
			t.Errorf("a token that the provider did not sign leaves %+v", trace.Facts)
		}
	})
}
