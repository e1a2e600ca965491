package sso

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

// verifyDetached checks the signature of a redirect (SAML bindings 3.4.4.1). Every pinned certificate is tried.
func (p pinned) verifyDetached(root *node, d detached, t *trail) error {
	if d.algorithm == "" || d.signature == "" {
		return t.require(unsignedCheck(root))
	}
	algorithm := signatureMethods[d.algorithm]
	if err := t.require(p.strong("signature algorithm", d.algorithm, algorithm != 0, d.algorithm == methodRSASHA1)); err != nil {
		return err
	}
	signature, err := decodeBase64(d.signature)
	if err != nil {
		return t.require(p.blame(root, nil, nil))
	}
	for _, cert := range p.certificates {
		for _, signed := range d.signed {
			// Beside a redirect some providers write ECDSA in ASN.1, others as XML signatures have it.
			if cert.CheckSignature(algorithm, []byte(signed), asn1Signature(cert, signature)) == nil || cert.CheckSignature(algorithm, []byte(signed), signature) == nil {
				return p.accept(root, cert, t)
			}
		}
	}
	return t.require(p.blame(root, nil, nil))
}
