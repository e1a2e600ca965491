package scim

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// matches reports whether an element of a multi-valued attribute satisfies a filter that was resolved inside a value path.
func matches(f *identity.Filter, element any) bool {
	switch f.Op {
	case identity.OpAnd:
		for _, c := range f.Children {
			if !matches(c, element) {
				return false
			}
		}
		return true
	case identity.OpOr:
		for _, c := range f.Children {
			if matches(c, element) {
				return true
			}
		}
		return false
	case identity.OpNot:
		return !matches(f.Children[0], element)
	case identity.OpNone, identity.OpExists:
		return false
	}
	v, ok := elementValue(element, f.Attr.Sub)
	if f.Op == identity.OpPr {
		return ok && v != ""
	}
	return compareValue(f, v, ok)
}

// elementValue returns a sub-attribute of an element; the element of a simple attribute is its own value.
func elementValue(element any, sub string) (any, bool) {
	o, ok := element.(object)
	if !ok {
		return element, element != nil
	}
	v, ok := o[sub]
	return v, ok && v != nil
}

// compareValue compares one value. What is unassigned is different from everything and equal to nothing; a boolean that is
// unassigned counts as false (RFC 7643 section 2.4 says so of primary).
func compareValue(f *identity.Filter, v any, ok bool) bool {
	switch want := f.Value.(type) {
	case bool:
		is := ok && v == true
		return (is == want) == (f.Op == identity.OpEq)
	case string:
		if !ok {
			return f.Op == identity.OpNe
		}
		return compareText(f.Op, textOf(v), want, f.Attr.CaseExact)
	case time.Time:
		t, err := parseTime(textOf(v))
		if err != nil {
			return f.Op == identity.OpNe
		}
		return ordered(f.Op, t.Compare(want))
	case int64:
		return compareNumber(f.Op, v, float64(want))
	case float64:
		return compareNumber(f.Op, v, want)
	}
	return false
}

func textOf(v any) string {
	s, _ := v.(string)
	return s
}

func compareNumber(op identity.FilterOp, v any, want float64) bool {
	n, _ := v.(json.Number)
	f, err := n.Float64()
	if err != nil {
		return op == identity.OpNe
	}
	return ordered(op, cmp.Compare(f, want))
}

// compareText compares two strings; a want that is no string is different.
func compareText(op identity.FilterOp, got string, want any, caseExact bool) bool {
	w, ok := want.(string)
	if !ok {
		return op == identity.OpNe
	}
	if !caseExact {
		got, w = strings.ToLower(got), strings.ToLower(w)
	}
	switch op {
	case identity.OpCo:
		return strings.Contains(got, w)
	case identity.OpSw:
		return strings.HasPrefix(got, w)
	case identity.OpEw:
		return strings.HasSuffix(got, w)
	}
	return ordered(op, strings.Compare(got, w))
}

// ordered reports whether an operator accepts the outcome of a comparison.
func ordered(op identity.FilterOp, c int) bool {
	switch op {
	case identity.OpEq:
		return c == 0
	case identity.OpNe:
		return c != 0
	case identity.OpGt:
		return c > 0
	case identity.OpGe:
		return c >= 0
	case identity.OpLt:
		return c < 0
	case identity.OpLe:
		return c <= 0
	}
	return false
}
