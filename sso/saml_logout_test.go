package sso_test

import (
	"bytes"
	"compress/flate"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// wantUnsignedOut fails unless a log-out was refused with that code, and leads to a page that tells only the reference.
func (b *browser) wantUnsignedOut(res reply, code string) {
	b.h.t.Helper()
	trace := b.h.lastTrace()
	status := http.StatusForbidden
	if code == "saml.malformed" || code == "saml.too_large" {
		status = http.StatusBadRequest
	}
	if res.StatusCode != status || trace.Code != code || trace.OK || trace.Purpose != identity.PurposeLogout {
		b.h.t.Fatalf("answered %d with %q, want %q\n%s", res.StatusCode, trace.Code, code, b.h.traceText())
	}
	if !strings.Contains(res.body, string(trace.ID)) || strings.Contains(res.body, code) || !strings.Contains(res.body, "We could not sign you out") {
		b.h.t.Errorf("the page is %s", res.body)
	}
}

// signedIn returns a browser in which somebody signed in through SAML, with the session.
func (h *house) signedIn(email string) (*browser, identity.Session) {
	h.t.Helper()
	b := h.browser()
	return b, b.wantSession(b.samlSignIn(email), "").Session
}

func (b *browser) gone() bool {
	_, err := b.session()
	return err != nil
}

func TestF15ALogoutAtTheProviderEndsTheSessionsThatItNames(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		slo := h.at(h.viaSAML, "slo")
		byRedirect := func(l *ssotest.Logout) reply {
			query, err := l.Redirect("state & more")
			if err != nil {
				t.Fatal(err)
			}
			return h.browser().get(slo + "?" + query)
		}
		byPost := func(l *ssotest.Logout) reply {
			form, err := l.Post("state & more")
			if err != nil {
				t.Fatal(err)
			}
			return h.browser().post(slo, form)
		}
		for name, send := range map[string]func(*ssotest.Logout) reply{"redirect": byRedirect, "post": byPost} {
			t.Run(name, func(t *testing.T) {
				one, session := h.signedIn(ada.Email)
				two, _ := h.signedIn(ada.Email)
				bob, _ := h.signedIn("bob@example.com")
				request := h.saml.LogoutRequest(h.samlSP, ada.Subject, session.SessionIndex)
				h.wantAnswer(send(request), request.ID)
				if !one.gone() || two.gone() || bob.gone() {
					t.Errorf("one %v, the same person elsewhere %v, somebody else %v", one.gone(), two.gone(), bob.gone())
				}
				request = h.saml.LogoutRequest(h.samlSP, ada.Subject)
				h.wantAnswer(send(request), request.ID)
				if !two.gone() || bob.gone() {
					t.Errorf("without an index: the person %v, somebody else %v", two.gone(), bob.gone())
				}
				unknown := h.saml.LogoutRequest(h.samlSP, "nobody")
				h.wantAnswer(send(unknown), unknown.ID)
				if res := send(unknown); res.StatusCode != http.StatusForbidden || h.lastTrace().Code != "saml.replay" {
					t.Errorf("a second time: %d\n%s", res.StatusCode, h.traceText())
				}
			})
		}
		t.Run("a transient name and every algorithm", func(t *testing.T) { h.everyAlgorithm(slo) })
	})
}

// wantAnswer fails unless the browser carries a signed answer to the request to where the provider wants answers, with its RelayState.
func (h *house) wantAnswer(res reply, request string) {
	h.t.Helper()
	if res.StatusCode != http.StatusSeeOther || !h.lastTrace().OK {
		h.t.Fatalf("answered %d: %s\n%s", res.StatusCode, res.body, h.traceText())
	}
	before := len(h.saml.Received())
	if at := h.browser().get(res.Header.Get("Location")); at.StatusCode != http.StatusOK {
		h.t.Fatalf("the provider refuses our answer: %d %s", at.StatusCode, at.body)
	}
	got := h.saml.Received()[before]
	want := strings.TrimSuffix(h.saml.EntityID(), "/metadata") + "/slo?answer=1"
	if got.InResponseTo != request || got.Status.Code.Value != "urn:oasis:names:tc:SAML:2.0:status:Success" || got.RelayState != "state & more" || got.Destination != want {
		h.t.Errorf("our answer is %+v", got)
	}
}

// everyAlgorithm signs people in by names that change, and ends their sessions with each algorithm of a detached signature.
func (h *house) everyAlgorithm(slo string) {
	h.t.Helper()
	curves := map[string]elliptic.Curve{ssotest.ECDSASHA256: elliptic.P256(), ssotest.ECDSASHA384: elliptic.P384(), ssotest.ECDSASHA512: elliptic.P521()}
	h.saml.Change(func(a *ssotest.Answer) {
		a.NameID, a.NameIDFormat = "transient-1", "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
	})
	h.t.Cleanup(func() { h.saml.Change(nil) })
	_, original := h.saml.Key()
	for _, method := range []string{ssotest.RSASHA256, ssotest.RSASHA384, ssotest.RSASHA512, ssotest.PSSSHA256, ssotest.ECDSASHA256, ssotest.ECDSASHA384, ssotest.ECDSASHA512} {
		b, session := h.signedIn("turing@example.com")
		if session.NameID != "transient-1" || session.Subject == "transient-1" {
			h.t.Fatalf("the session is %+v", session)
		}
		l := h.saml.LogoutRequest(h.samlSP, "transient-1")
		l.SignatureMethod = method
		if curve := curves[method]; curve != nil {
			key, err := ecdsa.GenerateKey(curve, rand.Reader)
			if err != nil {
				h.t.Fatal(err)
			}
			cert, err := ssotest.SelfSigned(key, "elliptic")
			if err != nil {
				h.t.Fatal(err)
			}
			l.Key = key
			h.set(func(c *identity.Connection) { c.SAML.Certificates = [][]byte{original, cert} })
		}
		query, err := l.Redirect("state & more")
		if err != nil {
			h.t.Fatal(err)
		}
		h.wantAnswer(h.browser().get(slo+"?"+query), l.ID)
		if !b.gone() {
			h.t.Errorf("%s: the session goes on", method)
		}
	}
}

func TestF16ALogoutThatTheProviderDidNotSignEndsNothing(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		b, session := h.signedIn(ada.Email)
		stranger, err := ssotest.NewSAML("https://stranger.example")
		if err != nil {
			t.Fatal(err)
		}
		foreign, foreignCert := stranger.Key()
		for name, tt := range map[string]struct {
			change func(*ssotest.Logout)
			codes  [2]string // by redirect and by POST
		}{
			"unsigned":                 {func(l *ssotest.Logout) { l.SignatureMethod = "" }, both("saml.unsigned")},
			"a foreign key":            {func(l *ssotest.Logout) { l.Key, l.Certificate = foreign, foreignCert }, [2]string{"saml.bad_signature", "saml.bad_certificate"}},
			"SHA-1":                    {func(l *ssotest.Logout) { l.SignatureMethod = ssotest.RSASHA1 }, both("saml.weak_algorithm")},
			"another issuer":           {func(l *ssotest.Logout) { l.Issuer = "https://stranger.example" }, both("saml.wrong_issuer")},
			"another destination":      {func(l *ssotest.Logout) { l.Destination = h.at(h.viaSAML, "acs") }, both("saml.wrong_destination")},
			"no destination":           {func(l *ssotest.Logout) { l.Destination = "" }, both("saml.wrong_destination")},
			"over":                     {func(l *ssotest.Logout) { l.NotOnOrAfter = ssotest.Stamp(time.Now().Add(-time.Hour)) }, both("saml.expired")},
			"an hour old":              {func(l *ssotest.Logout) { l.IssueInstant = ssotest.Stamp(time.Now().Add(-time.Hour)) }, both("saml.expired")},
			"an hour ahead":            {func(l *ssotest.Logout) { l.IssueInstant = ssotest.Stamp(time.Now().Add(time.Hour)) }, both("saml.from_the_future")},
			"no NameID":                {func(l *ssotest.Logout) { l.NameID = "" }, both("saml.no_identity")},
			"an encrypted NameID":      {func(l *ssotest.Logout) { l.Encrypted = true }, both("saml.encrypted_nameid_unsupported")},
			"a comment in the NameID":  {func(l *ssotest.Logout) { l.NameID = "00u-<!-- x -->ada" }, both("saml.mixed_content")},
			"an answer to a sign-in":   {func(l *ssotest.Logout) { l.Tag = "Response" }, both("saml.malformed")},
			"SAML 1.1":                 {func(l *ssotest.Logout) { l.Version = "1.1" }, both("saml.version")},
			"no id":                    {func(l *ssotest.Logout) { l.ID = "" }, [2]string{"saml.duplicate_id", "saml.signature_shape"}},
			"an id like a whole novel": {func(l *ssotest.Logout) { l.ID = "_" + strings.Repeat("x", 600) }, both("saml.duplicate_id")},
		} {
			t.Run(name, func(t *testing.T) {
				l := h.saml.LogoutRequest(h.samlSP, ada.Subject, session.SessionIndex)
				tt.change(l)
				query, err := l.Redirect("")
				if err != nil {
					t.Fatal(err)
				}
				b.wantUnsignedOut(b.get(h.at(h.viaSAML, "slo")+"?"+query), tt.codes[0])
				form, err := l.Post("")
				if err != nil {
					t.Fatal(err)
				}
				b.wantUnsignedOut(b.post(h.at(h.viaSAML, "slo"), form), tt.codes[1])
				if b.gone() {
					t.Error("the session is over")
				}
			})
		}
		t.Run("other spellings and shapes", func(t *testing.T) { h.oddRedirects(b) })
	})
}

func both(code string) [2]string { return [2]string{code, code} }

// oddRedirects sends log-outs that were signed once and changed afterwards, and one that was only spelled unusually, which is good.
func (h *house) oddRedirects(b *browser) {
	h.t.Helper()
	slo := h.at(h.viaSAML, "slo") + "?"
	query, err := h.saml.LogoutRequest(h.samlSP, ada.Subject).Redirect("relay")
	if err != nil {
		h.t.Fatal(err)
	}
	for bad, code := range map[string]string{
		strings.Replace(query, "RelayState=relay", "RelayState=other", 1): "saml.bad_signature",
		strings.Replace(query, "&RelayState=relay", "", 1):                "saml.bad_signature",
		query + "&SAMLRequest=x":                                          "saml.malformed",
		query + "&SAMLResponse=x":                                         "saml.malformed",
		query + "&Relay%53tate=x":                                         "saml.malformed",
		strings.Replace(query, "RelayState=", "Relay%53tate=", 1):         "saml.malformed",
		strings.Replace(query, "SAMLRequest=", "SAMLRequest=%25", 1):      "saml.malformed",
		query + "&SAMLEncoding=urn:other":                                 "saml.malformed",
		strings.Replace(query, "rsa-sha256", "hmac-sha256", 1):            "saml.algorithm",
		"": "saml.malformed",
	} {
		b.wantUnsignedOut(b.get(slo+bad), code)
	}
	form := url.Values{"SAMLRequest": {"%%%"}}
	b.wantUnsignedOut(b.post(slo, form), "saml.malformed")
	if b.gone() {
		h.t.Fatal("the session is over")
	}
	// The parameters in another order, with small letters in the percent signs, as some providers write them; signed as they are.
	l := h.saml.LogoutRequest(h.samlSP, ada.Subject)
	l.SignatureMethod = ""
	if query, err = l.Redirect(""); err != nil {
		h.t.Fatal(err)
	}
	message := regexp.MustCompile(`%[0-9A-F]{2}`).ReplaceAllStringFunc(query, strings.ToLower)
	l.SignatureMethod = ssotest.RSASHA256
	if query, err = l.SignQuery(message + "&RelayState=state%20%26%20more"); err != nil {
		h.t.Fatal(err)
	}
	parts := strings.Split(query, "&")
	slices.Reverse(parts)
	h.wantAnswer(b.get(slo+"own=1&"+strings.Join(parts, "&")), l.ID)
	if !b.gone() {
		h.t.Error("the session goes on")
	}
}

func TestASwitchedOffConnectionEndsNothing(t *testing.T) {
	h := build(t, storetest.SQLite(t))
	b, _ := h.signedIn("bob@example.com")
	h.set(func(c *identity.Connection) { c.Enabled = false })
	query, err := h.saml.LogoutRequest(h.samlSP, "ssotest-bob").Redirect("")
	if err != nil {
		t.Fatal(err)
	}
	b.wantUnsignedOut(b.get(h.at(h.viaSAML, "slo")+"?"+query), "connection.disabled")
}

func TestX08AMessageThatInflatesBeyond512KiBIsRefused(t *testing.T) {
	eachDatabase(t, func(t *testing.T, h *house) {
		b, _ := h.signedIn(ada.Email)
		for _, parameter := range []string{"SAMLRequest", "SAMLResponse"} {
			for size, code := range map[int]string{20 << 20: "saml.too_large", 512<<10 + 1: "saml.too_large", 512 << 10: "saml.malformed"} {
				l := h.saml.LogoutRequest(h.samlSP, ada.Subject)
				query, err := l.SignQuery(parameter + "=" + url.QueryEscape(deflated(t, size)))
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				b.wantUnsignedOut(b.get(h.at(h.viaSAML, "slo")+"?"+query), code)
				if took := time.Since(began); took > sso.Slowdown*2*time.Second {
					t.Errorf("%d bytes took %v", size, took)
				}
			}
		}
		if b.gone() {
			t.Error("the session is over")
		}
	})
}

// deflated returns that many zeros as the redirect binding carries them.
func deflated(t *testing.T, size int) string {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}
