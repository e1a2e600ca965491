package authn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// answerStep is the grid of time on which refusals are answered; checking a password takes less than one step on any machine that is not overloaded. While anybody has a password
// that was hashed elsewhere the steps are longer, since such a hash takes longer than ours.
const (
	answerStep         = 100 * time.Millisecond
	answerStepImported = 1500 * time.Millisecond
)

// maxIdentifier is the longest e-mail address or user name in bytes that is looked up.
const maxIdentifier = 320

// The codes of a refused password, as the sign-in trace has them.
const (
	passwordWrong     = "password.wrong"
	passwordLocked    = "password.locked"
	passwordOver      = "password.temporary_over"
	passwordMeanwhile = "password.meanwhile"
)

// attempt is one try to sign in with a password, after the hash was computed and before anything was written.
type attempt struct {
	user    identity.UserID
	hash    string // the one that was compared
	matched bool
	ip      string
	step    time.Duration // the grid on which a refusal is answered
	rehash  string        // the same password as a hash of ours, where it was made elsewhere
	again   bool          // the hash became another one between reading and judging, and was read again
	weak    bool          // the policy would not have let it be set here
}

// CheckPassword returns the user, with roles, who signs in with an e-mail address or user name and a password. Where the account has a second factor, step is the
// secret for the browser with which CheckCode goes on, and StartSession refuses before; else it is empty. Whoever gives the right password of an account whose tenant
// requires its provider gets Forbidden with the code "sso.required". Everybody else gets the same
// Unauthenticated error after the same work: its Cause says whether nobody has that name, the password is wrong, the account waits after too many
// wrong ones (10 by default, for 15 minutes), or the user is inactive, locked or not for people. Each try of somebody known leaves a sign-in trace,
// except wrong ones while the account waits, which are not counted either: nobody can prolong somebody else's wait. TooMany when too many wrong
// passwords came from one address, or too many people sign in at once.
func (s *Service) CheckPassword(ctx context.Context, identifier, password, ip string) (u identity.User, step string, err error) {
	began := time.Now()
	if err := s.tried.take(ip, began); err != nil {
		return identity.User{}, "", err
	}
	a := attempt{ip: clean(ip, 64), step: answerStep}
	u, step, err = s.checkPassword(ctx, &a, identifier, password)
	if identity.KindOf(err) == identity.Unauthenticated {
		return u, "", evenly(ctx, began, a.step, err)
	}
	if ctx.Err() == nil { // right, or our own failure; who hangs up early does not get the attempt back
		s.tried.done(ip)
	}
	return u, step, err
}

// evenly returns a refusal at the next full step of time since it was asked for, so that the clock does not tell whether there was an account
// to count the failure on.
func evenly(ctx context.Context, began time.Time, step time.Duration, refusal error) error {
	timer := time.NewTimer(step - time.Since(began)%step)
	defer timer.Stop()
	select {
	case <-timer.C:
		return refusal
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Service) checkPassword(ctx context.Context, a *attempt, identifier, password string) (identity.User, string, error) {
	if err := s.compare(ctx, a, identifier, password); err != nil {
		return identity.User{}, "", err
	}
	if a.user == "" {
		return identity.User{}, "", refusal(errors.New("nobody signs in with this name and a password"))
	}
	var u identity.User
	var v verdict
	step := identity.NewSecret("")
	err := s.db.Update(ctx, func(tx *store.Tx) (err error) {
		u, v, err = s.settle(ctx, tx, *a, step)
		return err
	})
	if err == nil && v.code == passwordMeanwhile && !a.again {
		a.again = true
		return s.checkPassword(ctx, a, identifier, password)
	}
	told := func(message string) error {
		return identity.Errorf(identity.Forbidden, "%s", message).WithCode(v.code).WithCause(fmt.Errorf("user %s: %s", a.user, v.why))
	}
	switch {
	case err != nil:
		return identity.User{}, "", err
	case v.code == codePending:
		return u, step, nil
	case v.code == ssoRequired:
		return identity.User{}, "", told(ssoAdvice)
	case v.code == passwordOver:
		return identity.User{}, "", told("This temporary password has ended. Ask your administrator for a new one.")
	case v.refused():
		return identity.User{}, "", refusal(fmt.Errorf("%s: user %s: %s", v.code, a.user, v.why))
	}
	return u, "", nil
}

// compare finds whom an attempt is about and compares the password with the hash.
func (s *Service) compare(ctx context.Context, a *attempt, identifier, password string) error {
	err := s.db.View(ctx, func(tx *store.Tx) error {
		imported, err := tx.HasImported(ctx)
		if imported {
			a.step = answerStepImported
		}
		if err == nil {
			a.user, a.hash, err = candidate(ctx, tx, identifier)
		}
		return err
	})
	if err != nil {
		return err
	}
	if a.matched, err = s.matches(ctx, a.hash, password); err != nil {
		return fmt.Errorf("password of user %s: %w", a.user, err)
	}
	if !a.matched || !foreign(a.hash) {
		return nil
	}
	words, _, err := s.known(ctx, identity.User{ID: a.user})
	if err == nil {
		a.weak = s.checkNew(password, words) != nil
		a.rehash, err = s.hash(ctx, password)
	}
	return err
}

// candidate returns who may sign in with this name and that person's hash; both empty for nobody.
func candidate(ctx context.Context, tx *store.Tx, identifier string) (identity.UserID, string, error) {
	identifier = strings.TrimSpace(identifier)
	if len(identifier) > maxIdentifier || clean(identifier, maxIdentifier) != identifier {
		return "", "", nil
	}
	keys := []string{identity.NameKey(identifier)}
	if key, err := identity.EmailKey(identifier); err == nil && key != keys[0] {
		keys = append(keys, key)
	}
	for _, key := range keys {
		found, err := tx.LoginCandidates(ctx, key)
		if err != nil {
			return "", "", err
		}
		if len(found) != 1 { // the key is unique; two could only mean that it no longer is
			continue
		}
		c, err := tx.Credential(ctx, found[0].ID)
		if identity.KindOf(err) == identity.NotFound {
			return "", "", nil
		}
		return found[0].ID, c.PasswordHash, err
	}
	return "", "", nil
}

// settle judges an attempt, leaves its trace, and remembers the browser that will be asked for a code.
func (s *Service) settle(ctx context.Context, tx *store.Tx, a attempt, step string) (identity.User, verdict, error) {
	u, v, err := s.judged(ctx, tx, a)
	if err != nil || u.ID == "" || v.code == passwordLocked && !a.matched {
		return u, v, err
	}
	t := passwordTrace(u, v, a.ip, tx.Now())
	if err := tx.InsertTrace(ctx, t); err != nil || v.code != codePending {
		return u, v, err
	}
	st := store.SignInStep{UserID: u.ID, TraceID: t.ID, ExpiresAt: tx.Now().Add(stepAge)}
	return u, v, tx.InsertSignInStep(ctx, st, identity.HashSecret(step))
}

// judged judges an attempt on the locked row of its user and counts it. What is right so far but lacks a code is codePending. The user is empty when there is none any more.
func (s *Service) judged(ctx context.Context, tx *store.Tx, a attempt) (identity.User, verdict, error) {
	gone := verdict{"user.deleted", "The user or the password was deleted meanwhile."}
	u, err := tx.UserForUpdate(ctx, store.Everything(), a.user)
	if identity.KindOf(err) == identity.NotFound {
		return identity.User{}, gone, nil
	}
	if err != nil {
		return u, verdict{}, err
	}
	c, err := tx.Credential(ctx, u.ID)
	if identity.KindOf(err) == identity.NotFound {
		return identity.User{}, gone, nil
	}
	if err != nil {
		return u, verdict{}, err
	}
	roles, err := s.rightsOf(ctx, tx, &u)
	if err != nil {
		return u, verdict{}, err
	}
	if c.PasswordHash != a.hash {
		return identity.User{}, verdict{passwordMeanwhile, "The password was changed at this moment."}, nil
	}
	v := s.judge(u, c, roles, a.matched, tx.Now())
	if err := s.count(ctx, tx, u, c, v, a.ip); err != nil {
		return u, v, err
	}
	if a.rehash != "" && !v.refused() {
		if err := tx.Rehash(ctx, u.ID, a.hash, a.rehash, a.weak); err != nil {
			return u, v, err
		}
	}
	if !v.refused() {
		v, err = s.more(ctx, tx, u)
	}
	return s.withRoles(u, roles), v, err
}

// more says what a right password is not enough for.
func (s *Service) more(ctx context.Context, tx *store.Tx, u identity.User) (verdict, error) {
	v, err := s.local(ctx, tx, u)
	if err == nil && !v.refused() {
		v, err = s.joined(ctx, tx, u)
	}
	if err != nil || v.refused() {
		return v, err
	}
	if v, err = timely(ctx, tx, u.ID); err != nil || v.refused() {
		return v, err
	}
	has, err := tx.HasSecondFactor(ctx, u.ID)
	if has {
		v = verdict{codePending, "The password was right; the code that was asked for next was not given."}
	}
	return v, err
}

// passwordSteps are what a sign-in with a password goes through, each with the codes that end it there; the one without codes is everything that is wrong with the user.
var passwordSteps = []struct {
	name  string
	codes []string
}{
	{"the account takes passwords now", []string{passwordLocked}},
	{"the password", []string{passwordWrong, passwordOver}},
	{"the user may sign in", nil},
	{"the tenant lets its people in without its provider", []string{ssoRequired}},
	{"the second factor", []string{codePending, codeWrong, codeLocked, codeGone}},
}

// passwordTrace tells an administrator how a sign-in with a password ended.
func passwordTrace(u identity.User, v verdict, ip string, at time.Time) identity.Trace {
	t := identity.Trace{
		ID: identity.NewID[identity.TraceID](), At: at, TenantID: u.TenantID, OK: !v.refused(), Code: v.code, Message: v.why,
		Email: u.Email(), UserID: u.ID, IP: ip,
	}
	last := len(passwordSteps) - 2 // the second factor is a step of those who have one
	for i, step := range passwordSteps {
		if slices.Contains(step.codes, v.code) {
			last = i
		} else if step.codes == nil && v.refused() && !codeOfAStep(v.code) {
			last = i
		}
	}
	for i, step := range passwordSteps[:last+1] {
		c := identity.Check{Name: step.name, Result: identity.Passed}
		if i == last && v.refused() {
			c = identity.Check{Name: step.name, Result: identity.Failed, Got: v.code, Fix: v.why}
		}
		t.Checks = append(t.Checks, c)
	}
	return t
}

func codeOfAStep(code string) bool {
	for _, step := range passwordSteps {
		if slices.Contains(step.codes, code) {
			return true
		}
	}
	return false
}

// refusal is the one answer to everybody who is not let in by a password.
func refusal(cause error) error {
	return identity.Errorf(identity.Unauthenticated, "The name or the password is not right, or this account cannot sign in now.").WithCode("signin.refused").WithCause(cause)
}
