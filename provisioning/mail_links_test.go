package provisioning_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

// post is every mail that was written and not read yet, with its text.
func (h *house) post() []identity.Mail {
	h.t.Helper()
	var out []identity.Mail
	err := h.db.Update(h.ctx, func(tx *store.Tx) (err error) {
		out, err = tx.ClaimMails(h.ctx, tx.Now().Add(time.Hour), 1000)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

// letter is the one mail that went to an address since the last look.
func (h *house) letter(to string) identity.Mail {
	h.t.Helper()
	var found []identity.Mail
	for _, m := range h.post() {
		if m.To == to {
			found = append(found, m)
		}
	}
	if len(found) != 1 {
		h.t.Fatalf("%d mails went to %s", len(found), to)
	}
	return found[0]
}

var linkInMail = regexp.MustCompile(`/(join|restore|verify|stop|register)/(dbm_[A-Za-z0-9_-]{43})`)

// token is the token of the link in a mail, the same in its text and in its HTML.
func token(t *testing.T, m identity.Mail, page string) string {
	t.Helper()
	found := linkInMail.FindStringSubmatch(m.Text)
	if found == nil || found[1] != page {
		t.Fatalf("no link to /%s/ in: %s", page, m.Text)
	}
	if !strings.Contains(m.HTML, `class="button" href="http://127.0.0.1:8080`+found[0]+`"`) {
		t.Fatalf("the HTML has no button with the link: %s", m.HTML)
	}
	return found[2]
}

// invite invites somebody and returns who it is and the token of the mail.
func (h *house) invite(by identity.Actor, n provisioning.NewInvitation) (identity.Invitation, string) {
	h.t.Helper()
	i := must[identity.Invitation](h.t)(h.Invite(h.ctx, by, n))
	return i, token(h.t, h.letter(n.Email), "join")
}

func (h *house) wantEvent(id identity.UserID, kind identity.EventType) {
	h.t.Helper()
	if got := h.events(id); !slices.Contains(got, kind) {
		h.t.Errorf("no event %s among %v", kind, got)
	}
}

func TestALinkInAMailboxThatIsNotThePersonsAnyMoreOpensNothing(t *testing.T) {
	eachWith(t, "etlworks", func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		moved := func(u identity.User, to string) {
			must[identity.User](t)(h.UpdateUser(h.ctx, h.op, u.ID, 0, func(u *identity.User) error {
				u.Emails = []identity.Email{{Value: to, Type: "work", Primary: true}}
				return nil
			}))
		}
		t.Run("an invitation that went to a wrong address lets nobody join after the address was corrected", func(t *testing.T) {
			i, tok := h.invite(h.op, provisioning.NewInvitation{Email: "ada@exmaple.com", Tenant: acme.ID, Role: "editor"})
			moved(i.User, "ada@example.com")
			_, err := h.OpenMailLink(h.ctx, identity.LinkInvitation, tok)
			wantKind(t, err, identity.NotFound, "link.revoked")
			_, err = h.AcceptInvitation(h.ctx, tok, provisioning.Joining{PasswordHash: "hash"})
			wantKind(t, err, identity.NotFound, "link.revoked")
			wantKind(t, h.ResendMail(h.ctx, h.op, i.Link.MailID), identity.Conflict, "mail.stale")
			must[identity.Invitation](t)(h.ResendInvitation(h.ctx, h.op, i.User.ID))
			fresh := token(t, h.letter("ada@example.com"), "join")
			must[identity.User](t)(h.AcceptInvitation(h.ctx, fresh, provisioning.Joining{PasswordHash: "hash"}))
		})
		t.Run("a link to a new password stays in the old mailbox, and opens nothing from there", func(t *testing.T) {
			i, tok := h.invite(h.op, provisioning.NewInvitation{Email: "bob@example.com", Tenant: acme.ID, Role: "editor"})
			u := must[identity.User](t)(h.AcceptInvitation(h.ctx, tok, provisioning.Joining{PasswordHash: "hash"}))
			reset := token(t, h.reset(u, true), "restore")
			moved(i.User, "BOB@example.com")
			must[provisioning.OpenedLink](t)(h.OpenMailLink(h.ctx, identity.LinkReset, reset))
			moved(i.User, "robert@example.com")
			_, err := h.OpenMailLink(h.ctx, identity.LinkReset, reset)
			wantKind(t, err, identity.NotFound, "link.revoked")
		})
	})
}
