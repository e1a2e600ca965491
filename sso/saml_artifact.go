package sso

import (
	"bytes"
	"context"
	"crypto/sha1" // the source id of an artifact is defined with it; nothing is believed for it
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/beevik/etree"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

const (
	samlArtifact = "SAMLart"
	nsSOAP       = "http://schemas.xmlsoap.org/soap/envelope/"
	// artifactLength is that of an artifact of type 4 (SAML bindings 3.6.4): type, endpoint index, source id, handle.
	artifactLength = 2 + 2 + sha1.Size + 20
)

// soapDocument is an answer by SOAP. What is in it is scanned again as a message of its own.
var soapDocument = document{roots: []elementName{{nsSOAP, "Envelope"}}, elements: maxElements}

// byArtifact asks the provider for the response that an artifact stands for. The response itself is believed no more than one that was posted.
func (a *attempt) byArtifact(r *http.Request, artifacts []string) ([]byte, error) {
	if err := a.enabled(); err != nil {
		return nil, err
	}
	if len(artifacts) != 1 {
		return nil, malformed("there is not exactly one SAMLart")
	}
	// A stranger could make us ask the provider as often as they like: only a browser that began a sign-in here may, where no other can succeed anyway.
	begun := a.door.cookies.Value(r, web.SignInCookie) != "" || a.connection.Options.AllowUnsolicited
	if err := a.trail.require(check{
		name: "browser", ok: begun, code: "saml.other_browser", want: "the browser that began",
		fix: "The sign-in was begun in another browser, or this one dropped our cookie. Start again in one browser, with cookies allowed.",
	}); err != nil {
		return nil, err
	}
	address, err := artifactURL(artifacts[0], &a.connection, &a.trail)
	if err != nil {
		return nil, err
	}
	return a.resolve(r.Context(), artifacts[0], address)
}

// artifactURL returns where an artifact of the connection's provider is resolved: one of the addresses in its metadata, whatever the artifact says.
func artifactURL(encoded string, c *identity.Connection, t *trail) (string, error) {
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(raw) != artifactLength || binary.BigEndian.Uint16(raw) != 4 {
		return "", malformed("the artifact is none of type 4")
	}
	source := sha1.Sum([]byte(c.SAML.EntityID))
	index := int(binary.BigEndian.Uint16(raw[2:]))
	address := c.SAML.ArtifactURLs[index]
	return address, t.require(
		check{
			name: "source of the artifact", ok: subtle.ConstantTimeCompare(source[:], raw[4:4+sha1.Size]) == 1, code: "saml.wrong_issuer",
			got: fmt.Sprintf("%x", raw[4:4+sha1.Size]), want: fmt.Sprintf("%x", source), fix: issuerFix,
		},
		check{
			name: "artifact resolution service", ok: address != "", code: "saml.artifact_endpoint", got: fmt.Sprintf("index %d", index), want: "an index of the provider's metadata",
			fix: "The provider's metadata has no artifact resolution service with this index: import it again, or let the provider answer by HTTP-POST.",
		},
	)
}

// resolve sends an ArtifactResolve and returns the Response of the answer (SAML core 3.5, bindings 3.2).
func (a *attempt) resolve(ctx context.Context, artifact, address string) ([]byte, error) {
	want := a.door.expectation(a.connection.ID)
	id := identity.NewSecret("_")
	body, err := artifactResolve(id, artifact, address, &a.connection, want)
	if err != nil {
		return nil, err
	}
	answer, err := a.door.fetch.soap(ctx, address, body)
	if err := a.trail.require(check{
		name: "artifact resolution", ok: err == nil, code: "saml.artifact_unavailable", got: anyCause(err), want: address,
		fix: "The provider did not give the response that the artifact stands for: see its log, and whether it knows our certificate.",
	}); err != nil {
		return nil, err
	}
	return readArtifactResponse(answer, id, &a.connection, &a.trail)
}

func artifactResolve(id, artifact, address string, c *identity.Connection, want expectation) ([]byte, error) {
	message := newMessage("ArtifactResolve", id, "", address, want)
	message.CreateElement("samlp:Artifact").SetText(artifact)
	if err := signEnveloped(message, c); err != nil {
		return nil, err
	}
	envelope := etree.NewElement("soap:Envelope")
	envelope.CreateAttr("xmlns:soap", nsSOAP)
	envelope.CreateElement("soap:Body").AddChild(message)
	doc := etree.NewDocument()
	doc.SetRoot(envelope)
	raw, err := doc.WriteToBytes()
	if err != nil {
		return nil, identity.Errorf(identity.Internal, "").WithCause(err)
	}
	return raw, nil
}

// readArtifactResponse returns the Response inside an ArtifactResponse (SAML core 3.5.2), as a document of its own. A signature of the ArtifactResponse must be
// right when it is there.
func readArtifactResponse(raw []byte, id string, c *identity.Connection, t *trail) ([]byte, error) {
	root, err := parse(raw, soapDocument)
	if err := t.require(documentCheck(err)); err != nil {
		return nil, err
	}
	var answer *node
	if body := only(root, nsSOAP, "Body"); body != nil {
		answer = only(body, nsProtocol, "ArtifactResponse")
	}
	if answer == nil {
		return nil, malformed("the answer to the artifact is no ArtifactResponse")
	}
	inner := only(answer, nsProtocol, "Response")
	if err := t.require(artifactChecks(answer, inner, id, c)...); err != nil {
		return nil, err
	}
	if err := signedArtifact(answer, c, t); err != nil {
		return nil, err
	}
	return canonical(inner, nil, canonicalization{inclusive: true}), nil
}

func artifactChecks(answer, inner *node, id string, c *identity.Connection) []check {
	var r response
	readResponse(answer, &r)
	status := statusCheck(r)
	status.name = "status of the artifact"
	return []check{
		status,
		{
			name: "issuer of the artifact's answer", ok: len(r.Issuers) == 0 || len(r.Issuers) == 1 && trimmed(r.Issuers[0]) == c.SAML.EntityID,
			code: "saml.wrong_issuer", got: strings.Join(r.Issuers, ", "), want: c.SAML.EntityID, fix: issuerFix,
		},
		{
			name: "request of the artifact's answer", ok: r.InResponseTo == id && r.Version == "2.0", code: "saml.wrong_request", got: r.InResponseTo, want: id,
			fix: "The provider answered another question than ours.",
		},
		{
			name: "response", ok: inner != nil, code: "saml.no_assertion", got: "none", want: "one Response",
			fix: "The provider knows no response for this artifact: it was fetched before, or has expired there. Start again at the sign-in page.",
		},
	}
}

func signedArtifact(answer *node, c *identity.Connection, t *trail) error {
	signature := signatureOf(answer)
	if signature == nil {
		return nil
	}
	keys, err := pin(&c.SAML)
	if err != nil {
		return t.require(failed("certificates", err))
	}
	_, err = keys.verify(answer, signature, t)
	return err
}

// soap posts a message to one address, which must not send us elsewhere, and returns an answer of at most 512 KiB.
func (f *fetcher) soap(ctx context.Context, address string, body []byte) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%q is no URL", shown(address))
	}
	if err := f.allowed(u); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "text/xml; charset=utf-8")
	req.Header.Set("SOAPAction", `"http://www.oasis-open.org/committees/security"`)
	client := *f.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := client.Do(req)
	if err != nil {
		var why *url.Error
		if errors.As(err, &why) {
			err = why.Err
		}
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", shown(u.Redacted()), res.Status)
	}
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	if err == nil && len(answer) > maxBody {
		err = fmt.Errorf("%s answered more than %d bytes", shown(u.Redacted()), maxBody)
	}
	return answer, err
}
