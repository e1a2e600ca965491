package authn

import (
	"context"
	"errors"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// ssoRequired is the code of everything that is refused because a tenant's people come in through their provider only.
const ssoRequired = "sso.required"

// The methods that a session which began with a password has in Upstream.AMR (RFC 8176).
const (
	ByPassword = "pwd"
	ByCode     = "otp"
)

const ssoAdvice = "Your organisation signs its people in through its own identity provider: start with your e-mail address, or ask your administrator."

// local judges whether somebody may use what Drawbridge itself gave out: a password, a key, an invitation. It is the one place where a tenant that requires
// its provider is obeyed. Accounts for emergencies are exempt while they have a second factor.
func (s *Service) local(ctx context.Context, tx *store.Tx, u identity.User) (verdict, error) {
	if u.TenantID == "" {
		return verdict{}, nil
	}
	required, err := tx.RequiresSSO(ctx, u.TenantID)
	if err != nil || !required {
		return verdict{}, err
	}
	exempt, err := tx.BreakGlass(ctx, u.ID)
	if err == nil && exempt {
		exempt, err = tx.HasSecondFactor(ctx, u.ID)
	}
	if err != nil || exempt {
		return verdict{}, err
	}
	return verdict{ssoRequired, "The tenant's people sign in through its provider only; an account for emergencies with a second factor may use a password."}, nil
}

// MayUseLocal is nil when somebody may use what Drawbridge itself gave out: set or reset a password, accept an invitation, call with a key. Every such door asks it
// before it does anything. Forbidden with the code "sso.required" when the tenant's people come in through its provider only.
func (s *Service) MayUseLocal(ctx context.Context, user identity.UserID) error {
	user, ok := identity.ParseID[identity.UserID](string(user))
	if !ok {
		return noUser()
	}
	return s.db.View(ctx, func(tx *store.Tx) error {
		u, err := tx.User(ctx, store.Everything(), user)
		if identity.KindOf(err) == identity.NotFound {
			return noUser()
		}
		if err != nil {
			return err
		}
		return s.localOnly(ctx, tx, u)
	})
}

// joined judges whether somebody who was invited has proven the mailbox: before that no password and no key of theirs is worth anything.
func (s *Service) joined(ctx context.Context, tx *store.Tx, u identity.User) (verdict, error) {
	if u.LastLoginAt != nil {
		return verdict{}, nil
	}
	open, err := tx.InvitationOpen(ctx, u.ID)
	if err != nil || !open {
		return verdict{}, err
	}
	return verdict{"user.pending", "The user was invited, and has not opened the link in the mailbox yet."}, nil
}

// localOnly is local as an error for the person.
func (s *Service) localOnly(ctx context.Context, tx *store.Tx, u identity.User) error {
	v, err := s.local(ctx, tx, u)
	if err == nil && v.refused() {
		err = identity.Errorf(identity.Forbidden, ssoAdvice).WithCode(v.code).WithCause(errors.New(v.why))
	}
	return err
}

// startLocal holds what a session needs that begins without a provider: that it is allowed, and the second factor of those who have one. It writes the
// event of an account for emergencies.
func (s *Service) startLocal(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, session *identity.Session) error {
	if err := s.localOnly(ctx, tx, u); err != nil {
		return err
	}
	has, err := tx.HasSecondFactor(ctx, u.ID)
	if err != nil {
		return err
	}
	if has && !slices.Contains(session.Upstream.AMR, ByCode) {
		return identity.Errorf(identity.Forbidden, "This account needs a code beside the password.").WithCode("second_factor.required")
	}
	if session.MustChange, err = s.changes(ctx, tx, u.ID); err != nil {
		return err
	}
	emergency, err := tx.BreakGlass(ctx, u.ID)
	if err != nil || !emergency {
		return err
	}
	e := about(by, identity.SignInBreakGlass, u, *session)
	e.Changes = []identity.Change{{Field: "ip", After: session.IP}, {Field: "proved by", After: session.Upstream.AMR}}
	return tx.InsertEvent(ctx, e)
}

// changes reports whether whoever came in with the present password has to change it. An account without one came in by something else.
func (s *Service) changes(ctx context.Context, tx *store.Tx, id identity.UserID) (bool, error) {
	c, err := tx.Credential(ctx, id)
	if identity.KindOf(err) == identity.NotFound {
		return false, nil
	}
	return err == nil && s.mustChange(c, tx.Now()), err
}
