package sso_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// everyDoor runs a test for SAML and for OIDC on every database.
func everyDoor(t *testing.T, test func(t *testing.T, h *house, kind identity.ConnectionKind)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := build(t, db)
		for _, kind := range []identity.ConnectionKind{identity.SAML, identity.OIDC} {
			test(t, h, kind)
		}
	})
}

// requestOf starts a sign-in and returns the id of its request.
func requestOf(t *testing.T, b *browser) string {
	t.Helper()
	u, err := url.Parse(b.toProvider(b.h.viaSAML, ada.Email, "/console"))
	if err != nil {
		t.Fatal(err)
	}
	request, err := ssotest.ReadRequest(u.Query().Get("SAMLRequest"))
	if err != nil {
		t.Fatal(err)
	}
	return request.ID
}

// binding returns the browser's cookie that ties requests to it.
func binding(b *browser) string {
	u, _ := url.Parse(b.h.url)
	for _, c := range b.client.Jar.Cookies(u) {
		if c.Name == "drawbridge-signin" {
			return c.Value
		}
	}
	return ""
}

// bindingOnly returns the jar of the same browser without its session.
func bindingOnly(b *browser) http.CookieJar {
	u, _ := url.Parse(b.h.url)
	jar := b.h.browser().client.Jar
	jar.SetCookies(u, []*http.Cookie{{Name: "drawbridge-signin", Value: binding(b), Path: "/"}})
	return jar
}

func TestAResponseIsValidAtItsOwnConnectionOnly(t *testing.T) { // C07, O19
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := build(t, db)
		other := h.create(identity.Connection{Name: "Other SAML", Kind: identity.SAML, SAML: h.viaSAML.SAML})
		b := h.browser()
		response := b.samlResponse(ada.Email, "/console")
		b.wantRefusal(b.post(h.at(other, "acs"), url.Values{"SAMLResponse": {response}}), http.StatusForbidden, "saml.wrong_destination")

		second := h.create(identity.Connection{Name: "Other OIDC", Kind: identity.OIDC, OIDC: identity.OIDCSettings{Issuer: h.oidc.Issuer(), ClientID: "other", ClientSecret: "x"}})
		callback := strings.Replace(b.callbackURL(ada.Email), string(h.viaOIDC.ID), string(second.ID), 1)
		b.wantRefusal(b.get(callback), http.StatusBadRequest, "oidc.unknown_request")
	})
}

func TestWhereASignInEnds(t *testing.T) { // B03
	h := build(t, storetest.SQLite(t))
	tests := []struct{ returnTo, want string }{
		{"/console/users?a=b", "/console/users?a=b"},
		{"https://evil.example", "/"},
		{"//evil.example", "/"},
		{`\\evil.example`, "/"},
		{"javascript:alert(1)", "/"},
		{"", "/"},
		{"/x?a=1&SigAlg=none", "/x?a=1&SigAlg=none"},
	}
	for _, tt := range tests {
		b := h.browser()
		res := b.postResponse(b.samlResponse(ada.Email, tt.returnTo))
		if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != tt.want {
			t.Errorf("return_to %q: %d to %q, want %q", tt.returnTo, res.StatusCode, res.Header.Get("Location"), tt.want)
		}
	}
}

func TestTheACSTakesFormsAndNothingElse(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	b := h.browser()
	acs := h.at(h.viaSAML, "acs")
	b.wantRefusal(b.post(acs, url.Values{"SAMLResponse": {"%%%"}}), http.StatusBadRequest, "saml.malformed")
	b.wantRefusal(b.post(acs, url.Values{"SAMLResponse": {"a", "b"}}), http.StatusBadRequest, "saml.malformed")
	r, err := http.NewRequest(http.MethodPost, acs, strings.NewReader(`{}`))
	if err == nil {
		r.Header.Set("Content-Type", "application/json")
	}
	b.wantRefusal(b.do(r, err), http.StatusUnsupportedMediaType, "saml.bad_form")
}

func TestConnectionsThatAreNotThere(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	b := h.browser()
	for _, address := range []string{
		h.url + "/sso/nonsense/login", h.url + "/sso/" + string(identity.NewID[identity.ConnectionID]()) + "/login", h.at(h.viaOIDC, "metadata"), h.at(h.viaSAML, "callback"),
	} {
		if res := b.get(address); res.StatusCode != http.StatusNotFound || strings.Contains(res.body, "nonsense") {
			t.Errorf("%s: %d %s", address, res.StatusCode, res.body)
		}
	}
	if res := b.post(h.at(h.viaOIDC, "acs"), nil); res.StatusCode != http.StatusNotFound {
		t.Errorf("SAML at an OIDC connection: %d", res.StatusCode)
	}
}

func TestASignInMakesANewSessionAndEndsTheOldOne(t *testing.T) { // B01, B02
	h := build(t, storetest.SQLite(t))
	b := h.browser()
	first := b.wantSession(b.oidcSignIn(ada.Email), "")
	res := b.oidcSignIn(ada.Email)
	second := b.wantSession(res, first.User.ID)
	sessions, err := h.authn.Sessions(t.Context(), h.operator, first.User.ID)
	if err != nil || first.Session.ID == second.Session.ID || len(sessions) != 1 {
		t.Errorf("%d sessions (%v)", len(sessions), err)
	}
	for _, c := range res.Cookies() {
		if !c.HttpOnly || c.Path != "/" || c.Domain != "" || strings.Contains(c.Value, ".") {
			t.Errorf("the cookie %s is set as %s", c.Name, c.Raw)
		}
	}
}

func TestTheProvidersOwnLimitEndsOurSession(t *testing.T) { // C19
	h := build(t, storetest.SQLite(t))
	end := time.Now().Add(20 * time.Minute)
	h.saml.Change(func(a *ssotest.Answer) { a.SessionNotOnOrAfter = ssotest.Stamp(end) })
	h.oidc.Change(func(id *ssotest.IDToken) { id.Claims["session_expiry"] = end.Unix() })
	for _, kind := range []identity.ConnectionKind{identity.SAML, identity.OIDC} {
		b := h.browser()
		visit := b.wantSession(b.signIn(kind, string(kind)+"-limit@example.com"), "")
		if visit.Session.ExpiresAt.Sub(end).Abs() > 2*time.Second {
			t.Errorf("%s: the session ends at %v, want %v", kind, visit.Session.ExpiresAt, end)
		}
	}
}

func TestTracesAndLogsKeepNoSecrets(t *testing.T) { // B05
	h := build(t, storetest.SQLite(t))
	b := h.browser()
	response := b.samlResponse(ada.Email, "/console")
	callback := b.callbackURL(ada.Email)
	b.wantSession(b.postResponse(response), "")
	saml := h.traceText()
	b.wantSession(b.get(callback), "")
	code := mustQuery(t, callback).Get("code")
	for name, text := range map[string]string{"the SAML trace": saml, "the OIDC trace": h.traceText(), "the log": h.log.String()} {
		for _, secret := range []string{response[:60], code, "s3cret", binding(b), mustQuery(t, callback).Get("state")} {
			if strings.Contains(text, secret) {
				t.Errorf("%s has a secret: %s", name, secret)
			}
		}
	}
}

func mustQuery(t *testing.T, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}
