package authn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// stepAge is how long a browser that gave the right password may take to give the code.
const stepAge = 5 * time.Minute

// CheckCode goes on where CheckPassword returned a step: with a code of the app, or a recovery code, it returns the user, with roles, who may start a session whose
// Upstream.AMR has ByPassword and ByCode. Unauthenticated with the code "signin.step_over" when the step is unknown, used or older than 5 minutes: the browser begins again.
// Invalid with the field "code" when the code is wrong; TooMany when the account takes none for a quarter of an hour after five wrong ones, or too many wrong tries came from one
// address. The attempt's trace says how it ended.
func (s *Service) CheckCode(ctx context.Context, step, code, ip string) (identity.User, error) {
	if err := s.tried.take(ip, time.Now()); err != nil {
		return identity.User{}, err
	}
	if len(step) != secretLength {
		return identity.User{}, stepOver(errors.New("no step, or one of the wrong length"))
	}
	var u identity.User
	var v verdict
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		var err error
		u, v, err = s.checkCode(ctx, tx, identity.HashSecret(step), code, clean(ip, 64))
		return err
	})
	switch {
	case err != nil:
		return identity.User{}, err
	case v.code == codeWrong || v.code == codeLocked:
		return identity.User{}, v.unproven()
	case v.refused():
		return identity.User{}, stepOver(fmt.Errorf("%s: user %s: %s", v.code, u.ID, v.why))
	}
	s.tried.done(ip)
	return u, nil
}

// checkCode judges a code on the locked row of its user and writes the whole trace in place of the one of the password. Only a wrong code leaves the step for another try.
func (s *Service) checkCode(ctx context.Context, tx *store.Tx, hash []byte, code, ip string) (identity.User, verdict, error) {
	st, err := tx.SignInStep(ctx, hash)
	if err == nil && !tx.Now().Before(st.ExpiresAt) {
		err = identity.Errorf(identity.NotFound, "not found")
	}
	if identity.KindOf(err) == identity.NotFound {
		return identity.User{}, verdict{}, stepOver(err)
	}
	if err != nil {
		return identity.User{}, verdict{}, err
	}
	u, v, err := s.judgeCode(ctx, tx, st.UserID, code)
	if err != nil {
		return u, v, err
	}
	if v.code != codeWrong {
		if err := tx.DeleteSignInStep(ctx, hash); err != nil {
			return u, v, err
		}
	}
	if u.ID == "" {
		return u, v, nil
	}
	t := passwordTrace(u, v, ip, tx.Now())
	if t.ID = st.TraceID; t.OK {
		t.Checks = append(t.Checks, identity.Check{Name: passwordSteps[len(passwordSteps)-1].name, Result: identity.Passed})
	}
	if err := tx.DeleteTrace(ctx, t.ID); err != nil {
		return u, v, err
	}
	return u, v, tx.InsertTrace(ctx, t)
}

// judgeCode looks at the user once more, since the password was checked in another request, and then at the code.
func (s *Service) judgeCode(ctx context.Context, tx *store.Tx, id identity.UserID, code string) (identity.User, verdict, error) {
	u, err := tx.UserForUpdate(ctx, store.Everything(), id)
	if identity.KindOf(err) == identity.NotFound {
		return identity.User{}, verdict{"user.deleted", "The user was deleted meanwhile."}, nil
	}
	if err != nil {
		return u, verdict{}, err
	}
	roles, err := s.rightsOf(ctx, tx, &u)
	if err != nil {
		return u, verdict{}, err
	}
	u = s.withRoles(u, roles)
	if v := s.standing(u, roles); v.refused() {
		return u, v, nil
	}
	if v, err := s.local(ctx, tx, u); err != nil || v.refused() {
		return u, v, err
	}
	v, err := s.takeCode(ctx, tx, u, code)
	return u, v, err
}

func stepOver(cause error) error {
	return identity.Errorf(identity.Unauthenticated, "That took too long, or was finished already. Enter your password again.").WithCode("signin.step_over").WithCause(cause)
}
