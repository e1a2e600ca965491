package provisioning

import (
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sheets"
)

// chosenColumns are those of an export that somebody wants, in their order.
type chosenColumns struct {
	columns []sheets.Column
	from    []int // where each stands among all
}

// chooseColumns finds columns by their names, whatever their case and marks; no names are all columns. One that is not there or comes twice is Invalid.
func chooseColumns(all []sheets.Column, names []string) (chosenColumns, error) {
	var out chosenColumns
	if len(names) == 0 {
		names = columnNames(all)
	}
	for _, name := range names {
		at := slices.IndexFunc(all, func(c sheets.Column) bool { return identity.PlainKey(c.Name) == identity.PlainKey(name) })
		if at < 0 {
			return out, identity.Errorf(identity.Invalid, "There is no column %q. Choose from: %s.", name, strings.Join(columnNames(all), ", ")).WithField("columns")
		}
		if slices.Contains(out.from, at) {
			return out, identity.Errorf(identity.Invalid, "The column %s is chosen twice.", all[at].Name).WithField("columns")
		}
		out.columns, out.from = append(out.columns, all[at]), append(out.from, at)
	}
	return out, nil
}

func columnNames(columns []sheets.Column) []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = c.Name
	}
	return out
}

// of makes a writer of chosen cells one of all cells.
func (c chosenColumns) of(row func([]string) error) func([]string) error {
	cells := make([]string, len(c.from))
	return func(all []string) error {
		for i, at := range c.from {
			cells[i] = all[at]
		}
		return row(cells)
	}
}

// changes says which columns were taken out, where not all were.
func (c chosenColumns) changes(names []string) []identity.Change {
	if len(names) == 0 {
		return nil
	}
	return []identity.Change{{Field: "columns", After: strings.Join(columnNames(c.columns), ", ")}}
}
