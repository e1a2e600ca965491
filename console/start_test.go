package console_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// pushed keeps a request of the house's directory.
func (s *site) pushed(r identity.Request) identity.Request {
	s.t.Helper()
	r.ID, r.At, r.DirectoryID = identity.NewID[identity.RequestID](), time.Now(), identity.DirectoryID(s.push.ID)
	if err := s.prov.RecordRequest(s.t.Context(), r); err != nil {
		s.t.Fatal(err)
	}
	return r
}

func TestTheStartPageSaysWhatWaitsAndWhatHappenedLately(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		trace := s.attempted(identity.Trace{Code: "saml.expired", Email: "bob@acme.example", Message: "The answer of the provider has expired."})
		s.pushed(identity.Request{Method: "POST", Path: "/scim/v2/Users", Status: 201})
		failed := s.pushed(identity.Request{Method: "PATCH", Path: "/scim/v2/Users/x", Status: 409, Detail: "The user name is taken."})
		root := s.signedIn("root@bridge.example")
		page := root.get("/console").is(http.StatusOK).at("/console").says(
			"2 people can sign in and have no place yet", "bob@acme.example", "The answer of the provider has expired.", "Okta of the house", "The user name is taken.", "First steps", "Connect a directory done")
		page.has(`href="/console/placement"`, `href="/console/signins/`+string(trace.ID)+`"`, `href="/console/requests/`+string(failed.ID)+`"`, `>2</td>`)
		if n := len(page.body); n > 60<<10 {
			t.Errorf("the first page has %d bytes", n)
		}
		t.Run("whoever runs a tenant sees what is the tenant's", func(t *testing.T) {
			s.signedIn("ada@acme.example").get("/console").is(http.StatusOK).says("bob@acme.example", "Nothing needs you now").
				hides("Okta of the house", "no place yet", `href="/console/placement"`, `href="/console/directories/new"`, `href="/console/connections`)
		})
		t.Run("who may see nobody has the own account", func(t *testing.T) {
			s.signedIn("vera@acme.example").get("/console").at("/account")
		})
		t.Run("a person whom only one answers to opens at once", func(t *testing.T) {
			root.get("/console?q=" + url.QueryEscape("ada@acme.example")).is(http.StatusOK).at("/console/users/" + string(s.ada.ID))
			root.get("/console?q=acme").is(http.StatusOK).at("/console/users?q=acme")
			root.get("/console?q=nobody-at-all").is(http.StatusOK).at("/console/users?q=nobody-at-all")
		})
		t.Run("people elsewhere are not found", func(t *testing.T) {
			s.signedIn("ada@acme.example").get("/console?q=grace").at("/console/users?q=grace").hides("Grace Hopper")
		})
	})
}

func TestTheStartPageNamesWhatIsOverdue(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		if err := s.prov.ReportConnection(t.Context(), s.provider().ID, "Its name is not known. Correct the issuer."); err != nil {
			t.Fatal(err)
		}
		s.signedIn("root@bridge.example").get("/console").is(http.StatusOK).says("Okta of Acme: The provider could not be read the last time.", "Its name is not known.").hides("Nothing needs you", "First steps")
	})
}
