package sso_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func TestMisbehavingTokensInTheWholeFlow(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	tests := []struct {
		name   string
		change func(*ssotest.IDToken)
		status int
		code   string
	}{
		{"O01 alg none", func(id *ssotest.IDToken) { id.Header["alg"] = "none" }, 401, "oidc.bad_algorithm"},
		{"O11 no nonce", func(id *ssotest.IDToken) { delete(id.Claims, "nonce") }, 401, "oidc.wrong_nonce"},
		{"O21 no id token", func(id *ssotest.IDToken) { id.Omit = true }, 401, "oidc.no_id_token"},
		{"another access token", func(id *ssotest.IDToken) { id.Claims["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA" }, 401, "oidc.wrong_access_token"},
		{"E04 an address that is not verified", func(id *ssotest.IDToken) { id.Claims["email_verified"] = false }, 403, "email.not_verified"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h.t = t
			h.oidc.Change(tt.change)
			b := h.browser()
			b.wantRefusal(b.oidcSignIn(ada.Email), tt.status, tt.code)
		})
	}
}

func TestUserInfo(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	h.oidc.Change(func(id *ssotest.IDToken) { delete(id.Claims, "email"); delete(id.Claims, "email_verified") })
	b := h.browser()
	visit := b.wantSession(b.oidcSignIn(ada.Email), "") // O28
	if visit.User.Email() != ada.Email {
		t.Errorf("O28: the address is %q", visit.User.Email())
	}
	h.oidc.ChangeUserInfo(func(claims map[string]any) { claims["sub"] = "somebody else" })
	b = h.browser()
	b.wantRefusal(b.oidcSignIn(ada.Email), http.StatusUnauthorized, "oidc.userinfo_subject") // O27
}

func TestCallbacks(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	change := func(b *browser, edit func(url.Values)) string {
		u, err := url.Parse(b.callbackURL(ada.Email))
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		edit(q)
		u.RawQuery = q.Encode()
		return u.String()
	}
	tests := []struct {
		name   string
		edit   func(url.Values)
		status int
		code   string
	}{
		{"O17 no state", func(q url.Values) { q.Del("state") }, 400, "oidc.unknown_request"},
		{"O17 an unknown state", func(q url.Values) { q.Set("state", identity.NewSecret("")) }, 400, "oidc.unknown_request"},
		{"O18 another issuer", func(q url.Values) { q.Set("iss", "https://evil.example") }, 400, "oidc.mix_up"},
		{"O18 no issuer although it is advertised", func(q url.Values) { q.Del("iss") }, 400, "oidc.mix_up"},
		{"O18 two issuers", func(q url.Values) { q.Add("iss", "https://evil.example") }, 400, "oidc.mix_up"},
		{"O21 an unknown code", func(q url.Values) { q.Set("code", "wrong") }, 401, "oidc.token_endpoint"},
		{"no code", func(q url.Values) { q.Del("code") }, 403, "oidc.provider_error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h.t = t
			b := h.browser()
			b.wantRefusal(b.get(change(b, tt.edit)), tt.status, tt.code)
		})
	}
}

func TestACodeOfAnotherSignInIsWorthNothing(t *testing.T) { // O20
	h := build(t, storetest.SQLite(t))
	attacker, victim := h.browser(), h.browser()
	stolen := mustQuery(t, attacker.callbackURL("eve@example.com")).Get("code")
	u, err := url.Parse(victim.callbackURL(ada.Email))
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("code", stolen)
	u.RawQuery = q.Encode()
	victim.wantRefusal(victim.get(u.String()), http.StatusUnauthorized, "oidc.token_endpoint")
}

func TestTheProvidersErrorIsNeverShown(t *testing.T) { // O29, B04
	h := build(t, storetest.SQLite(t))
	b := h.browser()
	state := mustQuery(t, b.callbackURL(ada.Email)).Get("state")
	q := url.Values{"state": {state}, "iss": {h.oidc.Issuer()}, "error": {"access_denied"}, "error_description": {`<script>alert(1)</script>`}}
	res := b.get(h.at(h.viaOIDC, "callback") + "?" + q.Encode())
	trace := b.wantRefusal(res, http.StatusForbidden, "oidc.provider_error")
	if strings.Contains(res.body, "script") || strings.Contains(res.body, "access_denied") {
		t.Errorf("the page shows it: %s", res.body)
	}
	if got := trace.Checks[len(trace.Checks)-1].Got; !strings.Contains(got, "access_denied <script>") {
		t.Errorf("the trace says %q", got)
	}
	if policy := res.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("the page's policy is %q", policy)
	}
}

func TestTokenEndpointsThatTalkNonsense(t *testing.T) { // O21
	h := build(t, storetest.SQLite(t))
	for name, body := range map[string]string{
		"HTML": "<html>nope</html>", "an error as JSON": `{"error":"invalid_client","error_description":"no"}`, "5 MB": strings.Repeat("x", 5<<20), "JSON without tokens": `{"token_type":"Bearer"}`, "a list": `[]`,
	} {
		t.Run(name, func(t *testing.T) {
			h.t = t
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
			defer server.Close()
			idp, err := ssotest.NewOIDC("", ada)
			if err != nil {
				t.Fatal(err)
			}
			proxy := httptest.NewServer(idp)
			defer proxy.Close()
			for name, path := range map[string]string{"issuer": "", "authorization_endpoint": "/authorize", "jwks_uri": "/keys", "userinfo_endpoint": "/userinfo"} {
				idp.Publish(name, proxy.URL+path)
			}
			idp.Publish("token_endpoint", server.URL+"/token")
			idp.Publish("authorization_response_iss_parameter_supported", false)
			c := h.create(identity.Connection{Name: "nonsense " + name, Kind: identity.OIDC, OIDC: identity.OIDCSettings{Issuer: proxy.URL, ClientID: "x", ClientSecret: "y"}})
			idp.Register(ssotest.OIDCClient{ID: "x", Secret: "y", RedirectURI: h.at(c, "callback")})
			b := h.browser()
			callback, err := url.Parse(b.get(b.toProvider(c, ada.Email, "/console")).Header.Get("Location"))
			if err != nil {
				t.Fatal(err)
			}
			q := callback.Query()
			q.Del("iss")
			callback.RawQuery = q.Encode()
			trace := b.wantRefusal(b.get(callback.String()), http.StatusUnauthorized, "oidc.token_endpoint")
			if strings.Contains(trace.Message+trace.Checks[len(trace.Checks)-1].Got, "nope") {
				t.Errorf("the trace has the body: %+v", trace)
			}
		})
	}
}

func TestAProviderThatIsDownHarmsNobodyElse(t *testing.T) { // O25
	h := build(t, storetest.SQLite(t))
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	c := h.create(identity.Connection{Name: "down", Kind: identity.OIDC, OIDC: identity.OIDCSettings{Issuer: gone.URL, ClientID: "x", ClientSecret: "y"}})
	b := h.browser()
	b.wantRefusal(b.get(h.at(c, "login")), http.StatusForbidden, "oidc.provider_unavailable")
	b.wantSession(b.oidcSignIn(ada.Email), "")
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
