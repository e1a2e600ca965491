package provisioning

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// KeyStep is one step of changing a connection's own key without a failed sign-in: add, tell the provider, use, drop.
type KeyStep string

// The steps. AddKey makes a new key beside the one in use: our metadata shows both, and what is encrypted for either can be read. UseKey lets the newest key
// sign, and keeps the former. DropKey forgets every key but the one in use.
const (
	AddKey  KeyStep = "add"
	UseKey  KeyStep = "use"
	DropKey KeyStep = "drop"
)

// maxOwnKeys is how many keys of its own a connection has at most.
const maxOwnKeys = 3

// RotateConnectionKey takes one step of changing a connection's own key. Invalid for a connection that has none and for an unknown step, Conflict when
// there is nothing to use or to drop, or no room for one more.
func (s *Service) RotateConnectionKey(ctx context.Context, by identity.Actor, id identity.ConnectionID, step KeyStep) (identity.Connection, error) {
	return s.changeConnection(ctx, by, id, func(tx *store.Tx, before identity.Connection, after *identity.Connection, fresh identity.KeyPair) error {
		if err := rotate(after, step, fresh); err != nil {
			return err
		}
		after.UpdatedAt = tx.Now()
		if err := tx.UpdateConnection(ctx, *after); err != nil {
			return err
		}
		e := aboutConnection(by, identity.ConnectionKeyRotated, *after)
		e.Reason, e.Changes = string(step), diffConnections(before, *after)
		return tx.InsertEvent(ctx, e)
	})
}

// rotate takes a step on a copy: the pairs of before are not touched.
func rotate(c *identity.Connection, step KeyStep, fresh identity.KeyPair) error {
	all := ownKeys(c)
	switch {
	case len(all) == 0:
		return identity.Errorf(identity.Invalid, "Only a SAML connection, and an OpenID one that proves itself by private_key_jwt, has a key of its own.").WithField("kind")
	case step == AddKey && len(all) >= maxOwnKeys:
		return identity.Errorf(identity.Conflict, "This connection has %d keys already: drop those that are not in use first.", len(all)).WithCode("connection.too_many_keys")
	case step == AddKey && len(fresh.Key) == 0:
		return errNeedsKey
	case step == AddKey:
		setOwnKeys(c, append(all, fresh))
	case (step == UseKey || step == DropKey) && len(all) == 1:
		return identity.Errorf(identity.Conflict, "This connection has one key only: add another first.").WithCode("connection.one_key")
	case step == UseKey:
		newest := len(all) - 1
		setOwnKeys(c, append([]identity.KeyPair{all[newest]}, all[:newest]...))
	case step == DropKey:
		setOwnKeys(c, all[:1])
	default:
		return identity.Errorf(identity.Invalid, "The step is %q; it is add, use or drop.", step).WithField("step")
	}
	return nil
}

// ownKeys returns a copy of a connection's own key pairs, the one that signs first.
func ownKeys(c *identity.Connection) []identity.KeyPair {
	if c.Kind == identity.SAML {
		return c.SAML.Own()
	}
	return slices.Clone(c.OIDC.Keys)
}

func setOwnKeys(c *identity.Connection, all []identity.KeyPair) {
	if c.Kind == identity.SAML {
		c.SAML.Certificate, c.SAML.Key, c.SAML.Standby = all[0].Certificate, all[0].Key, all[1:]
		return
	}
	c.OIDC.Keys = all
}

// errNeedsKey is how a transaction asks for a key, which takes too long to make inside.
var errNeedsKey = errors.New("the connection needs a key of its own")

// needsKey reports whether a connection must have a key of its own and has none.
func needsKey(c *identity.Connection) bool {
	if c.Kind == identity.SAML {
		return len(c.SAML.Key) == 0
	}
	return c.OIDC.ClientAuth == identity.ClientAuthPrivateKey && len(c.OIDC.Keys) == 0
}

// giveKey gives a connection that needs one its first key pair.
func giveKey(c *identity.Connection) error {
	own, err := newKeyPair(c.ID)
	setOwnKeys(c, []identity.KeyPair{own})
	return err
}

// newKeyPair makes a key of ours for a connection. Providers pin the certificate, so its dates are a formality.
func newKeyPair(id identity.ConnectionID) (identity.KeyPair, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return identity.KeyPair{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return identity.KeyPair{}, err
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Drawbridge " + string(id)}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
	}
	var pair identity.KeyPair
	if pair.Certificate, err = x509.CreateCertificate(rand.Reader, t, t, key.Public(), key); err != nil {
		return pair, err
	}
	pair.Key, err = x509.MarshalPKCS8PrivateKey(key)
	return pair, err
}

// diffFlows is the part of diffConnections about our own keys and the ways in which messages travel.
func diffFlows(before, after identity.Connection, add func(field string, a, b any)) {
	add("force authentication", before.Options.ForceAuthn, after.Options.ForceAuthn)
	add("started by the provider", before.Options.AllowUnsolicited, after.Options.AllowUnsolicited)
	add("artifacts", before.Options.Artifact, after.Options.Artifact)
	add("logout url", before.SAML.SLOURL, after.SAML.SLOURL)
	add("logout answer url", before.SAML.SLOResponseURL, after.SAML.SLOResponseURL)
	add("logout binding", before.SAML.SLOBinding, after.SAML.SLOBinding)
	add("artifact urls", before.SAML.ArtifactURLs, after.SAML.ArtifactURLs)
	add("own certificates", ownPrints(&before), ownPrints(&after))
	add("client authentication", before.OIDC.ClientAuth, after.OIDC.ClientAuth)
	add("issuer as audience", before.OIDC.IssuerAsAudience, after.OIDC.IssuerAsAudience)
}

// ownPrints returns the fingerprints of our certificates, the one in use first.
func ownPrints(c *identity.Connection) []string {
	var all [][]byte
	for _, pair := range ownKeys(c) {
		if len(pair.Certificate) > 0 {
			all = append(all, pair.Certificate)
		}
	}
	if all == nil {
		return nil
	}
	return fingerprints(all)
}

// checkClientAuth holds what each way of proving that we are the client needs.
func checkClientAuth(s *identity.OIDCSettings) error {
	switch s.ClientAuth {
	case "", identity.ClientAuthBasic, identity.ClientAuthPost:
		if s.ClientSecret == "" || strings.ContainsFunc(s.ClientSecret, unicode.IsControl) {
			return identity.Errorf(identity.Invalid, "The client secret is needed, as the provider shows it; or let the connection prove itself by private_key_jwt.").WithField("client_secret")
		}
	case identity.ClientAuthPrivateKey:
	default:
		return identity.Errorf(identity.Invalid, "A connection proves itself by basic, post or private_key_jwt.").WithField("client_auth")
	}
	return nil
}
