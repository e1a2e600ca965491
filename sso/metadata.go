package sso

import (
	"context"
	"crypto/x509"
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
		ValidUntil string        `xml:"validUntil,attr"`
		Entities   []idpEntity   `xml:"urn:oasis:names:tc:SAML:2.0:metadata EntityDescriptor"`
		Nested     []idpEntities `xml:"urn:oasis:names:tc:SAML:2.0:metadata EntitiesDescriptor"`
	}
	idpEntity struct {
		EntityID   string          `xml:"entityID,attr"`
		ValidUntil string          `xml:"validUntil,attr"`
		IDPs       []idpDescriptor `xml:"urn:oasis:names:tc:SAML:2.0:metadata IDPSSODescriptor"`
		untils     []string        // of what the entity stands in
	}
	idpDescriptor struct {
		Protocols  string        `xml:"protocolSupportEnumeration,attr"`
		Keys       []idpKey      `xml:"urn:oasis:names:tc:SAML:2.0:metadata KeyDescriptor"`
		SSO        []idpEndpoint `xml:"urn:oasis:names:tc:SAML:2.0:metadata SingleSignOnService"`
		SLO        []idpEndpoint `xml:"urn:oasis:names:tc:SAML:2.0:metadata SingleLogoutService"`
		Artifacts  []idpEndpoint `xml:"urn:oasis:names:tc:SAML:2.0:metadata ArtifactResolutionService"`
		ValidUntil string        `xml:"validUntil,attr"`
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

// Metadata reads what a connection must know of its provider from metadata XML, or from an https URL of it, which is kept. Our own key and certificate
// are not part of it. It refuses, with a message for the administrator: other schemes and private addresses (unless Options.AllowPrivate), more than
// 2 MiB, document types, several providers in one document, keys that are too short, what is no longer valid, and providers without HTTP-Redirect.
//
// Of known, EntityID chooses one of several providers in a document, and MetadataSigner (DER) is whose signature the metadata must have; either may be
// empty. Where EntityID is missing and needed, the error's Choices are the entity ids in the document and its Field is "entityid".
func (d *Door) Metadata(ctx context.Context, source string, known identity.SAMLSettings) (identity.SAMLSettings, error) {
	return d.fetch.metadata(ctx, source, known)
}

// ReadMetadata is Metadata for callers without a door, such as the command line.
func ReadMetadata(ctx context.Context, source string, known identity.SAMLSettings, allowPrivate bool) (identity.SAMLSettings, error) {
	return newFetcher(allowPrivate).metadata(ctx, source, known)
}

func (f *fetcher) metadata(ctx context.Context, source string, known identity.SAMLSettings) (identity.SAMLSettings, error) {
	source = strings.TrimSpace(source)
	if strings.HasPrefix(source, "<") {
		return parseMetadata([]byte(source), known, f.allowPrivate)
	}
	raw, err := f.get(ctx, source, maxMetadata, nil)
	if err != nil {
		return identity.SAMLSettings{}, badMetadata("it cannot be fetched: %v", err).WithCode("saml.metadata_unreachable")
	}
	text := strings.TrimSpace(string(raw))
	if !strings.HasPrefix(strings.TrimPrefix(text, "\ufeff"), "<") || webPage.MatchString(text) {
		return identity.SAMLSettings{}, badMetadata("at %s there is a web page or something else, not metadata; give the address of the provider's metadata itself", shown(source))
	}
	s, err := parseMetadata([]byte(text), known, f.allowPrivate)
	if err == nil {
		s.MetadataURL = source
	}
	return s, err
}

// webPage is how HTML begins, for a message that helps; what is metadata is decided by parseMetadata.
var webPage = regexp.MustCompile(`(?i)^\x{feff}?<(!doctype html|html)\b`)

func badMetadata(format string, args ...any) *identity.Error {
	return identity.Errorf(identity.Invalid, "The metadata cannot be used: %s.", fmt.Sprintf(format, args...)).WithCode("saml.bad_metadata").WithField("metadata")
}

func parseMetadata(raw []byte, known identity.SAMLSettings, allowPrivate bool) (identity.SAMLSettings, error) {
	var none identity.SAMLSettings
	if len(raw) > maxMetadata {
		return none, badMetadata("it is larger than 2 MiB")
	}
	raw = []byte(strings.TrimPrefix(string(raw), "\ufeff")) // Windows tools save it with a byte order mark
	if err := scan(raw, metadataDocument); err != nil {
		return none, badMetadata("%s", strings.TrimSuffix(messageOf(err), "."))
	}
	if len(known.MetadataSigner) > 0 {
		signed, err := signedMetadata(raw, known.MetadataSigner)
		if err != nil {
			return none, err
		}
		raw = signed
	}
	entity, err := oneProvider(raw, known.EntityID)
	if err != nil {
		return none, err
	}
	s, err := settingsOf(entity, allowPrivate)
	s.MetadataSigner = known.MetadataSigner
	return s, err
}

func settingsOf(entity idpEntity, allowPrivate bool) (identity.SAMLSettings, error) {
	s := identity.SAMLSettings{EntityID: strings.TrimSpace(entity.EntityID)}
	if s.EntityID == "" || len(s.EntityID) > 1024 {
		return s, badMetadata("it has no entityID")
	}
	if len(entity.IDPs) != 1 || !strings.Contains(entity.IDPs[0].Protocols, nsProtocol) {
		return s, badMetadata("it needs exactly one IDPSSODescriptor for SAML 2.0")
	}
	for _, until := range append(entity.untils, entity.ValidUntil, entity.IDPs[0].ValidUntil) {
		if at, ok := instant(until); until != "" && (!ok || at.Before(time.Now())) {
			return s, badMetadata("it was valid until %s only; fetch it again from the provider", shown(until)).WithCode("saml.metadata_expired")
		}
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
