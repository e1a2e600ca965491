package console

import (
	"context"
	"net/http"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

const usersPath = "/console/users"

// What the access model says of deleting people and of how they get in.
const (
	deletePermanent = "permanent"
	deleteRemove    = "remove_from_tenant"
	onboardInvite   = "invite"
	onboardPassword = "password"
	levelOfUser     = "user"
)

// maxOptions is how many tenants a select offers.
const maxOptions = 1000

var userStatuses = []identity.Status{identity.StatusActive, identity.StatusPending, identity.StatusInactive, identity.StatusLocked}

// userRoutes are the list of people, the forms, and what is done from the list.
func (d *Door) userRoutes() []route {
	return []route{
		{"GET /console/users", usersRead, d.users},
		{"POST /console/users/bulk", usersWrite, d.bulkUsers},
		{"POST /console/users/{id}/set-role", usersWrite, d.setRole},
		{"GET /console/users/{id}/restore", usersWrite, d.confirmRestoreUser},
		{"GET /console/users/invite", anyRight, d.inviteForm},
		{"POST /console/users/invite", anyRight, d.invite},
		{"GET /console/users/new", usersWrite, d.newUser},
		{"POST /console/users", usersWrite, d.createUser},
		{"POST /console/users/password-rules", usersWrite, d.newPasswordRules},
		{"POST /console/user-types", usersWrite, d.addUserType},
		{"GET /console/users/{id}/edit", usersWrite, d.editUser},
		{"POST /console/users/{id}", usersWrite, d.updateUser},
	}
}

// userRow is somebody in the list, with what the visitor may do there.
type userRow struct {
	provisioning.ListedUser
	URL     string          // where the row opens
	Edit    bool            // the pencil
	Delete  bool            // the model deletes people
	Out     bool            // deactivating instead
	Restore bool            // deleted, and may come back
	Give    []identity.Role // that the visitor may give in this row; none: the roles are text
	Role    identity.RoleID // the one that the person has, where Roles are offered
	Again   bool            // an invitation may be sent again
	Held    []identity.Role // as they are shown
	Gone    bool            // deleted
}

type usersBody struct {
	People  []userRow
	Pager   pager
	Filters userFilters
	Choices userChoices
	Heads   map[string]sortHead
	Export  string // where the list is taken out as it is filtered
	Here    string // the list's own address, to come back to
	Filter  string // what narrows the list, as its address has it
	Add     addButton
	Bulk    bool
	Move    bool
	Resend  string // what sending an invitation again is called
	Lead    string // above the title: where the model's own menu has the page
	Unit    string // what a business unit is called; "": the model has none
	Columns int
}

// addButton leads to the form of somebody new, in the model's words; without an address there is none.
type addButton struct{ URL, Text, Title string }

// users lists people, newest first unless the address says otherwise. Whatever narrows or orders the list stands in the address.
func (d *Door) users(w http.ResponseWriter, r *http.Request, v visit) error {
	f := d.readFilters(r, v)
	q := f.query(r)
	found, err := d.prov.ListUsers(r.Context(), v.Actor, q)
	if err != nil {
		return err
	}
	id := func(u provisioning.ListedUser) string { return string(u.ID) }
	body := usersBody{Filters: f, Heads: sortHeads(r, f), Export: exportURL(exportUsers, r), Here: r.URL.RequestURI(), Filter: f.address(), Add: d.addButton(v)}
	if f.Sort == "" {
		body.Pager = turn(r, q, &found, id)
	} else {
		body.Pager = onwardSorted(r, found, id)
	}
	if body.Choices, err = d.userChoices(r.Context(), v, f); err != nil {
		return err
	}
	m := v.prov.Model()
	body.Bulk, body.Move, body.Resend = v.Can(usersWrite) && !f.Deleted(), v.Can(tenantsWrite) && !m.Single(), m.Onboarding().ResendLabel
	body.Lead = m.Caption("menu", "")
	if unit, ok := m.Units(); ok {
		body.Unit = unit.Label
	}
	if body.People, err = d.userRows(r.Context(), v, found.Items, f); err != nil {
		return err
	}
	w.Header().Set("HX-Push-Url", withQuery(r, "", ""))
	return d.show(w, r, v, "users", screen{Title: v.Caption("users_page", "Users"), Nav: "users", Body: body})
}

// userRows says of each person what the visitor may do in the row. provisioning decides when it is done.
func (d *Door) userRows(ctx context.Context, v visit, list []provisioning.ListedUser, f userFilters) ([]userRow, error) {
	m, write := v.prov.Model(), v.Can(usersWrite)
	remove := write && m.DeleteMode() == deletePermanent || v.Can(usersInvite) && m.DeleteMode() == deleteRemove
	owner, owned := m.Owner()
	give := map[identity.TenantID][]identity.Role{}
	out := make([]userRow, 0, len(list))
	for _, u := range list {
		self := u.ID == v.User.ID
		kept := owned && slices.ContainsFunc(u.User.Roles, func(role identity.Role) bool { return role.ID == owner.Role })
		row := userRow{ListedUser: u, URL: d.rowURL(v, u.ID), Held: u.User.Roles, Gone: u.DeletedAt != nil}
		switch {
		case row.Gone:
			row.Restore, row.URL = write, ""
		case write:
			row.Edit, row.Delete = true, remove && !self && !(kept && owner.Denies("delete"))
			row.Out = !row.Delete && !self && m.Deactivates() && u.Enabled && !(kept && owner.Denies("deactivate"))
		}
		row.Again = u.Invitation != nil && (write || v.Can(usersInvite)) && !row.Gone
		if write && !self && !row.Gone && !kept {
			if err := d.offerRoles(ctx, v, &row, give); err != nil {
				return nil, err
			}
		}
		out = append(out, row)
	}
	return out, nil
}

// offerRoles lets the one role of somebody be changed in the row, where everybody has one and the visitor may give it.
func (d *Door) offerRoles(ctx context.Context, v visit, row *userRow, give map[identity.TenantID][]identity.Role) error {
	if _, most := v.prov.Model().AssignmentBounds(); most != 1 || len(row.Held) != 1 {
		return nil
	}
	roles, ok := give[row.TenantID]
	if !ok {
		var err error
		if roles, err = d.prov.AssignableRoles(ctx, v.Actor, row.TenantID); err != nil {
			return err
		}
		give[row.TenantID] = roles
	}
	if slices.ContainsFunc(roles, func(role identity.Role) bool { return role.ID == row.Held[0].ID }) && len(roles) > 1 {
		row.Give, row.Role = roles, row.Held[0].ID
	}
	return nil
}

// rowURL is where a row opens: the person's page, or the form where the model's people are used to that.
func (d *Door) rowURL(v visit, id identity.UserID) string {
	url := usersPath + "/" + string(id)
	if v.prov.Model().Captions("save") != nil && v.Can(usersWrite) {
		url += "/edit"
	}
	return url
}

// addButton is the button of the list in the words of the access model.
func (d *Door) addButton(v visit) addButton {
	m := v.prov.Model()
	invites := m.Onboarding().Default == onboardInvite
	switch {
	case invites && (v.Can(usersInvite) || v.Can(usersWrite)):
		return addButton{usersPath + "/invite", m.Caption("invite", m.Caption("add", "Invite")), "Invite somebody"}
	case !invites && v.Can(usersWrite):
		return addButton{usersPath + "/new", m.Caption("add", "New user"), "New user"}
	}
	return addButton{}
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
	p, err := d.prov.Tenants(ctx, v.Actor, identity.Query{Limit: maxOptions, Lean: true})
	return p.Items, err
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

// homeOr is what a form begins with where a tenant is asked for: what the address says, else the one tenant of an installation that has one.
func (d *Door) homeOr(ctx context.Context, said string) (string, error) {
	if said != "" || !d.prov.Model().Single() {
		return said, nil
	}
	main, err := d.prov.MainTenant(ctx)
	return string(main.ID), err
}

// chosenTenant reads a tenant select, in which "platform" means no tenant.
func chosenTenant(f form) identity.TenantID {
	if f.Value("tenant") == "platform" {
		return ""
	}
	return identity.TenantID(f.Value("tenant"))
}
