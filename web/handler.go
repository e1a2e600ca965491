package web

import (
	"context"
	"net/http"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// Handler answers a request or returns why it cannot. An error that is no *identity.Error is Internal: logged, never shown.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Renderer writes an error in a door's own tongue. It shows the error's message at most, never its cause.
type Renderer func(w http.ResponseWriter, r *http.Request, err error)

// Handle joins a handler with its door's renderer. The error is kept for the request's log line, which is the only place that logs it. When the
// handler failed after it began to answer, nothing can be rendered any more and the connection is cut, so that nobody takes half an answer for a whole one.
func Handle(h Handler, render Renderer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := h(w, r)
		if err == nil {
			return
		}
		x := exchangeOf(r.Context())
		x.err = err
		if x.rec != nil && x.rec.status != 0 {
			x.rec.cut()
			return
		}
		render(w, r, err)
	})
}

// Status returns the HTTP status that stands for the kind of an error.
func Status(err error) int {
	switch identity.KindOf(err) {
	case identity.Invalid:
		return http.StatusBadRequest
	case identity.Unauthenticated:
		return http.StatusUnauthorized
	case identity.Forbidden:
		return http.StatusForbidden
	case identity.NotFound:
		return http.StatusNotFound
	case identity.Conflict:
		return http.StatusConflict
	case identity.Precondition:
		return http.StatusPreconditionFailed
	case identity.TooMany:
		return http.StatusTooManyRequests
	case identity.TooLarge:
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusInternalServerError
}

// RequestID returns the id of the request in progress, "" outside a Server's handler. It is what the answer's X-Request-Id says.
func RequestID(ctx context.Context) identity.RequestID { return exchangeOf(ctx).id }

// exchange is what the server knows of one request and its answer.
type exchange struct {
	id    identity.RequestID
	began time.Time
	ip    string
	rec   *recorder
	err   error
}

type exchangeKey struct{}

// exchangeOf never returns nil: outside a server's handler what is written to it is lost.
func exchangeOf(ctx context.Context) *exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	return &exchange{}
}
