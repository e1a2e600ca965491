package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// certificateView is a certificate as --json shows it.
type certificateView struct {
	SHA256  string     `json:"sha256"`
	Subject string     `json:"subject,omitempty"`
	Ends    *time.Time `json:"ends,omitempty"`
}

func viewCertificate(der []byte) certificateView {
	v := certificateView{SHA256: printOf(der)}
	if cert, err := x509.ParseCertificate(der); err == nil {
		v.Subject, v.Ends = cert.Subject.String(), &cert.NotAfter
	}
	return v
}

func printOf(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// certificatesIn decodes certificates in PEM, or one in DER.
func certificatesIn(raw []byte) ([][]byte, error) {
	if _, err := x509.ParseCertificate(raw); err == nil {
		return [][]byte{raw}, nil
	}
	var out [][]byte
	for rest := bytes.TrimSpace(raw); len(rest) > 0; {
		block, after := pem.Decode(rest)
		if block == nil || block.Type != "CERTIFICATE" {
			return nil, errors.New("it is no certificate in PEM or DER")
		}
		out, rest = append(out, block.Bytes), bytes.TrimSpace(after)
	}
	if len(out) == 0 {
		return nil, errors.New("it is empty")
	}
	return out, nil
}

// changedCertificates adds and removes; a fingerprint that fits none is an error.
func changedCertificates(have, added [][]byte, removed []string) ([][]byte, error) {
	out := slices.Clone(have)
	for _, der := range added {
		if !slices.ContainsFunc(out, func(other []byte) bool { return bytes.Equal(der, other) }) {
			out = append(out, der)
		}
	}
	for _, word := range removed {
		wanted := strings.ToLower(strings.ReplaceAll(word, ":", ""))
		before := len(out)
		out = slices.DeleteFunc(out, func(der []byte) bool { return printOf(der) == wanted })
		if len(out) == before {
			return nil, identity.Errorf(identity.NotFound, "The connection trusts no certificate with the SHA-256 %q. See 'drawbridge connection show'.", word)
		}
	}
	return out, nil
}
