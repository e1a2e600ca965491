package console

import (
	"context"
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

// tenantURL is a tenant's page.
func tenantURL(id identity.TenantID) string { return "/console/tenants/" + string(id) }

// fewRows is how many connections and directories a tenant's page names; the others are in their lists.
const fewRows = 10

type tenantBody struct {
	Form        form
	Tenant      identity.Tenant
	People      int64
	Owned       bool // tenants have owners here
	Owner       identity.User
	Domains     []identity.Domain
	Emergency   []identity.User
	Connections []identity.Connection
	Directories []identity.Directory
	Settings    settingsView
	Units       string // what its business units are called; empty: the access model has none
	Platform    bool   // the visitor runs the installation
	Security    string // where its sessions and its second factor are changed
	Mails       string // and the words of its mails
}

// tenant is one organisation: whose it is, where its people come from, how they sign in, and what it asks of them.
func (d *Door) tenant(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.tenantPage(w, r, v, blank())
}

func (d *Door) tenantPage(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	t, err := d.pathTenant(r, v)
	if err != nil {
		return err
	}
	body := tenantBody{Form: f, Tenant: t, Platform: v.Can(tenantsWrite), Security: settingsURL("", v, t.ID, ""), Mails: settingsURL("/mail", v, t.ID, "")}
	for _, fill := range []func(context.Context, visit, *tenantBody) error{d.tenantPeople, d.tenantSignIn, d.tenantSources} {
		if err := fill(r.Context(), v, &body); err != nil {
			return err
		}
	}
	s := screen{Title: t.Name, Nav: tenantNav(v), Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "tenant", s)
}

// tenantNav is the entry of the menu to which a tenant's pages belong.
func tenantNav(v visit) string {
	if v.Actor.TenantID == "" {
		return "tenants"
	}
	return "organisation"
}

func (d *Door) pathTenant(r *http.Request, v visit) (identity.Tenant, error) {
	id, err := pathID[identity.TenantID](r, "id")
	if err != nil {
		return identity.Tenant{}, err
	}
	return d.prov.Tenant(r.Context(), v.Actor, id)
}

// tenantPeople fills who is there and whose it is.
func (d *Door) tenantPeople(ctx context.Context, v visit, b *tenantBody) error {
	if rule, ok := d.prov.Model().Units(); ok {
		b.Units = unitsTitle(rule.Label)
	}
	people, err := d.prov.Users(ctx, v.Actor, identity.Query{Tenant: b.Tenant.ID, Total: true})
	if err != nil {
		return err
	}
	b.People = people.Total
	if _, b.Owned = d.prov.Model().Owner(); !b.Owned || b.Tenant.Landing {
		b.Owned = false
		return nil
	}
	b.Owner, err = d.prov.Owner(ctx, v.Actor, b.Tenant.ID)
	return err
}

// tenantSignIn fills how its people sign in.
func (d *Door) tenantSignIn(ctx context.Context, v visit, b *tenantBody) error {
	domains, err := d.prov.Domains(ctx, v.Actor, identity.Query{Tenant: b.Tenant.ID, Limit: pageSize})
	if err != nil {
		return err
	}
	b.Domains = domains.Items
	all, err := d.prov.BreakGlassUsers(ctx, v.Actor)
	if err != nil {
		return err
	}
	for _, u := range all {
		if u.TenantID == "" || u.TenantID == b.Tenant.ID {
			b.Emergency = append(b.Emergency, u)
		}
	}
	settings, err := d.authn.TenantSettings(ctx, v.Actor, b.Tenant.ID)
	b.Settings = d.viewSettings(settings)
	return err
}

// tenantSources fills where its people come from, for whoever may look after that.
func (d *Door) tenantSources(ctx context.Context, v visit, b *tenantBody) error {
	if !b.Platform {
		return nil
	}
	q := identity.Query{Tenant: b.Tenant.ID, Limit: fewRows}
	connections, err := d.prov.Connections(ctx, v.Actor, q)
	if err != nil {
		return err
	}
	directories, err := d.prov.Directories(ctx, v.Actor, q)
	b.Connections, b.Directories = connections.Items, directories.Items
	return err
}
