package console_test

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

func TestInABrowserPeopleOfFintechOS(t *testing.T) {
	script := loadAxe(t)
	h := newHouse(t, "fintechos")
	branch := must(h.prov.CreateUnit(t.Context(), identity.Operator(), identity.Unit{TenantID: h.home.ID, Name: "Lending"}))(t)
	boss := h.people["user_management"]
	b := h.browse(boss, "/console/users")
	t.Run("FOS-13 the menu leads to the list of System Users", func(t *testing.T) {
		has(t, b.text(`.side .menu a[href="/console/users"]`), "System Users")
		has(t, b.text("main"), "Security > System Users")
		has(t, b.text("h1"), "System Users")
		b.axe(script, "the list of system users")
	})
	t.Run("FOS-14 Insert opens the page of somebody new", func(t *testing.T) {
		has(t, b.text(".head .button-primary"), "Insert")
		b.press(".head .button-primary", "#username")
	})
	t.Run("FOS-19 a type is chosen, or inserted from the form, and nothing is lost", func(t *testing.T) {
		b.fill("#displayname", "Lena Lending", "#username", "lena")
		b.press("main details summary", "#newtype")
		b.run(chromedp.SendKeys("#newtype", "Call Centre", chromedp.ByQuery))
		b.run(chromedp.Click(`button[formaction="/console/user-types"]`, chromedp.ByQuery), chromedp.WaitVisible(`//select[@id="type"]/option[text()="Call Centre"]/..`))
		var kind, name string
		b.run(chromedp.Value("#type", &kind, chromedp.ByQuery), chromedp.Value("#displayname", &name, chromedp.ByQuery))
		if kind != "call_centre" || name != "Lena Lending" {
			t.Errorf("the form has the type %q and the name %q", kind, name)
		}
	})
	t.Run("FOS-16 the business unit is chosen from a tree and needed", func(t *testing.T) {
		has(t, b.text("label[for=unit]"), "Business Unit *")
		var needed bool
		b.run(chromedp.Evaluate(`document.querySelector("#unit").required`, &needed))
		if got := b.text("#unit"); !needed || !strings.Contains(got, "Root") || !strings.Contains(got, "Lending") {
			t.Errorf("%q, needed %v", got, needed)
		}
		b.fill("#unit", string(branch.ID), "#role", "officer", "#password", "a long enough bridge 7", "#confirm_password", "a long enough bridge 7")
		b.run(chromedp.Click(`button[value=reload]`, chromedp.ByQuery), chromedp.WaitVisible(".notice-good", chromedp.ByQuery))
		u := h.find("lena")
		detail := must(h.prov.UserDetail(t.Context(), identity.Operator(), u.ID))(t)
		if detail.Standing.UnitID != branch.ID || detail.Standing.Type != "call_centre" || b.at() != "/console/users/"+string(u.ID)+"/edit?done=user-created" {
			t.Errorf("%+v at %s", detail.Standing, b.at())
		}
		b.axe(script, "the form of a system user")
		b.narrow("the form of a system user")
		b.run(chromedp.Click(`button[value=close]`, chromedp.ByQuery), chromedp.WaitVisible("#people", chromedp.ByQuery))
		has(t, b.text("#people"), "Lending")
	})
	t.Run("FOS-29 a double click on a row, and Enter, open Edit System User", func(t *testing.T) {
		b.goTo("/console/users?q=lena")
		b.run(chromedp.DoubleClick("tbody tr td.mail", chromedp.ByQuery), chromedp.WaitVisible("#displayname", chromedp.ByQuery))
		has(t, b.text("h1"), "Edit Lena Lending")
		b.goTo("/console/users?q=lena")
		b.run(chromedp.KeyEvent("j"), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible("#displayname", chromedp.ByQuery))
		has(t, b.text("h1"), "Edit Lena Lending")
		b.refused()
		b.calm("people of FintechOS")
	})
}

func TestInABrowserPeopleOfFluentPro(t *testing.T) {
	script := loadAxe(t)
	h := newHouse(t, "fluentpro-backup")
	must(h.prov.Invite(t.Context(), identity.Operator(), provisioning.NewInvitation{Email: "guest@partner.example", Tenant: h.home.ID, Role: "viewer"}))(t)
	b := h.browse(h.people["admin"], "/console/users")
	t.Run("FP-01 the list has everybody of the tenant, also who was invited", func(t *testing.T) {
		has(t, b.text("h1"), "User Management")
		has(t, b.text("#people"), "Member Person", "Viewer Person", "guest@partner.example", "Invited")
		if n := len(b.names()); n != len(h.people)+1-outsiders(h) {
			t.Errorf("%q", b.names())
		}
		b.axe(script, "the list of a tenant")
		b.narrow("the list of a tenant")
	})
	t.Run("FP-03 the role is changed in the row, and a role that manages people is asked about", func(t *testing.T) {
		viewer := h.people["viewer"]
		pick := `select[name="role-` + string(viewer.ID) + `"]`
		b.run(chromedp.SetValue(pick, "member", chromedp.ByQuery), chromedp.WaitVisible(".notice-good", chromedp.ByQuery))
		if now := h.now(viewer.ID); now.Roles[0].ID != "member" {
			t.Errorf("the role is %s", now.Roles[0].ID)
		}
		b.run(chromedp.SetValue(pick, "admin", chromedp.ByQuery), chromedp.WaitVisible(".ask", chromedp.ByQuery))
		has(t, b.text(".ask"), "Make Viewer Person Admin?", "may manage people")
		if h.now(viewer.ID).Roles[0].ID != "member" {
			t.Error("it was not asked first")
		}
		b.axe(script, "the question about a role")
		b.press(".ask button", ".notice-good")
		if h.now(viewer.ID).Roles[0].ID != "admin" {
			t.Error("it was not done")
		}
	})
	t.Run("FP-06 the page has a button Invite", func(t *testing.T) { has(t, b.text(".head .button-primary"), "Invite") })
	t.Run("FP-07 an address and a role are enough; who is a member already is said", func(t *testing.T) {
		b.press(".head .button-primary", "#email")
		if n := b.count("main form .field"); n != 2 {
			t.Errorf("the form has %d fields", n)
		}
		b.fill("#email", "member@house.example", "#role", "viewer")
		b.press(save, "#email-error")
		has(t, b.text("#email-error"), "Member Person (member@house.example) is a user already")
		b.fill("#email", "new@house.example")
		b.press(save, ".notice-good")
		has(t, b.text("#people"), "new@house.example")
		b.refused()
		b.calm("inviting")
	})
	t.Run("FC-08 who may only look has no icons", func(t *testing.T) {
		h.enter(b, h.people["member"])
		b.goTo("/console/users")
		if n := b.count("#people .icon-button, #people .pick-role, #people input[type=checkbox], .head .button-primary"); n != 0 {
			t.Errorf("%d controls", n)
		}
	})
	t.Run("without scripts the role has a button of its own", func(t *testing.T) {
		b.run(emulation.SetScriptExecutionDisabled(true))
		h.enter(b, h.people["admin"])
		b.goTo("/console/users?q=member@")
		b.run(chromedp.SendKeys("td .pick-role select", "Viewer", chromedp.ByQuery))
		b.press("td .pick-role button", ".notice-good")
		if h.now(h.people["member"].ID).Roles[0].ID != "viewer" {
			t.Error("the role stayed")
		}
	})
}

// outsiders counts the people of a house who are in no tenant.
func outsiders(h *house) int {
	n := 0
	for _, u := range h.people {
		if u.TenantID == "" {
			n++
		}
	}
	return n
}
