package scim

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/drawbridge-id/drawbridge/identity"
)

// The words are few, so that random operations meet each other.
var (
	someText  = []any{"x", "y", "Y", "z"}
	someValue = []any{"a", "A", "b", "c"}
	someType  = []any{"work", "Work", "home"}
)

// drawInt draws a number from low to high, each as likely as the other: rapid's own prefers the ends, which would be the odd cases here.
func drawInt(t *rapid.T, low, high int, label string) int {
	n := 0
	for bits := high - low; bits > 0; bits >>= 1 {
		n *= 2
		if rapid.Bool().Draw(t, label) {
			n++
		}
	}
	return low + n%(high-low+1)
}

func drawFrom[T any](t *rapid.T, list []T, label string) T {
	return list[drawInt(t, 0, len(list)-1, label)]
}

// drawSimple draws a value of a simple attribute: now and then null or of the wrong type.
func drawSimple(t *rapid.T, f *fact) any {
	switch n := drawInt(t, 0, 24, "sort of value"); {
	case n == 0:
		return nil
	case n == 1:
		return map[string]any{}
	case n == 2:
		return drawFrom(t, []any{"true", "True", "FALSE", " ", "1"}, "odd value")
	case f.boolean:
		return rapid.Bool().Draw(t, "boolean")
	case f.name == "value":
		return drawFrom(t, someValue, "value")
	case f.name == "type":
		return drawFrom(t, someType, "type")
	case f.name == "userName" && n == 3:
		return ""
	}
	return drawFrom(t, someText, "text")
}

// drawObject draws some sub-attributes of a complex attribute, now and then one that nobody knows.
func drawObject(t *rapid.T, f *fact) map[string]any {
	o := map[string]any{}
	for i := range f.subs {
		if drawInt(t, 0, 2, "has it") > 0 {
			o[f.subs[i].name] = drawSimple(t, &f.subs[i])
		}
	}
	if drawInt(t, 0, 19, "unknown sub-attribute") == 0 {
		o["noSuch"] = "x"
	}
	return o
}

func drawValue(t *rapid.T, f *fact) any {
	if f.subs == nil {
		return drawSimple(t, f)
	}
	switch n := drawInt(t, 0, 19, "sort of complex value"); {
	case n == 0:
		return nil
	case n == 1:
		return "x"
	case n == 2 && f.name == "manager":
		return drawFrom(t, []any{"", []any{}, []any{nil}, map[string]any{"value": ""}}, "odd manager")
	case n == 3 && f.name == "manager":
		return []any{drawObject(t, f)}
	case !f.multi || n == 4:
		return drawObject(t, f)
	}
	list := []any{}
	for range drawInt(t, 0, 3, "length") {
		list = append(list, drawObject(t, f))
	}
	return list
}

func drawWhere(t *rapid.T, f *fact, depth int) *where {
	if n := drawInt(t, 0, 9, "sort of filter"); depth > 0 && n < 4 {
		w := &where{op: []string{"and", "or", "not", "and"}[n], kids: []*where{drawWhere(t, f, depth-1)}}
		if w.op != "not" {
			w.kids = append(w.kids, drawWhere(t, f, depth-1))
		}
		return w
	}
	sub := drawFrom(t, f.subs, "filtered")
	if sub.boolean {
		return &where{op: drawFrom(t, []string{"eq", "ne"}, "operator"), sub: sub.name, value: rapid.Bool().Draw(t, "wanted")}
	}
	w := &where{sub: sub.name, op: drawFrom(t, []string{"eq", "eq", "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr"}, "operator")}
	switch {
	case w.op == "pr":
	case sub.name == "type":
		w.value = drawFrom(t, someType, "wanted")
	case sub.name == "value":
		w.value = drawFrom(t, someValue, "wanted")
	default:
		w.value = drawFrom(t, someText, "wanted")
	}
	return w
}

// drawStep draws what one path or one name of a value says.
func drawStep(t *rapid.T, op string) step {
	if n := drawInt(t, 0, 29, "sort of target"); n == 0 {
		return step{op: op, attr: "noSuch", value: "x", gone: true}
	} else if n < 3 {
		return drawExtension(t, op)
	}
	f := drawFrom(t, facts, "attribute")
	s := step{op: op, urn: f.urn, attr: f.name}
	if f.subs != nil && rapid.Bool().Draw(t, "deeper") {
		if f.multi && drawInt(t, 0, 3, "filtered") > 0 && !f.readOnly {
			s.where = drawWhere(t, &f, 2)
		}
		if s.where == nil || rapid.Bool().Draw(t, "sub-attribute too") {
			sub := drawFrom(t, f.subs, "sub-attribute")
			s.sub, s.value = sub.name, drawSimple(t, &sub)
		} else {
			one := f
			one.multi = false
			s.value = drawValue(t, &one)
		}
	} else {
		s.value = drawValue(t, &f)
	}
	if op == opRemove && (s.where != nil || s.sub != "" || !f.multi || drawInt(t, 0, 3, "a list") > 0) {
		s.value = nil
	}
	return s
}

func drawExtension(t *rapid.T, op string) step {
	s := step{op: op, urn: enterpriseURN}
	if n := drawInt(t, 0, 5, "sort of extension"); n == 0 || op == opRemove {
		return s
	} else if n == 1 {
		s.value = "x"
		return s
	}
	o := map[string]any{}
	for _, f := range facts {
		if f.urn != "" && rapid.Bool().Draw(t, "has it") {
			o[f.name] = drawValue(t, &f)
		}
	}
	s.value = o
	return s
}

// path writes the path of a step.
func (s step) path() string {
	var b strings.Builder
	if s.urn != "" {
		b.WriteString(s.urn)
		if s.attr != "" {
			b.WriteByte(':')
		}
	}
	b.WriteString(s.attr)
	if s.where != nil {
		b.WriteString("[" + s.where.text() + "]")
	}
	if s.sub != "" {
		b.WriteString("." + s.sub)
	}
	return b.String()
}

func (w *where) text() string {
	switch w.op {
	case "and", "or":
		return "(" + w.kids[0].text() + ") " + w.op + " (" + w.kids[1].text() + ")"
	case "not":
		return "not (" + w.kids[0].text() + ")"
	case "pr":
		return w.sub + " pr"
	}
	raw, _ := json.Marshal(w.value) // strings and booleans always encode
	return w.sub + " " + w.op + " " + string(raw)
}

// change is one operation of a PATCH.
type change struct {
	op       string
	steps    []step
	pathless bool
}

func drawChange(t *rapid.T) change {
	c := change{op: drawFrom(t, []string{opAdd, opReplace, opRemove}, "op")}
	c.pathless = drawInt(t, 0, 3, "no path") == 0
	c.steps = []step{drawStep(t, c.op)}
	if !c.pathless {
		return c
	}
	for range drawInt(t, 0, 2, "more names") {
		s := drawStep(t, c.op)
		if !slices.ContainsFunc(c.steps, func(o step) bool { return s.urn == o.urn && (s.attr == o.attr || s.urn != "") }) {
			c.steps = append(c.steps, s)
		}
	}
	return c
}

func (c change) operation() object {
	o := object{"op": c.op}
	switch {
	case c.pathless && c.op == opRemove:
	case c.pathless:
		value := object{}
		for _, s := range c.steps {
			value[s.path()] = s.value
		}
		o["value"] = value
	default:
		o["path"] = c.steps[0].path()
		if v := c.steps[0].value; c.op != opRemove || v != nil {
			o["value"] = v
		}
	}
	return o
}

// someone is whom the patches begin with: there is something to select.
const someone = `{"schemas":["` + urnCore + `"],"userName":"ada","title":"x","name":{"givenName":"x","familyName":"y"},
	"emails":[{"value":"a","type":"work","primary":true},{"value":"b","display":"y"}],
	"ims":[{"value":"a","type":"Work"},{"value":"b","type":"home","primary":true},{"value":"c","display":"x"},{"display":"z","primary":false}],
	"photos":[{"value":"a","type":"home"},{"value":"A","type":"home","primary":false}],
	"addresses":[{"locality":"x","type":"work","primary":true},{"locality":"y","country":"z"}],
	"` + enterpriseURN + `":{"department":"x","manager":{"value":"a"}}}`

// patchable is somewhere where a user can be patched: the patcher itself, or a running server.
type patchable interface {
	// begin returns the user before the first patch.
	begin(t *rapid.T) map[string]any
	// patch returns the user afterwards, and the scimType of the refusal or "".
	patch(t *rapid.T, body []byte) (after map[string]any, keyword string)
}

// checkPatches patches a user and the model with random operations, and both must stay the same.
func checkPatches(t *rapid.T, dialect string, at patchable) {
	m := &world{dialect: dialect, res: at.begin(t)}
	for range drawInt(t, 1, 6, "patches") {
		var changes []change
		ops := []any{}
		for range drawInt(t, 1, 3, "operations") {
			c := drawChange(t)
			changes, ops = append(changes, c), append(ops, c.operation())
		}
		body, err := json.Marshal(object{"schemas": []any{patchURN}, "Operations": ops})
		if err != nil {
			t.Fatal(err)
		}
		next := &world{dialect: dialect, res: plainCopy(m.res).(map[string]any)}
		var why refused
		for _, c := range changes {
			if why = next.do(c.op, c.steps, c.pathless); len(why) > 0 {
				break
			}
		}
		if len(why) == 0 {
			why = next.atRest()
		}
		if len(why) == 0 {
			m = next
		}
		after, keyword := at.patch(t, body)
		if keyword == "" && len(why) > 0 || keyword != "" && !slices.Contains(why, keyword) {
			t.Fatalf("%s: %s\nrefused with %q, the model says %q", dialect, body, keyword, why)
		}
		if diff := cmp.Diff(m.res, after); diff != "" {
			t.Fatalf("%s: %s\n-model +server:\n%s", dialect, body, diff)
		}
	}
}

// engine is the patcher alone.
type engine struct {
	door *Door
	d    dialect
	u    identity.User
}

func (e *engine) begin(t *rapid.T) map[string]any {
	o, err := readObject([]byte(someone))
	if err == nil {
		e.u, err = newUser(o, e.d)
	}
	if err != nil {
		t.Fatal(err)
	}
	return e.plain(t)
}

func (e *engine) plain(t *rapid.T) map[string]any {
	raw, err := e.door.appendUser(nil, e.u, projection{})
	if err != nil {
		t.Fatal(err)
	}
	return plainUser(t, raw)
}

func (e *engine) patch(t *rapid.T, body []byte) (map[string]any, string) {
	o, err := readObject(body)
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	ops, err := readPatch(o)
	if err == nil {
		err = patchUser(ops, e.d)(&e.u)
	}
	return e.plain(t), identity.CodeOf(err)
}

// plainUser reads an answer and leaves out what the server adds; schemas must be those of what is there.
func plainUser(t *rapid.T, raw []byte) map[string]any {
	var res map[string]any
	if err := json.Unmarshal(raw, &res); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	_, extended := res[enterpriseURN]
	if list, _ := res["schemas"].([]any); slices.Contains(list, any(enterpriseURN)) != extended {
		t.Fatalf("schemas is wrong: %s", raw)
	}
	for _, name := range []string{"schemas", "id", "meta"} {
		delete(res, name)
	}
	return res
}

var dialectNames = []string{"standard", "entra", "okta"}

func TestRandomPatchesGiveWhatTheModelGives(t *testing.T) {
	door := New(Options{URL: "https://bridge.example"})
	for range 20 { // times a hundred
		rapid.Check(t, func(t *rapid.T) {
			d := drawFrom(t, dialectNames, "dialect")
			checkPatches(t, d, &engine{door: door, d: dialectOf(identity.Dialect(d))})
		})
	}
}
