package console_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func TestFormsFromAnotherSiteAreRefused(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		for _, header := range [][]string{{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}} {
			b.post("/console/tenants", url.Values{"name": {"Forged"}}, header...).is(http.StatusForbidden)
			b.post("/signout", nil, header...).is(http.StatusForbidden)
		}
		b.get("/console/tenants").is(http.StatusOK).hides("Forged")
	})
}

// inline is what a strict policy refuses: styles and handlers in the page. A script is allowed by its address only.
var inline = regexp.MustCompile(`(?i)<style|<script>|\sstyle="|\son[a-z]+="|javascript:`)

func TestEveryLinkOfEveryPageOpensForWhoSeesIt(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.land(t.Context(), "mallory@partner.example", `<script>alert("x")</script>`)
		c := must(s.prov.CreateConnection(t.Context(), identity.Operator(), identity.Connection{
			Name: "Provider", Kind: identity.OIDC, Domains: []string{"other.example"}, OIDC: identity.OIDCSettings{Issuer: "https://idp.example", ClientID: "c", ClientSecret: "s"},
		}))(t)
		if err := s.prov.RecordTrace(t.Context(), identity.Trace{ConnectionID: c.ID, TenantID: s.acme.ID, Code: "x", Email: "who@other.example"}); err != nil {
			t.Fatal(err)
		}
		for email, least := range map[string]int{"root@bridge.example": 40, "ada@acme.example": 10, "vera@acme.example": 1} {
			if n := s.crawl(s.signedIn(email), email); n < least {
				t.Errorf("%s reaches %d pages only", email, n)
			}
		}
	})
}

// crawl opens every page that links lead to, and returns how many there are.
func (s *site) crawl(b *browser, who string) int {
	s.t.Helper()
	seen, todo := map[string]bool{"/console": true}, []string{"/console"}
	for len(todo) > 0 {
		path := todo[0]
		todo = todo[1:]
		r := b.get(path)
		if r.status != http.StatusOK {
			s.t.Errorf("%s: a link leads to %s, which answers %d: %s", who, path, r.status, r.text())
		}
		if found := inline.FindString(r.body); found != "" && strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
			s.t.Errorf("%s: %s has %q in the page", who, path, found)
		}
		for _, next := range r.all(`(?:href|src)="(/[^"#]*)`) {
			if !seen[next] && !strings.HasPrefix(next, "/sso/") {
				seen[next] = true
				todo = append(todo, next)
			}
		}
	}
	return len(seen)
}

func TestAnErrorPageSaysWhatToDoAndHidesTheCause(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := start(t, db)
		b := s.signedIn("root@bridge.example")
		b.get("/nowhere").is(http.StatusNotFound).says("Nothing is here", "Reference")
		b.get("/console/users/" + string(identity.NewID[identity.UserID]())).is(http.StatusNotFound).says("There is no such user")
		b.get("/console/users/x").is(http.StatusNotFound)
		b.post("/console/placement", url.Values{"user": {"x"}, "role": {"editor"}}).is(http.StatusBadRequest).says("Open the page again")
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		r := b.get("/console/users").is(http.StatusInternalServerError).says("Something went wrong on our side", "Reference").hides("sql", "database")
		if id := r.header.Get("X-Request-Id"); id == "" || !strings.Contains(r.body, id) {
			t.Errorf("the page does not name the request %s of the log", id)
		}
	})
}

func TestAssetsMayBeKeptAndPagesMayNot(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.browser()
		page := b.get("/signin").is(http.StatusOK)
		if got := page.header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("a page may be kept: %s", got)
		}
		for _, asset := range page.all(`(?:href|src)="(/assets/[^"]+)"`) {
			if got := b.get(asset).is(http.StatusOK).header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
				t.Errorf("%s may not be kept: %s", asset, got)
			}
			path, _, _ := strings.Cut(asset, "?")
			if got := b.get(path + "?v=old").is(http.StatusOK).header.Get("Cache-Control"); strings.Contains(got, "immutable") {
				t.Errorf("%s with an old hash may be kept for ever", path)
			}
		}
		b.get("/assets/../console.go").is(http.StatusNotFound)
		b.get("/assets/none.css").is(http.StatusNotFound)
	})
}

func TestStrangeInputIsNoErrorOfOurs(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		for _, q := range []string{"%00", "%ff%fe", "100%25_%5C", "%27%22%3B--", strings.Repeat("a", 5000), "%E2%80%AE"} {
			for _, path := range []string{"/console/users?q=", "/console/users?status=", "/console/users?tenant=", "/console/users?after=", "/console/placement?q=", "/console/tenants?q=", "/console/events?type=", "/console/events?object=", "/console/signins?after=", "/console/requests?directory="} {
				b.get(path + q).is(http.StatusOK)
			}
		}
		for _, name := range []string{"a\x00b", "\xff"} {
			b.post("/console/tenants", url.Values{"name": {name}}).is(http.StatusBadRequest).says("no text")
			b.post("/signin", url.Values{"email": {name}}).is(http.StatusBadRequest)
		}
		b.post("/console/tenants", url.Values{"name": {strings.Repeat("a", 3<<20)}}).is(http.StatusRequestEntityTooLarge)
		b.post("/console/users/"+string(s.vera.ID)+"/deactivate", url.Values{"reason": {strings.Repeat("a", 17<<10)}}).is(http.StatusRequestEntityTooLarge).says("Write less")
		b.post("/console/tenants", url.Values{"name": {""}}).is(http.StatusBadRequest).says("needs a name")
		b.post("/console/tenants", url.Values{"name": {"acme logistics"}}).is(http.StatusConflict).says("already a tenant")
	})
}
