package sso_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// answered is what a provider answers, and what the browser gets for it: a session, or 403 and a reason code in the trace.
type answered struct {
	name   string
	change func(h *house, a *ssotest.Answer)
	code   string
}

// signInWith lets somebody sign in for each answer, on both databases, over HTTP from the first request to the last.
func signInWith(t *testing.T, prepare func(h *house), answers ...answered) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := build(t, db)
		if prepare != nil {
			prepare(h)
		}
		for _, answer := range answers {
			t.Run(answer.name, func(t *testing.T) {
				h.t = t
				h.saml.Change(func(a *ssotest.Answer) { answer.change(h, a) })
				b := h.browser()
				res := b.samlSignIn(ada.Email)
				if answer.code != "" {
					b.wantRefusal(res, http.StatusForbidden, answer.code)
					return
				}
				if visit := b.wantSession(res, ""); visit.User.Email() != ada.Email {
					t.Errorf("signed in as %q", visit.User.Email())
				}
			})
		}
	})
}

// settle changes the SAML connection before anybody signs in.
func settle(change func(c *identity.Connection)) func(h *house) {
	return func(h *house) {
		h.t.Helper()
		if err := h.change(change); err != nil {
			h.t.Fatal(err)
		}
	}
}

// change changes the SAML connection as an administrator does.
func (h *house) change(change func(c *identity.Connection)) error {
	_, err := h.people.UpdateConnection(h.t.Context(), h.operator, h.viaSAML.ID, func(c *identity.Connection) error {
		change(c)
		return nil
	})
	return err
}

func as(change func(a *ssotest.Answer)) func(*house, *ssotest.Answer) {
	return func(_ *house, a *ssotest.Answer) { change(a) }
}

func TestS01AResponseThatNobodySignedIsRefused(t *testing.T) {
	signInWith(t, nil, answered{"neither response nor assertion", as(func(a *ssotest.Answer) { a.SignAssertion = false }), "saml.unsigned"})
}

func TestS27SHA1IsRefusedUnlessTheConnectionAllowsIt(t *testing.T) {
	sha1 := as(func(a *ssotest.Answer) { a.SignatureMethod = dsig.RSASHA1SignatureMethod })
	signInWith(t, nil, answered{"by default", sha1, "saml.weak_algorithm"})
	signInWith(t, settle(func(c *identity.Connection) { c.SAML.AllowSHA1 = true }), answered{"where it is allowed", sha1, ""})
}

func TestS29AShortKeyCannotBeSaved(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	short, err := ssotest.SelfSigned(key, "short")
	if err != nil {
		t.Fatal(err)
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := build(t, db)
		_, cert := h.saml.Key()
		encode := base64.StdEncoding.EncodeToString
		metadata := strings.Replace(string(h.saml.Metadata()), encode(cert), encode(short), 1)
		if _, err := h.door.Metadata(t.Context(), metadata, identity.SAMLSettings{}); identity.KindOf(err) != identity.Invalid || identity.CodeOf(err) != "saml.bad_metadata" {
			t.Errorf("the metadata is read: %v", err)
		}
		c := h.viaSAML
		c.ID, c.Name, c.SAML.Certificates = "", "Short", [][]byte{short}
		if _, err := h.people.CreateConnection(t.Context(), h.operator, c); identity.KindOf(err) != identity.Invalid {
			t.Errorf("the connection is made: %v", err)
		}
		if err := h.change(func(c *identity.Connection) { c.SAML.Certificates = [][]byte{short} }); identity.KindOf(err) != identity.Invalid {
			t.Errorf("the connection is changed: %v", err)
		}
	})
}

func TestS32AnEncryptedAssertionSignsIn(t *testing.T) {
	var answers []answered
	for _, cipher := range []string{ssotest.AES128CBC, ssotest.AES256CBC, ssotest.AES128GCM, ssotest.AES256GCM} {
		encrypt := func(h *house, a *ssotest.Answer) { a.EncryptTo, a.Cipher = h.samlSP.Certificate, cipher }
		answers = append(answers, answered{cipher + ", signed inside", encrypt, ""}, answered{cipher + ", signed outside", func(h *house, a *ssotest.Answer) {
			encrypt(h, a)
			a.SignAssertion, a.SignResponse = false, true
		}, ""})
	}
	signInWith(t, nil, answers...)
}

// Whatever a stranger does to the padding, the browser is shown one and the same page: nothing can be learnt by asking often.
func TestS36TheAnswerTellsNothingAboutThePadding(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := build(t, db)
		b := h.browser()
		h.saml.Change(func(a *ssotest.Answer) { a.EncryptTo, a.Cipher = h.samlSP.Certificate, ssotest.AES128CBC })
		response := b.samlResponse(ada.Email, "/console")
		pages, codes := map[string]int{}, map[string]int{}
		for i := range 200 {
			res := b.postResponse(otherPadding(t, response, i))
			trace := h.lastTrace()
			if res.StatusCode != http.StatusForbidden {
				t.Fatalf("mutation %d is answered %d", i, res.StatusCode)
			}
			pages[strings.ReplaceAll(res.body, string(trace.ID), "REFERENCE")]++
			codes[trace.Code]++
		}
		if len(pages) != 1 {
			t.Errorf("%d different pages, want one", len(pages))
		}
		if codes["saml.decrypt_failed"] < 100 {
			t.Errorf("the mutations were refused for %v: most should not have been opened", codes)
		}
		b.wantSession(b.postResponse(response), "")
	})
}

// otherPadding changes the last two blocks of the encrypted assertion.
func otherPadding(t *testing.T, response string, i int) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(response)
	if err != nil {
		t.Fatal(err)
	}
	end := bytes.LastIndex(raw, []byte("</xenc:CipherValue>"))
	start := bytes.LastIndexByte(raw[:end], '>') + 1
	sealed, err := base64.StdEncoding.DecodeString(string(raw[start:end]))
	if err != nil {
		t.Fatal(err)
	}
	sealed[len(sealed)-1-i%32] ^= byte(1 + i)
	return base64.StdEncoding.EncodeToString([]byte(string(raw[:start]) + base64.StdEncoding.EncodeToString(sealed) + string(raw[end:])))
}

func TestS37AnEncryptedNameIDIsRefusedClearly(t *testing.T) {
	signInWith(t, nil, answered{"instead of the NameID", as(func(a *ssotest.Answer) {
		a.Before = func(r *etree.Element) {
			subject := r.FindElement(".//saml:Subject")
			subject.RemoveChild(subject.SelectElement("saml:NameID"))
			subject.InsertChildAt(0, etree.NewElement("saml:EncryptedID"))
		}
	}), "saml.encrypted_nameid_unsupported"})
}

func TestS38ASignedResponseCoversItsUnsignedAssertion(t *testing.T) {
	signInWith(t, nil, answered{"only the response is signed", as(func(a *ssotest.Answer) { a.SignAssertion, a.SignResponse = false, true }), ""})
}

func TestS39OtherStrongAlgorithmsSignIn(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ssotest.SelfSigned(key, "ecdsa")
	if err != nil {
		t.Fatal(err)
	}
	pin := settle(func(c *identity.Connection) { c.SAML.Certificates = append(c.SAML.Certificates, cert) })
	curve := func(method string) func(*house, *ssotest.Answer) {
		return as(func(a *ssotest.Answer) { a.Key, a.Certificate, a.SignatureMethod = key, cert, method })
	}
	signInWith(t, pin,
		answered{"RSA-SHA384", as(func(a *ssotest.Answer) { a.SignatureMethod = dsig.RSASHA384SignatureMethod }), ""},
		answered{"RSA-SHA512", as(func(a *ssotest.Answer) { a.SignatureMethod = dsig.RSASHA512SignatureMethod }), ""},
		answered{"ECDSA P-256 with SHA-256", curve(dsig.ECDSASHA256SignatureMethod), ""},
		answered{"ECDSA P-256 with SHA-512", curve(dsig.ECDSASHA512SignatureMethod), ""},
		answered{"a method that is not the key's", as(func(a *ssotest.Answer) {
			a.After = func(r *etree.Element) {
				r.FindElement(".//ds:SignatureMethod").CreateAttr("Algorithm", dsig.ECDSASHA256SignatureMethod)
			}
		}), "saml.bad_signature"})
}

func TestC03TwoAudiencesSignInWhicheverIsOurs(t *testing.T) {
	signInWith(t, nil, answered{"ours first", as(func(a *ssotest.Answer) { a.Audiences = append(a.Audiences, "urn:other") }), ""},
		answered{"ours last", as(func(a *ssotest.Answer) { a.Audiences = append([]string{"urn:other"}, a.Audiences...) }), ""})
}

func TestC07AResponseIsWorthNothingAtAnotherConnection(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := build(t, db)
		tenant, err := h.people.CreateTenant(t.Context(), h.operator, "Other")
		if err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]identity.Connection{
			"of the installation": {Name: "Other SAML", Kind: identity.SAML, SAML: h.viaSAML.SAML},
			"of another tenant":   {Name: "Their SAML", Kind: identity.SAML, SAML: h.viaSAML.SAML, TenantID: tenant.ID},
		} {
			t.Run(name, func(t *testing.T) {
				h.t = t
				c.Domains, c.Unknown = []string{"other" + string(c.TenantID) + ".example"}, identity.UnknownRefuse
				other, err := h.people.CreateConnection(t.Context(), h.operator, c)
				if err != nil {
					t.Fatal(err)
				}
				b := h.browser()
				response := b.samlResponse(ada.Email, "/console")
				b.wantRefusal(b.postAt(other, response), http.StatusForbidden, "saml.wrong_destination")
				// Not even when the attacker may leave out where it goes.
				h.saml.Change(func(a *ssotest.Answer) { a.Destination, a.Recipient = "", h.at(other, "acs") })
				b.wantRefusal(b.postAt(other, b.samlResponse(ada.Email, "/console")), http.StatusForbidden, "saml.wrong_audience")
				h.saml.Change(nil)
			})
		}
	})
}

func TestC11AMinuteOfSkewIsForgiven(t *testing.T) {
	ago := func(d time.Duration) string { return ssotest.Stamp(time.Now().Add(-d)) }
	expired := func(d time.Duration) func(*house, *ssotest.Answer) {
		return as(func(a *ssotest.Answer) { a.NotOnOrAfter = ago(d) })
	}
	signInWith(t, nil,
		answered{"our clock is ahead", as(func(a *ssotest.Answer) { a.NotOnOrAfter, a.ConfirmationEnd = ago(50*time.Second), ago(50*time.Second) }), ""},
		answered{"our clock is behind", as(func(a *ssotest.Answer) {
			a.NotBefore, a.IssueInstant, a.AuthnInstant = ago(-50*time.Second), ago(-50*time.Second), ago(-50*time.Second)
		}), ""},
		answered{"two minutes are too much", expired(2 * time.Minute), "saml.expired"})
	signInWith(t, settle(func(c *identity.Connection) { c.Skew = 5 * time.Minute }),
		answered{"four minutes, where the connection allows five", expired(4 * time.Minute), ""},
		answered{"six are too much", expired(6 * time.Minute), "saml.expired"})
	h := build(t, storetest.SQLite(t))
	if err := h.change(func(c *identity.Connection) { c.Skew = 6 * time.Minute }); identity.KindOf(err) != identity.Invalid {
		t.Errorf("a connection may allow six minutes: %v", err)
	}
}

func TestC12AResponseThatTookTwoMinutesSignsIn(t *testing.T) {
	signInWith(t, nil, answered{"issued two minutes ago", as(func(a *ssotest.Answer) {
		a.IssueInstant, a.AuthnInstant = ssotest.Stamp(time.Now().Add(-2*time.Minute)), ssotest.Stamp(time.Now().Add(-2*time.Minute))
	}), ""})
}

func TestC19TheProvidersSessionEndsOurs(t *testing.T) {
	signInWith(t, nil, answered{"over already", as(func(a *ssotest.Answer) { a.SessionNotOnOrAfter = ssotest.Stamp(time.Now().Add(-2 * time.Minute)) }), "saml.session_over"})
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := build(t, db)
		end := time.Now().Add(20 * time.Minute)
		h.saml.Change(func(a *ssotest.Answer) { a.SessionNotOnOrAfter = ssotest.Stamp(end) })
		b := h.browser()
		if visit := b.wantSession(b.samlSignIn(ada.Email), ""); visit.Session.ExpiresAt.Sub(end).Abs() > 2*time.Second {
			t.Errorf("the session ends at %v, want %v", visit.Session.ExpiresAt, end)
		}
	})
}

// postAt posts a response to a connection's ACS.
func (b *browser) postAt(c identity.Connection, response string) reply {
	b.h.t.Helper()
	return b.post(b.h.at(c, "acs"), map[string][]string{"SAMLResponse": {response}})
}

// large is a posted form of n bytes or more.
func large(unit string, n int) string { return strings.Repeat(unit, n/len(unit)+1) }

func TestX06AMillionNestedElementsAreRefusedBeforeTheyAreRead(t *testing.T) {
	tooLarge(t, base64.StdEncoding.EncodeToString([]byte(large("<a>", 3<<20)+large("</a>", 4<<20))))
}

func TestX07AFormThatIsTooLargeIsRefused(t *testing.T) {
	tooLarge(t, large("A", 512<<10))
}

func tooLarge(t *testing.T, response string) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := build(t, db)
		b := h.browser()
		b.wantRefusal(b.postResponse(response), http.StatusRequestEntityTooLarge, "saml.too_large")
	})
}

// A good sign-in is not kept waiting by fifty bad ones. A second is what the table says; this machine may be doing other things, so it is three, of
// the fastest of three.
func TestX10FiftyBadResponsesAtOnceDoNotHarmAGoodOne(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := build(t, db)
		fastest := time.Hour
		for round := range 3 {
			good := h.browser()
			response := good.samlResponse(ada.Email, "/console")
			var bad sync.WaitGroup
			for i := range 50 {
				bad.Go(func() { attack(t, h, round*50+i) })
			}
			began := time.Now()
			good.wantSession(good.postResponse(response), "")
			fastest = min(fastest, time.Since(began))
			bad.Wait()
		}
		if fastest > sso.Slowdown*3*time.Second {
			t.Errorf("a good sign-in took %v", fastest)
		}
	})
}

// attack posts a bad response: nested, with as many elements as fit, encrypted, or signed by the provider for nobody's request.
func attack(t *testing.T, h *house, i int) {
	t.Helper()
	var response string
	switch i % 4 {
	case 0:
		response = base64.StdEncoding.EncodeToString([]byte(large("<a>", 300<<10)))
	case 1:
		response = base64.StdEncoding.EncodeToString([]byte(`<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol">` + large(`<a b="c">d</a>`, 300<<10)))
	case 2:
		response = h.answer("_bad"+strconv.Itoa(i), func(a *ssotest.Answer) { a.EncryptTo, a.SignAssertion = h.samlSP.Certificate, false })
	default:
		response = h.answer("_bad"+strconv.Itoa(i), nil)
	}
	if res := h.browser().postResponse(response); res.StatusCode < 400 || res.StatusCode >= 500 {
		t.Errorf("bad response %d is answered %d", i, res.StatusCode)
	}
}

func TestTheTraceKeepsWhatTheProviderSaid(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := build(t, db)
		for _, audience := range []string{h.samlSP.EntityID, "urn:other"} {
			h.saml.Change(func(a *ssotest.Answer) { a.Audiences = []string{audience} })
			h.browser().samlSignIn(ada.Email)
			if trace := h.lastTrace(); !slices.Contains(trace.Facts, identity.Fact{Name: "audience", Value: audience}) || trace.Email != ada.Email || trace.Subject == "" {
				t.Errorf("for the audience %s the trace is %s", audience, h.traceText())
			}
		}
	})
}
