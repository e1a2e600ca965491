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
		d.personRoutes(),
		d.factorRoutes(),
		d.reviewRoutes(),
		d.placementRoutes(),
		d.domainRoutes(),
		d.directoryRoutes(),
		d.signinTraceRoutes(),
		d.requestRoutes(),
		d.ownRoutes(),
		d.styleRoutes(),
	)
}

// ownRoutes are the routes of what is everybody's: signing in, the start page, one's own sessions and links, and all that is nowhere.
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
		{"GET /account/links/{connection}", signedIn, d.connectForm},
		{"POST /account/links/{connection}", signedIn, d.connect},
		{"GET /account/links/{connection}/remove", signedIn, d.disconnectForm},
		{"POST /account/links/{connection}/remove", signedIn, d.disconnect},
		{"GET /account/pending-links", signedIn, d.pendingLinks},
		{"POST /account/pending-links/{id}", signedIn, d.confirmLink},
		{"POST /account/pending-links/{id}/drop", signedIn, d.dropLink},
		{"GET /console", signedIn, d.start},
	}
}
