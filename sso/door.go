package sso

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

// Options are what the door needs.
type Options struct {
	Provisioning *provisioning.Service
	Authn        *authn.Service
	URL          string // the public origin without a trailing slash
	Cookies      web.Cookies
	AllowPrivate bool // providers may be reached by http and at private addresses: development and tests, or providers inside the own network
	Log          *slog.Logger
}

// Door answers /sso/….
type Door struct {
	provisioning *provisioning.Service
	authn        *authn.Service
	url          string
	cookies      web.Cookies
	fetch        *fetcher
	providers    providers
	log          *slog.Logger
}

// New returns the door. Nothing is fetched before the first sign-in, so a provider that is down keeps nobody else outside.
func New(o Options) *Door {
	d := &Door{provisioning: o.Provisioning, authn: o.Authn, url: o.URL, cookies: o.Cookies, fetch: newFetcher(o.AllowPrivate), log: o.Log}
	if d.log == nil {
		d.log = slog.Default()
	}
	d.providers.fetch, d.providers.report = d.fetch, d.reportProvider
	return d
}

// Routes adds the door's addresses to a mux. POST …/acs, …/slo and …/backchannel-logout are the only ones that others post to; the mux answers other methods with 405.
func (d *Door) Routes(mux *http.ServeMux) {
	mux.Handle("GET /sso/{connection}/login", web.Handle(d.login, d.refuse))
	mux.Handle("GET /sso/{connection}/test", web.Handle(d.test, d.refuse))
	mux.Handle("POST /sso/{connection}/acs", web.Handle(d.acs, d.refuse))
	mux.Handle("GET /sso/{connection}/acs", web.Handle(d.acsByGet, d.refuse))
	mux.Handle("GET /sso/{connection}/slo", web.Handle(d.slo, d.refuse))
	mux.Handle("POST /sso/{connection}/slo", web.Handle(d.slo, d.refuse))
	mux.Handle("GET /sso/{connection}/callback", web.Handle(d.callback, d.refuse))
	mux.Handle("GET /sso/{connection}/jwks.json", web.Handle(d.jwks, d.refuse))
	mux.Handle("GET /sso/{connection}/logged-out", web.Handle(d.loggedOut, d.refuse))
	mux.Handle("POST /sso/{connection}/backchannel-logout", web.Handle(d.backchannelLogout, d.refuseLogout))
	mux.Handle("GET /sso/{connection}/metadata", web.Handle(d.metadata, d.refuse))
	mux.HandleFunc("GET /sso/submit.js", submitScript)
}

// by is the actor of this door: it reads connections with their secrets.
func (d *Door) by(r *http.Request) identity.Actor {
	by := identity.System()
	by.Door, by.RequestID, by.IP = "sso", web.RequestID(r.Context()), web.ClientIP(r)
	return by
}

// connection returns the connection that the path names, with its secrets. kind may be empty; another kind than asked for is NotFound.
func (d *Door) connection(r *http.Request, kind identity.ConnectionKind) (identity.Connection, error) {
	id, ok := identity.ParseID[identity.ConnectionID](r.PathValue("connection"))
	if !ok {
		return identity.Connection{}, notFound()
	}
	c, err := d.provisioning.Connection(r.Context(), d.by(r), id)
	if err == nil && kind != "" && c.Kind != kind {
		err = notFound()
	}
	return c, err
}

func notFound() *identity.Error {
	return identity.Errorf(identity.NotFound, "There is no such connection.").WithCode("connection.unknown")
}

// expectation returns the addresses that belong to a connection and to no other.
func (d *Door) expectation(id identity.ConnectionID) expectation {
	base := d.url + "/sso/" + string(id)
	return expectation{entityID: base + "/metadata", acs: base + "/acs", slo: base + "/slo", now: time.Now()}
}

func (d *Door) callbackURL(id identity.ConnectionID) string {
	return d.url + "/sso/" + string(id) + "/callback"
}
