package sso

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/drawbridge-id/drawbridge/identity"
)

// authnRequest returns the AuthnRequest with that id (SAML core 3.4.1): the answer goes by POST to our ACS. It names no NameID format, not even
// "unspecified", which means the same on paper: some providers take that word as an order and set aside what their administrator chose for us.
func authnRequest(id string, c *identity.Connection, want expectation) *etree.Element {
	create := true
	request := saml.AuthnRequest{
		ID: id, Version: "2.0", IssueInstant: want.now.UTC().Truncate(time.Second),
		Destination: c.SAML.SSOURL, AssertionConsumerServiceURL: want.acs, ProtocolBinding: saml.HTTPPostBinding,
		Issuer:       &saml.Issuer{Value: want.entityID},
		NameIDPolicy: &saml.NameIDPolicy{AllowCreate: &create},
	}
	return request.Element()
}

// redirectURL sends a request by HTTP-Redirect with a detached RSA-SHA256 signature (SAML bindings 3.4.4). The request itself carries none.
// relay may be empty. The query string of the provider's own URL is kept in front of ours, outside the signature.
func redirectURL(request *etree.Element, c *identity.Connection, relay string) (string, error) {
	target, err := url.Parse(c.SAML.SSOURL)
	if err != nil || target.Host == "" {
		return "", odd("saml.no_sso_url", "This connection has no address to send people to: import the provider's metadata.").WithCause(err)
	}
	message, err := deflated(request)
	if err != nil {
		return "", err
	}
	query := "SAMLRequest=" + url.QueryEscape(message)
	if relay != "" {
		query += "&RelayState=" + url.QueryEscape(relay)
	}
	query += "&SigAlg=" + url.QueryEscape(dsig.RSASHA256SignatureMethod)
	signature, err := signQuery(query, c.SAML.Key)
	if err != nil {
		return "", err
	}
	query += "&Signature=" + url.QueryEscape(signature)
	if target.RawQuery != "" {
		query = strings.TrimSuffix(target.RawQuery, "&") + "&" + query
	}
	target.RawQuery, target.Fragment = query, ""
	return target.String(), nil
}

func deflated(el *etree.Element) (string, error) {
	doc := etree.NewDocument()
	doc.SetRoot(el)
	raw, err := doc.WriteToBytes()
	if err != nil {
		return "", identity.Errorf(identity.Internal, "").WithCause(err)
	}
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		return "", identity.Errorf(identity.Internal, "").WithCause(err)
	}
	if _, err := w.Write(raw); err != nil {
		return "", identity.Errorf(identity.Internal, "").WithCause(err)
	}
	if err := w.Close(); err != nil {
		return "", identity.Errorf(identity.Internal, "").WithCause(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

func signQuery(query string, pkcs8 []byte) (string, error) {
	key, err := parseKey(pkcs8)
	if err != nil {
		return "", identity.Errorf(identity.Internal, "").WithCause(err)
	}
	digest := sha256.Sum256([]byte(query))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		return "", identity.Errorf(identity.Internal, "").WithCause(err)
	}
	return base64.StdEncoding.EncodeToString(signature), nil
}
