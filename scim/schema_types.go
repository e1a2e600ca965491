package scim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/elimity-com/scim/schema"
)

// taken are the endpoints that the door has already (RFC 7644 section 3.2).
var taken = []string{"/Users", "/Groups", "/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/Bulk", "/Me"}

// resourceType reads one resource type (RFC 7643 section 6).
func (r *schemaReader) resourceType(o object, at string) {
	r.members(o, at, "schemas", "id", "name", "endpoint", "description", "schema", "schemaExtensions", "meta")
	name := r.text(o, at, "name", "")
	if !typeForm.MatchString(name) {
		r.wrong(dotted(at, "name"), "it must be a letter followed by letters, digits, hyphens and underscores.")
	}
	if id := r.text(o, at, "id", name); id != name {
		r.wrong(dotted(at, "id"), "it must be the same as name, or be left out.")
	}
	switch name {
	case userType.name:
		r.extend(o, at, userType, &r.out.user)
	case groupType.name:
		r.extend(o, at, groupType, &r.out.group)
	default:
		r.ownType(o, at, name)
	}
}

// extend reads the extensions of a type of the standard.
func (r *schemaReader) extend(o object, at string, t *resourceType, to *[]*extension) {
	if *to != nil {
		r.wrong(dotted(at, "name"), "there are two resource types named %s.", t.name)
	}
	r.text(o, at, "schema", t.schema.ID, t.schema.ID)
	r.text(o, at, "endpoint", "/"+t.plural, "/"+t.plural)
	r.text(o, at, "description", "")
	*to = r.extensions(o, at, t)
	if len(*to) == 0 {
		r.wrong(dotted(at, "schemaExtensions"), "a %s is known already; name the extensions that it gets.", t.name)
	}
	for _, x := range *to {
		if keys := uniqueAttributes(x.attrs); len(keys) > 0 {
			r.wrong(at, "%s cannot be unique: uniqueness is kept among resources of declared types only. Declare it with uniqueness none.", keys[0].path())
		}
	}
}

func uniqueAttributes(list []*attribute) []*attribute {
	var out []*attribute
	for _, a := range list {
		if a.unique {
			out = append(out, a)
		}
		out = append(out, uniqueAttributes(a.subs)...)
	}
	return out
}

// ownType reads a type that the standard does not have.
func (r *schemaReader) ownType(o object, at, name string) {
	t := resourceType{name: name, declared: true, description: r.text(o, at, "description", "")}
	endpoint := r.text(o, at, "endpoint", "")
	if !endpointForm.MatchString(endpoint) {
		r.wrong(dotted(at, "endpoint"), "it must be a slash followed by a name, such as /Devices.")
	}
	t.plural = strings.TrimPrefix(endpoint, "/")
	same := func(s string) bool { return strings.EqualFold(s, endpoint) }
	if slices.ContainsFunc(taken, same) || slices.ContainsFunc(r.out.types, func(o *resourceType) bool { return strings.EqualFold(o.plural, t.plural) }) {
		r.wrong(dotted(at, "endpoint"), "%s is taken.", endpoint)
	}
	if strings.EqualFold(name, userType.name) || strings.EqualFold(name, groupType.name) ||
		slices.ContainsFunc(r.out.types, func(o *resourceType) bool { return strings.EqualFold(o.name, name) }) {
		r.wrong(dotted(at, "name"), "there are two resource types named %s.", name)
	}
	urn := r.text(o, at, "schema", "")
	d := r.schemas[strings.ToLower(urn)]
	if d == nil {
		r.wrong(dotted(at, "schema"), "%q is none of the schemas of this file.", urn)
		return
	}
	d.used = true
	t.schema = d.schema
	t.extensions = r.extensions(o, at, &t)
	done := newResourceType(t)
	restrict(done.attrs, d.schema)
	r.out.types = append(r.out.types, done)
}

// extensions reads schemaExtensions.
func (r *schemaReader) extensions(o object, at string, t *resourceType) []*extension {
	out := []*extension{}
	for i, e := range r.objects(o, at, "schemaExtensions") {
		place := fmt.Sprintf("%s[%d]", dotted(at, "schemaExtensions"), i)
		r.members(e, place, "schema", "required")
		urn, required := r.text(e, place, "schema", ""), r.flag(e, place, "required")
		s, ok := r.extensionSchema(t, urn)
		switch {
		case !ok:
			r.wrong(dotted(place, "schema"), "%q is none of the schemas of this file.", urn)
			continue
		case strings.EqualFold(s.ID, t.schema.ID) || slices.ContainsFunc(out, func(x *extension) bool { return strings.EqualFold(x.urn, urn) }):
			r.wrong(dotted(place, "schema"), "%s is a schema of this resource type already.", urn)
			continue
		}
		x := newExtension(s)
		x.required = required
		if !strings.EqualFold(urn, enterpriseURN) {
			restrict(x.attrs, s)
		}
		out = append(out, x)
	}
	return out
}

// extensionSchema returns the schema of an extension: one of the file, or that of enterprise users, which can be made required.
func (r *schemaReader) extensionSchema(t *resourceType, urn string) (schema.Schema, bool) {
	if t.name == userType.name && strings.EqualFold(urn, enterpriseURN) {
		return schema.ExtensionEnterpriseUser(), true
	}
	d := r.schemas[strings.ToLower(urn)]
	if d == nil {
		return schema.Schema{}, false
	}
	d.used = true
	return d.schema, true
}

// restrict lets the attributes of a declared schema take only the canonical values that it lists. Those of the standard are suggestions.
func restrict(list []*attribute, s schema.Schema) {
	for _, a := range list {
		if c, ok := s.Attributes.ContainsAttribute(a.name); ok {
			a.restrict(c)
		}
	}
}

func (a *attribute) restrict(c schema.CoreAttribute) {
	if values := c.CanonicalValues(); len(values) > 0 {
		a.allowed = values
		if v := a.value(); a.multi && a.kind != kindComplex && v != nil {
			v.allowed = values
		}
	}
	for _, sub := range a.subs {
		if c, ok := c.SubAttributes().ContainsAttribute(sub.name); ok {
			sub.restrict(c)
		}
	}
}
