package console_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// organisationReads returns the texts of all elements that a selector finds.
func organisationReads(b *screen, selector string) []string {
	b.t.Helper()
	var out []string
	b.run(chromedp.Evaluate(fmt.Sprintf(`Array.from(document.querySelectorAll(%q), (e) => e.innerText.trim().replace(/\s+/g, " "))`, selector), &out))
	return out
}

// organisationShows fails the test unless the page says every text.
func organisationShows(b *screen, texts ...string) {
	b.t.Helper()
	page := strings.Join(organisationReads(b, "main"), " ")
	for _, text := range texts {
		if !strings.Contains(page, text) {
			b.t.Errorf("the page does not say %q: %s", text, page)
		}
	}
}

// organisationLooks checks the page that is open as far as every page is checked: for everybody, at the width of a telephone, without a complaint of the browser.
func organisationLooks(b *screen, script, where string) {
	b.t.Helper()
	b.axe(script, where)
	var over int
	b.run(chromedp.EmulateViewport(390, 844), chromedp.Evaluate(`document.documentElement.scrollWidth - innerWidth`, &over), chromedp.EmulateViewport(1280, 800))
	if over > 0 {
		b.t.Errorf("%s scrolls sideways by %d at 390", where, over)
	}
	b.calm(where)
}

// organisationLands lets people wait to be placed, as a directory of the whole installation brings them.
func organisationLands(h *house, n int) {
	h.t.Helper()
	dir, _, err := h.prov.CreateDirectory(h.t.Context(), identity.Operator(), identity.Directory{Name: "Okta of the house", Dialect: identity.DialectOkta})
	if err != nil {
		h.t.Fatal(err)
	}
	h.push = identity.Actor{Kind: identity.ActorDirectory, ID: string(dir.ID), Label: dir.Name, Door: "scim"}
	for i := range n {
		h.land(h.t.Context(), fmt.Sprintf("waits%02d@house.example", i), fmt.Sprintf("Wanda Waiting %02d", i))
	}
}

func TestInABrowserTheOrganisationOfEtlworks(t *testing.T) {
	script := loadAxe(t)
	h := newHouse(t, "etlworks")
	organisationLands(h, 53)
	beta := must(h.prov.CreateTenant(t.Context(), identity.Operator(), "Beta Works"))(t)
	b := h.browse(h.root, "/console/placement")
	t.Run("ETL-39 the Super Admin moves somebody from SSO Landing to a tenant", func(t *testing.T) {
		organisationShows(b, "People in SSO Landing", "Wanda Waiting 52")
		organisationLooks(b, script, "/console/placement")
		b.run(
			chromedp.Click(`tbody input[name=user]`, chromedp.ByQuery), chromedp.SetValue("#tenant", string(beta.ID), chromedp.ByQuery), chromedp.SetValue("#role", "operator", chromedp.ByQuery),
			chromedp.Click(".bar .button-primary", chromedp.ByQuery), chromedp.WaitVisible("td.arrow", chromedp.ByQuery),
		)
		organisationShows(b, "Place 1 person?", "To Beta Works as Operator", "Nobody has to sign in again")
		organisationLooks(b, script, "the preview of a placement")
		b.run(chromedp.Click(".bar .button-primary", chromedp.ByQuery), chromedp.WaitVisible(".notice-good", chromedp.ByQuery))
		organisationShows(b, "Wanda Waiting 52", "Beta Works", "Operator")
	})
	t.Run("ETL-40 the same dialog gives a role that is valid there, and to everybody at once", func(t *testing.T) {
		b.goTo("/console/placement?q=wanda")
		var platform, tenant bool
		const change = `document.querySelector("#tenant").dispatchEvent(new Event("change", {bubbles: true}))`
		b.run(
			chromedp.SetValue("#tenant", string(beta.ID), chromedp.ByQuery), chromedp.Evaluate(change, nil), chromedp.Evaluate(`document.querySelector("#role optgroup[data-scope=platform]").disabled`, &platform),
			chromedp.SetValue("#tenant", "platform", chromedp.ByQuery), chromedp.Evaluate(change, nil), chromedp.Evaluate(`document.querySelector("#role optgroup[data-scope=tenant]").disabled`, &tenant),
		)
		if !platform || !tenant {
			t.Errorf("a role that cannot be held is offered: of the platform in a tenant %t, of a tenant above all %t", !platform, !tenant)
		}
		b.run(
			chromedp.SetValue("#tenant", string(beta.ID), chromedp.ByQuery), chromedp.Evaluate(change, nil), chromedp.SetValue("#role", "editor", chromedp.ByQuery),
			chromedp.Click("input[name=all]", chromedp.ByQuery), chromedp.Click(".bar .button-primary", chromedp.ByQuery), chromedp.WaitVisible(".tiles", chromedp.ByQuery),
		)
		organisationShows(b, "52 moved")
		organisationLooks(b, script, "the plan of a placement")
		b.run(chromedp.Click(`a[href$="/apply"], a[href$="/approve"]`, chromedp.ByQuery), chromedp.WaitVisible(".ask", chromedp.ByQuery))
	})
	t.Run("MIS-05 what was asked for goes on when the page is closed, and shows how far it is", func(t *testing.T) {
		b.run(chromedp.Evaluate(`(document.querySelector("#reason") || {}).value = "spring"`, nil), chromedp.Click(".ask button", chromedp.ByQuery), chromedp.WaitVisible(".tiles", chromedp.ByQuery))
		var held bool
		b.run(chromedp.Evaluate(`!!document.querySelector('a[href$="/apply"]')`, &held))
		if held { // it was approved first; carrying it out is a step of its own
			b.run(chromedp.Click(`a[href$="/apply"]`, chromedp.ByQuery), chromedp.WaitVisible(".ask", chromedp.ByQuery), chromedp.Click(".ask button", chromedp.ByQuery))
		}
		b.run(chromedp.WaitVisible("[data-live] progress", chromedp.ByQuery))
		organisationShows(b, "You can close this page")
		var plan string
		b.run(chromedp.Location(&plan), chromedp.Navigate("about:blank"))
		if _, err := h.prov.RunPlans(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.goTo(strings.TrimPrefix(plan, h.url))
		organisationShows(b, "52 rows done")
		b.goTo("/console/placement")
		organisationShows(b, "Nobody waits")
		organisationLooks(b, script, "an empty inbox")
	})
	group := must(h.prov.CreateGroup(t.Context(), h.push, identity.Group{DisplayName: "Sales"}, nil))(t)
	for _, path := range []string{"/console/tenants", "/console/tenants/" + string(beta.ID), "/console/tenants/" + string(beta.ID) + "/settings", "/console/groups", "/console/groups/" + string(group.ID), "/console/reviews"} {
		b.goTo(path)
		organisationLooks(b, script, path)
	}
}

func TestInABrowserTheOrganisationOfFentuFSM(t *testing.T) {
	script := loadAxe(t)
	h := newHouse(t, "fentu-fsm")
	north := must(h.prov.CreateUnit(t.Context(), identity.Operator(), identity.Unit{TenantID: h.home.ID, Name: "North"}))(t)
	name := "Tessa of the harbour"
	must(h.prov.PutRecord(t.Context(), identity.Operator(), provisioning.RecordKey{Tenant: h.home.ID, Type: "technician", ForeignID: "T-17"}, provisioning.RecordChange{Display: &name}))(t)
	b := h.browse(h.boss, "/console/records")
	entries := organisationReads(b, ".side-inner > .menu a")
	t.Run("FSM-70 the menu leads to profiles, technicians, system settings and the import", func(t *testing.T) {
		for _, want := range []string{"Profiles & Roles", "Technicians", "System Settings", "Import"} {
			if !slices.Contains(entries, want) {
				t.Errorf("the menu has %v, not %q", entries, want)
			}
		}
	})
	t.Run("FSM-29 Profiles & Roles is a page of the menu", func(t *testing.T) {
		b.run(chromedp.Click(`.side-inner > .menu a[href="/console/roles"]`, chromedp.ByQuery), chromedp.WaitVisible(`.menu a[href="/console/roles"][aria-current]`, chromedp.ByQuery))
		if got := organisationReads(b, "h1"); len(got) != 1 || got[0] != "Profiles & Roles" {
			t.Errorf("the page is called %v", got)
		}
	})
	t.Run("FSM-24 from a technician's record it is tied to a user account", func(t *testing.T) {
		b.goTo("/console/records")
		organisationLooks(b, script, "/console/records")
		b.run(chromedp.Click("a.row", chromedp.ByQuery), chromedp.SendKeys("main #q", "technician\n", chromedp.ByQuery), chromedp.WaitVisible(".sessions form button", chromedp.ByQuery))
		organisationShows(b, "Tessa of the harbour", "Link to user account", "Technician Person")
		organisationLooks(b, script, "a record")
		b.run(chromedp.Click(".sessions form button", chromedp.ByQuery), chromedp.WaitVisible(".notice-good", chromedp.ByQuery))
		organisationShows(b, "The record is tied to this person", "Technician Person", "Untie")
	})
	for _, path := range []string{"/console/units", "/console/units/" + string(north.ID), "/console/units/" + string(north.ID) + "/delete", "/console/types", "/console/types/technician", "/console/placement", "/console/tenants/" + string(h.home.ID)} {
		b.goTo(path)
		organisationLooks(b, script, path)
	}
}

func TestInABrowserTheMenuInTheModelsWords(t *testing.T) {
	t.Run("FOS-13 Security > System Users shows the list of system users", func(t *testing.T) {
		h := newHouse(t, "fintechos")
		b := h.browse(h.boss, "/console")
		var in string
		const entry = `.side-inner > .menu a[href="/console/users"]`
		b.run(chromedp.Evaluate(`document.querySelector('`+entry+`').closest("section").querySelector("h2").innerText`, &in), chromedp.Click(entry, chromedp.ByQuery), chromedp.WaitVisible(entry+"[aria-current]", chromedp.ByQuery))
		if got := organisationReads(b, entry); in != "Security" || got[0] != "System Users" {
			t.Errorf("the menu says %q > %q", in, got)
		}
		if got := organisationReads(b, "h1"); got[0] != "System Users" {
			t.Errorf("the page is called %q", got)
		}
		b.close()
	})
	t.Run("FC-71 related pages are at hand: the overview, and the profiles in which connection settings are marked as sensitive", func(t *testing.T) {
		h := newHouse(t, "fentu-connect")
		b := h.browse(h.boss, "/console/users")
		b.run(chromedp.Click(`.side-inner > .menu a[href="/console/roles"]`, chromedp.ByQuery), chromedp.WaitVisible(`.menu a[href="/console/roles"][aria-current]`, chromedp.ByQuery))
		var overview string
		b.run(chromedp.AttributeValue("a.brand", "href", &overview, nil, chromedp.ByQuery))
		if got := organisationReads(b, "h1"); got[0] != "Profiles" || overview != "/console" {
			t.Errorf("the page is called %q, the overview is at %q", got, overview)
		}
		b.goTo("/console/access/matrix")
		row := `Array.from(document.querySelectorAll("th[scope=row]"), (e) => e.innerText.trim().replace(/\s+/g, " ")).find((s) => s.startsWith("Connection Config"))`
		var sensitive string
		b.run(chromedp.Evaluate(row, &sensitive))
		if !strings.Contains(strings.ToLower(sensitive), "sensitive") {
			t.Errorf("Connection Config is shown as %q", sensitive)
		}
	})
}

func TestInABrowserTheWayInOfFluentPro(t *testing.T) {
	script := loadAxe(t)
	db := storetest.SQLite(t)
	h := houseOn(t, db, "fluentpro-backup")
	for name, made := range map[string]string{"Microsoft": "entra-oidc", "Google": "google-oidc"} {
		must(h.prov.CreateConnection(t.Context(), identity.Operator(), identity.Connection{
			Name: name, Kind: identity.OIDC, Enabled: true, Domains: []string{strings.ToLower(name) + ".example"}, Options: identity.ConnectionOptions{Provider: made},
			OIDC: identity.OIDCSettings{Issuer: "https://idp.example", ClientID: "c", ClientSecret: "s"},
		}))(t)
	}
	b := h.browse(h.boss, "/console")
	t.Run("FP-04 the gear in the upper right corner leads to User Management", func(t *testing.T) {
		var right, top float64
		b.run(
			chromedp.Evaluate(`innerWidth - document.querySelector(".gear summary").getBoundingClientRect().right`, &right), chromedp.Evaluate(`document.querySelector(".gear summary").getBoundingClientRect().top`, &top),
			chromedp.Click(".gear summary", chromedp.ByQuery), chromedp.WaitVisible(".gear .menu", chromedp.ByQuery),
		)
		if right > 60 || top > 60 {
			t.Errorf("the gear is %.0f from the right and %.0f from the top", right, top)
		}
		organisationLooks(b, script, "the gear")
		b.run(chromedp.Click(`.gear a[href="/console/users"]`, chromedp.ByQuery), chromedp.WaitReady(`.gear a[href="/console/users"][aria-current]`, chromedp.ByQuery))
		if got := organisationReads(b, "h1"); got[0] != "User Management" {
			t.Errorf("the page is called %q", got)
		}
	})
	b.close()
	guest := open(t, h.url)
	t.Run("FP-29 the page of the sign-in has Microsoft, Google and e-mail", func(t *testing.T) {
		guest.goTo("/signin")
		organisationShows(guest, "Sign in with Microsoft", "Sign in with Google", "Continue with e-mail")
		organisationLooks(guest, script, "/signin")
	})
	t.Run("FP-28 whoever is invited gives a first and a last name, and completes", func(t *testing.T) {
		m := &mailbox{h.site, db}
		m.invite("zoe@microsoft.example", "member")
		guest.goTo(m.link("zoe@microsoft.example"))
		organisationLooks(guest, script, "the page of an invitation")
		if got := organisationReads(guest, "form label"); !slices.Equal(got, []string{"First name", "Last name"}) {
			t.Errorf("it asks for %q", got)
		}
		if got := organisationReads(guest, "form button"); !slices.Equal(got, []string{"Complete"}) {
			t.Errorf("the button says %q", got)
		}
		guest.run(
			chromedp.SendKeys("#first_name", "Zoe", chromedp.ByQuery), chromedp.SendKeys("#last_name", "Quill", chromedp.ByQuery), chromedp.Click("form button", chromedp.ByQuery),
			chromedp.WaitVisible(".notice-good", chromedp.ByQuery),
		)
		organisationShows(guest, "you have joined", "Zoe")
		guest.calm("joining")
	})
}
