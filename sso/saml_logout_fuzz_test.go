package sso

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

// logoutCase is a connection whose provider signs with a fixed key, and what that provider sends.
func logoutCase(f testing.TB) (*samlCase, ssotest.SAMLClient, func(*ssotest.Logout) *ssotest.Logout) {
	f.Helper()
	s := newSAMLCase(f)
	fixedKey(s)
	s.want.slo = strings.TrimSuffix(s.want.acs, "acs") + "slo"
	client := ssotest.SAMLClient{EntityID: s.want.entityID, ACS: s.want.acs, SLO: s.want.slo}
	return s, client, func(l *ssotest.Logout) *ssotest.Logout {
		l.Key, l.Certificate, l.SignatureMethod = s.answer.Key, s.answer.Certificate, ssotest.ECDSASHA256
		return l
	}
}

// FuzzLogoutRedirect: no query makes the reader panic or inflate without end, and none that the provider did not sign ends a session.
func FuzzLogoutRedirect(f *testing.F) {
	s, client, signed := logoutCase(f)
	for _, relay := range []string{"", "/console", "a&b=c"} {
		query, err := signed(testProvider().LogoutRequest(client, ada.Subject, "_1", "_2")).Redirect(relay)
		must(err)
		f.Add(query)
		query, err = signed(testProvider().LogoutResponse(client, requestID)).Redirect(relay)
		must(err)
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		m, err := readRedirect(query)
		if err != nil {
			return
		}
		if len(m.raw) > maxInflated {
			t.Fatalf("%d bytes were inflated", len(m.raw))
		}
		s.refusesForeign(t, m)
	})
}

// FuzzLogoutPost: the same of a posted LogoutRequest.
func FuzzLogoutPost(f *testing.F) {
	s, client, signed := logoutCase(f)
	f.Add(posted(signed(testProvider().LogoutRequest(client, ada.Subject, "_1"))))
	f.Fuzz(func(t *testing.T, raw []byte) { s.refusesForeign(t, message{request: true, raw: raw}) })
}

// FuzzLogoutResponse: the same of a posted answer to our own log-out.
func FuzzLogoutResponse(f *testing.F) {
	s, client, signed := logoutCase(f)
	f.Add(posted(signed(testProvider().LogoutResponse(client, requestID))))
	f.Fuzz(func(t *testing.T, raw []byte) { s.refusesForeign(t, message{raw: raw}) })
}

func posted(l *ssotest.Logout) []byte {
	form, err := l.Post("")
	must(err)
	raw, err := base64.StdEncoding.DecodeString(form.Get("SAMLRequest") + form.Get("SAMLResponse"))
	must(err)
	return raw
}

// refusesForeign fails when a message is believed that is none of the seeds.
func (s *samlCase) refusesForeign(t *testing.T, m message) {
	t.Helper()
	var tr trail
	if m.request {
		if request, err := verifyLogoutRequest(m, &s.connection, s.want, &tr); err == nil && request.name() != ada.Subject {
			t.Fatalf("%q would be signed out", request.name())
		}
		return
	}
	if answer, err := verifyLogoutResponse(m, &s.connection, s.want, &tr); err == nil && answer.InResponseTo != requestID {
		t.Fatalf("an answer to %q is believed", answer.InResponseTo)
	}
}

// FuzzArtifactResponse: no answer by SOAP makes the reader panic, and none brings a response that is believed and that the provider did not sign.
func FuzzArtifactResponse(f *testing.F) {
	s := newSAMLCase(f)
	fixedKey(s)
	const wrapped = `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><samlp:ArtifactResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ` +
		`ID="_a" Version="2.0" InResponseTo="_r"><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>%s</samlp:ArtifactResponse></soap:Body></soap:Envelope>`
	f.Add(fmt.Appendf(nil, wrapped, s.raw(f)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var tr trail
		inner, err := readArtifactResponse(raw, "_r", &s.connection, &tr)
		if err != nil {
			return
		}
		if v, _, err := s.verifyRaw(inner); err == nil && v.claims.Subject != ada.Subject {
			t.Fatalf("believed %q, which the provider never signed", v.claims.Subject)
		}
	})
}

// FuzzArtifact: no artifact makes the reader panic or leads to an address that is not the provider's.
func FuzzArtifact(f *testing.F) {
	c := identity.Connection{SAML: identity.SAMLSettings{EntityID: "https://idp.example.com", ArtifactURLs: map[int]string{3: "https://idp.example.com/artifact"}}}
	f.Add(ssotest.NewArtifact(c.SAML.EntityID, 3))
	f.Add(ssotest.NewArtifact("https://other.example", 3))
	f.Fuzz(func(t *testing.T, artifact string) {
		var tr trail
		if address, err := artifactURL(artifact, &c, &tr); err == nil && address != c.SAML.ArtifactURLs[3] {
			t.Fatalf("resolved at %q", address)
		}
	})
}

// What stands in the address of a posted form does not count, and two messages are none.
func TestAPostedLogoutIsReadFromTheFormOnly(t *testing.T) {
	form := url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString([]byte("<x/>"))}}
	for body, ok := range map[string]bool{
		form.Encode(): true, "": false, form.Encode() + "&" + form.Encode(): false, form.Encode() + "&SAMLResponse=x": false, form.Encode() + "&RelayState=a&RelayState=b": false,
	} {
		r := httptest.NewRequest(http.MethodPost, "/?SAMLRequest=y", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if m, err := inbound(httptest.NewRecorder(), r); (err == nil) != ok || ok && string(m.raw) != "<x/>" {
			t.Errorf("%q: %q (%v)", body, m.raw, err)
		}
	}
}

func TestInflatingStopsAtTheLimit(t *testing.T) {
	var bomb bytes.Buffer
	w, err := flate.NewWriter(&bomb, flate.BestCompression)
	must(err)
	for range 64 {
		_, err := w.Write(make([]byte, 1<<20))
		must(err)
	}
	must(w.Close())
	encoded := encodeBase64(bomb.Bytes())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := inflated(encoded); identity.CodeOf(err) != "saml.too_large" {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 8*maxInflated {
		t.Errorf("%d bytes of memory for a message of at most %d", used, maxInflated)
	}
}
