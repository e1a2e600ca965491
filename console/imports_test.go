package console_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
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
			b.post(plan.path+"/undo", nil).is(http.StatusOK)
			s.nobody(t, "otto@acme.example")
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
