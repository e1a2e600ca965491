package console_test

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestPlacingTwoPeople(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		inbox := b.get("/console/placement").is(http.StatusOK).says("SSO Landing", "Grace Hopper", "Alan Kay")
		people := inbox.all(`name="user" value="([^"]+)"`)
		preview := b.post("/console/placement/preview", url.Values{"user": people, "tenant": {string(s.acme.ID)}, "role": {"editor"}, "reason": {"Sales"}})
		preview.is(http.StatusOK).says("Place 2 people?", "SSO Landing · Viewer", "Acme Logistics · Editor", "Nothing has changed yet.")
		for _, p := range people {
			if id, _, _ := strings.Cut(p, ":"); s.now(identity.UserID(id)).TenantName != "SSO Landing" {
				t.Fatal("the preview changed something")
			}
		}
		form := url.Values{"user": preview.all(`name="user" value="([^"]+)"[^>]* checked`), "tenant": {preview.value("tenant")}, "role": {preview.value("role")}, "reason": {preview.value("reason")}}
		b.post("/console/placement", form).is(http.StatusOK).at("/console/placement?done=placed").says("everybody you chose was placed", "Nobody waits")
		for _, p := range people {
			id, _, _ := strings.Cut(p, ":")
			u := s.now(identity.UserID(id))
			if u.TenantID != s.acme.ID || len(u.Roles) != 1 || u.Roles[0].ID != "editor" {
				t.Errorf("%s is in %s as %v", u.Label(), u.TenantName, u.Roles)
			}
			b.get("/console/users/"+id).is(http.StatusOK).says("Editor", "Given by hand", "Ingrid Root", "Sales", "Placed")
		}
	})
}

func TestPlacingShowsWhoCannotBePlaced(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		form := url.Values{"user": {string(s.root.ID) + ":" + versionText(s.now(s.root.ID)), string(s.vera.ID) + ":1"}, "tenant": {string(s.acme.ID)}, "role": {"editor"}}
		preview := b.post("/console/placement/preview", form).is(http.StatusOK).says("Place 1 person?", "1 person cannot be placed", "is the last SuperAdmin")
		if ticked := preview.all(`name="user" value="([^"]+)"[^>]* checked`); len(ticked) != 1 || !strings.HasPrefix(ticked[0], string(s.vera.ID)) {
			t.Errorf("ticked are %v", ticked)
		}
		b.post("/console/placement", form).is(http.StatusConflict).says("Nobody was moved", "This is how it is now")
		if s.now(s.vera.ID).Roles[0].ID != "viewer" {
			t.Error("a placement that was refused moved somebody")
		}
	})
}

func TestAStalePlacementDoesNothingAndSaysSo(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		form := url.Values{"user": {string(s.vera.ID) + ":1"}, "tenant": {string(s.acme.ID)}, "role": {"operator"}}
		b.post("/console/placement/preview", form).is(http.StatusOK).says("Place 1 person?")
		must(s.prov.UpdateUser(t.Context(), identity.Operator(), s.vera.ID, 0, func(u *identity.User) error {
			u.DisplayName = "Vera Changed"
			return nil
		}))(t)
		fresh := b.post("/console/placement", form).is(http.StatusConflict).says("Nobody was moved", "changed by somebody else", "Vera Changed", "This is how it is now")
		if s.now(s.vera.ID).Roles[0].ID != "viewer" {
			t.Fatal("a stale placement was done")
		}
		form["user"] = fresh.all(`name="user" value="([^"]+)"[^>]* checked`)
		b.post("/console/placement", form).is(http.StatusOK).says("everybody you chose was placed")
	})
}

func TestAPlacementWithoutAChoiceKeepsWhatWasTicked(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		one := b.get("/console/placement").all(`name="user" value="([^"]+)"`)[0]
		r := b.post("/console/placement/preview", url.Values{"user": {one}, "role": {"editor"}, "reason": {"Because"}}).is(http.StatusBadRequest).says("Choose a tenant")
		if got := r.all(`name="user" value="([^"]+)"[^>]* checked`); !slices.Equal(got, []string{one}) {
			t.Errorf("ticked are %v, not %s", got, one)
		}
		if !strings.Contains(r.body, `<option value="editor" selected>`) || !strings.Contains(r.body, `value="Because"`) {
			t.Error("role or reason were lost")
		}
		b.post("/console/placement/preview", url.Values{"tenant": {string(s.acme.ID)}, "role": {"editor"}}).is(http.StatusBadRequest).says("Nobody is chosen")
	})
}

func TestAPersonOfATenantStaysChosenWhenThePlacementIsIncomplete(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		vera := string(s.vera.ID) + ":" + versionText(s.now(s.vera.ID))
		r := b.post("/console/placement/preview", url.Values{"user": {vera}, "tenant": {string(s.acme.ID)}, "role": {"superadmin"}}).is(http.StatusBadRequest)
		r.says("SuperAdmin is a role of the platform", "Vera Viewer")
		if got := r.all(`name="user" value="([^"]+)"[^>]* checked`); !slices.Equal(got, []string{vera}) {
			t.Errorf("ticked are %v", got)
		}
		b.post("/console/placement", url.Values{"user": {vera}, "tenant": {string(s.acme.ID)}, "role": {"operator"}}).is(http.StatusOK).at("/console/users/" + string(s.vera.ID) + "?done=placed")
	})
}

func TestThePlatformIsChosenAndNeverLeftOver(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		who := s.now(s.vera.ID)
		chosen := string(who.ID) + ":" + strconv.FormatInt(who.Version, 10)
		b.post("/console/placement", url.Values{"user": {chosen}, "role": {"superadmin"}}).is(http.StatusBadRequest).says("Choose a tenant")
		if got := s.now(s.vera.ID).TenantID; got != s.acme.ID {
			t.Errorf("a form without a tenant moved somebody to %q", got)
		}
		b.post("/console/users", url.Values{"email": {"new@acme.example"}, "role": {"superadmin"}}).is(http.StatusBadRequest).says("Choose a tenant")
	})
}
