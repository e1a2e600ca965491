package authn

import (
	"context"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// mostShared is the longest report of accounts with several sessions.
const mostShared = 1000

// SharedLogins returns the people whom the actor may see that have at least so many sessions at once (2 or more), with from how many addresses and browsers; the most sessions come first, at most 1000 people. One
// account is for one person: this shows which ones several may use.
func (s *Service) SharedLogins(ctx context.Context, by identity.Actor, tenant identity.TenantID, least int) ([]identity.SharedLogin, error) {
	if least < 2 {
		return nil, identity.Errorf(identity.Invalid, "Ask for people with 2 sessions or more.").WithField("least")
	}
	scope, err := s.seen(by, tenant)
	if err != nil {
		return nil, err
	}
	var out []identity.SharedLogin
	err = s.db.View(ctx, func(tx *store.Tx) error {
		out, err = tx.SharedLogins(ctx, scope, tx.Now().Add(-s.policy().SessionIdle), least, mostShared)
		return err
	})
	return out, err
}

// seen is whom the actor may look at: a tenant, or with an empty one everybody in sight.
func (s *Service) seen(by identity.Actor, tenant identity.TenantID) (store.Scope, error) {
	if tenant != "" {
		id, ok := identity.ParseID[identity.TenantID](string(tenant))
		if !ok || by.TenantID != "" && by.TenantID != id {
			return store.Scope{}, identity.Errorf(identity.NotFound, "There is no such tenant.").WithField("tenant")
		}
		tenant = id
	}
	switch by.Kind {
	case identity.ActorOperator, identity.ActorSystem:
	case identity.ActorUser:
		if d := s.model.Allows(access.Who(by), usersRead); !d.Allowed {
			return store.Scope{}, identity.Errorf(identity.Forbidden, "You may not do this: it needs the right %s. %s.", usersRead, d.Reason)
		}
		if tenant == "" {
			tenant = by.TenantID
		}
	default:
		return store.Scope{}, identity.Errorf(identity.Forbidden, "A %s may not do this.", by.Kind)
	}
	if tenant == "" {
		return store.Everything(), nil
	}
	return store.OfTenant(tenant), nil
}
