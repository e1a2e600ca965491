package scim

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
)

// maxTokenRequest is the longest body of a token request in bytes: a JWT and a little more.
const maxTokenRequest = 16 << 10

// assertionType is how a client says that it sends a JWT (RFC 7523 section 2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// refuse is an error of a request that cannot be understood, or asks for what is not there.
func refuse(code, format string, args ...any) error {
	return identity.Errorf(identity.Invalid, format, args...).WithCode(code)
}

// readTokenRequest reads the form, finds out how the client says who it is, and checks what it asks for.
func readTokenRequest(w http.ResponseWriter, r *http.Request) (authn.ClientProof, error) {
	form, err := tokenForm(w, r)
	if err != nil {
		return authn.ClientProof{}, err
	}
	switch form.Get("grant_type") {
	case grantClient:
	case "":
		return authn.ClientProof{}, refuse(invalidRequest, "grant_type is missing; send client_credentials.")
	default:
		return authn.ClientProof{}, refuse(unsupportedGrant, "The only grant_type here is client_credentials.")
	}
	p, err := clientProof(r, form)
	if err != nil {
		return p, err
	}
	for _, scope := range strings.Fields(form.Get("scope")) {
		if scope != identity.ScopeSCIM {
			return authn.ClientProof{}, refuse(invalidScope, "The only scope here is scim.")
		}
	}
	return p, nil
}

// tokenForm reads the body. No parameter may be there twice, and none in the address (RFC 6749 sections 2.3.1 and 3.2). One without a
// value counts as left out.
func tokenForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if r.URL.RawQuery != "" {
		return nil, refuse(invalidRequest, "Send the parameters in the body, not in the address.")
	}
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded") {
		return nil, refuse(invalidRequest, "Send the parameters as application/x-www-form-urlencoded.")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxTokenRequest)
	var big *http.MaxBytesError
	switch err := r.ParseForm(); {
	case errors.As(err, &big):
		return nil, identity.Errorf(identity.TooLarge, "The body is longer than %d bytes.", big.Limit)
	case err != nil:
		return nil, refuse(invalidRequest, "The body could not be read.")
	}
	for name, values := range r.PostForm {
		if len(values) > 1 {
			return nil, refuse(invalidRequest, "The parameter %s was sent twice.", strconv.Quote(clip(name)))
		}
	}
	return r.PostForm, nil
}

// clientProof finds out how the client says who it is. More than one way in a request is an error (RFC 6749 section 2.3).
func clientProof(r *http.Request, form url.Values) (authn.ClientProof, error) {
	p := authn.ClientProof{ID: form.Get("client_id"), Secret: form.Get("client_secret"), Assertion: form.Get("client_assertion")}
	header := r.Header.Get("Authorization") != ""
	ways := 0
	for _, used := range []bool{header, p.Secret != "", p.Assertion != "" || form.Get("client_assertion_type") != ""} {
		if used {
			ways++
		}
	}
	switch {
	case ways > 1:
		return p, refuse(invalidRequest, "The client said who it is in more than one way; use one of Basic, client_secret and client_assertion.")
	case header:
		return basicProof(r, p.ID)
	case p.Assertion != "" && form.Get("client_assertion_type") != assertionType:
		return p, refuse(invalidRequest, "client_assertion_type must be %s.", assertionType)
	case ways == 0 || p.Secret == "" && p.Assertion == "" || p.Secret != "" && p.ID == "":
		return p, identity.Errorf(identity.Unauthenticated, "The client did not say who it is. Send its id and secret, or a signed JWT.")
	}
	return p, nil
}

// basicProof reads the Authorization header. Id and secret are encoded as in a form (RFC 6749 section 2.3.1).
func basicProof(r *http.Request, id string) (authn.ClientProof, error) {
	user, password, ok := r.BasicAuth()
	user, err1 := url.QueryUnescape(user)
	password, err2 := url.QueryUnescape(password)
	switch {
	case !ok || errors.Join(err1, err2) != nil:
		return authn.ClientProof{}, identity.Errorf(identity.Unauthenticated, "The Authorization header is not that of Basic with the id and secret of a client.")
	case id != "" && id != user:
		return authn.ClientProof{}, refuse(invalidRequest, "client_id is not the client of the Authorization header.")
	}
	return authn.ClientProof{ID: user, Secret: password}, nil
}
