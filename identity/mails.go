package identity

import "time"

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
