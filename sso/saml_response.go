package sso

import "strings"

// response is a SAML response as far as we read it (SAML core 3.2.2). What must be there once is a slice, so that twice is seen.
type response struct {
	ID           string
	Version      string
	IssueInstant string
	Destination  string
	InResponseTo string
	Issuers      []string
	Statuses     []status
	signed       bool // what is in here was under a signature
}

// status is how the provider's work ended; Codes are the first one and those inside it, from the general to the special.
type status struct {
	Codes   []string
	Message string
}

// assertion is a SAML assertion as far as we read it (SAML core 2.3.3).
type assertion struct {
	ID           string
	Version      string
	IssueInstant string
	Issuers      []string
	Subjects     []subject
	Conditions   []conditions
	Statements   []authnStatement
	Attributes   []samlAttribute
}

type subject struct {
	NameIDs       []nameID
	EncryptedIDs  int
	Confirmations []subjectConfirmation
}

type nameID struct{ Format, NameQualifier, SPNameQualifier, Value string }

type subjectConfirmation struct {
	Method string
	Data   []subjectConfirmationData
}

type subjectConfirmationData struct{ Recipient, InResponseTo, NotBefore, NotOnOrAfter string }

type conditions struct {
	NotBefore, NotOnOrAfter string
	Audiences               [][]string // by restriction
}

type authnStatement struct{ AuthnInstant, SessionIndex, SessionNotOnOrAfter, Class string }

type samlAttribute struct {
	Name, FriendlyName string
	Values             []string

	key string // the name in small letters
}

// readResponse reads what stands directly in a response; its assertion is read by itself.
func readResponse(n *node, r *response) {
	r.ID, r.Version, r.IssueInstant = attribute(n, "ID"), attribute(n, "Version"), attribute(n, "IssueInstant")
	r.Destination, r.InResponseTo = attribute(n, "Destination"), attribute(n, "InResponseTo")
	r.Issuers = contents(n, nsAssertion, "Issuer")
	r.Statuses = readStatuses(n)
}

func readStatuses(n *node) []status {
	var found []status
	for _, el := range childrenOf(n, nsProtocol, "Status") {
		found = append(found, readStatus(el))
	}
	return found
}

func readStatus(n *node) status {
	var s status
	if message := only(n, nsProtocol, "StatusMessage"); message != nil {
		s.Message = message.content()
	}
	for code := only(n, nsProtocol, "StatusCode"); code != nil; code = only(code, nsProtocol, "StatusCode") {
		s.Codes = append(s.Codes, attribute(code, "Value"))
	}
	return s
}

func readAssertion(n *node) assertion {
	a := assertion{ID: attribute(n, "ID"), Version: attribute(n, "Version"), IssueInstant: attribute(n, "IssueInstant")}
	for c := n.first; c != nil; c = c.next {
		if c.space != nsAssertion {
			continue
		}
		switch c.local {
		case "Issuer":
			a.Issuers = append(a.Issuers, c.content())
		case "Subject":
			a.Subjects = append(a.Subjects, readSubject(c))
		case "Conditions":
			a.Conditions = append(a.Conditions, readConditions(c))
		case "AuthnStatement":
			a.Statements = append(a.Statements, readStatement(c))
		case "AttributeStatement":
			a.Attributes = append(a.Attributes, readAttributes(c)...)
		}
	}
	return a
}

func readSubject(n *node) subject {
	s := subject{EncryptedIDs: len(childrenOf(n, nsAssertion, "EncryptedID"))}
	s.NameIDs = readNameIDs(n)
	for _, el := range childrenOf(n, nsAssertion, "SubjectConfirmation") {
		c := subjectConfirmation{Method: attribute(el, "Method")}
		for _, d := range childrenOf(el, nsAssertion, "SubjectConfirmationData") {
			c.Data = append(c.Data, subjectConfirmationData{
				Recipient: attribute(d, "Recipient"), InResponseTo: attribute(d, "InResponseTo"), NotBefore: attribute(d, "NotBefore"), NotOnOrAfter: attribute(d, "NotOnOrAfter"),
			})
		}
		s.Confirmations = append(s.Confirmations, c)
	}
	return s
}

func readNameIDs(n *node) []nameID {
	var found []nameID
	for _, id := range childrenOf(n, nsAssertion, "NameID") {
		found = append(found, nameID{
			Format: attribute(id, "Format"), NameQualifier: attribute(id, "NameQualifier"), SPNameQualifier: attribute(id, "SPNameQualifier"), Value: id.content(),
		})
	}
	return found
}

func readConditions(n *node) conditions {
	c := conditions{NotBefore: attribute(n, "NotBefore"), NotOnOrAfter: attribute(n, "NotOnOrAfter")}
	for _, restriction := range childrenOf(n, nsAssertion, "AudienceRestriction") {
		c.Audiences = append(c.Audiences, contents(restriction, nsAssertion, "Audience"))
	}
	return c
}

func readStatement(n *node) authnStatement {
	s := authnStatement{AuthnInstant: attribute(n, "AuthnInstant"), SessionIndex: attribute(n, "SessionIndex"), SessionNotOnOrAfter: attribute(n, "SessionNotOnOrAfter")}
	if context := only(n, nsAssertion, "AuthnContext"); context != nil {
		if class := only(context, nsAssertion, "AuthnContextClassRef"); class != nil {
			s.Class = class.content()
		}
	}
	return s
}

func readAttributes(n *node) []samlAttribute {
	var found []samlAttribute
	for _, el := range childrenOf(n, nsAssertion, "Attribute") {
		name := attribute(el, "Name")
		found = append(found, samlAttribute{
			Name: name, FriendlyName: attribute(el, "FriendlyName"), Values: contents(el, nsAssertion, "AttributeValue"), key: strings.ToLower(trimmed(name)),
		})
	}
	return found
}
