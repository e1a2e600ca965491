package provisioning

import (
	"context"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// noSetup is the one answer to a token that is wrong, expired, revoked or used up.
func noSetup() *identity.Error {
	return identity.Errorf(identity.NotFound, "This link opens nothing. It may have expired or been used: ask whoever sent it for a new one.").WithCode("setup.unknown")
}

func noSetupLink() *identity.Error {
	return identity.Errorf(identity.NotFound, "There is no such setup link that is still open.")
}

// CreateSetupLink makes a link with which a customer's own administrators make one connection of the tenant. It lives for age, and its token is returned this
// once: only the hash is kept. The domains are the administrator's choice, without one all that the tenant holds; whoever has the link cannot change them.
func (s *Service) CreateSetupLink(ctx context.Context, by identity.Actor, l identity.SetupLink, age time.Duration) (identity.SetupLink, string, error) {
	if err := s.platform(by); err != nil {
		return l, "", err
	}
	if err := checkSetupLink(&l, age); err != nil {
		return l, "", err
	}
	l.ID, l.ConnectionID, l.CreatedBy = identity.NewID[identity.SetupLinkID](), identity.NewID[identity.ConnectionID](), by.Label
	token := identity.NewSecret(identity.SetupLinkPrefix)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		if err := holdDomains(ctx, tx, &l); err != nil {
			return err
		}
		planned := identity.Connection{ID: l.ConnectionID, TenantID: l.TenantID, Name: l.Name, Domains: l.Domains}
		if err := s.checkReferences(ctx, tx, planned); err != nil {
			return err
		}
		words, err := s.trustDomains(ctx, tx, by, identity.Connection{}, planned)
		if err != nil {
			return err
		}
		l.CreatedAt, l.ExpiresAt = tx.Now(), tx.Now().Add(age)
		if err := tx.InsertSetupLink(ctx, l, identity.HashSecret(token)); err != nil {
			return err
		}
		e := aboutSetupLink(by, identity.SetupLinkCreated, l)
		e.Changes = []identity.Change{
			{Field: "protocol", After: string(l.Kind)},
			{Field: "domains", After: l.Domains},
			{Field: "switch on", After: l.SwitchOn},
			{Field: "expires", After: l.ExpiresAt.Format(time.RFC3339)},
		}
		e.Changes = append(e.Changes, words...)
		return tx.InsertEvent(ctx, e)
	})
	return l, token, err
}

func checkSetupLink(l *identity.SetupLink, age time.Duration) error {
	invalid := func(field, message string) error {
		return identity.Errorf(identity.Invalid, "%s", message).WithField(field)
	}
	l.Name = strings.TrimSpace(l.Name)
	if l.Name == "" || len(l.Name) > 200 {
		return invalid("name", "A connection needs a name of at most 200 bytes.")
	}
	if l.TenantID == "" || !validIDs(&l.TenantID) {
		return invalid("tenant", "A setup link is for one tenant: choose whose provider it will be.")
	}
	if l.Kind != "" && l.Kind != identity.SAML && l.Kind != identity.OIDC {
		return invalid("kind", "A connection is saml or oidc.")
	}
	if age < identity.MinSetupAge || age > identity.MaxSetupAge {
		return invalid("expires", "A setup link lives from 1 hour to 30 days.")
	}
	var err error
	if l.Domains, err = domainKeys(l.Domains, false); err != nil {
		return err
	}
	return nil
}

// holdDomains gives a link without domains those that its tenant holds.
func holdDomains(ctx context.Context, tx *store.Tx, l *identity.SetupLink) error {
	if len(l.Domains) > 0 {
		return nil
	}
	held, err := tx.HeldDomains(ctx, l.TenantID)
	if err == nil && len(held) == 0 {
		return identity.Errorf(identity.Invalid, "Name the e-mail domains that this provider may speak for: the tenant has verified none. Whoever has the link cannot change them.").WithField("domains")
	}
	l.Domains = held
	return err
}

// SetupLinks returns a page of the setup links, whatever their state.
func (s *Service) SetupLinks(ctx context.Context, by identity.Actor, q identity.Query) (identity.Page[identity.SetupLink], error) {
	var page identity.Page[identity.SetupLink]
	if err := s.platform(by); err != nil {
		return page, err
	}
	q.After = cursor(q.After)
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		page, err = tx.SetupLinks(ctx, store.Everything(), q)
		return err
	})
	return page, err
}

// SetupLink returns a setup link, whatever its state, or NotFound.
func (s *Service) SetupLink(ctx context.Context, by identity.Actor, id identity.SetupLinkID) (identity.SetupLink, error) {
	var l identity.SetupLink
	if err := s.platform(by); err != nil {
		return l, err
	}
	if id == "" || !validIDs(&id) {
		return l, noSetupLink()
	}
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		l, err = tx.SetupLink(ctx, store.Everything(), id)
		return err
	})
	return l, sharpen(err, noSetupLink)
}

// RevokeSetupLink ends a setup link. The connection that was made with it stays as it is: switched off.
func (s *Service) RevokeSetupLink(ctx context.Context, by identity.Actor, id identity.SetupLinkID) error {
	if err := s.platform(by); err != nil {
		return err
	}
	if id == "" || !validIDs(&id) {
		return noSetupLink()
	}
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		l, err := tx.SetupLink(ctx, store.Everything(), id)
		if err != nil {
			return err
		}
		if err := tx.RevokeSetupLink(ctx, id); err != nil {
			return err
		}
		return tx.InsertEvent(ctx, aboutSetupLink(by, identity.SetupLinkRevoked, l))
	})
	return sharpen(err, noSetupLink)
}

func aboutSetupLink(by identity.Actor, kind identity.EventType, l identity.SetupLink) identity.Event {
	e := event(by, kind)
	e.TenantID, e.ObjectKind, e.ObjectID, e.ObjectLabel = l.TenantID, "setup link", string(l.ID), l.Name
	return e
}
