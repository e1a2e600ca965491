package scim

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestWrongBodiesAreRefused(t *testing.T) {
	for _, c := range []struct{ name, body, keyword string }{
		{"nothing", "", invalidSyntax},
		{"spaces", "  ", invalidSyntax},
		{"no object", `[]`, invalidSyntax},
		{"a string", `"x"`, invalidSyntax},
		{"half of one", `{"a":`, invalidSyntax},
		{"more than one", `{} {}`, invalidSyntax},
		{"rubbish behind", `{} x`, invalidSyntax},
		{"a comma too many", `{"a":[1,]}`, invalidSyntax},
		{"no UTF-8", "{\"a\":\"\xff\"}", invalidSyntax},
		{"NUL", `{"a":"x\u0000"}`, invalidValue},
		{"NUL in a name", `{"a\u0000":1}`, invalidValue},
		{"a name twice", `{"a":1,"a":2}`, invalidSyntax},
		{"a name twice in another case", `{"b":{"userName":1,"USERNAME":2}}`, invalidSyntax},
		{"too deep", strings.Repeat(`{"a":`, maxDepth+2) + "1" + strings.Repeat("}", maxDepth+2), invalidSyntax},
		{"very deep", strings.Repeat(`[`, 200000), invalidSyntax},
	} {
		if _, err := readObject([]byte(c.body)); identity.CodeOf(err) != c.keyword {
			t.Errorf("%s: %v, want %s", c.name, err, c.keyword)
		}
	}
}

func TestResourcesAreReadByTheSchema(t *testing.T) {
	const schemas = `"schemas": ["` + urnCore + `"], `
	for _, c := range []struct{ name, dialect, body, want string }{
		{"names are folded", allDialects, `{"SCHEMAS": ["` + strings.ToUpper(urnCore) + `"], "USERNAME": "a", "Name": {"GIVENNAME": "g"}}`, `{"userName": "a", "name": {"givenName": "g"}}`},
		{"unknown and read-only attributes are left out", allDialects, `{` + schemas + `"userName": "a", "id": "x", "meta": 5, "groups": [], "custom": {"deep": [1]}, "urn:x": 1, "password": "p"}`, `{"userName": "a"}`},
		{"null is not there", allDialects, `{` + schemas + `"userName": "a", "title": null, "emails": null, "name": {"givenName": null}, "` + enterpriseURN + `": null}`, `{"userName": "a"}`},
		{"one object for a list", allDialects, `{` + schemas + `"userName": "a", "emails": {"value": "v"}}`, `{"userName": "a", "emails": [{"value": "v"}]}`},
		{"an extension, whatever the case of its URN", allDialects, `{` + schemas + `"userName": "a", "` + strings.ToLower(enterpriseURN) + `": {"Department": "d", "manager": {"value": "m", "displayName": "read-only"}}}`, `{"userName": "a", "` + enterpriseURN + `": {"department": "d", "manager": {"value": "m"}}}`},
		{"booleans of Entra", "entra", `{` + schemas + `"userName": "a", "active": "False", "emails": [{"value": "v", "primary": "true"}]}`, `{"userName": "a", "active": false, "emails": [{"value": "v", "primary": true}]}`},
		{"base64 in both alphabets", allDialects, `{` + schemas + `"userName": "a", "x509Certificates": [{"value": "-_8="}, {"value": "+/8="}]}`, `{"userName": "a", "x509Certificates": [{"value": "-_8="}, {"value": "+/8="}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := userType.resource(parse(t, c.body), dialectOf(identity.Dialect(c.dialect)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(parse(t, c.want), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestWrongResourcesAreRefused(t *testing.T) {
	const schemas = `"schemas": ["` + urnCore + `"], `
	for name, body := range map[string]string{
		"no schemas":           `{"userName": "a"}`,
		"other schemas":        `{"schemas": ["urn:x"], "userName": "a"}`,
		"no userName":          `{` + schemas + `"title": "x"}`,
		"an empty userName":    `{` + schemas + `"userName": " "}`,
		"a number":             `{` + schemas + `"userName": 5}`,
		"a long name":          `{` + schemas + `"userName": "` + strings.Repeat("x", maxIndexed+1) + `"}`,
		"a boolean in quotes":  `{` + schemas + `"userName": "a", "active": "true"}`,
		"a list for one value": `{` + schemas + `"userName": "a", "title": ["x"]}`,
		"a string for complex": `{` + schemas + `"userName": "a", "name": "x"}`,
		"strings for emails":   `{` + schemas + `"userName": "a", "emails": ["x"]}`,
		"two primaries":        `{` + schemas + `"userName": "a", "emails": [{"value": "a", "primary": true}, {"value": "b", "primary": true}]}`,
		"no base64":            `{` + schemas + `"userName": "a", "x509Certificates": [{"value": "%%%"}]}`,
		"extension as string":  `{` + schemas + `"userName": "a", "` + enterpriseURN + `": "x"}`,
		"many values":          `{` + schemas + `"userName": "a", "ims": [` + manyValues(maxValues+1) + `]}`,
	} {
		if _, err := userType.resource(parse(t, body), dialect{}); identity.CodeOf(err) != invalidValue {
			t.Errorf("%s: %v, want %s", name, err, invalidValue)
		}
	}
}

func manyValues(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"value": "` + strings.Repeat("v", i%7) + string(rune('0'+i%10)) + strings.Repeat("w", i) + `"}`)
	}
	return b.String()
}

func TestSecretsStayOutOfTheJournal(t *testing.T) {
	for body, want := range map[string]string{
		`{"userName":"a","Password":"p"}`:                                         `{"Password":"***","userName":"a"}`,
		`{"Operations":[{"op":"replace","path":"password","value":"p"}]}`:         `{"Operations":[{"op":"replace","path":"password","value":"***"}]}`,
		`{"Operations":[{"op":"replace","value":{"password":"p","title":"t"}}]}`:  `{"Operations":[{"op":"replace","value":{"password":"***","title":"t"}}]}`,
		`{"pass\u0077ord":"p"}`:                                                   `{"password":"***"}`,
		`{"userName":"a"}`:                                                        `{"userName":"a"}`,
		`{"password":"p"`:                                                         `(15 bytes that are no valid JSON object)`,
		`{"urn:x":{"clientSecret":"p","accessToken":["a"]},"userName":"a"}`:       `{"urn:x":{"accessToken":"***","clientSecret":"***"},"userName":"a"}`,
		`{"Operations":[{"op":"add","path":"URN:x:User:Password","Value":"pq"}]}`: `{"Operations":[{"Value":"***","op":"add","path":"URN:x:User:Password"}]}`,
	} {
		c := &call{raw: []byte(body)}
		if o, err := readObject(c.raw); err == nil {
			c.parsed = o
		}
		if got := c.journalBody(); got != want {
			t.Errorf("%s is kept as %s, want %s", body, got, want)
		}
	}
}

func FuzzBody(f *testing.F) {
	f.Add([]byte(`{"schemas":["` + urnCore + `"],"userName":"a","emails":[{"value":"x","primary":true}],"name":{"givenName":"g"}}`))
	f.Add([]byte(`{"schemas":["` + urnCore + `"],"userName":"a","` + enterpriseURN + `":{"manager":{"value":"1"},"department":null}}`))
	f.Add([]byte(`{"a":[[[{"b":1e5}]]],"A":0}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := readObject(body)
		if err != nil {
			if identity.KindOf(err) != identity.Invalid {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		if !json.Valid(body) {
			t.Fatalf("%q was read", body)
		}
		for _, d := range []identity.Dialect{identity.DialectStandard, identity.DialectEntra} {
			u, err := newUser(o, dialectOf(d))
			if err != nil {
				continue
			}
			u.ID = "1"
			checkUser(t, u)
		}
	})
}

// FuzzReader holds the reader of bodies against encoding/json: what it accepts it reads the same, and what it refuses is no JSON object or has one
// of the faults that it looks for.
func FuzzReader(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"a":1,"b":[true,false,null,-0.5e+7,"x"],"c":{"d":{}}}`, ` { "a" : [ ] , "b" : [ [ ] , { } ] } `, `{"a\u0062":"\ud83d\ude00\n\"","é":"\\"}`, `{"a":1,"A":2}`, `[1]`, `{"a":1}x`,
		`{"a":"\u0000"}`, `{"a":01}`, `{"` + strings.Repeat(`x":1,"y`, 20) + `":2}`, "{\"a\":1\n,\t\"b\":2\r}", `{"a":"\ud800"}`, `1`, `"x"`, ``, `{"a":12345678901234567890.123}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := readObject(body)
		var want any
		dec := json.NewDecoder(bytes.NewReader(body))
		dec.UseNumber()
		if err != nil {
			if code := identity.CodeOf(err); code != invalidSyntax && code != invalidValue {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		if err := dec.Decode(&want); err != nil || !reflect.DeepEqual(any(got), want) {
			t.Fatalf("%q is read as %v, and is %v (%v)", body, got, want, err)
		}
	})
}
