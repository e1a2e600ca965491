package outbox_test

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

	"github.com/drawbridge-id/drawbridge/outbox"
	"github.com/drawbridge-id/drawbridge/store"
)

// mailServer is a real SMTP server with STARTTLS and passwords, in this process.
type mailServer struct {
	t       testing.TB
	address *net.TCPAddr
	ca      *x509.CertPool

	mu   sync.Mutex
	got  []letter
	rcpt func(to string) error // nil: everybody
	data func() error          // asked when the whole mail is there; nil: taken
}

// letter is a mail that was taken.
type letter struct {
	from, to  string
	encrypted bool
	user      string
	msg       *mail.Message
	body      string
}

func newMailServer(t testing.TB, secure bool) *mailServer {
	t.Helper()
	s := &mailServer{t: t}
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

// outbox returns one that sends to this server.
func (s *mailServer) outbox(db *store.DB, change func(*outbox.Options)) *outbox.Outbox {
	o := outbox.Options{
		DB: db, From: mail.Address{Name: "Drawbridge", Address: "no-reply@id.example"}, URL: "https://id.example", TLS: &tls.Config{RootCAs: s.ca},
		Server: outbox.Server{Host: "127.0.0.1", Port: s.address.Port, User: "bridge", Password: "open sesame", Security: outbox.StartTLS},
	}
	if change != nil {
		change(&o)
	}
	return outbox.New(o)
}

func (s *mailServer) answers(rcpt func(string) error, data func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rcpt, s.data = rcpt, data
}

func (s *mailServer) letters() []letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]letter(nil), s.got...)
}

// talk is one connection.
type talk struct {
	server *mailServer
	conn   *smtp.Conn
	user   string
	from   string
	to     string
}

func (k *talk) AuthMechanisms() []string { return []string{sasl.Plain} }

func (k *talk) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "bridge" || password != "open sesame" {
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
		if err := data(); errors.Is(err, errHangUp) {
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
	k.server.got = append(k.server.got, letter{k.from, k.to, encrypted, k.user, msg, string(body)})
	return nil
}

func (k *talk) Reset()        {}
func (k *talk) Logout() error { return nil }

// errHangUp makes the server close the connection instead of answering.
var errHangUp = errors.New("hang up")
