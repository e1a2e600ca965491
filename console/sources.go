package console

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

const sourcesPath = "/console/sources"

// recentPlans is how many plans the page of a source shows; the rest is one click away in the list.
const recentPlans = 10

func (d *Door) sourceRoutes() []route {
	return []route{
		{"GET /console/sources", usersWrite, d.sources},
		{"GET /console/sources/{name}", usersWrite, d.source},
		{"GET /console/sources/{name}/settings", usersWrite, d.sourceSettings},
		{"POST /console/sources/{name}/settings", usersWrite, d.putSource},
		{"POST /console/sources/{name}/drift", usersWrite, d.sourceDrift},
		{"GET /console/sources/{name}/forget", usersWrite, d.confirmForget},
		{"POST /console/sources/{name}/forget", usersWrite, d.forgetSource},
	}
}

// sourceURL is the page of a source. Names are the tenant's own, so the tenant stands in the address where there are several.
func sourceURL(s identity.Source, page string) string {
	at := sourcesPath + "/" + url.PathEscape(s.Name) + page
	if s.TenantID != "" {
		at += "?tenant=" + string(s.TenantID)
	}
	return at
}

type sourceRow struct {
	identity.Source
	Tenant string
	Says   []string // what holds for it, in words
	URL    string
}

type sourcesBody struct {
	Form    form
	Sources []sourceRow
	Tenants []identity.Tenant
	Several bool // tenants
	More    string
}

// sources lists where people come from by file or from an HR system. A name in the address that is none of theirs begins a new one.
func (d *Door) sources(w http.ResponseWriter, r *http.Request, v visit) error {
	if name := strings.TrimSpace(oneLine(r.FormValue("name"))); name != "" {
		http.Redirect(w, r, sourceURL(identity.Source{Name: name, TenantID: identity.TenantID(oneLine(r.FormValue("tenant")))}, "/settings"), http.StatusSeeOther)
		return nil
	}
	page, err := d.prov.Sources(r.Context(), v.Actor, identity.Query{Limit: pageSize, After: oneLine(r.FormValue("after"))})
	if err != nil {
		return err
	}
	b := sourcesBody{Form: blank()}
	if b.Tenants, err = d.tenantOptions(r.Context(), v); err != nil {
		return err
	}
	names := map[identity.TenantID]string{}
	for _, t := range b.Tenants {
		names[t.ID] = t.Name
	}
	b.Several = len(b.Tenants) > 0 && !d.prov.Model().Single()
	for _, s := range page.Items {
		b.Sources = append(b.Sources, sourceRow{Source: s, Tenant: names[s.TenantID], Says: sourceSays(s.Settings), URL: sourceURL(s, "")})
	}
	if page.More {
		b.More = sourcesPath + "?after=" + url.QueryEscape(page.Items[len(page.Items)-1].Name)
	}
	return d.show(w, r, v, "sources", screen{Title: "Sources", Nav: "sources", Body: b})
}

// sourceSays says in a few words what holds for a source.
func sourceSays(s identity.SourceSettings) []string {
	var out []string
	add := func(yes bool, text string) {
		if yes {
			out = append(out, text)
		}
	}
	add(len(s.Mapping) > 0, count(len(s.Mapping), "column known", "columns known"))
	add(s.Missing, "whole lists")
	add(s.AutoApply, "applied by itself")
	add(len(s.Rules) > 0, count(len(s.Rules), "rule", "rules"))
	add(len(s.Fields) > 0, count(len(s.Fields), "field with a policy", "fields with a policy"))
	add(s.Guards != identity.Guards{}, "guards of its own")
	return out
}

// pathSource returns the source of an address; one that is not there yet is new.
func (d *Door) pathSource(ctx context.Context, r *http.Request, v visit) (s identity.Source, there bool, err error) {
	tenant, _ := identity.ParseID[identity.TenantID](r.URL.Query().Get("tenant"))
	name := strings.TrimSpace(oneLine(r.PathValue("name")))
	s, err = d.prov.Source(ctx, v.Actor, tenant, name)
	if identity.KindOf(err) == identity.NotFound {
		if v.Actor.TenantID != "" {
			tenant = v.Actor.TenantID
		}
		return identity.Source{TenantID: tenant, Name: name}, false, nil
	}
	return s, err == nil, err
}

type sourceBody struct {
	Source   identity.Source
	There    bool
	Tenant   string
	Says     []string
	URL      func(string) string
	Plans    []identity.Plan
	More     bool
	Guards   []guardField
	RoleName string
}

// source is one source: what holds for it, and what it sent lately.
func (d *Door) source(w http.ResponseWriter, r *http.Request, v visit) error {
	s, there, err := d.pathSource(r.Context(), r, v)
	if err != nil {
		return err
	}
	plans, err := d.prov.PlansWhere(r.Context(), v.Actor, provisioning.PlanQuery{Source: s.Name, Query: identity.Query{Limit: recentPlans, Tenant: s.TenantID}})
	if err != nil {
		return err
	}
	if !there && len(plans.Items) == 0 {
		return identity.Errorf(identity.NotFound, "There is no source %q.", s.Name)
	}
	b := sourceBody{Source: s, There: there, Says: sourceSays(s.Settings), Plans: plans.Items, More: plans.More, Guards: guardFields(s.Settings.Guards)}
	b.URL = func(page string) string { return sourceURL(s, page) }
	if role, ok := d.prov.Model().Role(s.Settings.Role); ok {
		b.RoleName = role.Title
	}
	if b.Tenant, err = d.tenantName(r, v, s.TenantID); err != nil {
		return err
	}
	return d.show(w, r, v, "source", screen{Title: s.Name, Nav: "sources", Body: b})
}

func askForget(s identity.Source) confirmBody {
	return confirmBody{
		Title: "Forget what holds for " + s.Name + "?", Button: "Forget it", Danger: true, Reason: true, Action: sourceURL(s, "/forget"), Back: sourceURL(s, ""),
		Facts: []string{"Columns, guards, rules and field policies of the source are deleted. Its next file is read as that of a new one.", "Its plans stay, and so do the people and what is known of where they come from."},
	}
}

func (d *Door) confirmForget(w http.ResponseWriter, r *http.Request, v visit) error {
	s, there, err := d.pathSource(r.Context(), r, v)
	if err == nil && !there {
		err = identity.Errorf(identity.NotFound, "Nothing is kept about this source.")
	}
	if err != nil {
		return err
	}
	return d.confirm(w, r, v, "sources", askForget(s))
}

func (d *Door) forgetSource(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "reason")
	if err != nil {
		return err
	}
	s, _, err := d.pathSource(r.Context(), r, v)
	if err != nil {
		return err
	}
	err = d.prov.DeleteSource(r.Context(), v.Actor, s.TenantID, s.Name, f.Value("reason"))
	if err == nil {
		http.Redirect(w, r, sourcesPath+"?done=source-forgotten", http.StatusSeeOther)
		return nil
	}
	if !f.refused(err) {
		return err
	}
	body := askForget(s)
	body.Form = f
	return d.confirm(w, r, v, "sources", body)
}

// sourceDrift makes a plan of what the source said last and is not so any more; nobody is changed by it, and it is held. Where all is as the source said, the page says that.
func (d *Door) sourceDrift(w http.ResponseWriter, r *http.Request, v visit) error {
	s, _, err := d.pathSource(r.Context(), r, v)
	if err != nil {
		return err
	}
	report, err := d.prov.SourceDrift(r.Context(), v.Actor, provisioning.DriftQuery{Tenant: s.TenantID, Source: s.Name, Keep: true})
	if err != nil {
		return err
	}
	to := withDone(sourceURL(s, ""), "no-drift")
	if report.Plan.ID != "" {
		to = plansPath + string(report.Plan.ID)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}
