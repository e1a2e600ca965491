package scim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

func sortedNames(o object) []string { return slices.Sorted(maps.Keys(o)) }

// attributes reads a list of attributes; parent is the complex attribute that they are part of, or nil. The result has every member that
// RFC 7643 section 7 knows, the defaults of section 2.2 too.
func (r *schemaReader) attributes(o object, at, name string, parent object) []any {
	var out []any
	seen := map[string]bool{}
	for i, raw := range r.objects(o, at, name) {
		place := fmt.Sprintf("%s[%d]", dotted(at, name), i)
		a := r.attribute(raw, place, parent)
		low := strings.ToLower(textOf(a["name"]))
		if seen[low] {
			r.wrong(dotted(place, "name"), "there are two attributes named %s.", textOf(a["name"]))
		}
		seen[low] = true
		out = append(out, a)
	}
	return out
}

var kinds = []string{"string", kindBoolean, kindDecimal, kindInteger, kindDateTime, kindRef, kindBinary, kindComplex}

// attribute reads one attribute.
func (r *schemaReader) attribute(o object, at string, parent object) object {
	r.members(o, at, "name", "type", "subAttributes", "multiValued", "description", "required", "canonicalValues", "caseExact", "mutability",
		"returned", "uniqueness", "referenceTypes")
	a := object{
		"name": r.text(o, at, "name", ""), "type": r.text(o, at, "type", "string", kinds...), "description": r.text(o, at, "description", ""),
		"multiValued": r.flag(o, at, "multiValued"), "required": r.flag(o, at, "required"), "caseExact": r.flag(o, at, "caseExact"),
		"mutability": r.text(o, at, "mutability", "readWrite", "readOnly", "readWrite", "immutable", "writeOnly"),
		"uniqueness": r.text(o, at, "uniqueness", "none", "none", "server", "global"),
	}
	returned := "default"
	if a["mutability"] == "writeOnly" {
		returned = "never"
	}
	a["returned"] = r.text(o, at, "returned", returned, "always", "never", "default", "request")
	for _, name := range []string{"canonicalValues", "referenceTypes"} {
		if list := r.texts(o, at, name); list != nil {
			a[name] = list
		}
	}
	if a["type"] == kindComplex && parent == nil {
		a["subAttributes"] = r.attributes(o, at, "subAttributes", a)
	}
	r.checkAttribute(o, a, at, parent)
	return a
}

// checkAttribute finds what contradicts itself or cannot be done.
func (r *schemaReader) checkAttribute(o, a object, at string, parent object) {
	name, kind := textOf(a["name"]), a["type"]
	_, subs := o["subAttributes"]
	text := kind == "string" || kind == kindRef || kind == kindBinary || kind == kindDateTime
	for _, m := range []struct {
		bad  bool
		what string
		why  string
	}{
		{!attributeForm.MatchString(name) && !(parent != nil && name == "$ref"), "name", "it must be a letter followed by letters, digits, hyphens and underscores."},
		{parent == nil && slices.Contains([]string{"id", "externalid", "meta", "schemas"}, strings.ToLower(name)), "name", "every resource has this attribute already."},
		{parent != nil && kind == kindComplex, "type", "a sub-attribute cannot be complex (RFC 7643 section 2.3.8)."},
		{parent != nil && parent["multiValued"] == true && name == "primary" && kind != kindBoolean, "type", "primary must be a boolean (RFC 7643 section 2.4)."},
		{parent != nil && a["multiValued"] == true && parent["multiValued"] == true, "multiValued", "a list inside the elements of a list cannot be addressed by a path."},
		{kind == kindComplex && len(listOf(a["subAttributes"])) == 0 && parent == nil, "subAttributes", "a complex attribute needs at least one."},
		{kind != kindComplex && subs, "subAttributes", "only a complex attribute has sub-attributes."},
		{a["canonicalValues"] != nil && kind != "string", "canonicalValues", "only a string has them."},
		{a["referenceTypes"] != nil && kind != kindRef, "referenceTypes", "only a reference has them."},
		{a["uniqueness"] != "none" && (kind == kindComplex || kind == kindBoolean), "uniqueness", "no complex attribute and no boolean can be unique."},
		{a["caseExact"] == true && !text, "caseExact", "only text has a case."},
		{a["required"] == true && a["mutability"] == "readOnly", "required", "nobody could send an attribute that is readOnly too."},
		{a["mutability"] == "writeOnly" && a["returned"] != "never", "returned", "what is writeOnly is never returned (RFC 7643 section 7)."},
	} {
		if m.bad {
			r.wrong(dotted(at, m.what), "%s", m.why)
		}
	}
}
