package console_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestStatisticsCountTheOwnTenantOnly(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.attempted(identity.Trace{Code: "saml.expired", Email: "bob@acme.example"})
		s.pushed(identity.Request{Method: "POST", Path: "/scim/v2/Users", Status: 201})
		s.pushed(identity.Request{Method: "POST", Path: "/scim/v2/Users", Status: 409, Detail: "taken"})
		all := s.signedIn("root@bridge.example").get("/console/statistics").is(http.StatusOK).says("Of the whole installation", "1 signed in", "1 refused", "1 done", "1 failed", "5 people in all", "SSO Landing")
		if n := strings.Count(all.body, `class="chart-day"`); n != 60 {
			t.Errorf("%d bars", n)
		}
		own := s.signedIn("ada@acme.example").get("/console/statistics?days=7").is(http.StatusOK).says("Of your tenant", "1 signed in", "1 refused", "0 done", "0 failed", "2 people in all").hides("SSO Landing")
		if n := strings.Count(own.body, `class="chart-day"`); n != 14 {
			t.Errorf("%d bars", n)
		}
		longest := s.signedIn("ada@acme.example").get("/console/statistics?days=90").is(http.StatusOK)
		if n := len(longest.body); n > 120<<10 {
			t.Errorf("the page of 90 days has %d bytes", n)
		}
		s.signedIn("ada@acme.example").get("/console/statistics?days=100000").is(http.StatusOK).has(`days=30" aria-current="page"`)
		s.signedIn("vera@acme.example").get("/console/statistics").is(http.StatusForbidden)
		s.signedIn("vera@acme.example").get("/account").hides(`href="/console/statistics"`)
	})
}
