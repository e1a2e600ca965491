package authn

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/drawbridge-id/drawbridge/identity"
)

const (
	maxAssertion  = 8 << 10          // bytes of a JWT
	maxLifetime   = 10 * time.Minute // how far ahead a JWT may end: so long its id is remembered
	assertionSkew = 30 * time.Second // how far a client's clock may be off
)

// assertionAlgorithms are those that a client may sign with. None of them has a key that we know too.
var assertionAlgorithms = []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256, jose.EdDSA}

// AssertionAlgorithms returns the names of the algorithms that a client may sign with (RFC 7518 section 3.1).
func AssertionAlgorithms() []string {
	out := make([]string, len(assertionAlgorithms))
	for i, a := range assertionAlgorithms {
		out[i] = string(a)
	}
	return out
}

// assertion is a JWT by which a client says who it is (RFC 7523 section 3).
type assertion struct {
	token   *jwt.JSONWebToken
	subject string    // believed only after check
	id      string    // jti, after check
	until   time.Time // how long the id must be remembered, after check
}

// readAssertion parses a JWT and looks, without believing it, whose it is.
func readAssertion(raw string) (assertion, error) {
	if len(raw) > maxAssertion {
		return assertion{}, fmt.Errorf("the assertion has more than %d bytes", maxAssertion)
	}
	token, err := jwt.ParseSigned(raw, assertionAlgorithms)
	if err != nil {
		return assertion{}, fmt.Errorf("the assertion cannot be read: %w", err)
	}
	var claims jwt.Claims
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil {
		return assertion{}, fmt.Errorf("the claims of the assertion cannot be read: %w", err)
	}
	return assertion{token: token, subject: claims.Subject}, nil
}

// check verifies the signature with the client's keys, and then what is claimed.
func (a *assertion) check(c identity.Client, audiences []string, now time.Time) error {
	switch {
	case c.ID == "":
		return errors.New("there is no such client")
	case c.Method != identity.ClientKey:
		return fmt.Errorf("client %s has a secret and no keys", c.ID)
	}
	claims, err := a.verify(c)
	if err != nil {
		return err
	}
	if err := checkClaims(claims, string(c.ID), audiences, now); err != nil {
		return fmt.Errorf("the assertion of client %s: %w", c.ID, err)
	}
	a.id, a.until = claims.ID, claims.Expiry.Time().Add(assertionSkew)
	return nil
}

// verify returns the claims when one of the client's keys made the signature. A key that says which algorithm or id it has is used for
// no other.
func (a *assertion) verify(c identity.Client) (jwt.Claims, error) {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(c.Keys, &set); err != nil {
		return jwt.Claims{}, fmt.Errorf("the keys of client %s cannot be read: %w", c.ID, err)
	}
	header := a.token.Headers[0]
	for _, key := range set.Keys {
		if key.KeyID != "" && header.KeyID != "" && key.KeyID != header.KeyID || key.Algorithm != "" && key.Algorithm != header.Algorithm {
			continue
		}
		var claims jwt.Claims
		if err := a.token.Claims(key.Key, &claims); err == nil {
			return claims, nil
		}
	}
	return jwt.Claims{}, fmt.Errorf("no key of client %s made the signature (kid %q, %s)", c.ID, clean(header.KeyID, 80), header.Algorithm)
}

// checkClaims holds the claims against RFC 7523 section 3. Every audience must be us, so that a token for somebody else cannot be shown here.
func checkClaims(claims jwt.Claims, client string, audiences []string, now time.Time) error {
	foreign := func(aud string) bool { return !slices.Contains(audiences, aud) }
	late := now.Add(assertionSkew)
	switch {
	case claims.Issuer != client || claims.Subject != client:
		return errors.New("iss and sub are not the client's id")
	case len(claims.Audience) == 0 || slices.ContainsFunc(claims.Audience, foreign):
		return fmt.Errorf("aud is not one of %v", audiences)
	case claims.Expiry == nil:
		return errors.New("it has no exp")
	case !claims.Expiry.Time().After(now.Add(-assertionSkew)):
		return errors.New("it has expired")
	case claims.Expiry.Time().After(late.Add(maxLifetime)):
		return fmt.Errorf("exp is more than %s ahead", maxLifetime)
	case claims.NotBefore != nil && claims.NotBefore.Time().After(late):
		return errors.New("nbf is in the future")
	case claims.IssuedAt != nil && claims.IssuedAt.Time().After(late):
		return errors.New("iat is in the future")
	case claims.ID == "" || len(claims.ID) > maxKey:
		return fmt.Errorf("jti is missing or has more than %d bytes", maxKey)
	}
	return nil
}
