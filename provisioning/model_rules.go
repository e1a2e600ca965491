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
		if !t.Landing && !t.Main {
			p.ordinary++
		}
		if t.Main {
			p.hasMain = true
		}
	}
	return err
}

// planRules finds what the other rules of the model do not allow.
func (p *planning) planRules(ctx context.Context, tx *store.Tx) error {
	if p.after.Single() && (p.ordinary > 1 || p.ordinary == 1 && p.hasMain) {
		p.obstacle("The access model %s knows one tenant only, and there are %d beside it; move their people first.", p.after.Name(), p.ordinary-1+map[bool]int{true: 1}[p.hasMain])
	}
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
