package console

import (
	"net/http"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

func (d *Door) accessRoutes() []route {
	return []route{
		{"GET /console/access", usersRead, d.access},
		{"GET /console/access/dormant", usersRead, d.dormant},
		{"POST /console/access/dormant/preview", usersWrite, d.previewDormant},
		{"POST /console/access/dormant", usersWrite, d.deactivateDormant},
		{"GET /console/access-reviews", usersRead, d.accessReviews},
		{"GET /console/access-reviews/new", usersWrite, d.newAccessReview},
		{"POST /console/access-reviews", usersWrite, d.startAccessReview},
		{"GET /console/access-reviews/{id}", usersRead, d.accessReview},
		{"POST /console/access-reviews/{id}/decide", usersWrite, d.decideAccess},
		{"GET /console/access-reviews/{id}/close", usersWrite, d.confirmCloseAccess},
		{"POST /console/access-reviews/{id}/close", usersWrite, d.closeAccess},
		{"POST /console/access-reviews/{id}/evidence", usersRead, d.accessEvidence},
	}
}

type accessBody struct {
	Rows      []accessRow
	Pager     pager
	Query     provisioning.AccessQuery
	Resource  string // the title of the one that is asked for
	Roles     []identity.Role
	Resources []grantResource
	Tenants   []identity.Tenant
	Sensitive []provisioning.SensitiveUse
	Filtered  bool
	Export    string
	Places    bool   // people are in several tenants
	Levels    bool   // there are data levels
	Flag      string // what the admin flag is called
}

// accessRow is one path by which somebody may do something; the first of a person names the person.
type accessRow struct {
	User   identity.User
	First  bool
	Path   provisioning.AccessPath
	Grants []accessGrant
	None   bool // a person without any path
}

// accessGrant is what somebody may do alike with some resources.
type accessGrant struct {
	Word, DataLevel string
	Resources       []grantResource
}

// access shows who may do what, how far, and by which path.
func (d *Door) access(w http.ResponseWriter, r *http.Request, v visit) error {
	q := d.accessQuery(r)
	found, err := d.prov.AccessReport(r.Context(), v.Actor, q)
	if err != nil {
		return err
	}
	m := d.prov.Model()
	levels, _, _ := m.DataLevels()
	flag, _ := m.AdminFlag()
	b := accessBody{
		Query: q, Pager: onward(r, found, holderID), Roles: m.Roles(), Places: !m.Single(), Levels: len(levels) > 0, Flag: flag,
		Filtered: q.Role != "" || q.Resource != "" || q.Search != "" || q.Tenant != "" || q.Sensitive, Export: exportURL(exportAccess, r),
	}
	b.Pager.Lines = true
	for _, x := range d.grantResources() {
		if x.ID == q.Resource {
			b.Resource = x.Title
		}
		if !x.Self {
			b.Resources = append(b.Resources, x)
		}
	}
	for _, h := range found.Items {
		b.Rows = append(b.Rows, d.accessRows(h)...)
	}
	if b.Tenants, err = d.tenantOptions(r.Context(), v); err != nil {
		return err
	}
	if q.Sensitive && q.After == "" {
		if b.Sensitive, err = d.prov.SensitiveUse(r.Context(), v.Actor); err != nil {
			return err
		}
	}
	return d.show(w, r, v, "access", screen{Title: "Access report", Nav: "access", Body: b})
}

// accessQuery reads the filters of the address; what is none narrows nothing.
func (d *Door) accessQuery(r *http.Request) provisioning.AccessQuery {
	m := d.prov.Model()
	q := provisioning.AccessQuery{Search: search(r), Sensitive: r.FormValue("sensitive") == "yes", After: afterID(r), Limit: pageSize}
	q.Tenant, _ = identity.ParseID[identity.TenantID](r.FormValue("tenant"))
	if role, ok := m.Role(identity.RoleID(r.FormValue("role"))); ok {
		q.Role = role.ID
	}
	if id := r.FormValue("resource"); slices.ContainsFunc(d.grantResources(), func(x grantResource) bool { return x.ID == id }) {
		q.Resource = id
	}
	return q
}

func (d *Door) accessRows(h provisioning.AccessHolder) []accessRow {
	var out []accessRow
	for i, p := range h.Paths {
		row := accessRow{User: h.User, First: i == 0, Path: p}
		for _, g := range p.Grants {
			row.add(accessGrant{d.levelWord(g.Resource.ID, g.Actions), g.DataLevel, []grantResource{{ID: g.Resource.ID, Title: g.Resource.Title, Sensitive: g.Resource.Sensitive}}})
		}
		out = append(out, row)
	}
	if len(out) == 0 {
		out = append(out, accessRow{User: h.User, First: true, None: true})
	}
	return out
}

// add puts a grant beside those that go as far.
func (r *accessRow) add(g accessGrant) {
	for i := range r.Grants {
		if r.Grants[i].Word == g.Word && r.Grants[i].DataLevel == g.DataLevel {
			r.Grants[i].Resources = append(r.Grants[i].Resources, g.Resources...)
			return
		}
	}
	r.Grants = append(r.Grants, g)
}

// levelWord is the model's word for some actions of a resource, else the actions. One action alone is not called all.
func (d *Door) levelWord(resource string, actions []string) string {
	for _, l := range d.prov.Model().Levels(resource) {
		if slices.Equal(l.Actions, actions) && (len(actions) > 1 || l.Name != "all") {
			return l.Name
		}
	}
	return strings.Join(actions, ", ")
}

// refusal is why something could not be done, in words for people.
func refusal(err error) string {
	var f form
	if f.refused(err) {
		return f.Problem.Message
	}
	return "It could not be done."
}
