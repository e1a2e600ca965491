package console_test

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestAFormThatComesAfterTheSessionEndedIsKept(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		end := func() {
			t.Helper()
			must(s.authn.EndSessions(t.Context(), identity.Operator(), s.root.ID, ""))(t)
		}
		end()
		name := `North & "South" <Freight>`
		kept := b.post("/console/tenants", url.Values{"name": {name}}).is(http.StatusUnauthorized).
			says("Your session has ended", "Nothing was changed").has(`action="/console/tenants"`, `href="/signin" target="_blank"`)
		b.post("/console/tenants", url.Values{"name": {name}}).is(http.StatusUnauthorized) // nobody has signed in meanwhile

		again := s.signedIn("root@bridge.example")
		again.get("/console/tenants").is(http.StatusOK).hides("North")
		again.post("/console/tenants", url.Values{"name": {html.UnescapeString(kept.value("name"))}}).is(http.StatusOK)
		again.get("/console/tenants").says(name)

		end()
		b.upload("picture.png", "no picture", url.Values{"name": {name}}).is(http.StatusUnauthorized).says("Only the file has to be chosen once more").has(`enctype="multipart/form-data"`, `name="name" value="North`)
		b.post("/account/password", url.Values{"current": {"x"}, "password": {"Never shown 1"}}).at("/signin?done=session-over").hides("Never shown 1")
		s.browser().post("/console/tenants", url.Values{"name": {name}}, "Origin", s.url).is(http.StatusUnauthorized).has(`action="/console/tenants"`) // the cookie has ended too
		s.browser().post("/console/tenants", url.Values{"name": {name}}, "Origin", "https://elsewhere.example").is(http.StatusForbidden).hides("North")
		s.browser().post("/console/tenants", url.Values{"name": {name}}).at("/signin") // no browser
	})
}

func TestAStrangerIsNotToldOfListsAndTenants(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.browser().get("/setup/"+strings.Repeat("a", 43)).is(http.StatusNotFound).says("ask whoever sent it for a new one").hides("a tenant that you cannot see", "go back to the list")
		s.signedIn("ada@acme.example").get("/console/users/" + string(s.root.ID)).is(http.StatusNotFound).says("a tenant that you cannot see")
	})
}
