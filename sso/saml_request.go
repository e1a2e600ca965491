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

// authnRequest returns the AuthnRequest with that id (SAML core 3.4.1): the answer goes to our ACS, by POST or by artifact. It names no NameID format, not even
// "unspecified", which means the same on paper: some providers take that word as an order and set aside what their administrator chose for us.
func authnRequest(id string, c *identity.Connection, want expectation, force bool) *etree.Element {
	create, binding := true, saml.HTTPPostBinding
	if c.Options.Artifact && len(c.SAML.ArtifactURLs) > 0 {
		binding = saml.HTTPArtifactBinding
	}
	request := saml.AuthnRequest{
		ID: id, Version: "2.0", IssueInstant: want.now.UTC().Truncate(time.Second),
		Destination: c.SAML.SSOURL, AssertionConsumerServiceURL: want.acs, ProtocolBinding: binding,
		Issuer:       &saml.Issuer{Value: want.entityID},
		NameIDPolicy: &saml.NameIDPolicy{AllowCreate: &create},
	}
	if force {
		request.ForceAuthn = &force
	}
	return request.Element()
}

// redirectURL sends a request for sign-in by HTTP-Redirect. relay may be empty.
func redirectURL(request *etree.Element, c *identity.Connection, relay string) (string, error) {
	return redirect(c.SAML.SSOURL, samlRequest, request, c, relay)
}

// redirect sends a message by HTTP-Redirect with a detached RSA-SHA256 signature (SAML bindings 3.4.4). The message itself carries none. name is SAMLRequest
// or SAMLResponse. The query string of the provider's own URL is kept in front of ours, outside the signature.
func redirect(address, name string, message *etree.Element, c *identity.Connection, relay string) (string, error) {
	target, err := url.Parse(address)
	if err != nil || target.Host == "" {
		return "", odd("saml.no_sso_url", "This connection has no address to send people to: import the provider's metadata.").WithCause(err)
	}
	encoded, err := deflated(message)
	if err != nil {
		return "", err
	}
	query := name + "=" + url.QueryEscape(encoded)
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

// signEnveloped puts our signature into a message, behind its Issuer (SAML core 5.4).
func signEnveloped(message *etree.Element, c *identity.Connection) error {
	key, err := parseKey(c.SAML.Key)
	if err != nil {
		return identity.Errorf(identity.Internal, "").WithCause(err)
	}
	ctx, err := dsig.NewSigningContext(key, [][]byte{c.SAML.Certificate})
	if err != nil {
		return identity.Errorf(identity.Internal, "").WithCause(err)
	}
	ctx.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	if err := ctx.SetSignatureMethod(dsig.RSASHA256SignatureMethod); err != nil {
		return identity.Errorf(identity.Internal, "").WithCause(err)
	}
	signature, err := ctx.ConstructSignature(message, true)
	if err != nil {
		return identity.Errorf(identity.Internal, "").WithCause(err)
	}
	message.InsertChildAt(message.SelectElement("saml:Issuer").Index()+1, signature)
	return nil
}

// newMessage starts a message of ours: a request, or with inResponseTo an answer (SAML core 3.2).
func newMessage(tag, id, inResponseTo, destination string, want expectation) *etree.Element {
	el := etree.NewElement("samlp:" + tag)
	el.CreateAttr("xmlns:samlp", nsProtocol)
	el.CreateAttr("xmlns:saml", nsAssertion)
	el.CreateAttr("ID", id)
	el.CreateAttr("Version", "2.0")
	el.CreateAttr("IssueInstant", want.now.UTC().Format(time.RFC3339))
	if destination != "" {
		el.CreateAttr("Destination", destination)
	}
	if inResponseTo != "" {
		el.CreateAttr("InResponseTo", inResponseTo)
	}
	el.CreateElement("saml:Issuer").SetText(want.entityID)
	return el
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
