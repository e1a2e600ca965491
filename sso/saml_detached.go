package sso

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"math/big"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// detachedMethods are the algorithms of a signature beside a redirect.
var detachedMethods = map[string]crypto.Hash{
	dsig.RSASHA256SignatureMethod: crypto.SHA256, dsig.RSASHA384SignatureMethod: crypto.SHA384, dsig.RSASHA512SignatureMethod: crypto.SHA512,
	dsig.ECDSASHA256SignatureMethod: crypto.SHA256, dsig.ECDSASHA384SignatureMethod: crypto.SHA384, dsig.ECDSASHA512SignatureMethod: crypto.SHA512,
	dsig.RSASHA1SignatureMethod: crypto.SHA1,
}

// signedMessage returns the root of a message as it was signed: by HTTP-Redirect beside it, by HTTP-POST inside.
func signedMessage(m message, doc document, keys pinned, t *trail) (*etree.Element, error) {
	err := scan(m.raw, doc)
	if err := t.require(documentCheck(err)); err != nil {
		return nil, err
	}
	root, err := parse(m.raw)
	if err != nil {
		return nil, err
	}
	if m.detached != nil {
		return root, keys.verifyDetached(root, *m.detached, t)
	}
	signature := signatureOf(root)
	if signature == nil {
		return nil, t.require(unsignedCheck(root))
	}
	return keys.verify(root, signature, t)
}

func unsignedCheck(root *etree.Element) check {
	return check{
		name: "signature", code: "saml.unsigned", got: "the " + root.Tag + " is not signed", want: "a signature",
		fix: "Set the provider to sign its log-out messages: without a signature anybody could end sessions.",
	}
}

// verifyDetached checks the signature of a redirect. Every pinned certificate is tried.
func (p pinned) verifyDetached(root *etree.Element, d detached, t *trail) error {
	if d.algorithm == "" || d.signature == "" {
		return t.require(unsignedCheck(root))
	}
	if err := t.require(p.strong("signature algorithm", d.algorithm, signatureMethods)); err != nil {
		return err
	}
	signature, err := decodeBase64(d.signature)
	if err == nil {
		for _, cert := range p.certificates {
			for _, signed := range d.signed {
				if validDetached(cert, d.algorithm, []byte(signed), signature) {
					return p.accept(root, cert, t)
				}
			}
		}
	}
	return t.require(check{
		name: "signature of the " + root.Tag, code: "saml.bad_signature", want: p.String(),
		fix: "The signature does not match: the message was changed on its way, or signed with another key. Compare the certificates with the provider's metadata.",
	})
}

func validDetached(cert *x509.Certificate, algorithm string, signed, signature []byte) bool {
	hash, ok := detachedMethods[algorithm]
	if !ok {
		return false
	}
	h := hash.New()
	h.Write(signed) // never fails
	digest := h.Sum(nil)
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		return isRSA(algorithm) && rsa.VerifyPKCS1v15(key, hash, digest, signature) == nil
	case *ecdsa.PublicKey:
		return !isRSA(algorithm) && validECDSA(key, digest, signature)
	}
	return false
}

func isRSA(algorithm string) bool {
	switch algorithm {
	case dsig.ECDSASHA256SignatureMethod, dsig.ECDSASHA384SignatureMethod, dsig.ECDSASHA512SignatureMethod:
		return false
	}
	return true
}

// validECDSA takes r and s side by side, as XML signatures have them (RFC 4050 3.3), or in ASN.1, as most libraries make them.
func validECDSA(key *ecdsa.PublicKey, digest, signature []byte) bool {
	size := (key.Curve.Params().BitSize + 7) / 8
	if len(signature) == 2*size {
		pair := struct{ R, S *big.Int }{new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])}
		if der, err := asn1.Marshal(pair); err == nil && ecdsa.VerifyASN1(key, digest, der) {
			return true
		}
	}
	return ecdsa.VerifyASN1(key, digest, signature)
}
