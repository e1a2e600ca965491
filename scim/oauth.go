package scim

import (
	"errors"
	"net/http"
	"strings"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

// The addresses of OAuth below the public origin.
const (
	TokenPath    = "/oauth/token"
	metadataPath = "/.well-known/oauth-authorization-server"
)

// The errors of RFC 6749 section 5.2 that the token endpoint knows. serverError and busy are those of section 4.1.2.1, which fit what
// section 5.2 has no word for.
const (
	invalidRequest   = "invalid_request"
	invalidClient    = "invalid_client"
	invalidScope     = "invalid_scope"
	unauthorized     = "unauthorized_client"
	unsupportedGrant = "unsupported_grant_type"
	serverError      = "server_error"
	busy             = "temporarily_unavailable"
)

// grantClient is the one grant (RFC 6749 section 4.4).
const grantClient = "client_credentials"

// oauthDocument is the metadata of RFC 8414. There is no authorization endpoint, so response_types_supported, which must be there, is empty.
func oauthDocument(origin string) object {
	return object{
		"issuer":                                origin,
		"token_endpoint":                        origin + TokenPath,
		"grant_types_supported":                 []string{grantClient},
		"response_types_supported":              []string{},
		"scopes_supported":                      []string{identity.ScopeSCIM},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post", "private_key_jwt"},
		"token_endpoint_auth_signing_alg_values_supported": authn.AssertionAlgorithms(),
	}
}

// metadata answers GET of the metadata.
func (d *Door) metadata(w http.ResponseWriter, _ *http.Request) error {
	return writeOAuth(w, http.StatusOK, d.docs.oauth)
}

// token answers POST of the token endpoint (RFC 6749 section 4.4), and says to everything else that this is the only method (section 3.2).
func (d *Door) token(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return writeOAuth(w, http.StatusMethodNotAllowed, encode(object{"error": invalidRequest, "error_description": "Send the request by POST."}))
	}
	proof, err := readTokenRequest(w, r)
	if err != nil {
		return err
	}
	proof.IP, proof.Audiences = web.ClientIP(r), []string{d.origin + TokenPath, d.origin}
	got, err := d.authn.IssueAccessToken(r.Context(), proof)
	if err != nil {
		return err
	}
	return writeOAuth(w, http.StatusOK, encode(object{
		"access_token": got.Token, "token_type": "Bearer", "expires_in": int(got.Expires.Seconds()), "scope": got.Scope,
	}))
}

func writeOAuth(w http.ResponseWriter, status int, body []byte) error {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache") // RFC 6749 section 5.1
	w.WriteHeader(status)
	_, _ = w.Write(body) // an error of the connection is nobody's to handle
	return nil
}

// renderOAuthError writes an error as RFC 6749 section 5.2 wants it.
func renderOAuthError(w http.ResponseWriter, _ *http.Request, err error) {
	status, code := web.Status(err), oauthCode(err)
	switch status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Basic realm="drawbridge"`)
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "60")
	}
	body := object{"error": code}
	var e *identity.Error
	if errors.As(err, &e) && code != serverError {
		body["error_description"] = plainText(e.Message)
	}
	_ = writeOAuth(w, status, encode(body))
}

// oauthCode is the error's word. Those of this file carry it; those of lower floors have a kind.
func oauthCode(err error) string {
	switch identity.KindOf(err) {
	case identity.Unauthenticated:
		return invalidClient
	case identity.Forbidden:
		return unauthorized
	case identity.TooMany:
		return busy
	case identity.TooLarge:
		return invalidRequest
	case identity.Invalid:
		return identity.CodeOf(err)
	}
	return serverError
}

// plainText leaves out what an error_description may not hold.
func plainText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, s)
}
