package scim

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func bulkBody(more string, operations ...string) string {
	return `{"schemas":["` + bulkRequestURN + `"],` + more + `"Operations":[` + strings.Join(operations, ",") + `]}`
}

func bulkUser(bulkID, name string) string {
	return `{"method":"POST","path":"/Users","bulkId":"` + bulkID + `","data":` + userBody(name) + `}`
}

// bulkResults sends a bulk request and returns the statuses of its operations.
func (c *client) bulkResults(body string) string {
	c.t.Helper()
	var got []string
	for _, v := range listOf(c.must(http.StatusOK, "POST", "/Bulk", body).object["Operations"]) {
		got = append(got, textOf(v.(object)["status"]))
	}
	return strings.Join(got, " ")
}

func TestBulkRequestsThatAreNoneAreRefused(t *testing.T) {
	b := newBridge(t, storetest.SQLite(t))
	c := b.client(t, "bulk", identity.DialectStandard)
	many := make([]string, DefaultLimits().Bulk+1)
	for i := range many {
		many[i] = `{}`
	}
	for _, r := range []struct {
		name, body string
		status     int
	}{
		{"another schema", `{"schemas":["` + patchURN + `"],"Operations":[{}]}`, 400},
		{"no operations", `{"schemas":["` + bulkRequestURN + `"]}`, 400},
		{"none in the list", bulkBody(""), 400},
		{"no list", `{"schemas":["` + bulkRequestURN + `"],"Operations":{}}`, 400},
		{"an operation that is none", bulkBody("", `5`), 400},
		{"too many", bulkBody("", many...), 413},
		{"too long", bulkBody(`"x":"`+strings.Repeat("x", int(DefaultLimits().Body))+`",`, `{}`), 413},
		{"errors below none", bulkBody(`"failOnErrors":-1,`, `{}`), 400},
		{"errors in words", bulkBody(`"failOnErrors":"one",`, `{}`), 400},
		{"no body", "", 400},
	} {
		t.Run(r.name, func(t *testing.T) {
			c.t = t
			if got := c.must(r.status, "POST", "/Bulk", r.body); textOf(got.object["detail"]) == "" {
				t.Errorf("no SCIM error: %s", got.raw)
			}
		})
	}
}

func TestAReferenceIsFoundInBothDirectionsAndThroughChains(t *testing.T) {
	const boss = `{"method":"POST","path":"/Users","bulkId":"%d","data":{"schemas":["` + urnCore + `"],"userName":"u%d","` + enterpriseURN + `":{"manager":{"value":"bulkId:%d"}}}}`
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newBridge(t, db).client(t, "chain", identity.DialectStandard)
		const n = 30
		var operations []string
		for i := range n {
			operations = append(operations, fmt.Sprintf(boss, i, i, (i+1)%n))
		}
		if got := c.bulkResults(bulkBody("", operations...)); got != strings.TrimSpace(strings.Repeat("201 ", n)) {
			t.Fatalf("a circle of %d managers: %s", n, got)
		}
		r := c.must(200, "GET", address("/Users?attributes=id,"+enterpriseURN+":manager&filter="+enterpriseURN+`:manager.value pr`), "")
		ids := map[string]bool{}
		for _, v := range listOf(r.object["Resources"]) {
			ids[textOf(v.(object)["id"])] = true
		}
		for _, v := range listOf(r.object["Resources"]) {
			manager := textOf(v.(object)[enterpriseURN].(object)["manager"].(object)["value"])
			if !ids[manager] {
				t.Errorf("the manager %q is none of them", manager)
			}
		}
		if len(ids) != n {
			t.Errorf("%d people have a manager, want %d", len(ids), n)
		}
	})
}

func TestAGroupInACircleKeepsEverybodyElse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newBridge(t, db).client(t, "circle", identity.DialectStandard)
		group := func(name, members string) string {
			return `{"method":"POST","path":"/Groups","bulkId":"` + name + `","data":{"schemas":["` + groupType.schema.ID + `"],"displayName":"` + name + `","members":[` + members + `]}}`
		}
		got := c.bulkResults(bulkBody("", group("a", `{"value":"bulkId:b"}`), group("b", `{"value":"bulkId:a"},{"value":"bulkId:ada"}`), bulkUser("ada", "ada"),
			group("c", `{"value":"bulkId:b"}`)))
		if got != "201 409 201 201" {
			t.Errorf("statuses %s", got)
		}
		for name, want := range map[string]string{"a": "b", "b": "ada", "c": "b"} {
			r := c.must(200, "GET", address(`/Groups?filter=displayName eq "`+name+`"`), "")
			var have []string
			for _, m := range listOf(listOf(r.object["Resources"])[0].(object)["members"]) {
				have = append(have, textOf(m.(object)["display"]))
			}
			if strings.Join(have, " ") != want {
				t.Errorf("in %s are %v, want %s", name, have, want)
			}
		}
	})
}

func TestBulkStopsAtTheNumberOfErrorsThatTheClientSays(t *testing.T) {
	c := newBridge(t, storetest.SQLite(t)).client(t, "stop", identity.DialectStandard)
	bad := `{"method":"DELETE","path":"/Users/none"}`
	group := `{"method":"POST","path":"/Groups","bulkId":"g","data":{"schemas":["` + groupType.schema.ID + `"],"displayName":"g","members":[{"value":"bulkId:b"}]}}`
	for i, r := range []struct{ limit, want string }{
		{"", "404 201 404 201 404"}, {`"failOnErrors":0,`, "404 201 404 201 404"}, {`"failOnErrors":2,`, "404 201 404"}, {`"failOnErrors":1,`, "404"},
	} {
		got := c.bulkResults(bulkBody(r.limit, bad, bulkUser("a", fmt.Sprintf("a%d", i)), bad, bulkUser("b", fmt.Sprintf("b%d", i)), bad))
		if got != r.want {
			t.Errorf("%s: %s, want %s", r.limit, got, r.want)
		}
	}
	c.createUser("taken")
	if got := c.bulkResults(bulkBody(`"failOnErrors":1,`, group, bulkUser("b", "taken"))); got != "409" {
		t.Errorf("a group whose member cannot be created is begun: %s", got)
	}
	if r := c.must(200, "GET", "/Groups", ""); r.object["totalResults"] != 0.0 {
		t.Errorf("there is a group: %s", r.raw)
	}
}

func TestBulkWithStrangersChangesNothingOfTheirs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBridge(t, db)
		ours, theirs := b.client(t, "ours", identity.DialectStandard), b.client(t, "theirs", identity.DialectStandard)
		id := theirs.createUser("ada")
		got := ours.bulkResults(bulkBody("", `{"method":"DELETE","path":"/Users/`+id+`"}`, `{"method":"DELETE","path":"/Users/..%2FUsers%2F`+id+`"}`,
			`{"method":"DELETE","path":"/Users?filter=id pr"}`, `{"method":"POST","path":"/Users/.search","bulkId":"s","data":{}}`))
		if got != "404 404 400 400" {
			t.Errorf("statuses %s", got)
		}
		theirs.must(200, "GET", "/Users/"+id, "")
	})
}

func TestTheDialectHoldsInsideBulkToo(t *testing.T) {
	c := newBridge(t, storetest.SQLite(t)).client(t, "dialect", identity.DialectEntra)
	patch := `{"method":"PATCH","path":"/users/bulkId:a","data":` + patchBody(`{"op":"Replace","path":"active","value":"False"}`) + `}`
	if got := c.bulkResults(bulkBody("", bulkUser("a", "ada"), patch)); got != "201 200" {
		t.Errorf("statuses %s", got)
	}
	c.must(200, "POST", "/bulk", bulkBody("", bulkUser("b", "bob")))
}

func TestABulkRequestThatTakesTooLongSaysWhatWasNotBegun(t *testing.T) {
	b, err := readBulk(parse(t, bulkBody("", bulkUser("a", "ada"))))
	if err != nil {
		t.Fatal(err)
	}
	b.c = &call{Door: New(Options{URL: "https://bridge.example"}), ctx: context.Background(), began: time.Now().Add(-bulkTime - time.Second)}
	b.run(b.operations[0])
	a, err := b.answer()
	if err != nil || !strings.Contains(string(a.body), `"status":"503"`) || a.note == "" {
		t.Errorf("%s, %q, %v", a.body, a.note, err)
	}
}

func TestABulkRequestIsOneEntryOfTheJournal(t *testing.T) {
	b := newBridge(t, storetest.SQLite(t))
	c := b.client(t, "journal", identity.DialectStandard)
	body := bulkBody("", bulkUser("a", "ada"), bulkUser("b", "ada"),
		`{"method":"POST","path":"/Users","bulkId":"c","data":{"schemas":["`+urnCore+`"],"userName":"cyd","password":"hunter2"}}`)
	r := c.must(200, "POST", "/Bulk", body)
	ctx := context.Background()
	page, err := b.people.Requests(ctx, identity.Operator(), provisioning.RequestQuery{DirectoryID: c.directory.ID, Limit: 10})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("%d entries: %v", len(page.Items), err)
	}
	e := page.Items[0]
	if e.Status != 200 || !strings.HasPrefix(e.Detail, "1 of 3 operations failed") || strings.Contains(e.Body, "hunter2") {
		t.Errorf("the entry says %d %q %s", e.Status, e.Detail, e.Body)
	}
	id := textOf(listOf(r.object["Operations"])[0].(object)["location"])
	events, err := b.people.Events(ctx, identity.Operator(), provisioning.EventQuery{UserID: identity.UserID(id[strings.LastIndexByte(id, '/')+1:]), Limit: 1})
	if err != nil || len(events.Items) != 1 || events.Items[0].RequestID != e.ID {
		t.Errorf("the event does not point to the request: %v %v", events.Items, err)
	}
}

// FuzzBulk reads bulk requests and fills their references: whatever comes, it does not panic, and what is sent on holds no reference.
func FuzzBulk(f *testing.F) {
	f.Add([]byte(bulkBody("", bulkUser("a", "ada"), `{"method":"PATCH","path":"/Groups/bulkId:a","data":{"members":[{"value":"bulkId:a","$ref":"../Users/bulkId:a"}],"path":"members[value eq \"bulkId:a\"]"}}`)))
	f.Add([]byte(bulkBody(`"failOnErrors":2,`, `{"method":"POST","path":"Users","bulkId":"x","data":{"manager":"bulkId:x"}}`)))
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := readObject(body)
		if err != nil {
			return
		}
		b, err := readBulk(o)
		if err != nil {
			if k := identity.KindOf(err); k != identity.Invalid && k != identity.TooLarge {
				t.Fatalf("%s: %v", body, err)
			}
			return
		}
		b.c = &call{Door: New(Options{URL: "https://bridge.example"})}
		for _, o := range b.operations {
			if o.fault != nil {
				continue
			}
			checkFilled(t, b, o)
			o.id = "0198c0de-0000-7000-8000-000000000000"
		}
	})
}

func checkFilled(t *testing.T, b *bulk, o *bulkOperation) {
	t.Helper()
	_, _ = b.target(o)
	now, later := b.split(o)
	for name := range o.data {
		_, done := now[name]
		if _, waits := later[name]; !done && !waits {
			t.Fatalf("%v and %v are not %v", now, later, o.data)
		}
	}
	visit("", now, func(bulkID string) { t.Fatalf("a reference to %q is left in %v", bulkID, now) })
	if _, err := json.Marshal(now); err != nil {
		t.Fatal(err)
	}
}
