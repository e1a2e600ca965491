package outbox

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"github.com/drawbridge-id/drawbridge/identity"
)

// talk is how long the server has for the greeting, and for each mail.
const talk = 20 * time.Second

// Security is how the way to the mail server is kept from others.
type Security string

// The kinds of security. Nothing of a password is ever sent in the clear.
const (
	StartTLS Security = "starttls" // a server that offers none is not used (RFC 3207)
	Implicit Security = "tls"      // from the first byte (RFC 8314)
	Plain    Security = "none"     // no encryption, for a server in the own network that wants no password
)

// Server is the SMTP server that takes every mail. Without a user it wants no password.
type Server struct {
	Host     string
	Port     int
	User     string
	Password string
	Security Security
}

// String returns the server's address, without who signs in there.
func (s Server) String() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// state is what a try came to.
type state int

const (
	later    state = iota // not now: it is tried again
	accepted              // the server has it
	refused               // never
	unknown               // the server may have it or not
)

// outcome is how a try ended: with the server's words, and whether the connection is of use for another mail.
type outcome struct {
	state  state
	text   string
	broken bool
}

// session is an open connection to the mail server. A nil one is closed.
type session struct{ client *gomail.Client }

// dial connects, encrypts and signs in.
func (o *Outbox) dial(ctx context.Context) (*session, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.tls != nil {
		config = o.tls.Clone()
	}
	config.ServerName = o.server.Host
	options := []gomail.Option{gomail.WithTimeout(talk), gomail.WithTLSConfig(config)}
	switch o.server.Security {
	case Implicit:
		options = append(options, gomail.WithSSL())
	case Plain:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if o.server.User != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(o.server.User), gomail.WithPassword(o.server.Password))
	}
	client, err := gomail.NewClient(o.server.Host, append(options, gomail.WithPort(o.server.Port))...)
	if err != nil {
		return nil, err
	}
	if err := client.DialWithContext(ctx); err != nil {
		return nil, err
	}
	return &session{client}, nil
}

func (s *session) close() {
	if s != nil {
		_ = s.client.Close() // what it was for is settled
	}
}

// send hands one mail over. The server's own answer decides (RFC 5321 4.2.1): 4xx is tried again and 5xx is not. Without an answer to the whole mail
// nobody knows; without an answer before that, the server does not have it.
func (s *session) send(msg *gomail.Msg) outcome {
	err := s.client.Send(msg)
	if err == nil || msg.IsDelivered() {
		return outcome{state: accepted, broken: err != nil}
	}
	end := outcome{text: oneLine(err.Error())}
	var why *gomail.SendError
	if !errors.As(err, &why) {
		end.broken = true
		return end
	}
	switch code := why.ErrorCode(); {
	case code >= 500 && code < 600:
		end.state = refused
	case code >= 400:
	case why.Reason == gomail.ErrSMTPDataClose:
		end.state, end.text, end.broken = unknown, lostAnswer+end.text, true
	default:
		end.broken = true
	}
	return end
}

const lostAnswer = "The connection ended after the whole mail was handed over and before the server's answer, so nobody knows whether it arrived. " +
	"Look into the mail server's log for its Message-ID, which begins with this mail's id; then send it again if need be. "

// compose writes the message. Its Message-ID is made of the row's id, so that it is the same at every try.
func (o *Outbox) compose(m *identity.Mail) (*gomail.Msg, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(&o.from)
	if err := msg.To(m.To); err != nil {
		return nil, identity.Errorf(identity.Invalid, "This address cannot be written to.").WithCause(err)
	}
	msg.Subject(m.Subject)
	msg.SetMessageIDWithValue(string(m.ID) + "@" + identity.EmailDomain(o.from.Address))
	msg.SetDateWithValue(m.CreatedAt)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 5: no answers by machines
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	msg.SetBodyString(gomail.TypeTextPlain, m.Text+o.footer())
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	return msg, nil
}

func (o *Outbox) footer() string {
	if o.url == "" {
		return ""
	}
	return "\n-- \nDrawbridge at " + o.url + "\n"
}

// oneLine makes a server's words fit for a row and a list.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if r := []rune(s); len(r) > 500 {
		return string(r[:500]) + "…"
	}
	return s
}
