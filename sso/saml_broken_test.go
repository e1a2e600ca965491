package sso

import (
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
)

// broken is a good response in which one thing was broken, and what the trace must say first: the check that fails, its code, and in the advice the
// words that show the way.
type broken struct {
	cause  string
	do     func(*samlCase)
	check  string
	code   string
	advice string
}

// rewritten changes the bytes of the finished response.
func rewritten(old, new string) func(*samlCase) {
	return func(s *samlCase) { s.rewrite = func(raw string) string { return replaceOnce(raw, old, new) } }
}

func TestFortyBrokenResponsesAreExplained(t *testing.T) {
	cases := append(brokenDocuments(), brokenSignatures()...)
	cases = append(append(cases, brokenConditions()...), brokenIdentities()...)
	if len(cases) < 40 {
		t.Fatalf("%d cases, want forty", len(cases))
	}
	for _, tt := range cases {
		t.Run(tt.cause, func(t *testing.T) {
			s := newSAMLCase(t)
			tt.do(s)
			_, tr, err := s.verify(t)
			wantCode(t, tr, err, tt.code)
			for _, c := range tr.checks {
				if c.Result != identity.Failed {
					continue
				}
				if c.Name != tt.check || !strings.Contains(c.Fix, tt.advice) || c.Fix != messageOf(err) {
					t.Errorf("the first failed check is %q with the advice %q, want %q with %q%s", c.Name, c.Fix, tt.check, tt.advice, tr.failures())
				}
				return
			}
			t.Error("no check has failed")
		})
	}
}

func brokenDocuments() []broken {
	return []broken{
		{"the copy lacks its end", func(s *samlCase) { s.rewrite = func(raw string) string { return raw[:len(raw)-100] } }, "document", "saml.malformed", "cut off"},
		{"nothing came", func(s *samlCase) { s.rewrite = func(string) string { return "" } }, "document", "saml.malformed", "it is empty"},
		{"it was saved with a byte order mark", func(s *samlCase) { s.rewrite = func(raw string) string { return "\ufeff" + raw } }, "document", "saml.malformed", "byte order mark"},
		{"it has a document type", rewritten("<samlp:Response", "<!DOCTYPE r><samlp:Response"), "document", "saml.malformed", "document type"},
		{"only the assertion was copied", func(s *samlCase) {
			s.rewrite = func(raw string) string {
				return raw[strings.Index(raw, "<saml:Assertion"):strings.Index(raw, "</samlp:Response>")]
			}
		}, "document", "saml.malformed", "copied in part"},
		{"it is another message", func(s *samlCase) {
			s.rewrite = func(raw string) string { return strings.ReplaceAll(raw, "samlp:Response", "samlp:LogoutResponse") }
		}, "document", "saml.malformed", `its root is "LogoutResponse", expected "Response"`},
		{"an editor has added a processing instruction", rewritten("<saml:Subject>", "<?edited?><saml:Subject>"), "document", "saml.processing_instruction", "added it on the way"},
		{"two assertions", wrap(func(s *samlCase, r, assertion, _ *etree.Element) { r.AddChild(evil(assertion, "_two")) }), "document", "saml.several_assertions", "Set the provider to send one"},
		{"an id is there twice", afterwards(func(r *etree.Element) { child(r, "Status").CreateAttr("ID", r.SelectAttrValue("ID", "")) }), "document", "saml.duplicate_id", "an id of its own"},
		{"a comment in the NameID", func(s *samlCase) { s.answer.NameID = "ada<!-- x -->" }, "document", "saml.mixed_content", "Take them out"},
		{"no assertion", func(s *samlCase) {
			signResponse(beforehand(func(r *etree.Element) { r.RemoveChild(child(r, "Assertion")) }))(s)
		}, "assertion", "saml.no_assertion", "the provider's log"},
	}
}

func brokenSignatures() []broken {
	return []broken{
		{"nothing is signed", func(s *samlCase) { s.answer.SignAssertion = false }, "signature", "saml.unsigned", "Set the provider to sign the assertion"},
		{"the provider has a new certificate", attacker, "signature of the Assertion", "saml.bad_certificate", "import its metadata again"},
		{"it was signed by another key, and shows none", func(s *samlCase) {
			attacker(s)
			s.answer.After = func(r *etree.Element) {
				signature := child(child(r, "Assertion"), "Signature")
				signature.RemoveChild(child(signature, "KeyInfo"))
			}
		}, "signature of the Assertion", "saml.bad_signature", "another key"},
		{"somebody changed the NameID", rewritten(">00u-ada<", ">00u-eve<"), "signature of the Assertion", "saml.bad_signature", "changed after the provider had signed it"},
		{"a proxy has indented it", func(s *samlCase) {
			s.rewrite = func(raw string) string { return strings.ReplaceAll(raw, "><saml:", ">\n  <saml:") }
		}, "signature of the Assertion", "saml.bad_signature", "rewrites it"},
		{"signed before it was encrypted", signedThenEncrypted, "signature of the Response", "saml.bad_signature", "set it to encrypt first"},
		{"signed with SHA-1", func(s *samlCase) { s.answer.SignatureMethod = dsig.RSASHA1SignatureMethod }, "signature algorithm", "saml.weak_algorithm", "Set it to SHA-256"},
		{"a digest with SHA-1", setMethod("DigestMethod", methodSHA1), "digest algorithm", "saml.weak_algorithm", "Set it to SHA-256"},
		{"signed with a shared secret", setMethod("SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"), "signature algorithm", "saml.algorithm", "RSA-SHA256"},
		{"canonicalized with comments", func(s *samlCase) {
			s.answer.Canonicalization = string(dsig.CanonicalXML10ExclusiveWithCommentsAlgorithmId)
		}, "canonicalization", "saml.algorithm", "without comments"},
		{"transformed by XSLT", addTransform("http://www.w3.org/TR/1999/REC-xslt-19991116"), "transforms", "saml.algorithm", "enveloped-signature transform"},
		{"the signature refers to something else", wrap(func(s *samlCase, r, assertion, signature *etree.Element) {
			child(child(signature, "SignedInfo"), "Reference").CreateAttr("URI", "")
		}), "shape of the signature", "saml.signature_shape", "one enveloped signature"},
		{"encrypted for an old certificate of ours", func(s *samlCase) { s.answer.EncryptTo = attackerPair().cert }, "decryption", "saml.decrypt_failed", "the certificate in our current metadata"},
		{"encrypted with Triple DES", func(s *samlCase) {
			s.answer.EncryptTo = ownPair().cert
			s.answer.After = func(r *etree.Element) {
				r.FindElement(".//xenc:EncryptedData/xenc:EncryptionMethod").CreateAttr("Algorithm", nsEncrypted+"tripledes-cbc")
			}
		}, "decryption", "saml.decrypt_failed", "AES-256-GCM with RSA-OAEP"},
		{"the connection has no certificate", func(s *samlCase) { s.connection.SAML.Certificates = nil }, "certificates", "saml.no_certificate", "import the provider's metadata"},
	}
}

// signedThenEncrypted signs the response with the assertion in it, and puts the encrypted one in its place afterwards.
func signedThenEncrypted(s *samlCase) {
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
}

func statusOf(second string) func(*samlCase) {
	return beforehand(func(r *etree.Element) {
		code := child(child(r, "Status"), "StatusCode")
		code.CreateAttr("Value", "urn:oasis:names:tc:SAML:2.0:status:Responder")
		code.CreateElement("samlp:StatusCode").CreateAttr("Value", "urn:oasis:names:tc:SAML:2.0:status:"+second)
	})
}

func brokenConditions() []broken {
	hour := func(set func(s *samlCase, stamp string), from time.Duration) func(*samlCase) {
		return func(s *samlCase) { set(s, s.at(from)) }
	}
	return []broken{
		{"the provider failed", func(s *samlCase) { s.answer.Status = "urn:oasis:names:tc:SAML:2.0:status:Responder" }, "status", "saml.status", "its log says why"},
		{"the application is not assigned to the person", statusOf("RequestDenied"), "status", "saml.status", "assign the application"},
		{"the provider has no such NameID", statusOf("InvalidNameIDPolicy"), "status", "saml.status", "NameID format"},
		{"SAML 1.1", func(s *samlCase) { s.answer.Version = "1.1" }, "version", "saml.version", "SAML 2.0"},
		{"another ACS at the provider", func(s *samlCase) {
			s.answer.Destination, s.answer.Recipient = "https://old.example.com/acs", "https://old.example.com/acs"
		}, "destination", "saml.wrong_destination", "ACS URL at the provider"},
		{"a signed response without a destination", signResponse(func(s *samlCase) { s.answer.Destination = "" }), "destination", "saml.wrong_destination", "ACS URL at the provider"},
		{"the provider's entity id has changed", func(s *samlCase) {
			s.answer.Issuer, s.answer.ResponseIssuer = "https://new.example.com", "https://new.example.com"
		}, "issuer of the response", "saml.wrong_issuer", "compare the entity id"},
		{"another issuer of the assertion", func(s *samlCase) { s.answer.Issuer = "https://new.example.com" }, "issuer of the assertion", "saml.wrong_issuer", "compare the entity id"},
		{"the provider's clock is an hour ahead", hour(func(s *samlCase, at string) {
			s.answer.IssueInstant, s.answer.NotBefore, s.answer.AuthnInstant = at, at, at
		}, time.Hour), "issue instant of the response", "saml.from_the_future", "Compare the clocks"},
		{"not valid before an hour", hour(func(s *samlCase, at string) { s.answer.NotBefore = at }, time.Hour), "not before", "saml.not_yet_valid", "Compare the clocks"},
		{"the provider's clock is an hour behind", hour(func(s *samlCase, at string) {
			s.answer.IssueInstant, s.answer.NotOnOrAfter, s.answer.ConfirmationEnd = at, at, at
		}, -time.Hour), "not on or after", "saml.expired", "Compare the clocks"},
		{"no conditions", without("saml:Conditions"), "conditions", "saml.no_conditions", "must send Conditions"},
		{"another audience", func(s *samlCase) { s.answer.Audiences = []string{"urn:other"} }, "audience", "saml.wrong_audience", "Enter our entity id at the provider as the audience"},
		{"no audience", func(s *samlCase) { s.answer.Audiences = nil }, "audience", "saml.wrong_audience", "Enter our entity id at the provider as the audience"},
		{"another recipient", func(s *samlCase) { s.answer.Recipient = "https://old.example.com/acs" }, "subject confirmation", "saml.wrong_recipient", "as the Recipient too"},
		{"the confirmation has expired", hour(func(s *samlCase, at string) { s.answer.ConfirmationEnd = at }, -time.Hour), "subject confirmation", "saml.confirmation_expired", "Compare the clocks"},
		{"started at the provider", func(s *samlCase) { s.answer.InResponseTo, s.answer.ConfirmationRequest = "", "" }, "subject confirmation", "saml.unsolicited", "start it at our sign-in page"},
		{"a confirmation of another request", func(s *samlCase) { s.answer.ConfirmationRequest = "_other" }, "subject confirmation", "saml.wrong_request", "InResponseTo"},
		{"holder of key", func(s *samlCase) { s.answer.Method = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key" }, "subject confirmation", "saml.no_confirmation", "one bearer SubjectConfirmation"},
		{"no subject", without("saml:Subject"), "subject confirmation", "saml.no_confirmation", "one bearer SubjectConfirmation"},
		{"no authentication statement", func(s *samlCase) { s.answer.AuthnInstant = "" }, "authentication statement", "saml.no_authn_statement", "must send an AuthnStatement"},
		{"the provider's session is over", hour(func(s *samlCase, at string) { s.answer.SessionNotOnOrAfter = at }, -time.Hour), "session end", "saml.session_over", "sign in there again"},
	}
}

func brokenIdentities() []broken {
	attribute := func(values ...string) func(*samlCase) {
		return func(s *samlCase) { s.answer.Attributes = []ssotest.Attribute{mail(values...)} }
	}
	return []broken{
		{"the NameID is encrypted", beforehand(func(r *etree.Element) {
			subject := r.FindElement(".//saml:Subject")
			subject.RemoveChild(child(subject, "NameID"))
			subject.InsertChildAt(0, etree.NewElement("saml:EncryptedID"))
		}), "name id", "saml.encrypted_nameid_unsupported", "encrypt the whole assertion"},
		{"two NameIDs", beforehand(func(r *etree.Element) {
			subject := r.FindElement(".//saml:Subject")
			subject.AddChild(child(subject, "NameID").Copy())
		}), "name id", "saml.no_identity", "more than one NameID"},
		{"the address is none", attribute("ada at example"), "e-mail", "saml.bad_email", "map another attribute"},
		{"two addresses", attribute("ada@example.com", "lovelace@example.com"), "e-mail", "saml.ambiguous_email", "name the attribute that carries the right one"},
		{"nobody is named", func(s *samlCase) { s.answer.NameID, s.answer.Attributes = "", nil }, "identity", "saml.no_identity", "persistent NameID"},
		{"the name is a new one every time", func(s *samlCase) { s.answer.NameIDFormat, s.answer.Attributes = formatTransient, nil }, "identity", "saml.no_identity", "persistent NameID"},
	}
}
