package console_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// inBackground carries out plans as the program does, until the test ends.
func (s *site) inBackground(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			if _, err := s.prov.RunPlans(ctx); err != nil && ctx.Err() == nil {
				t.Errorf("carrying out plans: %v", err)
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-s.prov.PlansWaiting():
			}
		}
	}()
	t.Cleanup(func() { stop(); <-done })
}

// listFile writes a list of people to a file of the machine, for a browser to bring.
func listFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// bring goes from the list of imports to a plan of a file, and says how many clicks that took.
func (s *screen) bring(file string) int {
	s.t.Helper()
	s.goTo("/console/imports")
	s.run(
		chromedp.Click(`a[href="/console/imports/new"]`, chromedp.ByQuery), chromedp.WaitVisible("#file", chromedp.ByQuery),
		chromedp.SendKeys("#source", "hr", chromedp.ByQuery), chromedp.SetUploadFiles("#file", []string{file}, chromedp.ByQuery),
		chromedp.Click("form.stack .button-primary", chromedp.ByQuery), chromedp.WaitVisible("select[name=field-0]", chromedp.ByQuery),
		chromedp.Click(`input[name=welcome][value=none]`, chromedp.ByQuery), chromedp.Click(".bar .button-primary", chromedp.ByQuery), chromedp.WaitVisible(".tiles", chromedp.ByQuery),
	)
	return 4
}

// signInTo goes through the sign-in page to another one.
func (s *screen) signInTo(email, path string) {
	s.t.Helper()
	s.goTo("/signin?return_to=" + path)
	s.run(
		chromedp.SendKeys("#email", email+"\n", chromedp.ByQuery), chromedp.WaitVisible("#password", chromedp.ByQuery),
		chromedp.SendKeys("#password", password+"\n", chromedp.ByQuery), chromedp.WaitVisible(".console main h1", chromedp.ByQuery),
	)
}

func TestInABrowserWithoutScriptsAFileIsImportedAndUndone(t *testing.T) {
	s := start(t, storetest.SQLite(t))
	s.inBackground(t)
	b := open(t, s.url)
	b.run(emulation.SetScriptExecutionDisabled(true))
	b.signInTo("ada@acme.example", "/console/imports")
	var clicks int
	t.Run("FSM-48 FSM-50 upload, columns, plan, apply", func(t *testing.T) {
		clicks = b.bring(listFile(t, people))
		b.run(
			chromedp.Click(`.head a[href$="/apply"]`, chromedp.ByQuery), chromedp.WaitVisible(".ask", chromedp.ByQuery),
			chromedp.Click(".ask .button-primary", chromedp.ByQuery), chromedp.WaitVisible(".status-applied", chromedp.ByQuery), // the page looks again by itself
		)
		s.somebody(t, "otto@acme.example")
		t.Logf("a file is imported by %d clicks", clicks+2)
	})
	t.Run("FSM-54 undo", func(t *testing.T) {
		b.run(
			chromedp.Click(`.head a[href$="/undo"]`, chromedp.ByQuery), chromedp.WaitVisible(".ask", chromedp.ByQuery),
			chromedp.Click(".ask .button-danger", chromedp.ByQuery), chromedp.WaitVisible(".status-applied", chromedp.ByQuery),
		)
		s.nobody(t, "otto@acme.example")
	})
	b.calm("an import without scripts")
}

func TestInABrowserAPlanIsFollowedUntilItIsDone(t *testing.T) {
	s := start(t, storetest.SQLite(t))
	b := open(t, s.url)
	b.signInTo("ada@acme.example", "/console/imports")
	var rows strings.Builder
	rows.WriteString("email,givenName,familyName\n")
	for i := range 300 {
		fmt.Fprintf(&rows, "p%d@acme.example,P,Number %d\n", i, i)
	}
	b.bring(listFile(t, rows.String()))
	var still bool
	b.run(
		chromedp.Click(`.head a[href$="/apply"]`, chromedp.ByQuery), chromedp.WaitVisible(".ask", chromedp.ByQuery),
		chromedp.Click(".ask .button", chromedp.ByQuery), chromedp.WaitVisible("progress", chromedp.ByQuery),
		chromedp.Evaluate(`document.querySelector("meta[http-equiv=refresh]") === null`, &still),
	)
	if !still {
		t.Error("the whole page is loaded again and again although there are scripts")
	}
	s.inBackground(t)
	b.run(chromedp.WaitVisible(".status-applied", chromedp.ByQuery))
	if n := len(s.find(t, "p299@acme.example")); n != 1 {
		t.Errorf("%d people are the last of the list", n)
	}
	b.calm("following a plan")
}

// importPages are the pages around imports, with something on each.
func (s *site) importPages(t *testing.T) []string {
	t.Helper()
	b := s.signedIn("ada@acme.example")
	plan := b.planOf(people, nil)
	done := b.planOf("email\nnew@acme.example\n", nil)
	b.post(done.path+"/apply", nil).is(http.StatusOK)
	s.work(t)
	kept := b.upload("people.csv", people, url.Values{"source": {"hr"}}).is(http.StatusOK)
	b.post("/console/sources/hr/settings", sourceSettings())
	nina := s.user(t.Context(), "nina@acme.example", "Nina Leaver", s.acme.ID, "editor")
	otto := s.user(t.Context(), "leaver@acme.example", "Otto Leaver", s.acme.ID, "editor")
	must(s.prov.PutHolding(t.Context(), identity.Operator(), identity.Holding{
		HoldingKey: identity.HoldingKey{Application: "flows", Kind: identity.Ownership, ForeignID: "f-1"}, Display: "Nightly flow", UserID: nina.ID,
	}))(t)
	held := s.held(t, b)
	left := b.post("/console/users/"+string(otto.ID)+"/offboard", url.Values{"reason": {"left"}}).is(http.StatusOK)
	off, _, _ := strings.Cut(left.path, "?")
	return []string{
		"/console/imports", "/console/imports/new", kept.path, plan.path, plan.path + "/apply", plan.path + "/drop", done.path, done.path + "/undo", "/console/sources", "/console/sources/hr",
		"/console/sources/hr/settings", "/console/sources/hr/forget", "/console/users/" + string(nina.ID), "/console/users/" + string(nina.ID) + "/offboard", "/console/offboardings", off, off + "/close",
		"/console/exports/users?q=vera", "/console/exports/audit", "/console/exports/access", "/console/exports/check", held.path, held.path + "/approve", held.path + "/reject",
	}
}

func TestInABrowserPagesOfImportsAreForEverybody(t *testing.T) {
	s := start(t, storetest.SQLite(t))
	pages := s.importPages(t)
	b := open(t, s.url)
	b.signInTo("ada@acme.example", "/console/imports")
	script := loadAxe(t)
	for _, path := range pages {
		for _, width := range []int64{390, 1280} {
			var wide bool
			b.run(chromedp.EmulateViewport(width, 844))
			b.goTo(path)
			b.run(chromedp.Evaluate(`document.documentElement.scrollWidth > innerWidth`, &wide))
			if wide {
				t.Errorf("%s is wider than a window of %d px", path, width)
			}
			b.axe(script, fmt.Sprintf("%s at %d px", path, width))
			b.calm(path)
		}
	}
}
