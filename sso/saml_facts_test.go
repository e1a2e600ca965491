package sso

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

// factsOf returns the facts as "name: value".
func factsOf(v verdict) []string {
	var out []string
	for _, f := range v.facts {
		out = append(out, f.Name+": "+f.Value)
	}
	return out
}

func TestTheFactsOfATraceSayWhatTheProviderSaid(t *testing.T) {
	s := newSAMLCase(t)
	s.answer.SessionNotOnOrAfter = s.at(time.Hour)
	s.answer.Attributes = []ssotest.Attribute{
		{Name: "email", Values: []string{"ada@example.com"}},
		{Name: "department", Values: []string{" Analysis ", "Poetry"}},
		{Name: "department", Values: []string{"Machines"}},
		{Name: "userPassword", Values: []string{"hunter2"}},
		{Name: "long", Values: []string{strings.Repeat("x", 900)}},
	}
	v, tr, err := s.verify(t)
	wantCode(t, tr, err, "")
	want := []string{
		"issuer: https://idp.example.com/metadata", "destination: " + s.want.acs, "name id: 00u-ada", "name id format: urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
		"subject confirmation: bearer", "recipient: " + s.want.acs, "answers request: " + requestID, "confirmed until: " + s.answer.ConfirmationEnd,
		"not before: " + s.answer.NotBefore, "not on or after: " + s.answer.NotOnOrAfter, "audience: " + s.want.entityID, "authenticated at: " + s.answer.AuthnInstant,
		"authentication context: urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport", "session index: " + s.answer.SessionIndex, "session ends: " + s.answer.SessionNotOnOrAfter,
		"department: Analysis, Poetry, Machines", "email: ada@example.com", "long: " + strings.Repeat("x", maxShown) + "…", "userPassword: (hidden)",
	}
	if diff := cmp.Diff(want, factsOf(v)); diff != "" {
		t.Error(diff)
	}
}

// A refusal after a good signature says whom it was about; one before it says nothing that a stranger could have written.
func TestTheFactsOfARefusalAreThoseUnderAGoodSignature(t *testing.T) {
	s := newSAMLCase(t)
	s.answer.Audiences = []string{"urn:other"}
	v, tr, err := s.verify(t)
	wantCode(t, tr, err, "saml.wrong_audience")
	if v.claims.Subject != ada.Subject || v.claims.Email != ada.Email || !slices.Contains(factsOf(v), "audience: urn:other") {
		t.Errorf("%q, %q and the facts %v", v.claims.Subject, v.claims.Email, factsOf(v))
	}
	attacker(s)
	v, tr, err = s.verify(t)
	wantCode(t, tr, err, "saml.bad_certificate")
	if v.claims.Subject != "" || len(v.facts) != 0 {
		t.Errorf("%q and the facts %v of somebody who signed for themselves", v.claims.Subject, factsOf(v))
	}
}

func TestTheAttributesOfAnAssertionAreClaims(t *testing.T) {
	s := newSAMLCase(t)
	s.answer.Attributes = append(s.answer.Attributes, ssotest.Attribute{Name: "empty", Values: []string{" "}}, ssotest.Attribute{Name: " groups ", Values: []string{"poetry"}})
	s.answer.NameIDFormat = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	v, tr, err := s.verify(t)
	wantCode(t, tr, err, "")
	want := identity.Claims{Attributes: map[string][]string{
		"email": {"ada@example.com"}, "givenName": {"Ada"}, "surname": {"Lovelace"}, "groups": {"math", "engines", "poetry"},
	}}
	if diff := cmp.Diff(want.Attributes, v.claims.Attributes); diff != "" {
		t.Error(diff)
	}
	if v.claims.NameIDFormat != s.answer.NameIDFormat || v.claims.Token != "" {
		t.Errorf("the format is %q, the token %q", v.claims.NameIDFormat, v.claims.Token)
	}
}

func TestTheAttributesOfAnAssertionAreBounded(t *testing.T) {
	s := newSAMLCase(t)
	var values []string
	for i := range 2_100 {
		values = append(values, fmt.Sprint("g", i))
	}
	s.answer.Attributes = []ssotest.Attribute{{Name: "many", Values: values}, {Name: "long", Values: []string{strings.Repeat("x", 2_000), "short"}}, {Name: strings.Repeat("n", 300), Values: []string{"x"}}}
	for i := range 250 {
		s.answer.Attributes = append(s.answer.Attributes, ssotest.Attribute{Name: fmt.Sprint("a", i), Values: []string{"x"}})
	}
	v, tr, err := s.verifyRaw(signedOurselves(t, s))
	wantCode(t, tr, err, "")
	all := v.claims.Attributes
	if len(all) != maxClaims || len(all["many"]) != maxClaimValues || len(all["long"]) != 1 || len(v.facts) > 2*maxFacts+1 {
		t.Errorf("%d attributes, %d and %d values, %d facts", len(all), len(all["many"]), len(all["long"]), len(v.facts))
	}
}

// signedOurselves signs the assertion with our own canonical forms, because goxmldsig signs no more than 1,000 elements.
func signedOurselves(t *testing.T, s *samlCase) []byte {
	t.Helper()
	s.answer.SignAssertion = false
	raw := string(s.raw(t))
	root, err := parse([]byte(raw), responseDocument)
	must(err)
	digest := sha256.Sum256(canonical(only(root, nsAssertion, "Assertion"), nil, canonicalization{}))
	info := `<ds:SignedInfo xmlns:ds="` + nsSignature + `"><ds:CanonicalizationMethod Algorithm="` + nsExclusive + `"></ds:CanonicalizationMethod>` +
		`<ds:SignatureMethod Algorithm="` + dsig.RSASHA256SignatureMethod + `"></ds:SignatureMethod><ds:Reference URI="#` + s.answer.AssertionID + `"><ds:Transforms>` +
		`<ds:Transform Algorithm="` + methodEnveloped + `"></ds:Transform><ds:Transform Algorithm="` + nsExclusive + `"></ds:Transform></ds:Transforms>` +
		`<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod><ds:DigestValue>` + encodeBase64(digest[:]) + `</ds:DigestValue></ds:Reference></ds:SignedInfo>`
	sum := sha256.Sum256([]byte(info))
	value, err := s.answer.Key.Sign(rand.Reader, sum[:], crypto.SHA256)
	must(err)
	signature := `<ds:Signature xmlns:ds="` + nsSignature + `">` + info + `<ds:SignatureValue>` + encodeBase64(value) + `</ds:SignatureValue></ds:Signature>`
	return []byte(replaceOnce(raw, "<saml:Subject>", signature+"<saml:Subject>"))
}

func TestPeopleInNineThousandGroupsCanSignIn(t *testing.T) {
	s := newSAMLCase(t)
	groups := make([]string, 9_000)
	for i := range groups {
		groups[i] = fmt.Sprint("g", i)
	}
	s.answer.Attributes[len(s.answer.Attributes)-1].Values = groups
	v, tr, err := s.verifyRaw(signedOurselves(t, s))
	wantCode(t, tr, err, "")
	if len(v.claims.Groups) != len(groups) {
		t.Errorf("%d groups, want %d", len(v.claims.Groups), len(groups))
	}
}
