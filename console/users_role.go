package console

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// backTo is the list that a form was sent from, with what to say there; the list itself where the form does not say.
func backTo(f form, done string) string {
	to, err := url.Parse(returnTo(f.Value("back")))
	if err != nil || to.Path != usersPath {
		to = &url.URL{Path: usersPath}
	}
	q := to.Query()
	q.Del("done")
	if done != "" {
		q.Set("done", done)
	}
	to.RawQuery = q.Encode()
	return to.String()
}

// setRole gives somebody another role in place of theirs, from the list. Where the model wants a reason, or the role manages people, a page asks first.
func (d *Door) setRole(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "reason", "role")
	if err != nil {
		return err
	}
	u, err := d.pathUser(r, v)
	if err != nil {
		return err
	}
	id := identity.RoleID(f.Value("role"))
	if id == "" {
		id = identity.RoleID(f.Value("role-" + string(u.ID)))
	}
	role, ok := v.prov.Model().Role(id)
	if !ok {
		return identity.Errorf(identity.Invalid, "Choose a role of the list.").WithField("role")
	}
	body := askSetRole(v, u, role, f)
	if body.Reason && f.Value("sure") == "" {
		return d.show(w, r, v, "user_role_set", screen{Title: body.Title, Nav: "users", Body: setRoleBody{body, role.ID, f.Value("back")}})
	}
	_, err = d.prov.SetRoles(r.Context(), v.Actor, u.ID, []identity.RoleID{role.ID}, f.Value("reason"))
	if err == nil {
		http.Redirect(w, r, backTo(f, "role-set"), http.StatusSeeOther)
		return nil
	}
	if !f.refused(err) {
		return err
	}
	body.Form = f
	return d.confirmSetRole(w, r, v, setRoleBody{body, role.ID, f.Value("back")})
}

type setRoleBody struct {
	confirmBody
	Role   identity.RoleID
	BackTo string
}

func (d *Door) confirmSetRole(w http.ResponseWriter, r *http.Request, v visit, b setRoleBody) error {
	s := screen{Title: b.Title, Nav: "users", Body: b, Status: http.StatusBadRequest}
	return d.show(w, r, v, "user_role_set", s)
}

// askSetRole is the question about a role that is set; its Reason says that it has to be asked.
func askSetRole(v visit, u identity.User, role identity.Role, f form) confirmBody {
	m := v.prov.Model()
	var titles []string
	sensitive := m.Privileged(role.ID)
	for _, held := range u.Roles {
		titles = append(titles, held.Title)
		sensitive = sensitive || m.Privileged(held.ID)
	}
	c := confirmBody{
		Title: fmt.Sprintf("Make %s %s?", u.Label(), role.Title), Who: u.Email(), Button: fmt.Sprintf("Set the role %s", role.Title),
		Action: usersPath + "/" + string(u.ID) + "/set-role", Back: backTo(f, ""), Reason: sensitive || m.ReasonRequired(),
	}
	if len(titles) > 0 {
		c.Facts = append(c.Facts, fmt.Sprintf("The role %s is taken away. What a directory or a provider gives stays.", strings.Join(titles, ", ")))
	}
	if m.Privileged(role.ID) {
		c.Facts = append(c.Facts, fmt.Sprintf("%s may manage people: whoever has it can let others in and keep them out.", role.Title))
	}
	c.Facts = append(c.Facts, "It counts from the next click of this person; nobody has to sign in again.")
	return c
}

// deletedUser is somebody who was deleted and may come back.
func (d *Door) deletedUser(r *http.Request, v visit) (identity.User, error) {
	id, err := pathID[identity.UserID](r, "id")
	if err != nil {
		return identity.User{}, err
	}
	only := &identity.Filter{Op: identity.OpEq, Attr: identity.Attribute{Name: "id", Type: identity.TypeString, CaseExact: true}, Value: string(id)}
	page, err := d.prov.Users(r.Context(), v.Actor, identity.Query{Deleted: true, Filter: only, Limit: 1})
	if err == nil && len(page.Items) == 0 {
		err = identity.Errorf(identity.NotFound, "Nobody with this id was deleted here, or the person came back already.")
	}
	if err != nil {
		return identity.User{}, err
	}
	return page.Items[0], nil
}

func askRestore(u identity.User) confirmBody {
	return confirmBody{
		Title: fmt.Sprintf("Restore %s?", u.Label()), Who: u.Email(), Button: fmt.Sprintf("Restore %s", u.Label()),
		Action: usersPath + "/" + string(u.ID) + "/restore", Back: usersPath + "?status=" + string(statusDeleted),
		Facts: []string{"The account comes back as it was: the same tenant, roles and history.", "Passwords and sessions do not come back."},
	}
}

func (d *Door) confirmRestoreUser(w http.ResponseWriter, r *http.Request, v visit) error {
	u, err := d.deletedUser(r, v)
	if err != nil {
		return err
	}
	return d.confirm(w, r, v, "users", askRestore(u))
}
