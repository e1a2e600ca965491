package console_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// checked brings a file to the page that tells whether it was written here.
func (b *browser) checked(content, signature string) reply {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	if err := w.WriteField("signature", signature); err != nil {
		b.t.Fatal(err)
	}
	must(must(w.CreateFormFile("file", "users.csv"))(b.t).Write([]byte(content)))(b.t)
	if err := w.Close(); err != nil {
		b.t.Fatal(err)
	}
	r := must(http.NewRequest(http.MethodPost, b.url+"/console/exports/check", &body))(b.t)
	r.Header.Set("Content-Type", w.FormDataContentType())
	return b.do(r)
}

func TestPeopleAuditAndAccessLeaveAsFiles(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		b := s.signedIn("ada@acme.example")
		var users reply
		t.Run("FSM-52 users leave as they are filtered, in the columns that were chosen", func(t *testing.T) {
			b.get("/console/users?q=vera").has("/console/exports/users?q=vera")
			b.get("/console/exports/users?q=vera").is(http.StatusOK).says("Search", "vera").has(`value="userName" checked`)
			users = b.post("/console/exports/users", url.Values{"q": {"vera"}, "format": {"csv"}, "column": {"userName", "email"}}).is(http.StatusOK)
			if got := strings.TrimSpace(users.body); got != "\ufeffuserName,email\r\nvera@acme.example,vera@acme.example" {
				t.Errorf("the file is %q", users.body)
			}
			if got := users.header.Get("Content-Disposition"); got != `attachment; filename="users.csv"` {
				t.Errorf("the file is called %s", got)
			}
			b.get("/console/events?type=users.exported").is(http.StatusOK).says("Users exported", "vera")
		})
		t.Run("FSM-55 the audit and the access report leave too, and a file can be checked", func(t *testing.T) {
			if got := b.post("/console/exports/audit", url.Values{"format": {"json"}, "column": {"at", "type"}}).is(http.StatusOK); !strings.HasPrefix(got.body, "{") {
				t.Errorf("the audit is %.200s", got.body)
			}
			if got := b.post("/console/exports/access", url.Values{"format": {"xlsx"}, "column": {"person", "role"}}).is(http.StatusOK); !strings.HasPrefix(got.body, "PK") {
				t.Errorf("the report is %.200s", got.body)
			}
			b.checked(users.body, "").is(http.StatusOK).says("This file was written here and is unchanged", "Ada Lovelace")
			b.checked(users.body+"x", "").is(http.StatusNotFound).says("No export with this content").hides("is unchanged")
			b.checked(users.body, "forged").is(http.StatusBadRequest).says("not this installation")
		})
		t.Run("what cannot be written is said on the page", func(t *testing.T) {
			b.post("/console/exports/users", url.Values{"format": {"csv"}}).is(http.StatusBadRequest).says("Choose at least one column")
			b.post("/console/exports/users", url.Values{"format": {"csv"}, "column": {"shoe size"}}).is(http.StatusBadRequest).says("There is no column")
			b.post("/console/exports/users", url.Values{"format": {"exe"}, "column": {"userName"}}).is(http.StatusNotFound)
		})
		t.Run("nobody of another tenant is in a file", func(t *testing.T) {
			got := b.post("/console/exports/users", url.Values{"format": {"csv"}, "column": {"userName"}, "tenant": {""}}).is(http.StatusOK)
			if strings.Contains(got.body, "root@bridge.example") || strings.Contains(got.body, "grace@partner.example") {
				t.Errorf("the file has people of others: %s", got.body)
			}
		})
		t.Run("a viewer sees none of it and is refused", func(t *testing.T) {
			vera := s.signedIn("vera@acme.example")
			vera.get("/account").hides("/console/exports")
			for _, what := range []string{"users", "audit", "access", "check"} {
				vera.get("/console/exports/" + what).is(http.StatusForbidden)
				vera.post("/console/exports/"+what, url.Values{"format": {"csv"}, "column": {"userName"}}).is(http.StatusForbidden)
			}
		})
	})
}
