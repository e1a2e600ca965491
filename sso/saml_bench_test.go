package sso

import (
	"crypto/x509"
	"encoding/xml"
	"net/url"
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

func BenchmarkVerify(b *testing.B) {
	s := newSAMLCase(b)
	raw := s.raw(b)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, tr, err := s.verifyRaw(raw); err != nil {
			b.Fatal(err, tr.failures())
		}
	}
}

func BenchmarkCrewjam(b *testing.B) {
	s := newSAMLCase(b)
	raw := s.raw(b)
	sp, acs := crewjam(b, s)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sp.ParseXMLResponse(raw, []string{requestID}, acs); err != nil {
			b.Fatal(err)
		}
	}
}
