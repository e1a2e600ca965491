package sso_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

var refreshTo = regexp.MustCompile(`<meta http-equiv="refresh" content="0; url=([^"]*)">`)

// signOut signs out here and returns the provider's address that the browser is led to.
func (b *browser) signOut() string {
	b.h.t.Helper()
	res := b.do(http.NewRequest(http.MethodPost, b.h.url+"/signout", nil))
	found := refreshTo.FindStringSubmatch(res.body)
	if res.StatusCode != http.StatusOK || found == nil {
		b.h.t.Fatalf("signing out answered %d to %q: %s", res.StatusCode, res.Header.Get("Location"), res.body)
	}
	if !b.gone() {
		b.h.t.Fatal("the session is still there before the provider hears of it")
	}
	return strings.NewReplacer("&amp;", "&", "&#43;", "+").Replace(found[1])
}

func TestF14TheAnswerToOurLogoutIsBelievedOnlyAsItWasSigned(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		answers := func(b *browser) string {
			res := b.get(b.signOut())
			if res.StatusCode != http.StatusFound {
				t.Fatalf("the provider answered %d: %s", res.StatusCode, res.body)
			}
			return res.Header.Get("Location")
		}
		b, _ := h.signedIn(ada.Email)
		good := answers(b)
		if res := b.get(good); res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/signin?done=signed-out" {
			t.Fatalf("answered %d to %q\n%s", res.StatusCode, res.Header.Get("Location"), h.traceText())
		}
		if trace := h.lastTrace(); !trace.OK || trace.Purpose != identity.PurposeLogout || trace.UserID == "" {
			t.Errorf("the trace: %s", h.traceText())
		}
		b.wantUnsignedOut(b.get(good), "saml.unknown_request") // once

		altered := map[string]func(string) string{
			"saml.bad_signature": func(s string) string { return s + "&RelayState=added" },
			"saml.unsigned":      func(s string) string { return s[:strings.Index(s, "&SigAlg=")] },
		}
		for code, change := range altered {
			b, _ = h.signedIn(ada.Email)
			b.wantUnsignedOut(b.get(change(answers(b))), code)
			if !b.gone() {
				t.Error("a bad answer has brought the session back")
			}
		}
		for code, change := range map[string]func(*ssotest.Logout){
			"saml.wrong_issuer":      func(l *ssotest.Logout) { l.Issuer = "https://other.example" },
			"saml.wrong_destination": func(l *ssotest.Logout) { l.Destination = "https://other.example/slo" },
			"saml.unknown_request":   func(l *ssotest.Logout) { l.InResponseTo = "_other" },
			"saml.expired":           func(l *ssotest.Logout) { l.IssueInstant = ssotest.Stamp(time.Now().Add(-time.Hour)) },
			"saml.version":           func(l *ssotest.Logout) { l.Version = "1.1" },
		} {
			h.saml.ChangeLogout(change)
			b, _ = h.signedIn(ada.Email)
			b.wantUnsignedOut(b.get(answers(b)), code)
		}
		h.saml.ChangeLogout(nil)
		b, _ = h.signedIn(ada.Email)
		other := h.browser()
		other.wantUnsignedOut(other.get(answers(b)), "saml.other_browser")

		h.saml.ChangeLogout(func(l *ssotest.Logout) { l.Status = "urn:oasis:names:tc:SAML:2.0:status:Responder" })
		b, _ = h.signedIn(ada.Email)
		if res := b.get(answers(b)); res.Header.Get("Location") != "/signin?done=signed-out-here" || h.lastTrace().Code != "saml.logout_incomplete" {
			t.Errorf("a provider that fails: to %q\n%s", res.Header.Get("Location"), h.traceText())
		}
	})
}

func TestF17OurLogoutNamesTheSessionAsTheProviderDid(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.saml.Change(func(a *ssotest.Answer) {
			a.NameID = "transient &amp; odd"
			a.NameIDFormat = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
			a.Before = func(r *etree.Element) {
				name := r.FindElement("./saml:Assertion/saml:Subject/saml:NameID")
				name.CreateAttr("NameQualifier", "https://idp.example/q")
				name.CreateAttr("SPNameQualifier", h.samlSP.EntityID)
			}
		})
		b, session := h.signedIn(ada.Email)
		before := len(h.saml.Received())
		if res := b.get(b.signOut()); res.StatusCode != http.StatusFound {
			t.Fatalf("the provider refuses our log-out: %d %s", res.StatusCode, res.body)
		}
		got := h.saml.Received()[before]
		name := fmt.Sprint(got.NameID.Value, got.NameID.Format, got.NameID.NameQualifier, got.NameID.SPNameQualifier)
		if name != "transient & oddurn:oasis:names:tc:SAML:2.0:nameid-format:transienthttps://idp.example/q"+h.samlSP.EntityID {
			t.Errorf("the NameID is %+v", got.NameID)
		}
		if got.XMLName.Local != "LogoutRequest" || got.SessionIndex != session.SessionIndex || session.SessionIndex == "" || got.Destination != h.viaSAML.SAML.SLOURL {
			t.Errorf("the log-out is %+v", got)
		}
		h.saml.Change(nil)
		h.byForm()
		h.onlyHere()
	})
}

// byForm signs out at a provider that takes forms only.
func (h *house) byForm() {
	h.t.Helper()
	h.set(func(c *identity.Connection) { c.SAML.SLOBinding = identity.BindingPost })
	b, session := h.signedIn("bob@example.com")
	res := b.do(http.NewRequest(http.MethodPost, h.url+"/signout", nil))
	found := regexp.MustCompile(`name="SAMLRequest" value="([^"]*)"`).FindStringSubmatch(res.body)
	if found == nil || !strings.Contains(res.body, `action="`+h.viaSAML.SAML.SLOURL+`"`) || !strings.Contains(res.Header.Get("Content-Security-Policy"), "form-action 'self' https: http:") {
		h.t.Fatalf("answered %d: %s", res.StatusCode, res.body)
	}
	before := len(h.saml.Received())
	at := b.post(h.viaSAML.SAML.SLOURL, url.Values{"SAMLRequest": {strings.ReplaceAll(found[1], "&#43;", "+")}})
	if at.StatusCode != http.StatusFound || h.saml.Received()[before].SessionIndex != session.SessionIndex {
		h.t.Errorf("the provider answers %d: %s", at.StatusCode, at.body)
	}
}

// onlyHere signs out where there is nothing to end at the provider.
func (h *house) onlyHere() {
	h.t.Helper()
	for _, change := range []func(*identity.Connection){
		func(c *identity.Connection) { c.SAML.SLOURL = "" },
		func(c *identity.Connection) { c.SAML.SLOURL, c.Enabled = "https://idp.example/slo", false },
	} {
		b, _ := h.signedIn("bob@example.com")
		h.set(change)
		if res := b.do(http.NewRequest(http.MethodPost, h.url+"/signout", nil)); res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/signin?done=signed-out" || !b.gone() {
			h.t.Errorf("answered %d to %q, over: %v", res.StatusCode, res.Header.Get("Location"), b.gone())
		}
	}
}
