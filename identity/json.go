package identity

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// AppendJSON appends v to b exactly as json.Marshal writes it, and quicker when v is what rows and events are made of: texts, truth values, changes, and lists and
// objects of them. The error is that of json.Marshal.
func AppendJSON(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case string:
		return appendText(b, v), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case []string:
		return appendList(b, v, func(b []byte, s string) ([]byte, error) { return appendText(b, s), nil })
	case []any:
		return appendList(b, v, AppendJSON)
	case []Change:
		return appendList(b, v, appendChange)
	case []Email:
		return appendList(b, v, appendEmail)
	case map[string]string:
		return appendObject(b, v, func(b []byte, s string) ([]byte, error) { return appendText(b, s), nil })
	case map[string]any:
		return appendObject(b, v, AppendJSON)
	}
	raw, err := json.Marshal(v)
	return append(b, raw...), err
}

func appendList[T any](b []byte, list []T, one func([]byte, T) ([]byte, error)) ([]byte, error) {
	if list == nil {
		return append(b, "null"...), nil
	}
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = one(b, v); err != nil {
			return b, err
		}
	}
	return append(b, ']'), nil
}

func appendObject[T any](b []byte, object map[string]T, one func([]byte, T) ([]byte, error)) ([]byte, error) {
	if object == nil {
		return append(b, "null"...), nil
	}
	var space [32]string
	keys := space[:0]
	for key := range object {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	b = append(b, '{')
	for i, key := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, key), ':')
		var err error
		if b, err = one(b, object[key]); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

func appendChange(b []byte, c Change) (_ []byte, err error) {
	b = appendText(append(b, `{"field":`...), c.Field)
	if c.Before != nil {
		if b, err = AppendJSON(append(b, `,"before":`...), c.Before); err != nil {
			return b, err
		}
	}
	if c.After != nil {
		if b, err = AppendJSON(append(b, `,"after":`...), c.After); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

func appendEmail(b []byte, e Email) ([]byte, error) {
	b = appendText(append(b, `{"value":`...), e.Value)
	if e.Type != "" {
		b = appendText(append(b, `,"type":`...), e.Type)
	}
	if e.Display != "" {
		b = appendText(append(b, `,"display":`...), e.Display)
	}
	return append(strconv.AppendBool(append(b, `,"primary":`...), e.Primary), '}'), nil
}

// appendText writes a text; one that needs an escape is left to json.Marshal.
func appendText(b []byte, s string) []byte {
	plain, ascii := true, true
	for i := 0; i < len(s) && plain; i++ {
		switch c := s[i]; {
		case c < ' ' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&':
			plain = false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	if plain && !ascii {
		plain = utf8.ValidString(s) && !strings.ContainsAny(s, "\u2028\u2029")
	}
	if plain {
		return append(append(append(b, '"'), s...), '"')
	}
	raw, _ := json.Marshal(s) // a text is always written
	return append(b, raw...)
}

// valueOf returns the value of a key at the top of a valid JSON object, or nil. It is sure only where no other spelling of the key, and no second one, is there.
func valueOf(raw []byte, key string) (value []byte, sure bool) {
	i := blanks(raw, 0)
	if i >= len(raw) || raw[i] != '{' {
		return nil, false
	}
	for i = blanks(raw, i+1); i < len(raw) && raw[i] == '"'; i = blanks(raw, i+1) {
		end := textEnd(raw, i)
		name := raw[i:min(end, len(raw))]
		at := blanks(raw, end)
		if len(name) < 2 || slices.Contains(name, '\\') || at >= len(raw) || raw[at] != ':' {
			return nil, false
		}
		at = blanks(raw, at+1)
		i = valueEnd(raw, at)
		if name = name[1 : len(name)-1]; strings.EqualFold(string(name), key) {
			if value != nil || string(name) != key {
				return nil, false
			}
			value = raw[at:i]
		}
		if i = blanks(raw, i); i >= len(raw) || raw[i] != ',' {
			break
		}
	}
	return value, i < len(raw) && raw[i] == '}'
}

func blanks(raw []byte, i int) int {
	for i < len(raw) && (raw[i] == ' ' || raw[i] == '\n' || raw[i] == '\t' || raw[i] == '\r') {
		i++
	}
	return i
}

// textEnd returns what is behind the text that begins at i.
func textEnd(raw []byte, i int) int {
	for i++; i < len(raw) && raw[i] != '"'; i++ {
		if raw[i] == '\\' {
			i++
		}
	}
	return min(i+1, len(raw))
}

// valueEnd returns what is behind the value that begins at i.
func valueEnd(raw []byte, i int) int {
	depth := 0
	for ; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			if i = textEnd(raw, i) - 1; depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return i
			}
			if depth == 0 {
				return i + 1
			}
		case ',', ' ', '\n', '\t', '\r':
			if depth == 0 {
				return i
			}
		}
	}
	return i
}

// ReadTexts reads an object of texts as json.Unmarshal does, and quicker where no text has anything to be decoded.
func ReadTexts(raw string) (map[string]string, error) {
	if out, ok := plainTexts(raw); ok {
		return out, nil
	}
	var out map[string]string
	return out, json.Unmarshal([]byte(raw), &out)
}

// plainTexts reads an object of texts that stand there as they are.
func plainTexts(raw string) (map[string]string, bool) {
	rest, ok := strings.CutPrefix(raw, "{")
	if !ok || strings.IndexByte(raw, '\\') >= 0 || !utf8.ValidString(raw) {
		return nil, false
	}
	out := map[string]string{}
	for {
		key, after, ok := plainText(rest)
		if !ok {
			return nil, false
		}
		if after, ok = strings.CutPrefix(after, ":"); !ok {
			return nil, false
		}
		if out[key], after, ok = plainText(strings.TrimPrefix(after, " ")); !ok {
			return nil, false
		}
		if after == "}" {
			return out, true
		}
		if rest, ok = strings.CutPrefix(after, ","); !ok {
			return nil, false
		}
		rest = strings.TrimPrefix(rest, " ")
	}
}

// plainText cuts a text in quotation marks from the beginning.
func plainText(s string) (text, rest string, ok bool) {
	if s, ok = strings.CutPrefix(s, `"`); !ok {
		return "", "", false
	}
	end := strings.IndexByte(s, '"')
	if end < 0 || strings.ContainsFunc(s[:end], func(r rune) bool { return r < ' ' }) {
		return "", "", false
	}
	return s[:end], s[end+1:], true
}
