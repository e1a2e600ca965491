package console

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

const importsPath = "/console/imports"

// Uploads says how much may be posted where, in bytes, beyond what a form has: files of people, and room for the fields around them.
func Uploads() map[string]int64 {
	return map[string]int64{importsPath: provisioning.MaxKeptFile + maxForm, checkPath: provisioning.MaxKeptFile + maxForm}
}

func (d *Door) importRoutes() []route {
	return []route{
		{"GET /console/imports", usersWrite, d.imports},
		{"GET /console/imports/new", usersWrite, d.newImport},
		{"POST /console/imports", usersWrite, d.uploadImport},
		{"GET /console/imports/template/{format}", usersWrite, d.importTemplate},
		{"GET /console/imports/files/{id}", usersWrite, d.importColumns},
		{"POST /console/imports/files/{id}", usersWrite, d.planImport},
		{"POST /console/imports/files/{id}/drop", usersWrite, d.dropImportFile},
	}
}

type importsBody struct {
	Caption string
	Files   []identity.KeptFile // that wait for their columns
	Plans   []identity.Plan
	Pager   pager
	Kind    identity.PlanKind
	State   identity.PlanState
	Source  string
	Kinds   []identity.PlanKind
	States  []identity.PlanState
	Any     bool // something narrows the list
}

// planKinds and planStates are what the list can be narrowed to, in the order of the select.
var (
	planKinds  = []identity.PlanKind{identity.PlanImport, identity.PlanSync, identity.PlanBulk, identity.PlanUndo, identity.PlanDrift}
	planStates = []identity.PlanState{
		identity.PlanHeld, identity.PlanReady, identity.PlanApplying, identity.PlanDone, identity.PlanUndone, identity.PlanRejected, identity.PlanFailed, identity.PlanComputing,
	}
)

// importCaption is the model's word for reading people from a file.
func (d *Door) importCaption() string { return d.prov.Model().Caption("import_page", "Import") }

// imports lists the plans, newest first: what was brought, what came of it, and what waits for somebody.
func (d *Door) imports(w http.ResponseWriter, r *http.Request, v visit) error {
	b := importsBody{Caption: d.importCaption(), Kinds: planKinds, States: planStates, Source: strings.TrimSpace(oneLine(r.FormValue("source")))}
	q := provisioning.PlanQuery{Source: b.Source}
	q.Limit = pageSize
	if kind := identity.PlanKind(r.FormValue("kind")); slices.Contains(planKinds, kind) {
		b.Kind, q.Kinds = kind, []identity.PlanKind{kind}
	}
	if state := identity.PlanState(r.FormValue("state")); slices.Contains(planStates, state) {
		b.State, q.States = state, []identity.PlanState{state}
	}
	q.After = r.FormValue("after")
	found, err := d.prov.PlansWhere(r.Context(), v.Actor, q)
	if err != nil {
		return err
	}
	if b.Files, err = d.prov.KeptFiles(r.Context(), v.Actor); err != nil {
		return err
	}
	b.Plans, b.Any = found.Items, b.Kind != "" || b.State != "" || b.Source != ""
	b.Pager = onward(r, found, func(p identity.Plan) string { return string(p.ID) })
	return d.show(w, r, v, "imports", screen{Title: b.Caption, Nav: "imports", Body: b})
}

// oneLine is a word of the address as text that can be looked for.
func oneLine(s string) string {
	return clip(strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", ""), maxSearch)
}

type newImportBody struct {
	Form    form
	Caption string
	Tenants []identity.Tenant
	Max     int64 // bytes
}

func (d *Door) newImport(w http.ResponseWriter, r *http.Request, v visit) error {
	home, err := d.homeOr(r.Context(), r.FormValue("tenant"))
	if err != nil {
		return err
	}
	return d.importForm(w, r, v, blank("source", oneLine(r.FormValue("source")), "tenant", home))
}

func (d *Door) importForm(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	tenants, err := d.tenantOptions(r.Context(), v)
	if err != nil {
		return err
	}
	s := screen{Title: "New import", Nav: "imports", Body: newImportBody{Form: f, Caption: d.importCaption(), Tenants: tenants, Max: provisioning.MaxKeptFile}}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "import_new", s)
}

// uploadImport keeps a file and goes on to its columns. The file is the last part of the form, and is written away while it arrives.
func (d *Door) uploadImport(w http.ResponseWriter, r *http.Request, v visit) error {
	parts, err := r.MultipartReader()
	if err != nil {
		return identity.Errorf(identity.Invalid, "The form could not be read.").WithCause(err)
	}
	f := form{Values: map[string][]string{}, fields: []string{"file", "source", "tenant"}}
	file, err := fileOf(parts, &f)
	if err == nil && file == nil {
		err = identity.Errorf(identity.Invalid, "Choose the file that is to be read.").WithField("file")
	}
	var kept identity.KeptFile
	if err == nil {
		kept = identity.KeptFile{Name: file.FileName(), Source: f.Value("source"), TenantID: identity.TenantID(f.Value("tenant"))}
		kept, err = d.prov.KeepFile(r.Context(), v.Actor, kept, file)
	}
	if err == nil {
		http.Redirect(w, r, importsPath+"/files/"+string(kept.ID), http.StatusSeeOther)
		return nil
	}
	var large *http.MaxBytesError
	if _, rest := io.Copy(io.Discard, r.Body); errors.As(rest, &large) || errors.As(err, &large) { // read to the end: a browser that is still sending reads no answer
		err = identity.Errorf(identity.TooLarge, "The file has more than %s.", megabytes(provisioning.MaxKeptFile)).WithField("file")
	}
	if f.refused(err) {
		return d.importForm(w, r, v, f)
	}
	return err
}

// fileOf reads the fields of a form up to its file; no file is nil.
func fileOf(parts *multipart.Reader, f *form) (*multipart.Part, error) {
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, identity.Errorf(identity.Invalid, "The form did not arrive whole. Send it again.").WithCause(err)
		}
		if part.FormName() == "file" {
			if part.FileName() == "" {
				return nil, nil
			}
			return part, nil
		}
		value, err := io.ReadAll(io.LimitReader(part, maxField+1))
		if err != nil || len(value) > maxField || len(f.Values) > 20 {
			return nil, identity.Errorf(identity.Invalid, "The form could not be read.").WithCause(err)
		}
		if err := plainText(part.FormName(), string(value)); err != nil {
			return nil, err
		}
		f.Values.Set(part.FormName(), string(value))
	}
}

// importTemplate writes an empty table with the columns that an import knows.
func (d *Door) importTemplate(w http.ResponseWriter, r *http.Request, v visit) error {
	format, err := fileFormat(r.PathValue("format"))
	if err != nil {
		return err
	}
	return d.download(w, "people-template", format, func(out io.Writer) error { return d.prov.WriteTemplate(r.Context(), v.Actor, format, out) })
}

func (d *Door) dropImportFile(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.KeptFileID](r, "id")
	if err != nil {
		return err
	}
	if err := d.prov.DropKeptFile(r.Context(), v.Actor, id); err != nil {
		return err
	}
	http.Redirect(w, r, importsPath+"?done=file-dropped", http.StatusSeeOther)
	return nil
}
