package console_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
)

func TestTheSecretOfAClientIsShownOnce(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		page := "/console/directories/" + s.push.ID
		b.get(page).is(http.StatusOK).says("OAuth clients", "None. A source that speaks OAuth")
		b.get(page + "/clients/new").is(http.StatusOK).says("New OAuth client")
		r := b.post(page+"/clients", url.Values{"jwks": {""}}).is(http.StatusOK).says("It is shown this once", s.url+"/oauth/token", "scim")
		secret, id := r.all(`<code>(dbc_[^<]+)</code>`)[0], r.all(`<code>([0-9a-f]{8}-[0-9a-f-]{27})</code>`)[0]
		issue := func() error {
			_, err := s.authn.IssueAccessToken(t.Context(), authn.ClientProof{ID: id, Secret: secret})
			return err
		}
		if err := issue(); err != nil {
			t.Fatal(err)
		}
		b.get(page).is(http.StatusOK).says(id, "…"+secret[len(secret)-4:]).hides(secret)
		b.get(page+"/clients/"+id+"/revoke").is(http.StatusOK).says("Revoke the client", "cannot be brought back")
		b.post(page+"/clients/"+id+"/revoke", nil).is(http.StatusOK).says("The client was revoked", "revoked")
		if err := issue(); identity.KindOf(err) != identity.Unauthenticated {
			t.Errorf("a revoked client gets a token: %v", err)
		}
		b.post(page+"/clients/"+id+"/revoke", nil).is(http.StatusNotFound)
		b.post(page+"/clients", url.Values{"jwks": {`{"keys":[]}`}}).is(http.StatusBadRequest).says("1 to 10 keys", `{"keys":[]}`)
		b.post(page+"/clients", url.Values{"jwks": {`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`}}).is(http.StatusOK).
			says("Token endpoint").hides("Client secret")
		b.get(page).is(http.StatusOK).says("signed JWT")
		b.get("/console/events").is(http.StatusOK).says("OAuth client created", "OAuth client revoked")
		s.signedIn("ada@acme.example").post(page+"/clients", nil).is(http.StatusForbidden)
	})
}

func TestTheNetworksOfADirectoryAreAForm(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		page := "/console/directories/" + s.push.ID
		b.get(page).is(http.StatusOK).says("May be used from", "anywhere")
		b.post(page+"/networks", url.Values{"networks": {"203.0.113.0/24 2001:db8::/32"}}).is(http.StatusOK).says("The networks were saved", "203.0.113.0/24, 2001:db8::/32")
		field := func(r reply) string { return r.all(`name="networks" value="([^"]*)"`)[0] }
		if got := field(b.get(page + "/networks")); got != "203.0.113.0/24, 2001:db8::/32" {
			t.Errorf("the form begins with %q", got)
		}
		if got := field(b.post(page+"/networks", url.Values{"networks": {"home"}}).is(http.StatusBadRequest).says("is no network")); got != "home" {
			t.Errorf("what was typed is %q then", got)
		}
		b.post(page+"/networks", url.Values{"networks": {""}}).is(http.StatusOK).says("anywhere")
	})
}

func TestATokenThatEndsSoonIsABanner(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		b.get("/console/directories").is(http.StatusOK).hides("expires")
		soon, late := time.Now().Add(48*time.Hour), time.Now().Add(400*24*time.Hour)
		if _, _, err := s.prov.RotateToken(t.Context(), identity.Operator(), s.push.DirectoryID(), &late); err != nil {
			t.Fatal(err)
		}
		b.get("/console/directories").is(http.StatusOK).hides("expires")
		_, token, err := s.prov.RotateToken(t.Context(), identity.Operator(), s.push.DirectoryID(), &soon)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/console/directories", "/console/directories/" + s.push.ID} {
			b.get(path).is(http.StatusOK).says("Okta of the house", "expires", token.Hint, "Make a new one")
		}
	})
}
