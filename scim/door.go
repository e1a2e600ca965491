package scim

import (
	"cmp"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

// Path is where the door is: the base URL that an identity provider is given is the public origin with this path.
const Path = "/scim/v2"

const contentType = "application/scim+json"

// Options is what the door needs. All fields but Log, Schemas and Limits are required.
type Options struct {
	Provisioning *provisioning.Service
	Authn        *authn.Service
	URL          string       // the public origin without a trailing slash
	Log          *slog.Logger // nil: slog.Default
	Limits       Limits       // how much may be asked for at once; zero: DefaultLimits
	Schemas      *Schemas     // extensions and resource types beside the standard; nil: none
}

// Door serves SCIM. Between requests it keeps nothing but how fast each token sends.
type Door struct {
	people *provisioning.Service
	authn  *authn.Service
	origin string // the public one, without a trailing slash
	base   string // absolute, without a trailing slash
	log    *slog.Logger
	limits Limits
	rates  *rates
	opened time.Time
	types  *catalogue
	docs   documents
}

// New returns the door.
func New(o Options) *Door {
	d := &Door{
		people: o.Provisioning, authn: o.Authn, origin: strings.TrimSuffix(o.URL, "/"), log: o.Log,
		limits: o.Limits.filled(), opened: time.Now(), types: newCatalogue(o.Schemas),
	}
	if d.log == nil {
		d.log = slog.Default()
	}
	d.rates = newRates(d.limits)
	d.base = d.origin + Path
	d.docs = newDocuments(d.origin, d.limits, d.types)
	return d
}

// Routes adds the door to the mux, with the token endpoint of its clients. Everything below Path is answered here, so that each refusal
// is a SCIM error too.
func (d *Door) Routes(mux *http.ServeMux) {
	h := web.Handle(d.serve, d.renderError)
	mux.Handle(Path, h)
	mux.Handle(Path+"/", h)
	for _, version := range scriptVersions {
		mux.Handle("/"+version+"/", h)
	}
	mux.Handle(TokenPath, web.Handle(d.token, renderOAuthError))
	mux.Handle("GET "+metadataPath, web.Handle(d.metadata, renderOAuthError))
}

// location returns the absolute address of a resource.
func (d *Door) location(t *resourceType, id string) string {
	return d.base + "/" + t.plural + "/" + id
}

// serve answers one request and keeps it in the journal.
func (d *Door) serve(w http.ResponseWriter, r *http.Request) error {
	c := &call{Door: d, w: w, r: r, ctx: r.Context(), began: time.Now()}
	a, err := c.answer()
	c.journal(a, err)
	if err != nil {
		return err
	}
	a.write(w)
	return nil
}

// answer finds out who asks and what for, and does it.
func (c *call) answer() (answer, error) {
	parts, err := segments(c.r)
	if err != nil {
		return answer{}, err
	}
	if err := c.authenticate(); err != nil {
		if identity.KindOf(err) != identity.Unauthenticated || !public(c.r, parts) {
			return answer{}, err
		}
	}
	h, err := c.route(parts)
	if err != nil {
		return answer{}, err
	}
	return h(c)
}

// answer is what is sent when nothing failed.
type answer struct {
	status   int
	location string
	etag     string
	allow    string // the methods of an endpoint
	body     []byte // nil: none

	mediaType string // of the body; empty: that of SCIM

	note       string                      // for the journal alone
	operations []identity.RequestOperation // of a bulk request, likewise
}

// write sends the answer. An error of the connection is nobody's to handle.
func (a answer) write(w http.ResponseWriter) {
	h := w.Header()
	if a.location != "" {
		h.Set("Location", a.location)
	}
	if a.etag != "" {
		h.Set("ETag", a.etag)
	}
	if a.allow != "" {
		h.Set("Allow", a.allow)
	}
	if a.body != nil {
		h.Set("Content-Type", cmp.Or(a.mediaType, contentType))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}
