package scim

import (
	"regexp"
	"slices"
	"strings"
)

// bulkPrefix starts a reference to a resource that another operation of the same request creates (RFC 7644 section 3.7.2).
const bulkPrefix = "bulkId:"

// quotedReference finds references in the filter of a path: members[value eq "bulkId:ada"].
var quotedReference = regexp.MustCompile(`"` + bulkPrefix + `([^"\\]+)"`)

// bulkIDOf returns the bulkId that a text refers to; empty: none.
func bulkIDOf(s string) string {
	id, ok := strings.CutPrefix(s, bulkPrefix)
	if !ok {
		return ""
	}
	return id
}

// reference is a place in a text that stands for an id that is not known yet.
type reference struct {
	start, end int
	bulkID     string
}

// references finds the references in a text of an operation's data. The text is one as a whole; below $ref it may be an address that
// ends with one, and below path a filter that has some.
func references(name, s string) []reference {
	if !strings.Contains(s, bulkPrefix) {
		return nil
	}
	switch {
	case strings.HasPrefix(s, bulkPrefix):
		return []reference{{0, len(s), s[len(bulkPrefix):]}}
	case strings.EqualFold(name, "$ref"):
		if i := strings.LastIndex(s, "/"+bulkPrefix); i >= 0 {
			return []reference{{i + 1, len(s), s[i+1+len(bulkPrefix):]}}
		}
	case strings.EqualFold(name, "path"):
		var found []reference
		for _, m := range quotedReference.FindAllStringSubmatchIndex(s, -1) {
			found = append(found, reference{m[0] + 1, m[1] - 1, s[m[2]:m[3]]})
		}
		return found
	}
	return nil
}

// visit calls f for every reference in a value that has a name.
func visit(name string, v any, f func(bulkID string)) {
	switch t := v.(type) {
	case string:
		for _, r := range references(name, t) {
			f(r.bulkID)
		}
	case []any:
		for _, e := range t {
			visit(name, e, f)
		}
	case object:
		for k, e := range t {
			visit(k, e, f)
		}
	}
}

// link finds the operations that an operation refers to. A reference to nothing is an error.
func (b *bulk) link(o *bulkOperation) error {
	var unknown string
	seen := map[*bulkOperation]bool{}
	note := func(bulkID string) {
		need := b.byID[bulkID]
		switch {
		case need == nil:
			unknown = bulkPrefix + bulkID
		case !seen[need]:
			seen[need] = true
			o.needs = append(o.needs, need)
		}
	}
	for _, p := range pathParts(o.path) {
		visit("", p, note)
	}
	visit("", o.data, note)
	if unknown != "" {
		return bad(invalidValue, "%s refers to no POST of this request.", clip(unknown))
	}
	slices.SortFunc(o.needs, func(x, y *bulkOperation) int { return x.index - y.index })
	return nil
}

// split fills the references of an operation's data. What has a reference that is not known yet, since both are part of a circle, is
// returned in later as it is: elements of a list, attributes of an extension, else the attribute. Only a POST can have such, because
// nothing refers to other operations.
func (b *bulk) split(o *bulkOperation) (now, later object) {
	now, later = object{}, object{}
	for name, v := range o.data {
		known, open := b.divide(name, v)
		if known != nil || open == nil {
			now[name] = b.fill(name, known)
		}
		if open != nil {
			later[name] = open
		}
	}
	return now, later
}

// divide divides a value into what can be filled and what cannot yet; nil stands for nothing.
func (b *bulk) divide(name string, v any) (known, open any) {
	if !b.open(name, v) {
		return v, nil
	}
	switch t := v.(type) {
	case []any:
		var done, wait []any
		for _, e := range t {
			if b.open(name, e) {
				wait = append(wait, e)
			} else {
				done = append(done, e)
			}
		}
		if len(done) > 0 {
			known = done
		}
		return known, wait
	case object:
		done, wait := object{}, object{}
		for k, e := range t {
			if b.open(k, e) {
				wait[k] = e
			} else {
				done[k] = e
			}
		}
		if len(done) > 0 {
			known = done
		}
		return known, wait
	}
	return nil, v
}

// open reports whether a value has a reference that is not known yet.
func (b *bulk) open(name string, v any) bool {
	open := false
	visit(name, v, func(bulkID string) { open = open || b.byID[bulkID].id == "" })
	return open
}

// fill returns a copy of a value with ids in the place of references, all of which are known.
func (b *bulk) fill(name string, v any) any {
	switch t := v.(type) {
	case string:
		found := references(name, t)
		for i := len(found) - 1; i >= 0; i-- {
			r := found[i]
			t = t[:r.start] + b.byID[r.bulkID].id + t[r.end:]
		}
		return t
	case []any:
		out := make([]any, len(t))
		for i, e := range t {
			out[i] = b.fill(name, e)
		}
		return out
	case object:
		out := make(object, len(t))
		for k, e := range t {
			out[k] = b.fill(k, e)
		}
		return out
	}
	return v
}
