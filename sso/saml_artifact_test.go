package sso_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/beevik/etree"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

// byArtifact goes to the provider and returns where it sends the browser back to, with an artifact.
func (b *browser) byArtifact(email string) string {
	b.h.t.Helper()
	res := b.get(b.toProvider(b.h.viaSAML, email, "/console"))
	if res.StatusCode != http.StatusFound || !strings.Contains(res.Header.Get("Location"), "/acs?SAMLart=") {
		b.h.t.Fatalf("the provider answered %d to %q: %s", res.StatusCode, res.Header.Get("Location"), res.body)
	}
	return res.Header.Get("Location")
}

func TestF18AnArtifactIsResolvedAtTheConfiguredAddressOnly(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.set(func(c *identity.Connection) { c.Options.Artifact = true })
		if metadata := h.browser().get(h.at(h.viaSAML, "metadata")).body; !strings.Contains(metadata, "bindings:HTTP-Artifact") {
			t.Errorf("our metadata offers no artifact: %s", metadata)
		}
		b := h.browser()
		back := b.byArtifact(ada.Email)
		b.wantSession(b.get(back), "")
		again := b.sameBrowser()
		again.wantRefusal(again.get(back), http.StatusForbidden, "saml.no_assertion")

		posted := h.browser()
		posted.wantSession(posted.post(h.at(h.viaSAML, "acs"), url.Values{"SAMLart": {mustQuery(t, posted.byArtifact(ada.Email)).Get("SAMLart")}}), "")

		t.Run("what the provider sends is checked as if it were posted", h.artifactAnswers)
		t.Run("an artifact chooses no address", h.artifactAddresses)
		t.Run("a provider that misbehaves", h.artifactProviders)
	})
}

// artifactAnswers makes the provider's answer wrong in one thing each.
func (h *house) artifactAnswers(t *testing.T) {
	message := func(e *etree.Element) *etree.Element { return e.FindElement("//samlp:ArtifactResponse") }
	for name, tt := range map[string]struct {
		change func(*etree.Element)
		answer func(*ssotest.Answer)
		code   string
		status int
	}{
		"the assertion is not signed":   {answer: func(a *ssotest.Answer) { a.SignAssertion = false }, code: "saml.unsigned"},
		"for another audience":          {answer: func(a *ssotest.Answer) { a.Audiences = []string{"https://other.example"} }, code: "saml.wrong_audience"},
		"the answer to another request": {change: func(e *etree.Element) { message(e).CreateAttr("InResponseTo", "_other") }, code: "saml.wrong_request"},
		"of another issuer":             {change: func(e *etree.Element) { message(e).SelectElement("saml:Issuer").SetText("https://other.example") }, code: "saml.wrong_issuer"},
		"without a response":            {change: func(e *etree.Element) { message(e).RemoveChild(message(e).SelectElement("samlp:Response")) }, code: "saml.no_assertion"},
		"two responses": {change: func(e *etree.Element) {
			message(e).AddChild(message(e).SelectElement("samlp:Response").Copy())
		}, code: "saml.no_assertion"},
		"another SOAP message": {change: func(e *etree.Element) { message(e).Tag = "Other" }, code: "saml.malformed", status: http.StatusBadRequest},
		"a failure": {change: func(e *etree.Element) {
			e.FindElement("//samlp:ArtifactResponse/samlp:Status/samlp:StatusCode").CreateAttr("Value", "urn:oasis:names:tc:SAML:2.0:status:Responder")
		}, code: "saml.status"},
		"changed after it was signed": {change: func(e *etree.Element) { message(e).CreateAttr("Consent", "x") }, code: "saml.bad_signature"},
		"two signatures":              {change: func(e *etree.Element) { message(e).AddChild(message(e).SelectElement("ds:Signature").Copy()) }, code: "saml.bad_signature"},
	} {
		t.Run(name, func(t *testing.T) {
			h.saml.Change(tt.answer)
			h.saml.ChangeArtifact(tt.change)
			b := h.browser()
			if tt.status == 0 {
				tt.status = http.StatusForbidden
			}
			b.wantRefusal(b.get(b.byArtifact(ada.Email)), tt.status, tt.code)
		})
	}
	h.saml.Change(nil)
	h.saml.ChangeArtifact(func(e *etree.Element) { message(e).RemoveChild(message(e).SelectElement("ds:Signature")) })
	b := h.browser()
	b.wantSession(b.get(b.byArtifact(ada.Email)), "") // what counts is the signature inside
	h.saml.ChangeArtifact(nil)
}

// artifactAddresses brings artifacts that nobody could resolve at the provider.
func (h *house) artifactAddresses(t *testing.T) {
	acs := h.at(h.viaSAML, "acs") + "?SAMLart="
	b := h.browser()
	b.get(h.at(h.viaSAML, "login"))
	own := ssotest.NewArtifact(h.saml.EntityID(), ssotest.ArtifactIndex)
	for artifact, code := range map[string]string{
		ssotest.NewArtifact("https://other.example", ssotest.ArtifactIndex): "saml.wrong_issuer",
		ssotest.NewArtifact(h.saml.EntityID(), 7):                           "saml.artifact_endpoint",
		own: "saml.no_assertion",
	} {
		b.wantRefusal(b.get(acs+url.QueryEscape(artifact)), http.StatusForbidden, code)
	}
	for _, broken := range []string{"x", "", own[:40], strings.Repeat("A", 4000), own + "&SAMLart=" + own} {
		b.wantRefusal(b.get(acs+strings.ReplaceAll(broken, "+", "%2B")), http.StatusBadRequest, "saml.malformed")
	}
	stranger := h.browser()
	stranger.wantRefusal(stranger.get(acs+url.QueryEscape(own)), http.StatusForbidden, "saml.other_browser")
}

// artifactProviders resolves at a provider that answers too much, elsewhere, or not at all.
func (h *house) artifactProviders(t *testing.T) {
	var elsewhere atomic.Int32
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/large":
			fmt.Fprint(w, strings.Repeat(" ", 600<<10))
		case "/elsewhere":
			http.Redirect(w, r, "/caught", http.StatusTemporaryRedirect)
		case "/caught":
			elsewhere.Add(1)
		case "/failing":
			http.Error(w, "no", http.StatusInternalServerError)
		}
	}))
	t.Cleanup(provider.Close)
	for path, code := range map[string]string{
		"/large": "saml.artifact_unavailable", "/elsewhere": "saml.artifact_unavailable", "/failing": "saml.artifact_unavailable", "/empty": "saml.malformed",
	} {
		h.set(func(c *identity.Connection) {
			c.SAML.ArtifactURLs = map[int]string{ssotest.ArtifactIndex: provider.URL + path}
		})
		b := h.browser()
		status := http.StatusForbidden
		if code == "saml.malformed" {
			status = http.StatusBadRequest
		}
		b.wantRefusal(b.get(b.byArtifact(ada.Email)), status, code)
	}
	if elsewhere.Load() != 0 {
		t.Error("the artifact was sent elsewhere")
	}
}
