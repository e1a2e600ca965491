package config

import (
	"errors"
	"log/slog"
	"net"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
)

// SMTP is a mail server. The zero value is none. It prints without its password.
type SMTP struct {
	Host     string
	Port     int
	User     string
	Password string
	Implicit bool // TLS from the first byte
	Plain    bool // no TLS at all
}

// String returns the server as an address without its password, or "".
func (s SMTP) String() string {
	if s.Host == "" {
		return ""
	}
	u := url.URL{Scheme: "smtp", Host: net.JoinHostPort(s.Host, strconv.Itoa(s.Port))}
	if s.Implicit {
		u.Scheme = "smtps"
	}
	if s.User != "" {
		u.User = url.UserPassword(s.User, mask)
	}
	if s.Plain {
		u.RawQuery = "tls=none"
	}
	return strings.ReplaceAll(u.String(), "%2A%2A%2A", mask)
}

// GoString returns the same, for %#v.
func (s SMTP) GoString() string { return s.String() }

// LogValue returns the same, for slog.
func (s SMTP) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns the same, for JSON and YAML.
func (s SMTP) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads smtp://user:password@host:587 or smtps://user:password@host:465. Its errors never repeat what was written.
func (s *SMTP) UnmarshalText(text []byte) error {
	u, err := url.Parse(strings.TrimSpace(string(text)))
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps":
		return errors.New("it is no smtp or smtps address")
	case strings.Trim(u.Path, "/") != "" || u.Fragment != "":
		return errors.New("it has more than a scheme, a user, a host and a port")
	}
	read := SMTP{Host: u.Hostname(), Port: 587, User: u.User.Username(), Implicit: u.Scheme == "smtps"}
	read.Password, _ = u.User.Password()
	if read.Implicit {
		read.Port = 465
	}
	if text := u.Port(); text != "" {
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil || port == 0 {
			return errors.New("its port is none")
		}
		read.Port = int(port)
	}
	if (read.User == "") != (read.Password == "") {
		return errors.New("a user and a password come together or not at all")
	}
	if err := read.security(u.Query()); err != nil {
		return err
	}
	*s = read
	return nil
}

// security reads ?tls=none, which is for a server in the own network that wants no password.
func (s *SMTP) security(q url.Values) error {
	for name := range q {
		if name != "tls" {
			return errors.New("it has an unknown parameter; only tls=none is known")
		}
	}
	switch q.Get("tls") {
	case "":
	case "none":
		s.Plain = true
	default:
		return errors.New("tls may only be none")
	}
	if s.Plain && (s.User != "" || s.Implicit) {
		return errors.New("a password is never sent without TLS")
	}
	return nil
}

// Address is the sender of mails; the zero value is none.
type Address struct{ mail.Address }

// String returns the address as a header shows it, or "".
func (a Address) String() string {
	if a.Address.Address == "" {
		return ""
	}
	return a.Address.String()
}

// MarshalText returns the same, for JSON and YAML.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads an address, with a name or without.
func (a *Address) UnmarshalText(text []byte) error {
	parsed, err := mail.ParseAddress(strings.TrimSpace(string(text)))
	if err != nil {
		return errors.New("it is no mail address")
	}
	a.Address = *parsed
	return nil
}

// checkMail makes sure that there is a sender where there is a server.
func (s *Settings) checkMail(m *Mistakes) {
	if s.SMTP.Host != "" && s.SMTPFrom.Address.Address == "" {
		s.reject(m, "DRAWBRIDGE_SMTP_FROM", "it is required with DRAWBRIDGE_SMTP_URL")
	}
}
