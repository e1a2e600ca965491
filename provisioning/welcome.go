package provisioning

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// Welcome is the first mail to somebody who exists already, such as after an import. Without a password it carries a link with which the person joins, as an invitation does; with one, the
// temporary password that was made for them.
type Welcome struct {
	Password     string                 // as authn.TemporaryPassword returned it; it is in the mail, sealed until that was sent, and nowhere else
	PasswordHash string                 // from the same
	Terms        identity.PasswordTerms // from the same
	Message      string                 // in the mail with a link
}

// SendWelcome sends somebody the first mail, or once more another one. It needs the right to invite people or to write them. Precondition with the code "welcome.no_email" without an address,
// Conflict with the code "welcome.late" for somebody who has signed in already. What becomes of the mail stands on the person's page and among UserDetail.Mails.
func (s *Service) SendWelcome(ctx context.Context, by identity.Actor, id identity.UserID, w Welcome) error {
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
		return s.welcome(ctx, tx, by, u, w)
	})
	return sharpen(err, noUser)
}

// welcome writes the first mail to a locked or new user, as part of the caller's transaction.
func (s *Service) welcome(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, w Welcome) error {
	if _, err := identity.EmailKey(u.Email()); err != nil {
		return identity.Errorf(identity.Precondition, "%s has no e-mail address to write to.", u.Label()).WithField("email").WithCode("welcome.no_email")
	}
	if u.LastLoginAt != nil {
		return identity.Errorf(identity.Conflict, "%s has signed in already. To give another password, restore it.", u.Label()).WithCode("welcome.late")
	}
	if w.Password == "" {
		_, err := s.invite(ctx, tx, by, u, w.Message)
		return err
	}
	return s.welcomeWithPassword(ctx, tx, by, u, w)
}

func (s *Service) welcomeWithPassword(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, w Welcome) error {
	if w.PasswordHash == "" || !w.Terms.Temporary {
		return identity.Errorf(identity.Invalid, "Only a temporary password leaves by mail.").WithField("password")
	}
	if _, err := s.dropInvitations(ctx, tx, u); err != nil {
		return err
	}
	if err := tx.DropMails(ctx, u.ID, string(identity.MailPassword)); err != nil { // one of them would carry a password that is none any more
		return err
	}
	if err := s.putPassword(ctx, tx, u, w.PasswordHash, w.Terms); err != nil {
		return err
	}
	mail, err := letterTo(ctx, tx, by, u)
	if err != nil {
		return err
	}
	mail.Password, mail.Link, mail.Button = w.Password, s.origin+"/signin", "Sign in"
	if w.Terms.ExpiresAt != nil {
		mail.Until = untilText(*w.Terms.ExpiresAt)
	}
	if err := s.post(ctx, tx, identity.Mail{UserID: u.ID, TenantID: u.TenantID}, identity.MailPassword, mail); err != nil {
		return err
	}
	set, sent := about(by, identity.PasswordSet, u), about(by, identity.WelcomeSent, u)
	set.Changes = []identity.Change{{Field: "temporary until", After: until(w.Terms.ExpiresAt)}}
	return tx.InsertEvent(ctx, set, sent)
}

func until(at *time.Time) any {
	if at == nil {
		return nil
	}
	return at.Format(time.RFC3339)
}
