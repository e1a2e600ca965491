package ssotest

import (
	"crypto/rsa"
	"net/http"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// LogoutEvent is the member of events that makes a token a logout token (OpenID Connect back-channel logout 2.4).
const LogoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// NewLogoutToken returns a well-behaved logout token for a subject or a session; either may be empty.
func (o *OIDC) NewLogoutToken(client OIDCClient, subject, session string) *IDToken {
	o.mu.Lock()
	defer o.mu.Unlock()
	now, key := time.Now(), o.keys[len(o.keys)-1]
	claims := map[string]any{
		"iss": o.base, "aud": client.ID, "iat": now.Unix(), "exp": now.Add(2 * time.Minute).Unix(), "jti": newID(),
		"events": map[string]any{LogoutEvent: map[string]any{}},
	}
	for name, value := range map[string]string{"sub": subject, "sid": session} {
		if value != "" {
			claims[name] = value
		}
	}
	return &IDToken{Header: map[string]any{"alg": "RS256", "typ": "logout+jwt", "kid": key.id}, Claims: claims, Key: key.key}
}

// endSession ends the provider's session and sends the browser back (OpenID Connect RP-initiated logout 2). Only a hint that we signed for the client, and
// exactly the address that the client registered, are good enough.
func (o *OIDC) endSession(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	o.mu.Lock()
	client, known := o.clients[q.Get("client_id")]
	key := &o.keys[len(o.keys)-1].key.PublicKey
	o.mu.Unlock()
	if !known || !hintOf(q.Get("id_token_hint"), client.ID, key) || q.Get("post_logout_redirect_uri") != client.PostLogout || client.PostLogout == "" {
		http.Error(w, "unknown client, hint or address", http.StatusBadRequest)
		return
	}
	http.Redirect(w, r, client.PostLogout+"?"+url.Values{"state": {q.Get("state")}}.Encode(), http.StatusFound)
}

func hintOf(raw, client string, key *rsa.PublicKey) bool {
	token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256})
	var claims jwt.Claims
	return err == nil && token.Claims(key, &claims) == nil && claims.Audience.Contains(client)
}
