package sso

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
	"github.com/drawbridge-id/drawbridge/web"
)

// keyPair is a key with its certificate.
type keyPair struct {
	key  *rsa.PrivateKey
	cert []byte
}

func newKeyPair(bits int) keyPair {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	cert, err := ssotest.SelfSigned(key, "test")
	if err != nil {
		panic(err)
	}
	return keyPair{key, cert}
}

// The keys are made once: our own, and one that nobody pinned.
var (
	ownPair      = sync.OnceValue(func() keyPair { return newKeyPair(2048) })
	attackerPair = sync.OnceValue(func() keyPair { return newKeyPair(2048) })
	ada          = ssotest.Person{Subject: "00u-ada", Email: "ada@example.com", GivenName: "Ada", FamilyName: "Lovelace", Groups: []string{"math", "engines"}}
	testProvider = sync.OnceValue(func() *ssotest.SAML {
		idp, err := ssotest.NewSAML("https://idp.example.com", ada)
		if err != nil {
			panic(err)
		}
		return idp
	})
)

const requestID = "_request-1"

// samlCase is a connection and the answer that its provider is about to give.
type samlCase struct {
	connection identity.Connection
	want       expectation
	answer     *ssotest.Answer
	rewrite    func(raw string) string // what happens to the finished response on its way
}

func newSAMLCase(t testing.TB) *samlCase {
	t.Helper()
	idp, own := testProvider(), ownPair()
	_, cert := idp.Key()
	pkcs8, err := x509.MarshalPKCS8PrivateKey(own.key)
	if err != nil {
		t.Fatal(err)
	}
	base := "https://sp.example.com/sso/0197a000-0000-7000-8000-000000000001"
	s := &samlCase{want: expectation{entityID: base + "/metadata", acs: base + "/acs", now: time.Now()}}
	s.connection = identity.Connection{
		ID: "0197a000-0000-7000-8000-000000000001", Kind: identity.SAML, Enabled: true,
		SAML: identity.SAMLSettings{EntityID: idp.EntityID(), SSOURL: "https://idp.example.com/sso", Certificates: [][]byte{cert}, Certificate: own.cert, Key: pkcs8},
	}
	s.answer = idp.Answer(ssotest.SAMLClient{EntityID: s.want.entityID, ACS: s.want.acs}, requestID, ada)
	return s
}

func (s *samlCase) raw(t testing.TB) []byte {
	t.Helper()
	raw, err := s.answer.Render()
	if err != nil {
		t.Fatal(err)
	}
	if s.rewrite != nil {
		return []byte(s.rewrite(string(raw)))
	}
	return raw
}

func (s *samlCase) verify(t testing.TB) (verdict, *trail, error) {
	t.Helper()
	return s.verifyRaw(s.raw(t))
}

func (s *samlCase) verifyRaw(raw []byte) (verdict, *trail, error) {
	var tr trail
	v, err := verify(raw, &s.connection, s.want, &tr)
	return v, &tr, err
}

// at returns the stamp of a moment relative to the case's now.
func (s *samlCase) at(d time.Duration) string { return ssotest.Stamp(s.want.now.Add(d)) }

// row is one answer of a provider and what must come of it: a reason code, or none for success.
type row struct {
	name string
	do   func(*samlCase)
	code string
}

// hold runs the cases of a row. Whatever is wrong with what a message says, the browser gets 403.
func hold(t *testing.T, rows ...row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			s := newSAMLCase(t)
			r.do(s)
			v, tr, err := s.verify(t)
			wantCode(t, tr, err, r.code)
			if r.code == "" && v.claims.Subject != ada.Subject {
				t.Errorf("the subject is %q", v.claims.Subject)
			}
			if r.code != "" && web.Status(err) != http.StatusForbidden {
				t.Errorf("the status is %d", web.Status(err))
			}
		})
	}
}

// failures lists the failed checks of a trail, for messages.
func (t *trail) failures() string {
	var out string
	for _, c := range t.checks {
		if c.Result == identity.Failed {
			out += fmt.Sprintf("\n  %s: got %q, expected %q", c.Name, c.Got, c.Expected)
		}
	}
	return out
}

// wantCode fails the test unless err is a refusal with that code. No code means success.
func wantCode(t *testing.T, tr *trail, err error, code string) {
	t.Helper()
	if code == "" {
		if err != nil {
			t.Fatalf("refused with %q: %v%s", identity.CodeOf(err), err, tr.failures())
		}
		return
	}
	if err == nil {
		t.Fatalf("accepted, want %q", code)
	}
	if got := identity.CodeOf(err); got != code {
		t.Fatalf("refused with %q (%v), want %q%s", got, err, code, tr.failures())
	}
}

// child returns the first direct child with that tag, whatever its prefix.
func child(el *etree.Element, tag string) *etree.Element {
	for _, c := range el.ChildElements() {
		if c.Tag == tag {
			return c
		}
	}
	return nil
}

func encodeBase64(raw []byte) string { return base64.StdEncoding.EncodeToString(raw) }
