package console

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

func (d *Door) typeRoutes() []route {
	return []route{
		{"GET /console/types", usersRead, d.types},
		{"POST /console/types", usersWrite, d.createType},
		{"GET /console/types/{type}", usersWrite, d.editType},
		{"POST /console/types/{type}", usersWrite, d.updateType},
		{"GET /console/types/{type}/delete", usersWrite, d.confirmDeleteType},
		{"POST /console/types/{type}/delete", usersWrite, d.deleteType},
	}
}

// typeRow is a user type with the title of the role that it proposes.
type typeRow struct {
	identity.UserType
	Role    string
	Default bool // of everybody to whom nobody gave another one
}

type typesBody struct {
	Form       form
	Types      []typeRow
	Extensible bool // the access model lets types be added
	Write      bool
	Roles      roleOptions
}

// types lists the words for people that the access model has, and those that were added.
func (d *Door) types(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.typeList(w, r, v, blank())
}

func (d *Door) typeList(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	found, err := d.prov.UserTypes(r.Context(), v.Actor)
	if err != nil {
		return err
	}
	body := typesBody{Form: f, Extensible: d.prov.Model().UserTypesExtensible(), Write: v.Can(household)}
	for _, t := range found {
		body.Types = append(body.Types, d.typeRow(t))
	}
	if body.Roles, err = d.roleOptions(r.Context(), v); err != nil {
		return err
	}
	s := screen{Title: "User types", Nav: "types", Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "types", s)
}

func (d *Door) typeRow(t identity.UserType) typeRow {
	row := typeRow{UserType: t, Default: t.ID == d.prov.Model().DefaultUserType()}
	if role, ok := d.prov.Model().Role(t.DefaultRole); ok {
		row.Role = role.Title
	}
	return row
}

func (d *Door) createType(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "title", "role")
	if err != nil {
		return err
	}
	_, err = d.prov.CreateUserType(r.Context(), v.Actor, identity.UserType{Title: f.Value("title"), DefaultRole: identity.RoleID(f.Value("role"))})
	switch {
	case err == nil:
		http.Redirect(w, r, "/console/types?done=type-created", http.StatusSeeOther)
		return nil
	case f.refused(err):
		return d.typeList(w, r, v, f)
	}
	return err
}

type typeBody struct {
	Form  form
	Type  typeRow
	Roles roleOptions
}

// pathType returns the type that the address names.
func (d *Door) pathType(r *http.Request, v visit) (typeRow, error) {
	all, err := d.prov.UserTypes(r.Context(), v.Actor)
	for _, t := range all {
		if string(t.ID) == r.PathValue("type") {
			return d.typeRow(t), nil
		}
	}
	if err == nil {
		err = identity.Errorf(identity.NotFound, "There is no such user type.")
	}
	return typeRow{}, err
}

func (d *Door) editType(w http.ResponseWriter, r *http.Request, v visit) error {
	t, err := d.pathType(r, v)
	if err != nil {
		return err
	}
	return d.typePage(w, r, v, t, blank("title", t.Title, "role", string(t.DefaultRole), "was", t.was()))
}

// was is what a form of a type was made from.
func (t typeRow) was() string { return t.Title + " / " + string(t.DefaultRole) }

func (d *Door) typePage(w http.ResponseWriter, r *http.Request, v visit, t typeRow, f form) error {
	roles, err := d.roleOptions(r.Context(), v)
	if err != nil {
		return err
	}
	s := screen{Title: "Edit " + t.Title, Nav: "types", Body: typeBody{Form: f, Type: t, Roles: roles}}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "type", s)
}

// updateType saves a type. When somebody was faster, the page shows what it says now beside what was typed.
func (d *Door) updateType(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "title", "role")
	if err != nil {
		return err
	}
	t, err := d.pathType(r, v)
	if err != nil {
		return err
	}
	if f.stale(t.was()) {
		return d.typePage(w, r, v, t, f)
	}
	_, err = d.prov.UpdateUserType(r.Context(), v.Actor, t.ID, func(t *identity.UserType) error {
		t.Title, t.DefaultRole = f.Value("title"), identity.RoleID(f.Value("role"))
		return nil
	})
	switch {
	case err == nil:
		http.Redirect(w, r, "/console/types?done=type-saved", http.StatusSeeOther)
		return nil
	case f.refused(err):
		return d.typePage(w, r, v, t, f)
	}
	return err
}

func typeDeletion(t typeRow) confirmBody {
	return confirmBody{
		Title: "Delete the user type " + t.Title + "?", Button: "Delete " + t.Title, Danger: true,
		Action: "/console/types/" + string(t.ID) + "/delete", Back: "/console/types",
		Facts: []string{"Nobody can be given it any more. A type grants nothing, so nobody’s rights change.", "It can be deleted only while nobody has it."},
	}
}

func (d *Door) confirmDeleteType(w http.ResponseWriter, r *http.Request, v visit) error {
	t, err := d.pathType(r, v)
	if err != nil {
		return err
	}
	return d.confirm(w, r, v, "types", typeDeletion(t))
}

func (d *Door) deleteType(w http.ResponseWriter, r *http.Request, v visit) error {
	t, err := d.pathType(r, v)
	if err != nil {
		return err
	}
	f := blank()
	err = d.prov.DeleteUserType(r.Context(), v.Actor, t.ID)
	switch {
	case err == nil:
		http.Redirect(w, r, "/console/types?done=type-deleted", http.StatusSeeOther)
		return nil
	case f.refused(err):
		f.Problem.Field = ""
		c := typeDeletion(t)
		c.Form = f
		return d.confirm(w, r, v, "types", c)
	}
	return err
}
