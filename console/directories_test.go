package console_test

import (
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestTheTokenOfADirectoryIsShownOnce(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		r := b.post("/console/directories", url.Values{"name": {"Entra of Acme"}, "dialect": {"entra"}, "tenant": {string(s.acme.ID)}, "domains": {"acme.example, acme.org"}})
		r.is(http.StatusOK).says("Entra of Acme is ready", "It is shown this once", "Tenant URL", s.url+"/scim/v2", "Secret token")
		token := r.all(`<code>(dbs_[^<]+)</code>`)[0]
		v, err := s.authn.DirectoryByToken(t.Context(), token, "127.0.0.1")
		dir := v.Directory
		if err != nil || dir.Name != "Entra of Acme" || !slices.Equal(dir.Domains, []string{"acme.example", "acme.org"}) {
			t.Fatalf("the token opens %q %v: %v", dir.Name, dir.Domains, err)
		}
		page := "/console/directories/" + string(dir.ID)
		b.get(page).is(http.StatusOK).says("Entra of Acme", "Acme Logistics", "…"+token[len(token)-4:]).hides(token)
		b.get(page + "/rotate").is(http.StatusOK).says("goes on working until you revoke it")
		second := b.post(page+"/rotate", nil).is(http.StatusOK).all(`<code>(dbs_[^<]+)</code>`)[0]
		b.get(page+"/rotate").is(http.StatusOK).says("at most two live tokens", token[len(token)-4:])
		revoke := b.get(page).all(`href="(` + page + `/tokens/[0-9a-f-]+/revoke)"`)
		b.get(revoke[0]).is(http.StatusOK).says("Revoke the token that ends in")
		b.post(revoke[0], nil).is(http.StatusOK).says("The token was revoked")
		_, err1 := s.authn.DirectoryByToken(t.Context(), token, "127.0.0.1")
		_, err2 := s.authn.DirectoryByToken(t.Context(), second, "127.0.0.1")
		if (err1 == nil) == (err2 == nil) {
			t.Errorf("after one of two tokens was revoked they answer %v and %v", err1, err2)
		}
		b.post(page+"/disable", nil).is(http.StatusOK).says("The directory was disabled", "Disabled")
		b.post(page+"/enable", nil).is(http.StatusOK).says("The directory was enabled")
		b.post("/console/directories", url.Values{"name": {"Entra of Acme"}, "dialect": {"entra"}}).is(http.StatusConflict).says("already a directory named")
	})
}

func TestWhatADirectorySentIsListed(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		r := identity.Request{ID: identity.NewID[identity.RequestID](), DirectoryID: s.push.DirectoryID(), Method: "POST", Path: "/scim/v2/Users", Body: `{"userName":"<b>x"}`, Status: 409, Detail: "The user name is taken."}
		if err := s.prov.RecordRequest(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		b := s.signedIn("root@bridge.example")
		for _, path := range []string{"/console/requests?failed=1", "/console/directories/" + s.push.ID} {
			b.get(path).is(http.StatusOK).says("409", "/scim/v2/Users", "The user name is taken.", `{"userName":"<b>x"}`).hides("<b>x")
		}
	})
}

func TestDriftOfADirectoryIsShown(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		at := "/console/directories/" + s.push.ID
		b.get(at).is(http.StatusOK).has(at + "/drift")
		b.get(at+"/drift").is(http.StatusOK).says("Drift of Okta of the house", "nothing was changed")
		s.signedIn("ada@acme.example").get(at + "/drift").is(http.StatusForbidden)
	})
}
