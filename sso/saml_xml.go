package sso

import (
	"encoding/base64"
	"encoding/xml"
	"strings"

	"github.com/beevik/etree"
)

// parse builds the tree of a document that scan has accepted.
func parse(raw []byte) (*etree.Element, error) {
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(raw); err != nil || doc.Root() == nil {
		return nil, malformed("the document is not well-formed XML").WithCause(err)
	}
	return doc.Root(), nil
}

// unmarshal reads an element into a struct of encoding/xml.
func unmarshal(el *etree.Element, into any) error {
	doc := etree.NewDocument()
	doc.SetRoot(standalone(el))
	raw, err := doc.WriteToBytes()
	if err != nil {
		return malformed("it cannot be written again").WithCause(err)
	}
	if err := xml.Unmarshal(raw, into); err != nil {
		return malformed("its elements have unexpected values").WithCause(err)
	}
	return nil
}

// standalone copies an element together with the namespaces that its ancestors declare for it.
func standalone(el *etree.Element) *etree.Element {
	own := el.Copy()
	for parent := el.Parent(); parent != nil; parent = parent.Parent() {
		for _, a := range parent.Attr {
			if (a.Space == "xmlns" || a.Space == "" && a.Key == "xmlns") && !declares(own, a) {
				own.CreateAttr(a.FullKey(), a.Value)
			}
		}
	}
	return own
}

func declares(el *etree.Element, namespace etree.Attr) bool {
	for _, a := range el.Attr {
		if a.Space == namespace.Space && a.Key == namespace.Key {
			return true
		}
	}
	return false
}

// childrenOf returns the direct children with that name.
func childrenOf(el *etree.Element, space, tag string) []*etree.Element {
	var found []*etree.Element
	for _, child := range el.ChildElements() {
		if child.Tag == tag && child.NamespaceURI() == space {
			found = append(found, child)
		}
	}
	return found
}

// attribute returns the value of an attribute without a namespace, or "".
func attribute(el *etree.Element, key string) string {
	for _, a := range el.Attr {
		if a.Space == "" && a.Key == key {
			return a.Value
		}
	}
	return ""
}

// algorithmOf returns the Algorithm of the one direct child with that name, or "" when there are none or several.
func algorithmOf(el *etree.Element, tag string) string {
	found := childrenOf(el, nsSignature, tag)
	if len(found) != 1 {
		return ""
	}
	return attribute(found[0], "Algorithm")
}

func hasComment(el *etree.Element) bool {
	for _, token := range el.Child {
		switch t := token.(type) {
		case *etree.Comment:
			return true
		case *etree.Element:
			if hasComment(t) {
				return true
			}
		}
	}
	return false
}

// decodeBase64 decodes standard base64 that may be broken into lines.
func decodeBase64(s string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\t', '\r', '\n':
			return -1
		}
		return r
	}, s))
}
