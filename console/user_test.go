package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// housesOf runs a test in a house of a model on every kind of database, for somebody who is signed in there.
func housesOf(t *testing.T, preset string, test func(t *testing.T, h *house, b *browser)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := houseOn(t, db, preset)
		test(t, h, h.insider(h.boss))
	})
}

// insider is a browser of somebody of the house.
func (h *house) insider(who identity.User) *browser {
	h.t.Helper()
	cookie, _, err := h.authn.StartSession(h.t.Context(), who, identity.Session{ConnectionID: h.door, Upstream: identity.Upstream{AMR: []string{"mfa"}}}, "")
	if err != nil {
		h.t.Fatal(err)
	}
	b := h.browser()
	at := must(url.Parse(h.url))(h.t)
	b.client.Jar.SetCookies(at, []*http.Cookie{{Name: "drawbridge", Value: cookie, Path: "/"}})
	return b
}

func TestAKeyOfAProgramIsMadeReplacedShownAndRevoked(t *testing.T) {
	housesOf(t, "etlworks", func(t *testing.T, h *house, b *browser) {
		at := "/console/users/" + string(h.people["editor"].ID)
		b.get(at).is(http.StatusOK).says("API key", "No program gets in as this person", "Generate")
		b.post(at+"/keys", url.Values{"name": {""}}).is(http.StatusBadRequest).says("A key needs a name")
		first := b.post(at+"/keys", url.Values{"name": {"Loader"}}).is(http.StatusOK).all(`<code>(eyJ[^<]+)</code>`)
		id := b.get(at).all(`/keys/([0-9a-f-]+)/revoke`)
		if len(first) != 1 || len(id) != 1 {
			t.Fatalf("%d keys are shown, %d listed", len(first), len(id))
		}
		b.get(at + "/keys/new?replaces=" + id[0]).is(http.StatusOK).says("Replace the key Loader?")
		second := b.post(at+"/keys", url.Values{"name": {"Loader"}, "replaces": {id[0]}}).is(http.StatusOK).all(`<code>(eyJ[^<]+)</code>`)
		if _, err := h.authn.CheckKey(t.Context(), first[0], "203.0.113.9"); err == nil {
			t.Error("the key that was replaced still works")
		}
		id = b.get(at).hides(second[0]).all(`/keys/([0-9a-f-]+)/revoke`)
		b.post(at+"/keys/"+id[0]+"/show", nil).is(http.StatusOK).has(second[0]).says("Hide")
		b.get(at + "/keys/" + id[0] + "/revoke").is(http.StatusOK).says("Revoke the key Loader?")
		other := "/console/users/" + string(h.people["viewer"].ID)
		b.post(other+"/keys/"+id[0]+"/revoke", nil).is(http.StatusNotFound)
		b.post(at+"/keys/"+id[0]+"/revoke", url.Values{"reason": {"left"}}).is(http.StatusOK).says("The key was revoked", "No program gets in")
		if _, err := h.authn.CheckKey(t.Context(), second[0], "203.0.113.9"); err == nil {
			t.Error("the revoked key still works")
		}
	})
}

func TestRolesAreGivenAndTakenOnThePageOfThePerson(t *testing.T) {
	housesOf(t, "fintechos", func(t *testing.T, h *house, b *browser) {
		officer := h.people["officer"]
		at := "/console/users/" + string(officer.ID)
		b.get(at).is(http.StatusOK).says("Security Roles, and why", "Officer", "Insert existing").hides("/roles/officer/remove")
		b.post(at+"/roles", url.Values{"role": {"auditor"}, "reason": {"year end"}}).is(http.StatusOK).says("Auditor", "year end").has("/roles/officer/remove", "/roles/auditor/remove")
		if n := len(b.get(at).body); n > 60<<10 {
			t.Errorf("the page has %d bytes", n)
		}
		b.get(at+"?tab=access").is(http.StatusOK).says("Entity records", "Auditor", "everybody", "Got Auditor")
		b.get(at + "?tab=access&may=users:edit").is(http.StatusOK).says("No.")
		b.post(at+"/roles/auditor/remove", nil).is(http.StatusOK).says("The role was taken away")
		b.post(at+"/roles/officer/remove", nil).is(http.StatusConflict).says("everybody needs one role")
		b.post(at+"/roles", url.Values{"role": {"nothing"}}).is(http.StatusBadRequest).says("There is no role")
		if roles := h.now(officer.ID).Roles; len(roles) != 1 || roles[0].ID != "officer" {
			t.Errorf("the roles are %+v", roles)
		}
	})
}

func TestARoleThatGrantsWhatIsSensitiveIsAskedAbout(t *testing.T) {
	housesOf(t, "fintechos", func(t *testing.T, h *house, b *browser) {
		at := "/console/users/" + string(h.people["officer"].ID)
		asked := b.post(at+"/roles", url.Values{"role": {"user_management"}, "reason": {"stands in"}}).is(http.StatusOK).says("Give User Management", "System Users: view, edit", "sensitive")
		if roles := h.now(h.people["officer"].ID).Roles; len(roles) != 1 {
			t.Fatalf("the question gave the role: %+v", roles)
		}
		b.post(at+"/roles", url.Values{"role": {asked.value("role")}, "reason": {asked.value("reason")}, "sure": {asked.value("sure")}}).is(http.StatusOK).says("User Management", "stands in")
	})
}

func TestSomebodyWhoWasDeletedIsBroughtBack(t *testing.T) {
	housesOf(t, "fluentpro-backup", func(t *testing.T, h *house, b *browser) {
		m := h.people["member"]
		at := "/console/users/" + string(m.ID)
		b.get(at+"/delete").is(http.StatusOK).says("Remove Member Person from the tenant?", "Deactivate instead")
		b.post(at+"/delete", url.Values{"version": {"99"}, "reason": {"x"}}).is(http.StatusPreconditionFailed)
		b.post(at+"/delete", url.Values{"version": {versionText(m)}, "reason": {"left us"}}).is(http.StatusOK).at("/console/users?done=user-deleted")
		h.insider(h.people["viewer"]).get(at).is(http.StatusNotFound).hides("Member Person")
		h.insider(h.people["viewer"]).post(at+"/restore", nil).is(http.StatusForbidden)
		b.get(at).is(http.StatusOK).says("Member Person was deleted", "left us", "Restore")
		b.post(at+"/restore", nil).is(http.StatusOK).says("The user is back", "Member")
		if now := h.now(m.ID); !now.Enabled || len(now.Roles) != 1 || now.Roles[0].ID != "member" {
			t.Errorf("brought back as %+v", now)
		}
	})
}

func TestAnOwnerIsProtectedUntilThePlatformHandsTheTenantOver(t *testing.T) {
	housesOf(t, "fluentpro-backup", func(t *testing.T, h *house, b *browser) {
		own := func(u identity.User) {
			_, err := h.prov.TransferOwnership(t.Context(), identity.Operator(), provisioning.Ownership{Tenant: h.home.ID, User: u.ID, OldRole: "admin", Reason: "founded it"})
			if err != nil {
				t.Fatal(err)
			}
		}
		own(h.people["member"])
		at := "/console/users/" + string(h.people["member"].ID)
		b.get(at).is(http.StatusOK).says("Owner", "The role of an owner changes only when").hides(at+"/delete", at+"/deactivate", at+"/offboard", `action="`+at+`/roles"`)
		b.post(at+"/delete", url.Values{"reason": {"x"}}).is(http.StatusForbidden).says("owns the tenant")
		b.post(at+"/deactivate", url.Values{"reason": {"x"}}).is(http.StatusForbidden).says("owns the tenant")
		b.post(at+"/roles", url.Values{"role": {"viewer"}, "reason": {"x"}}).is(http.StatusForbidden).says("owns the tenant")
		if now := h.now(h.people["member"].ID); !now.Enabled || now.Roles[0].ID != "owner" {
			t.Errorf("the owner is %+v", now)
		}
		b.get("/console/users/" + string(h.people["viewer"].ID) + "/own").is(http.StatusForbidden)
	})
}

func TestAPersonIsHandedATemporaryPassword(t *testing.T) {
	housesOf(t, "fentu-fsm", func(t *testing.T, h *house, b *browser) {
		at := "/console/users/" + string(h.people["technician"].ID)
		b.get(at+"/password").is(http.StatusOK).says("A link by mail", "A temporary password", "One that I type").hides(`name="unlock"`)
		made := b.post(at+"/password", url.Values{"how": {"temporary"}, "for": {"24"}}).is(http.StatusOK).says("It is shown this once").all(`<code>([^<]+)</code>`)
		if len(made) != 1 || strings.Contains(b.get(at).body, made[0]) {
			t.Fatalf("made %q, or the page shows it again", made)
		}
		b.get(at).says("The password is a temporary one")
		b.post(at+"/password", url.Values{"how": {"given"}, "password": {"short"}}).is(http.StatusBadRequest).says("12")
		b.post(at+"/password", url.Values{"how": {"given"}, "password": {"Seven-quiet-herons-9"}, "must": {"1"}}).is(http.StatusOK).says("The new password is set", "has to be changed at the next sign-in")
		b.post(at+"/demand", url.Values{"off": {"1"}}).is(http.StatusOK).says("need not be changed")
		b.post(at+"/demand", nil).is(http.StatusOK).says("has to be changed at the next sign-in")
		b.post(at+"/password", url.Values{"how": {"mail"}}).is(http.StatusOK).says("A mail with a link")
	})
}

func TestDatesAndTwoAccountsOfOnePerson(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("root@bridge.example")
		at := "/console/users/" + string(s.vera.ID)
		b.post(at+"/dates", url.Values{"ends": {"tomorrow"}}).is(http.StatusBadRequest).says("Write the day as")
		b.post(at+"/dates", url.Values{"ends": {"2020-01-31"}, "reason": {"contract"}}).is(http.StatusOK).says("The dates were saved", "cannot come in any more", "Inactive")
		b.get(at + "/dates").has(`value="2020-01-31"`)
		b.post(at+"/dates", url.Values{"reason": {"prolonged"}}).is(http.StatusOK).says("The dates were saved").hides("cannot come in any more")
		twin := s.user(t.Context(), "v.viewer@acme.example", "Vera V.", s.acme.ID, "viewer")
		plan := b.get(at+"/merge?other=v.viewer@acme.example").is(http.StatusOK).says("Vera V.", "is gone afterwards", "v.viewer@acme.example")
		b.get(at + "/merge?other=nobody").is(http.StatusBadRequest).says("Nobody has the address")
		b.post(at+"/merge", url.Values{"keep_version": {plan.value("keep_version")}, "drop": {plan.value("drop")}, "drop_version": {plan.value("drop_version")}}).is(http.StatusOK).says("The two accounts are one now", "v.viewer@acme.example")
		if _, err := s.prov.User(t.Context(), identity.Operator(), twin.ID); identity.KindOf(err) != identity.NotFound {
			t.Errorf("the other account is still there: %v", err)
		}
	})
}

func TestTheStoryOfAPersonIsNarrowedAndPaged(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		grace := s.land(t.Context(), "mh@partner.example", "Margaret Hamilton")
		must(s.prov.UpdateUser(t.Context(), s.push, grace.ID, 0, func(u *identity.User) error {
			u.Attributes = []byte(`{"name":{"givenName":"Margaret"},"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Guidance","manager":{"value":"` + string(s.ada.ID) + `"}}}`)
			return nil
		}))(t)
		b := s.signedIn("root@bridge.example")
		at := "/console/users/" + string(grace.ID)
		b.get(at+"?tab=activity").is(http.StatusOK).says("given name Margaret", "department Guidance", "manager Ada Lovelace").hides("urn:ietf", "givenName")
		b.get(at + "?tab=activity&kind=signin").is(http.StatusOK).says("Nothing of that kind")
		b.get(at + "?tab=activity&kind=change").is(http.StatusOK).says("Created").hides("Nothing of that kind")
		for range 45 {
			s.signedIn("vera@acme.example").post("/signout", nil)
		}
		first := b.get("/console/users/" + string(s.vera.ID) + "?tab=activity&kind=signin").is(http.StatusOK).says("Signed in")
		older := first.all(`href="([^"]+before=[^"]+)"`)
		if len(older) != 1 {
			t.Fatal("there is no way to older entries")
		}
		b.get(older[0]).is(http.StatusOK).says("Signed in", "Back to now").hides(">Created<")
	})
}
