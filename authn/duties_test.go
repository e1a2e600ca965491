package authn_test

import (
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
)

// through signs somebody in at a provider that says this about how.
func (h *house) through(u identity.User, c identity.ConnectionID, acr string, amr ...string) (authn.Visit, string) {
	h.t.Helper()
	cookie, _, err := h.StartSession(h.t.Context(), u, identity.Session{ConnectionID: c, Upstream: identity.Upstream{ACR: acr, AMR: amr}}, "")
	if err != nil {
		h.t.Fatal(err)
	}
	v, err := h.AnySession(h.t.Context(), cookie)
	if err != nil {
		h.t.Fatal(err)
	}
	return v, cookie
}

func TestARoleCanAskForASecondFactor(t *testing.T) {
	t.Run("FSM-45 an administrator without one reaches only the page that turns it on", func(t *testing.T) {
		on(t, "fentu-fsm", func(t *testing.T, h *house) {
			admin, ada := h.person(h.acme, "admin", "administrator"), h.person(h.acme, "ada", "dispatcher")
			h.set(admin, strong)
			h.set(ada, strong)
			other, free := h.in(ada, strong)
			if _, err := h.Session(t.Context(), free); err != nil {
				t.Errorf("a dispatcher needs none: %v", err)
			}
			_, err := h.EnrolRequired(t.Context(), other, "Drawbridge")
			wantKind(t, err, identity.Forbidden)
			v, cookie := h.in(admin, strong)
			if v.Must != authn.MustEnrol {
				t.Fatalf("to do first: %q", v.Must)
			}
			_, err = h.Session(t.Context(), cookie)
			wantCode(t, err, identity.Forbidden, "second_factor.must_enrol")
			phone := h.enrolRequired(v)
			if _, err := h.Session(t.Context(), cookie); err != nil {
				t.Errorf("with a second factor: %v", err)
			}
			if len(phone.recovery) != 10 || len(h.events(admin, identity.SecondFactorOn)) != 1 {
				t.Errorf("%d recovery codes, events %+v", len(phone.recovery), h.events(admin, identity.SecondFactorOn))
			}
			if _, step, err := h.CheckPassword(t.Context(), "admin", strong, ""); err != nil || step == "" {
				t.Errorf("the next sign-in asks for no code: %v", err)
			}
			h.give(ada, "administrator") // from one request to the next
			_, err = h.Session(t.Context(), free)
			wantCode(t, err, identity.Forbidden, "second_factor.must_enrol")
		})
	})
	t.Run("FSM-45 another administrator resets it, and it is asked for again", func(t *testing.T) {
		on(t, "fentu-fsm", func(t *testing.T, h *house) {
			boss, admin := h.person(h.acme, "boss", "administrator"), h.person(h.acme, "admin", "administrator")
			h.set(admin, strong)
			v, cookie := h.in(admin, strong)
			h.enrolRequired(v)
			if err := h.ResetSecondFactor(t.Context(), by(boss, "administrator"), admin.ID, "a lost phone"); err != nil {
				t.Fatal(err)
			}
			_, err := h.Session(t.Context(), cookie)
			wantKind(t, err, identity.Unauthenticated)
			e := h.events(admin, identity.SecondFactorReset)
			if len(e) != 1 || e[0].ActorID != string(boss.ID) || e[0].Reason != "a lost phone" {
				t.Errorf("the events are %+v", e)
			}
			if v, _ := h.in(admin, strong); v.Must != authn.MustEnrol {
				t.Errorf("to do first: %q", v.Must)
			}
		})
	})
	t.Run("FSM-45 the password is changed before the second factor is asked for", func(t *testing.T) {
		on(t, "fentu-fsm", func(t *testing.T, h *house) {
			admin := h.person(h.acme, "admin", "administrator")
			password, err := h.ResetPassword(t.Context(), identity.Operator(), admin.ID, authn.GivenPassword{})
			if err != nil {
				t.Fatal(err)
			}
			v, cookie := h.in(admin, password)
			if v.Must != authn.MustChangePassword {
				t.Fatalf("first: %q", v.Must)
			}
			if err := h.ChangePassword(t.Context(), v, authn.PasswordChange{New: strong, Repeated: strong}); err != nil {
				t.Fatal(err)
			}
			if v, err := h.AnySession(t.Context(), cookie); err != nil || v.Must != authn.MustEnrol {
				t.Errorf("then: %q, %v", v.Must, err)
			}
		})
	})
}

// enrolRequired turns on a second factor that must be.
func (h *house) enrolRequired(v authn.Visit) app {
	h.t.Helper()
	e, err := h.EnrolRequired(h.t.Context(), v, "Drawbridge")
	if err != nil {
		h.t.Fatal(err)
	}
	a := app{h: h, u: v.User, secret: e.Secret}
	_, err = h.FinishEnrolment(h.t.Context(), v, a.wrong())
	wantKind(h.t, err, identity.Invalid)
	for range 2 { // the step may end between the making of a code and its use
		if a.recovery, err = h.FinishEnrolment(h.t.Context(), v, a.code(-30*time.Second)); err == nil {
			return a
		}
	}
	h.t.Fatal(err)
	return a
}

func TestATenantCanAskForASecondFactor(t *testing.T) {
	t.Run("FSM-45 what the provider says counts, as the tenant wants it", func(t *testing.T) {
		on(t, "fentu-fsm", func(t *testing.T, h *house) {
			admin, ada := h.person(h.acme, "admin", "administrator"), h.person(h.acme, "ada", "dispatcher")
			eve := h.person(h.umbr, "eve", "administrator")
			okta := h.connection("Okta")
			require := func(by identity.Actor, worth identity.ProviderFactor) error {
				_, err := h.RequireSecondFactor(t.Context(), by, h.acme, true, worth)
				return err
			}
			wantKind(t, require(by(ada, "dispatcher"), ""), identity.Forbidden)
			wantKind(t, require(by(eve, "administrator"), ""), identity.NotFound)
			wantKind(t, require(identity.Actor{Kind: identity.ActorDirectory, TenantID: h.acme}, ""), identity.Forbidden)
			wantKind(t, require(by(admin, "administrator"), "sometimes"), identity.Invalid)
			says := []struct {
				acr                string
				amr                []string
				told, always, none authn.Duty
			}{
				{"", []string{"pwd"}, authn.MustEnrol, "", authn.MustEnrol},
				{"", nil, authn.MustEnrol, "", authn.MustEnrol},
				{"", []string{"pwd", "mfa"}, "", "", authn.MustEnrol},
				{"", []string{"hwk"}, "", "", authn.MustEnrol},
				{"https://refeds.org/profile/mfa", nil, "", "", authn.MustEnrol},
				{"urn:oasis:names:tc:SAML:2.0:ac:classes:TimeSyncToken", nil, "", "", authn.MustEnrol},
				{"urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport", nil, authn.MustEnrol, "", authn.MustEnrol},
			}
			for _, worth := range []identity.ProviderFactor{identity.FactorAsTold, identity.FactorAlways, identity.FactorNever} {
				if err := require(by(admin, "administrator"), worth); err != nil {
					t.Fatal(err)
				}
				for _, s := range says {
					want := map[identity.ProviderFactor]authn.Duty{identity.FactorAsTold: s.told, identity.FactorAlways: s.always, identity.FactorNever: s.none}[worth]
					if v, _ := h.through(ada, okta, s.acr, s.amr...); v.Must != want {
						t.Errorf("worth %q, the provider says %s %v: %q", worth, s.acr, s.amr, v.Must)
					}
				}
			}
			v, _ := h.through(eve, okta, "", "pwd", "otp")
			if v.Must != "" {
				t.Errorf("the other tenant: %q", v.Must)
			}
		})
	})
	t.Run("FSM-45 who has one gives its code after a provider that asked for none", func(t *testing.T) {
		on(t, "fentu-fsm", func(t *testing.T, h *house) {
			ada := h.person(h.acme, "ada", "dispatcher")
			okta := h.connection("Okta")
			if _, err := h.RequireSecondFactor(t.Context(), identity.Operator(), h.acme, true, ""); err != nil {
				t.Fatal(err)
			}
			v, _ := h.through(ada, okta, "", "pwd")
			phone := h.enrolRequired(v) // without any password
			v, cookie := h.through(ada, okta, "", "pwd")
			if v.Must != authn.MustGiveCode {
				t.Fatalf("the second time: %q", v.Must)
			}
			wantKind(t, h.GiveCode(t.Context(), v, phone.wrong()), identity.Invalid)
			if _, err := h.Session(t.Context(), cookie); identity.CodeOf(err) != "second_factor.must_prove" {
				t.Errorf("after a wrong code: %v", err)
			}
			if err := h.GiveCode(t.Context(), v, phone.code(0)); err != nil {
				t.Fatal(err)
			}
			if _, err := h.Session(t.Context(), cookie); err != nil {
				t.Errorf("after the code: %v", err)
			}
			e := h.eventsOfTenant(h.acme, identity.TenantUpdated)
			if len(e) != 1 || e[0].ObjectLabel != "Acme" || e[0].Changes[0].Field != "requires a second factor" || e[0].Changes[0].After != true {
				t.Errorf("the events are %+v", e)
			}
		})
	})
}
