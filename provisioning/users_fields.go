package provisioning

import (
	"context"
	"fmt"
	"slices"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// checkFields holds what a user must have whom a person makes (before is empty) or changes. Whoever is pushed or comes in by a provider is as the source says; where people are
// invited, they say their own names.
func (s *Service) checkFields(ctx context.Context, tx *store.Tx, by identity.Actor, before, after identity.User, sameEmail bool) error {
	if by.Kind != identity.ActorUser && by.Kind != identity.ActorOperator {
		return nil
	}
	fresh := before.ID == ""
	if nameless(after) && (fresh || !nameless(before)) && s.model.Onboarding().Default != access.OnboardInvite {
		return identity.Errorf(identity.Invalid, "A name is needed: it is what others see of the person.").WithField("displayName")
	}
	if !fresh && sameEmails(before.Emails, after.Emails) { // what a directory pushed may be no address, and must not keep anybody from acting
		return nil
	}
	if err := checkEmails(after); err != nil {
		return err
	}
	if after.Email() == "" && (fresh || before.Email() != "") && s.needsEmail() {
		return identity.Errorf(identity.Invalid, "An e-mail address is needed: people sign in or are invited with it here.").WithField("email")
	}
	if sameEmail || after.Email() == "" || after.Email() == before.Email() || s.model.Identifier() != access.IdentifierEmail {
		return nil
	}
	return s.keepEmailApart(ctx, tx, after)
}

func nameless(u identity.User) bool { return u.DisplayName == "" && u.Name().Text() == "" }

// needsEmail reports whether people who are made by hand need an address: they sign in with it, or are invited.
func (s *Service) needsEmail() bool {
	return s.model.EmailRequired("local") || s.model.Onboarding().Default == access.OnboardInvite
}

// keepEmailApart refuses an address that somebody else of the tenant has, where people sign in with it: nobody could tell the two apart.
func (s *Service) keepEmailApart(ctx context.Context, tx *store.Tx, u identity.User) error {
	key, err := identity.EmailKey(u.Email())
	if err != nil {
		return err
	}
	if err := tx.Lock(ctx, emailLock(u.TenantID, key)); err != nil {
		return err
	}
	others, err := sharing(ctx, tx, u, key)
	if err != nil {
		return err
	}
	for _, other := range others {
		if other.DeletedAt == nil {
			return identity.Errorf(identity.Conflict, "%s has the e-mail address %s already; change that person, or choose another address.", other.Label(), u.Email()).
				WithField("email").WithCode("uniqueness")
		}
	}
	return nil
}

// mostSharing is how many people with one address are looked at.
const mostSharing = 20

// sharing returns the others of a user's tenant, deleted ones too, who have an address or have it as user name.
func sharing(ctx context.Context, tx *store.Tx, u identity.User, key string) ([]identity.User, error) {
	scope := store.Everything()
	if u.TenantID != "" {
		scope = store.OfTenant(u.TenantID)
	}
	found, err := tx.UsersByEmail(ctx, scope, key, mostSharing)
	return slices.DeleteFunc(found, func(o identity.User) bool { return o.ID == u.ID || o.TenantID != u.TenantID }), err
}

// UserWarnings returns what somebody who makes or changes a user had better look at; none of it refuses anything. The user may not exist yet.
func (s *Service) UserWarnings(ctx context.Context, by identity.Actor, u identity.User) ([]identity.UserWarning, error) {
	scope, err := s.scopeFor(by, usersWrite)
	if err != nil {
		return nil, err
	}
	if by.Kind == identity.ActorUser && by.TenantID != "" {
		u.TenantID = by.TenantID
	}
	key, err := identity.EmailKey(u.Email())
	if err != nil || !validIDs(&u.TenantID) || !validIDs(&u.ID) {
		return nil, nil // nothing to compare
	}
	var out []identity.UserWarning
	err = s.db.View(ctx, func(tx *store.Tx) error {
		shared, err := sharing(ctx, tx, u, key)
		if err != nil {
			return err
		}
		out = sharedWarnings(u.Email(), shared)
		domain, err := s.domainWarning(ctx, tx, scope, u.TenantID, identity.EmailDomain(key))
		if domain.Kind != "" {
			out = append(out, domain)
		}
		return err
	})
	return out, err
}

// sharedWarnings are those about others with the same address.
func sharedWarnings(address string, others []identity.User) []identity.UserWarning {
	same := identity.UserWarning{Kind: identity.WarnSameEmail, Field: "email", Text: fmt.Sprintf("Somebody here has the address %s already. If it is the same person, change that account instead.", address)}
	gone := identity.UserWarning{Kind: identity.WarnDeletedEmail, Field: "email", Text: fmt.Sprintf("Somebody with the address %s was deleted here. If it is the same person, restore that account instead.", address)}
	var out []identity.UserWarning
	for _, o := range others {
		if o.DeletedAt == nil {
			same.Users = append(same.Users, o.ID)
		} else {
			gone.Users = append(gone.Users, o.ID)
		}
	}
	if len(same.Users) > 0 {
		out = append(out, same)
	}
	if len(gone.Users) > 0 {
		out = append(out, gone)
	}
	return out
}

// domainWarning is the one about the domain of an address: a tenant with proven domains has a policy, and another domain is worth a look; without one it is a provider
// where everybody gets an address.
func (s *Service) domainWarning(ctx context.Context, tx *store.Tx, scope store.Scope, tenant identity.TenantID, domain string) (identity.UserWarning, error) {
	var w identity.UserWarning
	held := map[string]bool{}
	if tenant != "" {
		claims, err := allOf(func(q identity.Query) (identity.Page[identity.Domain], error) {
			q.Tenant = tenant
			return tx.Domains(ctx, scope, q)
		}, func(d identity.Domain) string { return string(d.ID) })
		if err != nil {
			return w, err
		}
		for _, d := range claims {
			held[d.Domain] = held[d.Domain] || d.Holds
		}
	}
	proven := false
	for _, holds := range held {
		proven = proven || holds
	}
	switch {
	case proven && !held[domain]:
		return identity.UserWarning{Kind: identity.WarnForeignDomain, Field: "email", Text: domain + " is none of the domains of this organisation. Is it an address for business?"}, nil
	case !proven && public(domain):
		return identity.UserWarning{Kind: identity.WarnFreeMail, Field: "email", Text: "At " + domain + " everybody gets an address. Use the business address of the person."}, nil
	}
	return w, nil
}
