package authn_test

import (
	"bytes"
	"image/png"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// app is the phone of somebody in a test.
type app struct {
	h        *house
	u        identity.User
	secret   string
	recovery []string
}

// enrol gives somebody a password and an app; the code that turned it on was of the step before.
func (h *house) enrol(u identity.User) app {
	h.t.Helper()
	h.password(u)
	by := h.as(u)
	e, err := h.EnrolTOTP(h.t.Context(), by, "Drawbridge (id.example.com)", right)
	if err != nil {
		h.t.Fatal(err)
	}
	a := app{h: h, u: u, secret: e.Secret}
	for range 2 { // the step may end between the making of a code and its use
		if a.recovery, err = h.ConfirmTOTP(h.t.Context(), by, a.code(-30*time.Second)); err == nil {
			return a
		}
	}
	h.t.Fatal(err)
	return a
}

// code is what the app shows, some time from now.
func (a app) code(later time.Duration) string {
	a.h.t.Helper()
	code, err := totp.GenerateCode(a.secret, time.Now().Add(later))
	if err != nil {
		a.h.t.Fatal(err)
	}
	return code
}

// wrong is a code that the app shows at no time near.
func (a app) wrong() string {
	for _, code := range []string{"000000", "111111", "222222", "333333"} {
		if !slices.Contains([]string{a.code(-time.Minute), a.code(-30 * time.Second), a.code(0), a.code(30 * time.Second), a.code(time.Minute)}, code) {
			return code
		}
	}
	return "444444"
}

// step gives the right password.
func (a app) step() string {
	a.h.t.Helper()
	u, step, err := a.h.CheckPassword(a.h.t.Context(), a.u.UserName, right, "203.0.113.9")
	if err != nil || u.ID != a.u.ID || step == "" {
		a.h.t.Fatalf("the right password: %v, step %q", err, step)
	}
	return step
}

// actor is the person at the console, however they came in.
func (a app) actor() identity.Actor {
	return identity.Actor{Kind: identity.ActorUser, ID: string(a.u.ID), Label: a.u.UserName, TenantID: a.u.TenantID, Door: "console"}
}

func TestAnAppIsEnrolledWithAPasswordAndAFirstCode(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ada := h.person(h.acme, "ada", "editor")
		h.password(ada)
		by := h.as(ada)
		_, err := h.EnrolTOTP(t.Context(), by, "Drawbridge", "not the password")
		wantKind(t, err, identity.Invalid)
		_, err = h.ConfirmTOTP(t.Context(), by, "123456")
		wantKind(t, err, identity.NotFound)
		e, err := h.EnrolTOTP(t.Context(), by, "Drawbridge (id.example.com:8443)", right)
		if err != nil {
			t.Fatal(err)
		}
		address, err := url.Parse(e.URI)
		if err != nil || address.Scheme != "otpauth" || address.Host != "totp" || address.Query().Get("secret") != e.Secret || address.Query().Get("issuer") != "Drawbridge (id.example.com 8443)" {
			t.Errorf("the app is given %s", e.URI)
		}
		if img, err := png.Decode(bytes.NewReader(e.Image)); err != nil || img.Bounds().Dx() != 240 {
			t.Errorf("the QR code: %v", err)
		}
		again, err := h.PendingTOTP(t.Context(), by, "Drawbridge (id.example.com:8443)")
		if err != nil || again.URI != e.URI {
			t.Errorf("shown again it is %q (%v), it was %q", again.URI, err, e.URI)
		}
		a := app{h: h, u: ada, secret: e.Secret}
		_, err = h.ConfirmTOTP(t.Context(), by, a.wrong())
		wantKind(t, err, identity.Invalid)
		if _, step, err := h.CheckPassword(t.Context(), "ada", right, ""); err != nil || step != "" {
			t.Errorf("an app that was not confirmed is asked for: %q, %v", step, err)
		}
		codes, err := h.ConfirmTOTP(t.Context(), by, a.code(0))
		if err != nil || len(codes) != 10 {
			t.Fatalf("%d codes, %v", len(codes), err)
		}
		shape := regexp.MustCompile(`^([a-z2-7]{4}-){3}[a-z2-7]{4}$`)
		for _, code := range codes {
			if !shape.MatchString(code) {
				t.Errorf("a recovery code is %q", code)
			}
		}
		if f, err := h.SecondFactor(t.Context(), by, ada.ID); err != nil || !f.On || f.Recovery != 10 {
			t.Errorf("%+v, %v", f, err)
		}
		_, err = h.PendingTOTP(t.Context(), by, "Drawbridge")
		wantKind(t, err, identity.NotFound)
		_, err = h.EnrolTOTP(t.Context(), by, "Drawbridge", right)
		wantKind(t, err, identity.Conflict)
		if len(h.events(ada, identity.SecondFactorOn)) != 1 {
			t.Error("no event")
		}
	})
}

func TestWithAnAppThePasswordAloneOpensNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a := h.enrol(h.person(h.acme, "ada", "editor"))
		step := a.step()
		_, _, err := h.StartSession(t.Context(), a.u, identity.Session{}, "")
		wantKind(t, err, identity.Forbidden)
		if identity.CodeOf(err) != "second_factor.required" {
			t.Errorf("the code is %q", identity.CodeOf(err))
		}
		if got := h.traces(a.u)[0]; got.OK || got.Code != "second_factor.pending" {
			t.Errorf("who gave a password and no code left the trace %+v", got)
		}
		_, err = h.CheckCode(t.Context(), step, a.wrong(), "203.0.113.9")
		wantKind(t, err, identity.Invalid)
		u, err := h.CheckCode(t.Context(), step, a.code(0), "203.0.113.9")
		if err != nil || u.ID != a.u.ID || len(u.Roles) != 1 {
			t.Fatalf("%+v, %v", u, err)
		}
		n := len(h.traces(a.u))
		if got := h.traces(a.u)[0]; !got.OK || got.Checks[len(got.Checks)-1].Name != "the second factor" {
			t.Errorf("the trace of the whole attempt is %+v", got)
		}
		if n != 1 {
			t.Errorf("one attempt left %d traces", n)
		}
		if _, _, err := h.StartSession(t.Context(), u, identity.Session{Upstream: identity.Upstream{AMR: []string{authn.ByPassword, authn.ByCode}}}, ""); err != nil {
			t.Error(err)
		}
		_, err = h.CheckCode(t.Context(), step, a.code(30*time.Second), "203.0.113.9")
		wantKind(t, err, identity.Unauthenticated)
	})
}

func TestNoCodeCountsTwice(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a := h.enrol(h.person(h.acme, "ada", "editor"))
		code := a.code(0)
		steps := []string{a.step(), a.step(), a.step(), a.step()}
		var mu sync.Mutex
		taken := 0
		var all sync.WaitGroup
		for _, step := range steps {
			all.Go(func() {
				if _, err := h.CheckCode(t.Context(), step, code, ""); err == nil {
					mu.Lock()
					taken++
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if taken != 1 {
			t.Errorf("one code let %d browsers in", taken)
		}
		if err := h.Prove(t.Context(), a.u.ID, right, a.code(-30*time.Second)); identity.KindOf(err) != identity.Invalid {
			t.Errorf("a code of a step before the last one: %v", err)
		}
		step := a.step()
		if _, err := h.CheckCode(t.Context(), step, " "+strings.ToUpper(a.recovery[3])+" ", ""); err != nil {
			t.Errorf("a recovery code: %v", err)
		}
		if _, err := h.CheckCode(t.Context(), a.step(), a.recovery[3], ""); identity.KindOf(err) != identity.Invalid {
			t.Errorf("the same recovery code again: %v", err)
		}
		used := h.events(a.u, identity.RecoveryCodeUsed)
		if len(used) != 1 || used[0].Changes[0].After != 9.0 {
			t.Errorf("the events are %+v", used)
		}
	})
}

func TestFiveWrongCodesMakeTheAccountWait(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a := h.enrol(h.person(h.acme, "ada", "editor"))
		step := a.step()
		for range 5 {
			_, err := h.CheckCode(t.Context(), step, a.wrong(), "")
			wantKind(t, err, identity.Invalid)
		}
		_, err := h.CheckCode(t.Context(), step, a.code(0), "")
		wantKind(t, err, identity.TooMany)
		_, err = h.CheckCode(t.Context(), step, a.code(0), "")
		wantKind(t, err, identity.Unauthenticated) // the step is over
		_, err = h.CheckCode(t.Context(), a.step(), a.recovery[0], "")
		wantKind(t, err, identity.TooMany)
		wantKind(t, h.Prove(t.Context(), a.u.ID, right, a.code(0)), identity.TooMany)
		if n := len(h.events(a.u, identity.SecondFactorLocked)); n != 1 {
			t.Errorf("%d events", n)
		}
		if got := h.traces(a.u)[0]; got.Code != "second_factor.locked" {
			t.Errorf("the trace says %s", got.Code)
		}
		h.update(func(tx *store.Tx) error {
			_, err := tx.RecordCodeFailure(t.Context(), a.u.ID, ago(16*time.Minute))
			return err
		})
		if _, err := h.CheckCode(t.Context(), a.step(), a.code(0), ""); err != nil {
			t.Errorf("after the wait: %v", err)
		}
	})
}

func TestProofNeedsThePasswordAndTheCode(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		bob := h.person(h.acme, "bob", "editor")
		err := h.Prove(t.Context(), bob.ID, right, "")
		if wantKind(t, err, identity.Forbidden); identity.CodeOf(err) != "proof.no_password" {
			t.Errorf("without a password: %v", err)
		}
		h.password(bob)
		if err := h.Prove(t.Context(), bob.ID, right, ""); err != nil {
			t.Errorf("with a password and no app: %v", err)
		}
		a := h.enrol(h.person(h.acme, "ada", "editor"))
		wantKind(t, h.Prove(t.Context(), a.u.ID, right, ""), identity.Invalid)
		wantKind(t, h.Prove(t.Context(), a.u.ID, "wrong horse battery", a.code(0)), identity.Invalid)
		if err := h.Prove(t.Context(), a.u.ID, right, a.code(0)); err != nil {
			t.Errorf("a code beside a wrong password was used up: %v", err)
		}
		wantKind(t, h.Prove(t.Context(), a.u.ID, right, a.code(0)), identity.Invalid)
		for range 10 {
			_ = h.Prove(t.Context(), bob.ID, "wrong horse battery", "")
		}
		wantKind(t, h.Prove(t.Context(), bob.ID, right, ""), identity.TooMany)
		wantKind(t, h.Prove(t.Context(), "nobody", right, ""), identity.NotFound)
	})
}

func TestAnAppIsTurnedOffWithProofOrByAnAdministrator(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a := h.enrol(h.person(h.acme, "ada", "editor"))
		wantKind(t, h.DisableTOTP(t.Context(), a.actor(), right, a.wrong()), identity.Invalid)
		if err := h.DisableTOTP(t.Context(), a.actor(), right, a.code(0)); err != nil {
			t.Fatal(err)
		}
		if _, step, err := h.CheckPassword(t.Context(), "ada", right, ""); err != nil || step != "" {
			t.Errorf("a code is still asked for: %v", err)
		}
		b := h.enrol(h.person(h.acme, "bob", "editor"))
		step := b.step()
		chief, stranger := h.as(h.person(h.acme, "chief", "administrator")), h.as(h.person(h.umbr, "stranger", "administrator"))
		wantKind(t, h.ResetSecondFactor(t.Context(), stranger, b.u.ID, ""), identity.NotFound)
		wantKind(t, h.ResetSecondFactor(t.Context(), b.actor(), b.u.ID, ""), identity.Forbidden)
		if err := h.ResetSecondFactor(t.Context(), chief, b.u.ID, "lost phone"); err != nil {
			t.Fatal(err)
		}
		wantKind(t, h.ResetSecondFactor(t.Context(), chief, b.u.ID, ""), identity.NotFound)
		if e := h.events(b.u, identity.SecondFactorReset); len(e) != 1 || e[0].Reason != "lost phone" {
			t.Errorf("the event is %+v", e)
		}
		_, err := h.CheckCode(t.Context(), step, b.code(0), "")
		wantKind(t, err, identity.Unauthenticated)
		if sessions, err := h.Sessions(t.Context(), chief, b.u.ID); err != nil || len(sessions) != 0 {
			t.Errorf("%d sessions, %v", len(sessions), err)
		}
	})
}

func TestNewRecoveryCodesTakeThePlaceOfTheOld(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a := h.enrol(h.person(h.acme, "ada", "editor"))
		codes, err := h.NewRecoveryCodes(t.Context(), a.actor(), right, a.recovery[0])
		if err != nil || len(codes) != 10 {
			t.Fatal(err)
		}
		_, err = h.CheckCode(t.Context(), a.step(), a.recovery[1], "")
		wantKind(t, err, identity.Invalid)
		if _, err = h.CheckCode(t.Context(), a.step(), codes[1], ""); err != nil {
			t.Error(err)
		}
	})
}

func TestAStepBetweenPasswordAndCodeEndsWithThePassword(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a := h.enrol(h.person(h.acme, "ada", "editor"))
		step := a.step()
		h.password(a.u)
		_, err := h.CheckCode(t.Context(), step, a.code(0), "")
		wantKind(t, err, identity.Unauthenticated)
		step = a.step()
		h.change(a.u, func(u *identity.User) { u.Enabled = false })
		_, err = h.CheckCode(t.Context(), step, a.code(0), "")
		wantKind(t, err, identity.Unauthenticated)
		_, err = h.CheckCode(t.Context(), identity.NewSecret(""), a.code(0), "")
		wantKind(t, err, identity.Unauthenticated)
	})
}
