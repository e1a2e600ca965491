package console

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

func (d *Door) groupRoutes() []route {
	return []route{
		{"GET /console/groups", usersRead, d.groups},
		{"GET /console/groups/{id}", usersRead, d.group},
	}
}

type groupsBody struct {
	Groups      []groupRow
	Pager       pager
	Search      string
	Directory   identity.DirectoryID
	Directories []identity.Directory // to choose from, for whoever may see them
}

// groupRow is a group in the list.
type groupRow struct{ provisioning.GroupLine }

// Many reports whether the group has more members than are counted.
func (g groupRow) Many() bool { return g.Members >= provisioning.MostCounted }

// groups lists the groups that directories push.
func (d *Door) groups(w http.ResponseWriter, r *http.Request, v visit) error {
	q := keyset(r)
	q.Search = search(r)
	q.Directory, _ = identity.ParseID[identity.DirectoryID](r.FormValue("directory"))
	found, err := d.prov.GroupLines(r.Context(), v.Actor, q)
	if err != nil {
		return err
	}
	b := groupsBody{Search: q.Search, Directory: q.Directory}
	b.Pager = turn(r, q, &found, func(g provisioning.GroupLine) string { return string(g.ID) })
	for _, g := range found.Items {
		b.Groups = append(b.Groups, groupRow{g})
	}
	if v.Can(tenantsWrite) {
		all, err := d.prov.Directories(r.Context(), v.Actor, identity.Query{Limit: maxOptions})
		if err != nil {
			return err
		}
		b.Directories = all.Items
	}
	return d.show(w, r, v, "groups", screen{Title: "Groups", Nav: "groups", Body: b})
}

type groupBody struct {
	Group   groupRow
	Members []identity.Member
	Pager   pager
}

// group is one group with its members, a page at a time.
func (d *Door) group(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.GroupID](r, "id")
	if err != nil {
		return err
	}
	line, members, err := d.prov.GroupPage(r.Context(), v.Actor, id, r.FormValue("after"), pageSize)
	if err != nil {
		return err
	}
	b := groupBody{Group: groupRow{line}, Members: members.Items, Pager: onward(r, members, func(m identity.Member) string { return m.ID })}
	b.Pager.Lines = true
	return d.show(w, r, v, "group", screen{Title: line.DisplayName, Nav: "groups", Body: b})
}
