package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
)

const next = "purple monkey dishwasher"

func TestAPasswordThatMustBeChangedOpensNothingElse(t *testing.T) {
	t.Run("FC-59 FSM-35 the page, its errors and the way on", func(t *testing.T) {
		each(t, func(t *testing.T, s *site) {
			given := must(s.authn.ResetPassword(t.Context(), identity.Operator(), s.ada.ID, authn.GivenPassword{}))(t)
			b := s.browser()
			b.post("/signin", url.Values{"email": {"ada@acme.example"}, "password": {given}, "return_to": {"/console/users?q=vera"}}).is(http.StatusOK).
				at("/signin/password?return_to=%2Fconsole%2Fusers%3Fq%3Dvera").says("Choose a new password", "at least 12 characters", "not easy to guess").hides(`href="/console`)
			for _, path := range []string{"/console", "/account", "/console/users", "/console/users/" + string(s.vera.ID), "/account/second-factor", "/account/password", "/signin/second-factor", "/signin"} {
				b.get(path).is(http.StatusOK).says("Choose a new password")
			}
			b.post("/console/users", url.Values{"email": {"new@acme.example"}, "role": {"viewer"}}).is(http.StatusOK).says("Choose a new password")
			b.get("/console/nowhere").is(http.StatusNotFound).hides("Vera Viewer")

			change := func(password, repeated string) reply {
				return b.post("/signin/password", url.Values{"password": {password}, "confirm_password": {repeated}, "return_to": {"/console/users?q=vera"}})
			}
			change(next, "purple monkey dishes").is(http.StatusBadRequest).says("The two passwords are not the same").has(`aria-describedby="confirm-error"`)
			change("short", "short").is(http.StatusBadRequest).says("it needs at least 12").has(`class="broken">at least 12 characters`, `aria-invalid="true"`)
			change(given, given).is(http.StatusBadRequest).says("the password that is there already").hides(given)
			change("lovelace is my name", "lovelace is my name").is(http.StatusBadRequest).says(`contains "lovelace"`)
			live := b.post("/account/password/rules", url.Values{"password": {"Password1234"}}).is(http.StatusOK)
			if got := strings.TrimSpace(live.body); got != `{"password.guessable":false,"password.short":true,"password.word":true}` {
				t.Errorf("the rules while typing are %s", got)
			}
			change(next, next).is(http.StatusOK).at("/console/users?q=vera").says("Vera Viewer")
			b.get("/signin/password").is(http.StatusOK).at("/console")
			s.browser().post("/signin", url.Values{"email": {"ada@acme.example"}, "password": {next}}).is(http.StatusOK).at("/console")
		})
	})
	t.Run("FC-59 signing out is the other way", func(t *testing.T) {
		each(t, func(t *testing.T, s *site) {
			if err := s.authn.RequirePasswordChange(t.Context(), identity.Operator(), s.ada.ID, true, ""); err != nil {
				t.Fatal(err)
			}
			b := s.signedIn("ada@acme.example")
			b.get("/console").is(http.StatusOK).says("Choose a new password")
			b.post("/signout", nil).is(http.StatusOK).says("You are signed out")
			b.get("/console").is(http.StatusOK).says("Sign in")
			b.post("/account/password/rules", url.Values{"password": {next}}).says("Sign in")
		})
	})
}

func TestTheOwnPasswordIsChangedInMyAccount(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b, other := s.signedIn("vera@acme.example"), s.signedIn("vera@acme.example")
		b.get("/account").is(http.StatusOK).says("Password", "Change it")
		b.get("/account/password").is(http.StatusOK).says("Your present password").hides(`name="code"`)
		change := func(present, password string) reply {
			return b.post("/account/password", url.Values{"present": {present}, "password": {password}, "confirm_password": {password}})
		}
		change("not it at all", next).is(http.StatusBadRequest).says("This is not your password.").has(`aria-describedby="present-error"`)
		change(password, password).is(http.StatusBadRequest).says("there already")
		other.get("/account").is(http.StatusOK).says("Vera Viewer")
		change(password, next).is(http.StatusOK).at("/account?done=password-changed").says("Every other session has ended")
		other.get("/account").is(http.StatusOK).says("Your session has ended")
		s.browser().post("/signin", url.Values{"email": {"vera@acme.example"}, "password": {next}}).is(http.StatusOK).hides("do not open an account")
	})
}

func TestASecondFactorThatMustBeIsTurnedOnOnTheWayIn(t *testing.T) {
	t.Run("FSM-45 nothing else opens, and the page that was asked for does afterwards", func(t *testing.T) {
		each(t, func(t *testing.T, s *site) {
			b := s.signedIn("ada@acme.example")
			if _, err := s.authn.RequireSecondFactor(t.Context(), identity.Operator(), s.acme.ID, true, ""); err != nil {
				t.Fatal(err)
			}
			b.get("/console/users?q=vera").is(http.StatusOK).at("/signin/second-factor?return_to=%2Fconsole%2Fusers%3Fq%3Dvera").says("Turn on a second factor").hides(`href="/console`)
			for _, path := range []string{"/console", "/account", "/account/second-factor/confirm", "/signin/second-factor/code", "/signin/second-factor/confirm", "/signin/password"} {
				b.get(path).is(http.StatusOK).says("Turn on a second factor")
			}
			b.get("/signin/second-factor.png").is(http.StatusNotFound)
			page := b.post("/signin/second-factor", url.Values{"return_to": {"/console/users?q=vera"}}).is(http.StatusOK).says("Scan this with an app")
			p := phone{t: t, secret: strings.ReplaceAll(page.all(`data-copy="([A-Z2-7 ]+)"`)[0], " ", "")}
			if image := b.get("/signin/second-factor.png").is(http.StatusOK); image.header.Get("Content-Type") != "image/png" {
				t.Errorf("the picture is %s", image.header.Get("Content-Type"))
			}
			confirm := func(code string) reply {
				return b.post("/signin/second-factor/confirm", url.Values{"code": {code}, "return_to": {page.value("return_to")}})
			}
			confirm("12345").is(http.StatusBadRequest).says("not the code that the app should show")
			done := confirm(p.code(-30 * time.Second))
			if done.status != http.StatusOK { // the step ended in between
				done = confirm(p.code(-30 * time.Second))
			}
			if codes := done.is(http.StatusOK).says("shown this once").all(`<li><code>([a-z2-7-]+)</code>`); len(codes) != 10 {
				t.Errorf("%d recovery codes", len(codes))
			}
			b.get(done.all(`button-primary" href="([^"]+)"`)[0]).is(http.StatusOK).at("/console/users?q=vera").says("Vera Viewer")
			s.browser().post("/signin", url.Values{"email": {"ada@acme.example"}, "password": {password}}).is(http.StatusOK).says("Code of your app")
		})
	})
	t.Run("FSM-45 after a provider that asked for none the code is asked for here", func(t *testing.T) {
		each(t, func(t *testing.T, s *site) {
			c := must(s.prov.CreateConnection(t.Context(), identity.Operator(), identity.Connection{
				Name: "Provider", Kind: identity.OIDC, Domains: []string{"acme.example"}, OIDC: identity.OIDCSettings{Issuer: "https://idp.example", ClientID: "c", ClientSecret: "s"},
			}))(t)
			p := s.signedIn("ada@acme.example").enrols()
			if _, err := s.authn.RequireSecondFactor(t.Context(), identity.Operator(), s.acme.ID, true, ""); err != nil {
				t.Fatal(err)
			}
			cookie, _, err := s.authn.StartSession(t.Context(), s.ada, identity.Session{ConnectionID: c.ID, Upstream: identity.Upstream{AMR: []string{"pwd"}}}, "")
			if err != nil {
				t.Fatal(err)
			}
			b := s.browser()
			b.client.Jar.SetCookies(must(url.Parse(s.url))(t), []*http.Cookie{{Name: "drawbridge", Value: cookie}})
			b.get("/account").is(http.StatusOK).at("/signin/second-factor/code?return_to=%2Faccount").says("Your provider did not ask")
			b.post("/signin/second-factor/code", url.Values{"code": {"123456"}, "return_to": {"/account"}}).is(http.StatusBadRequest).says("The code is not right")
			b.post("/signin/second-factor/code", url.Values{"code": {p.code(0)}, "return_to": {"/account"}}).is(http.StatusOK).at("/account").says("Ada Lovelace")
		})
	})
}
