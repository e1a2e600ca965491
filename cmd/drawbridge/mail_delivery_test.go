package main

import (
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"regexp"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/drawbridge-id/drawbridge/config"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/outbox"
	"github.com/drawbridge-id/drawbridge/outbox/smtptest"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

// parts are the texts of a mail by their type, as a mail program shows them.
func parts(t *testing.T, l smtptest.Letter) map[string]string {
	t.Helper()
	_, params, err := mime.ParseMediaType(l.Msg.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for r := multipart.NewReader(strings.NewReader(l.Body), params["boundary"]); ; {
		part, err := r.NextRawPart()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := strings.Cut(part.Header.Get("Content-Type"), ";")
		out[kind] = string(text)
	}
}

// postOffice is the outbox of a bridge, with a real mail server behind it.
func postOffice(b *bridge, s *smtptest.Server) *outbox.Outbox {
	return outbox.New(outbox.Options{
		DB: b.db, From: mail.Address{Name: "Drawbridge", Address: "no-reply@id.example"}, URL: b.settings.URL, TLS: s.TLS(),
		Server: outbox.Server{Host: "127.0.0.1", Port: s.Port(), User: smtptest.User, Password: smtptest.Password, Security: outbox.StartTLS},
	})
}

func TestAnInvitationTravelsThroughARealMailServer(t *testing.T) {
	server := smtptest.New(t, true)
	eachShell(t, func(t *testing.T, sh shell) {
		settings, err := config.Load(nil, func(name string) string { return sh.env[name] }, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := open(t.Context(), settings)
		if err != nil {
			t.Fatal(err)
		}
		defer b.db.Close()
		office := postOffice(b, server)
		deliver := func(want int) {
			t.Helper()
			if n, err := office.Deliver(t.Context()); err != nil || n != want {
				t.Fatalf("took %d mails (%v), want %d", n, err, want)
			}
		}
		sh.must("tenant", "create", "Acme")
		before := len(server.Letters())
		var ada invitationView
		t.Run("ETL-04 FP-27 the invite goes to the address, encrypted and signed in, in text and HTML with one button", func(t *testing.T) {
			sh.json(&ada, "invite", "ada@example.com", "--tenant", "Acme", "--role", "editor")
			deliver(1)
			deliver(0)
			got := server.Letters()[before:]
			if len(got) != 1 || !got[0].Encrypted || got[0].User != smtptest.User || got[0].To != "ada@example.com" {
				t.Fatalf("%+v", got)
			}
			p := parts(t, got[0])
			link := regexp.MustCompile(`https://id\.example\.com(/join/dbm_[A-Za-z0-9_-]{43})`).FindStringSubmatch(p["text/plain"])
			if link == nil || !strings.Contains(p["text/html"], `class="button" href="`+link[0]+`">Join</a>`) {
				t.Fatalf("%+v", p)
			}
			w := httptest.NewRecorder()
			b.routes(nil).ServeHTTP(w, httptest.NewRequest(http.MethodGet, link[1], nil))
			if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/join" {
				t.Errorf("the link is answered %d %s", w.Code, w.Header().Get("Location"))
			}
			var mails listView[mailView]
			sh.json(&mails, "mails")
			if mails.Items[0].State != identity.MailSent {
				t.Errorf("%+v", mails.Items[0])
			}
		})
		t.Run("FSM-51 a server that says 550 shows on the person's page, and one that says 451 is asked again", func(t *testing.T) {
			server.Answers(func(to string) error {
				if to == "busy@example.com" {
					return &smtp.SMTPError{Code: 451, Message: "come back later"}
				}
				return &smtp.SMTPError{Code: 550, Message: "no such mailbox"}
			}, nil)
			defer server.Answers(nil, nil)
			var busy, gone invitationView
			sh.json(&busy, "invite", "busy@example.com", "--tenant", "Acme", "--role", "editor")
			sh.json(&gone, "invite", "gone@example.com", "--tenant", "Acme", "--role", "editor")
			deliver(2)
			for id, want := range map[identity.UserID]identity.MailState{busy.UserID: identity.MailWaiting, gone.UserID: identity.MailFailed} {
				d, err := b.people.UserDetail(t.Context(), identity.Operator(), id)
				if err != nil || len(d.Mails) != 1 || d.Mails[0].State() != want || d.Mails[0].Failure == "" {
					t.Errorf("%+v %v", d.Mails, err)
				}
			}
			if out := sh.must("invitation", "list"); !strings.Contains(out, "no such mailbox") || !strings.Contains(out, "come back later") {
				t.Error(out)
			}
			server.Answers(nil, nil)
			deliver(0) // it rests
			if err := b.db.Update(t.Context(), func(tx *store.Tx) error { return tx.RetryMail(t.Context(), busy.MailID, 1, tx.Now(), "") }); err != nil {
				t.Fatal(err)
			}
			deliver(1)
			if err := b.people.ResendMail(t.Context(), identity.Operator(), gone.MailID); err != nil {
				t.Fatal(err)
			}
			deliver(1)
			list, err := b.people.Invitations(t.Context(), identity.Operator(), provisioning.InvitationQuery{Query: identity.Query{Limit: 9}})
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range list.Items {
				if i.Mail.State() != identity.MailSent {
					t.Errorf("%s: %s", i.Link.Email, i.Mail.State())
				}
			}
		})
	})
}
