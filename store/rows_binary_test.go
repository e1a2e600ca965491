package store

import (
	"strings"
	"testing"
)

func TestArraysSayTheSameInBothFormats(t *testing.T) {
	id := "01a20463-1823-7833-8e7b-3a5ed856ad6f"
	for _, c := range []struct {
		kind   string
		args   []any
		binary string // what is behind the head; "": PostgreSQL gets the literal
	}{
		{"text", []any{"a", `"\`, nil, "ü", ""}, "\x00\x00\x00\x01a\x00\x00\x00\x02\"\\\xff\xff\xff\xff\x00\x00\x00\x02ü\x00\x00\x00\x00"},
		{"jsonb", []any{"{}"}, "\x00\x00\x00\x02{}"},
		{"bytea", []any{[]byte{0, 255}, []byte{}}, "\x00\x00\x00\x02\x00\xff\x00\x00\x00\x00"},
		{"uuid", []any{id, nil}, "\x00\x00\x00\x10\x01\xa2\x04\x63\x18\x23\x78\x33\x8e\x7b\x3a\x5e\xd8\x56\xad\x6f\xff\xff\xff\xff"},
		{"uuid", []any{id, "no id"}, ""},
		{"uuid", []any{strings.Replace(id, "a", "x", 1)}, ""},
		{"text", []any{"a", 7}, ""},
		{"text", []any{[]byte("a")}, ""},
		{"bytea", []any{"a"}, ""},
		{"integer", []any{1, 2}, ""},
	} {
		got := arrayOf(c.kind, c.args, 0, 1)
		if c.binary == "" {
			if got != array(c.args, 0, 1) {
				t.Errorf("%s %v: %q", c.kind, c.args, got)
			}
			continue
		}
		b, _ := got.([]byte)
		if len(b) < 20 || string(b[20:]) != c.binary || int(b[15]) != len(c.args) || (b[7] == 1) != strings.Contains(c.binary, "\xff\xff\xff\xff") {
			t.Errorf("%s %v: %q", c.kind, c.args, got)
		}
	}
}
