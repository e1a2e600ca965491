package authn_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// strong is a password that every preset takes.
const strong = "Correct horse 7 battery"

// products are the presets that ask for passwords, each with a role that looks after people and one that does not.
var products = []struct {
	id, preset   string
	admin, plain identity.RoleID
}{
	{"FC", "fentu-connect", "administrator", "viewer"},
	{"FSM", "fentu-fsm", "administrator", "dispatcher"},
	{"FOS", "fintechos", "user_management", "auditor"},
}

// on runs a test on both databases with another access model in force.
func on(t *testing.T, preset string, test func(t *testing.T, h *house)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		model := storetest.Preset(t, db, preset)
		h := &house{Service: authn.New(db, model), t: t, db: db}
		h.acme, h.umbr = h.tenant("Acme"), h.tenant("Umbrella")
		test(t, h)
	})
}

// set gives somebody a password that need not be changed.
func (h *house) set(u identity.User, password string) {
	h.t.Helper()
	phc, _, err := h.NewPassword(h.t.Context(), identity.Operator(), u, password)
	if err == nil {
		err = h.SetPassword(h.t.Context(), identity.Operator(), u.ID, phc)
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// try signs in with a password.
func (h *house) try(u identity.User, password string) (authn.Visit, string, error) {
	h.t.Helper()
	found, step, err := h.CheckPassword(h.t.Context(), u.UserName, password, "203.0.113.9")
	if err != nil || step != "" {
		return authn.Visit{}, "", err
	}
	cookie, _, err := h.StartSession(h.t.Context(), found, identity.Session{IP: "203.0.113.9", Upstream: identity.Upstream{AMR: []string{authn.ByPassword}}}, "")
	if err != nil {
		return authn.Visit{}, "", err
	}
	v, err := h.AnySession(h.t.Context(), cookie)
	return v, cookie, err
}

// in is try for somebody who must come in.
func (h *house) in(u identity.User, password string) (authn.Visit, string) {
	h.t.Helper()
	v, cookie, err := h.try(u, password)
	if err != nil {
		h.t.Fatalf("%s does not come in: %v", u.UserName, err)
	}
	return v, cookie
}

// by is an actor with roles, however they came in.
func by(u identity.User, roles ...identity.RoleID) identity.Actor {
	return identity.Actor{Kind: identity.ActorUser, ID: string(u.ID), Label: u.Label(), TenantID: u.TenantID, Roles: roles, Door: "console"}
}

func wantCode(t testing.TB, err error, kind identity.Kind, code string) {
	t.Helper()
	if identity.KindOf(err) != kind || identity.CodeOf(err) != code {
		t.Fatalf("got %v (%s), want %v with the code %s", err, identity.CodeOf(err), kind, code)
	}
}

// noSecret fails when an event has the password or a hash.
func noSecret(t testing.TB, e identity.Event, secrets ...string) {
	t.Helper()
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range append(secrets, "$argon2") {
		if strings.Contains(string(raw), secret) {
			t.Errorf("the event has %q: %s", secret, raw)
		}
	}
}

func TestAPasswordIsTypedTwice(t *testing.T) {
	for _, p := range products {
		row := map[string]string{"FC": "FC-14", "FSM": "FSM-35", "FOS": "FOS-15"}[p.id]
		t.Run(row+" the second one must repeat the first", func(t *testing.T) {
			on(t, p.preset, func(t *testing.T, h *house) {
				admin, ada := h.person(h.acme, "admin", p.admin), h.person(h.acme, "ada", p.plain)
				other := "Correct horse 8 battery"
				_, err := h.ResetPassword(t.Context(), by(admin, p.admin), ada.ID, authn.GivenPassword{Password: strong, Repeated: &other})
				wantCode(t, err, identity.Invalid, "password.repeated")
				var e *identity.Error
				if message(err) != "The two passwords are not the same. Type the new one twice." || !asError(err, &e) || e.Field != "confirm_password" {
					t.Errorf("it says %v", err)
				}
				if len(h.events(ada, identity.PasswordSet)) != 0 {
					t.Error("an event says that a password was set")
				}
				same := strong
				if _, err := h.ResetPassword(t.Context(), by(admin, p.admin), ada.ID, authn.GivenPassword{Password: strong, Repeated: &same}); err != nil {
					t.Fatal(err)
				}
				h.in(ada, strong)
			})
		})
	}
}

func TestABlankPasswordKeepsTheOneThatIsThere(t *testing.T) {
	t.Run("FC-18 hash, events and sessions stay", func(t *testing.T) {
		on(t, "fentu-connect", func(t *testing.T, h *house) {
			admin, ada := h.person(h.acme, "admin", "administrator"), h.person(h.acme, "ada", "viewer")
			h.set(ada, strong)
			_, cookie := h.in(ada, strong)
			before := len(h.events(ada, identity.PasswordSet))
			blank := ""
			for _, g := range []authn.GivenPassword{{}, {Repeated: &blank}, {Reason: "another name"}} {
				changed, err := h.EditPassword(t.Context(), by(admin, "administrator"), ada.ID, g)
				if changed || err != nil {
					t.Errorf("%+v: %v, %v", g, changed, err)
				}
			}
			typed := strong
			_, err := h.EditPassword(t.Context(), by(admin, "administrator"), ada.ID, authn.GivenPassword{Repeated: &typed})
			wantCode(t, err, identity.Invalid, "password.repeated")
			if _, err := h.Session(t.Context(), cookie); err != nil {
				t.Errorf("the session ended: %v", err)
			}
			if n := len(h.events(ada, identity.PasswordSet)); n != before {
				t.Errorf("%d events, there were %d", n, before)
			}
			h.in(ada, strong)
		})
	})
	t.Run("FC-66 a new one ends the sessions and is in no event", func(t *testing.T) {
		on(t, "fentu-connect", func(t *testing.T, h *house) {
			admin, ada := h.person(h.acme, "admin", "administrator"), h.person(h.acme, "ada", "viewer")
			h.set(ada, strong)
			_, cookie := h.in(ada, strong)
			const next = "Purple monkey dishwasher 9"
			typed, free := next, false
			changed, err := h.EditPassword(t.Context(), by(admin, "administrator"), ada.ID, authn.GivenPassword{Password: next, Repeated: &typed, MustChange: &free, Reason: "forgotten"})
			if !changed || err != nil {
				t.Fatalf("%v, %v", changed, err)
			}
			_, err = h.Session(t.Context(), cookie)
			wantKind(t, err, identity.Unauthenticated)
			_, _, err = h.try(ada, strong)
			wantKind(t, err, identity.Unauthenticated)
			if v, _ := h.in(ada, next); v.Must != "" {
				t.Errorf("there is still to do: %s", v.Must)
			}
			e := h.events(ada, identity.PasswordSet)[0]
			if e.ActorID != string(admin.ID) || e.Reason != "forgotten" {
				t.Errorf("the event is %+v", e)
			}
			noSecret(t, e, next, strong)
		})
	})
}

func TestATemporaryPasswordIsShownOnceAndMustBeChanged(t *testing.T) {
	for row, p := range map[string]struct{ preset, admin, plain string }{
		"FC-59": {"fentu-connect", "administrator", "viewer"}, "FSM-35": {"fentu-fsm", "administrator", "dispatcher"}, "FOS-27": {"fintechos", "user_management", "auditor"},
	} {
		t.Run(row+" the first sign-in reaches nothing but the page that changes it", func(t *testing.T) {
			on(t, p.preset, func(t *testing.T, h *house) {
				admin, ada := h.person(h.acme, "admin", identity.RoleID(p.admin)), h.person(h.acme, "ada", identity.RoleID(p.plain))
				h.set(ada, strong)
				_, old := h.in(ada, strong)
				password, err := h.ResetPassword(t.Context(), by(admin, identity.RoleID(p.admin)), ada.ID, authn.GivenPassword{Reason: "a new phone"})
				if err != nil || len(password) < 20 {
					t.Fatalf("%q, %v", password, err)
				}
				_, err = h.Session(t.Context(), old)
				wantKind(t, err, identity.Unauthenticated)
				v, cookie := h.in(ada, password)
				if v.Must != authn.MustChangePassword {
					t.Fatalf("to do first: %q", v.Must)
				}
				_, err = h.Session(t.Context(), cookie)
				wantCode(t, err, identity.Forbidden, "password.must_change")
				for name, c := range map[string]struct{ next, code string }{
					"the same again": {password, "password.same"}, "a short one": {"Short 1", "password.short"}, "the own name": {"Ada@example.com 77", "password.word"},
				} {
					err := h.ChangePassword(t.Context(), v, authn.PasswordChange{New: c.next, Repeated: c.next})
					if identity.CodeOf(err) != c.code {
						t.Errorf("%s: %v", name, err)
					}
				}
				const next = "Purple monkey dishwasher 9"
				if err := h.ChangePassword(t.Context(), v, authn.PasswordChange{New: next, Repeated: next}); err != nil {
					t.Fatal(err)
				}
				if _, err := h.Session(t.Context(), cookie); err != nil {
					t.Errorf("after the change: %v", err)
				}
				if v, _ := h.in(ada, next); v.Must != "" {
					t.Errorf("at the next sign-in: %s", v.Must)
				}
				e := h.events(ada, identity.PasswordSet)[0]
				noSecret(t, e, password, next)
				if e.Reason != "a new phone" || len(e.Changes) != 2 || e.Changes[0].Field != "must be changed" || e.Changes[1].Field != "temporary until" {
					t.Errorf("the event is %+v", e)
				}
				if n := len(h.events(ada, identity.PasswordChanged)); n != 1 {
					t.Errorf("%d events of the change", n)
				}
			})
		})
	}
	t.Run("FSM-35 it ends after 72 hours, and whoever has it is told so", func(t *testing.T) {
		on(t, "fentu-fsm", func(t *testing.T, h *house) {
			ada := h.person(h.acme, "ada", "dispatcher")
			password, err := h.ResetPassword(t.Context(), identity.Operator(), ada.ID, authn.GivenPassword{})
			if err != nil {
				t.Fatal(err)
			}
			state, err := h.PasswordState(t.Context(), identity.Operator(), ada.ID)
			if left := time.Until(*state.ExpiresAt); err != nil || !state.Temporary || !state.MustChange || left < 71*time.Hour || left > 72*time.Hour {
				t.Errorf("%+v, %v", state, err)
			}
			h.credential(ada, func(c *store.Credential) { past := ago(time.Second); c.ExpiresAt = &past })
			_, _, err = h.try(ada, password)
			wantCode(t, err, identity.Forbidden, "password.temporary_over")
			_, _, err = h.try(ada, "Not this one at all 1")
			wantCode(t, err, identity.Unauthenticated, "signin.refused")
			if tr := h.traces(ada); tr[1].Code != "password.temporary_over" {
				t.Errorf("the trace says %s", tr[1].Code)
			}
		})
	})
	t.Run("FSM-35 one that is typed ends too", func(t *testing.T) {
		on(t, "fentu-fsm", func(t *testing.T, h *house) {
			ada := h.person(h.acme, "ada", "dispatcher")
			made, err := h.ResetPassword(t.Context(), identity.Operator(), ada.ID, authn.GivenPassword{Password: strong, Temporary: true, For: time.Hour})
			if err != nil || made != "" {
				t.Fatalf("%q, %v", made, err)
			}
			state, err := h.PasswordState(t.Context(), identity.Operator(), ada.ID)
			if err != nil || !state.Temporary || time.Until(*state.ExpiresAt) > time.Hour {
				t.Errorf("%+v, %v", state, err)
			}
			_, err = h.ResetPassword(t.Context(), identity.Operator(), ada.ID, authn.GivenPassword{For: 31 * 24 * time.Hour})
			wantKind(t, err, identity.Invalid)
		})
	})
}

// credential changes what is kept of a password.
func (h *house) credential(u identity.User, change func(*store.Credential)) {
	h.t.Helper()
	h.update(func(tx *store.Tx) error {
		c, err := tx.Credential(h.t.Context(), u.ID)
		if err != nil {
			return err
		}
		change(&c)
		return tx.PutCredential(h.t.Context(), c)
	})
}

// age makes a password older.
func (h *house) age(u identity.User, by time.Duration) {
	h.t.Helper()
	at := ago(by)
	h.credential(u, func(c *store.Credential) { c.ChangedAt = &at })
}

func asError(err error, e **identity.Error) bool { return errors.As(err, e) }

func TestAChangeCanBeDemandedByItself(t *testing.T) {
	t.Run("FSM-36 the flag is set alone and counts at the next sign-in", func(t *testing.T) {
		on(t, "fentu-fsm", func(t *testing.T, h *house) {
			admin, ada, sso := h.person(h.acme, "admin", "administrator"), h.person(h.acme, "ada", "dispatcher"), h.person(h.acme, "sso", "dispatcher")
			h.set(ada, strong)
			_, cookie := h.in(ada, strong)
			demand := func(by identity.Actor, u identity.User, on bool) error {
				return h.RequirePasswordChange(t.Context(), by, u.ID, on, "a leak elsewhere")
			}
			wantKind(t, demand(by(h.person(h.acme, "bob", "dispatcher"), "dispatcher"), ada, true), identity.Forbidden)
			wantKind(t, demand(by(h.person(h.umbr, "eve", "administrator"), "administrator"), ada, true), identity.NotFound)
			wantCode(t, demand(by(admin, "administrator"), sso, true), identity.Precondition, "password.none")
			for range 2 {
				if err := demand(by(admin, "administrator"), ada, true); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := h.Session(t.Context(), cookie); err != nil {
				t.Errorf("it is for the next sign-in, but this session ended: %v", err)
			}
			if v, _ := h.in(ada, strong); v.Must != authn.MustChangePassword {
				t.Errorf("at the next sign-in: %q", v.Must)
			}
			e := h.events(ada, identity.PasswordDemanded)
			if len(e) != 1 || e[0].Reason != "a leak elsewhere" || e[0].Changes[0].Before != false || e[0].Changes[0].After != true {
				t.Errorf("the events are %+v", e)
			}
			if err := demand(by(admin, "administrator"), ada, false); err != nil {
				t.Fatal(err)
			}
			if v, _ := h.in(ada, strong); v.Must != "" {
				t.Errorf("when it was taken back: %q", v.Must)
			}
		})
	})
}

func TestAPasswordGetsTooOld(t *testing.T) {
	t.Run("FSM-46 after 90 days it must be changed; who has none is skipped", func(t *testing.T) {
		on(t, "fentu-fsm", func(t *testing.T, h *house) {
			ada, sso := h.person(h.acme, "ada", "dispatcher"), h.person(h.acme, "sso", "dispatcher")
			h.set(ada, strong)
			if v, _ := h.in(ada, strong); v.Must != "" {
				t.Errorf("a fresh one: %q", v.Must)
			}
			h.age(ada, 90*24*time.Hour-time.Minute)
			if v, _ := h.in(ada, strong); v.Must != "" {
				t.Errorf("just before: %q", v.Must)
			}
			h.age(ada, 90*24*time.Hour)
			v, _ := h.in(ada, strong)
			if v.Must != authn.MustChangePassword {
				t.Errorf("after 90 days: %q", v.Must)
			}
			const next = "Purple monkey dishwasher 9"
			if err := h.ChangePassword(t.Context(), v, authn.PasswordChange{New: next, Repeated: next}); err != nil {
				t.Fatal(err)
			}
			if v, _ := h.in(ada, next); v.Must != "" {
				t.Errorf("after the change: %q", v.Must)
			}
			c := h.connection("Okta")
			cookie, _, err := h.StartSession(t.Context(), sso, identity.Session{ConnectionID: c}, "")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := h.Session(t.Context(), cookie); err != nil {
				t.Errorf("without a password: %v", err)
			}
		})
	})
}

func TestFormerPasswordsDoNotComeBack(t *testing.T) {
	t.Run("FSM-38 none of the last five", func(t *testing.T) {
		on(t, "fentu-fsm", func(t *testing.T, h *house) {
			ada := h.person(h.acme, "ada", "dispatcher")
			list := []string{strong, "Purple monkey dishwasher 9", "Yellow tractor cathedral 3", "Silent volcano umbrella 5", "Marble elephant window 8", "Copper lantern orchard 2"}
			for _, password := range list {
				h.set(ada, password)
			}
			for _, password := range list[1:] {
				_, _, err := h.NewPassword(t.Context(), identity.Operator(), ada, password)
				want := "password.history"
				if password == list[5] {
					want = "password.same"
				}
				wantCode(t, err, identity.Invalid, want)
			}
			if _, _, err := h.NewPassword(t.Context(), identity.Operator(), ada, list[0]); err != nil {
				t.Errorf("the sixth last may come back: %v", err)
			}
			var kept []string
			h.update(func(tx *store.Tx) (err error) {
				kept, err = tx.PasswordHistory(t.Context(), ada.ID, 100)
				return err
			})
			if len(kept) != 5 {
				t.Errorf("%d former hashes are kept", len(kept))
			}
		})
	})
}
