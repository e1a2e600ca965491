package ssotest

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// authenticate returns which client asks, and whether it proved that in the way that it is registered with (OpenID Connect core 9).
func (o *OIDC) authenticate(r *http.Request) (string, bool) {
	id, secret, method := credentials(r)
	o.mu.Lock()
	client, known := o.clients[id]
	o.mu.Unlock()
	either := client.Auth == "" && (method == "client_secret_basic" || method == "client_secret_post")
	if !known || method != client.Auth && !either {
		return id, false
	}
	if method == "private_key_jwt" {
		return id, o.checkAssertion(client, r.PostFormValue("client_assertion")) == nil
	}
	return id, subtle.ConstantTimeCompare([]byte(secret), []byte(client.Secret)) == 1
}

// credentials reads who says to be asking, and by which method. Both parts of Basic are form-encoded (RFC 6749 2.3.1).
func credentials(r *http.Request) (id, secret, method string) {
	if user, password, ok := r.BasicAuth(); ok {
		id, badID := url.QueryUnescape(user)
		secret, badSecret := url.QueryUnescape(password)
		if badID != nil || badSecret != nil {
			return "", "", ""
		}
		return id, secret, "client_secret_basic"
	}
	id = r.PostFormValue("client_id")
	if r.PostFormValue("client_assertion_type") == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		return id, "", "private_key_jwt"
	}
	return id, r.PostFormValue("client_secret"), "client_secret_post"
}

// checkAssertion verifies a client's assertion with the keys that the client publishes (RFC 7523 section 3), once.
func (o *OIDC) checkAssertion(client OIDCClient, raw string) error {
	token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256, jose.PS256})
	if err != nil {
		return err
	}
	keys, err := fetchKeys(client.Keys)
	if err != nil {
		return err
	}
	var claims jwt.Claims
	matching := keys.Key(token.Headers[0].KeyID)
	if len(matching) != 1 {
		return errors.New("the assertion names no published key")
	}
	if err := token.Claims(matching[0].Key, &claims); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	ours := func(audience string) bool { return audience == o.base || audience == o.base+"/token" }
	switch {
	case claims.Issuer != client.ID || claims.Subject != client.ID:
		return errors.New("the assertion is another client's")
	case len(claims.Audience) != 1 || !slices.ContainsFunc(claims.Audience, ours):
		return errors.New("the assertion is for somebody else")
	case claims.Expiry == nil || claims.Expiry.Time().Before(now) || claims.Expiry.Time().After(now.Add(10*time.Minute)):
		return errors.New("the assertion has expired, or lives too long")
	case claims.ID == "" || o.assertions[claims.ID]:
		return errors.New("the assertion has no id, or was used before")
	}
	o.assertions[claims.ID] = true
	return nil
}

func fetchKeys(address string) (jose.JSONWebKeySet, error) {
	var set jose.JSONWebKeySet
	res, err := http.Get(address)
	if err != nil {
		return set, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return set, err
	}
	return set, json.Unmarshal(raw, &set)
}
