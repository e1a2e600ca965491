package console_test

import (
	"bytes"
	"encoding/pem"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestTheWizardGoesStepByStepAndLosesNothing(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		b.get("/console/connections/new").is(http.StatusOK).says("Okta", "Microsoft Entra ID", "Google Workspace", "AD FS", "Keycloak")
		form := b.get("/console/connections/new?provider=okta-saml").is(http.StatusOK).says("Connection to Okta", "For whom")
		id := form.value("id")
		values := url.Values{"provider": {"okta-saml"}, "id": {id}, "name": {"Okta of Partner"}, "domains": {"no domain!"}, "unknown": {"refuse"}}
		b.post("/console/connections/new", values).is(http.StatusBadRequest).has(`value="no domain!"`, `value="Okta of Partner"`)
		values.Set("domains", "partner.example")
		step := b.post("/console/connections/new", values).is(http.StatusOK).says("Single sign-on URL", "Audience URI (SP Entity ID)", "user.email", s.url+"/sso/"+id+"/acs", s.url+"/sso/"+id+"/metadata")
		for name := range values {
			if step.value(name) != values.Get(name) {
				t.Errorf("%s is lost on the way", name)
			}
		}
		values.Set("metadata", "not xml")
		b.post("/console/connections", values).is(http.StatusBadRequest).says("This is no SAML metadata.", s.url+"/sso/"+id+"/acs", "not xml").has(`name="name" value="Okta of Partner"`)
		values.Set("to", "whom")
		b.post("/console/connections/new", values).is(http.StatusOK).says("For whom").has(`value="partner.example"`, `name="metadata" value="not xml"`)
		values.Del("to")
		values.Set("metadata", "<EntityDescriptor/>")
		b.post("/console/connections", values).is(http.StatusOK).at("/console/connections/"+id+"?done=connection-prepared").
			says("switched off. Test it", "https://idp.example/sso", "valid until", s.url+"/sso/"+id+"/acs", "Disabled")
		c := must(s.prov.Connection(t.Context(), identity.Operator(), identity.ConnectionID(id)))(t)
		if c.Enabled || c.Options.Provider != "okta-saml" || c.Unknown != identity.UnknownRefuse {
			t.Errorf("the connection is %+v", c)
		}
	})
}

func TestTheSettingsOfAConnectionAreChangedOneByOne(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		values := url.Values{"provider": {"saml"}, "name": {"Entra"}, "domains": {"partner.example"}, "unknown": {"landing"}, "metadata": {"<EntityDescriptor/>"}}
		at := strings.TrimSuffix(b.post("/console/connections", values).is(http.StatusOK).path, "?done=connection-prepared")
		b.post(at, url.Values{"name": {"Entra 2"}, "domains": {"partner.example partner.org"}, "unknown": {"refuse"}}).is(http.StatusOK).says("The connection was saved", "Entra 2")
		b.post(at, url.Values{"name": {"Entra 2"}, "domains": {""}, "unknown": {"refuse"}}).is(http.StatusBadRequest).says("Name the e-mail domains")
		b.post(at, url.Values{"skew": {"301"}}).is(http.StatusBadRequest).says("5 minutes at most")
		b.post(at, url.Values{"skew": {"90"}, "emailclaim": {"mail"}, "boxes": {"1"}, "on": {"force", "sha1", "unsolicited"}}).is(http.StatusOK).says("Signatures with SHA-1 are accepted")
		b.post(at+"/enable", nil).is(http.StatusOK).says("The connection was enabled")
		b.post(at+"/disable", nil).is(http.StatusOK).says("The connection was disabled")
		id := identity.ConnectionID(at[strings.LastIndex(at, "/")+1:])
		c := must(s.prov.Connection(t.Context(), identity.Operator(), id))(t)
		if c.Enabled || c.Unknown != identity.UnknownRefuse || !slices.Equal(c.Domains, []string{"partner.example", "partner.org"}) {
			t.Errorf("the connection is %+v", c)
		}
		if c.Skew != 90*time.Second || c.SAML.EmailClaim != "mail" || !c.SAML.AllowSHA1 || !c.Options.ForceAuthn || !c.Options.AllowUnsolicited || c.Options.Artifact {
			t.Errorf("the settings are %+v %+v", c.SAML, c.Options)
		}
		b.get("/console/connections").is(http.StatusOK).says("Entra 2: Signatures with SHA-1 are accepted")
		b.get("/console/events").is(http.StatusOK).says("allow SHA-1", "email claim")
	})
}

func TestCertificatesAndKeysOfAConnectionComeAndGo(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		settings := must(readMetadata(t.Context(), "<EntityDescriptor/>", identity.SAMLSettings{}))(t)
		c := must(s.prov.CreateConnection(t.Context(), identity.Operator(), identity.Connection{Name: "IdP", Kind: identity.SAML, Domains: []string{"partner.example"}, SAML: settings}))(t)
		at := "/console/connections/" + string(c.ID)
		b.post(at+"/certificates", url.Values{"certificate": {"rubbish"}}).is(http.StatusBadRequest).says("This is no certificate", "rubbish")
		more := must(readMetadata(t.Context(), "<EntityDescriptor/>", identity.SAMLSettings{}))(t).Certificates[0]
		page := b.post(at+"/certificates", url.Values{"certificate": {string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: more}))}}).is(http.StatusOK).says("The certificate was added")
		removals := page.all(`href="([^"]*/certificates/[0-9a-f]{64}/remove)"`)
		if len(removals) != 2 {
			t.Fatalf("%d certificates can be removed, not 2", len(removals))
		}
		b.get(removals[0]).is(http.StatusOK).says("Remove this certificate?")
		b.post(removals[0], nil).is(http.StatusOK).says("The certificate was removed")
		b.post(removals[1], nil).is(http.StatusBadRequest).says("signing certificate is needed")
		b.post(at+"/keys?step=add", nil).is(http.StatusOK).says("Use the newest", "opens what is encrypted for it")
		b.get(at + "/keys?step=use").is(http.StatusOK).says("Sign with the new key?")
		b.post(at+"/keys?step=use", nil).is(http.StatusOK)
		b.get(at + "/keys?step=drop").is(http.StatusOK).says("Forget the former keys?")
		b.post(at+"/keys?step=drop", nil).is(http.StatusOK)
		if now := must(s.prov.Connection(t.Context(), identity.Operator(), c.ID))(t); len(now.SAML.Certificates) != 1 || string(now.SAML.Certificates[0]) != string(more) || len(now.SAML.Standby) != 0 || string(now.SAML.Certificate) == string(c.SAML.Certificate) {
			t.Errorf("the certificates are %d, our keys %d", len(now.SAML.Certificates), 1+len(now.SAML.Standby))
		}
		b.post(at+"/provider", url.Values{"entityid": {"https://other.example/"}, "ssourl": {"https://other.example/sso"}, "certificate": {string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: more}))}}).
			is(http.StatusOK).says("The connection was saved", "https://other.example/sso")
	})
}

func TestAConnectionIsDeletedAfterAQuestion(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		c := must(s.prov.CreateConnection(t.Context(), identity.Operator(), identity.Connection{
			Name: "Old", Kind: identity.OIDC, Domains: []string{"partner.example"}, OIDC: identity.OIDCSettings{Issuer: "https://idp.example", ClientID: "c", ClientSecret: "s"},
		}))(t)
		must(s.prov.SignIn(t.Context(), c, identity.Claims{Issuer: "https://idp.example", Subject: "s1", Email: "new@partner.example"}, &identity.Trace{}))(t)
		at := "/console/connections/" + string(c.ID)
		ask := b.get(at+"/delete").is(http.StatusOK).says("Delete Old?", "1 person is linked to it")
		b.post(at+"/delete", nil).is(http.StatusConflict)
		b.post(ask.all(`action="([^"]*/delete[^"]*)"`)[0], nil).is(http.StatusOK).at("/console/connections?done=connection-deleted").hides("Old")
		b.get(at).is(http.StatusNotFound)
	})
}

func TestRulesOfAConnectionAreWrittenInATable(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		c := must(s.prov.CreateConnection(t.Context(), identity.Operator(), identity.Connection{
			Name: "Entra", Kind: identity.OIDC, Domains: []string{"partner.example"}, OIDC: identity.OIDCSettings{Issuer: "https://idp.example", ClientID: "c", ClientSecret: "s"},
		}))(t)
		at := "/console/connections/" + string(c.ID)
		values := url.Values{
			"rule": {"", ""}, "attribute": {"groups", ""}, "value": {"Bridge Editors", ""}, "role": {"editor", ""}, "tenant": {"", ""}, "ceiling": {"superadmin"}, "linkproof": {"always"}, "directorykey": {"oid"}, "deletedasnew": {"1"},
		}
		b.post(at+"/matching", values).is(http.StatusBadRequest).has(`value="Bridge Editors"`, `value="oid"`)
		values.Set("ceiling", "editor")
		b.post(at+"/matching", values).is(http.StatusOK).at(at + "?done=connection-updated").says("groups = Bridge Editors gives editor")
		o := must(s.prov.Connection(t.Context(), identity.Operator(), c.ID))(t).Options
		if len(o.Rules) != 1 || o.Rules[0].Role != "editor" || !slices.Equal(o.Ceiling, []identity.RoleID{"editor"}) || o.LinkProof != identity.LinkProofAlways || o.DirectoryKey != "oid" || !o.DeletedAsNew {
			t.Errorf("the options are %+v", o)
		}
		b.post(at, url.Values{"name": {"Entra 2"}}).is(http.StatusOK).says("Bridge Editors")
		page := b.get(at + "/matching").is(http.StatusOK).has(`value="Bridge Editors"`)
		b.post(at+"/matching", url.Values{"rule": {page.value("rule")}, "attribute": {""}, "value": {"Bridge Editors"}, "role": {"editor"}, "tenant": {""}}).is(http.StatusOK).says("No rule")
	})
}

func TestWhatEndsSoonIsTheFirstThingThatAnAdministratorSees(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		b.get("/console").is(http.StatusOK).hides("client secret of")
		soon := time.Now().AddDate(0, 0, 20)
		c := must(s.prov.CreateConnection(t.Context(), identity.Operator(), identity.Connection{
			Name: "Entra", Kind: identity.OIDC, Domains: []string{"partner.example"},
			OIDC: identity.OIDCSettings{Issuer: "https://idp.example", ClientID: "c", ClientSecret: "s", SecretExpiresAt: &soon},
		}))(t)
		if err := s.prov.ReportConnection(t.Context(), c.ID, "Its name is not known. Correct the issuer."); err != nil {
			t.Fatal(err)
		}
		texts := []string{"The client secret of Entra ends in 19 days", "The provider could not be read the last time. Its name is not known."}
		for _, path := range []string{"/console", "/console/connections", "/console/connections/" + string(c.ID)} {
			b.get(path).is(http.StatusOK).at(path).says(texts...)
		}
		s.signedIn("ada@acme.example").get("/console").is(http.StatusOK).hides("The client secret of Entra", "The provider could not be read")
		must(s.prov.UpdateConnection(t.Context(), identity.Operator(), c.ID, func(c *identity.Connection) error { c.OIDC.SecretExpiresAt = nil; return nil }))(t)
		b.get("/console/connections").hides("client secret of")
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
