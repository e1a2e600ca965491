package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

type placementBody struct {
	Form    form
	Users   []waitingRow
	Pager   pager
	Search  string
	Landing identity.Tenant
	Tenants []identity.Tenant
	Roles   roleOptions
	Single  bool // there is one tenant to go to
	Reason  bool // whoever places somebody says why
}

func (d *Door) placementRoutes() []route {
	return []route{
		{"GET /console/placement", household, d.placement},
		{"POST /console/placement/preview", household, d.previewPlacement},
		{"POST /console/placement", household, d.place},
	}
}

// More reports whether there are people who wait beyond this page.
func (b placementBody) More() bool { return b.Pager.Older != "" || b.Pager.Newer != "" }

// waitingRow is somebody who waits, with the tenant where they probably belong.
type waitingRow struct {
	identity.User
	Suggested identity.Tenant
	Alike     string // the inbox with all who have the same domain, and that tenant chosen
}

// placement is the inbox of everybody whom nobody has placed yet, newest first.
func (d *Door) placement(w http.ResponseWriter, r *http.Request, v visit) error {
	home, err := d.homeOr(r.Context(), r.FormValue("tenant"))
	if err != nil {
		return err
	}
	return d.inbox(w, r, v, blank("tenant", home))
}

func (d *Door) inbox(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	q := keyset(r)
	q.Search = search(r)
	found, err := d.prov.Landed(r.Context(), v.Actor, q)
	if err != nil {
		return err
	}
	body := placementBody{Form: f, Search: q.Search, Single: d.prov.Model().Single(), Reason: d.prov.Model().ReasonRequired()}
	if body.Landing, err = d.prov.Landing(r.Context()); err != nil {
		return err
	}
	if body.Tenants, body.Roles, err = d.placementChoices(r.Context(), v, body.Landing.ID); err != nil {
		return err
	}
	body.Pager = turn(r, q, &found, func(u identity.User) string { return string(u.ID) })
	people, err := d.withChosen(r.Context(), v, f, found.Items)
	if err != nil {
		return err
	}
	if body.Users, err = d.waitingRows(r.Context(), v, people, body.Single); err != nil {
		return err
	}
	s := screen{Title: "Placement", Nav: "placement", Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "placement", s)
}

// withChosen puts those in front who were ticked and are not on this page of the inbox: from another page, or from their own.
func (d *Door) withChosen(ctx context.Context, v visit, f form, shown []identity.User) ([]identity.User, error) {
	var out []identity.User
	for i, chosen := range f.Values["user"] {
		text, _, _ := strings.Cut(chosen, ":")
		id, ok := identity.ParseID[identity.UserID](text)
		if !ok || i >= provisioning.MaxPlacement || slices.ContainsFunc(shown, func(u identity.User) bool { return u.ID == id }) {
			continue
		}
		u, err := d.prov.User(ctx, v.Actor, id)
		if identity.KindOf(err) == identity.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, u)
	}
	return append(out, shown...), nil
}

// waitingRows adds where people probably belong; where there is one tenant it goes without saying.
func (d *Door) waitingRows(ctx context.Context, v visit, people []identity.User, single bool) ([]waitingRow, error) {
	rows := make([]waitingRow, len(people))
	for i, u := range people {
		rows[i].User = u
	}
	if single || len(people) == 0 {
		return rows, nil
	}
	suggested, err := d.prov.SuggestTenants(ctx, v.Actor, people)
	for i, u := range people {
		if t, ok := suggested[u.ID]; ok {
			q := url.Values{"q": {"@" + identity.EmailDomain(identity.NameKey(u.Email()))}, "tenant": {string(t.ID)}}
			rows[i].Suggested, rows[i].Alike = t, "/console/placement?"+q.Encode()
		}
	}
	return rows, err
}

// placementChoices are the tenants and roles to place somebody into; the landing tenant is no place to go to.
func (d *Door) placementChoices(ctx context.Context, v visit, landing identity.TenantID) ([]identity.Tenant, roleOptions, error) {
	all, err := d.tenantOptions(ctx, v)
	if err != nil {
		return nil, roleOptions{}, err
	}
	tenants := make([]identity.Tenant, 0, len(all))
	for _, t := range all {
		if t.ID != landing && !t.Landing {
			tenants = append(tenants, t)
		}
	}
	roles, err := d.roleOptions(ctx, v)
	return tenants, roles, err
}

type previewBody struct {
	Form     form
	Plan     provisioning.PlacementPlan
	Ready    int
	Place    string // where to, in words
	Back     string
	TenantID string
	Single   bool
}

// previewPlacement shows what placing would do, for each person; it changes nothing.
func (d *Door) previewPlacement(w http.ResponseWriter, r *http.Request, v visit) error {
	f, p, err := readPlacement(w, r)
	if err != nil {
		return err
	}
	all := f.Value("all") != ""
	if p.Role == "" || f.Value("tenant") == "" || len(p.Users) == 0 && !all {
		f.Problem = missing(f, p)
		return d.inbox(w, r, v, f)
	}
	if all {
		return d.placeAll(w, r, v, f, p)
	}
	return d.preview(w, r, v, f, p)
}

// placeAll makes a plan to place everybody who waits and whom the search finds: it shows each of them, is carried out in the background, and can be stopped and undone.
func (d *Door) placeAll(w http.ResponseWriter, r *http.Request, v visit, f form, p provisioning.Placement) error {
	landing, err := d.prov.Landing(r.Context())
	if err != nil {
		return err
	}
	plan, err := d.prov.PlanBulk(r.Context(), v.Actor, provisioning.BulkAct{
		Act: provisioning.BulkMove, Filter: &identity.Query{Tenant: landing.ID, Search: search(r)}, Tenant: p.Tenant, Role: p.Role, Reason: p.Reason,
	})
	switch {
	case err == nil:
		http.Redirect(w, r, plansPath+string(plan.ID), http.StatusSeeOther)
		return nil
	case f.refused(err):
		return d.inbox(w, r, v, f)
	}
	return err
}

func missing(f form, p provisioning.Placement) *identity.Error {
	switch {
	case len(p.Users) == 0 && f.Value("all") == "":
		return identity.Errorf(identity.Invalid, "Nobody is chosen. Tick at least one person.")
	case f.Value("tenant") == "":
		return identity.Errorf(identity.Invalid, "Choose a tenant to place them in.").WithField("tenant")
	}
	return identity.Errorf(identity.Invalid, "Choose the role that they get.").WithField("role")
}

// readPlacement decodes who shall go where. Each person is sent as "id:version", so that a change in between is noticed.
func readPlacement(w http.ResponseWriter, r *http.Request) (form, provisioning.Placement, error) {
	f, err := readForm(w, r, "tenant", "role", "reason")
	if err != nil {
		return f, provisioning.Placement{}, err
	}
	p := provisioning.Placement{Tenant: chosenTenant(f), Role: identity.RoleID(f.Value("role")), Reason: f.Value("reason")}
	for _, s := range f.Values["user"] {
		idText, versionText, _ := strings.Cut(s, ":")
		id, ok := identity.ParseID[identity.UserID](idText)
		version, err := strconv.ParseInt(versionText, 10, 64)
		if !ok || err != nil || version < 1 {
			return f, p, identity.Errorf(identity.Invalid, "The form names a person in a way that cannot be read. Open the page again.").WithField("user")
		}
		p.Users = append(p.Users, provisioning.PlacedUser{ID: id, Version: version})
	}
	return f, p, nil
}

func (d *Door) preview(w http.ResponseWriter, r *http.Request, v visit, f form, p provisioning.Placement) error {
	problem := f.Problem
	plan, err := d.prov.PreviewPlacement(r.Context(), v.Actor, p)
	if err != nil {
		if f.refused(err) {
			return d.inbox(w, r, v, f)
		}
		return err
	}
	f.Problem = problem
	body := previewBody{Form: f, Plan: plan, Ready: len(plan.Steps) - plan.Refusals(), TenantID: f.Value("tenant"), Back: "/console/placement", Single: d.prov.Model().Single()}
	body.Place = plan.Tenant.Name
	if plan.Tenant.ID == "" {
		body.Place = "the platform, outside all tenants"
	}
	s := screen{Title: "Preview", Nav: "placement", Body: body}
	if problem != nil {
		s.Status = web.Status(problem)
	}
	return d.show(w, r, v, "placement_preview", s)
}

// place does what the preview showed, all or nothing. When somebody changed in between, nothing is done, and a preview of how it is now says so.
func (d *Door) place(w http.ResponseWriter, r *http.Request, v visit) error {
	f, p, err := readPlacement(w, r)
	if err != nil {
		return err
	}
	if p.Role == "" || f.Value("tenant") == "" || len(p.Users) == 0 { // no tenant is not the platform: that is a choice of its own
		f.Problem = missing(f, p)
		return d.inbox(w, r, v, f)
	}
	_, err = d.prov.PlaceUsers(r.Context(), v.Actor, p)
	switch {
	case err == nil:
		http.Redirect(w, r, placedAt(p), http.StatusSeeOther)
		return nil
	case !f.refused(err):
		return err
	}
	for i := range p.Users {
		p.Users[i].Version = 0
	}
	return d.preview(w, r, v, f, p)
}

// placedAt is where to go after placing: to the one person, or back to the inbox.
func placedAt(p provisioning.Placement) string {
	if len(p.Users) == 1 { // who was placed can be seen from then on
		return "/console/users/" + string(p.Users[0].ID) + "?done=placed"
	}
	return "/console/placement?done=placed"
}
