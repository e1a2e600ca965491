package console

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

// Options is what the console needs. URL is the public origin without a trailing slash. Metadata turns a provider's metadata, given as XML or as an
// address, into the settings of a connection, of which known may have the entity id; without it metadata cannot be read here. Logout ends a session, at
// its provider too, and answers; without it only the session here ends. Refresh reads a provider's metadata now; without it nobody can ask for that here.
// Explain makes the checks of a sign-in with a pasted message; without it that page is not there. Begin sends a browser to a provider for a purpose and
// returns the address there; without it nobody can connect another provider in My Account. Installed is what the settings say of the program itself.
type Options struct {
	Provisioning *provisioning.Service
	Authn        *authn.Service
	URL          string
	Cookies      web.Cookies
	Metadata     func(ctx context.Context, source string, known identity.SAMLSettings) (identity.SAMLSettings, error)
	Refresh      func(ctx context.Context, by identity.Actor, id identity.ConnectionID) (identity.MetadataRefresh, error)
	Logout       func(w http.ResponseWriter, r *http.Request, v authn.Visit) error
	Explain      func(ctx context.Context, by identity.Actor, p identity.Pasted) (identity.Trace, error)
	Begin        func(w http.ResponseWriter, r *http.Request, id identity.ConnectionID, purpose identity.SignInPurpose, user identity.UserID) (string, error)
	Installed    Installation
	Log          *slog.Logger
}

// Door answers the console's pages.
type Door struct {
	prov      *provisioning.Service
	authn     *authn.Service
	url       string
	cookies   web.Cookies
	metadata  func(ctx context.Context, source string, known identity.SAMLSettings) (identity.SAMLSettings, error)
	refresh   func(ctx context.Context, by identity.Actor, id identity.ConnectionID) (identity.MetadataRefresh, error)
	logout    func(w http.ResponseWriter, r *http.Request, v authn.Visit) error
	explain   func(ctx context.Context, by identity.Actor, p identity.Pasted) (identity.Trace, error)
	begin     func(w http.ResponseWriter, r *http.Request, id identity.ConnectionID, purpose identity.SignInPurpose, user identity.UserID) (string, error)
	brake     *web.Brake // of setup links: wrong ones by address, and what is tried with a right one
	installed Installation
	log       *slog.Logger
}

// How often a setup link, or an address with wrong ones, may try something.
const (
	setupTries  = 60
	setupWindow = 10 * time.Minute
)

// New returns the door.
func New(o Options) *Door {
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Door{
		prov: o.Provisioning, authn: o.Authn, url: o.URL, cookies: o.Cookies, metadata: o.Metadata, refresh: o.Refresh, logout: o.Logout, explain: o.Explain,
		begin: o.Begin, installed: o.Installed,
		brake: web.NewBrake(setupTries, setupWindow), log: log,
	}
}

// The rights that a route may ask for, beside unfinished. All but the first two are capabilities of the access model.
const (
	anybody      = "-"
	signedIn     = ""
	usersRead    = "users.read"
	usersWrite   = "users.write"
	usersInvite  = "users.invite"
	tenantsWrite = "tenants.write"
	auditRead    = "audit.read"
	household    = "household" // no capability: what is one for the whole installation, which its people look after where it has one tenant
)
