package scim

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
)

// elements is the part of the model with a value path, or with a sub-attribute of all elements.
func (m *world) elements(f *fact, s step, holder map[string]any) refused {
	old, _ := holder[f.name].([]any)
	list := plainCopy(old).([]any)
	var at []int
	for i, e := range list {
		if s.where == nil || s.where.holds(f, e.(map[string]any)) {
			at = append(at, i)
		}
	}
	switch {
	case len(at) == 0:
		return m.noElement(f, s, holder, list)
	case s.op == opAdd && s.value == nil:
		return nil
	case s.sub == "" && (s.op == opRemove || s.value == nil):
		keepList(f, holder, slices.DeleteFunc(list, func(e any) bool { return s.where.holds(f, e.(map[string]any)) }))
		return nil
	}
	for _, i := range at {
		e, ok := m.changedElement(f, s, list[i].(map[string]any))
		if !ok {
			return refused{invalidValue}
		}
		list[i] = e
	}
	keepList(f, holder, settled(f, s, list, at))
	return nil
}

func (m *world) changedElement(f *fact, s step, e map[string]any) (map[string]any, bool) {
	if s.sub != "" {
		return e, m.overlay(f, s.op, e, map[string]any{s.sub: s.value})
	}
	given, ok := oneOf(s.value)
	if s.op == opReplace {
		e = s.where.asks() // replaced, but it stays what was selected
	}
	return e, ok && m.overlay(f, s.op, e, given)
}

// oneOf reads the value for one element: an object, or a list of one.
func oneOf(v any) (map[string]any, bool) {
	if list, ok := v.([]any); ok && len(list) == 1 {
		v = list[0]
	}
	if v == nil {
		return map[string]any{}, true
	}
	o, ok := v.(map[string]any)
	return o, ok
}

// settled tidies a list whose elements at some places were changed: what says nothing any more goes, the last that became primary is
// the only one, and two that became the same are one, in the place of the first.
func settled(f *fact, s step, list []any, at []int) []any {
	if s.sub == "" || s.sub == "primary" {
		for _, i := range slices.Backward(at) {
			if e := list[i].(map[string]any); e["primary"] == true && !saysNothing(e) {
				onlyPrimary(list, i)
				break
			}
		}
	}
	var out []any
	for i, raw := range list {
		e := raw.(map[string]any)
		if slices.Contains(at, i) && saysNothing(e) {
			continue
		}
		primary := marked(out)
		var place int
		if out, place = joinedTo(f, out, e); slices.Contains(primary, place) {
			out[place].(map[string]any)["primary"] = true
		}
	}
	return out
}

// saysNothing: an element is nothing when only its type and its preference are left.
func saysNothing(e map[string]any) bool {
	for k := range e {
		if k != "type" && k != "primary" {
			return false
		}
	}
	return true
}

// noElement: nothing is selected. Add makes an element that fits, and so does replace where no filter selected (RFC 7644 section
// 3.5.2.3: treated as add) or the dialect wants it.
func (m *world) noElement(f *fact, s step, holder map[string]any, list []any) refused {
	switch {
	case s.op == opRemove && (s.where == nil || m.lenient()):
		return nil
	case s.op == opRemove, s.op == opReplace && s.where != nil && !m.lenient():
		return refused{noTarget}
	case s.where != nil && !s.where.describes():
		return refused{noTarget}
	case s.value == nil:
		return nil
	}
	e := s.where.asks()
	given, ok := map[string]any{s.sub: s.value}, true
	if s.sub == "" {
		given, ok = oneOf(s.value)
	}
	if !ok || !m.overlay(f, opAdd, e, given) {
		return refused{invalidValue}
	}
	if !saysNothing(e) {
		keepList(f, holder, appended(f, list, []any{e}))
	}
	return nil
}

// describes: a filter of nothing but equalities says what an element would be.
func (w *where) describes() bool {
	return w.op == "eq" || w.op == "and" && !slices.ContainsFunc(w.kids, func(k *where) bool { return !k.describes() })
}

func (w *where) asks() map[string]any {
	e := map[string]any{}
	switch {
	case w == nil:
	case w.op == "eq":
		e[w.sub] = w.value
	case w.op == "and":
		for _, k := range w.kids {
			for name, v := range k.asks() {
				e[name] = v
			}
		}
	}
	return e
}

// holds evaluates a filter (RFC 7644 section 3.4.2.2). What is not there is different from everything; primary that is not there is false.
func (w *where) holds(f *fact, e map[string]any) bool {
	switch w.op {
	case "and":
		return !slices.ContainsFunc(w.kids, func(k *where) bool { return !k.holds(f, e) })
	case "or":
		return slices.ContainsFunc(w.kids, func(k *where) bool { return k.holds(f, e) })
	case "not":
		return !w.kids[0].holds(f, e)
	case "pr":
		return e[w.sub] != nil && e[w.sub] != ""
	}
	if want, ok := w.value.(bool); ok {
		return ((e[w.sub] == true) == want) == (w.op == "eq")
	}
	got, ok := e[w.sub].(string)
	if !ok {
		return w.op == "ne"
	}
	want := w.value.(string)
	if !factOf(f.subs, "", w.sub).exact {
		got, want = strings.ToLower(got), strings.ToLower(want)
	}
	c := cmp.Compare(got, want)
	return map[string]bool{
		"eq": c == 0, "ne": c != 0, "gt": c > 0, "ge": c >= 0, "lt": c < 0, "le": c <= 0, "co": strings.Contains(got, want),
		"sw": strings.HasPrefix(got, want), "ew": strings.HasSuffix(got, want),
	}[w.op]
}

// atRest brings a resource into the form in which it is kept: an address without a value is none and always says whether it is primary.
func (m *world) atRest() refused {
	name, _ := m.res["userName"].(string)
	if m.res["userName"] = strings.TrimSpace(name); m.res["userName"] == "" {
		return refused{invalidValue}
	}
	for _, k := range []string{"displayName", "externalId"} {
		if m.res[k] == "" {
			delete(m.res, k)
		}
	}
	list, _ := m.res["emails"].([]any)
	var kept []any
	for _, raw := range list {
		e := raw.(map[string]any)
		if e["value"] == nil || e["value"] == "" {
			continue
		}
		e["primary"] = e["primary"] == true
		for _, k := range []string{"type", "display"} {
			if e[k] == "" {
				delete(e, k)
			}
		}
		kept = append(kept, e)
	}
	keepList(factOf(facts, "", "emails"), m.res, kept)
	return nil
}

func (m *world) removeListed(f *fact, s step, holder map[string]any, old []any) refused {
	gone, ok := m.readList(f, s.value)
	if !m.lenient() || !ok {
		return refused{invalidValue}
	}
	var left []any
	for _, e := range old {
		if !slices.ContainsFunc(gone, func(g any) bool { return namesAllOf(f, g.(map[string]any), e.(map[string]any)) }) {
			left = append(left, e)
		}
	}
	keepList(f, holder, left)
	return nil
}

func namesAllOf(f *fact, listed, e map[string]any) bool {
	for name, want := range listed {
		if !reflect.DeepEqual(foldedFor(factOf(f.subs, "", name), want), foldedFor(factOf(f.subs, "", name), e[name])) {
			return false
		}
	}
	return true
}

func foldedFor(f *fact, v any) any {
	if s, ok := v.(string); ok && !f.exact {
		return strings.ToLower(s)
	}
	return v
}
