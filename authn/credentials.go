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

// answerStep is the grid of time on which refusals are answered; checking a password takes less than one step on any machine that is not overloaded.
const answerStep = 100 * time.Millisecond

// maxIdentifier is the longest e-mail address or user name in bytes that is looked up.
const maxIdentifier = 320

// The codes of a refused password, as the sign-in trace has them.
const (
	passwordWrong  = "password.wrong"
	passwordLocked = "password.locked"
)

// attempt is one try to sign in with a password, after the hash was computed and before anything was written.
type attempt struct {
	user    identity.UserID
	hash    string // the one that was compared
	matched bool
	ip      string
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
	u, step, err = s.checkPassword(ctx, identifier, password, ip)
	if identity.KindOf(err) == identity.Unauthenticated {
		return u, "", evenly(ctx, began, err)
	}
	if ctx.Err() == nil { // right, or our own failure; who hangs up early does not get the attempt back
		s.tried.done(ip)
	}
	return u, step, err
}

// evenly returns a refusal at the next full step of time since it was asked for, so that the clock does not tell whether there was an account
// to count the failure on.
func evenly(ctx context.Context, began time.Time, refusal error) error {
	timer := time.NewTimer(answerStep - time.Since(began)%answerStep)
	defer timer.Stop()
	select {
	case <-timer.C:
		return refusal
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Service) checkPassword(ctx context.Context, identifier, password, ip string) (identity.User, string, error) {
	a := attempt{ip: clean(ip, 64)}
	err := s.db.View(ctx, func(tx *store.Tx) error {
		var err error
		a.user, a.hash, err = candidate(ctx, tx, identifier)
		return err
	})
	if err != nil {
		return identity.User{}, "", err
	}
	if a.matched, err = s.matches(ctx, a.hash, password); err != nil {
		return identity.User{}, "", fmt.Errorf("password of user %s: %w", a.user, err)
	}
	if a.user == "" {
		return identity.User{}, "", refusal(errors.New("nobody signs in with this name and a password"))
	}
	var u identity.User
	var v verdict
	step := identity.NewSecret("")
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		u, v, err = s.settle(ctx, tx, a, step)
		return err
	})
	switch {
	case err != nil:
		return identity.User{}, "", err
	case v.code == codePending:
		return u, step, nil
	case v.code == ssoRequired:
		return identity.User{}, "", identity.Errorf(identity.Forbidden, ssoAdvice).WithCode(v.code).WithCause(fmt.Errorf("user %s: %s", a.user, v.why))
	case v.refused():
		return identity.User{}, "", refusal(fmt.Errorf("%s: user %s: %s", v.code, a.user, v.why))
	}
	return u, "", nil
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
	roles, err := rolesOf(ctx, tx, u.ID)
	if err != nil {
		return u, verdict{}, err
	}
	v := s.judge(u, c, roles, a.matched && c.PasswordHash == a.hash, tx.Now())
	if err := s.count(ctx, tx, u, c, v, a.ip); err != nil {
		return u, v, err
	}
	if !v.refused() {
		v, err = s.more(ctx, tx, u)
	}
	return s.withRoles(u, roles), v, err
}

// more says what a right password is not enough for.
func (s *Service) more(ctx context.Context, tx *store.Tx, u identity.User) (verdict, error) {
	v, err := s.local(ctx, tx, u)
	if err != nil || v.refused() {
		return v, err
	}
	has, err := tx.HasSecondFactor(ctx, u.ID)
	if has {
		v = verdict{codePending, "The password was right; the code that was asked for next was not given."}
	}
	return v, err
}

func (s *Service) judge(u identity.User, c store.Credential, roles []identity.RoleID, matched bool, now time.Time) verdict {
	switch {
	case s.waits(c, now) && s.policy().NeverUnlock:
		return verdict{passwordLocked, fmt.Sprintf("%d wrong passwords; the account waits until an administrator sets a new one.", c.Failures)}
	case s.waits(c, now):
		return verdict{passwordLocked, fmt.Sprintf("%d wrong passwords; the account waits until %s.", c.Failures, c.LastFailedAt.Add(s.policy().UnlockAfter).Format(time.RFC3339))}
	case !matched:
		return verdict{passwordWrong, "The password is wrong."}
	}
	return s.standing(u, roles)
}

// waits reports whether the account takes no password now.
func (s *Service) waits(c store.Credential, now time.Time) bool {
	if c.Failures < s.policy().MaxFailures || c.LastFailedAt == nil {
		return false
	}
	return s.policy().NeverUnlock || now.Before(c.LastFailedAt.Add(s.policy().UnlockAfter))
}

// count forgets wrong passwords after a right one, and counts a wrong one; the one too many is an event.
func (s *Service) count(ctx context.Context, tx *store.Tx, u identity.User, c store.Credential, v verdict, ip string) error {
	if !v.refused() {
		return tx.ClearPasswordFailures(ctx, u.ID)
	}
	if v.code != passwordWrong {
		return nil
	}
	if c.Failures >= s.policy().MaxFailures { // the wait is over: a new count begins
		if err := tx.ClearPasswordFailures(ctx, u.ID); err != nil {
			return err
		}
	}
	n, err := tx.RecordPasswordFailure(ctx, u.ID, tx.Now())
	if err != nil || n != s.policy().MaxFailures {
		return err
	}
	e := eventBy(identity.System(), identity.PasswordLocked, u)
	e.Reason = fmt.Sprintf("%d wrong passwords in a row", n)
	e.Changes = []identity.Change{{Field: "ip", After: ip}}
	return tx.InsertEvent(ctx, e)
}

// passwordSteps are what a sign-in with a password goes through, each with the codes that end it there; the one without codes is everything that is wrong with the user.
var passwordSteps = []struct {
	name  string
	codes []string
}{
	{"the account takes passwords now", []string{passwordLocked}},
	{"the password", []string{passwordWrong}},
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

// SetPassword gives a user a password, made by HashPassword; the count of wrong ones starts anew, so it ends a wait too. Somebody may do it for
// oneself (Forbidden with the code "sso.required" where the tenant's people come in through its provider only), or for others with the right to write users. Somebody else's new password ends all sessions of the user; after one's own the caller ends
// the others with EndSessions. Conflict when neither the e-mail address nor the user name is free to sign in with.
func (s *Service) SetPassword(ctx context.Context, by identity.Actor, user identity.UserID, phc string) error {
	if _, err := parseHash(phc); err != nil {
		return identity.Errorf(identity.Invalid, "A password is set by its hash, as HashPassword makes it.").WithField("password").WithCause(err)
	}
	return s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := s.person(ctx, tx, by, user, usersWrite)
		if err != nil {
			return err
		}
		if by.UserID() == u.ID {
			if err := s.localOnly(ctx, tx, u); err != nil {
				return err
			}
		}
		if err := tx.PutCredential(ctx, store.Credential{UserID: u.ID, PasswordHash: phc}); err != nil {
			return err
		}
		if err := tx.DeleteSignInStepsOf(ctx, u.ID); err != nil {
			return err
		}
		n, err := tx.ReplaceLogins(ctx, u.ID, u.LoginKeys())
		if err == nil && n == 0 {
			err = identity.Errorf(identity.Conflict, "Somebody else already signs in as %s; change the e-mail address or the user name first.", u.UserName).WithField("email").WithCode("uniqueness")
		}
		if err != nil {
			return err
		}
		if by.UserID() != u.ID {
			if _, err := endAll(ctx, tx, by, u, ""); err != nil {
				return err
			}
		}
		return tx.InsertEvent(ctx, eventBy(by, identity.PasswordSet, u))
	})
}
