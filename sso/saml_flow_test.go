package sso_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
	"github.com/drawbridge-id/drawbridge/web"
)

// eachHouse runs a test on every database.
func eachHouse(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *store.DB) { test(t, build(t, db)) })
}

// set changes the SAML connection.
func (h *house) set(change func(*identity.Connection)) {
	h.t.Helper()
	c, err := h.people.UpdateConnection(h.t.Context(), h.operator, h.viaSAML.ID, func(c *identity.Connection) error { change(c); return nil })
	if err != nil {
		h.t.Fatal(err)
	}
	h.viaSAML = c
}

// replica starts another Drawbridge on the same database, under the same address.
func (h *house) replica() http.Handler {
	mux := http.NewServeMux()
	sso.New(sso.Options{Provisioning: h.people, Authn: h.authn, URL: h.url, AllowPrivate: true}).Routes(mux)
	return web.New(web.Options{URL: h.url}).Handler(mux)
}

// sameBrowser returns the browser without its session.
func (b *browser) sameBrowser() *browser {
	fresh := b.h.browser()
	fresh.client.Jar = bindingOnly(b)
	return fresh
}

func TestF01AResponseSignsInOnce(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		b := h.browser()
		response := b.samlResponse(ada.Email, "/console")
		b.wantSession(b.postResponse(response), "")
		again := b.sameBrowser()
		again.wantRefusal(again.postResponse(response), http.StatusForbidden, "saml.replay")
		if err := h.authn.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		again.wantRefusal(again.postResponse(response), http.StatusForbidden, "saml.replay")

		r := httptest.NewRequest(http.MethodPost, h.at(h.viaSAML, "acs"), strings.NewReader(url.Values{"SAMLResponse": {response}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		h.replica().ServeHTTP(w, r)
		if code := h.lastTrace().Code; w.Code != http.StatusForbidden || code != "saml.replay" {
			t.Errorf("another replica answers %d with %q", w.Code, code)
		}
		b.wantSession(b.samlSignIn(ada.Email), "")
	})
}

func TestF02AnotherBrowserCannotFinishASignIn(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		attacker, victim := h.browser(), h.browser()
		victim.wantRefusal(victim.postResponse(attacker.samlResponse(ada.Email, "/console")), http.StatusForbidden, "saml.other_browser")
		victim.get(h.at(h.viaSAML, "login")) // a victim who has a cookie of their own
		victim.wantRefusal(victim.postResponse(attacker.samlResponse(ada.Email, "/console")), http.StatusForbidden, "saml.other_browser")
	})
}

func TestF03AnAnswerToAnotherRequestIsRefused(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		b := h.browser()
		known := func() string {
			b.samlResponse(ada.Email, "/console")
			return requestOf(t, b)
		}
		b.wantRefusal(b.postResponse(h.answer("_never", nil)), http.StatusForbidden, "saml.unknown_request")
		for name, change := range map[string]func(*ssotest.Answer){
			"the assertion answers another request": func(a *ssotest.Answer) { a.ConfirmationRequest = "_other" },
			"the response answers another request":  func(a *ssotest.Answer) { a.InResponseTo = "_other" },
			"the assertion answers none":            func(a *ssotest.Answer) { a.ConfirmationRequest = "" },
			"the response answers none":             func(a *ssotest.Answer) { a.InResponseTo = "" },
		} {
			t.Run(name, func(t *testing.T) {
				b.wantRefusal(b.postResponse(h.answer(known(), change)), http.StatusForbidden, "saml.wrong_request")
			})
		}
		b.wantSession(b.postResponse(h.answer(known(), nil)), "")
	})
}

func TestF04ARequestIsAnsweredOnce(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		b := h.browser()
		b.samlResponse(ada.Email, "/console")
		request := requestOf(t, b)
		b.wantSession(b.postResponse(h.answer(request, nil)), "")
		again := b.sameBrowser()
		again.wantRefusal(again.postResponse(h.answer(request, nil)), http.StatusForbidden, "saml.unknown_request")
	})
}

func TestF05ARequestOfElevenMinutesAgoIsTooOld(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		b := h.browser()
		b.get(h.at(h.viaSAML, "login"))
		for age, code := range map[time.Duration]string{11 * time.Minute: "saml.request_expired", 9 * time.Minute: ""} {
			st := identity.SignInState{
				Key: "_old" + age.String(), ConnectionID: h.viaSAML.ID, BrowserHash: identity.HashSecret(binding(b)), ReturnTo: "/console",
				CreatedAt: time.Now().Add(-age), ExpiresAt: time.Now().Add(time.Hour),
			}
			if err := h.authn.SaveSignIn(t.Context(), st); err != nil {
				t.Fatal(err)
			}
			who := b.sameBrowser()
			if res := who.postResponse(h.answer(st.Key, nil)); code != "" {
				who.wantRefusal(res, http.StatusForbidden, code)
			} else {
				who.wantSession(res, "")
			}
		}
	})
}

func TestF06ASignInThatTheProviderStartsIsRefusedAndOffersAStart(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		b := h.browser()
		res := b.postResponse(h.answer("", nil))
		b.wantRefusal(res, http.StatusForbidden, "saml.unsolicited")
		if !strings.Contains(res.body, `<a class="button" href="/sso/`+string(h.viaSAML.ID)+`/login">Start here</a>`) {
			t.Errorf("the page offers no start: %s", res.body)
		}
	})
}

// atProvider starts at the provider, which posts an answer to no request with a RelayState.
func (b *browser) atProvider(email, relay string) reply {
	b.h.t.Helper()
	q := url.Values{"sp": {b.h.samlSP.EntityID}, ssotest.LoginParameter: {email}}
	page := b.get(strings.TrimSuffix(b.h.saml.EntityID(), "/metadata") + "/sso?" + q.Encode())
	return b.post(b.h.at(b.h.viaSAML, "acs"), url.Values{"SAMLResponse": {responseIn(b.h.t, page)}, "RelayState": {relay}})
}

// wantBounce fails unless an answer sends the browser to the start of a sign-in, and nobody is signed in; it returns where that is.
func (b *browser) wantBounce(res reply) *url.URL {
	b.h.t.Helper()
	to, err := res.Location()
	if res.StatusCode != http.StatusSeeOther || err != nil || to.Path != "/sso/"+string(b.h.viaSAML.ID)+"/login" {
		b.h.t.Fatalf("answered %d to %v: %s", res.StatusCode, to, b.h.traceText())
	}
	if _, err := b.session(); err == nil {
		b.h.t.Error("the provider's own answer has signed somebody in")
	}
	if trace := b.h.lastTrace(); !trace.OK || trace.Purpose != identity.PurposeUnsolicited || trace.UserID != "" {
		b.h.t.Errorf("the trace of it: %s", b.h.traceText())
	}
	return to
}

// follow goes on from the start of a sign-in to the end.
func (b *browser) follow(start *url.URL, email string) reply {
	b.h.t.Helper()
	res := b.get(start.String())
	page := b.get(res.Header.Get("Location") + "&" + ssotest.LoginParameter + "=" + url.QueryEscape(email))
	return b.postResponse(responseIn(b.h.t, page))
}

func TestF07WhereItIsAllowedASignInMayStartAtTheProvider(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.set(func(c *identity.Connection) { c.Options.AllowUnsolicited = true })
		u := h.person(ada.Email)
		b := h.browser()
		b.wantSession(b.follow(b.wantBounce(b.atProvider(ada.Email, "/console")), ada.Email), u.ID)

		again := h.browser()
		again.wantRefusal(again.postResponse(h.answer("_never", nil)), http.StatusForbidden, "saml.unknown_request")
		response := h.answer("", nil)
		again.wantBounce(again.postResponse(response))
		third := h.browser()
		third.wantRefusal(third.postResponse(response), http.StatusForbidden, "saml.replay")
		third.wantRefusal(third.postResponse(h.answer("", func(a *ssotest.Answer) { a.SignAssertion = false })), http.StatusForbidden, "saml.unsigned")
		third.wantRefusal(third.postResponse(h.answer("", func(a *ssotest.Answer) { a.Audiences = []string{"https://other.example"} })), http.StatusForbidden, "saml.wrong_audience")

		h.set(func(c *identity.Connection) { c.Enabled = false })
		fourth := h.browser()
		fourth.wantRefusal(fourth.postResponse(h.answer("", nil)), http.StatusForbidden, "connection.disabled")
	})
}

func TestF08ASignInThatTheProviderStartsIsBouncedThroughAFreshRequest(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.set(func(c *identity.Connection) { c.Options.AllowUnsolicited = true })
		victim := h.browser()
		// The attacker's own good response, posted by the victim's browser: what comes of it is a question to the provider, which knows the victim.
		start := victim.wantBounce(victim.postResponse(h.answer("", nil)))
		victim.follow(start, "victim@example.com")
		if visit, err := victim.session(); err != nil || visit.User.Email() != "victim@example.com" {
			t.Errorf("signed in as %q (%v)", visit.User.Email(), err)
		}
		// A provider that never says what it answers would send a browser round for ever.
		circling := h.browser()
		circling.wantBounce(circling.postResponse(h.answer("", nil)))
		circling.wantRefusal(circling.postResponse(h.answer("", nil)), http.StatusForbidden, "saml.unsolicited")
	})
}

func TestF09AForeignAddressInRelayStateIsIgnored(t *testing.T) {
	eachDatabase(t, func(t *testing.T, h *house) {
		h.set(func(c *identity.Connection) { c.Options.AllowUnsolicited = true })
		for relay, back := range map[string]string{
			"https://evil.example": "", "//evil.example": "", `\\evil.example`: "", `/\evil.example`: "", "javascript:alert(1)": "", "": "",
			"/console/users?a=b&SigAlg=x": "/console/users?a=b&SigAlg=x",
		} {
			b := h.browser()
			to := b.wantBounce(b.atProvider(ada.Email, relay))
			if got := to.Query().Get("return_to"); got != back || to.Host != strings.TrimPrefix(h.url, "http://") {
				t.Errorf("RelayState %q is bounced to %q", relay, to)
			}
			form := url.Values{"SAMLResponse": {b.samlResponse(ada.Email, "")}, "RelayState": {relay}}
			if res := b.post(h.at(h.viaSAML, "acs"), form); res.Header.Get("Location") != "/" {
				t.Errorf("RelayState %q: the sign-in ends at %q", relay, res.Header.Get("Location"))
			}
		}
	})
}

func TestF12AResponseInTheAddressIsRefused(t *testing.T) {
	eachDatabase(t, func(t *testing.T, h *house) {
		b := h.browser()
		acs, response := h.at(h.viaSAML, "acs"), url.QueryEscape(b.samlResponse(ada.Email, "/console"))
		for _, query := range []string{"?SAMLResponse=" + response, "", "?SAMLResponse=" + response + "&SAMLart=x"} {
			if res := b.get(acs + query); res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != http.MethodPost {
				t.Errorf("GET with %d bytes: %d", len(query), res.StatusCode)
			}
		}
		b.wantRefusal(b.post(acs+"?SAMLResponse="+response, nil), http.StatusBadRequest, "saml.malformed")
	})
}

func TestF13ThePostFromTheProvidersSiteCompletesTheSignInOverHTTPS(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.overHTTPS()
		h.saml.Register(h.client(h.viaSAML))
		b := h.browser()
		started := b.get(h.at(h.viaSAML, "login") + "?return_to=/console")
		bound := started.Cookies()
		if len(bound) != 1 || bound[0].Name != "__Host-drawbridge-signin" || bound[0].SameSite != http.SameSiteNoneMode || !bound[0].Secure || !bound[0].HttpOnly {
			t.Fatalf("the cookies that must come back from another site are %v", bound)
		}
		page := b.get(started.Header.Get("Location") + "&" + ssotest.LoginParameter + "=" + url.QueryEscape(ada.Email))
		res := b.postResponse(responseIn(t, page)) // with the headers of a page of another site
		if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/console" {
			t.Fatalf("answered %d to %q\n%s", res.StatusCode, res.Header.Get("Location"), h.traceText())
		}
		for _, c := range res.Cookies() {
			if c.Name == "__Host-drawbridge" && c.SameSite == http.SameSiteLaxMode {
				return
			}
		}
		t.Errorf("the session's cookie is not there, or not Lax: %v", res.Cookies())
	})
}

// overHTTPS serves the house by TLS too, and goes there from now on.
func (h *house) overHTTPS() {
	h.t.Helper()
	server := httptest.NewUnstartedServer(nil)
	h.url = "https://" + server.Listener.Addr().String()
	mux := http.NewServeMux()
	sso.New(sso.Options{Provisioning: h.people, Authn: h.authn, URL: h.url, AllowPrivate: true, Cookies: web.Cookies{Secure: true}}).Routes(mux)
	server.Config.Handler = web.New(web.Options{URL: h.url}).Handler(mux)
	server.StartTLS()
	h.t.Cleanup(server.Close)
	h.transport = server.Client().Transport
}

func TestF19ASignInIsAskedForAgainWhereTheConnectionOrTheStepDemandsIt(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		asked := func(b *browser, query string) (string, ssotest.AuthnRequest) {
			address := b.get(h.at(h.viaSAML, "login")+"?return_to=/console"+query).Header.Get("Location") + "&" + ssotest.LoginParameter + "=" + url.QueryEscape(ada.Email)
			request, err := ssotest.ReadRequest(mustQuery(t, address).Get("SAMLRequest"))
			if err != nil {
				t.Fatal(err)
			}
			return responseIn(t, b.get(address)), request
		}
		stale := func(a *ssotest.Answer) { a.AuthnInstant = ssotest.Stamp(time.Now().Add(-10 * time.Minute)) }
		b := h.browser()
		h.saml.Change(stale)
		response, request := asked(b, "")
		if request.ForceAuthn != "" {
			t.Errorf("ForceAuthn is %q without being asked for", request.ForceAuthn)
		}
		b.wantSession(b.postResponse(response), "")

		step := func(query string) {
			t.Helper()
			b = h.browser()
			h.saml.Change(stale)
			response, request = asked(b, query)
			if request.ForceAuthn != "true" {
				t.Errorf("ForceAuthn is %q", request.ForceAuthn)
			}
			b.wantRefusal(b.postResponse(response), http.StatusForbidden, "saml.stale_authentication")
			h.saml.Change(nil)
			response, _ = asked(b, query)
			b.wantSession(b.postResponse(response), "")
		}
		step("&force=1")
		h.set(func(c *identity.Connection) { c.Options.ForceAuthn = true })
		step("")
	})
}
