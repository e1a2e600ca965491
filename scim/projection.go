package scim

import (
	"slices"
	"strings"
)

// projection is which attributes an answer has (RFC 7644 section 3.9). The zero value is what is returned by default.
type projection struct {
	only    selection // nil: the default
	without selection
}

// selection maps an attribute to the sub-attributes that were named; nil inside: all of it.
type selection map[*attribute]map[*attribute]bool

// projection reads the parameters attributes and excludedAttributes; each is a list of names. A name that nobody knows selects nothing.
func (t *resourceType) projection(only, without []string, d dialect) projection {
	var p projection
	if len(only) > 0 {
		p.only = t.selection(only, d)
	}
	if len(without) > 0 {
		p.without = t.selection(without, d)
	}
	return p
}

// exclusive refuses both parameters at once: RFC 7644 section 3.9 calls them mutually exclusive, and what a client means by both is a guess.
func exclusive(only, without []string) error {
	if len(only) > 0 && len(without) > 0 {
		return bad(invalidValue, "attributes and excludedAttributes exclude each other. Send only one of them.")
	}
	return nil
}

func (t *resourceType) selection(names []string, d dialect) selection {
	s := selection{}
	for _, name := range names {
		r, ok := t.resolve(strings.TrimSpace(name), d.bareNames)
		switch {
		case !ok:
		case r.attr != nil:
			s.add(r.attr, r.sub)
		case r.ext != nil:
			s.all(r.ext.attrs)
		default:
			s.all(t.attrs)
		}
	}
	return s
}

func (s selection) all(list []*attribute) {
	for _, a := range list {
		s.add(a, nil)
	}
}

func (s selection) add(a, sub *attribute) {
	subs, there := s[a]
	switch {
	case sub == nil || sub.parent.kind != kindComplex:
		s[a] = nil
	case !there:
		s[a] = map[*attribute]bool{sub: true}
	case subs != nil:
		subs[sub] = true
	}
}

// wants reports whether an attribute is in the answer, whole or in part.
func (p projection) wants(a *attribute) bool {
	switch a.returned {
	case "always":
		return true
	case "never":
		return false
	}
	if p.only != nil {
		if _, named := p.only[a]; !named {
			return false
		}
	} else if a.returned == "request" {
		return false
	}
	subs, named := p.without[a]
	return !named || subs != nil
}

// wantsSub reports the same of a sub-attribute of a wanted attribute.
func (p projection) wantsSub(a, sub *attribute) bool {
	if sub.returned == "always" {
		return true
	}
	subs, named := p.only[a]
	if subs != nil && !subs[sub] || sub.returned == "request" && !named {
		return false
	}
	return sub.returned != "never" && !p.without[a][sub]
}

// shows reports whether anything is left of the value of a wanted attribute: what would be an empty object or list is not there at all, since
// that is the same (RFC 7643 section 2.5).
func (p projection) shows(a *attribute, v any) bool {
	switch t := v.(type) {
	case []any:
		return slices.ContainsFunc(t, func(e any) bool { return p.shows(a, e) })
	case object:
		return slices.ContainsFunc(a.subs, func(sub *attribute) bool {
			_, there := t[sub.name]
			return there && p.wantsSub(a, sub)
		})
	}
	return true
}

// plain reports whether nothing but whole attributes from the list is left out, and nothing was asked for in particular.
func (p projection) plain(but *attribute) bool {
	if p.only != nil {
		return false
	}
	for a, subs := range p.without {
		if a != but || subs != nil {
			return false
		}
	}
	return true
}
