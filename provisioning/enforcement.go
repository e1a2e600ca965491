package provisioning

import (
	"context"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// provenAge is how old the sign-in may be that proves a tenant's provider.
const provenAge = 30 * 24 * time.Hour

// RequireSSO lets a tenant's people in through a provider only, or ends that: whoever may manage the tenant's people, or a Super Admin. It is switched on only after a sign-in through the
// tenant's provider went well in the last 30 days (or a test of it), else Precondition with the code "sso.unproven", and only while an account for emergencies could come in, else
// "sso.no_break_glass". Sessions that began with a password end; accounts for emergencies keep theirs.
func (s *Service) RequireSSO(ctx context.Context, by identity.Actor, tenant identity.TenantID, on bool) (identity.Tenant, error) {
	if tenant == "" || !validIDs(&tenant) {
		return identity.Tenant{}, noTenant()
	}
	var t identity.Tenant
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		if err := tx.Lock(ctx, "require_sso"); err != nil {
			return err
		}
		var err error
		if t, err = s.keeps(ctx, tx, by, tenant); err != nil || t.RequireSSO == on {
			return err
		}
		if on {
			if err := s.mayRequire(ctx, tx, t); err != nil {
				return err
			}
		}
		if err := tx.SetRequireSSO(ctx, t.ID, on); err != nil {
			return err
		}
		e := event(by, identity.TenantUpdated)
		e.TenantID, e.ObjectKind, e.ObjectID, e.ObjectLabel = t.ID, "tenant", string(t.ID), t.Name
		e.Changes = []identity.Change{{Field: "requires a provider to sign in", Before: t.RequireSSO, After: on}}
		t.RequireSSO = on
		if err := tx.InsertEvent(ctx, e); err != nil || !on {
			return err
		}
		return s.endPasswordSessions(ctx, tx, by, t)
	})
	return t, err
}

// mayRequire refuses what would lock a whole tenant out.
func (s *Service) mayRequire(ctx context.Context, tx *store.Tx, t identity.Tenant) error {
	if t.Landing {
		return identity.Errorf(identity.Invalid, "People of many providers wait in %s; it cannot require one.", t.Name)
	}
	proven, err := tx.ProvenSignIn(ctx, t.ID, tx.Now().Add(-provenAge))
	if err != nil {
		return err
	}
	if !proven {
		return identity.Errorf(identity.Precondition, "Nobody has come in through a provider of %s in the last 30 days. Sign in through it once, or test the connection, so that nobody is locked out.", t.Name).WithCode("sso.unproven")
	}
	return s.keepBreakGlass(ctx, tx, t.ID, "", "sso.no_break_glass")
}

// keepBreakGlass refuses what would leave a tenant (none: every tenant) that requires its provider without an account for emergencies.
func (s *Service) keepBreakGlass(ctx context.Context, tx *store.Tx, tenant identity.TenantID, except identity.UserID, code string) error {
	ids, err := tx.BreakGlassAccounts(ctx, tenant, except)
	if err != nil {
		return err
	}
	for _, id := range ids {
		assigned, err := tx.Assignments(ctx, id)
		if err != nil {
			return err
		}
		for _, a := range assigned {
			if r, ok := s.model.Role(a.RoleID); ok && r.Interactive {
				return nil
			}
		}
	}
	return identity.Errorf(identity.Precondition, "There must be an account for emergencies that can come in when the provider is down: one with a password and a second factor, which a Super Admin marks as such on its page.").WithCode(code)
}

// endPasswordSessions ends the sessions of a tenant's people that began with a password.
func (s *Service) endPasswordSessions(ctx context.Context, tx *store.Tx, by identity.Actor, t identity.Tenant) error {
	sessions, err := tx.PasswordSessionsOf(ctx, t.ID)
	if err != nil {
		return err
	}
	for _, session := range sessions {
		if err := tx.DeleteSession(ctx, session.ID); err != nil {
			return err
		}
		e := event(by, identity.SessionEnded)
		e.TenantID, e.UserID, e.ObjectKind, e.ObjectID = t.ID, session.UserID, "session", string(session.ID)
		e.Reason = t.Name + " requires its provider from now on"
		if err := tx.InsertEvent(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// SetBreakGlass makes an account one for emergencies, or an ordinary one again: only a Super Admin does. Such an account may use its password, with its second factor, while its tenant requires
// a provider, and each of its sign-ins is an event of its own. Precondition when it has no password or no second factor, or when it is the last that a tenant depends on.
func (s *Service) SetBreakGlass(ctx context.Context, by identity.Actor, user identity.UserID, on bool, reason string) error {
	if err := s.platform(by); err != nil {
		return err
	}
	if reason = strings.TrimSpace(reason); len(reason) > 500 {
		return identity.Errorf(identity.Invalid, "The reason may have at most 500 bytes.").WithField("reason")
	}
	if user == "" || !validIDs(&user) {
		return noUser()
	}
	return s.db.Update(ctx, func(tx *store.Tx) error {
		if err := tx.Lock(ctx, "require_sso"); err != nil {
			return err
		}
		u, err := tx.UserForUpdate(ctx, store.Everything(), user)
		if err != nil {
			return sharpen(err, noUser)
		}
		is, err := tx.BreakGlass(ctx, u.ID)
		if err != nil || is == on {
			return err
		}
		e := about(by, identity.BreakGlassGranted, u)
		if e.Reason = reason; on {
			err = s.grantBreakGlass(ctx, tx, by, u, reason)
		} else {
			e.Type = identity.BreakGlassRevoked
			err = s.revokeBreakGlass(ctx, tx, u)
		}
		if err != nil {
			return err
		}
		return tx.InsertEvent(ctx, e)
	})
}

func (s *Service) grantBreakGlass(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, reason string) error {
	password, err := tx.HasCredential(ctx, u.ID)
	if err != nil {
		return err
	}
	second, err := tx.HasSecondFactor(ctx, u.ID)
	if err != nil {
		return err
	}
	if !password || !second {
		return identity.Errorf(identity.Precondition, "An account for emergencies needs a password and a second factor. Let %s turn on the second factor in My account first.", u.Label()).WithCode("break_glass.unprotected")
	}
	return tx.InsertBreakGlass(ctx, u.ID, by.Label, reason)
}

func (s *Service) revokeBreakGlass(ctx context.Context, tx *store.Tx, u identity.User) error {
	if err := s.keepLastBreakGlass(ctx, tx, u); err != nil {
		return err
	}
	return tx.DeleteBreakGlass(ctx, u.ID)
}

// keepLastBreakGlass refuses to take away the account that a tenant depends on which requires its provider: the user's own tenant, or any when the user stands above all.
func (s *Service) keepLastBreakGlass(ctx context.Context, tx *store.Tx, u identity.User) error {
	is, err := tx.BreakGlass(ctx, u.ID)
	if err != nil || !is {
		return err
	}
	needed, err := tx.AnyRequiresSSO(ctx, u.TenantID)
	if err != nil || !needed {
		return err
	}
	return s.keepBreakGlass(ctx, tx, u.TenantID, u.ID, "break_glass.last")
}

// BreakGlass reports whether an account is one for emergencies; the actor must be allowed to see the user.
func (s *Service) BreakGlass(ctx context.Context, by identity.Actor, user identity.UserID) (bool, error) {
	u, err := s.User(ctx, by, user)
	if err != nil {
		return false, err
	}
	var is bool
	err = s.db.View(ctx, func(tx *store.Tx) error {
		is, err = tx.BreakGlass(ctx, u.ID)
		return err
	})
	return is, err
}

// BreakGlassUsers returns the accounts for emergencies that the actor may see, usable or not.
func (s *Service) BreakGlassUsers(ctx context.Context, by identity.Actor) ([]identity.User, error) {
	scope, err := s.scopeFor(by, usersRead)
	if err != nil {
		return nil, err
	}
	var out []identity.User
	err = s.db.View(ctx, func(tx *store.Tx) error {
		out, err = tx.BreakGlassUsers(ctx, scope)
		return err
	})
	return out, err
}
