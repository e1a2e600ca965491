package ssotest

import (
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

const (
	bindingArtifact = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"
	// ArtifactIndex is the index of the provider's artifact resolution service.
	ArtifactIndex = 3
)

// artifact is a response that waits to be fetched by the service provider it is for.
type artifact struct {
	client SAMLClient
	raw    []byte
}

// NewArtifact returns an artifact of an issuer with a random handle (SAML bindings 3.6.4).
func NewArtifact(entityID string, index uint16) string {
	raw := binary.BigEndian.AppendUint16([]byte{0, 4}, index)
	source := sha1.Sum([]byte(entityID))
	raw = append(raw, source[:]...)
	handle := make([]byte, 20)
	rand.Read(handle) // never fails since Go 1.24
	return base64.StdEncoding.EncodeToString(append(raw, handle...))
}

// KeepArtifact makes a response wait under a new artifact.
func (s *SAML) KeepArtifact(client SAMLClient, raw []byte) string {
	id := NewArtifact(s.EntityID(), ArtifactIndex)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.artifacts[id] = artifact{client, raw}
	return id
}

// ChangeArtifact sets what is done to every ArtifactResponse before it is sent; nil behaves well again.
func (s *SAML) ChangeArtifact(f func(answer *etree.Element)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resolve = f
}

func (s *SAML) sendArtifact(w http.ResponseWriter, r *http.Request, client SAMLClient, raw []byte, relay string) {
	q := url.Values{"SAMLart": {s.KeepArtifact(client, raw)}}
	if relay != "" {
		q.Set("RelayState", relay)
	}
	http.Redirect(w, r, client.ACS+"?"+q.Encode(), http.StatusFound)
}

// resolveArtifact is the SOAP end: once for each artifact, and only for the service provider that signs and that it was made for.
func (s *SAML) resolveArtifact(w http.ResponseWriter, r *http.Request) {
	found, request, err := s.resolved(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	doc := etree.NewDocument()
	err = doc.ReadFromString(fmt.Sprintf(`<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><samlp:ArtifactResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" `+
		`xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="%s" Version="2.0" IssueInstant="%s" InResponseTo="%s"><saml:Issuer>%s</saml:Issuer>`+
		`<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status></samlp:ArtifactResponse></soap:Body></soap:Envelope>`,
		newID(), request.SelectAttrValue("IssueInstant", ""), request.SelectAttrValue("ID", ""), s.EntityID()))
	if err == nil && len(found.raw) > 0 {
		inner := etree.NewDocument()
		err = inner.ReadFromBytes(found.raw)
		if err == nil {
			doc.FindElement("//samlp:ArtifactResponse").AddChild(inner.Root())
		}
	}
	if err == nil {
		err = s.newLogout("", found.client).sign(doc.FindElement("//samlp:ArtifactResponse"))
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.mu.Lock()
	change := s.resolve
	s.mu.Unlock()
	if change != nil {
		change(doc.Root())
	}
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	_, _ = doc.WriteTo(w) // the only error is a client that went away
}

func (s *SAML) resolved(r *http.Request) (artifact, *etree.Element, error) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil {
		return artifact{}, nil, err
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(raw); err != nil {
		return artifact{}, nil, err
	}
	request := doc.FindElement("/Envelope/Body/ArtifactResolve")
	if request == nil || request.FindElement("./Artifact") == nil || request.FindElement("./Issuer") == nil {
		return artifact{}, nil, errors.New("this is no ArtifactResolve")
	}
	client, err := s.client(request.FindElement("./Issuer").Text())
	if err != nil {
		return artifact{}, request, err
	}
	inner := etree.NewDocument()
	inner.SetRoot(request.Copy())
	message, err := inner.WriteToBytes()
	if err != nil {
		return artifact{}, request, err
	}
	if err := VerifyEnveloped(message, client.Certificate); err != nil {
		return artifact{}, request, err
	}
	id := request.FindElement("./Artifact").Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.artifacts[id]
	if found.client.EntityID != client.EntityID {
		return artifact{}, request, nil // as the standard has it: an answer without a message
	}
	delete(s.artifacts, id)
	return found, request, nil
}

// VerifyEnveloped checks the signature inside a message of a service provider.
func VerifyEnveloped(raw, der []byte) error {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(raw); err != nil {
		return err
	}
	_, err = dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{cert}}).Validate(doc.Root())
	return err
}
