package authn

import (
	"context"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// ByMail is the method of a session that began with a link in a mail and without a password. RFC 8176 has no name for it.
const ByMail = "mail"

// maxMailed is how many mails one address may cause in a window on pages that are open to anybody: an office behind one address has forgotten some passwords.
const maxMailed = 60

// mailStep is the grid of time on which such pages answer: what has to be written for somebody whom they know takes less.
const mailStep = 500 * time.Millisecond

// TakeMail counts one mail that an address asks for on a page that is open to anybody. TooMany after 60 in a quarter of an hour.
func (s *Service) TakeMail(ip string) error { return s.mailed.take(ip, time.Now()) }

// AnswerEvenly waits until the next full step of time since a request began, so that the clock does not tell whether anybody was found. The error is the context's.
func (s *Service) AnswerEvenly(ctx context.Context, began time.Time) error {
	return evenly(ctx, began, mailStep, nil)
}

// RestorePassword sets the password of whoever has the link to a new one, which is used up then. Every session of the user ends, and a wait after wrong passwords; a lock that only an
// administrator takes away stays. NotFound with the code "link.over" when the link opens nothing: provisioning.OpenMailLink says why. Forbidden with the code "sso.required" where the tenant's people come in
// through its provider only; other errors are those of NewPassword.
func (s *Service) RestorePassword(ctx context.Context, token, password string) (identity.User, error) {
	var u identity.User
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		_, u, err = s.resetLink(ctx, tx, token)
		return err
	})
	if err != nil {
		return u, err
	}
	phc, terms, err := s.NewPassword(ctx, self(u, nil, "mail"), u, password)
	if err != nil {
		return u, err
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		l, found, err := s.resetLink(ctx, tx, token)
		if err != nil {
			return err
		}
		if u, err = tx.UserForUpdate(ctx, store.Everything(), found.ID); err != nil {
			return err
		}
		if !l.ReachesOwner(u) { // changed since it was read
			return linkOver(nil)
		}
		if err := tx.UseMailLink(ctx, l.ID); err != nil {
			return linkOver(err)
		}
		return s.restore(ctx, tx, u, phc, terms)
	})
	return u, err
}

// resetLink returns an open link to a new password with its user, who may have one.
func (s *Service) resetLink(ctx context.Context, tx *store.Tx, token string) (identity.MailLink, identity.User, error) {
	var u identity.User
	if !strings.HasPrefix(token, identity.MailLinkPrefix) {
		return identity.MailLink{}, u, linkOver(nil)
	}
	l, err := tx.MailLinkByToken(ctx, identity.HashSecret(token))
	if err == nil && (l.Kind != identity.LinkReset || l.State(tx.Now()) != identity.MailLinkOpen) {
		return l, u, linkOver(nil)
	}
	if err == nil {
		u, err = tx.User(ctx, store.Everything(), l.UserID)
	}
	if err == nil && !l.ReachesOwner(u) { // the account has another address since
		return l, u, linkOver(nil)
	}
	if err != nil {
		return l, u, linkOver(err)
	}
	return l, u, s.localOnly(ctx, tx, u)
}

// linkOver is the answer to a link that opens nothing.
func linkOver(cause error) error {
	if cause != nil && identity.KindOf(cause) != identity.NotFound {
		return cause
	}
	return identity.Errorf(identity.NotFound, "This link opens nothing any more. Ask for a new one on the page Restore password.").WithCode("link.over").WithCause(cause)
}

// restore writes the password, ends what began with the old one, and says so.
func (s *Service) restore(ctx context.Context, tx *store.Tx, u identity.User, phc string, terms identity.PasswordTerms) error {
	if err := s.put(ctx, tx, u, phc, terms); err != nil {
		return err
	}
	by := self(u, nil, "mail")
	if _, err := endAll(ctx, tx, by, u, ""); err != nil {
		return err
	}
	e := eventBy(by, identity.PasswordSet, u)
	e.Reason = "by a link that went to the mailbox"
	return tx.InsertEvent(ctx, e)
}
