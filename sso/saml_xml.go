package sso

import (
	"encoding/base64"
	"strings"
)

// node is an element of a document that parse has accepted, or, without a name, a piece of text. Nothing changes it afterwards.
type node struct {
	space, prefix, local string    // the element's namespace, its prefix as written, its name; a text has none
	text                 string    // of a text, with references resolved
	attrs                []attr    // in their order, without the declarations of namespaces
	declared             []binding // the namespaces that the element declares
	noted                bool      // a comment stands directly inside

	parent, first, last, next *node
}

// attr is an attribute; without a prefix it is in no namespace.
type attr struct{ space, prefix, local, value string }

// binding is the declaration of a namespace; an empty prefix is the default one.
type binding struct{ prefix, uri string }

// is reports whether n is the element of that name.
func (n *node) is(space, local string) bool { return n.local == local && n.space == space }

// bound returns the namespace that a prefix means inside the element, or "".
func (n *node) bound(prefix string) string {
	for at := n; at != nil; at = at.parent {
		for _, b := range at.declared {
			if b.prefix == prefix {
				return b.uri
			}
		}
	}
	return ""
}

// inForce returns the declarations that hold inside the element.
func (n *node) inForce() []binding {
	var all []binding
	for at := n; at != nil; at = at.parent {
		for _, b := range at.declared {
			if !declares(all, b.prefix) {
				all = append(all, b)
			}
		}
	}
	return all
}

// content returns the text directly inside the element, without that of its children.
func (n *node) content() string {
	if n.first == nil {
		return ""
	}
	if n.first == n.last {
		return n.first.text
	}
	var b strings.Builder
	for c := n.first; c != nil; c = c.next {
		b.WriteString(c.text)
	}
	return b.String()
}

// elements returns the direct children that are elements.
func (n *node) elements() []*node {
	var found []*node
	for c := n.first; c != nil; c = c.next {
		if c.local != "" {
			found = append(found, c)
		}
	}
	return found
}

// childrenOf returns the direct children with that name.
func childrenOf(n *node, space, local string) []*node {
	var found []*node
	for c := n.first; c != nil; c = c.next {
		if c.is(space, local) {
			found = append(found, c)
		}
	}
	return found
}

// only returns the one direct child with that name, or nil when there are none or several.
func only(n *node, space, local string) *node {
	var found *node
	for c := n.first; c != nil; c = c.next {
		if c.is(space, local) {
			if found != nil {
				return nil
			}
			found = c
		}
	}
	return found
}

// contents returns the text of each direct child with that name.
func contents(n *node, space, local string) []string {
	var found []string
	for c := n.first; c != nil; c = c.next {
		if c.is(space, local) {
			found = append(found, c.content())
		}
	}
	return found
}

// attribute returns the value of an attribute without a namespace, or "". There may be no node.
func attribute(n *node, name string) string {
	if n == nil {
		return ""
	}
	for _, a := range n.attrs {
		if a.space == "" && a.local == name {
			return a.value
		}
	}
	return ""
}

// algorithmOf returns the Algorithm of the one direct child with that name, or "" when there are none or several.
func algorithmOf(n *node, local string) string {
	return attribute(only(n, nsSignature, local), "Algorithm")
}

// hasComment reports whether a comment stands anywhere inside.
func hasComment(n *node) bool {
	if n.noted {
		return true
	}
	for c := n.first; c != nil; c = c.next {
		if hasComment(c) {
			return true
		}
	}
	return false
}

// decodeBase64 decodes standard base64 that may be broken into lines.
func decodeBase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, " \t\r\n") {
		s = strings.Map(func(r rune) rune {
			switch r {
			case ' ', '\t', '\r', '\n':
				return -1
			}
			return r
		}, s)
	}
	return base64.StdEncoding.DecodeString(s)
}
