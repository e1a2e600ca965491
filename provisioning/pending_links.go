package provisioning

import (
	"context"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

func noPendingLink() *identity.Error {
	return identity.Errorf(identity.NotFound, "There is nothing to connect any more: it waits for ten minutes, in the browser in which it began. Start again.")
}

// SavePendingLink keeps what a provider said about somebody until the user confirms in the same browser that it is about them. It gives nobody anything by itself.
// asked means that the user began it in My Account and proved to be themselves there; else it comes of a sign-in that was refused with "link.requires_proof".
func (s *Service) SavePendingLink(ctx context.Context, c identity.Connection, claims identity.Claims, user identity.UserID, browser []byte, asked bool) error {
	if user == "" || !validIDs(&user) || len(browser) == 0 {
		return noUser()
	}
	if claims.Subject == "" || claims.Issuer == "" || len(claims.Subject) > 1024 || len(claims.Issuer) > 1024 || !readableText(claims.Subject) || !readableText(claims.Issuer) || !readableText(claims.Email) {
		return identity.Errorf(identity.Forbidden, "The provider named no subject that can be kept.").WithCode("claims.unreadable")
	}
	return s.db.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.User(ctx, store.Everything(), user); err != nil {
			return sharpen(err, noUser)
		}
		return tx.InsertPendingLink(ctx, identity.PendingLink{
			ID: identity.NewID[identity.PendingLinkID](), ConnectionID: c.ID, Issuer: claims.Issuer, Subject: claims.Subject, Email: strings.TrimSpace(claims.Email),
			UserID: user, BrowserHash: browser, Asked: asked, CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(identity.PendingLinkAge),
		})
	})
}

// PendingLinks returns what the user can confirm in this browser, newest first.
func (s *Service) PendingLinks(ctx context.Context, by identity.Actor, browser []byte) ([]identity.PendingLink, error) {
	if by.UserID() == "" || len(browser) == 0 {
		return nil, nil
	}
	var out []identity.PendingLink
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		out, err = tx.PendingLinks(ctx, by.UserID(), browser)
		return err
	})
	return out, err
}

// Confirmation is what a user confirms a pending link with. Proven says that the caller has asked for the password (and the code) just now.
type Confirmation struct {
	ID      identity.PendingLinkID
	Browser []byte // hash of the cookie that binds the browser
	Session identity.Session
	Proven  bool
}

// ConfirmLink ties the subject of a pending link to the user's own account. Forbidden with the code "proof.required" when the link came of a refused sign-in and the
// user has not shown the password since: neither in a new session, nor just now.
func (s *Service) ConfirmLink(ctx context.Context, by identity.Actor, c Confirmation) (identity.PendingLink, error) {
	var l identity.PendingLink
	err := s.pending(ctx, by, c.ID, c.Browser, func(tx *store.Tx, found identity.PendingLink) error {
		l = found
		if l.NeedsProof(c.Session) && !c.Proven {
			return identity.Errorf(identity.Forbidden, "Enter your password to connect this account.").WithCode("proof.required").WithField("password")
		}
		connection, err := tx.Connection(ctx, store.Everything(), l.ConnectionID)
		if err != nil {
			return sharpen(err, noConnection)
		}
		if !connection.Enabled {
			return identity.Errorf(identity.Forbidden, "%s is switched off.", connection.Name).WithCode("connection.disabled")
		}
		u, err := tx.UserForUpdate(ctx, store.Everything(), l.UserID)
		if err != nil {
			return sharpen(err, noUser)
		}
		link := identity.Link{ConnectionID: l.ConnectionID, ConnectionName: connection.Name, Issuer: l.Issuer, Subject: l.Subject, Email: l.Email}
		return s.tie(ctx, tx, by, u, tieing{Link: link, Own: true, Reason: "confirmed in My Account"})
	})
	return l, err
}

// DropPendingLink forgets a link that the user does not want.
func (s *Service) DropPendingLink(ctx context.Context, by identity.Actor, id identity.PendingLinkID, browser []byte) error {
	return s.pending(ctx, by, id, browser, func(*store.Tx, identity.PendingLink) error { return nil })
}

// pending does act with a pending link of the user and this browser, and forgets it.
func (s *Service) pending(ctx context.Context, by identity.Actor, id identity.PendingLinkID, browser []byte, act func(*store.Tx, identity.PendingLink) error) error {
	if by.UserID() == "" || id == "" || !validIDs(&id) || len(browser) == 0 {
		return noPendingLink()
	}
	return s.db.Update(ctx, func(tx *store.Tx) error {
		found, err := tx.PendingLinks(ctx, by.UserID(), browser)
		if err != nil {
			return err
		}
		for _, l := range found {
			if l.ID != id {
				continue
			}
			if err := act(tx, l); err != nil {
				return err
			}
			return sharpen(tx.DeletePendingLink(ctx, id), noPendingLink)
		}
		return noPendingLink()
	})
}

// LinkableConnections returns the connections that the user can connect the own account with: those of the installation and of the own tenant that are switched on
// and not linked yet, in the order of their age. Of each only the name and kind are filled in.
func (s *Service) LinkableConnections(ctx context.Context, by identity.Actor) ([]identity.Connection, error) {
	if by.UserID() == "" {
		return nil, nil
	}
	var out []identity.Connection
	err := s.db.View(ctx, func(tx *store.Tx) error {
		links, err := tx.Links(ctx, by.UserID())
		if err != nil {
			return err
		}
		out, err = tx.LinkableConnections(ctx, by.TenantID, links)
		return err
	})
	return out, err
}

// Linkable returns one of LinkableConnections, or NotFound.
func (s *Service) Linkable(ctx context.Context, by identity.Actor, id identity.ConnectionID) (identity.Connection, error) {
	all, err := s.LinkableConnections(ctx, by)
	for _, c := range all {
		if c.ID == id {
			return c, err
		}
	}
	if err == nil {
		err = noConnection()
	}
	return identity.Connection{}, err
}
