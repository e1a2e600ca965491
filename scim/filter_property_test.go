package scim

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// The words of attributes and of filters. The order of filterWords is the same in every collation; filterOdd are not compared by order, since
// PostgreSQL has the order of the installation's language there.
var (
	filterWords = []any{"a", "A", "b", "ab", "abc", "", "work", "Work", "home"}
	filterOdd   = []any{"É", "é", "50%", "5", "a_b", "aXb", `a\b`, `"`, "<&>", "ß"}
)

// population is everybody whom the filters are asked about.
type population struct {
	*client
	t         *testing.T
	all       map[string][]map[string]any // by endpoint
	times     []any
	ids       []any
	endpoints map[string][]spot
}

// populate makes people and groups at random, but always the same.
func (c *client) populate(t *testing.T) *population {
	t.Helper()
	r := rand.New(rand.NewPCG(7, 7))
	words := slices.Concat(filterWords, filterOdd)
	word := func() any { return words[r.IntN(len(words))] }
	var members []any
	for i := range 40 {
		u := object{"schemas": []any{urnCore}, "userName": fmt.Sprintf("%v%d", word(), i), "active": r.IntN(2) == 0}
		for _, f := range facts {
			if f.require || f.readOnly || f.name == "active" || r.IntN(2) == 0 {
				continue
			}
			v := f.random(r, word)
			if f.urn == "" {
				u[f.name] = v
				continue
			}
			part, _ := u[f.urn].(object)
			if part == nil {
				part = object{}
			}
			part[f.name], u[f.urn] = v, part
		}
		m := object{"value": textOf(c.must(http.StatusCreated, "POST", "/Users", string(encode(u))).object["id"])}
		if r.IntN(3) > 0 {
			members = append(members, m)
		}
	}
	for i := range 8 {
		g := object{"schemas": []any{groupType.schema.ID}, "displayName": fmt.Sprintf("%v%d", word(), i), "members": members[i : i+r.IntN(6)]}
		if i%2 == 0 {
			g["externalId"] = word()
		}
		c.must(http.StatusCreated, "POST", "/Groups", string(encode(g)))
	}
	p := &population{client: c, t: t, all: map[string][]map[string]any{}, endpoints: map[string][]spot{"/Users": userPlaces, "/Groups": groupPlaces}}
	p.read()
	return p
}

// random makes a value of an attribute.
func (f *fact) random(r *rand.Rand, word func() any) any {
	if f.boolean {
		return r.IntN(2) == 0
	}
	if f.subs == nil && slices.Contains([]string{"displayName", "nickName", "familyName", "type", "department"}, f.name) {
		return filterWords[r.IntN(len(filterWords))] // these are compared by order too
	}
	if f.subs == nil {
		return word()
	}
	if f.multi {
		one := *f
		one.multi = false
		list := []any{}
		primary := false
		for range r.IntN(3) + 1 {
			e := one.random(r, word).(object)
			if e["primary"] == true && primary {
				e["primary"] = false
			}
			primary = primary || e["primary"] == true
			list = append(list, e)
		}
		return list
	}
	o := object{}
	for _, sub := range f.subs {
		if r.IntN(3) > 0 {
			o[sub.name] = sub.random(r, word)
		}
	}
	return o
}

// read keeps what a client is shown of everybody.
func (p *population) read() {
	for endpoint := range p.endpoints {
		for _, v := range listOf(p.must(http.StatusOK, "GET", endpoint+"?count=1000", "").object["Resources"]) {
			res := v.(object)
			p.all[endpoint] = append(p.all[endpoint], res)
			p.ids = append(p.ids, res["id"])
			p.times = append(p.times, res["meta"].(object)["created"], res["meta"].(object)["lastModified"])
		}
	}
	slices.SortFunc(p.ids, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
	slices.SortFunc(p.times, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
}

func (p *population) draw(t *rapid.T, places []spot, depth int) *ask {
	if n := drawInt(t, 0, 9, "sort of filter"); depth > 0 && n < 5 {
		a := &ask{op: []string{"and", "or", "not", "and", "or"}[n], kids: []*ask{p.draw(t, places, depth-1)}}
		if a.op != "not" {
			a.kids = append(a.kids, p.draw(t, places, depth-1))
		}
		return a
	}
	a := &ask{at: drawFrom(t, places, "attribute")}
	if a.at.fact != nil && rapid.Bool().Draw(t, "value path") {
		a.inner = drawInner(t, a.at.fact, 2)
		return a
	}
	switch n := drawInt(t, 0, 9, "sort of comparison"); {
	case n == 0 || a.at.kind == "complex":
		a.op = "pr"
		return a
	case n == 1:
		a.op = drawFrom(t, []string{"eq", "ne"}, "operator")
		return a // with null
	}
	p.drawLiteral(t, a)
	return a
}

func (p *population) drawLiteral(t *rapid.T, a *ask) {
	equal, ordered, part := []string{"eq", "ne"}, []string{"gt", "ge", "lt", "le"}, []string{"co", "sw", "ew"}
	ops := equal
	switch a.at.kind {
	case "boolean":
		a.value = rapid.Bool().Draw(t, "wanted")
	case "time":
		ops = slices.Concat(equal, ordered)
		at, _ := time.Parse(time.RFC3339Nano, drawFrom(t, p.times, "wanted").(string))
		a.value = at.In(time.FixedZone("", 3600*drawInt(t, -3, 3, "zone"))).Format(time.RFC3339Nano)
	case "id":
		a.value = drawFrom(t, p.ids, "wanted")
		if rapid.Bool().Draw(t, "a part") {
			ops, a.value = part, a.value.(string)[30:]
		}
	default:
		a.value = drawWord(t)
		ops = slices.Concat(equal, part)
		if slices.Contains(filterWords, a.value) && !a.at.exact && p.plain(a) {
			ops = slices.Concat(equal, part, ordered)
		}
	}
	a.op = drawFrom(t, ops, "operator")
}

// plain reports whether an attribute holds only letters, which every collation puts into the same order.
func (p *population) plain(a *ask) bool {
	for _, list := range p.all {
		for _, res := range list {
			for _, e := range a.elements(res) {
				if o, ok := e.(map[string]any); ok {
					e = o[cmp.Or(a.at.sub, "value")]
				}
				if s, ok := e.(string); ok && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz") != "" {
					return false
				}
			}
		}
	}
	return true
}

func drawWord(t *rapid.T) any {
	return drawFrom(t, slices.Concat(filterWords, filterOdd), "wanted")
}

// drawInner draws the filter of a value path.
func drawInner(t *rapid.T, f *fact, depth int) *where {
	w := drawWhere(t, f, depth)
	var change func(*where)
	change = func(w *where) {
		for _, k := range w.kids {
			change(k)
		}
		if _, ok := w.value.(string); ok && !slices.Contains([]string{"gt", "ge", "lt", "le"}, w.op) {
			w.value = drawWord(t)
		} else if ok {
			w.op = "eq" // the order of odd letters depends on the database
		}
	}
	change(w)
	return w
}

func TestRandomFiltersFindWhomTheyDescribe(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newBridge(t, db).client(t, "filters", identity.DialectStandard).populate(t)
		for range 10 { // times a hundred
			rapid.Check(t, func(t *rapid.T) {
				endpoint := drawFrom(t, []string{"/Users", "/Users", "/Users", "/Groups"}, "endpoint")
				a := p.draw(t, p.endpoints[endpoint], 3)
				p.compare(t, endpoint, a)
				if a.inner != nil {
					checkMatches(t, endpoint, a, p.all[endpoint])
				}
			})
		}
	})
}

func (p *population) compare(t *rapid.T, endpoint string, a *ask) {
	var want, got []string
	for _, res := range p.all[endpoint] {
		if a.holds(res) {
			want = append(want, textOf(res["id"]))
		}
	}
	r, err := p.send("GET", endpoint+"?count=1000&attributes=id&filter="+url.QueryEscape(a.text()), nil)
	if err != nil || r.status != http.StatusOK {
		t.Fatalf("%s: %d %s %v", a.text(), r.status, r.raw, err)
	}
	for _, v := range listOf(r.object["Resources"]) {
		got = append(got, textOf(v.(object)["id"]))
	}
	slices.Sort(want)
	slices.Sort(got)
	if slices.Equal(want, got) {
		return
	}
	for _, res := range p.all[endpoint] {
		if id := textOf(res["id"]); slices.Contains(want, id) != slices.Contains(got, id) {
			t.Fatalf("%s %s: %d are found, want %d; found %v: %s", endpoint, a.text(), len(got), len(want), slices.Contains(got, id), encode(res))
		}
	}
}

// checkMatches asks the evaluator of the patcher about every element.
func checkMatches(t *rapid.T, endpoint string, a *ask, all []map[string]any) {
	rt := map[string]*resourceType{"/Users": userType, "/Groups": groupType}[endpoint]
	f, err := rt.filter(a.text(), dialect{})
	if err != nil {
		t.Fatalf("%s: %v", a.text(), err)
	}
	for _, res := range all {
		for _, e := range a.elements(res) {
			if got, want := matches(f.Children[0], e), a.inner.holds(a.at.fact, e.(object)); got != want {
				t.Fatalf("%s: %v of %v", a.text(), got, e)
			}
		}
	}
}
