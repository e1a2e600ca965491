package authn_test

import (
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// require lets a tenant's people in through a provider only.
func (h *house) require(tenant identity.TenantID) {
	h.t.Helper()
	h.update(func(tx *store.Tx) error { return tx.SetRequireSSO(h.t.Context(), tenant, true) })
}

// emergency makes an account one for emergencies.
func (h *house) emergency(u identity.User) {
	h.t.Helper()
	h.update(func(tx *store.Tx) error { return tx.InsertBreakGlass(h.t.Context(), u.ID, "test", "") })
}

func TestATenantThatRequiresItsProviderTakesNoPassword(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ada, other := h.person(h.acme, "ada", "editor"), h.person(h.umbr, "otto", "editor")
		h.password(ada)
		h.password(other)
		by := h.as(ada)
		cookie, _ := h.signIn(ada)
		h.require(h.acme)
		_, _, err := h.CheckPassword(t.Context(), "ada", right, "")
		if wantKind(t, err, identity.Forbidden); identity.CodeOf(err) != "sso.required" || !strings.Contains(message(err), "identity provider") {
			t.Errorf("the right password: %v", err)
		}
		_, _, err = h.CheckPassword(t.Context(), "ada", "wrong horse battery", "")
		wantKind(t, err, identity.Unauthenticated) // who does not know the password learns nothing
		if got := h.traces(ada)[1]; got.Code != "sso.required" || got.Checks[len(got.Checks)-1].Name != "the tenant lets its people in without its provider" {
			t.Errorf("the trace is %+v", got)
		}
		_, err = h.Session(t.Context(), cookie)
		wantKind(t, err, identity.Unauthenticated)
		_, _, err = h.StartSession(t.Context(), ada, identity.Session{}, "")
		if wantKind(t, err, identity.Forbidden); identity.CodeOf(err) != "sso.required" {
			t.Errorf("a session: %v", err)
		}
		phc, err := h.HashPassword(t.Context(), right)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.SetPassword(t.Context(), by, ada.ID, phc); identity.CodeOf(err) != "sso.required" {
			t.Errorf("her own new password: %v", err)
		}
		if err := h.Prove(t.Context(), ada.ID, right, ""); identity.CodeOf(err) != "sso.required" {
			t.Errorf("a proof: %v", err)
		}
		if err := h.MayUseLocal(t.Context(), ada.ID); identity.CodeOf(err) != "sso.required" {
			t.Errorf("any other door: %v", err)
		}
		if err := h.MayUseLocal(t.Context(), other.ID); err != nil {
			t.Errorf("somebody of another tenant: %v", err)
		}
		wantKind(t, h.MayUseLocal(t.Context(), "nobody"), identity.NotFound)
	})
}

func TestASessionThroughAProviderIsFreeOfWhatPasswordsNeed(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a := h.enrol(h.person(h.acme, "ada", "editor"))
		h.require(h.acme)
		c := identity.Connection{ID: identity.NewID[identity.ConnectionID](), Name: "Acme", Kind: identity.OIDC, TenantID: h.acme, OIDC: identity.OIDCSettings{ClientSecret: "s"}}
		h.update(func(tx *store.Tx) error {
			c.CreatedAt, c.UpdatedAt = tx.Now(), tx.Now()
			return tx.InsertConnection(t.Context(), c)
		})
		cookie, _, err := h.StartSession(t.Context(), a.u, identity.Session{ConnectionID: c.ID}, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Session(t.Context(), cookie); err != nil {
			t.Error(err)
		}
	})
}

func TestAnAccountForEmergenciesComesInWithPasswordAndCode(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ada := h.person(h.acme, "ada", "administrator")
		h.password(ada)
		h.emergency(ada)
		h.require(h.acme)
		_, _, err := h.CheckPassword(t.Context(), "ada", right, "")
		if identity.CodeOf(err) != "sso.required" {
			t.Errorf("without a second factor: %v", err)
		}
		h.update(func(tx *store.Tx) error { return tx.SetRequireSSO(t.Context(), h.acme, false) })
		a := h.enrol(ada)
		h.require(h.acme)
		u, err := h.CheckCode(t.Context(), a.step(), a.code(0), "203.0.113.9")
		if err != nil {
			t.Fatal(err)
		}
		cookie, _, err := h.StartSession(t.Context(), u, identity.Session{IP: "203.0.113.9", Upstream: identity.Upstream{AMR: []string{authn.ByPassword, authn.ByCode}}}, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Session(t.Context(), cookie); err != nil {
			t.Error(err)
		}
		said := h.events(ada, identity.SignInBreakGlass)
		if len(said) != 2 || said[0].Changes[0].After != "203.0.113.9" { // the other one is the enrolment's
			t.Errorf("the events are %+v", said)
		}
		if err := h.DisableTOTP(t.Context(), a.actor(), right, a.recovery[0]); identity.KindOf(err) != identity.Conflict {
			t.Errorf("its second factor goes: %v", err)
		}
	})
}
