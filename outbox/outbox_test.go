package outbox_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/mail"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/outbox"
	"github.com/drawbridge-id/drawbridge/outbox/smtptest"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// through returns an outbox that sends to a server of the test.
func through(s *smtptest.Server, db *store.DB, change func(*outbox.Options)) *outbox.Outbox {
	o := outbox.Options{
		DB: db, From: mail.Address{Name: "Drawbridge", Address: "no-reply@id.example"}, URL: "https://id.example", TLS: s.TLS(),
		Server: outbox.Server{Host: "127.0.0.1", Port: s.Port(), User: smtptest.User, Password: smtptest.Password, Security: outbox.StartTLS},
	}
	if change != nil {
		change(&o)
	}
	return outbox.New(o)
}

// write puts a mail into the database and returns its id.
func write(t testing.TB, db *store.DB, to string) identity.MailID {
	t.Helper()
	m := identity.Mail{ID: identity.NewID[identity.MailID](), To: to, Subject: "Grüße aus dem Haus", Text: "Open the gate.\n", Kind: "test"}
	if err := db.Update(t.Context(), func(tx *store.Tx) error { return tx.InsertMail(t.Context(), m) }); err != nil {
		t.Fatal(err)
	}
	return m.ID
}

func row(t testing.TB, db *store.DB, id identity.MailID) identity.Mail {
	t.Helper()
	var m identity.Mail
	err := db.View(t.Context(), func(tx *store.Tx) (err error) { m, err = tx.Mail(t.Context(), id); return err })
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// deliver makes one try and fails unless it took that many mails.
func deliver(t testing.TB, o *outbox.Outbox, want int) {
	t.Helper()
	if n, err := o.Deliver(t.Context()); err != nil || n != want {
		t.Fatalf("took %d mails (%v), want %d", n, err, want)
	}
}

func wantState(t testing.TB, db *store.DB, id identity.MailID, state identity.MailState, words string) identity.Mail {
	t.Helper()
	m := row(t, db, id)
	if m.State() != state || !strings.Contains(m.Failure, words) {
		t.Fatalf("the mail is %s with %q, want %s with %q", m.State(), m.Failure, state, words)
	}
	return m
}

// wake makes a mail that rests due again, as time does.
func wake(t testing.TB, db *store.DB, id identity.MailID) {
	t.Helper()
	err := db.Update(t.Context(), func(tx *store.Tx) error {
		return tx.RetryMail(t.Context(), id, row(t, db, id).Tries, tx.Now(), "")
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAMailIsSentOnceEncryptedAndSignedIn(t *testing.T) {
	server := smtptest.New(t, true)
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		id := write(t, db, "ada@example.com")
		o := through(server, db, nil)
		before := len(server.Letters())
		deliver(t, o, 1)
		deliver(t, o, 0)
		got := server.Letters()[before:]
		if len(got) != 1 || !got[0].Encrypted || got[0].User != "bridge" || got[0].To != "ada@example.com" || got[0].From != "no-reply@id.example" {
			t.Fatalf("the server got %+v", got)
		}
		h := got[0].Msg.Header
		if h.Get("Message-ID") != "<"+string(id)+"@id.example>" || h.Get("Auto-Submitted") != "auto-generated" || h.Get("From") != `"Drawbridge" <no-reply@id.example>` {
			t.Errorf("the header is %v", h)
		}
		if !strings.Contains(got[0].Body, "Open the gate.") || !strings.Contains(got[0].Body, "Drawbridge at https://id.example") {
			t.Errorf("the text is %q", got[0].Body)
		}
		if m := wantState(t, db, id, identity.MailSent, ""); m.Tries != 1 || m.SentAt == nil {
			t.Errorf("%+v", m)
		}
	})
}

func TestATemporaryRefusalIsTriedAgainAndAFinalOneIsNot(t *testing.T) {
	server := smtptest.New(t, true)
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		server.Answers(func(to string) error {
			if to == "busy@example.com" {
				return &smtp.SMTPError{Code: 451, Message: "come back later"}
			}
			return &smtp.SMTPError{Code: 550, Message: "no such mailbox"}
		}, nil)
		busy, gone := write(t, db, "busy@example.com"), write(t, db, "gone@example.com")
		o := through(server, db, nil)
		deliver(t, o, 2)
		m := wantState(t, db, busy, identity.MailWaiting, "come back later")
		if rest := time.Until(m.NextTryAt); rest < 50*time.Second || rest > 70*time.Second {
			t.Errorf("the first pause is %v", rest)
		}
		wantState(t, db, gone, identity.MailFailed, "no such mailbox")
		server.Answers(nil, nil)
		deliver(t, o, 0)
		wake(t, db, busy)
		deliver(t, o, 1)
		wantState(t, db, busy, identity.MailSent, "")
		wantState(t, db, gone, identity.MailFailed, "no such mailbox")
	})
}

func TestThePausesBetweenTriesGetLonger(t *testing.T) {
	server := smtptest.New(t, true)
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		server.Answers(func(string) error { return &smtp.SMTPError{Code: 451, Message: "come back later"} }, nil)
		id := write(t, db, "busy@example.com")
		o := through(server, db, nil)
		for _, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute} {
			deliver(t, o, 1)
			m := wantState(t, db, id, identity.MailWaiting, "come back later")
			if rest := time.Until(m.NextTryAt); rest < want-10*time.Second || rest > want+10*time.Second {
				t.Errorf("after %d tries the pause is %v, want %v", m.Tries, rest, want)
			}
			wake(t, db, id)
		}
	})
}

func TestAServerThatHangsUpAfterTheMailLeavesItUncertain(t *testing.T) {
	server := smtptest.New(t, true)
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		server.Answers(nil, func() error { return smtptest.ErrHangUp })
		first := write(t, db, "ada@example.com")
		o := through(server, db, nil)
		deliver(t, o, 1)
		wantState(t, db, first, identity.MailUncertain, "nobody knows whether it arrived")
		server.Answers(nil, nil)
		second := write(t, db, "bob@example.com")
		deliver(t, o, 1)
		wantState(t, db, second, identity.MailSent, "")
		wantState(t, db, first, identity.MailUncertain, "")
	})
}

func TestNothingIsSentInTheClearOrToAServerThatCannotProveItsName(t *testing.T) {
	clear, secure := smtptest.New(t, false), smtptest.New(t, true)
	db := storetest.SQLite(t)
	for name, o := range map[string]*outbox.Outbox{
		"no STARTTLS":           through(clear, db, nil),
		"no STARTTLS, no user":  through(clear, db, func(o *outbox.Options) { o.Server.User = "" }),
		"an unknown authority":  through(secure, db, func(o *outbox.Options) { o.TLS = nil }),
		"a wrong password":      through(secure, db, func(o *outbox.Options) { o.Server.Password = "guess" }),
		"nobody listens":        through(secure, db, func(o *outbox.Options) { o.Server.Port = 1 }),
		"TLS where none is":     through(clear, db, func(o *outbox.Options) { o.Server.Security = outbox.Implicit }),
		"a password in clear":   through(clear, db, func(o *outbox.Options) { o.Server.Security = outbox.Plain }),
		"plain where TLS is on": through(secure, db, func(o *outbox.Options) { o.Server.Security = outbox.Plain }),
	} {
		t.Run(name, func(t *testing.T) {
			id := write(t, db, "ada@example.com")
			deliver(t, o, 1)
			m := wantState(t, db, id, identity.MailWaiting, "cannot be used")
			if strings.Contains(m.Failure, "sesame") || strings.Contains(m.Failure, "guess") {
				t.Errorf("the failure tells the password: %q", m.Failure)
			}
		})
	}
	if n := len(clear.Letters()) + len(secure.Letters()); n != 0 {
		t.Errorf("%d mails were sent", n)
	}
	id := write(t, db, "ada@example.com")
	deliver(t, through(clear, db, func(o *outbox.Options) { o.Server.User, o.Server.Security = "", outbox.Plain }), 1)
	wantState(t, db, id, identity.MailSent, "")
}

func TestManyReplicasSendEachMailOnce(t *testing.T) {
	server := smtptest.New(t, true)
	storetest.EachURL(t, func(t *testing.T, url string) {
		first, second := storetest.Open(t, url), storetest.Open(t, url)
		before := len(server.Letters())
		for range 40 {
			write(t, first, "ada@example.com")
		}
		var all sync.WaitGroup
		for _, db := range []*store.DB{first, second, first, second} {
			all.Go(func() {
				o := through(server, db, nil)
				for {
					n, err := o.Deliver(context.WithoutCancel(t.Context()))
					if err != nil {
						t.Errorf("%v", err)
					}
					if n == 0 || err != nil {
						return
					}
				}
			})
		}
		all.Wait()
		seen := map[string]bool{}
		got := server.Letters()[before:]
		for _, l := range got {
			seen[l.Msg.Header.Get("Message-ID")] = true
		}
		if len(got) != 40 || len(seen) != 40 {
			t.Errorf("%d mails with %d ids arrived, want 40", len(got), len(seen))
		}
	})
}

func TestWithoutAServerMailsWaitAndItIsSaidOnce(t *testing.T) {
	db := storetest.SQLite(t)
	var said bytes.Buffer
	o := outbox.New(outbox.Options{DB: db, Log: slog.New(slog.NewTextHandler(&said, nil))})
	deliver(t, o, 0)
	if said.Len() > 0 {
		t.Errorf("no mail waits, and still: %s", &said)
	}
	id := write(t, db, "ada@example.com")
	deliver(t, o, 0)
	deliver(t, o, 0)
	if strings.Count(said.String(), "DRAWBRIDGE_SMTP_URL") != 1 {
		t.Errorf("it was said so: %q", &said)
	}
	if m := wantState(t, db, id, identity.MailWaiting, ""); m.Tries != 0 {
		t.Errorf("%d tries", m.Tries)
	}
}

func TestAHeaderCannotBeBrokenOpen(t *testing.T) {
	db := storetest.SQLite(t)
	for _, m := range []identity.Mail{
		{To: "ada@example.com", Subject: "Hello\r\nBcc: eve@example.com", Text: "x"},
		{To: "ada@example.com\r\nBcc: eve@example.com", Subject: "Hello", Text: "x"},
		{To: "Ada <ada@example.com>", Subject: "Hello", Text: "x"},
		{To: "ada@example.com", Subject: "", Text: "x"},
		{To: "ada@example.com", Subject: strings.Repeat("x", identity.MaxSubject+1), Text: "x"},
		{To: "ada@example.com", Subject: "Hello"},
	} {
		err := db.Update(t.Context(), func(tx *store.Tx) error { return tx.InsertMail(t.Context(), m) })
		if identity.KindOf(err) != identity.Invalid {
			t.Errorf("%q to %q: %v", m.Subject, m.To, err)
		}
	}
}

// after lets time pass in a bubble.
func after(d time.Duration) { <-time.After(d) }

func TestAMailThatWasBeingHandedOverWhenTheProgramDiedIsReportedAndNotSentAgain(t *testing.T) {
	storetest.SQLite(t) // makes the template outside the bubble
	synctest.Test(t, func(t *testing.T) {
		db := storetest.SQLite(t)
		id := write(t, db, "ada@example.com")
		err := db.Update(t.Context(), func(tx *store.Tx) error { // what a replica does that then dies
			claimed, err := tx.ClaimMails(t.Context(), tx.Now().Add(time.Minute), 1)
			if err != nil || len(claimed) != 1 {
				t.Fatalf("%d claimed (%v)", len(claimed), err)
			}
			mine, err := tx.MarkMailSending(t.Context(), id, claimed[0].Tries)
			if !mine {
				t.Error("the claim is lost")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		o := outbox.New(outbox.Options{DB: db, Server: outbox.Server{Host: "127.0.0.1", Port: 1}, From: mail.Address{Address: "a@id.example"}})
		after(9 * time.Minute)
		deliver(t, o, 0)
		wantState(t, db, id, identity.MailSending, "")
		after(2 * time.Minute)
		deliver(t, o, 0)
		wantState(t, db, id, identity.MailUncertain, "nobody knows whether it arrived")
		after(24 * time.Hour)
		deliver(t, o, 0)
		if err := db.Update(t.Context(), func(tx *store.Tx) error { return tx.ResendMail(t.Context(), id) }); err != nil {
			t.Fatal(err)
		}
		wantState(t, db, id, identity.MailWaiting, "")
	})
}

const victimVariable = "DRAWBRIDGE_OUTBOX_VICTIM"

func TestAKilledProgramSendsNothingTwice(t *testing.T) {
	if url := os.Getenv(victimVariable); url != "" {
		beVictim(t, url)
		return
	}
	url := storetest.SQLiteURL(t)
	db := storetest.Open(t, url)
	id := write(t, db, "ada@example.com")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	victim := exec.Command(self, "-test.run", "^"+t.Name()+"$")
	victim.Env = append(os.Environ(), victimVariable+"="+url)
	if out, err := victim.CombinedOutput(); err == nil {
		t.Fatalf("the victim was not killed: %s", out)
	}
	wantState(t, db, id, identity.MailSending, "")
	server := smtptest.New(t, true)
	deliver(t, through(server, db, nil), 0)
	if n := len(server.Letters()); n != 0 {
		t.Errorf("%d mails were sent again", n)
	}
}

// beVictim is killed without any warning while the server has the whole mail and has not answered yet.
func beVictim(t *testing.T, url string) {
	server := smtptest.New(t, true)
	server.Answers(nil, func() error { return syscall.Kill(os.Getpid(), syscall.SIGKILL) })
	_, err := through(server, storetest.Open(t, url), nil).Deliver(t.Context())
	t.Logf("still alive (%v)", err) // the parent wants us dead: this is its failure
}

func TestAMailIsGivenUpAfterADay(t *testing.T) {
	storetest.SQLite(t)
	synctest.Test(t, func(t *testing.T) {
		db := storetest.SQLite(t)
		id := write(t, db, "ada@example.com")
		o := outbox.New(outbox.Options{DB: db, Server: outbox.Server{Host: "mail.invalid\x00", Port: 25}, From: mail.Address{Address: "a@id.example"}})
		tries := 0
		for range 30 * 60 {
			n, err := o.Deliver(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			tries += n
			after(time.Minute)
		}
		wantState(t, db, id, identity.MailFailed, "tried for a day")
		if tries < 10 || tries > 30 {
			t.Errorf("%d tries", tries)
		}
		late := write(t, db, "bob@example.com")
		after(8 * 24 * time.Hour)
		deliver(t, o, 0)
		wantState(t, db, late, identity.MailFailed, "more than a week")
	})
}
