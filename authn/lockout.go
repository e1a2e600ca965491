package authn

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// maxReason is the longest reason in characters that an event keeps.
const maxReason = 500

// judge says what a password is worth for an account at this moment.
func (s *Service) judge(u identity.User, c store.Credential, roles []identity.RoleID, matched bool, now time.Time) verdict {
	switch {
	case u.LockedAt != nil && !matched:
		return verdict{passwordLocked, "The user is locked; an administrator must unlock it."}
	case waits(c, now):
		return verdict{passwordLocked, fmt.Sprintf("%d wrong passwords; the account waits until %s.", c.Failures, c.LockedUntil.Format(time.RFC3339))}
	case !matched:
		return verdict{passwordWrong, "The password is wrong."}
	}
	if v := s.standing(u, roles); v.refused() {
		return v
	}
	if c.Temporary && c.ExpiresAt != nil && !now.Before(*c.ExpiresAt) {
		return verdict{passwordOver, fmt.Sprintf("The temporary password ended at %s; an administrator must give a new one.", c.ExpiresAt.Format(time.RFC3339))}
	}
	return verdict{}
}

// waits reports whether the account takes no password now.
func waits(c store.Credential, now time.Time) bool {
	return c.LockedUntil != nil && now.Before(*c.LockedUntil)
}

// count forgets wrong passwords after a right one, and counts a wrong one; the one too many locks.
func (s *Service) count(ctx context.Context, tx *store.Tx, u identity.User, c store.Credential, v verdict, ip string) error {
	if !v.refused() {
		return tx.ClearPasswordFailures(ctx, u.ID)
	}
	if v.code != passwordWrong {
		return nil
	}
	over := c.LockedUntil != nil || c.LastFailedAt != nil && tx.Now().Sub(*c.LastFailedAt) >= s.policy().FailureWindow
	if over { // the wait or the window is over: a new count begins
		if err := tx.ClearPasswordFailures(ctx, u.ID); err != nil {
			return err
		}
	}
	n, err := tx.RecordPasswordFailure(ctx, u.ID, tx.Now())
	if err != nil || n < s.policy().MaxFailures {
		return err
	}
	return s.lock(ctx, tx, u, n, ip)
}

// lock locks an account as long as the access model says: until an administrator unlocks it, or for a time in which it takes no password.
func (s *Service) lock(ctx context.Context, tx *store.Tx, u identity.User, failures int, ip string) error {
	e := eventBy(identity.System(), identity.UserLocked, u)
	e.Reason = fmt.Sprintf("%d wrong passwords in a row", failures)
	e.Changes = []identity.Change{{Field: "ip", After: ip}}
	if s.policy().NeverUnlock {
		now := tx.Now()
		if err := tx.SetLocked(ctx, u.ID, &now); err != nil {
			return err
		}
		e.Changes = append(e.Changes, identity.Change{Field: "status", Before: u.Status(), After: identity.StatusLocked})
		return tx.InsertEvent(ctx, e)
	}
	until := tx.Now().Add(s.policy().UnlockAfter)
	if err := tx.LockPassword(ctx, u.ID, until); err != nil {
		return err
	}
	e.Type = identity.PasswordLocked
	e.Changes = append(e.Changes, identity.Change{Field: "until", After: until})
	return tx.InsertEvent(ctx, e)
}

// Unlock takes away what wrong passwords brought: the lock, or the wait, and the count. It needs the right to write users, and nobody unlocks oneself. What is not locked stays as it is.
func (s *Service) Unlock(ctx context.Context, by identity.Actor, user identity.UserID, reason string) error {
	return s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := s.other(ctx, tx, by, user, "Another administrator has to unlock your account.")
		if err != nil {
			return err
		}
		return s.unlock(ctx, tx, by, u, reason)
	})
}

func (s *Service) unlock(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, reason string) error {
	c, err := tx.Credential(ctx, u.ID)
	if err != nil && identity.KindOf(err) != identity.NotFound {
		return err
	}
	if err := tx.ClearPasswordFailures(ctx, u.ID); err != nil {
		return err
	}
	if u.LockedAt == nil && !waits(c, tx.Now()) {
		return nil
	}
	e := eventBy(by, identity.UserUnlocked, u)
	e.Reason = tidyReason(reason)
	if waits(c, tx.Now()) {
		e.Changes = append(e.Changes, identity.Change{Field: "until", Before: *c.LockedUntil})
	}
	if u.LockedAt != nil {
		e.Changes = append(e.Changes, identity.Change{Field: "locked", Before: *u.LockedAt})
		if err := tx.SetLocked(ctx, u.ID, nil); err != nil {
			return err
		}
	}
	return tx.InsertEvent(ctx, e)
}

// other is person for what nobody does to oneself, with the row locked.
func (s *Service) other(ctx context.Context, tx *store.Tx, by identity.Actor, user identity.UserID, own string) (identity.User, error) {
	u, err := s.person(ctx, tx, by, user, usersWrite)
	if err == nil && by.UserID() == u.ID {
		err = identity.Errorf(identity.Forbidden, "%s", own).WithCode("self")
	}
	return u, err
}

func tidyReason(reason string) string { return clean(strings.TrimSpace(reason), maxReason) }
