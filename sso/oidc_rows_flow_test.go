package sso_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sso"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

// anotherProvider starts a provider that nobody else uses, for tests that change what it publishes.
func (h *house) anotherProvider(t *testing.T) *ssotest.OIDC {
	t.Helper()
	var idp *ssotest.OIDC
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { idp.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	var err error
	if idp, err = ssotest.NewOIDC(server.URL, ada); err != nil {
		t.Fatal(err)
	}
	return idp
}

// connectTo makes a connection to a provider and makes us known there.
func (h *house) connectTo(idp *ssotest.OIDC, name string) identity.Connection {
	h.t.Helper()
	c := h.create(identity.Connection{Name: name, Kind: identity.OIDC, OIDC: identity.OIDCSettings{Issuer: idp.Issuer(), ClientID: name, ClientSecret: "s3cret"}})
	idp.Register(ssotest.OIDCClient{ID: name, Secret: "s3cret", RedirectURI: h.at(c, "callback")})
	return c
}

// signInAt goes the whole way through an OIDC connection.
func (b *browser) signInAt(c identity.Connection, email string) reply {
	b.h.t.Helper()
	return b.get(b.get(b.toProvider(c, email, "/console")).Header.Get("Location"))
}

// changed returns the address with its query changed.
func changed(t *testing.T, address string, edit func(url.Values)) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	edit(q)
	u.RawQuery = q.Encode()
	return u.String()
}

// answerCase is an answer that is changed on its way through the browser.
type answerCase struct {
	name string
	edit func(url.Values)
	code string
}

// wantAnswersRefused refuses each with 400, and with it the browser has no session.
func wantAnswersRefused(t *testing.T, h *house, cases ...answerCase) {
	t.Helper()
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			h.t = t
			b := h.browser()
			b.wantRefusal(b.get(changed(t, b.callbackURL(ada.Email), tt.edit)), http.StatusBadRequest, tt.code)
		})
	}
	h.t = t
}

func TestO17AnAnswerNeedsTheStateOfThisBrowserOnce(t *testing.T) {
	eachDatabase(t, func(t *testing.T, h *house) {
		wantAnswersRefused(
			t, h,
			answerCase{"no state", func(q url.Values) { q.Del("state") }, "oidc.unknown_request"},
			answerCase{"an unknown state", func(q url.Values) { q.Set("state", identity.NewSecret("")) }, "oidc.unknown_request"},
			answerCase{"a state that is too long", func(q url.Values) { q.Set("state", strings.Repeat("x", 5000)) }, "oidc.unknown_request"},
		)
		b := h.browser()
		callback := b.callbackURL(ada.Email)
		b.wantSession(b.get(callback), "")
		again := h.browser()
		again.client.Jar = bindingOnly(b)
		again.wantRefusal(again.get(callback), http.StatusBadRequest, "oidc.unknown_request")
		victim := h.browser()
		victim.wantRefusal(victim.get(again.callbackURL(ada.Email)), http.StatusBadRequest, "oidc.other_browser")
		victim.get(h.at(h.viaOIDC, "login")) // now the victim has a cookie of their own
		victim.wantRefusal(victim.get(again.callbackURL(ada.Email)), http.StatusBadRequest, "oidc.other_browser")
	})
}

func TestO18AnAnswerOfAnotherProviderIsRefused(t *testing.T) {
	eachDatabase(t, func(t *testing.T, h *house) {
		wantAnswersRefused(
			t, h,
			answerCase{"another issuer", func(q url.Values) { q.Set("iss", "https://evil.example") }, "oidc.mix_up"},
			answerCase{"no issuer although it is advertised", func(q url.Values) { q.Del("iss") }, "oidc.mix_up"},
			answerCase{"two issuers", func(q url.Values) { q.Add("iss", "https://evil.example") }, "oidc.mix_up"},
		)
	})
}

func TestO19AnAnswerIsGoodAtItsOwnConnectionOnly(t *testing.T) {
	eachDatabase(t, func(t *testing.T, h *house) {
		other := h.connectTo(h.oidc, "other "+identity.NewSecret(""))
		b := h.browser()
		callback := strings.Replace(b.callbackURL(ada.Email), string(h.viaOIDC.ID), string(other.ID), 1)
		b.wantRefusal(b.get(callback), http.StatusBadRequest, "oidc.unknown_request")
		state := mustQuery(t, b.get(b.toProvider(other, ada.Email, "/")).Header.Get("Location")).Get("state")
		mixed := changed(t, b.callbackURL(ada.Email), func(q url.Values) { q.Set("state", state) })
		b.wantRefusal(b.get(mixed), http.StatusBadRequest, "oidc.unknown_request")
		here, there := mustQuery(t, b.toProvider(h.viaOIDC, ada.Email, "/")).Get("redirect_uri"), mustQuery(t, b.toProvider(other, ada.Email, "/")).Get("redirect_uri")
		if here == there || here != h.at(h.viaOIDC, "callback") {
			t.Errorf("the redirect URIs are %s and %s", here, there)
		}
	})
}

func TestO20ACodeOfAnotherSignInIsWorthNothing(t *testing.T) {
	eachDatabase(t, func(t *testing.T, h *house) {
		attacker, victim := h.browser(), h.browser()
		start := mustQuery(t, attacker.toProvider(h.viaOIDC, "eve@example.com", "/"))
		if start.Get("code_challenge_method") != "S256" || len(start.Get("code_challenge")) != 43 {
			t.Errorf("the request has no challenge: %v", start)
		}
		stolen := mustQuery(t, attacker.callbackURL("eve@example.com")).Get("code")
		callback := changed(t, victim.callbackURL(ada.Email), func(q url.Values) { q.Set("code", stolen) })
		victim.wantRefusal(victim.get(callback), http.StatusUnauthorized, "oidc.token_endpoint")
		unknown := changed(t, victim.callbackURL(ada.Email), func(q url.Values) { q.Set("code", "made up") })
		victim.wantRefusal(victim.get(unknown), http.StatusUnauthorized, "oidc.token_endpoint")
	})
}

func TestO21ATokenEndpointThatTalksNonsenseIsExplainedToAdministratorsOnly(t *testing.T) {
	nonsense := map[string]string{
		"HTML": "<html>nope</html>", "an error as JSON": `{"error":"invalid_client","error_description":"nope"}`, "5 MB": strings.Repeat("nope", 5<<18),
		"JSON without tokens": `{"token_type":"Bearer"}`, "a list": `[]`, "nothing": "",
	}
	eachDatabase(t, func(t *testing.T, h *house) {
		var body string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
		defer server.Close()
		idp := h.anotherProvider(t)
		idp.Publish("token_endpoint", server.URL+"/token")
		c := h.connectTo(idp, "nonsense")
		for name, text := range nonsense {
			t.Run(name, func(t *testing.T) {
				h.t, body = t, text
				b := h.browser()
				trace := b.wantRefusal(b.signInAt(c, ada.Email), http.StatusUnauthorized, "oidc.token_endpoint")
				last := trace.Checks[len(trace.Checks)-1]
				if name != "an error as JSON" && strings.Contains(trace.Message+last.Got, "nope") || last.Fix == "" || last.Got == "" {
					t.Errorf("the trace ends with %+v", last)
				}
			})
		}
		h.tokens(t, h.viaOIDC, tokenCase{"no ID token", func(id *ssotest.IDToken) { id.Omit = true }, "oidc.no_id_token"})
	})
}

func TestO22ANewKeyWorksAfterOneFetch(t *testing.T) {
	eachDatabase(t, func(t *testing.T, h *house) {
		idp := h.anotherProvider(t)
		c := h.connectTo(idp, "rotating")
		b := h.browser()
		b.wantSession(b.signInAt(c, ada.Email), "")
		before := idp.Fetches()
		if err := idp.RotateKey(); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			b.wantSession(b.signInAt(c, ada.Email), "")
		}
		if n := idp.Fetches() - before; n != 1 {
			t.Errorf("%d fetches", n)
		}
	})
}

func TestO25AProviderThatIsDownHarmsNobodyElse(t *testing.T) {
	eachDatabase(t, func(t *testing.T, h *house) {
		gone := httptest.NewServer(http.NotFoundHandler())
		gone.Close()
		c := h.create(identity.Connection{Name: "down", Kind: identity.OIDC, OIDC: identity.OIDCSettings{Issuer: gone.URL, ClientID: "x", ClientSecret: "y"}})
		b := h.browser()
		trace := b.wantRefusal(b.get(h.at(c, "login")), http.StatusForbidden, "oidc.provider_unavailable")
		if !strings.Contains(trace.Message, "cannot be reached") {
			t.Errorf("the trace says %q", trace.Message)
		}
		b.wantSession(b.oidcSignIn(ada.Email), "")
		health, err := h.people.ConnectionHealth(t.Context(), h.operator, c.ID, h.viaOIDC.ID)
		if err != nil {
			t.Fatal(err)
		}
		if down := health[c.ID]; !strings.Contains(down.Failure, "cannot be reached") || down.SucceededAt != nil || down.CheckedAt.IsZero() {
			t.Errorf("the status of what is down is %+v", down)
		}
		if err := h.door.RefreshProviders(t.Context()); err != nil {
			t.Error(err)
		}
		if up := health[h.viaOIDC.ID]; up.Failure != "" || up.SucceededAt == nil {
			t.Errorf("the status of what is up is %+v", up)
		}
		page, err := h.people.Traces(t.Context(), h.operator, provisioning.TraceQuery{Limit: 5})
		if err != nil || len(page.Items) != 2 {
			t.Errorf("%d traces (%v)", len(page.Items), err)
		}
	})
}

func TestO26AddressesInsideTheNetworkAreNotAsked(t *testing.T) {
	secure := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a private address was asked") }))
	defer secure.Close()
	eachDatabase(t, func(t *testing.T, h *house) {
		strict := sso.New(sso.Options{Provisioning: h.people, Authn: h.authn, URL: h.url})
		mux := http.NewServeMux()
		strict.Routes(mux)
		for name, issuer := range map[string]string{"plain http": h.oidc.Issuer(), "a private address": secure.URL} {
			c := h.create(identity.Connection{Name: name, Kind: identity.OIDC, OIDC: identity.OIDCSettings{Issuer: issuer, ClientID: "x", ClientSecret: "y"}})
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/sso/"+string(c.ID)+"/login", nil))
			trace := h.lastTrace()
			if w.Code != http.StatusForbidden || trace.Code != "oidc.provider_unavailable" || !strings.Contains(trace.Message, "DRAWBRIDGE_ALLOW_PRIVATE_PROVIDERS") {
				t.Errorf("%s: answered %d, the trace says %q %q", name, w.Code, trace.Code, trace.Message)
			}
		}
		b := h.browser()
		b.wantSession(b.oidcSignIn(ada.Email), "") // where they are allowed
	})
}

func TestO27UserinfoAboutSomebodyElseIsRefused(t *testing.T) {
	eachDatabase(t, func(t *testing.T, h *house) {
		h.oidc.Change(noClaim("email"))
		h.oidc.ChangeUserInfo(func(claims map[string]any) { claims["sub"] = "somebody else" })
		b := h.browser()
		b.wantRefusal(b.oidcSignIn(ada.Email), http.StatusUnauthorized, "oidc.userinfo_subject")
		h.oidc.ChangeUserInfo(func(claims map[string]any) { delete(claims, "sub") })
		b.wantRefusal(b.oidcSignIn(ada.Email), http.StatusUnauthorized, "oidc.userinfo_subject")
	})
}

func TestO28AnAddressThatOnlyUserinfoKnowsIsEnough(t *testing.T) {
	eachDatabase(t, func(t *testing.T, h *house) {
		u := h.person(ada.Email)
		h.oidc.Change(func(id *ssotest.IDToken) { delete(id.Claims, "email"); delete(id.Claims, "email_verified") })
		b := h.browser()
		b.wantSession(b.oidcSignIn(ada.Email), u.ID)
	})
}

func TestO29TheProvidersErrorIsKeptAndNeverShown(t *testing.T) {
	eachDatabase(t, func(t *testing.T, h *house) {
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
		b.wantRefusal(b.get(changed(t, b.callbackURL(ada.Email), func(q url.Values) { q.Del("code") })), http.StatusForbidden, "oidc.provider_error")
	})
}
