package provisioning_test

import (
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

func TestWelcomeMails(t *testing.T) {
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		home := h.home()
		u := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("ada@example.com"), home.ID), Role: "dispatcher", Reason: "joins"}))
		boss, by := h.staff(home.ID, "boss@example.com", "administrator")
		var link string
		t.Run("FSM-51 by default it is a link with which the person chooses a password", func(t *testing.T) {
			if err := h.SendWelcome(h.ctx, by, u.ID, provisioning.Welcome{Message: "Welcome aboard."}); err != nil {
				t.Fatal(err)
			}
			m := h.letter("ada@example.com")
			link = token(t, m, "join")
			if !strings.Contains(m.Text, "Welcome aboard.") || !h.JoinForm(u).Password {
				t.Error(m.Text)
			}
		})
		t.Run("FSM-42 until then the person is pending and has to set a password", func(t *testing.T) {
			d := must[provisioning.UserDetail](t)(h.UserDetail(h.ctx, by, u.ID))
			if d.User.Status() != identity.StatusPending || !d.Invited || d.Password {
				t.Errorf("%s %+v", d.User.Status(), d)
			}
		})
		ends := time.Now().Add(72 * time.Hour)
		temporary := provisioning.Welcome{Password: "Abcde-23456-fghjk", PasswordHash: "hash", Terms: identity.PasswordTerms{MustChange: true, Temporary: true, ExpiresAt: &ends}}
		t.Run("FSM-51 a temporary password leaves by mail when that is chosen, and the link is dead then", func(t *testing.T) {
			if err := h.SendWelcome(h.ctx, by, u.ID, temporary); err != nil {
				t.Fatal(err)
			}
			m := h.letter("ada@example.com")
			if !strings.Contains(m.Text, "Abcde-23456-fghjk") || !strings.Contains(m.Text, "User name: ada@example.com") || !strings.Contains(m.HTML, "Abcde-23456-fghjk") {
				t.Error(m.Text)
			}
			_, err := h.OpenMailLink(h.ctx, identity.LinkInvitation, link)
			wantKind(t, err, identity.NotFound, "link.revoked")
			for _, e := range must[identity.Page[identity.Event]](t)(h.Events(h.ctx, h.op, provisioning.EventQuery{UserID: u.ID, Limit: 50})).Items {
				for _, c := range e.Changes {
					if s, ok := c.After.(string); ok && strings.Contains(s, "Abcde") {
						t.Error("an event has the password")
					}
				}
			}
			h.wantEvent(u.ID, identity.WelcomeSent)
			h.wantEvent(u.ID, identity.PasswordSet)
		})
		t.Run("only a temporary password does, to somebody with an address who never came in", func(t *testing.T) {
			forever := temporary
			forever.Terms = identity.PasswordTerms{}
			wantKind(t, h.SendWelcome(h.ctx, by, u.ID, forever), identity.Invalid, "")
			bare := withTenant(person("nomail"), home.ID)
			bare.Emails = nil
			none := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: bare, Role: "dispatcher", Reason: "joins"}))
			wantKind(t, h.SendWelcome(h.ctx, by, none.ID, provisioning.Welcome{}), identity.Precondition, "welcome.no_email")
			wantKind(t, h.SendWelcome(h.ctx, h.as(u.ID), boss.ID, provisioning.Welcome{}), identity.Forbidden, "")
			if err := h.db.Update(h.ctx, func(tx *store.Tx) error { return tx.SetLastLogin(h.ctx, u.ID, tx.Now()) }); err != nil {
				t.Fatal(err)
			}
			wantKind(t, h.SendWelcome(h.ctx, by, u.ID, provisioning.Welcome{}), identity.Conflict, "welcome.late")
		})
	})
}

func TestANewEmployee(t *testing.T) {
	eachWith(t, "fentu-connect", func(t *testing.T, h *house) {
		home := h.home()
		_, by := h.staff(home.ID, "boss@example.com", "administrator")
		t.Run("FC-58 a new employee's account is made with the e-mail address", func(t *testing.T) {
			u := must[identity.User](t)(h.CreateUser(h.ctx, by, provisioning.NewUser{User: withTenant(person("new@example.com"), home.ID), Role: "viewer", Reason: "new employee"}))
			if u.Email() != "new@example.com" || u.UserName != "new@example.com" || u.Status() != identity.StatusPending {
				t.Errorf("%+v", u)
			}
			h.wantEvent(u.ID, identity.UserCreated)
		})
		t.Run("FC-58 or is invited with nothing but the address and a profile", func(t *testing.T) {
			i, tok := h.invite(by, provisioning.NewInvitation{Email: "next@example.com", Tenant: home.ID, Role: "viewer"})
			u := must[identity.User](t)(h.AcceptInvitation(h.ctx, tok, provisioning.Joining{FirstName: "Next", LastName: "Person", PasswordHash: "hash"}))
			if f := h.JoinForm(i.User); !f.FirstName || !f.LastName || !f.Password {
				t.Errorf("%+v", f)
			}
			if u.ID != i.User.ID || h.roles(u.ID) != "viewer " || u.DisplayName != "Next Person" {
				t.Errorf("%+v", u)
			}
		})
	})
}

func TestWhatBecameOfAPersonsMails(t *testing.T) {
	eachWith(t, "fluentpro-backup", func(t *testing.T, h *house) {
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		_, by := h.staff(acme.ID, "boss@example.com", "admin")
		_, stranger := h.staff(beta.ID, "boss@beta.example", "admin")
		i := must[identity.Invitation](t)(h.Invite(h.ctx, by, provisioning.NewInvitation{Email: "ada@example.com", Tenant: acme.ID, Role: "member"}))
		fail := func() {
			err := h.db.Update(h.ctx, func(tx *store.Tx) error {
				claimed, err := tx.ClaimMails(h.ctx, tx.Now().Add(time.Hour), 9)
				if err != nil || len(claimed) != 1 {
					t.Fatalf("%d mails (%v)", len(claimed), err)
				}
				return tx.GiveMailUp(h.ctx, claimed[0].ID, claimed[0].Tries, "550 no such mailbox", false)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		fail()
		t.Run("FSM-51 the person's page and the list of invitations say that it failed, and why", func(t *testing.T) {
			d := must[provisioning.UserDetail](t)(h.UserDetail(h.ctx, by, i.User.ID))
			if len(d.Mails) != 1 || d.Mails[0].State() != identity.MailFailed || d.Mails[0].Failure != "550 no such mailbox" || d.Mails[0].Text != "" {
				t.Errorf("%+v", d.Mails)
			}
			list := must[identity.Page[identity.Invitation]](t)(h.Invitations(h.ctx, by, provisioning.InvitationQuery{Query: identity.Query{Limit: 5}}))
			if len(list.Items) != 1 || list.Items[0].Mail.Failure != "550 no such mailbox" {
				t.Errorf("%+v", list.Items)
			}
		})
		t.Run("FSM-51 whoever invites sends it again, and nobody elsewhere does", func(t *testing.T) {
			wantKind(t, h.ResendMail(h.ctx, stranger, i.Link.MailID), identity.NotFound, "")
			wantKind(t, h.ResendMail(h.ctx, h.as(i.User.ID), i.Link.MailID), identity.Forbidden, "")
			if err := h.ResendMail(h.ctx, by, i.Link.MailID); err != nil {
				t.Fatal(err)
			}
			fail()
		})
		t.Run("a mail whose link is dead is not sent again", func(t *testing.T) {
			must[identity.Invitation](t)(h.ResendInvitation(h.ctx, by, i.User.ID))
			wantKind(t, h.ResendMail(h.ctx, by, i.Link.MailID), identity.Conflict, "mail.stale")
		})
	})
}
