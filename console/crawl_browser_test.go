package console_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// visitors are the four whom every page is shown to, with their addresses.
var visitors = []struct {
	role, email string
	least       int // kinds of pages
}{
	{"SuperAdmin", "root@bridge.example", 80},
	{"Administrator", "ada@acme.example", 50},
	{"Editor", "erin@acme.example", 5},
	{"Viewer", "vera@acme.example", 5},
}

// crawlTime is how long it may take to look at every page as one person, on a machine that does much else.
const crawlTime = 10 * time.Minute

// Every kind of page, as each of the four: no error of the browser, no broken policy, nothing that axe-core calls serious in light and dark, nothing wider than a
// telephone, and no link that leads to a refusal.
func TestInABrowserEveryPageIsForEverybody(t *testing.T) {
	script := loadAxe(t)
	e := newEstate(t)
	checked := map[string]bool{}
	b := openFor(t, e.url, crawlTime)
	for _, v := range visitors {
		visitor := e.signedIn(v.email)
		pages := e.pages(visitor, v.role)
		if len(pages) < v.least {
			t.Errorf("%s reaches %d kinds of pages only", v.role, len(pages))
		}
		b.become(visitor)
		t.Logf("%s: %d kinds of pages", v.role, len(pages))
		for _, p := range pages {
			var wide bool
			b.run(chromedp.EmulateViewport(390, 844))
			b.goTo(p.path)
			b.run(chromedp.Evaluate(`document.documentElement.scrollWidth > innerWidth`, &wide))
			if wide {
				t.Errorf("%s: %s is wider than a telephone", v.role, p.path)
			}
			if controls := b.controls(); !checked[p.pattern+controls] { // the same page with the same controls was checked for somebody else
				checked[p.pattern+controls] = true
				b.run(chromedp.EmulateViewport(1280, 800))
				b.axe(script, v.role+": "+p.path)
			}
			b.calm(v.role + ": " + p.path)
		}
	}
}

// become makes the browser that of somebody who is signed in without one.
func (s *screen) become(b *browser) {
	s.t.Helper()
	s.run(network.ClearBrowserCookies())
	for _, c := range b.client.Jar.Cookies(must(url.Parse(b.url))(s.t)) {
		s.run(network.SetCookie(c.Name, c.Value).WithURL(b.url).WithHTTPOnly(true))
	}
}

// controls are the names of what can be used on a page.
func (s *screen) controls() string {
	s.t.Helper()
	var out string
	s.run(chromedp.Evaluate(`Array.from(document.querySelectorAll("main a, main button, main input, main select, main textarea")).map(e => e.tagName + (e.name || "") + e.className).sort().filter((x, i, l) => x !== l[i-1]).join(" ")`, &out))
	return out
}

// formsOfPage are the forms of a page that change something.
var formsOfPage = regexp.MustCompile(`<form[^>]*method="post"[^>]*>`)

var actionOf = regexp.MustCompile(`action="([^"]+)"`)

// forms collects where the forms of some pages are sent, each kind once.
func (e *estate) forms(b *browser, pages []found) map[string]string {
	e.t.Helper()
	out := map[string]string{}
	for _, p := range pages {
		for _, form := range formsOfPage.FindAllString(b.get(p.path).body, -1) {
			to := p.path
			if m := actionOf.FindStringSubmatch(form); m != nil {
				to = strings.ReplaceAll(m[1], "&amp;", "&")
			}
			out[patternOf(to)] = to
		}
	}
	return out
}

// own are the forms of one's own account.
func own(pattern string) bool {
	return strings.HasPrefix(pattern, "/account") || strings.HasPrefix(pattern, "/signout") || strings.HasPrefix(pattern, "/signin")
}

func TestWhatAViewerDoesNotSeeTheServerRefuses(t *testing.T) {
	database := storetest.SQLiteURL(t)
	e := newEstateOn(t, database)
	root := e.signedIn("root@bridge.example")
	all := e.forms(root, e.pages(root, "SuperAdmin"))
	for _, v := range visitors[2:] {
		b := e.signedIn(v.email)
		mine := e.forms(b, e.pages(b, v.role))
		for pattern := range mine {
			if !own(pattern) {
				t.Errorf("%s sees a form for %s", v.role, pattern)
			}
		}
		before := e.dump(database)
		for pattern, to := range all {
			if own(pattern) {
				continue
			}
			answer := b.post(to, url.Values{"reason": {"forged"}, "name": {"Forged"}, "role": {"administrator"}, "tenant": {string(e.acme.ID)}, "user": {string(e.vera.ID)}, "email": {"forged@acme.example"}})
			if answer.status != http.StatusForbidden && answer.status != http.StatusNotFound {
				t.Errorf("%s may post to %s: %d %s", v.role, to, answer.status, answer.text())
			}
		}
		if after := e.dump(database); !slices.Equal(before, after) {
			t.Errorf("what %s forged changed something", v.role)
		}
		t.Logf("%s: %d forged forms of %d kinds refused", v.role, len(all), len(all))
	}
}

// dump is everything that forms may change.
func (e *estate) dump(database string) []string {
	e.t.Helper()
	var out []string
	for table, rows := range storetest.Rows(e.t, database, "users", "user_emails", "assignments", "groups", "group_members", "tenants", "connections", "directories", "plans", "sources", "events", "roles") {
		for _, r := range rows {
			out = append(out, table+"|"+r.String())
		}
	}
	slices.Sort(out)
	return out
}
