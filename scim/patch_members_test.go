package scim

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// crowd is a group of a running server with those who may become its members, and what the model says of it.
type crowd struct {
	*client
	dialect string
	id      string
	etag    string
	pool    map[string]map[string]any // by id: type and display, as a member shows them
	name    string
	outside string // an id that names nothing
	members map[string]bool
}

var memberFacts = &fact{name: "members", multi: true, subs: []fact{{name: "value"}, {name: "type"}, {name: "display"}}}

// pool makes people and groups whose display names come from different attributes.
func (c *client) pool() map[string]map[string]any {
	pool := map[string]map[string]any{}
	for display, more := range map[string]string{
		"Ada L": `,"displayName":"Ada L"`, "Bob B": `,"name":{"formatted":"Bob B","givenName":"x"}`, "Cy D": `,"name":{"givenName":"Cy","familyName":"D"}`,
		"eve": ``, "ADA": `,"displayName":"ADA"`,
	} {
		body := strings.TrimSuffix(userBody(strings.ToLower(strings.ReplaceAll(display, " ", "."))), "}") + more + "}"
		if display == "ADA" {
			body = strings.Replace(body, `"ada"`, `"ada2"`, 1)
		}
		r := c.must(http.StatusCreated, "POST", "/Users", body)
		pool[textOf(r.object["id"])] = map[string]any{"type": "User", "display": display}
	}
	for _, display := range []string{"ada's", "Others"} {
		r := c.must(http.StatusCreated, "POST", "/Groups", `{"schemas":["`+groupType.schema.ID+`"],"displayName":"`+display+`"}`)
		pool[textOf(r.object["id"])] = map[string]any{"type": "Group", "display": display}
	}
	for id, m := range pool {
		m["value"] = id
	}
	return pool
}

// drawMemberFilter draws a filter on members.
func (c *crowd) drawMemberFilter(t *rapid.T, depth int) *where {
	if n := drawInt(t, 0, 9, "sort of filter"); depth > 0 && n < 4 {
		w := &where{op: []string{"and", "or", "not", "or"}[n], kids: []*where{c.drawMemberFilter(t, depth-1)}}
		if w.op != "not" {
			w.kids = append(w.kids, c.drawMemberFilter(t, depth-1))
		}
		return w
	}
	switch drawInt(t, 0, 3, "filtered") {
	case 0:
		return &where{sub: "type", op: drawFrom(t, []string{"eq", "ne", "sw", "gt"}, "operator"), value: drawFrom(t, []any{"User", "group"}, "wanted")}
	case 1:
		op := drawFrom(t, []string{"eq", "ne", "co", "sw", "ew", "pr"}, "operator")
		return &where{sub: "display", op: op, value: drawFrom(t, []any{"ada l", "ad", "d", "Bob B", "Eve", "others", "B"}, "wanted")}
	}
	w := &where{sub: "value", op: drawFrom(t, []string{"eq", "eq", "eq", "ne"}, "operator"), value: c.drawID(t)}
	if drawInt(t, 0, 3, "in capitals") == 0 {
		w.value = strings.ToUpper(textOf(w.value))
	}
	return w
}

func (c *crowd) drawID(t *rapid.T) string {
	ids := append(slices.Sorted(maps.Keys(c.pool)), c.outside)
	return drawFrom(t, ids, "member")
}

// drawGroupChange draws an operation and does it to the model: a refusal does nothing.
func (c *crowd) drawGroupChange(t *rapid.T) (object, refused) {
	switch drawInt(t, 0, 11, "sort of operation") {
	case 0:
		c.name = drawFrom(t, []string{"g", "h", "G", "OTHERS"}, "name")
		return object{"op": drawFrom(t, []string{opAdd, opReplace}, "op"), "path": "displayName", "value": c.name}, nil
	case 1:
		return object{"op": opRemove, "path": "displayName"}, refused{mutability}
	case 2:
		clear(c.members)
		return drawFrom(t, []object{
			{"op": opRemove, "path": "members"},
			{"op": opReplace, "path": "members", "value": nil},
			{"op": opReplace, "path": "members", "value": []any{}},
			{"op": opReplace, "value": object{"members": []any{}}},
		}, "nobody is left"), nil
	case 3, 4, 5:
		return c.changeWhere(t)
	case 6:
		return c.removeList(t)
	case 7:
		return object{"op": opAdd, "path": "members", "value": nil}, nil
	}
	return c.addSome(t)
}

// changeWhere draws an operation whose path selects members.
func (c *crowd) changeWhere(t *rapid.T) (object, refused) {
	w := c.drawMemberFilter(t, 2)
	o := object{"op": opRemove, "path": "members[" + w.text() + "]"}
	switch drawInt(t, 0, 9, "another operation") {
	case 0:
		o["op"] = drawFrom(t, []string{opAdd, opReplace, opRemove}, "op")
		o["path"], o["value"] = textOf(o["path"])+"."+drawFrom(t, []string{"value", "type", "display"}, "part"), "x"
		return o, refused{mutability} // the parts of a member are immutable
	case 1, 2:
		return c.addWhere(t, o, w)
	case 3, 4, 5:
		return c.replaceWhere(t, o, w)
	}
	c.drop(w)
	return o, nil
}

// drop removes whom a filter selects and reports whether there was anybody.
func (c *crowd) drop(w *where) bool {
	n := len(c.members)
	maps.DeleteFunc(c.members, func(id string, _ bool) bool { return w.holds(memberFacts, c.pool[id]) })
	return len(c.members) < n
}

// addWhere: a path that names one id says who is added, and the value may say the same; any other filter names nobody.
func (c *crowd) addWhere(t *rapid.T, o object, w *where) (object, refused) {
	o["op"], o["value"] = opAdd, object{}
	if rapid.Bool().Draw(t, "of one id") {
		w = &where{op: "eq", sub: "value", value: c.drawID(t)}
		o["path"] = "members[" + w.text() + "]"
	}
	if w.op != "eq" || w.sub != "value" {
		return o, refused{invalidPath}
	}
	id := strings.ToLower(textOf(w.value))
	switch drawInt(t, 0, 4, "sort of value") {
	case 0:
		o["value"] = nil
		return o, nil
	case 1:
		o["value"] = object{"value": strings.ToUpper(id)}
	case 2:
		o["value"] = []any{object{"value": id}}
	case 3:
		if other := c.drawID(t); other != id {
			o["value"] = object{"value": other}
			return o, refused{mutability}
		}
	}
	return o, c.join(id)
}

// replaceWhere: those who are selected go, and those of the value come. In the standard dialect somebody must be selected.
func (c *crowd) replaceWhere(t *rapid.T, o object, w *where) (object, refused) {
	o["op"], o["value"] = opReplace, nil
	if drawInt(t, 0, 5, "by nobody") == 0 {
		c.drop(w)
		return o, nil
	}
	var why refused
	if !c.drop(w) && c.dialect == "standard" {
		why = refused{noTarget}
	}
	value, more := c.drawNewcomers(t)
	o["value"] = value
	return o, append(why, more...)
}

// join adds a member to the model, who must be somebody.
func (c *crowd) join(id string) refused {
	c.members[id] = true
	if c.pool[id] == nil {
		return refused{invalidValue}
	}
	return nil
}

func (c *crowd) removeList(t *rapid.T) (object, refused) {
	list := []any{}
	for range drawInt(t, 0, 2, "length") {
		list = append(list, object{"value": c.drawID(t)})
	}
	o := object{"op": opRemove, "path": "members", "value": list}
	if c.dialect == "standard" {
		return o, refused{invalidValue}
	}
	for _, m := range list {
		delete(c.members, m.(object)["value"].(string))
	}
	return o, nil
}

// drawNewcomers draws members as a client sends them, one or a list, and adds them to the model.
func (c *crowd) drawNewcomers(t *rapid.T) (any, refused) {
	list := []any{}
	var why refused
	for range drawInt(t, 1, 4, "length") {
		id := c.drawID(t)
		if drawInt(t, 0, 29, "itself") == 0 {
			id = c.id
		}
		why = append(why, c.join(id)...)
		if rapid.Bool().Draw(t, "in capitals") {
			id = strings.ToUpper(id)
		}
		list = append(list, object{"value": id})
	}
	if len(list) == 1 {
		return list[0], why
	}
	return list, why
}

func (c *crowd) addSome(t *rapid.T) (object, refused) {
	o := object{"op": drawFrom(t, []string{opAdd, opAdd, opReplace}, "op")}
	if o["op"] == opReplace {
		clear(c.members)
	}
	value, why := c.drawNewcomers(t)
	if rapid.Bool().Draw(t, "no path") {
		o["value"] = object{"members": value}
	} else {
		o["path"], o["value"] = "members", value
	}
	return o, why
}

func TestRandomPatchesOfMembersGiveWhatTheModelGives(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBridge(t, db)
		for _, d := range []string{"standard", "entra", "okta"} {
			client := b.client(t, "members "+d, identity.Dialect(d))
			pool := client.pool()
			everybody := []any{}
			for _, id := range slices.Sorted(maps.Keys(pool)) {
				everybody = append(everybody, object{"value": id})
			}
			n := 0
			rapid.Check(t, func(t *rapid.T) {
				n++
				name := fmt.Sprintf("g%d", n)
				group := encode(object{"schemas": []any{groupType.schema.ID}, "displayName": name, "members": everybody})
				r, err := client.send("POST", "/Groups", group)
				if err != nil || r.status != http.StatusCreated {
					t.Fatalf("%d %s %v", r.status, r.raw, err)
				}
				c := &crowd{
					client: client, dialect: d, id: textOf(r.object["id"]), etag: r.header.Get("ETag"), pool: pool, name: name,
					outside: string(identity.NewID[identity.UserID]()), members: map[string]bool{},
				}
				for id := range pool {
					c.members[id] = true
				}
				defer func() { _, _ = client.send("DELETE", "/Groups/"+c.id, nil) }() // so that its name is free, also after a failure
				for range drawInt(t, 1, 4, "patches") {
					c.patchMembers(t)
				}
			})
		}
	})
}

// patchMembers sends one PATCH and compares the group with the model.
func (c *crowd) patchMembers(t *rapid.T) {
	name, members := c.name, maps.Clone(c.members)
	var why refused
	ops := []any{}
	for range drawInt(t, 1, 3, "operations") {
		o, no := c.drawGroupChange(t)
		ops, why = append(ops, o), append(why, no...)
	}
	if c.taken(name) {
		why = append(why, uniqueness) // or what else is wrong: the server says what it finds first
	}
	if len(why) > 0 {
		c.name, c.members = name, members
	}
	body, err := json.Marshal(object{"schemas": []any{patchURN}, "Operations": ops})
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.send("PATCH", "/Groups/"+c.id, body)
	if err != nil {
		t.Fatal(err)
	}
	if keyword := textOf(got.object["scimType"]); len(why) > 0 && !slices.Contains(why, keyword) || len(why) == 0 && got.status > 204 {
		t.Fatalf("%s: %s\n%d %s, the model says %q", c.dialect, body, got.status, got.raw, why)
	}
	c.compare(t, body, name == c.name && maps.Equal(members, c.members))
}

// taken reports whether a group that had a name has that of another group now, which the entra dialect refuses.
func (c *crowd) taken(before string) bool {
	return c.dialect == "entra" && !strings.EqualFold(before, c.name) && slices.ContainsFunc(slices.Collect(maps.Values(c.pool)), func(m map[string]any) bool {
		return m["type"] == "Group" && strings.EqualFold(textOf(m["display"]), c.name)
	})
}

func (c *crowd) compare(t *rapid.T, body []byte, unchanged bool) {
	r, err := c.send("GET", "/Groups/"+c.id, nil)
	if err != nil || r.status != http.StatusOK {
		t.Fatalf("%d %s %v", r.status, r.raw, err)
	}
	want, got := map[string]any{}, map[string]any{}
	for id := range c.members {
		want[id] = c.pool[id]
	}
	for _, m := range listOf(r.object["members"]) {
		o := m.(object)
		delete(o, "$ref")
		got[textOf(o["value"])] = o
	}
	if diff := cmp.Diff(want, got); diff != "" || r.object["displayName"] != c.name || len(got) != len(listOf(r.object["members"])) {
		t.Fatalf("%s: %s\nname %v, want %s; members -model +server:\n%s", c.dialect, body, r.object["displayName"], c.name, diff)
	}
	etag := r.header.Get("ETag")
	if !unchanged && etag == c.etag {
		t.Fatalf("%s: %s\nthe group changed and its version did not", c.dialect, body)
	}
	c.etag = etag
}
