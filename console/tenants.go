package console

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

func (d *Door) tenantRoutes() []route {
	return []route{
		{"GET /console/tenants", tenantsWrite, d.tenants},
		{"POST /console/tenants", tenantsWrite, d.createTenant},
		{"GET /console/tenants/{id}", usersWrite, d.tenant},
		{"GET /console/tenants/{id}/require-sso", usersWrite, d.confirmRequire},
		{"POST /console/tenants/{id}/require-sso", usersWrite, d.requireSSO},
		{"POST /console/tenants/{id}/allow-passwords", usersWrite, d.unrequireSSO},
		{"GET /console/tenants/{id}/switch-sso", tenantsWrite, d.confirmSwitch},
		{"POST /console/tenants/{id}/switch-sso", tenantsWrite, d.switchSSO},
		{"GET /console/tenants/{id}/settings", usersWrite, d.tenantSettings},
		{"POST /console/tenants/{id}/settings/dormant", usersWrite, d.setDormant},
		{"GET /console/tenants/{id}/owner", tenantsWrite, d.ownerForm},
		{"POST /console/tenants/{id}/owner", tenantsWrite, d.setOwner},
	}
}

type tenantsBody struct {
	Form    form
	Tenants []identity.Tenant
	Pager   pager
	Search  string
}

// tenants lists the customer organisations, with a form for a new one.
func (d *Door) tenants(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.tenantList(w, r, v, blank())
}

func (d *Door) tenantList(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	q := keyset(r)
	q.Search = search(r)
	found, err := d.prov.Tenants(r.Context(), v.Actor, q)
	if err != nil {
		return err
	}
	body := tenantsBody{Form: f, Search: q.Search, Pager: turn(r, q, &found, func(t identity.Tenant) string { return string(t.ID) })}
	body.Tenants = found.Items
	s := screen{Title: "Tenants", Nav: "tenants", Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "tenants", s)
}

func (d *Door) createTenant(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "name")
	if err != nil {
		return err
	}
	t, err := d.prov.CreateTenant(r.Context(), v.Actor, f.Value("name"))
	switch {
	case err == nil:
		http.Redirect(w, r, tenantURL(t.ID)+"?done=tenant-created", http.StatusSeeOther)
		return nil
	case f.refused(err):
		return d.tenantList(w, r, v, f)
	}
	return err
}
