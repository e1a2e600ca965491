package sso

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	roundtrip "github.com/mattermost/xml-roundtrip-validator"

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

// Limits of a document. They hold before anything is built in memory.
const (
	maxDepth       = 64
	maxElements    = 20_000
	maxAttributes  = 64
	maxMetadataEls = 60_000
)

// document says what a strict scan expects.
type document struct {
	roots    []xml.Name // the names that the root may have
	elements int        // how many elements at most
	message  bool       // a SAML message: the rules about assertions, signatures and identities hold
}

var (
	responseDocument       = document{roots: []xml.Name{{Space: nsProtocol, Local: "Response"}}, elements: maxElements, message: true}
	assertionDocument      = document{roots: []xml.Name{{Space: nsAssertion, Local: "Assertion"}}, elements: maxElements, message: true}
	logoutRequestDocument  = document{roots: []xml.Name{{Space: nsProtocol, Local: "LogoutRequest"}}, elements: maxElements, message: true}
	logoutResponseDocument = document{roots: []xml.Name{{Space: nsProtocol, Local: "LogoutResponse"}}, elements: maxElements, message: true}
	metadataDocument       = document{roots: []xml.Name{{Space: nsMetadata, Local: "EntityDescriptor"}, {Space: nsMetadata, Local: "EntitiesDescriptor"}}, elements: maxMetadataEls}
)

// scan reads raw as a stream of tokens and refuses whatever two XML parsers could understand differently: document types, a second root,
// other encodings than UTF-8, text beside elements, duplicate ids and attributes, assertions and signatures in odd places.
func scan(raw []byte, doc document) error {
	if !utf8.Valid(raw) || bytes.HasPrefix(raw, []byte("\xef\xbb\xbf")) || bytes.IndexByte(raw, 0) >= 0 {
		return malformed("the document is not plain UTF-8")
	}
	s := scanner{doc: doc, ids: map[string]bool{}}
	dec := xml.NewDecoder(bytes.NewReader(raw))
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return malformed("the document is not well-formed XML").WithCause(err)
		}
		if err := s.token(tok, dec.InputOffset()); err != nil {
			return err
		}
	}
	if !s.rooted {
		return malformed("the document has no root element")
	}
	if err := roundtrip.Validate(bytes.NewReader(raw)); err != nil {
		return malformed("the document reads differently after writing it again").WithCause(err)
	}
	return nil
}

func malformed(why string) *identity.Error {
	return identity.Errorf(identity.Invalid, "This is no valid SAML document: %s.", why).WithCode("saml.malformed")
}

func odd(code, format string, args ...any) *identity.Error {
	return identity.Errorf(identity.Forbidden, format, args...).WithCode(code)
}

// scanner is the state of one scan: the open elements and what was counted.
type scanner struct {
	doc      document
	stack    []frame
	ids      map[string]bool
	elements int
	rooted   bool
	// assertion is true once an assertion, plain or encrypted, was seen.
	assertion bool
}

// frame is one open element.
type frame struct {
	name              xml.Name
	text, child, note bool
	foreign           bool // has a child other than the NameID that an attribute value may hold
	signed            bool // has a Signature
}

func (s *scanner) token(tok xml.Token, offset int64) error {
	switch t := tok.(type) {
	case xml.StartElement:
		return s.open(t)
	case xml.EndElement:
		return s.close()
	case xml.CharData:
		return s.text(t)
	case xml.Comment:
		if len(s.stack) > 0 {
			s.top().note = true
		}
	case xml.ProcInst:
		if t.Target != "xml" || s.rooted || s.elements > 0 || offset > int64(len(t.Inst))+16 {
			return odd("saml.processing_instruction", "The document has a processing instruction; no identity provider writes them.")
		}
	case xml.Directive:
		return malformed("it has a document type, which SAML forbids")
	}
	return nil
}

func (s *scanner) top() *frame { return &s.stack[len(s.stack)-1] }

func (s *scanner) text(t xml.CharData) error {
	if len(bytes.TrimSpace(t)) == 0 {
		return nil
	}
	if len(s.stack) == 0 {
		return malformed("it has text outside its root")
	}
	s.top().text = true
	return nil
}

func (s *scanner) open(t xml.StartElement) error {
	s.elements++
	switch {
	case s.elements > s.doc.elements:
		return malformed(fmt.Sprintf("it has more than %d elements", s.doc.elements))
	case len(s.stack) >= maxDepth:
		return malformed(fmt.Sprintf("its elements are nested deeper than %d", maxDepth))
	case strings.Contains(t.Name.Local, ":"):
		return malformed("it has a name with a stray colon")
	case len(s.stack) == 0 && s.rooted:
		return malformed("it has two roots")
	case len(s.stack) == 0 && !s.expected(t.Name):
		return malformed(fmt.Sprintf("its root is %q, expected %q", shown(t.Name.Local), s.doc.roots[0].Local))
	}
	s.rooted = true
	if err := s.attributes(t); err != nil {
		return err
	}
	if err := s.place(t.Name); err != nil {
		return err
	}
	s.stack = append(s.stack, frame{name: t.Name})
	return nil
}

func (s *scanner) expected(name xml.Name) bool {
	for _, root := range s.doc.roots {
		if name == root {
			return true
		}
	}
	return false
}

// attributes refuses duplicates, which encoding/xml lets pass, and ids that another parser might read as the element's id.
func (s *scanner) attributes(t xml.StartElement) error {
	if len(t.Attr) > maxAttributes {
		return malformed(fmt.Sprintf("an element has more than %d attributes", maxAttributes))
	}
	ids := 0
	for i, a := range t.Attr {
		if strings.Contains(a.Name.Local, ":") {
			return malformed("it has a name with a stray colon")
		}
		for _, b := range t.Attr[:i] {
			if a.Name == b.Name {
				return odd("saml.duplicate_attribute", "The element %s has the attribute %s twice.", shown(t.Name.Local), shown(a.Name.Local))
			}
		}
		if !s.doc.message || a.Name.Space == "xmlns" || !strings.EqualFold(a.Name.Local, "id") {
			continue
		}
		ids++
		if a.Name.Space != "" || ids > 1 || s.ids[a.Value] {
			return odd("saml.duplicate_id", "The id %q is not the only one of its kind; a signature could mean another element.", shown(a.Value))
		}
		s.ids[a.Value] = true
	}
	return nil
}

// place says where assertions and signatures may stand. Names are compared without their namespace, so that look-alikes are refused too.
func (s *scanner) place(name xml.Name) error {
	depth := len(s.stack)
	if depth > 0 {
		s.nest(name)
	}
	if !s.doc.message {
		return nil
	}
	switch name.Local {
	case "Assertion", "EncryptedAssertion":
		return s.placeAssertion(depth)
	case "Signature":
		return s.placeSignature(name, depth)
	}
	return nil
}

func (s *scanner) nest(name xml.Name) {
	parent := s.top()
	parent.child = true
	if name != (xml.Name{Space: nsAssertion, Local: "NameID"}) {
		parent.foreign = true
	}
}

func (s *scanner) placeAssertion(depth int) error {
	inner := s.doc.roots[0].Local == "Assertion"
	if inner && depth == 0 || !inner && depth == 1 {
		if s.assertion {
			return odd("saml.several_assertions", "The response has more than one assertion; exactly one is accepted.")
		}
		s.assertion = true
		return nil
	}
	return odd("saml.misplaced_assertion", "The response has an assertion that is no direct child of it.")
}

func (s *scanner) placeSignature(name xml.Name, depth int) error {
	root := depth == 1
	assertion := depth == 2 && s.top().name == xml.Name{Space: nsAssertion, Local: "Assertion"}
	if name.Space != nsSignature || !root && !assertion || s.top().signed {
		return odd("saml.misplaced_signature", "The response has a signature that is not the one of the response or of its assertion.")
	}
	s.top().signed = true
	return nil
}

// close checks a finished element: text beside elements or comments is never an identity.
func (s *scanner) close() error {
	f := s.top()
	s.stack = s.stack[:len(s.stack)-1]
	if !s.doc.message {
		return nil
	}
	leaf := f.name.Space == nsAssertion && (f.name.Local == "NameID" || f.name.Local == "Issuer" || f.name.Local == "Audience")
	value := f.name.Space == nsAssertion && f.name.Local == "AttributeValue"
	mixed := f.text && (f.child || f.note) || leaf && (f.child || f.note) || value && (f.foreign || f.note)
	if mixed {
		return odd("saml.mixed_content", "The element %s has comments or elements inside its text; its value would not be certain.", shown(f.name.Local))
	}
	return nil
}
