package console

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

type ownerBody struct {
	Form   form
	Tenant identity.Tenant
	Owner  identity.User // until now; zero: none
	Search string
	Found  []identity.User
	Roles  roleOptions
}

// ownerForm asks to whom a tenant is handed.
func (d *Door) ownerForm(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.ownerPage(w, r, v, blank())
}

func (d *Door) ownerPage(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	t, err := d.pathTenant(r, v)
	if err != nil {
		return err
	}
	b := ownerBody{Form: f, Tenant: t, Search: search(r)}
	if b.Owner, err = d.prov.Owner(r.Context(), v.Actor, t.ID); err != nil {
		return err
	}
	found, err := d.prov.Users(r.Context(), v.Actor, identity.Query{Tenant: t.ID, Search: b.Search, Limit: maxFound})
	if err != nil {
		return err
	}
	for _, u := range found.Items {
		if u.ID != b.Owner.ID && u.Enabled {
			b.Found = append(b.Found, u)
		}
	}
	if b.Roles, err = d.roleOptions(r.Context(), v); err != nil {
		return err
	}
	s := screen{Title: "Owner of " + t.Name, Nav: "tenants", Body: b}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "tenant_owner", s)
}

// setOwner hands a tenant to somebody.
func (d *Door) setOwner(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "user", "role", "reason")
	if err != nil {
		return err
	}
	id, err := pathID[identity.TenantID](r, "id")
	if err != nil {
		return err
	}
	_, err = d.prov.TransferOwnership(r.Context(), v.Actor, provisioning.Ownership{
		Tenant: id, User: identity.UserID(f.Value("user")), OldRole: identity.RoleID(f.Value("role")), Reason: f.Value("reason"),
	})
	switch {
	case err == nil:
		http.Redirect(w, r, tenantURL(id)+"?done=tenant-handed", http.StatusSeeOther)
		return nil
	case f.refused(err):
		if f.Problem.Field == "old owner role" {
			f.Problem.Field = "role"
		}
		return d.ownerPage(w, r, v, f)
	}
	return err
}
