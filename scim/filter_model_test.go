package scim

import (
	"encoding/json"
	"slices"
	"time"
)

// spot is an attribute that a filter can name, as this test knows it: it asks no schema and compares what a client is shown.
type spot struct {
	urn, attr, sub string
	fact           *fact // of the attribute, for a value path; nil: none
	multi, exact   bool
	kind           string // "text", "boolean", "time", "id" or "complex"
}

func (p spot) name() string {
	s := p.attr
	if p.urn != "" {
		s = p.urn + ":" + s
	}
	if p.sub != "" {
		s += "." + p.sub
	}
	return s
}

// userPlaces and groupPlaces are what the random filters speak of.
var (
	userPlaces  = placesOf(facts)
	groupPlaces = []spot{
		{attr: "displayName", kind: "text"},
		{attr: "externalId", kind: "text", exact: true},
		{attr: "id", kind: "id"},
		{attr: "members", multi: true, kind: "text", fact: memberFacts},
		{attr: "members", sub: "value", multi: true, kind: "id"},
		{attr: "members", sub: "type", multi: true, kind: "text"},
		{attr: "members", sub: "display", multi: true, kind: "text"},
		{attr: "meta", sub: "created", kind: "time"},
	}
)

func placesOf(facts []fact) []spot {
	out := []spot{
		{attr: "id", kind: "id"},
		{attr: "meta", sub: "created", kind: "time"},
		{attr: "meta", sub: "lastModified", kind: "time"},
		{attr: "groups", sub: "value", multi: true, kind: "id"},
		{attr: "groups", sub: "display", multi: true, kind: "text"},
	}
	for i, f := range facts {
		p := spot{urn: f.urn, attr: f.name, multi: f.multi, exact: f.exact, kind: "text"}
		switch {
		case f.readOnly:
			continue
		case f.boolean:
			p.kind = "boolean"
		case f.multi && f.name != "addresses":
			p.fact, p.exact = &facts[i], f.subs[0].exact // without a sub-attribute its value is meant
		case f.subs != nil:
			p.kind = "complex"
			if f.multi {
				p.fact = &facts[i]
			}
		}
		out = append(out, p)
		for _, sub := range f.subs {
			q := spot{urn: f.urn, attr: f.name, sub: sub.name, multi: f.multi, exact: sub.exact, kind: "text"}
			if sub.boolean {
				q.kind = "boolean"
			}
			if !sub.readOnly {
				out = append(out, q)
			}
		}
	}
	return out
}

// ask is a filter: a comparison, a value path (inner), or a combination.
type ask struct {
	op    string
	at    spot
	value any
	inner *where
	kids  []*ask
}

func (a *ask) text() string {
	switch {
	case a.op == "not":
		return "not (" + a.kids[0].text() + ")"
	case len(a.kids) > 0:
		return "(" + a.kids[0].text() + ") " + a.op + " (" + a.kids[1].text() + ")"
	case a.inner != nil:
		return a.at.name() + "[" + a.inner.text() + "]"
	case a.op == "pr":
		return a.at.name() + " pr"
	}
	raw, _ := json.Marshal(a.value) // texts, booleans and null always encode
	return a.at.name() + " " + a.op + " " + string(raw)
}

// holds evaluates the filter on a resource as a client sees it.
func (a *ask) holds(res map[string]any) bool {
	switch {
	case a.op == "not":
		return !a.kids[0].holds(res)
	case a.op == "and" && len(a.kids) > 0:
		return a.kids[0].holds(res) && a.kids[1].holds(res)
	case len(a.kids) > 0:
		return a.kids[0].holds(res) || a.kids[1].holds(res)
	case a.inner != nil:
		return slices.ContainsFunc(a.elements(res), func(e any) bool { return a.inner.holds(a.at.fact, e.(map[string]any)) })
	}
	return a.compared(res)
}

func (a *ask) elements(res map[string]any) []any {
	holder := res
	if a.at.urn != "" {
		holder, _ = res[a.at.urn].(map[string]any)
	}
	if v := holder[a.at.attr]; v == nil || a.at.multi {
		list, _ := v.([]any)
		return list
	}
	return []any{holder[a.at.attr]}
}

// compared: one value that fits is enough, and "ne" is the opposite of "eq".
func (a *ask) compared(res map[string]any) bool {
	switch {
	case a.op == "ne":
		eq := *a
		eq.op = "eq"
		return !eq.compared(res)
	case a.value == nil && a.op == "eq":
		pr := *a
		pr.op = "pr"
		return !pr.compared(res)
	}
	return slices.ContainsFunc(a.elements(res), func(e any) bool { return a.one(e) })
}

// one compares one value with what is wanted.
func (a *ask) one(e any) bool {
	o, deep := e.(map[string]any)
	if deep && a.at.sub == "" && a.op == "pr" {
		return true // a complex value is there when it holds anything
	}
	sub := a.at.sub
	if deep && sub == "" {
		sub = "value"
	}
	if deep {
		e = o[sub]
	}
	switch {
	case a.op == "pr":
		return e != nil && e != ""
	case a.at.kind == "boolean":
		return (e == true) == (a.value == true) && (e != nil || sub == "primary")
	case a.at.kind == "time":
		got, err1 := time.Parse(time.RFC3339Nano, textOf(e))
		want, err2 := time.Parse(time.RFC3339Nano, a.value.(string))
		const layout = "2006-01-02T15:04:05.000000000Z" // in which later times are greater texts: RFC3339Nano leaves zeros out
		return err1 == nil && err2 == nil && (&where{op: a.op, sub: "x", value: want.UTC().Format(layout)}).holds(
			&fact{subs: []fact{{name: "x"}}}, map[string]any{"x": got.UTC().Format(layout)})
	}
	return (&where{op: a.op, sub: "x", value: a.value}).holds(&fact{subs: []fact{{name: "x", exact: a.at.exact}}}, map[string]any{"x": e})
}
