package ssotest

import (
	"bytes"
	"compress/flate"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// AuthnRequest is what the provider reads of a request.
type AuthnRequest struct {
	XMLName     xml.Name `xml:"urn:oasis:names:tc:SAML:2.0:protocol AuthnRequest"`
	ID          string   `xml:",attr"`
	Destination string   `xml:",attr"`
	ACS         string   `xml:"AssertionConsumerServiceURL,attr"`
	Binding     string   `xml:"ProtocolBinding,attr"`
	ForceAuthn  string   `xml:",attr"`
	Issuer      string   `xml:"urn:oasis:names:tc:SAML:2.0:assertion Issuer"`
}

// request reads a request by HTTP-Redirect and returns who sent it. The sender must be registered with this ACS, and have signed. With ?sp= there is no
// request: whoever is at the browser starts at the provider.
func (s *SAML) request(r *http.Request) (SAMLClient, AuthnRequest, error) {
	if sp := r.URL.Query().Get("sp"); sp != "" {
		client, err := s.client(sp)
		return client, AuthnRequest{}, err
	}
	request, err := ReadRequest(r.URL.Query().Get("SAMLRequest"))
	if err != nil {
		return SAMLClient{}, request, err
	}
	client, err := s.client(request.Issuer)
	switch {
	case err != nil:
		return client, request, err
	case request.ACS != client.ACS:
		return client, request, fmt.Errorf("the ACS %q is not the registered one", request.ACS)
	case len(client.Certificate) == 0:
		return client, request, nil
	}
	return client, request, VerifyRedirect(r.URL.RawQuery, client.Certificate)
}

func (s *SAML) client(entityID string) (SAMLClient, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	client, ok := s.clients[entityID]
	if !ok {
		return client, fmt.Errorf("the service provider %q is not registered", entityID)
	}
	return client, nil
}

// ReadRequest decodes a SAMLRequest of the redirect binding.
func ReadRequest(encoded string) (AuthnRequest, error) {
	var request AuthnRequest
	raw, err := Inflate(encoded)
	if err != nil {
		return request, err
	}
	return request, xml.Unmarshal(raw, &request)
}

// Inflate decodes a message of the redirect binding.
func Inflate(encoded string) ([]byte, error) {
	compressed, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(compressed)), 64<<10))
}

// VerifyRedirect checks the detached RSA-SHA256 signature of a redirect as it was sent: over SAMLRequest or SAMLResponse, RelayState and SigAlg in this order, in
// the sender's own encoding (SAML bindings 3.4.4.1).
func VerifyRedirect(rawQuery string, der []byte) error {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	parts := map[string]string{}
	for pair := range strings.SplitSeq(rawQuery, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if _, twice := parts[name]; twice {
			return fmt.Errorf("%s is there twice", name)
		}
		parts[name] = pair
	}
	var signed []string
	for _, name := range []string{"SAMLRequest", "SAMLResponse", "RelayState", "SigAlg"} {
		if parts[name] != "" {
			signed = append(signed, parts[name])
		}
	}
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return err
	}
	signature, err := base64.StdEncoding.DecodeString(values.Get("Signature"))
	if err != nil {
		return err
	}
	if values.Get("SigAlg") != "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256" {
		return errors.New("the request is not signed with RSA-SHA256")
	}
	return cert.CheckSignature(x509.SHA256WithRSA, []byte(strings.Join(signed, "&")), signature)
}
