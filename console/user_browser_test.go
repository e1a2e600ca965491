package console_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
)

// personPage is a browser that works on the pages of people.
type personPage struct {
	*screen
	h      *house
	script string
}

func personHouse(t *testing.T, preset string) *personPage {
	t.Helper()
	script := loadAxe(t)
	h := newHouse(t, preset)
	return &personPage{screen: h.browse(h.boss, "/console"), h: h, script: script}
}

// at opens a page of somebody.
func (p *personPage) at(u identity.User, rest string) {
	p.t.Helper()
	p.goTo("/console/users/" + string(u.ID) + rest)
}

// press clicks what a selector finds and waits until the next page has something.
func (p *personPage) press(selector, then string) {
	p.t.Helper()
	p.run(chromedp.Click(selector, chromedp.ByQuery), chromedp.WaitVisible(then, chromedp.ByQuery))
}

// reads ends the test unless the page says every text.
func (p *personPage) reads(t *testing.T, wants ...string) {
	t.Helper()
	var text string
	p.run(chromedp.Text("main", &text, chromedp.ByQuery))
	text = space.ReplaceAllString(text, " ")
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Fatalf("the page does not say %q: %s", want, text)
		}
	}
}

// lacks ends the test when a selector finds something.
func (p *personPage) lacks(t *testing.T, selector string) {
	t.Helper()
	if p.holds(selector) {
		t.Errorf("the page has %s", selector)
	}
}

func (p *personPage) holds(selector string) bool {
	p.t.Helper()
	var found bool
	p.run(chromedp.Evaluate(`document.querySelector(`+"`"+selector+"`"+`) !== null`, &found))
	return found
}

// sound checks the page that is open for everybody, at both widths.
func (p *personPage) sound(where string) {
	p.t.Helper()
	var wide bool
	p.axe(p.script, where)
	p.run(chromedp.EmulateViewport(390, 844), chromedp.Evaluate(`document.documentElement.scrollWidth > innerWidth`, &wide))
	p.run(chromedp.EmulateViewport(1280, 800))
	if wide {
		p.t.Errorf("%s is wider than a telephone", where)
	}
	p.calm(where)
}

// hired is somebody of the house with a role.
func (p *personPage) hired(name string, role identity.RoleID) identity.User {
	p.t.Helper()
	email := strings.ToLower(strings.ReplaceAll(name, " ", ".")) + "@house.example"
	return must(p.h.hire(email, name, p.h.home.ID, role))(p.t)
}

// refusesForged ends the test unless somebody's forged form is refused.
func (p *personPage) refusesForged(t *testing.T, who identity.User, path string) {
	t.Helper()
	cookie, _, err := p.h.authn.StartSession(t.Context(), who, identity.Session{ConnectionID: p.h.door, Upstream: identity.Upstream{AMR: []string{"mfa"}}}, "")
	if err != nil {
		t.Fatal(err)
	}
	r := must(http.NewRequest(http.MethodPost, p.h.url+path, strings.NewReader("reason=forged&role=administrator&how=temporary&for=24")))(t)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(&http.Cookie{Name: "drawbridge", Value: cookie})
	answer := must(http.DefaultTransport.RoundTrip(r))(t)
	answer.Body.Close()
	if answer.StatusCode != http.StatusForbidden {
		t.Errorf("a forged form to %s is answered %d, not 403", path, answer.StatusCode)
	}
}

// lock locks an account as wrong passwords do.
func (p *personPage) lock(u identity.User) {
	p.t.Helper()
	ctx := p.t.Context()
	if _, err := p.h.authn.ResetPassword(ctx, identity.Operator(), u.ID, authn.GivenPassword{Password: "Quiet-heron-" + string(identity.NewID[identity.UserID]())}); err != nil {
		p.t.Fatal(err)
	}
	for range 5 {
		_, _, _ = p.h.authn.CheckPassword(ctx, u.UserName, "wrong", "203.0.113.9") // it is to be wrong
	}
	if now := p.h.now(u.ID); now.LockedAt == nil {
		p.t.Fatal("five wrong passwords did not lock the account")
	}
}

func (p *personPage) secret() string {
	p.t.Helper()
	var secret string
	p.run(chromedp.Text(".secret code", &secret, chromedp.ByQuery))
	return strings.TrimSpace(secret)
}

// button marks the button with a text and returns how to find it.
func (p *personPage) button(text string) string {
	p.t.Helper()
	var found bool
	p.run(chromedp.Evaluate("Array.from(document.querySelectorAll('main button')).filter((b) => b.textContent.trim() === "+"`"+text+"`"+").map((b) => b.id = 'the-button').length > 0", &found))
	if !found {
		p.t.Fatalf("there is no button %q", text)
	}
	return "#the-button"
}
