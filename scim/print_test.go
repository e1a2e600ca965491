package scim

import (
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// filter resolves a filter for a question to one type.
func (t *resourceType) filter(text string, d dialect) (*identity.Filter, error) {
	return t.filterAmong(nil, text, d)
}

// String prints the filter so that parsing it again gives an equal one.
func (e *expr) String() string {
	switch e.op {
	case identity.OpAnd, identity.OpOr:
		parts := make([]string, len(e.kids))
		for i, k := range e.kids {
			parts[i] = k.String()
			if k.op == identity.OpAnd || k.op == identity.OpOr {
				parts[i] = "(" + parts[i] + ")"
			}
		}
		return strings.Join(parts, " "+string(e.op)+" ")
	case identity.OpNot:
		return "not (" + e.kids[0].String() + ")"
	case identity.OpExists:
		return e.name + "[" + e.kids[0].String() + "]"
	case identity.OpPr:
		return e.name + " pr"
	}
	return e.name + " " + string(e.op) + " " + encodeText(e.value)
}

// same reports whether two filters are equal.
func (e *expr) same(o *expr) bool {
	return e.op == o.op && e.name == o.name && e.value == o.value && slices.EqualFunc(e.kids, o.kids, (*expr).same)
}

// String prints the path so that parsing it again gives an equal one.
func (p parsedPath) String() string {
	s := p.name
	if p.filter != nil {
		s += "[" + p.filter.String() + "]"
		if p.sub != "" {
			s += "." + p.sub
		}
	}
	return s
}
