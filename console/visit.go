package console

import (
	"net/http"
	"time"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

// visit is one request of somebody who is signed in, with what the access model says about them.
type visit struct {
	authn.Visit
	prov    *provisioning.Service
	journal time.Duration // how long requests of directories are kept; 0: it is not said
}

// visit finds out who asks. It answers Unauthenticated when the cookie opens no session, and Forbidden while something has to be done first.
func (d *Door) visit(r *http.Request) (visit, error) {
	v, err := d.authn.Session(r.Context(), d.cookies.Session(r))
	if err != nil {
		return visit{}, err
	}
	return d.visitOf(r, v), nil
}

func (d *Door) visitOf(r *http.Request, v authn.Visit) visit {
	v.Actor.Door = "console"
	v.Actor.RequestID, v.Actor.IP = web.RequestID(r.Context()), web.ClientIP(r)
	return visit{Visit: v, prov: d.prov, journal: d.installed.JournalAge}
}

// Can reports whether the visitor has a capability. It decides what a page shows; what is done is decided in provisioning.
func (v visit) Can(capability string) bool {
	if capability == household {
		return v.Can(tenantsWrite) || v.Can(usersWrite) && v.prov.Model().Single() && v.Actor.TenantID != ""
	}
	return v.prov != nil && v.prov.May(v.Actor, capability).Allowed
}

// Caption is the access model's word for something on the pages (users_page, roles_page, settings_page, import_page, add, invite), or the given one.
func (v visit) Caption(key, otherwise string) string {
	if v.prov == nil {
		return otherwise
	}
	return v.prov.Model().Caption(key, otherwise)
}

// Single reports whether there is one organisation here and no tenants to tell apart.
func (v visit) Single() bool { return v.prov != nil && v.prov.Model().Single() }

// RoleList returns the visitor's roles with their titles.
func (v visit) RoleList() []identity.Role {
	out := make([]identity.Role, 0, len(v.Actor.Roles))
	for _, id := range v.Actor.Roles {
		role, ok := v.prov.Model().Role(id)
		if !ok {
			role = identity.Role{ID: id, Title: string(id)}
		}
		out = append(out, role)
	}
	return out
}

// EventURL is the page of what an event is about, as far as the visitor may open it; "" for none.
func (v visit) EventURL(e identity.Event) string {
	id := e.ObjectID
	switch {
	case e.ObjectKind == "trace" && v.Can(auditRead):
		return "/console/signins/" + id
	case e.ObjectKind == "plan" && v.Can(usersWrite):
		return "/console/plans/" + id
	case e.ObjectKind == "domain" && v.Can(usersWrite):
		return "/console/domains"
	case e.ObjectKind == "review" && v.Can(usersWrite):
		return "/console/reviews/" + id
	case e.ObjectKind == "role" && e.Type != identity.RoleDeleted && v.Can(rolesRead):
		return "/console/roles/" + id
	case e.ObjectKind == "access review" && v.Can(usersRead):
		return "/console/access-reviews/" + id
	case e.UserID != "" && v.Can(usersRead):
		return "/console/users/" + string(e.UserID)
	case !v.Can(tenantsWrite):
		return ""
	case e.ObjectKind == "directory":
		return "/console/directories/" + id
	case e.ObjectKind == "connection":
		return "/console/connections/" + id
	case e.ObjectKind == "tenant":
		return "/console/tenants/" + id
	}
	return ""
}

// guard runs a route's page only for those whom the route is for.
func (d *Door) guard(rt route) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if rt.need == anybody {
			return rt.page(w, r, visit{})
		}
		ask := d.visit
		if rt.need == unfinished {
			ask = d.anyVisit
		}
		v, err := ask(r)
		if err != nil {
			if toDuty(w, r, err) {
				return nil
			}
			return err
		}
		if rt.need != signedIn && rt.need != unfinished && !v.Can(rt.need) {
			return identity.Errorf(identity.Forbidden, "Your role does not include this page. Ask an administrator for a role that does.").WithCode(rt.need)
		}
		return rt.page(w, r, v)
	}
}

func (d *Door) home(w http.ResponseWriter, r *http.Request, _ visit) error {
	http.Redirect(w, r, "/console", http.StatusSeeOther)
	return nil
}

func (d *Door) nowhere(http.ResponseWriter, *http.Request, visit) error {
	return identity.Errorf(identity.NotFound, "There is no page at this address.")
}
