package scim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
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
	var whole json.RawMessage
	if err := json.Unmarshal(body, &whole); err != nil {
		return nil, syntaxError(body, err)
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	v, err := readValue(dec, 0)
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

func readValue(dec *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, bad(invalidSyntax, "The body is nested more than %d levels deep.", maxDepth)
	}
	tok, err := dec.Token()
	if err != nil {
		return nil, bad(invalidSyntax, "The body is not valid JSON.").WithCause(err)
	}
	switch t := tok.(type) {
	case json.Delim:
		if t == '{' {
			return readMembers(dec, depth)
		}
		return readElements(dec, depth)
	case string:
		return t, checkText(t)
	}
	return tok, nil
}

func readMembers(dec *json.Decoder, depth int) (object, error) {
	o := object{}
	seen := map[string]bool{}
	for dec.More() {
		tok, err := dec.Token()
		name, ok := tok.(string)
		if err != nil || !ok {
			return nil, bad(invalidSyntax, "The body is not valid JSON.").WithCause(err)
		}
		if err := checkText(name); err != nil {
			return nil, err
		}
		low := strings.ToLower(name)
		if seen[low] {
			return nil, bad(invalidSyntax, "The name %q appears twice in one object; names that differ only in case are the same.", clip(name))
		}
		seen[low] = true
		if o[name], err = readValue(dec, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := dec.Token()
	return o, endOf(err)
}

func readElements(dec *json.Decoder, depth int) ([]any, error) {
	list := []any{}
	for dec.More() {
		v, err := readValue(dec, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := dec.Token()
	return list, endOf(err)
}

func endOf(err error) error {
	if err != nil && !errors.Is(err, io.EOF) {
		return bad(invalidSyntax, "The body is not valid JSON.").WithCause(err)
	}
	return nil
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
