package scim

import (
	"maps"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

const patchURN = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

// The operations (RFC 7644 section 3.5.2).
const (
	opAdd     = "add"
	opReplace = "replace"
	opRemove  = "remove"
	opSwap    = "swap" // of members only: what replace with a filter becomes
)

// operation is one step of a PATCH. has is false when the value is missing; a value of null is there.
type operation struct {
	op    string
	path  string // empty: none
	value any
	has   bool
}

// readPatch reads the body of a PATCH. Its errors are 400.
func readPatch(body object) ([]operation, error) {
	v, _ := member(body, "schemas")
	if list, ok := v.([]any); !ok || !holds(list, patchURN) {
		return nil, bad(invalidValue, "schemas must hold %q.", patchURN)
	}
	v, _ = member(body, "Operations")
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return nil, bad(invalidSyntax, "Operations must be a list with at least one operation.")
	}
	ops := make([]operation, 0, len(list))
	for _, v := range list {
		o, err := readOperation(v)
		if err != nil {
			return nil, err
		}
		ops = append(ops, o)
	}
	return ops, nil
}

func readOperation(v any) (operation, error) {
	raw, ok := v.(object)
	if !ok {
		return operation{}, bad(invalidSyntax, "Each of Operations must be an object.")
	}
	var o operation
	name, _ := member(raw, "op")
	o.op, _ = name.(string)
	o.op = strings.ToLower(o.op) // docs/decisions/0008: in every dialect
	if o.op != opAdd && o.op != opReplace && o.op != opRemove {
		return o, bad(invalidSyntax, "op must be add, replace or remove.")
	}
	if p, there := member(raw, "path"); there && p != nil {
		if o.path, ok = p.(string); !ok {
			return o, bad(invalidPath, "path must be a string.")
		}
	}
	o.value, o.has = member(raw, "value")
	if o.op != opRemove && !o.has {
		return o, bad(invalidValue, "The operation %s needs a value.", o.op)
	}
	return o, nil
}

// patcher applies operations to one resource. It changes res, so the caller hands it a copy of its own; when an operation fails the
// whole result is thrown away. Changes of a group's members are collected in members, since a group does not hold them.
type patcher struct {
	t       *resourceType
	d       dialect
	res     object
	members []identity.MemberChange
}

// apply runs all operations in their order and checks that the result still has what the schema requires.
func (p *patcher) apply(ops []operation) error {
	before := p.t.snapshot(p.res)
	for _, o := range ops {
		if err := p.operation(o); err != nil {
			return err
		}
	}
	return p.t.checkPatched(before, p.res)
}

func (p *patcher) operation(o operation) error {
	if o.path != "" {
		t, err := p.t.path(o.path, p.d)
		if err != nil {
			return err
		}
		return p.target(o, t)
	}
	if o.op == opRemove {
		return bad(noTarget, "remove needs a path that says what to remove.")
	}
	v, ok := o.value.(object)
	if !ok {
		return bad(invalidValue, "Without a path the value must be an object of attributes.")
	}
	return p.object(o.op, "", v)
}

// object applies a value without a path: each name is a path, as it stands or after the URN of an extension. Names that nobody knows
// are left out as in POST, but a value in which all are unknown is refused, since nothing would be done.
func (p *patcher) object(op, urn string, v object) error {
	known := len(v) == 0
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if urn == "" && p.tolerated(name, v[name]) {
			known = true
			continue
		}
		path := name
		if urn != "" {
			path = urn + ":" + name
		}
		t, err := p.t.path(path, p.d)
		if err != nil {
			continue
		}
		known = true
		if err := p.target(operation{op: op, path: path, value: v[name], has: true}, t); err != nil {
			return err
		}
	}
	if !known {
		return bad(invalidPath, "The value names no attribute of a %s.", p.t.name)
	}
	return nil
}

// tolerated reports whether a name of a path-less value repeats what cannot be changed: clients send schemas and id along.
func (p *patcher) tolerated(name string, v any) bool {
	switch strings.ToLower(name) {
	case "schemas":
		return true
	case "id":
		return v == p.res["id"]
	}
	return false
}

// target applies one operation to what its path points to.
func (p *patcher) target(o operation, t target) error {
	switch {
	case t.ignore:
		return nil
	case t.attr == nil:
		return p.whole(o, t.ext)
	case t.attr == membersAttr:
		return p.member(o, t)
	}
	if t.attr.readOnly || t.sub != nil && t.sub.readOnly {
		return bad(mutability, "%s is read-only.", t.leaf().path())
	}
	holder := p.res
	if t.ext != nil {
		holder = p.part(t.ext)
		defer p.prune(t.ext)
	}
	switch {
	case t.attr.multi && (t.filter != nil || t.sub != nil):
		return p.elements(o, t, holder)
	case t.attr.multi:
		return p.list(o, t.attr, holder)
	case t.sub != nil:
		return p.subAttribute(o, t, holder)
	}
	return p.single(o, t.attr, holder)
}

// whole applies an operation to a whole extension, or, without one, to the resource.
func (p *patcher) whole(o operation, x *extension) error {
	if o.op == opRemove || o.value == nil {
		if x == nil {
			return bad(mutability, "A resource cannot be removed by PATCH; use DELETE.")
		}
		if o.op != opAdd {
			delete(p.res, x.urn)
		}
		return nil
	}
	v, ok := o.value.(object)
	if !ok {
		return bad(invalidValue, "The value of %s must be an object.", clip(o.path))
	}
	if x == nil {
		return p.object(o.op, "", v)
	}
	return p.object(o.op, x.urn, v)
}

// part returns the attributes of an extension, a copy that may be changed.
func (p *patcher) part(x *extension) object {
	old, _ := p.res[x.urn].(object)
	part := maps.Clone(old)
	if part == nil {
		part = object{}
	}
	p.res[x.urn] = part
	return part
}

func (p *patcher) prune(x *extension) {
	if part, _ := p.res[x.urn].(object); len(part) == 0 {
		delete(p.res, x.urn)
	}
}

// single changes an attribute with one value. add and replace join a complex value with what is there: sub-attributes that the
// value does not name stay (RFC 7644 sections 3.5.2.1 and 3.5.2.3).
func (p *patcher) single(o operation, a *attribute, holder object) error {
	if o.op == opRemove {
		return unassign(a, holder, mutability)
	}
	if o.value == nil {
		if o.op == opAdd {
			return nil
		}
		return unassign(a, holder, invalidValue)
	}
	if a.kind != kindComplex {
		v, err := p.d.value(a, o.value)
		if err != nil {
			return err
		}
		return set(a, holder, v)
	}
	return p.join(o, a, holder)
}

// join changes sub-attributes of a complex attribute with one value.
func (p *patcher) join(o operation, a *attribute, holder object) error {
	given, err := p.d.object(a, o.value)
	if err != nil {
		return err
	}
	if len(given) == 0 && o.op == opReplace {
		return unassign(a, holder, invalidValue)
	}
	old, _ := holder[a.name].(object)
	v, err := p.joined(o.op, a, old, given)
	if err != nil {
		return err
	}
	return assign(a, holder, v)
}

// joined returns a copy of a complex value with the given sub-attributes set; null unassigns one when it is replaced.
func (p *patcher) joined(op string, a *attribute, old, given object) (object, error) {
	v := maps.Clone(old)
	if v == nil {
		v = object{}
	}
	for name, raw := range given {
		sub := a.index[strings.ToLower(name)]
		if sub == nil || sub.readOnly {
			continue
		}
		if raw == nil && op == opAdd {
			continue
		}
		value, err := p.d.value(sub, raw)
		if err == nil {
			err = set(sub, v, value)
		}
		if err != nil {
			return nil, err
		}
	}
	return v, nil
}

// subAttribute changes one sub-attribute of a complex attribute with one value.
func (p *patcher) subAttribute(o operation, t target, holder object) error {
	old, _ := holder[t.attr.name].(object)
	v := maps.Clone(old)
	if v == nil {
		v = object{}
	}
	if o.op == opAdd && o.value == nil {
		return nil
	}
	if o.op == opRemove {
		o.value = nil
	}
	value, err := p.d.value(t.sub, o.value)
	if err == nil {
		err = set(t.sub, v, value)
	}
	if err != nil {
		return err
	}
	if p.d.complexArray && v["value"] == "" {
		clear(v)
	}
	return assign(t.attr, holder, v)
}

// set assigns a value, or unassigns it when it is nil; an immutable attribute keeps the value that it has.
func set(a *attribute, holder object, v any) error {
	if v == nil {
		return unassign(a, holder, invalidValue)
	}
	if old, ok := holder[a.name]; ok && a.immutable && !equal(old, v) {
		return bad(mutability, "%s cannot be changed once it is set.", a.path())
	}
	holder[a.name] = v
	return nil
}

// assign keeps a complex value, or nothing when it is empty.
func assign(a *attribute, holder, v object) error {
	if len(v) == 0 {
		return unassign(a, holder, invalidValue)
	}
	holder[a.name] = v
	return nil
}

// unassign removes a value. One that is required stays: keyword says which error that is. active has no unassigned state, and
// guessing one could let somebody in.
func unassign(a *attribute, holder object, keyword string) error {
	_, there := holder[a.name]
	switch {
	case a.required:
		return bad(keyword, "%s is required and cannot be removed.", a.path())
	case there && a.immutable:
		return bad(mutability, "%s cannot be removed once it is set.", a.path())
	case a == activeAttr:
		return bad(keyword, "active cannot be removed; set it to true or false.")
	}
	delete(holder, a.name)
	return nil
}
