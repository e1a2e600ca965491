package sso

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	_ "crypto/sha1" // for RSA-OAEP-MGF1P, whose mask is defined with it; no signature is believed for it
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/drawbridge-id/drawbridge/identity"
)

// RSA key transport (XML encryption 1.1, 5.5). PKCS #1 v1.5 is not among them: its padding can be guessed.
const (
	oaepMGF1P = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
	oaep11    = "http://www.w3.org/2009/xmlenc11#rsa-oaep"
	nsEnc11   = "http://www.w3.org/2009/xmlenc11#"
)

// dataCipher is a block cipher of XML encryption (5.2).
type dataCipher struct {
	keySize int
	gcm     bool
}

var dataCiphers = map[string]dataCipher{
	"http://www.w3.org/2001/04/xmlenc#aes128-cbc": {16, false}, "http://www.w3.org/2009/xmlenc11#aes128-gcm": {16, true},
	"http://www.w3.org/2001/04/xmlenc#aes192-cbc": {24, false}, "http://www.w3.org/2009/xmlenc11#aes192-gcm": {24, true},
	"http://www.w3.org/2001/04/xmlenc#aes256-cbc": {32, false}, "http://www.w3.org/2009/xmlenc11#aes256-gcm": {32, true},
}

var (
	oaepHashes = map[string]crypto.Hash{
		"": crypto.SHA1, "http://www.w3.org/2000/09/xmldsig#sha1": crypto.SHA1,
		"http://www.w3.org/2001/04/xmlenc#sha256": crypto.SHA256, "http://www.w3.org/2001/04/xmlenc#sha512": crypto.SHA512,
	}
	maskHashes = map[string]crypto.Hash{
		"": crypto.SHA1, "http://www.w3.org/2009/xmlenc11#mgf1sha1": crypto.SHA1,
		"http://www.w3.org/2009/xmlenc11#mgf1sha256": crypto.SHA256, "http://www.w3.org/2009/xmlenc11#mgf1sha512": crypto.SHA512,
	}
)

// decryptAssertion opens an EncryptedAssertion with one of the connection's own keys. Every failure looks the same from outside (one status, one page),
// so that nobody can learn about the padding by asking often; the trace has the cause.
func decryptAssertion(el *node, c *identity.Connection, t *trail) (*node, error) {
	inner, err := openWithAny(el, &c.SAML)
	result := check{
		name: "decryption", ok: err == nil, code: "saml.decrypt_failed", got: anyCause(err),
		fix: "The encrypted assertion cannot be opened: give the provider the certificate in our current metadata, or switch encryption off.",
	}
	if errors.Is(err, errCipher) {
		result.want = "AES (GCM or CBC) with RSA-OAEP"
		result.fix = "The provider encrypts with an algorithm that is not accepted: set it to one that our metadata lists, such as AES-256-GCM with RSA-OAEP, or switch encryption off."
	}
	return inner, t.require(result)
}

// errCipher is under every error about an algorithm that is not accepted.
var errCipher = errors.New("it is not supported")

// openWithAny tries our keys in turn: while a key is being changed, the provider may still encrypt for the former one.
func openWithAny(el *node, s *identity.SAMLSettings) (inner *node, err error) {
	for _, pair := range s.Own() {
		if inner, err = openAssertion(el, pair.Key); !errors.Is(err, rsa.ErrDecryption) {
			break // it was this key, or no key would help
		}
	}
	return inner, err
}

func openAssertion(el *node, pkcs8 []byte) (*node, error) {
	key, err := parseKey(pkcs8)
	if err != nil {
		return nil, err
	}
	data := only(el, nsEncrypted, "EncryptedData")
	if data == nil {
		return nil, errors.New("not exactly one EncryptedData")
	}
	plain, err := openData(data, el, key)
	if err != nil {
		return nil, err
	}
	inner, err := parse(plain, assertionDocument)
	if err == nil {
		return inner, nil
	}
	// It may have been cut out of its response as it stood, without the namespaces that are declared there (XML encryption 1.1, 4.4). What an honest provider
	// signed has the same canonical form either way.
	if inner, within := parseWithin(plain, assertionDocument, el.inForce()); within == nil {
		return inner, nil
	}
	return nil, fmt.Errorf("the plaintext: %w", err)
}

func parseKey(pkcs8 []byte) (*rsa.PrivateKey, error) {
	key, err := x509.ParsePKCS8PrivateKey(pkcs8)
	if err != nil {
		return nil, fmt.Errorf("the connection's own key cannot be read: %w", err)
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("the connection's own key is no RSA key")
	}
	return private, nil
}

func openData(data, around *node, key *rsa.PrivateKey) ([]byte, error) {
	method := encryptionMethod(data)
	spec, ok := dataCiphers[attribute(method, "Algorithm")]
	if !ok {
		return nil, fmt.Errorf("the cipher is %q: %w", shown(attribute(method, "Algorithm")), errCipher)
	}
	content, err := openKey(data, around, key)
	if err != nil {
		return nil, err
	}
	if len(content) != spec.keySize {
		return nil, errors.New("the content key has the wrong length")
	}
	sealed, err := cipherValue(data)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(content)
	if err != nil {
		return nil, err
	}
	if spec.gcm {
		return openGCM(block, sealed)
	}
	return openCBC(block, sealed)
}

// openKey unwraps the content key; EncryptedKey stands in the KeyInfo of the data, or beside the data.
func openKey(data, around *node, key *rsa.PrivateKey) ([]byte, error) {
	keys := childrenOf(around, nsEncrypted, "EncryptedKey")
	for _, info := range childrenOf(data, nsSignature, "KeyInfo") {
		keys = append(keys, childrenOf(info, nsEncrypted, "EncryptedKey")...)
	}
	if len(keys) != 1 {
		return nil, errors.New("not exactly one EncryptedKey")
	}
	options, err := oaepOptions(encryptionMethod(keys[0]))
	if err != nil {
		return nil, err
	}
	wrapped, err := cipherValue(keys[0])
	if err != nil {
		return nil, err
	}
	return key.Decrypt(nil, wrapped, options)
}

func oaepOptions(method *node) (*rsa.OAEPOptions, error) {
	algorithm, mask := attribute(method, "Algorithm"), ""
	if algorithm != oaepMGF1P && algorithm != oaep11 {
		return nil, fmt.Errorf("the key transport is %q: %w", shown(algorithm), errCipher)
	}
	for _, el := range childrenOf(method, nsEnc11, "MGF") {
		mask = attribute(el, "Algorithm")
	}
	if algorithm == oaepMGF1P {
		mask = "" // always SHA-1, whatever else is said
	}
	hash, ok := oaepHashes[algorithmOf(method, "DigestMethod")]
	masked, known := maskHashes[mask]
	if !ok || !known {
		return nil, fmt.Errorf("the digest of RSA-OAEP: %w", errCipher)
	}
	return &rsa.OAEPOptions{Hash: hash, MGFHash: masked}, nil
}

// encryptionMethod returns an element without an algorithm when there is none, or several.
func encryptionMethod(el *node) *node {
	if found := only(el, nsEncrypted, "EncryptionMethod"); found != nil {
		return found
	}
	return &node{local: "none"}
}

func cipherValue(el *node) ([]byte, error) {
	data := only(el, nsEncrypted, "CipherData")
	if data == nil {
		return nil, errors.New("not exactly one CipherData")
	}
	value := only(data, nsEncrypted, "CipherValue")
	if value == nil {
		return nil, errors.New("not exactly one CipherValue")
	}
	return decodeBase64(value.content())
}

func openGCM(block cipher.Block, sealed []byte) ([]byte, error) {
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	if len(sealed) < gcm.NonceSize()+gcm.Overhead() {
		return nil, errors.New("the ciphertext is too short")
	}
	return gcm.Open(nil, sealed[:gcm.NonceSize()], sealed[gcm.NonceSize():], nil)
}

// openCBC decrypts and takes off the padding, whose last byte is its length (XML encryption 5.2.1).
func openCBC(block cipher.Block, sealed []byte) ([]byte, error) {
	size := block.BlockSize()
	if len(sealed) < 2*size || len(sealed)%size != 0 {
		return nil, errors.New("the ciphertext is no whole number of blocks")
	}
	plain := make([]byte, len(sealed)-size)
	cipher.NewCBCDecrypter(block, sealed[:size]).CryptBlocks(plain, sealed[size:])
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > size {
		return nil, errors.New("the padding is wrong")
	}
	return plain[:len(plain)-pad], nil
}
