package scim

import (
	"strings"

	"github.com/elimity-com/scim/schema"

	"github.com/drawbridge-id/drawbridge/identity"
)

// attribute is one attribute of a schema (RFC 7643 section 7) with everything that reading, filtering and projecting need.
type attribute struct {
	schema    string // URN of the extension; empty for the core schema
	name      string // canonical spelling
	kind      string // the data type in the words of the RFC
	multi     bool
	required  bool
	caseExact bool
	readOnly  bool
	immutable bool
	returned  string       // always, never, default or request
	unique    bool         // within the directory; only of declared types
	allowed   []string     // of a declared schema: no other value is accepted
	needed    []*attribute // of subs: those that are required
	subs      []*attribute
	index     map[string]*attribute // sub-attributes by lower-case name
	parent    *attribute            // of a sub-attribute
}

// The data types that the door treats in their own way (RFC 7643 section 2.3).
const (
	kindBoolean  = "boolean"
	kindInteger  = "integer"
	kindDecimal  = "decimal"
	kindDateTime = "dateTime"
	kindBinary   = "binary"
	kindRef      = "reference"
	kindComplex  = "complex"
)

// newAttribute reads an attribute of a schema of the library.
func newAttribute(urn string, parent *attribute, c schema.CoreAttribute) *attribute {
	a := &attribute{
		schema: urn, name: c.Name(), kind: c.AttributeType(), multi: c.MultiValued(), required: c.Required(), caseExact: c.CaseExact(),
		readOnly: c.Mutability() == "readOnly", immutable: c.Mutability() == "immutable", returned: c.Returned(), parent: parent,
		unique: c.Uniqueness() == "server" || c.Uniqueness() == "global",
	}
	if c.Mutability() == "writeOnly" {
		a.returned = "never" // RFC 7643 section 7
	}
	if a.kind == kindRef || a.kind == kindBinary {
		a.caseExact = true // RFC 7643 2.3.6, 2.3.7
	}
	for _, s := range c.SubAttributes() {
		a.subs = append(a.subs, newAttribute(urn, a, s))
	}
	a.index, a.needed = indexOf(a.subs), neededOf(a.subs)
	if a.multi && a.kind != kindComplex { // RFC 7643 2.4: the value of a simple element is called value
		v := *a
		v.name, v.multi, v.required, v.index, v.parent = "value", false, false, nil, a
		a.index = map[string]*attribute{"value": &v}
	}
	return a
}

func indexOf(list []*attribute) map[string]*attribute {
	m := make(map[string]*attribute, len(list))
	for _, a := range list {
		m[strings.ToLower(a.name)] = a
	}
	return m
}

// path returns the name by which a client would address the attribute.
func (a *attribute) path() string {
	switch {
	case a.parent != nil:
		return a.parent.path() + "." + a.name
	case a.schema != "":
		return a.schema + ":" + a.name
	}
	return a.name
}

// value returns the sub-attribute that stands for a complex attribute when a filter names no other, or nil.
func (a *attribute) value() *attribute {
	return a.index["value"]
}

// filterType returns the type as the store knows it: references and binaries are compared as strings.
func (a *attribute) filterType() identity.AttributeType {
	switch a.kind {
	case kindBoolean:
		return identity.TypeBoolean
	case kindInteger:
		return identity.TypeInteger
	case kindDecimal:
		return identity.TypeDecimal
	case kindDateTime:
		return identity.TypeDateTime
	case kindComplex:
		return identity.TypeComplex
	}
	return identity.TypeString
}

// extension is a schema that adds attributes to a resource type, kept under its URN in a resource.
type extension struct {
	urn      string
	schema   schema.Schema
	attrs    []*attribute
	index    map[string]*attribute
	required bool // each resource of the type must have it

	needed []*attribute // as in resourceType
	fixed  []*attribute
}

func newExtension(s schema.Schema) *extension {
	x := &extension{urn: s.ID, schema: s}
	for _, c := range s.Attributes {
		x.attrs = append(x.attrs, newAttribute(s.ID, nil, c))
	}
	x.index, x.needed, x.fixed = indexOf(x.attrs), neededOf(x.attrs), fixedOf(x.attrs)
	return x
}

// ref is what a name in a path, filter or parameter stands for: an attribute, a sub-attribute, a whole extension (attr is nil), or
// the resource itself (ext is nil too).
type ref struct {
	ext  *extension
	attr *attribute
	sub  *attribute
}

// leaf returns the attribute that holds the value.
func (r ref) leaf() *attribute {
	if r.sub != nil {
		return r.sub
	}
	return r.attr
}

// attribute returns the reference as the store knows it.
func (r ref) attribute() identity.Attribute {
	leaf := r.leaf()
	a := identity.Attribute{
		Schema: r.attr.schema, Name: r.attr.name, Type: leaf.filterType(), CaseExact: leaf.caseExact, MultiValued: r.attr.multi,
	}
	if r.sub != nil && r.attr.kind == kindComplex {
		a.Sub = r.sub.name
	}
	return a
}
