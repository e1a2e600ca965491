package sso

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

func TestS31AnEncryptedAssertionThatNobodySignedIsRefused(t *testing.T) {
	for _, cipher := range []string{ssotest.AES128CBC, ssotest.AES256GCM} {
		hold(t, row{cipher, func(s *samlCase) {
			s.answer.EncryptTo, s.answer.Cipher, s.answer.SignAssertion = ownPair().cert, cipher, false
		}, "saml.unsigned"})
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

// cannotBeOpened fails unless a response with this instead of its assertion is refused in the one way of all failures to decrypt.
func cannotBeOpened(t *testing.T, name string, el *etree.Element) {
	t.Helper()
	hold(t, row{name, func(s *samlCase) { replaceAssertion(s, el) }, "saml.decrypt_failed"})
}

// sealed is a ciphertext of n random bytes, under a random key of keySize bytes.
func sealed(n int, method string, keySize int) *etree.Element {
	ciphertext, key := make([]byte, n), make([]byte, keySize)
	rand.Read(ciphertext)
	rand.Read(key)
	el, err := ssotest.Sealed(ciphertext, key, ownPair().cert, method)
	must(err)
	return el
}

func plaintext(text string, certificate []byte) *etree.Element {
	el, err := ssotest.EncryptedAssertion([]byte(text), certificate, ssotest.AES128GCM)
	must(err)
	return el
}

func TestS33ACiphertextThatIsNoWholeNumberOfBlocksIsRefused(t *testing.T) {
	cannotBeOpened(t, "CBC, 35 bytes", sealed(35, ssotest.AES128CBC, 16))
	cannotBeOpened(t, "CBC, nothing", sealed(0, ssotest.AES128CBC, 16))
	cannotBeOpened(t, "CBC, only the vector", sealed(16, ssotest.AES128CBC, 16))
	hold(t, row{"the server is alive", func(*samlCase) {}, ""})
}

func TestS34ACiphertextShorterThanItsNonceIsRefused(t *testing.T) {
	for _, n := range []int{0, 5, 12, 27} {
		cannotBeOpened(t, fmt.Sprintf("GCM, %d bytes", n), sealed(n, ssotest.AES128GCM, 16))
	}
	hold(t, row{"the server is alive", func(*samlCase) {}, ""})
}

func TestS35APlaintextWithoutARootIsRefused(t *testing.T) {
	for _, text := range []string{"just text", "", " ", "<!-- x -->", "<x/>", `<!DOCTYPE a><saml:Assertion xmlns:saml="` + nsAssertion + `"/>`, "<?xml version=\"1.0\"?>"} {
		cannotBeOpened(t, text, plaintext(text, ownPair().cert))
	}
	hold(t, row{"the server is alive", func(*samlCase) {}, ""})
}

func TestBrokenEncryptionIsRefusedInOneWay(t *testing.T) {
	cannotBeOpened(t, "a content key of the wrong length", sealed(64, ssotest.AES256CBC, 16))
	cannotBeOpened(t, "encrypted for somebody else", plaintext("<x/>", attackerPair().cert))
	cannotBeOpened(t, "an empty EncryptedAssertion", etree.NewElement("saml:EncryptedAssertion"))
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

// cutOut encrypts the signed assertion as it stands in its response, without the namespaces that are declared there: pysaml2 does so when it is not told to
// make the assertion self-contained.
func cutOut(r *etree.Element) {
	assertion, doc := child(r, "Assertion"), etree.NewDocument()
	doc.SetRoot(assertion.Copy())
	plain, err := doc.WriteToBytes()
	must(err)
	if _, err := parse(plain, assertionDocument); err == nil {
		panic("the plaintext stands by itself")
	}
	r.InsertChildAt(assertion.Index(), plaintext(string(plain), ownPair().cert))
	r.RemoveChild(assertion)
}

func TestAnAssertionThatWasCutOutOfItsResponseIsOpened(t *testing.T) {
	hold(t, row{"exclusive canonicalization", afterwards(cutOut), ""},
		row{"inclusive canonicalization", func(s *samlCase) {
			s.answer.Canonicalization, s.answer.After = string(dsig.CanonicalXML10RecAlgorithmId), cutOut
		}, ""},
		row{"a prefix that means something else outside", afterwards(func(r *etree.Element) {
			cutOut(r)
			outer := r.FindElement("./EncryptedAssertion")
			outer.Space = "other"
			outer.CreateAttr("xmlns:other", nsAssertion)
			outer.CreateAttr("xmlns:saml", "urn:other")
		}), "saml.decrypt_failed"},
		row{"a changed identity", afterwards(func(r *etree.Element) {
			child(child(child(r, "Assertion"), "Subject"), "NameID").SetText("eve")
			cutOut(r)
		}), "saml.bad_signature"})
	cannotBeOpened(t, "a prefix that is declared nowhere", plaintext("<nowhere:Assertion/>", ownPair().cert))
}
