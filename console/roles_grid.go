package console

import (
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// grantResource is one row of the catalogue: something that roles grant.
type grantResource struct {
	ID, Title string
	Group     string // the heading above it: rows keep the catalogue's order
	Sensitive bool
	Gate      bool // without it a role grants nothing
	Scoped    bool // roles carry a data level for it
	Platform  bool
	Self      bool
	Record    string // what a person must be tied to; empty: nothing
	Actions   []string
}

// The headings of the catalogue's rows. Each stands once, where its first row is.
const (
	groupEntry = "The way in"
	groupHere  = "In Drawbridge"
	groupApp   = "In the application"
)

// grantResources returns the catalogue in its order.
func (d *Door) grantResources() []grantResource {
	m := d.prov.Model()
	_, where, _ := m.DataLevels()
	records := map[string]string{}
	for _, l := range m.LinkTypes() {
		records[l.Type] = l.Title
	}
	var out []grantResource
	for _, r := range m.Catalogue() {
		x := grantResource{
			ID: r.ID, Title: r.Title, Group: groupApp, Sensitive: r.Sensitive, Gate: r.Gate, Scoped: r.Scoped && where == "grant", Platform: r.Platform, Self: r.Self,
			Record: records[r.RequiresLink], Actions: r.Actions,
		}
		switch {
		case r.Gate:
			x.Group = groupEntry
		case r.Owner == "drawbridge":
			x.Group = groupHere
		}
		out = append(out, x)
	}
	return out
}

// grantGrid is a table of what a role grants: a row for each resource, a column for each action.
type grantGrid struct {
	Actions []string // the columns
	Groups  []grantGroup
	Levels  []string // the data levels that a role may carry, where it does; none: no column
	Default string   // the data level of a grant without one
	Other   string   // the title of what it is compared with; empty: nothing
	Span    int      // columns of the table
}

type grantGroup struct {
	Title string
	Rows  []grantRow
}

type grantRow struct {
	grantResource
	Granted   []string
	Cells     []grantCell
	Choices   []grantChoice // the named levels of the row
	Word      string        // the model's word for what is granted
	Tone      string        // "all", "some" or "none"
	DataLevel string
	More      []string // what is granted and not by the other
	Less      []string // what the other grants and this does not
	Refused   string
}

// grantCell is one action of one resource.
type grantCell struct {
	Action  string
	Offered bool // the resource has the action
	Ticked  bool
}

// grantChoice is a named level.
type grantChoice struct {
	Name    string
	Actions string // joined by spaces, for scripts
	Now     bool   // it is what is granted
}

// grants is what a role gives, however it came to be known: kept or typed.
type grants struct {
	Scope  identity.RoleScope
	By     map[string][]string // resource -> actions
	Levels map[string]string
	All    bool // everything, whatever the catalogue has
}

func (d *Door) grantsOf(x identity.RoleDefinition) grants {
	return grants{x.Scope, x.Grants, x.Levels, d.prov.Model().Unlimited(x.ID)}
}

// of returns the actions of a resource that are granted, in the catalogue's order.
func (g grants) of(r grantResource) []string {
	if g.All {
		return r.Actions
	}
	var out []string
	for _, action := range r.Actions {
		if slices.Contains(g.By[r.ID], action) {
			out = append(out, action)
		}
	}
	return out
}

// grid makes the table of what a role grants, compared with another's where there is one.
func (d *Door) grid(g grants, other *grants, otherTitle string) grantGrid {
	m := d.prov.Model()
	var out grantGrid
	if levels, where, def := m.DataLevels(); where == "grant" {
		out.Levels, out.Default = levels, def
	}
	var rows []grantRow
	for _, r := range d.grantResources() {
		if r.Self || r.Platform && g.Scope != identity.ScopePlatform {
			continue
		}
		for _, action := range r.Actions {
			if !slices.Contains(out.Actions, action) {
				out.Actions = append(out.Actions, action)
			}
		}
		rows = append(rows, d.grantRow(r, g, other))
	}
	out.Span = len(out.Actions) + 2
	if out.Levels != nil {
		out.Span++
	}
	if other != nil {
		out.Other = otherTitle
		out.Span++
	}
	for _, row := range rows {
		for _, action := range out.Actions {
			row.Cells = append(row.Cells, grantCell{action, slices.Contains(row.Actions, action), slices.Contains(row.Granted, action)})
		}
		at := slices.IndexFunc(out.Groups, func(g grantGroup) bool { return g.Title == row.Group })
		if at < 0 {
			at, out.Groups = len(out.Groups), append(out.Groups, grantGroup{Title: row.Group})
		}
		out.Groups[at].Rows = append(out.Groups[at].Rows, row)
	}
	return out
}

func (d *Door) grantRow(r grantResource, g grants, other *grants) grantRow {
	row := grantRow{grantResource: r, Granted: g.of(r), DataLevel: g.Levels[r.ID], Tone: "some"}
	row.Word = strings.Join(row.Granted, ", ")
	for i, l := range d.prov.Model().Levels(r.ID) {
		now := slices.Equal(l.Actions, row.Granted)
		if now {
			row.Word = l.Name
		}
		if now && i == 0 {
			row.Tone = "all"
		}
		row.Choices = append(row.Choices, grantChoice{l.Name, strings.Join(l.Actions, " "), now})
	}
	if len(row.Granted) == 0 {
		row.Tone = "none"
	}
	if other != nil {
		theirs := other.of(r)
		row.More, row.Less = onlyIn(row.Granted, theirs), onlyIn(theirs, row.Granted)
	}
	return row
}

// onlyIn returns what a list has and another has not.
func onlyIn(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(word string) bool { return slices.Contains(other, word) })
}

// refuse marks the row of which an error speaks.
func (g *grantGrid) refuse(f form) {
	for _, id := range f.Choices() {
		for i := range g.Groups {
			for k := range g.Groups[i].Rows {
				if row := &g.Groups[i].Rows[k]; row.ID == id && f.Error("grants") != "" {
					row.Refused = f.Problem.Message
				}
			}
		}
	}
}
