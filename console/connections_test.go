package console_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestAConnectionKeepsTheAddressesThatItsFormShowed(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		form := b.get("/console/connections/new?kind=saml").is(http.StatusOK).says("ACS URL", "Entity ID")
		id := form.value("id")
		form.says(s.url+"/sso/"+id+"/acs", s.url+"/sso/"+id+"/metadata")
		values := url.Values{"kind": {"saml"}, "id": {id}, "name": {"Entra"}, "domains": {"partner.example"}, "unknown": {"landing"}, "metadata": {"not xml"}}
		b.post("/console/connections", values).is(http.StatusBadRequest).says("This is no SAML metadata.", s.url+"/sso/"+id+"/acs", "not xml")
		values.Set("metadata", "<EntityDescriptor/>")
		b.post("/console/connections", values).is(http.StatusOK).at("/console/connections/"+id+"?done=connection-created").says("https://idp.example/sso", "valid until", s.url+"/sso/"+id+"/acs")
		b.post("/console/connections/"+id, url.Values{"name": {"Entra 2"}, "domains": {"partner.example partner.org"}, "unknown": {"refuse"}}).is(http.StatusOK).says("The connection was saved", "Entra 2")
		b.post("/console/connections/"+id, url.Values{"name": {"Entra 2"}, "domains": {""}, "unknown": {"refuse"}}).is(http.StatusBadRequest).says("Name the e-mail domains")
		b.post("/console/connections/"+id+"/disable", nil).is(http.StatusOK).says("The connection was disabled")
		c := must(s.prov.Connection(t.Context(), identity.Operator(), identity.ConnectionID(id)))(t)
		if c.Enabled || c.Unknown != identity.UnknownRefuse || !slices.Equal(c.Domains, []string{"partner.example", "partner.org"}) {
			t.Errorf("the connection is %+v", c)
		}
	})
}

func TestAClientSecretIsNeverShownAgain(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		values := url.Values{"kind": {"oidc"}, "name": {"Google"}, "issuer": {"https://accounts.example"}, "clientid": {"abc"}, "clientsecret": {"hush-hush"}, "unknown": {"landing"}}
		b.post("/console/connections", values).is(http.StatusBadRequest).says("Name the e-mail domains").hides("hush-hush")
		values.Set("domains", "globex.example")
		b.post("/console/connections", values).is(http.StatusOK).says("Redirect URI", "/callback", "kept sealed").hides("hush-hush")
		b.get("/console/events").is(http.StatusOK).says("Connection created", "Google").hides("hush-hush")
	})
}

func TestASignInThatFailedShowsWhy(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		bad := identity.Trace{
			ID: identity.NewID[identity.TraceID](), Code: "saml.wrong_audience", Message: "It was made for another application.", Email: "who@partner.example",
			Checks: []identity.Check{{Name: "signature", Result: identity.Passed}, {Name: "audience", Result: identity.Failed, Got: "https://old.example", Expected: "https://new.example", Fix: "Set the Identifier."}},
		}
		if err := s.prov.RecordTrace(t.Context(), bad); err != nil {
			t.Fatal(err)
		}
		b := s.signedIn("root@bridge.example")
		b.get("/console/signins?refused=1").is(http.StatusOK).says("who@partner.example", "saml.wrong_audience", "1 in all")
		b.get("/console/signins/"+string(bad.ID)).is(http.StatusOK).says("Refused", "another application", "https://old.example", "https://new.example", "Set the Identifier.")
		b.get("/console/signins/" + string(identity.NewID[identity.TraceID]())).is(http.StatusNotFound).says("There is no such sign-in")
	})
}

func TestTheMetadataOfAProviderCanBeUploaded(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		for name, value := range map[string]string{"kind": "saml", "name": "Uploaded", "domains": "partner.example", "unknown": "landing", "metadata": ""} {
			if err := w.WriteField(name, value); err != nil {
				t.Fatal(err)
			}
		}
		file := must(w.CreateFormFile("metadatafile", "metadata.xml"))(t)
		if _, err := file.Write([]byte("<EntityDescriptor/>")); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		b := s.signedIn("root@bridge.example")
		r := must(http.NewRequest(http.MethodPost, b.url+"/console/connections", &body))(t)
		r.Header.Set("Content-Type", w.FormDataContentType())
		b.do(r).is(http.StatusOK).says("The connection was created", "Uploaded", "https://idp.example/sso")
	})
}
