package scim

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep a body may be nested whatever Limits say, since its reader calls itself.
const maxDepth = 1000

// object is a JSON object. In a resource the names are canonical and the values are string, bool, json.Number, []any and object.
type object = map[string]any

// readObject reads a body that must be one JSON object in UTF-8, without names that are equal or differ only in case, without NUL,
// no deeper than maxDepth. Its errors are 400 with invalidSyntax; a NUL is invalidValue, since no database keeps it.
func readObject(body []byte) (object, error) {
	if !utf8.Valid(body) {
		return nil, bad(invalidSyntax, "The body is not valid UTF-8.")
	}
	if !json.Valid(body) {
		return nil, syntaxError(body, json.Unmarshal(body, &json.RawMessage{}))
	}
	r := reader{rest: body}
	v, err := r.value(0)
	if err != nil {
		return nil, err
	}
	o, ok := v.(object)
	if !ok {
		return nil, bad(invalidSyntax, "The body must be a JSON object.")
	}
	return o, nil
}

func syntaxError(body []byte, err error) error {
	var s *json.SyntaxError
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		return bad(invalidSyntax, "The body is empty; it must be a JSON object.")
	case errors.As(err, &s):
		return bad(invalidSyntax, "The body is not valid JSON at byte %d: %s.", s.Offset, s.Error())
	}
	return bad(invalidSyntax, "The body is not valid JSON.")
}

// reader reads JSON that is known to be valid, which is why it looks at so little. Numbers keep their digits.
type reader struct{ rest []byte }

// space leaves out what stands between values.
func (r *reader) space() {
	for len(r.rest) > 0 && (r.rest[0] == ' ' || r.rest[0] == '\n' || r.rest[0] == '\t' || r.rest[0] == '\r') {
		r.rest = r.rest[1:]
	}
}

// next reports whether c comes next, and passes it.
func (r *reader) next(c byte) bool {
	r.space()
	if len(r.rest) == 0 || r.rest[0] != c {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

func (r *reader) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, bad(invalidSyntax, "The body is nested more than %d levels deep.", maxDepth)
	}
	switch {
	case r.next('{'):
		return r.members(depth)
	case r.next('['):
		return r.elements(depth)
	case r.next('"'):
		return r.text()
	}
	end := bytes.IndexAny(r.rest, ",]} \n\t\r")
	if end < 0 {
		end = len(r.rest)
	}
	word := string(r.rest[:end])
	r.rest = r.rest[end:]
	switch word {
	case "true", "false":
		return word == "true", nil
	case "null":
		return nil, nil
	}
	return json.Number(word), nil
}

func (r *reader) members(depth int) (object, error) {
	o := object{}
	var seen nameSet
	for !r.next('}') {
		r.next(',')
		r.next('"')
		name, err := r.text()
		if err != nil {
			return nil, err
		}
		if !seen.add(strings.ToLower(name)) {
			return nil, bad(invalidSyntax, "The name %q appears twice in one object; names that differ only in case are the same.", clip(name))
		}
		r.next(':')
		if o[name], err = r.value(depth + 1); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// nameSet are the names of one object. Most have a few, for which a list is quicker than a map.
type nameSet struct {
	few  []string
	many map[string]bool
}

// add reports whether a name was not there before.
func (s *nameSet) add(name string) bool {
	const few = 16
	switch {
	case s.many != nil:
		if s.many[name] {
			return false
		}
		s.many[name] = true
		return true
	case slices.Contains(s.few, name):
		return false
	}
	if s.few = append(s.few, name); len(s.few) == few {
		s.many = make(map[string]bool, 2*few)
		for _, n := range s.few {
			s.many[n] = true
		}
	}
	return true
}

func (r *reader) elements(depth int) ([]any, error) {
	list := []any{}
	for !r.next(']') {
		r.next(',')
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

// text reads a string whose opening quote was passed. One with escapes is left to encoding/json.
func (r *reader) text() (string, error) {
	escaped := false
	for i := 0; i < len(r.rest); i++ {
		switch r.rest[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			raw := r.rest[:i]
			r.rest = r.rest[i+1:]
			s := string(raw)
			if escaped {
				if err := json.Unmarshal(append(append([]byte{'"'}, raw...), '"'), &s); err != nil {
					return "", bad(invalidSyntax, "The body is not valid JSON.").WithCause(err)
				}
			}
			return s, checkText(s)
		}
	}
	return "", bad(invalidSyntax, "The body is not valid JSON.")
}

func checkText(s string) error {
	if strings.ContainsRune(s, 0) {
		return bad(invalidValue, "A string holds the character U+0000, which cannot be kept. Remove it.")
	}
	return nil
}

// member returns the value under a name, whatever the case of its letters.
func member(o object, name string) (any, bool) {
	if v, ok := o[name]; ok {
		return v, true
	}
	for k, v := range o {
		if strings.EqualFold(k, name) {
			return v, true
		}
	}
	return nil, false
}

// decodeAttributes reads what the store keeps of a resource. Numbers keep their digits.
func decodeAttributes(raw json.RawMessage) (object, error) {
	if len(raw) == 0 {
		return object{}, nil
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	o := object{}
	if err := dec.Decode(&o); err != nil {
		return nil, err
	}
	return o, nil
}

// clip shortens what a client sent before it is shown in a message.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	cut := most
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
