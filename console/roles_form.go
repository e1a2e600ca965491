package console

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

// roleFields are the inputs of a role's form that can show an error of their own.
var roleFields = []string{"title", "description", "intended for", "provides", "scope", "grants", "levels", "confirm sensitive", "reason"}

// status is that of a page which shows a form: what was wrong, else 200.
func (f form) status() int {
	if f.Problem == nil {
		return 0
	}
	return web.Status(f.Problem)
}

type roleFormBody struct {
	rolePage
	Form    form
	Grid    grantGrid
	Others  []identity.Role
	Against identity.RoleID
	Now     identity.RoleDefinition // what it says now, when somebody was faster
	Stale   bool
	From    identity.Role // whose rights a new role began with
}

// ID is that of the role that is edited; "" of a new one.
func (b roleFormBody) ID() identity.RoleID { return b.Role.ID }

// newRole shows an empty form, or one that begins with the rights of another role.
func (d *Door) newRole(w http.ResponseWriter, r *http.Request, v visit) error {
	f := blank("scope", string(identity.ScopeTenant))
	f.fields = roleFields
	if id := identity.RoleID(clip(r.FormValue("from"), 100)); id != "" {
		detail, err := d.prov.Role(r.Context(), v.Actor, id, identity.Query{})
		if err != nil {
			return err
		}
		d.fillRoleForm(&f, detail.Role)
		f.Values.Set("from", string(id))
		f.Values.Set("title", "")
		if r.FormValue("without") == "sensitive" {
			f.Values["grant"] = slices.DeleteFunc(f.Values["grant"], d.sensitiveGrant)
		}
	}
	return d.roleForm(w, r, v, f)
}

// sensitiveGrant reports whether a ticked permission is of something that the model calls sensitive.
func (d *Door) sensitiveGrant(grant string) bool {
	resource, _, _ := strings.Cut(grant, ":")
	return slices.Contains(d.prov.Model().Sensitive(), resource)
}

// fillRoleForm puts a role into the fields of a form.
func (d *Door) fillRoleForm(f *form, x identity.RoleDefinition) {
	for name, value := range map[string]string{
		"title": x.Title, "description": x.Description, "intended_for": x.IntendedFor, "provides": x.Provides, "scope": string(x.Scope),
		"version": strconv.FormatInt(x.Version, 10),
	} {
		f.Values.Set(name, value)
	}
	f.Values.Del("grant")
	g := d.grantsOf(x)
	for _, r := range d.grantResources() {
		for _, action := range g.of(r) {
			f.Values.Add("grant", r.ID+":"+action)
		}
		if x.Levels[r.ID] != "" {
			f.Values.Set("data."+r.ID, x.Levels[r.ID])
		}
	}
}

// editRole shows the form of a role.
func (d *Door) editRole(w http.ResponseWriter, r *http.Request, v visit) error {
	p, detail, err := d.rolePage(r, v, "", identity.Query{})
	if err != nil {
		return err
	}
	if !p.Change {
		return identity.Errorf(identity.Forbidden, "%s", detail.Why)
	}
	f := blank("against", clip(r.FormValue("against"), 100))
	f.fields = roleFields
	d.fillRoleForm(&f, detail.Role)
	return d.roleForm(w, r, v, f)
}

// editRoleAgain shows the form as it was typed: on the way back from the preview, and with another role beside it.
func (d *Door) editRoleAgain(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, roleFields...)
	if err != nil {
		return err
	}
	return d.roleForm(w, r, v, f)
}

func (d *Door) newRoleAgain(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.editRoleAgain(w, r, v)
}

// roleForm shows the form of the role of the path, or of a new one, with what was typed.
func (d *Door) roleForm(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	b := roleFormBody{rolePage: rolePage{roleHead: d.roleHead(v)}, Form: f}
	if r.PathValue("id") != "" {
		var err error
		if b.rolePage, _, err = d.rolePage(r, v, "", identity.Query{}); err != nil {
			return err
		}
	}
	if !b.Edits {
		return d.prov.MayEditRoles(v.Actor)
	}
	b.Others, b.Against = d.otherRoles(b.ID()), identity.RoleID(clip(f.Value("against"), 100))
	b.From, _ = d.prov.Model().Role(identity.RoleID(f.Value("from")))
	typed := d.typedGrants(f, b.Role.Scope)
	other, title, err := d.against(r, v, b.Against)
	if err != nil {
		return err
	}
	if f.Problem != nil && f.Problem.Kind == identity.Precondition && f.Problem.Code != "confirm_sensitive" {
		b.Stale, b.Now = true, b.Role
		f.Values.Set("version", strconv.FormatInt(b.Role.Version, 10))
		now := d.grantsOf(b.Role)
		other, title = &now, "It now says"
	}
	b.Grid = d.grid(typed, other, title)
	b.Grid.refuse(f)
	s := screen{Title: "New role", Nav: "roles", Status: f.status(), Body: b}
	if b.ID() != "" {
		s.Title = "Edit " + b.Role.Title
	}
	return d.show(w, r, v, "role_form", s)
}

// typedGrants reads the permissions of a form: a named level of a row goes before its ticks.
func (d *Door) typedGrants(f form, scope identity.RoleScope) grants {
	if scope == "" {
		scope = identity.RoleScope(f.Value("scope"))
	}
	g := grants{Scope: scope, By: map[string][]string{}, Levels: map[string]string{}}
	for _, grant := range f.Values["grant"] {
		resource, action, _ := strings.Cut(grant, ":")
		g.By[resource] = append(g.By[resource], action)
	}
	for _, r := range d.grantResources() {
		if chosen := f.Value("level." + r.ID); chosen != "" {
			for _, l := range d.prov.Model().Levels(r.ID) {
				if l.Name == chosen {
					g.By[r.ID] = l.Actions
				}
			}
		}
		if level := f.Value("data." + r.ID); level != "" && len(g.By[r.ID]) > 0 {
			g.Levels[r.ID] = level
		}
	}
	return g
}

// roleDraft reads the form of a role.
func (d *Door) roleDraft(f form) provisioning.RoleDraft {
	g := d.typedGrants(f, "")
	draft := provisioning.RoleDraft{
		Title: f.Value("title"), Description: f.Value("description"), IntendedFor: f.Value("intended_for"), Provides: f.Value("provides"),
		Scope: g.Scope, Grants: g.By, ConfirmSensitive: f.Values["confirm"], Reason: f.Value("reason"),
	}
	if len(g.Levels) > 0 {
		draft.Levels = g.Levels
	}
	if from, ok := d.prov.Model().Role(identity.RoleID(f.Value("from"))); ok && draft.Reason == "" {
		draft.Reason = "a copy of " + from.Title
	}
	return draft
}

type rolePreviewBody struct {
	rolePage
	provisioning.RolePreview
	Form    form
	Hidden  []pair   // names and values of everything that was typed
	Buttons []string // one, or those of the model
	People  int64
	About   identity.Event // what is said about the role and changes
}

// Affected is for how many of the people who are named something changes.
func (b rolePreviewBody) Affected() int {
	var n int
	for _, who := range b.Holders.Items {
		if len(who.Effects) > 0 {
			n++
		}
	}
	return n
}

// Others is how many people hold the role and are not named.
func (b rolePreviewBody) Others() int64 { return b.People - int64(len(b.Holders.Items)) }

// previewRole shows what saving would change, and for whom, and asks.
func (d *Door) previewRole(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, roleFields...)
	if err != nil {
		return err
	}
	return d.rolePreview(w, r, v, f)
}

func (d *Door) rolePreview(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	id := identity.RoleID(clip(r.PathValue("id"), 100))
	p, err := d.prov.PreviewRole(r.Context(), v.Actor, id, versionOf(f), d.roleDraft(f), mostNamed)
	switch {
	case err == nil:
	case identity.KindOf(err) != identity.NotFound && f.refused(err):
		return d.roleForm(w, r, v, f)
	default:
		return err
	}
	b := rolePreviewBody{rolePage: rolePage{roleHead: d.roleHead(v), Role: p.Role}, RolePreview: p, Form: f, Hidden: typed(f, "confirm", "reason", "then"), People: p.Holders.Total, About: identity.Event{Changes: p.Texts}, Buttons: d.prov.Model().Captions("save")}
	if len(b.Buttons) != 2 || id == "" {
		b.Buttons = []string{"Save"}
	}
	s := screen{Title: "Save " + p.Role.Title + "?", Nav: "roles", Status: f.status(), Body: b}
	return d.show(w, r, v, "role_preview", s)
}

// typed returns what was typed as pairs of name and value, without some names.
func typed(f form, without ...string) []pair {
	var out []pair
	for name, values := range f.Values {
		if slices.Contains(without, name) {
			continue
		}
		for _, value := range values {
			out = append(out, pair{name, value})
		}
	}
	slices.SortStableFunc(out, func(a, b pair) int { return strings.Compare(a.First.(string), b.First.(string)) })
	return out
}

// versionOf is the version that a form was made from. A form without one is as old as can be, so that it never writes over anything.
func versionOf(f form) int64 {
	version, err := strconv.ParseInt(f.Value("version"), 10, 64)
	if err != nil || version < 1 {
		return -1
	}
	return version
}

// createRole makes a role. What is sensitive in it is asked about first.
func (d *Door) createRole(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, roleFields...)
	if err != nil {
		return err
	}
	role, err := d.prov.CreateRole(r.Context(), v.Actor, d.roleDraft(f))
	switch {
	case err == nil:
		http.Redirect(w, r, roleURL(role.ID)+"?done=role-created", http.StatusSeeOther)
		return nil
	case unconfirmed(err) && len(f.Values["confirm"]) == 0 && !f.Values.Has("asked"):
		f.Values.Set("asked", "yes")
		return d.rolePreview(w, r, v, f)
	case !f.refused(err):
		return err
	case unconfirmed(err):
		return d.rolePreview(w, r, v, f)
	}
	return d.roleForm(w, r, v, f)
}

// unconfirmed reports whether something sensitive waits for a word.
func unconfirmed(err error) bool {
	var f form
	return f.refused(err) && f.Problem.Code == "confirm_sensitive"
}

// updateRole saves a role. When somebody was faster the form shows both, and saving again is deliberate.
func (d *Door) updateRole(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, roleFields...)
	if err != nil {
		return err
	}
	id := identity.RoleID(clip(r.PathValue("id"), 100))
	out, err := d.prov.UpdateRole(r.Context(), v.Actor, id, versionOf(f), d.roleDraft(f))
	switch {
	case err == nil:
		http.Redirect(w, r, d.afterSave(f, out.Role, versionOf(f)), http.StatusSeeOther)
		return nil
	case identity.KindOf(err) == identity.NotFound || !f.refused(err):
		return err
	case unconfirmed(err):
		return d.rolePreview(w, r, v, f)
	}
	return d.roleForm(w, r, v, f)
}

// afterSave is where saving leads: to the role's page, or where the model's own two buttons say, to the form again or to the list.
func (d *Door) afterSave(f form, role identity.RoleDefinition, version int64) string {
	done := "?done=role-updated"
	if role.Version == version {
		done = "?done=role-unchanged"
	}
	if buttons := d.prov.Model().Captions("save"); len(buttons) == 2 {
		switch f.Value("then") {
		case buttons[0]:
			return roleURL(role.ID) + "/edit" + done
		case buttons[1]:
			return "/console/roles" + done
		}
	}
	return roleURL(role.ID) + done
}
