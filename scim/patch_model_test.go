package scim

import (
	"reflect"
	"slices"
	"strings"
)

// This file is RFC 7644 section 3.5.2 written down a second time: slowly, on plain JSON, without any code of the patcher. It starts from
// operations that are structures already, so it needs neither a parser of paths nor one of filters. Where the RFC leaves a choice the
// model has the choice that is documented: in the table of dialects and in the comments of patch_lists.go.

// fact is a line of the schema (RFC 7643 section 8.7.1), as far as the model speaks of it.
type fact struct {
	urn, name                         string
	multi, boolean, readOnly, require bool
	exact                             bool // the value respects case
	subs                              []fact
}

func plural(exact bool) []fact {
	return []fact{{name: "value", exact: exact}, {name: "display"}, {name: "type"}, {name: "primary", boolean: true}}
}

// facts is the part of a user that the model knows.
var facts = []fact{
	{name: "userName", require: true},
	{name: "displayName"},
	{name: "title"},
	{name: "nickName"},
	{name: "externalId", exact: true},
	{name: "active", boolean: true},
	{name: "name", subs: []fact{{name: "formatted"}, {name: "familyName"}, {name: "givenName"}}},
	{name: "emails", multi: true, subs: plural(false)},
	{name: "ims", multi: true, subs: plural(false)},
	{name: "photos", multi: true, subs: plural(true)},
	{name: "addresses", multi: true, subs: []fact{{name: "locality"}, {name: "country"}, {name: "type"}, {name: "primary", boolean: true}}},
	{name: "groups", multi: true, readOnly: true, subs: []fact{{name: "value"}, {name: "type"}}},
	{name: "meta", readOnly: true, subs: []fact{{name: "version"}}},
	{urn: enterpriseURN, name: "department"},
	{urn: enterpriseURN, name: "costCenter"},
	{urn: enterpriseURN, name: "manager", subs: []fact{{name: "value"}, {name: "displayName", readOnly: true}}},
}

func factOf(list []fact, urn, name string) *fact {
	for i := range list {
		if list[i].urn == urn && list[i].name == name {
			return &list[i]
		}
	}
	return nil
}

// step is one operation, or one name with its value in an operation without a path. attr is empty for a whole extension.
type step struct {
	op, urn, attr, sub string
	where              *where
	value              any
	gone               bool // the attribute does not exist
}

// where is a filter in a value path.
type where struct {
	op, sub string
	value   any
	kids    []*where
}

// refused is what the model says instead of a result: one of these keywords must be the scimType.
type refused []string

// world is the resource that the model changes, with what its dialect allows.
type world struct {
	res     map[string]any
	dialect string // "standard", "entra" or "okta"
}

func (m *world) lenient() bool { return m.dialect != "standard" }

// do applies one operation: to its path, or, without one, to each name of its value.
func (m *world) do(op string, steps []step, pathless bool) refused {
	if pathless && op == opRemove {
		return refused{noTarget}
	}
	var why refused
	unknown := 0
	for _, s := range steps {
		if s.gone && pathless {
			unknown++
			continue
		}
		why = append(why, m.step(s)...)
	}
	if pathless && unknown > 0 && unknown == len(steps) {
		return refused{invalidPath}
	}
	return why
}

func (m *world) step(s step) refused {
	if s.gone {
		return refused{invalidPath}
	}
	if s.attr == "" {
		return m.extension(s)
	}
	f := factOf(facts, s.urn, s.attr)
	if sub := factOf(f.subs, "", s.sub); f.readOnly || sub != nil && sub.readOnly {
		return refused{mutability}
	}
	holder := m.res
	if s.urn != "" {
		part, _ := m.res[s.urn].(map[string]any)
		if part == nil {
			part = map[string]any{}
		}
		holder = part
		m.res[s.urn] = part
		defer func() {
			if len(part) == 0 {
				delete(m.res, s.urn)
			}
		}()
	}
	switch {
	case f.multi && (s.where != nil || s.sub != ""):
		return m.elements(f, s, holder)
	case f.multi:
		return m.wholeList(f, s, holder)
	case s.sub != "":
		return m.complex(f, s.op, map[string]any{s.sub: s.value}, holder)
	case f.subs != nil && s.op != opRemove && s.value != nil:
		return m.complexValue(f, s, holder)
	}
	return m.simple(f, s, holder)
}

// extension: a whole extension is removed, or takes the attributes of the value one by one.
func (m *world) extension(s step) refused {
	if s.op == opRemove || s.op == opReplace && s.value == nil {
		delete(m.res, s.urn)
		return nil
	}
	if s.value == nil {
		return nil
	}
	v, ok := s.value.(map[string]any)
	if !ok {
		return refused{invalidValue}
	}
	var why refused
	for name, value := range v {
		why = append(why, m.step(step{op: s.op, urn: s.urn, attr: name, value: value})...)
	}
	return why
}

func (m *world) simple(f *fact, s step, holder map[string]any) refused {
	if s.op == opRemove || s.value == nil {
		switch {
		case s.op == opAdd:
			return nil
		case (f.require || f.name == "active") && s.op == opRemove:
			return refused{mutability}
		case f.require || f.name == "active":
			return refused{invalidValue}
		}
		delete(holder, f.name)
		return nil
	}
	v, ok := m.read(f, s.value)
	if !ok {
		return refused{invalidValue}
	}
	holder[f.name] = v
	return nil
}

// complexValue: sub-attributes that the value does not name stay as they are.
func (m *world) complexValue(f *fact, s step, holder map[string]any) refused {
	v, ok := m.sent(f, s.value)
	if !ok {
		return refused{invalidValue}
	}
	if len(v) == 0 && s.op == opReplace {
		delete(holder, f.name)
		return nil
	}
	return m.complex(f, s.op, v, holder)
}

func (m *world) complex(f *fact, op string, given, holder map[string]any) refused {
	old, _ := holder[f.name].(map[string]any)
	now := plainCopy(old).(map[string]any)
	if !m.overlay(f, op, now, given) {
		return refused{invalidValue}
	}
	if f.name == "manager" && m.dialect == "entra" && now["value"] == "" {
		clear(now)
	}
	delete(holder, f.name)
	if len(now) > 0 {
		holder[f.name] = now
	}
	return nil
}

// overlay sets sub-attributes; null removes one, unless it is to be added.
func (m *world) overlay(f *fact, op string, e, given map[string]any) bool {
	for name, raw := range given {
		sub := factOf(f.subs, "", name)
		if sub == nil || sub.readOnly {
			continue
		}
		if raw == nil || op == opRemove {
			if op != opAdd {
				delete(e, name)
			}
			continue
		}
		v, ok := m.read(sub, raw)
		if !ok {
			return false
		}
		e[name] = v
	}
	return true
}

// read checks a simple value.
func (m *world) read(f *fact, v any) (any, bool) {
	if !f.boolean {
		s, ok := v.(string)
		return s, ok
	}
	if s, ok := v.(string); ok && m.lenient() {
		if m.dialect == "entra" {
			s = strings.ToLower(s)
		}
		return s == "true", s == "true" || s == "false"
	}
	b, ok := v.(bool)
	return b, ok
}

// sent reads what was sent for a complex value: an object, and for a manager what the dialects send.
func (m *world) sent(f *fact, v any) (map[string]any, bool) {
	if list, ok := v.([]any); ok && m.dialect == "entra" && !f.multi && len(list) <= 1 {
		if len(list) == 0 || list[0] == nil {
			return map[string]any{}, true
		}
		return m.sent(f, list[0])
	}
	if s, ok := v.(string); ok && m.lenient() && f.name == "manager" && (s != "" || m.dialect == "entra") {
		v = map[string]any{"value": s}
	}
	o, ok := v.(map[string]any)
	if ok && f.name == "manager" && m.dialect == "entra" && o["value"] == "" {
		return map[string]any{}, true
	}
	return o, ok
}

// wholeList: add appends what is not there yet, replace puts the value in the place of all, remove takes all.
func (m *world) wholeList(f *fact, s step, holder map[string]any) refused {
	old, _ := holder[f.name].([]any)
	switch {
	case s.op == opRemove && s.value != nil:
		return m.removeListed(f, s, holder, old)
	case s.op == opAdd && s.value == nil:
		return nil
	case s.op == opRemove || s.value == nil:
		old = nil
	default:
		more, ok := m.readList(f, s.value)
		if !ok {
			return refused{invalidValue}
		}
		if s.op == opReplace {
			old = nil
		}
		old = appended(f, old, more)
	}
	keepList(f, holder, old)
	return nil
}

// readList reads a list of elements, or one: empty ones are left out, two that are the same are one, at most one is primary.
func (m *world) readList(f *fact, v any) ([]any, bool) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var out []any
	for _, raw := range list {
		if raw == nil {
			continue
		}
		given, ok := raw.(map[string]any)
		e := map[string]any{}
		if !ok || !m.overlay(f, opReplace, e, given) {
			return nil, false
		}
		if len(e) > 0 {
			out, _ = joinedTo(f, out, e)
		}
	}
	return out, len(marked(out)) < 2
}

func marked(list []any) []int {
	var at []int
	for i, e := range list {
		if e.(map[string]any)["primary"] == true {
			at = append(at, i)
		}
	}
	return at
}

// alike: two elements of one value and type are the same (RFC 7643 section 2.4); those without a value when everything is equal.
func alike(f *fact, a, b map[string]any) bool {
	v, ok1 := a["value"].(string)
	w, ok2 := b["value"].(string)
	if !ok1 || !ok2 {
		return reflect.DeepEqual(a, b)
	}
	t, _ := a["type"].(string)
	u, _ := b["type"].(string)
	sub := factOf(f.subs, "", "value")
	return foldedFor(sub, v) == foldedFor(sub, w) && strings.EqualFold(t, u)
}

// appended adds elements: a new primary takes the mark from the others.
func appended(f *fact, list, more []any) []any {
	out := plainCopy(list).([]any)
	primary := -1
	for _, raw := range more {
		e := plainCopy(raw).(map[string]any)
		var at int
		if out, at = joinedTo(f, out, e); e["primary"] == true {
			primary = at
		}
	}
	if primary >= 0 {
		onlyPrimary(out, primary)
	}
	return out
}

// joinedTo adds one element and returns its place: one that is there takes on what is new of it.
func joinedTo(f *fact, list []any, e map[string]any) ([]any, int) {
	at := slices.IndexFunc(list, func(o any) bool { return alike(f, o.(map[string]any), e) })
	if at < 0 {
		return append(list, e), len(list)
	}
	for k, v := range e {
		list[at].(map[string]any)[k] = v
	}
	return list, at
}

func onlyPrimary(list []any, keep int) {
	for _, i := range marked(list) {
		if i != keep {
			list[i].(map[string]any)["primary"] = false
		}
	}
}

func keepList(f *fact, holder map[string]any, list []any) {
	delete(holder, f.name)
	if len(list) > 0 {
		holder[f.name] = list
	}
}

func plainCopy(v any) any {
	switch t := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range t {
			out[k] = plainCopy(e)
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i, e := range t {
			out[i] = plainCopy(e)
		}
		return out
	}
	return v
}
