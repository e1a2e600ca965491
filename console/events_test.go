package console_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/drawbridge-id/drawbridge/identity"
)

// changedName gives somebody another name, as an administrator does.
func (s *site) changedName(by identity.Actor, id identity.UserID, name string) {
	s.t.Helper()
	must(s.prov.UpdateUser(s.t.Context(), by, id, 0, func(u *identity.User) error { u.DisplayName = name; return nil }))(s.t)
}

// wasRefused forgets what the browser said, which calls a page that is refused a fault.
func (s *screen) wasRefused() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

func TestTheAuditIsNarrowedByItsForm(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.changedName(identity.Operator(), s.vera.ID, "Vera van Viewer")
		must(s.prov.UpdateUser(t.Context(), identity.Operator(), s.vera.ID, 0, func(u *identity.User) error {
			u.Attributes = json.RawMessage(`{"name":{"givenName":"Vera"},"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Support","employeeNumber":"1815"}}`)
			return nil
		}))(t)
		root := s.signedIn("root@bridge.example")
		today := time.Now().UTC().Format(time.DateOnly)
		const changed, landed, made = "Vera van Viewer", "Grace Hopper", "Directory created"
		for query, want := range map[string][3]bool{
			"":                          {true, true, true},
			"who=okta":                  {false, true, false},
			"who=OPERATOR":              {true, false, true},
			"whom=grace":                {false, true, false},
			"whom=vera%40acme.example":  {true, false, false},
			"who=root%40bridge.example": {false, false, false},
			"q=support":                 {true, false, false},
			"q=1815":                    {true, false, false},
			"type=user.updated":         {true, false, false},
			"type=directory":            {false, false, true},
			"type=user":                 {true, true, false},
			"from=" + today:             {true, true, true},
			"until=2020-01-01":          {false, false, false},
			"from=" + today + "&until=" + today + "&type=user.updated&q=van": {true, false, false},
		} {
			page := root.get("/console/events?" + query).is(http.StatusOK)
			rows := strings.Join(page.all(`(?s)<tbody>(.*?)</tbody>`), "")
			for i, text := range []string{changed, landed, ">" + made + "<"} {
				if got := strings.Contains(rows, text); got != want[i] {
					t.Errorf("%q shows %q: %v", query, text, got)
				}
			}
		}
		root.get("/console/events?whom=vera%40acme.example&q=support").says("department Support", "employee number 1815", "given name Vera").hides("urn:ietf", "<ins>{")
		root.get("/console/events?from=yesterday").says("Write the first day as 2026-01-31")
		t.Run("an event opens with what changed", func(t *testing.T) {
			page := root.get("/console/events?q=support")
			at := page.all(`href="(/console/events/[0-9a-f-]{36})"`)
			if len(at) != 1 {
				t.Fatalf("links to %v", at)
			}
			root.get(at[0]).is(http.StatusOK).says("Changed", "department", "Support", "user.updated", "operator", "Vera van Viewer").has("/console/users/" + string(s.vera.ID))
			root.get("/console/events/" + string(identity.NewID[identity.EventID]())).is(http.StatusNotFound)
			s.signedIn("vera@acme.example").get(at[0]).is(http.StatusForbidden)
		})
		t.Run("what is shown can be taken out", func(t *testing.T) {
			list := root.get("/console/events?q=support&who=operator&from=" + today)
			form := root.get(list.all(`href="(/console/exports/audit[^"]*)"`)[0]).is(http.StatusOK).says("support", "operator", today)
			values := url.Values{"format": {"json"}, "column": {"type", "object"}}
			for _, name := range []string{"q", "who", "from"} {
				values.Set(name, form.all(`name="` + name + `" value="([^"]*)"`)[0])
			}
			file := root.post("/console/exports/audit", values).is(http.StatusOK)
			if got := strings.Count(file.body, "\n"); got != 1 || !strings.Contains(file.body, `"user.updated"`) {
				t.Errorf("the file has %d lines: %s", got, file.body)
			}
			root.get("/console/events?type=events.exported").says("by operator", "text support")
		})
		t.Run("an event of another tenant is nobody's elsewhere", func(t *testing.T) {
			at := root.get("/console/events?whom=grace").all(`href="(/console/events/[0-9a-f-]{36})"`)[0]
			ada := s.signedIn("ada@acme.example")
			ada.get(at).is(http.StatusNotFound)
			ada.get("/console/events?whom=grace").is(http.StatusOK).says("Nothing like that happened")
		})
	})
}

func TestInABrowserAuditAndStatisticsAreForAdministrators(t *testing.T) {
	script := loadAxe(t)
	h := newHouse(t, "etlworks")
	other := must(h.prov.CreateTenant(t.Context(), identity.Operator(), "Beta Freight"))(t)
	must(h.hire("eve@beta.example", "Eve Elsewhere", other.ID, "viewer"))(t)
	h.changedName(identity.Actor{Kind: identity.ActorUser, ID: string(h.boss.ID), Label: h.boss.Label(), TenantID: h.home.ID, Roles: []identity.RoleID{"administrator"}, Door: "console"}, h.people["viewer"].ID, "Vivian Viewer")
	b := h.browse(h.boss, "/console/users")
	t.Run("ETL-41 the audit trail is there for an Administrator and a SuperAdmin, of the own tenant, and for nobody else", func(t *testing.T) {
		var rows string
		b.run(chromedp.Click(`.side-inner > .menu a[href="/console/events"]`), chromedp.WaitVisible("table.audit"), chromedp.Text("table.audit tbody", &rows))
		if !strings.Contains(rows, "Vivian Viewer") || strings.Contains(rows, "Eve Elsewhere") {
			t.Errorf("an Administrator reads %s", rows)
		}
		b.run(chromedp.SendKeys("#q", "vivian"), chromedp.Poll(`document.querySelectorAll("table.audit tbody tr").length === 1 && location.search.includes("q=vivian")`, nil))
		b.axe(script, "the audit")
		b.run(chromedp.Click("table.audit a.row"), chromedp.WaitVisible(".before-after"), chromedp.Text(".before-after", &rows))
		if !strings.Contains(rows, "Viewer Person") || !strings.Contains(rows, "Vivian Viewer") {
			t.Errorf("the event says %s", rows)
		}
		b.axe(script, "an event")
		h.enter(b, h.root)
		b.goTo("/console/events")
		b.run(chromedp.WaitVisible("table.audit"), chromedp.Text("table.audit tbody", &rows))
		if !strings.Contains(rows, "Eve Elsewhere") {
			t.Errorf("a SuperAdmin reads %s", rows)
		}
		b.calm("the audit")
		for _, role := range []identity.RoleID{"editor", "operator", "viewer"} {
			h.enter(b, h.people[role])
			b.goTo("/console/events")
			var links int
			b.run(chromedp.Text("main", &rows), chromedp.Evaluate(`document.querySelectorAll('a[href="/console/events"], a[href="/console/statistics"]').length`, &links))
			if !strings.Contains(rows, "Your role does not include this page") || links != 0 {
				t.Errorf("%s reads %s, with %d links", role, rows, links)
			}
		}
		b.wasRefused()
	})
	t.Run("ETL-42 statistics are there for an Administrator and a SuperAdmin, of the own tenant, and for nobody else", func(t *testing.T) {
		h.enter(b, h.boss)
		b.goTo("/console/events")
		var text string
		b.run(chromedp.Click(`.side-inner > .menu a[href="/console/statistics"]`), chromedp.WaitVisible(".chart-plot"), chromedp.Text("main", &text))
		for _, want := range []string{"Of your tenant", "Sign-ins per day", "Provisioning per day", "People by status", "People by role", "5 people in all"} {
			if !strings.Contains(text, want) {
				t.Errorf("the page does not say %q: %s", want, text)
			}
		}
		if strings.Contains(text, "Beta Freight") {
			t.Errorf("an Administrator reads of another tenant: %s", text)
		}
		b.axe(script, "statistics")
		b.run(chromedp.Click(".range a:last-child"), chromedp.WaitVisible(`.range a:last-child[aria-current]`))
		var bars int
		var wide int64
		b.run(chromedp.Evaluate(`document.querySelectorAll("#content .chart-plot")[0].querySelectorAll(".chart-day title").length`, &bars), chromedp.EmulateViewport(390, 800), chromedp.Evaluate(`document.documentElement.scrollWidth`, &wide))
		if bars != 90 || wide > 390 {
			t.Errorf("%d days, %d wide", bars, wide)
		}
		b.run(chromedp.EmulateViewport(1280, 800))
		h.enter(b, h.root)
		b.goTo("/console/statistics")
		b.run(chromedp.Text("main", &text))
		if !strings.Contains(text, "Of the whole installation") || !strings.Contains(text, "Beta Freight") {
			t.Errorf("a SuperAdmin reads %s", text)
		}
		b.calm("statistics")
		h.enter(b, h.people["viewer"])
		b.goTo("/console/statistics")
		b.run(chromedp.Text("main", &text))
		if !strings.Contains(text, "Your role does not include this page") {
			t.Errorf("a Viewer reads %s", text)
		}
		b.wasRefused()
	})
}
