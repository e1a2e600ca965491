package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// SuggestTenants says for people who wait to be placed where each probably belongs: to the tenant that holds the domain of the address, else to the one whose own provider signs such addresses in.
// Whoever has no such tenant is not in it. It is a proposal: nobody is placed by it.
func (s *Service) SuggestTenants(ctx context.Context, by identity.Actor, people []identity.User) (map[identity.UserID]identity.Tenant, error) {
	if err := s.household(ctx, by); err != nil {
		return nil, err
	}
	out := map[identity.UserID]identity.Tenant{}
	err := s.db.View(ctx, func(tx *store.Tx) error {
		if s.model.Single() {
			main, err := tx.MainTenant(ctx)
			for _, u := range people {
				out[u.ID] = main
			}
			return err
		}
		known := map[string]identity.Tenant{}
		for _, u := range people {
			domain := identity.EmailDomain(identity.NameKey(u.Email()))
			if _, asked := known[domain]; !asked {
				t, err := tenantOfDomain(ctx, tx, domain)
				if err != nil {
					return err
				}
				known[domain] = t
			}
			if t := known[domain]; t.ID != "" && t.ID != u.TenantID {
				out[u.ID] = t
			}
		}
		return nil
	})
	return out, err
}

// tenantOfDomain returns the tenant to which the people of a domain belong, or none.
func tenantOfDomain(ctx context.Context, tx *store.Tx, domain string) (identity.Tenant, error) {
	if domain == "" {
		return identity.Tenant{}, nil
	}
	holder, err := tx.DomainHolder(ctx, domain)
	if identity.KindOf(err) == identity.NotFound {
		holder, err = identity.Domain{}, nil
	}
	if err != nil {
		return identity.Tenant{}, err
	}
	tenant := holder.TenantID
	if tenant == "" {
		if tenant, err = providerTenant(ctx, tx, domain); err != nil || tenant == "" {
			return identity.Tenant{}, err
		}
	}
	return tx.Tenant(ctx, store.Everything(), tenant)
}

// providerTenant returns the tenant of the first connection that signs a domain in, where it belongs to one.
func providerTenant(ctx context.Context, tx *store.Tx, domain string) (identity.TenantID, error) {
	ids, err := tx.ConnectionsByDomain(ctx, domain)
	for _, id := range ids {
		if err != nil {
			return "", err
		}
		var c identity.Connection
		if c, err = tx.Connection(ctx, store.Everything(), id); err == nil && c.TenantID != "" {
			return c.TenantID, nil
		}
	}
	return "", err
}
