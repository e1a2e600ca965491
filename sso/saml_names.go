package sso

import (
	"fmt"
	"slices"
)

// maxNamespaces is how many declarations of namespaces may be in force at one place. Real messages have about ten.
const maxNamespaces = 64

// declare takes the declarations of namespaces out of the pending attributes and puts them in force (Namespaces in XML 1.0). The reserved
// prefixes and namespaces cannot be declared, not even as what they are.
func (p *parser) declare(n *node) error {
	start, kept := len(p.scopes), 0
	for _, a := range p.pending {
		prefix, ok := a.local, a.prefix == "xmlns"
		if a.prefix == "" && a.local == "xmlns" {
			prefix, ok = "", true
		}
		if !ok {
			p.pending[kept] = a
			kept++
			continue
		}
		if declares(p.scopes[start:], prefix) {
			return p.twice(n, a)
		}
		if prefix == "xml" || prefix == "xmlns" || a.value == nsXML || a.value == nsXMLNS || prefix != "" && a.value == "" {
			return p.wrong("a namespace is declared that must not be")
		}
		p.scopes = append(p.scopes, binding{prefix, a.value})
	}
	p.pending = p.pending[:kept]
	if p.open == nil {
		for _, b := range p.around {
			if !declares(p.scopes[start:], b.prefix) {
				p.scopes = append(p.scopes, b)
			}
		}
	}
	if len(p.scopes) > maxNamespaces {
		return malformed(fmt.Sprintf("it declares more than %d namespaces at one place, which no provider needs", maxNamespaces))
	}
	if declared := p.scopes[start:]; len(declared) > 0 {
		n.declared = take(&p.bindings, declared)
	}
	return nil
}

func declares(bindings []binding, prefix string) bool {
	return slices.ContainsFunc(bindings, func(b binding) bool { return b.prefix == prefix })
}

// name resolves the prefixes of an element and of its attributes, and refuses an attribute that is there twice.
func (p *parser) name(n *node) error {
	var ok bool
	if n.space, ok = p.namespace(n.prefix); !ok {
		return p.wrong("a prefix is not declared")
	}
	for i := range p.pending {
		a := &p.pending[i]
		if a.prefix != "" {
			if a.space, ok = p.namespace(a.prefix); !ok {
				return p.wrong("a prefix is not declared")
			}
		}
		for _, b := range p.pending[:i] {
			if a.local == b.local && a.space == b.space {
				return p.twice(n, *a)
			}
		}
	}
	if len(p.pending) > 0 {
		n.attrs = take(&p.attrs, p.pending)
	}
	return nil
}

func (p *parser) twice(n *node, a attr) error {
	return odd("saml.duplicate_attribute", "The element %s has the attribute %s twice, so it could mean two things. If the provider wrote it so, its maker must mend it.", shown(n.local), shown(a.local))
}

// namespace returns what a prefix is bound to. Without a default namespace an element without a prefix is in none.
func (p *parser) namespace(prefix string) (string, bool) {
	for i := len(p.scopes) - 1; i >= 0; i-- {
		if p.scopes[i].prefix == prefix {
			return p.scopes[i].uri, true
		}
	}
	if prefix == "xml" {
		return nsXML, true
	}
	return "", prefix == ""
}

// take copies items to the end of a piece of memory that is shared by many, and returns the copy.
func take[T any](from *[]T, items []T) []T {
	if len(*from)+len(items) > cap(*from) {
		*from = make([]T, 0, max(min(2*cap(*from), 512), len(items), 32))
	}
	start := len(*from)
	*from = append(*from, items...)
	return (*from)[start:len(*from):len(*from)]
}
