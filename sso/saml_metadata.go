package sso

import (
	"encoding/base64"
	"encoding/xml"
	"net/http"

	"github.com/crewjam/saml"

	"github.com/drawbridge-id/drawbridge/identity"
)

// The metadata of a service provider (SAML metadata 2.4.4), as far as we write it.
type (
	spEntity struct {
		XMLName  xml.Name     `xml:"urn:oasis:names:tc:SAML:2.0:metadata EntityDescriptor"`
		EntityID string       `xml:"entityID,attr"`
		SP       spDescriptor `xml:"SPSSODescriptor"`
	}
	spDescriptor struct {
		RequestsSigned bool         `xml:"AuthnRequestsSigned,attr"`
		WantSigned     bool         `xml:"WantAssertionsSigned,attr"`
		Protocols      string       `xml:"protocolSupportEnumeration,attr"`
		Keys           []spKey      `xml:"KeyDescriptor"`
		SLO            []spPlace    `xml:"SingleLogoutService"`
		NameIDFormats  []string     `xml:"NameIDFormat"`
		ACS            []spEndpoint `xml:"AssertionConsumerService"`
	}
	spKey struct {
		Use     string     `xml:"use,attr"`
		Info    spKeyInfo  `xml:"http://www.w3.org/2000/09/xmldsig# KeyInfo"`
		Methods []spMethod `xml:"EncryptionMethod"`
	}
	spKeyInfo struct {
		Certificate string `xml:"X509Data>X509Certificate"`
	}
	spMethod struct {
		Algorithm string `xml:"Algorithm,attr"`
	}
	spPlace struct {
		Binding  string `xml:"Binding,attr"`
		Location string `xml:"Location,attr"`
	}
	spEndpoint struct {
		Binding  string `xml:"Binding,attr"`
		Location string `xml:"Location,attr"`
		Index    int    `xml:"index,attr"`
		Default  bool   `xml:"isDefault,attr"`
	}
)

// spMetadata returns our metadata for a connection: its entity id, its ACS, where log-outs go, and all of its own certificates, for signing and for
// encryption, the one that signs first.
func spMetadata(c *identity.Connection, want expectation) ([]byte, error) {
	methods := []spMethod{
		{"http://www.w3.org/2009/xmlenc11#aes256-gcm"},
		{"http://www.w3.org/2009/xmlenc11#aes128-gcm"},
		{"http://www.w3.org/2001/04/xmlenc#aes256-cbc"},
		{"http://www.w3.org/2001/04/xmlenc#aes128-cbc"},
		{oaepMGF1P},
	}
	entity := spEntity{EntityID: want.entityID, SP: spDescriptor{
		RequestsSigned: true, WantSigned: true, Protocols: nsProtocol,
		SLO:           []spPlace{{saml.HTTPRedirectBinding, want.slo}, {saml.HTTPPostBinding, want.slo}},
		NameIDFormats: []string{string(saml.PersistentNameIDFormat), string(saml.EmailAddressNameIDFormat), string(saml.UnspecifiedNameIDFormat)},
		ACS:           []spEndpoint{{Binding: saml.HTTPPostBinding, Location: want.acs, Default: true}},
	}}
	if c.Options.Artifact {
		entity.SP.ACS = append(entity.SP.ACS, spEndpoint{Binding: saml.HTTPArtifactBinding, Location: want.acs, Index: 1})
	}
	for _, pair := range c.SAML.Own() {
		info := spKeyInfo{Certificate: base64.StdEncoding.EncodeToString(pair.Certificate)}
		entity.SP.Keys = append(entity.SP.Keys, spKey{Use: "signing", Info: info}, spKey{Use: "encryption", Info: info, Methods: methods})
	}
	raw, err := xml.MarshalIndent(entity, "", "  ")
	if err != nil {
		return nil, identity.Errorf(identity.Internal, "").WithCause(err)
	}
	return append([]byte(xml.Header), append(raw, '\n')...), nil
}

// metadata answers GET /sso/{connection}/metadata. It is public, and it is there before the connection is switched on: the provider needs it first.
func (d *Door) metadata(w http.ResponseWriter, r *http.Request) error {
	c, err := d.connection(r, identity.SAML)
	if err != nil {
		return err
	}
	raw, err := spMetadata(&c, d.expectation(c.ID))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/samlmetadata+xml; charset=utf-8")
	w.Header().Set("Content-Disposition", `inline; filename="drawbridge-metadata.xml"`)
	_, err = w.Write(raw)
	return err
}
