package console_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// rolePress clicks something and waits for the page after it.
func (s *screen) rolePress(what, then string) {
	s.t.Helper()
	s.run(chromedp.Click(what, chromedp.ByQuery), chromedp.WaitVisible(then, chromedp.ByQuery))
}

// roleReads ends the test unless the part of the page shows every text.
func (s *screen) roleReads(part string, wants ...string) {
	s.t.Helper()
	var text string
	s.run(chromedp.Text(part, &text, chromedp.ByQuery))
	text = space.ReplaceAllString(text, " ")
	for _, want := range wants {
		if !strings.Contains(text, want) {
			s.t.Errorf("%s does not show %q: %s", part, want, text)
		}
	}
}

// roleLacks ends the test when the part of the page shows one of the texts.
func (s *screen) roleLacks(part string, unwanted ...string) {
	s.t.Helper()
	var text string
	s.run(chromedp.Text(part, &text, chromedp.ByQuery))
	for _, word := range unwanted {
		if strings.Contains(text, word) {
			s.t.Errorf("%s shows %q: %s", part, word, text)
		}
	}
}

// roleNarrow fails the test when a page has to be scrolled sideways on a telephone.
func (s *screen) roleNarrow(path string) {
	s.t.Helper()
	var wide bool
	s.run(chromedp.EmulateViewport(390, 844), chromedp.Evaluate(`document.documentElement.scrollWidth > innerWidth`, &wide), chromedp.EmulateViewport(1280, 800))
	if wide {
		s.t.Errorf("%s is wider than a telephone", path)
	}
}

func TestInABrowserProfilesOfFentuConnect(t *testing.T) {
	h := newHouse(t, "fentu-connect")
	b := h.browse(h.boss, "/console/roles")
	t.Run("FC-24 the list of profiles has names, people, and edit and delete", func(t *testing.T) {
		b.roleReads("h1", "Profiles")
		b.roleReads("thead", "Name", "Description", "People", "Last reviewed", "Actions")
		b.roleReads("tbody", "Integration Manager", "No credentials")
		b.run(chromedp.SendKeys("#q", "integ", chromedp.ByQuery), chromedp.WaitNotPresent(`a[href="/console/roles/viewer/edit"]`, chromedp.ByQuery))
		b.roleReads("tbody", "Integration Manager")
		b.goTo("/console/roles")
		b.run(chromedp.WaitVisible(`a[href="/console/roles/viewer/edit"]`, chromedp.ByQuery), chromedp.WaitVisible(`a[href="/console/roles/viewer/delete"]`, chromedp.ByQuery))
	})
	t.Run("FC-71 related pages are a click away, the sensitive ones marked", func(t *testing.T) {
		b.roleReads(".related", "Overview", "Permission matrix", "Who may use Connection Config sensitive")
		b.calm("profiles")
	})
	t.Run("FC-25 FC-28 a click on a profile opens its details", func(t *testing.T) {
		b.rolePress(`a.row[href="/console/roles/viewer"]`, ".tabs")
		b.roleReads(".tabs [aria-current]", "Details")
		b.roleReads(".columns", "Description", "Intended for", "Provides", "1 person holds it")
		b.roleReads(".grants", "Home", "read-only", "Connection Config", "unchecked")
		b.rolePress(`.tabs a[href$="/users"]`, "table[data-rows]")
		b.roleReads("tbody", "Viewer Person", "Given by hand", "lives here")
	})
	t.Run("FC-26 FC-27 its page has the buttons Edit and Delete", func(t *testing.T) {
		b.goTo("/console/roles/restricted")
		b.rolePress(`.head a[href$="/delete"]`, ".ask")
		b.roleReads(".ask", "Delete No credentials?", "No credentials Person")
		b.goTo("/console/roles/restricted")
		b.rolePress(`.head a[href$="/edit"]`, "#title")
	})
	t.Run("FC-33 the features are a list with checkboxes in the catalogue’s order", func(t *testing.T) {
		var order string
		b.run(chromedp.Evaluate(`[...new Set([...document.querySelectorAll("input[name=grant]")].map((box) => box.value.split(":")[0]))].join(" ")`, &order))
		if want := "visible home connect_wizard connector_set connection_config connector connect_object inbound outbound users profiles"; order != want {
			t.Errorf("the features are %q", order)
		}
	})
	profilesAreMade(t, h, b)
	script := loadAxe(t)
	profilesHold(t, h, b, script)
	profilesGo(t, b, script)
}

func profilesAreMade(t *testing.T, h *house, b *screen) {
	t.Helper()
	t.Run("FC-29 FC-30 New opens an empty form with a name and a description", func(t *testing.T) {
		b.goTo("/console/roles")
		b.rolePress(`.head a[href="/console/roles/new"]`, "#title")
		var ticked int
		b.run(chromedp.Evaluate(`document.querySelectorAll("input[name=grant]:checked").length`, &ticked))
		if ticked != 0 {
			t.Errorf("%d boxes are ticked", ticked)
		}
		b.run(chromedp.SendKeys("#title", "Night desk", chromedp.ByQuery), chromedp.SendKeys("#description", "Helps at night", chromedp.ByQuery), chromedp.SendKeys("#intended_for", "The night shift", chromedp.ByQuery),
			chromedp.Click(`input[value="visible:on"]`, chromedp.ByQuery), chromedp.SetValue(`select[name="level.users"]`, "read-only", chromedp.ByQuery),
			chromedp.Click(`input[value="profiles:view"]`, chromedp.ByQuery))
		var level string
		b.run(chromedp.Value(`select[name="level.profiles"]`, &level, chromedp.ByQuery))
		if level != "read-only" {
			t.Errorf("the ticks of Profiles are the level %q", level)
		}
	})
	t.Run("FC-51 what is sensitive is asked about once more", func(t *testing.T) {
		b.rolePress(".bar .button-primary", `input[name="confirm"]`)
		b.roleReads("main", "This is sensitive", "Users whoever holds the role may then also: view", "Profiles whoever holds the role may then also: view")
		b.calm("what is sensitive")
		b.run(chromedp.Click(`input[name="confirm"][value="users"]`, chromedp.ByQuery), chromedp.Click(`input[name="confirm"][value="profiles"]`, chromedp.ByQuery))
		b.rolePress(".actions .button-primary", ".notice-good")
		b.roleReads("main", "Night desk", "The role was made", "Helps at night", "The night shift")
		b.goTo("/console/access?sensitive=yes")
		b.roleReads(".card", "Connection Config", "2 people by SuperAdmin, Administrator, Integration Manager")
	})
	t.Run("FC-54 the description says for whom, what, and when it was looked at", func(t *testing.T) {
		b.goTo("/console/roles/night_desk")
		b.roleReads("main", "Intended for", "The night shift", "Provides", "Nobody has looked at it yet.")
		b.run(chromedp.SendKeys("#note", "still right", chromedp.ByQuery))
		b.rolePress(`form[action$="/reviewed"] button`, ".notice-good")
		b.roleReads("main", "It is noted", "by Administrator Person")
	})
	t.Run("FC-68 a profile is cloned", func(t *testing.T) {
		b.goTo("/console/roles/integration_manager")
		b.rolePress(`.head a[href*="from=integration_manager"]`, "#title")
		b.roleReads("main", "It begins with everything that Integration Manager grants.")
		b.rolePress(`a[href*="without=sensitive"]`, `input[value="connection_config:view"]:not(:checked)`)
		b.run(chromedp.SendKeys("#title", "Connector care", chromedp.ByQuery))
		b.rolePress(".bar .button-primary", ".notice-good")
		now := h.roleNow("connector_care")
		if now.Grants["connection_config"] != nil || strings.Join(now.Grants["inbound"], " ") != "view edit" {
			t.Errorf("the copy grants %v", now.Grants)
		}
	})
}

func profilesHold(t *testing.T, h *house, b *screen, script string) {
	t.Helper()
	night := must(h.hire("night@house.example", "Nina Night", h.home.ID, "night_desk"))(t)
	t.Run("FC-32 FC-31 editing says who is affected, and saves every box at once", func(t *testing.T) {
		h.enter(b, night)
		b.goTo("/console/roles")
		b.roleReads(".menu", "Profiles", "Users")
		h.enter(b, h.boss)
		b.goTo("/console/roles/night_desk/edit")
		b.roleReads(".head", "1 person holds it")
		b.run(chromedp.Click(`input[value="profiles:view"]`, chromedp.ByQuery), chromedp.Click(`input[value="home:view"]`, chromedp.ByQuery))
		b.rolePress(".bar .button-primary", `form[action="/console/roles/night_desk"]`)
		b.roleReads("main", "Save Night desk?", "Home nothing view more: view", "Profiles sensitive view nothing less: view", "1 person holds Night desk", "Nina Night", "Home more: view")
		b.axe(script, "the preview of a role")
		b.narrow("the preview of a role")
		b.rolePress(".actions .button-primary", ".notice-good")
		b.calm("saving a role")
		b.goTo("/console/roles/night_desk/history")
		b.roleReads("tbody", "Role changed", "grants home view", "grants profiles view", "Role looked at", "still right", "Administrator Person")
	})
	t.Run("FC-03 FC-45 what is unticked is gone from the menu and refused by the server", func(t *testing.T) {
		h.enter(b, night)
		b.goTo("/console/users")
		b.roleReads(".menu", "Users")
		b.roleLacks(".menu", "Profiles")
		b.calm("the pages that are left")
		b.goTo("/console/roles")
		b.roleReads("main", "403", "This is not open to you")
		if h.visitor(night).get("/console/roles").status != 403 {
			t.Error("the page of profiles is open")
		}
		h.enter(b, h.boss)
		b.goTo("/console/roles")
		b.mu.Lock()
		b.faults = nil // the 403 that was asked for
		b.mu.Unlock()
	})
}

func profilesGo(t *testing.T, b *screen, script string) {
	t.Helper()
	t.Run("FC-46 a profile is deleted from the list, after a question", func(t *testing.T) {
		b.goTo("/console/roles")
		b.rolePress(`a[href="/console/roles/connector_care/delete"]`, ".ask")
		b.roleReads(".ask", "Delete Connector care?", "Nobody holds it")
		b.rolePress(".button-danger", ".notice-good")
		b.roleLacks("tbody", "Connector care")
	})
	t.Run("FC-47 its people get another profile in the same step", func(t *testing.T) {
		b.rolePress(`a[href="/console/roles/restricted/delete"]`, ".ask")
		b.roleReads(".ask", "Move 1 user, then delete No credentials", "No credentials Person")
		b.run(chromedp.SetValue("#reassign_to", "viewer", chromedp.ByQuery))
		b.rolePress(".button-danger", ".notice-good")
		b.goTo("/console/roles/viewer/users")
		b.roleReads("tbody", "No credentials Person", "the role No credentials was deleted")
		b.calm("deleting a profile")
	})
	for _, path := range []string{"/console/roles", "/console/roles/viewer?against=administrator", "/console/roles/viewer/edit", "/console/access/matrix", "/console/access", "/console/access-reviews/new"} {
		b.goTo(path)
		b.axe(script, path)
		b.roleNarrow(path)
		b.calm(path)
	}
}

func TestInABrowserUnusedAccountsOfFentuConnect(t *testing.T) {
	db := storetest.SQLite(t)
	h := houseOn(t, db, "fentu-connect")
	gone := accessLeaver(h, db, "Gina Gone", 120, true)
	b := h.browse(h.boss, "/console/access/dormant")
	t.Run("FC-55 who left is found and deactivated", func(t *testing.T) {
		b.roleReads("tbody", "Gina Gone", "not seen, kept out by a directory")
		b.axe(loadAxe(t), "unused accounts")
		b.roleNarrow("unused accounts")
		b.run(chromedp.Click(`input[data-all]`, chromedp.ByQuery))
		b.roleReads("[data-count]", "1 person")
		b.rolePress(".bar button", ".ask")
		b.roleReads(".ask", "Deactivate 1 person?", "Gina Gone")
		b.run(chromedp.SendKeys("#reason", "left", chromedp.ByQuery))
		b.rolePress(".button-danger", ".notice-good")
		if h.now(gone.ID).Enabled {
			t.Error("the account is open")
		}
	})
	t.Run("FC-51 a review of what is sensitive has its own lines", func(t *testing.T) {
		b.goTo("/console/access-reviews/new?scope=sensitive")
		b.rolePress("form.card .button-primary", "table[data-rows]")
		b.roleReads("tbody", "Integration Manager", "Connection Config: view, edit sensitive")
		b.axe(loadAxe(t), "a review of access")
		b.roleNarrow("a review of access")
		b.run(chromedp.Click(`tbody input:not(:disabled)`, chromedp.ByQuery))
		b.rolePress(".bar .button-primary", `progress[value="1"]`)
		b.roleReads(".progress-card", "1 of 2 lines decided, 1 to go")
	})
	b.calm("unused accounts and a review")
}

func TestInABrowserRolesOfFentuFSM(t *testing.T) {
	h := newHouse(t, "fentu-fsm")
	b := h.browse(h.boss, "/console")
	t.Run("FSM-29 the page is called Profiles & Roles", func(t *testing.T) {
		b.goTo("/console/users")
		b.rolePress(`.menu a[href="/console/roles"]`, "#roles table")
		b.roleReads("h1", "Profiles & Roles")
		b.roleReads("tbody", "Dispatcher", "Technician", "Read-Only")
	})
	t.Run("FSM-09 the report says who may do what, how far and why, and leaves as CSV", func(t *testing.T) {
		b.rolePress(`.menu a[href="/console/access"]`, "table.access")
		b.roleReads("tbody", "Dispatcher Person", "Given by hand", "lives here", "all personal Work orders, Scheduling, Customers")
		b.axe(loadAxe(t), "the access report")
		b.roleNarrow("the access report")
		b.run(chromedp.SetValue("#role", "dispatcher", chromedp.ByQuery))
		b.rolePress(".filters button", ".filters a.button-quiet")
		b.roleLacks("tbody", "Accountant Person")
		b.rolePress(`.head a[href*="/console/exports/access"]`, `[name="format"]`)
		var role, format string
		b.run(chromedp.Value(`[name="role"]`, &role, chromedp.ByQuery), chromedp.Value(`[name="format"]:checked`, &format, chromedp.ByQuery))
		if role != "dispatcher" || format != "csv" {
			t.Errorf("the export is of %q as %q", role, format)
		}
	})
	b.calm("roles and access of FSM")
}
