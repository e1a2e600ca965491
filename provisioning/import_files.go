package provisioning

import (
	"context"
	"io"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sheets"
	"github.com/drawbridge-id/drawbridge/store"
)

// WriteTemplate writes an empty table with the columns that an import knows under the access model in force, and one line of an example.
func (s *Service) WriteTemplate(_ context.Context, by identity.Actor, f sheets.Format, out io.Writer) error {
	if _, err := s.byHand(by); err != nil {
		return err
	}
	var columns []sheets.Column
	var example []string
	for _, field := range s.ImportFields() {
		if field.Name == fieldID || field.Name == fieldInactive {
			continue // an id is nobody's to invent, and active says the other
		}
		columns = append(columns, sheets.Column{Name: field.Name})
		example = append(example, s.example(field))
	}
	w, err := sheets.NewWriter(out, f, columns)
	if err != nil {
		return err
	}
	if err := w.Write(example); err != nil {
		return err
	}
	return w.Close()
}

// example is what a template shows in a column.
func (s *Service) example(f ImportField) string {
	switch f.Name {
	case fieldRole:
		_, least := s.model.Landing()
		return string(least)
	case fieldType:
		return string(s.model.DefaultUserType())
	case fieldLevel:
		_, _, level := s.model.DataLevels()
		return level
	case fieldExternal:
		return yesNo(false)
	}
	return f.Example
}

// ExportBackup writes the people whom a plan changed as they were before, in the columns of an export: importing it puts them back. People whom the plan created are not in it.
func (s *Service) ExportBackup(ctx context.Context, by identity.Actor, id identity.PlanID, f sheets.Format, out io.Writer) (Export, error) {
	plan, err := s.Plan(ctx, by, id)
	if err != nil {
		return Export{}, err
	}
	var columns []sheets.Column
	for _, field := range s.ImportFields() {
		if field.Kept {
			columns = append(columns, sheets.Column{Name: field.Name})
		}
	}
	e := planEvent(by, identity.UsersExported, plan)
	e.Changes = []identity.Change{{Field: "plan", After: string(plan.ID)}}
	return s.export(ctx, by, e, "backup", f, columns, out, func(row func([]string) error) error {
		q := StepQuery{States: []identity.StepState{identity.StepDone, identity.StepReverted, identity.StepKept}, Limit: planChunk}
		for {
			page, err := s.backupPage(ctx, plan, q)
			for _, w := range page.Items {
				cells := make([]string, len(columns))
				for i, c := range columns {
					cells[i] = w.Was.Fields[c.Name]
				}
				if err == nil {
					err = row(cells)
				}
			}
			if err != nil || !page.More {
				return err
			}
			q.After = page.last
		}
	})
}

// backupPage is a page of steps with what they changed.
type backupPage struct {
	Items []stepData
	More  bool
	last  int
}

func (s *Service) backupPage(ctx context.Context, plan identity.Plan, q StepQuery) (backupPage, error) {
	var out backupPage
	err := s.db.View(ctx, func(tx *store.Tx) error {
		page, err := tx.PlanSteps(ctx, plan.ID, q)
		out = backupPage{More: page.More}
		for _, step := range page.Items {
			out.last = step.Line
			d, err := readStep(step)
			if err != nil {
				return err
			}
			if d.Was != nil {
				out.Items = append(out.Items, d)
			}
		}
		return err
	})
	return out, err
}
