package console

import (
	"net/http"
	"strconv"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

type setupLinkRow struct {
	identity.SetupLink
	Tenant string
	State  identity.SetupState
	Made   bool // the connection is there
}

type setupLinksBody struct {
	Links []setupLinkRow
	Pager pager
}

// setupLinks lists the links with which customers set up their own connections, newest first.
func (d *Door) setupLinks(w http.ResponseWriter, r *http.Request, v visit) error {
	q := keyset(r)
	found, err := d.prov.SetupLinks(r.Context(), v.Actor, q)
	if err != nil {
		return err
	}
	names, err := d.tenantNames(r.Context(), v)
	if err != nil {
		return err
	}
	_, made, err := d.connectionNames(r.Context(), v)
	if err != nil {
		return err
	}
	body := setupLinksBody{Pager: turn(r, q, &found, func(l identity.SetupLink) string { return string(l.ID) })}
	for _, l := range found.Items {
		_, exists := made[l.ConnectionID]
		body.Links = append(body.Links, setupLinkRow{l, names[l.TenantID], l.State(time.Now()), exists})
	}
	return d.show(w, r, v, "setup_links", screen{Title: "Setup links", Nav: "connections", Body: body})
}

type setupLinkBody struct {
	Form    form
	Tenants []identity.Tenant
	Link    identity.SetupLink
	Address string // of the link, which is shown once
	Tenant  string
}

func (d *Door) newSetupLink(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.setupLinkForm(w, r, v, blank("tenant", r.FormValue("tenant"), "days", "7"))
}

func (d *Door) setupLinkForm(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	tenants, err := d.tenantOptions(r.Context(), v)
	if err != nil {
		return err
	}
	s := screen{Title: "New setup link", Nav: "connections", Body: setupLinkBody{Form: f, Tenants: tenants}}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "setup_link_new", s)
}

// createSetupLink makes a link and answers with the page that shows it for the only time.
func (d *Door) createSetupLink(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "name", "tenant", "domains", "kind", "expires")
	if err != nil {
		return err
	}
	age, _ := strconv.ParseFloat(f.Value("days"), 64) // what is no number is too short
	l, token, err := d.prov.CreateSetupLink(r.Context(), v.Actor, identity.SetupLink{
		TenantID: identity.TenantID(f.Value("tenant")), Name: f.Value("name"), Kind: identity.ConnectionKind(f.Value("kind")), Domains: words(f.Value("domains")), SwitchOn: f.Has("switchon", "1"),
	}, time.Duration(age*float64(24*time.Hour)))
	switch {
	case err == nil:
		names, err := d.tenantNames(r.Context(), v)
		if err != nil {
			return err
		}
		body := setupLinkBody{Link: l, Address: d.url + "/setup/" + token, Tenant: names[l.TenantID]}
		return d.show(w, r, v, "setup_link", screen{Title: "Setup link for " + body.Tenant, Nav: "connections", Body: body})
	case f.refused(err):
		return d.setupLinkForm(w, r, v, f)
	}
	return err
}

func (d *Door) confirmRevokeSetupLink(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.SetupLinkID](r, "id")
	if err != nil {
		return err
	}
	l, err := d.prov.SetupLink(r.Context(), v.Actor, id)
	if err != nil {
		return err
	}
	return d.confirm(w, r, v, "connections", confirmBody{
		Title: "Revoke the setup link for " + l.Name + "?", Button: "Revoke the link", Danger: true, Action: "/console/setup-links/" + string(id) + "/revoke", Back: "/console/setup-links",
		Facts: []string{"Whoever has it sees the same page as with a wrong address, from this moment on.", "A connection that was begun with it stays, as it is."},
	})
}

func (d *Door) revokeSetupLink(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.SetupLinkID](r, "id")
	if err != nil {
		return err
	}
	if err := d.prov.RevokeSetupLink(r.Context(), v.Actor, id); err != nil {
		return err
	}
	http.Redirect(w, r, "/console/setup-links?done=setup-link-revoked", http.StatusSeeOther)
	return nil
}
