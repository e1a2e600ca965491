package console

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

// How much of a file is shown before its columns are settled: rows, and characters of a cell.
const (
	previewRows = 3
	previewCell = 60
)

// valueChange is something that a column's values can go through on their way to a field. More of it at once is said in the settings of the source.
type valueChange struct {
	Key, Title string
	kind       identity.TransformKind
	arg        string
}

var valueChanges = []valueChange{
	{Key: "trim", Title: "without blanks around it", kind: identity.TransformTrim},
	{Key: "lower", Title: "in lower case", kind: identity.TransformLower},
	{Key: "upper", Title: "in upper case", kind: identity.TransformUpper},
	{Key: "title", Title: "With Capitals", kind: identity.TransformTitle},
	{Key: "date-dots", Title: "date 31.12.2026", kind: identity.TransformDate, arg: "02.01.2006"},
	{Key: "date-day", Title: "date 31/12/2026", kind: identity.TransformDate, arg: "02/01/2006"},
	{Key: "date-month", Title: "date 12/31/2026", kind: identity.TransformDate, arg: "01/02/2006"},
	{Key: "date-plain", Title: "date 20261231", kind: identity.TransformDate, arg: "20060102"},
}

// columnRow is a column of a file with what is chosen for it.
type columnRow struct {
	Number  int
	Heading string
	Samples []string
	Field   string
	Change  string
	Saved   bool // as the source's columns were read the last time
	Known   bool // somebody or something said what it is
}

type columnsBody struct {
	Form    form
	Caption string
	File    identity.KeptFile
	Look    string // the form of the file, for people
	Tenant  string // whose people it has
	Columns []columnRow
	Fields  []provisioning.ImportField
	Changes []valueChange
	Roles   roleOptions
	Unknown int // columns that are passed over
}

// importColumns shows what each column of a file is taken for, with the first values.
func (d *Door) importColumns(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.KeptFileID](r, "id")
	if err != nil {
		return err
	}
	return d.columnsPage(w, r, v, id, blank("welcome", string(identity.WelcomeInvite)))
}

func (d *Door) columnsPage(w http.ResponseWriter, r *http.Request, v visit, id identity.KeptFileID, f form) error {
	b := columnsBody{Form: f, Caption: d.importCaption(), Fields: d.prov.ImportFields(), Changes: valueChanges}
	var err error
	if b.File, err = d.prov.KeptFile(r.Context(), v.Actor, id); err != nil {
		return err
	}
	preview, err := d.prov.PreviewKeptFile(r.Context(), v.Actor, id, previewRows)
	if err != nil {
		return err
	}
	b.Look, b.Columns = preview.Form, columnRows(preview, f)
	for _, c := range b.Columns {
		if c.Field == "" {
			b.Unknown++
		}
	}
	if b.Roles, err = d.roleOptions(r.Context(), v); err != nil {
		return err
	}
	if b.Tenant, err = d.tenantName(r, v, b.File.TenantID); err != nil {
		return err
	}
	s := screen{Title: "Columns of " + b.File.Name, Nav: "imports", Body: b}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "import_columns", s)
}

// tenantName is the name of a tenant whose people a plan has; empty for the whole installation, and where there is one tenant only.
func (d *Door) tenantName(r *http.Request, v visit, id identity.TenantID) (string, error) {
	if id == "" || d.prov.Model().Single() {
		return "", nil
	}
	t, err := d.prov.Tenant(r.Context(), v.Actor, id)
	return t.Name, err
}

// columnRows are the columns as a form says, else as they are suggested.
func columnRows(p provisioning.FilePreview, f form) []columnRow {
	out := make([]columnRow, len(p.Columns))
	for i, c := range p.Columns {
		n := strconv.Itoa(i)
		out[i] = columnRow{Number: i, Heading: c.Heading, Field: c.Field, Saved: c.Saved, Known: c.Field != "" || c.Saved}
		if f.Values.Has("field-" + n) {
			out[i].Field, out[i].Change, out[i].Known = f.Value("field-"+n), f.Value("change-"+n), true
		}
		for _, row := range p.Rows {
			if i < len(row) && strings.TrimSpace(row[i]) != "" {
				out[i].Samples = append(out[i].Samples, clip(row[i], previewCell))
			}
		}
	}
	return out
}

// planImport computes what a file would do, with the columns as they were chosen, and goes on to the plan.
func (d *Door) planImport(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.KeptFileID](r, "id")
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "mapping", "role", "welcome", "file", "transforms")
	if err != nil {
		return err
	}
	preview, err := d.prov.PreviewKeptFile(r.Context(), v.Actor, id, 0)
	if err != nil {
		return err
	}
	o := provisioning.ImportOptions{Hash: d.authn.NewPassword, CheckHash: authn.ImportPasswordHash, PlanOptions: planOptions(f, preview.Columns)}
	plan, err := d.prov.ImportKeptFile(r.Context(), v.Actor, id, o)
	if err == nil {
		http.Redirect(w, r, plansPath+string(plan.ID), http.StatusSeeOther)
		return nil
	}
	if f.refused(err) && f.Problem.Kind != identity.NotFound {
		return d.columnsPage(w, r, v, id, f)
	}
	return err
}

// planOptions are what a form of columns says.
func planOptions(f form, columns []provisioning.MappedColumn) identity.PlanOptions {
	o := identity.PlanOptions{
		Mapping: identity.Mapping{}, Role: identity.RoleID(f.Value("role")), Welcome: identity.Welcome(f.Value("welcome")),
		Missing: f.Value("whole") != "", Clear: f.Value("clear") != "", ReplaceRoles: f.Value("replace") != "",
	}
	for i, c := range columns {
		n := strconv.Itoa(i)
		field := f.Value("field-" + n)
		if o.Mapping[c.Heading] == "" { // of two columns with one heading the one that is used counts
			o.Mapping[c.Heading] = field
		}
		for _, change := range valueChanges {
			if field == "" || change.Key != f.Value("change-"+n) {
				continue
			}
			t := identity.Transform{Field: field, Kind: change.kind}
			if change.arg != "" {
				t.Args = []string{change.arg}
			}
			o.Transforms = append(o.Transforms, t)
		}
	}
	return o
}
