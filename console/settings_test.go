package console_test

import (
	"errors"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

var seenField = regexp.MustCompile(`name="(seen|version)" value="([^"]*)"`)

// seenOf is what a form of a page was made from.
func (r reply) seenOf() string {
	r.t.Helper()
	m := seenField.FindStringSubmatch(r.body)
	if m == nil {
		r.t.Fatalf("%s does not say what its form was made from", r.path)
	}
	return html.UnescapeString(m[2])
}

func TestSettingsOfATenant(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		root, ada := s.signedIn("root@bridge.example"), s.signedIn("ada@acme.example")
		at := "/console/settings?tenant=" + string(s.acme.ID)
		seen := root.get(at).is(http.StatusOK).says("What Acme Logistics says itself", "8 hours", "100 sessions").seenOf()
		typed := url.Values{"idle": {"20"}, "idle_unit": {"minutes"}, "age": {"2"}, "age_unit": {"hours"}, "most": {"5"}, "seen": {seen}}
		ada.post("/console/settings", typed).is(http.StatusOK).at("/console/settings?done=settings-saved").says("20 minutes", "2 hours", "5 sessions", "Acme Logistics")
		t.Run("a form that is behind shows both, and keeps what was typed", func(t *testing.T) {
			mine := url.Values{"idle": {"45"}, "idle_unit": {"minutes"}, "seen": {seen}}
			stale := root.post(at, mine).is(http.StatusPreconditionFailed).says("Somebody changed these settings", "20 minutes").has(`value="45"`)
			mine.Set("seen", stale.seenOf())
			root.post(at, mine).is(http.StatusOK).says("45 minutes")
		})
		t.Run("what cannot be is said at its field, and a tenant makes nothing longer", func(t *testing.T) {
			now := ada.get("/console/settings").seenOf()
			ada.post("/console/settings", url.Values{"idle": {"soon"}, "seen": {now}}).is(http.StatusBadRequest).says("Write a whole number above 0").has(`value="soon"`)
			ada.post("/console/settings", url.Values{"idle": {"30"}, "idle_unit": {"days"}, "seen": {now}}).is(http.StatusBadRequest).says("a tenant can only make that shorter")
			ada.post("/console/settings", url.Values{"seen": {"nonsense"}}).is(http.StatusBadRequest)
		})
		t.Run("somebody else's tenant is not there", func(t *testing.T) {
			other := must(s.prov.CreateTenant(t.Context(), identity.Operator(), "Other"))(t)
			ada.get("/console/settings?tenant=" + string(other.ID)).is(http.StatusOK).says("What Acme Logistics says itself")
		})
		said := must(s.authn.TenantSettings(t.Context(), identity.Operator(), s.acme.ID))(t)
		if said.SessionIdle.Minutes() != 45 || said.SessionMost != 0 {
			t.Errorf("in force: %+v", said)
		}
	})
}

func TestWordsOfMails(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ada := s.signedIn("ada@acme.example")
		at := "/console/settings/mail/invitation"
		page := ada.get(at).is(http.StatusOK).says("As it would arrive", "Grace Hopper invites you to Example Ltd")
		words := url.Values{"subject": {"Come to {{.Tenant}}"}, "text": {"Hello!\r\n{{.Link}}\r\n"}, "seen": {page.seenOf()}}
		shown := url.Values{"subject": words["subject"], "text": words["text"], "seen": words["seen"], "act": {"preview"}}
		ada.post(at, shown).is(http.StatusOK).says("Come to Example Ltd", "https://id.example.com/link/example")
		ada.get("/console/settings/mail").says("Drawbridge’s").hides("the tenant’s")
		ada.post(at, words).is(http.StatusOK).at("/console/settings/mail?done=template-saved").says("the tenant’s", "by Ada Lovelace")
		t.Run("words that somebody else changed meanwhile stand beside one's own", func(t *testing.T) {
			words.Set("subject", "Join {{.Tenant}}")
			words.Set("seen", ada.post(at, words).is(http.StatusPreconditionFailed).says("Somebody changed this mail", "Come to {{.Tenant}}").has("Join {{.Tenant}}").seenOf())
			ada.post(at, words).is(http.StatusOK)
		})
		t.Run("what is wrong is said at its field", func(t *testing.T) {
			bad := url.Values{"subject": {"x"}, "text": {"no way in"}, "seen": {ada.get(at).seenOf()}}
			ada.post(at, bad).is(http.StatusBadRequest).says("It lacks what the mail is sent for").has("no way in")
		})
		ada.get(at + "/restore").is(http.StatusOK).says("Restore the former words?")
		ada.post(at+"/restore", nil).is(http.StatusOK).says("former words again").hides("the tenant’s")
		ada.get("/console/settings/mail/nothing").is(http.StatusNotFound)
	})
}

func TestTheOutboxIsListedAndSentAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, ctx := start(t, db), t.Context()
		root, ada := s.signedIn("root@bridge.example"), s.signedIn("ada@acme.example")
		must(s.prov.Invite(ctx, identity.Operator(), provisioning.NewInvitation{Email: "zoe@acme.example", Tenant: s.acme.ID, Role: "viewer"}))(t)
		root.post("/console/settings/mail/test", nil).is(http.StatusOK).at("/console/settings/outbox?done=mail-tested").says("Mails of Drawbridge arrive", "root@bridge.example", "zoe@acme.example", "Waiting", "No mail server is set")
		root.get("/console/settings/outbox?state=sent").says("No such mail")
		root.get("/console/settings/outbox?to=ZOE@acme.example").says("zoe@acme.example").hides("Mails of Drawbridge arrive")
		t.Run("an administrator sees the mails of the tenant and may not test", func(t *testing.T) {
			ada.get("/console/settings/outbox").is(http.StatusOK).says("zoe@acme.example").hides("root@bridge.example")
			ada.post("/console/settings/mail/test", nil).is(http.StatusForbidden)
		})
		t.Run("one that was given up says what the server said, and is sent again", func(t *testing.T) {
			giveMailUp(t, db, "zoe@acme.example")
			page := ada.get("/console/settings/outbox?state=failed").is(http.StatusOK).says("Failed", "550 nobody of that name", "Send again")
			to := regexp.MustCompile(`action="(/console/settings/outbox/[^"]+/resend[^"]*)"`).FindStringSubmatch(page.body)
			if to == nil {
				t.Fatal(page.body)
			}
			s.signedIn("vera@acme.example").post(html.UnescapeString(to[1]), nil).is(http.StatusForbidden)
			ada.post(html.UnescapeString(to[1]), nil).is(http.StatusOK).says("The mail is sent again", "No such mail")
			ada.get("/console/settings/outbox?state=waiting").says("zoe@acme.example")
		})
	})
}

// giveMailUp has the mails to an address given up, as a mail server does that refuses them. The others wait on.
func giveMailUp(t *testing.T, db *store.DB, to string) {
	t.Helper()
	if err := db.Update(t.Context(), func(tx *store.Tx) error {
		mails, err := tx.ClaimMails(t.Context(), tx.Now(), 10)
		for _, m := range mails {
			if m.To == to {
				err = errors.Join(err, tx.GiveMailUp(t.Context(), m.ID, m.Tries, "550 nobody of that name", false))
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestTheKeysOfEverybody(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		ctx := t.Context()
		root, ada := s.signedIn("root@bridge.example"), s.signedIn("ada@acme.example")
		k, secret, err := s.authn.CreateAPIKey(ctx, identity.Operator(), s.vera.ID, "Nightly report", "")
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.authn.CreateAPIKey(ctx, identity.Operator(), s.root.ID, "Deploy", ""); err != nil {
			t.Fatal(err)
		}
		root.get("/console/settings/keys").is(http.StatusOK).says("Nightly report", "Deploy", "Vera Viewer", "Ingrid Root", "every role", "Works").hides(secret)
		ada.get("/console/settings/keys").is(http.StatusOK).says("Nightly report").hides("Deploy", "Choose whose keys work")
		t.Run("the platform chooses whose keys work", func(t *testing.T) {
			root.get("/console/settings/keys/policy?choice=roles&role=administrator").is(http.StatusOK).says("Keys work for: Administrator")
			ada.post("/console/settings/keys/policy?choice=every", nil).is(http.StatusForbidden)
			root.post("/console/settings/keys/policy?choice=roles&role=administrator", url.Values{"reason": {"fewer"}}).is(http.StatusOK).says("chosen here", "Does not work", "switched off for the user")
			if _, err := s.authn.CheckKey(ctx, secret, "192.0.2.1"); identity.KindOf(err) != identity.Unauthenticated {
				t.Error(err)
			}
			root.post("/console/settings/keys/policy?choice=model", nil).is(http.StatusOK).says("as the access model says")
			root.post("/console/settings/keys/policy?choice=all", nil).is(http.StatusBadRequest)
		})
		t.Run("a key is revoked from the list", func(t *testing.T) {
			at := "/console/settings/keys/" + string(k.ID) + "/revoke"
			s.signedIn("vera@acme.example").post(at, nil).is(http.StatusForbidden)
			ada.get(at).is(http.StatusOK).says("Revoke the key Nightly report?", "Vera Viewer")
			ada.post(at, url.Values{"reason": {"lost"}}).is(http.StatusOK).at("/console/settings/keys?done=key-revoked").says("Revoked")
			ada.get("/console/settings/keys?state=live").says("No such key")
		})
	})
}

func TestTheInstallationIsShownToWhoRunsIt(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		root, ada := s.signedIn("root@bridge.example"), s.signedIn("ada@acme.example")
		root.get("/console/settings/installation").is(http.StatusOK).says("etlworks", "in use", "30 days", "drawbridge model plan")
		if model := root.get("/console/settings/installation/model.yaml").is(http.StatusOK); !strings.HasPrefix(model.body, "apiVersion:") || !strings.Contains(model.header.Get("Content-Disposition"), "attachment") {
			t.Errorf("downloaded: %v %.100s", model.header, model.body)
		}
		for _, path := range []string{"/console/settings/installation", "/console/settings/installation/model.yaml"} {
			ada.get(path).is(http.StatusForbidden)
			s.signedIn("vera@acme.example").get(path).is(http.StatusForbidden)
		}
	})
}

func TestOneOwnData(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		vera := s.signedIn("vera@acme.example")
		version := vera.get("/account/edit").is(http.StatusOK).seenOf()
		typed := url.Values{"display_name": {"Vera V."}, "first_name": {"Vera"}, "last_name": {"Viewer"}, "locale": {"en-GB"}, "version": {version}}
		vera.post("/account/edit", typed).is(http.StatusOK).at("/account?done=own-updated").says("Vera V.", "Your data were saved")
		t.Run("a form that is behind shows both", func(t *testing.T) {
			typed.Set("display_name", "Vera the Second")
			stale := vera.post("/account/edit", typed).is(http.StatusPreconditionFailed).says("Somebody changed your account", "Vera V.").has(`value="Vera the Second"`)
			typed.Set("version", stale.seenOf())
			vera.post("/account/edit", typed).is(http.StatusOK).says("Vera the Second")
		})
		t.Run("what cannot be is said at its field", func(t *testing.T) {
			typed.Set("version", vera.get("/account/edit").seenOf())
			typed.Set("locale", "not a language!")
			vera.post("/account/edit", typed).is(http.StatusBadRequest).says("A language is written as en, or de-AT")
			vera.post("/account/picture", nil).is(http.StatusBadRequest).says("Choose a picture first")
			vera.post("/account/keys", url.Values{"name": {" "}}).is(http.StatusBadRequest).says("A key needs a name")
		})
		t.Run("whom a directory pushes changes nothing here, and reads which one", func(t *testing.T) {
			grace := s.land(t.Context(), "gina@partner.example", "Gina Given")
			if err := s.authn.SetPassword(t.Context(), identity.Operator(), grace.ID, must(s.authn.HashPassword(t.Context(), password))(t)); err != nil {
				t.Fatal(err)
			}
			b := s.signedIn("gina@partner.example")
			b.get("/account").is(http.StatusOK).says("The directory Okta of the house says who you are").hides(`href="/account/edit"`)
			b.get("/account/edit").is(http.StatusOK).says("changed there").hides(`action="/account/edit"`)
			b.post("/account/edit", url.Values{"display_name": {"Me"}, "version": {"1"}}).is(http.StatusForbidden)
		})
		t.Run("a key of somebody else is not one's own", func(t *testing.T) {
			k, _, err := s.authn.CreateAPIKey(t.Context(), identity.Operator(), s.vera.ID, "Hers", "")
			if err != nil {
				t.Fatal(err)
			}
			for _, act := range []string{"show", "replace", "revoke"} {
				s.signedIn("ada@acme.example").post("/account/keys/"+string(k.ID)+"/"+act, nil).is(http.StatusNotFound)
			}
		})
	})
}
