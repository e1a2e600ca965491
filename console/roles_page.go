package console

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// rolePage is what the three tabs of a role have in common.
type rolePage struct {
	roleHead
	Role   identity.RoleDefinition
	Tab    string
	Change bool // the visitor may change this role
	Delete bool
	Review bool // the visitor may say that it was looked at
	Kept   bool // nobody may change it, whatever the model says: it grants everything
}

// Page is the common part, for the templates of the tabs.
func (p rolePage) Page() rolePage { return p }

// rolePage reads a role of the path with the first holders that q asks for.
func (d *Door) rolePage(r *http.Request, v visit, tab string, q identity.Query) (rolePage, provisioning.RoleDetail, error) {
	detail, err := d.prov.Role(r.Context(), v.Actor, identity.RoleID(clip(r.PathValue("id"), 100)), q)
	p := rolePage{roleHead: d.roleHead(v), Role: detail.Role, Tab: tab, Change: detail.Editable, Delete: detail.Editable}
	p.Kept = err == nil && d.prov.Model().Unlimited(detail.Role.ID)
	p.Review = p.Keeps("last_reviewed") && v.Can(rolesWrite) && p.Why != "platform"
	return p, detail, err
}

type roleBody struct {
	rolePage
	Grid    grantGrid
	Others  []identity.Role
	Against identity.RoleID
	Form    form
}

// role is one role: what is said about it and what it grants, beside another role where one is asked for.
func (d *Door) role(w http.ResponseWriter, r *http.Request, v visit) error {
	p, detail, err := d.rolePage(r, v, "details", identity.Query{})
	if err != nil {
		return err
	}
	b := roleBody{rolePage: p, Others: d.otherRoles(detail.Role.ID), Against: identity.RoleID(clip(r.FormValue("against"), 100))}
	other, title, err := d.against(r, v, b.Against)
	if err != nil {
		return err
	}
	b.Grid = d.grid(d.grantsOf(detail.Role), other, title)
	return d.show(w, r, v, "role", screen{Title: detail.Role.Title, Nav: "roles", Body: b})
}

// otherRoles are the roles that one can be compared with.
func (d *Door) otherRoles(id identity.RoleID) []identity.Role {
	var out []identity.Role
	for _, role := range d.prov.Model().Roles() {
		if role.ID != id {
			out = append(out, role)
		}
	}
	return out
}

// against returns what the role grants that another is compared with; nil for none.
func (d *Door) against(r *http.Request, v visit, id identity.RoleID) (*grants, string, error) {
	if _, ok := d.prov.Model().Role(id); !ok {
		return nil, "", nil
	}
	detail, err := d.prov.Role(r.Context(), v.Actor, id, identity.Query{})
	if identity.KindOf(err) == identity.NotFound {
		return nil, "", nil // built in, and not kept with the others
	}
	g := d.grantsOf(detail.Role)
	return &g, detail.Role.Title, err
}

type roleUsersBody struct {
	rolePage
	Rows  []roleHolder
	Pager pager
}

// roleHolder is one reason why somebody holds a role.
type roleHolder struct {
	User identity.User
	Path provisioning.AccessPath
}

// roleUsers lists who holds a role, and why.
func (d *Door) roleUsers(w http.ResponseWriter, r *http.Request, v visit) error {
	p, _, err := d.rolePage(r, v, "users", identity.Query{})
	if err != nil {
		return err
	}
	found, err := d.prov.AccessReport(r.Context(), v.Actor, provisioning.AccessQuery{Role: p.Role.ID, After: afterID(r), Limit: pageSize})
	if err != nil {
		return err
	}
	b := roleUsersBody{rolePage: p, Pager: onward(r, found, holderID)}
	b.Pager.Lines = true
	for _, h := range found.Items {
		for _, path := range h.Paths {
			b.Rows = append(b.Rows, roleHolder{h.User, path})
		}
	}
	return d.show(w, r, v, "role_users", screen{Title: p.Role.Title, Nav: "roles", Body: b})
}

// afterID is where a list goes on; "" is its beginning.
func afterID(r *http.Request) string {
	id, _ := identity.ParseID[string](r.FormValue("after"))
	return id
}

func holderID(h provisioning.AccessHolder) string { return string(h.User.ID) }

type roleHistoryBody struct {
	rolePage
	Events []identity.Event
	Pager  pager
}

// roleHistory lists who changed a role and what.
func (d *Door) roleHistory(w http.ResponseWriter, r *http.Request, v visit) error {
	p, _, err := d.rolePage(r, v, "history", identity.Query{})
	if err != nil {
		return err
	}
	q := provisioning.EventQuery{
		ObjectID: string(p.Role.ID), Types: []identity.EventType{identity.RoleCreated, identity.RoleUpdated, identity.RoleDeleted, identity.RoleReviewed},
		After: identity.EventID(afterID(r)), Limit: pageSize,
	}
	found, err := d.prov.Events(r.Context(), v.Actor, q)
	if err != nil {
		return err
	}
	b := roleHistoryBody{rolePage: p, Events: found.Items, Pager: onward(r, found, func(e identity.Event) string { return string(e.ID) })}
	return d.show(w, r, v, "role_history", screen{Title: p.Role.Title, Nav: "roles", Body: b})
}

// markRole notes that the visitor looked at a role and found it right.
func (d *Door) markRole(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "note")
	if err != nil {
		return err
	}
	role, err := d.prov.MarkRoleReviewed(r.Context(), v.Actor, identity.RoleID(clip(r.PathValue("id"), 100)), f.Value("note"))
	if err != nil {
		return err
	}
	http.Redirect(w, r, roleURL(role.ID)+"?done=role-reviewed", http.StatusSeeOther)
	return nil
}

func roleURL(id identity.RoleID) string { return "/console/roles/" + string(id) }

type roleDeleteBody struct {
	rolePage
	Form       form
	Holders    []identity.User
	People     int64
	More       bool // not all of them are named
	Reassigns  bool // the model lets people be moved in the same step
	Successors []identity.Role
}

// mostNamed is how many people a page names before it gives their number.
const mostNamed = 20

func (d *Door) confirmDeleteRole(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.deleteRolePage(w, r, v, blank())
}

// deleteRolePage asks before a role is deleted, and where its people go.
func (d *Door) deleteRolePage(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	p, detail, err := d.rolePage(r, v, "", identity.Query{Limit: mostNamed, Total: true})
	if err != nil {
		return err
	}
	if !p.Delete {
		return identity.Errorf(identity.Forbidden, "%s", detail.Why)
	}
	b := roleDeleteBody{rolePage: p, Form: f, Holders: detail.Holders.Items, People: detail.Holders.Total, More: detail.Holders.More, Reassigns: d.prov.Model().RoleInUse() == "reassign"}
	for _, role := range d.otherRoles(detail.Role.ID) {
		if role.Scope == detail.Role.Scope && d.prov.Model().Assignable(role.ID) {
			b.Successors = append(b.Successors, role)
		}
	}
	s := screen{Title: "Delete " + detail.Role.Title, Nav: "roles", Body: b}
	s.Status = f.status()
	return d.show(w, r, v, "role_delete", s)
}

// deleteRole deletes a role; whoever holds it gets another one in the same step.
func (d *Door) deleteRole(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "reassign to", "reason")
	if err != nil {
		return err
	}
	_, err = d.prov.DeleteRole(r.Context(), v.Actor, identity.RoleID(clip(r.PathValue("id"), 100)), identity.RoleID(f.Value("reassign_to")), f.Value("reason"))
	if err == nil {
		http.Redirect(w, r, "/console/roles?done=role-deleted", http.StatusSeeOther)
		return nil
	}
	if identity.KindOf(err) == identity.NotFound || !f.refused(err) {
		return err
	}
	return d.deleteRolePage(w, r, v, f)
}
