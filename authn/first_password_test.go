package authn_test

import (
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

func TestWhoIsCreatedByHandGetsAPassword(t *testing.T) {
	for _, p := range products {
		row := map[string]string{"FC": "FC-13", "FSM": "FSM-60", "FOS": "FOS-27"}[p.id]
		t.Run(row+" one is needed, has to be changed, and may be made up", func(t *testing.T) {
			on(t, p.preset, func(t *testing.T, h *house) {
				admin := by(h.person(h.acme, "admin", p.admin), p.admin)
				ada := identity.User{TenantID: h.acme, UserName: "ada"}
				first := func(g authn.GivenPassword) (authn.FirstPassword, error) {
					return h.FirstPassword(t.Context(), admin, ada, g)
				}
				_, err := first(authn.GivenPassword{})
				wantCode(t, err, identity.Invalid, "password.needed")
				other, same, free := strong+"!", strong, false
				_, err = first(authn.GivenPassword{Password: strong, Repeated: &other})
				wantCode(t, err, identity.Invalid, "password.repeated")
				_, err = first(authn.GivenPassword{Password: "Password1234!", Repeated: nil})
				wantCode(t, err, identity.Invalid, "password.guessable")
				typed, err := first(authn.GivenPassword{Password: strong, Repeated: &same})
				if err != nil || !typed.Terms.MustChange || typed.Terms.Temporary || typed.Made != "" || !strings.HasPrefix(typed.Hash, "$argon2id$") {
					t.Errorf("typed: %+v, %v", typed, err)
				}
				if free, err := first(authn.GivenPassword{Password: strong, MustChange: &free}); err != nil || free.Terms.MustChange {
					t.Errorf("the administrator may say otherwise: %+v, %v", free, err)
				}
				made, err := first(authn.GivenPassword{Temporary: true})
				if err != nil || !made.Terms.Temporary || made.Made == "" {
					t.Errorf("made up: %+v, %v", made, err)
				}
				bob := h.person(h.acme, "bob", p.plain)
				h.update(func(tx *store.Tx) error {
					if err := tx.PutCredential(t.Context(), store.Credential{UserID: bob.ID, PasswordHash: typed.Hash, PasswordTerms: typed.Terms}); err != nil {
						return err
					}
					_, err := tx.ReplaceLogins(t.Context(), bob.ID, bob.LoginKeys())
					return err
				})
				if v, _ := h.in(bob, strong); v.Must != authn.MustChangePassword {
					t.Errorf("at the first sign-in: %q", v.Must)
				}
			})
		})
	}
	t.Run("FC-13 where people are invited none is needed", func(t *testing.T) {
		each(t, func(t *testing.T, h *house) {
			first, err := h.FirstPassword(t.Context(), identity.Operator(), identity.User{TenantID: h.acme, UserName: "ada"}, authn.GivenPassword{})
			if err != nil || first.Hash != "" {
				t.Errorf("%+v, %v", first, err)
			}
		})
	})
}

func TestTheWholeOfPasswordAdministration(t *testing.T) {
	t.Run("MIS-07 locked out, unlocked, a temporary password, another one, a second factor", func(t *testing.T) {
		on(t, "fentu-fsm", func(t *testing.T, h *house) {
			boss, admin := by(h.person(h.acme, "boss", "administrator"), "administrator"), h.person(h.acme, "admin", "administrator")
			h.set(admin, strong)
			for range 5 {
				_, _, err := h.try(admin, wrong)
				wantKind(t, err, identity.Unauthenticated)
			}
			given, err := h.ResetPassword(t.Context(), boss, admin.ID, authn.GivenPassword{Unlock: true, Reason: "locked out on Monday"})
			if err != nil {
				t.Fatal(err)
			}
			v, cookie := h.in(admin, given)
			const next = "Purple monkey dishwasher 9"
			if err := h.ChangePassword(t.Context(), v, authn.PasswordChange{New: next, Repeated: next}); err != nil {
				t.Fatal(err)
			}
			if v, err = h.AnySession(t.Context(), cookie); err != nil || v.Must != authn.MustEnrol {
				t.Fatalf("then: %q, %v", v.Must, err)
			}
			h.enrolRequired(v)
			if _, err := h.Session(t.Context(), cookie); err != nil {
				t.Errorf("at last: %v", err)
			}
			for _, kind := range []identity.EventType{identity.UserLocked, identity.UserUnlocked, identity.PasswordSet, identity.PasswordChanged, identity.SecondFactorOn} {
				if len(h.events(admin, kind)) == 0 {
					t.Errorf("the audit has no %s", kind)
				}
			}
		})
	})
}
