package provisioning

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// maxMessage is how long the message of an invitation may be, in bytes.
const maxMessage = 2000

// NewInvitation is who is invited, and as what.
type NewInvitation struct {
	Email       string
	UserName    string // empty: the address
	DisplayName string
	Tenant      identity.TenantID // empty: a user of the platform
	Role        identity.RoleID
	Message     string // in the mail
	Reason      string // with the events

	Position identity.Position // where the person stands; what is empty is as the access model says

	Furnishing
}

// InvitationQuery says which invitations are wanted; empty fields do not narrow.
type InvitationQuery = store.InvitationQuery

// inviters returns where an actor may invite: whoever may invite people, or write them.
func (s *Service) inviters(by identity.Actor) (store.Scope, error) {
	if by.Kind == identity.ActorDirectory {
		return store.Scope{}, identity.Errorf(identity.Forbidden, "A directory may not do this.")
	}
	if scope, err := s.scopeFor(by, usersInvite); err == nil {
		return scope, nil
	}
	return s.scopeFor(by, usersWrite)
}

// Invite creates a person who has not joined yet, with a role, and sends the link with which they do: user, role, link and mail are one transaction. It needs the right to
// invite people or to write them, and a role that the actor may give. Whoever is a user of the tenant already is a Conflict with the code "invitation.member", or "invitation.open" when they
// were invited and have not joined.
func (s *Service) Invite(ctx context.Context, by identity.Actor, n NewInvitation) (identity.Invitation, error) {
	var out identity.Invitation
	if _, err := s.inviters(by); err != nil {
		return out, err
	}
	u, err := n.user()
	if err != nil {
		return out, err
	}
	things, err := s.furnishing(ctx, n.Furnishing)
	if err != nil {
		return out, err
	}
	err = s.update(ctx, by, func(tx *store.Tx) error {
		if err := s.homeByDefault(ctx, tx, n.Role, &u); err != nil {
			return err
		}
		if nameless(u) && s.model.Onboarding().Default != access.OnboardInvite {
			u.DisplayName = n.Email // until the person says the own name, which the link asks for
		}
		if err := s.notMember(ctx, tx, u); err != nil {
			return err
		}
		out.User, err = s.addUser(ctx, tx, by, NewUser{User: u, Role: n.Role, Reason: n.Reason, Position: n.Position})
		if err != nil {
			return err
		}
		if err := s.furnish(ctx, tx, by, out.User, things, n.Reason); err != nil {
			return err
		}
		out.Link, err = s.invite(ctx, tx, by, out.User, n.Message)
		return err
	})
	return out, sharpen(err, func() *identity.Error { return taken(u.UserName) })
}

// user is the record of whoever is invited.
func (n *NewInvitation) user() (identity.User, error) {
	n.Email = strings.TrimSpace(n.Email)
	if _, err := identity.EmailKey(n.Email); err != nil {
		return identity.User{}, err
	}
	if len(n.Message) > maxMessage || strings.ContainsFunc(n.Message, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }) {
		return identity.User{}, identity.Errorf(identity.Invalid, "A message is plain text of at most %d bytes.", maxMessage).WithField("message")
	}
	u := identity.User{
		TenantID: n.Tenant, UserName: n.UserName, DisplayName: strings.TrimSpace(n.DisplayName), Enabled: true,
		Emails: []identity.Email{{Value: n.Email, Type: "work", Primary: true}},
	}
	if u.UserName == "" {
		u.UserName = n.Email
	}
	if !validIDs(&u.TenantID) {
		return u, noTenant()
	}
	return u, normalise(&u)
}

// notMember refuses to invite who is there already. Two invitations of one address to one tenant wait for each other.
func (s *Service) notMember(ctx context.Context, tx *store.Tx, u identity.User) error {
	if err := tx.Lock(ctx, "invitations of "+string(u.TenantID)); err != nil {
		return err
	}
	key, err := identity.EmailKey(u.Email())
	if err != nil {
		return err
	}
	scope := store.Everything()
	if u.TenantID != "" {
		scope = store.OfTenant(u.TenantID)
	}
	same, err := tx.UsersByEmail(ctx, scope, key, 20)
	if err != nil {
		return err
	}
	for _, other := range same {
		if other.DeletedAt != nil || other.TenantID != u.TenantID {
			continue
		}
		open, err := tx.InvitationOpen(ctx, other.ID)
		if err != nil {
			return err
		}
		if open {
			return identity.Errorf(identity.Conflict, "%s was invited already and has not joined yet. Send a new invite instead.", u.Email()).WithField("email").WithCode("invitation.open")
		}
		return identity.Errorf(identity.Conflict, "%s (%s) is a user already. Change the role on the person's page instead.", other.Label(), u.Email()).WithField("email").WithCode("invitation.member")
	}
	return nil
}

// invite makes the link and the mail for somebody who exists and has not joined, as part of the caller's transaction. Links that the person has are dead then.
func (s *Service) invite(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, message string) (identity.MailLink, error) {
	revoked, err := s.dropInvitations(ctx, tx, u)
	if err != nil {
		return identity.MailLink{}, err
	}
	o := s.model.Onboarding()
	mail, err := letterTo(ctx, tx, by, u)
	if err != nil {
		return identity.MailLink{}, err
	}
	mail.Message, mail.Button = strings.TrimSpace(message), o.MailButton
	l, err := s.sendLink(ctx, tx, by, identity.MailLink{
		Kind: identity.LinkInvitation, UserID: u.ID, TenantID: u.TenantID, Email: u.Email(), ExpiresAt: tx.Now().Add(o.InviteTTL), Data: identity.MailLinkData{Message: mail.Message},
	}, identity.MailInvitation, mail)
	if err != nil {
		return l, err
	}
	e := about(by, identity.InvitationSent, u)
	if revoked > 0 {
		e.Type = identity.InvitationResent
	}
	e.Changes = []identity.Change{{Field: "email", After: l.Email}, {Field: "expires", After: l.ExpiresAt.Format(time.RFC3339)}}
	return l, tx.InsertEvent(ctx, e)
}

// dropInvitations makes the links of a user's invitations dead and takes mails back that have not left.
func (s *Service) dropInvitations(ctx context.Context, tx *store.Tx, u identity.User) (int, error) {
	if err := tx.DropMails(ctx, u.ID, string(identity.MailInvitation)); err != nil {
		return 0, err
	}
	return tx.RevokeMailLinks(ctx, u.ID, identity.LinkInvitation)
}

// Invitations returns a page of the people who were invited, as far as the actor may see users: each with the last link and what became of its mail.
func (s *Service) Invitations(ctx context.Context, by identity.Actor, q InvitationQuery) (identity.Page[identity.Invitation], error) {
	var page identity.Page[identity.Invitation]
	scope, err := s.scopeFor(by, usersRead)
	if err != nil {
		return page, err
	}
	if by.Kind == identity.ActorDirectory || !validIDs(&q.Tenant) || !validIDs(&q.User) || slices.ContainsFunc(q.Users, func(id identity.UserID) bool { return !validIDs(&id) }) {
		return page, nil
	}
	q.After = cursor(q.After)
	err = s.db.View(ctx, func(tx *store.Tx) error {
		page, err = tx.Invitations(ctx, scope, q)
		return err
	})
	return page, err
}

// invited runs a change of somebody who was invited and has not joined, on the locked row.
func (s *Service) invited(ctx context.Context, by identity.Actor, id identity.UserID, change func(tx *store.Tx, u identity.User) error) error {
	scope, err := s.inviters(by)
	if err != nil {
		return err
	}
	if id == "" || !validIDs(&id) {
		return noUser()
	}
	err = s.update(ctx, by, func(tx *store.Tx) error {
		u, err := tx.UserForUpdate(ctx, scope, id)
		if err != nil {
			return err
		}
		open, err := tx.InvitationOpen(ctx, u.ID)
		if err == nil && !open {
			err = identity.Errorf(identity.Conflict, "%s has joined already, or was never invited.", u.Label()).WithCode("invitation.closed")
		}
		if err != nil {
			return err
		}
		return change(tx, u)
	})
	return sharpen(err, noUser)
}

// ResendInvitation sends a new link with a new end; the old one is dead from then on. Conflict with the code "invitation.closed" when the person has joined.
func (s *Service) ResendInvitation(ctx context.Context, by identity.Actor, id identity.UserID) (identity.Invitation, error) {
	var out identity.Invitation
	err := s.invited(ctx, by, id, func(tx *store.Tx, u identity.User) error {
		last, err := tx.LastMailLink(ctx, u.ID, identity.LinkInvitation)
		if err != nil {
			return err
		}
		out.User = u
		out.Link, err = s.invite(ctx, tx, by, u, last.Data.Message)
		return err
	})
	return out, err
}

// RevokeInvitation takes an invitation back: the link is dead, a mail that has not left is not sent, and the person who never joined is removed, unless a directory or a
// provider knows them. Conflict with the code "invitation.closed" when the person has joined.
func (s *Service) RevokeInvitation(ctx context.Context, by identity.Actor, id identity.UserID, reason string) error {
	return s.invited(ctx, by, id, func(tx *store.Tx, u identity.User) error {
		if _, err := s.dropInvitations(ctx, tx, u); err != nil {
			return err
		}
		e := about(by, identity.InvitationRevoked, u)
		e.Reason = reason
		if err := tx.InsertEvent(ctx, e); err != nil {
			return err
		}
		return s.removeNeverJoined(ctx, tx, by, u, reason)
	})
}

// removeNeverJoined takes a record away that nobody but the invitation stands for.
func (s *Service) removeNeverJoined(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, reason string) error {
	directories, err := tx.DirectoryLinks(ctx, u.ID)
	if err != nil {
		return err
	}
	links, err := tx.Links(ctx, u.ID)
	if err != nil || len(directories)+len(links) > 0 {
		return err
	}
	if _, err := s.keepPerson(ctx, tx, by, u, access.DenyDelete); err != nil {
		return err
	}
	e := about(by, identity.UserDeleted, u)
	e.Reason = reason
	e.Changes = []identity.Change{{Field: "active", Before: u.Enabled, After: false}}
	if err := tx.InsertEvent(ctx, e); err != nil {
		return err
	}
	return tx.RemoveNeverJoined(ctx, u.ID)
}
