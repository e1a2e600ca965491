package ssotest

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"math/big"
	"time"
)

// SelfSigned returns a certificate (DER) of the key, valid for a year from an hour ago.
func SelfSigned(key crypto.Signer, name string) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0),
	}
	return x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
}

// newID returns a random XML id.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return "_" + hex.EncodeToString(b[:])
}
