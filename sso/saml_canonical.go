package sso

import (
	"slices"
	"strings"
)

// canonicalization is one of the three ways to write an element that signatures may use, all without comments: Exclusive XML Canonicalization 1.0, and,
// when inclusive, Canonical XML 1.0 or 1.1, which write the same here: they differ only in xml: attributes of elements around the signed
// one, which we write in neither, so that such a signature does not match.
type canonicalization struct {
	inclusive bool
	prefixes  []string // exclusive: the InclusiveNamespaces PrefixList, whose prefixes are written whether used or not
}

// canonical writes n as it is signed, in place and with the namespaces around it, but without one descendant: the signature itself. n was parsed,
// so comments are gone and all names resolved.
func canonical(n, without *node, how canonicalization) []byte {
	w := canonicalWriter{how: how, without: without, out: make([]byte, 0, 4096)}
	w.element(n, true)
	return w.out
}

type canonicalWriter struct {
	how      canonicalization
	without  *node
	out      []byte
	rendered []binding // what the open elements have declared in the output, innermost last
	sorted   []*attr
}

func (w *canonicalWriter) element(n *node, apex bool) {
	outer := len(w.rendered)
	w.out = append(w.out, '<')
	w.qualified(n.prefix, n.local)
	w.namespaces(n, apex)
	w.attributes(n)
	w.out = append(w.out, '>')
	for c := n.first; c != nil; c = c.next {
		switch {
		case c.local == "":
			w.out = appendText(w.out, c.text)
		case c != w.without:
			w.element(c, false)
		}
	}
	w.out = append(w.out, '<', '/')
	w.qualified(n.prefix, n.local)
	w.out = append(w.out, '>')
	w.rendered = w.rendered[:outer]
}

func (w *canonicalWriter) qualified(prefix, local string) {
	if prefix != "" {
		w.out = append(append(w.out, prefix...), ':')
	}
	w.out = append(w.out, local...)
}

// namespaces writes the declarations that the element needs: those in use (exclusive), or all in force (inclusive, and for the prefixes of the list).
func (w *canonicalWriter) namespaces(n *node, apex bool) {
	start := len(w.rendered)
	if w.how.inclusive || len(w.how.prefixes) > 0 {
		for at := n; at != nil; at = at.parent {
			for _, b := range at.declared {
				if w.how.inclusive || slices.Contains(w.how.prefixes, b.prefix) {
					w.need(start, binding{b.prefix, n.bound(b.prefix)})
				}
			}
			if !apex {
				break // what stands around the element was written at the apex
			}
		}
	}
	if !w.how.inclusive {
		w.need(start, binding{n.prefix, n.space})
		for i := range n.attrs {
			if n.attrs[i].prefix != "" {
				w.need(start, binding{n.attrs[i].prefix, n.attrs[i].space})
			}
		}
	}
	needed := w.rendered[start:]
	slices.SortFunc(needed, func(a, b binding) int { return strings.Compare(a.prefix, b.prefix) })
	for _, b := range needed {
		w.out = append(w.out, " xmlns"...)
		if b.prefix != "" {
			w.out = append(append(w.out, ':'), b.prefix...)
		}
		w.value(b.uri)
	}
}

// need adds a declaration for the element whose declarations begin at start, unless it has that prefix already or the output around it says the same.
func (w *canonicalWriter) need(start int, b binding) {
	for i := len(w.rendered) - 1; i >= 0; i-- {
		if w.rendered[i].prefix == b.prefix {
			if i >= start || w.rendered[i].uri == b.uri {
				return
			}
			w.rendered = append(w.rendered, b)
			return
		}
	}
	if b.prefix == "xml" || b.prefix == "" && b.uri == "" {
		return // always there
	}
	w.rendered = append(w.rendered, b)
}

// attributes writes them by namespace and name; those without a namespace come first.
func (w *canonicalWriter) attributes(n *node) {
	w.sorted = w.sorted[:0]
	for i := range n.attrs {
		w.sorted = append(w.sorted, &n.attrs[i])
	}
	slices.SortFunc(w.sorted, func(a, b *attr) int {
		if order := strings.Compare(a.space, b.space); order != 0 {
			return order
		}
		return strings.Compare(a.local, b.local)
	})
	for _, a := range w.sorted {
		w.out = append(w.out, ' ')
		w.qualified(a.prefix, a.local)
		w.value(a.value)
	}
}

// value writes the value of an attribute (Canonical XML 1.0, 2.3).
func (w *canonicalWriter) value(s string) {
	w.out = append(w.out, '=', '"')
	for i := range len(s) {
		switch s[i] {
		case '&':
			w.out = append(w.out, "&amp;"...)
		case '<':
			w.out = append(w.out, "&lt;"...)
		case '"':
			w.out = append(w.out, "&quot;"...)
		case '\t':
			w.out = append(w.out, "&#x9;"...)
		case '\n':
			w.out = append(w.out, "&#xA;"...)
		case '\r':
			w.out = append(w.out, "&#xD;"...)
		default:
			w.out = append(w.out, s[i])
		}
	}
	w.out = append(w.out, '"')
}

// appendText writes the text of an element (Canonical XML 1.0, 2.3).
func appendText(out []byte, s string) []byte {
	for i := range len(s) {
		switch s[i] {
		case '&':
			out = append(out, "&amp;"...)
		case '<':
			out = append(out, "&lt;"...)
		case '>':
			out = append(out, "&gt;"...)
		case '\r':
			out = append(out, "&#xD;"...)
		default:
			out = append(out, s[i])
		}
	}
	return out
}
