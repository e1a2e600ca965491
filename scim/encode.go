package scim

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"
)

// appendText appends a JSON string. It escapes what JSON asks for and nothing else.
func appendText(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		start = i + 1
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

// appendName appends a name with its colon, and a comma in front when it is not the first.
func appendName(b []byte, name string) []byte {
	if last := b[len(b)-1]; last != '{' && last != '[' {
		b = append(b, ',')
	}
	b = appendText(b, name)
	return append(b, ':')
}

func appendField(b []byte, name, value string) []byte {
	return appendText(appendName(b, name), value)
}

func appendTime(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, "2006-01-02T15:04:05.000000Z")
	return append(b, '"')
}

// appendValue appends a value of an attribute in the order of its schema, with the sub-attributes that the projection wants.
func appendValue(b []byte, a *attribute, v any, p projection) []byte {
	switch t := v.(type) {
	case string:
		return appendText(b, t)
	case bool:
		return strconv.AppendBool(b, t)
	case json.Number:
		return append(b, t...)
	case []any:
		b = append(b, '[')
		for _, e := range t {
			if !p.shows(a, e) {
				continue
			}
			if b[len(b)-1] != '[' {
				b = append(b, ',')
			}
			b = appendValue(b, a, e, p)
		}
		return append(b, ']')
	case object:
		b = append(b, '{')
		for _, sub := range a.subs {
			if v, ok := t[sub.name]; ok && p.wantsSub(a, sub) {
				b = appendValue(appendName(b, sub.name), sub, v, projection{})
			}
		}
		return append(b, '}')
	}
	return append(b, "null"...)
}

// meta is what the server knows of a resource (RFC 7643 section 3.1).
type meta struct {
	created  time.Time
	modified time.Time
	version  int64
	location string
}

func (m meta) append(b []byte, t *resourceType, p projection) []byte {
	a := t.index["meta"]
	if !p.wants(a) {
		return b
	}
	b = append(appendName(b, "meta"), '{')
	for _, sub := range a.subs {
		if !p.wantsSub(a, sub) {
			continue
		}
		b = appendName(b, sub.name)
		switch sub.name {
		case "resourceType":
			b = appendText(b, t.name)
		case "created":
			b = appendTime(b, m.created)
		case "lastModified":
			b = appendTime(b, m.modified)
		case "location":
			b = appendText(b, m.location)
		case "version":
			b = appendText(b, etag(m.version))
		}
	}
	return append(b, '}')
}

// appendResource appends a resource with the attributes that the projection wants.
func appendResource(b []byte, t *resourceType, res object, m meta, p projection) []byte {
	b = append(b, '{')
	b = appendSchemas(b, t, func(x *extension) bool { _, ok := res[x.urn]; return ok })
	for _, a := range t.attrs {
		v, ok := res[a.name]
		if ok && p.wants(a) && p.shows(a, v) {
			b = appendValue(appendName(b, a.name), a, v, p)
		}
	}
	for _, x := range t.extensions {
		if part, ok := res[x.urn].(object); ok {
			b = appendPart(b, x, part, p)
		}
	}
	return append(m.append(b, t, p), '}')
}

func appendPart(b []byte, x *extension, part object, p projection) []byte {
	mark := len(b)
	b = append(appendName(b, x.urn), '{')
	open := len(b)
	for _, a := range x.attrs {
		if v, ok := part[a.name]; ok && p.wants(a) && p.shows(a, v) {
			b = appendValue(appendName(b, a.name), a, v, p)
		}
	}
	if len(b) == open {
		return b[:mark]
	}
	return append(b, '}')
}

// appendSchemas appends schemas: that of the type, and the extensions that the resource has.
func appendSchemas(b []byte, t *resourceType, has func(*extension) bool) []byte {
	b = append(appendName(b, "schemas"), '[')
	b = appendText(b, t.schema.ID)
	for _, x := range t.extensions {
		if has(x) {
			b = append(b, ',')
			b = appendText(b, x.urn)
		}
	}
	return append(b, ']')
}

// holdsName reports whether a JSON text has an object with this name. A string that holds the name has its quotes escaped, so what
// is found is a name or a whole string; a name is followed by a colon.
func holdsName(raw []byte, name string) bool {
	quoted := appendText(nil, name)
	for {
		i := bytes.Index(raw, quoted)
		if i < 0 {
			return false
		}
		raw = raw[i+len(quoted):]
		if rest := bytes.TrimLeft(raw, " \t\r\n"); len(rest) > 0 && rest[0] == ':' {
			return true
		}
	}
}

// appendMembers splices the members of a JSON object that is known to be valid into one that is being written.
func appendMembers(b []byte, raw []byte) []byte {
	raw = bytes.TrimSpace(raw)
	if len(raw) < 2 || raw[0] != '{' {
		return b
	}
	inner := bytes.TrimSpace(raw[1 : len(raw)-1])
	if len(inner) == 0 {
		return b
	}
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return append(b, inner...)
}

// cut shortens a text to some bytes without breaking a character.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}
