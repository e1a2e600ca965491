package sso

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/drawbridge-id/drawbridge/web"
)

func attacker(s *samlCase) {
	s.answer.Key, s.answer.Certificate = attackerPair().key, attackerPair().cert
}

// afterwards changes the signed document.
func afterwards(change func(r *etree.Element)) func(*samlCase) {
	return func(s *samlCase) { s.answer.After = change }
}

func setMethod(tag, algorithm string) func(*samlCase) {
	return afterwards(func(r *etree.Element) { r.FindElement(".//ds:"+tag).CreateAttr("Algorithm", algorithm) })
}

func addTransform(algorithm string) func(*samlCase) {
	return afterwards(func(r *etree.Element) {
		r.FindElement(".//ds:Transforms").CreateElement("ds:Transform").CreateAttr("Algorithm", algorithm)
	})
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func TestS02AnUnknownKeyWithItsOwnCertificateIsRefused(t *testing.T) {
	hold(t, row{"KeyInfo has the attacker's certificate", attacker, "saml.bad_certificate"},
		row{"KeyInfo has something that is no certificate", func(s *samlCase) {
			attacker(s)
			s.answer.Certificate = []byte("no certificate")
		}, "saml.bad_signature"},
		row{"a broken certificate in KeyInfo beside a good signature is only a hint", func(s *samlCase) { s.answer.Certificate = []byte("no certificate") }, ""})
}

func TestS03AnUnknownKeyWithTheTrustedCertificateIsRefused(t *testing.T) {
	hold(t, row{"KeyInfo has the trusted certificate", func(s *samlCase) {
		trusted := s.answer.Certificate
		attacker(s)
		s.answer.Certificate = trusted
	}, "saml.bad_signature"})
}

func TestS17TwoSignedInfoAreRefused(t *testing.T) {
	hold(t, row{"a false one first", wrap(func(s *samlCase, r, assertion, signature *etree.Element) {
		signature.InsertChildAt(0, child(signature, "SignedInfo").Copy())
	}), "saml.signature_shape"})
}

func TestS18AReferenceToAnythingElseIsRefused(t *testing.T) {
	refer := func(uri func(*samlCase) string) func(*samlCase) {
		return wrap(func(s *samlCase, r, assertion, signature *etree.Element) {
			child(child(signature, "SignedInfo"), "Reference").CreateAttr("URI", uri(s))
		})
	}
	hold(t, row{"two references", wrap(func(s *samlCase, r, assertion, signature *etree.Element) {
		info := child(signature, "SignedInfo")
		info.AddChild(child(info, "Reference").Copy())
	}), "saml.signature_shape"},
		row{"an empty one", refer(func(*samlCase) string { return "" }), "saml.signature_shape"},
		row{"one to the response", refer(func(s *samlCase) string { return "#" + s.answer.ResponseID }), "saml.signature_shape"},
		row{"one by XPointer", refer(func(s *samlCase) string { return "#xpointer(id('" + s.answer.AssertionID + "'))" }), "saml.signature_shape"},
		row{"one to the outside", refer(func(*samlCase) string { return "http://127.0.0.1:1/x" }), "saml.signature_shape"},
		row{"none", wrap(func(s *samlCase, r, assertion, signature *etree.Element) {
			info := child(signature, "SignedInfo")
			info.RemoveChild(child(info, "Reference"))
		}), "saml.signature_shape"})
}

func TestS19ADigestSplitByACommentIsRefused(t *testing.T) {
	split := func(tag string, value func(string) string) func(*samlCase) {
		return afterwards(func(r *etree.Element) {
			el := r.FindElement(".//ds:" + tag)
			text := el.Text()
			el.SetText(value(text))
			el.AddChild(etree.NewComment("x"))
			el.CreateText(text)
		})
	}
	hold(t, row{"the digest", split("DigestValue", func(string) string { return base64.StdEncoding.EncodeToString(make([]byte, 32)) }), "saml.mixed_content"},
		row{"the signature", split("SignatureValue", func(string) string { return "AAAA" }), "saml.mixed_content"},
		row{"a comment elsewhere in SignedInfo", afterwards(func(r *etree.Element) { r.FindElement(".//ds:SignedInfo").AddChild(etree.NewComment("x")) }), "saml.signature_shape"})
}

func TestS20ATamperedIdentityIsRefused(t *testing.T) {
	hold(t, row{"the NameID", afterwards(func(r *etree.Element) { child(child(child(r, "Assertion"), "Subject"), "NameID").SetText("evil") }), "saml.bad_signature"},
		row{"an attribute", afterwards(func(r *etree.Element) {
			r.FindElement("./saml:Assertion/saml:AttributeStatement/saml:Attribute/saml:AttributeValue").SetText("root@example.com")
		}), "saml.bad_signature"},
		row{"one more group", afterwards(func(r *etree.Element) {
			groups := r.FindElement(".//saml:Attribute[@Name='groups']")
			groups.CreateElement("saml:AttributeValue").SetText("admins")
		}), "saml.bad_signature"},
		row{"a namespace under the signature", afterwards(func(r *etree.Element) {
			child(child(r, "Assertion"), "Subject").CreateAttr("xmlns:saml", "urn:else")
		}), "saml.bad_signature"})
}

// What is an identity must be plain text and nothing else.
func TestS21ACommentNeverSplitsAnIdentity(t *testing.T) {
	hold(t, row{"inside the NameID", func(s *samlCase) { s.answer.NameID = "admin@x.com<!---->.evil.test" }, "saml.mixed_content"},
		row{"inside an e-mail attribute", inTheEmail(etree.NewComment("x")), "saml.mixed_content"},
		row{"inside the issuer", beforehand(func(r *etree.Element) { child(child(r, "Assertion"), "Issuer").AddChild(etree.NewComment("x")) }), "saml.mixed_content"},
		row{"inside the audience", beforehand(func(r *etree.Element) { r.FindElement(".//saml:Audience").AddChild(etree.NewComment("x")) }), "saml.mixed_content"})
}

// inTheEmail puts something in the middle of the address, before signing.
func inTheEmail(token etree.Token) func(*samlCase) {
	return beforehand(func(r *etree.Element) {
		value := r.FindElement(".//saml:AttributeValue")
		value.AddChild(token)
		value.CreateText(".evil.test")
	})
}

// beforehand changes the document before it is signed.
func beforehand(change func(r *etree.Element)) func(*samlCase) {
	return func(s *samlCase) { s.answer.Before = change }
}

func TestS22ACDATASectionIsPartOfTheText(t *testing.T) {
	for _, text := range []string{"admin@x.com<![CDATA[.evil.test]]>", "<![CDATA[admin@x.com]]>.evil.test", "<![CDATA[admin@x.com]]><![CDATA[.evil.test]]>"} {
		s := newSAMLCase(t)
		s.answer.NameID = text
		v, tr, err := s.verify(t)
		wantCode(t, tr, err, "")
		if v.claims.Subject != "admin@x.com.evil.test" {
			t.Errorf("%s: the subject is %q, want the whole text", text, v.claims.Subject)
		}
	}
	s := newSAMLCase(t)
	raw := replaceOnce(string(s.raw(t)), ada.Subject, "<![CDATA["+ada.Subject+"]]>") // the same text, written otherwise after signing
	v, tr, err := s.verifyRaw([]byte(raw))
	wantCode(t, tr, err, "")
	if v.claims.Subject != ada.Subject {
		t.Errorf("the subject is %q", v.claims.Subject)
	}
}

func TestS23AProcessingInstructionIsRefused(t *testing.T) {
	hold(t, row{"inside the NameID", func(s *samlCase) { s.answer.NameID = "admin@x.com<?x y?>.evil.test" }, "saml.processing_instruction"},
		row{"inside an e-mail attribute", inTheEmail(etree.NewProcInst("x", "y")), "saml.processing_instruction"},
		row{"anywhere else", afterwards(func(r *etree.Element) { r.AddChild(etree.NewProcInst("x", "y")) }), "saml.processing_instruction"})
}

func TestS24AnElementInsideAnIdentityIsRefused(t *testing.T) {
	hold(t, row{"inside the NameID", func(s *samlCase) { s.answer.NameID = "admin@x.com<x/>.evil.test" }, "saml.mixed_content"},
		row{"around the NameID's text", func(s *samlCase) { s.answer.NameID = "<x>admin@x.com</x>" }, "saml.mixed_content"},
		row{"inside an e-mail attribute", inTheEmail(etree.NewElement("x")), "saml.mixed_content"},
		row{"a NameID as a value is ignored, as eduPersonTargetedID has it", beforehand(func(r *etree.Element) {
			at := r.FindElement(".//saml:AttributeStatement").CreateElement("saml:Attribute")
			at.CreateAttr("Name", "urn:oid:1.3.6.1.4.1.5923.1.1.1.10")
			at.CreateElement("saml:AttributeValue").CreateElement("saml:NameID").SetText("opaque")
		}), ""})
}

func TestS25APrefixThatIsBoundAgainIsRefused(t *testing.T) {
	hold(t, row{"inside an Object, with the signature moved last", wrap(func(s *samlCase, r, assertion, signature *etree.Element) {
		object := signature.CreateElement("ds:Object")
		object.CreateAttr("xmlns:ds", "urn:else")
		object.CreateElement("ds:SignedInfo")
		assertion.RemoveChild(signature)
		assertion.AddChild(signature)
	}), "saml.signature_shape"},
		row{"on the signature", wrap(func(s *samlCase, r, assertion, signature *etree.Element) {
			signature.CreateAttr("xmlns:ds", "urn:else")
		}), "saml.misplaced_signature"})
}

func TestS26AnAttributeThatCouldBeAnotherIsRefused(t *testing.T) {
	hold(t, row{"ID and x:ID", wrap(func(s *samlCase, r, assertion, _ *etree.Element) {
		assertion.CreateAttr("xmlns:x", "urn:x")
		assertion.CreateAttr("x:ID", "_other")
	}), "saml.duplicate_id"},
		row{"ID and id", wrap(func(s *samlCase, r, assertion, _ *etree.Element) { assertion.CreateAttr("id", "_other") }), "saml.duplicate_id"},
		row{"xml:id", wrap(func(s *samlCase, r, assertion, _ *etree.Element) { assertion.CreateAttr("xml:id", "_other") }), "saml.duplicate_id"})
	for name, twice := range map[string]string{
		"the same attribute twice": ` ID="_x" ID="`, "a namespace twice": ` xmlns:a="urn:a" xmlns:a="urn:b" ID="`,
		"two prefixes of one namespace": ` xmlns:a="urn:a" xmlns:b="urn:a" a:c="" b:c="" ID="`,
	} {
		t.Run(name, func(t *testing.T) {
			s := newSAMLCase(t)
			_, tr, err := s.verifyRaw([]byte(replaceOnce(string(s.raw(t)), ` ID="`+s.answer.AssertionID, twice+s.answer.AssertionID)))
			wantCode(t, tr, err, "saml.duplicate_attribute")
			if web.Status(err) != http.StatusForbidden {
				t.Errorf("the status is %d", web.Status(err))
			}
		})
	}
}

func TestS28AlgorithmsThatProveNothingAreRefused(t *testing.T) {
	for name, algorithm := range map[string]string{
		"HMAC-SHA1": "http://www.w3.org/2000/09/xmldsig#hmac-sha1", "HMAC-SHA256": "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
		"MD5": "http://www.w3.org/2001/04/xmldsig-more#rsa-md5", "none": "", "unknown": "urn:unknown",
	} {
		hold(t, row{name, setMethod("SignatureMethod", algorithm), "saml.algorithm"})
	}
	hold(t, row{"an MD5 digest", setMethod("DigestMethod", "http://www.w3.org/2001/04/xmldsig-more#md5"), "saml.algorithm"})
}

func TestS30TransformsThatRewriteTheMessageAreRefused(t *testing.T) {
	hold(t, row{"XSLT", addTransform("http://www.w3.org/TR/1999/REC-xslt-19991116"), "saml.algorithm"},
		row{"XPath", addTransform("http://www.w3.org/TR/1999/REC-xpath-19991116"), "saml.algorithm"},
		row{"XPath filter 2", addTransform("http://www.w3.org/2002/06/xmldsig-filter2"), "saml.algorithm"},
		row{"base64", addTransform("http://www.w3.org/2000/09/xmldsig#base64"), "saml.algorithm"},
		row{"canonicalization with comments", func(s *samlCase) {
			s.answer.Canonicalization = string(dsig.CanonicalXML10ExclusiveWithCommentsAlgorithmId)
		}, "saml.algorithm"},
		row{"an unknown canonicalization", setMethod("CanonicalizationMethod", "urn:unknown"), "saml.algorithm"},
		row{"no transform", afterwards(func(r *etree.Element) {
			for _, el := range r.FindElements(".//ds:Transform") {
				el.Parent().RemoveChild(el)
			}
		}), "saml.algorithm"})
}

func TestEverySignatureThatProvidersMakeIsAccepted(t *testing.T) {
	hold(t, row{"of the assertion", func(*samlCase) {}, ""},
		row{"of both", func(s *samlCase) { s.answer.SignResponse = true }, ""},
		row{"inclusive canonicalization", func(s *samlCase) { s.answer.Canonicalization = string(dsig.CanonicalXML10RecAlgorithmId) }, ""},
		row{"inclusive canonicalization 1.1 of the response", func(s *samlCase) {
			s.answer.Canonicalization, s.answer.SignAssertion, s.answer.SignResponse = string(dsig.CanonicalXML11AlgorithmId), false, true
		}, ""},
		row{"of the response, with a bad one of its assertion", func(s *samlCase) {
			s.answer.SignAssertion, s.answer.SignResponse = false, false
			s.answer.After = func(r *etree.Element) {
				bad := *s.answer
				bad.Key, bad.Certificate = attackerPair().key, attackerPair().cert
				must(bad.Sign(child(r, "Assertion")))
				must(s.answer.Sign(r))
			}
		}, "saml.bad_certificate"})
}

// signPSS signs the assertion's SignedInfo again, with RSA-PSS.
func signPSS(method string, hash crypto.Hash, salt int) func(*samlCase) {
	return func(s *samlCase) {
		s.answer.After = func(r *etree.Element) {
			r.FindElement(".//ds:SignatureMethod").CreateAttr("Algorithm", "http://www.w3.org/2007/05/xmldsig-more#"+method)
			doc := etree.NewDocument()
			doc.SetRoot(r.Copy())
			raw, err := doc.WriteToBytes()
			must(err)
			root, err := parse(raw, responseDocument)
			must(err)
			h := hash.New()
			h.Write(canonical(only(only(only(root, nsAssertion, "Assertion"), nsSignature, "Signature"), nsSignature, "SignedInfo"), nil, canonicalization{}))
			value, err := s.answer.Key.Sign(rand.Reader, h.Sum(nil), &rsa.PSSOptions{SaltLength: salt, Hash: hash})
			must(err)
			r.FindElement(".//ds:SignatureValue").SetText(encodeBase64(value))
		}
	}
}

func TestRSAPSSIsAcceptedWithASaltAsLongAsTheHash(t *testing.T) {
	hold(t, row{"SHA-256", signPSS("sha256-rsa-MGF1", crypto.SHA256, 32), ""},
		row{"SHA-384", signPSS("sha384-rsa-MGF1", crypto.SHA384, 48), ""},
		row{"SHA-512", signPSS("sha512-rsa-MGF1", crypto.SHA512, 64), ""},
		row{"a shorter salt", signPSS("sha256-rsa-MGF1", crypto.SHA256, 20), "saml.bad_signature"},
		row{"another hash than it says", signPSS("sha512-rsa-MGF1", crypto.SHA256, 32), "saml.bad_signature"},
		row{"SHA-1", signPSS("sha1-rsa-MGF1", crypto.SHA256, 32), "saml.algorithm"})
}

// Keycloak signs the assertion with inclusive canonicalization before the response is around it; nobody can verify that, xmlsec neither.
func TestAnInclusiveSignatureMadeOutsideTheResponseSaysWhatToSet(t *testing.T) {
	s := newSAMLCase(t)
	s.answer.Canonicalization = string(dsig.CanonicalXML10RecAlgorithmId)
	s.answer.After = func(r *etree.Element) { r.CreateAttr("xmlns:late", "urn:late") }
	_, tr, err := s.verify(t)
	wantCode(t, tr, err, "saml.bad_signature")
	if !strings.Contains(messageOf(err), "exclusive canonicalization") {
		t.Errorf("the fix is %q", messageOf(err))
	}
}
