package identity

import (
	"slices"
	"time"
)

// MailLinkKind is what a link in a mail is for.
type MailLinkKind string

// The kinds. A link of one kind opens nothing of another.
const (
	LinkInvitation   MailLinkKind = "invitation"   // somebody joins
	LinkReset        MailLinkKind = "reset"        // somebody chooses a new password
	LinkEmail        MailLinkKind = "email"        // a new address of somebody's own proves itself
	LinkStop         MailLinkKind = "email_stop"   // the old address takes that change back
	LinkRegistration MailLinkKind = "registration" // somebody founds a tenant
)

// MailLinkPrefix starts every token of a link in a mail, so that scanners for leaked secrets can find it.
const MailLinkPrefix = "dbm_"

// How long the links live that have no time of their own in the access model.
const (
	ResetAge        = time.Hour
	EmailLinkAge    = 24 * time.Hour
	StopAge         = 7 * 24 * time.Hour
	RegistrationAge = 24 * time.Hour
)

// MailLink is a link that went to a mailbox and proves it when it comes back. It is used once. Only the hash of its token is stored.
type MailLink struct {
	ID        MailLinkID
	Kind      MailLinkKind
	UserID    UserID   // empty for a registration
	TenantID  TenantID // of the user; empty above all tenants and for a registration
	Email     string   // the mailbox, as EmailKey makes it
	Data      MailLinkData
	MailID    MailID // of the mail that carries it
	CreatedBy string // for people
	CreatedAt time.Time
	ExpiresAt time.Time
	OpenedAt  *time.Time // when its page was first looked at, by the person or by a scanner of mails
	UsedAt    *time.Time
	RevokedAt *time.Time
}

// MailLinkData is what a link keeps for its moment.
type MailLinkData struct {
	Organisation string     `json:"organisation,omitempty"` // of a registration
	Message      string     `json:"message,omitempty"`      // of an invitation
	From         string     `json:"from,omitempty"`         // of a change of address: the one that the person had
	To           string     `json:"to,omitempty"`           // and the one that is to come
	Change       MailLinkID `json:"change,omitempty"`       // of LinkStop: the change that it stops
}

// MailLinkState is what became of a link.
type MailLinkState string

// The states.
const (
	MailLinkOpen    MailLinkState = "open"
	MailLinkUsed    MailLinkState = "used"
	MailLinkExpired MailLinkState = "expired"
	MailLinkRevoked MailLinkState = "revoked"
)

// State derives what became of the link; only one that is open opens anything.
func (l MailLink) State(now time.Time) MailLinkState {
	switch {
	case l.UsedAt != nil:
		return MailLinkUsed
	case l.RevokedAt != nil:
		return MailLinkRevoked
	case !now.Before(l.ExpiresAt):
		return MailLinkExpired
	}
	return MailLinkOpen
}

// ReachesOwner reports whether the mailbox that the link went to is still one of the user's: when somebody else gave the account another address, whoever reads the old mailbox must
// neither join nor set a password with what lies there. Links about a change of the address go to other mailboxes by design.
func (l MailLink) ReachesOwner(u User) bool {
	if l.Kind != LinkInvitation && l.Kind != LinkReset {
		return true
	}
	return slices.ContainsFunc(u.Emails, func(e Email) bool {
		key, err := EmailKey(e.Value)
		return err == nil && key == l.Email
	})
}

// InvitationState says how far somebody who was invited has come.
type InvitationState string

// The states of an invitation.
const (
	InvitationOpen     InvitationState = "open"     // the link still opens
	InvitationExpired  InvitationState = "expired"  // nobody opened it in time
	InvitationAccepted InvitationState = "accepted" // the person has joined, by the link or through a provider
)

// Invitation is somebody who was invited: the last link that was sent, and what became of its mail.
type Invitation struct {
	Link       MailLink
	User       User // without roles
	TenantName string
	Mail       Mail // without its text; no id when it is too old to be kept
}

// State derives how far it has come.
func (i *Invitation) State(now time.Time) InvitationState {
	switch {
	case i.Link.UsedAt != nil || i.User.LastLoginAt != nil:
		return InvitationAccepted
	case !now.Before(i.Link.ExpiresAt):
		return InvitationExpired
	}
	return InvitationOpen
}

// MailTemplateKind names a mail whose words can be changed.
type MailTemplateKind string

// The mails.
const (
	MailInvitation   MailTemplateKind = "invitation"
	MailReset        MailTemplateKind = "reset"
	MailEmail        MailTemplateKind = "email"
	MailEmailNotice  MailTemplateKind = "email_notice"
	MailRegistration MailTemplateKind = "registration"
	MailWelcome      MailTemplateKind = "welcome"
	MailPassword     MailTemplateKind = "password"
)

// MailTemplateKinds lists every mail whose words can be changed, with what it is.
var MailTemplateKinds = []struct {
	Kind  MailTemplateKind
	About string
}{
	{MailInvitation, "the invitation, with its link"},
	{MailReset, "the link to a new password"},
	{MailEmail, "to a new address: the link that proves it"},
	{MailEmailNotice, "to the old address: what is about to change, and the link that stops it"},
	{MailRegistration, "the link with which somebody finishes a registration"},
	{MailWelcome, "the first mail after a registration or an invitation was completed"},
	{MailPassword, "the mail with a temporary password"},
}

// MailTemplateSource says whose words a template has.
type MailTemplateSource string

// The sources, the nearest first.
const (
	TemplateOfTenant       MailTemplateSource = "tenant"
	TemplateOfInstallation MailTemplateSource = "installation"
	TemplateDefault        MailTemplateSource = "default"
)

// MailTemplate is the words of a mail: templates of Go's text/template and html/template, with fields and conditions and nothing else.
type MailTemplate struct {
	Kind      MailTemplateKind
	TenantID  TenantID // whose words they are; empty: the installation's, or those that came with the program
	Source    MailTemplateSource
	Subject   string
	Text      string
	HTML      string // may be empty
	UpdatedBy string
	UpdatedAt time.Time
}
