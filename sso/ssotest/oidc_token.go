package ssotest

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"time"
)

// IDToken is an ID token before it is signed. Header and Claims can be changed to misbehave.
type IDToken struct {
	Header map[string]any
	Claims map[string]any
	Key    *rsa.PrivateKey
	HMAC   []byte // sign with HMAC-SHA256 and this secret instead
	Omit   bool   // leave the token out of the answer
}

func personClaims(p Person) map[string]any {
	claims := map[string]any{"sub": p.Subject, "email": p.Email, "email_verified": true, "name": p.Name()}
	if p.GivenName != "" {
		claims["given_name"] = p.GivenName
	}
	if p.FamilyName != "" {
		claims["family_name"] = p.FamilyName
	}
	if len(p.Groups) > 0 {
		claims["groups"] = p.Groups
	}
	return claims
}

func newIDToken(issuer string, g grant, access string, key signingKey) *IDToken {
	now := time.Now()
	sum := sha256.Sum256([]byte(access))
	claims := personClaims(g.person)
	for name, value := range map[string]any{
		"iss": issuer, "aud": g.client.ID, "nonce": g.nonce, "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "auth_time": now.Unix(),
		"at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]),
	} {
		claims[name] = value
	}
	if g.session != "" {
		claims["sid"] = g.session
	}
	return &IDToken{Header: map[string]any{"alg": "RS256", "typ": "JWT", "kid": key.id}, Claims: claims, Key: key.key}
}

// NewIDToken returns a well-behaved ID token for a person, without a sign-in: for tests of a verifier.
func (o *OIDC) NewIDToken(client OIDCClient, p Person, nonce string) *IDToken {
	o.mu.Lock()
	defer o.mu.Unlock()
	return newIDToken(o.base, grant{client: client, person: p.withSubject(), nonce: nonce}, "", o.keys[len(o.keys)-1])
}

// Compact signs the token as its header says: with nothing for alg "none", with HMAC when that is set, else with RSA-SHA256.
func (t *IDToken) Compact() (string, error) {
	header, err := json.Marshal(t.Header)
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(t.Claims)
	if err != nil {
		return "", err
	}
	input := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims)
	signature, err := t.sign([]byte(input))
	return input + "." + base64.RawURLEncoding.EncodeToString(signature), err
}

func (t *IDToken) sign(input []byte) ([]byte, error) {
	switch {
	case t.Header["alg"] == "none":
		return nil, nil
	case len(t.HMAC) > 0:
		mac := hmac.New(sha256.New, t.HMAC)
		mac.Write(input)
		return mac.Sum(nil), nil
	}
	digest := sha256.Sum256(input)
	return rsa.SignPKCS1v15(rand.Reader, t.Key, crypto.SHA256, digest[:])
}
