package sso

import (
	"fmt"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// Namespaces of SAML 2.0, XML signature and XML encryption.
const (
	nsProtocol  = "urn:oasis:names:tc:SAML:2.0:protocol"
	nsAssertion = "urn:oasis:names:tc:SAML:2.0:assertion"
	nsMetadata  = "urn:oasis:names:tc:SAML:2.0:metadata"
	nsSignature = "http://www.w3.org/2000/09/xmldsig#"
	nsEncrypted = "http://www.w3.org/2001/04/xmlenc#"
)

// Limits of a document. They hold while it is read, so that nothing large is ever built.
const (
	maxDepth       = 64
	maxElements    = 20_000
	maxAttributes  = 64
	maxMetadataEls = 60_000
)

// elementName is a name with its namespace.
type elementName struct{ space, local string }

// document says what a strict scan expects.
type document struct {
	roots    []elementName // the names that the root may have
	elements int           // how many elements at most
	message  bool          // a SAML message: the rules about assertions, signatures and identities hold
}

var (
	responseDocument       = document{roots: []elementName{{nsProtocol, "Response"}}, elements: maxElements, message: true}
	assertionDocument      = document{roots: []elementName{{nsAssertion, "Assertion"}}, elements: maxElements, message: true}
	logoutRequestDocument  = document{roots: []elementName{{nsProtocol, "LogoutRequest"}}, elements: maxElements, message: true}
	logoutResponseDocument = document{roots: []elementName{{nsProtocol, "LogoutResponse"}}, elements: maxElements, message: true}
	metadataDocument       = document{roots: []elementName{{nsMetadata, "EntityDescriptor"}, {nsMetadata, "EntitiesDescriptor"}}, elements: maxMetadataEls}
)

// documentOf is what the signed bytes of an element are.
func documentOf(el *node) document {
	if el.space == nsMetadata {
		return metadataDocument
	}
	// The rules about assertions are for the Response inside an ArtifactResponse, which is read by itself.
	return document{roots: []elementName{{el.space, el.local}}, elements: maxElements, message: !el.is(nsProtocol, "ArtifactResponse")}
}

// scan reads raw and refuses whatever two XML parsers could understand differently: document types, a second root, other encodings than UTF-8, text
// beside elements, duplicate ids and attributes, assertions and signatures in odd places.
func scan(raw []byte, doc document) error {
	_, err := parse(raw, doc)
	return err
}

func malformed(why string) *identity.Error {
	return identity.Errorf(identity.Invalid, "This is no valid SAML document: %s.", why).WithCode("saml.malformed")
}

func odd(code, format string, args ...any) *identity.Error {
	return identity.Errorf(identity.Forbidden, format, args...).WithCode(code)
}

// scanner is what the rules about a document remember while it is read.
type scanner struct {
	doc      document
	depth    int // how many elements are open
	elements int
	ids      map[string]bool
	// assertion is true once an assertion, plain or encrypted, was seen.
	assertion bool
}

// opened checks an element whose start tag was read; parent is nil for the root.
func (s *scanner) opened(n, parent *node) error {
	s.elements++
	switch {
	case s.elements > s.doc.elements:
		return malformed(fmt.Sprintf("it has more than %d elements; let the provider send less, such as only the groups that matter here", s.doc.elements))
	case s.depth >= maxDepth:
		return malformed(fmt.Sprintf("its elements are nested deeper than %d", maxDepth))
	case parent == nil && !s.expected(n):
		return malformed(fmt.Sprintf("its root is %q, expected %q; this is another message, or a part of one", shown(n.local), s.doc.roots[0].local))
	case !s.doc.message:
		return nil
	}
	if err := s.identified(n); err != nil {
		return err
	}
	// Names are compared without their namespace, so that look-alikes are refused too.
	switch n.local {
	case "Assertion", "EncryptedAssertion":
		return s.placeAssertion()
	case "Signature":
		return s.placeSignature(n, parent)
	}
	return nil
}

func (s *scanner) expected(root *node) bool {
	for _, name := range s.doc.roots {
		if root.is(name.space, name.local) {
			return true
		}
	}
	return false
}

// identified refuses a second id, and what another parser might read as the element's id.
func (s *scanner) identified(n *node) error {
	ids := 0
	for _, a := range n.attrs {
		if !strings.EqualFold(a.local, "id") {
			continue
		}
		ids++
		if a.space != "" || ids > 1 || s.ids[a.value] {
			return odd("saml.duplicate_id", "The id %q is not the only one of its kind; a signature could mean another element. The provider must give each element an id of its own.", shown(a.value))
		}
		if s.ids == nil {
			s.ids = map[string]bool{}
		}
		s.ids[a.value] = true
	}
	return nil
}

func (s *scanner) placeAssertion() error {
	inner := s.doc.roots[0].local == "Assertion"
	if inner && s.depth == 0 || !inner && s.depth == 1 {
		if s.assertion {
			return odd("saml.several_assertions", "The response has more than one assertion; exactly one is accepted. Set the provider to send one for this application.")
		}
		s.assertion = true
		return nil
	}
	return odd("saml.misplaced_assertion", "The response has an assertion that is no direct child of it, as messages have that were forged. If the provider wrote it so, its maker must mend it.")
}

func (s *scanner) placeSignature(n, parent *node) error {
	root := s.depth == 1
	assertion := s.depth == 2 && parent.is(nsAssertion, "Assertion")
	if n.space != nsSignature || !root && !assertion || len(childrenOf(parent, nsSignature, "Signature")) > 0 {
		return odd("saml.misplaced_signature", "The response has a signature that is not the one of the response or of its assertion, as messages have that were forged. If the provider wrote it so, its maker must mend it.")
	}
	return nil
}

// closed checks a finished element: text beside elements or comments is never an identity.
func (s *scanner) closed(n *node) error {
	if !s.doc.message {
		return nil
	}
	var text, child, foreign bool
	for c := n.first; c != nil; c = c.next {
		if c.local == "" {
			text = text || strings.TrimSpace(c.text) != ""
			continue
		}
		child = true
		foreign = foreign || !c.is(nsAssertion, "NameID") // which an attribute value may hold, as eduPersonTargetedID does
	}
	leaf := n.space == nsAssertion && (n.local == "NameID" || n.local == "Issuer" || n.local == "Audience")
	value := n.is(nsAssertion, "AttributeValue")
	if text && (child || n.noted) || leaf && (child || n.noted) || value && (foreign || n.noted) {
		return odd("saml.mixed_content", "The element %s has comments or elements inside its text; its value would not be certain. Take them out where the value comes from.", shown(n.local))
	}
	return nil
}
