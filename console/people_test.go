package console_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

const (
	rowLinks = `<a class="row" href="/console/users/([0-9a-f-]+)"`
	nextLink = `href="([^"]+)" rel="next"`
)

// walk follows a list to its end and returns who is in it, in order.
func (b *browser) walk(path string) []string {
	b.t.Helper()
	var ids []string
	for path != "" {
		page := b.get(path).is(http.StatusOK)
		ids = append(ids, page.all(rowLinks)...)
		next := page.all(nextLink)
		if path = ""; len(next) > 0 {
			path = next[0]
		}
		if len(ids) > 1000 {
			b.t.Fatal("the list has no end")
		}
	}
	return ids
}

func TestAListIsReadInEveryOrderAndEverybodyComesOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := start(t, db)
		for i := range 70 {
			u := s.land(t.Context(), string(rune('a'+i%26))+string(rune('a'+i/26))+"@many.example", strings.Repeat("N", i%3)+string(rune('A'+i%7)))
			if i%4 != 0 { // the others never signed in; some came at the same moment
				at := time.Now().Add(-time.Duration(i/3) * time.Hour).Truncate(time.Hour)
				if err := db.Update(t.Context(), func(tx *store.Tx) error { return tx.SetLastLogin(t.Context(), u.ID, at) }); err != nil {
					t.Fatal(err)
				}
			}
		}
		b := s.signedIn("root@bridge.example")
		all := b.walk("/console/users")
		if len(all) != 75 {
			t.Fatalf("%d people are in the list", len(all))
		}
		for _, sort := range []string{"name", "-name", "email", "-email", "seen", "-seen", "created"} {
			for _, narrow := range []string{"", "&q=many", "&status=Pending", "&role=viewer"} {
				want := b.walk("/console/users?sort=created" + narrow)
				got := b.walk("/console/users?sort=" + sort + narrow)
				if len(want) == 0 || !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
					t.Errorf("sort=%s%s has %d people, not %d", sort, narrow, len(got), len(want))
				}
			}
		}
		page := b.get("/console/users?sort=name").is(http.StatusOK).has(`aria-sort="ascending"><a href="/console/users?sort=-name"`)
		names := page.all(`class="row" href="[^"]+">([^<]+)<`)
		if !slices.IsSortedFunc(names, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }) {
			t.Errorf("the names are %q", names)
		}
		if first := b.get("/console/users?sort=-seen").all(rowLinks)[0]; first != string(s.root.ID) {
			t.Errorf("%s signed in last, not %s", s.root.ID, first)
		}
	})
}

func TestTheListShowsWhoWasDeletedAndTheyComeBack(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		gone := s.user(t.Context(), "gone@acme.example", "Gone Away", s.acme.ID, "viewer")
		if err := s.prov.DeleteUser(t.Context(), identity.Operator(), gone.ID, 0); err != nil {
			t.Fatal(err)
		}
		b := s.signedIn("ada@acme.example")
		b.get("/console/users?q=gone").is(http.StatusOK).says("Nobody matches")
		b.get("/console/users?status=Deleted").is(http.StatusOK).says("Gone Away", "Deleted", "Restore").hides("Vera Viewer")
		restore := "/console/users/" + string(gone.ID) + "/restore"
		b.get(restore).is(http.StatusOK).says("Restore Gone Away?")
		b.get("/console/users/" + string(s.vera.ID) + "/restore").is(http.StatusNotFound)
		s.signedIn("vera@acme.example").post(restore, nil).is(http.StatusForbidden)
		b.post(restore, nil).is(http.StatusOK).says("is back", "Gone Away")
		if s.now(gone.ID).DeletedAt != nil {
			t.Error("the person is still deleted")
		}
	})
}

func TestManyPeopleAreChangedFromTheList(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		bob := s.user(t.Context(), "bob@acme.example", "Bob Builder", s.acme.ID, "viewer")
		s.user(t.Context(), "stays@acme.example", "Stays Viewer", s.acme.ID, "viewer") // a guard holds what leaves nobody with a role
		b := s.signedIn("ada@acme.example")
		two := url.Values{"act": {"set-role"}, "user": {string(bob.ID), string(s.vera.ID)}}
		b.post("/console/users/bulk", two).is(http.StatusOK).says("Set the role of 2 people?", "Bob Builder", "Vera Viewer", "undo it for 90 days")
		two.Set("sure", "yes")
		b.post("/console/users/bulk", two).is(http.StatusBadRequest).says("Choose a role")
		two.Set("role", "editor")
		r := b.post("/console/users/bulk", two).is(http.StatusOK)
		if !strings.HasPrefix(r.path, "/console/plans/") {
			t.Fatalf("it leads to %s: %s", r.path, r.text())
		}
		must(s.prov.RunPlans(t.Context()))(t)
		if bob, vera := s.now(bob.ID), s.now(s.vera.ID); bob.Roles[0].ID != "editor" || vera.Roles[0].ID != "editor" {
			t.Errorf("the roles are %v and %v: %s", bob.Roles, vera.Roles, b.get(r.path).text())
		}
		file := b.post("/console/users/bulk", url.Values{"act": {"export"}, "user": {string(bob.ID)}}).is(http.StatusOK)
		if !strings.Contains(file.body, "bob@acme.example") || strings.Contains(file.body, "vera@acme.example") {
			t.Errorf("the file is %s", file.body)
		}
		b.post("/console/users/bulk", url.Values{"act": {"deactivate"}}).is(http.StatusBadRequest).says("Nobody is ticked")
		b.post("/console/users/bulk", url.Values{"act": {"deactivate"}, "user": {string(s.root.ID)}}).is(http.StatusNotFound)
		b.post("/console/users/bulk", url.Values{"act": {"burn"}, "user": {string(bob.ID)}}).is(http.StatusBadRequest)
		b.post("/console/users/bulk", url.Values{"act": {"invite"}, "sure": {"yes"}, "user": {string(bob.ID)}}).is(http.StatusOK).says("has joined already, or was never invited")
	})
}

func TestAForgedRequestOfAViewerChangesNobody(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("vera@acme.example")
		before := s.now(s.ada.ID)
		ada := "/console/users/" + string(s.ada.ID)
		for path, form := range map[string]url.Values{
			"/console/users/bulk":           {"act": {"deactivate"}, "sure": {"yes"}, "user": {string(s.ada.ID)}},
			"/console/users/invite":         {"email": {"friend@acme.example"}, "role": {"administrator"}},
			"/console/users":                {"email": {"friend@acme.example"}, "displayname": {"Friend"}, "role": {"administrator"}, "start": {"invitation"}},
			"/console/user-types":           {"newtype": {"Mine"}},
			"/console/users/password-rules": {"password": {"x"}},
			ada + "/set-role":               {"role": {"viewer"}, "sure": {"yes"}},
			ada:                             {"version": {"1"}, "displayname": {"Mine"}},
		} {
			b.post(path, form).is(http.StatusForbidden)
		}
		after := s.now(s.ada.ID)
		page := must(s.prov.Users(t.Context(), identity.Operator(), identity.Query{Limit: 10}))(t)
		if after.Version != before.Version || !after.Enabled || after.Roles[0].ID != "administrator" || len(page.Items) != 5 {
			t.Errorf("%+v, %d people", after, len(page.Items))
		}
	})
}

func TestARoleIsSetFromTheListAndTheListComesBackAsItWas(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("ada@acme.example")
		vera := "/console/users/" + string(s.vera.ID) + "/set-role"
		back := "/console/users?q=vera&sort=name"
		b.post(vera, url.Values{"role-" + string(s.vera.ID): {"editor"}, "back": {back}}).is(http.StatusOK).at("/console/users?done=role-set&q=vera&sort=name").says("The role was set", "Editor")
		b.post(vera, url.Values{"role": {"administrator"}, "back": {back}}).is(http.StatusOK).says("Make Vera Viewer Administrator?", "may manage people")
		b.post(vera, url.Values{"role": {"superadmin"}, "sure": {"yes"}}).is(http.StatusBadRequest)
		b.post(vera, url.Values{"role": {"none"}}).is(http.StatusBadRequest)
		b.post(vera, url.Values{"role": {"viewer"}, "back": {"//evil.example/console/users"}}).is(http.StatusOK).at("/console/users?done=role-set")
		if now := s.now(s.vera.ID); len(now.Roles) != 1 || now.Roles[0].ID != "viewer" {
			t.Errorf("%+v", now.Roles)
		}
	})
}

// onHouse runs a test against a house of an access model on every kind of database.
func onHouse(t *testing.T, preset string, test func(t *testing.T, h *house, b *browser)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := houseOn(t, db, preset)
		b := h.site.browser()
		cookie, _, err := h.authn.StartSession(context.WithoutCancel(t.Context()), h.boss, identity.Session{ConnectionID: h.door, Upstream: identity.Upstream{AMR: []string{"mfa"}}}, "")
		if err != nil {
			t.Fatal(err)
		}
		at := must(url.Parse(h.url))(t)
		b.client.Jar.SetCookies(at, []*http.Cookie{{Name: "drawbridge", Value: cookie}})
		test(t, h, b)
	})
}

func TestAPersonIsEditedWithTheirPlaceAtOnceOrNotAtAll(t *testing.T) {
	onHouse(t, "fentu-fsm", func(t *testing.T, h *house, b *browser) {
		unit := must(h.prov.CreateUnit(t.Context(), identity.Operator(), identity.Unit{TenantID: h.home.ID, Name: "North"}))(t)
		u := h.people["dispatcher"]
		page := "/console/users/" + string(u.ID)
		edit := b.get(page+"/edit").is(http.StatusOK).says("Branch", "North", "Data access")
		form := url.Values{
			"version": {edit.value("version")}, "stood": edit.all(`name="stood" value="([^"]*)"`), "displayname": {"Dana Dispatch"}, "email": {u.Email()}, "username": {u.UserName},
			"unit": {string(unit.ID)}, "level": {"branch"}, "type": {"dispatcher"},
		}
		wrong := url.Values{}
		for name, values := range form {
			wrong[name] = values
		}
		wrong.Set("level", "everything")
		b.post(page, wrong).is(http.StatusBadRequest).says("There is no level of data access")
		if h.now(u.ID).DisplayName == "Dana Dispatch" {
			t.Error("the name was saved without the rest")
		}
		b.post(page, form).is(http.StatusOK).says("The changes were saved")
		detail := must(h.prov.UserDetail(t.Context(), identity.Operator(), u.ID))(t)
		if detail.User.DisplayName != "Dana Dispatch" || detail.Standing.UnitID != unit.ID || detail.Standing.DataLevel != "branch" {
			t.Errorf("%+v", detail.Standing)
		}
		b.post(page, form).is(http.StatusPreconditionFailed).says("Somebody saved this person", "North")
		b.get("/console/users?unit="+string(unit.ID)+"&sort=name").is(http.StatusOK).says("Dana Dispatch", "North").hides("Read-Only Person")
	})
}

func TestWhatADirectorySaysIsReadOnlyInTheForm(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		grace := must(s.prov.Users(t.Context(), identity.Operator(), identity.Query{Search: "grace", Limit: 1}))(t).Items[0]
		b := s.signedIn("root@bridge.example")
		b.get("/console/users/"+string(grace.ID)+"/edit").is(http.StatusOK).says("The directory Okta of the house says name, e-mail and user name").hides(`name="displayname"`, `name="email"`)
	})
}
