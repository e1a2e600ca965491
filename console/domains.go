package console

import (
	"context"
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

type domainsBody struct {
	Form     form
	Domains  []identity.Domain
	Pager    pager
	Search   string
	Tenants  []identity.Tenant // to choose from; empty for somebody of a tenant
	Own      identity.Tenant   // of somebody of a tenant
	Platform bool
}

// domains lists the domains that tenants claim, with the record that each needs.
func (d *Door) domains(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.domainList(w, r, v, blank())
}

func (d *Door) domainList(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	q := keyset(r)
	q.Search = search(r)
	found, err := d.prov.Domains(r.Context(), v.Actor, q)
	if err != nil {
		return err
	}
	body := domainsBody{Form: f, Search: q.Search, Platform: v.User.TenantID == ""}
	body.Pager = turn(r, q, &found, func(one identity.Domain) string { return string(one.ID) })
	body.Domains = found.Items
	if body.Platform {
		body.Tenants, err = d.tenantOptions(r.Context(), v)
	} else {
		body.Own, err = d.prov.Tenant(r.Context(), v.Actor, v.User.TenantID)
	}
	if err != nil {
		return err
	}
	s := screen{Title: "Domains", Nav: "domains", Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "domains", s)
}

// addDomain claims a domain, or gives it at once when a Super Admin says why.
func (d *Door) addDomain(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "domain", "tenant", "reason")
	if err != nil {
		return err
	}
	tenant := identity.TenantID(f.Value("tenant"))
	if v.User.TenantID != "" {
		tenant = v.User.TenantID
	}
	to := "domain-added"
	if f.Value("without") == "1" {
		to = "domain-given"
		_, err = d.prov.OverrideDomain(r.Context(), v.Actor, tenant, f.Value("domain"), f.Value("reason"))
	} else {
		_, err = d.prov.AddDomain(r.Context(), v.Actor, tenant, f.Value("domain"))
	}
	switch {
	case err == nil:
		http.Redirect(w, r, "/console/domains?done="+to, http.StatusSeeOther)
		return nil
	case f.refused(err):
		return d.domainList(w, r, v, f)
	}
	return err
}

// verifyDomain looks for the record now.
func (d *Door) verifyDomain(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.DomainID](r, "id")
	if err != nil {
		return err
	}
	f := blank()
	_, err = d.prov.VerifyDomain(r.Context(), v.Actor, id)
	switch {
	case err == nil:
		http.Redirect(w, r, "/console/domains?done=domain-verified", http.StatusSeeOther)
		return nil
	case identity.KindOf(err) != identity.NotFound && f.refused(err):
		f.Problem.Field = "" // about the list, not about what is typed above it
		return d.domainList(w, r, v, f)
	}
	return err
}

func (d *Door) pathDomain(r *http.Request, v visit) (identity.Domain, error) {
	id, err := pathID[identity.DomainID](r, "id")
	if err != nil {
		return identity.Domain{}, err
	}
	return d.prov.Domain(r.Context(), v.Actor, id)
}

func removal(one identity.Domain) confirmBody {
	return confirmBody{
		Title: "Remove " + one.Domain + "?", Button: "Remove " + one.Domain, Danger: true, Action: "/console/domains/" + string(one.ID) + "/remove", Back: "/console/domains",
		Facts: []string{
			"No connection of " + owner(one) + " may be trusted for it any more. While one is, it cannot be removed.",
			"Somebody else may claim it then. Whoever claims it anew gets another DNS record to set.",
		},
	}
}

func owner(one identity.Domain) string {
	if one.TenantID == "" {
		return "the installation"
	}
	return one.TenantName
}

func (d *Door) confirmRemoveDomain(w http.ResponseWriter, r *http.Request, v visit) error {
	one, err := d.pathDomain(r, v)
	if err != nil {
		return err
	}
	return d.confirm(w, r, v, "domains", removal(one))
}

func (d *Door) removeDomain(w http.ResponseWriter, r *http.Request, v visit) error {
	one, err := d.pathDomain(r, v)
	if err != nil {
		return err
	}
	f := blank()
	err = d.prov.RemoveDomain(r.Context(), v.Actor, one.ID)
	switch {
	case err == nil:
		http.Redirect(w, r, "/console/domains?done=domain-removed", http.StatusSeeOther)
		return nil
	case f.refused(err):
		f.Problem.Field = ""
		body := removal(one)
		body.Form = f
		return d.confirm(w, r, v, "domains", body)
	}
	return err
}

type tenantBody struct {
	Tenant    identity.Tenant
	Domains   []string
	Emergency []identity.User
	Problem   *identity.Error
	Form      form
}

// tenant is how one tenant's people sign in: its domains, whether its provider is required, and who may come in without it.
func (d *Door) tenant(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.tenantPage(w, r, v, blank())
}

func (d *Door) tenantPage(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	id, err := pathID[identity.TenantID](r, "id")
	if err != nil {
		return err
	}
	body, err := d.tenantFacts(r.Context(), v, id)
	if err != nil {
		return err
	}
	body.Form = f
	s := screen{Title: body.Tenant.Name, Nav: map[bool]string{true: "tenants", false: "domains"}[v.User.TenantID == ""], Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "tenant", s)
}

func (d *Door) tenantFacts(ctx context.Context, v visit, id identity.TenantID) (tenantBody, error) {
	var body tenantBody
	var err error
	if body.Tenant, err = d.prov.Tenant(ctx, v.Actor, id); err != nil {
		return body, err
	}
	if body.Domains, err = d.prov.VerifiedDomains(ctx, v.Actor, id); err != nil {
		return body, err
	}
	all, err := d.prov.BreakGlassUsers(ctx, v.Actor)
	for _, u := range all {
		if u.TenantID == "" || u.TenantID == id {
			body.Emergency = append(body.Emergency, u)
		}
	}
	return body, err
}

func requirement(t identity.Tenant) confirmBody {
	at := "/console/tenants/" + string(t.ID)
	return confirmBody{
		Title: "Require the identity provider for " + t.Name + "?", Button: "Require it", Danger: true, Action: at + "/require-sso", Back: at,
		Facts: []string{
			"The people of " + t.Name + " come in through its identity provider only. Passwords, new passwords and invitations are refused.",
			"Their sessions that began with a password end at once; yours too, if it did.",
			"Accounts for emergencies may still use their password and second factor.",
		},
	}
}

func (d *Door) confirmRequire(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.TenantID](r, "id")
	if err != nil {
		return err
	}
	t, err := d.prov.Tenant(r.Context(), v.Actor, id)
	if err != nil {
		return err
	}
	return d.confirm(w, r, v, "tenants", requirement(t))
}

func (d *Door) requireSSO(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.setRequired(w, r, v, true, "sso-required")
}

func (d *Door) unrequireSSO(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.setRequired(w, r, v, false, "sso-optional")
}

func (d *Door) setRequired(w http.ResponseWriter, r *http.Request, v visit, on bool, done string) error {
	id, err := pathID[identity.TenantID](r, "id")
	if err != nil {
		return err
	}
	f := blank()
	_, err = d.prov.RequireSSO(r.Context(), v.Actor, id, on)
	switch {
	case err == nil:
		http.Redirect(w, r, "/console/tenants/"+string(id)+"?done="+done, http.StatusSeeOther)
		return nil
	case identity.KindOf(err) != identity.NotFound && f.refused(err):
		f.Problem.Field = ""
		return d.tenantPage(w, r, v, f)
	}
	return err
}
