package console

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
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
// returns the address there; without it nobody can connect another provider in My Account.
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
	Log          *slog.Logger
}

// Door answers the console's pages.
type Door struct {
	prov     *provisioning.Service
	authn    *authn.Service
	url      string
	cookies  web.Cookies
	metadata func(ctx context.Context, source string, known identity.SAMLSettings) (identity.SAMLSettings, error)
	refresh  func(ctx context.Context, by identity.Actor, id identity.ConnectionID) (identity.MetadataRefresh, error)
	logout   func(w http.ResponseWriter, r *http.Request, v authn.Visit) error
	explain  func(ctx context.Context, by identity.Actor, p identity.Pasted) (identity.Trace, error)
	begin    func(w http.ResponseWriter, r *http.Request, id identity.ConnectionID, purpose identity.SignInPurpose, user identity.UserID) (string, error)
	brake    *web.Brake // of setup links: wrong ones by address, and what is tried with a right one
	log      *slog.Logger
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
		begin: o.Begin,
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
)

// page answers one route for a visit; the visit is empty where the route is open to anybody.
type page func(w http.ResponseWriter, r *http.Request, v visit) error

type route struct {
	pattern string
	need    string
	page    page
}

// Routes adds every route of the console to mux.
func (d *Door) Routes(mux *http.ServeMux) {
	for _, rt := range d.routes() {
		mux.Handle(rt.pattern, web.Handle(d.guard(rt), d.renderError))
	}
}

// routes is the whole console: pattern, right, page. provisioning asks for the right again at each call; here it only keeps empty pages away.
func (d *Door) routes() []route {
	return slices.Concat(d.connectionRoutes(), d.dutyRoutes(), d.mailRoutes(), d.importRoutes(), d.planRoutes(), d.sourceRoutes(), d.offboardingRoutes(), d.exportRoutes(), d.burstRoutes(), []route{
		{"GET /{$}", anybody, d.home},
		{"GET /assets/{name}", anybody, d.asset},
		{"GET /favicon.ico", anybody, d.favicon},
		{"GET /signin", anybody, d.signinForm},
		{"POST /signin", anybody, d.signin},
		{"GET /signin/code", anybody, d.codeForm},
		{"POST /signin/code", anybody, d.code},
		{"POST /signout", unfinished, d.signout},
		{"/", anybody, d.nowhere},
		{"GET /users/{id}/avatar", signedIn, d.avatar},
		{"GET /account", signedIn, d.account},
		{"POST /account/sessions/{session}/end", signedIn, d.endOwnSession},
		{"POST /account/sessions/end", signedIn, d.endOtherSessions},
		{"GET /account/second-factor", signedIn, d.enrolForm},
		{"POST /account/second-factor", signedIn, d.enrol},
		{"GET /account/second-factor.png", signedIn, d.factorImage},
		{"GET /account/second-factor/confirm", signedIn, d.confirmFactorForm},
		{"POST /account/second-factor/confirm", signedIn, d.confirmFactor},
		{"GET /account/second-factor/off", signedIn, d.factorOffForm},
		{"POST /account/second-factor/off", signedIn, d.factorOff},
		{"GET /account/second-factor/codes", signedIn, d.recoveryForm},
		{"POST /account/second-factor/codes", signedIn, d.recovery},

		{"GET /account/links/{connection}", signedIn, d.connectForm},
		{"POST /account/links/{connection}", signedIn, d.connect},
		{"GET /account/links/{connection}/remove", signedIn, d.disconnectForm},
		{"POST /account/links/{connection}/remove", signedIn, d.disconnect},
		{"GET /account/pending-links", signedIn, d.pendingLinks},
		{"POST /account/pending-links/{id}", signedIn, d.confirmLink},
		{"POST /account/pending-links/{id}/drop", signedIn, d.dropLink},

		{"GET /console", signedIn, d.start},
		{"GET /console/users", usersRead, d.users},
		{"GET /console/users/new", usersWrite, d.newUser},
		{"POST /console/users", usersWrite, d.createUser},
		{"GET /console/users/{id}", usersRead, d.user},
		{"GET /console/users/{id}/edit", usersWrite, d.editUser},
		{"POST /console/users/{id}", usersWrite, d.updateUser},
		{"GET /console/users/{id}/deactivate", usersWrite, d.confirmDeactivate},
		{"POST /console/users/{id}/deactivate", usersWrite, d.deactivateUser},
		{"GET /console/users/{id}/activate", usersWrite, d.confirmActivate},
		{"POST /console/users/{id}/activate", usersWrite, d.activateUser},
		{"POST /console/users/{id}/sessions/{session}/end", usersWrite, d.endUserSession},
		{"GET /console/users/{id}/links/new", tenantsWrite, d.newUserLink},
		{"POST /console/users/{id}/links", tenantsWrite, d.linkUser},
		{"GET /console/users/{id}/links/{connection}/remove", usersWrite, d.confirmUnlink},
		{"POST /console/users/{id}/links/{connection}/remove", usersWrite, d.unlinkUser},
		{"GET /console/users/{id}/reset-second-factor", usersWrite, d.asks(d.resetFactor())},
		{"POST /console/users/{id}/reset-second-factor", usersWrite, d.acts(d.resetFactor())},
		{"GET /console/users/{id}/break-glass", tenantsWrite, d.asks(d.grantEmergency())},
		{"POST /console/users/{id}/break-glass", tenantsWrite, d.acts(d.grantEmergency())},
		{"GET /console/users/{id}/break-glass/end", tenantsWrite, d.asks(d.revokeEmergency())},
		{"POST /console/users/{id}/break-glass/end", tenantsWrite, d.acts(d.revokeEmergency())},

		{"GET /console/reviews", usersWrite, d.reviews},
		{"GET /console/reviews/{id}", usersWrite, d.review},
		{"GET /console/reviews/{id}/link/{user}", usersWrite, d.confirmReviewLink},
		{"POST /console/reviews/{id}/link/{user}", usersWrite, d.linkFromReview},
		{"POST /console/reviews/{id}/create", usersWrite, d.createFromReview},
		{"GET /console/reviews/{id}/dismiss", usersWrite, d.confirmDismiss},
		{"POST /console/reviews/{id}/dismiss", usersWrite, d.dismissReview},

		{"GET /console/placement", tenantsWrite, d.placement},
		{"POST /console/placement/preview", tenantsWrite, d.previewPlacement},
		{"POST /console/placement", tenantsWrite, d.place},

		{"GET /console/tenants", tenantsWrite, d.tenants},
		{"POST /console/tenants", tenantsWrite, d.createTenant},
		{"GET /console/tenants/{id}", usersWrite, d.tenant},
		{"GET /console/tenants/{id}/require-sso", usersWrite, d.confirmRequire},
		{"POST /console/tenants/{id}/require-sso", usersWrite, d.requireSSO},
		{"POST /console/tenants/{id}/allow-passwords", usersWrite, d.unrequireSSO},

		{"GET /console/domains", usersWrite, d.domains},
		{"POST /console/domains", usersWrite, d.addDomain},
		{"POST /console/domains/{id}/verify", usersWrite, d.verifyDomain},
		{"GET /console/domains/{id}/remove", usersWrite, d.confirmRemoveDomain},
		{"POST /console/domains/{id}/remove", usersWrite, d.removeDomain},

		{"GET /console/directories", tenantsWrite, d.directories},
		{"GET /console/directories/new", tenantsWrite, d.newDirectory},
		{"POST /console/directories", tenantsWrite, d.createDirectory},
		{"GET /console/directories/{id}", tenantsWrite, d.directory},
		{"GET /console/directories/{id}/drift", tenantsWrite, d.directoryDrift},
		{"GET /console/directories/{id}/disable", tenantsWrite, d.confirmDisableDirectory},
		{"POST /console/directories/{id}/disable", tenantsWrite, d.disableDirectory},
		{"POST /console/directories/{id}/enable", tenantsWrite, d.enableDirectory},
		{"GET /console/directories/{id}/rotate", tenantsWrite, d.confirmRotate},
		{"POST /console/directories/{id}/rotate", tenantsWrite, d.rotateToken},
		{"GET /console/directories/{id}/tokens/{token}/revoke", tenantsWrite, d.confirmRevoke},
		{"POST /console/directories/{id}/tokens/{token}/revoke", tenantsWrite, d.revokeToken},
		{"GET /console/directories/{id}/networks", tenantsWrite, d.editNetworks},
		{"POST /console/directories/{id}/networks", tenantsWrite, d.setNetworks},
		{"GET /console/directories/{id}/clients/new", tenantsWrite, d.newClient},
		{"POST /console/directories/{id}/clients", tenantsWrite, d.createClient},
		{"GET /console/directories/{id}/clients/{client}/revoke", tenantsWrite, d.confirmRevokeClient},
		{"POST /console/directories/{id}/clients/{client}/revoke", tenantsWrite, d.revokeClient},

		{"GET /console/signins", auditRead, d.signins},
		{"GET /console/signins/{id}", auditRead, d.trace},
		{"GET /console/signins/explain", auditRead, d.explainForm},
		{"POST /console/signins/explain", auditRead, d.explainMessage},
		{"GET /console/signins/links", usersWrite, d.links},
		{"POST /console/signins/links", usersWrite, d.createLink},
		{"GET /console/signins/links/{link}/revoke", usersWrite, d.confirmRevokeLink},
		{"POST /console/signins/links/{link}/revoke", usersWrite, d.revokeLink},
		{"GET /shared/signins/{token}", anybody, d.shared},
		{"GET /console/requests", tenantsWrite, d.requests},
		{"GET /console/requests/{id}", tenantsWrite, d.request},
		{"GET /console/events", auditRead, d.events},
	})
}
