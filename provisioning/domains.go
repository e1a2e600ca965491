package provisioning

import (
	"context"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// maxClaims is how many domains one tenant may claim.
const maxClaims = 200

func noDomain() *identity.Error {
	return identity.Errorf(identity.NotFound, "There is no such domain here.")
}

// keeper returns what somebody may look after beside people: the own tenant for those who may manage its people, everything for those who run the installation. Directories and
// connections look after nothing.
func (s *Service) keeper(by identity.Actor) (store.Scope, error) {
	if by.Kind != identity.ActorUser || by.TenantID == "" {
		return store.Everything(), s.platform(by)
	}
	return s.scopeFor(by, usersWrite)
}

// keeps is keeper for one tenant; none is the installation. A tenant out of sight is NotFound.
func (s *Service) keeps(ctx context.Context, tx *store.Tx, by identity.Actor, tenant identity.TenantID) (identity.Tenant, error) {
	scope, err := s.keeper(by)
	if err != nil {
		return identity.Tenant{}, err
	}
	if tenant == "" {
		return identity.Tenant{}, s.platform(by)
	}
	t, err := tx.Tenant(ctx, scope, tenant)
	return t, sharpen(err, noTenant)
}

// domainName makes a domain comparable and refuses what no tenant can own.
func domainName(name string, tenant identity.TenantID) (string, error) {
	key, err := identity.DomainKey(strings.TrimPrefix(strings.TrimSpace(name), "@"))
	if err != nil {
		return "", err
	}
	invalid := func(format string) error {
		return identity.Errorf(identity.Invalid, format, key).WithField("domain")
	}
	switch {
	case !strings.Contains(key, "."):
		return "", invalid("%s has no dot: write the whole domain, such as acme.com.")
	case tenant != "" && public(key):
		return "", invalid("%s belongs to everybody who has an address there, so no tenant can claim it. Claim a domain of your own.")
	}
	return key, nil
}

// AddDomain claims a domain for a tenant, or without one for the installation: whoever may manage the tenant's people, or a Super Admin. It holds nothing until VerifyDomain has seen
// the record that the claim asks for (RecordName, RecordValue). Conflict with the code "domain_taken" when somebody else holds it; claims that hold nothing do not keep
// others out.
func (s *Service) AddDomain(ctx context.Context, by identity.Actor, tenant identity.TenantID, name string) (identity.Domain, error) {
	d := identity.Domain{ID: identity.NewID[identity.DomainID](), TenantID: tenant}
	if !validIDs(&d.TenantID) {
		return d, noTenant()
	}
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		t, err := s.keeps(ctx, tx, by, d.TenantID)
		if err != nil {
			return err
		}
		if d.Domain, err = domainName(name, t.ID); err != nil {
			return err
		}
		if err := s.mayClaim(ctx, tx, d); err != nil {
			return err
		}
		d.Token, d.CreatedAt, d.TenantName = identity.NewSecret("")[:32], tx.Now(), t.Name
		if err := tx.InsertDomain(ctx, d); err != nil {
			return err
		}
		return tx.InsertEvent(ctx, aboutDomain(by, identity.DomainClaimed, d))
	})
	return d, err
}

// mayClaim refuses a second claim, one of a domain that somebody else holds, and one too many.
func (s *Service) mayClaim(ctx context.Context, tx *store.Tx, d identity.Domain) error {
	if err := tx.Lock(ctx, "domains"); err != nil {
		return err
	}
	if _, err := tx.DomainClaim(ctx, d.TenantID, d.Domain); identity.KindOf(err) != identity.NotFound {
		if err == nil {
			err = identity.Errorf(identity.Conflict, "%s is in the list already.", d.Domain).WithField("domain")
		}
		return err
	}
	if err := free(ctx, tx, d); err != nil {
		return err
	}
	mine, err := tx.Domains(ctx, store.Everything(), identity.Query{Tenant: d.TenantID, Total: true})
	if err == nil && d.TenantID != "" && mine.Total >= maxClaims {
		err = identity.Errorf(identity.TooMany, "A tenant may claim %d domains; remove some first.", maxClaims).WithField("domain")
	}
	return err
}

// free refuses a domain that another claim holds. It does not say whose: another tenant is out of sight.
func free(ctx context.Context, tx *store.Tx, d identity.Domain) error {
	holder, err := tx.DomainHolder(ctx, d.Domain)
	if identity.KindOf(err) == identity.NotFound || err == nil && holder.ID == d.ID {
		return nil
	}
	if err == nil {
		err = identity.Errorf(identity.Conflict, "%s belongs to somebody else here. If it is yours, ask whoever runs this installation: a Super Admin can decide it.", d.Domain).WithField("domain").WithCode("domain_taken")
	}
	return err
}

// VerifyDomain looks for the record of a claim, and when it is there the claim holds the domain. Invalid with the code "domain.unverified" when it is not: the message says which record is missing.
// Conflict with "domain_taken" when somebody else was faster.
func (s *Service) VerifyDomain(ctx context.Context, by identity.Actor, id identity.DomainID) (identity.Domain, error) {
	d, err := s.Domain(ctx, by, id)
	if err != nil {
		return d, err
	}
	proven, lookup := s.dns.proven(ctx, d) // outside the transaction: it may take seconds
	if lookup != nil && !proven {
		return d, identity.Errorf(identity.Invalid, "The name servers of %s could not be asked. Try again in a few minutes.", d.Domain).WithField("domain").WithCode("domain.unreachable").WithCause(lookup)
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		if err := tx.Lock(ctx, "domains"); err != nil {
			return err
		}
		now, err := tx.Domain(ctx, store.Everything(), d.ID)
		if err != nil {
			return sharpen(err, noDomain)
		}
		d = now
		return s.settleDomain(ctx, tx, by, &d, proven)
	})
	if err == nil && !proven {
		err = unverified(d)
	}
	return d, err
}

// settleDomain writes what was seen of a domain's record, with an event for what is new.
func (s *Service) settleDomain(ctx context.Context, tx *store.Tx, by identity.Actor, d *identity.Domain, proven bool) error {
	now := tx.Now()
	d.CheckedAt = &now
	var kind identity.EventType
	switch {
	case proven:
		if err := free(ctx, tx, *d); err != nil {
			return err
		}
		if d.VerifiedAt == nil {
			kind = identity.DomainVerified
		} else if d.FailingSince != nil {
			kind = identity.DomainRecovered
		}
		d.Holds, d.FailingSince, d.Failure, d.OverrideBy, d.OverrideReason = true, nil, "", "", ""
		if d.VerifiedAt == nil {
			d.VerifiedAt = &now
		}
	default:
		d.Failure = missingRecord(*d)
		if d.VerifiedAt != nil && d.FailingSince == nil {
			d.FailingSince, kind = &now, identity.DomainFailing
		}
	}
	if err := tx.UpdateDomain(ctx, *d); err != nil || kind == "" {
		return err
	}
	e := aboutDomain(by, kind, *d)
	e.Reason = d.Failure
	return tx.InsertEvent(ctx, e)
}

func missingRecord(d identity.Domain) string {
	return "There is no TXT record " + d.RecordName() + " with the value " + d.RecordValue() + "."
}

func unverified(d identity.Domain) error {
	return identity.Errorf(identity.Invalid, "%s Add it where the domain is managed, then try again; it may take some minutes until it can be seen.", d.Failure).WithField("domain").WithCode("domain.unverified")
}

// OverrideDomain gives a domain to a tenant, or without one to the installation, without its record: a Super Admin's word, with a reason that the audit keeps. Whoever held it holds it no
// more; Conflict while a connection of theirs lists it.
func (s *Service) OverrideDomain(ctx context.Context, by identity.Actor, tenant identity.TenantID, name, reason string) (identity.Domain, error) {
	d := identity.Domain{TenantID: tenant}
	if err := s.platform(by); err != nil {
		return d, err
	}
	if reason = strings.TrimSpace(reason); reason == "" || len(reason) > 500 {
		return d, identity.Errorf(identity.Invalid, "Say in at most 500 bytes why the domain belongs there although no record shows it; the audit keeps it.").WithField("reason")
	}
	if !validIDs(&d.TenantID) {
		return d, noTenant()
	}
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		t, err := s.keeps(ctx, tx, by, d.TenantID)
		if err != nil {
			return err
		}
		key, err := domainName(name, t.ID)
		if err != nil {
			return err
		}
		if err := tx.Lock(ctx, "domains"); err != nil {
			return err
		}
		if d, err = s.giveDomain(ctx, tx, by, t, key, reason); err != nil {
			return err
		}
		e := aboutDomain(by, identity.DomainOverridden, d)
		e.Reason = reason
		return tx.InsertEvent(ctx, e)
	})
	return d, err
}

// giveDomain lets a tenant hold a domain by the actor's word. What the tenant verified stays verified.
func (s *Service) giveDomain(ctx context.Context, tx *store.Tx, by identity.Actor, t identity.Tenant, domain, reason string) (identity.Domain, error) {
	if err := s.takeFromHolder(ctx, tx, by, t, domain, reason); err != nil {
		return identity.Domain{}, err
	}
	d, err := tx.DomainClaim(ctx, t.ID, domain)
	isNew := identity.KindOf(err) == identity.NotFound
	if err != nil && !isNew {
		return d, err
	}
	if isNew {
		d = identity.Domain{ID: identity.NewID[identity.DomainID](), Domain: domain, TenantID: t.ID, Token: identity.NewSecret("")[:32], CreatedAt: tx.Now()}
	}
	d.Holds, d.TenantName = true, t.Name
	d.OverrideBy, d.OverrideReason = by.Label, reason
	if isNew {
		return d, tx.InsertDomain(ctx, d)
	}
	return d, tx.UpdateDomain(ctx, d)
}

// takeFromHolder ends what somebody else holds, unless one of their connections needs it.
func (s *Service) takeFromHolder(ctx context.Context, tx *store.Tx, by identity.Actor, t identity.Tenant, domain, reason string) error {
	holder, err := tx.DomainHolder(ctx, domain)
	if identity.KindOf(err) == identity.NotFound || err == nil && holder.TenantID == t.ID {
		return nil
	}
	if err != nil {
		return err
	}
	if err := unlisted(ctx, tx, holder); err != nil {
		return err
	}
	holder.Holds, holder.VerifiedAt, holder.OverrideBy, holder.OverrideReason, holder.FailingSince, holder.Failure = false, nil, "", "", nil, ""
	if err := tx.UpdateDomain(ctx, holder); err != nil {
		return err
	}
	e := aboutDomain(by, identity.DomainOverridden, holder)
	e.Reason, e.Changes = reason, []identity.Change{{Field: "holds", Before: true, After: false}}
	return tx.InsertEvent(ctx, e)
}

// unlisted refuses to take a domain away while a connection of its holder is trusted for it.
func unlisted(ctx context.Context, tx *store.Tx, d identity.Domain) error {
	names, err := tx.ConnectionsListing(ctx, d.TenantID, d.Domain)
	if err == nil && len(names) > 0 {
		err = identity.Errorf(identity.Conflict, "The connection %s is trusted for %s. Take the domain off the connection first.", names[0], d.Domain).WithField("domain").WithCode("domain_in_use")
	}
	return err
}

// RemoveDomain removes a claim. Conflict while a connection of its tenant is trusted for a domain that it holds.
func (s *Service) RemoveDomain(ctx context.Context, by identity.Actor, id identity.DomainID) error {
	d, err := s.Domain(ctx, by, id)
	if err != nil {
		return err
	}
	return s.db.Update(ctx, func(tx *store.Tx) error {
		if err := tx.Lock(ctx, "domains"); err != nil {
			return err
		}
		if d, err = tx.Domain(ctx, store.Everything(), d.ID); err != nil {
			return sharpen(err, noDomain)
		}
		if d.Holds {
			if err := unlisted(ctx, tx, d); err != nil {
				return err
			}
		}
		if err := tx.DeleteDomain(ctx, d.ID); err != nil {
			return err
		}
		e := aboutDomain(by, identity.DomainRemoved, d)
		e.Changes = []identity.Change{{Field: "state", Before: string(d.State())}}
		return tx.InsertEvent(ctx, e)
	})
}

// Domain returns a claim that the actor may look after, or NotFound.
func (s *Service) Domain(ctx context.Context, by identity.Actor, id identity.DomainID) (identity.Domain, error) {
	scope, err := s.keeper(by)
	if err != nil {
		return identity.Domain{}, err
	}
	if id == "" || !validIDs(&id) {
		return identity.Domain{}, noDomain()
	}
	var d identity.Domain
	err = s.db.View(ctx, func(tx *store.Tx) error {
		d, err = tx.Domain(ctx, scope, id)
		return err
	})
	return d, sharpen(err, noDomain)
}

// Domains returns a page of the claims that the actor may look after.
func (s *Service) Domains(ctx context.Context, by identity.Actor, q identity.Query) (identity.Page[identity.Domain], error) {
	var page identity.Page[identity.Domain]
	scope, err := s.keeper(by)
	if err != nil {
		return page, err
	}
	q.After = cursor(q.After)
	if !validIDs(&q.Tenant) {
		return page, nil
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		page, err = tx.Domains(ctx, scope, q)
		return err
	})
	return page, err
}

// VerifiedDomains returns the domains that a tenant's connections may be trusted for (none: the installation's own): verified, or given by a Super Admin's word.
func (s *Service) VerifiedDomains(ctx context.Context, by identity.Actor, tenant identity.TenantID) ([]string, error) {
	if !validIDs(&tenant) {
		return nil, noTenant()
	}
	var out []string
	err := s.db.View(ctx, func(tx *store.Tx) error {
		if _, err := s.keeps(ctx, tx, by, tenant); err != nil {
			return err
		}
		var err error
		out, err = tx.HeldDomains(ctx, tenant)
		return err
	})
	return out, err
}

func aboutDomain(by identity.Actor, kind identity.EventType, d identity.Domain) identity.Event {
	e := event(by, kind)
	e.TenantID, e.ObjectKind, e.ObjectID, e.ObjectLabel = d.TenantID, "domain", string(d.ID), d.Domain
	return e
}
