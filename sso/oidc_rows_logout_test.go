package sso_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

// sendLogout posts a logout token as a provider's server does.
func (h *house) sendLogout(c identity.Connection, token *ssotest.IDToken) reply {
	h.t.Helper()
	raw, err := token.Compact()
	if err != nil {
		h.t.Fatal(err)
	}
	return h.browser().post(h.at(c, "backchannel-logout"), url.Values{"logout_token": {raw}})
}

// logoutToken is a good one for Ada.
func (h *house) logoutToken(subject, session string) *ssotest.IDToken {
	return h.oidc.NewLogoutToken(ssotest.OIDCClient{ID: h.viaOIDC.OIDC.ClientID}, subject, session)
}

// wantLogoutRefused fails unless the log-out was refused with 400, and the trace says why.
func (h *house) wantLogoutRefused(res reply, code string) {
	h.t.Helper()
	trace := h.lastTrace()
	if res.StatusCode != http.StatusBadRequest || trace.Code != code || trace.OK || trace.Purpose != identity.PurposeLogout {
		h.t.Fatalf("answered %d with the code %q, want 400 and %q: %s", res.StatusCode, trace.Code, code, h.traceText())
	}
	if !strings.Contains(res.body, `"error":"invalid_request"`) || !strings.Contains(res.body, string(trace.ID)) || strings.Contains(res.body, code) {
		h.t.Errorf("the answer is %s", res.body)
	}
	if res.Header.Get("Cache-Control") != "no-store" || res.Header.Get("Content-Type") != "application/json" || res.Header.Get("Location") != "" {
		h.t.Errorf("the answer's header is %v", res.Header)
	}
}

func TestO31ABackChannelLogoutEndsTheSessionsThatItNames(t *testing.T) {
	eachDatabase(t, func(t *testing.T, h *house) {
		signedIn := func() (*browser, identity.Session) {
			b := h.browser()
			return b, b.wantSession(b.oidcSignIn(ada.Email), "").Session
		}
		stays := func(b *browser, want bool) {
			t.Helper()
			if _, err := b.session(); (err == nil) != want {
				t.Errorf("the session lives: %v, want %v", err == nil, want)
			}
		}
		wantEnded := func(res reply) {
			t.Helper()
			if trace := h.lastTrace(); res.StatusCode != http.StatusOK || res.body != "" || res.Header.Get("Cache-Control") != "no-store" || !trace.OK || trace.Purpose != identity.PurposeLogout {
				t.Fatalf("answered %d %s: %s", res.StatusCode, res.body, h.traceText())
			}
		}
		one, first := signedIn()
		two, _ := signedIn()
		other := h.browser()
		other.wantSession(other.oidcSignIn("bob@example.com"), "")

		t.Run("by its session", func(t *testing.T) {
			wantEnded(h.sendLogout(h.viaOIDC, h.logoutToken("", first.SessionIndex)))
			stays(one, false)
			stays(two, true)
		})
		t.Run("by its subject, and a copy ends nothing", func(t *testing.T) {
			token := h.logoutToken(ada.Subject, "")
			wantEnded(h.sendLogout(h.viaOIDC, token))
			stays(two, false)
			stays(other, true)
			again, _ := signedIn()
			h.wantLogoutRefused(h.sendLogout(h.viaOIDC, token), "oidc.replay")
			stays(again, true)
		})
		t.Run("nobody is there", func(t *testing.T) { wantEnded(h.sendLogout(h.viaOIDC, h.logoutToken("nobody", ""))) })
		t.Run("at a connection that is switched off", func(t *testing.T) {
			b, s := signedIn()
			setEnabled(t, h, false)
			defer setEnabled(t, h, true)
			wantEnded(h.sendLogout(h.viaOIDC, h.logoutToken(ada.Subject, s.SessionIndex)))
			stays(b, false)
		})
		h.refusedLogouts(t)
		stays(other, true)
	})
}

func setEnabled(t *testing.T, h *house, enabled bool) {
	t.Helper()
	_, err := h.people.UpdateConnection(t.Context(), h.operator, h.viaOIDC.ID, func(c *identity.Connection) error { c.Enabled = enabled; return nil })
	if err != nil {
		t.Fatal(err)
	}
}

// refusedLogouts sends every broken logout token; Ada's session outlives them all.
func (h *house) refusedLogouts(t *testing.T) {
	t.Helper()
	b := h.browser()
	b.wantSession(b.oidcSignIn(ada.Email), "")
	for _, tt := range []tokenCase{
		{"unsigned", func(id *ssotest.IDToken) { id.Header["alg"] = "none" }, "oidc.bad_algorithm"},
		{"signed with the client secret", func(id *ssotest.IDToken) { id.Header["alg"], id.HMAC = "HS256", []byte("s3cret") }, "oidc.bad_algorithm"},
		{"signed by somebody else", func(id *ssotest.IDToken) { id.Key = attacker() }, "oidc.bad_signature"},
		{"of another type", func(id *ssotest.IDToken) { id.Header["typ"] = "at+jwt" }, "oidc.not_a_logout_token"},
		{"with a nonce", claim("nonce", "n"), "oidc.not_a_logout_token"},
		{"with an empty nonce", claim("nonce", ""), "oidc.not_a_logout_token"},
		{"without the event", noClaim("events"), "oidc.not_a_logout_token"},
		{"with another event", claim("events", map[string]any{"http://example.com/event": map[string]any{}}), "oidc.not_a_logout_token"},
		{"with an event that is no object", claim("events", map[string]any{ssotest.LogoutEvent: "yes"}), "oidc.not_a_logout_token"},
		{"for another audience", claim("aud", "somebody else"), "oidc.wrong_audience"},
		{"of another issuer", claim("iss", "https://evil.example"), "oidc.wrong_issuer"},
		{"about nobody", noClaim("sub"), "oidc.no_subject"},
		{"about a subject that cannot be stored", claim("sub", "a\x00b"), "oidc.no_subject"},
		{"without an id", noClaim("jti"), "oidc.no_token_id"},
		{"without a time", noClaim("iat"), "oidc.wrong_issue_time"},
		{"of yesterday", in("iat", -24*time.Hour), "oidc.wrong_issue_time"},
		{"without an end", noClaim("exp"), "oidc.expired"},
		{"expired", in("exp", -10*time.Minute), "oidc.expired"},
		{"with a number as the subject", claim("sub", 1), "oidc.malformed_token"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h.t = t
			token := h.logoutToken(ada.Subject, "")
			tt.change(token)
			h.wantLogoutRefused(h.sendLogout(h.viaOIDC, token), tt.code)
		})
	}
	h.t = t
	h.badLogoutForms()
	if _, err := b.session(); err != nil {
		t.Errorf("a broken logout token ended a session: %v", err)
	}
}

func (h *house) badLogoutForms() {
	h.t.Helper()
	raw, err := h.logoutToken(ada.Subject, "").Compact()
	if err != nil {
		h.t.Fatal(err)
	}
	address, b := h.at(h.viaOIDC, "backchannel-logout"), h.browser()
	for _, form := range []url.Values{{}, {"logout_token": {raw, raw}}, {"logout_token": {strings.Repeat("x", 100<<10)}}, {"logout_token": {strings.Repeat("x", 1<<20)}}} {
		h.wantLogoutRefused(b.post(address, form), "oidc.bad_form")
	}
	h.wantLogoutRefused(b.post(address+"?logout_token="+raw, url.Values{}), "oidc.bad_form")
	h.wantLogoutRefused(b.post(address, url.Values{"logout_token": {"rubbish"}}), "oidc.bad_algorithm")
	r, err := http.NewRequest(http.MethodPost, address, strings.NewReader(`{"logout_token":"`+raw+`"}`))
	if err == nil {
		r.Header.Set("Content-Type", "application/json")
	}
	h.wantLogoutRefused(b.do(r, err), "oidc.bad_form")
	if res := b.get(address); res.StatusCode != http.StatusMethodNotAllowed {
		h.t.Errorf("GET: %d", res.StatusCode)
	}
	if res := b.post(h.at(h.viaSAML, "backchannel-logout"), url.Values{"logout_token": {raw}}); res.StatusCode != http.StatusNotFound || !strings.Contains(res.body, "no such connection") {
		h.t.Errorf("at a SAML connection: %d %s", res.StatusCode, res.body)
	}
}
