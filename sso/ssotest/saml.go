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

	"github.com/beevik/etree"
)

// SAMLClient is a service provider that the identity provider knows.
type SAMLClient struct {
	EntityID    string
	ACS         string
	SLO         string // where log-outs go; may be empty
	Certificate []byte // DER; requests must be signed with its key. Empty: requests are not checked
	Encrypt     string // the cipher (URI) that assertions are encrypted with for it; empty: they are not
}

// SAML is an identity provider. Its addresses are base + "/metadata", "/sso", "/slo" and "/artifact".
type SAML struct {
	base   string
	people []Person

	mu        sync.Mutex
	keys      []samlKey // the first one signs
	clients   map[string]SAMLClient
	change    func(*Answer)
	logout    func(*Logout)
	resolve   func(answer *etree.Element)
	artifacts map[string]artifact
	received  []ReceivedLogout
}

type samlKey struct {
	key  *rsa.PrivateKey
	cert []byte
}

// NewSAML returns a provider that will be served under base, an absolute URL without a trailing slash, with a new key.
func NewSAML(base string, people ...Person) (*SAML, error) {
	s := &SAML{base: base, people: people, clients: map[string]SAMLClient{}, artifacts: map[string]artifact{}}
	return s, s.AddKey()
}

// EntityID returns the provider's entity id, which is the address of its metadata.
func (s *SAML) EntityID() string { return s.base + "/metadata" }

// Key returns the signing key and its certificate (DER).
func (s *SAML) Key() (crypto.Signer, []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys[0].key, s.keys[0].cert
}

// AddKey makes a new key: the metadata shows its certificate beside the others, and UseNewKey lets it sign.
func (s *SAML) AddKey() error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	cert, err := SelfSigned(key, "ssotest")
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = append(s.keys, samlKey{key, cert})
	return nil
}

// UseNewKey lets the newest key sign; the others stay in the metadata.
func (s *SAML) UseNewKey() {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.keys) - 1
	s.keys = append([]samlKey{s.keys[last]}, s.keys[:last]...)
}

// DropOldKeys forgets every key but the one that signs.
func (s *SAML) DropOldKeys() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = s.keys[:1]
}

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
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys strings.Builder
	for _, k := range s.keys {
		fmt.Fprintf(&keys, `    <md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
`, base64.StdEncoding.EncodeToString(k.cert))
	}
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="%[1]s/metadata">
  <md:IDPSSODescriptor WantAuthnRequestsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
%[2]s    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="%[1]s/sso"/>
    <md:ArtifactResolutionService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="%[1]s/artifact" index="%[3]d"/>
    <md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="%[1]s/slo"/>
    <md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="%[1]s/slo" ResponseLocation="%[1]s/slo?answer=1"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>
`, template.HTMLEscapeString(s.base), keys.String(), ArtifactIndex)
}

// ServeHTTP serves the provider under any prefix: only the last part of the path counts.
func (s *SAML) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/metadata"):
		w.Header().Set("Content-Type", "application/samlmetadata+xml")
		_, _ = w.Write(s.Metadata())
	case strings.HasSuffix(r.URL.Path, "/sso"):
		s.signIn(w, r)
	case strings.HasSuffix(r.URL.Path, "/slo"):
		s.signOut(w, r)
	case strings.HasSuffix(r.URL.Path, "/artifact"):
		s.resolveArtifact(w, r)
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

// signIn answers a request, or with ?sp=ENTITY-ID starts a sign-in by itself.
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
	answer := s.Answer(client, request.ID, find(s.people, email))
	if client.Encrypt != "" {
		answer.EncryptTo, answer.Cipher = client.Certificate, client.Encrypt
	}
	raw, err := s.changed(answer).Render()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	relay := r.URL.Query().Get("RelayState")
	if request.Binding == bindingArtifact {
		s.sendArtifact(w, r, client, raw, relay)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = poster.Execute(w, struct{ ACS, Response, RelayState string }{client.ACS, base64.StdEncoding.EncodeToString(raw), relay})
}

func (s *SAML) changed(a *Answer) *Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.change != nil {
		s.change(a)
	}
	return a
}
