package console_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// people is a small list: two new people, one who is there, one whose address is none.
const people = "Personalnummer;Vorname;Nachname;E-Mail;Rolle;Notiz\n" +
	"1;Nora;Neu;Nora.Neu@acme.example;editor;a\n" +
	"2;Otto;Ost;otto@acme.example;viewer;b\n" +
	"3;Vera;Viewer;vera@acme.example;viewer;c\n" +
	"4;Wrong;Address;no address;viewer;d\n"

// upload brings a file, with the fields of the form around it.
func (b *browser) upload(name, content string, fields url.Values, headers ...string) reply {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for key := range fields {
		if err := w.WriteField(key, fields.Get(key)); err != nil {
			b.t.Fatal(err)
		}
	}
	if name != "" {
		part := must(w.CreateFormFile("file", name))(b.t)
		must(part.Write([]byte(content)))(b.t)
	}
	if err := w.Close(); err != nil {
		b.t.Fatal(err)
	}
	r := must(http.NewRequest(http.MethodPost, b.url+"/console/imports", &body))(b.t)
	r.Header.Set("Content-Type", w.FormDataContentType())
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return b.do(r)
}

// planOf uploads a list and makes a plan of it with the columns as they are suggested, and returns its page.
func (b *browser) planOf(content string, more url.Values) reply {
	b.t.Helper()
	columns := b.upload("people.csv", content, url.Values{"source": {"hr"}}).is(http.StatusOK)
	form := columns.columns()
	form.Set("welcome", "none")
	for key, values := range more {
		form[key] = values
	}
	return b.post(columns.path, form).is(http.StatusOK)
}

// columns are the choices of a page of columns as it suggests them.
func (r reply) columns() url.Values {
	form := url.Values{}
	for _, part := range strings.Split(r.body, "<select name=\"")[1:] {
		name, rest, _ := strings.Cut(part, "\"")
		rest, _, _ = strings.Cut(rest, "</select>")
		before, _, chosen := strings.Cut(rest, "\" selected")
		value := ""
		if chosen {
			value = before[strings.LastIndex(before, "\"")+1:]
		}
		form.Set(name, value)
	}
	return form
}

func TestAFileBecomesAPlanAndIsApplied(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("ada@acme.example")
		t.Run("FSM-47 a template has the columns", func(t *testing.T) {
			got := b.get("/console/imports/template/csv").is(http.StatusOK)
			if kind := got.header.Get("Content-Disposition"); kind != `attachment; filename="people-template.csv"` || !strings.Contains(got.body, "employeeNumber") {
				t.Errorf("the template is %q: %s", kind, got.body)
			}
			if got := b.get("/console/imports/template/xlsx").is(http.StatusOK); !strings.HasPrefix(got.body, "PK") {
				t.Error("the template in XLSX is none")
			}
			b.get("/console/imports/template/exe").is(http.StatusNotFound)
		})
		t.Run("FSM-48 the page of imports says what to do while there is none", func(t *testing.T) {
			b.get("/console/imports").is(http.StatusOK).says("Nothing was imported yet", "Upload a CSV or XLSX file")
		})
		columns := b.upload("people.csv", people, url.Values{"source": {"hr"}}).is(http.StatusOK)
		t.Run("FSM-49 columns are suggested with their first values", func(t *testing.T) {
			columns.says("Personalnummer", "Nora.Neu@acme.example", "1 column is passed over")
			got := columns.columns()
			for name, want := range map[string]string{"field-0": "employeeNumber", "field-1": "givenName", "field-2": "familyName", "field-3": "email", "field-4": "role", "field-5": ""} {
				if got.Get(name) != want {
					t.Errorf("%s is taken for %q, not %q", name, got.Get(name), want)
				}
			}
			b.get("/console/imports").says("people.csv", "is no plan yet")
		})
		form := columns.columns()
		form.Set("field-5", "email")
		t.Run("a field that two columns claim is said, and nothing typed is lost", func(t *testing.T) {
			again := b.post(columns.path, form).is(http.StatusBadRequest).has(`role="alert"`)
			if got := again.columns().Get("field-5"); got != "email" {
				t.Errorf("what was chosen is lost: %q", got)
			}
		})
		form.Set("field-5", "")
		form.Set("welcome", "none")
		plan := b.post(columns.path, form).is(http.StatusOK)
		t.Run("FSM-50 the plan shows each row with its reason, and nothing is written", func(t *testing.T) {
			plan.says("Ready", "2 new", "1 not usable", "Nora Neu", "no address")
			s.nobody(t, "otto@acme.example")
			if kept := must(s.prov.KeptFiles(t.Context(), actorOf(s.ada)))(t); len(kept) != 0 {
				t.Errorf("%d files are kept although they were read", len(kept))
			}
			b.get(plan.path + "?action=error").says("no address").hides("Nora Neu")
			if got := b.get(plan.path + "/errors.csv").is(http.StatusOK); !strings.Contains(got.body, "5,") {
				t.Errorf("the file of errors is %s", got.body)
			}
		})
		t.Run("FSM-50 applying asks first and does exactly this", func(t *testing.T) {
			b.get(plan.path+"/apply").is(http.StatusOK).says("2 people are created.", "1 row is left out")
			b.post(plan.path+"/apply", nil).is(http.StatusOK).at(plan.path).says("Being applied", "it goes on").has(`<noscript><meta http-equiv="refresh"`, "<progress")
			s.work(t)
			b.get(plan.path).says("Applied", "3 rows done").hides(`http-equiv="refresh"`)
			if u := s.somebody(t, "otto@acme.example"); u.Label() != "Otto Ost" {
				t.Errorf("Otto is %q", u.Label())
			}
		})
		t.Run("FSM-54 a backup is there, and one click undoes it", func(t *testing.T) {
			if got := b.get(plan.path + "/backup.csv").is(http.StatusOK); !strings.Contains(got.body, "vera@acme.example") {
				t.Errorf("the backup is %s", got.body)
			}
			b.get(plan.path + "/undo").is(http.StatusOK).says("put back as they were before")
			b.post(plan.path+"/undo", nil).is(http.StatusOK).says("Undo of people.csv", "undoes an earlier plan")
			s.work(t)
			s.nobody(t, "otto@acme.example")
			b.get(plan.path).says("Undone", "undone by a later plan")
		})
		b.get("/console/imports").says("people.csv", "hr").hides("Nothing was imported yet")
	})
}

// work carries out what was started, as the program does in the background.
func (s *site) work(t *testing.T) {
	t.Helper()
	must(s.prov.RunPlans(t.Context()))(t)
}

// actorOf is somebody as the console knows them.
func actorOf(u identity.User) identity.Actor {
	return identity.Actor{Kind: identity.ActorUser, ID: string(u.ID), Label: u.Label(), TenantID: u.TenantID, Roles: []identity.RoleID{"administrator"}, Door: "console"}
}

// find returns who has an address.
func (s *site) find(t *testing.T, email string) []identity.User {
	t.Helper()
	return must(s.prov.Users(t.Context(), identity.Operator(), identity.Query{Search: email, Limit: 2}))(t).Items
}

func (s *site) nobody(t *testing.T, email string) {
	t.Helper()
	if found := s.find(t, email); len(found) != 0 {
		t.Errorf("there is somebody with %s", email)
	}
}

func (s *site) somebody(t *testing.T, email string) identity.User {
	t.Helper()
	found := s.find(t, email)
	if len(found) != 1 {
		t.Fatalf("%d people have %s", len(found), email)
	}
	return found[0]
}

func TestAViewerSeesNothingOfImportsAndIsRefused(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		plan := s.signedIn("ada@acme.example").planOf(people, nil)
		kept := s.signedIn("ada@acme.example").upload("more.csv", people, nil).is(http.StatusOK)
		vera := s.signedIn("vera@acme.example")
		vera.get("/account").is(http.StatusOK).hides("/console/imports", "/console/sources")
		for _, path := range []string{"/console/imports", "/console/imports/new", "/console/imports/template/csv", kept.path, plan.path, plan.path + "/apply", plan.path + "/errors.csv", plan.path + "/backup.csv"} {
			vera.get(path).is(http.StatusForbidden).hides("Nora")
		}
		vera.upload("people.csv", people, nil).is(http.StatusForbidden)
		for _, path := range []string{kept.path, kept.path + "/drop", plan.path + "/apply", plan.path + "/undo", plan.path + "/drop"} {
			vera.post(path, url.Values{"reason": {"mine"}}).is(http.StatusForbidden)
		}
		s.nobody(t, "otto@acme.example")
	})
}

func TestPlansAndFilesOfOthersAreNotThere(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		other := must(s.prov.CreateTenant(t.Context(), identity.Operator(), "Other"))(t)
		s.user(t.Context(), "olga@other.example", "Olga Other", other.ID, "administrator")
		ada, olga := s.signedIn("ada@acme.example"), s.signedIn("olga@other.example")
		plan, kept := ada.planOf(people, nil), ada.upload("mine.csv", people, nil).is(http.StatusOK)
		for _, path := range []string{plan.path, plan.path + "/apply", plan.path + "/undo", plan.path + "/drop", plan.path + "/errors.csv", plan.path + "/backup.csv", kept.path} {
			olga.get(path).is(http.StatusNotFound)
		}
		for _, path := range []string{plan.path + "/apply", plan.path + "/undo", plan.path + "/drop", kept.path, kept.path + "/drop"} {
			olga.post(path, url.Values{"reason": {"x"}}).is(http.StatusNotFound)
		}
		olga.get("/console/imports").is(http.StatusOK).hides("people.csv", "mine.csv")
		s.signedIn("root@bridge.example").get(kept.path).is(http.StatusNotFound) // files are their bringer's alone
		if got := olga.upload("people.csv", people, url.Values{"tenant": {string(s.acme.ID)}}); got.status != http.StatusForbidden {
			t.Errorf("a file for another tenant is answered %d: %s", got.status, got.text())
		}
	})
}

func TestAFileThatCannotBeReadIsSaidAtItsField(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("ada@acme.example")
		typed := url.Values{"source": {"workday"}}
		b.upload("", "", typed).is(http.StatusBadRequest).says("Choose the file").has(`value="workday"`)
		b.upload("empty.csv", "", typed).is(http.StatusBadRequest).says("The file is empty").has(`value="workday"`, `id="file-error"`)
		b.upload("old.xls", "\xd0\xcf\x11\xe0rest", typed).is(http.StatusBadRequest).says("Save it as XLSX")
		b.upload("people.csv", people, url.Values{"source": {"a\x00b"}}).is(http.StatusBadRequest).says("no text")
		b.upload("people.csv", people, typed, "Origin", "https://evil.example").is(http.StatusForbidden)
		b.post("/console/imports", typed).is(http.StatusBadRequest)
		if kept := must(s.prov.KeptFiles(t.Context(), actorOf(s.ada)))(t); len(kept) != 0 {
			t.Errorf("%d files are kept that cannot be read", len(kept))
		}
		b.upload(`C:\Users\ada\people.csv`, people, nil).is(http.StatusOK).says("people.csv").hides(`Users` + `\ada`)
	})
}

func TestALargeFileIsKeptInPartsAndALargerOneIsRefused(t *testing.T) {
	s := start(t, storetest.SQLite(t))
	b := s.signedIn("ada@acme.example")
	row := strings.Repeat("x", 1000) + "\n"
	large := "email,title\n" + strings.Repeat("somebody@acme.example,"+row, 20<<20/(len(row)+22))
	b.upload("large.csv", large, nil).is(http.StatusOK).says("somebody@acme.example")
	b.upload("larger.csv", large+large, nil).is(http.StatusRequestEntityTooLarge).says("more than 32 MB")
	if kept := must(s.prov.KeptFiles(t.Context(), actorOf(s.ada)))(t); len(kept) != 1 || kept[0].Size != int64(len(large)) {
		t.Errorf("kept are %+v", kept)
	}
}

func TestSomebodyHasFewFilesAndTheyGoAfterADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// the database is real, the clock is not
		db := storetest.SQLite(t)
		s := &site{t: t, prov: provisioning.New(db, must(access.Load(storetest.Model))(t)), authn: authn.New(db, must(access.Load(storetest.Model))(t))}
		s.fill(t.Context())
		by := actorOf(s.ada)
		for range 7 {
			<-time.After(time.Second)
			must(s.prov.KeepFile(t.Context(), by, identity.KeptFile{Name: "people.csv"}, strings.NewReader(people)))(t)
		}
		if kept := must(s.prov.KeptFiles(t.Context(), by))(t); len(kept) != 5 {
			t.Errorf("%d files of one person are kept", len(kept))
		}
		<-time.After(identity.KeptFileAge + time.Minute)
		if err := s.prov.SweepKeptFiles(t.Context()); err != nil {
			t.Fatal(err)
		}
		if kept := must(s.prov.KeptFiles(t.Context(), by))(t); len(kept) != 0 {
			t.Errorf("%d files are kept after a day", len(kept))
		}
	})
}
