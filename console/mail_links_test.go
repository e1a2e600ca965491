package console_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/console"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
	"github.com/drawbridge-id/drawbridge/web"
)

// mailbox is a console with another access model whose mails are read from the database.
type mailbox struct {
	*site
	db *store.DB
}

func startMailbox(t *testing.T, db *store.DB, preset string) *mailbox {
	t.Helper()
	model := storetest.Preset(t, db, preset)
	s := &site{t: t, mux: http.NewServeMux(), prov: provisioning.New(db, model), authn: authn.New(db, model)}
	srv := httptest.NewUnstartedServer(nil)
	s.url = "http://" + srv.Listener.Addr().String()
	s.prov.LeadTo(s.url)
	s.prov.AllowRegistration(true)
	console.New(console.Options{Provisioning: s.prov, Authn: s.authn, URL: s.url}).Routes(s.mux)
	srv.Config.Handler = web.New(web.Options{Log: slog.New(slog.DiscardHandler), URL: s.url}).Handler(s.mux)
	srv.Start()
	t.Cleanup(srv.Close)
	s.acme = must(s.prov.CreateTenant(t.Context(), identity.Operator(), "Acme Logistics"))(t)
	return &mailbox{s, db}
}

var mailLink = regexp.MustCompile(`http://[^/\s]+(/(join|restore|verify|stop|register)/dbm_[A-Za-z0-9_-]{43})`)

// links are the paths of the links in the mails that went to an address since the last look.
func (m *mailbox) links(to string) []string {
	m.t.Helper()
	var out []string
	err := m.db.Update(m.t.Context(), func(tx *store.Tx) error {
		mails, err := tx.ClaimMails(m.t.Context(), tx.Now().Add(time.Hour), 100)
		for _, mail := range mails {
			if mail.To == to {
				for _, found := range mailLink.FindAllStringSubmatch(mail.Text, -1) {
					out = append(out, found[1])
				}
			}
		}
		return err
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return out
}

// link is the only one.
func (m *mailbox) link(to string) string {
	m.t.Helper()
	found := m.links(to)
	if len(found) != 1 {
		m.t.Fatalf("%d links went to %s", len(found), to)
	}
	return found[0]
}

func (m *mailbox) invite(email string, role identity.RoleID) identity.Invitation {
	m.t.Helper()
	return must(m.prov.Invite(m.t.Context(), identity.Operator(), provisioning.NewInvitation{Email: email, Tenant: m.acme.ID, Role: role}))(m.t)
}

const another = "seven quiet herons waiting"

func TestJoiningWithAPassword(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		m := startMailbox(t, db, "etlworks")
		i := m.invite("zoe@acme.example", "editor")
		link := m.link("zoe@acme.example")
		t.Run("ETL-05 a scanner of mails opens the link, and it still works for the person", func(t *testing.T) {
			for range 3 {
				m.browser().get(link).at("/join").says("Join Acme Logistics", "The same password again").hides("dbm_")
			}
		})
		t.Run("ETL-06 no password opens the account before, not even an administrator's", func(t *testing.T) {
			hash, _, err := m.authn.NewPassword(t.Context(), identity.Operator(), i.User, another)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.authn.SetPassword(t.Context(), identity.Operator(), i.User.ID, hash); err != nil {
				t.Fatal(err)
			}
			m.browser().post("/signin", url.Values{"email": {"zoe@acme.example"}, "password": {another}}).is(http.StatusBadRequest).says("do not open an account")
		})
		b := m.browser()
		b.get(link)
		t.Run("what is typed twice must be the same, and good enough", func(t *testing.T) {
			b.post("/join", url.Values{"password": {password}, "confirm_password": {"else"}}).is(http.StatusBadRequest).says("not the same").hides(password)
			b.post("/join", url.Values{"password": {"short"}, "confirm_password": {"short"}}).is(http.StatusBadRequest).says("at least 12")
		})
		t.Run("ETL-03 ETL-06 the link opens the account once and starts a session", func(t *testing.T) {
			b.post("/join", url.Values{"password": {password}, "confirm_password": {password}}).is(http.StatusOK).at("/account?done=joined").says("zoe@acme.example", "you have joined")
			if u := m.now(i.User.ID); u.Status() != identity.StatusActive {
				t.Error(u.Status())
			}
			m.browser().get(link).is(http.StatusGone).says("You have joined already. Sign in")
			m.signedIn("zoe@acme.example").get("/account").is(http.StatusOK)
		})
	})
}

func TestJoiningWithoutAPassword(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		m := startMailbox(t, db, "fluentpro-backup")
		c := must(m.prov.CreateConnection(t.Context(), identity.Operator(), identity.Connection{
			Name: "Google", Kind: identity.OIDC, Domains: []string{"*"}, Options: identity.ConnectionOptions{Provider: "google-oidc"},
			OIDC: identity.OIDCSettings{Issuer: "https://accounts.google.com", ClientID: "id", ClientSecret: "secret"},
		}))(t)
		must(m.prov.UpdateConnection(t.Context(), identity.Operator(), c.ID, func(c *identity.Connection) error { c.Enabled = true; return nil }))(t)
		i := m.invite("zoe@acme.example", "member")
		b := m.browser()
		t.Run("FP-28 the page asks for first and last name, and its button says Complete", func(t *testing.T) {
			b.get(m.link("zoe@acme.example")).at("/join").says("First name", "Last name", "Complete").hides(`type="password"`)
			b.post("/join", url.Values{"first_name": {""}, "last_name": {"Zed"}}).is(http.StatusBadRequest).says("Enter your first name")
		})
		t.Run("FP-30 joining gives a session and no password", func(t *testing.T) {
			b.post("/join", url.Values{"first_name": {"Zoe"}, "last_name": {"Zed"}}).is(http.StatusOK).at("/account?done=joined").says("Zoe Zed")
			if d := must(m.prov.UserDetail(t.Context(), identity.Operator(), i.User.ID))(t); d.Password || len(d.Sessions) != 1 || d.Sessions[0].Upstream.AMR[0] != authn.ByMail {
				t.Errorf("%+v", d)
			}
		})
		t.Run("FP-29 the sign-in offers the providers by button", func(t *testing.T) {
			m.browser().get("/signin").says("Sign in with Google").has(`href="/sso/` + string(c.ID) + `/login?return_to=`)
		})
		t.Run("FP-30 to sign in again with a password it is restored by mail", func(t *testing.T) {
			r := m.browser()
			r.get("/signin").says("Restore password")
			r.post("/restore", url.Values{"email": {"zoe@acme.example"}}).is(http.StatusOK).says("If zoe@acme.example has an account here")
			r.get(m.link("zoe@acme.example")).at("/restore/new")
			r.post("/restore/new", url.Values{"password": {password}, "confirm_password": {password}}).is(http.StatusOK).says("Your new password is set")
			m.signedIn("zoe@acme.example").get("/account").is(http.StatusOK).says("Zoe Zed")
			b.get("/account").at("/signin?done=session-over&return_to=%2Faccount")
		})
	})
}

func TestRestoringAPasswordTellsNobodyWhoThereIs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		m := startMailbox(t, db, "etlworks")
		m.user(t.Context(), "ada@acme.example", "Ada", m.acme.ID, "viewer")
		ask := func(email string) (string, time.Duration) {
			began := time.Now()
			r := m.browser().post("/restore", url.Values{"email": {email}}).is(http.StatusOK)
			return strings.ReplaceAll(r.text(), email, "…"), time.Since(began)
		}
		known, took := ask("ada@acme.example")
		unknown, other := ask("noo@acme.example")
		if known != unknown {
			t.Errorf("the answers differ:\n%s\n%s", known, unknown)
		}
		link := m.link("ada@acme.example")
		for range 5 { // the fastest tells what an answer costs, whatever else the machine does
			_, again := ask("ada@acme.example")
			took = min(took, again)
		}
		for range 2 {
			_, again := ask("noo@acme.example")
			other = min(other, again)
		}
		t.Logf("a known address took %v, an unknown one %v", took, other)
		if difference := (took - other).Abs(); difference > 250*time.Millisecond {
			t.Errorf("the times differ by %v", difference)
		}
		if n := len(m.links("ada@acme.example")); n != 2 {
			t.Errorf("%d more mails", n)
		}
		m.browser().get(link).is(http.StatusGone).says("This link was replaced", "Restore password")
		m.browser().get("/restore/dbm_" + strings.Repeat("x", 43)).is(http.StatusNotFound).says("This link opens nothing")
		m.browser().get("/restore/new").is(http.StatusNotFound).says("This link opens nothing")
	})
}

func TestATenantThatRequiresItsProviderGetsNoPasswords(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		m := startMailbox(t, db, "etlworks")
		m.user(t.Context(), "ada@acme.example", "Ada", m.acme.ID, "viewer")
		m.invite("zoe@acme.example", "viewer")
		link := m.link("zoe@acme.example")
		err := db.Update(t.Context(), func(tx *store.Tx) error { return tx.SetRequireSSO(t.Context(), m.acme.ID, true) })
		if err != nil {
			t.Fatal(err)
		}
		b := m.browser()
		b.get(link).at("/join").says("Your organisation signs you in").hides(`type="password"`)
		b.post("/join", url.Values{"password": {password}, "confirm_password": {password}}).is(http.StatusOK).says("Your organisation signs you in")
		m.browser().post("/restore", url.Values{"email": {"ada@acme.example"}}).is(http.StatusOK).says("a mail is on its way")
		if n := len(m.links("ada@acme.example")); n != 0 {
			t.Errorf("%d links", n)
		}
	})
}

func TestRegisteringOnThePages(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		m := startMailbox(t, db, "fluentpro-backup")
		b := m.browser()
		t.Run("FP-32 FP-09 an organisation, an address, a mail, and the tenant has its owner", func(t *testing.T) {
			b.get("/signin").says("Register")
			b.post("/register", url.Values{"organisation": {"Globex"}, "email": {"zoe@globex.example"}}).is(http.StatusOK).says("A mail is on its way to zoe@globex.example")
			b.get(m.link("zoe@globex.example")).at("/register/finish").says("zoe@globex.example is confirmed").has(`value="Globex"`)
			values := url.Values{"organisation": {"Acme Logistics"}, "first_name": {"Zoe"}, "last_name": {"Zed"}, "password": {password}, "confirm_password": {password}}
			b.post("/register/finish", values).is(http.StatusConflict).says("There is an organisation with this name").hides(password)
			values.Set("organisation", "Globex")
			b.post("/register/finish", values).is(http.StatusOK).says("your organisation is registered")
			b.get("/console/users").is(http.StatusOK).says("Zoe Zed", "Owner")
		})
		t.Run("the answer is the same for who is known", func(t *testing.T) {
			m.browser().post("/register", url.Values{"organisation": {"Globex"}, "email": {"zoe@globex.example"}}).is(http.StatusOK).says("A mail is on its way to zoe@globex.example")
			if n := len(m.links("zoe@globex.example")); n != 0 {
				t.Errorf("%d links", n)
			}
		})
		t.Run("FP-32 it is switchable", func(t *testing.T) {
			m.prov.AllowRegistration(false)
			m.browser().get("/register").is(http.StatusNotFound).says("Nobody registers here")
			m.browser().post("/register", url.Values{"organisation": {"X"}, "email": {"x@x.example"}}).is(http.StatusNotFound)
			m.browser().get("/signin").hides("/register")
		})
	})
}

func TestChangingOnesOwnAddressOnThePages(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		m := startMailbox(t, db, "etlworks")
		ada := m.user(t.Context(), "ada@acme.example", "Ada", m.acme.ID, "viewer")
		b := m.signedIn("ada@acme.example")
		t.Run("FSM-66 FOS-06 it takes the password, and then the new mailbox", func(t *testing.T) {
			b.get("/account").has(`href="/account/email"`)
			b.post("/account/email", url.Values{"email": {"ada@new.example"}, "password": {"wrong"}}).is(http.StatusBadRequest).says("This is not your password")
			b.post("/account/email", url.Values{"email": {"ada@new.example"}, "password": {password}}).is(http.StatusOK).at("/account?done=email-asked")
			b.get("/account/email").says("ada@new.example waits to be confirmed")
		})
		var confirm, stop string
		err := db.Update(t.Context(), func(tx *store.Tx) error {
			mails, err := tx.ClaimMails(t.Context(), tx.Now().Add(time.Hour), 9)
			for _, mail := range mails {
				if link := mailLink.FindStringSubmatch(mail.Text); mail.To == "ada@new.example" {
					confirm = link[1]
				} else {
					stop = link[1]
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Run("looking changes nothing, the button does", func(t *testing.T) {
			other := m.browser()
			other.get(confirm).at("/verify").says("ada@new.example takes the place of ada@acme.example")
			if u := m.now(ada.ID); u.Email() != "ada@acme.example" {
				t.Error(u.Email())
			}
			other.post("/verify", nil).is(http.StatusOK).says("ada@new.example is your address from now on")
			m.browser().get(confirm).is(http.StatusGone).says("confirmed already")
		})
		t.Run("the old mailbox takes it back", func(t *testing.T) {
			old := m.browser()
			old.get(stop).at("/stop").says("It was not me")
			old.post("/stop", nil).is(http.StatusOK).says("changed back", "Restore password")
			if u := m.now(ada.ID); u.Email() != "ada@acme.example" {
				t.Error(u.Email())
			}
			b.get("/account").says("Sign in")
		})
	})
}

func TestAUsersPageShowsTheMails(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		m := startMailbox(t, db, "etlworks")
		m.user(t.Context(), "boss@acme.example", "Boss", m.acme.ID, "administrator")
		i := m.invite("zoe@acme.example", "viewer")
		err := db.Update(t.Context(), func(tx *store.Tx) error {
			if _, err := tx.ClaimMails(t.Context(), tx.Now().Add(time.Hour), 9); err != nil {
				return err
			}
			return tx.GiveMailUp(t.Context(), i.Link.MailID, 1, "550 no such mailbox", false)
		})
		if err != nil {
			t.Fatal(err)
		}
		b := m.signedIn("boss@acme.example")
		page := "/console/users/" + string(i.User.ID)
		b.get(page).says("failed", "550 no such mailbox", "has not joined yet", "Send again")
		b.post(page+"/mails/"+string(i.Link.MailID)+"/resend", nil).is(http.StatusOK).says("The mail is sent again", "waiting")
		t.Run("ETL-07 the button Send new invite makes a new link", func(t *testing.T) {
			b.get(page).says("Send new invite")
			b.post(page+"/invite-again", nil).is(http.StatusOK).says("A new invite is on its way")
			if n := len(m.links("zoe@acme.example")); n != 1 {
				t.Errorf("%d links", n)
			}
		})
	})
}

func TestGuessesAtLinksOfMailsAreCounted(t *testing.T) {
	m := startMailbox(t, storetest.SQLite(t), "etlworks")
	m.invite("zoe@acme.example", "viewer")
	link := m.link("zoe@acme.example")
	const ip = "203.0.113.9"
	var log bytes.Buffer
	server := web.New(web.Options{Log: slog.New(slog.NewTextHandler(&log, nil)), URL: m.url}).Handler(m.mux)
	from := func(path string) int {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.RemoteAddr = ip + ":1234"
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		return w.Code
	}
	for range 30 {
		if code := from(link); code != http.StatusSeeOther {
			t.Fatalf("the right link is answered %d", code)
		}
	}
	if token := strings.TrimPrefix(link, "/join/"); strings.Contains(log.String(), token) || !strings.Contains(log.String(), "/join/…") {
		t.Errorf("the log is %s", &log)
	}
	last := 0
	for range 101 {
		last = from("/join/dbm_" + strings.Repeat("y", 43))
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the 101st guess was answered %d", last)
	}
}
