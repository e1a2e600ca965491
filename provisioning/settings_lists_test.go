package provisioning_test

import (
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

func TestWhoSeesWhichMails(t *testing.T) {
	eachWith(t, "etlworks", func(t *testing.T, h *house) {
		acme, other := h.tenant("Acme"), h.tenant("Other")
		boss := h.chief(acme, "boss@example.com")
		_, viewer := h.staff(acme.ID, "vera@example.com", "viewer")
		for _, to := range []string{"a@acme.example", "b@acme.example"} {
			must[identity.Invitation](t)(h.Invite(h.ctx, h.op, provisioning.NewInvitation{Email: to, Tenant: acme.ID, Role: "viewer"}))
		}
		must[identity.Invitation](t)(h.Invite(h.ctx, h.op, provisioning.NewInvitation{Email: "c@other.example", Tenant: other.ID, Role: "viewer"}))
		seen := func(by identity.Actor, q provisioning.MailQuery) int {
			t.Helper()
			return len(must[identity.Page[identity.Mail]](t)(h.MailsWhere(h.ctx, by, q)).Items)
		}
		if all, mine, waiting, sent := seen(h.op, provisioning.MailQuery{}), seen(boss, provisioning.MailQuery{}), seen(boss, provisioning.MailQuery{Outcome: provisioning.MailsWaiting}), seen(boss, provisioning.MailQuery{Outcome: provisioning.MailsSent}); all != 3 || mine != 2 || waiting != 2 || sent != 0 {
			t.Errorf("%d mails in all, %d of the tenant: %d wait, %d were sent", all, mine, waiting, sent)
		}
		if n := seen(boss, provisioning.MailQuery{TenantID: other.ID}); n != 0 {
			t.Errorf("%d mails of another tenant are seen", n)
		}
		page := must[identity.Page[identity.Mail]](t)(h.MailsWhere(h.ctx, boss, provisioning.MailQuery{Query: identity.Query{Limit: 1, Newest: true}}))
		if !page.More || len(page.Items) != 1 || page.Items[0].To != "b@acme.example" {
			t.Errorf("the first page is %+v", page)
		}
		_, err := h.MailsWhere(h.ctx, viewer, provisioning.MailQuery{})
		wantKind(t, err, identity.Forbidden, "")
	})
}

func TestATestMailGoesToOneself(t *testing.T) {
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		_, boss := h.staff(h.home().ID, "boss@example.com", "administrator")
		_, reader := h.staff(h.home().ID, "reader@example.com", "read_only")
		for range 2 { // the second one takes the place of the first
			if to := must[string](t)(h.SendTestMail(h.ctx, boss)); to != h.email(boss.UserID()) {
				t.Errorf("it goes to %s", to)
			}
		}
		mails := must[identity.Page[identity.Mail]](t)(h.MailsWhere(h.ctx, boss, provisioning.MailQuery{To: h.email(boss.UserID())})).Items
		if len(mails) != 1 || mails[0].Kind != "test" {
			t.Errorf("there are %+v", mails)
		}
		h.wantEvent(boss.UserID(), identity.MailTested)
		_, err := h.SendTestMail(h.ctx, reader)
		wantKind(t, err, identity.Forbidden, "")
		_, err = h.SendTestMail(h.ctx, h.op)
		wantKind(t, err, identity.Forbidden, "")
		if keys := must[[]string](t)(h.SecretKeys(h.ctx, boss)); len(keys) != 1 || len(keys[0]) != 8 {
			t.Errorf("the keys are called %v", keys)
		}
		_, err = h.SecretKeys(h.ctx, reader)
		wantKind(t, err, identity.Forbidden, "")
		_, err = h.ModelInForce(h.ctx, reader)
		wantKind(t, err, identity.Forbidden, "")
	})
}

func TestOnesOwnHistoryHasNoReasonsOfOthers(t *testing.T) {
	eachWith(t, "etlworks", func(t *testing.T, h *house) {
		u, by := h.staff(h.tenant("Acme").ID, "ada@example.com", "editor")
		must[identity.User](t)(h.UpdateUser(h.ctx, h.op, u.ID, 0, func(u *identity.User) error { u.DisplayName = "Ada"; return nil }))
		must[identity.User](t)(h.DeactivateUser(h.ctx, h.op, u.ID, "suspected of something"))
		must[identity.User](t)(h.ActivateUser(h.ctx, h.op, u.ID, "it was somebody else"))
		kinds := map[identity.EventType]bool{}
		for _, e := range must[[]identity.Event](t)(h.OwnHistory(h.ctx, by, 50)) {
			kinds[e.Type] = true
			if e.Reason != "" || e.UserID != u.ID {
				t.Errorf("it tells %+v", e)
			}
		}
		if !kinds[identity.UserCreated] || !kinds[identity.UserUpdated] || !kinds[identity.UserActivated] || kinds[identity.UserDeactivated] {
			t.Errorf("it has %v", kinds)
		}
		_, err := h.OwnHistory(h.ctx, h.op, 50)
		wantKind(t, err, identity.Forbidden, "")
	})
}

func TestWordsOfAMailThatSomebodyElseChangedAreNotLost(t *testing.T) {
	eachWith(t, "etlworks", func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		m := identity.MailTemplate{Kind: identity.MailInvitation, TenantID: acme.ID, Subject: "One", Text: "{{.Link}}"}
		if err := h.ChangeMailTemplate(h.ctx, h.op, m, time.Time{}); err != nil {
			t.Fatal(err)
		}
		m.Subject = "Two"
		wantKind(t, h.ChangeMailTemplate(h.ctx, h.op, m, time.Time{}), identity.Precondition, "")
		now := must[identity.MailTemplate](t)(h.MailTemplate(h.ctx, h.op, acme.ID, m.Kind))
		if now.Subject != "One" {
			t.Errorf("it says %q", now.Subject)
		}
		if err := h.ChangeMailTemplate(h.ctx, h.op, m, now.UpdatedAt); err != nil {
			t.Error(err)
		}
	})
}

func TestOwnDataThatIsBehindIsNotSaved(t *testing.T) {
	eachWith(t, "etlworks", func(t *testing.T, h *house) {
		u, by := h.staff(h.tenant("Acme").ID, "ada@example.com", "viewer")
		one, two := "One", "Two"
		must[identity.User](t)(h.UpdateOwn(h.ctx, by, provisioning.OwnData{DisplayName: &one, Version: u.Version}))
		_, err := h.UpdateOwn(h.ctx, by, provisioning.OwnData{DisplayName: &two, Version: u.Version})
		wantKind(t, err, identity.Precondition, "")
		if now := must[identity.User](t)(h.User(h.ctx, h.op, u.ID)); now.DisplayName != one {
			t.Errorf("it says %q", now.DisplayName)
		}
	})
}
