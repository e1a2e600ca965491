package identity

import (
	"strings"
	"time"
	"unicode"
)

// Mail is a message that waits to be sent or was sent. It is written in the transaction of the change that it tells of.
type Mail struct {
	ID        MailID
	CreatedAt time.Time
	To        string // one address, as EmailKey accepts it
	Subject   string
	Text      string   // plain text; forgotten once the mail was sent
	HTML      string   // the same in HTML; may be empty
	Kind      string   // what it is about, such as "metadata" or "expiry"
	UserID    UserID   // to whom it goes; may be empty
	TenantID  TenantID // whose matter it is; may be empty
	Tries     int
	NextTryAt time.Time
	SendingAt *time.Time // when it was last handed over; while it is set and SentAt is not, nobody knows whether it arrived
	SentAt    *time.Time
	GaveUpAt  *time.Time
	Failure   string // what the mail server said last, or what to do
}

// MailState is where a mail is on its way.
type MailState string

// The states of a mail.
const (
	MailWaiting   MailState = "waiting"
	MailSending   MailState = "sending"
	MailSent      MailState = "sent"
	MailFailed    MailState = "failed"    // given up
	MailUncertain MailState = "uncertain" // given up: it may have arrived
)

// State returns where a mail is on its way.
func (m *Mail) State() MailState {
	switch {
	case m.SentAt != nil:
		return MailSent
	case m.GaveUpAt != nil && m.SendingAt != nil:
		return MailUncertain
	case m.GaveUpAt != nil:
		return MailFailed
	case m.SendingAt != nil:
		return MailSending
	}
	return MailWaiting
}

// MaxSubject is the longest subject of a mail in bytes.
const MaxSubject = 300

// Check refuses what must not become the header of a mail: no plain address, an empty or long subject, control characters.
func (m *Mail) Check() error {
	if _, err := EmailKey(m.To); err != nil {
		return err
	}
	if m.Subject == "" || len(m.Subject) > MaxSubject || strings.ContainsFunc(m.Subject, unicode.IsControl) {
		return Errorf(Invalid, "The subject of a mail is one line of at most %d bytes.", MaxSubject).WithField("subject")
	}
	if m.Text == "" {
		return Errorf(Invalid, "A mail needs a text.").WithField("text")
	}
	return nil
}
