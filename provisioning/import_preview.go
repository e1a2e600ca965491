package provisioning

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sheets"
	"github.com/drawbridge-id/drawbridge/store"
)

// previewRows is how many rows a preview shows.
const previewRows = 10

// ImportPreview is a file before anything is planned: what its columns would be, and its first rows.
type ImportPreview struct {
	Form    string // for people: "CSV, UTF-8, separated by semicolons"
	Columns []MappedColumn
	Fields  []string // that the rows have, in the order of the columns; those that only transforms fill come last
	Rows    []PreviewRow
	More    bool            // there are more rows
	Refused *identity.Error // why the file cannot be planned with these columns; nil: it can
	Options identity.PlanOptions
}

// PreviewRow is one row as it stands in the file, and as it would be taken.
type PreviewRow struct {
	Line   int
	Cells  []string          // as many as there are columns; a password is not shown
	Fields map[string]string // after the transforms; neither passwords nor their hashes
	Error  *identity.Error   // why the row cannot be used, as far as the row alone tells; nil: it can
}

// hiddenCell stands for a password.
const hiddenCell = "••••••"

// PreviewImport reads the heading of a file and its first rows, and says which column would be which field: as o says, else as the file of the source that was
// carried out last had it, else by name. Each row is shown as it is written and as the fields that come of it. Nothing is written. A file that cannot be read is
// Invalid or TooLarge; columns that cannot be planned are no error here, but Refused, so that somebody can put them right.
func (s *Service) PreviewImport(ctx context.Context, by identity.Actor, file Upload, o ImportOptions) (ImportPreview, error) {
	var out ImportPreview
	plan, _, err := s.newPlan(ctx, by, file, o)
	if err != nil {
		return out, err
	}
	table, columns, err := s.openTable(ctx, &plan, file)
	if err != nil {
		return out, err
	}
	defer table.Close()
	out.Form, out.Columns = table.Form, columns
	shape, err := s.shape(table, &plan, columns)
	out.Options = plan.Options
	if err != nil {
		if out.Refused = refusalOf(err); out.Refused == nil {
			return out, err
		}
		shape = &shaper{header: table.Header, columns: fieldsOf(columns), own: len(columns)}
	}
	for _, field := range shape.columns {
		if field != "" {
			out.Fields = append(out.Fields, field)
		}
	}
	return out, out.read(table, shape)
}

// read fills in the first rows.
func (p *ImportPreview) read(table *sheets.Reader, shape *shaper) error {
	for {
		row, err := table.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if p.More = len(p.Rows) == previewRows; p.More {
			return nil
		}
		r := shape.read(row)
		shown := PreviewRow{Line: row.Line, Cells: make([]string, len(p.Columns)), Fields: r.fields, Error: r.wrong}
		for i, c := range p.Columns {
			shown.Cells[i] = row.Cell(i)
			if (c.Field == fieldPassword || c.Field == fieldPasswordHash) && shown.Cells[i] != "" {
				shown.Cells[i] = hiddenCell
			}
		}
		p.Rows = append(p.Rows, shown)
	}
}

// openTable opens the file of a plan, and says what its columns are. What the plan does not say of how the file is read, its source does.
func (s *Service) openTable(ctx context.Context, plan *identity.Plan, file Upload) (*sheets.Reader, []MappedColumn, error) {
	var source identity.Source
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		source, err = tx.Source(ctx, plan.TenantID, plan.Source)
		return err
	})
	if err != nil && identity.KindOf(err) != identity.NotFound {
		return nil, nil, err
	}
	if plan.Options.Form == (identity.FileForm{}) {
		plan.Options.Form = source.Settings.Form
	}
	table, err := sheets.OpenAs(file.Content, file.Size, sheets.DefaultLimits(), sheets.Options(plan.Options.Form))
	if err != nil {
		return nil, nil, err
	}
	columns, err := s.mapped(table.Header, plan.Options.Mapping, source.Settings.Mapping)
	if err != nil {
		return nil, nil, errors.Join(err, table.Close())
	}
	plan.Summary.Form = table.Form
	return table, columns, nil
}

// mapped returns the columns of a heading by what was said of them, by the saved mapping, and by what headings usually mean.
func (s *Service) mapped(header []string, said, was identity.Mapping) ([]MappedColumn, error) {
	if err := s.checkColumns(said); err != nil {
		return nil, err
	}
	saved := identity.Mapping{}
	maps.Copy(saved, was)
	for heading, field := range said {
		if !hasHeading(header, heading) {
			return nil, identity.Errorf(identity.Invalid, "The file has no column %q. It has: %s.", heading, strings.Join(header, ", ")).WithField("mapping")
		}
		maps.DeleteFunc(saved, func(old, was string) bool {
			return identity.PlainKey(old) == identity.PlainKey(heading) || field != "" && was == field
		})
	}
	maps.Copy(saved, said)
	return s.SuggestMapping(header, saved), nil
}

func hasHeading(header []string, heading string) bool {
	for _, h := range header {
		if identity.PlainKey(h) == identity.PlainKey(heading) {
			return true
		}
	}
	return false
}

func fieldsOf(columns []MappedColumn) []string {
	fields := make([]string, len(columns))
	for i, c := range columns {
		fields[i] = c.Field
	}
	return fields
}

// shape puts what the columns of a table are into its plan, checks that with the transforms, and returns what makes rows of the lines.
func (s *Service) shape(table *sheets.Reader, plan *identity.Plan, columns []MappedColumn) (*shaper, error) {
	plan.Options.Mapping = identity.Mapping{}
	for _, c := range columns {
		if plan.Options.Mapping[c.Heading] == "" { // of two columns with one heading the one that is used counts
			plan.Options.Mapping[c.Heading] = c.Field
		}
	}
	if err := checkTransforms(plan.Options.Transforms, s.ImportFields()); err != nil {
		return nil, err
	}
	known := maps.Clone(plan.Options.Mapping)
	for _, t := range plan.Options.Transforms {
		if t.Kind == identity.TransformJoin && !slices.Contains(fieldsOf(columns), t.Field) {
			known["joined as "+t.Field] = t.Field // somebody may be known by what was joined
		}
	}
	if err := s.checkMapping(known); err != nil {
		return nil, err
	}
	return newShaper(table, fieldsOf(columns), plan.Options.Transforms)
}
