package scim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// labels are the user names and display names of a page.
func labels(r reply) string {
	var out []string
	for _, v := range listOf(r.object["Resources"]) {
		name := textOf(v.(object)["userName"])
		if name == "" {
			name = textOf(v.(object)["displayName"])
		}
		out = append(out, name)
	}
	return strings.Join(out, " ")
}

// mixed makes people and groups, not in the order of their names.
func (c *client) mixed() {
	for _, name := range []string{"d", "B", "e", "a", "C"} {
		c.createUser(name)
	}
	for _, name := range []string{"h", "G"} {
		c.must(http.StatusCreated, "POST", "/Groups", `{"schemas":["`+groupType.schema.ID+`"],"displayName":"`+name+`"}`)
	}
}

func TestPagesByCursorMeetEverybodyOnceInOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newBridge(t, db).client(t, "cursor", identity.DialectStandard)
		c.mixed()
		for query, want := range map[string]string{
			"":                                      "d B e a C",
			"&sortBy=userName":                      "a B C d e",
			"&sortBy=userName&sortOrder=descending": "e d C B a",
			"&filter=" + url.QueryEscape(`userName ne "e"`) + "&sortBy=userName": "a B C d",
		} {
			for _, count := range []string{"1", "2", "4", "5"} {
				var got []string
				cursor := ""
				for range 6 {
					r := c.must(http.StatusOK, "GET", "/Users?count="+count+query+"&cursor="+url.QueryEscape(cursor), "")
					got = append(got, labels(r))
					if cursor = textOf(r.object["nextCursor"]); cursor == "" {
						break
					}
				}
				if all := strings.Join(got, " "); all != want {
					t.Errorf("%s in pages of %s: %q, want %q", query, count, all, want)
				}
			}
		}
	})
}

func TestTheRootListsAllTypesInOnePage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newBridge(t, db).client(t, "root", identity.DialectStandard)
		c.mixed()
		all := strings.Split("d B e a C h G", " ")
		for start := 1; start <= len(all)+1; start++ {
			for count := range len(all) + 2 {
				want := all[min(start-1, len(all)):min(start-1+count, len(all))]
				search := fmt.Sprintf(`{"schemas":["%s"],"startIndex":%d,"count":%d}`, searchURN, start, count)
				for _, r := range []reply{
					c.must(http.StatusOK, "GET", fmt.Sprintf("/?startIndex=%d&count=%d", start, count), ""), c.must(http.StatusOK, "POST", "/.search", search),
				} {
					if got := labels(r); got != strings.Join(want, " ") || r.object["totalResults"] != 7.0 || r.object["itemsPerPage"] != float64(len(want)) {
						t.Errorf("%d from %d: %q, want %q: %s", count, start, got, want, r.raw)
					}
				}
			}
		}
	})
}

func TestAPageIsNeverLargerThanTheLimit(t *testing.T) {
	most := Limits{Page: 50}
	for _, count := range []int{51, 1 << 30} {
		if l := (listing{start: 1, count: count}).bounded(most); l.count != 50 {
			t.Errorf("a page of %d is one of %d", count, l.count)
		}
	}
	if l := (listing{start: -5, count: -5}).bounded(most); l.count != 0 || l.start != 1 {
		t.Errorf("a page of less than nothing is %+v", l)
	}
}

func TestOneOfSeveralVersionsMustBeTheCurrentOne(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newBridge(t, db).client(t, "versions", identity.DialectStandard)
		id := c.createUser("ada")
		change := func(status int, title, tags string) {
			t.Helper()
			c.must(status, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"title","value":"`+title+`"}`), "If-Match", tags)
		}
		tag := c.must(http.StatusOK, "GET", "/Users/"+id, "").header.Get("ETag")
		change(412, "x", `W/"98", W/"99"`)
		change(412, "x", `"nonsense", W/"99"`)
		change(200, "x", `W/"98", `+tag)
		change(412, "y", `W/"98", `+tag)
		c.must(412, "DELETE", "/Users/"+id, "", "If-Match", `W/"98", `+tag)
	})
}

func TestReplacingAGroupWithoutNamingMembersKeepsThem(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newBridge(t, db).client(t, "put", identity.DialectStandard)
		head := `{"schemas":["` + groupType.schema.ID + `"],"displayName":`
		id := textOf(c.must(201, "POST", "/Groups", head+`"g","externalId":"e","members":[{"value":"`+c.createUser("ada")+`"}]}`).object["id"])
		for _, step := range []struct {
			body    string
			members int
		}{{`"h"}`, 1}, {`"i","members":null}`, 0}, {`"j"}`, 0}} {
			r := c.must(200, "PUT", "/Groups/"+id, head+step.body)
			if n := len(listOf(r.object["members"])); n != step.members || r.object["externalId"] != "e" {
				t.Errorf("%s leaves %s", step.body, r.raw)
			}
		}
	})
}

func TestEntraGroupsCannotTakeANameThatIsTaken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newBridge(t, db).client(t, "names", identity.DialectEntra)
		head := `{"schemas":["` + groupType.schema.ID + `"],"displayName":`
		c.must(201, "POST", "/Groups", head+`"taken"}`)
		id := textOf(c.must(201, "POST", "/Groups", head+`"free"}`).object["id"])
		for _, r := range []reply{
			c.must(409, "POST", "/Groups", head+`"Taken"}`), c.must(409, "PUT", "/Groups/"+id, head+`"TAKEN"}`),
			c.must(409, "PATCH", "/Groups/"+id, patchBody(`{"op":"Replace","path":"displayName","value":"taken"}`)),
		} {
			if r.object["scimType"] != uniqueness {
				t.Errorf("%s", r.raw)
			}
		}
		c.must(204, "PATCH", "/Groups/"+id, patchBody(`{"op":"Replace","path":"displayName","value":"FREE"}`)) // its own name in other letters
	})
}

// A schema may have attributes that are never returned, or only on request; those of RFC 7643 that we keep are not among them.
func TestAttributesAreReturnedAsTheirSchemaSays(t *testing.T) {
	text := func(name, returned string) *attribute {
		return &attribute{name: name, kind: "string", returned: returned}
	}
	rt := &resourceType{name: "Thing", attrs: []*attribute{
		text("id", "always"), text("secret", "never"), text("big", "request"), text("usual", "default"),
		{name: "meta", kind: kindComplex, returned: "never"},
	}}
	rt.index = indexOf(rt.attrs)
	res := object{"id": "1", "secret": "s", "big": "b", "usual": "u"}
	for _, c := range []struct{ only, without, want string }{
		{"", "", "id usual"}, {"secret,big", "", "big id"}, {"", "id,usual,secret", "id"}, {"usual", "usual", "id"}, {"secret", "", "id"},
	} {
		var got object
		raw := appendResource(nil, rt, res, meta{}, rt.projection(names([]string{c.only}), names([]string{c.without}), dialect{}))
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		delete(got, "schemas")
		var have []string
		for name := range got {
			have = append(have, name)
		}
		slices.Sort(have)
		if strings.Join(have, " ") != c.want {
			t.Errorf("only %q without %q: %v, want %s", c.only, c.without, have, c.want)
		}
	}
}
