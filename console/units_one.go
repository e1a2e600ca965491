package console

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

type unitBody struct {
	unitsBody
	Unit    unitRow
	Parent  unitRow
	Below   []unitRow // directly below it
	Places  []unitRow // where it can be moved to
	Heirs   []unitRow // which can take over what it has
	People  []identity.User
	Pager   pager
	PeopleU string // the list of people with this unit alone
}

// Root reports whether it is the root of its tenant.
func (b unitBody) Root() bool { return b.Unit.ParentID == "" }

// Rename is where the form with the name goes.
func (b unitBody) Rename() string { return b.at(unitsPath + "/" + string(b.Unit.ID) + "/name") }

// Move is where the form that moves the unit goes.
func (b unitBody) Move() string { return b.at(unitsPath + "/" + string(b.Unit.ID) + "/move") }

// Delete is where the question before deleting stands.
func (b unitBody) Delete() string { return b.at(unitsPath + "/" + string(b.Unit.ID) + "/delete") }

// pathUnit returns the unit that the address names, with what is around it.
func (d *Door) pathUnit(r *http.Request, v visit) (unitBody, error) {
	id, err := pathID[identity.UnitID](r, "id")
	if err != nil {
		return unitBody{}, err
	}
	all, err := d.tree(r, v)
	if err != nil {
		return unitBody{}, err
	}
	b := unitBody{unitsBody: all}
	for _, u := range all.Units {
		if u.ID == id {
			b.Unit = u
		}
	}
	if b.Unit.ID == "" {
		return b, identity.Errorf(identity.NotFound, "There is no such unit here.")
	}
	b.surround()
	return b, nil
}

// surround finds what is above and below the unit, and what is neither itself nor below it.
func (b *unitBody) surround() {
	inside := map[identity.UnitID]bool{b.Unit.ID: true}
	for _, u := range b.Units { // each comes before what is below it
		switch {
		case u.ID == b.Unit.ParentID:
			b.Parent = u
		case u.ParentID == b.Unit.ID:
			b.Below = append(b.Below, u)
		}
		if inside[u.ParentID] {
			inside[u.ID] = true
		}
		if inside[u.ID] {
			continue
		}
		if !u.Team() {
			b.Places = append(b.Places, u)
		}
		if u.Kind == b.Unit.Kind && (!u.Team() || u.ParentID == b.Unit.ParentID) {
			b.Heirs = append(b.Heirs, u)
		}
	}
}

func (d *Door) unit(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.unitPage(w, r, v, blank())
}

func (d *Door) unitPage(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	b, err := d.pathUnit(r, v)
	if err != nil {
		return err
	}
	q := keyset(r)
	q.Unit = b.Unit.ID
	found, err := d.prov.Users(r.Context(), v.Actor, q)
	if err != nil {
		return err
	}
	b.Pager = turn(r, q, &found, func(u identity.User) string { return string(u.ID) })
	b.People, b.PeopleU = found.Items, "/console/users?unit="+string(b.Unit.ID)
	if f.Problem == nil {
		f = blank("name", b.Unit.Name, "below", string(b.Unit.ParentID))
	}
	b.Form = f
	s := screen{Title: b.Unit.Name, Nav: "units", Body: b}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "unit", s)
}

func (d *Door) renameUnit(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.changeUnit(w, r, v, "unit-renamed", func(f *form, b unitBody) error {
		f.Values.Set("below", string(b.Unit.ParentID))
		_, err := d.prov.RenameUnit(r.Context(), v.Actor, b.Unit.ID, f.Value("name"))
		return err
	})
}

func (d *Door) moveUnit(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.changeUnit(w, r, v, "unit-moved", func(f *form, b unitBody) error {
		f.Values.Set("name", b.Unit.Name)
		_, err := d.prov.MoveUnit(r.Context(), v.Actor, b.Unit.ID, identity.UnitID(f.Value("below")))
		return err
	})
}

// changeUnit does one thing to a unit; what is refused is said on its page.
func (d *Door) changeUnit(w http.ResponseWriter, r *http.Request, v visit, done string, change func(*form, unitBody) error) error {
	f, err := readForm(w, r, "name", "below")
	if err != nil {
		return err
	}
	b, err := d.pathUnit(r, v)
	if err != nil {
		return err
	}
	err = change(&f, b)
	switch {
	case err == nil:
		http.Redirect(w, r, b.done(done, b.Unit.ID), http.StatusSeeOther)
		return nil
	case f.refused(err):
		parentField(&f)
		return d.unitPage(w, r, v, f)
	}
	return err
}

func (d *Door) confirmDeleteUnit(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.deletionPage(w, r, v, blank())
}

// deletionPage asks who takes over what a unit has, and says what will happen.
func (d *Door) deletionPage(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	b, err := d.pathUnit(r, v)
	if err != nil {
		return err
	}
	b.Form = f
	s := screen{Title: "Delete " + b.Unit.Name, Nav: "units", Body: b}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "unit_delete", s)
}

func (d *Door) deleteUnit(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "heir", "reason")
	if err != nil {
		return err
	}
	b, err := d.pathUnit(r, v)
	if err != nil {
		return err
	}
	err = d.prov.DeleteUnit(r.Context(), v.Actor, b.Unit.ID, identity.UnitID(f.Value("heir")), f.Value("reason"))
	switch {
	case err == nil:
		http.Redirect(w, r, b.done("unit-deleted", b.Unit.ParentID), http.StatusSeeOther)
		return nil
	case f.refused(err):
		return d.deletionPage(w, r, v, f)
	}
	return err
}
