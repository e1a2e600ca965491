package scim

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// filterAmong parses a filter and resolves its names against the schema of the type. An unknown attribute is 400 with invalidFilter. In a question to several
// types at once, what only another of them has is unassigned here (RFC 7644 section 3.4.2.1).
func (t *resourceType) filterAmong(types []*resourceType, text string, d dialect) (*identity.Filter, error) {
	e, err := parseFilter(text, d.limits)
	if err != nil {
		return nil, err
	}
	return resolver{t: t, d: d, among: types}.resolve(e)
}

// resolver turns a filter as written into one that the store can compile. With in set it is inside a value path of that attribute.
type resolver struct {
	t     *resourceType
	d     dialect
	in    *attribute
	among []*resourceType // the types that are asked at once, when there are several
}

// elsewhere reports whether a name is that of an attribute of another type that is asked too.
func (r resolver) elsewhere(name string) bool {
	return slices.ContainsFunc(r.among, func(t *resourceType) bool {
		_, ok := t.resolve(name, r.d.bareNames)
		return ok && t != r.t
	})
}

// absent resolves a comparison of an attribute that a type does not have.
func absent(e *expr) *identity.Filter {
	return constant(e.op == identity.OpNe && e.value != nil || e.op == identity.OpEq && e.value == nil)
}

func (r resolver) resolve(e *expr) (*identity.Filter, error) {
	switch e.op {
	case identity.OpAnd, identity.OpOr, identity.OpNot:
		f := &identity.Filter{Op: e.op}
		for _, k := range e.kids {
			c, err := r.resolve(k)
			if err != nil {
				return nil, err
			}
			f.Children = append(f.Children, c)
		}
		return f, nil
	case identity.OpExists:
		return r.exists(e)
	}
	if r.in != nil {
		return r.element(e)
	}
	return r.top(e)
}

func (r resolver) unknown(name string) error {
	return bad(invalidFilter, "%s is no attribute of a %s that can be filtered on.", clip(name), r.t.name)
}

// exists resolves a value path.
func (r resolver) exists(e *expr) (*identity.Filter, error) {
	at, ok := r.t.resolve(e.name, r.d.bareNames)
	if !ok && r.elsewhere(e.name) {
		return absent(e), nil
	}
	if !ok || at.attr == nil || at.sub != nil || at.attr.hidden() {
		return nil, r.unknown(e.name)
	}
	if !at.attr.multi {
		return nil, bad(invalidFilter, "%s has only one value; write %s.… instead of %s[…].", clip(e.name), clip(e.name), clip(e.name))
	}
	child, err := resolver{t: r.t, d: r.d, in: at.attr}.resolve(e.kids[0])
	if err != nil {
		return nil, err
	}
	if at.ext == nil && at.attr.name == "schemas" {
		return r.heldSchemas(func(urn string) bool { return matches(child, urn) }), nil
	}
	return &identity.Filter{Op: identity.OpExists, Attr: at.attribute(), Children: []*identity.Filter{child}}, nil
}

// element resolves a comparison inside a value path, where only sub-attributes can be named.
func (r resolver) element(e *expr) (*identity.Filter, error) {
	sub := r.in.index[strings.ToLower(e.name)]
	if sub == nil || sub.hidden() {
		return nil, bad(invalidFilter, "%s has no sub-attribute %s.", r.in.path(), clip(e.name))
	}
	at := identity.Attribute{Type: sub.filterType(), CaseExact: sub.caseExact}
	if r.in.kind == kindComplex { // else the element is its own value
		at.Sub = sub.name
	}
	return r.compare(e, at, sub)
}

// top resolves a comparison of an attribute of the resource.
func (r resolver) top(e *expr) (*identity.Filter, error) {
	at, ok := r.t.resolve(e.name, r.d.bareNames)
	if !ok {
		if r.elsewhere(e.name) {
			return absent(e), nil
		}
		return nil, r.unknown(e.name)
	}
	if at.attr == nil {
		return r.whole(e, at.ext)
	}
	if at.ext == nil && (at.attr.name == "schemas" || at.attr.name == "meta") {
		if f, done, err := r.derived(e, at); done {
			return f, err
		}
	}
	leaf := at.leaf()
	if at.attr.hidden() || leaf.hidden() {
		return nil, r.unknown(e.name)
	}
	if leaf.kind == kindComplex && e.value != nil { // pr and null speak of the attribute itself
		if at.sub = leaf.value(); at.sub == nil || at.sub.hidden() {
			return nil, bad(invalidFilter, "%s is complex; name one of its sub-attributes.", clip(e.name))
		}
		leaf = at.sub
	}
	return r.compare(e, at.attribute(), leaf)
}

// whole resolves "URN pr": the extension is there when one of its attributes is.
func (r resolver) whole(e *expr, x *extension) (*identity.Filter, error) {
	switch {
	case e.op != identity.OpPr:
		return nil, r.unknown(e.name)
	case x == nil:
		return always(), nil
	}
	return present(x), nil
}

func present(x *extension) *identity.Filter {
	f := &identity.Filter{Op: identity.OpOr}
	for _, a := range x.attrs {
		f.Children = append(f.Children, &identity.Filter{Op: identity.OpPr, Attr: ref{ext: x, attr: a}.attribute()})
	}
	return f
}

// compare builds one comparison. A value of another type can never be equal: eq matches nothing and ne everything.
func (r resolver) compare(e *expr, at identity.Attribute, leaf *attribute) (*identity.Filter, error) {
	if e.op == identity.OpPr {
		return &identity.Filter{Op: identity.OpPr, Attr: at}, nil
	}
	if e.value == nil {
		return r.null(e, at)
	}
	if leaf.name == "$ref" && (leaf.parent == membersAttr || leaf.parent == groupsAttr) {
		return r.reference(e, at)
	}
	if !supports(leaf, e.op) {
		return nil, bad(invalidFilter, "%s is of type %s, which %s cannot compare.", leaf.path(), leaf.kind, e.op)
	}
	v, ok, err := r.literal(leaf, e.value)
	switch {
	case err != nil:
		return nil, err
	case ok:
		return &identity.Filter{Op: e.op, Attr: at, Value: v}, nil
	case e.op == identity.OpNe:
		return always(), nil
	}
	return never(), nil
}

// reference resolves a comparison of $ref of members and groups, which is made of value: it ends with it.
func (r resolver) reference(e *expr, at identity.Attribute) (*identity.Filter, error) {
	s, ok := e.value.(string)
	if !ok || e.op != identity.OpEq && e.op != identity.OpNe {
		return nil, bad(invalidFilter, "$ref can only be compared with eq and ne, to a string; or filter on value.")
	}
	at.Sub, at.CaseExact = "value", false
	return &identity.Filter{Op: e.op, Attr: at, Value: s[strings.LastIndexByte(s, '/')+1:]}, nil
}

// null resolves a comparison with null, which means unassigned (RFC 7643 section 2.5).
func (r resolver) null(e *expr, at identity.Attribute) (*identity.Filter, error) {
	pr := &identity.Filter{Op: identity.OpPr, Attr: at}
	switch e.op {
	case identity.OpEq:
		return &identity.Filter{Op: identity.OpNot, Children: []*identity.Filter{pr}}, nil
	case identity.OpNe:
		return pr, nil
	}
	return nil, bad(invalidFilter, "null can only be compared with eq and ne.")
}

// supports reports whether an operator has a meaning for the type (RFC 7644 table 3).
func supports(a *attribute, op identity.FilterOp) bool {
	switch op {
	case identity.OpEq, identity.OpNe:
		return true
	case identity.OpCo, identity.OpSw, identity.OpEw:
		return a.filterType() == identity.TypeString
	}
	return a.kind != kindBoolean && a.kind != kindBinary
}

// literal turns the value of a filter into that of the attribute's type; ok is false when it is of another type.
func (r resolver) literal(a *attribute, v any) (value any, ok bool, err error) {
	switch a.filterType() {
	case identity.TypeBoolean:
		return r.booleanLiteral(v)
	case identity.TypeInteger, identity.TypeDecimal:
		n, isNumber := v.(json.Number)
		if !isNumber {
			return nil, false, nil
		}
		if i, err := n.Int64(); err == nil && a.kind == kindInteger {
			return i, true, nil
		}
		f, err := n.Float64()
		return f, err == nil, nil
	case identity.TypeDateTime:
		s, isString := v.(string)
		if !isString {
			return nil, false, nil
		}
		t, err := parseTime(s)
		if err != nil {
			return nil, false, bad(invalidFilter, "%q is no date with time; write it as 2008-01-23T04:56:22Z.", clip(s))
		}
		return t, true, nil
	}
	s, ok := v.(string)
	return s, ok, nil
}

func (r resolver) booleanLiteral(v any) (value any, ok bool, err error) {
	switch b := v.(type) {
	case bool:
		return b, true, nil
	case string:
		if r.d.filterStrings {
			value, ok := foldedBoolean(b)
			return value, ok, nil
		}
	}
	return nil, false, nil
}

func never() *identity.Filter { return &identity.Filter{Op: identity.OpNone} }

func always() *identity.Filter {
	return &identity.Filter{Op: identity.OpNot, Children: []*identity.Filter{never()}}
}

func constant(b bool) *identity.Filter {
	if b {
		return always()
	}
	return never()
}

// derived resolves what no resource stores: schemas and meta.resourceType follow from the type and from what a resource holds,
// meta.location from its id. done is false for attributes that the store has.
func (r resolver) derived(e *expr, at ref) (f *identity.Filter, done bool, err error) {
	switch {
	case e.op == identity.OpPr && (at.sub == nil || at.sub.filterType() == identity.TypeString):
		return always(), true, nil
	case at.attr.name == "schemas":
		f, err = r.schemas(e)
		return f, true, err
	case at.sub == nil:
		return nil, true, bad(invalidFilter, "meta is complex; name one of its sub-attributes.")
	case at.sub.name == "resourceType":
		return constant(compareText(e.op, r.t.name, e.value, true)), true, nil
	case at.sub.name == "location" && (e.op == identity.OpEq || e.op == identity.OpNe):
		f, err = r.location(e)
		return f, true, err
	case at.sub.name == "location", at.sub.name == "version":
		return nil, true, r.unknown(e.name)
	}
	return nil, false, nil
}

func (r resolver) location(e *expr) (*identity.Filter, error) {
	s, ok := e.value.(string)
	i := strings.LastIndex(s, "/"+r.t.plural+"/")
	if !ok || i < 0 {
		return constant(e.op == identity.OpNe), nil
	}
	return r.top(&expr{op: e.op, name: "id", value: s[i+len(r.t.plural)+2:]})
}

// schemas resolves a comparison of the list of schemas: that of the type, which every resource has, and the extensions that it holds.
func (r resolver) schemas(e *expr) (*identity.Filter, error) {
	if e.value == nil {
		return constant(e.op == identity.OpNe), nil
	}
	return r.heldSchemas(func(urn string) bool { return compareText(e.op, urn, e.value, false) }), nil
}

// heldSchemas resolves a question to each of the schemas of a resource: one that fits is enough.
func (r resolver) heldSchemas(fits func(urn string) bool) *identity.Filter {
	if fits(r.t.schema.ID) {
		return always()
	}
	f := &identity.Filter{Op: identity.OpOr, Children: []*identity.Filter{never()}}
	for _, x := range r.t.extensions {
		if fits(x.urn) {
			f.Children = append(f.Children, present(x))
		}
	}
	return f
}
