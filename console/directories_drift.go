package console

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// shownDrift is how many things that are not as a directory said a page lists; the others are counted.
const shownDrift = 200

type driftBody struct {
	Directory identity.Directory
	Report    provisioning.DriftReport
	More      int
	Audit     bool // the visitor may read the audit
}

// directoryDrift shows what is not as a directory pushed it last, and whose change it was. Nothing is changed by looking.
func (d *Door) directoryDrift(w http.ResponseWriter, r *http.Request, v visit) error {
	dir, err := d.pathDirectory(r, v)
	if err != nil {
		return err
	}
	b := driftBody{Directory: dir, Audit: v.Can(auditRead)}
	if b.Report, err = d.prov.DirectoryDrift(r.Context(), v.Actor, dir.ID); err != nil {
		return err
	}
	b.More = b.Report.More
	if n := len(b.Report.Items); n > shownDrift {
		b.Report.Items, b.More = b.Report.Items[:shownDrift], b.More+n-shownDrift
	}
	return d.show(w, r, v, "directory_drift", screen{Title: "Drift of " + dir.Name, Nav: "directories", Body: b})
}
