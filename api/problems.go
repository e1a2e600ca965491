package api

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

// problemDocument is an error as RFC 9457 has it; code, field and request are extensions.
type problemDocument struct {
	Title   string             `json:"title"`
	Status  int                `json:"status"`
	Detail  string             `json:"detail,omitempty"`
	Code    string             `json:"code,omitempty"`
	Field   string             `json:"field,omitempty"`
	Request identity.RequestID `json:"request,omitempty"`
}

// problem renders an error; what is our own failure says no more than that.
func problem(w http.ResponseWriter, r *http.Request, err error) {
	status := web.Status(err)
	doc := problemDocument{Title: http.StatusText(status), Status: status, Request: web.RequestID(r.Context())}
	var e *identity.Error
	if errors.As(err, &e) && e.Kind != identity.Internal {
		doc.Detail, doc.Code, doc.Field = e.Message, e.Code, e.Field
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="drawbridge"`)
	}
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "900")
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		raw = []byte(`{}`) // strings and a number: cannot happen
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = w.Write(raw) // the client may be gone; there is nobody left to tell
}
