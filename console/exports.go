package console

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

const checkPath = "/console/exports/check"

func (d *Door) exportRoutes() []route {
	return []route{
		{"GET /console/exports/users", usersRead, d.exportForm(exportUsers)},
		{"POST /console/exports/users", usersRead, d.exportFile(exportUsers)},
		{"GET /console/exports/audit", auditRead, d.exportForm(exportAudit)},
		{"POST /console/exports/audit", auditRead, d.exportFile(exportAudit)},
		{"GET /console/exports/access", usersRead, d.exportForm(exportAccess)},
		{"POST /console/exports/access", usersRead, d.exportFile(exportAccess)},
		{"GET " + checkPath, auditRead, d.checkForm},
		{"POST " + checkPath, auditRead, d.checkFile},
	}
}

// exported is something that leaves as a file.
type exported struct {
	Key, Title, About, Back, BackTitle string
	need                               string
	filters                            []string // of the address, kept from the list that led here
}

var (
	exportUsers = exported{
		"users", "Export users", "Everybody whom you may see and the filters name. With the columns of a template, the file can be imported again and changes nothing.", "/console/users", "Users", usersRead,
		[]string{"q", "status", "tenant", "role", "unit", "type", "external", "directory"},
	}
	exportAudit = exported{
		"audit", "Export the audit", "What happened, newest first, as far as you may read the audit.", eventsPath, "Audit", auditRead, eventFilterNames,
	}
	exportAccess = exported{
		"access", "Export the access report", "Who may do what and why: one row for each person, way and resource.", "/console/access", "Access report", usersRead, []string{"q", "tenant", "role", "resource", "sensitive"},
	}
	allExports = []exported{exportUsers, exportAudit, exportAccess}
)

// exportFilter is a filter of a list that an export, or a change of everybody whom the list finds, keeps.
type exportFilter struct {
	Name, Title, Value, Shown string
	Ours                      bool // Shown is a word of ours, and not a name or what somebody typed
}

type exportBody struct {
	Form    form
	What    exported
	Tabs    []exported
	Filters []exportFilter
	Rows    exportRows
	Columns []string
	Formats []exportFormat
	Roles   roleOptions
	Tenants []identity.Tenant
	Check   bool // the visitor may check files
}

type exportFormat struct{ Key, Title, About string }

var exportFormats = []exportFormat{
	{"csv", "CSV", "UTF-8, with commas; formula cells are escaped"}, {"xlsx", "XLSX", "for Excel and LibreOffice"}, {"json", "JSON lines", "one object a line, for programs"},
}

func (d *Door) exportForm(what exported) page {
	return func(w http.ResponseWriter, r *http.Request, v visit) error {
		f := blank("format", "csv")
		for _, name := range what.filters {
			f.Values.Set(name, oneLine(r.FormValue(name)))
		}
		return d.exportPage(w, r, v, what, f)
	}
}

func (d *Door) exportPage(w http.ResponseWriter, r *http.Request, v visit, what exported, f form) error {
	b := exportBody{Form: f, What: what, Columns: d.exportColumns(what), Formats: exportFormats, Check: v.Can(auditRead)}
	for _, e := range allExports {
		if v.Can(e.need) {
			b.Tabs = append(b.Tabs, e)
		}
	}
	var err error
	if b.Tenants, err = d.tenantOptions(r.Context(), v); err != nil {
		return err
	}
	if what.Key == exportAccess.Key {
		if b.Roles, err = d.roleOptions(r.Context(), v); err != nil {
			return err
		}
	}
	if b.Filters, err = d.exportFilters(r, v, what, f); err != nil {
		return err
	}
	if b.Rows, err = d.countRows(r, v, what, f); err != nil && !f.refused(err) {
		return err
	}
	b.Form = f
	s := screen{Title: what.Title, Nav: "exports", Body: b}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "export", s)
}

// exportFilters are the filters that stand in no field of their own, in words.
func (d *Door) exportFilters(r *http.Request, v visit, what exported, f form) ([]exportFilter, error) {
	if what.Key == exportUsers.Key {
		words, err := d.filterWords(r, v, d.filtersOf(f.Value, v))
		return slices.DeleteFunc(words, func(f exportFilter) bool { return f.Name == "tenant" }), err
	}
	titles := map[string]string{
		"q": "Search", "type": "What happened", "user": "About", "object": "About", "who": "By whom", "whom": "To whom", "from": "From", "until": "Until", "resource": "Permission", "sensitive": "Sensitive only",
	}
	var out []exportFilter
	for _, name := range what.filters {
		value := f.Value(name)
		if value == "" || titles[name] == "" {
			continue
		}
		filter := exportFilter{Name: name, Title: titles[name], Value: value, Shown: value}
		switch name {
		case "type":
			filter.Ours = true
			if filter.Shown = eventName(identity.EventType(value)); eventKinds[value] != "" {
				filter.Shown = eventKinds[value]
			}
		case "user":
			id, _ := identity.ParseID[identity.UserID](value)
			u, err := d.prov.User(r.Context(), v.Actor, id)
			if err != nil && identity.KindOf(err) != identity.NotFound {
				return nil, err
			}
			filter.Shown = u.Label()
		}
		out = append(out, filter)
	}
	return out, nil
}

// exportFile answers with the file. It is a post, so that nobody takes people out by following a link, and each is an event.
func (d *Door) exportFile(what exported) page {
	return func(w http.ResponseWriter, r *http.Request, v visit) error {
		f, err := readForm(w, r, "columns", "tenant", "role")
		if err != nil {
			return err
		}
		format, err := fileFormat(f.Value("format"))
		if err == nil && len(f.Values["column"]) == 0 {
			err = identity.Errorf(identity.Invalid, "Choose at least one column.").WithField("columns")
		}
		if err == nil {
			err = d.download(w, what.Key, format, func(out io.Writer) error { return d.writeExport(r, v, what, f, format, out) })
		}
		if err != nil && w.Header().Get("Content-Disposition") == "" && f.refused(err) {
			return d.exportPage(w, r, v, what, f)
		}
		return err
	}
}

// exportColumns are the columns that a file may have.
func (d *Door) exportColumns(what exported) []string {
	switch what.Key {
	case exportAudit.Key:
		return provisioning.EventColumns()
	case exportAccess.Key:
		return provisioning.AccessColumns()
	}
	var out []string
	for _, c := range d.prov.ExportColumns() {
		out = append(out, c.Name)
	}
	return out
}

func (d *Door) writeExport(r *http.Request, v visit, what exported, f form, format provisioning.FileFormat, out io.Writer) error {
	tenant, _ := identity.ParseID[identity.TenantID](f.Value("tenant"))
	columns := f.Values["column"]
	if slices.Equal(columns, d.exportColumns(what)) {
		columns = nil
	}
	var err error
	switch what.Key {
	case exportAudit.Key:
		q, problem, err := d.eventQuery(r, v, readEventFilters(f.Value))
		if err == nil && problem != "" {
			err = identity.Errorf(identity.Invalid, "%s", problem)
		}
		if err != nil {
			return err
		}
		_, err = d.prov.ExportEvents(r.Context(), v.Actor, provisioning.EventExport{EventQuery: q, Columns: columns}, format, out)
		return err
	case exportAccess.Key:
		_, err = d.prov.ExportAccess(r.Context(), v.Actor, provisioning.AccessQuery{
			Tenant: tenant, Role: identity.RoleID(f.Value("role")), Resource: f.Value("resource"), Search: f.Value("q"), Sensitive: f.Value("sensitive") == "yes", Columns: columns,
		}, format, out)
	default:
		q := provisioning.ExportQuery{Columns: columns}
		if q.Query, err = d.exportedUsers(r, v, f); err == nil {
			_, err = d.prov.ExportUsers(r.Context(), v.Actor, q, format, out)
		}
	}
	return err
}

// exportURL is where a list is taken out as it is filtered.
func exportURL(what exported, r *http.Request) string {
	q := url.Values{}
	for _, name := range what.filters {
		if value := r.URL.Query().Get(name); value != "" {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return "/console/exports/" + what.Key
	}
	return "/console/exports/" + what.Key + "?" + q.Encode()
}

type checkBody struct {
	Form   form
	SHA256 string
	Size   int64
	Export provisioning.Export
	Events []identity.Event
	Known  bool
	Max    int64
}

func (d *Door) checkForm(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.checkPage(w, r, v, checkBody{Form: blank()})
}

func (d *Door) checkPage(w http.ResponseWriter, r *http.Request, v visit, b checkBody) error {
	b.Max = provisioning.MaxKeptFile
	s := screen{Title: "Check an export", Nav: "exports", Body: b}
	if b.Form.Problem != nil {
		s.Status = web.Status(b.Form.Problem)
	}
	return d.show(w, r, v, "export_check", s)
}

// checkFile says whether a file was written here and is as it was written. It is read once and kept nowhere.
func (d *Door) checkFile(w http.ResponseWriter, r *http.Request, v visit) error {
	parts, err := r.MultipartReader()
	if err != nil {
		return identity.Errorf(identity.Invalid, "The form could not be read.").WithCause(err)
	}
	b := checkBody{Form: form{Values: url.Values{}, fields: []string{"file", "signature"}}}
	file, err := fileOf(parts, &b.Form)
	if err == nil && file == nil {
		err = identity.Errorf(identity.Invalid, "Choose the file that is to be checked.").WithField("file")
	}
	if err == nil {
		sum := sha256.New()
		if b.Size, err = io.Copy(sum, file); err != nil {
			err = identity.Errorf(identity.TooLarge, "The file could not be read, or has more than %s.", megabytes(provisioning.MaxKeptFile)).WithField("file").WithCause(err)
		}
		b.SHA256 = hex.EncodeToString(sum.Sum(nil))
	}
	if err == nil {
		b.Export, b.Events, err = d.prov.CheckExport(r.Context(), v.Actor, b.SHA256, b.Form.Value("signature"))
		b.Known = err == nil
	}
	_, rest := io.Copy(io.Discard, r.Body)
	if err != nil && !b.Form.refused(err) {
		return errors.Join(err, rest)
	}
	return d.checkPage(w, r, v, b)
}
