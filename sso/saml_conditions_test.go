package sso

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"github.com/drawbridge-id/drawbridge/sso/ssotest"
	"github.com/drawbridge-id/drawbridge/web"
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

func TestC01AnotherAudienceIsRefused(t *testing.T) {
	hold(t, row{"another audience", func(s *samlCase) { s.answer.Audiences = []string{"https://other.example.com"} }, "saml.wrong_audience"},
		row{"a second restriction without us", beforehand(func(r *etree.Element) {
			r.FindElement(".//saml:Conditions").CreateElement("saml:AudienceRestriction").CreateElement("saml:Audience").SetText("urn:other")
		}), "saml.wrong_audience"})
	// The administrator is shown what came and what was expected, of every condition that fails.
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

func TestC02AnAssertionForEverybodyIsRefused(t *testing.T) {
	hold(t, row{"no audience restriction", func(s *samlCase) { s.answer.Audiences = nil }, "saml.wrong_audience"},
		row{"an empty restriction", beforehand(func(r *etree.Element) {
			restriction := r.FindElement(".//saml:AudienceRestriction")
			restriction.RemoveChild(child(restriction, "Audience"))
		}), "saml.wrong_audience"})
}

func TestC04AnotherRecipientIsRefused(t *testing.T) {
	hold(t, row{"another recipient", func(s *samlCase) { s.answer.Recipient = "https://evil.example/acs" }, "saml.wrong_recipient"},
		row{"no recipient", func(s *samlCase) { s.answer.Recipient = "" }, "saml.wrong_recipient"})
}

func TestC05AnotherDestinationIsRefused(t *testing.T) {
	hold(t, row{"another destination", func(s *samlCase) { s.answer.Destination = "https://evil.example/acs" }, "saml.wrong_destination"},
		row{"another destination on a signed response", signResponse(func(s *samlCase) { s.answer.Destination = "https://evil.example/acs" }), "saml.wrong_destination"},
		row{"no destination on a signed response", signResponse(func(s *samlCase) { s.answer.Destination = "" }), "saml.wrong_destination"},
		row{"no destination on an unsigned response", func(s *samlCase) { s.answer.Destination = "" }, ""})
}

func TestC06AnotherIssuerIsRefused(t *testing.T) {
	hold(t, row{"of the assertion", func(s *samlCase) { s.answer.Issuer = "https://evil.example" }, "saml.wrong_issuer"},
		row{"of the response", func(s *samlCase) { s.answer.ResponseIssuer = "https://evil.example" }, "saml.wrong_issuer"},
		row{"none of the assertion", func(s *samlCase) { s.answer.Issuer = "" }, "saml.wrong_issuer"})
}

func TestC08AStatusThatIsNotSuccessIsRefusedAndShown(t *testing.T) {
	hold(t, row{"Responder", func(s *samlCase) { s.answer.Status = "urn:oasis:names:tc:SAML:2.0:status:Responder" }, "saml.status"},
		row{"two statuses", beforehand(func(r *etree.Element) { r.AddChild(child(r, "Status").Copy()) }), "saml.status"},
		row{"no status", beforehand(func(r *etree.Element) { r.RemoveChild(child(r, "Status")) }), "saml.status"})
	s := newSAMLCase(t)
	s.answer.Before = func(r *etree.Element) {
		status := child(r, "Status")
		code := child(status, "StatusCode")
		code.CreateAttr("Value", "urn:oasis:names:tc:SAML:2.0:status:Responder")
		code.CreateElement("samlp:StatusCode").CreateAttr("Value", "urn:oasis:names:tc:SAML:2.0:status:RequestDenied")
		status.CreateElement("samlp:StatusMessage").SetText("not in the group")
	}
	_, tr, err := s.verify(t)
	wantCode(t, tr, err, "saml.status")
	if !strings.Contains(tr.failures(), `got "Responder / RequestDenied: not in the group"`) {
		t.Errorf("the trace says%s", tr.failures())
	}
}

func TestC09Version11IsRefused(t *testing.T) {
	hold(t, row{"both", func(s *samlCase) { s.answer.Version = "1.1" }, "saml.version"},
		row{"the assertion", beforehand(func(r *etree.Element) { child(r, "Assertion").CreateAttr("Version", "1.1") }), "saml.version"},
		row{"the response", beforehand(func(r *etree.Element) { r.CreateAttr("Version", "1.1") }), "saml.version"},
		row{"none", beforehand(func(r *etree.Element) { r.RemoveAttr("Version") }), "saml.version"})
}

func TestC10AnAssertionOutOfItsTimeIsRefused(t *testing.T) {
	hold(t, row{"expired", func(s *samlCase) { s.answer.NotOnOrAfter = s.at(-61 * time.Second) }, "saml.expired"},
		row{"not yet valid", func(s *samlCase) { s.answer.NotBefore = s.at(61 * time.Second) }, "saml.not_yet_valid"},
		row{"an end that is no time", func(s *samlCase) { s.answer.NotOnOrAfter = "tomorrow" }, "saml.expired"},
		row{"a time without a zone", func(s *samlCase) { s.answer.NotOnOrAfter = "2999-01-01T00:00:00" }, "saml.expired"},
		row{"more than five minutes are never allowed", func(s *samlCase) {
			s.connection.Skew, s.answer.NotOnOrAfter = time.Hour, s.at(-6*time.Minute)
		}, "saml.expired"})
}

func TestC13AnAssertionFromTheFutureIsRefused(t *testing.T) {
	hold(t, row{"issued in an hour", func(s *samlCase) { s.answer.IssueInstant = s.at(time.Hour) }, "saml.from_the_future"},
		row{"issued at no time", func(s *samlCase) { s.answer.IssueInstant = "yesterday" }, "saml.from_the_future"},
		row{"signed in in an hour", func(s *samlCase) { s.answer.AuthnInstant = s.at(time.Hour) }, "saml.from_the_future"})
}

func TestC14AConfirmationOutOfItsTimeIsRefused(t *testing.T) {
	hold(t, row{"expired", func(s *samlCase) { s.answer.ConfirmationEnd = s.at(-2 * time.Minute) }, "saml.confirmation_expired"},
		row{"without an end", func(s *samlCase) { s.answer.ConfirmationEnd = "" }, "saml.confirmation_expired"},
		row{"with a beginning in the future", beforehand(func(r *etree.Element) {
			r.FindElement(".//saml:SubjectConfirmationData").CreateAttr("NotBefore", ssotest.Stamp(time.Now().Add(time.Hour)))
		}), "saml.not_yet_valid"})
}

func TestC15AConfirmationThatNeedsOtherProofsIsRefused(t *testing.T) {
	for _, method := range []string{"holder-of-key", "sender-vouches"} {
		hold(t, row{method, func(s *samlCase) { s.answer.Method = "urn:oasis:names:tc:SAML:2.0:cm:" + method }, "saml.no_confirmation"})
	}
}

func TestC16AnAssertionWithoutConfirmationIsRefused(t *testing.T) {
	hold(t, row{"no confirmation", func(s *samlCase) { s.answer.Method = "" }, "saml.no_confirmation"})
}

func TestC17AnAssertionThatLacksAPartIsRefused(t *testing.T) {
	hold(t, row{"no confirmation data", without("saml:Subject/saml:SubjectConfirmation/saml:SubjectConfirmationData"), "saml.no_confirmation"},
		row{"no subject", without("saml:Subject"), "saml.no_confirmation"},
		row{"no conditions", without("saml:Conditions"), "saml.no_conditions"},
		row{"two subjects", beforehand(func(r *etree.Element) { child(r, "Assertion").AddChild(r.FindElement(".//saml:Subject").Copy()) }), "saml.no_confirmation"},
		row{"two conditions", beforehand(func(r *etree.Element) { child(r, "Assertion").AddChild(r.FindElement(".//saml:Conditions").Copy()) }), "saml.no_conditions"},
		row{"no id", func(s *samlCase) {
			s.answer.SignAssertion, s.answer.SignResponse = false, true
			s.answer.Before = func(r *etree.Element) { child(r, "Assertion").RemoveAttr("ID") }
		}, "saml.duplicate_id"},
		row{"no assertion at all", func(s *samlCase) {
			s.answer.SignResponse = true
			s.answer.Before = func(r *etree.Element) { r.RemoveChild(child(r, "Assertion")) }
		}, "saml.no_assertion"})
}

func TestC18AnAssertionWithoutASignInIsRefused(t *testing.T) {
	hold(t, row{"no authentication statement", func(s *samlCase) { s.answer.AuthnInstant = "" }, "saml.no_authn_statement"})
}

func TestC20AnAssertionThatNamesNobodyIsRefused(t *testing.T) {
	hold(t, row{"neither NameID nor e-mail", func(s *samlCase) { s.answer.NameID, s.answer.Attributes = "", nil }, "saml.no_identity"},
		row{"only spaces", func(s *samlCase) { s.answer.NameID, s.answer.Attributes = " \n ", nil }, "saml.no_identity"},
		row{"no NameID and no e-mail", func(s *samlCase) {
			s.answer.Attributes = nil
			without("saml:Subject/saml:NameID")(s)
		}, "saml.no_identity"})
}

// The requests that a response answers; the rows of the flow are tested through the door.
func TestTheRequestsOfResponseAndAssertionAreOne(t *testing.T) {
	hold(t, row{"F03 InResponseTo of response and assertion differ", func(s *samlCase) { s.answer.ConfirmationRequest = "_other" }, "saml.wrong_request"},
		row{"F03 InResponseTo is missing in the assertion", func(s *samlCase) { s.answer.ConfirmationRequest = "" }, "saml.wrong_request"},
		row{"F06 unsolicited", func(s *samlCase) { s.answer.InResponseTo, s.answer.ConfirmationRequest = "", "" }, "saml.unsolicited"})
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

// meant is an identity as an assertion has it, and whom it means.
type meant struct {
	name           string
	nameID, format string
	claim          string
	attributes     []ssotest.Attribute
	code           string
	subject, email string
}

func mail(values ...string) ssotest.Attribute { return ssotest.Attribute{Name: "mail", Values: values} }

func TestC21WhitespaceAroundAnIdentityIsNoPartOfIt(t *testing.T) {
	means(t, meant{name: "around NameID and e-mail", nameID: "\n  u1 \n", attributes: []ssotest.Attribute{mail(" ada@example.com\n")}, subject: "u1", email: "ada@example.com"},
		meant{name: "around a NameID that is an address", nameID: "\t ada@example.com\n", subject: "ada@example.com", email: "ada@example.com"},
		meant{name: "two addresses in one value", nameID: "u1", attributes: []ssotest.Attribute{mail("ada@example.com,eve@example.com")}, code: "saml.bad_email"},
		meant{name: "a line break inside an address", nameID: "u1", attributes: []ssotest.Attribute{mail("ada@example.com\neve@example.com")}, code: "saml.bad_email"})
}

func TestC22SeveralAddressesAreRefusedUnlessTheyAreOne(t *testing.T) {
	means(t, meant{name: "two values", nameID: "u1", attributes: []ssotest.Attribute{mail("ada@example.com", "eve@example.com")}, code: "saml.ambiguous_email"},
		meant{name: "two attributes", nameID: "u1", attributes: []ssotest.Attribute{mail("ada@example.com"), {Name: "email", Values: []string{"eve@example.com"}}}, code: "saml.ambiguous_email"},
		meant{name: "one address in two spellings", nameID: "u1", attributes: []ssotest.Attribute{mail("ada@example.com", "Ada@Example.COM")}, subject: "u1", email: "Ada@Example.COM"},
		meant{name: "one address in two attributes", nameID: "u1", attributes: []ssotest.Attribute{mail("ada@example.com"), {Name: "email", Values: []string{"ada@example.com"}}}, subject: "u1", email: "ada@example.com"})
}

func TestWhoTheAssertionMeans(t *testing.T) {
	const transient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
	named := func(name string) []ssotest.Attribute {
		return []ssotest.Attribute{{Name: name, Values: []string{"ada@example.com"}}}
	}
	means(t, meant{name: "the connection's own attribute decides", nameID: "u1", claim: "work", attributes: []ssotest.Attribute{mail("ada@example.com"), {Name: "work", Values: []string{"al@example.com"}}}, subject: "u1", email: "al@example.com"},
		meant{name: "the connection's own attribute is missing", nameID: "ada@example.com", claim: "work", attributes: []ssotest.Attribute{mail("ada@example.com")}, subject: "ada@example.com", email: ""},
		meant{name: "Entra's claim URI", nameID: "u1", attributes: named("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"), subject: "u1", email: "ada@example.com"},
		meant{name: "the OID of mail", nameID: "u1", attributes: named("urn:oid:0.9.2342.19200300.100.1.3"), subject: "u1", email: "ada@example.com"},
		meant{name: "the old name of mail", nameID: "u1", attributes: named("urn:mace:dir:attribute-def:mail"), subject: "u1", email: "ada@example.com"},
		meant{name: "the NameID is an address", nameID: "ada@example.com", subject: "ada@example.com", email: "ada@example.com"},
		meant{name: "no address at all", nameID: "u1", subject: "u1"},
		meant{name: "a transient NameID gives way to a stable attribute", nameID: "_x7", format: transient, attributes: []ssotest.Attribute{{Name: "uid", Values: []string{"ada"}}, mail("ada@example.com")}, subject: "ada", email: "ada@example.com"},
		meant{name: "a transient NameID gives way to the address", nameID: "_x7", format: transient, attributes: []ssotest.Attribute{mail("Ada@example.com")}, subject: "ada@example.com", email: "Ada@example.com"},
		meant{name: "a transient NameID alone is nobody", nameID: "_x7", format: transient, code: "saml.no_identity"})
}

// means fails unless each assertion means who it should.
func means(t *testing.T, cases ...meant) {
	t.Helper()
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			s := newSAMLCase(t)
			s.answer.NameID, s.answer.Attributes, s.connection.SAML.EmailClaim = tt.nameID, tt.attributes, tt.claim
			if tt.format != "" {
				s.answer.NameIDFormat = tt.format
			}
			v, tr, err := s.verify(t)
			wantCode(t, tr, err, tt.code)
			if err != nil && web.Status(err) != http.StatusForbidden {
				t.Errorf("the status is %d", web.Status(err))
			}
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
