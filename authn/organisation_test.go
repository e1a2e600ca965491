package authn_test

import (
	"context"
	"testing"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// eachMain runs a test in the one tenant of an installation with another access model.
func eachMain(t *testing.T, preset string, fn func(t *testing.T, h *house)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := &house{Service: authn.New(db, storetest.Preset(t, db, preset)), t: t, db: db}
		h.update(func(tx *store.Tx) error {
			main, err := tx.MainTenant(t.Context())
			h.acme = main.ID
			return err
		})
		fn(t, h)
	})
}

func (h *house) strongPassword(u identity.User) error {
	h.t.Helper()
	phc, err := h.HashPassword(h.t.Context(), strong)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.SetPassword(h.t.Context(), identity.Operator(), u.ID, phc)
}

func TestThePresetsSayWhatPeopleSignInWith(t *testing.T) {
	try := func(t *testing.T, h *house, names ...string) {
		t.Helper()
		for _, name := range names {
			if u, _, err := h.CheckPassword(t.Context(), name, strong, "203.0.113.9"); err != nil || u.UserName != "Ada" {
				t.Errorf("%q: %+v %v", name, u, err)
			}
		}
	}
	eachMain(t, "fentu-fsm", func(t *testing.T, h *house) {
		if err := h.strongPassword(h.person(h.acme, "Ada", "dispatcher")); err != nil {
			t.Fatal(err)
		}
		t.Run("FSM-10 by user name in any case", func(t *testing.T) { try(t, h, "Ada", "ADA", "ada") })
		t.Run("FSM-10 or by e-mail address", func(t *testing.T) { try(t, h, "ada@example.com", " ADA@EXAMPLE.COM") })
	})
	eachMain(t, "fentu-connect", func(t *testing.T, h *house) {
		if err := h.strongPassword(h.person(h.acme, "Ada", "viewer")); err != nil {
			t.Fatal(err)
		}
		t.Run("FC-07 the e-mail address is the login, in any case", func(t *testing.T) { try(t, h, "ada@example.com", "Ada@Example.Com") })
		t.Run("FC-07 an address signs in one person, whoever else has it too", func(t *testing.T) {
			twin := h.person(h.acme, "twin", "viewer")
			h.change(twin, func(u *identity.User) { u.Emails = []identity.Email{{Value: "ADA@example.com", Primary: true}} })
			if err := h.strongPassword(twin); err != nil {
				t.Fatal(err)
			}
			try(t, h, "ada@example.com")
			h.change(twin, func(u *identity.User) { u.UserName = "ada@EXAMPLE.com" })
			wantKind(t, h.strongPassword(twin), identity.Conflict)
			try(t, h, "ada@example.com")
		})
	})
}

func TestTheAdminFlagComesAlongWithASession(t *testing.T) {
	eachMain(t, "fintechos", func(t *testing.T, h *house) {
		boss, clerk := h.person(h.acme, "boss"), h.person(h.acme, "clerk", "officer")
		flag := func(u identity.User, on bool) {
			h.update(func(tx *store.Tx) error {
				return tx.PutPosition(context.Background(), identity.Position{UserID: u.ID, Admin: on})
			})
		}
		flag(boss, true)
		t.Run("FOS-20 who carries the flag signs in without any role and may do everything", func(t *testing.T) {
			if err := h.strongPassword(boss); err != nil {
				t.Fatal(err)
			}
			if _, _, err := h.CheckPassword(t.Context(), "boss", strong, "203.0.113.9"); err != nil {
				t.Error(err)
			}
			if a := h.as(boss); !a.Admin || len(a.Roles) != 0 {
				t.Errorf("%+v", a)
			}
			if a := h.as(clerk); a.Admin {
				t.Errorf("%+v", a)
			}
		})
		t.Run("FOS-20 taking the flag away holds at the next request", func(t *testing.T) {
			cookie, _ := h.signIn(clerk)
			for _, on := range []bool{true, false} {
				flag(clerk, on)
				if v, err := h.Session(t.Context(), cookie); err != nil || v.Actor.Admin != on {
					t.Errorf("%v: %+v %v", on, v.Actor, err)
				}
			}
			cookie, _ = h.signIn(boss)
			flag(boss, false)
			_, err := h.Session(t.Context(), cookie)
			wantKind(t, err, identity.Unauthenticated)
		})
	})
	each(t, func(t *testing.T, h *house) { // a model without a flag: nobody asks for it
		u := h.person(h.acme, "ada", "editor")
		h.update(func(tx *store.Tx) error {
			return tx.PutPosition(context.Background(), identity.Position{UserID: u.ID, Admin: true})
		})
		if a := h.as(u); a.Admin {
			t.Errorf("%+v", a)
		}
	})
}
