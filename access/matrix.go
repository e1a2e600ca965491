package access

import (
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// Matrix shows what every role may do with every resource, in the model's own words.
type Matrix struct {
	Columns []MatrixColumn
	Rows    []MatrixRow
}

// MatrixColumn is a role, or the admin flag: then the id is empty.
type MatrixColumn struct {
	ID    identity.RoleID
	Title string
}

// MatrixRow is a resource with one word a column: a level such as "View only" or "all", or the actions, or "-" for nothing; with the data level in brackets
// where the role has one.
type MatrixRow struct {
	Resource Resource
	Cells    []string
}

// Matrix returns the model as a table.
func (m *Model) Matrix() Matrix {
	c := m.now.Load()
	roles := slices.Clone(c.roles)
	if c.admin != nil {
		roles = append(roles, c.admin)
	}
	var out Matrix
	for _, r := range roles {
		out.Columns = append(out.Columns, MatrixColumn{ID: r.ID, Title: r.Title})
	}
	for i := range c.doc.Catalogue {
		r := &c.doc.Catalogue[i]
		row := MatrixRow{Resource: r.public(), Cells: make([]string, len(roles))}
		for k, held := range roles {
			row.Cells[k] = c.cell(held, r)
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

func (c *compiled) cell(held *role, r *resource) string {
	if r.Self {
		return "everybody's own"
	}
	granted := held.grants[r.ID]
	if held.unlimited {
		granted = r.Actions
	}
	word := c.word(held, r)
	switch named := slices.ContainsFunc(c.doc.levelNames(), func(name string) bool { return name == word }); {
	case len(granted) == 0 && !named:
		return "-"
	case len(granted) > 1 && slices.Equal(granted, r.Actions) && !named:
		word = "all"
	}
	if level := held.Levels[r.ID]; level != "" && len(granted) > 0 {
		word += " (" + level + ")"
	}
	return strings.TrimSpace(word)
}
