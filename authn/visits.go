package authn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// Duty is what somebody who is signed in has to do before anything else. The zero value is nothing.
type Duty string

// The duties.
const (
	MustChangePassword Duty = "password.must_change"
	MustEnrol          Duty = "second_factor.must_enrol" // a second factor is required, and there is none
	MustGiveCode       Duty = "second_factor.must_prove" // there is one, and this session began without it
)

// Session returns who sends this cookie. User and roles are read at every request, so what an administrator changes holds at the next one.
// Unauthenticated when the session is unknown, ended, unused for too long (8 hours by default) or too old (24), or its user may not be in any more. Forbidden, with the duty as its code,
// while something has to be done first: only the pages for that ask AnySession.
func (s *Service) Session(ctx context.Context, cookie string) (Visit, error) {
	v, err := s.AnySession(ctx, cookie)
	if err != nil || v.Must == "" {
		return v, err
	}
	messages := map[Duty]string{
		MustChangePassword: "Change your password first: the one that you signed in with has to be changed.",
		MustEnrol:          "Turn on a second factor first: your organisation or your role asks for one.",
		MustGiveCode:       "Enter the code of your app first.",
	}
	return Visit{}, identity.Errorf(identity.Forbidden, "%s", messages[v.Must]).WithCode(string(v.Must))
}

// AnySession is Session also for those who have to do something first: Visit.Must says what. Whoever asks it lets them do that, or sign out, and nothing else.
func (s *Service) AnySession(ctx context.Context, cookie string) (Visit, error) {
	if len(cookie) != secretLength {
		return Visit{}, signedOut(errors.New("no session cookie, or one of the wrong length"))
	}
	var visit Visit
	var touch bool
	err := s.db.View(ctx, func(tx *store.Tx) error {
		var err error
		visit, err = s.visit(ctx, tx, identity.HashSecret(cookie))
		touch = tx.Now().Sub(visit.Session.LastSeenAt) >= touchEvery
		return err
	})
	if err != nil {
		return Visit{}, err
	}
	if touch {
		err = s.db.Update(ctx, func(tx *store.Tx) error {
			visit.Session.LastSeenAt = tx.Now()
			return tx.TouchSession(ctx, visit.Session.ID, tx.Now())
		})
	}
	return visit, err
}

func (s *Service) visit(ctx context.Context, tx *store.Tx, hash []byte) (Visit, error) {
	session, err := tx.SessionByHash(ctx, hash)
	if identity.KindOf(err) == identity.NotFound {
		return Visit{}, signedOut(errors.New("no session has this cookie"))
	}
	if err != nil {
		return Visit{}, err
	}
	if err := s.model.Refresh(ctx, tx); err != nil {
		return Visit{}, err
	}
	u, err := tx.User(ctx, store.Everything(), session.UserID)
	if identity.KindOf(err) == identity.NotFound {
		return Visit{}, signedOut(fmt.Errorf("session %s: its user is deleted", session.ID))
	}
	if err != nil {
		return Visit{}, err
	}
	limits, err := s.limits(ctx, tx, u.TenantID)
	if err != nil {
		return Visit{}, err
	}
	if why := limits.ended(session, tx.Now()); why != nil {
		return Visit{}, signedOut(why)
	}
	session.ExpiresAt = limits.expiry(session)
	roles, err := s.rightsOf(ctx, tx, &u)
	if err != nil {
		return Visit{}, err
	}
	if err := s.stays(ctx, tx, u, roles, session); err != nil {
		return Visit{}, err
	}
	must, err := s.duty(ctx, tx, u, roles, session, limits.settings)
	return Visit{Session: session, User: s.withRoles(u, roles), Actor: self(u, roles, "console"), Must: must}, err
}

// stays refuses a session whose user may not be in any more.
func (s *Service) stays(ctx context.Context, tx *store.Tx, u identity.User, roles []identity.RoleID, session identity.Session) error {
	v := s.standing(u, roles)
	if !v.refused() && session.ConnectionID == "" {
		var err error
		if v, err = s.local(ctx, tx, u); err != nil {
			return err
		}
	}
	if v.refused() {
		return signedOut(fmt.Errorf("session %s: %s: %s", session.ID, v.code, v.why))
	}
	return nil
}

// duty says what has to be done in a session first. A second factor is looked at anew at each request, so that a role that asks for one does so at once.
func (s *Service) duty(ctx context.Context, tx *store.Tx, u identity.User, roles []identity.RoleID, session identity.Session, t identity.TenantSettings) (Duty, error) {
	if session.MustChange {
		return MustChangePassword, nil
	}
	if !t.SecondFactor && !s.model.EnforceSecondFactor(roles) || factored(session, t.ProviderFactor) {
		return "", nil
	}
	has, err := tx.HasSecondFactor(ctx, u.ID)
	if has {
		return MustGiveCode, err
	}
	return MustEnrol, err
}

// factored reports whether a session began with two factors, or got the second one here.
func factored(session identity.Session, worth identity.ProviderFactor) bool {
	up := session.Upstream
	switch {
	case up.CodeAt != nil:
		return true
	case session.ConnectionID == "":
		return slices.Contains(up.AMR, ByCode)
	case worth == identity.FactorAlways:
		return true
	case worth == identity.FactorNever:
		return false
	}
	return slices.ContainsFunc(up.AMR, twoFactors) || twoFactors(up.ACR)
}

// secondFactors are the words with which providers say that they asked for more than a password: methods (RFC 8176) and classes of OpenID Connect and SAML.
var secondFactors = []string{
	"mfa", "otp", "hwk", "swk", "sc", "phr", "phrh",
	"https://refeds.org/profile/mfa",
	"http://schemas.microsoft.com/claims/multipleauthn",
	"http://schemas.openid.net/pape/policies/2007/06/multi-factor",
	"urn:oasis:names:tc:saml:2.0:ac:classes:mobiletwofactorcontract",
	"urn:oasis:names:tc:saml:2.0:ac:classes:mobiletwofactorunregistered",
	"urn:oasis:names:tc:saml:2.0:ac:classes:timesynctoken",
	"urn:oasis:names:tc:saml:2.0:ac:classes:smartcard",
	"urn:oasis:names:tc:saml:2.0:ac:classes:smartcardpki",
}

func twoFactors(word string) bool { return slices.Contains(secondFactors, strings.ToLower(word)) }
