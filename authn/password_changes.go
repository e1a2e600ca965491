package authn

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// How long a temporary password opens an account.
const (
	temporaryAge     = 72 * time.Hour
	mostTemporaryAge = 30 * 24 * time.Hour
)

// PasswordState is what a person and an administrator may know of a local password.
type PasswordState struct {
	On         bool // there is one
	MustChange bool // at the next sign-in, also because it is too old
	Temporary  bool
	Imported   bool
	ChangedAt  *time.Time
	ExpiresAt  *time.Time // of a temporary one, or when one gets too old
	Failures   int        // wrong ones since the last right one
}

// PasswordState says how a user's password stands: one's own, or with the right to read users somebody else's.
func (s *Service) PasswordState(ctx context.Context, by identity.Actor, user identity.UserID) (PasswordState, error) {
	var out PasswordState
	err := s.db.View(ctx, func(tx *store.Tx) error {
		u, err := s.person(ctx, tx, by, user, usersRead)
		if err != nil {
			return err
		}
		c, err := tx.Credential(ctx, u.ID)
		if identity.KindOf(err) == identity.NotFound {
			return nil
		}
		out = PasswordState{On: true, MustChange: s.mustChange(c, tx.Now()), Temporary: c.Temporary, Imported: c.Imported, ChangedAt: c.ChangedAt, ExpiresAt: c.ExpiresAt, Failures: c.Failures}
		if ends := s.tooOld(c); out.ExpiresAt == nil && ends != nil {
			out.ExpiresAt = ends
		}
		return err
	})
	return out, err
}

// tooOld returns when a password gets too old, nil for never.
func (s *Service) tooOld(c store.Credential) *time.Time {
	age := s.policy().PasswordAge
	if age == 0 {
		return nil
	}
	since := c.UpdatedAt
	if c.ChangedAt != nil {
		since = *c.ChangedAt
	}
	ends := since.Add(age)
	return &ends
}

// mustChange reports whether whoever signs in with this password has to change it.
func (s *Service) mustChange(c store.Credential, now time.Time) bool {
	ends := s.tooOld(c)
	return c.MustChange || ends != nil && !now.Before(*ends)
}

// CheckRepeated is nil when a password was typed twice the same way, else Invalid with the field "confirm_password". What was typed the second time is never kept.
func CheckRepeated(password, repeated string) error {
	if password == repeated {
		return nil
	}
	return identity.Errorf(identity.Invalid, "The two passwords are not the same. Type the new one twice.").WithField("confirm_password").WithCode("password.repeated")
}

// PasswordChange is what somebody enters to change the own password.
type PasswordChange struct {
	Present  string // not looked at in a session that has to change it: it began with the present one
	Code     string // of the second factor, where there is one; likewise
	New      string
	Repeated string
}

// ChangePassword changes the password of whoever visits, and ends the other sessions; a session that had to change it reaches everything from then on. Errors are those of CheckRepeated, Prove
// and NewPassword, and Forbidden with the code "sso.required" where the tenant's people come in through its provider only.
func (s *Service) ChangePassword(ctx context.Context, v Visit, c PasswordChange) error {
	if err := CheckRepeated(c.New, c.Repeated); err != nil {
		return err
	}
	if !v.Session.MustChange {
		if err := s.Prove(ctx, v.User.ID, c.Present, c.Code); err != nil {
			return err
		}
	}
	phc, terms, err := s.NewPassword(ctx, v.Actor, v.User, c.New)
	if err != nil {
		return err
	}
	return s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := s.person(ctx, tx, v.Actor, v.User.ID, usersWrite)
		if err != nil {
			return err
		}
		session, err := tx.Session(ctx, v.Session.ID)
		if identity.KindOf(err) == identity.NotFound || err == nil && session.MustChange != v.Session.MustChange {
			return signedOut(err)
		}
		if err != nil {
			return err
		}
		if err := s.localOnly(ctx, tx, u); err != nil {
			return err
		}
		if err := s.put(ctx, tx, u, phc, terms); err != nil {
			return err
		}
		if err := tx.SessionChanged(ctx, session.ID); err != nil {
			return err
		}
		if _, err := endAll(ctx, tx, v.Actor, u, session.ID); err != nil {
			return err
		}
		return tx.InsertEvent(ctx, eventBy(v.Actor, identity.PasswordChanged, u))
	})
}

// put writes a password with its terms, the names that it opens the account with, and ends sign-ins that wait for a code.
func (s *Service) put(ctx context.Context, tx *store.Tx, u identity.User, phc string, terms identity.PasswordTerms) error {
	c := store.Credential{UserID: u.ID, PasswordHash: phc, PasswordTerms: terms, History: s.policy().PasswordHistory}
	if err := tx.PutCredential(ctx, c); err != nil {
		return err
	}
	if err := tx.DeleteSignInStepsOf(ctx, u.ID); err != nil {
		return err
	}
	if err := s.endKeysWithPassword(ctx, tx, u); err != nil {
		return err
	}
	n, err := tx.ReplaceLogins(ctx, u.ID, u.LoginKeys())
	if err == nil && n == 0 {
		err = identity.Errorf(identity.Conflict, "Somebody else already signs in as %s; change the e-mail address or the user name first.", u.UserName).WithField("email").WithCode("uniqueness")
	}
	return err
}

// SetPassword gives a user a password by its hash, made by NewPassword or elsewhere (ImportPasswordHash says which are known); the count of wrong ones starts anew, so it ends a wait too. Somebody may do it for
// oneself (Forbidden with the code "sso.required" where the tenant's people come in through its provider only), or for others with the right to write users. Somebody else's new password ends all sessions of the user; after one's own the caller ends
// the others with EndSessions. Conflict when neither the e-mail address nor the user name is free to sign in with.
func (s *Service) SetPassword(ctx context.Context, by identity.Actor, user identity.UserID, phc string) error {
	terms, err := ImportPasswordHash(phc)
	if err != nil {
		return err
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
			if err := s.put(ctx, tx, u, phc, terms); err != nil {
				return err
			}
			return tx.InsertEvent(ctx, eventBy(by, identity.PasswordSet, u))
		}
		return s.give(ctx, tx, by, u, phc, terms, "")
	})
}

// give sets somebody else's password, ends all sessions and says so, without the password.
func (s *Service) give(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, phc string, terms identity.PasswordTerms, reason string) error {
	if err := s.put(ctx, tx, u, phc, terms); err != nil {
		return err
	}
	if _, err := endAll(ctx, tx, by, u, ""); err != nil {
		return err
	}
	e := eventBy(by, identity.PasswordSet, u)
	e.Reason = tidyReason(reason)
	if terms.MustChange {
		e.Changes = append(e.Changes, identity.Change{Field: "must be changed", After: true})
	}
	if terms.Temporary {
		e.Changes = append(e.Changes, identity.Change{Field: "temporary until", After: terms.ExpiresAt})
	}
	if terms.Imported {
		e.Changes = append(e.Changes, identity.Change{Field: "hashed elsewhere", After: true})
	}
	return tx.InsertEvent(ctx, e)
}

// GivenPassword is a password that somebody gives to somebody else.
type GivenPassword struct {
	Password   string        // empty: see EditPassword and ResetPassword
	Repeated   *string       // as it was typed a second time; nil: nobody asked for that
	Temporary  bool          // it ends unless it is changed, and has to be changed at the next sign-in
	For        time.Duration // how long a temporary one opens the account; 0: 72 hours
	MustChange *bool         // at the next sign-in; nil: as the access model says
	Unlock     bool          // take a lock away too
	Reason     string
}

// EditPassword sets somebody's password as a part of editing them: what was left blank leaves everything as it is, without an event, and no session ends. It reports whether there is a new one. Errors are
// those of ResetPassword.
func (s *Service) EditPassword(ctx context.Context, by identity.Actor, user identity.UserID, g GivenPassword) (bool, error) {
	if g.Password == "" && (g.Repeated == nil || *g.Repeated == "") {
		return false, nil
	}
	if g.Password == "" {
		return false, CheckRepeated(g.Password, *g.Repeated)
	}
	_, err := s.ResetPassword(ctx, by, user, g)
	return err == nil, err
}

// ResetPassword gives somebody else a password: the one that is given, or without one a temporary one that is made and returned, to be shown once. All sessions of the user end. It needs the
// right to write users; one's own is changed with ChangePassword. A lock stays unless Unlock is set. Errors are those of CheckRepeated and NewPassword, and Conflict when nobody could sign in with it.
func (s *Service) ResetPassword(ctx context.Context, by identity.Actor, user identity.UserID, g GivenPassword) (string, error) {
	if g.Repeated != nil {
		if err := CheckRepeated(g.Password, *g.Repeated); err != nil {
			return "", err
		}
	}
	if err := checkLasts(g.For); err != nil {
		return "", err
	}
	var u identity.User
	err := s.db.View(ctx, func(tx *store.Tx) (err error) { // who may not do it learns nothing of the policy, and costs no hash
		u, err = s.other(ctx, tx, by, user, "Change your own password in My account, with the present one.")
		return err
	})
	if err != nil {
		return "", err
	}
	phc, terms, made, err := s.given(ctx, by, u, g)
	if err != nil {
		return "", err
	}
	return made, s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := s.other(ctx, tx, by, user, "Change your own password in My account, with the present one.")
		if err != nil {
			return err
		}
		if g.Unlock {
			if err := s.unlock(ctx, tx, by, u, g.Reason); err != nil {
				return err
			}
		}
		return s.give(ctx, tx, by, u, phc, terms, g.Reason)
	})
}

func checkLasts(lasts time.Duration) error {
	if lasts < 0 || lasts > mostTemporaryAge {
		return identity.Errorf(identity.Invalid, "A temporary password lasts at most 30 days.").WithField("for")
	}
	return nil
}

// given hashes what is given, or makes a temporary password.
func (s *Service) given(ctx context.Context, by identity.Actor, u identity.User, g GivenPassword) (phc string, terms identity.PasswordTerms, made string, err error) {
	if g.Password == "" {
		return s.TemporaryPassword(ctx, u, g.For)
	}
	if phc, terms, err = s.NewPassword(ctx, by, u, g.Password); err != nil {
		return "", terms, "", err
	}
	if g.MustChange != nil {
		terms.MustChange = *g.MustChange
	}
	if g.Temporary {
		terms = temporary(g.For)
	}
	return phc, terms, "", nil
}

// RequirePasswordChange makes a user change the password at the next sign-in, or with on false does not any more. It needs the right to write users. Precondition with the code "password.none" when
// there is no password here, Conflict when it is a temporary one, which has to be changed.
func (s *Service) RequirePasswordChange(ctx context.Context, by identity.Actor, user identity.UserID, on bool, reason string) error {
	return s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := s.person(ctx, tx, by, user, usersWrite)
		if err != nil {
			return err
		}
		c, err := tx.Credential(ctx, u.ID)
		if identity.KindOf(err) == identity.NotFound {
			return identity.Errorf(identity.Precondition, "%s has no password here that could be changed.", u.Label()).WithCode("password.none")
		}
		if err != nil || c.MustChange == on {
			return err
		}
		if c.Temporary {
			return identity.Errorf(identity.Conflict, "A temporary password has to be changed. Give %s another password instead.", u.Label()).WithCode("password.temporary")
		}
		if err := tx.SetMustChange(ctx, u.ID, on); err != nil {
			return err
		}
		e := eventBy(by, identity.PasswordDemanded, u)
		e.Reason = tidyReason(reason)
		e.Changes = []identity.Change{{Field: "must be changed", Before: c.MustChange, After: on}}
		return tx.InsertEvent(ctx, e)
	})
}
