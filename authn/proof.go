package authn

import (
	"context"
	"errors"
	"fmt"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// Prove is nil when somebody who is signed in shows once more that it is them: the password, and the code of the app (or a recovery code) where the account has a
// second factor; without one the code is not looked at. It is asked before what a stolen session must not do. Wrong ones count as in a sign-in. Invalid with the field
// "password" or "code" when one is wrong, TooMany while the account takes none, Forbidden with the code "proof.no_password" when there is no password to prove
// anything with, or "sso.required" when the tenant has retired them.
func (s *Service) Prove(ctx context.Context, user identity.UserID, password, code string) error {
	user, ok := identity.ParseID[identity.UserID](string(user))
	if !ok {
		return noUser()
	}
	a := attempt{user: user}
	err := s.db.View(ctx, func(tx *store.Tx) error {
		c, err := tx.Credential(ctx, user)
		a.hash = c.PasswordHash
		return err
	})
	if identity.KindOf(err) == identity.NotFound {
		return identity.Errorf(identity.Forbidden, "You have no password here, so it cannot be asked for. Sign in through your provider again, or ask an administrator.").WithCode("proof.no_password")
	}
	if err != nil {
		return err
	}
	if a.matched, err = s.matches(ctx, a.hash, password); err != nil {
		return fmt.Errorf("password of user %s: %w", a.user, err)
	}
	var v verdict
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		v, err = s.prove(ctx, tx, a, code)
		return err
	})
	if err != nil {
		return err
	}
	return v.unproven()
}

// prove judges a proof on the locked row of its user and counts what was wrong.
func (s *Service) prove(ctx context.Context, tx *store.Tx, a attempt, code string) (verdict, error) {
	_, v, err := s.judged(ctx, tx, a)
	if err != nil || v.code != codePending {
		return v, err
	}
	u, err := tx.User(ctx, store.Everything(), a.user)
	if err != nil {
		return v, err
	}
	return s.takeCode(ctx, tx, u, code)
}

// unproven is a verdict as an answer to somebody who is signed in, nil when there is nothing against them.
func (v verdict) unproven() error {
	answer := func(kind identity.Kind, field, message string) error {
		return identity.Errorf(kind, "%s", message).WithField(field).WithCode(v.code).WithCause(errors.New(v.why))
	}
	switch v.code {
	case "":
		return nil
	case passwordWrong:
		return answer(identity.Invalid, "password", "This is not your password.")
	case passwordLocked:
		return answer(identity.TooMany, "password", "Too many wrong passwords. Wait a quarter of an hour, then try again.")
	case codeWrong:
		return answer(identity.Invalid, "code", "The code is not right. Wait for the next one in your app and enter that, or use a recovery code.")
	case codeLocked:
		return answer(identity.TooMany, "code", "Too many wrong codes. Wait a quarter of an hour, then try again.")
	case ssoRequired:
		return answer(identity.Forbidden, "", ssoAdvice)
	}
	return answer(identity.Forbidden, "", "This account cannot do that now.")
}
