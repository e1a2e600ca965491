package console

import (
	"context"
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

// inviteBody is the form of two fields with which somebody is invited.
type inviteBody struct {
	Form     form
	Tenants  []identity.Tenant
	Roles    roleOptions
	Button   string
	Title    string
	Reason   bool
	Write    bool
	Hours    int    // how long the link opens
	RoleWord string // what a role is called
	Warnings []identity.UserWarning
	Member   identity.User // who has the address already
}

// mayInvite refuses who may neither invite people nor write them.
func mayInvite(v visit) error {
	if v.Can(usersInvite) || v.Can(usersWrite) {
		return nil
	}
	return identity.Errorf(identity.Forbidden, "Your role does not include inviting people. Ask an administrator for a role that does.").WithCode(usersInvite)
}

func (d *Door) inviteForm(w http.ResponseWriter, r *http.Request, v visit) error {
	if err := mayInvite(v); err != nil {
		return err
	}
	tenant, err := d.homeOr(r.Context(), r.FormValue("tenant"))
	if err != nil {
		return err
	}
	return d.invitePage(w, r, v, inviteBody{Form: blank("tenant", tenant)})
}

func (d *Door) invitePage(w http.ResponseWriter, r *http.Request, v visit, b inviteBody) error {
	var err error
	if b.Tenants, err = d.tenantOptions(r.Context(), v); err != nil {
		return err
	}
	if b.Roles, err = d.inviteRoles(r.Context(), v); err != nil {
		return err
	}
	m := v.prov.Model()
	b.Button, b.Title = m.Caption("invite", "Save"), "Invite somebody"
	if m.Caption("invite", "") == "" {
		b.Title = "New user"
	}
	b.Reason, b.Write, b.Hours, b.RoleWord = m.ReasonRequired(), v.Can(usersWrite), int(m.Onboarding().InviteTTL.Hours()), v.roleWord()
	s := screen{Title: b.Title, Nav: "users", Body: b}
	if b.Form.Problem != nil {
		s.Status = web.Status(b.Form.Problem)
	}
	return d.show(w, r, v, "invite", s)
}

// inviteRoles are the roles that somebody who invites may give; who may invite and not write people is asked by provisioning.
func (d *Door) inviteRoles(ctx context.Context, v visit) (roleOptions, error) {
	if v.Can(usersWrite) {
		return d.roleOptions(ctx, v)
	}
	var out roleOptions
	for _, role := range v.prov.Model().Roles() {
		if role.Scope == identity.ScopeTenant && v.prov.Model().Assignable(role.ID) && !v.prov.Model().Privileged(role.ID) {
			out.Tenant = append(out.Tenant, role)
		}
	}
	return out, nil
}

// invite sends the invitation. Who is a member already is said, with the way to that person.
func (d *Door) invite(w http.ResponseWriter, r *http.Request, v visit) error {
	if err := mayInvite(v); err != nil {
		return err
	}
	f, err := readForm(w, r, personFormFields...)
	if err != nil {
		return err
	}
	b := inviteBody{Form: f}
	n := provisioning.NewInvitation{Email: f.Value("email"), DisplayName: f.Value("displayname"), Tenant: v.Actor.TenantID, Role: identity.RoleID(f.Value("role")), Message: f.Value("message"), Reason: f.Value("reason")}
	if v.Can(tenantsWrite) {
		n.Tenant = chosenTenant(f)
	}
	if b.Warnings, err = d.inviteWarnings(r.Context(), v, f, n); err != nil {
		return err
	}
	if len(b.Warnings) > 0 {
		b.Form.Values.Set("despite", f.Value("email"))
		return d.invitePage(w, r, v, b)
	}
	if v.Can(tenantsWrite) && f.Value("tenant") == "" {
		err = identity.Errorf(identity.Invalid, "Choose a tenant, or the platform for a platform role.").WithField("tenant")
	} else {
		_, err = d.prov.Invite(r.Context(), v.Actor, n)
	}
	if err == nil {
		http.Redirect(w, r, usersPath+"?done=user-invited", http.StatusSeeOther)
		return nil
	}
	if !b.Form.refused(err) {
		return err
	}
	if code := identity.CodeOf(err); code == "invitation.member" || code == "invitation.open" {
		if b.Member, err = d.memberOf(r.Context(), v, f.Value("email")); err != nil {
			return err
		}
	}
	return d.invitePage(w, r, v, b)
}

// inviteWarnings are what one had better look at; that somebody has the address already is no warning here but refused with its own words.
func (d *Door) inviteWarnings(ctx context.Context, v visit, f form, n provisioning.NewInvitation) ([]identity.UserWarning, error) {
	if !v.Can(usersWrite) {
		return nil, nil
	}
	all, err := d.heeded(ctx, v, f, identity.User{TenantID: n.Tenant, Emails: []identity.Email{{Value: n.Email, Primary: true}}})
	var out []identity.UserWarning
	for _, w := range all {
		if w.Kind == identity.WarnSameEmail {
			return nil, err
		}
		out = append(out, w)
	}
	return out, err
}

// memberOf finds who has an address, as far as the visitor sees people.
func (d *Door) memberOf(ctx context.Context, v visit, address string) (identity.User, error) {
	if !v.Can(usersRead) {
		return identity.User{}, nil
	}
	page, err := d.prov.Users(ctx, v.Actor, identity.Query{Search: address, Limit: 10})
	for _, u := range page.Items {
		if u.Email() == address || u.UserName == address {
			return u, err
		}
	}
	return identity.User{}, err
}

// lifetime writes hours, in days where that is whole.
func lifetime(hours int) string {
	if hours >= 48 && hours%24 == 0 {
		return count(hours/24, "day", "days")
	}
	return count(hours, "hour", "hours")
}
