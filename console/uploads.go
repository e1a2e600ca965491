package console

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

func (d *Door) uploadRoutes() []route {
	return []route{{"GET /console/uploads", tenantsWrite, d.uploads}}
}

type uploadsBody struct {
	Uploads     []identity.Upload
	Pager       pager
	Directory   identity.DirectoryID
	Directories []identity.Directory
}

// uploads lists what HR systems sent in one piece, newest first, with what came of it.
func (d *Door) uploads(w http.ResponseWriter, r *http.Request, v visit) error {
	var b uploadsBody
	b.Directory, _ = identity.ParseID[identity.DirectoryID](r.FormValue("directory"))
	found, err := d.prov.Uploads(r.Context(), v.Actor, provisioning.UploadQuery{DirectoryID: b.Directory, After: identity.UploadID(r.FormValue("after")), Limit: pageSize})
	if err != nil {
		return err
	}
	all, err := d.prov.Directories(r.Context(), v.Actor, identity.Query{Limit: maxOptions})
	if err != nil {
		return err
	}
	b.Uploads, b.Directories = found.Items, all.Items
	b.Pager = onward(r, found, func(u identity.Upload) string { return string(u.ID) })
	return d.show(w, r, v, "uploads", screen{Title: "Uploads", Nav: "directories", Body: b})
}
