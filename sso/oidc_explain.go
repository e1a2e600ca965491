package sso

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/drawbridge-id/drawbridge/identity"
)

// errNotAllowed is why an address is not asked at all; see Options.AllowPrivate.
var errNotAllowed = errors.New("only public https addresses are allowed here; for development, or a provider inside your own network, start with DRAWBRIDGE_ALLOW_PRIVATE_PROVIDERS=true")

// issuerError says that the discovery document is another provider's, by its own word.
type issuerError struct{ published, configured string }

// Error implements error.
func (e *issuerError) Error() string {
	return fmt.Sprintf("the provider calls itself %q, the connection says %q; they must be equal to the last character", shown(e.published), e.configured)
}

// discoveryFix says what to do when discovery failed.
func discoveryFix(issuer string, err error) string {
	var other *issuerError
	var transport *url.Error
	var untrusted *tls.CertificateVerificationError
	switch {
	case strings.Contains(issuer, "/.well-known/"):
		return "Give the issuer only: what stands before /.well-known/openid-configuration."
	case errors.As(err, &other):
		return "Enter the issuer in the connection exactly as the provider spells it, with or without the slash at its end."
	case errors.Is(err, errNotAllowed):
		return "The provider must be reached by https at a public address; for one on this machine or inside your own network, start Drawbridge with DRAWBRIDGE_ALLOW_PRIVATE_PROVIDERS=true."
	case errors.As(err, &untrusted):
		return "This machine does not trust the provider's https certificate: correct it there, or add its authority to this machine."
	case errors.As(err, &transport):
		return "The provider cannot be reached from this machine: compare the issuer URL, and check the name, the network and whether the provider runs."
	}
	return "The provider's discovery document (the issuer URL followed by /.well-known/openid-configuration) cannot be used: compare the issuer URL."
}

// providerFailure is what administrators are told of a provider that could not be read; nothing when it could.
func providerFailure(issuer string, err error) string {
	if err == nil {
		return ""
	}
	return discoveryFix(issuer, err) + " (" + shown(err.Error()) + ")"
}

// tokenFix says what to do when the token endpoint gave no tokens.
func tokenFix(err error, auth identity.ClientAuth) string {
	var answer *oauth2.RetrieveError
	var transport *url.Error
	switch {
	case errors.As(err, &answer) && answer.ErrorCode == "invalid_grant":
		return "The provider does not accept its own code from us: compare the redirect URI, and try again at once, because codes are valid for seconds only."
	case errors.As(err, &answer) && auth == identity.ClientAuthPrivateKey && (answer.ErrorCode == "invalid_client" || refusedClient(answer.Response)):
		return "The provider does not accept our client id or what our key signed: give it this connection's jwks.json or certificate, and choose the other audience of the assertion if it wants its issuer there."
	case errors.As(err, &answer) && (answer.ErrorCode == "invalid_client" || answer.ErrorCode == "unauthorized_client" || refusedClient(answer.Response)):
		return "The provider does not accept our client id or client secret: enter both again exactly as it shows them, and check that the secret has not expired."
	case !errors.As(err, &answer) && errors.As(err, &transport):
		return "The provider's token endpoint cannot be reached from this machine: check the network and whether the provider runs."
	}
	return "The provider did not give tokens for the code: compare client id, client secret and redirect URI."
}

func refusedClient(answer *http.Response) bool {
	return answer != nil && answer.StatusCode == http.StatusUnauthorized
}

// answerFix says what to do about an error that the provider answered with (RFC 6749 4.1.2.1).
func answerFix(code string) string {
	switch code {
	case "access_denied":
		return "The person cancelled, or the provider does not let them use this application: assign them to it there."
	case "invalid_scope":
		return "The provider does not know or allow a scope that we ask for: allow the scopes openid, profile and email for this client there."
	case "unauthorized_client", "unsupported_response_type":
		return "The provider does not let this client sign people in: allow the authorization code flow (also called standard flow) for it there."
	case "server_error", "temporarily_unavailable":
		return "The provider has a problem of its own: try again later, and see its log."
	case "":
		return "The answer has neither a code nor an error; see the provider's log."
	}
	return "The provider refused, or the person cancelled; the provider's own log says more."
}
