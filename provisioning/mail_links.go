package provisioning

import (
	"context"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// linksKept is how long a link stays after its end, so that its page can say what became of it.
const linksKept = 90 * 24 * time.Hour

// linkPages are the paths of the pages that links of mails open; the token follows.
var linkPages = map[identity.MailLinkKind]string{
	identity.LinkInvitation: "/join/", identity.LinkReset: "/restore/", identity.LinkEmail: "/verify/", identity.LinkStop: "/stop/", identity.LinkRegistration: "/register/",
}

// OpenedLink is what a link of a mail leads to.
type OpenedLink struct {
	Link   identity.MailLink
	User   identity.User   // nobody for a registration
	Tenant identity.Tenant // none above all tenants
}

// OpenMailLink returns what a token opens. Looking uses nothing up: programs that scan mails look too. NotFound says what to do: with the code "link.unknown" when there
// is no such link of this kind, "link.used", "link.expired" or "link.revoked" when it is over.
func (s *Service) OpenMailLink(ctx context.Context, kind identity.MailLinkKind, token string) (OpenedLink, error) {
	var out OpenedLink
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		out, err = openMailLink(ctx, tx, kind, token)
		return err
	})
	if err != nil || out.Link.OpenedAt != nil {
		return out, err
	}
	return out, s.db.Update(ctx, func(tx *store.Tx) error { return tx.MarkMailLinkOpened(ctx, out.Link.ID) })
}

// openMailLink reads an open link with whom it is about. Whoever uses it locks the user first and then calls use.
func openMailLink(ctx context.Context, tx *store.Tx, kind identity.MailLinkKind, token string) (OpenedLink, error) {
	var out OpenedLink
	if len(token) > maxToken || !strings.HasPrefix(token, identity.MailLinkPrefix) {
		return out, unknownLink()
	}
	l, err := tx.MailLinkByToken(ctx, identity.HashSecret(token))
	if identity.KindOf(err) == identity.NotFound || err == nil && l.Kind != kind {
		return out, unknownLink()
	}
	if err != nil {
		return out, err
	}
	out.Link = l
	if l.UserID != "" {
		if out.User, err = tx.User(ctx, store.Everything(), l.UserID); identity.KindOf(err) == identity.NotFound {
			return out, linkOver(l, identity.MailLinkRevoked)
		}
		if err != nil {
			return out, err
		}
	}
	if state := stateOf(l, out.User, tx.Now()); state != identity.MailLinkOpen {
		return out, linkOver(l, state)
	}
	if out.User.TenantID != "" {
		out.Tenant, err = tx.Tenant(ctx, store.Everything(), out.User.TenantID)
	}
	return out, err
}

// maxToken is how long a token may be that is looked up.
const maxToken = 100

// stateOf is what became of a link. Whoever came in through a provider needs no invitation any more, and one that lies in a mailbox that is not the person's any more is taken back.
func stateOf(l identity.MailLink, u identity.User, now time.Time) identity.MailLinkState {
	state := l.State(now)
	if state == identity.MailLinkOpen && l.Kind == identity.LinkInvitation && u.LastLoginAt != nil {
		return identity.MailLinkUsed
	}
	if state == identity.MailLinkOpen && !l.ReachesOwner(u) {
		return identity.MailLinkRevoked
	}
	return state
}

// use uses a link up within a change. Whoever comes second gets the same as with a used link.
func use(ctx context.Context, tx *store.Tx, l identity.MailLink) error {
	err := tx.UseMailLink(ctx, l.ID)
	if identity.KindOf(err) == identity.NotFound {
		return linkOver(l, identity.MailLinkUsed)
	}
	return err
}

func unknownLink() *identity.Error {
	return identity.Errorf(identity.NotFound, "This link opens nothing. Open it from the mail once more: a link that was copied may lack its end. It may also have been taken back.").WithCode("link.unknown")
}

// linkOver says what to do instead of a link that is over.
func linkOver(l identity.MailLink, state identity.MailLinkState) error {
	again := map[identity.MailLinkKind]string{
		identity.LinkInvitation:   "Ask whoever invited you to send a new invite.",
		identity.LinkReset:        "Ask for a new one on the page Restore password.",
		identity.LinkEmail:        "Change the address in My account once more.",
		identity.LinkStop:         "Ask an administrator for help if you did not want this change.",
		identity.LinkRegistration: "Register once more.",
	}[l.Kind]
	switch state {
	case identity.MailLinkUsed:
		done := map[identity.MailLinkKind]string{
			identity.LinkInvitation:   "You have joined already. Sign in; if you have no password, use Restore password.",
			identity.LinkReset:        "This link has set a password already, and works once. " + again,
			identity.LinkEmail:        "This address is confirmed already. There is nothing to do.",
			identity.LinkStop:         "This was done already. There is nothing to do.",
			identity.LinkRegistration: "This registration is finished already. Sign in.",
		}[l.Kind]
		return identity.Errorf(identity.NotFound, "%s", done).WithCode("link.used")
	case identity.MailLinkExpired:
		return identity.Errorf(identity.NotFound, "The time of this link was over on %s. %s", untilText(l.ExpiresAt), again).WithCode("link.expired")
	}
	return identity.Errorf(identity.NotFound, "This link was replaced by a newer one, or taken back. Open the newest mail. %s", again).WithCode("link.revoked")
}

// sendLink makes a link and the mail that carries it, both part of the caller's transaction. Of l kind, user, mailbox, data and end count; of the letter everything but
// the link itself.
func (s *Service) sendLink(ctx context.Context, tx *store.Tx, by identity.Actor, l identity.MailLink, words identity.MailTemplateKind, mail letter) (identity.MailLink, error) {
	key, err := identity.EmailKey(l.Email)
	if err != nil {
		return l, err
	}
	token := identity.NewSecret(identity.MailLinkPrefix)
	mail.Email, mail.Link, mail.Until = l.Email, s.origin+linkPages[l.Kind]+token, untilText(l.ExpiresAt)
	l.ID, l.MailID = identity.NewID[identity.MailLinkID](), identity.NewID[identity.MailID]()
	l.Email, l.CreatedBy, l.CreatedAt = key, by.Label, tx.Now()
	if err := s.post(ctx, tx, identity.Mail{ID: l.MailID, UserID: l.UserID, TenantID: l.TenantID}, words, mail); err != nil {
		return l, err
	}
	return l, tx.InsertMailLink(ctx, l, identity.HashSecret(token))
}

// post writes a mail. Of to the id, the user and the tenant count.
func (s *Service) post(ctx context.Context, tx *store.Tx, to identity.Mail, words identity.MailTemplateKind, mail letter) error {
	m, err := s.compose(ctx, tx, words, to.TenantID, mail)
	if err != nil {
		return err
	}
	m.ID, m.UserID, m.TenantID = to.ID, to.UserID, to.TenantID
	return tx.InsertMail(ctx, m)
}

// letterTo starts a letter to a user.
func letterTo(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User) (letter, error) {
	l := letter{Name: greeting(u), Email: u.Email(), UserName: u.UserName, By: sender(by)}
	if u.TenantID == "" {
		return l, nil
	}
	t, err := tx.Tenant(ctx, store.Everything(), u.TenantID)
	l.Tenant = oneLine(t.Name)
	return l, err
}

// SweepMailLinks deletes links that ended long ago. It may run at any time and on every replica.
func (s *Service) SweepMailLinks(ctx context.Context) error {
	return s.db.Update(ctx, func(tx *store.Tx) error { return tx.SweepMailLinks(ctx, tx.Now().Add(-linksKept)) })
}

// themselves is the actor of what somebody does with a link that went to the own mailbox.
func themselves(u identity.User) identity.Actor {
	return identity.Actor{Kind: identity.ActorUser, ID: string(u.ID), Label: u.Label(), TenantID: u.TenantID, Door: "mail"}
}
