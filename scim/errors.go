package scim

import (
	"errors"
	"net/http"
	"strings"

	scimerrors "github.com/elimity-com/scim/errors"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// The keywords of RFC 7644 table 9 and RFC 9865 that the door sets itself.
const (
	invalidFilter = string(scimerrors.ScimTypeInvalidFilter)
	invalidPath   = string(scimerrors.ScimTypeInvalidPath)
	invalidSyntax = string(scimerrors.ScimTypeInvalidSyntax)
	invalidValue  = string(scimerrors.ScimTypeInvalidValue)
	invalidCursor = "invalidCursor"
	expiredCursor = "expiredCursor"
	invalidCount  = "invalidCount"
	mutability    = string(scimerrors.ScimTypeMutability)
	noTarget      = string(scimerrors.ScimTypeNoTarget)
	tooMany       = string(scimerrors.ScimTypeTooMany)
	uniqueness    = string(scimerrors.ScimTypeUniqueness)
	sensitive     = string(scimerrors.ScimTypeSensitive)
)

// keywords are the scimType values that may be rendered; another code of a lower floor is not SCIM's.
var keywords = map[string]bool{
	invalidFilter: true, invalidPath: true, invalidSyntax: true, invalidValue: true, invalidCursor: true, expiredCursor: true,
	invalidCount: true, mutability: true, noTarget: true, tooMany: true, uniqueness: true, sensitive: true, string(scimerrors.ScimTypeInvalidVersion): true,
}

// bad returns an error that is answered with 400 and the keyword.
func bad(keyword, format string, args ...any) *identity.Error {
	return identity.Errorf(identity.Invalid, format, args...).WithCode(keyword)
}

// failure is an answer that no kind of error stands for: its status and headers go to the client as they are.
type failure struct {
	cause  *identity.Error
	status int
	header http.Header
}

func (f *failure) Error() string { return f.cause.Error() }

// Unwrap lets web see the kind.
func (f *failure) Unwrap() error { return f.cause }

func fail(status int, format string, args ...any) *failure {
	return &failure{cause: identity.Errorf(identity.Invalid, format, args...), status: status, header: http.Header{}}
}

// statuses maps the kinds to HTTP (RFC 7644 section 3.12). The rest is 500.
var statuses = map[identity.Kind]int{
	identity.Invalid:         http.StatusBadRequest,
	identity.Unauthenticated: http.StatusUnauthorized,
	identity.Forbidden:       http.StatusForbidden,
	identity.NotFound:        http.StatusNotFound,
	identity.Conflict:        http.StatusConflict,
	identity.Precondition:    http.StatusPreconditionFailed,
	identity.TooMany:         http.StatusTooManyRequests,
	identity.TooLarge:        http.StatusRequestEntityTooLarge,
}

// describe turns an error into what the client is told. What is not known to be for clients is told as 500 without a word about its cause.
func describe(err error) scimerrors.ScimError {
	var f *failure
	if errors.As(err, &f) {
		return scimerrors.ScimError{Status: f.status, Detail: f.cause.Message, ScimType: scimerrors.ScimType(f.cause.Code)}
	}
	var e *identity.Error
	status := http.StatusInternalServerError
	if errors.As(err, &e) && statuses[e.Kind] != 0 {
		status = statuses[e.Kind]
	}
	if status == http.StatusInternalServerError {
		return scimerrors.ScimError{Status: status, Detail: "Something went wrong here. Try again; the request id is in the X-Request-Id header."}
	}
	return scimerrors.ScimError{Status: status, Detail: detail(e), ScimType: keyword(e)}
}

// detail names the attribute and says what to do.
func detail(e *identity.Error) string {
	switch {
	case e.Message == "":
		return "The request failed: " + e.Kind.String() + "."
	case e.Field != "" && !strings.Contains(squeezed(e.Message), squeezed(e.Field)):
		return e.Field + ": " + e.Message
	}
	return e.Message
}

// squeezed lets "user name" name the attribute userName.
func squeezed(s string) string { return strings.ToLower(strings.ReplaceAll(s, " ", "")) }

func keyword(e *identity.Error) scimerrors.ScimType {
	switch {
	case keywords[e.Code]:
		return scimerrors.ScimType(e.Code)
	case e.Kind == identity.Invalid:
		return scimerrors.ScimTypeInvalidValue
	case e.Kind == identity.Conflict:
		return scimerrors.ScimTypeUniqueness
	}
	return ""
}

// renderError writes an error as a SCIM error message (RFC 7644 section 3.12).
func (d *Door) renderError(w http.ResponseWriter, r *http.Request, err error) {
	e := describe(err)
	body, jerr := e.MarshalJSON()
	if jerr != nil {
		body = nil
	}
	var f *failure
	if errors.As(err, &f) {
		for k, v := range f.header {
			w.Header()[k] = v
		}
	}
	switch e.Status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", challenge(r))
	case http.StatusTooManyRequests:
		if w.Header().Get("Retry-After") == "" {
			w.Header().Set("Retry-After", retryAfter(err))
		}
	}
	answer{status: e.Status, body: body}.write(w)
}

// retryAfter is how many seconds a client is to wait: somebody has to approve many departures at once, while a rate is over soon.
func retryAfter(err error) string {
	if identity.CodeOf(err) == provisioning.DepartureHeld {
		return "600"
	}
	return "1"
}

// challenge is the answer to a missing or wrong token (RFC 6750 section 3).
func challenge(r *http.Request) string {
	if r.Header.Get("Authorization") == "" {
		return `Bearer realm="scim"`
	}
	return `Bearer realm="scim", error="invalid_token"`
}

// message returns what a client is told of an error of this package.
func message(err error) string { return describe(err).Detail }
