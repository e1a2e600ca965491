package sso

import "crypto/x509"

// signedMessage returns the root of a message as it was signed: by HTTP-Redirect beside it, by HTTP-POST inside.
func signedMessage(m message, doc document, keys pinned, t *trail) (*node, error) {
	root, err := parse(m.raw, doc)
	if err := t.require(documentCheck(err)); err != nil {
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

func unsignedCheck(root *node) check {
	return check{
		name: "signature", code: "saml.unsigned", got: "the " + root.local + " is not signed", want: "a signature",
		fix: "Set the provider to sign its log-out messages: without a signature anybody could end sessions.",
	}
}

// verifyDetached checks the signature of a redirect. Every pinned certificate is tried.
func (p pinned) verifyDetached(root *node, d detached, t *trail) error {
	if d.algorithm == "" || d.signature == "" {
		return t.require(unsignedCheck(root))
	}
	if err := t.require(p.strong("signature algorithm", d.algorithm, signatureMethods[d.algorithm] != 0, d.algorithm == methodRSASHA1)); err != nil {
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
		name: "signature of the " + root.local, code: "saml.bad_signature", want: p.String(),
		fix: "The signature does not match: the message was changed on its way, or signed with another key. Compare the certificates with the provider's metadata.",
	})
}

func validDetached(cert *x509.Certificate, algorithm string, signed, signature []byte) bool {
	method, known := signatureMethods[algorithm]
	return known && cert.CheckSignature(method, signed, asn1Signature(cert, signature)) == nil
}
