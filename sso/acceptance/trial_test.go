package acceptance

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

var trialLink = regexp.MustCompile(`href="(/sso/[^"]*/test\?key=[^"]*)"`)

// test presses the test button as an administrator and goes through the provider; it returns the page of the result.
func (b *browser) test(c identity.Connection, email string) reply {
	b.h.t.Helper()
	page := b.post("/console/connections/"+string(c.ID)+"/test", nil)
	found := trialLink.FindStringSubmatch(page.body)
	if page.StatusCode != http.StatusOK || found == nil {
		b.h.t.Fatalf("the test button answered %d: %s", page.StatusCode, page.body)
	}
	back := b.atProvider(c, b.get(html.UnescapeString(found[1])), email)
	if back.StatusCode != http.StatusSeeOther {
		b.h.t.Fatalf("after the provider the answer is %d: %s", back.StatusCode, back.body)
	}
	return b.get(back.Header.Get("Location"))
}

// traces of a sign-in that a database could have, beside the trace itself.
type left struct{ Users, Links, Sessions, Refusals int }

func (h *house) left() left {
	h.t.Helper()
	ctx, by := h.t.Context(), identity.Operator()
	users, err := h.people.Users(ctx, by, identity.Query{Limit: 1000})
	if err != nil {
		h.t.Fatal(err)
	}
	out := left{Users: len(users.Items)}
	for _, u := range users.Items {
		detail, err := h.people.UserDetail(ctx, by, u.ID)
		if err != nil {
			h.t.Fatal(err)
		}
		sessions, err := h.authn.Sessions(ctx, by, u.ID)
		if err != nil {
			h.t.Fatal(err)
		}
		out.Links, out.Sessions = out.Links+len(detail.Links), out.Sessions+len(sessions)
	}
	refusals, err := h.people.Events(ctx, by, provisioning.EventQuery{Type: identity.SignInRefused, Limit: 100})
	if err != nil {
		h.t.Fatal(err)
	}
	out.Refusals = len(refusals.Items)
	return out
}

func (h *house) disable(c identity.Connection) {
	h.t.Helper()
	_, err := h.people.UpdateConnection(h.t.Context(), identity.Operator(), c.ID, func(c *identity.Connection) error { c.Enabled = false; return nil })
	if err != nil {
		h.t.Fatal(err)
	}
}

func TestB06TheTestButtonGoesTheWholeWayAndCreatesNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person("", "root@house.test", "superadmin")
		h.person("", "other@house.test", "superadmin")
		root, other := h.browser(), h.browser()
		root.withPassword("root@house.test")
		other.withPassword("other@house.test")
		for _, c := range []identity.Connection{h.viaSAML, h.viaOIDC} {
			h.disable(c)
			t.Run(string(c.Kind), func(t *testing.T) {
				page := testStranger(t, h, root, c)
				onlyFor(t, page.Request.URL.Path, root, map[string]*browser{"another administrator": other, "a stranger": h.browser()})
			})
		}
		t.Run("somebody who exists", func(t *testing.T) { testSomebody(t, h, root) })
		t.Run("refusals", func(t *testing.T) { testRefusals(t, h, root) })
		t.Run("a test that is over", func(t *testing.T) { testKeys(t, h, root) })
	})
}

// says ends the test unless a page has every text.
func (r reply) says(t *testing.T, texts ...string) {
	t.Helper()
	body := html.UnescapeString(r.body)
	for _, want := range texts {
		if r.StatusCode != http.StatusOK || !strings.Contains(body, want) {
			t.Fatalf("the page (%d) does not say %q: %s", r.StatusCode, want, body)
		}
	}
}

// testStranger: a person whom nobody knows would be created, and is not.
func testStranger(t *testing.T, h *house, root *browser, c identity.Connection) reply {
	t.Helper()
	before := h.left()
	page := root.test(c, ada.Email)
	page.says(t, "It works", "A new user ada@example.com would have been created in SSO Landing as Viewer.", ada.Subject, "switched off: only a test works")
	if after := h.left(); before != after {
		t.Errorf("the test left something: %+v before, %+v after", before, after)
	}
	if trace := h.lastTrace(); !trace.OK || trace.Purpose != identity.PurposeTest || trace.UserID != "" {
		t.Errorf("the trace is %+v", trace)
	}
	if visit, err := root.session(); err != nil || visit.User.UserName != "root@house.test" {
		t.Errorf("the administrator is %q now (%v)", visit.User.UserName, err)
	}
	if res := h.browser().get(h.at(c, "login")); res.StatusCode != http.StatusForbidden {
		t.Errorf("a connection that is switched off answers %d to somebody who signs in", res.StatusCode)
	}
	return page
}

func onlyFor(t *testing.T, path string, owner *browser, others map[string]*browser) {
	t.Helper()
	if res := owner.get(path); res.StatusCode != http.StatusOK {
		t.Errorf("the administrator who began sees %d", res.StatusCode)
	}
	for name, b := range others {
		if res := b.get(path); res.StatusCode != http.StatusNotFound || strings.Contains(res.body, ada.Email) {
			t.Errorf("%s sees the result: %d", name, res.StatusCode)
		}
	}
}

// testSomebody: a person who exists would be signed in, and is neither linked nor signed in.
func testSomebody(t *testing.T, h *house, root *browser) {
	t.Helper()
	tenant := h.tenant()
	h.person(tenant.ID, "grace@example.com", "viewer")
	before := h.left()
	root.test(h.viaOIDC, "grace@example.com").says(t, "Would have been signed in as grace@example.com", "in "+tenant.Name+" as Viewer.")
	if after := h.left(); before != after {
		t.Errorf("the test left something: %+v before, %+v after", before, after)
	}
}

// testRefusals: what the rules refuse, and what the protocol refuses before it is known which request is answered.
func testRefusals(t *testing.T, h *house, root *browser) {
	t.Helper()
	before := h.left()
	root.test(h.viaSAML, "eve@elsewhere.test").says(t, "It does not work yet", "email.domain_not_allowed", "would have been refused")
	h.saml.Change(func(a *ssotest.Answer) { a.SignAssertion, a.SignResponse = false, false })
	root.test(h.viaSAML, ada.Email).says(t, "It does not work yet", "saml.unsigned")
	h.saml.Change(nil)
	if trace := h.lastTrace(); trace.Code != "saml.unsigned" || trace.Purpose != identity.PurposeTest {
		t.Errorf("the trace is %+v", trace)
	}
	if after := h.left(); before != after {
		t.Errorf("the refused tests left something: %+v before, %+v after", before, after)
	}
}

// testKeys: the key of a test opens it once, and at its own connection only; after a test nobody comes in through a connection that is switched off.
func testKeys(t *testing.T, h *house, root *browser) {
	t.Helper()
	visit, err := root.session()
	if err != nil {
		t.Fatal(err)
	}
	_, key, err := h.people.BeginTrial(t.Context(), visit.Actor, h.viaOIDC.ID)
	if err != nil {
		t.Fatal(err)
	}
	if res := root.get(h.at(h.viaSAML, "test?key="+key)); res.StatusCode != http.StatusNotFound {
		t.Errorf("the key opens a test of another connection: %d", res.StatusCode)
	}
	first := root.get(h.at(h.viaOIDC, "test?key="+key))
	for _, again := range []string{key, "", identity.NewSecret("")} {
		if res := h.browser().get(h.at(h.viaOIDC, "test?key="+url.QueryEscape(again))); res.StatusCode != http.StatusNotFound {
			t.Errorf("a used or wrong key answers %d", res.StatusCode)
		}
	}
	if res := root.get(h.at(h.viaOIDC, "login")); res.StatusCode == http.StatusFound {
		t.Error("a running test switches the connection on for sign-ins")
	}
	if back := root.atProvider(h.viaOIDC, first, ada.Email); back.StatusCode != http.StatusSeeOther {
		t.Fatalf("the test answers %d", back.StatusCode)
	}
	begin, err := h.people.Events(t.Context(), identity.Operator(), provisioning.EventQuery{Type: identity.ConnectionTested, Limit: 1})
	if err != nil || len(begin.Items) != 1 || begin.Items[0].ActorID != string(visit.User.ID) {
		t.Errorf("the audit has %+v (%v)", begin.Items, err)
	}
	if strings.Contains(h.log.String(), key) {
		t.Error("the key is in the log")
	}
}
