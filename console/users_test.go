package console_test

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// each runs a test against a fresh console on every kind of database.
func each(t *testing.T, test func(t *testing.T, s *site)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *store.DB) { test(t, start(t, db)) })
}

func TestListingAndSearching(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		b.get("/console/users").is(http.StatusOK).says("Ingrid Root", "Ada Lovelace", "Vera Viewer", "Grace Hopper", "Alan Kay", "5 in all")
		found := b.get("/console/users?q=LOVE").is(http.StatusOK).says("Ada Lovelace", "1 in all")
		found.hides("Vera Viewer")
		b.get("/console/users?status=Pending&tenant="+string(s.acme.ID)).is(http.StatusOK).says("Ada Lovelace", "Vera Viewer").hides("Grace Hopper", "Ingrid Root</a>")
		b.get("/console/users?q=nobody-like-this").is(http.StatusOK).says("Nobody matches", "clear the filters")
		s.signedIn("ada@acme.example").get("/console/users").is(http.StatusOK).says("Ada Lovelace", "Vera Viewer").hides("Grace Hopper", "Ingrid Root", "/console/placement")
	})
}

func TestPagesOfAListGoForthAndBack(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for i := range 60 {
			s.land(t.Context(), string(rune('a'+i%26))+string(rune('a'+i/26))+"@many.example", "Many")
		}
		b := s.signedIn("root@bridge.example")
		rows := `<a class="row" href="/console/users/([0-9a-f-]+)"`
		first := b.get("/console/users?q=many.example").is(http.StatusOK).says("50 on this page")
		older := b.get(first.all(`href="([^"]+)" rel="next"`)[0]).is(http.StatusOK).says("10 on this page")
		if n := len(slices.Compact(slices.Sorted(slices.Values(append(first.all(rows), older.all(rows)...))))); n != 60 {
			t.Errorf("the two pages show %d people, not 60", n)
		}
		again := b.get(older.all(`href="([^"]+)" rel="prev"`)[0]).is(http.StatusOK)
		if !slices.Equal(again.all(rows), first.all(rows)) {
			t.Error("Newer does not lead back to the first page")
		}
		if again.all(`href="([^"]+)" rel="prev"`) != nil {
			t.Error("the first page has a Newer link")
		}
	})
}

// versionText is a version as a form sends it.
func versionText(u identity.User) string { return strconv.FormatInt(u.Version, 10) }

func TestAViewerSeesMyAccountAndNothingElse(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("vera@acme.example")
		b.get("/console").is(http.StatusOK).at("/account").says("Vera Viewer", "Acme Logistics", "Viewer", "Where you are signed in", "Viewer does not grant Users: view").hides(`href="/console/users"`, `href="/console/placement"`)
		for _, path := range []string{
			"/console/users", "/console/users/new", "/console/users/" + string(s.ada.ID), "/console/placement", "/console/tenants", "/console/directories",
			"/console/directories/new", "/console/connections", "/console/connections/new", "/console/signins", "/console/requests", "/console/events",
		} {
			b.get(path).is(http.StatusForbidden).says("This is not open to you", "Reference").hides("Ada Lovelace", "Okta of the house")
		}
		inbox := s.signedIn("root@bridge.example").get("/console/placement").all(`name="user" value="([^"]+)"`)
		for path, form := range map[string]url.Values{
			"/console/placement": {"user": inbox, "tenant": {string(s.acme.ID)}, "role": {"administrator"}},
			"/console/users":     {"email": {"new@acme.example"}, "tenant": {string(s.acme.ID)}, "role": {"administrator"}},
			"/console/users/" + string(s.ada.ID) + "/deactivate": {"reason": {"no"}},
			"/console/users/" + string(s.vera.ID):                {"version": {"1"}, "username": {"boss"}},
			"/console/tenants":                                   {"name": {"Mine"}},
			"/console/directories":                               {"name": {"Mine"}, "dialect": {"okta"}},
			"/console/directories/" + s.push.ID + "/rotate":      {},
			"/console/connections":                               {"name": {"Mine"}, "kind": {"oidc"}},
		} {
			b.post(path, form).is(http.StatusForbidden)
		}
		if page := must(s.prov.Users(t.Context(), identity.Operator(), identity.Query{Limit: 10}))(t); len(page.Items) != 5 {
			t.Errorf("there are %d users", len(page.Items))
		}
	})
}

func TestATenantsAdministratorStaysInTheTenant(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("ada@acme.example")
		b.get("/console/users/" + string(s.root.ID)).is(http.StatusNotFound).says("Nothing is here").hides("Ingrid Root")
		b.post("/console/users/"+string(s.root.ID)+"/deactivate", url.Values{"reason": {"mine now"}}).is(http.StatusNotFound)
		if !s.now(s.root.ID).Enabled {
			t.Fatal("an administrator of a tenant deactivated a Super Admin")
		}
		b.get("/console/placement").is(http.StatusForbidden)
		b.post("/console/users", url.Values{"email": {"new@acme.example"}, "displayname": {"New One"}, "tenant": {"platform"}, "role": {"viewer"}}).is(http.StatusOK).says("New One", "Acme Logistics", "The user was created.")
		b.post("/console/users", url.Values{"email": {"boss@acme.example"}, "tenant": {"platform"}, "role": {"superadmin"}}).is(http.StatusBadRequest).says("SuperAdmin is a role of the platform")
	})
}

func TestDeactivatingEndsTheSessionsOfAPerson(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		theirs, b := s.signedIn("ada@acme.example"), s.signedIn("root@bridge.example")
		theirs.get("/console/users").is(http.StatusOK).says("Ada Lovelace")
		page := "/console/users/" + string(s.ada.ID)
		b.get(page+"/deactivate").is(http.StatusOK).says("Deactivate Ada Lovelace?", "1 open session ends at once", "cannot sign in")
		b.post(page+"/deactivate", url.Values{"reason": {"Left on Friday"}}).is(http.StatusOK).says("The user was deactivated", "Inactive", "Left on Friday", "Nowhere.")
		theirs.get("/console/users").is(http.StatusOK).says("Your session has ended", "Sign in").hides("Vera Viewer")
		theirs.post("/signin", url.Values{"email": {"ada@acme.example"}, "password": {password}}).is(http.StatusBadRequest)
		b.post(page+"/activate", url.Values{"reason": {"Came back"}}).is(http.StatusOK).says("may come in again", "Came back")
		theirs.post("/signin", url.Values{"email": {"ada@acme.example"}, "password": {password}}).is(http.StatusOK)
		b.get("/console/users/" + string(s.root.ID)).is(http.StatusOK).hides("/deactivate")
		b.post("/console/users/"+string(s.root.ID)+"/deactivate", nil).is(http.StatusForbidden).says("You cannot deactivate yourself")
	})
}

func TestSessionsCanBeEndedOneByOne(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		first, second, b := s.signedIn("vera@acme.example"), s.signedIn("vera@acme.example"), s.signedIn("root@bridge.example")
		ends := `action="(/account/sessions/[0-9a-f-]+/end)"`
		if n := len(first.get("/account").all(ends)); n != 2 {
			t.Fatalf("My Account shows %d sessions, not 2", n)
		}
		mine := b.get("/account").all(ends)[0]
		first.post(mine, nil).is(http.StatusNotFound)
		b.get("/account").is(http.StatusOK).says("Ingrid Root")
		first.post("/account/sessions/end", nil).is(http.StatusOK).says("All your other sessions were ended")
		second.get("/account").is(http.StatusOK).says("Your session has ended")
		theirs := b.get("/console/users/" + string(s.vera.ID)).all(`action="(/console/users/[0-9a-f-]+/sessions/[0-9a-f-]+/end)"`)
		if len(theirs) != 1 {
			t.Fatalf("the user's page shows %d sessions, not 1", len(theirs))
		}
		b.post(theirs[0], nil).is(http.StatusOK).says("The session was ended")
		first.get("/account").is(http.StatusOK).says("Your session has ended")
	})
}

func TestTwoEditorsOfOnePersonLoseNothing(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		page := "/console/users/" + string(s.vera.ID)
		version := b.get(page + "/edit").is(http.StatusOK).value("version")
		must(s.prov.UpdateUser(t.Context(), identity.Operator(), s.vera.ID, 0, func(u *identity.User) error {
			u.DisplayName = "Vera of Another"
			return nil
		}))(t)
		mine := url.Values{"version": {version}, "displayname": {"Vera of Mine"}, "username": {"vera@acme.example"}, "email": {"vera@acme.example"}}
		r := b.post(page, mine).is(http.StatusPreconditionFailed).says("Somebody saved this person while you were editing", "Vera of Another")
		if !strings.Contains(r.body, `value="Vera of Mine"`) {
			t.Error("what was typed is lost")
		}
		mine.Set("version", r.value("version"))
		b.post(page, mine).is(http.StatusOK).says("The changes were saved", "Vera of Mine", "Vera of Another")
		mine.Set("version", versionText(s.now(s.vera.ID)))
		b.post(page, mine).is(http.StatusOK).says("nothing was changed")
		mine.Set("username", "ada@acme.example")
		b.post(page, mine).is(http.StatusBadRequest).says("The user name of Vera of Mine cannot be changed")
	})
}

func TestTheAuditCanBeNarrowedToOnePerson(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		b.get("/console/events?user="+string(s.ada.ID)).is(http.StatusOK).says("Only what is about Ada Lovelace", "Created", "Role given", "operator").hides("Vera Viewer")
		b.get("/console/events?type=tenant.created").is(http.StatusOK).says("Tenant created", "Acme Logistics").hides("Vera Viewer")
		b.get("/console/events?type=group.deleted").is(http.StatusOK).says("Nothing like that happened")
	})
}
