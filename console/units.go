package console

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

const unitsPath = "/console/units"

func (d *Door) unitRoutes() []route {
	return []route{
		{"GET /console/units", usersRead, d.units},
		{"POST /console/units", usersWrite, d.createUnit},
		{"GET /console/units/{id}", usersRead, d.unit},
		{"POST /console/units/{id}/name", usersWrite, d.renameUnit},
		{"POST /console/units/{id}/move", usersWrite, d.moveUnit},
		{"GET /console/units/{id}/delete", usersWrite, d.confirmDeleteUnit},
		{"POST /console/units/{id}/delete", usersWrite, d.deleteUnit},
	}
}

// unitsTitle is what business units are called together: Branches, Business Units.
func unitsTitle(label string) string {
	for _, end := range []string{"s", "x", "ch", "sh"} {
		if strings.HasSuffix(label, end) {
			return label + "es"
		}
	}
	if stem, ok := strings.CutSuffix(label, "y"); ok {
		return stem + "ies"
	}
	return label + "s"
}

// unitRow is a line of the tree.
type unitRow struct {
	provisioning.UnitNode
	URL  string
	Path string // with the names of what is above it
}

// Team reports whether the line is a team.
func (u unitRow) Team() bool { return u.Kind == identity.KindTeam }

// Indent is how far the line stands to the right; deeper than eight is as deep as eight.
func (u unitRow) Indent() int { return min(u.Depth, 8) }

type unitsBody struct {
	Form   form
	Label  string // what one is called: Branch
	Title  string // what they are called: Branches
	Teams  bool   // units have teams
	Units  []unitRow
	Tenant identity.TenantID // that a platform's visitor asked for
	Write  bool
}

// Homes are the units below which something can be.
func (b unitsBody) Homes() []unitRow {
	var out []unitRow
	for _, u := range b.Units {
		if !u.Team() {
			out = append(out, u)
		}
	}
	return out
}

// tree reads the units of the visitor's tenant, or of the one that the address names.
func (d *Door) tree(r *http.Request, v visit) (unitsBody, error) {
	rule, _ := d.prov.Model().Units()
	b := unitsBody{Label: rule.Label, Title: unitsTitle(rule.Label), Teams: rule.Teams, Write: v.Can(usersWrite)}
	b.Tenant, _ = identity.ParseID[identity.TenantID](r.URL.Query().Get("tenant"))
	nodes, err := d.prov.Units(r.Context(), v.Actor, b.Tenant)
	paths := map[identity.UnitID]string{}
	for _, n := range nodes {
		row := unitRow{UnitNode: n, URL: b.at(unitsPath + "/" + string(n.ID)), Path: n.Name}
		if above := paths[n.ParentID]; above != "" {
			row.Path = above + " / " + n.Name
		}
		paths[n.ID] = row.Path
		b.Units = append(b.Units, row)
	}
	return b, err
}

// at is an address that stays in the tenant.
func (b unitsBody) at(path string) string {
	if b.Tenant == "" {
		return path
	}
	return path + "?" + url.Values{"tenant": {string(b.Tenant)}}.Encode()
}

// Create is where the form of a new unit goes.
func (b unitsBody) Create() string { return b.at(unitsPath) }

func (d *Door) units(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.unitList(w, r, v, blank("below", r.FormValue("below")))
}

func (d *Door) unitList(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	b, err := d.tree(r, v)
	if err != nil {
		return err
	}
	b.Form = f
	s := screen{Title: b.Title, Nav: "units", Body: b}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "units", s)
}

func (d *Door) createUnit(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "name", "kind", "below")
	if err != nil {
		return err
	}
	tenant, _ := identity.ParseID[identity.TenantID](r.URL.Query().Get("tenant"))
	u, err := d.prov.CreateUnit(r.Context(), v.Actor, identity.Unit{
		TenantID: tenant, Name: f.Value("name"), Kind: identity.UnitKind(f.Value("kind")), ParentID: identity.UnitID(f.Value("below")),
	})
	switch {
	case err == nil:
		http.Redirect(w, r, unitsBody{Tenant: tenant}.done("unit-created", u.ID), http.StatusSeeOther)
		return nil
	case f.refused(err):
		parentField(&f)
		return d.unitList(w, r, v, f)
	}
	return err
}

// parentField shows what is wrong with a unit's parent at the select, which is called below.
func parentField(f *form) {
	if f.Problem.Field == "parent" {
		f.Problem.Field = "below"
	}
}

// done is the tree after something was done, at the unit that it was done to.
func (b unitsBody) done(key string, id identity.UnitID) string {
	q := url.Values{"done": {key}}
	if b.Tenant != "" {
		q.Set("tenant", string(b.Tenant))
	}
	return unitsPath + "?" + q.Encode() + "#" + string(id)
}
