package provisioning

import (
	"context"
	"slices"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// maxEmailChanges is how often somebody may ask for another address in a day.
const maxEmailChanges = 5

// EmailRule says what happens when people change their own e-mail address.
type EmailRule string

// The rules.
const (
	EmailVerified EmailRule = "verify" // the new mailbox proves itself first
	EmailFree     EmailRule = "free"   // it is taken as it is
	EmailOff      EmailRule = "off"    // only an administrator changes it
)

// OwnEmailRule returns what the access model says about that.
func (s *Service) OwnEmailRule() EmailRule {
	switch s.model.SelfServiceEmail() {
	case "free", "allow":
		return EmailFree
	case "verify":
		return EmailVerified
	}
	return EmailOff
}

// EmailChange is a change of the own address that was asked for.
type EmailChange struct {
	To      string
	Until   time.Time // when the link in the new mailbox ends
	Pending bool      // the new mailbox has to prove itself; false: the address is in force
}

// ChangeOwnEmail gives the actor another e-mail address: at once, or when the link that went to the new mailbox was opened, as the access model says. The old mailbox gets a mail with which its owner
// stops it. Whom a provider knows stays the same person: links count, not addresses. Forbidden with the code "email.off" where the model keeps it to administrators, or where a directory
// manages the person.
func (s *Service) ChangeOwnEmail(ctx context.Context, by identity.Actor, address string) (EmailChange, error) {
	out := EmailChange{To: address}
	key, err := identity.EmailKey(address)
	if err != nil {
		return out, err
	}
	rule := s.OwnEmailRule()
	if rule == EmailOff {
		return out, identity.Errorf(identity.Forbidden, "Your e-mail address is changed by an administrator.").WithField("email").WithCode("email.off")
	}
	err = s.update(ctx, by, func(tx *store.Tx) error {
		u, facts, err := s.ownAccount(ctx, tx, by)
		if err != nil {
			return err
		}
		if len(facts.Links) > 0 {
			return identity.Errorf(identity.Forbidden, "Your address comes from the directory %s; it is changed there.", facts.Links[0].DirectoryName).WithField("email").WithCode("email.off")
		}
		if now, _ := identity.EmailKey(u.Email()); now == key {
			return identity.Errorf(identity.Invalid, "This is your address already.").WithField("email")
		}
		if rule == EmailFree {
			_, err := s.moveMailbox(ctx, tx, by, u, facts, address)
			return err
		}
		out.Pending = true
		out.Until, err = s.askNewMailbox(ctx, tx, by, u, address)
		return err
	})
	return out, err
}

// askNewMailbox writes both mails of a change. A change that waited before is dead.
func (s *Service) askNewMailbox(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, address string) (time.Time, error) {
	until := tx.Now().Add(identity.EmailLinkAge)
	n, err := s.dropEmailChange(ctx, tx, u, tx.Now().Add(-24*time.Hour))
	if err != nil {
		return until, err
	}
	if n >= maxEmailChanges {
		return until, identity.Errorf(identity.TooMany, "You asked for another address %d times today. Try again tomorrow.", n).WithField("email").WithCode("email.too_many")
	}
	mail, err := letterTo(ctx, tx, by, u)
	if err != nil {
		return until, err
	}
	mail.OldEmail, mail.NewEmail, mail.Button = u.Email(), address, "Confirm the address"
	data := identity.MailLinkData{From: u.Email(), To: address}
	change, err := s.sendLink(ctx, tx, by, identity.MailLink{Kind: identity.LinkEmail, UserID: u.ID, TenantID: u.TenantID, Email: address, ExpiresAt: until, Data: data}, identity.MailEmail, mail)
	if err != nil {
		return until, err
	}
	if err := s.warnOldMailbox(ctx, tx, by, u, mail, change.ID, data); err != nil {
		return until, err
	}
	e := about(by, identity.EmailChangeAsked, u)
	e.Changes = []identity.Change{{Field: "emails", Before: orNil(u.Email()), After: address}}
	return until, tx.InsertEvent(ctx, e)
}

// warnOldMailbox tells the mailbox that is about to be replaced, with the link that stops it. An account without one has nobody to tell.
func (s *Service) warnOldMailbox(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, mail letter, change identity.MailLinkID, data identity.MailLinkData) error {
	if _, err := identity.EmailKey(u.Email()); err != nil {
		return nil
	}
	mail.Button, data.Change = "It was not me: stop it", change
	_, err := s.sendLink(ctx, tx, by, identity.MailLink{
		Kind: identity.LinkStop, UserID: u.ID, TenantID: u.TenantID, Email: u.Email(), ExpiresAt: tx.Now().Add(identity.StopAge), Data: data,
	}, identity.MailEmailNotice, mail)
	return err
}

// dropEmailChange ends a change that waits, and returns how many were asked for since a time.
func (s *Service) dropEmailChange(ctx context.Context, tx *store.Tx, u identity.User, since time.Time) (int, error) {
	if _, err := tx.RevokeMailLinks(ctx, u.ID, identity.LinkEmail); err != nil {
		return 0, err
	}
	return tx.CountMailLinksOf(ctx, u.ID, identity.LinkEmail, since)
}

// PendingEmail returns the change of the actor's own address that waits for the new mailbox, or NotFound.
func (s *Service) PendingEmail(ctx context.Context, by identity.Actor) (EmailChange, error) {
	var out EmailChange
	if by.UserID() == "" {
		return out, identity.Errorf(identity.NotFound, "Only people have an account of their own.")
	}
	err := s.db.View(ctx, func(tx *store.Tx) error {
		l, err := tx.LastMailLink(ctx, by.UserID(), identity.LinkEmail)
		if err == nil && l.State(tx.Now()) != identity.MailLinkOpen {
			err = identity.Errorf(identity.NotFound, "No other address waits to be confirmed.")
		}
		out = EmailChange{To: l.Data.To, Until: l.ExpiresAt, Pending: true}
		return err
	})
	return out, err
}

// CancelEmailChange ends the actor's own change that waits.
func (s *Service) CancelEmailChange(ctx context.Context, by identity.Actor) error {
	return s.update(ctx, by, func(tx *store.Tx) error {
		u, _, err := s.ownAccount(ctx, tx, by)
		if err != nil {
			return err
		}
		n, err := tx.RevokeMailLinks(ctx, u.ID, identity.LinkEmail)
		if err != nil || n == 0 {
			return err
		}
		e := about(by, identity.EmailChangeStopped, u)
		e.Reason = "by its owner, in My account"
		return tx.InsertEvent(ctx, e)
	})
}

// ConfirmEmail puts a new address in force whose mailbox has the link: sign-ins with a password follow, links to providers stay. Errors are those of OpenMailLink; Conflict when the address was changed
// otherwise meanwhile, or somebody else signs in with it.
func (s *Service) ConfirmEmail(ctx context.Context, token string) (identity.User, error) {
	var out identity.User
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		opened, err := openMailLink(ctx, tx, identity.LinkEmail, token)
		if err != nil {
			return err
		}
		by := themselves(opened.User)
		u, facts, err := s.ownAccount(ctx, tx, by)
		if err != nil {
			return err
		}
		if u.Email() != opened.Link.Data.From || len(facts.Links) > 0 {
			return identity.Errorf(identity.Conflict, "Your address was changed otherwise meanwhile. Look at My account.").WithCode("email.meanwhile")
		}
		if err := use(ctx, tx, opened.Link); err != nil {
			return err
		}
		out, err = s.moveMailbox(ctx, tx, by, u, facts, opened.Link.Data.To)
		return err
	})
	return out, err
}

// moveMailbox gives a locked user another primary address. A link to a new password that went to the old one is dead.
func (s *Service) moveMailbox(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, facts store.UserFacts, address string) (identity.User, error) {
	if err := freeLogin(ctx, tx, u, address); err != nil {
		return u, err
	}
	after, err := s.change(ctx, tx, by, u, facts, "", func(u *identity.User) error {
		u.Emails = replacePrimary(u.Emails, address)
		return nil
	})
	if err != nil {
		return after, err
	}
	if _, err := tx.RevokeMailLinks(ctx, u.ID, identity.LinkReset); err != nil {
		return after, err
	}
	e := about(by, identity.EmailChangeProven, after)
	e.Changes = []identity.Change{{Field: "emails", Before: orNil(u.Email()), After: address}}
	return after, tx.InsertEvent(ctx, e)
}

// freeLogin refuses an address that somebody else signs in with.
func freeLogin(ctx context.Context, tx *store.Tx, u identity.User, address string) error {
	key, err := identity.EmailKey(address)
	if err != nil {
		return err
	}
	found, err := tx.LoginCandidates(ctx, key)
	if err == nil && len(found) > 0 && found[0].ID != u.ID {
		err = identity.Errorf(identity.Conflict, "Another account is signed in to with this address already.").WithField("email").WithCode("uniqueness")
	}
	return err
}

// replacePrimary puts an address in the place of the primary one.
func replacePrimary(emails []identity.Email, address string) []identity.Email {
	out := slices.Clone(emails)
	primary := identity.PrimaryEmail(emails)
	for i := range out {
		if out[i].Value == primary {
			out[i].Value, out[i].Primary = address, true
			return out
		}
	}
	return append(out, identity.Email{Value: address, Type: "work", Primary: true})
}

// StopEmailChange is the old mailbox's word against a change of address. One that waits is dead; one that is done is taken back, every session ends, and a password that was set since is worth nothing.
// The user is returned as it is now, and whether the address was taken back. Errors are those of OpenMailLink; Conflict when the address was changed otherwise meanwhile.
func (s *Service) StopEmailChange(ctx context.Context, token string) (identity.User, bool, error) {
	var out identity.User
	var back bool
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		opened, err := openMailLink(ctx, tx, identity.LinkStop, token)
		if err != nil {
			return err
		}
		u, facts, err := tx.UserForChange(ctx, store.Everything(), opened.User.ID)
		if err != nil {
			return err
		}
		change, err := tx.MailLink(ctx, opened.Link.Data.Change)
		if err != nil {
			return err
		}
		if err := use(ctx, tx, opened.Link); err != nil {
			return err
		}
		back = change.UsedAt != nil
		out, err = s.stopEmail(ctx, tx, u, facts, opened.Link, change)
		return err
	})
	return out, back, sharpen(err, unknownLink)
}

func (s *Service) stopEmail(ctx context.Context, tx *store.Tx, u identity.User, facts store.UserFacts, stop, change identity.MailLink) (identity.User, error) {
	by := themselves(u)
	e := about(by, identity.EmailChangeStopped, u)
	e.Reason = "by the link that went to the old mailbox"
	if change.UsedAt == nil {
		if _, err := tx.RevokeMailLinks(ctx, u.ID, identity.LinkEmail); err != nil {
			return u, err
		}
		return u, tx.InsertEvent(ctx, e)
	}
	if u.Email() != stop.Data.To {
		return u, identity.Errorf(identity.Conflict, "The address was changed otherwise meanwhile. Ask an administrator for help.").WithCode("email.meanwhile")
	}
	after, err := s.change(ctx, tx, by, u, facts, "the old mailbox took the change back", func(u *identity.User) error {
		u.Emails = replacePrimary(u.Emails, stop.Data.From)
		return nil
	})
	if err != nil {
		return after, err
	}
	if err := tx.InsertEvent(ctx, e); err != nil {
		return after, err
	}
	return after, s.throwOut(ctx, tx, by, after, *change.UsedAt)
}

// throwOut ends what somebody may have begun who had an account in hand: sessions, links to a new password, and a password that was set since. An account for emergencies keeps its
// password: nothing else would open it.
func (s *Service) throwOut(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, since time.Time) error {
	if _, err := tx.RevokeMailLinks(ctx, u.ID, identity.LinkReset); err != nil {
		return err
	}
	sessions, err := tx.SessionsOf(ctx, u.ID)
	if err != nil {
		return err
	}
	if _, err := tx.DeleteSessionsOf(ctx, u.ID, ""); err != nil {
		return err
	}
	for _, session := range sessions {
		e := about(by, identity.SessionEnded, u)
		e.ObjectKind, e.ObjectID, e.Reason = "session", string(session.ID), "the old mailbox took a change of address back"
		if err := tx.InsertEvent(ctx, e); err != nil {
			return err
		}
	}
	c, err := tx.Credential(ctx, u.ID)
	if identity.KindOf(err) == identity.NotFound || err == nil && c.UpdatedAt.Before(since) {
		return nil
	}
	if err != nil {
		return err
	}
	emergency, err := tx.BreakGlass(ctx, u.ID)
	if err != nil || emergency {
		return err
	}
	_, err = tx.DeleteCredential(ctx, u.ID)
	return err
}
