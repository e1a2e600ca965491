package console

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
)

// The capabilities of whoever looks at roles and of whoever changes them.
const (
	rolesRead  = "roles.read"
	rolesWrite = "roles.write"
)

func (d *Door) roleRoutes() []route {
	return []route{
		{"GET /console/roles", rolesRead, d.roles},
		{"GET /console/roles/new", rolesWrite, d.newRole},
		{"POST /console/roles/new", rolesWrite, d.newRoleAgain},
		{"POST /console/roles", rolesWrite, d.createRole},
		{"GET /console/roles/{id}", rolesRead, d.role},
		{"GET /console/roles/{id}/users", rolesRead, d.roleUsers},
		{"GET /console/roles/{id}/history", rolesRead, d.roleHistory},
		{"POST /console/roles/{id}/reviewed", rolesWrite, d.markRole},
		{"GET /console/roles/{id}/edit", rolesWrite, d.editRole},
		{"POST /console/roles/{id}/edit", rolesWrite, d.editRoleAgain},
		{"POST /console/roles/{id}/preview", rolesWrite, d.previewRole},
		{"POST /console/roles/{id}", rolesWrite, d.updateRole},
		{"GET /console/roles/{id}/delete", rolesWrite, d.confirmDeleteRole},
		{"POST /console/roles/{id}/delete", rolesWrite, d.deleteRole},
		{"GET /console/access/matrix", rolesRead, d.matrix},
	}
}

// RolesCaption is what the access model calls the page of roles: its own word, else what its catalogue calls roles.
func (v visit) RolesCaption() string {
	otherwise := "Roles"
	for _, r := range v.prov.Model().Catalogue() {
		if r.Owner == "drawbridge" && (r.ID == "roles" || r.ID == "profiles") {
			otherwise = r.Title
		}
	}
	return v.Caption("roles_page", otherwise)
}

// roleHead is what all pages of roles know.
type roleHead struct {
	Caption string // of the list
	Add     string // what making one is called
	Edits   bool   // the visitor may make, change and delete roles
	Why     string // why not, for whom it would be open
	Scopes  bool   // roles of the platform and of tenants are told apart
	fields  []string
}

func (d *Door) roleHead(v visit) roleHead {
	m := d.prov.Model()
	h := roleHead{Caption: v.RolesCaption(), Add: m.Caption("add", "New role"), Scopes: !m.Single(), fields: m.RoleFields()}
	switch err := d.prov.MayEditRoles(v.Actor); {
	case err == nil:
		h.Edits = true
	case !m.RolesEditable():
		h.Why = "fixed"
	case v.Can(rolesWrite):
		h.Why = "platform"
	}
	return h
}

// Keeps reports whether something is kept of roles beside their rights: "description", "intended_for", "provides", "last_reviewed". A model that does not say keeps all.
func (h roleHead) Keeps(field string) bool {
	if len(h.fields) == 0 {
		return true
	}
	for _, f := range h.fields {
		if f == field {
			return true
		}
	}
	return false
}

type rolesBody struct {
	roleHead
	Roles  []roleRow
	Pager  pager
	Search string
	Model  string
}

type roleRow struct {
	identity.RoleDefinition
	Edits bool // may be changed: it is not the role that grants everything
}

// roles lists the roles in the model's order.
func (d *Door) roles(w http.ResponseWriter, r *http.Request, v visit) error {
	q := identity.Query{Search: search(r), After: clip(oneLine(r.FormValue("after")), 100), Limit: pageSize}
	found, err := d.prov.RoleDefinitions(r.Context(), v.Actor, q)
	if err != nil {
		return err
	}
	b := rolesBody{roleHead: d.roleHead(v), Search: q.Search, Model: d.prov.Model().Title(), Pager: onward(r, found, func(x identity.RoleDefinition) string { return string(x.ID) })}
	b.Pager.Lines = true
	for _, x := range found.Items {
		b.Roles = append(b.Roles, roleRow{x, b.Edits && !d.prov.Model().Unlimited(x.ID)})
	}
	return d.show(w, r, v, "roles", screen{Title: b.Caption, Nav: "roles", Body: b})
}

// SensitiveThings are what the access model calls sensitive, for links to who holds it.
func (v visit) SensitiveThings() []grantResource {
	var out []grantResource
	for _, r := range v.prov.Model().Catalogue() {
		if r.Sensitive {
			out = append(out, grantResource{ID: r.ID, Title: r.Title})
		}
	}
	return out
}
