package ssotest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/beevik/etree"
	"github.com/russellhaering/goxmldsig/etreeutils"
)

// Ciphers of XML encryption that an answer may use.
const (
	AES128GCM = "http://www.w3.org/2009/xmlenc11#aes128-gcm"
	AES256GCM = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
	AES128CBC = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
	AES256CBC = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
)

var keySizes = map[string]int{AES128GCM: 16, AES256GCM: 32, AES128CBC: 16, AES256CBC: 32}

// encrypt replaces the assertion by an EncryptedAssertion for the service provider's certificate.
func (a *Answer) encrypt(root, assertion *etree.Element) error {
	around, err := etreeutils.NSBuildParentContext(assertion)
	if err != nil {
		return err
	}
	detached, err := etreeutils.NSDetatch(around, assertion)
	if err != nil {
		return err
	}
	doc := etree.NewDocument()
	doc.SetRoot(detached)
	plain, err := doc.WriteToBytes()
	if err != nil {
		return err
	}
	if a.Cipher == "" {
		a.Cipher = AES128GCM
	}
	el, err := EncryptedAssertion(plain, a.EncryptTo, a.Cipher)
	if err != nil {
		return err
	}
	root.InsertChildAt(assertion.Index(), el)
	root.RemoveChild(assertion)
	return nil
}

// EncryptedAssertion encrypts any bytes as if they were an assertion, with a new content key wrapped by RSA-OAEP.
func EncryptedAssertion(plain, certificate []byte, method string) (*etree.Element, error) {
	key := make([]byte, keySizes[method])
	if len(key) == 0 {
		return nil, errors.New("unknown cipher " + method)
	}
	rand.Read(key)
	sealed, err := seal(plain, key, method)
	if err != nil {
		return nil, err
	}
	return Sealed(sealed, key, certificate, method)
}

// Sealed writes an EncryptedAssertion around a ciphertext that is already there, so that tests can choose it.
func Sealed(sealed, key, certificate []byte, method string) (*etree.Element, error) {
	cert, err := x509.ParseCertificate(certificate)
	if err != nil {
		return nil, err
	}
	public, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("the certificate has no RSA key")
	}
	wrapped, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, public, key, nil)
	if err != nil {
		return nil, err
	}
	doc := etree.NewDocument()
	err = doc.ReadFromString(fmt.Sprintf(`<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"><xenc:EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" Type="http://www.w3.org/2001/04/xmlenc#Element">`+
		`<xenc:EncryptionMethod Algorithm="%s"/><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"/>`+
		`<xenc:CipherData><xenc:CipherValue>%s</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo><xenc:CipherData><xenc:CipherValue>%s</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData></saml:EncryptedAssertion>`,
		method, base64.StdEncoding.EncodeToString(wrapped), base64.StdEncoding.EncodeToString(sealed)))
	return doc.Root(), err
}

func seal(plain, key []byte, method string) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	if method == AES128GCM || method == AES256GCM {
		gcm, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		return gcm.Seal(nil, nil, plain, nil), nil
	}
	pad := aes.BlockSize - len(plain)%aes.BlockSize
	padded := append(append([]byte{}, plain...), make([]byte, pad)...)
	padded[len(padded)-1] = byte(pad)
	sealed := make([]byte, aes.BlockSize+len(padded))
	rand.Read(sealed[:aes.BlockSize])
	cipher.NewCBCEncrypter(block, sealed[:aes.BlockSize]).CryptBlocks(sealed[aes.BlockSize:], padded)
	return sealed, nil
}
