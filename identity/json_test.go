package identity

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
)

// jsonTexts are texts of which some need an escape, or are no texts.
var jsonTexts = []string{"", "a", "Ada Lovelace", "Zoë Müller", "O'Neil", `"`, `\`, "<b>&", "a\tb", "\x00", "\x7f", "\u2028", "\u2029x", "日本", "\xff", "ü\xc3", "\ufffd", "name"}

// jsonValue makes up a value of the kinds that events have, and of some that they have not.
func jsonValue(r *rand.Rand, depth int) any {
	text := func() string { return jsonTexts[r.IntN(len(jsonTexts))] }
	kinds := 14
	if depth == 0 {
		kinds = 6
	}
	switch r.IntN(kinds) {
	case 0, 1:
		return text()
	case 2:
		return r.IntN(2) == 0
	case 3:
		return nil
	case 4:
		return r.Int64() - r.Int64()
	case 5:
		return r.Float64()
	case 6:
		return [][]string{nil, {}, {text()}, {text(), text()}}[r.IntN(4)]
	case 7:
		return []any{jsonValue(r, depth-1), jsonValue(r, depth-1)}
	case 8:
		return map[string]string{text(): text(), text(): text(), text(): text()}
	case 9:
		return []Change{{Field: text(), Before: jsonValue(r, depth-1), After: jsonValue(r, depth-1)}, {Field: text()}}
	case 10:
		return []Email{{Value: text(), Type: text(), Display: text(), Primary: r.IntN(2) == 0}, {}}
	case 11:
		return [](map[string]any){nil, {}}[r.IntN(2)]
	}
	return map[string]any{text(): jsonValue(r, depth-1), text(): jsonValue(r, depth-1)}
}

func TestAppendJSONWritesWhatJSONMarshalWrites(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		v := jsonValue(r, 3)
		want, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		got, err := AppendJSON([]byte("x"), v)
		if err != nil || string(got) != "x"+string(want) {
			t.Fatalf("%#v:\n got %s, %v\nwant x%s", v, got, err, want)
		}
	}
	if _, err := AppendJSON(nil, []any{func() {}}); err == nil {
		t.Error("what cannot be written is no error")
	}
}

func TestNameReadsWhatJSONUnmarshalReads(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	keys := []string{"name", "Name", "NAME", "n\\u0061me", "title", "emails", "\u0130"}
	for range 20000 {
		var b strings.Builder
		b.WriteString([]string{"{", " {\n", "{ "}[r.IntN(3)])
		for i := range r.IntN(4) {
			if i > 0 {
				b.WriteString([]string{",", " , "}[r.IntN(2)])
			}
			key, value := keys[min(r.IntN(14), r.IntN(len(keys)))], jsonValue(r, 2)
			if r.IntN(2) == 0 {
				value = map[string]any{"givenName": jsonValue(r, 0), "familyName": jsonTexts[r.IntN(len(jsonTexts))], "formatted": "}]\"{"}
			}
			raw, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			b.WriteString(`"` + key + `"` + []string{":", " : "}[r.IntN(2)] + string(raw))
		}
		b.WriteString([]string{"}", " } "}[r.IntN(2)])
		var want struct {
			Name Name `json:"name"`
		}
		_ = json.Unmarshal([]byte(b.String()), &want)
		if got := (&User{Attributes: []byte(b.String())}).Name(); got != want.Name {
			t.Fatalf("%s:\n got %+v\nwant %+v", b.String(), got, want.Name)
		}
	}
}

func TestNameOfBrokenAttributesDoesNotPanic(t *testing.T) {
	whole := `{"title":"a\"b","name":{"givenName":"Ada","x":[1,{"y":null}]},"z":"\\"}`
	for end := range len(whole) {
		for begin := range end {
			(&User{Attributes: []byte(whole[begin:end])}).Name()
		}
	}
}

func TestPlainAddressesHaveTheKeyThatTheStrictRulesGive(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	parts := []string{"a", "B", "z9", "0", ".", "-", "_", "+", "@", "xn--", "ü", " ", "'", strings.Repeat("x", 63), "x.example", "\u200b", "%", "\"", "K"}
	plain := 0
	for range 200000 {
		var b strings.Builder
		for range 1 + r.IntN(5) {
			b.WriteString(parts[r.IntN(len(parts))])
		}
		b.WriteByte('@')
		for range r.IntN(6) {
			b.WriteString(parts[r.IntN(len(parts))])
		}
		address := b.String()
		if !isPlain(address) {
			continue
		}
		plain++
		key, err := EmailKey(address)
		want, wrong := strictKey(address)
		if key != want || err != nil || wrong != nil {
			t.Fatalf("%q: %q, %v; by the strict rules %q, %v", address, key, err, want, wrong)
		}
	}
	if plain < 1000 {
		t.Errorf("%d plain addresses are too few to tell", plain)
	}
}

// FuzzReadTexts holds ReadTexts to json.Unmarshal.
func FuzzReadTexts(f *testing.F) {
	for _, raw := range []string{
		`{}`, `{"a": "b"}`, `{"a":"b","c":"d"}`, `{"a": "b", "a": "c"}`, `{"a": "b\n"}`, `{"a": "ü"}`, `{"a": "` + "\x01" + `"}`, `{"a": "` + "\xff" + `"}`, `{"a": 1}`, `{"a": null}`, `{"a": "b",}`,
		`{"a": "b"`, `{"a"}`, `null`, ``, `[]`, `{"a": "b"} `, ` {"a" : "b"}`, `{"a": "b"}}`, `{"a": {"b": "c"}}`, `{"":""}`, `{"a`, `{"a":`,
	} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		var want map[string]string
		wrong := json.Unmarshal([]byte(raw), &want)
		got, err := ReadTexts(raw)
		if (err == nil) != (wrong == nil) {
			t.Fatalf("%q: %v, json.Unmarshal says %v", raw, err, wrong)
		}
		if err == nil && !maps.Equal(got, want) {
			t.Fatalf("%q: %v, json.Unmarshal reads %v", raw, got, want)
		}
	})
}
