package smtptest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/mail"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// The only account that may hand mails over.
const (
	User     = "bridge"
	Password = "open sesame"
)

// Server is a real SMTP server with STARTTLS and passwords, in this process.
type Server struct {
	address *net.TCPAddr
	ca      *x509.CertPool

	mu   sync.Mutex
	got  []Letter
	rcpt func(to string) error // nil: everybody
	data func() error          // asked when the whole mail is there; nil: taken
}

// Letter is a mail that was taken.
type Letter struct {
	From, To  string
	Encrypted bool
	User      string // who signed in to hand it over
	Msg       *mail.Message
	Body      string // as it was sent
}

// New starts a server that stops when the test ends. A secure one offers STARTTLS; the other takes passwords in the clear.
func New(t testing.TB, secure bool) *Server {
	t.Helper()
	s := &Server{}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &talk{server: s, conn: c}, nil }))
	server.Domain, server.ErrorLog = "mx.example", log.New(io.Discard, "", 0)
	if secure {
		var cert tls.Certificate
		cert, s.ca = testCertificate(t)
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
	} else {
		server.AllowInsecureAuth = true
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = listener.Addr().(*net.TCPAddr)
	var served sync.WaitGroup
	served.Go(func() { _ = server.Serve(listener) }) // it ends with the listener
	t.Cleanup(func() { _, _ = listener.Close(), server.Close(); served.Wait() })
	return s
}

// testCertificate returns a certificate for 127.0.0.1 of an authority of its own.
func testCertificate(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// TLS is what a client needs to believe the server's name.
func (s *Server) TLS() *tls.Config { return &tls.Config{RootCAs: s.ca} }

// Port is where the server listens on 127.0.0.1.
func (s *Server) Port() int { return s.address.Port }

// Answers sets what the server says to a recipient, and when the whole mail is there; nil takes everything. ErrHangUp ends the connection in place of an answer.
func (s *Server) Answers(rcpt func(string) error, data func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rcpt, s.data = rcpt, data
}

// Letters are the mails that were taken, oldest first.
func (s *Server) Letters() []Letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Letter(nil), s.got...)
}

// talk is one connection.
type talk struct {
	server *Server
	conn   *smtp.Conn
	user   string
	from   string
	to     string
}

func (k *talk) AuthMechanisms() []string { return []string{sasl.Plain} }

func (k *talk) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != User || password != Password {
			return smtp.ErrAuthFailed
		}
		k.user = user
		return nil
	}), nil
}

func (k *talk) Mail(from string, _ *smtp.MailOptions) error { k.from = from; return nil }

func (k *talk) Rcpt(to string, _ *smtp.RcptOptions) error {
	k.to = to
	k.server.mu.Lock()
	defer k.server.mu.Unlock()
	if k.server.rcpt != nil {
		return k.server.rcpt(to)
	}
	return nil
}

func (k *talk) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	k.server.mu.Lock()
	data := k.server.data
	k.server.mu.Unlock()
	if data != nil {
		if err := data(); errors.Is(err, ErrHangUp) {
			return k.conn.Conn().Close()
		} else if err != nil {
			return err
		}
	}
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	body, err := io.ReadAll(msg.Body)
	if err != nil {
		return err
	}
	_, encrypted := k.conn.TLSConnectionState()
	k.server.mu.Lock()
	defer k.server.mu.Unlock()
	k.server.got = append(k.server.got, Letter{k.from, k.to, encrypted, k.user, msg, string(body)})
	return nil
}

func (k *talk) Reset()        {}
func (k *talk) Logout() error { return nil }

// ErrHangUp makes the server close the connection instead of answering.
var ErrHangUp = errors.New("hang up")
