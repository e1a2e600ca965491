package console_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// peopleNames are the names in the list, from the top.
const peopleNames = `Array.from(document.querySelectorAll("#people .row")).map((a) => a.textContent)`

// names reads the names in the list that is open.
func (s *screen) names() []string {
	s.t.Helper()
	var out []string
	s.run(chromedp.Evaluate(peopleNames, &out))
	return out
}

// text is what a reader sees of an element.
func (s *screen) text(selector string) string {
	s.t.Helper()
	var out string
	s.run(chromedp.Text(selector, &out, chromedp.ByQuery))
	return strings.Join(strings.Fields(out), " ")
}

// count counts the elements of a page.
func (s *screen) count(selector string) int {
	s.t.Helper()
	var n int
	s.run(chromedp.Evaluate("document.querySelectorAll(`"+selector+"`).length", &n))
	return n
}

// at is the address of the page that is open, without the origin.
func (s *screen) at() string {
	s.t.Helper()
	var out string
	s.run(chromedp.Location(&out))
	return strings.TrimPrefix(out, s.url)
}

// refused forgets what the browser said about forms that were refused: that is what their pages are for.
func (s *screen) refused() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = slices.DeleteFunc(s.faults, func(fault string) bool { return strings.Contains(fault, "the server responded with a status of 4") })
}

// narrow ends the test when the page that is open is wider than a telephone.
func (s *screen) narrow(where string) {
	s.t.Helper()
	var wide bool
	s.run(chromedp.EmulateViewport(390, 844), chromedp.Evaluate(`document.documentElement.scrollWidth > innerWidth`, &wide), chromedp.EmulateViewport(1280, 800))
	if wide {
		s.t.Errorf("%s is wider than a telephone", where)
	}
}

// fill types into the fields of a form, in place of what is there, and chooses in its selects.
func (s *screen) fill(pairs ...string) {
	s.t.Helper()
	for i := 0; i+1 < len(pairs); i += 2 {
		s.run(chromedp.SetValue(pairs[i], pairs[i+1], chromedp.ByQuery))
	}
}

// press presses a button and waits for what comes of it.
func (s *screen) press(button, then string) {
	s.t.Helper()
	s.run(chromedp.Click(button, chromedp.ByQuery), chromedp.WaitVisible(then, chromedp.ByQuery))
}

// has ends the test unless a text has every one.
func has(t *testing.T, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in %q", want, text)
		}
	}
}

// picture writes a small picture into a file.
func picture(t *testing.T) string {
	t.Helper()
	drawn := image.NewRGBA(image.Rect(0, 0, 40, 30))
	for x := range 40 {
		drawn.Set(x, 15, color.RGBA{200, 30, 30, 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, drawn); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "picture.png")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// found returns somebody by the user name, as the database has them.
func (h *house) found(name string) (identity.User, bool) {
	h.t.Helper()
	page := must(h.prov.Users(h.t.Context(), identity.Operator(), identity.Query{Search: name, Limit: 5}))(h.t)
	for _, u := range page.Items {
		if u.UserName == name {
			return u, true
		}
	}
	return identity.User{}, false
}

func (h *house) find(name string) identity.User {
	h.t.Helper()
	u, ok := h.found(name)
	if !ok {
		h.t.Fatalf("there is no %s", name)
	}
	return u
}

const save = "main form button.button-primary"

func TestInABrowserPeopleOfFentuConnect(t *testing.T) {
	script := loadAxe(t)
	h := newHouse(t, "fentu-connect")
	out := must(h.hire("zoe@house.example", "Zoe Gone", h.home.ID, "viewer"))(t)
	must(h.prov.DeactivateUser(t.Context(), identity.Operator(), out.ID, "left"))(t)
	b := h.browse(h.boss, "/console/users")
	t.Run("FC-04 the page lists everybody, those who may not come in with their status", func(t *testing.T) {
		names := b.names()
		if len(names) != 5 || !slices.Contains(names, "Zoe Gone") || b.text(".status-inactive") != "Inactive" {
			t.Errorf("the list has %q", names)
		}
		b.axe(script, "the list of people")
		b.narrow("the list of people")
		b.run(chromedp.SendKeys("#q", "zoe", chromedp.ByQuery), chromedp.WaitNotPresent(`//a[text()="Viewer Person"]`))
		if names, at := b.names(), b.at(); !slices.Equal(names, []string{"Zoe Gone"}) || at != "/console/users?q=zoe" {
			t.Errorf("typing leaves %q at %s", names, at)
		}
		b.goTo("/console/users")
		b.run(chromedp.SetValue("#status", "Inactive", chromedp.ByQuery), chromedp.WaitNotPresent(`//a[text()="Viewer Person"]`))
		b.calm("narrowing the list")
	})
	t.Run("FC-05 the column Avatar has a picture of everybody, of initials where there is none", func(t *testing.T) {
		b.goTo("/console/users")
		if n := b.count(`#people td.face img.avatar[src^="/users/"]`); n != 5 {
			t.Errorf("%d pictures", n)
		}
		b.run(chromedp.Poll(`document.querySelector("#people img.avatar").naturalWidth > 0`, nil))
	})
	t.Run("FC-06 the column Name sorts", func(t *testing.T) {
		b.press(`th.sorts:nth-of-type(3) a`, `th[aria-sort=ascending]`)
		up := b.names()
		b.press(`th[aria-sort=ascending] a`, `th[aria-sort=descending]`)
		down := b.names()
		slices.Reverse(down)
		if !slices.IsSorted(up) || !slices.Equal(up, down) || b.at() != "/console/users?sort=-name" {
			t.Errorf("%q, turned round %q at %s", up, down, b.at())
		}
	})
	t.Run("FC-08 each row has an icon to edit and one to delete", func(t *testing.T) {
		if edits, deletes := b.count(`td.acts a[href$="/edit"]`), b.count(`td.acts a[href$="/delete"]`); edits != 5 || deletes != 4 {
			t.Errorf("%d pencils and %d bins; nobody deletes themselves", edits, deletes)
		}
	})
	t.Run("FC-09 the button New opens the form", func(t *testing.T) {
		if word := b.text(".head .button-primary"); word != "New" {
			t.Errorf("it is called %q", word)
		}
		b.press(".head .button-primary", "#displayname")
		b.axe(script, "the form of somebody new")
		b.narrow("the form of somebody new")
	})
	fentuForms(t, h, b)
}

// fentuForms goes on in the form of somebody new.
func fentuForms(t *testing.T, h *house, b *screen) {
	t.Run("FC-60 the profile is chosen on the form", func(t *testing.T) {
		has(t, b.text(`label[for=role]`), "Profile")
		if n := b.count("#role option"); n != 5 {
			t.Errorf("%d choices", n)
		}
	})
	t.Run("FC-16 the address should be one of the business; one that everybody gets is warned of", func(t *testing.T) {
		has(t, b.text("#email-help"), "Use the business address")
		b.fill("#displayname", "Nina New", "#email", "nina@gmail.com", "#role", "viewer", "#password", "a long enough bridge 7", "#confirm_password", "a long enough bridge 7")
		b.press(save, ".notice-warn")
		has(t, b.text(".notice-warn"), "At gmail.com everybody gets an address")
		has(t, b.text(save), "Save anyway")
		if _, there := h.found("nina@gmail.com"); there {
			t.Error("it was saved before the warning was read")
		}
	})
	t.Run("FC-14 the repeated password must be the same", func(t *testing.T) {
		b.fill("#email", "nina@house.example", "#password", "a long enough bridge 7", "#confirm_password", "another")
		b.press(save, "#confirm-error")
		has(t, b.text("#confirm-error"), "not the same")
	})
	t.Run("FC-10 what is wrong stands at its field, nothing is lost and nothing written; Save waits for the answer", func(t *testing.T) {
		b.fill("#email", "VIEWER@house.example", "#password", "a long enough bridge 7", "#confirm_password", "a long enough bridge 7")
		b.press(save, "#email-error")
		var name, role string
		b.run(chromedp.Value("#displayname", &name, chromedp.ByQuery), chromedp.Value("#role", &role, chromedp.ByQuery))
		if name != "Nina New" || role != "viewer" {
			t.Errorf("it has %q and %q", name, role)
		}
		var waits bool
		b.run(chromedp.Evaluate(`new Promise((done) => { const f = document.querySelector("form[data-once]"); f.addEventListener("submit", (e) => e.preventDefault(), {once: true});
			f.dispatchEvent(new SubmitEvent("submit", {bubbles: true, cancelable: true})); setTimeout(() => done(f.querySelector("button.button-primary").disabled)); })`, &waits, awaitPromise))
		if !waits {
			t.Error("the button can be pressed twice")
		}
	})
	t.Run("FC-07 the address is what people sign in with: nobody else has it, in any case", func(t *testing.T) {
		has(t, b.text("#email-help"), "People sign in with it")
		has(t, b.text("#email-error"), "has the e-mail address VIEWER@house.example already")
	})
	t.Run("FC-15 a picture can be chosen", func(t *testing.T) {
		b.goTo("/console/users/new")
		b.run(chromedp.SetUploadFiles("#avatar", []string{picture(t)}, chromedp.ByQuery))
		b.fill("#displayname", "Nina New", "#email", "nina@house.example", "#role", "viewer", "#password", "a long enough bridge 7", "#confirm_password", "a long enough bridge 7")
		b.press(save, ".notice-good")
		has(t, b.text(".notice-good"), "The user was created")
		if a := must(h.prov.Avatar(t.Context(), identity.Operator(), h.find("nina@house.example").ID))(t); len(a.Content) == 0 {
			t.Error("no picture was kept")
		}
	})
	t.Run("FC-17 somebody is found and the pencil opens the form", func(t *testing.T) {
		b.goTo("/console/users?q=nina")
		b.press(`td.acts a[href$="/edit"]`, "#displayname")
		has(t, b.text("h1"), "Edit Nina New")
	})
	t.Run("FC-19 what is saved is what was changed; whoever was slower sees both", func(t *testing.T) {
		u := h.find("nina@house.example")
		must(h.prov.UpdateUser(t.Context(), identity.Operator(), u.ID, 0, func(u *identity.User) error { u.DisplayName = "Nina Other"; return nil }))(t)
		b.fill("#displayname", "Nina Mine")
		b.press(save, ".notice-warn")
		has(t, b.text(".notice-warn"), "Somebody saved this person while you were editing", "Nina Other")
		b.press(save, ".notice-good")
		if now := h.now(u.ID); now.DisplayName != "Nina Mine" || now.Email() != u.Email() || now.UserName != u.UserName {
			t.Errorf("%+v", now)
		}
		b.refused()
		b.calm("the forms of a person")
	})
}

func TestInABrowserSomebodyIsCreatedWithATechnicianOfFentuFSM(t *testing.T) {
	script := loadAxe(t)
	h := newHouse(t, "fentu-fsm")
	for id, name := range map[string]string{"T-1": "Van 1", "T-2": "Van 2"} {
		must(h.prov.PutRecord(t.Context(), identity.Operator(), provisioning.RecordKey{Tenant: h.home.ID, Type: "technician", ForeignID: id}, provisioning.RecordChange{Display: &name}))(t)
	}
	must(h.prov.LinkRecord(t.Context(), identity.Operator(), provisioning.RecordKey{Tenant: h.home.ID, Type: "technician", ForeignID: "T-1"}, h.people["technician"].ID, "his van"))(t)
	b := h.browse(h.boss, "/console/users/new")
	t.Run("FSM-25 an existing technician whom nobody has is chosen when somebody is created", func(t *testing.T) {
		if got := b.text("#record-technician"); !strings.Contains(got, "Van 2") || strings.Contains(got, "Van 1") {
			t.Errorf("the form offers %q", got)
		}
		b.axe(script, "the form with a record")
		b.run(chromedp.SetValue("#type", "technician", chromedp.ByQuery))
		var role string
		b.run(chromedp.Value("#role", &role, chromedp.ByQuery))
		if role != "technician" {
			t.Errorf("the type proposes the role %q", role)
		}
		b.fill("#displayname", "Tom Tech", "#email", "tom@house.example", "#record-technician", "T-2", "#password", "Wrench and bridge 7!", "#confirm_password", "Wrench and bridge 7!", "#reason", "new van")
		b.press(save, ".notice-good")
		detail := must(h.prov.UserDetail(t.Context(), identity.Operator(), h.find("tom@house.example").ID))(t)
		if len(detail.Records) != 1 || detail.Records[0].ForeignID != "T-2" || detail.Standing.Type != "technician" {
			t.Errorf("%+v", detail.Records)
		}
		b.calm("creating with a record")
	})
}

func TestInABrowserPeopleOfEtlworks(t *testing.T) {
	script := loadAxe(t)
	h := newHouse(t, "etlworks")
	invited := must(h.prov.Invite(t.Context(), identity.Operator(), provisioning.NewInvitation{Email: "late@house.example", DisplayName: "Late Guest", Tenant: h.home.ID, Role: "viewer"}))(t)
	b := h.browse(h.people["administrator"], "/console/users")
	t.Run("ETL-01 an administrator has the page in the menu; a viewer has neither entry nor page", func(t *testing.T) {
		if b.count(`.side .menu a[href="/console/users"]`) == 0 {
			t.Error("the menu has no Users")
		}
		h.enter(b, h.people["viewer"])
		b.goTo("/account")
		if n := b.count(`.side .menu a[href="/console/users"]`); n != 0 {
			t.Error("a viewer sees the entry")
		}
		h.enter(b, h.people["administrator"])
	})
	t.Run("ETL-02 + opens the form, whose required fields are marked, and Save saves", func(t *testing.T) {
		b.goTo("/console/users")
		b.press(`.head a[title]`, "#email")
		if marks := b.count("label .must"); marks != 2 {
			t.Errorf("%d fields are marked", marks)
		}
		has(t, b.text(save), "Save")
		b.axe(script, "the form of an invitation")
		b.narrow("the form of an invitation")
		b.fill("#email", "fresh@house.example", "#role", "editor")
		b.press(save, ".notice-good")
		if u := h.find("fresh@house.example"); u.Roles[0].ID != "editor" || u.TenantID != h.home.ID {
			t.Errorf("%+v", u)
		}
	})
	t.Run("ETL-11 the role is chosen from what the visitor may give", func(t *testing.T) {
		b.goTo("/console/users/new")
		if got := b.text("#role"); strings.Contains(got, "SuperAdmin") || !strings.Contains(got, "API User") {
			t.Errorf("the roles are %q", got)
		}
	})
	t.Run("ETL-07 who was invited is in the list with what became of the mail, and gets a new invite from there", func(t *testing.T) {
		b.goTo("/console/users?q=late")
		has(t, b.text(".invited"), "Invited")
		if word := b.text(".again"); !strings.HasPrefix(word, "Send new invite") {
			t.Errorf("the button is called %q", word)
		}
		b.press(".again", ".notice-good")
		has(t, b.text(".notice-good"), "opens nothing any more")
		page := must(h.prov.Invitations(t.Context(), identity.Operator(), provisioning.InvitationQuery{User: invited.User.ID, Query: identity.Query{Limit: 2}}))(t)
		if len(page.Items) != 1 || page.Items[0].Link.ID == invited.Link.ID || !page.Items[0].Link.ExpiresAt.After(invited.Link.ExpiresAt) || !strings.HasPrefix(b.at(), "/console/users?done=invited-again&q=late") {
			t.Errorf("%+v at %s", page.Items, b.at())
		}
	})
	t.Run("ETL-08 Edit opens the form of a person", func(t *testing.T) {
		b.goTo("/console/users?q=editor@")
		b.press(`td.acts a[title=Edit]`, "#displayname")
		b.fill("#displayname", "Edited Person")
		b.press(save, ".notice-good")
		if h.now(h.people["editor"].ID).DisplayName != "Edited Person" {
			t.Error("the name was not saved")
		}
		b.calm("people of Etlworks")
	})
	etlBulk(t, h, b)
	etlEverybody(t, script, h, b)
}

// etlBulk ticks people and does something with all of them.
func etlBulk(t *testing.T, h *house, b *screen) {
	t.Run("everybody between two ticks is ticked with shift, and a page says what will happen to whom", func(t *testing.T) {
		b.goTo("/console/users?sort=name")
		if b.count("[data-ticked][hidden]") != 1 {
			t.Error("the bar is there although nobody is ticked")
		}
		b.run(chromedp.Click(`tbody tr:nth-child(2) input`, chromedp.ByQuery), chromedp.Evaluate(`document.querySelector("tbody tr:nth-child(4) input").dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true, shiftKey: true}))`, nil), chromedp.WaitVisible("[data-ticked]", chromedp.ByQuery))
		has(t, b.text("[data-count]"), "3 people")
		b.fill("#act", "deactivate")
		b.press("[data-ticked] button", ".ask")
		has(t, b.text(".ask"), "Deactivate 3 people?", "cannot sign in any more")
		if n := b.count(".named li"); n != 3 {
			t.Errorf("%d are named", n)
		}
		b.press(".button-danger", ".tiles")
		if !strings.HasPrefix(b.at(), "/console/plans/") {
			t.Errorf("it leads to %s", b.at())
		}
		b.calm("many people at once")
	})
}
