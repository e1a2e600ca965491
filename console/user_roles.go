package console

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

// userRoleRoutes are the acts on somebody's roles.
func (d *Door) userRoleRoutes() []route {
	return []route{
		{"POST /console/users/{id}/roles", usersWrite, d.giveRole},
		{"GET /console/users/{id}/roles/{role}/remove", usersWrite, d.askTakeRole},
		{"POST /console/users/{id}/roles/{role}/remove", usersWrite, d.takeRole},
		{"GET /console/users/{id}/roles/copy", rolesWrite, d.copyRoleForm},
		{"POST /console/users/{id}/roles/copy", rolesWrite, d.copyRole},
	}
}

// assignmentRow is one role of somebody, with where it came from.
type assignmentRow struct {
	identity.Assignment
	Title string
	From  string // the directory, connection or file that gave it
	Gone  bool   // an administrator may take it away
}

// rolesCard is what the page of a user shows of roles.
type rolesCard struct {
	At     string
	Who    string
	Title  string // the access model's word for roles
	Rows   []assignmentRow
	Held   []identity.Role // what somebody has that administrators gave
	Give   []identity.Role // what may be given
	One    bool            // nobody has more than one: it is exchanged
	Insert bool            // the access model says Insert, not Add
	Named  bool            // its roles are called profiles
	Reason bool            // one has to be given
	Copy   bool            // the visitor may make a role of their own after one that is held
	Write  bool
	Takes  bool // there is one that may be taken away
	Kept   bool // an owner's role stays
	Form   form

	Editing bool // the card stands on the page to edit somebody, which stays open
}

// rolesToEdit is the card on the page to edit somebody.
func (d *Door) rolesToEdit(ctx context.Context, v visit, detail provisioning.UserDetail) (rolesCard, error) {
	b := userBody{UserDetail: detail, At: userPath + string(detail.User.ID), Write: v.Can(usersWrite), userShown: userShown{Form: blank()}}
	var err error
	if b.Owner, err = d.owns(ctx, v, detail.User); err != nil {
		return rolesCard{}, err
	}
	c, err := d.rolesCard(ctx, v, &b)
	c.Editing = true
	return c, err
}

// afterRole is where somebody goes on after the roles of a person were changed: to the page from which that was done.
func afterRole(id identity.UserID, f form, done string) string {
	at := userPath + string(id)
	if f.Value("back") == "edit" {
		at += "/edit"
	}
	return at + "?done=" + done + "#roles"
}

// rolesTitle is the access model's word for roles: the caption of its page, else what its catalogue calls them.
func (v visit) rolesTitle() string {
	for _, r := range v.prov.Model().Catalogue() {
		if r.ID == "roles" && r.Owner == "drawbridge" {
			return v.Caption("roles_page", r.Title)
		}
	}
	return v.Caption("roles_page", "Roles")
}

func (d *Door) rolesCard(ctx context.Context, v visit, b *userBody) (rolesCard, error) {
	m := v.prov.Model()
	least, most := m.AssignmentBounds()
	owner, _ := m.Owner()
	c := rolesCard{
		At: b.At, Who: b.User.Label(), Title: v.rolesTitle(), Rows: v.assignments(b.UserDetail), One: most == 1, Insert: m.Caption("add", "") == "Insert", Reason: m.ReasonRequired(),
		Named: m.Caption("roles_page", "") == "Profiles", Kept: b.Owner && owner.Denies("role_change"), Form: b.Form,
	}
	c.Write = b.Write && !c.Kept
	c.Copy = c.Write && m.RolesEditable() && v.Can(rolesWrite)
	own := map[identity.RoleID]bool{}
	for _, row := range c.Rows {
		if role, ok := m.Role(row.RoleID); ok && ofAdministrator(row.Source) {
			c.Held, own[role.ID] = append(c.Held, role), true
		}
	}
	for i := range c.Rows {
		c.Rows[i].Gone = c.Write && ofAdministrator(c.Rows[i].Source) && len(distinct(c.Rows)) > least
		c.Takes = c.Takes || c.Rows[i].Gone
	}
	if !c.Write {
		return c, nil
	}
	roles, err := d.prov.AssignableRoles(ctx, v.Actor, b.User.TenantID)
	c.Give = slices.DeleteFunc(roles, func(r identity.Role) bool { return own[r.ID] })
	return c, err
}

func ofAdministrator(s identity.SourceKind) bool {
	return s == identity.SourceManual || s == identity.SourceDefault || s == identity.SourceImport
}

func distinct(rows []assignmentRow) map[identity.RoleID]bool {
	out := map[identity.RoleID]bool{}
	for _, row := range rows {
		out[row.RoleID] = true
	}
	return out
}

// assignments joins the roles of a user with their titles and the names of what gave them.
func (v visit) assignments(detail provisioning.UserDetail) []assignmentRow {
	out := make([]assignmentRow, 0, len(detail.Assignments))
	for _, a := range detail.Assignments {
		row := assignmentRow{Assignment: a, Title: string(a.RoleID)}
		if role, ok := v.prov.Model().Role(a.RoleID); ok {
			row.Title = role.Title
		}
		for _, link := range detail.Directories {
			if string(link.DirectoryID) == a.SourceID {
				row.From = link.DirectoryName
			}
		}
		for _, link := range detail.Links {
			if string(link.ConnectionID) == a.SourceID {
				row.From = link.ConnectionName
			}
		}
		if a.Source == identity.SourceImport {
			row.From = a.SourceID
		}
		out = append(out, row)
	}
	return out
}

// roleChange is what is asked about before sensitive things are given away.
type roleChange struct {
	provisioning.RolesPreview
	At     string
	Role   identity.Role
	Reason string
	Form   form
}

// giveRole gives one more role, or another one where nobody has more than one. What is sensitive is asked about first.
func (d *Door) giveRole(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.UserID](r, "id")
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "role", "reason")
	if err != nil {
		return err
	}
	role := identity.RoleID(f.Value("role"))
	if f.Value("sure") == "" {
		p, err := d.prov.PreviewRoles(r.Context(), v.Actor, id, d.rolesThen(r, v, id, role))
		if err == nil && len(p.Sensitive()) > 0 {
			return d.askSensitive(w, r, v, p, role, f)
		}
		if err != nil {
			return d.refusedRole(w, r, v, id, f, err)
		}
	}
	_, most := v.prov.Model().AssignmentBounds()
	if most == 1 {
		_, err = d.prov.SetRoles(r.Context(), v.Actor, id, []identity.RoleID{role}, f.Value("reason"))
	} else {
		_, err = d.prov.AssignRole(r.Context(), v.Actor, id, role, f.Value("reason"))
	}
	if err != nil {
		return d.refusedRole(w, r, v, id, f, err)
	}
	http.Redirect(w, r, afterRole(id, f, "role-given"), http.StatusSeeOther)
	return nil
}

// refusedRole shows on the page of the person why nothing was changed.
func (d *Door) refusedRole(w http.ResponseWriter, r *http.Request, v visit, id identity.UserID, f form, err error) error {
	if identity.KindOf(err) == identity.NotFound || !f.refused(err) {
		return err
	}
	if f.Problem.Field == "roles" {
		f.Problem.Field = "role"
	}
	return d.userPage(w, r, v, id, userShown{Form: f})
}

// rolesThen are the roles that administrators would have given somebody after one more.
func (d *Door) rolesThen(r *http.Request, v visit, id identity.UserID, role identity.RoleID) []identity.RoleID {
	if _, most := v.prov.Model().AssignmentBounds(); most == 1 {
		return []identity.RoleID{role}
	}
	out := []identity.RoleID{role}
	detail, err := d.prov.UserDetail(r.Context(), v.Actor, id)
	if err != nil {
		return out // who asks for the change is told
	}
	for _, a := range detail.Assignments {
		if ofAdministrator(a.Source) && !slices.Contains(out, a.RoleID) {
			out = append(out, a.RoleID)
		}
	}
	return out
}

func (d *Door) askSensitive(w http.ResponseWriter, r *http.Request, v visit, p provisioning.RolesPreview, role identity.RoleID, f form) error {
	given, _ := v.prov.Model().Role(role)
	body := roleChange{RolesPreview: p, At: userPath + string(p.User.ID), Role: given, Reason: f.Value("reason"), Form: f}
	return d.show(w, r, v, "user_role_sensitive", screen{Title: "Give " + given.Title + " to " + p.User.Label() + "?", Nav: "users", Body: body})
}

// askTakeRole asks why a role is taken away, where that has to be said.
func (d *Door) askTakeRole(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.takeRolePage(w, r, v, blank())
}

func (d *Door) takeRolePage(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	u, err := d.pathUser(r, v)
	if err != nil {
		return err
	}
	role, ok := v.prov.Model().Role(identity.RoleID(r.PathValue("role")))
	if !ok {
		return identity.Errorf(identity.NotFound, "There is no such role.")
	}
	body := roleChange{RolesPreview: provisioning.RolesPreview{User: u}, At: userPath + string(u.ID), Role: role, Form: f}
	s := screen{Title: "Take " + role.Title + " from " + u.Label() + "?", Nav: "users", Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "user_role_remove", s)
}

// takeRole takes away a role that an administrator gave.
func (d *Door) takeRole(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.UserID](r, "id")
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "reason")
	if err != nil {
		return err
	}
	_, err = d.prov.RemoveRole(r.Context(), v.Actor, id, identity.RoleID(r.PathValue("role")), f.Value("reason"))
	switch {
	case err == nil:
		http.Redirect(w, r, afterRole(id, f, "role-taken"), http.StatusSeeOther)
		return nil
	case identity.CodeOf(err) == "reason_required" && f.refused(err):
		return d.takeRolePage(w, r, v, f)
	}
	return d.refusedRole(w, r, v, id, f, err)
}

type roleCopyBody struct {
	User  identity.User
	At    string
	Roles []identity.Role
	Named bool         // the roles are called profiles
	Sure  []copyChoice // what is sensitive and has to be ticked
	Form  form
}

// copyChoice is something sensitive that a copy would grant.
type copyChoice struct {
	ID, Title string
	Ticked    bool
}

// copyRoleForm asks how a copy of a role is called that somebody gets in its place.
func (d *Door) copyRoleForm(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.copyRolePage(w, r, v, blank("role", r.FormValue("role"), "title", r.FormValue("title")))
}

func (d *Door) copyRolePage(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	u, err := d.pathUser(r, v)
	if err != nil {
		return err
	}
	roles, err := d.prov.AssignableRoles(r.Context(), v.Actor, u.TenantID)
	if err != nil {
		return err
	}
	body := roleCopyBody{User: u, At: userPath + string(u.ID), Roles: roles, Named: v.Caption("roles_page", "") == "Profiles", Form: f}
	if f.Problem != nil && f.Problem.Code == "confirm_sensitive" {
		for _, resource := range v.prov.Model().Catalogue() {
			if slices.Contains(f.Problem.Choices, resource.ID) {
				body.Sure = append(body.Sure, copyChoice{resource.ID, resource.Title, slices.Contains(f.Values["confirm"], resource.ID)})
			}
		}
	}
	s := screen{Title: "A copy for " + u.Label(), Nav: "users", Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "user_role_copy", s)
}

// copyRole makes a role after another and gives it, in place of the other where that was held. A copy grants what the first does, so nobody gains anything by it.
func (d *Door) copyRole(w http.ResponseWriter, r *http.Request, v visit) error {
	u, err := d.pathUser(r, v)
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "title", "role", "reason")
	if err != nil {
		return err
	}
	after := identity.RoleID(f.Value("role"))
	made, err := d.prov.CloneRole(r.Context(), v.Actor, after, provisioning.RoleCopy{Title: f.Value("title"), ConfirmSensitive: f.Values["confirm"], WithoutSensitive: f.Value("without") != ""})
	if err == nil {
		roles := slices.DeleteFunc(d.rolesThen(r, v, u.ID, made.ID), func(id identity.RoleID) bool { return id == after })
		_, err = d.prov.SetRoles(r.Context(), v.Actor, u.ID, roles, f.Value("reason"))
		if err != nil { // the copy is of no use to anybody
			_, gone := d.prov.DeleteRole(r.Context(), v.Actor, made.ID, "", f.Value("reason"))
			err = errors.Join(err, gone)
		}
	}
	switch {
	case err == nil:
		http.Redirect(w, r, userPath+string(u.ID)+"?done=role-copied#roles", http.StatusSeeOther)
		return nil
	case f.refused(err):
		return d.copyRolePage(w, r, v, f)
	}
	return err
}

// sourceText says where a role came from.
func sourceText(kind identity.SourceKind) string {
	switch kind {
	case identity.SourceDefault:
		return "Given on arrival"
	case identity.SourceManual:
		return "Given by hand"
	case identity.SourceDirectory:
		return "By a directory"
	case identity.SourceClaim:
		return "By a sign-in"
	case identity.SourceImport:
		return "By an import"
	}
	return string(kind)
}
