package provisioning

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// MailQuery says which mails are wanted; empty fields do not narrow.
type MailQuery = store.MailQuery

// MailOutcome is what became of a mail as far as a list tells it.
type MailOutcome = store.MailOutcome

// What became of it: it waits or is on its way, it was sent, or it was given up.
const (
	MailsWaiting = store.MailsWaiting
	MailsSent    = store.MailsSent
	MailsGivenUp = store.MailsGivenUp
)

// MailsKept is how long a mail stays in the list after its end.
const MailsKept = 90 * 24 * time.Hour

// mailPage is how many mails a page has where nobody says, and at most.
const mailPage = 50

// MailsWhere returns mails without their texts, since a text may carry a link that opens something: every one for whoever runs the installation, else those of the
// actor's tenant, which needs the right to write users.
func (s *Service) MailsWhere(ctx context.Context, by identity.Actor, q MailQuery) (identity.Page[identity.Mail], error) {
	var page identity.Page[identity.Mail]
	scope, err := s.mailScope(ctx, by)
	if err != nil {
		return page, err
	}
	q.After = cursor(q.After)
	if !validIDs(&q.TenantID) {
		return page, nil
	}
	if q.Limit <= 0 || q.Limit > mailPage {
		q.Limit = mailPage
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		page, err = tx.MailsWhere(ctx, scope, q)
		return err
	})
	return page, err
}

// mailScope is whose mails an actor sees.
func (s *Service) mailScope(ctx context.Context, by identity.Actor) (store.Scope, error) {
	if s.household(ctx, by) == nil {
		return store.Everything(), nil
	}
	return s.keeper(by)
}

// SendTestMail writes a mail to the actor's own address, so that it shows whether mails arrive; it takes back an earlier one that was not sent yet. Whoever runs the
// installation may do it. It returns the address. Precondition for somebody without one.
func (s *Service) SendTestMail(ctx context.Context, by identity.Actor) (string, error) {
	if err := s.household(ctx, by); err != nil {
		return "", err
	}
	var to string
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		u, _, err := s.ownAccount(ctx, tx, by)
		if err != nil {
			return err
		}
		if to, err = identity.EmailKey(u.Email()); err != nil {
			return identity.Errorf(identity.Precondition, "Your account has no e-mail address. Set one in My Account, then test again.").WithCode("mail.no_address")
		}
		if err := tx.DropMails(ctx, u.ID, mailTest); err != nil {
			return err
		}
		m := identity.Mail{ID: identity.NewID[identity.MailID](), To: to, Subject: "Mails of Drawbridge arrive", Text: testText, Kind: mailTest, UserID: u.ID, TenantID: u.TenantID}
		if err := tx.InsertMail(ctx, m); err != nil {
			return err
		}
		e := about(by, identity.MailTested, u)
		e.ObjectKind, e.ObjectID, e.ObjectLabel = "mail", string(m.ID), m.Subject
		return tx.InsertEvent(ctx, e)
	})
	return to, err
}

// mailTest is the kind of a mail that somebody sends to find out whether mails arrive.
const mailTest = "test"

const testText = `You asked for this mail in the settings of Drawbridge. Since you read it, the mail server takes what Drawbridge sends and hands it on.

If it lies in a folder for unwanted mail, have whoever looks after the sender's domain check its SPF, DKIM and DMARC records.
`

// SecretKeys names the keys that seal secrets in the database, the one that is used for what is written now first: the start of a hash of each, in hex. Whoever runs
// the installation may see them.
func (s *Service) SecretKeys(ctx context.Context, by identity.Actor) ([]string, error) {
	if err := s.household(ctx, by); err != nil {
		return nil, err
	}
	return s.db.SealKeys(), nil
}
