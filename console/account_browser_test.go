package console_test

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestInABrowserEverybodyKeepsTheOwnAccount(t *testing.T) {
	script := loadAxe(t)
	h := newHouse(t, "fintechos")
	me := h.people["portal_viewer"]
	b := h.browse(me, "/account")
	t.Run("FOS-06 who has the least role sees the own data, and what it may do", func(t *testing.T) {
		var page string
		b.run(chromedp.Text("main", &page, chromedp.ByQuery))
		for _, want := range []string{"Portal viewer Person", "portal_viewer@house.example", "Main", "Products", "view · your own records", "What happened lately", "Signed in", "Where you are signed in", "Language and time"} {
			if !strings.Contains(page, want) {
				t.Errorf("My Account does not say %q:\n%s", want, page)
			}
		}
		b.accountNarrow("/account")
		b.axe(script, "/account")
	})
	t.Run("FOS-06 and manages them: name, language, picture", func(t *testing.T) {
		b.run(chromedp.Click(`a[href="/account/edit"]`, chromedp.ByQuery), chromedp.WaitVisible("#locale", chromedp.ByQuery))
		b.axe(script, "/account/edit")
		b.run(
			chromedp.SetValue("#display_name", "Petra Portal", chromedp.ByQuery), chromedp.SendKeys("#locale", "de-AT", chromedp.ByQuery),
			chromedp.Click("main .button-primary", chromedp.ByQuery), chromedp.WaitVisible(".notice-good", chromedp.ByQuery),
			chromedp.SetUploadFiles("#avatar", []string{pictureFile(t)}, chromedp.ByQuery), chromedp.Click(".picture button", chromedp.ByQuery),
			chromedp.WaitVisible(`form[action="/account/picture/remove"]`, chromedp.ByQuery),
		)
		now := h.now(me.ID)
		if now.DisplayName != "Petra Portal" || now.Locale() != "de-AT" {
			t.Errorf("saved: %q %q", now.DisplayName, now.Locale())
		}
		if _, err := h.prov.Avatar(t.Context(), identity.Operator(), me.ID); err != nil {
			t.Error(err)
		}
		b.run(chromedp.Click(`form[action="/account/picture/remove"] button`, chromedp.ByQuery), chromedp.WaitNotPresent(`form[action="/account/picture/remove"]`, chromedp.ByQuery))
		if _, err := h.prov.Avatar(t.Context(), identity.Operator(), me.ID); identity.KindOf(err) != identity.NotFound {
			t.Error(err)
		}
	})
	b.calm("My Account")
}

func TestInABrowserPeopleKeepTheirOwnKeys(t *testing.T) {
	script := loadAxe(t)
	h := newHouse(t, "etlworks")
	me := h.people["editor"]
	b := h.browse(me, "/account")
	var first, second string
	t.Run("ETL-31 a key is generated", func(t *testing.T) {
		b.run(
			chromedp.SendKeys("#key-name", "Nightly report", chromedp.ByQuery), chromedp.Click("#keys form.inline button", chromedp.ByQuery),
			chromedp.WaitVisible(".key-shown code", chromedp.ByQuery), chromedp.Text(".key-shown code", &first, chromedp.ByQuery),
		)
		if call, err := h.authn.CheckKey(t.Context(), first, "192.0.2.1"); err != nil || call.User.ID != me.ID {
			t.Errorf("the key opens %+v %v", call.User.ID, err)
		}
	})
	t.Run("ETL-33 it is copied, and the button says so", func(t *testing.T) {
		var said string
		b.run(chromedp.Click(".key-shown .copy", chromedp.ByQuery), chromedp.WaitVisible(".key-shown .copy.done", chromedp.ByQuery), chromedp.Text(".key-shown .copy", &said, chromedp.ByQuery))
		if said != "Copied" && said != "Press Ctrl+C" {
			t.Errorf("the button says %q", said)
		}
		b.axe(script, "a key that is shown")
		b.accountNarrow("a key that is shown")
	})
	t.Run("ETL-34 it is hidden, and shown again", func(t *testing.T) {
		var again string
		b.run(
			chromedp.Click(`.keys-list a[href="/account#keys"]`, chromedp.ByQuery), chromedp.WaitNotPresent(".key-shown", chromedp.ByQuery),
			chromedp.Click(`.keys-list form button`, chromedp.ByQuery), chromedp.WaitVisible(".key-shown code", chromedp.ByQuery), chromedp.Text(".key-shown code", &again, chromedp.ByQuery),
		)
		if again != first {
			t.Errorf("%q is shown again as %q", first, again)
		}
		if !h.told(me, identity.APIKeyRevealed) {
			t.Error("that it was shown is not written down")
		}
	})
	t.Run("ETL-31 regenerating asks first and replaces it", func(t *testing.T) {
		b.run(
			chromedp.Click(`.keys-list a[href$="/replace"]`, chromedp.ByQuery), chromedp.WaitVisible(".ask", chromedp.ByQuery), chromedp.Click(".ask .button-danger", chromedp.ByQuery),
			chromedp.WaitVisible(".key-shown code", chromedp.ByQuery), chromedp.Text(".key-shown code", &second, chromedp.ByQuery),
		)
		if _, err := h.authn.CheckKey(t.Context(), first, "192.0.2.1"); identity.KindOf(err) != identity.Unauthenticated {
			t.Errorf("the old key still works: %v", err)
		}
		if _, err := h.authn.CheckKey(t.Context(), second, "192.0.2.1"); err != nil {
			t.Error(err)
		}
	})
	t.Run("ETL-32 revoking ends it at once", func(t *testing.T) {
		b.run(
			chromedp.Click(`.keys-list a[href$="/revoke"]`, chromedp.ByQuery), chromedp.WaitVisible(".ask", chromedp.ByQuery), chromedp.Click(".ask .button-danger", chromedp.ByQuery),
			chromedp.WaitVisible(".notice-good", chromedp.ByQuery), chromedp.WaitNotPresent(".keys-list", chromedp.ByQuery),
		)
		if _, err := h.authn.CheckKey(t.Context(), second, "192.0.2.1"); identity.KindOf(err) != identity.Unauthenticated {
			t.Errorf("the revoked key still works: %v", err)
		}
	})
	b.calm("own keys")
}

// told reports whether an event is about somebody.
func (h *house) told(u identity.User, kind identity.EventType) bool {
	h.t.Helper()
	list := must(h.prov.OwnHistory(h.t.Context(), identity.Actor{Kind: identity.ActorUser, ID: string(u.ID)}, 100))(h.t)
	for _, e := range list {
		if e.Type == kind {
			return true
		}
	}
	return false
}

// accountNarrow makes the page as wide as a telephone and back, and fails the test when it scrolls sideways there.
func (s *screen) accountNarrow(where string) {
	s.t.Helper()
	var wide bool
	s.run(chromedp.EmulateViewport(390, 844), chromedp.Evaluate(`document.documentElement.scrollWidth > innerWidth`, &wide), chromedp.EmulateViewport(1280, 800))
	if wide {
		s.t.Errorf("%s is wider than a telephone", where)
	}
}

// pictureFile writes a picture for an upload.
func pictureFile(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 20, 20))); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "me.png")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestInABrowserTheSettingsSayWhatHolds(t *testing.T) {
	script := loadAxe(t)
	h := newHouse(t, "fentu-fsm")
	b := h.browse(h.boss, "/console/users")
	t.Run("FSM-70 System Settings stands in the menu and says what is asked of passwords and sessions", func(t *testing.T) {
		var title, page string
		var links []*cdp.Node
		b.run(
			chromedp.Nodes(`.side-inner > .menu a[href="/console/settings"]`, &links, chromedp.ByQueryAll), chromedp.Click(`.side-inner > .menu a[href="/console/settings"]`, chromedp.ByQuery),
			chromedp.WaitVisible(".rules-table", chromedp.ByQuery), chromedp.Text("h1", &title, chromedp.ByQuery), chromedp.Text(".rules-table", &page, chromedp.ByQuery),
		)
		if len(links) != 1 || title != "System Settings" {
			t.Errorf("%d links lead to %q", len(links), title)
		}
		for _, want := range []string{"12 characters", "3 of 4", "5 passwords", "90 days", "5 tries", "an administrator unlocks it", "30 minutes", "12 hours", "Administrator", "when the new mailbox confirms it", "Access model"} {
			if !strings.Contains(page, want) {
				t.Errorf("System Settings does not say %q:\n%s", want, page)
			}
		}
		b.accountNarrow("System Settings")
		b.axe(script, "System Settings")
	})
	t.Run("FSM-70 what the organisation may say itself is changed there", func(t *testing.T) {
		b.run(
			chromedp.SetValue("#idle", "20", chromedp.ByQuery), chromedp.SetValue("#most", "3", chromedp.ByQuery), chromedp.Click("#rules .button-primary", chromedp.ByQuery), chromedp.WaitVisible(".notice-good", chromedp.ByQuery),
		)
		if said := must(h.authn.TenantSettings(t.Context(), identity.Operator(), h.home.ID))(t); said.SessionIdle.Minutes() != 20 || said.SessionMost != 3 {
			t.Errorf("saved: %+v", said)
		}
	})
	for _, path := range []string{"/console/settings/mail", "/console/settings/mail/invitation", "/console/settings/outbox", "/console/settings/keys", "/console/settings/installation"} {
		b.goTo(path)
		b.accountNarrow(path)
		b.axe(script, path)
	}
	b.calm("the settings")
}
