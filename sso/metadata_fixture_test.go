package sso_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// renewal is a house whose SAML connection follows metadata that the test changes.
type renewal struct {
	*house
	server *httptest.Server
	asked  int
	mu     sync.Mutex
	answer http.HandlerFunc
}

// renewals runs a test on both databases, with a Super Admin who can be written to.
func renewals(t *testing.T, test func(t *testing.T, r *renewal)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := &renewal{house: build(t, db)}
		r.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			r.mu.Lock()
			r.asked++
			answer := r.answer
			r.mu.Unlock()
			answer(w, req)
		}))
		t.Cleanup(r.server.Close)
		r.says(string(r.saml.Metadata()))
		r.superAdmin("root@bridge.example")
		r.change(func(s *identity.SAMLSettings) { s.MetadataURL = r.server.URL })
		test(t, r)
	})
}

// says makes the provider's metadata that text.
func (r *renewal) says(text string) {
	r.does(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) })
}

func (r *renewal) does(answer http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *renewal) superAdmin(email string) {
	r.t.Helper()
	_, err := r.people.CreateUser(r.t.Context(), r.operator, provisioning.NewUser{
		User: identity.User{UserName: email, Enabled: true, Emails: []identity.Email{{Value: email, Primary: true}}}, Role: "superadmin",
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// change changes the connection's settings by hand.
func (r *renewal) change(do func(*identity.SAMLSettings)) {
	r.t.Helper()
	_, err := r.people.UpdateConnection(r.t.Context(), r.operator, r.viaSAML.ID, func(c *identity.Connection) error { do(&c.SAML); return nil })
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *renewal) settings() identity.SAMLSettings {
	r.t.Helper()
	c, err := r.people.Connection(r.t.Context(), r.operator, r.viaSAML.ID)
	if err != nil {
		r.t.Fatal(err)
	}
	return c.SAML
}

func (r *renewal) refresh() (identity.MetadataRefresh, error) {
	return r.door.Refresh(r.t.Context(), r.operator, r.viaSAML.ID)
}

func (r *renewal) health() identity.ConnectionHealth {
	r.t.Helper()
	all, err := r.people.ConnectionHealth(r.t.Context(), r.operator, r.viaSAML.ID)
	if err != nil {
		r.t.Fatal(err)
	}
	return all[r.viaSAML.ID]
}

// events returns the types of the connection's events, the oldest first.
func (r *renewal) events() []identity.EventType {
	r.t.Helper()
	page, err := r.people.Events(r.t.Context(), r.operator, provisioning.EventQuery{Limit: 100})
	if err != nil {
		r.t.Fatal(err)
	}
	var types []identity.EventType
	for _, e := range slices.Backward(page.Items) {
		if e.ObjectID == string(r.viaSAML.ID) && e.Type != identity.ConnectionCreated && e.Type != identity.ConnectionUpdated {
			types = append(types, e.Type)
		}
	}
	return types
}

func (r *renewal) wantEvents(want ...identity.EventType) {
	r.t.Helper()
	if got := r.events(); !slices.Equal(got, want) {
		r.t.Fatalf("the events are %q, want %q", got, want)
	}
}

// wantMails fails unless the Super Admin was written to with these words in the subjects, the oldest first.
func (r *renewal) wantMails(words ...string) {
	r.t.Helper()
	mails, err := r.people.Mails(r.t.Context(), r.operator, 100)
	if err != nil || len(mails) != len(words) {
		r.t.Fatalf("%d mails, want %d (%v)", len(mails), len(words), err)
	}
	slices.Reverse(mails)
	for i, m := range mails {
		if m.To != "root@bridge.example" || !strings.Contains(m.Subject, words[i]) {
			r.t.Errorf("mail %d goes to %s about %q, want %q", i, m.To, m.Subject, words[i])
		}
	}
}

// wantTrust fails unless exactly these certificates are trusted.
func (r *renewal) wantTrust(certs ...[]byte) {
	r.t.Helper()
	got := r.settings().Certificates
	same := len(got) == len(certs) && !slices.ContainsFunc(certs, func(c []byte) bool {
		return !slices.ContainsFunc(got, func(g []byte) bool { return string(g) == string(c) })
	})
	if !same {
		r.t.Fatalf("%d certificates are trusted, want %d others or more", len(got), len(certs))
	}
}

// signsIn fails unless somebody can sign in with an answer that this key signed, or cannot, with that code.
func (r *renewal) signsIn(p pair, code string) {
	r.t.Helper()
	r.saml.Change(func(a *ssotest.Answer) { a.Key, a.Certificate = p.key, p.cert })
	defer r.saml.Change(nil)
	b := r.browser()
	res := b.samlSignIn(ada.Email)
	if code == "" {
		b.wantSession(res, "")
		return
	}
	b.wantRefusal(res, http.StatusForbidden, code)
}

// pair is a key with its certificate.
type pair struct {
	key  *rsa.PrivateKey
	cert []byte
}

func newPair() pair {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	cert, err := ssotest.SelfSigned(key, "renewed")
	if err != nil {
		panic(err)
	}
	return pair{key, cert}
}

var newer = sync.OnceValue(newPair)

func (r *renewal) old() pair {
	key, cert := r.saml.Key()
	return pair{key.(*rsa.PrivateKey), cert}
}

// metadataWith returns the provider's metadata with these signing certificates.
func (r *renewal) metadataWith(certs ...[]byte) string {
	text := string(r.saml.Metadata())
	open, shut := strings.Index(text, "<md:KeyDescriptor"), strings.Index(text, "<md:SingleSignOn")
	descriptor := strings.TrimSpace(text[open:shut])
	var all strings.Builder
	for _, cert := range certs {
		all.WriteString(strings.Replace(descriptor, base64.StdEncoding.EncodeToString(r.old().cert), base64.StdEncoding.EncodeToString(cert), 1))
	}
	return text[:open] + all.String() + text[shut:]
}

func hexOf(cert []byte) string {
	sum := sha256.Sum256(cert)
	return hex.EncodeToString(sum[:])
}
