package scim

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// fill pushes people with and without the attributes that lists are sorted by, some of them with equal values.
func (c *client) fill() {
	c.t.Helper()
	for i := range 9 {
		body := fmt.Sprintf(`{"schemas":["%s","%s"],"userName":"user%d@example.com"`, urnCore, enterpriseURN, (i*7)%10)
		if i%3 > 0 {
			body += fmt.Sprintf(`,"title":"%s%d","displayName":"D%d","emails":[{"value":"z%d@x.test"},{"value":"%d@x.test","primary":true}]`, strings.Repeat("T", 300), i%2, i%4, i, 9-i)
		}
		if i%4 > 0 {
			body += fmt.Sprintf(`,"externalId":"%c","phoneNumbers":[{"value":"%d"},{"value":"5","primary":%t}],"%s":{"employeeNumber":"%d"}`, 'a'+i, i, i%2 == 0, enterpriseURN, i%3)
		}
		c.must(http.StatusCreated, "POST", "/Users", body+"}")
	}
}

// ids walks a list by cursor, so many a page, and returns the ids in their order.
func (c *client) ids(path string, count int) []string {
	c.t.Helper()
	var all []string
	for cursor := ""; ; {
		r := c.must(http.StatusOK, "GET", fmt.Sprintf("%s&count=%d&cursor=%s", path, count, url.QueryEscape(cursor)), "")
		for _, v := range listOf(r.object["Resources"]) {
			all = append(all, textOf(v.(object)["id"]))
		}
		if cursor = textOf(r.object["nextCursor"]); cursor == "" {
			return all
		}
		if len(all) > 1000 {
			c.t.Fatal("the cursors go in circles")
		}
	}
}

func (c *client) byIndex(path string) []string {
	c.t.Helper()
	var all []string
	for _, v := range listOf(c.must(http.StatusOK, "GET", path, "").object["Resources"]) {
		all = append(all, textOf(v.(object)["id"]))
	}
	return all
}

func TestCursorsWalkEveryOrderWithoutLossOrRepetition(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newBridge(t, db).client(t, "orders", identity.DialectStandard)
		c.fill()
		for _, by := range []string{
			"id", "userName", "title", "displayName", "externalId", "emails", "emails.type", "active", "meta.created", "meta.lastModified",
			"phoneNumbers", "groups", enterpriseURN + ":employeeNumber",
		} {
			for _, order := range []string{"ascending", "descending"} {
				path := "/Users?attributes=id&sortBy=" + by + "&sortOrder=" + order
				want := c.byIndex(path)
				if len(want) != 9 {
					t.Fatalf("%s: %d people, want 9", by, len(want))
				}
				for _, count := range []int{1, 4} {
					if diff := cmp.Diff(want, c.ids(path, count)); diff != "" {
						t.Errorf("%s %s, %d a page (-by index +by cursor):\n%s", by, order, count, diff)
					}
				}
			}
		}
	})
}

func TestResourcesWithoutTheAttributeComeLast(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newBridge(t, db).client(t, "orders", identity.DialectStandard)
		c.fill()
		for _, by := range []string{"title", "displayName", "externalId", "emails", "phoneNumbers"} {
			up := c.byIndex("/Users?attributes=id&sortBy=" + by)
			down := c.byIndex("/Users?attributes=id&sortBy=" + by + "&sortOrder=descending")
			without := c.byIndex("/Users?attributes=id&filter=" + url.QueryEscape("not ("+by+" pr)"))
			if n := len(without); n == 0 || !slices.Equal(up[9-n:], without) || !slices.Equal(down[:n], without) {
				t.Errorf("%s: those without it are %v, ascending gives %v, descending %v", by, without, up, down)
			}
		}
		first := c.must(200, "GET", "/Users?sortBy=emails&count=1", "").object["Resources"].([]any)[0].(object)
		if got := textOf(listOf(first["emails"])[1].(object)["value"]); got != "1@x.test" {
			t.Errorf("the first by address has the primary address %s", got)
		}
	})
}

func TestACursorKeepsItsPlaceWhenPeopleComeAndGo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newBridge(t, db).client(t, "moving", identity.DialectStandard)
		ids := map[string]string{}
		for _, name := range []string{"b", "d", "f", "h"} {
			ids[name] = c.createUser(name)
		}
		first := c.must(200, "GET", "/Users?sortBy=userName&count=2&cursor", "")
		ids["a"], ids["e"] = c.createUser("a"), c.createUser("e")
		c.must(204, "DELETE", "/Users/"+ids["d"], "")
		rest := c.must(200, "GET", "/Users?sortBy=userName&count=9&cursor="+textOf(first.object["nextCursor"]), "")
		var got []string
		for _, v := range listOf(rest.object["Resources"]) {
			got = append(got, textOf(v.(object)["userName"]))
		}
		if diff := cmp.Diff([]string{"e", "f", "h"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestASearchOverAllTypesHasCursorsToo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newBridge(t, db).client(t, "all", identity.DialectStandard)
		for i := range 3 {
			c.createUser(fmt.Sprint("user", i))
			c.must(201, "POST", "/Groups", `{"schemas":["`+groupType.schema.ID+`"],"displayName":"g`+fmt.Sprint(i)+`"}`)
		}
		want := c.byIndex("/?attributes=id")
		for count := 1; count <= 6; count++ {
			if diff := cmp.Diff(want, c.ids("/?attributes=id", count)); diff != "" {
				t.Errorf("%d a page (-by index +by cursor):\n%s", count, diff)
			}
		}
		first := c.must(200, "POST", "/.search", `{"schemas":["`+searchURN+`"],"cursor":"","count":3}`)
		second := c.must(200, "POST", "/.search", `{"schemas":["`+searchURN+`"],"cursor":"`+textOf(first.object["nextCursor"])+`","count":3}`)
		if len(listOf(second.object["Resources"])) != 3 || second.object["nextCursor"] != nil || fmt.Sprint(second.object["totalResults"]) != "6" {
			t.Errorf("the second page is %s", second.raw)
		}
	})
}

func TestACursorAnswersOnlyItsOwnQuestion(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBridge(t, db)
		c, other := b.client(t, "ours", identity.DialectStandard), b.client(t, "theirs", identity.DialectStandard)
		for _, c := range []*client{c, other} {
			c.fill()
			c.must(201, "POST", "/Groups", `{"schemas":["`+groupType.schema.ID+`"],"displayName":"g"}`)
		}
		const list = "/Users?filter=userName+pr&sortBy=userName&count=2&cursor="
		cursor := textOf(c.must(200, "GET", list, "").object["nextCursor"])
		if strings.Trim(cursor, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") != "" {
			t.Errorf("the cursor %q has characters that RFC 9865 does not allow", cursor)
		}
		if other.token == c.token {
			t.Fatal("one token for two directories")
		}
		c.must(200, "GET", list+cursor, "")
		c.must(200, "GET", "/Users?filter=userName+pr&sortBy=USERNAME&sortOrder=ascending&count=3&attributes=id&cursor="+cursor, "")
		c.must(200, "POST", "/Users/.search", `{"schemas":["`+searchURN+`"],"filter":"userName pr","sortBy":"userName","cursor":"`+cursor+`"}`)
		var said string
		for name, path := range map[string]string{
			"another filter": "/Users?filter=id+pr&sortBy=userName&cursor=", "no filter": "/Users?sortBy=userName&cursor=",
			"another order": "/Users?filter=userName+pr&sortBy=title&cursor=", "no order": "/Users?filter=userName+pr&cursor=",
			"the other direction": "/Users?filter=userName+pr&sortBy=userName&sortOrder=descending&cursor=",
			"another type":        "/Groups?cursor=", "all types": "/?filter=userName+pr&sortBy=userName&cursor=",
		} {
			r := c.must(400, "GET", path+cursor, "")
			if r.object["scimType"] != invalidCursor {
				t.Errorf("%s: %s", name, r.raw)
			}
			said = textOf(r.object["detail"])
		}
		for name, r := range map[string]reply{
			"another directory": other.must(400, "GET", list+cursor, ""), "no base64": c.must(400, "GET", list+"!"+cursor, ""),
			"too short": c.must(400, "GET", list+"AAAA", ""), "made up": c.must(400, "GET", list+strings.Repeat("A", 80), ""),
			"too long": c.must(400, "GET", list+strings.Repeat("A", 20000), ""),
		} {
			if r.object["scimType"] != invalidCursor || textOf(r.object["detail"]) != said {
				t.Errorf("%s: %s", name, r.raw)
			}
		}
		for i := range cursor {
			changed := []byte(cursor)
			changed[i] = map[bool]byte{true: 'B', false: 'A'}[changed[i] == 'A']
			if r := c.must(400, "GET", list+string(changed), ""); r.object["scimType"] != invalidCursor {
				t.Fatalf("with another character at %d: %s", i, r.raw)
			}
		}
	})
}

// forge makes a cursor as the door would have made it at another time.
func (b *bridge) forge(t *testing.T, c *client, l listing, at cursor) string {
	t.Helper()
	door := &call{Door: New(Options{Provisioning: b.people}), ctx: context.Background(), directory: c.directory}
	text, err := door.cursorText(door.question(l, "User"), at)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestACursorExpires(t *testing.T) {
	b := newBridge(t, storetest.SQLite(t))
	c := b.client(t, "late", identity.DialectStandard)
	id := c.createUser("ada")
	for age, want := range map[time.Duration]string{0: "", cursorLife - time.Minute: "", cursorLife + time.Minute: expiredCursor, 1000 * cursorLife: expiredCursor} {
		status := map[bool]int{true: 200, false: 400}[want == ""]
		text := b.forge(t, c, listing{}, cursor{time.Now().Add(-age), place{Kind: "User", ID: id}})
		r := c.must(status, "GET", "/Users?cursor="+text, "")
		if textOf(r.object["scimType"]) != want {
			t.Errorf("after %s: %s", age, r.raw)
		}
	}
	config := c.must(200, "GET", "/ServiceProviderConfig", "").object["pagination"].(object)
	if fmt.Sprint(config["cursorTimeout"]) != fmt.Sprint(cursorLife.Seconds()) {
		t.Errorf("the configuration says %v seconds", config["cursorTimeout"])
	}
}

func TestParametersOfPagesByCursorAreChecked(t *testing.T) {
	c := newBridge(t, storetest.SQLite(t)).client(t, "pages", identity.DialectStandard)
	c.fill()
	for query, want := range map[string]string{
		"cursor&count=0": "", "cursor&count=-1": "", "cursor&count=x": invalidCount, "cursor&startIndex=1": invalidValue,
		"cursor=&startIndex=5&count=2": invalidValue, "cursor&count=5000": "", "cursor": "", "count=0": "", "count=-1": "", "startIndex=0&count=2": "",
		"count=x": invalidValue,
	} {
		status := map[bool]int{true: 200, false: 400}[want == ""]
		if r := c.must(status, "GET", "/Users?"+query, ""); textOf(r.object["scimType"]) != want {
			t.Errorf("%s: %s", query, r.raw)
		}
	}
	for body, want := range map[string]string{
		`"cursor":"","count":0`: "", `"cursor":"","count":"x"`: invalidCount, `"cursor":"","startIndex":1`: invalidValue, `"cursor":7`: invalidValue,
		`"cursor":null,"startIndex":1`: "", `"cursor":"","startIndex":null`: "",
	} {
		status := map[bool]int{true: 200, false: 400}[want == ""]
		if r := c.must(status, "POST", "/Users/.search", `{"schemas":["`+searchURN+`"],`+body+`}`); textOf(r.object["scimType"]) != want {
			t.Errorf("%s: %s", body, r.raw)
		}
	}
}

func FuzzCursor(f *testing.F) {
	db := storetest.SQLite(f)
	door := New(Options{Provisioning: newPeople(f, db)})
	c := &call{Door: door, ctx: context.Background()}
	question := c.question(listing{}, "User")
	good, err := c.cursorText(question, cursor{time.Now(), place{ID: "x"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("")
	f.Add(base64.RawURLEncoding.EncodeToString(make([]byte, 50)))
	f.Fuzz(func(t *testing.T, text string) {
		_, err := c.start(listing{cursor: &text}, question)
		if accepted := text == "" || text == good; accepted != (err == nil) || err != nil && identity.CodeOf(err) != invalidCursor {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
