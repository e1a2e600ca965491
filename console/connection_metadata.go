package console

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
)

// settleMetadata lets a change of the provider's metadata into force, or refuses it.
func (d *Door) settleMetadata(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.ConnectionID](r, "id")
	if err != nil {
		return err
	}
	f, err := readForm(w, r)
	if err != nil {
		return err
	}
	settle, done := d.prov.ApproveMetadata, "metadata-approved"
	switch r.PathValue("word") {
	case "approve":
	case "reject":
		settle, done = d.prov.RejectMetadata, "metadata-rejected"
	default:
		return identity.Errorf(identity.NotFound, "There is nothing at this address.")
	}
	if err := settle(r.Context(), v.Actor, id, f.Value("digest")); err != nil {
		return err
	}
	return d.toConnection(w, r, id, done)
}

// refreshMetadata reads the provider's metadata now.
func (d *Door) refreshMetadata(w http.ResponseWriter, r *http.Request, v visit) error {
	c, err := d.pathConnection(r, v)
	if err != nil {
		return err
	}
	if d.refresh == nil {
		return identity.Errorf(identity.Precondition, "This installation cannot read metadata here. Use the command line: drawbridge connection refresh.")
	}
	out, err := d.refresh(r.Context(), v.Actor, c.ID)
	f := settingsForm(c)
	switch {
	case err == nil && out.Held != nil:
		return d.toConnection(w, r, c.ID, "metadata-held")
	case err == nil && len(out.Changes) > 0:
		return d.toConnection(w, r, c.ID, "metadata-changed")
	case err == nil:
		return d.toConnection(w, r, c.ID, "metadata-same")
	case f.refused(err):
		return d.connectionPage(w, r, v, c, f)
	}
	return err
}
