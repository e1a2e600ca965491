package scim

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// small are limits that a test reaches quickly.
var small = Limits{
	Body: 4000, Bulk: 3, Patch: 2, Depth: 6, Filter: 100, FilterTerms: 2, FilterDepth: 2, Page: 4, PageDefault: 2,
}

func TestEachLimitIsKeptAndWhatIsBelowItWorks(t *testing.T) {
	b := newBridgeWithin(t, storetest.SQLite(t), small)
	c := b.client(t, "limits", identity.DialectStandard)
	id := c.createUser("ada@example.com")
	patches := func(n int) string {
		return patchBody(strings.TrimSuffix(strings.Repeat(`{"op":"add","path":"title","value":"x"},`, n), ","))
	}
	bulk := func(n int) string {
		one := `{"method":"DELETE","path":"/Users/` + id[:35] + `z"},`
		return `{"schemas":["` + bulkRequestURN + `"],"Operations":[` + strings.TrimSuffix(strings.Repeat(one, n), ",") + `]}`
	}
	nested := func(n int) string {
		return `{"schemas":["` + urnCore + `"],"userName":"n` + strconv.Itoa(n) + `","custom":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}`
	}
	for _, r := range []struct {
		name, method, path, body string
		status                   int
		keyword                  string
	}{
		{"a body of just the size", "POST", "/Users", sized(4000), 201, ""},
		{"a longer body", "POST", "/Users", sized(4001), 413, ""},
		{"just as many bulk operations", "POST", "/Bulk", bulk(3), 200, ""},
		{"more bulk operations", "POST", "/Bulk", bulk(4), 413, ""},
		{"just as many operations of a PATCH", "PATCH", "/Users/" + id, patches(2), 200, ""},
		{"more operations of a PATCH", "PATCH", "/Users/" + id, patches(3), 400, tooMany},
		{"just as deep", "POST", "/Users", nested(6), 201, ""},
		{"deeper", "POST", "/Users", nested(7), 400, invalidSyntax},
		{"brackets in a string", "POST", "/Users", `{"schemas":["` + urnCore + `"],"userName":"\"[[[[[[[[["}`, 201, ""},
		{"a filter of just the length", "GET", "/Users?filter=" + filterOf(100), "", 200, ""},
		{"a longer filter", "GET", "/Users?filter=" + filterOf(101), "", 400, invalidFilter},
		{"a longer filter in a search", "POST", "/Users/.search", `{"schemas":["` + searchURN + `"],"filter":` + strconv.Quote(filterOf(101)) + `}`, 400, invalidFilter},
		{"a longer path", "PATCH", "/Users/" + id, patchBody(`{"op":"remove","path":"` + strings.Repeat("x", 101) + `"}`), 400, invalidPath},
		{"just as many comparisons", "GET", "/Users?filter=title pr or title pr", "", 200, ""},
		{"more comparisons", "GET", "/Users?filter=title pr or title pr or title pr", "", 400, tooMany},
		{"just as many brackets", "GET", "/Users?filter=((title pr))", "", 200, ""},
		{"more brackets", "GET", "/Users?filter=(((title pr)))", "", 400, invalidFilter},
		{"brackets in the path of a PATCH", "PATCH", "/Users/" + id, patchBody(`{"op":"remove","path":"emails[((type eq 1))]"}`), 400, invalidPath},
	} {
		t.Run(r.name, func(t *testing.T) {
			c.t = t
			got := c.must(r.status, r.method, address(r.path), r.body)
			if keyword := textOf(got.object["scimType"]); keyword != r.keyword {
				t.Errorf("scimType is %q, want %q: %s", keyword, r.keyword, got.raw)
			}
		})
	}
}

// sized is the body of a user that has n bytes.
func sized(n int) string {
	head := `{"schemas":["` + urnCore + `"],"userName":"sized","custom":"`
	return head + strings.Repeat("x", n-len(head)-2) + `"}`
}

func filterOf(n int) string { return `title eq "` + strings.Repeat("x", n-11) + `"` }

func TestAPageHasAtMostSoManyResources(t *testing.T) {
	c := newBridgeWithin(t, storetest.SQLite(t), small).client(t, "pages", identity.DialectStandard)
	for i := range 5 {
		c.createUser(fmt.Sprintf("user%d@example.com", i))
	}
	search := func(rest string) string { return `{"schemas":["` + searchURN + `"]` + rest + `}` }
	for _, r := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", "/Users", "", 2},
		{"GET", "/Users?count=3", "", 3},
		{"GET", "/Users?count=1000", "", 4},
		{"GET", "/Users?cursor", "", 2},
		{"POST", "/Users/.search", search(""), 2},
		{"POST", "/Users/.search", search(`,"count":1000`), 4},
		{"GET", "/?count=9", "", 4},
	} {
		if got := len(listOf(c.must(200, r.method, r.path, r.body).object["Resources"])); got != r.want {
			t.Errorf("%s %s %s has %d resources, want %d", r.method, r.path, r.body, got, r.want)
		}
	}
}

func TestDiscoverySaysTheLimitsInForce(t *testing.T) {
	for _, l := range []Limits{{}, small} {
		c := newBridgeWithin(t, storetest.SQLite(t), l).client(t, "discovery", identity.DialectStandard)
		doc := c.must(200, "GET", "/ServiceProviderConfig", "").object
		want := l.filled()
		for path, value := range map[string]int{
			"bulk.maxOperations": want.Bulk, "bulk.maxPayloadSize": int(want.Body), "filter.maxResults": want.Page,
			"pagination.maxPageSize": want.Page, "pagination.defaultPageSize": want.PageDefault,
		} {
			part, name, _ := strings.Cut(path, ".")
			if got := doc[part].(object)[name]; got != float64(value) {
				t.Errorf("%s is %v, in force is %d", path, got, value)
			}
		}
	}
}

func TestATokenThatSendsTooFastIsToldWhenToGoOn(t *testing.T) {
	b := newBridgeWithin(t, storetest.SQLite(t), Limits{Rate: 1, Burst: 2})
	fast, calm := b.client(t, "fast", identity.DialectStandard), b.client(t, "calm", identity.DialectStandard)
	fast.must(200, "GET", "/Users", "")
	fast.must(200, "GET", "/Users", "")
	r := fast.must(http.StatusTooManyRequests, "POST", "/Users", userBody("ada"))
	if got := r.header.Get("Retry-After"); got != "1" || r.object["status"] != "429" {
		t.Errorf("Retry-After is %q: %s", got, r.raw)
	}
	calm.must(200, "GET", "/Users", "")
	page, err := b.people.Requests(t.Context(), identity.Operator(), provisioning.RequestQuery{Limit: 10})
	if err != nil || len(page.Items) != 0 {
		t.Errorf("a flood fills the journal: %v, %v", page.Items, err)
	}
}

func TestARateLetsABurstThroughAndThenOneInItsTime(t *testing.T) {
	r := newRates(Limits{Rate: 10, Burst: 3})
	at := time.Duration(0)
	for i := range 3 {
		if wait := r.take("a", at); wait != 0 {
			t.Fatalf("request %d of the burst waits %s", i, wait)
		}
	}
	if wait := r.take("a", at); wait != 100*time.Millisecond {
		t.Errorf("the fourth waits %s, want 100ms", wait)
	}
	if wait := r.take("a", at+100*time.Millisecond); wait != 0 {
		t.Errorf("after that it waits %s still", wait)
	}
	if wait := r.take("b", at); wait != 0 {
		t.Errorf("another token waits %s", wait)
	}
	for i := range 3 {
		if wait := r.take("a", at+time.Hour); wait != 0 {
			t.Errorf("request %d of the next burst waits %s", i, wait)
		}
	}
	if wait := newRates(Limits{}).take("a", 0); wait != 0 {
		t.Errorf("without a rate it waits %s", wait)
	}
}

func TestRatesForgetTokensThatAreQuiet(t *testing.T) {
	r := newRates(Limits{Rate: 1, Burst: 1})
	for i := range maxRates {
		r.take(strconv.Itoa(i), time.Duration(i))
	}
	r.take("busy", time.Minute)
	if n := r.known.Load(); n != 1 {
		t.Errorf("%d tokens are remembered, want the one that is busy", n)
	}
	for i := range 3 * maxRates {
		r.take(strconv.Itoa(i), time.Minute)
	}
	if n := r.known.Load(); n > maxRates {
		t.Errorf("%d tokens are remembered, at most %d may be", n, maxRates)
	}
}
