package provisioning_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

func TestRegisteringATenant(t *testing.T) {
	eachWith(t, "fluentpro-backup", func(t *testing.T, h *house) {
		ask := provisioning.Registration{Organisation: " Acme  Ltd ", Email: "ada@example.com"}
		t.Run("FP-32 nobody registers unless the installation says so", func(t *testing.T) {
			if h.RegistrationOpen() {
				t.Error("it is open")
			}
			wantKind(t, h.Register(h.ctx, ask), identity.NotFound, "registration.off")
			_, err := h.FoundTenant(h.ctx, "dbm_x", ask)
			wantKind(t, err, identity.NotFound, "registration.off")
		})
		h.AllowRegistration(true)
		var tok string
		t.Run("FP-32 ETL-03 nothing is created before the mailbox was proven", func(t *testing.T) {
			if err := h.Register(h.ctx, ask); err != nil {
				t.Fatal(err)
			}
			tok = token(t, h.letter("ada@example.com"), "register")
			if h.count() != 0 {
				t.Error("somebody was created")
			}
			o := must[provisioning.OpenedLink](t)(h.OpenMailLink(h.ctx, identity.LinkRegistration, tok))
			if o.Link.Data.Organisation != "Acme Ltd" || o.Link.Email != "ada@example.com" {
				t.Errorf("%+v", o.Link)
			}
		})
		t.Run("what is missing is said, and the link stays good", func(t *testing.T) {
			_, err := h.FoundTenant(h.ctx, tok, provisioning.Registration{Organisation: "Acme Ltd", LastName: "L"})
			wantKind(t, err, identity.Invalid, "")
			_, err = h.FoundTenant(h.ctx, tok, provisioning.Registration{Organisation: "", FirstName: "A", LastName: "L"})
			wantKind(t, err, identity.Invalid, "")
			h.tenant("Taken")
			_, err = h.FoundTenant(h.ctx, tok, provisioning.Registration{Organisation: "TAKEN", FirstName: "A", LastName: "L"})
			wantKind(t, err, identity.Conflict, "uniqueness")
		})
		t.Run("FP-09 FP-32 whoever registers owns the tenant, once, however often the button is pressed", func(t *testing.T) {
			r := provisioning.Registration{Organisation: "Acme Ltd", FirstName: "Ada", LastName: "Lovelace", PasswordHash: "hash"}
			var all sync.WaitGroup
			results := make([]error, 4)
			users := make([]identity.User, 4)
			for n := range results {
				all.Go(func() { users[n], results[n] = h.FoundTenant(h.ctx, tok, r) })
			}
			all.Wait()
			won := 0
			for n, err := range results {
				if err == nil {
					won++
					owner := must[identity.User](t)(h.Owner(h.ctx, h.op, users[n].TenantID))
					if owner.ID != users[n].ID || h.roles(owner.ID) != "owner " || owner.Label() != "Ada Lovelace" {
						t.Errorf("%+v %q", owner, h.roles(owner.ID))
					}
					h.wantEvent(owner.ID, identity.TenantRegistered)
				} else if identity.CodeOf(err) != "link.used" && identity.CodeOf(err) != "uniqueness" {
					t.Error(err)
				}
			}
			if won != 1 || h.count() != 1 {
				t.Errorf("%d won, %d users", won, h.count())
			}
			if m := h.letter("ada@example.com"); !strings.Contains(m.Subject, "Welcome to Acme Ltd") || !strings.Contains(m.Text, "/signin") {
				t.Errorf("%+v", m)
			}
		})
		t.Run("FOS-06 an owner is protected from others and not from the own hand", func(t *testing.T) {
			by, name := h.as(h.find("ada@example.com")), "Ada King"
			must[identity.User](t)(h.UpdateOwn(h.ctx, by, provisioning.OwnData{DisplayName: &name}))
			must[provisioning.EmailChange](t)(h.ChangeOwnEmail(h.ctx, by, "king@example.com"))
			confirm, stop := h.mailsOfChange("king@example.com", "ada@example.com")
			must[identity.User](t)(h.ConfirmEmail(h.ctx, confirm))
			if _, _, err := h.StopEmailChange(h.ctx, stop); err != nil {
				t.Fatal(err)
			}
			if err := h.db.Update(h.ctx, func(tx *store.Tx) error {
				u := identity.User{UserName: "ada@example.com"}
				if err := tx.PutCredential(h.ctx, store.Credential{UserID: by.UserID(), PasswordHash: "hash"}); err != nil {
					return err
				}
				_, err := tx.ReplaceLogins(h.ctx, by.UserID(), u.LoginKeys())
				return err
			}); err != nil {
				t.Fatal(err)
			}
		})
		t.Run("whoever has an account is told so in the mail, and on the page nothing differs", func(t *testing.T) {
			if err := h.Register(h.ctx, provisioning.Registration{Organisation: "Second", Email: "ada@example.com"}); err != nil {
				t.Fatal(err)
			}
			if m := h.letter("ada@example.com"); linkInMail.MatchString(m.Text) || !strings.Contains(m.Text, "There is an account with this address already") {
				t.Error(m.Text)
			}
		})
		t.Run("a mailbox gets three mails a day, and nobody learns of it", func(t *testing.T) {
			for range 6 {
				if err := h.Register(h.ctx, provisioning.Registration{Organisation: "Spam", Email: "victim@example.com"}); err != nil {
					t.Fatal(err)
				}
			}
			if n := len(h.post()); n != 3 {
				t.Errorf("%d mails", n)
			}
		})
		t.Run("what is no name and no address is refused", func(t *testing.T) {
			for _, bad := range []provisioning.Registration{{Email: "a@example.com"}, {Organisation: "A\x00", Email: "a@example.com"}, {Organisation: "A", Email: "a"}, {Organisation: strings.Repeat("x", 300), Email: "a@example.com"}} {
				wantKind(t, h.Register(h.ctx, bad), identity.Invalid, "")
			}
		})
	})
}

func TestNobodyRegistersWhereTheModelKnowsNoSuchThing(t *testing.T) {
	eachWith(t, "etlworks", func(t *testing.T, h *house) {
		h.AllowRegistration(true)
		wantKind(t, h.Register(h.ctx, provisioning.Registration{Organisation: "A", Email: "a@example.com"}), identity.NotFound, "registration.off")
		n := 0
		if err := h.db.View(h.ctx, func(tx *store.Tx) (err error) {
			n, err = tx.CountMailsToDo(h.ctx, tx.Now())
			return err
		}); err != nil || n != 0 {
			t.Error(n, err)
		}
	})
}
