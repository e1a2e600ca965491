package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/drawbridge-id/drawbridge/identity"
)

// phone is an app for codes.
type phone struct {
	t      *testing.T
	secret string
	codes  []string // for recovery
}

func (p phone) code(later time.Duration) string {
	p.t.Helper()
	return must(totp.GenerateCode(p.secret, time.Now().Add(later)))(p.t)
}

// enrols turns a second factor on with a browser that is signed in. The code was of the step before.
func (b *browser) enrols() phone {
	b.t.Helper()
	b.get("/account").is(http.StatusOK).says("Second factor", "Turn on")
	b.post("/account/second-factor", url.Values{"password": {"not it at all"}}).is(http.StatusBadRequest).says("This is not your password.")
	page := b.post("/account/second-factor", url.Values{"password": {password}}).is(http.StatusOK).at("/account/second-factor/confirm")
	p := phone{t: b.t, secret: strings.ReplaceAll(page.all(`data-copy="([A-Z2-7 ]+)"`)[0], " ", "")}
	image := b.get(page.all(`<img src="([^"]+)"`)[0]).is(http.StatusOK)
	if image.header.Get("Content-Type") != "image/png" || image.header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(image.body, "\x89PNG") {
		b.t.Errorf("the picture is %s, %s", image.header.Get("Content-Type"), image.header.Get("Cache-Control"))
	}
	b.post("/account/second-factor/confirm", url.Values{"code": {"12345"}}).is(http.StatusBadRequest).says("not the code that the app should show")
	done := b.post("/account/second-factor/confirm", url.Values{"code": {p.code(-30 * time.Second)}})
	if done.status != http.StatusOK { // the step ended in between
		done = b.post("/account/second-factor/confirm", url.Values{"code": {p.code(-30 * time.Second)}})
	}
	p.codes = done.is(http.StatusOK).says("shown this once").all(`<li><code>([a-z2-7-]+)</code>`)
	if len(p.codes) != 10 || done.header.Get("Cache-Control") != "no-store" {
		b.t.Fatalf("%d recovery codes", len(p.codes))
	}
	b.get("/account/second-factor.png").is(http.StatusNotFound)
	b.get("/account/second-factor/confirm").is(http.StatusOK).at("/account/second-factor")
	return p
}

func TestASecondFactorIsTurnedOnUsedAndTurnedOff(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("ada@acme.example")
		p := b.enrols()
		b.get("/account").is(http.StatusOK).says("On since", "10 recovery codes are left")
		b.post("/account/second-factor", url.Values{"password": {password}}).is(http.StatusConflict).says("have a second factor already")

		other := s.browser()
		step := other.post("/signin", url.Values{"email": {"ada@acme.example"}, "password": {password}, "return_to": {"/account"}}).is(http.StatusOK)
		step.at("/signin/code?return_to=%2Faccount").says("Enter your code")
		other.get("/account").is(http.StatusOK).says("Sign in") // there is no session before the code
		other.get("/signin/code").is(http.StatusOK).says("Enter your code")
		other.post("/signin/code", url.Values{"code": {"12345"}}).is(http.StatusBadRequest).says("The code is not right")
		other.post("/signin/code", url.Values{"code": {p.code(0)}, "return_to": {"/account"}}).is(http.StatusOK).at("/account").says("Ada Lovelace")
		other.post("/signin/code", url.Values{"code": {p.code(0)}}).is(http.StatusOK).at("/console") // is in already

		third := s.browser()
		third.post("/signin", url.Values{"email": {"ada@acme.example"}, "password": {password}}).is(http.StatusOK).says("Enter your code")
		third.post("/signin/code", url.Values{"code": {p.code(0)}}).is(http.StatusBadRequest) // used before
		third.post("/signin/code", url.Values{"code": {p.codes[0]}}).is(http.StatusOK).at("/console")
		s.browser().get("/signin/code").is(http.StatusOK).at("/signin?return_to=%2Fconsole")

		renewed := b.post("/account/second-factor/codes", url.Values{"password": {password}, "code": {p.codes[1]}}).is(http.StatusOK).says("shown this once")
		fresh := renewed.all(`<li><code>([a-z2-7-]+)</code>`)
		b.post("/account/second-factor/off", url.Values{"password": {password}, "code": {p.codes[2]}}).is(http.StatusBadRequest).says("The code is not right")
		b.post("/account/second-factor/off", url.Values{"password": {password}, "code": {fresh[0]}}).is(http.StatusOK).at("/account?done=factor-off").says("password alone")
		s.signedIn("ada@acme.example").get("/account").is(http.StatusOK).says("Ada Lovelace")
	})
}

func TestTheStepBetweenPasswordAndCodeIsBoundToTheBrowser(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		p := s.signedIn("ada@acme.example").enrols()
		b := s.browser()
		b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		r := b.post("/signin", url.Values{"email": {"ada@acme.example"}, "password": {password}}).is(http.StatusSeeOther)
		cookie := r.header.Get("Set-Cookie")
		if !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Strict") || strings.Contains(r.header.Get("Location"), "drawbridge-step") {
			t.Errorf("the cookie is %s", cookie)
		}
		s.browser().post("/signin/code", url.Values{"code": {p.code(0)}}).is(http.StatusOK).says("Enter your password again")
		b.post("/signin/code", url.Values{"code": {p.code(0)}}).is(http.StatusSeeOther)
	})
}

func TestAnAdministratorTakesALostSecondFactorAway(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		vera := s.signedIn("vera@acme.example")
		vera.enrols()
		b := s.signedIn("ada@acme.example")
		at := "/console/users/" + string(s.vera.ID)
		b.get(at).is(http.StatusOK).says("Second factor", "Take it away", "10 recovery codes left")
		b.get(at + "/reset-second-factor").is(http.StatusOK).says("Make sure that it is really Vera Viewer")
		b.post(at+"/reset-second-factor", url.Values{"reason": {"lost phone"}}).is(http.StatusOK).says("was taken away")
		vera.get("/account").is(http.StatusOK).says("Your session has ended")
		b.post(at+"/reset-second-factor", nil).is(http.StatusNotFound).says("no second factor")
		s.signedIn("vera@acme.example").get("/account").is(http.StatusOK).says("Vera Viewer")
		b.get("/console/users/" + string(s.ada.ID)).is(http.StatusOK).hides("reset-second-factor")
		b.post("/console/users/"+string(s.ada.ID)+"/break-glass", nil).is(http.StatusForbidden)
		s.signedIn("vera@acme.example").post(at+"/reset-second-factor", nil).is(http.StatusForbidden)
	})
}

func TestASuperAdminMarksAccountsForEmergencies(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		at := "/console/users/" + string(s.ada.ID)
		b.get(at+"/break-glass").is(http.StatusOK).says("an account for emergencies?", "in a safe")
		b.post(at+"/break-glass", url.Values{"reason": {"the safe"}}).is(http.StatusPreconditionFailed).says("needs a password and a second factor")
		s.signedIn("ada@acme.example").enrols()
		b.post(at+"/break-glass", url.Values{"reason": {"the safe"}}).is(http.StatusOK).says("This is an account for emergencies now.", "may use its password")
		b.get("/console/tenants/"+string(s.acme.ID)).is(http.StatusOK).says("Ada Lovelace", "Not required")
		b.post("/console/tenants/"+string(s.acme.ID)+"/require-sso", nil).is(http.StatusPreconditionFailed).says("Nobody has come in through a provider of Acme Logistics")
		b.post(at+"/break-glass/end", nil).is(http.StatusOK).says("ordinary account again")
		found := must(s.prov.Events(t.Context(), identity.Operator(), eventsOf(s.ada.ID)))(t)
		for _, want := range []identity.EventType{identity.BreakGlassGranted, identity.BreakGlassRevoked, identity.SecondFactorOn} {
			if !hasEvent(found.Items, want) {
				t.Errorf("the audit has no %s", want)
			}
		}
	})
}
