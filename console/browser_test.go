package console_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// browserTime is how long one journey through the console may take, on a slow machine.
const browserTime = 2 * time.Minute

// screen is a real browser. It keeps what the console of the browser complained about: scripts that failed, policies that were broken, files that were missing.
type screen struct {
	stop   context.CancelFunc // of the program
	t      *testing.T
	ctx    context.Context
	url    string
	mu     sync.Mutex
	faults []string
}

// open starts the browser for one journey. Without one the test skips, or fails under DRAWBRIDGE_TEST_BROWSER=require.
func open(t *testing.T, url string) *screen {
	t.Helper()
	return openFor(t, url, browserTime)
}

func openFor(t *testing.T, url string, long time.Duration) *screen {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("DRAWBRIDGE_TEST_BROWSER") == "require" {
			t.Fatal("chromium is not installed, and DRAWBRIDGE_TEST_BROWSER=require asks for it")
		}
		t.Skip("chromium is not installed: the console is not tried in a browser (apt-get install chromium)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-background-networking", true), chromedp.UserDataDir(profile(t)), chromedp.WindowSize(1280, 800))
	ctx, stop := context.WithTimeout(context.Background(), long)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewExecAllocator(ctx, options...)
	end := stop
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {}))
	t.Cleanup(stop)
	s := &screen{t: t, ctx: ctx, url: url, stop: end}
	chromedp.ListenTarget(ctx, s.listen)
	s.run(log.Enable(), runtime.Enable())
	return s
}

// profile returns a folder for one browser. Chromium's children outlive it for a moment and go on writing there, so it is removed when they let it.
func profile(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "drawbridge-browser-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for range 250 {
			if err = os.RemoveAll(folder); err == nil {
				return
			}
			<-tick.C
		}
		t.Logf("the folder of the browser stays: %v", err)
	})
	return folder
}

// close ends the browser before the test does.
func (s *screen) close() { s.stop() }

func (s *screen) listen(event any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError || e.Entry.Level == log.LevelWarning {
			s.faults = append(s.faults, fmt.Sprintf("%s: %s", e.Entry.URL, e.Entry.Text))
		}
	case *runtime.EventExceptionThrown:
		s.faults = append(s.faults, e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
			s.faults = append(s.faults, fmt.Sprint(e.Args))
		}
	}
}

// calm ends the test when the browser complained since the last call.
func (s *screen) calm(where string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, fault := range s.faults {
		s.t.Errorf("%s: the browser says: %s", where, fault)
	}
	s.faults = nil
}

// run does things in the browser, each waiting for what it needs.
func (s *screen) run(actions ...chromedp.Action) {
	s.t.Helper()
	if err := chromedp.Run(s.ctx, actions...); err != nil {
		var at, body string
		_ = chromedp.Run(s.ctx, chromedp.Location(&at), chromedp.Text("body", &body, chromedp.ByQuery))
		s.t.Fatalf("at %s: %v\n%s", at, err, body)
	}
}

func (s *screen) goTo(path string) { s.t.Helper(); s.run(chromedp.Navigate(s.url + path)) }

// signIn goes through both steps of the sign-in page.
func (s *screen) signIn(email string) {
	s.t.Helper()
	s.goTo("/signin?return_to=/console/placement")
	s.run(
		chromedp.SendKeys("#email", email+"\n", chromedp.ByQuery), chromedp.WaitVisible("#password", chromedp.ByQuery),
		chromedp.SendKeys("#password", password+"\n", chromedp.ByQuery), chromedp.WaitVisible("table", chromedp.ByQuery),
	)
}

// inAcme ends the test unless everybody who had landed is in Acme with the role.
func (s *site) inAcme(role identity.RoleID) {
	s.t.Helper()
	for _, email := range []string{"grace@partner.example", "alan@partner.example"} {
		page := must(s.prov.Users(s.t.Context(), identity.Operator(), identity.Query{Search: email, Limit: 2}))(s.t)
		if len(page.Items) != 1 || page.Items[0].TenantID != s.acme.ID || page.Items[0].Roles[0].ID != role {
			s.t.Errorf("%s is not in Acme as %s: %+v", email, role, page.Items)
		}
	}
}

func TestInABrowserTwoPeopleArePlacedByKeyboard(t *testing.T) {
	s := start(t, storetest.SQLite(t))
	b := open(t, s.url)
	b.signIn("root@bridge.example")
	var ticked string
	b.run(
		chromedp.KeyEvent("j"), chromedp.KeyEvent("x"), chromedp.KeyEvent("j"), chromedp.KeyEvent("x"), chromedp.Text("[data-count]", &ticked, chromedp.ByQuery),
		chromedp.SetValue("#tenant", string(s.acme.ID), chromedp.ByQuery), chromedp.SetValue("#role", "operator", chromedp.ByQuery),
		chromedp.Click(".bar button", chromedp.ByQuery), chromedp.WaitVisible(".bar-text", chromedp.ByQuery),
	)
	if ticked != "2 people" {
		t.Errorf("the bar counts %q, not 2 people", ticked)
	}
	b.run(chromedp.Click(".bar button", chromedp.ByQuery), chromedp.WaitVisible(".notice-good", chromedp.ByQuery))
	s.inAcme("operator")
	b.calm("placing two people")
}

func TestInABrowserWithoutScriptsTwoPeopleArePlaced(t *testing.T) {
	s := start(t, storetest.SQLite(t))
	b := open(t, s.url)
	b.run(emulation.SetScriptExecutionDisabled(true))
	b.signIn("root@bridge.example")
	b.run(
		chromedp.Click("tbody tr:nth-child(1) input", chromedp.ByQuery), chromedp.Click("tbody tr:nth-child(2) input", chromedp.ByQuery),
		chromedp.SendKeys("#tenant", "Acme", chromedp.ByQuery), chromedp.SendKeys("#role", "Editor", chromedp.ByQuery),
		chromedp.Click(".bar button", chromedp.ByQuery), chromedp.WaitVisible(".bar-text", chromedp.ByQuery),
		chromedp.Click(".bar button", chromedp.ByQuery), chromedp.WaitVisible(".notice-good", chromedp.ByQuery),
	)
	s.inAcme("editor")
	b.calm("placing two people without scripts")
}

func TestInABrowserNoPageBreaksItsPolicy(t *testing.T) {
	s := start(t, storetest.SQLite(t))
	c := must(s.prov.CreateConnection(t.Context(), identity.Operator(), identity.Connection{
		Name: "Provider", Kind: identity.OIDC, Domains: []string{"other.example"}, OIDC: identity.OIDCSettings{Issuer: "https://idp.example", ClientID: "c", ClientSecret: "s"},
	}))(t)
	trace := identity.Trace{ID: identity.NewID[identity.TraceID](), ConnectionID: c.ID, Code: "x", Email: "who@other.example", Checks: []identity.Check{{Name: "a check", Result: identity.Failed}}}
	if err := s.prov.RecordTrace(t.Context(), trace); err != nil {
		t.Fatal(err)
	}
	_, token, err := s.prov.CreateSetupLink(t.Context(), identity.Operator(), identity.SetupLink{TenantID: s.acme.ID, Name: "Theirs", Domains: []string{"acme.example"}}, identity.DefaultSetupAge)
	if err != nil {
		t.Fatal(err)
	}
	saml := must(readMetadata(t.Context(), "<EntityDescriptor/>", identity.SAMLSettings{}))(t)
	mine := must(s.prov.PrepareConnection(t.Context(), identity.Operator(), identity.Connection{Name: "Mine", Kind: identity.SAML, Domains: []string{"mine.example"}, SAML: saml}))(t)
	b := open(t, s.url)
	b.signIn("root@bridge.example")
	user := "/console/users/" + string(s.ada.ID)
	for _, path := range []string{
		"/account", "/console/users", "/console/users/new", user, user + "/edit", user + "/deactivate", "/console/placement", "/console/tenants",
		"/console/directories", "/console/directories/new", "/console/directories/" + s.push.ID, "/console/directories/" + s.push.ID + "/rotate",
		"/console/connections", "/console/connections/new", "/console/connections/new?provider=okta-saml", "/console/connections/" + string(c.ID),
		"/console/connections/" + string(mine.ID), "/console/connections/" + string(mine.ID) + "/provider", "/console/connections/" + string(mine.ID) + "/matching", "/console/connections/" + string(mine.ID) + "/delete",
		"/console/setup-links", "/console/setup-links/new", "/setup/" + token, "/setup?provider=entra-saml", "/setup?provider=google-oidc",
		"/console/signins", "/console/signins/" + string(trace.ID), "/console/signins/explain", "/console/signins/links?trace=" + string(trace.ID), "/console/requests", "/console/events",
	} {
		var wide bool
		b.goTo(path)
		b.run(chromedp.EmulateViewport(390, 844), chromedp.Evaluate(`document.documentElement.scrollWidth > innerWidth`, &wide), chromedp.EmulateViewport(1280, 800))
		if wide {
			t.Errorf("%s is wider than a telephone", path)
		}
		b.calm(path)
	}
}

func TestInABrowserTheWizardLeadsToATest(t *testing.T) {
	s := start(t, storetest.SQLite(t))
	b := open(t, s.url)
	b.signIn("root@bridge.example")
	b.goTo("/console/connections/new")
	var copies int
	var next, at string
	b.run(
		chromedp.Click(`a[href$="provider=entra-oidc"]`, chromedp.ByQuery), chromedp.WaitVisible("#domains", chromedp.ByQuery),
		chromedp.SendKeys("#name", "Entra of Partner", chromedp.ByQuery), chromedp.SendKeys("#domains", "partner.example\n", chromedp.ByQuery), chromedp.WaitVisible("#issuer", chromedp.ByQuery),
		chromedp.Evaluate(`document.querySelectorAll("button[data-copy]:not([hidden])").length`, &copies),
		chromedp.SendKeys("#issuer", "https://login.example/v2.0", chromedp.ByQuery), chromedp.SendKeys("#clientid", "abc", chromedp.ByQuery), chromedp.SendKeys("#clientsecret", "hush", chromedp.ByQuery),
		chromedp.Click(`//button[.="Create, switched off"]`, chromedp.BySearch),
		chromedp.WaitVisible(".notice-good", chromedp.ByQuery), chromedp.Text(".steps [aria-current]", &next, chromedp.ByQuery),
		chromedp.Click(`form[action$="/test"] button`, chromedp.ByQuery), chromedp.WaitVisible(".ask", chromedp.ByQuery), chromedp.AttributeValue(".ask a.button-primary", "href", &at, nil, chromedp.ByQuery),
	)
	if copies != 3 || next != "Test" || !strings.Contains(at, "/test?key=") {
		t.Errorf("%d values can be copied; the next step is %q, the test is at %q", copies, next, at)
	}
	b.calm("the wizard")
}

func TestInABrowserTheKeysAndTheClockWork(t *testing.T) {
	s := start(t, storetest.SQLite(t))
	b := open(t, s.url)
	b.run(emulation.SetTimezoneOverride("Asia/Tokyo"))
	b.signIn("root@bridge.example")
	b.goTo("/console/users")
	var focus, local, utc, at string
	b.run(
		chromedp.Text("td.time:not(.made) time", &local, chromedp.ByQuery), chromedp.AttributeValue("td.time:not(.made) time", "title", &utc, nil, chromedp.ByQuery),
		chromedp.KeyEvent("/"), chromedp.Evaluate(`document.activeElement.name`, &focus),
		chromedp.KeyEvent("\x1b"), chromedp.KeyEvent("?"), chromedp.WaitVisible("#keys", chromedp.ByQuery), chromedp.Click("#keys button", chromedp.ByQuery),
	)
	b.goTo("/console/users") // the driver types the slash into the box too, which narrows the list
	b.run(
		chromedp.KeyEvent("j"), chromedp.KeyEvent("\r"), chromedp.WaitVisible(`.crumb a[href="/console/users"]`, chromedp.ByQuery), chromedp.Location(&at),
	)
	if focus != "q" {
		t.Errorf("the key / leads to %q, not to the search box", focus)
	}
	if !strings.HasSuffix(utc, " UTC") || strings.Contains(local, "UTC") {
		t.Errorf("a time is shown as %q with %q on hover", local, utc)
	}
	if !strings.HasPrefix(at, s.url+"/console/users/") {
		t.Errorf("Enter on a row leads to %s", at)
	}
	b.calm("keys")
}

func TestInABrowserTheAddressLeadsToAProviderOnAnotherHost(t *testing.T) {
	s := start(t, storetest.SQLite(t))
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `<p id="provider">Provider</p>`) }))
	t.Cleanup(provider.Close)
	s.mux.HandleFunc("GET /sso/{connection}/login", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, provider.URL+"/authorize?login_hint="+r.FormValue("login_hint"), http.StatusFound)
	})
	must(s.prov.CreateConnection(t.Context(), identity.Operator(), identity.Connection{
		Name: "Provider", Kind: identity.OIDC, Domains: []string{"other.example"}, OIDC: identity.OIDCSettings{Issuer: "https://idp.example", ClientID: "c", ClientSecret: "s"},
	}))(t)
	b := open(t, s.url)
	b.goTo("/signin")
	var at string
	b.run(chromedp.SendKeys("#email", "who@other.example\n", chromedp.ByQuery), chromedp.WaitVisible("#provider", chromedp.ByQuery), chromedp.Location(&at))
	if want := provider.URL + "/authorize?login_hint=who@other.example"; at != want {
		t.Errorf("the browser is at %s, not at %s", at, want)
	}
}
