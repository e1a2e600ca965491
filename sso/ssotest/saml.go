package ssotest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"sync"
)

// SAMLClient is a service provider that the identity provider knows.
type SAMLClient struct {
	EntityID    string
	ACS         string
	Certificate []byte // DER; requests must be signed with its key. Empty: requests are not checked
}

// SAML is an identity provider. Its addresses are base + "/metadata" and base + "/sso".
type SAML struct {
	base   string
	people []Person
	key    *rsa.PrivateKey
	cert   []byte

	mu      sync.Mutex
	clients map[string]SAMLClient
	change  func(*Answer)
}

// NewSAML returns a provider that will be served under base, an absolute URL without a trailing slash, with a new key.
func NewSAML(base string, people ...Person) (*SAML, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	cert, err := SelfSigned(key, "ssotest")
	return &SAML{base: base, people: people, key: key, cert: cert, clients: map[string]SAMLClient{}}, err
}

// EntityID returns the provider's entity id, which is the address of its metadata.
func (s *SAML) EntityID() string { return s.base + "/metadata" }

// Key returns the signing key and its certificate (DER).
func (s *SAML) Key() (crypto.Signer, []byte) { return s.key, s.cert }

// Register makes a service provider known; the same entity id again replaces it.
func (s *SAML) Register(c SAMLClient) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[c.EntityID] = c
}

// Change sets what is done to every answer before it is signed; nil behaves well again.
func (s *SAML) Change(f func(*Answer)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.change = f
}

// Metadata returns the provider's metadata.
func (s *SAML) Metadata() []byte {
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="%s">
  <md:IDPSSODescriptor WantAuthnRequestsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="%s"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>
`, template.HTMLEscapeString(s.EntityID()), base64.StdEncoding.EncodeToString(s.cert), template.HTMLEscapeString(s.base+"/sso"))
}

// ServeHTTP serves the provider under any prefix: only the last part of the path counts.
func (s *SAML) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/metadata"):
		w.Header().Set("Content-Type", "application/samlmetadata+xml")
		_, _ = w.Write(s.Metadata())
	case strings.HasSuffix(r.URL.Path, "/sso"):
		s.signIn(w, r)
	default:
		http.NotFound(w, r)
	}
}

var poster = template.Must(template.New("poster").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Signing in</title></head><body>
<form method="post" action="{{.ACS}}"><input type="hidden" name="SAMLResponse" value="{{.Response}}">
{{with .RelayState}}<input type="hidden" name="RelayState" value="{{.}}">{{end}}<noscript><button>Continue</button></noscript></form>
<script>document.forms[0].submit()</script></body></html>
`))

func (s *SAML) signIn(w http.ResponseWriter, r *http.Request) {
	client, request, err := s.request(r)
	if err != nil {
		http.Error(w, "bad request: "+err.Error(), http.StatusBadRequest)
		return
	}
	email := chosen(r)
	if email == "" {
		ask(w, r, "Sign in at the SAML test provider", s.people)
		return
	}
	raw, err := s.changed(s.Answer(client, request, find(s.people, email))).Render()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = poster.Execute(w, struct{ ACS, Response, RelayState string }{client.ACS, base64.StdEncoding.EncodeToString(raw), r.URL.Query().Get("RelayState")})
}

func (s *SAML) changed(a *Answer) *Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.change != nil {
		s.change(a)
	}
	return a
}
