package acceptance

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

func TestO30SigningOutEndsTheProvidersSessionToo(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.oidc.Register(ssotest.OIDCClient{ID: h.viaOIDC.OIDC.ClientID, Secret: "s3cret", RedirectURI: h.at(h.viaOIDC, "callback"), PostLogout: h.at(h.viaOIDC, "logged-out")})
		b := h.browser()
		if res := b.signIn(h.viaOIDC, ada.Email); res.StatusCode != http.StatusSeeOther {
			t.Fatalf("answered %d: %+v", res.StatusCode, h.lastTrace())
		}
		target := onwardOf(t, b.post("/signout", nil))
		q := target.Query()
		if _, err := b.session(); err == nil {
			t.Error("our session goes on")
		}
		if strings.TrimSuffix(target.String(), "?"+target.RawQuery) != h.oidc.Issuer()+"/logout" || q.Get("client_id") != h.viaOIDC.OIDC.ClientID ||
			q.Get("post_logout_redirect_uri") != h.at(h.viaOIDC, "logged-out") || len(q.Get("state")) != 43 || strings.Count(q.Get("id_token_hint"), ".") != 2 {
			t.Fatalf("led on to %s", target)
		}
		if log := h.log.String(); strings.Contains(log, q.Get("id_token_hint")) || strings.Contains(log, "id_token_hint") || strings.Contains(log, q.Get("state")) {
			t.Error("the log has the ID token or the state")
		}

		stranger := h.browser()
		for name, edit := range map[string]func(url.Values){"another address": func(q url.Values) { q.Set("post_logout_redirect_uri", h.url) }, "no hint": func(q url.Values) { q.Del("id_token_hint") }} {
			changed := target.Query()
			edit(changed)
			if res := stranger.get(h.oidc.Issuer() + "/logout?" + changed.Encode()); res.StatusCode != http.StatusBadRequest {
				t.Errorf("%s: the provider answers %d", name, res.StatusCode)
			}
		}
		back := b.get(target.String()).Header.Get("Location")
		if !strings.HasPrefix(back, h.at(h.viaOIDC, "logged-out")+"?") {
			t.Fatalf("the provider sends the browser to %s", back)
		}
		for _, wrong := range []struct {
			by      *browser
			address string
		}{{b, h.at(h.viaOIDC, "logged-out")}, {b, h.at(h.viaOIDC, "logged-out") + "?state=" + identity.NewSecret("")}} {
			if res := wrong.by.get(wrong.address); res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/signin" || h.lastTrace().Code != "oidc.unknown_request" {
				t.Errorf("%s: %d to %s", wrong.address, res.StatusCode, res.Header.Get("Location"))
			}
		}
		if res := b.get(back); res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/signin?done=signed-out" {
			t.Errorf("the way back ends with %d at %s", res.StatusCode, res.Header.Get("Location"))
		}
		if trace := h.lastTrace(); !trace.OK || trace.Purpose != identity.PurposeLogout {
			t.Errorf("the trace is %+v", trace)
		}
		if res := b.get(back); res.Header.Get("Location") != "/signin" {
			t.Errorf("a second time it ends at %s", res.Header.Get("Location"))
		}
		h.stateOfALogOutSignsNobodyIn(t)
	})
}

// stateOfALogOutSignsNobodyIn brings the state of a log-out to the callback.
func (h *house) stateOfALogOutSignsNobodyIn(t *testing.T) {
	t.Helper()
	b := h.browser()
	b.signIn(h.viaOIDC, ada.Email)
	state := onwardOf(t, b.post("/signout", nil)).Query().Get("state")
	start := b.get(h.at(h.viaOIDC, "login")).Header.Get("Location") + "&" + ssotest.LoginParameter + "=" + url.QueryEscape(ada.Email)
	callback, err := url.Parse(b.get(start).Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	q := callback.Query()
	q.Set("state", state)
	callback.RawQuery = q.Encode()
	b.get(callback.String())
	if _, err := b.session(); err == nil || h.lastTrace().OK {
		t.Errorf("the state of a log-out signed somebody in: %+v", h.lastTrace())
	}
}

// onwardOf returns where the page after a log-out leads on to.
func onwardOf(t *testing.T, res reply) *url.URL {
	t.Helper()
	_, rest, found := strings.Cut(res.body, `<a class="button" href="`)
	address, _, _ := strings.Cut(rest, `"`)
	target, err := url.Parse(strings.ReplaceAll(address, "&amp;", "&"))
	if res.StatusCode != http.StatusOK || !found || err != nil {
		t.Fatalf("the log-out answered %d: %s", res.StatusCode, res.body)
	}
	return target
}

func TestSigningOutWhereTheProviderTakesNoLogOutsEndsHere(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.oidc.Publish("end_session_endpoint", "")
		defer h.oidc.Publish("end_session_endpoint", h.oidc.Issuer()+"/logout")
		b := h.browser()
		b.signIn(h.viaOIDC, ada.Email)
		res := b.post("/signout", nil)
		if _, err := b.session(); err == nil || res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(res.Header.Get("Location"), "/signin?done=") {
			t.Errorf("answered %d to %s", res.StatusCode, res.Header.Get("Location"))
		}
	})
}
