package console_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

func TestInABrowserPeopleOfTheConnectorModel(t *testing.T) {
	p := personHouse(t, "fentu-connect")
	nora := p.hired("Nora Lind", "viewer")
	t.Run("FC-61 the page shows profile and rights, and the profile is changed or cloned", func(t *testing.T) {
		p.at(nora, "")
		p.reads(t, "Profiles, and why", "Viewer", "Given by hand", "Another profile")
		p.sound("overview")
		p.at(nora, "?tab=access")
		p.reads(t, "Home", "read-only", "Connection Config", "sensitive", "Given by hand, by operator")
		p.sound("access")
		p.at(nora, "")
		p.run(chromedp.SetValue("#give-role", "integration_manager", chromedp.ByQuery), chromedp.SendKeys("#give-reason", "moves up", chromedp.ByQuery))
		p.press("#roles form.inline .button", ".ask")
		p.reads(t, "This grants what is sensitive", "Connection Config: view, edit")
		p.sound("sensitive role")
		p.press(".ask .button-primary", ".notice-good")
		p.reads(t, "Integration Manager", "moves up")
		p.press(`#roles a[href*="/roles/copy"]`, "#title")
		p.run(chromedp.SetValue("#role", "viewer", chromedp.ByQuery), chromedp.SendKeys("#title", "Viewer of Nora", chromedp.ByQuery))
		p.press(".form .button-primary", "#roles")
		p.reads(t, "Viewer of Nora")
		if roles := p.h.now(nora.ID).Roles; len(roles) != 1 || roles[0].Title != "Viewer of Nora" {
			t.Errorf("after cloning the profile is %+v", roles)
		}
	})
	t.Run("FC-20 the dialog names the user and what ends, and needs a second click", func(t *testing.T) {
		p.at(nora, "")
		p.press(".drop summary", ".drop .danger")
		p.press(".drop .danger", ".ask")
		p.reads(t, "Delete Nora Lind?", "nora.lind@house.example", "It cannot be undone", "Deactivate instead")
		if p.h.now(nora.ID).DeletedAt != nil {
			t.Error("one click deleted somebody")
		}
		p.sound("delete")
	})
	t.Run("FC-22 the dialog offers to deactivate, and that can be undone", func(t *testing.T) {
		before := p.h.now(nora.ID)
		p.press(".ask .notice a", ".button-danger")
		p.run(chromedp.SendKeys("#reason", "parental leave", chromedp.ByQuery))
		p.press(".button-danger", ".notice-warn")
		p.reads(t, "Nora Lind cannot come in", "deactivated the account", "parental leave")
		p.press(`a[href$="/activate"]`, ".ask")
		p.reads(t, "Reactivate Nora Lind?", "roles, links and history are as they were")
		p.press(".ask .button-primary", ".notice-good")
		if now := p.h.now(nora.ID); !now.Enabled || now.TenantID != before.TenantID || len(now.Roles) != 1 || now.Roles[0].ID != before.Roles[0].ID {
			t.Errorf("reactivated as %+v, was %+v", now, before)
		}
	})
	t.Run("FC-20 the second click deletes for good", func(t *testing.T) {
		p.at(nora, "/delete")
		p.press(".ask form .button-danger", ".notice-good")
		if _, err := p.h.prov.User(t.Context(), identity.Operator(), nora.ID); identity.KindOf(err) != identity.NotFound {
			t.Errorf("the user is still there: %v", err)
		}
	})
	p.calm("fentu-connect")
}

func TestInABrowserPeopleOfTheFieldServiceModel(t *testing.T) {
	p := personHouse(t, "fentu-fsm")
	theo := p.hired("Theo Brandt", "technician")
	ida := p.hired("Ida Moen", "technician")
	t.Run("FSM-37 FSM-41 a locked account says so, and Unlock clears the lock", func(t *testing.T) {
		p.lock(theo)
		p.at(theo, "")
		p.reads(t, "Locked", "the account is locked since", "wrong passwords")
		p.sound("locked")
		p.press(`form[action$="/unlock"] button`, ".notice-good")
		if now := p.h.now(theo.ID); now.LockedAt != nil || now.Status() == identity.StatusLocked {
			t.Errorf("still %s", now.Status())
		}
		p.reads(t, "Unlocked")
		p.lacks(t, `form[action$="/unlock"]`)
	})
	t.Run("FSM-07 the dialog for a new password unlocks too", func(t *testing.T) {
		p.lock(theo)
		p.at(theo, "/password")
		p.reads(t, "A link by mail", "A temporary password", "Also unlock the account")
		p.sound("password")
		p.run(chromedp.Click(`input[value=temporary]`, chromedp.ByQuery))
		p.press(".ask .button-primary", ".secret code")
		p.reads(t, "It is shown this once")
		if now := p.h.now(theo.ID); now.LockedAt != nil {
			t.Error("the lock is still there")
		}
	})
	t.Run("FSM-24 a technician record is linked from the page of the person", func(t *testing.T) {
		name := "Van 7"
		must(p.h.prov.PutRecord(t.Context(), identity.Operator(), provisioning.RecordKey{Tenant: p.h.home.ID, Type: "technician", ForeignID: "T-7"}, provisioning.RecordChange{Display: &name}))(t)
		p.at(theo, "")
		p.reads(t, "Records of applications", "None is linked")
		p.press(`a[href$="/records/new"]`, `input[name=record]`)
		p.run(chromedp.Click(`input[value="T-7"]`, chromedp.ByQuery))
		p.press(".form .button-primary", ".notice-good")
		p.reads(t, "Van 7", "Technician T-7")
		if d := must(p.h.prov.UserDetail(t.Context(), identity.Operator(), theo.ID))(t); len(d.Records) != 1 {
			t.Errorf("%d records are linked", len(d.Records))
		}
	})
	t.Run("FSM-68 open work is handed over in the dialog that deactivates", func(t *testing.T) {
		must(p.h.prov.PutHolding(t.Context(), identity.Operator(), identity.Holding{HoldingKey: identity.HoldingKey{Kind: identity.OpenTask, ForeignID: "WO-1"}, Display: "Pump in Ås", UserID: theo.ID}))(t)
		clicks := 0
		click := func(selector, then string) { p.t.Helper(); clicks++; p.press(selector, then) }
		p.goTo("/console")
		click(`.menu a[href="/console/users"]`, "table")
		click(`a.row[href$="`+string(theo.ID)+`"]`, ".timeline")
		click(`.actions a[href$="/deactivate"]`, ".ask")
		p.reads(t, "Pump in Ås", "has to do it", "Who takes over", "Open work has to be handed over")
		p.sound("deactivate")
		p.run(chromedp.SendKeys("#successor", ida.Email(), chromedp.ByQuery), chromedp.SendKeys("#reason", "leaves the company", chromedp.ByQuery))
		click(".ask .button-danger", ".notice-good")
		p.reads(t, "Pump in Ås", "asked for", "Ida Moen")
		if p.h.now(theo.ID).Enabled {
			t.Error("the leaver may still come in")
		}
		t.Logf("a leaver is out after %d clicks", clicks)
		if clicks > 6 {
			t.Errorf("%d clicks", clicks)
		}
	})
	t.Run("FSM-40 inactive is derived, and Reactivate lets the person in again", func(t *testing.T) {
		p.at(theo, "")
		p.reads(t, "Inactive", "cannot come in", "leaves the company")
		p.press(`a[href$="/activate"]`, ".ask")
		p.press(".ask .button-primary", ".notice-good")
		if !p.h.now(theo.ID).Enabled {
			t.Error("the person is still out")
		}
	})
	t.Run("a forged form of somebody who may only read is refused", func(t *testing.T) {
		at := "/console/users/" + string(ida.ID)
		for _, path := range []string{"/deactivate", "/unlock", "/password", "/roles", "/roles/technician/remove", "/delete", "/restore", "/records", "/keys", "/demand", "/sessions/end", "/dates", "/merge"} {
			p.refusesForged(t, p.h.people["read_only"], at+path)
		}
		if now := p.h.now(ida.ID); !now.Enabled || now.Roles[0].ID != "technician" || now.Version != ida.Version {
			t.Errorf("the forged forms changed %+v", now)
		}
	})
	p.calm("fentu-fsm")
}

func TestInABrowserPeopleOfTheIntegrationModel(t *testing.T) {
	p := personHouse(t, "etlworks")
	eve := p.hired("Eve Marsh", "editor")
	t.Run("ETL-09 people are deactivated, and deleting is not offered", func(t *testing.T) {
		p.at(eve, "")
		p.reads(t, "Deactivate")
		p.lacks(t, `main a[href$="/delete"]`)
		p.refusesForged(t, p.h.boss, "/console/users/"+string(eve.ID)+"/delete")
		p.at(eve, "/deactivate")
		p.reads(t, "Deactivate Eve Marsh?", "You can reactivate this person at any time")
	})
	t.Run("ETL-31 a key is generated, and the next one replaces it", func(t *testing.T) {
		p.at(eve, "")
		p.press(`#keys-of-programs a[href$="/keys/new"]`, "#name")
		p.run(chromedp.SendKeys("#name", "Nightly load", chromedp.ByQuery))
		p.press(".ask .button-primary", ".secret code")
		first := p.secret()
		p.sound("key")
		p.at(eve, "")
		p.press(`a[href*="replaces="]`, ".ask")
		p.reads(t, "Replace the key Nightly load?", "is dead from then on")
		p.sound("replace key")
		p.press(".ask .button-danger", ".secret code")
		second := p.secret()
		if _, err := p.h.authn.CheckKey(t.Context(), first, "203.0.113.9"); err == nil {
			t.Error("the old key still works")
		}
		if _, err := p.h.authn.CheckKey(t.Context(), second, "203.0.113.9"); err != nil {
			t.Errorf("the new key does not work: %v", err)
		}
	})
	t.Run("ETL-34 the key is shown and hidden again, and each look is written down", func(t *testing.T) {
		p.at(eve, "")
		p.lacks(t, ".secret")
		p.press(`#keys-of-programs form[action$="/show"] button`, ".secret code")
		if secret := p.secret(); len(secret) < 40 {
			t.Errorf("what is shown is %q", secret)
		}
		p.run(chromedp.Click(`#keys-of-programs a[data-hx-get]`, chromedp.ByQuery), chromedp.WaitNotPresent(".secret", chromedp.ByQuery))
		seen := must(p.h.prov.Events(t.Context(), identity.Operator(), provisioning.EventQuery{UserID: eve.ID, Type: identity.APIKeyRevealed, Limit: 5}))(t)
		if len(seen.Items) != 1 {
			t.Errorf("%d looks are written down", len(seen.Items))
		}
	})
	t.Run("ETL-33 a button copies the key and says so", func(t *testing.T) {
		p.press(`#keys-of-programs form[action$="/show"] button`, ".secret .copy")
		var said string
		p.run(chromedp.Click(".secret .copy", chromedp.ByQuery), chromedp.WaitVisible(".secret .copy.done", chromedp.ByQuery), chromedp.Text(".secret .copy", &said, chromedp.ByQuery))
		if said != "Copied" && said != "Press Ctrl+C" {
			t.Errorf("the button says %q", said)
		}
	})
	t.Run("ETL-10 the page has details, role, key, sessions and what happened", func(t *testing.T) {
		if _, _, err := p.h.authn.StartSession(t.Context(), eve, identity.Session{ConnectionID: p.h.door, UserAgent: "Mozilla/5.0 (X11; Linux) Firefox/1", Upstream: identity.Upstream{AMR: []string{"mfa"}}}, ""); err != nil {
			t.Fatal(err)
		}
		p.at(eve, "")
		p.reads(t, "Details", "eve.marsh@house.example", "Editor", "API key", "Nightly load", "Signed in now", "Firefox on Linux", "What happened", "Created")
		p.sound("overview")
	})
	t.Run("ETL-32 revoking ends the key at once", func(t *testing.T) {
		p.press(`#keys-of-programs form[action$="/show"] button`, ".secret code")
		secret := p.secret()
		p.press(`#keys-of-programs a[href$="/revoke"]`, ".ask")
		p.reads(t, "Revoke the key Nightly load?")
		p.press(".ask .button-danger", ".notice-good")
		p.reads(t, "The key was revoked")
		if _, err := p.h.authn.CheckKey(t.Context(), secret, "203.0.113.9"); err == nil {
			t.Error("the revoked key still works")
		}
	})
	p.calm("etlworks")
}

func TestInABrowserPeopleOfTheBankingModel(t *testing.T) {
	p := personHouse(t, "fintechos")
	olga := p.hired("Olga Prins", "officer")
	t.Run("FOS-03 FOS-32 a role is given and taken away in one click each", func(t *testing.T) {
		clicks := 0
		click := func(selector, then string) { p.t.Helper(); clicks++; p.press(selector, then) }
		p.goTo("/console")
		click(`.menu a[href="/console/users"]`, "table")
		click(`a.row[href*="`+string(olga.ID)+`"]`, "#roles")
		p.run(chromedp.SetValue("#give-role", "auditor", chromedp.ByQuery), chromedp.SendKeys("#give-reason", "year end", chromedp.ByQuery))
		click("#roles form.inline .button", ".notice-good")
		p.reads(t, "Auditor", "Given by hand, by User Management Person", "year end")
		click(`#roles a[href$="tab=access"]`, ".grants")
		p.reads(t, "Entity records", "Auditor", "year end", "everybody")
		t.Logf("a role is given, and its reason seen, after %d clicks", clicks)
		if clicks > 6 {
			t.Errorf("%d clicks", clicks)
		}
		p.at(olga, "")
		p.press(`form[action$="/roles/auditor/remove"] button`, ".notice-good")
		if roles := p.h.now(olga.ID).Roles; len(roles) != 1 || roles[0].ID != "officer" {
			t.Errorf("the roles are %+v", roles)
		}
	})
	t.Run("FOS-23 the section Security Roles has Insert existing with a choice of roles", func(t *testing.T) {
		p.reads(t, "Security Roles, and why", "One more role", "Insert existing")
		var offered string
		p.run(chromedp.Text("#give-role", &offered, chromedp.ByQuery))
		if !strings.Contains(offered, "Own records") || strings.Contains(offered, "Officer") {
			t.Errorf("what is offered is %q", offered)
		}
		p.sound("overview")
	})
	t.Run("FOS-33 Unlock is there while the account is locked, and only then", func(t *testing.T) {
		p.lacks(t, `form[action$="/unlock"]`)
		p.lock(olga)
		p.at(olga, "")
		p.press(`form[action$="/unlock"] button`, ".notice-good")
		p.lacks(t, `form[action$="/unlock"]`)
	})
	t.Run("FOS-28 FOS-31 the page to edit has details and roles, and the user name cannot be changed", func(t *testing.T) {
		p.at(olga, "/edit")
		p.reads(t, "Olga Prins", "User name", "olga.prins@house.example", "Security Roles, and why", "Insert existing")
		p.lacks(t, `input[name=username]`)
		p.sound("edit")
	})
	t.Run("FOS-22 Save and reload keeps the record open", func(t *testing.T) {
		p.run(chromedp.SetValue("#displayname", "Olga Prins-Smit", chromedp.ByQuery))
		p.press(p.button("Save and reload"), ".notice-good")
		p.reads(t, "Edit Olga Prins-Smit")
	})
	t.Run("FOS-26 FOS-30 Save and close returns to the list", func(t *testing.T) {
		p.press(p.button("Save and close"), "th.sorts") // the list: the form has a table too
		var title string
		p.run(chromedp.Text("h1", &title, chromedp.ByQuery))
		if title != "System Users" {
			t.Errorf("the page is %q", title)
		}
	})
	p.calm("fintechos")
}

func TestInABrowserPeopleOfTheBackupModel(t *testing.T) {
	p := personHouse(t, "fluentpro-backup")
	founder := p.hired("Frida Berg", "admin")
	if _, err := p.h.prov.TransferOwnership(t.Context(), identity.Operator(), provisioning.Ownership{Tenant: p.h.home.ID, User: founder.ID, Reason: "registered the tenant"}); err != nil {
		t.Fatal(err)
	}
	t.Run("FP-05 the owner's page has nothing to delete, and a forged form is refused", func(t *testing.T) {
		p.at(founder, "")
		p.reads(t, "Frida Berg", "Owner", "The role of an owner changes only when the platform hands the tenant to somebody else")
		p.lacks(t, `main a[href$="/delete"]`)
		p.lacks(t, `main a[href$="/deactivate"]`)
		p.sound("owner")
		for _, path := range []string{"/delete", "/deactivate"} {
			p.refusesForged(t, p.h.boss, "/console/users/"+string(founder.ID)+path)
		}
		if now := p.h.now(founder.ID); !now.Enabled || now.Roles[0].ID != "owner" {
			t.Errorf("the owner is %+v", now)
		}
	})
	t.Run("FP-05 somebody who is no owner can be removed", func(t *testing.T) {
		p.at(p.h.people["viewer"], "/delete")
		p.reads(t, "Remove Viewer Person from the tenant?")
		p.sound("remove")
	})
	p.calm("fluentpro-backup")
}
