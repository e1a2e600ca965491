package provisioning

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// mostTold is how many administrators are written to at most.
const mostTold = 100

// note is a mail before it has its recipients.
type note struct{ kind, subject, text string }

// tell writes a mail to each Super Admin, and to the administrators of a tenant when the matter is its own. It goes out when the transaction is done.
func (s *Service) tell(ctx context.Context, tx *store.Tx, tenant identity.TenantID, n note) error {
	people, err := s.administratorsOf(ctx, tx, tenant)
	if err != nil {
		return err
	}
	told := map[string]bool{}
	for _, u := range people {
		address, err := identity.EmailKey(identity.PrimaryEmail(u.Emails))
		if err != nil || told[address] {
			continue // nowhere to write to, or the same person twice
		}
		told[address] = true
		err = tx.InsertMail(ctx, identity.Mail{To: address, Subject: oneLine(n.subject), Text: n.text, Kind: n.kind, UserID: u.ID, TenantID: tenant})
		if err != nil {
			return err
		}
	}
	return nil
}

// administratorsOf returns the Super Admins, and the people who may manage a tenant.
func (s *Service) administratorsOf(ctx context.Context, tx *store.Tx, tenant identity.TenantID) ([]identity.User, error) {
	var above, inside []identity.RoleID
	for _, r := range s.model.Roles() {
		switch {
		case r.Scope == identity.ScopePlatform:
			above = append(above, r.ID)
		case s.model.Privileged(r.ID):
			inside = append(inside, r.ID)
		}
	}
	people, err := tx.Holders(ctx, "", above, mostTold)
	if err != nil || tenant == "" || len(inside) == 0 {
		return people, err
	}
	more, err := tx.Holders(ctx, tenant, inside, mostTold)
	return append(people, more...), err
}

// oneLine makes a text fit for a header: names come from people.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	for len(s) > identity.MaxSubject {
		_, last := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-last]
	}
	return s
}

func mailHeld(c identity.Connection, held identity.MetadataChange) note {
	return note{"metadata", fmt.Sprintf("Approve or reject new certificates of %s", c.Name), fmt.Sprintf(`The metadata of the identity provider of the connection "%s" has changed, and this connection pins its certificates.
Nothing was changed yet: what was trusted before is still trusted, and nothing else.

%s
Ask the provider, by another way than its metadata, whether these are its own. Then approve or reject the change at the connection in the console,
or with: drawbridge connection approve "%s"
`, c.Name, changesText(held.Changes), c.Name)}
}

func mailChanged(c identity.Connection, e identity.Event) note {
	return note{"metadata", fmt.Sprintf("The metadata of %s has changed", c.Name), fmt.Sprintf(`The metadata of the identity provider of the connection "%s" has changed, and Drawbridge goes by it now.
%s
%s
A certificate that the provider names no more is still trusted for %d days. If you did not expect this, ask the provider. A connection that pins its
certificates waits for your approval instead.
`, c.Name, sentence(e.Reason), changesText(e.Changes), int(CertificateOverlap.Hours()/24))}
}

func mailRefused(c identity.Connection, why *identity.Error) note {
	return note{"metadata", fmt.Sprintf("The metadata of %s was refused", c.Name), fmt.Sprintf(`The metadata of the identity provider of the connection "%s" was read and not believed:

%s

The settings that were there before stay in force. You get this mail once for this reason.
`, c.Name, why.Message)}
}

// sentence makes an event's reason a line of its own; an empty one is none.
func sentence(reason string) string {
	if reason == "" {
		return ""
	}
	return strings.ToUpper(reason[:1]) + reason[1:] + ".\n"
}

// changesText lists changes for people.
func changesText(changes []identity.Change) string {
	var b strings.Builder
	for _, c := range changes {
		fmt.Fprintf(&b, "%s\n    before: %s\n    after:  %s\n", c.Field, valueText(c.Before), valueText(c.After))
	}
	return b.String()
}

func valueText(v any) string {
	switch v := v.(type) {
	case nil:
		return "none"
	case []string:
		return strings.Join(v, ",\n            ")
	}
	return fmt.Sprint(v)
}

// mostMails is how many mails a list shows at most.
const mostMails = 1000

// Mails returns the last mails, newest first, without their texts: a text may carry a link that opens something.
func (s *Service) Mails(ctx context.Context, by identity.Actor, limit int) ([]identity.Mail, error) {
	if err := s.platform(by); err != nil {
		return nil, err
	}
	var mails []identity.Mail
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		mails, err = tx.Mails(ctx, min(max(limit, 1), mostMails))
		return err
	})
	return mails, err
}

// ResendMail sends a mail again that was given up; one that may have arrived too, which is then the sender's risk. Whoever runs the installation may do it, and for mails to the own people whoever may
// invite or write them. Another one is NotFound.
func (s *Service) ResendMail(ctx context.Context, by identity.Actor, id identity.MailID) error {
	none := func() *identity.Error {
		return identity.Errorf(identity.NotFound, "There is no such mail that was given up. Those that wait are sent by themselves.")
	}
	scope, err := s.resenders(by)
	if err != nil {
		return err
	}
	if id == "" || !validIDs(&id) {
		return none()
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		m, err := tx.Mail(ctx, id)
		if err != nil {
			return err
		}
		if err := ownMail(ctx, tx, scope, m); err != nil {
			return err
		}
		if err := linkStillOpen(ctx, tx, m); err != nil {
			return err
		}
		if err := tx.ResendMail(ctx, id); err != nil {
			return err
		}
		e := event(by, identity.MailResent)
		e.TenantID, e.UserID, e.ObjectKind, e.ObjectID, e.ObjectLabel = m.TenantID, m.UserID, "mail", string(m.ID), m.Subject
		e.Reason = m.Failure
		return tx.InsertEvent(ctx, e)
	})
	return sharpen(err, none)
}

// resenders returns whose mails an actor may send again: every one for whoever runs the installation, else those to the people whom the actor may invite or write.
func (s *Service) resenders(by identity.Actor) (store.Scope, error) {
	if err := s.platform(by); err == nil {
		return store.Everything(), nil
	}
	return s.inviters(by)
}

// linkStillOpen refuses to send a mail again whose link opens nothing any more.
func linkStillOpen(ctx context.Context, tx *store.Tx, m identity.Mail) error {
	l, err := tx.MailLinkOfMail(ctx, m.ID)
	if identity.KindOf(err) == identity.NotFound {
		return nil
	}
	var u identity.User
	if err == nil && l.UserID != "" {
		u, err = tx.User(ctx, store.Everything(), l.UserID)
	}
	if err == nil && stateOf(l, u, tx.Now()) == identity.MailLinkOpen {
		return nil
	}
	if err == nil || identity.KindOf(err) == identity.NotFound {
		err = identity.Errorf(identity.Conflict, "The link in this mail opens nothing any more. Send a new one, such as a new invite.").WithCode("mail.stale")
	}
	return err
}

// ownMail is NotFound for a mail that did not go to somebody in sight.
func ownMail(ctx context.Context, tx *store.Tx, scope store.Scope, m identity.Mail) error {
	if scope == store.Everything() {
		return nil
	}
	if m.UserID == "" {
		return identity.Errorf(identity.NotFound, "not found")
	}
	_, err := tx.User(ctx, scope, m.UserID)
	return err
}
