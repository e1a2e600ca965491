package provisioning

import (
	"context"
	"fmt"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// Setup is all that whoever has a setup link may see: the tenant's name, the link, and the one connection, without secrets.
type Setup struct {
	Link       identity.SetupLink
	Tenant     string
	Actor      identity.Actor       // acts for the link, as long as it is open
	Connection *identity.Connection // nil: not made yet
	Tested     *identity.Trial      // the last test of the connection as it is now; nil: none yet
}

// OpenSetup returns what a setup link's token opens. A token that is wrong, expired, revoked or used up is the same NotFound.
func (s *Service) OpenSetup(ctx context.Context, token string) (Setup, error) {
	var out Setup
	err := s.db.View(ctx, func(tx *store.Tx) error {
		l, err := tx.SetupLinkByToken(ctx, identity.HashSecret(token))
		if err != nil {
			return err
		}
		if l.State(tx.Now()) != identity.SetupOpen {
			return noSetup()
		}
		tenant, err := tx.Tenant(ctx, store.Everything(), l.TenantID)
		if err != nil {
			return err
		}
		out.Link, out.Tenant = l, tenant.Name
		out.Actor = identity.Actor{Kind: identity.ActorSetup, ID: string(l.ID), Label: "setup link for " + tenant.Name, TenantID: l.TenantID, Door: "setup"}
		return s.setupConnection(ctx, tx, &out)
	})
	if identity.KindOf(err) == identity.NotFound {
		err = noSetup() // without its cause, so that nothing tells one from another
	}
	if err != nil {
		return Setup{}, err
	}
	return out, nil
}

func (s *Service) setupConnection(ctx context.Context, tx *store.Tx, out *Setup) error {
	c, err := tx.Connection(ctx, store.OfTenant(out.Link.TenantID), out.Link.ConnectionID)
	if identity.KindOf(err) == identity.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	c = hideSecrets(out.Actor, c)
	out.Connection = &c
	t, err := tx.LastTrial(ctx, c.ID)
	if identity.KindOf(err) == identity.NotFound || err == nil && t.CreatedAt.Before(c.UpdatedAt) {
		return nil
	}
	out.Tested = &t
	return err
}

// openLink returns the link that an actor acts for, with its row locked, or NotFound when it is not open any more.
func openLink(ctx context.Context, tx *store.Tx, by identity.Actor) (identity.SetupLink, error) {
	if by.SetupID() == "" {
		return identity.SetupLink{}, identity.Errorf(identity.Forbidden, "A %s may not do this.", by.Kind)
	}
	l, err := tx.SetupLinkForUpdate(ctx, store.OfTenant(by.TenantID), by.SetupID())
	if err == nil && l.State(tx.Now()) != identity.SetupOpen {
		err = noSetup()
	}
	return l, sharpen(err, noSetup)
}

// ownConnection returns the one connection of an open setup link; any other is NotFound.
func (s *Service) ownConnection(ctx context.Context, tx *store.Tx, by identity.Actor, id identity.ConnectionID, c *identity.Connection) error {
	l, err := tx.SetupLink(ctx, store.OfTenant(by.TenantID), by.SetupID())
	if err != nil || l.ConnectionID != id || l.State(tx.Now()) != identity.SetupOpen {
		return noConnection().WithCause(err)
	}
	*c, err = tx.Connection(ctx, store.OfTenant(l.TenantID), id)
	return err
}

// SetUpConnection makes the connection of a setup link, or changes what it knows of its provider. Of c only the kind, the provider's settings and the name of
// the product count: whose it is, what it is trusted for and that it is switched off are the link's.
func (s *Service) SetUpConnection(ctx context.Context, by identity.Actor, c identity.Connection) (identity.Connection, error) {
	if needsKey(&c) { // slow, so before the transaction; thrown away where there is one
		if err := giveKey(&c); err != nil {
			return identity.Connection{}, err
		}
	}
	var after identity.Connection
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		l, err := openLink(ctx, tx, by)
		if err != nil {
			return err
		}
		if l.Kind != "" && l.Kind != c.Kind {
			return identity.Errorf(identity.Invalid, "This link is for a %s connection.", l.Kind).WithField("kind")
		}
		before, err := tx.ConnectionForUpdate(ctx, store.OfTenant(l.TenantID), l.ConnectionID)
		switch {
		case identity.KindOf(err) == identity.NotFound:
			after, err = s.insertSetup(ctx, tx, by, l, c)
		case err == nil:
			after, err = s.updateSetup(ctx, tx, by, before, c)
		}
		return err
	})
	if identity.CodeOf(err) == "domain_taken" {
		err = identity.Errorf(identity.Conflict, "A domain of this set-up is in use elsewhere. Ask whoever sent you the link.").WithCause(err) // whose it is, is nobody's business
	}
	return hideSecrets(by, after), sharpen(err, func() *identity.Error {
		return identity.Errorf(identity.Conflict, "The name of this set-up is in use elsewhere. Ask whoever sent you the link.")
	})
}

func (s *Service) insertSetup(ctx context.Context, tx *store.Tx, by identity.Actor, l identity.SetupLink, c identity.Connection) (identity.Connection, error) {
	made := identity.Connection{
		ID: l.ConnectionID, TenantID: l.TenantID, Name: l.Name, Kind: c.Kind, Domains: l.Domains, Unknown: identity.UnknownLanding,
		OIDC:    identity.OIDCSettings{Keys: c.OIDC.Keys}.WithProvider(c.OIDC),
		SAML:    identity.SAMLSettings{Certificate: c.SAML.Certificate, Key: c.SAML.Key, EmailClaim: c.SAML.EmailClaim}.WithProvider(c.SAML),
		Options: identity.ConnectionOptions{Provider: c.Options.Provider},
	}
	if err := s.checkConnection(&made); err != nil {
		return made, err
	}
	return made, s.insertConnection(ctx, tx, by, &made)
}

// updateSetup changes the provider's settings. A connection that is switched on, or in use, is not the link's any more.
func (s *Service) updateSetup(ctx context.Context, tx *store.Tx, by identity.Actor, before, c identity.Connection) (identity.Connection, error) {
	if before.Enabled {
		return before, identity.Errorf(identity.Conflict, "The connection was switched on meanwhile: it is changed by whoever sent you the link.")
	}
	after := before
	if before.Kind != c.Kind {
		return before, identity.Errorf(identity.Conflict, "The connection was begun as %s. To use another protocol, ask for a new link.", before.Kind).WithField("kind")
	}
	after.SAML, after.OIDC, after.Options.Provider = before.SAML.WithProvider(c.SAML), before.OIDC.WithProvider(c.OIDC), c.Options.Provider
	after.SAML.EmailClaim = c.SAML.EmailClaim
	if needsKey(&after) {
		setOwnKeys(&after, ownKeys(&c))
	}
	return after, s.writeConnection(ctx, tx, by, before, &after)
}

// FinishSetup uses a setup link up. The connection is switched on when whoever made the link chose that and its last test, as it is now, went well.
func (s *Service) FinishSetup(ctx context.Context, by identity.Actor) (identity.Connection, error) {
	var after identity.Connection
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		l, err := openLink(ctx, tx, by)
		if err != nil {
			return err
		}
		setup := Setup{Link: l, Actor: by}
		if err := s.setupConnection(ctx, tx, &setup); err != nil {
			return err
		}
		if setup.Connection == nil {
			return identity.Errorf(identity.Precondition, "There is no connection yet: enter what your provider says first.")
		}
		if after, err = s.switchOnTested(ctx, tx, by, setup); err != nil {
			return err
		}
		if err := tx.CompleteSetupLink(ctx, l.ID); err != nil {
			return err
		}
		e := aboutSetupLink(by, identity.SetupLinkFinished, l)
		e.Changes = []identity.Change{{Field: "connection", After: string(after.ID)}, {Field: "enabled", After: after.Enabled}, {Field: "tested", After: setup.Tested != nil && setup.Tested.OK}}
		if err := tx.InsertEvent(ctx, e); err != nil {
			return err
		}
		return s.tell(ctx, tx, l.TenantID, mailSetUp(l, after, setup.Tested))
	})
	return hideSecrets(by, after), sharpen(err, noSetup)
}

// mailSetUp tells that a customer's administrators finished their connection, and what is left to do.
func mailSetUp(l identity.SetupLink, c identity.Connection, tested *identity.Trial) note {
	state, next := "It is switched on: its last test went well, as the link asked for.", "There is nothing to do."
	if !c.Enabled {
		state = "It is still switched off. Its last test went well."
		if tested == nil || !tested.OK {
			state = "It is still switched off, and was not tested successfully as it is now."
		}
		next = fmt.Sprintf("Look at it in the console under Connections, or test it and switch it on with: drawbridge connection test %q, drawbridge connection enable %q", c.Name, c.Name)
	}
	return note{kind: "setup", subject: "The connection " + c.Name + " was set up", text: fmt.Sprintf(`Whoever had the setup link for %s has finished the connection to their identity provider.
It is trusted for %s. %s

%s
`, l.Name, strings.Join(c.Domains, ", "), state, next)}
}

func (s *Service) switchOnTested(ctx context.Context, tx *store.Tx, by identity.Actor, setup Setup) (identity.Connection, error) {
	before, err := tx.ConnectionForUpdate(ctx, store.OfTenant(setup.Link.TenantID), setup.Connection.ID)
	if err != nil || !setup.Link.SwitchOn || setup.Tested == nil || !setup.Tested.OK {
		return before, err
	}
	after := before
	after.Enabled = true
	return after, s.writeConnection(ctx, tx, by, before, &after)
}
