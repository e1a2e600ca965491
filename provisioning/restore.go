package provisioning

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// How many links to a new password go to one person, so that nobody fills a stranger's mailbox.
const (
	maxResets   = 3
	resetWindow = time.Hour
)

// maxForgotten is how many people one address may stand for on the page Restore password.
const maxForgotten = 5

// Forgotten returns who may be meant by an e-mail address, or a user name, on the page Restore password: nobody, one, or the people of several tenants with one address. It is for
// the door that sends them mails, and tells nobody else who there is.
func (s *Service) Forgotten(ctx context.Context, identifier string) ([]identity.User, error) {
	identifier = strings.TrimSpace(identifier)
	if identifier == "" || len(identifier) > maxIdentifier || !readableText(identifier) {
		return nil, nil
	}
	var found []identity.User
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		if key, wrong := identity.EmailKey(identifier); wrong == nil {
			found, err = tx.UsersByEmail(ctx, store.Everything(), key, maxForgotten)
		} else {
			found, err = tx.UsersByName(ctx, store.Everything(), identifier, maxForgotten)
		}
		return err
	})
	found = slices.DeleteFunc(found, func(u identity.User) bool {
		_, wrong := identity.EmailKey(u.Email())
		return u.DeletedAt != nil || !u.Enabled || wrong != nil
	})
	return found, err
}

// maxIdentifier is the longest address or user name in bytes that is looked up.
const maxIdentifier = 320

// SendReset writes the mail about a forgotten password to somebody. local says whether the person may have a password here, as authn.MayUseLocal judges it; who may not is told how their
// organisation signs them in, and who has not joined yet, or is locked, what to do. Drawbridge itself sends it for the page Restore password, at most three an hour; whoever may write users sends it by hand, and
// gets TooMany then.
func (s *Service) SendReset(ctx context.Context, by identity.Actor, id identity.UserID, local bool) error {
	scope, err := s.scopeFor(by, usersWrite)
	if err != nil {
		return err
	}
	if id == "" || !validIDs(&id) || by.Kind == identity.ActorDirectory {
		return noUser()
	}
	err = s.update(ctx, by, func(tx *store.Tx) error {
		u, err := tx.UserForUpdate(ctx, scope, id)
		if err != nil {
			return err
		}
		if !u.Enabled || u.Email() == "" {
			return identity.Errorf(identity.Precondition, "%s is deactivated, or has no e-mail address.", u.Label()).WithCode("reset.impossible")
		}
		key, err := identity.EmailKey(u.Email())
		if err != nil {
			return err
		}
		n, err := tx.CountMailLinks(ctx, identity.LinkReset, key, tx.Now().Add(-resetWindow))
		if err != nil {
			return err
		}
		if n >= maxResets {
			return identity.Errorf(identity.TooMany, "%d links to a new password went to %s in the last hour. Wait a little, or look into the spam folder.", n, u.Email()).WithCode("reset.too_many")
		}
		return s.reset(ctx, tx, by, u, local)
	})
	return sharpen(err, noUser)
}

// reset writes the mail, with a link or with what to do instead. A mail without a link leaves a link too that opens nothing: it is what is counted.
func (s *Service) reset(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, local bool) error {
	mail, err := letterTo(ctx, tx, by, u)
	if err != nil {
		return err
	}
	if _, err := tx.RevokeMailLinks(ctx, u.ID, identity.LinkReset); err != nil {
		return err
	}
	advice, err := s.resetAdvice(ctx, tx, u, local)
	if err != nil {
		return err
	}
	l := identity.MailLink{Kind: identity.LinkReset, UserID: u.ID, TenantID: u.TenantID, Email: u.Email(), ExpiresAt: tx.Now().Add(identity.ResetAge)}
	mail.Advice, mail.Button = advice, "Choose a new password"
	if advice == "" {
		_, err = s.sendLink(ctx, tx, by, l, identity.MailReset, mail)
	} else {
		err = s.sendAdvice(ctx, tx, by, l, identity.MailReset, mail)
	}
	if err != nil {
		return err
	}
	e := about(by, identity.ResetSent, u)
	e.Changes = []identity.Change{{Field: "with a link", After: advice == ""}}
	return tx.InsertEvent(ctx, e)
}

// sendAdvice writes a mail that has no link, and a link that is dead and that nobody has, so that it counts.
func (s *Service) sendAdvice(ctx context.Context, tx *store.Tx, by identity.Actor, l identity.MailLink, words identity.MailTemplateKind, mail letter) error {
	key, err := identity.EmailKey(l.Email)
	if err != nil {
		return err
	}
	mail.Email = l.Email
	l.ID, l.MailID = identity.NewID[identity.MailLinkID](), identity.NewID[identity.MailID]()
	l.Email, l.CreatedBy, l.ExpiresAt = key, by.Label, tx.Now()
	if err := s.post(ctx, tx, identity.Mail{ID: l.MailID, UserID: l.UserID, TenantID: l.TenantID}, words, mail); err != nil {
		return err
	}
	return tx.InsertMailLink(ctx, l, identity.HashSecret(identity.NewSecret(identity.MailLinkPrefix)))
}

// resetAdvice says what somebody does who gets no link to a new password, or "".
func (s *Service) resetAdvice(ctx context.Context, tx *store.Tx, u identity.User, local bool) (string, error) {
	open, err := tx.InvitationOpen(ctx, u.ID)
	if err != nil {
		return "", err
	}
	switch {
	case open:
		return "You were invited and have not joined yet. Open the invitation in your mailbox; if it is too old, ask whoever invited you to send a new one.", nil
	case u.LockedAt != nil:
		return "Your account is locked. A new password does not open it: ask your administrator to unlock it.", nil
	case local:
		return "", nil
	}
	names, err := s.providersOf(ctx, tx, u)
	if err != nil {
		return "", err
	}
	with := "its own sign-in"
	if len(names) > 0 {
		with = strings.Join(names, " or ")
	}
	return "Your organisation signs you in with " + with + ", so there is no password here. Go to " + s.origin + "/signin and start with your e-mail address.", nil
}

// providersOf returns the names of the providers that sign somebody in: those that the account is linked to, else those of the tenant.
func (s *Service) providersOf(ctx context.Context, tx *store.Tx, u identity.User) ([]string, error) {
	var names []string
	links, err := tx.Links(ctx, u.ID)
	for _, l := range links {
		if name := oneLine(l.ConnectionName); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if err != nil || len(names) > 0 || u.TenantID == "" {
		return names, err
	}
	page, err := tx.Connections(ctx, store.OfTenant(u.TenantID), identity.Query{Limit: 3})
	for _, c := range page.Items {
		if c.Enabled {
			names = append(names, oneLine(c.Name))
		}
	}
	return names, err
}
