package console_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// german is the round tripper of a browser that wants German.
type german struct{ http.RoundTripper }

func (g german) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("Accept-Language", "de-AT, de;q=0.9")
	return g.RoundTripper.RoundTrip(r)
}

// mixed is English that a German page would show beside its own: the words of the menu and of buttons.
var mixed = regexp.MustCompile(`>(Placement|Reviews|Sign-ins|Settings|Save|Cancel|Apply|Continue|My account|Sign out)<`)

// german makes a browser want German.
func (b *browser) german() *browser {
	b.client.Transport = german{http.DefaultTransport}
	return b
}

func TestEveryKindOfPageSpeaksGerman(t *testing.T) {
	e := newEstate(t)
	b := e.signedIn("root@bridge.example")
	b.client.Transport = german{http.DefaultTransport}
	b.get("/console/users").is(http.StatusOK).has(`<html lang="de" dir="ltr">`, ">Benutzer<", "Abmelden")
	pages := e.pages(b, "SuperAdmin")
	for _, p := range pages {
		r := b.get(p.path)
		if r.status != http.StatusOK || !strings.Contains(r.body, `lang="de"`) {
			t.Errorf("%s answers %d in German", p.path, r.status)
		}
		if found := mixed.FindString(r.body); found != "" {
			t.Errorf("%s is half English: %s", p.path, found)
		}
	}
	t.Logf("%d kinds of pages", len(pages))
	b.get("/nowhere").is(http.StatusNotFound).has("Hier ist nichts")
}

func TestMyAccountIsGermanThroughout(t *testing.T) {
	s := start(t, storetest.SQLite(t))
	b := s.signedIn("vera@acme.example")
	b.client.Transport = german{http.DefaultTransport}
	b.get("/account").is(http.StatusOK).says("Angelegt von dem Betreiber", "darf hereinkommen nein → ja", "E-Mail vera@acme.example", "Rolle Viewer",
		"Execution statistics ansehen", "Viewer gewährt Execution statistics: ansehen", "Viewer gewährt Flows nicht: anlegen", "Tenants gehört zur Plattform").hides("does not grant", "exec_stats", "no → yes")
}

func TestInABrowserALanguageFromRightToLeftFits(t *testing.T) {
	s := start(t, storetest.SQLite(t))
	b := open(t, s.url)
	b.signInTo("root@bridge.example", "/console/users")
	for _, path := range []string{"/console", "/console/users", "/console/users/" + string(s.ada.ID), "/console/placement", "/console/access/matrix", "/console/statistics", "/account"} {
		for _, width := range []int64{390, 1280} {
			var wide bool
			var side string
			b.run(chromedp.EmulateViewport(width, 844))
			b.goTo(path)
			b.run(
				chromedp.Evaluate(`document.documentElement.dir = "rtl"; document.body.scrollWidth > innerWidth`, &wide),
				chromedp.Evaluate(`getComputedStyle(document.querySelector("h1")).textAlign + " " + getComputedStyle(document.querySelector("h1")).direction`, &side),
			)
			if wide || !strings.HasSuffix(side, "rtl") {
				t.Errorf("%s at %d px from right to left: too wide %t, %s", path, width, wide, side)
			}
			b.calm(path)
		}
	}
}

// German texts that pages wrote in English although there was a line for them: what comes from a model, a script or another package.
func TestWhatComesFromCodeIsGermanOnItsPageToo(t *testing.T) {
	s := start(t, storetest.SQLite(t))
	b := s.signedIn("root@bridge.example")
	b.client.Transport = german{http.DefaultTransport}
	b.get("/console/users").is(http.StatusOK).has(`data-none="Niemand angekreuzt"`, `data-one="Person"`, `data-many="Personen"`, ">Gesperrt<", `aria-label="Ada Lovelace bearbeiten"`)
	b.get("/console/directories").is(http.StatusOK).says("Ganze Installation").hides("Whole installation")
	b.get("/console/signins").is(http.StatusOK).has(`data-label="Über">Passwort<`)
	b.get("/console/settings").is(http.StatusOK).says("Mandanten wählen, um zu sehen, was er selbst bestimmt …")
	b.get("/console/settings/mail").is(http.StatusOK).says("Die Texte der Installation")
	b.get("/console/connections/new").is(http.StatusOK).says("Anderer Anbieter").hides("Another provider")
	b.get("/console/roles").is(http.StatusOK).has("<h1>Rollen</h1>").says("Gilt").hides("Zurückgehalten")
	b.get("/console/access/matrix").is(http.StatusOK).says("In der Anwendung").has(">alles<", ">ansehen<").hides(">view<")
	b.get("/account/password").is(http.StatusOK).says("mindestens 12 Zeichen", "nicht leicht zu erraten")
	b.get("/account").is(http.StatusOK).has(`data-large="Die Datei ist größer als 5 MB."`)
	b.get("/console/roles/editor").is(http.StatusOK).says("In der Anwendung").hides("In the application", ">create<")
	b.get(b.get("/console/directories").all(`href="(/console/directories/[0-9a-f-]{36})"`)[0] + "/guard").is(http.StatusOK).says("Minuten").hides(" minutes")
	s.browser().german().get("/join/" + strings.Repeat("a", 43)).is(http.StatusNotFound).has("<h1>Dieser Link öffnet nichts</h1>").says("Öffnen Sie ihn noch einmal aus der E-Mail").hides("Sign in")
	b.get("/console/exports/users").is(http.StatusOK).says("Benutzer exportieren", "für Excel und LibreOffice")
}
