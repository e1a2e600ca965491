package console

import (
	"net/http"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

type matrixColumn struct {
	ID     identity.RoleID // empty: the admin flag
	Title  string
	People int
}

type matrixRow struct {
	grantResource
	Cells []matrixCell
}

type matrixCell struct {
	Word  string // empty: nothing
	Level string // how far the records go
	Tone  string // "all", "some" or "none"
}

type matrixGroup struct {
	Title string
	Rows  []matrixRow
}

type matrixBody struct {
	roleHead
	Model     string
	Columns   []matrixColumn
	Groups    []matrixGroup
	Gate      string // the title of what a role grants nothing without
	Sensitive bool   // something is marked as sensitive
	Levels    bool   // roles carry data levels
	Span      int    // columns of the table
	Width     int    // columns of roles
}

// matrix shows what every role may do with everything that the access model lists.
func (d *Door) matrix(w http.ResponseWriter, r *http.Request, v visit) error {
	found, err := d.prov.RoleDefinitions(r.Context(), v.Actor, identity.Query{Limit: maxOptions})
	if err != nil {
		return err
	}
	people := map[identity.RoleID]int{}
	for _, x := range found.Items {
		people[x.ID] = x.Users
	}
	m := d.prov.Model()
	table := m.Matrix()
	b := matrixBody{roleHead: d.roleHead(v), Model: m.Title(), Span: len(table.Columns) + 1, Width: len(table.Columns)}
	for _, c := range table.Columns {
		b.Columns = append(b.Columns, matrixColumn{c.ID, c.Title, people[c.ID]})
	}
	resources := d.grantResources()
	for i, row := range table.Rows {
		line := matrixRow{grantResource: resources[i]}
		for _, word := range row.Cells {
			cell := d.matrixCell(resources[i], word)
			line.Cells, b.Levels = append(line.Cells, cell), b.Levels || cell.Level != ""
		}
		b.add(line)
	}
	return d.show(w, r, v, "roles_matrix", screen{Title: "Permission matrix", Nav: "roles", Body: b})
}

// add puts a row into its group.
func (b *matrixBody) add(line matrixRow) {
	if line.Gate {
		b.Gate = line.Title
	}
	b.Sensitive = b.Sensitive || line.Sensitive
	at := slices.IndexFunc(b.Groups, func(g matrixGroup) bool { return g.Title == line.Group })
	if at < 0 {
		at, b.Groups = len(b.Groups), append(b.Groups, matrixGroup{Title: line.Group})
	}
	b.Groups[at].Rows = append(b.Groups[at].Rows, line)
}

// matrixCell marks a word of the matrix: everything, something or nothing.
func (d *Door) matrixCell(r grantResource, word string) matrixCell {
	plain, level, _ := strings.Cut(word, " (")
	c := matrixCell{Word: plain, Level: strings.TrimSuffix(level, ")"), Tone: "some"}
	for i, l := range d.prov.Model().Levels(r.ID) {
		switch {
		case l.Name != plain && strings.Join(l.Actions, ", ") != plain:
		case len(l.Actions) == 0:
			c.Tone = "none"
		case i == 0:
			c.Tone = "all"
		}
	}
	if word == "-" {
		c.Tone, c.Word = "none", ""
	}
	return c
}
