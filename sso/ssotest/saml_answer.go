package ssotest

import (
	"bytes"
	"crypto"
	"html/template"
	"time"

	"github.com/beevik/etree"
)

// Attribute is one attribute of an assertion.
type Attribute struct {
	Name   string
	Values []string
}

// Answer is a SAML response before it is written. Every field can be changed to misbehave; times are xs:dateTime, an empty string leaves the XML
// attribute or element out.
type Answer struct {
	ResponseID          string
	AssertionID         string
	Version             string
	ResponseIssuer      string
	Issuer              string
	Destination         string
	InResponseTo        string
	ConfirmationRequest string // InResponseTo of the subject confirmation
	Status              string
	Audiences           []string
	Recipient           string
	Method              string // of the subject confirmation
	NameID              string // inner XML, so that tests can write comments into it
	NameIDFormat        string
	Attributes          []Attribute
	IssueInstant        string
	NotBefore           string
	NotOnOrAfter        string
	ConfirmationEnd     string // NotOnOrAfter of the subject confirmation
	AuthnInstant        string
	SessionIndex        string
	SessionNotOnOrAfter string

	SignResponse     bool
	SignAssertion    bool
	SignatureMethod  string // URI
	Canonicalization string // URI
	Key              crypto.Signer
	Certificate      []byte // shown in KeyInfo

	EncryptTo []byte // certificate (DER): encrypt the assertion, after signing it
	Cipher    string // URI; empty: AES-128-GCM

	Before func(response *etree.Element) // called before signing
	After  func(response *etree.Element) // called after signing and encrypting
}

// Stamp writes a time as SAML does.
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// Answer returns a well-behaved answer for a person; the assertion is signed.
func (s *SAML) Answer(c SAMLClient, requestID string, p Person) *Answer {
	now := time.Now()
	key, cert := s.Key()
	a := &Answer{
		ResponseID: newID(), AssertionID: newID(), Version: "2.0", ResponseIssuer: s.EntityID(), Issuer: s.EntityID(),
		Destination: c.ACS, InResponseTo: requestID, ConfirmationRequest: requestID, Status: "urn:oasis:names:tc:SAML:2.0:status:Success",
		Audiences: []string{c.EntityID}, Recipient: c.ACS, Method: "urn:oasis:names:tc:SAML:2.0:cm:bearer",
		NameID: template.HTMLEscapeString(p.Subject), NameIDFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
		IssueInstant: Stamp(now), NotBefore: Stamp(now.Add(-time.Minute)), NotOnOrAfter: Stamp(now.Add(5 * time.Minute)),
		ConfirmationEnd: Stamp(now.Add(5 * time.Minute)), AuthnInstant: Stamp(now), SessionIndex: newID(),
		SignAssertion: true, SignatureMethod: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", Canonicalization: "http://www.w3.org/2001/10/xml-exc-c14n#",
		Key: key, Certificate: cert,
	}
	a.Attributes = []Attribute{{"email", []string{p.Email}}}
	if p.GivenName != "" {
		a.Attributes = append(a.Attributes, Attribute{"givenName", []string{p.GivenName}})
	}
	if p.FamilyName != "" {
		a.Attributes = append(a.Attributes, Attribute{"surname", []string{p.FamilyName}})
	}
	if len(p.Groups) > 0 {
		a.Attributes = append(a.Attributes, Attribute{"groups", p.Groups})
	}
	return a
}

var responseTemplate = template.Must(template.New("response").Funcs(template.FuncMap{
	"raw": func(s string) template.HTML { return template.HTML(s) },
}).Parse(`<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{{.ResponseID}}" Version="{{.Version}}"` +
	`{{with .IssueInstant}} IssueInstant="{{.}}"{{end}}{{with .Destination}} Destination="{{.}}"{{end}}{{with .InResponseTo}} InResponseTo="{{.}}"{{end}}>` +
	`{{with .ResponseIssuer}}<saml:Issuer>{{.}}</saml:Issuer>{{end}}<samlp:Status><samlp:StatusCode Value="{{.Status}}"/></samlp:Status>` +
	`<saml:Assertion xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ID="{{.AssertionID}}" Version="{{.Version}}"{{with .IssueInstant}} IssueInstant="{{.}}"{{end}}>` +
	`{{with .Issuer}}<saml:Issuer>{{.}}</saml:Issuer>{{end}}` +
	`<saml:Subject><saml:NameID Format="{{.NameIDFormat}}">{{raw .NameID}}</saml:NameID>{{with .Method}}<saml:SubjectConfirmation Method="{{.}}">` +
	`<saml:SubjectConfirmationData{{with $.ConfirmationRequest}} InResponseTo="{{.}}"{{end}}{{with $.Recipient}} Recipient="{{.}}"{{end}}{{with $.ConfirmationEnd}} NotOnOrAfter="{{.}}"{{end}}/></saml:SubjectConfirmation>{{end}}</saml:Subject>` +
	`<saml:Conditions{{with .NotBefore}} NotBefore="{{.}}"{{end}}{{with .NotOnOrAfter}} NotOnOrAfter="{{.}}"{{end}}>{{with .Audiences}}<saml:AudienceRestriction>{{range .}}<saml:Audience>{{.}}</saml:Audience>{{end}}</saml:AudienceRestriction>{{end}}</saml:Conditions>` +
	`{{with .AuthnInstant}}<saml:AuthnStatement AuthnInstant="{{.}}" SessionIndex="{{$.SessionIndex}}"{{with $.SessionNotOnOrAfter}} SessionNotOnOrAfter="{{.}}"{{end}}><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>{{end}}` +
	`{{with .Attributes}}<saml:AttributeStatement>{{range .}}<saml:Attribute Name="{{.Name}}">{{range .Values}}<saml:AttributeValue xsi:type="xs:string">{{.}}</saml:AttributeValue>{{end}}</saml:Attribute>{{end}}</saml:AttributeStatement>{{end}}` +
	`</saml:Assertion></samlp:Response>`))

// Render writes, signs and encrypts the response.
func (a *Answer) Render() ([]byte, error) {
	var b bytes.Buffer
	if err := responseTemplate.Execute(&b, a); err != nil {
		return nil, err
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(b.Bytes()); err != nil {
		return nil, err
	}
	root := doc.Root()
	if a.Before != nil {
		a.Before(root)
	}
	if err := a.protect(root); err != nil {
		return nil, err
	}
	if a.After != nil {
		a.After(root)
	}
	return doc.WriteToBytes()
}

func (a *Answer) protect(root *etree.Element) error {
	assertion := root.SelectElement("saml:Assertion")
	if a.SignAssertion && assertion != nil {
		if err := a.Sign(assertion); err != nil {
			return err
		}
	}
	if len(a.EncryptTo) > 0 && assertion != nil {
		if err := a.encrypt(root, assertion); err != nil {
			return err
		}
	}
	if a.SignResponse {
		return a.Sign(root)
	}
	return nil
}
