package sso

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

func TestEncryptedAssertions(t *testing.T) {
	for _, cipher := range []string{ssotest.AES128CBC, ssotest.AES256CBC, ssotest.AES128GCM, ssotest.AES256GCM} {
		for _, signed := range []string{"assertion", "response", "neither"} {
			t.Run(fmt.Sprintf("S31 S32 %s signed, %s", signed, cipher), func(t *testing.T) {
				s := newSAMLCase(t)
				s.answer.EncryptTo, s.answer.Cipher = ownPair().cert, cipher
				s.answer.SignAssertion, s.answer.SignResponse = signed == "assertion", signed == "response"
				v, tr, err := s.verify(t)
				if signed == "neither" {
					wantCode(t, tr, err, "saml.unsigned")
					return
				}
				wantCode(t, tr, err, "")
				if v.claims.Subject != ada.Subject {
					t.Errorf("the subject is %q", v.claims.Subject)
				}
			})
		}
	}
}

func TestAResponseSignedBeforeItsAssertionWasEncryptedIsExplained(t *testing.T) {
	s := newSAMLCase(t)
	s.answer.SignAssertion, s.answer.SignResponse = true, true
	s.answer.After = func(r *etree.Element) {
		plain := child(r, "Assertion")
		doc := etree.NewDocument()
		doc.SetRoot(plain.Copy())
		raw, err := doc.WriteToBytes()
		must(err)
		el, err := ssotest.EncryptedAssertion(raw, ownPair().cert, ssotest.AES128GCM)
		must(err)
		r.RemoveChild(plain)
		r.AddChild(el)
	}
	_, tr, err := s.verify(t)
	wantCode(t, tr, err, "saml.bad_signature")
	if !strings.Contains(messageOf(err), "set it to encrypt first") {
		t.Errorf("the fix is %q", messageOf(err))
	}
}

// replaceAssertion puts an EncryptedAssertion in the place of the assertion, with nothing signed.
func replaceAssertion(s *samlCase, el *etree.Element) {
	s.answer.SignAssertion = false
	s.answer.Before = func(r *etree.Element) {
		r.RemoveChild(child(r, "Assertion"))
		r.AddChild(el)
	}
}

func TestAnAlgorithmThatIsNotAcceptedIsNamed(t *testing.T) {
	for name, change := range map[string]func(*etree.Element){
		"3DES for the data": func(el *etree.Element) {
			el.FindElement(".//EncryptedData/EncryptionMethod").CreateAttr("Algorithm", nsEncrypted+"tripledes-cbc")
		},
		"PKCS #1 v1.5 for the key": func(el *etree.Element) {
			el.FindElement(".//EncryptedKey/EncryptionMethod").CreateAttr("Algorithm", nsEncrypted+"rsa-1_5")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSAMLCase(t)
			el, err := ssotest.EncryptedAssertion([]byte("<x/>"), ownPair().cert, ssotest.AES128GCM)
			must(err)
			change(el)
			replaceAssertion(s, el)
			_, tr, err := s.verify(t)
			wantCode(t, tr, err, "saml.decrypt_failed")
			if !strings.Contains(messageOf(err), "AES-256-GCM with RSA-OAEP") {
				t.Errorf("the fix is %q", messageOf(err))
			}
		})
	}
}

func TestBrokenEncryptionIsRefusedInOneWay(t *testing.T) {
	random := func(n int) []byte {
		b := make([]byte, n)
		rand.Read(b)
		return b
	}
	sealed := func(n int, method string, keySize int) *etree.Element {
		el, err := ssotest.Sealed(random(n), random(keySize), ownPair().cert, method)
		must(err)
		return el
	}
	plain := func(text string) *etree.Element {
		el, err := ssotest.EncryptedAssertion([]byte(text), ownPair().cert, ssotest.AES128GCM)
		must(err)
		return el
	}
	wrongKey, err := ssotest.EncryptedAssertion([]byte("<x/>"), attackerPair().cert, ssotest.AES128GCM)
	must(err)
	empty := etree.NewElement("saml:EncryptedAssertion")
	tests := map[string]*etree.Element{
		"S33 CBC, no whole number of blocks": sealed(35, ssotest.AES128CBC, 16), "S33 CBC, nothing": sealed(0, ssotest.AES128CBC, 16),
		"S33 CBC, only the vector": sealed(16, ssotest.AES128CBC, 16), "S34 GCM, shorter than the nonce": sealed(5, ssotest.AES128GCM, 16),
		"S34 GCM, nothing": sealed(0, ssotest.AES128GCM, 16), "a content key of the wrong length": sealed(64, ssotest.AES256CBC, 16),
		"S35 the plaintext has no root": plain("just text"), "S35 the plaintext is empty": plain(""), "the plaintext is another element": plain("<x/>"),
		"the plaintext has a document type": plain(`<!DOCTYPE a><saml:Assertion xmlns:saml="` + nsAssertion + `"/>`),
		"encrypted for somebody else":       wrongKey, "an empty EncryptedAssertion": empty,
	}
	for name, el := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSAMLCase(t)
			replaceAssertion(s, el)
			_, tr, err := s.verify(t)
			wantCode(t, tr, err, "saml.decrypt_failed")
			if identity.KindOf(err) != identity.Forbidden {
				t.Errorf("kind %v, want the same as for every refusal", identity.KindOf(err))
			}
		})
	}
}

// S36: whatever happens to the padding, the answer has one kind, so the browser is shown one status and one page.
func TestPaddingTellsNothing(t *testing.T) {
	s := newSAMLCase(t)
	genuine := s.raw(t)
	key := make([]byte, 16)
	rand.Read(key)
	for i := range 200 {
		sealed := make([]byte, 16*(2+i%8))
		rand.Read(sealed)
		el, err := ssotest.Sealed(sealed, key, ownPair().cert, ssotest.AES128CBC)
		must(err)
		broken := newSAMLCase(t)
		replaceAssertion(broken, el)
		_, _, err = broken.verify(t)
		if identity.KindOf(err) != identity.Forbidden {
			t.Fatalf("mutation %d: kind %v (%v)", i, identity.KindOf(err), err)
		}
	}
	if _, tr, err := s.verifyRaw(genuine); err != nil {
		t.Fatalf("the good response was refused afterwards: %v%s", err, tr.failures())
	}
}

func TestPKCS1KeyTransportIsRefused(t *testing.T) {
	el, err := ssotest.EncryptedAssertion([]byte("<x/>"), ownPair().cert, ssotest.AES128GCM)
	must(err)
	el.FindElement(".//xenc:EncryptedKey/xenc:EncryptionMethod").CreateAttr("Algorithm", "http://www.w3.org/2001/04/xmlenc#rsa-1_5")
	s := newSAMLCase(t)
	replaceAssertion(s, el)
	_, tr, err := s.verify(t)
	wantCode(t, tr, err, "saml.decrypt_failed")
}
