package sso_test

import (
	"context"
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
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sso"
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

func TestM02MetadataThatIsTooLargeSlowOrEndlessLeavesTheOldInForce(t *testing.T) {
	if sso.FetchTimeout != 10*time.Second {
		t.Errorf("a provider has %v for its answer", sso.FetchTimeout)
	}
	renewals(t, func(t *testing.T, r *renewal) {
		sso.Hurry(r.door, 500*time.Millisecond)
		before := r.settings()
		for name, answer := range map[string]http.HandlerFunc{
			"too large": func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write([]byte("<x>" + strings.Repeat(" ", 3<<20)))
			},
			"slow": func(w http.ResponseWriter, req *http.Request) {
				_, _ = w.Write([]byte("<"))
				_ = http.NewResponseController(w).Flush()
				<-req.Context().Done()
			},
			"endless": func(w http.ResponseWriter, req *http.Request) {
				for req.Context().Err() == nil {
					if _, err := w.Write([]byte(strings.Repeat(" ", 64<<10))); err != nil {
						return
					}
				}
			},
			"away": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		} {
			r.does(answer)
			if _, err := r.refresh(); identity.KindOf(err) != identity.Invalid || identity.CodeOf(err) != "saml.metadata_unreachable" {
				t.Errorf("%s: %v", name, err)
			}
			if h := r.health(); !strings.Contains(h.Failure, "cannot be fetched") {
				t.Errorf("%s: the health says %q", name, h.Failure)
			}
		}
		if after := r.settings(); hexOf(after.Certificates[0]) != hexOf(before.Certificates[0]) || after.SSOURL != before.SSOURL {
			t.Error("the settings changed")
		}
		r.wantEvents()
		r.signsIn(r.old(), "")
		r.says(string(r.saml.Metadata()))
		if _, err := r.refresh(); err != nil || r.health().Failure != "" || r.health().SucceededAt == nil {
			t.Errorf("well again, and still: %v, %q", err, r.health().Failure)
		}
	})
}

func TestM04MetadataOfAnotherProviderIsRefusedAndAdministratorsAreTold(t *testing.T) {
	renewals(t, func(t *testing.T, r *renewal) {
		r.says(strings.Replace(r.metadataWith(newer().cert), r.saml.EntityID(), "https://other.example/metadata", 1))
		for range 2 { // told once, however often it is read
			if _, err := r.refresh(); identity.CodeOf(err) != "saml.other_provider" {
				t.Fatalf("%v", err)
			}
		}
		r.wantTrust(r.old().cert)
		r.wantEvents(identity.MetadataRefused)
		r.wantMails("was refused")
		if h := r.health(); !strings.Contains(h.Failure, "other.example") {
			t.Errorf("the health says %q", h.Failure)
		}
		r.signsIn(r.old(), "")
		r.signsIn(newer(), "saml.bad_certificate")
	})
}

func TestM05ANewCertificateIsTrustedBesideTheOldOne(t *testing.T) {
	renewals(t, func(t *testing.T, r *renewal) {
		r.says(r.metadataWith(newer().cert, r.old().cert))
		out, err := r.refresh()
		if err != nil || len(out.Changes) != 1 || out.Changes[0].Field != "certificates" {
			t.Fatalf("%+v, %v", out, err)
		}
		r.wantTrust(r.old().cert, newer().cert)
		r.wantEvents(identity.MetadataChanged)
		r.wantMails("has changed")
		r.signsIn(r.old(), "")
		r.signsIn(newer(), "")
		if out, err := r.refresh(); err != nil || len(out.Changes) != 0 {
			t.Errorf("the same metadata again: %+v, %v", out, err)
		}

		r.says(r.metadataWith(newer().cert))
		if _, err := r.refresh(); err != nil {
			t.Fatal(err)
		}
		r.wantTrust(r.old().cert, newer().cert)
		goes := r.settings().Retiring[hexOf(r.old().cert)]
		if left := time.Until(goes); left < 6*24*time.Hour || left > 8*24*time.Hour {
			t.Errorf("the old certificate goes in %v", left)
		}
		r.signsIn(r.old(), "")

		r.change(func(s *identity.SAMLSettings) { s.Retiring = map[string]time.Time{hexOf(r.old().cert): time.Now()} })
		if _, err := r.refresh(); err != nil {
			t.Fatal(err)
		}
		r.wantTrust(newer().cert)
		r.wantEvents(identity.MetadataChanged, identity.MetadataChanged, identity.MetadataChanged)
		r.wantMails("has changed")
		r.signsIn(r.old(), "saml.bad_certificate")
		r.signsIn(newer(), "")
	})
}

func TestM06OtherCertificatesWaitForApprovalWhereTheyArePinned(t *testing.T) {
	t.Run("not pinned: in force and audited", func(t *testing.T) {
		renewals(t, func(t *testing.T, r *renewal) {
			r.says(r.metadataWith(newer().cert))
			if out, err := r.refresh(); err != nil || len(out.Changes) == 0 || out.Held != nil {
				t.Fatalf("%+v, %v", out, err)
			}
			r.wantTrust(r.old().cert, newer().cert)
			r.wantEvents(identity.MetadataChanged)
			r.wantMails("has changed")
		})
	})
	t.Run("pinned: held until somebody decides", func(t *testing.T) {
		renewals(t, func(t *testing.T, r *renewal) {
			r.change(func(s *identity.SAMLSettings) { s.PinCertificates = true })
			r.says(r.metadataWith(newer().cert))
			var held *identity.MetadataChange
			for range 2 { // told once
				out, err := r.refresh()
				if err != nil || out.Held == nil || len(out.Changes) != 0 {
					t.Fatalf("%+v, %v", out, err)
				}
				held = out.Held
			}
			r.wantTrust(r.old().cert)
			r.wantEvents(identity.MetadataHeld)
			r.wantMails("Approve or reject")
			r.signsIn(newer(), "saml.bad_certificate")
			r.reject(held.Digest)
			r.approve(held.Digest)
		})
	})
}

// reject rejects what waits; the same metadata is then not asked about again.
func (r *renewal) reject(digest string) {
	r.t.Helper()
	pending, err := r.people.PendingMetadata(r.t.Context(), r.operator, r.viaSAML.ID)
	if err != nil || pending.Digest != digest || len(pending.Changes) == 0 {
		r.t.Fatalf("%+v, %v", pending, err)
	}
	if err := r.people.RejectMetadata(r.t.Context(), r.operator, r.viaSAML.ID, digest); err != nil {
		r.t.Fatal(err)
	}
	out, err := r.refresh()
	if err != nil || out.Held != nil || !out.Rejected || !strings.Contains(r.health().Failure, "rejected") {
		r.t.Errorf("after the rejection: %+v, %v, %q", out, err, r.health().Failure)
	}
	r.wantEvents(identity.MetadataHeld, identity.MetadataRejected)
	r.wantTrust(r.old().cert)
}

// approve lets a change of two certificates in: only as it was looked at, and by whom the platform is.
func (r *renewal) approve(stale string) {
	r.t.Helper()
	ctx, third := r.t.Context(), newPair()
	r.says(r.metadataWith(newer().cert, third.cert))
	out, err := r.refresh()
	if err != nil || out.Held == nil {
		r.t.Fatalf("%+v, %v", out, err)
	}
	if err := r.people.ApproveMetadata(ctx, r.operator, r.viaSAML.ID, stale); identity.KindOf(err) != identity.Precondition {
		r.t.Errorf("a change that nobody looked at was approved: %v", err)
	}
	stranger := identity.Actor{Kind: identity.ActorUser, ID: string(identity.NewID[identity.UserID]()), Roles: []identity.RoleID{"viewer"}}
	if err := r.people.ApproveMetadata(ctx, stranger, r.viaSAML.ID, out.Held.Digest); identity.KindOf(err) != identity.Forbidden {
		r.t.Errorf("a viewer approved it: %v", err)
	}
	if err := r.people.ApproveMetadata(ctx, r.operator, r.viaSAML.ID, out.Held.Digest); err != nil {
		r.t.Fatal(err)
	}
	r.wantTrust(r.old().cert, newer().cert, third.cert)
	r.wantEvents(identity.MetadataHeld, identity.MetadataRejected, identity.MetadataHeld, identity.MetadataApproved)
	r.signsIn(newer(), "")
	if _, err := r.people.PendingMetadata(ctx, r.operator, r.viaSAML.ID); identity.KindOf(err) != identity.NotFound {
		r.t.Errorf("it still waits: %v", err)
	}
	if out, err := r.refresh(); err != nil || out.Held != nil || len(out.Changes) != 0 {
		r.t.Errorf("approved, and still: %+v, %v", out, err)
	}
}

func TestAHostThatChangesWaitsWhereCertificatesArePinned(t *testing.T) {
	renewals(t, func(t *testing.T, r *renewal) {
		r.change(func(s *identity.SAMLSettings) { s.PinCertificates = true })
		good := string(r.saml.Metadata())
		sso := r.settings().SSOURL
		r.says(strings.Replace(good, `Location="`+sso, `Location="`+sso+"?tenant=7", 1))
		if out, err := r.refresh(); err != nil || len(out.Changes) != 1 || r.settings().SSOURL != sso+"?tenant=7" {
			t.Fatalf("another path: %+v, %v", out, err)
		}
		r.says(strings.Replace(good, `Location="`+sso, `Location="https://phish.example/sso`, 1))
		if out, err := r.refresh(); err != nil || out.Held == nil || r.settings().SSOURL != sso+"?tenant=7" {
			t.Fatalf("another host: %+v, %v", out, err)
		}
		r.says(good)
		if out, err := r.refresh(); err != nil || out.Held != nil {
			t.Fatalf("taken back: %+v, %v", out, err)
		}
		r.wantEvents(identity.MetadataChanged, identity.MetadataHeld, identity.MetadataRejected, identity.MetadataChanged)
	})
}

func TestMetadataIsReadByOneReplicaOnlyAndSoonerAfterAFailure(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		first := &renewal{house: build(t, storetest.Open(t, url))}
		second := sso.New(sso.Options{Provisioning: provisioning.New(storetest.Open(t, url), first.people.Model()), Authn: first.authn, URL: first.url, AllowPrivate: true})
		first.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			first.mu.Lock()
			defer first.mu.Unlock()
			first.asked++
			w.WriteHeader(http.StatusServiceUnavailable)
		}))
		t.Cleanup(first.server.Close)
		first.change(func(s *identity.SAMLSettings) { s.MetadataURL = first.server.URL })
		var both sync.WaitGroup
		for _, d := range []*sso.Door{first.door, second, first.door, second} {
			both.Go(func() {
				if _, err := d.RefreshDue(context.WithoutCancel(t.Context()), time.Hour); err != nil {
					t.Errorf("%v", err)
				}
			})
		}
		both.Wait()
		if first.asked != 1 {
			t.Errorf("the provider was asked %d times", first.asked)
		}
		if n, err := second.RefreshDue(t.Context(), time.Hour); n != 0 || err != nil {
			t.Errorf("%d were due again at once (%v)", n, err)
		}
		if !strings.Contains(first.health().Failure, "503") {
			t.Errorf("the health says %q", first.health().Failure)
		}
	})
}
