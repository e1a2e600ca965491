package console_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/drawbridge-id/drawbridge/identity"
)

// importFile is a list with a column that nobody can guess, somebody who is there, somebody new and somebody who cannot be.
const importFile = "E-Mail;Login;Vorname;Nachname;Org-Schlüssel;Rolle\n" +
	"nora@house.example;nora;Nora;Neu;4711;dispatcher\n" +
	"technician@house.example;technician@house.example;;;4712;technician\n" +
	"no address;wrong;Wrong;Address;4713;technician\n"

func TestInABrowserFentuFSMImports(t *testing.T) {
	script := loadAxe(t)
	h := newHouse(t, "fentu-fsm")
	h.inBackground(t)
	b := h.browse(h.boss, "/console/users")
	t.Run("FSM-48 there is an Import page with its history", func(t *testing.T) {
		var entry, title, text string
		b.run(chromedp.Text(`.side-inner > .menu a[href="/console/imports"] span`, &entry), chromedp.Click(`.side-inner > .menu a[href="/console/imports"]`), chromedp.WaitVisible(".empty"), chromedp.Text("h1", &title), chromedp.Text(".empty", &text))
		if entry != "Import" || title != "Import" || !strings.Contains(text, "Nothing was imported yet") {
			t.Errorf("the menu says %q, the page %q: %s", entry, title, text)
		}
		b.axe(script, "an empty history")
	})
	t.Run("FSM-47 a template is a CSV or XLSX file", func(t *testing.T) {
		b.run(chromedp.Click(`.head a[href="/console/imports/new"]`), chromedp.WaitVisible("#file"))
		for format, start := range map[string]string{"csv": "userName,email,", "xlsx": "PK"} {
			var head, accepts string
			b.run(
				chromedp.Evaluate(`fetch(document.querySelector('a[href="/console/imports/template/`+format+`"]').href).then((r) => r.text()).then((s) => s.replace(/^\ufeff/, "").slice(0, 15))`, &head, awaitPromise),
				chromedp.Evaluate(`document.querySelector("#file").accept`, &accepts),
			)
			if !strings.HasPrefix(head, start) || !strings.Contains(accepts, "."+format) {
				t.Errorf("the template as %s begins with %q; the field takes %s", format, head, accepts)
			}
		}
		b.axe(script, "a new import")
	})
	bring := func() {
		b.goTo("/console/imports/new")
		b.run(chromedp.SendKeys("#source", "hr"), chromedp.SetUploadFiles("#file", []string{listFile(t, importFile)}), chromedp.Click("form.stack .button-primary"), chromedp.WaitVisible("table.columns-of-file"))
	}
	chosen := func() (list []string) {
		b.run(chromedp.Evaluate(`Array.from(document.querySelectorAll("select[name^=field-]")).map((s) => s.value)`, &list))
		return list
	}
	t.Run("FSM-49 columns are suggested, can be chosen, and are remembered for the source", func(t *testing.T) {
		bring()
		if got := strings.Join(chosen(), " "); got != "email userName givenName familyName  role" {
			t.Errorf("the columns are suggested as %q", got)
		}
		b.axe(script, "the columns")
		b.run(chromedp.SetValue("select[name=field-4]", "employeeNumber"), chromedp.Click("input[name=welcome][value=none]"), chromedp.Click(".bar .button-primary"), chromedp.WaitVisible(".tiles"))
	})
	t.Run("FSM-50 the plan says of each row what happens and why, nothing is written before it is confirmed, and that plan is applied", func(t *testing.T) {
		var tiles, rows, plan, state string
		b.run(chromedp.Text(".tiles", &tiles), chromedp.Text("table.plan-steps", &rows), chromedp.Location(&plan))
		for _, want := range []string{"nora", "New", "dispatcher", "employee number", "4712", "Change", "Not usable", "address"} {
			if !strings.Contains(strings.ToLower(rows), strings.ToLower(want)) {
				t.Errorf("the plan does not say %q: %s", want, rows)
			}
		}
		h.nobody(t, "nora@house.example")
		b.axe(script, "a plan")
		b.run(chromedp.Click(`.head a[href$="/apply"]`), chromedp.WaitVisible(".ask"))
		h.nobody(t, "nora@house.example")
		var after string
		b.run(chromedp.Click(".ask .button-primary"), chromedp.WaitVisible(".status-applied"), chromedp.Location(&after))
		if plain, _, _ := strings.Cut(after, "?"); plain != strings.SplitN(plan, "?", 2)[0] {
			t.Errorf("%s was applied, not %s", after, plan)
		}
		h.somebody(t, "nora@house.example")
		b.goTo("/console/imports")
		b.run(chromedp.Text("table", &state))
		if !strings.Contains(state, "Applied") || !strings.Contains(state, "1 new, 1 changed, 1 not usable") {
			t.Errorf("the history says %s", state)
		}
		b.axe(script, "the history")
		bring()
		if got := strings.Join(chosen(), " "); got != "email userName givenName familyName employeeNumber role" {
			t.Errorf("the columns of the next file are %q", got)
		}
		b.calm("importing")
	})
}

func TestInABrowserEtlworksAdministersFromTheConsole(t *testing.T) {
	h := newHouse(t, "etlworks")
	b := h.browse(h.boss, "/console")
	t.Run("MIS-08 people are imported and exported in bulk and the audit is read in the console, by administrators", func(t *testing.T) {
		var links, file string
		b.run(chromedp.Evaluate(`Array.from(document.querySelectorAll(".side-inner > .menu a")).map((a) => a.getAttribute("href")).join(" ")`, &links))
		for _, want := range []string{"/console/users", "/console/imports", "/console/exports/users", "/console/events", "/console/statistics"} {
			if !strings.Contains(" "+links+" ", " "+want+" ") {
				t.Errorf("the menu has no %s: %s", want, links)
			}
		}
		b.goTo("/console/exports/users?q=viewer")
		var text string
		b.run(chromedp.Text("main", &text), chromedp.Evaluate(`fetch("/console/exports/users", {method: "POST", body: new URLSearchParams(new FormData(document.querySelector("form.stack")))}).then((r) => r.text())`, &file, awaitPromise))
		if !strings.Contains(text, "1 row of now") || !strings.Contains(file, "viewer@house.example") || strings.Contains(file, "editor@house.example") {
			t.Errorf("the page says %s; the file is %s", text, file)
		}
		b.goTo("/console/events?type=users.exported")
		b.run(chromedp.Text("table.audit", &text))
		if !strings.Contains(text, "Users exported") || !strings.Contains(text, "search viewer") {
			t.Errorf("the audit says %s", text)
		}
		b.goTo("/console/imports/new")
		b.run(chromedp.WaitVisible("#file"))
		b.calm("administering")
		for _, role := range []identity.RoleID{"editor", "viewer"} {
			h.enter(b, h.people[role])
			for _, path := range []string{"/console/imports", "/console/exports/users", "/console/exports/audit", "/console/events", "/console/uploads"} {
				b.goTo(path)
				b.run(chromedp.Text("main", &text))
				if !strings.Contains(text, "Your role does not include this page") {
					t.Errorf("%s reads %s: %s", role, path, text)
				}
			}
		}
	})
}
