package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// crowd makes so many people of a tenant who can be looked for by a word.
func (s *site) crowd(word string, tenant identity.TenantID, from, until int) {
	s.t.Helper()
	for i := from; i < until; i++ {
		must(s.prov.CreateUser(s.t.Context(), identity.Operator(), provisioning.NewUser{User: person(fmt.Sprintf("%s.%03d@acme.example", word, i), fmt.Sprintf("%s %03d", word, i), tenant), Role: "viewer"}))(s.t)
	}
}

// crowdWith counts those of them who have a role.
func (s *site) crowdWith(role identity.RoleID, tenant identity.TenantID) int64 {
	s.t.Helper()
	return must(s.prov.Users(s.t.Context(), identity.Operator(), identity.Query{Search: "crowd", Role: role, Tenant: tenant, Total: true}))(s.t).Total
}

func TestABulkActReachesEverybodyWhomTheListFinds(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		beta := must(s.prov.CreateTenant(t.Context(), identity.Operator(), "Beta"))(t)
		s.crowd("crowd", s.acme.ID, 0, 255)
		s.crowd("crowd", beta.ID, 255, 258)
		b := s.signedIn("ada@acme.example")
		page := b.get("/console/users?q=crowd&sort=-name").is(http.StatusOK).says("Everybody whom this list finds, on every page")
		b.get("/console/users?q=vera").is(http.StatusOK).hides("Everybody whom this list finds")
		act := url.Values{"act": {"set-role"}, "all": {"yes"}, "filter": {page.value("filter")}, "user": {string(s.vera.ID)}}
		b.post("/console/users/bulk", act).is(http.StatusOK).says("Set the role of 255 people?", "Search crowd", "crowd 000", "and 243 more people", "Nothing happens yet", "Make the plan").hides("Vera Viewer", "crowd 256")
		act.Set("sure", "yes")
		b.post("/console/users/bulk", act).is(http.StatusBadRequest).says("Choose a role")
		s.crowd("crowd", s.acme.ID, 258, 259) // arrives between the question and the plan
		act.Set("role", "editor")
		r := b.post("/console/users/bulk", act).is(http.StatusOK).says("256 rows")
		must(s.prov.RunPlans(t.Context()))(t)
		if n := s.crowdWith("editor", ""); !strings.HasPrefix(r.path, "/console/plans/") || n != 0 {
			t.Fatalf("%d people were changed before anybody said so, at %s", n, r.path)
		}
		id := identity.PlanID(strings.TrimPrefix(r.path, "/console/plans/"))
		done := must(s.prov.ApplyPlan(t.Context(), identity.Operator(), id, provisioning.ApplyOptions{Override: "meant so"}))(t)
		if n := s.crowdWith("editor", s.acme.ID); done.Summary.Done != 256 || n != 256 || s.crowdWith("editor", beta.ID) != 0 || s.now(s.vera.ID).Roles[0].ID != "viewer" {
			t.Errorf("%d people have the role; the plan is %+v", n, done.Summary)
		}
	})
}

func TestABulkActOfEverybodyKeepsToWhatItsVisitorMayDo(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		beta := must(s.prov.CreateTenant(t.Context(), identity.Operator(), "Beta"))(t)
		s.crowd("crowd", s.acme.ID, 0, 2)
		s.crowd("crowd", beta.ID, 2, 5)
		ask := func(b *browser, act, filter string) reply {
			return b.post("/console/users/bulk", url.Values{"act": {act}, "all": {"yes"}, "filter": {filter}})
		}
		ada, root, vera := s.signedIn("ada@acme.example"), s.signedIn("root@bridge.example"), s.signedIn("vera@acme.example")
		ask(ada, "deactivate", "q=crowd").is(http.StatusOK).says("Deactivate 2 people?")
		ask(root, "deactivate", "q=crowd").is(http.StatusOK).says("Deactivate 5 people?")
		ask(root, "deactivate", "q=crowd&tenant="+string(beta.ID)).is(http.StatusOK).says("Deactivate 3 people?", "Tenant Beta")
		ask(root, "deactivate", "").is(http.StatusOK).says("Nothing narrows the list", "crowd 004")
		ask(ada, "deactivate", "tenant="+string(beta.ID)).is(http.StatusBadRequest).says("The list finds nobody any more").hides("crowd 003")
		for filter, says := range map[string]string{"role=king": "does not hold any more", "q=crowd&x=y": "does not hold any more", "status=Sleeping": "does not hold any more", "%zz": "does not hold any more", "status=Deleted": "restoring them"} {
			ask(ada, "deactivate", filter).is(http.StatusBadRequest).says(says)
		}
		ask(ada, "invite", "q=crowd").is(http.StatusBadRequest).says("Mails go to people who are ticked")
		ask(ada, "burn", "q=crowd").is(http.StatusBadRequest)
		ask(ada, "export", "q=crowd&status=Pending").is(http.StatusOK).at("/console/exports/users?q=crowd&status=Pending").says("2 rows of now", "crowd")
		vera.post("/console/users/bulk", url.Values{"act": {"deactivate"}, "all": {"yes"}, "sure": {"yes"}, "filter": {"q=crowd"}, "reason": {"mine"}}).is(http.StatusForbidden)
		if plans := must(s.prov.Plans(t.Context(), identity.Operator(), identity.Query{Limit: 5}))(t); len(plans.Items) != 0 {
			t.Errorf("there are plans: %+v", plans.Items)
		}
	})
}

// etlEverybody ticks a page of a list that has more, and chooses everybody whom it finds.
func etlEverybody(t *testing.T, script string, h *house, b *screen) {
	t.Run("who ticks a whole page may mean everybody whom the list finds, and sees the plan before anything happens", func(t *testing.T) {
		h.site.crowd("crowd", h.home.ID, 0, 53)
		b.goTo("/console/users?q=crowd")
		all, everybody := "[data-all]", "[data-everybody] input"
		b.run(chromedp.Click("tbody tr:nth-child(2) input", chromedp.ByQuery), chromedp.WaitVisible("[data-ticked]", chromedp.ByQuery))
		if b.count("[data-everybody][hidden]") != 1 {
			t.Error("everybody is offered although one person is ticked")
		}
		b.run(chromedp.Click(all, chromedp.ByQuery), chromedp.WaitVisible(everybody, chromedp.ByQuery))
		has(t, b.text("[data-ticked]"), "50 people", "Everybody whom this list finds, on every page")
		b.run(chromedp.Click(everybody, chromedp.ByQuery))
		if b.count("[data-count][hidden]") != 1 {
			t.Error("the bar still counts those who are ticked")
		}
		b.axe(script, "everybody of a list")
		b.narrow("everybody of a list")
		b.fill("#act", "deactivate")
		b.press("[data-ticked] button", ".ask")
		has(t, b.text(".ask"), "Deactivate 53 people?", "Search", "crowd", "and 41 more people", "Nothing happens yet")
		b.axe(script, "the question about everybody")
		b.narrow("the question about everybody")
		b.press(".ask .button-primary", ".tiles")
		has(t, b.text(".head"), "53 rows")
		if u := h.find("crowd.000@acme.example"); !u.Enabled {
			t.Error("somebody was deactivated before the plan was applied")
		}
		b.calm("everybody of a list")
	})
}
