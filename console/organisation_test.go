package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// organisationBrowser is a client in which somebody of a house is signed in already.
func organisationBrowser(h *house, who identity.User) *browser {
	h.t.Helper()
	b := h.browser()
	cookie, _, err := h.authn.StartSession(h.t.Context(), who, identity.Session{ConnectionID: h.door, Upstream: identity.Upstream{AMR: []string{"mfa"}}}, "")
	if err != nil {
		h.t.Fatal(err)
	}
	b.client.Jar.SetCookies(must(url.Parse(h.url))(h.t), []*http.Cookie{{Name: "drawbridge", Value: cookie}})
	return b
}

// organisationHouses runs a test in a house of a model on each database.
func organisationHouses(t *testing.T, preset string, test func(t *testing.T, h *house)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *store.DB) { test(t, houseOn(t, db, preset)) })
}

func organisationUnit(h *house, name string) provisioning.UnitNode {
	h.t.Helper()
	for _, u := range must(h.prov.Units(h.t.Context(), identity.Operator(), h.home.ID))(h.t) {
		if u.Name == name {
			return u
		}
	}
	return provisioning.UnitNode{}
}

func TestBranchesAreMadeMovedAndDeleted(t *testing.T) {
	organisationHouses(t, "fentu-fsm", func(t *testing.T, h *house) {
		b := organisationBrowser(h, h.boss)
		for _, name := range []string{"North", "South"} {
			b.post("/console/units", url.Values{"name": {name}, "kind": {"unit"}}).is(http.StatusOK).says("It was created", name)
		}
		north, south := organisationUnit(h, "North"), organisationUnit(h, "South")
		at := "/console/units/" + string(north.ID)
		b.post("/console/units", url.Values{"name": {"north"}}).is(http.StatusConflict).says("already a unit or team named").has(`value="north"`)
		b.post(at+"/name", url.Values{"name": {"Far North"}}).is(http.StatusOK).says("It was renamed", "Far North")
		b.post("/console/units", url.Values{"name": {"Harbour"}, "below": {string(north.ID)}}).is(http.StatusOK)
		b.get(at).is(http.StatusOK).says("Directly below it", "Harbour", "Nobody is here or below")
		b.post(at+"/move", url.Values{"below": {string(organisationUnit(h, "Harbour").ID)}}).is(http.StatusConflict).says("cannot be moved below itself")
		b.post(at+"/move", url.Values{"below": {string(south.ID)}}).is(http.StatusOK).says("It was moved")
		if got := organisationUnit(h, "Far North"); got.ParentID != south.ID || got.Depth != 2 {
			t.Errorf("it is below %s, %d deep", got.ParentID, got.Depth)
		}
		b.get(at+"/delete").is(http.StatusOK).says("1 unit or team stands directly below it", "Harbour")
		b.post(at+"/delete", url.Values{}).is(http.StatusConflict).says("name another unit that takes them over")
		b.post(at+"/delete", url.Values{"heir": {string(south.ID)}, "reason": {"closed"}}).is(http.StatusOK).says("It was deleted")
		if got := organisationUnit(h, "Harbour"); got.ParentID != south.ID {
			t.Errorf("the harbour is below %s", got.ParentID)
		}

		viewer := organisationBrowser(h, h.people["accountant"])
		for _, path := range []string{"/console/units", "/console/units/" + string(south.ID) + "/name", "/console/units/" + string(south.ID) + "/move", "/console/units/" + string(south.ID) + "/delete"} {
			viewer.post(path, url.Values{"name": {"Forged"}}).is(http.StatusForbidden)
		}
		if organisationUnit(h, "Forged").ID != "" || organisationUnit(h, "South").ID == "" {
			t.Error("a forged request changed the tree")
		}
	})
}

func TestUserTypesAreAddedEditedAndDeleted(t *testing.T) {
	organisationHouses(t, "fintechos", func(t *testing.T, h *house) {
		b := organisationBrowser(h, h.boss)
		b.get("/console/types").is(http.StatusOK).says("Back Office", "default", "Guest", "1 person", "New user type")
		b.post("/console/types", url.Values{"title": {"Partner"}, "role": {"officer"}}).is(http.StatusOK).at("/console/types?done=type-created").says("Partner", "Officer", "added here")
		b.post("/console/types", url.Values{"title": {"partner"}}).is(http.StatusConflict).says("already a user type").has(`value="partner"`)
		was := b.get("/console/types/partner").is(http.StatusOK).value("was")
		must(h.prov.UpdateUserType(t.Context(), identity.Operator(), "partner", func(u *identity.UserType) error { u.Title = "Reseller"; return nil }))(t)
		stale := b.post("/console/types/partner", url.Values{"title": {"Broker"}, "role": {"officer"}, "was": {was}}).is(http.StatusPreconditionFailed).says("Somebody changed this meanwhile", "Reseller").has(`value="Broker"`)
		b.post("/console/types/partner", url.Values{"title": {"Broker"}, "role": {"officer"}, "was": {stale.value("was")}}).is(http.StatusOK).says("The user type was saved", "Broker")
		b.post("/console/types/back_office/delete", nil).is(http.StatusForbidden).says("it stays")
		b.post("/console/types/partner/delete", nil).is(http.StatusOK).at("/console/types?done=type-deleted").hides("Broker</a>")

		viewer := organisationBrowser(h, h.people["auditor"])
		viewer.post("/console/types", url.Values{"title": {"Forged"}}).is(http.StatusForbidden)
		viewer.post("/console/types/guest", url.Values{"title": {"Forged"}}).is(http.StatusForbidden)
		viewer.post("/console/types/guest/delete", nil).is(http.StatusForbidden)
		b.get("/console/types").is(http.StatusOK).says("Guest").hides("Forged")
	})
}

func TestARecordIsTiedToItsPersonAndUntied(t *testing.T) {
	organisationHouses(t, "fentu-fsm", func(t *testing.T, h *house) {
		b := organisationBrowser(h, h.boss)
		b.get("/console/records").is(http.StatusOK).says("Technicians", "No records yet")
		b.post("/console/records", url.Values{"type": {"technician"}, "id": {"T/17 ä"}, "display": {"Tessa of the harbour"}}).is(http.StatusOK).says("Tie it to its person", "Tessa of the harbour")
		at := "/console/records/technician"
		q := "?id=" + url.QueryEscape("T/17 ä")
		tess := h.people["technician"]
		b.get(at+q+"&q=technician").is(http.StatusOK).says("Link to user account", "Technician Person")
		b.post(at+"/link"+q, url.Values{"user": {string(tess.ID)}}).is(http.StatusOK).says("tied to this person", "Technician Person")
		b.post(at+"/link"+q, url.Values{"user": {string(h.boss.ID)}}).is(http.StatusConflict).says("tied to somebody else already")
		b.get("/console/records?unlinked=1").is(http.StatusOK).says("No record matches")
		if d := must(h.prov.UserDetail(t.Context(), identity.Operator(), tess.ID))(t); len(d.Records) != 1 {
			t.Errorf("the person has the records %v", d.Records)
		}

		viewer := organisationBrowser(h, h.people["accountant"])
		viewer.post("/console/records", url.Values{"type": {"technician"}, "id": {"forged"}}).is(http.StatusForbidden)
		viewer.post(at+"/unlink"+q, nil).is(http.StatusForbidden)

		b.get(at + "/unlink" + q).is(http.StatusOK).says("Untie Tessa of the harbour from Technician Person?")
		b.post(at+"/unlink"+q, url.Values{"reason": {"left the harbour"}}).is(http.StatusOK).says("tied to nobody now")
		b.get("/console/records?q=TESSA").is(http.StatusOK).says("Tessa of the harbour", "nobody").hides("forged")
	})
}

func TestATenantSaysWhatItAsksOfItsPeople(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		at := "/console/tenants/" + string(s.acme.ID)
		b := s.signedIn("ada@acme.example")
		b.get(at).is(http.StatusOK).has(`href="/console/settings"`, `href="/console/settings/mail"`, `href="`+at+`/settings"`)
		rules := url.Values{"seen": {b.get("/console/settings").seenOf()}, "idle": {"15"}, "idle_unit": {"minutes"}, "age": {"90"}, "age_unit": {"minutes"}, "most": {"2"}}
		b.post("/console/settings", rules).is(http.StatusOK)
		b.get(at).is(http.StatusOK).says("after 15 minutes", "after 1.5 hours", "2 for each person")

		page := b.get(at + "/settings").is(http.StatusOK).says("Unused accounts of Acme Logistics").has(`href="/console/settings"`)
		was := page.all(`name="was" value="([^"]*)"`)[0]
		b.post(at+"/settings/dormant", url.Values{"was": {was}, "days": {"soon"}}).is(http.StatusBadRequest).says("Write a whole number").has(`value="soon"`)
		b.post(at+"/settings/dormant", url.Values{"was": {was}, "days": {"90"}, "reason": {"audit"}}).is(http.StatusOK).says("are deactivated after 90 days")
		b.post(at+"/settings/dormant", url.Values{"was": {was}, "days": {"30"}}).is(http.StatusPreconditionFailed).says("Somebody changed this meanwhile", "It says now: 90 days").has(`value="30"`)
		set := must(s.authn.TenantSettings(t.Context(), identity.Operator(), s.acme.ID))(t)
		if set.SessionIdle.Minutes() != 15 || set.SessionMost != 2 || set.DormantDays != 90 {
			t.Errorf("the settings are %+v", set)
		}

		other := must(s.prov.CreateTenant(t.Context(), identity.Operator(), "Beta"))(t)
		b.get("/console/tenants/" + string(other.ID) + "/settings").is(http.StatusNotFound)
		b.post("/console/tenants/"+string(other.ID)+"/settings/dormant", url.Values{"was": {"0"}, "days": {"90"}}).is(http.StatusNotFound)
		b.post(at+"/switch-sso", nil).is(http.StatusForbidden)
		viewer := s.signedIn("vera@acme.example")
		viewer.post(at+"/settings/dormant", url.Values{"was": {"90"}, "days": {"1"}}).is(http.StatusForbidden)
		viewer.post("/console/settings", rules).is(http.StatusForbidden)

		root := s.signedIn("root@bridge.example")
		chosen := "?tenant=" + string(s.acme.ID)
		root.get(at).is(http.StatusOK).has(`href="/console/settings`+chosen+`"`, `href="/console/settings/mail`+chosen+`"`)
		root.get(at + "/settings").is(http.StatusOK).has(`href="/console/settings` + chosen + `"`)
		root.post(at+"/switch-sso", nil).is(http.StatusOK).says("Single sign-on is off", "Switched off")
		root.post(at+"/switch-sso?on=1", nil).is(http.StatusOK).says("Single sign-on is on for this tenant")
	})
}

func TestGroupsAreListedWithTheirMembersAPageAtATime(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		var people []identity.Member
		for i := range 53 {
			u := s.land(t.Context(), fmt.Sprintf("m%02d@partner.example", i), fmt.Sprintf("Member %02d", i))
			people = append(people, identity.Member{ID: string(u.ID), Type: identity.MemberUser})
		}
		sales := must(s.prov.CreateGroup(t.Context(), s.push, identity.Group{DisplayName: "Sales Germany"}, people))(t)
		must(s.prov.CreateGroup(t.Context(), s.push, identity.Group{DisplayName: "Everybody"}, []identity.Member{{ID: string(sales.ID), Type: identity.MemberGroup}}))(t)
		b := s.signedIn("root@bridge.example")
		b.get("/console/groups?q=germany%20SALES").is(http.StatusOK).says("Sales Germany", "Okta of the house", "53").hides("Everybody")
		first := b.get("/console/groups/"+string(sales.ID)).is(http.StatusOK).says("Sales Germany", "Member 00", "Member 49").hides("Member 50")
		b.get(first.all(`href="([^"]*after=[^"]*)"`)[0]).is(http.StatusOK).says("Member 50", "Member 52").hides("Member 49")
		dir := s.push.DirectoryID()
		b.get("/console/groups?directory="+string(dir)).is(http.StatusOK).says("Everybody", "2 in all")
		b.get("/console/groups?directory=" + string(identity.NewID[identity.DirectoryID]())).is(http.StatusOK).says("No group matches")
		ada := s.signedIn("ada@acme.example")
		ada.get("/console/groups").is(http.StatusOK).says("No groups yet")
		ada.get("/console/groups/" + string(sales.ID)).is(http.StatusNotFound)
	})
}

func TestEverybodyWhoWaitsIsPlacedByAPlan(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for i := range 55 {
			s.land(t.Context(), fmt.Sprintf("many%02d@many.example", i), fmt.Sprintf("Many %02d", i))
		}
		must(s.prov.OverrideDomain(t.Context(), identity.Operator(), s.acme.ID, "many.example", "they said so"))(t)
		b := s.signedIn("root@bridge.example")
		inbox := b.get("/console/placement?q=many").is(http.StatusOK).says("Many 54", "Acme Logistics", "Place everybody who waits and matches “many”")
		alike := inbox.all(`<td data-label="Belongs to"><a href="([^"]*)"`)
		b.get(strings.ReplaceAll(alike[0], "&amp;", "&")).is(http.StatusOK).has(`value="` + string(s.acme.ID) + `" selected`)
		form := url.Values{"all": {"1"}, "tenant": {string(s.acme.ID)}, "role": {"editor"}, "reason": {"spring"}}
		plan := b.post("/console/placement/preview?q=many", form).is(http.StatusOK).says("55", "moved")
		path, _, _ := strings.Cut(plan.path, "?")
		b.post(path+"/apply", url.Values{"reason": {"meant so"}}).is(http.StatusOK).says("Being applied", "You can close this page")
		if _, err := s.prov.RunPlans(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.get(path).is(http.StatusOK).says("55 rows done")
		if left := must(s.prov.Landed(t.Context(), identity.Operator(), identity.Query{Total: true}))(t); left.Total != 2 {
			t.Errorf("%d people wait, not the two who did not match", left.Total)
		}
		s.signedIn("ada@acme.example").post("/console/placement/preview?q=", form).is(http.StatusForbidden)
	})
}

func TestInOneOrganisationItsAdministratorsPlace(t *testing.T) {
	organisationHouses(t, "fentu-fsm", func(t *testing.T, h *house) {
		dir, _, err := h.prov.CreateDirectory(t.Context(), identity.Operator(), identity.Directory{Name: "Entra", Dialect: identity.DialectEntra})
		if err != nil {
			t.Fatal(err)
		}
		h.push = identity.Actor{Kind: identity.ActorDirectory, ID: string(dir.ID), Label: dir.Name, Door: "scim"}
		for i := range 53 {
			h.land(t.Context(), fmt.Sprintf("new%02d@house.example", i), fmt.Sprintf("New %02d", i))
		}
		b := organisationBrowser(h, h.boss)
		inbox := b.get("/console/placement?q=new00").is(http.StatusOK).says("New 00", "With role").hides("To tenant")
		form := url.Values{"user": inbox.all(`name="user" value="([^"]+)"`), "tenant": {string(h.home.ID)}, "role": {"dispatcher"}}
		preview := b.post("/console/placement/preview", form).is(http.StatusOK).says("Place 1 person?")
		form.Set("tenant", preview.value("tenant"))
		b.post("/console/placement", form).is(http.StatusBadRequest).says("comes with a reason")
		form.Set("reason", "hired")
		b.post("/console/placement", form).is(http.StatusOK).says("New 00", "Dispatcher", "hired")

		all := url.Values{"all": {"1"}, "tenant": {string(h.home.ID)}, "role": {"read_only"}, "reason": {"season"}}
		organisationBrowser(h, h.people["dispatcher"]).post("/console/placement/preview", all).is(http.StatusForbidden)
		plan := b.post("/console/placement/preview", all).is(http.StatusOK).says("52", "moved")
		path, _, _ := strings.Cut(plan.path, "?")
		b.post(path+"/apply", url.Values{"reason": {"meant so"}}).is(http.StatusOK)
		if _, err := h.prov.RunPlans(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.get(path).is(http.StatusOK).says("52 rows done")
		b.get("/console/placement").is(http.StatusOK).says("Nobody waits")
		id := identity.PlanID(strings.TrimPrefix(path, "/console/plans/"))
		back := must(h.prov.UndoPlan(t.Context(), identity.Operator(), id, provisioning.UndoOptions{}))(t)
		must(h.prov.ApplyPlan(t.Context(), identity.Operator(), back.ID, provisioning.ApplyOptions{Override: "meant so"}))(t)
		if left := must(h.prov.Landed(t.Context(), identity.Operator(), identity.Query{Total: true}))(t); left.Total != 52 {
			t.Errorf("%d people wait again", left.Total)
		}
	})
}
