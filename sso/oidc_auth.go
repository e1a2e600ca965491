package sso

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"

	"github.com/drawbridge-id/drawbridge/identity"
)

// assertionAge is how long an assertion of ours is good: it is made for one request.
const assertionAge = time.Minute

// assertionType says that a client proves itself by a JWT (RFC 7523 section 2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// authStyle is how the client secret travels. A connection that says nothing uses basic, which every provider must take, unless the provider publishes others.
func authStyle(o *identity.OIDCSettings, d discovery) oauth2.AuthStyle {
	switch o.ClientAuth {
	case identity.ClientAuthBasic:
		return oauth2.AuthStyleInHeader
	case identity.ClientAuthPost, identity.ClientAuthPrivateKey:
		return oauth2.AuthStyleInParams
	}
	if o.ClientSecret == "" || len(d.AuthMethods) > 0 && !slices.Contains(d.AuthMethods, "client_secret_basic") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// exchangeOptions returns what is sent with the code: the PKCE verifier, and our assertion where the connection proves itself with a key.
func (a *attempt) exchangeOptions(d discovery, verifier string) ([]oauth2.AuthCodeOption, error) {
	options := []oauth2.AuthCodeOption{oauth2.VerifierOption(verifier)}
	if a.connection.OIDC.ClientAuth != identity.ClientAuthPrivateKey {
		return options, nil
	}
	assertion, err := clientAssertion(&a.connection.OIDC, d, time.Now())
	if err := a.trail.require(check{
		name: "client authentication", ok: err == nil, code: "oidc.client_assertion", got: anyCause(err),
		fix: "We could not sign for ourselves: let the provider accept RS256 or PS256 for private_key_jwt, or change how this connection proves itself.",
	}); err != nil {
		return nil, err
	}
	return append(options, oauth2.SetAuthURLParam("client_assertion_type", assertionType), oauth2.SetAuthURLParam("client_assertion", assertion)), nil
}

// clientAssertion returns a JWT by which we prove that we are the client (RFC 7523 section 3, OpenID Connect core 9). It is addressed to the token endpoint, as
// OpenID Connect says, or to the issuer, as newer providers want it. The key is this connection's alone, so that no other provider has a use for it.
func clientAssertion(o *identity.OIDCSettings, d discovery, now time.Time) (string, error) {
	if len(o.Keys) == 0 {
		return "", errors.New("the connection has no key of its own")
	}
	own, err := readOwnKey(o.Keys[0])
	if err != nil {
		return "", err
	}
	algorithm, err := assertionAlgorithm(d.AuthSigning)
	if err != nil {
		return "", err
	}
	options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", own.id).WithHeader("x5t", own.sha1).WithHeader("x5t#S256", own.sha256)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: own.key}, options)
	if err != nil {
		return "", err
	}
	audience := d.Token
	if o.IssuerAsAudience {
		audience = d.Issuer
	}
	return jwt.Signed(signer).Claims(map[string]any{
		"iss": o.ClientID, "sub": o.ClientID, "aud": audience, "jti": identity.NewSecret(""),
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(assertionAge).Unix(),
	}).Serialize()
}

// assertionAlgorithm chooses among what the provider publishes that it accepts; nothing means that it does not say.
func assertionAlgorithm(accepted []string) (jose.SignatureAlgorithm, error) {
	for _, ours := range []jose.SignatureAlgorithm{jose.RS256, jose.PS256} {
		if len(accepted) == 0 || slices.Contains(accepted, string(ours)) {
			return ours, nil
		}
	}
	return "", errors.New("the provider accepts neither RS256 nor PS256 for assertions")
}

// ownKey is a key of ours and the names that it goes by.
type ownKey struct {
	key         *rsa.PrivateKey // nil when only the certificate is known
	certificate *x509.Certificate
	id          string // RFC 7638
	sha1        string // of the certificate: its name in a header (RFC 7515 4.1.7), by which Entra knows it
	sha256      string
}

// readOwnKey reads a key pair with its private key.
func readOwnKey(pair identity.KeyPair) (ownKey, error) {
	own, err := readOwnCertificate(pair)
	if err == nil {
		own.key, err = parseKey(pair.Key)
	}
	return own, err
}

func readOwnCertificate(pair identity.KeyPair) (ownKey, error) {
	certificate, err := x509.ParseCertificate(pair.Certificate)
	if err != nil {
		return ownKey{}, err
	}
	short, long := sha1.Sum(certificate.Raw), sha256.Sum256(certificate.Raw)
	print, err := (&jose.JSONWebKey{Key: certificate.PublicKey}).Thumbprint(crypto.SHA256)
	encode := base64.RawURLEncoding.EncodeToString
	return ownKey{certificate: certificate, id: encode(print), sha1: encode(short[:]), sha256: encode(long[:])}, err
}

// jwks answers GET /sso/{connection}/jwks.json: our public keys of a connection (RFC 7517), the one that signs first. It is public, and there before the
// connection is switched on: the provider needs it first.
func (d *Door) jwks(w http.ResponseWriter, r *http.Request) error {
	c, err := d.connection(r, identity.OIDC)
	if err != nil {
		return err
	}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, pair := range c.OIDC.Keys {
		own, err := readOwnCertificate(pair)
		if err != nil {
			return identity.Errorf(identity.Internal, "").WithCause(err)
		}
		long := sha256.Sum256(own.certificate.Raw)
		set.Keys = append(set.Keys, jose.JSONWebKey{
			Key: own.certificate.PublicKey, KeyID: own.id, Use: "sig", Certificates: []*x509.Certificate{own.certificate}, CertificateThumbprintSHA256: long[:],
		})
	}
	raw, err := json.Marshal(set)
	if err != nil {
		return identity.Errorf(identity.Internal, "").WithCause(err)
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, err = w.Write(raw)
	return err
}
