package sso

import "encoding/xml"

// response is a SAML response as far as we read it (SAML core 3.2.2). What must be there once is a slice, so that twice is seen.
type response struct {
	XMLName      xml.Name `xml:"urn:oasis:names:tc:SAML:2.0:protocol Response"`
	ID           string   `xml:",attr"`
	Version      string   `xml:",attr"`
	IssueInstant string   `xml:",attr"`
	Destination  string   `xml:",attr"`
	InResponseTo string   `xml:",attr"`
	Issuers      []string `xml:"urn:oasis:names:tc:SAML:2.0:assertion Issuer"`
	Statuses     []status `xml:"urn:oasis:names:tc:SAML:2.0:protocol Status"`
	signed       bool     // what is in here was under a signature
}

type status struct {
	Code    statusCode `xml:"urn:oasis:names:tc:SAML:2.0:protocol StatusCode"`
	Message string     `xml:"urn:oasis:names:tc:SAML:2.0:protocol StatusMessage"`
}

type statusCode struct {
	Value string      `xml:",attr"`
	Inner *statusCode `xml:"urn:oasis:names:tc:SAML:2.0:protocol StatusCode"`
}

// assertion is a SAML assertion as far as we read it (SAML core 2.3.3).
type assertion struct {
	XMLName      xml.Name             `xml:"urn:oasis:names:tc:SAML:2.0:assertion Assertion"`
	ID           string               `xml:",attr"`
	Version      string               `xml:",attr"`
	IssueInstant string               `xml:",attr"`
	Issuers      []string             `xml:"urn:oasis:names:tc:SAML:2.0:assertion Issuer"`
	Subjects     []subject            `xml:"urn:oasis:names:tc:SAML:2.0:assertion Subject"`
	Conditions   []conditions         `xml:"urn:oasis:names:tc:SAML:2.0:assertion Conditions"`
	Statements   []authnStatement     `xml:"urn:oasis:names:tc:SAML:2.0:assertion AuthnStatement"`
	Attributes   []attributeStatement `xml:"urn:oasis:names:tc:SAML:2.0:assertion AttributeStatement"`
}

type subject struct {
	NameIDs       []nameID              `xml:"urn:oasis:names:tc:SAML:2.0:assertion NameID"`
	EncryptedIDs  []struct{}            `xml:"urn:oasis:names:tc:SAML:2.0:assertion EncryptedID"`
	Confirmations []subjectConfirmation `xml:"urn:oasis:names:tc:SAML:2.0:assertion SubjectConfirmation"`
}

type nameID struct {
	Format          string `xml:",attr"`
	NameQualifier   string `xml:",attr"`
	SPNameQualifier string `xml:",attr"`
	Value           string `xml:",chardata"`
}

type subjectConfirmation struct {
	Method string                    `xml:",attr"`
	Data   []subjectConfirmationData `xml:"urn:oasis:names:tc:SAML:2.0:assertion SubjectConfirmationData"`
}

type subjectConfirmationData struct {
	Recipient    string `xml:",attr"`
	InResponseTo string `xml:",attr"`
	NotBefore    string `xml:",attr"`
	NotOnOrAfter string `xml:",attr"`
}

type conditions struct {
	NotBefore    string                `xml:",attr"`
	NotOnOrAfter string                `xml:",attr"`
	Restrictions []audienceRestriction `xml:"urn:oasis:names:tc:SAML:2.0:assertion AudienceRestriction"`
}

type audienceRestriction struct {
	Audiences []string `xml:"urn:oasis:names:tc:SAML:2.0:assertion Audience"`
}

type authnStatement struct {
	AuthnInstant        string `xml:",attr"`
	SessionIndex        string `xml:",attr"`
	SessionNotOnOrAfter string `xml:",attr"`
	Context             struct {
		Class string `xml:"urn:oasis:names:tc:SAML:2.0:assertion AuthnContextClassRef"`
	} `xml:"urn:oasis:names:tc:SAML:2.0:assertion AuthnContext"`
}

type attributeStatement struct {
	Attributes []samlAttribute `xml:"urn:oasis:names:tc:SAML:2.0:assertion Attribute"`
	Encrypted  []struct{}      `xml:"urn:oasis:names:tc:SAML:2.0:assertion EncryptedAttribute"`
}

type samlAttribute struct {
	Name         string   `xml:",attr"`
	FriendlyName string   `xml:",attr"`
	Values       []string `xml:"urn:oasis:names:tc:SAML:2.0:assertion AttributeValue"`
}
