package acceptance

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

var onward = regexp.MustCompile(`class="button button-primary" href="(http[^"]*)"`)

// connectAt goes through My Account to a provider as the person with that address there, and returns the answer to the way back.
func (b *browser) connectAt(c identity.Connection, email string, proof url.Values) reply {
	b.h.t.Helper()
	page := b.post("/account/links/"+string(c.ID), proof)
	found := onward.FindStringSubmatch(page.body)
	if found == nil {
		b.h.t.Fatalf("no way to the provider: %d %s", page.StatusCode, page.body)
	}
	start := reply{Response: &http.Response{StatusCode: http.StatusSeeOther, Header: http.Header{"Location": {html.UnescapeString(found[1])}}}}
	return b.atProvider(c, start, email)
}

func TestSomebodyConnectsAnotherProviderWithProofAndDisconnectsIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, c := range []identity.Connection{h.viaSAML, h.viaOIDC} {
			email := "owner-" + string(c.Kind) + "@example.com"
			u := h.person(h.tenant().ID, email, "viewer")
			b := h.browser()
			b.withPassword(email)
			start := "/account/links/" + string(c.ID)
			if res := b.get("/account"); !strings.Contains(res.body, start) {
				t.Errorf("My Account does not offer it: %s", res.body)
			}
			if res := b.post(start, url.Values{"password": {"wrong"}}); res.StatusCode != http.StatusBadRequest || onward.MatchString(res.body) {
				t.Errorf("a wrong password answered %d", res.StatusCode)
			}
			other := "another-" + string(c.Kind) + "@elsewhere.test" // the address there need not be the one here
			before := h.count()
			if res := b.connectAt(c, other, url.Values{"password": {password}}); res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/account/pending-links" {
				t.Fatalf("answered %d: %+v", res.StatusCode, h.lastTrace())
			}
			if trace := h.lastTrace(); !trace.OK || trace.Purpose != identity.PurposeLink || trace.UserID != u.ID {
				t.Errorf("the trace is %+v", trace)
			}
			if len(h.linksOf(u.ID)) != 0 || h.count() != before {
				t.Error("something was made before it was confirmed")
			}
			page := b.get("/account/pending-links")
			if !strings.Contains(page.body, other) || strings.Contains(page.body, `name="password"`) {
				t.Errorf("the question is %s", page.body)
			}
			if res := b.post(b.pending(), nil); res.Header.Get("Location") != "/account?done=link-made" {
				t.Fatalf("confirming answered %d: %s", res.StatusCode, res.body)
			}
			fresh := h.browser()
			h.wantSignedIn(fresh, fresh.signIn(c, other), u.ID)

			if res := b.post(start+"/remove", nil); res.StatusCode != http.StatusBadRequest || len(h.linksOf(u.ID)) != 1 {
				t.Errorf("disconnected without a proof: %d", res.StatusCode)
			}
			if res := b.post(start+"/remove", url.Values{"password": {password}}); res.Header.Get("Location") != "/account?done=link-removed" {
				t.Errorf("disconnecting answered %d: %s", res.StatusCode, res.body)
			}
			if _, err := fresh.session(); err == nil || len(h.linksOf(u.ID)) != 0 {
				t.Error("the session that the link began goes on")
			}
		}
	})
}

func TestAnAccountOfAProviderIsConnectedOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c := h.viaOIDC
		first := h.person(h.tenant().ID, "first@example.com", "viewer")
		second := h.person(h.tenant().ID, "second@example.com", "viewer")
		b := h.browser()
		b.signIn(c, first.UserName)
		b = h.browser()
		b.withPassword(second.UserName)
		b.connectAt(c, first.UserName, url.Values{"password": {password}})
		if res := b.post(b.pending(), nil); res.StatusCode != http.StatusConflict || len(h.linksOf(second.ID)) != 0 {
			t.Errorf("somebody else's account was connected: %d", res.StatusCode)
		}
		if drop := b.pending() + "/drop"; b.post(drop, nil).Header.Get("Location") != "/account?done=link-dropped" || b.pending() != "" {
			t.Error("it cannot be dropped")
		}
		// Whoever has no other way in keeps the one that there is; a session that is new is proof enough to connect a second one.
		lonely := h.browser()
		lonely.signIn(c, "lonely@example.com")
		if res := lonely.post("/account/links/"+string(c.ID)+"/remove", nil); res.StatusCode != http.StatusForbidden {
			t.Errorf("the only way in was removed: %d", res.StatusCode)
		}
		if res := lonely.connectAt(h.viaSAML, "lonely@example.com", nil); res.Header.Get("Location") != "/account/pending-links" {
			t.Errorf("answered %d", res.StatusCode)
		}
		if res := lonely.post(lonely.pending(), nil); res.Header.Get("Location") != "/account?done=link-made" {
			t.Errorf("confirming answered %d: %s", res.StatusCode, res.body)
		}
		if res := lonely.post("/account/links/"+string(c.ID)+"/remove", nil); res.Header.Get("Location") != "/account?done=link-removed" && res.Header.Get("Location") != "/signin" {
			t.Errorf("one of two could not be removed: %d %s", res.StatusCode, res.body)
		}
	})
}

func TestAnAdministratorSettlesReviewsInTheConsole(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		tenant := h.tenant()
		h.person("", "root@example.com", "superadmin")
		boss := h.person(tenant.ID, "boss@example.com", "administrator")
		h.edit(h.viaOIDC, func(c *identity.Connection) { c.Unknown = identity.UnknownRefuse })
		for _, email := range []string{"boss@example.com", "new@example.com", "noise@example.com"} {
			h.browser().signIn(h.viaOIDC, email)
		}
		root := h.browser()
		root.withPassword("root@example.com")
		list := root.get("/console/reviews")
		for _, want := range []string{"boss@example.com", "new@example.com", "noise@example.com", "The account may manage people", "Nobody knows this person", "3<span"} {
			if !strings.Contains(list.body, want) {
				t.Errorf("the list lacks %q", want)
			}
		}
		page, err := h.people.Reviews(t.Context(), identity.Operator(), provisioning.ReviewQuery{State: identity.ReviewOpen, Limit: 10})
		if err != nil || len(page.Items) != 3 {
			t.Fatal(page, err)
		}
		of := func(email string) string {
			i := slices.IndexFunc(page.Items, func(r identity.Review) bool { return r.Email == email })
			return "/console/reviews/" + string(page.Items[i].ID)
		}
		ask := of("boss@example.com") + "/link/" + string(boss.ID)
		if res := root.get(of("boss@example.com")); !strings.Contains(res.body, ask) {
			t.Errorf("the candidate is not offered: %s", res.body)
		}
		if res := root.get(ask); !strings.Contains(res.body, "Administrator in "+tenant.Name) || len(h.linksOf(boss.ID)) != 0 {
			t.Errorf("the question is %s", res.body)
		}
		if res := root.post(ask, url.Values{"reason": {"asked him"}}); res.Header.Get("Location") != "/console/reviews?done=review-linked" {
			t.Errorf("linking answered %d: %s", res.StatusCode, res.body)
		}
		create := of("new@example.com") + "/create"
		if res := root.post(create, url.Values{"role": {"viewer"}}); res.StatusCode != http.StatusBadRequest || !strings.Contains(res.body, "Choose a tenant.") {
			t.Errorf("without a tenant: %d", res.StatusCode)
		}
		if res := root.post(create, url.Values{"tenant": {string(tenant.ID)}, "role": {"viewer"}}); res.Header.Get("Location") != "/console/reviews?done=review-created" {
			t.Errorf("creating answered %d: %s", res.StatusCode, res.body)
		}
		if res := root.post(of("noise@example.com")+"/dismiss", nil); res.StatusCode != http.StatusBadRequest {
			t.Errorf("dismissed without a reason: %d", res.StatusCode)
		}
		if res := root.post(of("noise@example.com")+"/dismiss", url.Values{"reason": {"a test"}}); res.Header.Get("Location") != "/console/reviews?done=review-dismissed" {
			t.Errorf("dismissing answered %d: %s", res.StatusCode, res.body)
		}
		for email, in := range map[string]bool{"boss@example.com": true, "new@example.com": true, "noise@example.com": false} {
			b := h.browser()
			b.signIn(h.viaOIDC, email)
			if _, err := b.session(); (err == nil) != in {
				t.Errorf("%s: %v", email, err)
			}
		}
		if res := root.get("/console/reviews"); !strings.Contains(res.body, "Nobody waits") {
			t.Errorf("the inbox is %s", res.body)
		}
		h.linkedByHand(t, root, boss)
	})
}

// linkedByHand: the page of a user removes links and makes them.
func (h *house) linkedByHand(t *testing.T, root *browser, u identity.User) {
	at := "/console/users/" + string(u.ID)
	l := h.linksOf(u.ID)[0]
	remove := at + "/links/" + string(l.ConnectionID) + "/remove"
	if res := root.get(at); !strings.Contains(res.body, remove) || !strings.Contains(res.body, at+"/links/new") {
		t.Errorf("the page of the user lacks them: %s", res.body)
	}
	if res := root.get(remove); res.StatusCode != http.StatusOK || len(h.linksOf(u.ID)) != 1 {
		t.Errorf("the question answered %d", res.StatusCode)
	}
	if res := root.post(remove, url.Values{"reason": {"another account"}}); res.Header.Get("Location") != at+"?done=link-removed" || len(h.linksOf(u.ID)) != 0 {
		t.Errorf("removing answered %d: %s", res.StatusCode, res.body)
	}
	if res := root.post(at+"/links", url.Values{"connection": {string(l.ConnectionID)}}); res.StatusCode != http.StatusBadRequest || !strings.Contains(res.body, "The subject is needed") {
		t.Errorf("without a subject: %d", res.StatusCode)
	}
	if res := root.post(at+"/links", url.Values{"connection": {string(l.ConnectionID)}, "subject": {l.Subject}}); res.Header.Get("Location") != at+"?done=user-linked" {
		t.Errorf("linking answered %d: %s", res.StatusCode, res.body)
	}
}
