package scim

import (
	"maps"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// This file holds the rules of RFC 7643 section 2.2 that declared schemas may use and the standard's own do not: whole lists that are required,
// values that stay, values that nobody sees, values that only one resource has.

// hidden reports whether a value is never shown, so that nobody may filter or sort by it either: each answer would tell a part of it.
func (a *attribute) hidden() bool { return a.returned == "never" }

// neededOf returns the attributes that a resource must have, or of which a part is needed. What the server sets is not asked for.
func neededOf(list []*attribute) []*attribute {
	var out []*attribute
	for _, a := range list {
		if !a.readOnly && (a.required || len(a.needed) > 0) {
			out = append(out, a)
		}
	}
	return out
}

// fixedOf returns the attributes of which a PUT leaves something: immutable values, and hidden ones that the client cannot repeat.
func fixedOf(list []*attribute) []*attribute {
	var out []*attribute
	for _, a := range list {
		if a.immutable || a.hidden() || !a.multi && len(fixedOf(a.subs)) > 0 {
			out = append(out, a)
		}
	}
	return out
}

// prepare notes what the rules of a type need at each request.
func (t *resourceType) prepare() {
	t.needed, t.fixed = neededOf(t.attrs), fixedOf(t.attrs)
	t.strict, t.partial = t.declared, false
	lists := [][]*attribute{t.attrs}
	for _, x := range t.extensions {
		lists = append(lists, x.attrs)
		t.strict = t.strict || x.required || len(x.needed) > 0 || len(x.fixed) > 0
	}
	for _, list := range lists {
		t.partial = t.partial || slices.ContainsFunc(list, (*attribute).isPartial)
	}
}

// isPartial reports whether an answer that asks for nothing in particular leaves out the value or a part of it.
func (a *attribute) isPartial() bool {
	return a.hidden() || a.returned == "request" || slices.ContainsFunc(a.subs, (*attribute).isPartial)
}

// veils returns the paths of the hidden attributes, as a stored resource has them.
func (t *resourceType) veils() []identity.Veil {
	out := veilsOf(nil, t.attrs)
	for _, x := range t.extensions {
		out = append(out, veilsOf(identity.Veil{x.urn}, x.attrs)...)
	}
	return out
}

func veilsOf(above identity.Veil, list []*attribute) []identity.Veil {
	var out []identity.Veil
	for _, a := range list {
		path := append(slices.Clone(above), a.name)
		if a.hidden() {
			out = append(out, path)
		} else {
			out = append(out, veilsOf(path, a.subs)...)
		}
	}
	return out
}

// canonicalValue returns the spelling of the schema for a value that must be one of its list.
func canonicalValue(a *attribute, s string) (any, error) {
	for _, v := range a.allowed {
		if v == s || !a.caseExact && strings.EqualFold(v, s) {
			return v, nil
		}
	}
	return nil, bad(invalidValue, "%s must be one of %s.", a.path(), strings.Join(a.allowed, ", "))
}

// checkRequired finds something required that a resource lacks: an attribute, a sub-attribute of a value, or a whole extension.
func (t *resourceType) checkRequired(res object) error {
	if err := checkNeeded(t.needed, res); err != nil {
		return err
	}
	for _, x := range t.extensions {
		part, there := res[x.urn].(object)
		switch {
		case there:
			if err := checkNeeded(x.needed, part); err != nil {
				return err
			}
		case x.required:
			return bad(invalidValue, "The extension %s is required; send its attributes under its name.", x.urn)
		}
	}
	return nil
}

func checkNeeded(needed []*attribute, holder object) error {
	for _, a := range needed {
		v := holder[a.name]
		if s, isText := v.(string); v == nil || isText && strings.TrimSpace(s) == "" {
			if a.required {
				return bad(invalidValue, "%s is required and must not be empty.", a.path())
			}
			continue
		}
		for _, e := range listOf(v) {
			if o, ok := e.(object); ok {
				if err := checkNeeded(a.needed, o); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// snapshot returns the resource as it is before a change, for checkPatched; nil for types that need none.
func (t *resourceType) snapshot(res object) object {
	if !t.strict {
		return nil
	}
	return maps.Clone(res) // a change replaces values, it does not change them inside
}

// checkPatched checks the result of a PATCH. A resource that lacked something required before, since the schema was not there yet, may go on
// lacking it: to refuse would also keep a person from being deactivated.
func (t *resourceType) checkPatched(before, after object) error {
	err := t.checkRequired(after)
	if before == nil || err != nil && t.checkRequired(before) == nil {
		return err
	}
	if err := checkFixed(t.fixed, before, after); err != nil {
		return err
	}
	for _, x := range t.extensions {
		old, _ := before[x.urn].(object)
		part, _ := after[x.urn].(object)
		if err := checkFixed(x.fixed, old, part); err != nil {
			return err
		}
	}
	return nil
}

// checkFixed refuses a change of an immutable value (RFC 7643 section 2.2).
func checkFixed(fixed []*attribute, before, after object) error {
	for _, a := range fixed {
		old, ok := before[a.name]
		switch {
		case !ok:
		case a.immutable && !equal(old, after[a.name]):
			return bad(mutability, "%s cannot be changed once it is set.", a.path())
		case !a.multi && a.kind == kindComplex:
			was, _ := old.(object)
			is, _ := after[a.name].(object)
			if err := checkFixed(fixedOf(a.subs), was, is); err != nil {
				return err
			}
		}
	}
	return nil
}

// replaced returns what a PUT makes of a resource: the body, with what the body leaves out and must not lose (RFC 7644 section 3.5.1).
// An immutable value that the body changes is an error.
func (t *resourceType) replaced(old, body object) (object, error) {
	if !t.strict {
		return body, nil
	}
	res := maps.Clone(body)
	if err := keepFixed(t.fixed, old, res); err != nil {
		return nil, err
	}
	for _, x := range t.extensions {
		was, _ := old[x.urn].(object)
		is, _ := res[x.urn].(object)
		part := maps.Clone(is)
		if part == nil {
			part = object{}
		}
		if err := keepFixed(x.fixed, was, part); err != nil {
			return nil, err
		}
		if len(part) > 0 {
			res[x.urn] = part
		}
	}
	return res, nil
}

func keepFixed(fixed []*attribute, old, res object) error {
	for _, a := range fixed {
		was, ok := old[a.name]
		if !ok {
			continue
		}
		is, given := res[a.name]
		switch {
		case !given && (a.immutable || a.hidden()):
			res[a.name] = was
		case a.immutable && !equal(was, is):
			return bad(mutability, "%s cannot be changed once it is set; send %s as it is, or leave it out.", a.path(), a.name)
		case given && !a.multi && a.kind == kindComplex:
			before, _ := was.(object)
			now, _ := is.(object)
			after := maps.Clone(now)
			if err := keepFixed(fixedOf(a.subs), before, after); err != nil {
				return err
			}
			res[a.name] = after
		}
	}
	return nil
}

// keys returns the values of a resource that only it may have, in the form in which they are compared.
func (t *resourceType) keys(res object) []identity.ResourceKey {
	out := keysOf(nil, t.attrs, res)
	for _, x := range t.extensions {
		part, _ := res[x.urn].(object)
		out = keysOf(out, x.attrs, part)
	}
	slices.SortFunc(out, func(a, b identity.ResourceKey) int {
		return strings.Compare(a.Attribute+"\x00"+a.Value, b.Attribute+"\x00"+b.Value)
	})
	return slices.Compact(out)
}

func keysOf(out []identity.ResourceKey, list []*attribute, holder object) []identity.ResourceKey {
	for _, a := range list {
		if a.schema == "" && a.name == "id" {
			continue
		}
		for _, v := range listOf(holder[a.name]) {
			if o, ok := v.(object); ok {
				out = keysOf(out, a.subs, o)
				continue
			}
			if !a.unique || v == nil {
				continue
			}
			text, isText := v.(string)
			switch {
			case !isText:
				text = encodeText(v)
			case !a.caseExact:
				text = strings.ToLower(text)
			}
			out = append(out, identity.ResourceKey{Attribute: a.path(), Value: text})
		}
	}
	return out
}
