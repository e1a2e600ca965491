package sso

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

func attacker(s *samlCase) {
	s.answer.Key, s.answer.Certificate = attackerPair().key, attackerPair().cert
}

// evil returns a copy of the signed assertion that speaks for somebody else, without a signature.
func evil(assertion *etree.Element, id string) *etree.Element {
	e := assertion.Copy()
	if signature := child(e, "Signature"); signature != nil {
		e.RemoveChild(signature)
	}
	if id != "" {
		e.CreateAttr("ID", id)
	}
	child(child(e, "Subject"), "NameID").SetText("evil")
	return e
}

func TestSignatures(t *testing.T) {
	tests := []struct {
		name string
		do   func(*samlCase)
		code string
	}{
		{"S01 nothing is signed", func(s *samlCase) { s.answer.SignAssertion = false }, "saml.unsigned"},
		{"S02 an unknown key, and KeyInfo has its certificate", attacker, "saml.bad_certificate"},
		{"S03 an unknown key, and KeyInfo has the trusted certificate", func(s *samlCase) {
			trusted := s.answer.Certificate
			attacker(s)
			s.answer.Certificate = trusted
		}, "saml.bad_signature"},
		{"S20 the NameID was changed after signing", func(s *samlCase) {
			s.answer.After = func(r *etree.Element) { child(child(child(r, "Assertion"), "Subject"), "NameID").SetText("evil") }
		}, "saml.bad_signature"},
		{"S20 an attribute was changed after signing", func(s *samlCase) {
			s.answer.After = func(r *etree.Element) {
				r.FindElement("./saml:Assertion/saml:AttributeStatement/saml:Attribute/saml:AttributeValue").SetText("root@example.com")
			}
		}, "saml.bad_signature"},
		{"S27 SHA-1 is refused", func(s *samlCase) { s.answer.SignatureMethod = dsig.RSASHA1SignatureMethod }, "saml.weak_algorithm"},
		{"S27 SHA-1 works where the connection allows it", func(s *samlCase) {
			s.answer.SignatureMethod, s.connection.SAML.AllowSHA1 = dsig.RSASHA1SignatureMethod, true
		}, ""},
		{"S28 HMAC", setMethod("SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"), "saml.algorithm"},
		{"S28 HMAC-SHA1", setMethod("SignatureMethod", "http://www.w3.org/2000/09/xmldsig#hmac-sha1"), "saml.algorithm"},
		{"S28 MD5", setMethod("SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#rsa-md5"), "saml.algorithm"},
		{"S28 none", setMethod("SignatureMethod", ""), "saml.algorithm"},
		{"S30 canonicalization with comments", func(s *samlCase) {
			s.answer.Canonicalization = string(dsig.CanonicalXML10ExclusiveWithCommentsAlgorithmId)
		}, "saml.algorithm"},
		{"S30 an unknown canonicalization", setMethod("CanonicalizationMethod", "urn:unknown"), "saml.algorithm"},
		{"S30 XSLT", addTransform("http://www.w3.org/TR/1999/REC-xslt-19991116"), "saml.algorithm"},
		{"S30 XPath", addTransform("http://www.w3.org/TR/1999/REC-xpath-19991116"), "saml.algorithm"},
		{"S38 the response is signed, the assertion is not", func(s *samlCase) { s.answer.SignAssertion, s.answer.SignResponse = false, true }, ""},
		{"both are signed", func(s *samlCase) { s.answer.SignResponse = true }, ""},
		{"inclusive canonicalization", func(s *samlCase) { s.answer.Canonicalization = string(dsig.CanonicalXML10RecAlgorithmId) }, ""},
		{"inclusive canonicalization 1.1 of the response", func(s *samlCase) {
			s.answer.Canonicalization, s.answer.SignAssertion, s.answer.SignResponse = string(dsig.CanonicalXML11AlgorithmId), false, true
		}, ""},
		{"the response is signed well and its assertion is not", func(s *samlCase) {
			s.answer.SignAssertion, s.answer.SignResponse = false, false
			s.answer.After = func(r *etree.Element) {
				bad := *s.answer
				bad.Key, bad.Certificate = attackerPair().key, attackerPair().cert
				must(bad.Sign(child(r, "Assertion")))
				must(s.answer.Sign(r))
			}
		}, "saml.bad_certificate"},
		{"S39 RSA-SHA512", func(s *samlCase) { s.answer.SignatureMethod = dsig.RSASHA512SignatureMethod }, ""},
		{"S39 ECDSA P-256", useECDSA, ""},
		{"M08 two pinned certificates and no KeyInfo", func(s *samlCase) {
			s.connection.SAML.Certificates = append([][]byte{attackerPair().cert}, s.connection.SAML.Certificates...)
			s.answer.After = func(r *etree.Element) {
				signature := child(child(r, "Assertion"), "Signature")
				signature.RemoveChild(child(signature, "KeyInfo"))
			}
		}, ""},
		{"M09 KeyInfo has a renewed certificate of the same key", func(s *samlCase) {
			renewed, err := ssotest.SelfSigned(s.answer.Key, "renewed")
			must(err)
			s.answer.Certificate = renewed
		}, ""},
		{"M12 no certificate", func(s *samlCase) { s.connection.SAML.Certificates = nil }, "saml.no_certificate"},
		{"a broken certificate in KeyInfo is only a hint", func(s *samlCase) { s.answer.Certificate = []byte("no certificate") }, ""},
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

// M10: trust comes from pinning; an expired certificate works and is reported.
func TestAnExpiredCertificateStillWorksAndIsReported(t *testing.T) {
	s := newSAMLCase(t)
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "old"}, NotBefore: time.Now().AddDate(-3, 0, 0), NotAfter: time.Now().AddDate(-1, 0, 0),
	}
	old, err := x509.CreateCertificate(rand.Reader, &template, &template, s.answer.Key.Public(), s.answer.Key)
	must(err)
	s.connection.SAML.Certificates = [][]byte{old}
	_, tr, err := s.verify(t)
	wantCode(t, tr, err, "")
	if !slices.ContainsFunc(tr.checks, func(c identity.Check) bool { return c.Name == "certificate" && strings.HasPrefix(c.Got, "expired ") }) {
		t.Error("the trace says nothing about it")
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func useECDSA(s *samlCase) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	cert, err := ssotest.SelfSigned(key, "ecdsa")
	must(err)
	s.answer.Key, s.answer.Certificate, s.answer.SignatureMethod = key, cert, dsig.ECDSASHA256SignatureMethod
	s.connection.SAML.Certificates = [][]byte{cert}
}

func setMethod(tag, algorithm string) func(*samlCase) {
	return func(s *samlCase) {
		s.answer.After = func(r *etree.Element) { r.FindElement(".//ds:"+tag).CreateAttr("Algorithm", algorithm) }
	}
}

func addTransform(algorithm string) func(*samlCase) {
	return func(s *samlCase) {
		s.answer.After = func(r *etree.Element) {
			r.FindElement(".//ds:Transforms").CreateElement("ds:Transform").CreateAttr("Algorithm", algorithm)
		}
	}
}

// Signature wrapping: the attacker has one genuine signed assertion and arranges the document around it.
func TestSignatureWrapping(t *testing.T) {
	tests := []struct {
		name string
		wrap func(s *samlCase, r, assertion, signature *etree.Element)
	}{
		{"S04 XSW1 the evil response has the original inside its signature", func(s *samlCase, r, assertion, signature *etree.Element) {
			original := r.Copy()
			outer := child(r, "Assertion")
			r.RemoveChild(outer)
			r.AddChild(evil(outer, "_evil"))
			moved := signature.Copy()
			moved.CreateElement("ds:Object").AddChild(original)
			r.InsertChildAt(1, moved)
			r.CreateAttr("ID", "_evilresponse")
		}},
		{"S05 XSW2 the original is detached before the signature", func(s *samlCase, r, assertion, signature *etree.Element) {
			original := r.Copy()
			r.CreateAttr("ID", "_evilresponse")
			child(r, "Assertion").CreateAttr("ID", "_evil")
			r.InsertChildAt(1, original)
			r.InsertChildAt(2, signature.Copy())
		}},
		{"S06 XSW3 the evil assertion stands before the signed one", func(s *samlCase, r, assertion, _ *etree.Element) {
			r.InsertChildAt(assertion.Index(), evil(assertion, "_evil"))
		}},
		{"S07 XSW3b the evil assertion stands behind the signed one", func(s *samlCase, r, assertion, _ *etree.Element) {
			r.AddChild(evil(assertion, "_evil"))
		}},
		{"S08 XSW4 the evil assertion is the parent of the signed one", func(s *samlCase, r, assertion, _ *etree.Element) {
			e := evil(assertion, "_evil")
			r.RemoveChild(assertion)
			e.AddChild(assertion)
			r.AddChild(e)
		}},
		{"S09 XSW5 the evil assertion has the signature, the original is appended", func(s *samlCase, r, assertion, signature *etree.Element) {
			original := evil(assertion, "")
			child(child(original, "Subject"), "NameID").SetText(ada.Subject)
			child(child(assertion, "Subject"), "NameID").SetText("evil")
			assertion.CreateAttr("ID", "_evil")
			r.AddChild(original)
		}},
		{"S10 XSW6 the signature of the evil assertion has the original inside", func(s *samlCase, r, assertion, signature *etree.Element) {
			original := assertion.Copy()
			original.RemoveChild(child(original, "Signature"))
			child(child(assertion, "Subject"), "NameID").SetText("evil")
			assertion.CreateAttr("ID", "_evil")
			signature.AddChild(original)
		}},
		{"S11 XSW7 the evil assertion hides in Extensions", func(s *samlCase, r, assertion, _ *etree.Element) {
			extensions := etree.NewElement("samlp:Extensions")
			extensions.AddChild(evil(assertion, ""))
			r.InsertChildAt(1, extensions)
		}},
		{"S12 XSW8 the original is in an Object, the evil one outside", func(s *samlCase, r, assertion, signature *etree.Element) {
			original := evil(assertion, "")
			child(child(assertion, "Subject"), "NameID").SetText("evil")
			signature.CreateElement("ds:Object").AddChild(original)
		}},
		{"S13 XSW9 the assertion is there twice with one id, the first unsigned", func(s *samlCase, r, assertion, _ *etree.Element) {
			r.InsertChildAt(assertion.Index(), evil(assertion, ""))
		}},
		{"S14 two assertions, both signed by the provider", func(s *samlCase, r, assertion, _ *etree.Element) {
			second := evil(assertion, "_second")
			r.AddChild(second)
			must(s.answer.Sign(second))
		}},
		{"S15 one id twice in the document", func(s *samlCase, r, assertion, _ *etree.Element) {
			child(r, "Status").CreateAttr("ID", s.answer.AssertionID)
		}},
		{"S16 two signatures in one element", func(s *samlCase, r, assertion, signature *etree.Element) {
			assertion.InsertChildAt(signature.Index(), signature.Copy())
		}},
		{"S17 two SignedInfo, a false one first", func(s *samlCase, r, assertion, signature *etree.Element) {
			signature.InsertChildAt(0, child(signature, "SignedInfo").Copy())
		}},
		{"S18 two references", func(s *samlCase, r, assertion, signature *etree.Element) {
			info := child(signature, "SignedInfo")
			info.AddChild(child(info, "Reference").Copy())
		}},
		{"S18 an empty reference", func(s *samlCase, r, assertion, signature *etree.Element) {
			child(child(signature, "SignedInfo"), "Reference").CreateAttr("URI", "")
		}},
		{"S18 a reference to the response in the signature of the assertion", func(s *samlCase, r, assertion, signature *etree.Element) {
			child(child(signature, "SignedInfo"), "Reference").CreateAttr("URI", "#"+s.answer.ResponseID)
		}},
		{"S19 a comment splits the digest", func(s *samlCase, r, assertion, signature *etree.Element) {
			value := child(child(child(signature, "SignedInfo"), "Reference"), "DigestValue")
			text := value.Text()
			value.SetText(base64.StdEncoding.EncodeToString(make([]byte, 32)))
			value.AddChild(etree.NewComment("x"))
			value.CreateText(text)
		}},
		{"S25 the prefix is bound again in an Object and the signature moved last", func(s *samlCase, r, assertion, signature *etree.Element) {
			object := signature.CreateElement("ds:Object")
			object.CreateAttr("xmlns:ds", "urn:else")
			object.CreateElement("ds:SignedInfo")
			assertion.RemoveChild(signature)
			assertion.AddChild(signature)
		}},
		{"S26 ID and x:ID on one element", func(s *samlCase, r, assertion, _ *etree.Element) {
			assertion.CreateAttr("xmlns:x", "urn:x")
			assertion.CreateAttr("x:ID", "_other")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSAMLCase(t)
			s.answer.After = func(r *etree.Element) {
				assertion := child(r, "Assertion")
				tt.wrap(s, r, assertion, child(assertion, "Signature"))
			}
			v, tr, err := s.verify(t)
			if err == nil {
				t.Fatalf("accepted as %q%s", v.claims.Subject, tr.failures())
			}
			if kind := identity.KindOf(err); kind != identity.Forbidden {
				t.Fatalf("kind %v (%v), want forbidden", kind, err)
			}
		})
	}
}

func TestADuplicateAttributeIsRefused(t *testing.T) { // S26
	s := newSAMLCase(t)
	raw := string(s.raw(t))
	_, tr, err := s.verifyRaw([]byte(replaceOnce(raw, ` ID="`+s.answer.AssertionID, ` ID="_x" ID="`+s.answer.AssertionID)))
	if err == nil {
		t.Fatal("accepted")
	}
	if code := identity.CodeOf(err); code != "saml.duplicate_attribute" && code != "saml.malformed" {
		t.Fatalf("refused with %q%s", code, tr.failures())
	}
}

// What is an identity must be plain text and nothing else.
func TestIdentitiesAreWholeTexts(t *testing.T) {
	tests := []struct{ name, nameID, code string }{
		{"S21 a comment inside the NameID", "admin@x.com<!---->.evil.test", "saml.mixed_content"},
		{"S22 a CDATA section is part of the text", "admin@x.com<![CDATA[.evil.test]]>", ""},
		{"S23 a processing instruction inside the NameID", "admin@x.com<?x y?>.evil.test", "saml.processing_instruction"},
		{"S24 an element inside the NameID", "admin@x.com<x/>.evil.test", "saml.mixed_content"},
		{"S24 only an element inside the NameID", "<x>admin@x.com</x>", "saml.mixed_content"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSAMLCase(t)
			s.answer.NameID = tt.nameID
			v, tr, err := s.verify(t)
			wantCode(t, tr, err, tt.code)
			if err == nil && v.claims.Subject != "admin@x.com.evil.test" {
				t.Fatalf("the subject is %q, want the whole text", v.claims.Subject)
			}
		})
	}
	t.Run("S21 S24 the same inside an e-mail attribute", func(t *testing.T) {
		for _, token := range []etree.Token{etree.NewComment("x"), etree.NewElement("x")} {
			s := newSAMLCase(t)
			s.answer.Before = func(r *etree.Element) {
				value := r.FindElement(".//saml:AttributeValue")
				value.AddChild(token)
				value.CreateText(".evil.test")
			}
			_, tr, err := s.verify(t)
			wantCode(t, tr, err, "saml.mixed_content")
		}
	})
	t.Run("a NameID as an attribute value is ignored, as eduPersonTargetedID has it", func(t *testing.T) {
		s := newSAMLCase(t)
		s.answer.Before = func(r *etree.Element) {
			at := r.FindElement(".//saml:AttributeStatement").CreateElement("saml:Attribute")
			at.CreateAttr("Name", "urn:oid:1.3.6.1.4.1.5923.1.1.1.10")
			at.CreateElement("saml:AttributeValue").CreateElement("saml:NameID").SetText("opaque")
		}
		_, tr, err := s.verify(t)
		wantCode(t, tr, err, "")
	})
}
