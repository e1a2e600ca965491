package sso

import (
	"crypto/x509"
	"encoding/xml"
	"net/url"
	"slices"
	"testing"

	"github.com/crewjam/saml"
)

// crewjam returns crewjam/saml's own service provider for the same connection: the second opinion.
func crewjam(tb testing.TB, s *samlCase) (*saml.ServiceProvider, url.URL) {
	tb.Helper()
	acs, err := url.Parse(s.want.acs)
	must(err)
	metadata, err := url.Parse(s.want.entityID)
	must(err)
	own, err := x509.ParseCertificate(ownPair().cert)
	must(err)
	var idp saml.EntityDescriptor
	must(xml.Unmarshal(testProvider().Metadata(), &idp))
	return &saml.ServiceProvider{
		EntityID: s.want.entityID, Key: ownPair().key, Certificate: own, MetadataURL: *metadata, AcsURL: *acs, IDPMetadata: &idp,
	}, *acs
}

// Where both have an opinion about a plain case they must agree; the differences that sso.md names (replays, SHA-1, several audiences) are tested above.
func TestTheSecondOpinionAgrees(t *testing.T) {
	tests := []struct {
		name string
		do   func(*samlCase)
		good bool
	}{
		{"good", func(*samlCase) {}, true},
		{"the response is signed", func(s *samlCase) { s.answer.SignAssertion, s.answer.SignResponse = false, true }, true},
		{"both are signed", func(s *samlCase) { s.answer.SignResponse = true }, true},
		{"encrypted", func(s *samlCase) { s.answer.EncryptTo = ownPair().cert }, true},
		{"encrypted with CBC", func(s *samlCase) {
			s.answer.EncryptTo, s.answer.Cipher = ownPair().cert, "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
		}, true},
		{"nothing is signed", func(s *samlCase) { s.answer.SignAssertion = false }, false},
		{"an unknown key", attacker, false},
		{"another audience", func(s *samlCase) { s.answer.Audiences = []string{"urn:other"} }, false},
		{"another request", func(s *samlCase) { s.answer.InResponseTo, s.answer.ConfirmationRequest = "_a", "_b" }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSAMLCase(t)
			tt.do(s)
			raw := s.raw(t)
			sp, acs := crewjam(t, s)
			_, theirs := sp.ParseXMLResponse(raw, []string{requestID}, acs)
			_, tr, ours := s.verifyRaw(raw)
			if (ours == nil) != tt.good || (theirs == nil) != tt.good {
				t.Errorf("good is %v; we say %v%s, crewjam says %v", tt.good, ours, tr.failures(), theirs)
			}
		})
	}
}

// BenchmarkSAML compares our verifier, with all the checks that it has and the other lacks, with crewjam's ParseResponse on the same responses in one run.
// The goal is half of its time and half of its allocations.
func BenchmarkSAML(b *testing.B) {
	for _, shape := range benchShapes {
		s := newSAMLCase(b)
		shape.do(s)
		raw := s.raw(b)
		sp, acs := crewjam(b, s)
		measure := func(verify func() error) func(b *testing.B) {
			return func(b *testing.B) {
				b.SetBytes(int64(len(raw)))
				b.ReportAllocs()
				for b.Loop() {
					if err := verify(); err != nil {
						b.Fatal(err)
					}
				}
			}
		}
		b.Run(shape.name+"/ours", measure(func() error {
			_, _, err := s.verifyRaw(raw)
			return err
		}))
		b.Run(shape.name+"/crewjam", measure(func() error {
			_, err := sp.ParseXMLResponse(raw, []string{requestID}, acs)
			return err
		}))
	}
}

// benchShapes are the responses that are compared.
var benchShapes = []row{
	{name: "assertion", do: func(*samlCase) {}},
	{name: "response", do: func(s *samlCase) { s.answer.SignAssertion, s.answer.SignResponse = false, true }},
	{name: "both", do: func(s *samlCase) { s.answer.SignResponse = true }},
	{name: "encrypted", do: func(s *samlCase) { s.answer.EncryptTo = ownPair().cert }},
	{name: "hundred groups", do: func(s *samlCase) { s.answer.Attributes[3].Values = slices.Repeat([]string{"a group of people"}, 100) }},
}

// Time depends on the machine, allocations do not.
func TestOurVerifierAllocatesAtMostHalfOfTheOthers(t *testing.T) {
	for _, shape := range benchShapes {
		s := newSAMLCase(t)
		shape.do(s)
		raw := s.raw(t)
		sp, acs := crewjam(t, s)
		ours := testing.AllocsPerRun(10, func() {
			if _, tr, err := s.verifyRaw(raw); err != nil {
				t.Fatal(err, tr.failures())
			}
		})
		theirs := testing.AllocsPerRun(10, func() {
			if _, err := sp.ParseXMLResponse(raw, []string{requestID}, acs); err != nil {
				t.Fatal(err)
			}
		})
		if ours > theirs/2 {
			t.Errorf("%s: %.0f allocations, crewjam has %.0f", shape.name, ours, theirs)
		}
	}
}
