package provisioning

import (
	"context"
	"slices"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// The records of verified domains are looked for once a day, some at a time.
const (
	recheckAge     = 24 * time.Hour
	recheckAtATime = 50
)

// RecheckDomains looks for the records of verified domains again that were not looked for since a day, and returns those whose record is gone now and was there before. Nothing is taken away for
// that: a record can be lost by mistake, and people would be locked out. Any replica may do it at any time; each domain is looked at by one.
func (s *Service) RecheckDomains(ctx context.Context) ([]identity.Domain, error) {
	var due []identity.Domain
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		due, err = tx.DueDomains(ctx, tx.Now().Add(-recheckAge), recheckAtATime)
		return err
	})
	var gone []identity.Domain
	for _, d := range due {
		if err != nil {
			break
		}
		err = s.recheck(ctx, &d)
		if err == nil && d.FailingSince != nil && d.FailingSince.Equal(*d.CheckedAt) {
			gone = append(gone, d)
		}
	}
	return gone, err
}

func (s *Service) recheck(ctx context.Context, d *identity.Domain) error {
	err := s.db.Update(ctx, func(tx *store.Tx) error { return tx.TakeDueDomain(ctx, *d) })
	if identity.KindOf(err) == identity.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	proven, lookup := s.dns.proven(ctx, *d)
	if lookup != nil && !proven {
		return ctx.Err() // the name servers said nothing: asked again tomorrow
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		now, err := tx.Domain(ctx, store.Everything(), d.ID)
		if err != nil || !now.Holds || now.VerifiedAt == nil {
			return err
		}
		*d = now
		return s.settleDomain(ctx, tx, identity.System(), d, proven)
	})
	if identity.KindOf(err) == identity.NotFound {
		return nil // removed meanwhile
	}
	return err
}

// givesWord reports whether somebody's word is enough for a domain that no record proves.
func (s *Service) givesWord(by identity.Actor) bool {
	return by.Kind != identity.ActorSystem && s.platform(by) == nil
}

// trustDomains holds what a connection's new domains need: for a tenant's that the tenant holds them. A Super Admin's word gives what nobody verified; the change says so, and returns it for the
// connection's own event. A connection of the installation needs that word for whatever it lists.
func (s *Service) trustDomains(ctx context.Context, tx *store.Tx, by identity.Actor, before, after identity.Connection) ([]identity.Change, error) {
	word := s.givesWord(by)
	var given []string
	for _, domain := range added(before.Domains, after.Domains) {
		if after.TenantID == "" {
			if !word {
				return nil, identity.Errorf(identity.Forbidden, "Only a Super Admin says what a connection of the installation is trusted for.").WithField("domains")
			}
			continue
		}
		held, err := tenantHolds(ctx, tx, after.TenantID, domain)
		if err != nil {
			return nil, err
		}
		if held {
			continue
		}
		if err := s.takeWord(ctx, tx, by, after, domain, word); err != nil {
			return nil, err
		}
		given = append(given, domain)
	}
	if len(given) == 0 {
		return nil, nil
	}
	return []identity.Change{{Field: "domains not verified, by the word of " + by.Label, After: given}}, nil
}

// takeWord lets the connection's tenant hold a domain by the actor's word, unless another tenant verified it.
func (s *Service) takeWord(ctx context.Context, tx *store.Tx, by identity.Actor, c identity.Connection, domain string, word bool) error {
	if !word {
		return identity.Errorf(identity.Forbidden, "The domain %s is not verified for this tenant. Verify it by its DNS record first.", domain).WithField("domains").WithCode("domain.unverified")
	}
	if public(domain) {
		return identity.Errorf(identity.Invalid, "%s belongs to everybody who has an address there: no tenant's provider may speak for it.", domain).WithField("domains")
	}
	holder, err := tx.DomainHolder(ctx, domain)
	if err == nil && holder.VerifiedAt != nil {
		return identity.Errorf(identity.Conflict, "Another tenant has verified the domain %s. Give it to this tenant first, with a reason, if it is not theirs any more.", domain).WithField("domains").WithCode("domain_taken")
	}
	if err != nil && identity.KindOf(err) != identity.NotFound {
		return err
	}
	t, err := tx.Tenant(ctx, store.Everything(), c.TenantID)
	if err != nil {
		return sharpen(err, noTenant)
	}
	_, err = s.giveDomain(ctx, tx, by, t, domain, "named for the connection "+c.Name)
	return err
}

func tenantHolds(ctx context.Context, tx *store.Tx, tenant identity.TenantID, domain string) (bool, error) {
	d, err := tx.DomainHolder(ctx, domain)
	if identity.KindOf(err) == identity.NotFound {
		return false, nil
	}
	return err == nil && d.TenantID == tenant, err
}

// added returns what a list has that the other had not.
func added(before, after []string) []string {
	var out []string
	for _, s := range after {
		if !slices.Contains(before, s) {
			out = append(out, s)
		}
	}
	return out
}
