package scim

import (
	"maps"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// list applies an operation to all of a multi-valued attribute.
func (p *patcher) list(o operation, a *attribute, holder object) error {
	old, _ := holder[a.name].([]any)
	if o.op == opRemove {
		return p.removeListed(o, a, holder, old)
	}
	if o.value == nil {
		if o.op == opAdd {
			return nil
		}
		return unassign(a, holder, invalidValue)
	}
	v, err := p.d.value(a, o.value)
	if err != nil {
		return err
	}
	list, _ := v.([]any)
	if o.op == opAdd {
		list = merge(a, slices.Clone(old), list)
	}
	return keep(a, holder, list)
}

// removeListed removes a whole attribute, or, when a value came with the operation, only what the value lists: never more than that.
func (p *patcher) removeListed(o operation, a *attribute, holder object, old []any) error {
	if o.value == nil {
		return unassign(a, holder, mutability)
	}
	if !p.d.removeListed {
		return bad(invalidValue, `remove takes no value; name the values by a filter, such as %s[value eq "…"].`, a.path())
	}
	v, err := p.d.value(a, o.value)
	if err != nil {
		return err
	}
	gone, _ := v.([]any)
	left := slices.DeleteFunc(slices.Clone(old), func(e any) bool {
		return slices.ContainsFunc(gone, func(g any) bool { return covers(a, g, e) })
	})
	return keep(a, holder, left)
}

// covers reports whether an element has everything that a listed one names.
func covers(a *attribute, listed, e any) bool {
	l, ok1 := listed.(object)
	o, ok2 := e.(object)
	if !ok1 || !ok2 {
		return equal(listed, e)
	}
	for name, want := range l {
		got := o[name]
		if s, ok := want.(string); ok && !a.index[strings.ToLower(name)].caseExact {
			if t, ok := got.(string); ok && strings.EqualFold(s, t) {
				continue
			}
		}
		if !equal(got, want) {
			return false
		}
	}
	return true
}

// keep stores a list; an empty one is unassigned.
func keep(a *attribute, holder object, list []any) error {
	if len(list) > maxValues {
		return bad(invalidValue, "%s would have more than %d values.", a.path(), maxValues)
	}
	if len(list) == 0 {
		return unassign(a, holder, invalidValue)
	}
	holder[a.name] = list
	return nil
}

// elements applies an operation to the selected elements of a multi-valued attribute, or to one sub-attribute of each.
func (p *patcher) elements(o operation, t target, holder object) error {
	old, _ := holder[t.attr.name].([]any)
	list := slices.Clone(old)
	selected := p.selected(t, list)
	if len(selected) == 0 {
		return p.nothingSelected(o, t, holder, list)
	}
	if o.op == opAdd && o.value == nil {
		return nil
	}
	if t.sub == nil && (o.op == opRemove || o.value == nil) {
		return keep(t.attr, holder, without(list, selected))
	}
	primary := -1
	var gone []int
	for _, i := range selected {
		e, err := p.changed(o, t, list[i])
		if err != nil {
			return err
		}
		list[i] = e
		switch {
		case hollow(e):
			gone = append(gone, i)
		case isPrimary(e):
			primary = i
		}
	}
	if primary >= 0 && (t.sub == nil || t.sub.name == "primary") {
		keepPrimary(list, primary)
	}
	return keep(t.attr, holder, distinct(t.attr, without(list, gone)))
}

func (p *patcher) selected(t target, list []any) []int {
	var at []int
	for i, e := range list {
		if t.filter == nil || matches(t.filter, e) {
			at = append(at, i)
		}
	}
	return at
}

func without(list []any, gone []int) []any {
	var left []any
	for i, e := range list {
		if !slices.Contains(gone, i) {
			left = append(left, e)
		}
	}
	return left
}

// hollow reports whether an element says nothing any more: only what it is for, or whether it is preferred.
func hollow(e any) bool {
	o, ok := e.(object)
	if !ok {
		return e == nil
	}
	for name := range o {
		if name != "type" && name != "primary" {
			return false
		}
	}
	return true
}

// changed returns an element after the operation.
func (p *patcher) changed(o operation, t target, element any) (any, error) {
	old, ok := element.(object)
	if !ok { // the element of a simple attribute is its own value
		if o.op == opRemove {
			return nil, nil
		}
		return p.d.single(t.attr, o.value)
	}
	if t.sub != nil {
		return p.changedSub(o, t.sub, old)
	}
	given, err := p.element(t.attr, o.value)
	if err != nil {
		return nil, err
	}
	if o.op == opAdd {
		return p.joined(o.op, t.attr, old, given)
	}
	return p.joined(o.op, t.attr, demanded(t.filter), given) // replaced, but still what the filter selected
}

func (p *patcher) changedSub(o operation, sub *attribute, old object) (any, error) {
	e := maps.Clone(old)
	if o.op == opRemove {
		o.value = nil
	}
	value, err := p.d.value(sub, o.value)
	if err == nil {
		err = set(sub, e, value)
	}
	return e, err
}

// element returns the object that was sent for one element: itself, or a list of one.
func (p *patcher) element(a *attribute, v any) (object, error) {
	if list, ok := v.([]any); ok && len(list) == 1 {
		v = list[0]
	}
	if v == nil {
		return object{}, nil
	}
	return p.d.object(a, v)
}

// nothingSelected is what happens when no element fits: add makes one, replace does where no filter selected (RFC 7644 section 3.5.2.3)
// and in the dialects that ask for it, and for these remove is done already.
func (p *patcher) nothingSelected(o operation, t target, holder object, list []any) error {
	lenient := p.d.createMissing || t.filter == nil
	if o.op == opRemove && lenient {
		return nil
	}
	if o.op == opRemove || o.op == opReplace && !lenient || !conjunction(t.filter) {
		return bad(noTarget, "The path %q selects no value.", clip(o.path))
	}
	if o.value == nil {
		return nil
	}
	e := any(demanded(t.filter))
	if t.attr.kind != kindComplex {
		e = nil
	}
	e, err := p.changed(operation{op: opAdd, path: o.path, value: o.value}, t, e)
	if err != nil || hollow(e) {
		return err
	}
	return keep(t.attr, holder, merge(t.attr, list, []any{e}))
}

// conjunction reports whether a filter says exactly what an element must hold, so that one can be made.
func conjunction(f *identity.Filter) bool {
	switch {
	case f == nil || f.Op == identity.OpEq:
		return true
	case f.Op == identity.OpAnd:
		return !slices.ContainsFunc(f.Children, func(c *identity.Filter) bool { return !conjunction(c) })
	}
	return false
}

// demanded returns the sub-attributes that a filter asks for by eq.
func demanded(f *identity.Filter) object {
	out := object{}
	switch {
	case f == nil:
	case f.Op == identity.OpEq:
		switch f.Value.(type) {
		case string, bool:
			out[f.Attr.Sub] = f.Value
		}
	case f.Op == identity.OpAnd:
		for _, c := range f.Children {
			maps.Copy(out, demanded(c))
		}
	}
	return out
}
