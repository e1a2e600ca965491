package console_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func TestSigningIn(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		t.Run("a page that needs a session asks for one and comes back", func(t *testing.T) {
			b := s.browser()
			form := b.get("/console/users?q=ada").is(http.StatusOK).says("Sign in")
			back := form.value("return_to")
			b.post("/signin", url.Values{"email": {"root@bridge.example"}, "password": {password}, "return_to": {back}}).is(http.StatusOK).at("/console/users?q=ada")
		})
		t.Run("a known and an unknown address get the same answer", func(t *testing.T) {
			known := s.browser().post("/signin", url.Values{"email": {"root@bridge.example"}}).is(http.StatusOK)
			unknown := s.browser().post("/signin", url.Values{"email": {"noon@bridge.example"}}).is(http.StatusOK)
			if a, b := strings.ReplaceAll(known.body, "root@", "noon@"), unknown.body; a != b {
				t.Errorf("the answers differ:\n%s\n%s", known.text(), unknown.text())
			}
		})
		t.Run("a wrong password and a wrong name get the same answer", func(t *testing.T) {
			wrong := s.browser().post("/signin", url.Values{"email": {"root@bridge.example"}, "password": {"wrong password"}}).is(http.StatusBadRequest)
			nobody := s.browser().post("/signin", url.Values{"email": {"noon@bridge.example"}, "password": {"wrong password"}}).is(http.StatusBadRequest)
			if a, b := strings.ReplaceAll(wrong.body, "root@", "noon@"), nobody.body; a != b {
				t.Errorf("the answers differ:\n%s\n%s", wrong.text(), nobody.text())
			}
		})
		t.Run("it leads to no other site", func(t *testing.T) {
			for _, to := range []string{"https://evil.example/", "//evil.example/", `/\evil.example`, "javascript:alert(1)"} {
				s.browser().post("/signin", url.Values{"email": {"root@bridge.example"}, "password": {password}, "return_to": {to}}).is(http.StatusOK).at("/console")
			}
		})
		t.Run("signing out ends the session on the server", func(t *testing.T) {
			b := s.signedIn("root@bridge.example")
			cookie := b.client.Jar.Cookies(must(url.Parse(s.url))(t))
			b.post("/signout", nil).is(http.StatusOK).says("You are signed out.")
			b.client.Jar.SetCookies(must(url.Parse(s.url))(t), cookie)
			b.get("/console/users").is(http.StatusOK).says("Your session has ended", "Sign in")
		})
	})
}

func TestTheDomainOfAnAddressLeadsToItsProvider(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		c := must(s.prov.CreateConnection(t.Context(), identity.Operator(), identity.Connection{
			Name: "Provider", Kind: identity.OIDC, Domains: []string{"acme.example"},
			OIDC: identity.OIDCSettings{Issuer: "https://idp.example", ClientID: "c", ClientSecret: "s"},
		}))(t)
		b := s.browser()
		b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		r := b.post("/signin", url.Values{"email": {"who@acme.example"}, "return_to": {"/account"}}).is(http.StatusSeeOther)
		want := "/sso/" + string(c.ID) + "/login?login_hint=who%40acme.example&return_to=%2Faccount"
		if got := r.header.Get("Location"); got != want {
			t.Errorf("it leads to %s, not to %s", got, want)
		}
		r = b.post("/signin", url.Values{"email": {"ada@acme.example"}, "password": {password}}).is(http.StatusSeeOther)
		if got := r.header.Get("Location"); got != "/console" {
			t.Errorf("whoever gives a password is not sent to the provider, but the answer leads to %s", got)
		}
	})
}

func TestOnlyThePageWithoutAPasswordMayLeadElsewhere(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		const own = "form-action 'self';"
		if got := s.browser().get("/signin").header.Get("Content-Security-Policy"); strings.Contains(got, own) {
			t.Errorf("the step with the e-mail address cannot lead to a provider: %s", got)
		}
		for name, r := range map[string]reply{
			"password step": s.browser().post("/signin", url.Values{"email": {"who@bridge.example"}}), "both at once": s.browser().get("/signin?with=password"),
			"console": s.signedIn("root@bridge.example").get("/console/users"),
		} {
			if got := r.header.Get("Content-Security-Policy"); !strings.Contains(got, own) {
				t.Errorf("%s: forms may lead elsewhere: %s", name, got)
			}
		}
	})
}

func TestSigningInAgainEndsTheSessionBefore(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("vera@acme.example")
		here := must(url.Parse(s.url))(t)
		before := b.client.Jar.Cookies(here)
		b.post("/signin", url.Values{"email": {"ada@acme.example"}, "password": {password}}).is(http.StatusOK).at("/console")
		thief := s.browser()
		thief.client.Jar.SetCookies(here, before)
		thief.get("/account").is(http.StatusOK).says("Your session has ended", "Sign in")
		b.get("/account").is(http.StatusOK).says("Ada Lovelace")
	})
}

func TestTheLogSaysWhyAPasswordWasRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		var log bytes.Buffer
		s := startWith(t, db, slog.New(slog.NewJSONHandler(&log, nil)))
		for _, who := range []string{"vera@acme.example", "nobody@acme.example"} {
			s.browser().post("/signin", url.Values{"email": {who}, "password": {"not the password"}}).is(http.StatusBadRequest)
		}
		for _, want := range []string{"password.wrong", string(s.vera.ID), "nobody signs in with this name"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log does not say %q: %s", want, log.String())
			}
		}
		for _, secret := range []string{"not the password", "vera@acme.example", "nobody@acme.example"} {
			if strings.Contains(log.String(), secret) {
				t.Errorf("the log has %q", secret)
			}
		}
	})
}
