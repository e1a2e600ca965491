package sso_test

import (
	"crypto/rand"
	"crypto/x509"
	"errors"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
	"github.com/drawbridge-id/drawbridge/store"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// federation returns a document with the provider's metadata and with that of others, who have another certificate.
func (r *renewal) federation(others ...string) string {
	inner := func(text string) string { return text[strings.Index(text, "<md:Entity"):] }
	all := inner(string(r.saml.Metadata()))
	for _, other := range others {
		all += strings.Replace(inner(r.metadataWith(newer().cert)), r.saml.EntityID(), other, 1)
	}
	return `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">` + all + `</md:EntitiesDescriptor>`
}

func TestM03OneOfSeveralProvidersIsChosenByItsEntityID(t *testing.T) {
	renewals(t, func(t *testing.T, r *renewal) {
		const other = "https://second.example.com/metadata"
		text := r.federation(other)
		_, err := r.door.Metadata(t.Context(), text, identity.SAMLSettings{})
		var why *identity.Error
		if identity.CodeOf(err) != "saml.several_providers" || !errors.As(err, &why) || why.Field != "entityid" || !slices.Equal(why.Choices, []string{r.saml.EntityID(), other}) {
			t.Fatalf("the error is %v with the choices %q", err, why.Choices)
		}
		s, err := r.door.Metadata(t.Context(), text, identity.SAMLSettings{EntityID: other})
		if err != nil || s.EntityID != other || len(s.Certificates) != 1 || hexOf(s.Certificates[0]) != hexOf(newer().cert) {
			t.Errorf("chosen: %q with %d certificates, %v", s.EntityID, len(s.Certificates), err)
		}
		if _, err := r.door.Metadata(t.Context(), text, identity.SAMLSettings{EntityID: "https://third.example.com"}); identity.CodeOf(err) != "saml.other_provider" {
			t.Errorf("one that is not there: %v", err)
		}
		if _, err := r.door.Metadata(t.Context(), r.federation(other, other), identity.SAMLSettings{EntityID: other}); identity.KindOf(err) != identity.Invalid {
			t.Errorf("one that is there twice: %v", err)
		}
		r.says(text) // and a refresh goes on with the one that was chosen
		if out, err := r.refresh(); err != nil || len(out.Changes) != 0 {
			t.Errorf("refreshed: %+v, %v", out, err)
		}
		r.wantTrust(r.old().cert)
	})
}

// signed returns metadata with an enveloped signature of its root by a key.
func signed(t *testing.T, text string, p pair) string {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromString(text); err != nil {
		t.Fatal(err)
	}
	doc.Root().CreateAttr("ID", "_metadata")
	a := ssotest.Answer{Key: p.key, Certificate: p.cert, SignatureMethod: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", Canonicalization: "http://www.w3.org/2001/10/xml-exc-c14n#"}
	if err := a.Sign(doc.Root()); err != nil {
		t.Fatal(err)
	}
	out, err := doc.WriteToString()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestM07MetadataThatThePinnedSignerDidNotSignOrThatIsOverIsRefused(t *testing.T) {
	signer, attacker := newPair(), newPair()
	renewals(t, func(t *testing.T, r *renewal) {
		r.change(func(s *identity.SAMLSettings) { s.MetadataSigner = signer.cert })
		good := string(r.saml.Metadata())
		until := func(text, date string) string {
			return strings.Replace(text, "entityID=", `validUntil="`+date+`" entityID=`, 1)
		}
		evil := r.metadataWith(attacker.cert)
		inner := signed(t, good, signer) // what the signer has signed, inside something else
		inner = inner[strings.Index(inner, "<md:Entity"):]
		for _, c := range []struct{ name, text, code string }{
			{"not signed", good, "saml.metadata_signature"},
			{"signed by somebody else", signed(t, evil, attacker), "saml.metadata_signature"},
			{"changed after signing", strings.Replace(signed(t, good, signer), "/sso\"", "/evil\"", 1), "saml.metadata_signature"},
			{"the signed one inside another", `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">` + inner + `</md:EntitiesDescriptor>`, "saml.metadata_signature"},
			{"over", signed(t, until(good, "2020-01-01T00:00:00Z"), signer), "saml.metadata_expired"},
			{"over, of the whole list", signed(t, strings.Replace(r.federation(), "<md:EntitiesDescriptor", `<md:EntitiesDescriptor validUntil="2020-01-01T00:00:00Z"`, 1), signer), "saml.metadata_expired"},
			{"good", signed(t, until(good, "2099-01-01T00:00:00Z"), signer), ""},
			{"good, in a list", signed(t, r.federation("https://second.example.com/metadata"), signer), ""},
		} {
			r.says(c.text)
			if _, err := r.refresh(); identity.CodeOf(err) != c.code || (err == nil) != (c.code == "") {
				t.Errorf("%s: %q (%v), want %q", c.name, identity.CodeOf(err), err, c.code)
			}
			r.wantTrust(r.old().cert)
		}
		r.says(signed(t, r.metadataWith(newer().cert, r.old().cert), signer))
		if out, err := r.refresh(); err != nil || len(out.Changes) == 0 {
			t.Errorf("a new certificate that the signer signed: %+v, %v", out, err)
		}
		r.wantTrust(r.old().cert, newer().cert)
		r.signsIn(attacker, "saml.bad_certificate")
		if events := r.events(); len(events) < 2 || events[0] != identity.MetadataRefused || events[len(events)-1] != identity.MetadataChanged {
			t.Errorf("the events are %q", events)
		}
	})
}

func TestM08TwoCertificatesAreTriedWhenTheResponseNamesNone(t *testing.T) {
	signInWith(t, settle(func(c *identity.Connection) {
		c.SAML.Certificates = append([][]byte{newer().cert}, c.SAML.Certificates...)
	}),
		answered{"without KeyInfo", func(_ *house, a *ssotest.Answer) {
			a.After = func(r *etree.Element) {
				for _, info := range r.FindElements(".//ds:KeyInfo") {
					info.Parent().RemoveChild(info)
				}
			}
		}, ""})
}

func TestM09ARenewedCertificateOfTheSameKeyWorks(t *testing.T) {
	signInWith(t, nil, answered{"in KeyInfo", func(h *house, a *ssotest.Answer) {
		renewed, err := ssotest.SelfSigned(a.Key, "renewed")
		if err != nil {
			h.t.Fatal(err)
		}
		a.Certificate = renewed
	}, ""})
}

// over returns a certificate of the key that ended a year ago.
func over(t *testing.T, p pair) []byte {
	t.Helper()
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().AddDate(-3, 0, 0), NotAfter: time.Now().AddDate(-1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, p.key.Public(), p.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestM10AnExpiredCertificateWorksWithAWarningUnlessThePolicyRefusesIt(t *testing.T) {
	renewals(t, func(t *testing.T, r *renewal) {
		r.change(func(s *identity.SAMLSettings) { s.Certificates = [][]byte{over(t, r.old())} })
		r.signsIn(r.old(), "")
		warned := slices.ContainsFunc(r.lastTrace().Checks, func(c identity.Check) bool {
			return c.Name == "certificate" && c.Result == identity.Skipped && strings.HasPrefix(c.Got, "expired ") && c.Fix != ""
		})
		if !warned {
			t.Errorf("the trace says nothing about it:\n%s", r.traceText())
		}
		warnings, err := r.people.ConnectionWarnings(t.Context(), r.operator)
		if err != nil || len(warnings) != 1 || warnings[0].Kind != identity.WarnProviderCertificate || warnings[0].Days >= 0 || !strings.Contains(warnings[0].Text, "ended on") {
			t.Errorf("the banner says %+v (%v)", warnings, err)
		}
		r.change(func(s *identity.SAMLSettings) { s.RefuseExpired = true })
		r.signsIn(r.old(), "saml.certificate_expired")
		r.change(func(s *identity.SAMLSettings) { s.Certificates = append(s.Certificates, r.old().cert) })
		r.signsIn(r.old(), "") // the renewed one of the same key speaks for it
	})
}

func TestM12WithoutACertificateNothingIsBelievedAndNothingCanBeSaved(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := build(t, db)
		_, err := h.people.UpdateConnection(t.Context(), h.operator, h.viaSAML.ID, func(c *identity.Connection) error {
			c.Enabled, c.SAML.Certificates = true, nil
			return nil
		})
		if identity.KindOf(err) != identity.Invalid || !strings.Contains(err.Error(), "signing certificate is needed") {
			t.Errorf("switched on without a certificate: %v", err)
		}
		err = db.Update(t.Context(), func(tx *store.Tx) error { // a row that no rule of ours would have let in
			c, err := tx.Connection(t.Context(), store.Everything(), h.viaSAML.ID)
			if err != nil {
				return err
			}
			c.SAML.Certificates = nil
			return tx.UpdateConnection(t.Context(), c)
		})
		if err != nil {
			t.Fatal(err)
		}
		b := h.browser()
		b.wantRefusal(b.samlSignIn(ada.Email), http.StatusForbidden, "saml.no_certificate")
	})
}
