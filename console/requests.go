package console

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

type requestsBody struct {
	Requests    []identity.Request
	Pager       pager
	Failed      bool
	Directory   identity.DirectoryID
	Directories []identity.Directory
	Names       map[identity.DirectoryID]string
}

// requests is the journal of what directories sent, newest first.
func (d *Door) requests(w http.ResponseWriter, r *http.Request, v visit) error {
	q := provisioning.RequestQuery{Failed: r.FormValue("failed") == "1", Limit: pageSize}
	q.After, _ = identity.ParseID[identity.RequestID](r.FormValue("after"))
	q.DirectoryID, _ = identity.ParseID[identity.DirectoryID](r.FormValue("directory"))
	found, err := d.prov.Requests(r.Context(), v.Actor, q)
	if err != nil {
		return err
	}
	directories, err := d.prov.Directories(r.Context(), v.Actor, identity.Query{Limit: maxOptions})
	if err != nil {
		return err
	}
	body := requestsBody{
		Requests: found.Items, Failed: q.Failed, Directory: q.DirectoryID, Directories: directories.Items, Names: map[identity.DirectoryID]string{},
		Pager: onward(r, found, func(q identity.Request) string { return string(q.ID) }),
	}
	for _, dir := range directories.Items {
		body.Names[dir.ID] = dir.Name
	}
	return d.show(w, r, v, "requests", screen{Title: "Directory requests", Nav: "requests", Body: body})
}
