package provisioning_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func TestAnInvitation(t *testing.T) {
	eachWith(t, "fluentpro-backup", func(t *testing.T, h *house) {
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		boss := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("boss@example.com"), acme.ID), Role: "admin"}))
		by := h.as(boss.ID)
		var ada identity.Invitation
		var old string
		t.Run("FP-02 FP-07 ETL-04 an address and a role are enough, and the mail is written with the user", func(t *testing.T) {
			i := must[identity.Invitation](t)(h.Invite(h.ctx, by, provisioning.NewInvitation{Email: "ada@example.com", Tenant: acme.ID, Role: "member", Message: "We start <on> Monday."}))
			m := h.letter("ada@example.com")
			ada, old = i, token(t, m, "join")
			if m.UserID != i.User.ID || m.TenantID != acme.ID || m.Kind != "invitation" || m.ID != i.Link.MailID {
				t.Errorf("the mail is %+v", m)
			}
			if !strings.Contains(m.Subject, "boss@example.com invites you to Acme") || !strings.Contains(m.Text, "We start <on> Monday.") || !strings.Contains(m.HTML, "We start &lt;on&gt; Monday.") {
				t.Errorf("the mail says %q %q %q", m.Subject, m.Text, m.HTML)
			}
			if h.roles(i.User.ID) != "member " {
				t.Errorf("invited as %q", h.roles(i.User.ID))
			}
			h.wantEvent(i.User.ID, identity.InvitationSent)
		})
		t.Run("FP-27 the mail has a button that says Join, in both of its forms", func(t *testing.T) {
			must[identity.Invitation](t)(h.Invite(h.ctx, by, provisioning.NewInvitation{Email: "join@example.com", Tenant: acme.ID, Role: "viewer"}))
			m := h.letter("join@example.com")
			if !strings.Contains(m.HTML, ">Join</a>") || !strings.Contains(m.Text, "Join: http") {
				t.Errorf("%q %q", m.Text, m.HTML)
			}
		})
		t.Run("FP-07 somebody who is there already is a clear conflict", func(t *testing.T) {
			_, err := h.Invite(h.ctx, by, provisioning.NewInvitation{Email: "BOSS@example.com", Tenant: acme.ID, Role: "viewer"})
			wantKind(t, err, identity.Conflict, "invitation.member")
			if !strings.Contains(err.Error(), "is a user already") {
				t.Error(err)
			}
			_, err = h.Invite(h.ctx, by, provisioning.NewInvitation{Email: "ada@example.com", Tenant: acme.ID, Role: "viewer"})
			wantKind(t, err, identity.Conflict, "invitation.open")
		})
		t.Run("FSM-42 who was invited is pending, and FP-01 stands in the list of users", func(t *testing.T) {
			u := must[identity.User](t)(h.User(h.ctx, by, ada.User.ID))
			if u.Status() != identity.StatusPending {
				t.Errorf("%s", u.Status())
			}
			page := must[identity.Page[identity.User]](t)(h.Users(h.ctx, by, identity.Query{Limit: 50}))
			if !slices.ContainsFunc(page.Items, func(u identity.User) bool { return u.ID == ada.User.ID }) || len(page.Items) != 3 {
				t.Errorf("%d users", len(page.Items))
			}
			stranger := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("b@beta.example"), beta.ID), Role: "admin"}))
			if list := must[identity.Page[identity.Invitation]](t)(h.Invitations(h.ctx, h.as(stranger.ID), provisioning.InvitationQuery{Query: identity.Query{Limit: 50}})); len(list.Items) != 0 {
				t.Errorf("another tenant sees %d invitations", len(list.Items))
			}
			list := must[identity.Page[identity.Invitation]](t)(h.Invitations(h.ctx, by, provisioning.InvitationQuery{State: identity.InvitationOpen, Query: identity.Query{Limit: 50, Total: true}}))
			if len(list.Items) != 2 || list.Total != 2 || list.Items[0].User.ID != ada.User.ID || list.Items[0].Mail.State() != identity.MailWaiting || list.Items[0].TenantName != "Acme" {
				t.Errorf("%+v", list)
			}
		})
		t.Run("nobody invites without the right, above it, or elsewhere", func(t *testing.T) {
			_, err := h.Invite(h.ctx, h.as(ada.User.ID), provisioning.NewInvitation{Email: "x@example.com", Tenant: acme.ID, Role: "viewer"})
			wantKind(t, err, identity.Forbidden, "")
			_, err = h.Invite(h.ctx, by, provisioning.NewInvitation{Email: "x@example.com", Tenant: beta.ID, Role: "viewer"})
			wantKind(t, err, identity.Forbidden, "")
			for _, role := range []identity.RoleID{"owner", "superadmin", "nobody", ""} {
				if _, err = h.Invite(h.ctx, by, provisioning.NewInvitation{Email: "x@example.com", Tenant: acme.ID, Role: role}); identity.KindOf(err) != identity.Invalid {
					t.Errorf("%q: %v", role, err)
				}
			}
			_, err = h.Invite(h.ctx, by, provisioning.NewInvitation{Email: "Ada <x@example.com>", Tenant: acme.ID, Role: "viewer"})
			wantKind(t, err, identity.Invalid, "")
			_, err = h.Invite(h.ctx, h.directory("Okta", acme.ID, identity.DialectOkta), provisioning.NewInvitation{Email: "x@example.com", Tenant: acme.ID, Role: "viewer"})
			wantKind(t, err, identity.Forbidden, "")
			if mails := h.post(); len(mails) != 0 {
				t.Errorf("%d mails were written for refusals", len(mails))
			}
		})
		t.Run("ETL-07 a new invite has a new link, and the old one is dead and says so", func(t *testing.T) {
			again := must[identity.Invitation](t)(h.ResendInvitation(h.ctx, by, ada.User.ID))
			m := h.letter("ada@example.com")
			fresh := token(t, m, "join")
			if fresh == old || !again.Link.ExpiresAt.After(ada.Link.ExpiresAt) || !strings.Contains(m.Text, "We start <on> Monday.") {
				t.Error("the second invitation is the first")
			}
			_, err := h.OpenMailLink(h.ctx, identity.LinkInvitation, old)
			wantKind(t, err, identity.NotFound, "link.revoked")
			if !strings.Contains(err.Error(), "Open the newest mail") {
				t.Error(err)
			}
			h.wantEvent(ada.User.ID, identity.InvitationResent)
			old = fresh
		})
		t.Run("ETL-05 the link is single use, dated, and looking at it uses nothing up", func(t *testing.T) {
			for range 3 {
				o := must[provisioning.OpenedLink](t)(h.OpenMailLink(h.ctx, identity.LinkInvitation, old))
				if o.User.ID != ada.User.ID || o.Tenant.Name != "Acme" || time.Until(o.Link.ExpiresAt) > 168*time.Hour || time.Until(o.Link.ExpiresAt) < 167*time.Hour {
					t.Errorf("%+v", o)
				}
			}
			_, err := h.OpenMailLink(h.ctx, identity.LinkReset, old)
			wantKind(t, err, identity.NotFound, "link.unknown")
			for _, wrong := range []string{"", "dbm_", "dbm_x", old[:40], old + "x", strings.Repeat("dbm_", 100)} {
				_, err := h.OpenMailLink(h.ctx, identity.LinkInvitation, wrong)
				wantKind(t, err, identity.NotFound, "link.unknown")
			}
		})
		t.Run("FP-28 first and last name are asked for, by the button Complete", func(t *testing.T) {
			if f := h.JoinForm(ada.User); f.Password || !f.FirstName || !f.LastName || f.Button != "Complete" {
				t.Errorf("%+v", f)
			}
			_, err := h.AcceptInvitation(h.ctx, old, provisioning.Joining{LastName: "Lovelace"})
			wantKind(t, err, identity.Invalid, "")
			_, err = h.AcceptInvitation(h.ctx, old, provisioning.Joining{FirstName: "Ada"})
			wantKind(t, err, identity.Invalid, "")
			_, err = h.AcceptInvitation(h.ctx, old, provisioning.Joining{FirstName: "Ada\x07", LastName: "Lovelace"})
			wantKind(t, err, identity.Invalid, "")
			u := must[identity.User](t)(h.AcceptInvitation(h.ctx, old, provisioning.Joining{FirstName: " Ada ", LastName: "Lovelace"}))
			if u.Label() != "Ada Lovelace" || u.Name().GivenName != "Ada" || u.Name().FamilyName != "Lovelace" {
				t.Errorf("%q %+v", u.Label(), u.Name())
			}
			h.wantEvent(u.ID, identity.InvitationUsed)
		})
		t.Run("FP-30 who joined without a password has none", func(t *testing.T) {
			if d := must[provisioning.UserDetail](t)(h.UserDetail(h.ctx, h.op, ada.User.ID)); d.Password {
				t.Error("there is a password")
			}
		})
		t.Run("a second use is refused, and tells what to do", func(t *testing.T) {
			_, err := h.AcceptInvitation(h.ctx, old, provisioning.Joining{FirstName: "Eve", LastName: "L"})
			wantKind(t, err, identity.NotFound, "link.used")
			if !strings.Contains(err.Error(), "Sign in") {
				t.Error(err)
			}
			_, err = h.ResendInvitation(h.ctx, by, ada.User.ID)
			wantKind(t, err, identity.Conflict, "invitation.closed")
			wantKind(t, h.RevokeInvitation(h.ctx, by, ada.User.ID, ""), identity.Conflict, "invitation.closed")
		})
	})
}

func TestAnInvitationThatIsTakenBackOrTooOld(t *testing.T) {
	eachWith(t, "etlworks", func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		n := provisioning.NewInvitation{Email: "ada@example.com", Tenant: acme.ID, Role: "editor"}
		t.Run("ETL-05 after 72 hours the link is over, and a new one can be sent", func(t *testing.T) {
			first, _ := h.invite(h.op, n)
			if rest := time.Until(first.Link.ExpiresAt); rest > 72*time.Hour || rest < 71*time.Hour {
				t.Errorf("it lives for %v", rest)
			}
			hurried := h.hurried("invite_ttl: 72h", "invite_ttl: 1us")
			i := must[identity.Invitation](t)(hurried.ResendInvitation(h.ctx, h.op, first.User.ID))
			tok := token(t, h.letter(n.Email), "join")
			_, err := h.AcceptInvitation(h.ctx, tok, provisioning.Joining{PasswordHash: "x"})
			wantKind(t, err, identity.NotFound, "link.expired")
			if !strings.Contains(err.Error(), "Ask whoever invited you") {
				t.Error(err)
			}
			list := must[identity.Page[identity.Invitation]](t)(h.Invitations(h.ctx, h.op, provisioning.InvitationQuery{State: identity.InvitationExpired, Query: identity.Query{Limit: 5}}))
			if len(list.Items) != 1 || list.Items[0].State(time.Now()) != identity.InvitationExpired {
				t.Errorf("%+v", list)
			}
			must[identity.Invitation](t)(h.ResendInvitation(h.ctx, h.op, i.User.ID))
			must[provisioning.OpenedLink](t)(h.OpenMailLink(h.ctx, identity.LinkInvitation, token(t, h.letter(n.Email), "join")))
		})
		t.Run("taking it back removes who never joined, and frees the name", func(t *testing.T) {
			id := h.find("ada@example.com")
			if err := h.RevokeInvitation(h.ctx, h.op, id, "wrong person"); err != nil {
				t.Fatal(err)
			}
			_, err := h.User(h.ctx, h.op, id)
			wantKind(t, err, identity.NotFound, "")
			h.wantEvent(id, identity.InvitationRevoked)
			h.wantEvent(id, identity.UserDeleted)
			again, tok := h.invite(h.op, n)
			if again.User.ID == id {
				t.Error("the same person came back")
			}
			if err := h.RevokeInvitation(h.ctx, h.op, again.User.ID, ""); err != nil {
				t.Fatal(err)
			}
			_, err = h.OpenMailLink(h.ctx, identity.LinkInvitation, tok)
			wantKind(t, err, identity.NotFound, "link.unknown")
		})
		t.Run("a mail that has not left is not sent any more", func(t *testing.T) {
			i := must[identity.Invitation](t)(h.Invite(h.ctx, h.op, n))
			if err := h.RevokeInvitation(h.ctx, h.op, i.User.ID, ""); err != nil {
				t.Fatal(err)
			}
			if mails := h.post(); len(mails) != 0 {
				t.Errorf("%d mails wait", len(mails))
			}
		})
		t.Run("whom a directory knows too stays", func(t *testing.T) {
			i, _ := h.invite(h.op, n)
			okta := h.directory("Okta", acme.ID, identity.DialectOkta)
			h.push(okta, "ada@example.com")
			if err := h.RevokeInvitation(h.ctx, h.op, i.User.ID, ""); err != nil {
				t.Fatal(err)
			}
			must[identity.User](t)(h.User(h.ctx, h.op, i.User.ID))
		})
		t.Run("who was deactivated meanwhile cannot join", func(t *testing.T) {
			i, tok := h.invite(h.op, provisioning.NewInvitation{Email: "bob@example.com", Tenant: acme.ID, Role: "editor"})
			must[identity.User](t)(h.DeactivateUser(h.ctx, h.op, i.User.ID, ""))
			_, err := h.AcceptInvitation(h.ctx, tok, provisioning.Joining{PasswordHash: "x"})
			wantKind(t, err, identity.Forbidden, "user.inactive")
			must[identity.User](t)(h.ActivateUser(h.ctx, h.op, i.User.ID, ""))
			must[provisioning.OpenedLink](t)(h.OpenMailLink(h.ctx, identity.LinkInvitation, tok))
		})
	})
}

func TestETL06AnAccountWaitsForItsMailbox(t *testing.T) {
	eachWith(t, "etlworks", func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		i, tok := h.invite(h.op, provisioning.NewInvitation{Email: "ada@example.com", Tenant: acme.ID, Role: "editor"})
		t.Run("ETL-06 until the link was followed the person is pending and counts as invited", func(t *testing.T) {
			if !h.open(i.User.ID) {
				t.Error("the invitation is not open")
			}
		})
		t.Run("ETL-03 ETL-06 the link asks for a password, and without one nobody joins", func(t *testing.T) {
			if f := h.JoinForm(i.User); !f.Password || f.FirstName || f.LastName {
				t.Errorf("%+v", f)
			}
			_, err := h.AcceptInvitation(h.ctx, tok, provisioning.Joining{})
			wantKind(t, err, identity.Invalid, "")
			u := must[identity.User](t)(h.AcceptInvitation(h.ctx, tok, provisioning.Joining{PasswordHash: "hash"}))
			if h.open(u.ID) || !must[provisioning.UserDetail](t)(h.UserDetail(h.ctx, h.op, u.ID)).Password {
				t.Error("the account is not usable")
			}
			h.wantEvent(u.ID, identity.PasswordSet)
		})
		t.Run("whose address signs in elsewhere already is told so, and the link stays good", func(t *testing.T) {
			beta := h.tenant("Beta")
			_, tok := h.invite(h.op, provisioning.NewInvitation{Email: "ada@example.com", Tenant: beta.ID, Role: "editor"})
			_, err := h.AcceptInvitation(h.ctx, tok, provisioning.Joining{PasswordHash: "hash"})
			wantKind(t, err, identity.Conflict, "uniqueness")
			must[provisioning.OpenedLink](t)(h.OpenMailLink(h.ctx, identity.LinkInvitation, tok))
		})
	})
}

// hurried is the same house with another word in its access model.
func (h *house) hurried(old, new string) *provisioning.Service {
	h.t.Helper()
	model := must[*access.Model](h.t)(access.Load(storetest.Model))
	other := must[*access.Model](h.t)(access.Parse("hurried", []byte(strings.Replace(string(model.Source()), old, new, 1))))
	return provisioning.New(h.db, other)
}

// open reports whether somebody was invited and has not joined.
func (h *house) open(id identity.UserID) (is bool) {
	h.t.Helper()
	err := h.db.View(h.ctx, func(tx *store.Tx) (err error) {
		is, err = tx.InvitationOpen(h.ctx, id)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return is
}

func TestAnInvitedPersonComesInThroughAProvider(t *testing.T) {
	eachWith(t, "fluentpro-backup", func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		c := h.connection("Google", nil)
		i, tok := h.invite(h.op, provisioning.NewInvitation{Email: "ada@example.com", Tenant: acme.ID, Role: "member"})
		t.Run("FP-29 an address that was not invited is somebody else", func(t *testing.T) {
			if u := must[identity.User](t)(h.signIn(c, claims("s2", "eve@example.com"))); u.ID == i.User.ID {
				t.Error("the wrong address joined")
			}
		})
		t.Run("FP-29 the invited address joins and is the same person", func(t *testing.T) {
			u := must[identity.User](t)(h.signIn(c, claims("s1", "ada@example.com")))
			if u.ID != i.User.ID || u.TenantID != acme.ID || h.roles(u.ID) != "member " {
				t.Errorf("signed in as %s in %s", u.UserName, u.TenantID)
			}
		})
		t.Run("FP-29 once they were in, the link is used and the invitation accepted", func(t *testing.T) {
			err := h.db.Update(h.ctx, func(tx *store.Tx) error { return tx.SetLastLogin(h.ctx, i.User.ID, tx.Now()) })
			if err != nil {
				t.Fatal(err)
			}
			_, err = h.OpenMailLink(h.ctx, identity.LinkInvitation, tok)
			wantKind(t, err, identity.NotFound, "link.used")
			list := must[identity.Page[identity.Invitation]](t)(h.Invitations(h.ctx, h.op, provisioning.InvitationQuery{State: identity.InvitationAccepted, Query: identity.Query{Limit: 5}}))
			if len(list.Items) != 1 || h.open(i.User.ID) {
				t.Errorf("%+v", list)
			}
		})
		t.Run("an invitation to another tenant keeps nobody from the account that they have", func(t *testing.T) {
			bob := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("bob@example.com"), acme.ID), Role: "member"}))
			h.invite(h.op, provisioning.NewInvitation{Email: "bob@example.com", Tenant: h.tenant("Beta").ID, Role: "member"})
			if u := must[identity.User](t)(h.signIn(c, claims("s7", "bob@example.com"))); u.ID != bob.ID {
				t.Errorf("signed in as %s", u.ID)
			}
		})
		t.Run("FP-29 whoever manages people is not linked by an address alone, invited or not", func(t *testing.T) {
			h.invite(h.op, provisioning.NewInvitation{Email: "boss@example.com", Tenant: acme.ID, Role: "admin"})
			_, err := h.signIn(c, claims("s8", "boss@example.com"))
			wantKind(t, err, identity.Forbidden, "link.requires_admin")
		})
	})
}

func TestAnAdministratorWhoNeverJoinedIsNone(t *testing.T) {
	eachWith(t, "etlworks", func(t *testing.T, h *house) {
		real := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: person("real@bridge.example"), Role: "superadmin", Reason: "first"}))
		if _, err := h.Invite(h.ctx, h.op, provisioning.NewInvitation{Email: "next@bridge.example", Role: "superadmin", Reason: "second"}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.DeactivateUser(h.ctx, h.op, real.ID, "leaves"); identity.CodeOf(err) != "last_administrator" {
			t.Errorf("the only one who can come in goes: %v", err)
		}
		must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: person("second@bridge.example"), Role: "superadmin", Reason: "second"}))
		if _, err := h.DeactivateUser(h.ctx, h.op, real.ID, "leaves"); err != nil {
			t.Errorf("one of two who can come in: %v", err)
		}
	})
}

func TestWhoWasOnlyInvitedLeavesNothingBehind(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := must[identity.Tenant](t)(h.CreateTenant(h.ctx, h.op, "Acme"))
		i := must[identity.Invitation](t)(h.Invite(h.ctx, h.op, provisioning.NewInvitation{Email: "zoe@example.com", Tenant: acme.ID, Role: "viewer"}))
		if err := h.RevokeInvitation(h.ctx, h.op, i.User.ID, "wrong person"); err != nil {
			t.Fatal(err)
		}
		err := h.db.Update(h.ctx, func(tx *store.Tx) error {
			roles, err := tx.Assignments(h.ctx, i.User.ID)
			if err != nil {
				return err
			}
			if len(roles) != 0 {
				t.Errorf("the roles %v are left", roles)
			}
			// Somebody with the same id and no address would be found by the address that was left.
			u := identity.User{ID: i.User.ID, TenantID: acme.ID, UserName: "nobody", Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
			if err := tx.InsertUser(h.ctx, u); err != nil {
				return err
			}
			found, err := tx.UsersByEmail(h.ctx, store.Everything(), "zoe@example.com", 2)
			if len(found) != 0 {
				t.Errorf("the address still leads to %v", found[0].ID)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
