package api

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

const (
	maxBody     = 256 << 10 // bytes of a request
	pageDefault = 100
	pageMost    = 500
)

// Options are what the door needs.
type Options struct {
	Provisioning *provisioning.Service
	Authn        *authn.Service
	QueryKeys    bool // a key may stand in the query as api_key, for programs that cannot set a header
}

// Door answers the routes under /api/v1.
type Door struct {
	prov  *provisioning.Service
	authn *authn.Service
	query bool
}

// New returns the door.
func New(o Options) *Door { return &Door{prov: o.Provisioning, authn: o.Authn, query: o.QueryKeys} }

// call is one authenticated request.
type call struct {
	*Door
	authn.Call
	w http.ResponseWriter
	r *http.Request
}

// Routes adds the routes of the door.
func (d *Door) Routes(mux *http.ServeMux) {
	for pattern, h := range map[string]func(*call) error{
		"GET /api/v1/me":                                                 (*call).me,
		"POST /api/v1/introspect":                                        (*call).introspect,
		"POST /api/v1/check":                                             (*call).check,
		"GET /api/v1/users":                                              (*call).users,
		"POST /api/v1/users":                                             (*call).createUser,
		"GET /api/v1/users/{id}":                                         (*call).user,
		"PATCH /api/v1/users/{id}":                                       (*call).updateUser,
		"DELETE /api/v1/users/{id}":                                      (*call).deleteUser,
		"GET /api/v1/users/{id}/permissions":                             (*call).permissions,
		"POST /api/v1/users/{id}/{act}":                                  (*call).switchUser,
		"PUT /api/v1/records/{type}/{id}":                                (*call).putRecord,
		"PUT /api/v1/applications/{application}/holdings/{kind}/{id}":    (*call).putHolding,
		"DELETE /api/v1/applications/{application}/holdings/{kind}/{id}": (*call).deleteHolding,
		"GET /api/v1/applications/{application}/transfers":               (*call).transfers,
		"POST /api/v1/applications/{application}/transfers/{transfer}":   (*call).acknowledge,
	} {
		mux.Handle(pattern, web.Handle(d.authenticated(h), problem))
	}
	mux.Handle("GET /api/v1/keys", web.Handle(d.keys, problem))
	mux.Handle("/api/", web.Handle(func(http.ResponseWriter, *http.Request) error {
		return identity.Errorf(identity.NotFound, "There is nothing at this path with this method. See docs/api.md.")
	}, problem))
}

// authenticated lets a program in by its key.
func (d *Door) authenticated(h func(*call) error) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		key, err := d.keyOf(r)
		if err != nil {
			return err
		}
		c, err := d.authn.CheckKey(r.Context(), key, web.ClientIP(r))
		if err != nil {
			return err
		}
		c.Actor.RequestID, c.Actor.IP = web.RequestID(r.Context()), web.ClientIP(r)
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		return h(&call{Door: d, Call: c, w: w, r: r})
	}
}

// keyOf returns the key of a request: in Authorization as a bearer token (RFC 6750 section 2.1), in X-API-Key, or where that is allowed in the query.
func (d *Door) keyOf(r *http.Request) (string, error) {
	var found []string
	if h := r.Header.Get("Authorization"); h != "" {
		scheme, token, _ := strings.Cut(h, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return "", identity.Errorf(identity.Unauthenticated, "Send the API key as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'.").WithCode("api_key.missing")
		}
		found = append(found, strings.TrimSpace(token))
	}
	if h := r.Header.Get("X-API-Key"); h != "" {
		found = append(found, h)
	}
	if d.query && r.URL.Query().Has("api_key") {
		found = append(found, r.URL.Query().Get("api_key"))
	}
	switch len(found) {
	case 0:
		return "", identity.Errorf(identity.Unauthenticated, "Send the API key as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'.").WithCode("api_key.missing")
	case 1:
		return found[0], nil
	}
	return "", identity.Errorf(identity.Invalid, "Send the API key in one place only.").WithCode("api_key.twice")
}

// read decodes the JSON body, which has to be one object with known members.
func (c *call) read(into any) error {
	if kind, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type")); kind != "application/json" {
		return identity.Errorf(identity.Invalid, "Send JSON, with Content-Type: application/json.")
	}
	dec := json.NewDecoder(c.r.Body)
	dec.DisallowUnknownFields()
	err := dec.Decode(into)
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return identity.Errorf(identity.TooLarge, "The body may have %d bytes at most.", long.Limit)
	case err != nil:
		return identity.Errorf(identity.Invalid, "The body is not the JSON object that is expected here: %s.", strings.TrimPrefix(err.Error(), "json: ")).WithCause(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return identity.Errorf(identity.Invalid, "The body has more than one JSON value.")
	}
	return nil
}

// answer writes JSON.
func (c *call) answer(status int, body any) error { return answer(c.w, status, body) }

func answer(w http.ResponseWriter, status int, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err = w.Write(append(raw, '\n'))
	return err
}

// page reads what a request says of the page that it wants.
func (c *call) page() (identity.Query, error) {
	v := c.r.URL.Query()
	q := identity.Query{Search: v.Get("search"), After: v.Get("after"), Limit: pageDefault}
	if _, ok := identity.ParseID[string](q.After); !ok && q.After != "" {
		return q, identity.Errorf(identity.Invalid, "after is the next of the page before, as that had it.").WithField("after")
	}
	if s := v.Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > pageMost {
			return q, identity.Errorf(identity.Invalid, "limit is a number from 1 to %d.", pageMost).WithField("limit")
		}
		q.Limit = n
	}
	return q, nil
}
