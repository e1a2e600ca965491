package scim

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"time"
)

// Limits on single values, in bytes. The indexed attributes are shorter because an index entry of PostgreSQL is.
const (
	maxText    = 16 << 10
	maxIndexed = 1024
	maxBinary  = 256 << 10
	maxValues  = 500 // elements of one multi-valued attribute of a user
)

// indexed are the attributes that the store keeps in an index.
var indexed = map[string]bool{"userName": true, "displayName": true, "externalId": true, "emails.value": true}

// value reads what a client sent for an attribute and returns it in canonical form; nil means unassigned (RFC 7643 section 2.5).
func (d dialect) value(a *attribute, v any) (any, error) {
	if !a.multi {
		return d.single(a, v)
	}
	if v == nil {
		return nil, nil
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	return d.list(a, list)
}

// list reads the elements of a multi-valued attribute: no element twice, at most one primary.
func (d dialect) list(a *attribute, list []any) (any, error) {
	out := make([]any, 0, len(list))
	for _, v := range list {
		e, err := d.single(a, v)
		if err != nil {
			return nil, err
		}
		if e != nil {
			out = append(out, e)
		}
	}
	out = merge(a, nil, out)
	if primaries(out) > 1 {
		return nil, bad(invalidValue, "Only one value of %s may be primary.", a.path())
	}
	if len(out) > maxValues {
		return nil, bad(invalidValue, "%s has more than %d values.", a.path(), maxValues)
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

// single reads one value: that of a singular attribute or one element.
func (d dialect) single(a *attribute, v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	if a.kind == kindComplex {
		return d.complex(a, v)
	}
	return d.simple(a, v)
}

func (d dialect) simple(a *attribute, v any) (any, error) {
	switch a.kind {
	case kindBoolean:
		return d.boolean(a, v)
	case kindInteger, kindDecimal:
		return number(a, v)
	}
	s, ok := v.(string)
	if !ok {
		return nil, wrongType(a, v)
	}
	return text(a, s)
}

func (d dialect) boolean(a *attribute, v any) (any, error) {
	switch b := v.(type) {
	case bool:
		return b, nil
	case string:
		if d.booleans != nil {
			if value, ok := d.booleans(b); ok {
				return value, nil
			}
		}
	}
	return nil, wrongType(a, v)
}

func number(a *attribute, v any) (any, error) {
	n, ok := v.(json.Number)
	if !ok {
		return nil, wrongType(a, v)
	}
	var err error
	if a.kind == kindInteger {
		_, err = n.Int64()
	} else {
		_, err = n.Float64()
	}
	if err != nil {
		return nil, wrongType(a, v)
	}
	return n, nil
}

func text(a *attribute, s string) (any, error) {
	most := maxText
	switch {
	case a.kind == kindBinary:
		most = maxBinary
	case a.schema == "" && indexed[a.path()]:
		most = maxIndexed
	}
	if len(s) > most {
		return nil, bad(invalidValue, "%s is longer than %d bytes.", a.path(), most)
	}
	if a.allowed != nil {
		return canonicalValue(a, s)
	}
	if a.kind == kindBinary && !isBase64(s) {
		return nil, bad(invalidValue, "%s is not valid base64 (RFC 4648).", a.path())
	}
	if a.kind == kindDateTime {
		if _, err := parseTime(s); err != nil {
			return nil, bad(invalidValue, "%s is no date with time; write it as 2008-01-23T04:56:22Z.", a.path())
		}
	}
	return s, nil
}

// isBase64 accepts both alphabets of RFC 4648 (RFC 7643 section 2.3.6), with and without padding.
func isBase64(s string) bool {
	s = strings.TrimRight(s, "=")
	if _, err := base64.RawStdEncoding.DecodeString(s); err == nil {
		return true
	}
	_, err := base64.RawURLEncoding.DecodeString(s)
	return err == nil
}

// parseTime reads an xsd:dateTime; without a zone it is UTC.
func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t, err = time.Parse("2006-01-02T15:04:05.999999999", s)
	}
	return t.UTC(), err
}

// complex reads an object. Sub-attributes that nobody knows or that are read-only are left out, as are those without a value.
func (d dialect) complex(a *attribute, v any) (any, error) {
	o, err := d.object(a, v)
	if err != nil {
		return nil, err
	}
	out := object{}
	for name, raw := range o {
		sub := a.index[strings.ToLower(name)]
		if sub == nil || sub.readOnly {
			continue
		}
		value, err := d.value(sub, raw)
		if err != nil {
			return nil, err
		}
		if value != nil {
			out[sub.name] = value
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

// object returns the object that was sent for a complex attribute, also in the forms that only some dialects may send.
func (d dialect) object(a *attribute, v any) (object, error) {
	switch t := v.(type) {
	case object:
		if d.complexArray && !a.multi && t["value"] == "" {
			return object{}, nil
		}
		return t, nil
	case string:
		if !d.complexString || a.multi || a.value() == nil {
			return nil, wrongType(a, v)
		}
		switch {
		case t == "" && d.complexArray:
			return object{}, nil
		case t == "":
			return nil, bad(invalidValue, "%s is an empty string; send an object, or null to unassign it.", a.path())
		}
		return object{"value": t}, nil
	case []any:
		if d.complexArray && !a.multi && len(t) <= 1 {
			if len(t) == 0 || t[0] == nil {
				return object{}, nil
			}
			return d.object(a, t[0])
		}
	}
	return nil, wrongType(a, v)
}

func wrongType(a *attribute, v any) error {
	return bad(invalidValue, "%s must be of type %s, not %s.", a.path(), a.kind, jsonType(v))
}

func jsonType(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case json.Number:
		return "a number"
	case []any:
		return "an array"
	}
	return "an object"
}

// merge appends elements to a list. An element with the value and type of one that is there is joined with it (RFC 7643 section 2.4:
// no value twice), and a new primary takes the mark from the others.
func merge(a *attribute, list, more []any) []any {
	at := make(map[string]int, len(list)+len(more))
	for i, e := range list {
		at[elementKey(a, e)] = i
	}
	primary := -1
	for _, e := range more {
		key := elementKey(a, e)
		i, there := at[key]
		if there {
			list[i] = join(list[i], e)
		} else {
			i = len(list)
			at[key] = i
			list = append(list, e)
		}
		if isPrimary(e) {
			primary = i
		}
	}
	if primary >= 0 && primaries(more) == 1 {
		keepPrimary(list, primary)
	}
	return list
}

// distinct joins elements that became the same, in the place of the first; none of them loses the mark of the primary by that.
func distinct(a *attribute, list []any) []any {
	at := make(map[string]int, len(list))
	var out []any
	for _, e := range list {
		key := elementKey(a, e)
		i, there := at[key]
		if !there {
			at[key] = len(out)
			out = append(out, e)
			continue
		}
		primary := isPrimary(out[i])
		if out[i] = join(out[i], e); primary {
			out[i].(object)["primary"] = true // a copy that join made
		}
	}
	return out
}

// elementKey is equal for two elements that say the same (RFC 7643 section 2.4): by value and type where there is a value, else by everything.
func elementKey(a *attribute, e any) string {
	o, ok := e.(object)
	if !ok {
		return encodeText(e)
	}
	v, ok := o["value"].(string)
	if !ok {
		return encodeText(o)
	}
	kind, _ := o["type"].(string)
	if sub := a.value(); sub != nil && !sub.caseExact {
		v = strings.ToLower(v)
	}
	return v + "\x00" + strings.ToLower(kind)
}

func encodeText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

func join(old, add any) any {
	o, ok1 := old.(object)
	n, ok2 := add.(object)
	if !ok1 || !ok2 {
		return add
	}
	o = maps.Clone(o)
	maps.Copy(o, n)
	return o
}

func isPrimary(e any) bool {
	o, ok := e.(object)
	return ok && o["primary"] == true
}

func primaries(list []any) int {
	n := 0
	for _, e := range list {
		if isPrimary(e) {
			n++
		}
	}
	return n
}

// keepPrimary takes the mark from every other element.
func keepPrimary(list []any, keep int) {
	for i, e := range list {
		if i != keep && isPrimary(e) {
			o := maps.Clone(e.(object))
			o["primary"] = false
			list[i] = o
		}
	}
}

func equal(a, b any) bool { return reflect.DeepEqual(a, b) }
