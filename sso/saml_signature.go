package sso

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/drawbridge-id/drawbridge/identity"
)

// The algorithms that a signature may use. The value says whether it needs SHA-1, which a connection must allow.
var (
	signatureMethods = map[string]bool{
		dsig.RSASHA256SignatureMethod: false, dsig.RSASHA384SignatureMethod: false, dsig.RSASHA512SignatureMethod: false,
		dsig.ECDSASHA256SignatureMethod: false, dsig.ECDSASHA384SignatureMethod: false, dsig.ECDSASHA512SignatureMethod: false,
		dsig.RSASHA1SignatureMethod: true,
	}
	digestMethods = map[string]bool{
		"http://www.w3.org/2001/04/xmlenc#sha256": false, "http://www.w3.org/2001/04/xmldsig-more#sha384": false,
		"http://www.w3.org/2001/04/xmlenc#sha512": false, "http://www.w3.org/2000/09/xmldsig#sha1": true,
	}
	canonicalMethods = []string{
		string(dsig.CanonicalXML10ExclusiveAlgorithmId), string(dsig.CanonicalXML10RecAlgorithmId), string(dsig.CanonicalXML11AlgorithmId),
	}
)

// minRSABits is the smallest RSA key that a provider may sign with.
const minRSABits = 2048

// pinned is what a connection trusts to sign.
type pinned struct {
	certificates []*x509.Certificate
	sha1         bool
}

// pin reads the certificates of a connection. None, or one with a short key, is an error: nothing could be trusted then.
func pin(s *identity.SAMLSettings) (pinned, error) {
	p := pinned{sha1: s.AllowSHA1}
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
	return p, nil
}

func strongKey(cert *x509.Certificate) error {
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < minRSABits {
			return fmt.Errorf("its RSA key has %d bits, at least %d are needed", key.N.BitLen(), minRSABits)
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

// verify checks the one signature of el and returns el as it was signed, without the signature, parsed again from the signed bytes.
// Every pinned certificate is tried; what the signature itself says about keys is not believed.
func (p pinned) verify(el, signature *etree.Element, t *trail) (*etree.Element, error) {
	if err := p.acceptable(el, signature, t); err != nil {
		return nil, err
	}
	own := detach(el, signature)
	ownSignature := own.ChildElements()[0]
	hint := hintedCertificate(ownSignature)
	raw := signatureValue(ownSignature)
	for _, cert := range p.certificates {
		setSignatureValue(ownSignature, cert, raw)
		if signed, err := validate(own, cert); err == nil {
			return signed, p.accept(el, cert, t)
		}
	}
	return nil, t.require(p.blame(el, hint))
}

func validate(el *etree.Element, cert *x509.Certificate) (*etree.Element, error) {
	ctx := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{cert}})
	// Trust comes from pinning, not from dates: an expired certificate is reported and still works.
	ctx.Clock = dsig.NewFakeClockAt(cert.NotBefore)
	return ctx.Validate(el)
}

func (p pinned) accept(el *etree.Element, cert *x509.Certificate, t *trail) error {
	if time.Now().After(cert.NotAfter) {
		t.note("certificate", "expired "+cert.NotAfter.UTC().Format(time.DateOnly), "The provider's certificate has expired; it still works because it is pinned. Import the new metadata soon.")
	}
	return t.require(check{name: "signature of the " + el.Tag, ok: true, got: "certificate " + fingerprint(cert)})
}

// blame tells a key that nobody pinned from a document that was changed; the certificate in the message is only a hint for people.
func (p pinned) blame(el *etree.Element, hint *x509.Certificate) check {
	c := check{
		name: "signature of the " + el.Tag, code: "saml.bad_signature", want: p.String(),
		fix: "The signature does not match: the message was changed on its way, or signed with another key. Compare the certificates with the provider's metadata.",
	}
	if len(childrenOf(el, nsAssertion, "EncryptedAssertion")) > 0 {
		c.fix += " If the provider signs the response before it encrypts the assertion, set it to encrypt first, or to sign the assertion only."
	}
	if hint != nil && !slices.ContainsFunc(p.certificates, hint.Equal) {
		c.code, c.got = "saml.bad_certificate", fingerprint(hint)
		c.fix = "The provider signed with a certificate that this connection does not know. If the provider has renewed it, import its metadata again."
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

// acceptable checks shape and algorithms before any cryptography: one SignedInfo, one Reference to the enclosing element, no other transform
// than "enveloped" and one canonicalization.
func (p pinned) acceptable(el, signature *etree.Element, t *trail) error {
	const fix = "The signature has an unusual shape; let the provider sign the response or the assertion with one enveloped signature."
	info, shape := signatureShape(el, signature)
	if err := t.require(check{name: "shape of the signature", ok: shape == "", code: "saml.signature_shape", got: shape, fix: fix}); err != nil {
		return err
	}
	return t.require(p.algorithms(info)...)
}

// signatureShape returns the SignedInfo, or what is wrong with the signature.
func signatureShape(el, signature *etree.Element) (*etree.Element, string) {
	for _, child := range signature.ChildElements() {
		if child.NamespaceURI() != nsSignature || !slices.Contains([]string{"SignedInfo", "SignatureValue", "KeyInfo"}, child.Tag) {
			return nil, "unexpected element " + child.Tag
		}
	}
	infos := childrenOf(signature, nsSignature, "SignedInfo")
	if len(infos) != 1 || len(childrenOf(signature, nsSignature, "SignatureValue")) != 1 || len(childrenOf(signature, nsSignature, "KeyInfo")) > 1 {
		return nil, "not exactly one SignedInfo and SignatureValue"
	}
	info := infos[0]
	references := childrenOf(info, nsSignature, "Reference")
	if len(references) != 1 || len(info.ChildElements()) != 3 {
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

func (p pinned) algorithms(info *etree.Element) []check {
	reference := childrenOf(info, nsSignature, "Reference")[0]
	method, digest := algorithmOf(info, "SignatureMethod"), algorithmOf(reference, "DigestMethod")
	return []check{
		p.strong("signature algorithm", method, signatureMethods),
		p.strong("digest algorithm", digest, digestMethods),
		{
			name: "canonicalization", ok: slices.Contains(canonicalMethods, algorithmOf(info, "CanonicalizationMethod")), code: "saml.algorithm",
			got: algorithmOf(info, "CanonicalizationMethod"), want: "exclusive or inclusive, without comments", fix: "Set the provider to exclusive canonicalization without comments.",
		},
		transforms(reference),
	}
}

func (p pinned) strong(name, got string, known map[string]bool) check {
	sha1, ok := known[got]
	c := check{name: name, ok: ok && (!sha1 || p.sha1), code: "saml.algorithm", got: got, want: "SHA-256, SHA-384 or SHA-512", fix: "Set the provider to sign with RSA-SHA256."}
	if ok && sha1 {
		c.code, c.fix = "saml.weak_algorithm", "The provider signs with SHA-1, which can be forged. Set it to SHA-256; only if that is impossible, allow SHA-1 for this connection."
	}
	return c
}

func transforms(reference *etree.Element) check {
	c := check{
		name: "transforms", code: "saml.algorithm", want: "enveloped-signature, then one canonicalization",
		fix: "Set the provider to sign with the enveloped-signature transform and exclusive canonicalization only.",
	}
	var got []string
	for _, list := range childrenOf(reference, nsSignature, "Transforms") {
		for _, transform := range list.ChildElements() {
			got = append(got, attribute(transform, "Algorithm"))
		}
	}
	c.got = strings.Join(got, ", ")
	c.ok = len(got) == 2 && got[0] == string(dsig.EnvelopedSignatureAltorithmId) && slices.Contains(canonicalMethods, got[1])
	return c
}

// detach copies el with the namespaces of its ancestors and puts its signature first, without its KeyInfo: the verifier then finds this
// signature before any other, and no key but the pinned one. Neither change is under the signature's own digest.
func detach(el, signature *etree.Element) *etree.Element {
	own := standalone(el)
	own.InsertChildAt(0, own.RemoveChildAt(signature.Index()))
	return own
}

// hintedCertificate takes KeyInfo out of the signature and returns the certificate in it, if there is one.
func hintedCertificate(signature *etree.Element) *x509.Certificate {
	var hint *x509.Certificate
	for _, info := range childrenOf(signature, nsSignature, "KeyInfo") {
		for _, data := range childrenOf(info, nsSignature, "X509Data") {
			for _, el := range childrenOf(data, nsSignature, "X509Certificate") {
				if der, err := decodeBase64(el.Text()); err == nil && hint == nil {
					hint, _ = x509.ParseCertificate(der) // a broken one is no hint
				}
			}
		}
		signature.RemoveChild(info)
	}
	return hint
}

func signatureValue(signature *etree.Element) []byte {
	raw, err := decodeBase64(childrenOf(signature, nsSignature, "SignatureValue")[0].Text())
	if err != nil {
		return nil
	}
	return raw
}

// setSignatureValue writes the value as goxmldsig wants it: XML signatures carry an ECDSA signature as r and s side by side (RFC 4050 3.3), x509 wants ASN.1.
func setSignatureValue(signature *etree.Element, cert *x509.Certificate, raw []byte) {
	if key, ok := cert.PublicKey.(*ecdsa.PublicKey); ok {
		size := (key.Curve.Params().BitSize + 7) / 8
		if len(raw) == 2*size {
			pair := struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:size]), new(big.Int).SetBytes(raw[size:])}
			if der, err := asn1.Marshal(pair); err == nil {
				raw = der
			}
		}
	}
	childrenOf(signature, nsSignature, "SignatureValue")[0].SetText(base64.StdEncoding.EncodeToString(raw))
}
