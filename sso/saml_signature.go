package sso

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// The algorithms that a signature may use (XML signature 1.1, 6). Those with SHA-1 need the connection's leave.
var (
	signatureMethods = map[string]x509.SignatureAlgorithm{
		"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256": x509.SHA256WithRSA, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256": x509.ECDSAWithSHA256,
		"http://www.w3.org/2001/04/xmldsig-more#rsa-sha384": x509.SHA384WithRSA, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384": x509.ECDSAWithSHA384,
		"http://www.w3.org/2001/04/xmldsig-more#rsa-sha512": x509.SHA512WithRSA, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512": x509.ECDSAWithSHA512,
		// RSA-PSS with the salt as long as the hash (RFC 9231, 2.3.10).
		"http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1": x509.SHA256WithRSAPSS, "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1": x509.SHA384WithRSAPSS,
		"http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1": x509.SHA512WithRSAPSS,
		methodRSASHA1: x509.SHA1WithRSA,
	}
	digestMethods = map[string]crypto.Hash{
		"http://www.w3.org/2001/04/xmlenc#sha256": crypto.SHA256, "http://www.w3.org/2001/04/xmldsig-more#sha384": crypto.SHA384,
		"http://www.w3.org/2001/04/xmlenc#sha512": crypto.SHA512, methodSHA1: crypto.SHA1,
	}
	canonicalMethods = []string{nsExclusive, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315", "http://www.w3.org/2006/12/xml-c14n11"}
)

const (
	methodRSASHA1   = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
	methodSHA1      = "http://www.w3.org/2000/09/xmldsig#sha1"
	methodEnveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
	nsExclusive     = "http://www.w3.org/2001/10/xml-exc-c14n#" // exclusive canonicalization: the method and its namespace
)

// The smallest and the largest RSA key that a provider may sign with; the larger a key, the longer a check takes. A certificate has at most
// maxCertificate bytes.
const (
	minRSABits     = 2048
	maxRSABits     = 8192
	maxCertificate = 16 << 10
)

// pinned is what a connection trusts to sign.
type pinned struct {
	certificates  []*x509.Certificate // those that are still valid first
	sha1          bool
	refuseExpired bool
}

// pin reads the certificates of a connection. None, or one with a short key, is an error: nothing could be trusted then.
func pin(s *identity.SAMLSettings) (pinned, error) {
	p := pinned{sha1: s.AllowSHA1, refuseExpired: s.RefuseExpired}
	for _, der := range s.Certificates {
		cert, err := x509.ParseCertificate(der)
		if err == nil {
			err = strongKey(cert)
		}
		if err != nil {
			return p, odd("saml.no_certificate", "A signing certificate of this connection cannot be used: %v.", err).WithCause(err)
		}
		p.certificates = append(p.certificates, cert)
	}
	if len(p.certificates) == 0 {
		return p, odd("saml.no_certificate", "This connection has no signing certificate of its provider: import the provider's metadata.")
	}
	// A renewed certificate of the same key speaks for a signature before the expired one does.
	slices.SortStableFunc(p.certificates, func(a, b *x509.Certificate) int {
		return cmp.Compare(expired(a), expired(b))
	})
	return p, nil
}

// expired is 1 for a certificate whose time is over, else 0.
func expired(cert *x509.Certificate) int {
	if time.Now().After(cert.NotAfter) {
		return 1
	}
	return 0
}

func strongKey(cert *x509.Certificate) error {
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < minRSABits {
			return fmt.Errorf("its RSA key has %d bits, at least %d are needed", key.N.BitLen(), minRSABits)
		}
		if key.N.BitLen() > maxRSABits {
			return fmt.Errorf("its RSA key has %d bits, at most %d are checked", key.N.BitLen(), maxRSABits)
		}
	case *ecdsa.PublicKey:
		if key.Curve.Params().BitSize < 256 {
			return fmt.Errorf("its elliptic curve has %d bits, at least 256 are needed", key.Curve.Params().BitSize)
		}
	default:
		return fmt.Errorf("%s keys do not sign SAML", cert.PublicKeyAlgorithm)
	}
	return nil
}

// verify checks the one signature of el and returns el as it was signed, without the signature, parsed again from the very bytes whose digest was signed.
// Every pinned certificate is tried; what the signature itself says about keys is not believed. Shape and algorithms are checked before any
// cryptography, and the signature of the digest before the digest, so that a stranger's message costs little.
func (p pinned) verify(el, signature *node, t *trail) (*node, error) {
	info, err := p.acceptable(el, signature, t)
	if err != nil {
		return nil, err
	}
	cert := p.signer(info, signature)
	if cert == nil {
		return nil, t.require(p.blame(el, info, hintedCertificate(signature)))
	}
	signed := signedBytes(el, signature, only(info, nsSignature, "Reference"))
	if signed == nil {
		return nil, t.require(p.changed(el))
	}
	covered, err := parse(signed, documentOf(el))
	if err != nil {
		return nil, t.require(failed("document", err))
	}
	return covered, p.accept(el, cert, t)
}

// signer returns the pinned certificate whose key has signed SignedInfo, or nil.
func (p pinned) signer(info, signature *node) *x509.Certificate {
	value, err := decodeBase64(only(signature, nsSignature, "SignatureValue").content())
	if err != nil {
		return nil
	}
	signed := canonical(info, nil, methodOf(only(info, nsSignature, "CanonicalizationMethod")))
	algorithm := signatureMethods[algorithmOf(info, "SignatureMethod")]
	for _, cert := range p.certificates {
		if cert.CheckSignature(algorithm, signed, asn1Signature(cert, value)) == nil {
			return cert
		}
	}
	return nil
}

// signedBytes returns what the reference says was signed: el in its canonical form without the signature; nil when that has another digest.
func signedBytes(el, signature, reference *node) []byte {
	var last *node // transforms has made sure that it is the canonicalization
	for _, transform := range only(reference, nsSignature, "Transforms").elements() {
		last = transform
	}
	digest := only(reference, nsSignature, "DigestValue")
	if digest == nil {
		return nil
	}
	want, err := decodeBase64(digest.content())
	if err != nil {
		return nil
	}
	signed := canonical(el, signature, methodOf(last))
	hash := digestMethods[algorithmOf(reference, "DigestMethod")].New()
	hash.Write(signed)
	if !bytes.Equal(hash.Sum(nil), want) {
		return nil
	}
	return signed
}

// methodOf reads a CanonicalizationMethod or a Transform whose algorithm is one of canonicalMethods.
func methodOf(method *node) canonicalization {
	if attribute(method, "Algorithm") != nsExclusive {
		return canonicalization{inclusive: true}
	}
	var c canonicalization
	if list := only(method, nsExclusive, "InclusiveNamespaces"); list != nil {
		c.prefixes = strings.Fields(attribute(list, "PrefixList"))
	}
	for i, prefix := range c.prefixes {
		if prefix == "#default" {
			c.prefixes[i] = ""
		}
	}
	return c
}

// accept notes which certificate has signed. Trust is by pinning: an expired one works and is reported, unless the connection refuses expired ones.
func (p pinned) accept(el *node, cert *x509.Certificate, t *trail) error {
	if expired(cert) == 1 {
		got := "expired " + cert.NotAfter.UTC().Format(time.DateOnly)
		if p.refuseExpired {
			return t.require(check{
				name: "certificate", code: "saml.certificate_expired", got: got + ": " + fingerprint(cert), want: "a certificate that is valid today",
				fix: "The provider's certificate has expired, and this connection refuses expired ones. Let the provider renew it and import its metadata again.",
			})
		}
		t.note("certificate", got, "The provider's certificate has expired; it still works because it is pinned. Import the new metadata soon.")
	}
	return t.require(check{name: "signature of the " + el.local, ok: true, got: "certificate " + fingerprint(cert)})
}

// blame says that no pinned key has signed; the certificate in the message is only a hint for people.
func (p pinned) blame(el, info *node, hint *x509.Certificate) check {
	c := check{
		name: "signature of the " + el.local, code: "saml.bad_signature", want: p.String(),
		fix: "The signature was made with another key than the ones of this connection, or was changed on its way. Import the provider's metadata again.",
	}
	if info != nil && algorithmOf(info, "CanonicalizationMethod") != nsExclusive {
		// Keycloak signs the assertion so before it puts it into the response, whose namespaces then count as signed.
		c.fix += " Or it was signed with inclusive canonicalization before it was put into the response: set the provider to exclusive canonicalization."
	}
	if hint != nil && !slices.ContainsFunc(p.certificates, hint.Equal) {
		c.code, c.got = "saml.bad_certificate", fingerprint(hint)
		c.fix = "The provider signed with a certificate that this connection does not know. If the provider has renewed it, import its metadata again."
	}
	return c
}

// changed says that a pinned key has signed, but not this.
func (p pinned) changed(el *node) check {
	c := check{
		name: "signature of the " + el.local, code: "saml.bad_signature", got: "the digest of other content", want: "the digest that the provider signed",
		fix: "The message was changed after the provider had signed it. Look for a proxy or a plug-in that rewrites it, and for copies made by hand.",
	}
	if len(childrenOf(el, nsAssertion, "EncryptedAssertion")) > 0 {
		c.fix += " If the provider signs the response before it encrypts the assertion, set it to encrypt first, or to sign the assertion only."
	}
	return c
}

// String lists the fingerprints.
func (p pinned) String() string {
	var all []string
	for _, c := range p.certificates {
		all = append(all, fingerprint(c))
	}
	return strings.Join(all, ", ")
}

func fingerprint(cert *x509.Certificate) string {
	return fmt.Sprintf("sha256:%x", sha256.Sum256(cert.Raw))
}

// acceptable checks shape and algorithms and returns the SignedInfo: one, with one Reference to the enclosing element and no other transform
// than "enveloped" and one canonicalization.
func (p pinned) acceptable(el, signature *node, t *trail) (*node, error) {
	const fix = "The signature has an unusual shape; let the provider sign the response or the assertion with one enveloped signature."
	info, shape := signatureShape(el, signature)
	if err := t.require(check{name: "shape of the signature", ok: shape == "", code: "saml.signature_shape", got: shape, fix: fix}); err != nil {
		return nil, err
	}
	return info, t.require(p.algorithms(info)...)
}

// signatureShape returns the SignedInfo, or what is wrong with the signature.
func signatureShape(el, signature *node) (*node, string) {
	for _, child := range signature.elements() {
		if child.space != nsSignature || !slices.Contains([]string{"SignedInfo", "SignatureValue", "KeyInfo"}, child.local) {
			return nil, "unexpected element " + child.local
		}
	}
	info := only(signature, nsSignature, "SignedInfo")
	if info == nil || only(signature, nsSignature, "SignatureValue") == nil || len(childrenOf(signature, nsSignature, "KeyInfo")) > 1 {
		return nil, "not exactly one SignedInfo and SignatureValue"
	}
	references := childrenOf(info, nsSignature, "Reference")
	if len(references) != 1 || len(info.elements()) != 3 {
		return nil, fmt.Sprintf("%d references", len(references))
	}
	id := attribute(el, "ID")
	if uri := attribute(references[0], "URI"); id == "" || uri != "#"+id {
		return nil, fmt.Sprintf("the reference %q is not the enclosing element %q", uri, "#"+id)
	}
	if hasComment(info) {
		return nil, "a comment inside SignedInfo"
	}
	return info, ""
}

func (p pinned) algorithms(info *node) []check {
	reference := only(info, nsSignature, "Reference")
	method, digest := algorithmOf(info, "SignatureMethod"), algorithmOf(reference, "DigestMethod")
	form := algorithmOf(info, "CanonicalizationMethod")
	return []check{
		p.strong("signature algorithm", method, signatureMethods[method] != 0, method == methodRSASHA1),
		p.strong("digest algorithm", digest, digestMethods[digest] != 0, digest == methodSHA1),
		{
			name: "canonicalization", ok: slices.Contains(canonicalMethods, form), code: "saml.algorithm",
			got: form, want: "exclusive or inclusive, without comments", fix: "Set the provider to exclusive canonicalization without comments.",
		},
		transforms(reference),
	}
}

func (p pinned) strong(name, got string, known, sha1 bool) check {
	c := check{name: name, ok: known && (!sha1 || p.sha1), code: "saml.algorithm", got: got, want: "SHA-256, SHA-384 or SHA-512", fix: "Set the provider to sign with RSA-SHA256."}
	if sha1 {
		c.code, c.fix = "saml.weak_algorithm", "The provider signs with SHA-1, which can be forged. Set it to SHA-256; only if that is impossible, allow SHA-1 for this connection."
	}
	return c
}

func transforms(reference *node) check {
	c := check{
		name: "transforms", code: "saml.algorithm", want: "enveloped-signature, then one canonicalization",
		fix: "Set the provider to sign with the enveloped-signature transform and exclusive canonicalization only.",
	}
	var got []string
	if list := only(reference, nsSignature, "Transforms"); list != nil {
		for _, transform := range list.elements() {
			got = append(got, attribute(transform, "Algorithm"))
		}
	}
	c.got = strings.Join(got, ", ")
	c.ok = len(got) == 2 && got[0] == methodEnveloped && slices.Contains(canonicalMethods, got[1])
	return c
}

// hintedCertificate returns the first certificate of KeyInfo, or nil: it is a hint for people and never trusted.
func hintedCertificate(signature *node) *x509.Certificate {
	at := signature
	for _, name := range []string{"KeyInfo", "X509Data", "X509Certificate"} {
		found := childrenOf(at, nsSignature, name)
		if len(found) == 0 {
			return nil
		}
		at = found[0]
	}
	der, err := decodeBase64(at.content())
	if err != nil || len(der) > maxCertificate {
		return nil
	}
	hint, err := x509.ParseCertificate(der)
	if err != nil {
		return nil
	}
	return hint
}

// asn1Signature writes a signature as x509 wants it: XML signatures carry an ECDSA signature as r and s side by side (RFC 4050 3.3), x509 wants ASN.1.
func asn1Signature(cert *x509.Certificate, raw []byte) []byte {
	key, ok := cert.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return raw
	}
	size := (key.Curve.Params().BitSize + 7) / 8
	if len(raw) != 2*size {
		return raw
	}
	pair := struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:size]), new(big.Int).SetBytes(raw[size:])}
	if der, err := asn1.Marshal(pair); err == nil {
		return der
	}
	return raw
}
