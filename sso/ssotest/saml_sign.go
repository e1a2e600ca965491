package ssotest

import (
	"crypto/ecdsa"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"math/big"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/russellhaering/goxmldsig/etreeutils"
)

// Sign puts an enveloped signature of el behind its Issuer, made with the answer's key and methods.
func (a *Answer) Sign(el *etree.Element) error {
	ctx, err := dsig.NewSigningContext(a.Key, [][]byte{a.Certificate})
	if err != nil {
		return err
	}
	if ctx.Canonicalizer, err = canonicalizer(a.Canonicalization); err != nil {
		return err
	}
	if err := ctx.SetSignatureMethod(a.SignatureMethod); err != nil {
		return err
	}
	around, err := etreeutils.NSBuildParentContext(el)
	if err != nil {
		return err
	}
	detached, err := etreeutils.NSDetatch(around, el)
	if err != nil {
		return err
	}
	signature, err := ctx.ConstructSignature(detached, true)
	if err != nil {
		return err
	}
	if key, ok := a.Key.(*ecdsa.PrivateKey); ok {
		if err := standardECDSA(signature, key); err != nil {
			return err
		}
	}
	at := 0
	if issuer := el.SelectElement("saml:Issuer"); issuer != nil {
		at = issuer.Index() + 1
	}
	el.InsertChildAt(at, signature)
	return nil
}

func canonicalizer(uri string) (dsig.Canonicalizer, error) {
	switch dsig.AlgorithmID(uri) {
	case dsig.CanonicalXML10ExclusiveAlgorithmId:
		return dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList(""), nil
	case dsig.CanonicalXML10ExclusiveWithCommentsAlgorithmId:
		return dsig.MakeC14N10ExclusiveWithCommentsCanonicalizerWithPrefixList(""), nil
	case dsig.CanonicalXML10RecAlgorithmId:
		return dsig.MakeC14N10RecCanonicalizer(), nil
	case dsig.CanonicalXML11AlgorithmId:
		return dsig.MakeC14N11Canonicalizer(), nil
	}
	return nil, errors.New("unknown canonicalization " + uri)
}

// standardECDSA rewrites goxmldsig's ASN.1 signature as XML signature has it: r and s side by side (RFC 4050 3.3).
func standardECDSA(signature *etree.Element, key *ecdsa.PrivateKey) error {
	value := signature.SelectElement("ds:SignatureValue")
	der, err := base64.StdEncoding.DecodeString(value.Text())
	if err != nil {
		return err
	}
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &pair); err != nil {
		return err
	}
	size := (key.Curve.Params().BitSize + 7) / 8
	raw := make([]byte, 2*size)
	pair.R.FillBytes(raw[:size])
	pair.S.FillBytes(raw[size:])
	value.SetText(base64.StdEncoding.EncodeToString(raw))
	return nil
}
