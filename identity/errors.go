package identity

import (
	"errors"
	"fmt"
)

// Kind says what sort of failure an error is; each door renders it in its own tongue.
type Kind int

// The kinds. Internal is the zero value on purpose: an error that nobody classified is logged and never shown.
const (
	Internal Kind = iota
	Invalid
	Unauthenticated
	Forbidden
	NotFound
	Conflict
	Precondition
	TooMany
	TooLarge
)

var kindNames = [...]string{"internal", "invalid", "unauthenticated", "forbidden", "not found", "conflict", "precondition", "too many", "too large"}

// String returns the kind in lower-case words.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return "internal"
	}
	return kindNames[k]
}

// Error is the one error type that crosses a package boundary.
type Error struct {
	Kind    Kind
	Code    string // a stable word for programs: a scimType or the reason code of a refused sign-in; may be empty
	Field   string // the attribute, setting or form field that is wrong; may be empty
	Message string // for the client: what is wrong and what to do
	Cause   error  // for the log only

	Choices []string // what Field may be instead, when there are a few known values; may be empty
}

// Error returns the message with its cause; it is for logs, never for a client.
func (e *Error) Error() string {
	s := e.Message
	if s == "" {
		s = e.Kind.String()
	}
	if e.Field != "" {
		s = e.Field + ": " + s
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// KindOf returns the kind of the first Error in the chain, Internal when there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// CodeOf returns the code of the first Error in the chain, or "".
func CodeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// Errorf returns an error of a kind whose message is for the client.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// WithField returns the error with the field set.
func (e *Error) WithField(field string) *Error { e.Field = field; return e }

// WithCode returns the error with the code set.
func (e *Error) WithCode(code string) *Error { e.Code = code; return e }

// WithCause returns the error with the cause set.
func (e *Error) WithCause(err error) *Error { e.Cause = err; return e }
