package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// readTenants remembers what tenants are called.
func (p *planning) readTenants(ctx context.Context, tx *store.Tx) error {
	list, err := allOf(func(q identity.Query) (identity.Page[identity.Tenant], error) {
		return tx.Tenants(ctx, store.Everything(), q)
	}, func(t identity.Tenant) string { return string(t.ID) })
	p.tenants = map[identity.TenantID]string{}
	for _, t := range list {
		p.tenants[t.ID] = t.Name
	}
	if err == nil && p.after.Single() {
		p.planSingle(list)
	}
	return err
}

// planSingle finds people who belong to another tenant than the one that there will be.
func (p *planning) planSingle(list []identity.Tenant) {
	main := identity.NameKey(p.after.MainTenant())
	for _, t := range list {
		if t.Main {
			main = identity.NameKey(t.Name)
		}
	}
	for _, t := range list {
		if !t.Landing && identity.NameKey(t.Name) != main && t.Users > 0 {
			p.obstacle("The access model %s knows one tenant only, %s; move the %s of %s there first.", p.after.Name(), p.after.MainTenant(), plural(int(t.Users), "user"), t.Name)
		}
	}
}

// planRules finds what the other rules of the model do not allow.
func (p *planning) planRules(ctx context.Context, tx *store.Tx) error {
	counts, err := tx.CountTypes(ctx, store.Everything())
	if err != nil {
		return err
	}
	for _, t := range p.after.UserTypes() {
		if n := counts[t.ID]; t.MaxUsers > 0 && n > t.MaxUsers {
			p.obstacle("%d people are %s, and the access model allows %d; change their type first.", n, t.Title, t.MaxUsers)
		}
	}
	if o, ok := p.after.Owner(); ok {
		if was, had := p.before.Owner(); !had || was.Role != o.Role {
			p.warn("Tenants that have no %s yet need one: transfer the ownership to somebody.", roleWords(p.after, []identity.RoleID{o.Role}))
		}
	}
	return nil
}
