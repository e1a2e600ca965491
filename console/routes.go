package console

import (
	"net/http"
	"slices"

	"github.com/drawbridge-id/drawbridge/web"
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
	return slices.Concat(
		d.connectionRoutes(),
		d.dutyRoutes(),
		d.mailRoutes(),
		d.importRoutes(),
		d.planRoutes(),
		d.sourceRoutes(),
		d.offboardingRoutes(),
		d.exportRoutes(),
		d.burstRoutes(),
		d.userRoleRoutes(),
		d.userPasswordRoutes(),
		d.userKeyRoutes(),
		d.userLeaveRoutes(),
		d.userRecordRoutes(),
		d.userRareRoutes(),
		d.roleRoutes(),
		d.accessRoutes(),
		d.typeRoutes(),
		d.unitRoutes(),
		d.recordRoutes(),
		d.groupRoutes(),
		d.tenantRoutes(),
		d.accountRoutes(),
		d.settingsRoutes(),
		d.eventRoutes(),
		d.statisticRoutes(),
		d.uploadRoutes(),
		d.userRoutes(),
		d.ownRoutes(),
		d.styleRoutes(),
	)
}

// ownRoutes are the routes of pages that are not many enough for a list of their own.
func (d *Door) ownRoutes() []route {
	return []route{
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
		{"GET /console/users/{id}", usersRead, d.user},
		{"POST /console/users/{id}/sessions/{session}/end", usersWrite, d.endUserSession},
		{"POST /console/users/{id}/sessions/end", usersWrite, d.endUserSessions},
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

		{"GET /console/placement", household, d.placement},
		{"POST /console/placement/preview", household, d.previewPlacement},
		{"POST /console/placement", household, d.place},

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
	}
}
