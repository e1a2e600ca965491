package console

import (
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

func (d *Door) domainRoutes() []route {
	return []route{
		{"GET /console/domains", usersWrite, d.domains},
		{"POST /console/domains", usersWrite, d.addDomain},
		{"POST /console/domains/{id}/verify", usersWrite, d.verifyDomain},
		{"GET /console/domains/{id}/remove", usersWrite, d.confirmRemoveDomain},
		{"POST /console/domains/{id}/remove", usersWrite, d.removeDomain},
	}
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
