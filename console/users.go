package console

import (
	"context"
	"net/http"
	"slices"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

// maxOptions is how many tenants a select offers.
const maxOptions = 1000

var userStatuses = []identity.Status{identity.StatusActive, identity.StatusPending, identity.StatusInactive, identity.StatusLocked}

type usersBody struct {
	Users    []identity.User
	Pager    pager
	Search   string
	Status   identity.Status
	Tenant   identity.TenantID
	Tenants  []identity.Tenant
	Statuses []identity.Status
	Filtered bool
	Export   string // where the list is taken out as it is filtered
}

// users lists people, newest first. Search, status and tenant stand in the address.
func (d *Door) users(w http.ResponseWriter, r *http.Request, v visit) error {
	q := keyset(r)
	q.Search, q.Status = search(r), status(r.FormValue("status"))
	q.Tenant, _ = identity.ParseID[identity.TenantID](r.FormValue("tenant"))
	found, err := d.prov.Users(r.Context(), v.Actor, q)
	if err != nil {
		return err
	}
	tenants, err := d.tenantOptions(r.Context(), v)
	if err != nil {
		return err
	}
	body := usersBody{
		Pager: turn(r, q, &found, func(u identity.User) string { return string(u.ID) }),
		Users: found.Items, Search: q.Search, Status: q.Status, Tenant: q.Tenant, Tenants: tenants, Statuses: userStatuses,
		Export: exportURL(exportUsers, r), Filtered: q.Search != "" || q.Status != "" || q.Tenant != "",
	}
	return d.show(w, r, v, "users", screen{Title: "Users", Nav: "users", Body: body})
}

// status reads a status of the address; what is none narrows nothing.
func status(s string) identity.Status {
	if slices.Contains(userStatuses, identity.Status(s)) {
		return identity.Status(s)
	}
	return ""
}

// tenantOptions are the tenants that a visitor may choose from: all of them, or their own.
func (d *Door) tenantOptions(ctx context.Context, v visit) ([]identity.Tenant, error) {
	if !v.Can(tenantsWrite) {
		return nil, nil
	}
	p, err := d.prov.Tenants(ctx, v.Actor, identity.Query{Limit: maxOptions})
	return p.Items, err
}

type userFormBody struct {
	Form    form
	Tenants []identity.Tenant
	Roles   roleOptions
	User    identity.User // when one is edited
	Now     identity.User // what it says now, when somebody was faster
}

// roleOptions are the roles of a select, by where they may be held.
type roleOptions struct{ Tenant, Platform []identity.Role }

func (d *Door) roleOptions(ctx context.Context, v visit) (roleOptions, error) {
	roles, err := d.prov.AssignableRoles(ctx, v.Actor, v.Actor.TenantID)
	if v.Actor.TenantID == "" {
		roles, err = d.prov.Roles(ctx, v.Actor)
	}
	var out roleOptions
	for _, role := range roles {
		if !v.prov.Model().Assignable(role.ID) {
			continue
		}
		if role.Scope == identity.ScopePlatform {
			out.Platform = append(out.Platform, role)
		} else {
			out.Tenant = append(out.Tenant, role)
		}
	}
	return out, err
}

func (d *Door) newUser(w http.ResponseWriter, r *http.Request, v visit) error {
	tenant, err := d.homeOr(r.Context(), r.FormValue("tenant"))
	if err != nil {
		return err
	}
	return d.userForm(w, r, v, blank("tenant", tenant))
}

// homeOr is what a form begins with where a tenant is asked for: what the address says, else the one tenant of an installation that has one.
func (d *Door) homeOr(ctx context.Context, said string) (string, error) {
	if said != "" || !d.prov.Model().Single() {
		return said, nil
	}
	main, err := d.prov.MainTenant(ctx)
	return string(main.ID), err
}

func (d *Door) userForm(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	tenants, err := d.tenantOptions(r.Context(), v)
	if err != nil {
		return err
	}
	roles, err := d.roleOptions(r.Context(), v)
	if err != nil {
		return err
	}
	s := screen{Title: "New user", Nav: "users", Body: userFormBody{Form: f, Tenants: tenants, Roles: roles}}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "user_new", s)
}

func (d *Door) createUser(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "email", "username", "displayname", "tenant", "role", "password", "confirm_password")
	if err != nil {
		return err
	}
	n, err := d.readUser(r.Context(), v, f)
	if err == nil {
		var u identity.User
		if u, err = d.prov.CreateUser(r.Context(), v.Actor, n); err == nil {
			http.Redirect(w, r, "/console/users/"+string(u.ID)+"?done=user-created", http.StatusSeeOther)
			return nil
		}
	}
	if f.refused(err) {
		return d.userForm(w, r, v, f)
	}
	return err
}

// readUser decodes the form of a new user. The user name is the e-mail address unless another is given.
func (d *Door) readUser(ctx context.Context, v visit, f form) (provisioning.NewUser, error) {
	n := provisioning.NewUser{Role: identity.RoleID(f.Value("role")), Reason: f.Value("reason")}
	n.User = identity.User{UserName: f.Value("username"), DisplayName: f.Value("displayname"), Enabled: true, TenantID: v.Actor.TenantID}
	if v.Can(tenantsWrite) {
		if f.Value("tenant") == "" {
			return n, identity.Errorf(identity.Invalid, "Choose a tenant, or the platform for a platform role.").WithField("tenant")
		}
		n.User.TenantID = chosenTenant(f)
	}
	if mail := f.Value("email"); mail != "" {
		n.User.Emails = []identity.Email{{Value: mail, Type: "work", Primary: true}}
	}
	if n.User.UserName == "" {
		n.User.UserName = f.Value("email")
	}
	given := authn.GivenPassword{Password: f.Values.Get("password")}
	if f.Values.Has("confirm_password") {
		repeated := f.Values.Get("confirm_password")
		given.Repeated = &repeated
	}
	first, err := d.authn.FirstPassword(ctx, v.Actor, n.User, given)
	n.PasswordHash, n.PasswordTerms = first.Hash, first.Terms
	return n, err
}

// chosenTenant reads a tenant select, in which "platform" means no tenant.
func chosenTenant(f form) identity.TenantID {
	if f.Value("tenant") == "platform" {
		return ""
	}
	return identity.TenantID(f.Value("tenant"))
}
