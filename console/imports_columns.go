package console

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

// How much of a column is shown before it is settled: values, and characters of each.
const (
	previewValues = 3
	previewCell   = 60
)

// planPatience is how long somebody waits for a plan before its page shows how far it is.
const planPatience = 3 * time.Second

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

// keptChange is what a column goes through by the settings of its source, where that is more than one of the above.
const keptChange = "kept"

// columnRow is a column of a file with what is chosen for it.
type columnRow struct {
	Number  int
	Heading string
	Samples []string
	Field   string
	Change  string
	Keeps   bool // the settings of the source say more than a select can
	Saved   bool // as the source's columns were read the last time
}

type columnsBody struct {
	Form    form
	Caption string
	File    identity.KeptFile
	Tenant  string // whose people it has
	Preview provisioning.ImportPreview
	Columns []columnRow
	Fields  []provisioning.ImportField
	Changes []valueChange
	Roles   roleOptions
	Unknown int // columns that are passed over
}

// importColumns shows what each column of a file is taken for, with the first rows.
func (d *Door) importColumns(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.KeptFileID](r, "id")
	if err != nil {
		return err
	}
	o := provisioning.ImportOptions{ElseWelcome: identity.WelcomeInvite}
	preview, err := d.prov.PreviewKeptFile(r.Context(), v.Actor, id, o)
	if err != nil {
		return err
	}
	return d.columnsPage(w, r, v, id, preview, optionsForm(preview))
}

// optionsForm is a form as the source's settings have it.
func optionsForm(p provisioning.ImportPreview) form {
	f := blank("welcome", string(p.Options.Welcome), "role", string(p.Options.Role))
	for name, on := range map[string]bool{"whole": p.Options.Missing, "clear": p.Options.Clear, "replace": p.Options.ReplaceRoles} {
		if on {
			f.Values.Set(name, "1")
		}
	}
	return f
}

func (d *Door) columnsPage(w http.ResponseWriter, r *http.Request, v visit, id identity.KeptFileID, preview provisioning.ImportPreview, f form) error {
	b := columnsBody{Form: f, Caption: d.importCaption(), Fields: d.prov.ImportFields(), Changes: valueChanges, Preview: preview, Columns: columnRows(preview, f)}
	var err error
	if b.File, err = d.prov.KeptFile(r.Context(), v.Actor, id); err != nil {
		return err
	}
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

// columnRows are the columns of a preview with some of their values, and what somebody chose, wrong or not.
func columnRows(p provisioning.ImportPreview, f form) []columnRow {
	out := make([]columnRow, len(p.Columns))
	for i, c := range p.Columns {
		out[i] = columnRow{Number: i, Heading: c.Heading, Field: c.Field, Saved: c.Saved}
		out[i].Change, out[i].Keeps = changeOf(p.Options.Transforms, c.Field)
		if n := strconv.Itoa(i); f.Values.Has("field-" + n) {
			out[i].Field, out[i].Change = f.Value("field-"+n), f.Value("change-"+n)
		}
		for _, row := range p.Rows {
			if len(out[i].Samples) < previewValues && strings.TrimSpace(row.Cells[i]) != "" {
				out[i].Samples = append(out[i].Samples, clip(row.Cells[i], previewCell))
			}
		}
	}
	return out
}

// changeOf is what transforms do to a field, as the select has it; keeps when they do more.
func changeOf(transforms []identity.Transform, field string) (change string, keeps bool) {
	mine := transformsOf(transforms, field)
	if field == "" || len(mine) == 0 {
		return "", false
	}
	for _, c := range valueChanges {
		if len(mine) == 1 && c.kind == mine[0].Kind && slices.Equal(c.args(), mine[0].Args) {
			return c.Key, false
		}
	}
	return keptChange, true
}

func transformsOf(transforms []identity.Transform, field string) []identity.Transform {
	var out []identity.Transform
	for _, t := range transforms {
		if t.Field == field {
			out = append(out, t)
		}
	}
	return out
}

func (c valueChange) args() []string {
	if c.arg == "" {
		return nil
	}
	return []string{c.arg}
}

// planImport computes what a file would do, with the columns as they were chosen, and goes on to the plan. Or it only shows the first rows again.
func (d *Door) planImport(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.KeptFileID](r, "id")
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "mapping", "role", "welcome", "file", "transforms")
	if err != nil {
		return err
	}
	suggested, err := d.prov.PreviewKeptFile(r.Context(), v.Actor, id, provisioning.ImportOptions{})
	if err != nil {
		return err
	}
	o := importOptions(f, suggested)
	o.Hash, o.CheckHash = d.authn.NewPassword, authn.ImportPasswordHash
	if f.Value("look") == "" {
		plan, err := d.prov.StartKeptFile(r.Context(), v.Actor, id, o, planPatience)
		if err == nil {
			http.Redirect(w, r, plansPath+string(plan.ID), http.StatusSeeOther)
			return nil
		}
		if !f.refused(err) || f.Problem.Kind == identity.NotFound {
			return err
		}
	}
	preview, err := d.prov.PreviewKeptFile(r.Context(), v.Actor, id, o)
	if err != nil {
		if f.Problem == nil && !f.refused(err) {
			return err
		}
		preview = suggested // these choices cannot be read by
	}
	if f.Problem == nil {
		f.Problem = preview.Refused
	}
	return d.columnsPage(w, r, v, id, preview, f)
}

// importOptions are what a form of columns says.
func importOptions(f form, p provisioning.ImportPreview) provisioning.ImportOptions {
	o := provisioning.ImportOptions{PlanOptions: identity.PlanOptions{
		Mapping: identity.Mapping{}, Transforms: []identity.Transform{}, Role: identity.RoleID(f.Value("role")), Welcome: identity.Welcome(f.Value("welcome")),
		Missing: f.Value("whole") != "", Clear: f.Value("clear") != "", ReplaceRoles: f.Value("replace") != "",
	}}
	for option, on := range map[string]bool{"missing": o.Missing, "clear": o.Clear, "replace_roles": o.ReplaceRoles} {
		if !on {
			o.Off = append(o.Off, option)
		}
	}
	said := map[string]bool{}
	for i, c := range p.Columns {
		n := strconv.Itoa(i)
		field := f.Value("field-" + n)
		if o.Mapping[c.Heading] == "" { // of two columns with one heading the one that is used counts
			o.Mapping[c.Heading] = field
		}
		if field == "" {
			continue
		}
		said[field] = f.Value("change-"+n) != keptChange
		for _, change := range valueChanges {
			if change.Key == f.Value("change-"+n) {
				o.Transforms = append(o.Transforms, identity.Transform{Field: field, Kind: change.kind, Args: change.args()})
			}
		}
	}
	for _, t := range p.Options.Transforms { // what the settings say of other fields stays
		if !said[t.Field] {
			o.Transforms = append(o.Transforms, t)
		}
	}
	return o
}
