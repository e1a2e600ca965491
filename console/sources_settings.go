package console

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

// How many empty rows a form offers for more transforms and rules.
const moreRows = 2

type settingsBody struct {
	Form     form
	Source   identity.Source
	There    bool
	Tenant   string
	Action   string
	Back     string
	Guards   []guardField
	Fields   []provisioning.ImportField
	Kinds    []identity.TransformKind
	Mapping  []mappedRow
	Changes  []transformRow
	Rules    []ruleRow
	Policies []policyRow
	Roles    roleOptions
	Tenants  []identity.Tenant
	Types    []identity.UserType
}

// sourceSettings shows what holds for a source, to be changed.
func (d *Door) sourceSettings(w http.ResponseWriter, r *http.Request, v visit) error {
	s, there, err := d.pathSource(r.Context(), r, v)
	if err != nil {
		return err
	}
	return d.settingsPage(w, r, v, s, there, sourceForm(s))
}

// sourceForm is a form as the settings are.
func sourceForm(s identity.Source) form {
	o := s.Settings
	f := blank("welcome", string(o.Welcome), "role", string(o.Role), "seen", s.UpdatedAt.Format(time.RFC3339Nano))
	for name, on := range map[string]bool{
		"whole": o.Missing, "clear": o.Clear, "replace": o.ReplaceRoles, "auto": o.AutoApply, "nogroups": o.Guards.NoGroups, "endsessions": o.Guards.EndSession,
	} {
		if on {
			f.Values.Set(name, "1")
		}
	}
	for _, g := range guardFields(o.Guards) {
		f.Values.Set(g.Name, g.Value)
	}
	return f
}

func (d *Door) settingsPage(w http.ResponseWriter, r *http.Request, v visit, s identity.Source, there bool, f form) error {
	b := settingsBody{
		Form: f, Source: s, There: there, Action: sourceURL(s, "/settings"), Back: sourceURL(s, ""), Guards: guardFields(s.Settings.Guards), Fields: d.prov.ImportFields(),
		Kinds: transformKinds, Mapping: mappedRows(s.Settings.Mapping), Changes: transformRows(s.Settings.Transforms), Rules: ruleRows(s.Settings.Rules), Types: d.prov.Model().UserTypes(),
	}
	b.Policies = policyRows(b.Fields, s)
	if typed := typedRules(f); len(typed) > 0 {
		b.Rules = typed
	}
	if !there {
		b.Back = sourcesPath
	}
	var err error
	if b.Tenant, err = d.tenantName(r, v, s.TenantID); err != nil {
		return err
	}
	if b.Roles, err = d.roleOptions(r.Context(), v); err != nil {
		return err
	}
	if s.TenantID == "" {
		if b.Tenants, err = d.tenantOptions(r.Context(), v); err != nil {
			return err
		}
	}
	page := screen{Title: "Settings of " + s.Name, Nav: "sources", Body: b}
	if f.Problem != nil {
		page.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "source_settings", page)
}

// putSource saves what was chosen. When somebody was faster, the page says so beside what was typed, and saving again is deliberate.
func (d *Door) putSource(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, append(guardNames(), "role", "welcome", "mapping", "transforms", "rules", "fields", "source", "tenant")...)
	if err != nil {
		return err
	}
	s, there, err := d.pathSource(r.Context(), r, v)
	if err != nil {
		return err
	}
	typed := s
	typed.Settings, err = d.readSettings(r.Context(), v, f, s)
	if err == nil && there && f.Value("seen") != s.UpdatedAt.Format(time.RFC3339Nano) {
		err = identity.Errorf(identity.Precondition, "Somebody else changed the source while you wrote. Look at it in another window; saving again replaces what it says there.")
		f.Values.Set("seen", s.UpdatedAt.Format(time.RFC3339Nano))
	}
	if err == nil {
		if _, err = d.prov.PutSource(r.Context(), v.Actor, typed, f.Value("reason")); err == nil {
			http.Redirect(w, r, withDone(sourceURL(s, ""), "source-saved"), http.StatusSeeOther)
			return nil
		}
	}
	if !f.refused(err) {
		return err
	}
	return d.settingsPage(w, r, v, typed, there, f)
}

// withDone adds to an address what the next page says.
func withDone(at, done string) string {
	if strings.Contains(at, "?") {
		return at + "&done=" + done
	}
	return at + "?done=" + done
}

// readSettings decodes the form. What it does not show stays as it was: the folder, its pattern and the form of files are the operator's.
func (d *Door) readSettings(ctx context.Context, v visit, f form, s identity.Source) (identity.SourceSettings, error) {
	o := s.Settings
	o.Role, o.Welcome = identity.RoleID(f.Value("role")), identity.Welcome(f.Value("welcome"))
	o.Missing, o.Clear, o.ReplaceRoles, o.AutoApply = f.Value("whole") != "", f.Value("clear") != "", f.Value("replace") != "", f.Value("auto") != ""
	o.Mapping, o.Transforms, o.Fields = readMapping(f), readTransforms(f), readPolicies(f, d.prov.ImportFields())
	var err error
	if o.Rules, err = d.readRules(ctx, v, f); err != nil {
		return o, err
	}
	o.Guards, err = readGuards(f)
	return o, err
}

// mappedRow is a heading that is known, and what it is.
type mappedRow struct{ Heading, Field string }

func mappedRows(m identity.Mapping) []mappedRow {
	var out []mappedRow
	for heading, field := range m {
		out = append(out, mappedRow{heading, field})
	}
	slices.SortFunc(out, func(a, b mappedRow) int {
		return strings.Compare(strings.ToLower(a.Heading), strings.ToLower(b.Heading))
	})
	return out
}

func readMapping(f form) identity.Mapping {
	out := identity.Mapping{}
	fields := f.Values["mapped"]
	for i, heading := range f.Values["heading"] {
		if i < len(fields) && fields[i] != "?" { // "?" is one to be forgotten
			out[heading] = fields[i]
		}
	}
	return out
}

var transformKinds = []identity.TransformKind{
	identity.TransformTrim, identity.TransformLower, identity.TransformUpper, identity.TransformTitle, identity.TransformDate, identity.TransformDefault, identity.TransformConstant,
	identity.TransformReplace, identity.TransformMap, identity.TransformJoin,
}

// transformRow is a transform on a page: its arguments are one text with bars between them.
type transformRow struct {
	Field string
	Kind  identity.TransformKind
	Args  string
}

func transformRows(list []identity.Transform) []transformRow {
	out := make([]transformRow, 0, len(list)+moreRows)
	for _, t := range list {
		out = append(out, transformRow{t.Field, t.Kind, strings.Join(t.Args, "|")})
	}
	return append(out, make([]transformRow, moreRows)...)
}

func readTransforms(f form) []identity.Transform {
	var out []identity.Transform
	kinds, args := f.Values["transformkind"], f.Values["transformargs"]
	for i, field := range f.Values["transformfield"] {
		if field == "" || i >= len(kinds) || i >= len(args) {
			continue
		}
		t := identity.Transform{Field: field, Kind: identity.TransformKind(kinds[i])}
		if args[i] != "" {
			t.Args = strings.Split(args[i], "|")
		}
		out = append(out, t)
	}
	return out
}
