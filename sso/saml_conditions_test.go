package sso

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

func replaceOnce(s, old, new string) string {
	if !strings.Contains(s, old) {
		panic("not found: " + old)
	}
	return strings.Replace(s, old, new, 1)
}

// without removes an element of the assertion, named by its path, before signing.
func without(path string) func(*samlCase) {
	return func(s *samlCase) {
		s.answer.Before = func(r *etree.Element) {
			el := r.FindElement("./saml:Assertion/" + path)
			el.Parent().RemoveChild(el)
		}
	}
}

func signResponse(do func(*samlCase)) func(*samlCase) {
	return func(s *samlCase) {
		s.answer.SignResponse = true
		do(s)
	}
}

func TestConditions(t *testing.T) {
	tests := []struct {
		name string
		do   func(*samlCase)
		code string
	}{
		{"C01 another audience", func(s *samlCase) { s.answer.Audiences = []string{"https://other.example.com"} }, "saml.wrong_audience"},
		{"C02 no audience restriction", func(s *samlCase) { s.answer.Audiences = nil }, "saml.wrong_audience"},
		{"C03 two audiences, ours first", func(s *samlCase) { s.answer.Audiences = append(s.answer.Audiences, "urn:other") }, ""},
		{"C03 two audiences, ours last", func(s *samlCase) { s.answer.Audiences = append([]string{"urn:other"}, s.answer.Audiences...) }, ""},
		{"a second restriction without us", func(s *samlCase) {
			s.answer.Before = func(r *etree.Element) {
				r.FindElement(".//saml:Conditions").CreateElement("saml:AudienceRestriction").CreateElement("saml:Audience").SetText("urn:other")
			}
		}, "saml.wrong_audience"},
		{"C04 another recipient", func(s *samlCase) { s.answer.Recipient = "https://evil.example/acs" }, "saml.wrong_recipient"},
		{"C04 no recipient", func(s *samlCase) { s.answer.Recipient = "" }, "saml.wrong_recipient"},
		{"C05 another destination", func(s *samlCase) { s.answer.Destination = "https://evil.example/acs" }, "saml.wrong_destination"},
		{"C05 no destination on a signed response", signResponse(func(s *samlCase) { s.answer.Destination = "" }), "saml.wrong_destination"},
		{"C06 another issuer of the assertion", func(s *samlCase) { s.answer.Issuer = "https://evil.example" }, "saml.wrong_issuer"},
		{"C06 another issuer of the response", func(s *samlCase) { s.answer.ResponseIssuer = "https://evil.example" }, "saml.wrong_issuer"},
		{"C07 the response is for another connection", func(s *samlCase) {
			s.want.acs = strings.Replace(s.want.acs, "0001", "0002", 1)
			s.want.entityID = strings.Replace(s.want.entityID, "0001", "0002", 1)
		}, "saml.wrong_destination"},
		{"C08 the status is not Success", func(s *samlCase) { s.answer.Status = "urn:oasis:names:tc:SAML:2.0:status:Responder" }, "saml.status"},
		{"C09 version 1.1", func(s *samlCase) { s.answer.Version = "1.1" }, "saml.version"},
		{"C10 expired", func(s *samlCase) { s.answer.NotOnOrAfter = s.at(-61 * time.Second) }, "saml.expired"},
		{"C10 not yet valid", func(s *samlCase) { s.answer.NotBefore = s.at(61 * time.Second) }, "saml.not_yet_valid"},
		{"C11 expired within the skew", func(s *samlCase) { s.answer.NotOnOrAfter = s.at(-59 * time.Second) }, ""},
		{"C11 not yet valid within the skew", func(s *samlCase) { s.answer.NotBefore = s.at(59 * time.Second) }, ""},
		{"C11 a larger skew of the connection", func(s *samlCase) {
			s.connection.Skew, s.answer.NotOnOrAfter = 3*time.Minute, s.at(-2*time.Minute)
		}, ""},
		{"C11 no skew above five minutes", func(s *samlCase) {
			s.connection.Skew, s.answer.NotOnOrAfter = time.Hour, s.at(-6*time.Minute)
		}, "saml.expired"},
		{"C12 issued two minutes ago", func(s *samlCase) { s.answer.IssueInstant = s.at(-2 * time.Minute) }, ""},
		{"C13 issued in an hour", func(s *samlCase) { s.answer.IssueInstant = s.at(time.Hour) }, "saml.from_the_future"},
		{"an issue instant that is no time", func(s *samlCase) { s.answer.IssueInstant = "yesterday" }, "saml.from_the_future"},
		{"C14 the confirmation expired", func(s *samlCase) { s.answer.ConfirmationEnd = s.at(-2 * time.Minute) }, "saml.confirmation_expired"},
		{"C14 the confirmation has no end", func(s *samlCase) { s.answer.ConfirmationEnd = "" }, "saml.confirmation_expired"},
		{"C15 holder of key", func(s *samlCase) { s.answer.Method = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key" }, "saml.no_confirmation"},
		{"C15 sender vouches", func(s *samlCase) { s.answer.Method = "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches" }, "saml.no_confirmation"},
		{"C16 no confirmation", func(s *samlCase) { s.answer.Method = "" }, "saml.no_confirmation"},
		{"C17 no confirmation data", without("saml:Subject/saml:SubjectConfirmation/saml:SubjectConfirmationData"), "saml.no_confirmation"},
		{"C17 no subject", without("saml:Subject"), "saml.no_confirmation"},
		{"C17 no conditions", without("saml:Conditions"), "saml.no_conditions"},
		{"C18 no authentication statement", func(s *samlCase) { s.answer.AuthnInstant = "" }, "saml.no_authn_statement"},
		{"C19 the provider's session is over", func(s *samlCase) { s.answer.SessionNotOnOrAfter = s.at(-2 * time.Minute) }, "saml.session_over"},
		{"C20 neither NameID nor e-mail", func(s *samlCase) { s.answer.NameID, s.answer.Attributes = "", nil }, "saml.no_identity"},
		{"F03 InResponseTo of response and assertion differ", func(s *samlCase) { s.answer.ConfirmationRequest = "_other" }, "saml.wrong_request"},
		{"F03 InResponseTo is missing in the assertion", func(s *samlCase) { s.answer.ConfirmationRequest = "" }, "saml.wrong_request"},
		{"F06 unsolicited", func(s *samlCase) { s.answer.InResponseTo, s.answer.ConfirmationRequest = "", "" }, "saml.unsolicited"},
		{"an assertion without an id", func(s *samlCase) {
			s.answer.SignAssertion, s.answer.SignResponse = false, true
			s.answer.Before = func(r *etree.Element) { child(r, "Assertion").RemoveAttr("ID") }
		}, "saml.duplicate_id"},
		{"no assertion at all", func(s *samlCase) {
			s.answer.SignResponse = true
			s.answer.Before = func(r *etree.Element) { r.RemoveChild(child(r, "Assertion")) }
		}, "saml.no_assertion"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSAMLCase(t)
			tt.do(s)
			_, tr, err := s.verify(t)
			wantCode(t, tr, err, tt.code)
		})
	}
}

func TestAGoodResponseBecomesClaims(t *testing.T) {
	s := newSAMLCase(t)
	s.answer.SessionNotOnOrAfter = s.at(time.Hour)
	v, tr, err := s.verify(t)
	wantCode(t, tr, err, "")
	c := v.claims
	got := fmt.Sprint(c.Issuer, "|", c.Subject, "|", c.Email, "|", c.EmailVerified, "|", c.GivenName, "|", c.FamilyName, "|", c.Groups, "|", c.SessionIndex == s.answer.SessionIndex)
	if want := "https://idp.example.com/metadata|00u-ada|ada@example.com|<nil>|Ada|Lovelace|[math engines]|true"; got != want {
		t.Errorf("claims\n got %s\nwant %s", got, want)
	}
	if c.SessionEnds == nil || ssotest.Stamp(*c.SessionEnds) != s.at(time.Hour) { // C19
		t.Errorf("the session ends at %v, want %s", c.SessionEnds, s.at(time.Hour))
	}
	if v.inResponseTo != requestID || v.assertionID != s.answer.AssertionID {
		t.Errorf("request %q and assertion %q", v.inResponseTo, v.assertionID)
	}
	if end := s.want.now.Add(6 * time.Minute); v.replayUntil.Sub(end).Abs() > 2*time.Second { // F01: until NotOnOrAfter and the skew
		t.Errorf("remembered until %v, want %v", v.replayUntil, end)
	}
	if len(tr.checks) < 15 || tr.failures() != "" {
		t.Errorf("%d checks in the trace%s", len(tr.checks), tr.failures())
	}
}

func TestTheTraceShowsEveryConditionThatFails(t *testing.T) { // C01, B05
	s := newSAMLCase(t)
	s.answer.Audiences, s.answer.Recipient = []string{"urn:other"}, "https://evil.example/acs"
	_, tr, err := s.verify(t)
	wantCode(t, tr, err, "saml.wrong_audience")
	for _, want := range []string{`audience: got "urn:other", expected "` + s.want.entityID, `subject confirmation: got "https://evil.example/acs", expected "` + s.want.acs} {
		if !strings.Contains(tr.failures(), want) {
			t.Errorf("the trace lacks %s:%s", want, tr.failures())
		}
	}
}

func TestWhoTheAssertionMeans(t *testing.T) {
	const transient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
	mail := func(values ...string) ssotest.Attribute { return ssotest.Attribute{Name: "mail", Values: values} }
	tests := []struct {
		name           string
		nameID, format string
		claim          string
		attributes     []ssotest.Attribute
		code           string
		subject, email string
	}{
		{name: "C21 whitespace around NameID and e-mail", nameID: "\n  u1 \n", attributes: []ssotest.Attribute{mail(" ada@example.com\n")}, subject: "u1", email: "ada@example.com"},
		{name: "C21 two addresses in one value", nameID: "u1", attributes: []ssotest.Attribute{mail("ada@example.com,eve@example.com")}, code: "saml.bad_email"},
		{name: "C22 two addresses", nameID: "u1", attributes: []ssotest.Attribute{mail("ada@example.com", "eve@example.com")}, code: "saml.ambiguous_email"},
		{name: "C22 two addresses in two attributes", nameID: "u1", attributes: []ssotest.Attribute{mail("ada@example.com"), {Name: "email", Values: []string{"eve@example.com"}}}, code: "saml.ambiguous_email"},
		{name: "C22 one address in two spellings", nameID: "u1", attributes: []ssotest.Attribute{mail("ada@example.com", "Ada@Example.COM")}, subject: "u1", email: "Ada@Example.COM"},
		{name: "the connection's own attribute decides", nameID: "u1", claim: "work", attributes: []ssotest.Attribute{mail("ada@example.com"), {Name: "work", Values: []string{"al@example.com"}}}, subject: "u1", email: "al@example.com"},
		{name: "the connection's own attribute is missing", nameID: "ada@example.com", claim: "work", attributes: []ssotest.Attribute{mail("ada@example.com")}, subject: "ada@example.com", email: ""},
		{name: "Entra's claim URI", nameID: "u1", attributes: []ssotest.Attribute{{Name: "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", Values: []string{"ada@example.com"}}}, subject: "u1", email: "ada@example.com"},
		{name: "the OID of mail", nameID: "u1", attributes: []ssotest.Attribute{{Name: "urn:oid:0.9.2342.19200300.100.1.3", Values: []string{"ada@example.com"}}}, subject: "u1", email: "ada@example.com"},
		{name: "the old name of mail", nameID: "u1", attributes: []ssotest.Attribute{{Name: "urn:mace:dir:attribute-def:mail", Values: []string{"ada@example.com"}}}, subject: "u1", email: "ada@example.com"},
		{name: "the NameID is an address", nameID: "ada@example.com", subject: "ada@example.com", email: "ada@example.com"},
		{name: "no address at all", nameID: "u1", subject: "u1"},
		{name: "a transient NameID gives way to a stable attribute", nameID: "_x7", format: transient, attributes: []ssotest.Attribute{{Name: "uid", Values: []string{"ada"}}, mail("ada@example.com")}, subject: "ada", email: "ada@example.com"},
		{name: "a transient NameID gives way to the address", nameID: "_x7", format: transient, attributes: []ssotest.Attribute{mail("Ada@example.com")}, subject: "ada@example.com", email: "Ada@example.com"},
		{name: "a transient NameID alone is nobody", nameID: "_x7", format: transient, code: "saml.no_identity"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSAMLCase(t)
			s.answer.NameID, s.answer.Attributes, s.connection.SAML.EmailClaim = tt.nameID, tt.attributes, tt.claim
			if tt.format != "" {
				s.answer.NameIDFormat = tt.format
			}
			v, tr, err := s.verify(t)
			wantCode(t, tr, err, tt.code)
			if err == nil && (v.claims.Subject != tt.subject || v.claims.Email != tt.email && !strings.EqualFold(v.claims.Email, tt.email)) {
				t.Errorf("subject %q and e-mail %q, want %q and %q", v.claims.Subject, v.claims.Email, tt.subject, tt.email)
			}
		})
	}
}

func TestAMissingAddressIsExplainedByWhatCame(t *testing.T) {
	s := newSAMLCase(t)
	s.answer.NameID, s.answer.Attributes = "u1", []ssotest.Attribute{{Name: "Role", Values: []string{"secret role"}}, {Name: "uid", Values: []string{"ada"}}}
	_, tr, err := s.verify(t)
	wantCode(t, tr, err, "")
	last := tr.checks[len(tr.checks)-1]
	for _, c := range tr.checks {
		if c.Name == "e-mail" {
			last = c
		}
	}
	if last.Got != "none; the attributes are Role, uid" {
		t.Errorf("the trace says %q", last.Got)
	}
}

func TestAnEncryptedNameIDIsRefusedClearly(t *testing.T) { // S37
	s := newSAMLCase(t)
	s.answer.Before = func(r *etree.Element) {
		subject := r.FindElement(".//saml:Subject")
		subject.RemoveChild(child(subject, "NameID"))
		subject.InsertChildAt(0, etree.NewElement("saml:EncryptedID"))
	}
	_, tr, err := s.verify(t)
	wantCode(t, tr, err, "saml.encrypted_nameid_unsupported")
	if identity.KindOf(err) != identity.Forbidden {
		t.Errorf("kind %v", identity.KindOf(err))
	}
}
