package provisioning_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func TestEverybodyHasTheirOwnAccount(t *testing.T) {
	for _, c := range []struct{ preset, role string }{{"fintechos", "portal_viewer"}, {"fentu-fsm", "read_only"}} {
		t.Run(c.preset, func(t *testing.T) {
			eachWith(t, c.preset, func(t *testing.T, h *house) {
				home := h.home()
				u := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("ada@example.com"), home.ID), Role: identity.RoleID(c.role), Reason: "joins"}))
				by := h.as(u.ID)
				t.Run("FOS-06 whoever is active sees and changes the own data, without any right over users", func(t *testing.T) {
					_, err := h.UpdateUser(h.ctx, by, u.ID, 0, func(u *identity.User) error { u.DisplayName = "x"; return nil })
					wantKind(t, err, identity.Forbidden, "")
					name, given, locale := "Ada L.", "Ada", "de-AT"
					out := must[identity.User](t)(h.UpdateOwn(h.ctx, by, provisioning.OwnData{DisplayName: &name, FirstName: &given, Locale: &locale}))
					if out.DisplayName != name || out.Name().GivenName != given || !strings.Contains(string(out.Attributes), `"de-AT"`) {
						t.Errorf("%+v", out)
					}
					must[provisioning.UserDetail](t)(h.UserDetail(h.ctx, by, u.ID))
					h.wantEvent(u.ID, identity.UserUpdated)
				})
				t.Run("what is no name and no language is refused, and so is who is nobody", func(t *testing.T) {
					for _, bad := range []string{"", " ", "a\nb", strings.Repeat("x", 300), "\xff"} {
						_, err := h.UpdateOwn(h.ctx, by, provisioning.OwnData{DisplayName: &bad})
						wantKind(t, err, identity.Invalid, "")
					}
					tag := "<b>"
					_, err := h.UpdateOwn(h.ctx, by, provisioning.OwnData{Locale: &tag})
					wantKind(t, err, identity.Invalid, "")
					_, err = h.UpdateOwn(h.ctx, h.op, provisioning.OwnData{})
					wantKind(t, err, identity.Forbidden, "")
				})
				t.Run("who was deactivated has no account to change", func(t *testing.T) {
					must[identity.User](t)(h.DeactivateUser(h.ctx, h.op, u.ID, ""))
					_, err := h.UpdateOwn(h.ctx, by, provisioning.OwnData{})
					wantKind(t, err, identity.Forbidden, "user.inactive")
				})
			})
		})
	}
}

func TestWhomADirectoryManagesIsChangedThere(t *testing.T) {
	eachWith(t, "etlworks", func(t *testing.T, h *house) {
		u := h.push(h.directory("Okta", h.tenant("Acme").ID, identity.DialectOkta), "ada@example.com")
		name := "x"
		_, err := h.UpdateOwn(h.ctx, h.as(u.ID), provisioning.OwnData{DisplayName: &name})
		wantKind(t, err, identity.Forbidden, "")
		_, err = h.ChangeOwnEmail(h.ctx, h.as(u.ID), "new@example.com")
		wantKind(t, err, identity.Forbidden, "email.off")
		if n := len(h.post()); n != 0 {
			t.Errorf("%d mails", n)
		}
	})
}

func TestAnotherAddressOfOnesOwn(t *testing.T) {
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		home := h.home()
		n := provisioning.NewUser{User: withTenant(person("ada@example.com"), home.ID), Role: "dispatcher", Reason: "joins", PasswordHash: "hash"}
		u := must[identity.User](t)(h.CreateUser(h.ctx, h.op, n))
		by := h.as(u.ID)
		c := h.connection("Google", nil)
		must[identity.User](t)(h.signIn(c, claims("s1", "ada@example.com")))
		var confirm, stop string
		t.Run("FSM-66 the new mailbox is asked first, and the old one is told", func(t *testing.T) {
			if h.OwnEmailRule() != provisioning.EmailVerified {
				t.Fatal(h.OwnEmailRule())
			}
			e := must[provisioning.EmailChange](t)(h.ChangeOwnEmail(h.ctx, by, "ada@new.example"))
			if !e.Pending || h.email(u.ID) != "ada@example.com" {
				t.Errorf("%+v", e)
			}
			confirm, stop = h.mailsOfChange("ada@new.example", "ada@example.com")
			if p := must[provisioning.EmailChange](t)(h.PendingEmail(h.ctx, by)); p.To != "ada@new.example" || time.Until(p.Until) > 24*time.Hour {
				t.Errorf("%+v", p)
			}
			h.wantEvent(u.ID, identity.EmailChangeAsked)
		})
		t.Run("FSM-66 the link puts it in force, once", func(t *testing.T) {
			out := must[identity.User](t)(h.ConfirmEmail(h.ctx, confirm))
			if out.Email() != "ada@new.example" || out.UserName != "ada@example.com" {
				t.Errorf("%+v", out)
			}
			_, err := h.ConfirmEmail(h.ctx, confirm)
			wantKind(t, err, identity.NotFound, "link.used")
			h.wantEvent(u.ID, identity.EmailChangeProven)
			if _, err := h.PendingEmail(h.ctx, by); identity.KindOf(err) != identity.NotFound {
				t.Error(err)
			}
		})
		t.Run("a provider's subject stays this person, and the old address is nobody's", func(t *testing.T) {
			if again := must[identity.User](t)(h.signIn(c, claims("s1", "ada@example.com"))); again.ID != u.ID {
				t.Error("the link was lost")
			}
		})
		t.Run("the old mailbox takes it back: address, sessions, and a password that was set since", func(t *testing.T) {
			h.session(u.ID)
			if err := h.db.Update(h.ctx, func(tx *store.Tx) error {
				return tx.PutCredential(h.ctx, store.Credential{UserID: u.ID, PasswordHash: "thief"})
			}); err != nil {
				t.Fatal(err)
			}
			out, back, err := h.StopEmailChange(h.ctx, stop)
			if err != nil || !back || out.Email() != "ada@example.com" {
				t.Fatal(out.Email(), back, err)
			}
			d := must[provisioning.UserDetail](t)(h.UserDetail(h.ctx, h.op, u.ID))
			if len(d.Sessions) != 0 || d.Password {
				t.Errorf("%d sessions, password %v", len(d.Sessions), d.Password)
			}
			_, _, err = h.StopEmailChange(h.ctx, stop)
			wantKind(t, err, identity.NotFound, "link.used")
			h.wantEvent(u.ID, identity.EmailChangeStopped)
			h.wantEvent(u.ID, identity.SessionEnded)
		})
		t.Run("the old mailbox stops what still waits", func(t *testing.T) {
			must[provisioning.EmailChange](t)(h.ChangeOwnEmail(h.ctx, by, "eve@new.example"))
			confirm, stop := h.mailsOfChange("eve@new.example", "ada@example.com")
			if _, back, err := h.StopEmailChange(h.ctx, stop); err != nil || back {
				t.Fatal(back, err)
			}
			_, err := h.ConfirmEmail(h.ctx, confirm)
			wantKind(t, err, identity.NotFound, "link.revoked")
		})
		t.Run("an address that somebody else signs in with is theirs", func(t *testing.T) {
			must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("bob@example.com"), home.ID), Role: "dispatcher", Reason: "joins", PasswordHash: "hash"}))
			must[provisioning.EmailChange](t)(h.ChangeOwnEmail(h.ctx, by, "bob@example.com"))
			confirm, _ := h.mailsOfChange("bob@example.com", "ada@example.com")
			_, err := h.ConfirmEmail(h.ctx, confirm)
			wantKind(t, err, identity.Conflict, "uniqueness")
		})
		t.Run("one's own address, no address, and too many in a day are refused", func(t *testing.T) {
			_, err := h.ChangeOwnEmail(h.ctx, by, "ADA@example.com")
			wantKind(t, err, identity.Invalid, "")
			_, err = h.ChangeOwnEmail(h.ctx, by, "ada")
			wantKind(t, err, identity.Invalid, "")
			for range 2 {
				must[provisioning.EmailChange](t)(h.ChangeOwnEmail(h.ctx, by, "z@new.example"))
			}
			_, err = h.ChangeOwnEmail(h.ctx, by, "z@new.example")
			wantKind(t, err, identity.TooMany, "email.too_many")
			if err := h.CancelEmailChange(h.ctx, by); err != nil {
				t.Fatal(err)
			}
		})
	})
}

func (h *house) email(id identity.UserID) string {
	h.t.Helper()
	u := must[identity.User](h.t)(h.User(h.ctx, h.op, id))
	return u.Email()
}

// mailsOfChange are the tokens that went to the new mailbox and to the old one.
func (h *house) mailsOfChange(to, from string) (confirm, stop string) {
	h.t.Helper()
	for _, m := range h.post() {
		switch m.To {
		case to:
			confirm = token(h.t, m, "verify")
		case from:
			stop = token(h.t, m, "stop")
		}
	}
	if confirm == "" || stop == "" {
		h.t.Fatal("a mail of the change is missing")
	}
	return confirm, stop
}

func TestFSM66TheModelDecidesWhoChangesAddresses(t *testing.T) {
	for rule, want := range map[string]provisioning.EmailRule{"off": provisioning.EmailOff, "free": provisioning.EmailFree} {
		t.Run("FSM-66 "+rule, func(t *testing.T) {
			eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
				home := h.home()
				u := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("ada@example.com"), home.ID), Role: "dispatcher", Reason: "joins"}))
				model := must[*access.Model](t)(access.Load("fentu-fsm"))
				other := must[*access.Model](t)(access.Parse("other", []byte(strings.Replace(string(model.Source()), "self_service: {email: verify}", "self_service: {email: "+rule+"}", 1))))
				s := provisioning.New(h.db, other)
				if s.OwnEmailRule() != want {
					t.Fatal(s.OwnEmailRule())
				}
				e, err := s.ChangeOwnEmail(h.ctx, h.as(u.ID), "ada@new.example")
				now := h.email(u.ID)
				if want == provisioning.EmailOff {
					wantKind(t, err, identity.Forbidden, "email.off")
				} else if err != nil || e.Pending || now != "ada@new.example" {
					t.Errorf("%v %+v %s", err, e, now)
				}
				if n := len(h.post()); n != 0 {
					t.Errorf("%d mails", n)
				}
			})
		})
	}
}

func TestLinksEndByTheClock(t *testing.T) {
	storetest.SQLite(t) // makes the template outside the bubble
	synctest.Test(t, func(t *testing.T) {
		db := storetest.SQLite(t)
		model := must[*access.Model](t)(access.Load(storetest.Model))
		h := &house{Service: provisioning.New(db, model), t: t, ctx: t.Context(), db: db, op: identity.Operator()}
		u := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("ada@example.com"), h.tenant("Acme").ID), Role: "viewer"}))
		reset := token(t, h.reset(u, true), "restore")
		must[provisioning.EmailChange](t)(h.ChangeOwnEmail(h.ctx, h.as(u.ID), "ada@new.example"))
		confirm, stop := h.mailsOfChange("ada@new.example", "ada@example.com")
		i, join := h.invite(h.op, provisioning.NewInvitation{Email: "bob@example.com", Tenant: u.TenantID, Role: "viewer"})
		for _, step := range []struct {
			wait  time.Duration
			kind  identity.MailLinkKind
			token string
		}{{time.Hour, identity.LinkReset, reset}, {23 * time.Hour, identity.LinkEmail, confirm}, {48 * time.Hour, identity.LinkInvitation, join}, {4 * 24 * time.Hour, identity.LinkStop, stop}} {
			<-time.After(step.wait - time.Second)
			must[provisioning.OpenedLink](t)(h.OpenMailLink(h.ctx, step.kind, step.token))
			<-time.After(time.Second)
			_, err := h.OpenMailLink(h.ctx, step.kind, step.token)
			wantKind(t, err, identity.NotFound, "link.expired")
		}
		<-time.After(100 * 24 * time.Hour)
		if err := h.SweepMailLinks(h.ctx); err != nil {
			t.Fatal(err)
		}
		_, err := h.OpenMailLink(h.ctx, identity.LinkReset, reset)
		wantKind(t, err, identity.NotFound, "link.unknown")
		if !h.open(i.User.ID) {
			t.Error("somebody who never joined counts as joined")
		}
	})
}
