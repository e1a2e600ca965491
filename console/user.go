package console

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

// The parts of a user's page, as ?tab= has them.
const (
	tabOverview = ""
	tabAccess   = "access"
	tabActivity = "activity"
)

// userBody is the page of one person.
type userBody struct {
	provisioning.UserDetail
	At       string // the address of the page
	Tab      string
	Self     bool
	Write    bool   // the visitor may change people
	Invite   bool   // the visitor may invite people
	Resend   string // what sending an invitation again is called
	Owner    bool   // owns the tenant
	Single   bool   // there is one tenant, and nobody speaks of it
	Unit     string // what business units are called
	Password authn.PasswordState
	Hurdles  []hurdle
	Acts     userActs
	Card     rolesCard
	Factor   factorRow
	Keys     keysCard
	Files    []entryRow // what plans of sources say about the person
	Sent     map[identity.DirectoryID]identity.Request
	Tied     []tiedRow
	Kinds    []recordKind
	Tenants  []identity.Tenant
	Roles    roleOptions
	Activity activityCard
	Access   accessCard
	userShown
}

// userShown is what the answer to a form has on the page of its person: what was wrong with it, or a key that is shown.
type userShown struct {
	Form   form
	Key    identity.APIKeyID
	Secret string
}

func (d *Door) personRoutes() []route {
	return []route{
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
	}
}

// user is one person: who it is, whence, what they may do and why, what happened, and what can be done now.
func (d *Door) user(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.UserID](r, "id")
	if err != nil {
		return err
	}
	return d.userPage(w, r, v, id, userShown{Form: blank()})
}

// userPage shows it, with what a form on it came to.
func (d *Door) userPage(w http.ResponseWriter, r *http.Request, v visit, id identity.UserID, shown userShown) error {
	detail, err := d.prov.UserDetail(r.Context(), v.Actor, id)
	if identity.KindOf(err) == identity.NotFound {
		return d.gone(w, r, v, id, err)
	}
	if err != nil {
		return err
	}
	if detail.Sessions, err = d.authn.Sessions(r.Context(), v.Actor, id); err != nil { // those that were not used for too long are over
		return err
	}
	b := userBody{
		UserDetail: detail, At: userPath + string(id), Tab: userTab(r), Self: id == v.User.ID, Write: v.Can(usersWrite), Invite: v.Can(usersWrite) || v.Can(usersInvite),
		Resend: v.prov.Model().Onboarding().ResendLabel, Single: v.prov.Model().Single(), userShown: shown,
	}
	if units, ok := v.prov.Model().Units(); ok {
		b.Unit = units.Label
	}
	if err := d.fillUser(r, v, &b); err != nil {
		return err
	}
	s := screen{Title: detail.User.Label(), Nav: "users", Body: b}
	if shown.Form.Problem != nil {
		s.Status = web.Status(shown.Form.Problem)
	}
	return d.show(w, r, v, "user", s)
}

const userPath = "/console/users/"

// userTab is the part of the page that was asked for; what is none is the overview.
func userTab(r *http.Request) string {
	if tab := r.URL.Query().Get("tab"); tab == tabAccess || tab == tabActivity {
		return tab
	}
	return tabOverview
}

// fillUser reads what every part of the page shows, and then the part that was asked for.
func (d *Door) fillUser(r *http.Request, v visit, b *userBody) (err error) {
	if b.Password, err = d.authn.PasswordState(r.Context(), v.Actor, b.User.ID); err != nil {
		return err
	}
	if b.Owner, err = d.owns(r.Context(), v, b.User); err != nil {
		return err
	}
	if b.Card, err = d.rolesCard(r.Context(), v, b); err != nil {
		return err
	}
	b.Acts = d.userActs(v, b)
	b.Hurdles = d.hurdles(r.Context(), b)
	switch b.Tab {
	case tabAccess:
		b.Access, err = d.accessCard(r, v, b)
		return err
	case tabActivity:
		b.Activity, err = d.activity(r, v, b, timelineSize)
		return err
	}
	return d.fillOverview(r, v, b)
}

// fillOverview reads what only the first part of the page shows.
func (d *Door) fillOverview(r *http.Request, v visit, b *userBody) (err error) {
	if b.Factor, err = d.factorOf(r, v, b.User.ID); err != nil {
		return err
	}
	if b.Keys, err = d.keysCard(r.Context(), v, b); err != nil {
		return err
	}
	if err := d.fillSources(r.Context(), v, b); err != nil {
		return err
	}
	b.fillRecords(v)
	if b.Activity, err = d.activity(r, v, b, recentSize); err != nil || !v.Can(tenantsWrite) {
		return err
	}
	if b.Tenants, err = d.tenantOptions(r.Context(), v); err != nil {
		return err
	}
	b.Roles, err = d.roleOptions(r.Context(), v)
	return err
}

func (d *Door) endUserSession(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.UserID](r, "id")
	if err != nil {
		return err
	}
	session, err := pathID[identity.SessionID](r, "session")
	if err != nil {
		return err
	}
	theirs, err := d.hasSession(r, v, id, session)
	if err != nil || !theirs {
		return orNotFound(err)
	}
	if err := d.authn.EndSession(r.Context(), v.Actor, session); err != nil {
		return err
	}
	http.Redirect(w, r, "/console/users/"+string(id)+"?done=session-ended", http.StatusSeeOther)
	return nil
}

// endUserSessions ends every session of somebody at once.
func (d *Door) endUserSessions(w http.ResponseWriter, r *http.Request, v visit) error {
	u, err := d.pathUser(r, v)
	if err != nil {
		return err
	}
	if _, err := d.authn.EndSessions(r.Context(), v.Actor, u.ID, ""); err != nil {
		return err
	}
	http.Redirect(w, r, userPath+string(u.ID)+"?done=all-sessions-ended", http.StatusSeeOther)
	return nil
}
