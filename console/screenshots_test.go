package console_test

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// shotsTime is how long all of it may take.
const shotsTime = 30 * time.Minute

// shotPage is one page with its four pictures.
type shotPage struct{ Group, Name, File string }

// shots makes pictures of pages.
type shots struct {
	t      *testing.T
	folder string
	group  string
	pages  []shotPage
	seen   map[string]bool
	only   *regexp.Regexp
}

// TestScreenshots is no check: it makes pictures of every kind of page, for people to look at, or of those whose names fit DRAWBRIDGE_SCREENSHOTS_ONLY.
func TestScreenshots(t *testing.T) {
	folder := os.Getenv("DRAWBRIDGE_SCREENSHOTS")
	if folder == "" {
		t.Skip("DRAWBRIDGE_SCREENSHOTS names no folder: no screenshots are made (make screenshots)")
	}
	s := &shots{t: t, folder: folder, seen: map[string]bool{}, only: regexp.MustCompile(os.Getenv("DRAWBRIDGE_SCREENSHOTS_ONLY"))}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	s.ofEstate()
	s.ofGates()
	for _, preset := range []string{"fintechos", "fluentpro-backup", "fentu-connect", "fentu-fsm", "etlworks"} {
		s.ofHouse(preset)
	}
	s.index()
	t.Logf("%d pages, four pictures each: %s", len(s.pages), filepath.Join(folder, "index.html"))
}

// ofEstate are all pages that a Super Admin reaches by links where much has happened, and some that come after a form.
func (s *shots) ofEstate() {
	s.group = "The console"
	e := newEstate(s.t)
	b := openFor(s.t, e.url, shotsTime)
	b.signInTo("root@bridge.example", "/account")
	for _, p := range e.pages(e.signedIn("root@bridge.example"), "SuperAdmin") {
		s.open(b, p)
	}
	b.goTo("/console/placement")
	b.run(chromedp.Click("tbody tr:nth-child(1) input", chromedp.ByQuery), chromedp.SetValue("#tenant", string(e.acme.ID), chromedp.ByQuery), chromedp.SetValue("#role", "editor", chromedp.ByQuery))
	s.take(b, "placement-one-ticked")
	b.run(chromedp.Click(".bar button", chromedp.ByQuery), chromedp.WaitVisible(".bar-text", chromedp.ByQuery))
	s.take(b, "placement-preview")
	b.goTo("/console/directories/new")
	b.run(chromedp.SendKeys("#name", "Okta of Globex\n", chromedp.ByQuery), chromedp.WaitVisible(".secret", chromedp.ByQuery))
	s.take(b, "directory-token")
	b.goTo("/console/connections/new?provider=okta-saml")
	b.run(chromedp.SendKeys("#name", "Okta of Globex", chromedp.ByQuery), chromedp.SendKeys("#domains", "new.example\n", chromedp.ByQuery), chromedp.WaitVisible("#metadataurl", chromedp.ByQuery))
	s.take(b, "connection-values")
	b.run(chromedp.SendKeys("#metadata", "<EntityDescriptor/>", chromedp.ByQuery), chromedp.Click(".actions .button-primary", chromedp.ByQuery), chromedp.WaitVisible(".ask", chromedp.ByQuery))
	s.take(b, "connection-test")
	b.goTo("/console/users/new")
	b.run(chromedp.SendKeys("#email", "not an address", chromedp.ByQuery), chromedp.Evaluate(`document.querySelector("main form").noValidate = true`, nil),
		chromedp.Click("main form .button-primary", chromedp.ByQuery), chromedp.WaitVisible(".error", chromedp.ByQuery))
	s.take(b, "user-new-refused")
	for _, path := range []string{"/console/nothing-here", "/console/users?q=nobody-like-this", "/console/users/" + string(identity.NewID[identity.UserID]())} {
		b.goTo(path)
		s.take(b, "error-"+path[9:min(len(path), 22)])
	}
	radia := e.find(s.t, "radia.perlman@acme.example")[0]
	if _, _, err := e.authn.StartSession(s.t.Context(), radia, identity.Session{}, ""); err != nil {
		s.t.Fatal(err)
	}
	s.forReadme(b, "start", "/console")
	s.forReadme(b, "user", "/console/users/"+string(radia.ID))
	s.forReadme(b, "permissions", "/console/access/matrix")
	b.close()
}

// ofGates are the pages before somebody is in.
func (s *shots) ofGates() {
	s.group = "Gates"
	m := startMailbox(s.t, storetest.SQLite(s.t), "etlworks")
	m.user(s.t.Context(), "ada@acme.example", "Ada Lovelace", m.acme.ID, "administrator")
	m.invite("bob@acme.example", "editor")
	join := m.link("bob@acme.example")
	m.browser().post("/restore", url.Values{"email": {"ada@acme.example"}})
	restore := m.link("ada@acme.example")
	b := openFor(s.t, m.url, shotsTime)
	for name, path := range map[string]string{
		"sign-in": "/signin", "sign-in-password": "/signin?with=password", "restore": "/restore", "join": join, "restore-new-password": restore,
		"error-not-found": "/nothing-here", "error-link-over": "/join/dbm_" + strings.Repeat("x", 43),
	} {
		b.goTo(path)
		s.take(b, name)
	}
	b.goTo("/signin?with=password")
	b.run(chromedp.SendKeys("#email", "ada@acme.example", chromedp.ByQuery), chromedp.SendKeys("#password", "wrong\n", chromedp.ByQuery), chromedp.WaitVisible("[role=alert], .error", chromedp.ByQuery))
	s.take(b, "sign-in-refused")
	b.close()
}

// ofHouse are the pages that only this access model has.
func (s *shots) ofHouse(preset string) {
	s.group = preset
	h := newHouse(s.t, preset)
	for _, who := range []identity.User{h.root, h.boss} {
		e := &estate{site: h.site}
		b := h.browse(who, "/account")
		for _, p := range e.pages(h.visitor(who), preset) {
			s.open(b, p)
		}
		b.close()
	}
	switch preset {
	case "etlworks":
		s.ofEverybody(h)
	case "fentu-connect":
		s.ofRolePreview(h)
	case "fluentpro-backup": // the one where strangers may register
		b := openFor(s.t, h.url, shotsTime)
		b.goTo("/register")
		s.take(b, "register")
		b.close()
	}
}

// ofEverybody are the pages of a change of everybody whom a list finds.
func (s *shots) ofEverybody(h *house) {
	h.site.crowd("crowd", h.home.ID, 0, 53)
	b := h.browse(h.boss, "/console/users?q=crowd")
	b.run(chromedp.Click("[data-all]", chromedp.ByQuery), chromedp.WaitVisible("[data-everybody] input", chromedp.ByQuery), chromedp.Click("[data-everybody] input", chromedp.ByQuery))
	s.take(b, "users-everybody")
	b.fill("#act", "deactivate")
	b.press("[data-ticked] button", ".ask")
	s.take(b, "users-everybody-question")
	b.close()
}

// ofRolePreview is the question before a role is changed.
func (s *shots) ofRolePreview(h *house) {
	b := h.browse(h.boss, "/console/roles/viewer/edit")
	b.run(chromedp.Click(`input[name="grant"]`, chromedp.ByQuery))
	b.rolePress(".bar .button-primary", `form[action="/console/roles/viewer"]`)
	s.take(b, "role-preview")
	b.close()
}

// byName are ids that are words: one role is looked at, not each.
var byName = regexp.MustCompile(`/(roles|types)/([a-z_-]+)`)

// providerOf is the choice of one provider, whose page is as the others'.
var providerOf = regexp.MustCompile(`provider=[a-z-]+`)

// open makes the pictures of a page that was found, unless one of its kind was looked at. Pages of users differ in each access model.
func (s *shots) open(b *screen, p found) {
	s.t.Helper()
	kind := p.pattern
	if m := byName.FindStringSubmatch(kind); m != nil && m[2] != "new" && m[2] != "matrix" {
		kind = strings.Replace(kind, m[2], "*", 1)
	}
	kind = providerOf.ReplaceAllString(kind, "provider")
	own := slices.Contains([]string{"/console/users", "/console/users/new", "/console/users/invite", "/console/users/*", "/console/users/*/edit", "/console/users/*?tab=access"}, kind)
	if s.seen[s.group+kind] || s.seen[kind] && !own {
		return
	}
	s.seen[s.group+kind] = true
	if s.only.MatchString(kind) {
		b.goTo(p.path)
	}
	s.take(b, kind)
}

var noName = regexp.MustCompile(`[^a-z0-9]+`)

// take makes the four pictures of the page that is open.
func (s *shots) take(b *screen, name string) {
	s.t.Helper()
	s.seen[name] = true
	if !s.only.MatchString(name) {
		return
	}
	file := strings.Trim(noName.ReplaceAllString(strings.ToLower(s.group+" "+strings.ReplaceAll(strings.TrimPrefix(name, "/console"), "*", "one")), "-"), "-")
	s.pages = append(s.pages, shotPage{s.group, cmp.Or(name, "/"), file})
	for _, size := range []int64{1280, 390} {
		least := map[int64]int64{1280: 800, 390: 844}[size]
		var high int64
		b.run(chromedp.EmulateViewport(size, least), chromedp.Evaluate(`document.documentElement.scrollHeight`, &high))
		b.run(chromedp.EmulateViewport(size, min(max(high, least), 6000)))
		for _, scheme := range []string{"light", "dark"} {
			b.colours(scheme)
			var png []byte
			b.run(chromedp.CaptureScreenshot(&png))
			s.keep(fmt.Sprintf("%s-%d-%s.png", file, size, scheme), png)
		}
	}
	b.run(chromedp.EmulateViewport(1280, 800))
}

// forReadme makes one picture of what fits on a screen.
func (s *shots) forReadme(b *screen, name, path string) {
	s.t.Helper()
	var png []byte
	b.colours("light")
	b.run(chromedp.EmulateViewport(1280, 800))
	b.goTo(path)
	b.run(chromedp.CaptureScreenshot(&png))
	s.keep("readme-"+name+".png", png)
}

func (s *shots) keep(file string, png []byte) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.folder, file), png, 0o644); err != nil {
		s.t.Fatal(err)
	}
}

var shotIndex = template.Must(template.New("index").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Screenshots of Drawbridge</title>
<style>body{font:14px/20px system-ui,sans-serif;margin:24px;background:#777;color:#fff}h2{font-size:16px}section div{display:flex;gap:12px;align-items:flex-start;overflow-x:auto;margin-bottom:32px}img.wide{width:640px}img.slim{width:195px}a{color:inherit}</style></head><body>
<h1>Screenshots of Drawbridge</h1><ol>{{range .}}<li><a href="#{{.File}}">{{.Group}}: {{.Name}}</a></li>{{end}}</ol>
{{range .}}<section id="{{.File}}"><h2>{{.Group}}: {{.Name}}</h2><div>{{$f := .File}}<img class="wide" loading="lazy" src="{{$f}}-1280-light.png" alt="1280 px, light"><img class="wide" loading="lazy" src="{{$f}}-1280-dark.png" alt="1280 px, dark"><img class="slim" loading="lazy" src="{{$f}}-390-light.png" alt="390 px, light"><img class="slim" loading="lazy" src="{{$f}}-390-dark.png" alt="390 px, dark"></div></section>
{{end}}</body></html>
`))

// index is the page that shows all pictures, by page.
func (s *shots) index() {
	s.t.Helper()
	slices.SortStableFunc(s.pages, func(a, b shotPage) int { return cmp.Compare(a.Group, b.Group) })
	f, err := os.Create(filepath.Join(s.folder, "index.html"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	if err := shotIndex.Execute(f, s.pages); err != nil {
		s.t.Fatal(err)
	}
}
