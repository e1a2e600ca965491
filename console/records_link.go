package console

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

type recordBody struct {
	Form   form
	Title  string // of the list
	Record recordRow
	Search string
	Found  []identity.User // whom the search finds
	Write  bool
	Reason bool // whoever ties it says why
}

// pathRecord returns the record that the address names.
func (d *Door) pathRecord(r *http.Request, v visit) (recordRow, error) {
	kind, err := d.recordKind(r.PathValue("type"))
	if err != nil {
		return recordRow{}, err
	}
	id := r.URL.Query().Get("id")
	found, err := d.prov.Records(r.Context(), v.Actor, provisioning.RecordQuery{Type: kind.Type, ForeignID: id, Limit: 1})
	if err != nil {
		return recordRow{}, err
	}
	if id == "" || len(found.Items) == 0 {
		return recordRow{}, identity.Errorf(identity.NotFound, "There is no record with this id.")
	}
	return d.recordRow(r, v, found.Items[0], kind)
}

// record is one record: what the application says of it and whom it is tied to, with a search for somebody to tie it to.
func (d *Door) record(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.recordPage(w, r, v, blank())
}

func (d *Door) recordPage(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	row, err := d.pathRecord(r, v)
	if err != nil {
		return err
	}
	b := recordBody{Form: f, Title: v.Caption("records_page", "Records"), Record: row, Search: search(r), Write: v.Can(usersWrite)}
	if row.UserID == "" && b.Search != "" {
		found, err := d.prov.Users(r.Context(), v.Actor, identity.Query{Search: b.Search, Tenant: row.TenantID, Limit: maxFound})
		if err != nil {
			return err
		}
		b.Found = found.Items
	}
	s := screen{Title: row.name(), Nav: "records", Body: b}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "record", s)
}

// name is what people call a record.
func (r recordRow) name() string {
	if r.Display == "" {
		return r.ForeignID
	}
	return r.Display
}

// Name is name for the page.
func (r recordRow) Name() string { return r.name() }

func (d *Door) linkRecord(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "user", "reason")
	if err != nil {
		return err
	}
	row, err := d.pathRecord(r, v)
	if err != nil {
		return err
	}
	_, err = d.prov.LinkRecord(r.Context(), v.Actor, row.key(), identity.UserID(f.Value("user")), f.Value("reason"))
	switch {
	case err == nil:
		http.Redirect(w, r, row.URL()+"&done=record-linked", http.StatusSeeOther)
		return nil
	case f.refused(err):
		f.Problem.Field = ""
		return d.recordPage(w, r, v, f)
	}
	return err
}

func (r recordRow) key() provisioning.RecordKey {
	return provisioning.RecordKey{Tenant: r.TenantID, Type: r.Type, ForeignID: r.ForeignID}
}

func untying(row recordRow) confirmBody {
	return confirmBody{
		Title: "Untie " + row.name() + " from " + row.User.Label() + "?", Who: row.User.Email(), Button: "Untie", Danger: true, Reason: true, Action: row.Unlink(), Back: row.URL(),
		Facts: []string{"Both stay. What needs such a record, as a mobile app does, is closed to " + row.User.Label() + " from the next request on.", "The record can be tied to somebody else afterwards."},
	}
}

func (d *Door) confirmUnlinkRecord(w http.ResponseWriter, r *http.Request, v visit) error {
	row, err := d.pathRecord(r, v)
	if err != nil {
		return err
	}
	return d.confirm(w, r, v, "records", untying(row))
}

func (d *Door) unlinkRecord(w http.ResponseWriter, r *http.Request, v visit) error {
	row, err := d.pathRecord(r, v)
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "reason")
	if err != nil {
		return err
	}
	_, err = d.prov.UnlinkRecord(r.Context(), v.Actor, row.key(), f.Value("reason"))
	switch {
	case err == nil:
		http.Redirect(w, r, row.URL()+"&done=record-unlinked", http.StatusSeeOther)
		return nil
	case f.refused(err):
		c := untying(row)
		c.Form = f
		return d.confirm(w, r, v, "records", c)
	}
	return err
}
