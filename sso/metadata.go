package sso

import (
	"context"
	"crypto/x509"
	"encoding/xml"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/crewjam/saml"

	"github.com/drawbridge-id/drawbridge/identity"
)

// maxMetadata is the largest metadata in bytes.
const maxMetadata = 2 << 20

// The metadata of an identity provider (SAML metadata 2.4.3), as far as we read it.
type (
	idpEntities struct {
		Entities []idpEntity   `xml:"urn:oasis:names:tc:SAML:2.0:metadata EntityDescriptor"`
		Nested   []idpEntities `xml:"urn:oasis:names:tc:SAML:2.0:metadata EntitiesDescriptor"`
	}
	idpEntity struct {
		EntityID   string          `xml:"entityID,attr"`
		ValidUntil string          `xml:"validUntil,attr"`
		IDPs       []idpDescriptor `xml:"urn:oasis:names:tc:SAML:2.0:metadata IDPSSODescriptor"`
	}
	idpDescriptor struct {
		Protocols string        `xml:"protocolSupportEnumeration,attr"`
		Keys      []idpKey      `xml:"urn:oasis:names:tc:SAML:2.0:metadata KeyDescriptor"`
		SSO       []idpEndpoint `xml:"urn:oasis:names:tc:SAML:2.0:metadata SingleSignOnService"`
		SLO       []idpEndpoint `xml:"urn:oasis:names:tc:SAML:2.0:metadata SingleLogoutService"`
		Artifacts []idpEndpoint `xml:"urn:oasis:names:tc:SAML:2.0:metadata ArtifactResolutionService"`
	}
	idpKey struct {
		Use  string `xml:"use,attr"`
		Info struct {
			Data []struct {
				Certificates []string `xml:"http://www.w3.org/2000/09/xmldsig# X509Certificate"`
			} `xml:"http://www.w3.org/2000/09/xmldsig# X509Data"`
		} `xml:"http://www.w3.org/2000/09/xmldsig# KeyInfo"`
	}
	idpEndpoint struct {
		Binding          string `xml:"Binding,attr"`
		Location         string `xml:"Location,attr"`
		ResponseLocation string `xml:"ResponseLocation,attr"`
		Index            string `xml:"index,attr"`
	}
)

// Metadata reads what a connection must know of its provider from metadata XML, or from an https URL of it. Our own key and certificate are not
// part of it. It refuses, with a message for the administrator: other schemes and private addresses (unless Options.AllowPrivate), more than
// 2 MiB, document types, several providers in one document, keys that are too short, and providers without HTTP-Redirect.
func (d *Door) Metadata(ctx context.Context, source string) (identity.SAMLSettings, error) {
	return ReadMetadata(ctx, source, d.fetch.allowPrivate)
}

// ReadMetadata is Metadata for callers without a door, such as the command line.
func ReadMetadata(ctx context.Context, source string, allowPrivate bool) (identity.SAMLSettings, error) {
	source = strings.TrimSpace(source)
	if strings.HasPrefix(source, "<") {
		return parseMetadata([]byte(source), allowPrivate)
	}
	raw, err := newFetcher(allowPrivate).get(ctx, source, maxMetadata, nil)
	if err != nil {
		return identity.SAMLSettings{}, badMetadata("it cannot be fetched: %v", err)
	}
	text := strings.TrimSpace(string(raw))
	if !strings.HasPrefix(strings.TrimPrefix(text, "\ufeff"), "<") || webPage.MatchString(text) {
		return identity.SAMLSettings{}, badMetadata("at %s there is a web page or something else, not metadata; give the address of the provider's metadata itself", shown(source))
	}
	return parseMetadata([]byte(text), allowPrivate)
}

// webPage is how HTML begins, for a message that helps; what is metadata is decided by parseMetadata.
var webPage = regexp.MustCompile(`(?i)^\x{feff}?<(!doctype html|html)\b`)

func badMetadata(format string, args ...any) *identity.Error {
	return identity.Errorf(identity.Invalid, "The metadata cannot be used: %s.", fmt.Sprintf(format, args...)).WithCode("saml.bad_metadata").WithField("metadata")
}

func parseMetadata(raw []byte, allowPrivate bool) (identity.SAMLSettings, error) {
	var none identity.SAMLSettings
	if len(raw) > maxMetadata {
		return none, badMetadata("it is larger than 2 MiB")
	}
	raw = []byte(strings.TrimPrefix(string(raw), "\ufeff")) // Windows tools save it with a byte order mark
	if err := scan(raw, metadataDocument); err != nil {
		return none, badMetadata("%s", strings.TrimSuffix(messageOf(err), "."))
	}
	entity, err := onlyProvider(raw)
	if err != nil {
		return none, err
	}
	return settingsOf(entity, allowPrivate)
}

// onlyProvider returns the one identity provider in the document.
func onlyProvider(raw []byte) (idpEntity, error) {
	var one idpEntity
	var many idpEntities
	if err := xml.Unmarshal(raw, &one); err != nil {
		return one, badMetadata("its elements have unexpected values").WithCause(err)
	}
	if err := xml.Unmarshal(raw, &many); err != nil {
		return one, badMetadata("its elements have unexpected values").WithCause(err)
	}
	providers := many.providers()
	if len(one.IDPs) > 0 {
		providers = append(providers, one)
	}
	switch len(providers) {
	case 0:
		return one, badMetadata("it describes no identity provider (no IDPSSODescriptor); was it a service provider's?")
	case 1:
		return providers[0], nil
	}
	var names []string
	for _, p := range providers {
		names = append(names, shown(p.EntityID))
	}
	return one, badMetadata("it describes %d identity providers; give the metadata of one of them: %s", len(names), strings.Join(names[:min(len(names), 20)], ", "))
}

func (e idpEntities) providers() []idpEntity {
	var found []idpEntity
	for _, entity := range e.Entities {
		if len(entity.IDPs) > 0 {
			found = append(found, entity)
		}
	}
	for _, nested := range e.Nested {
		found = append(found, nested.providers()...)
	}
	return found
}

func settingsOf(entity idpEntity, allowPrivate bool) (identity.SAMLSettings, error) {
	s := identity.SAMLSettings{EntityID: strings.TrimSpace(entity.EntityID)}
	if s.EntityID == "" || len(s.EntityID) > 1024 {
		return s, badMetadata("it has no entityID")
	}
	if until, ok := instant(entity.ValidUntil); entity.ValidUntil != "" && (!ok || until.Before(time.Now())) {
		return s, badMetadata("it was valid until %s only; fetch it again from the provider", shown(entity.ValidUntil))
	}
	if len(entity.IDPs) != 1 || !strings.Contains(entity.IDPs[0].Protocols, nsProtocol) {
		return s, badMetadata("it needs exactly one IDPSSODescriptor for SAML 2.0")
	}
	var err error
	if s.SSOURL, err = redirectEndpoint(entity.IDPs[0], allowPrivate); err != nil {
		return s, err
	}
	otherEndpoints(&s, entity.IDPs[0], allowPrivate)
	s.Certificates, err = signingCertificates(entity.IDPs[0])
	return s, err
}

func redirectEndpoint(idp idpDescriptor, allowPrivate bool) (string, error) {
	for _, e := range idp.SSO {
		if e.Binding != saml.HTTPRedirectBinding {
			continue
		}
		location := strings.TrimSpace(e.Location)
		u, err := url.Parse(location)
		if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && (u.Scheme != "http" || !allowPrivate) {
			return "", badMetadata("its address for signing in, %q, is not an https URL", shown(location))
		}
		return location, nil
	}
	return "", badMetadata("its provider takes requests by %s only, and Drawbridge sends people there by HTTP-Redirect; "+
		"let the provider offer that binding too (SingleSignOnService), as nearly all can", offered(idp))
}

// offered lists the bindings of the addresses for signing in, for people.
func offered(idp idpDescriptor) string {
	var names []string
	for _, e := range idp.SSO {
		if name := shown(lastWord(e.Binding)); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "no binding at all"
	}
	return strings.Join(names[:min(len(names), 5)], " and ")
}

// signingCertificates returns every distinct certificate for signing; a descriptor without a use is for signing too.
func signingCertificates(idp idpDescriptor) ([][]byte, error) {
	var found [][]byte
	for _, key := range idp.Keys {
		if key.Use != "" && key.Use != "signing" {
			continue
		}
		for _, data := range key.Info.Data {
			for _, text := range data.Certificates {
				der, err := usableCertificate(text)
				if err != nil {
					return nil, err
				}
				if !slices.ContainsFunc(found, func(have []byte) bool { return string(have) == string(der) }) {
					found = append(found, der)
				}
			}
		}
	}
	if len(found) == 0 {
		return nil, badMetadata("it has no signing certificate, so nothing that the provider says could be checked")
	}
	return found, nil
}

func usableCertificate(text string) ([]byte, error) {
	der, err := decodeBase64(text)
	if err != nil {
		return nil, badMetadata("a certificate is not base64").WithCause(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, badMetadata("a certificate cannot be read").WithCause(err)
	}
	if err := strongKey(cert); err != nil {
		return nil, badMetadata("a certificate is too weak: %v", err)
	}
	return der, nil
}
