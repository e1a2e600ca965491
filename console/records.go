package console

import (
	"net/http"
	"net/url"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

const recordsPath = "/console/records"

func (d *Door) recordRoutes() []route {
	return []route{
		{"GET /console/records", usersRead, d.records},
		{"POST /console/records", usersWrite, d.createRecord},
		{"GET /console/records/{type}", usersRead, d.record},
		{"POST /console/records/{type}/link", usersWrite, d.linkRecord},
		{"GET /console/records/{type}/unlink", usersWrite, d.confirmUnlinkRecord},
		{"POST /console/records/{type}/unlink", usersWrite, d.unlinkRecord},
	}
}

// recordRow is a record with whom it is tied to.
type recordRow struct {
	identity.Record
	Kind string        // the title of its kind
	User identity.User // zero: nobody
}

// URL is the record's page. Its id is the application's own and may be any text, so it stands in the query.
func (r recordRow) URL() string { return r.act("") }

func (r recordRow) act(act string) string {
	return recordsPath + "/" + url.PathEscape(r.Type) + act + "?" + url.Values{"id": {r.ForeignID}}.Encode()
}

// Link is where the form that ties it to a person goes.
func (r recordRow) Link() string { return r.act("/link") }

// Unlink is where the question before untying stands.
func (r recordRow) Unlink() string { return r.act("/unlink") }

type recordsBody struct {
	Form     form
	Title    string
	Kinds    []linkKind
	Kind     linkKind
	Records  []recordRow
	Pager    pager
	Search   string
	Unlinked bool
	Write    bool
}

// linkKind is a kind of records that people may be tied to.
type linkKind struct{ Type, Title string }

func (d *Door) linkKinds() []linkKind {
	kinds := d.prov.Model().LinkTypes()
	out := make([]linkKind, len(kinds))
	for i, k := range kinds {
		out[i] = linkKind{k.Type, k.Title}
	}
	return out
}

// recordKind returns the kind that was asked for, or the first.
func (d *Door) recordKind(asked string) (linkKind, error) {
	for _, k := range d.linkKinds() {
		if asked == "" || k.Type == asked {
			return k, nil
		}
	}
	return linkKind{}, identity.Errorf(identity.NotFound, "There are no records of this kind here.")
}

// records lists what the applications keep of people, such as technicians: who is tied to which.
func (d *Door) records(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.recordList(w, r, v, blank())
}

func (d *Door) recordList(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	kind, err := d.recordKind(r.FormValue("type"))
	if err != nil {
		return err
	}
	b := recordsBody{
		Form: f, Title: v.Caption("records_page", "Records"), Kinds: d.linkKinds(), Kind: kind, Search: search(r), Unlinked: r.URL.Query().Get("unlinked") != "", Write: v.Can(usersWrite),
	}
	found, err := d.prov.Records(r.Context(), v.Actor, provisioning.RecordQuery{
		Type: kind.Type, Search: b.Search, Unlinked: b.Unlinked, After: clip(r.URL.Query().Get("after"), 255), Limit: pageSize,
	})
	if err != nil {
		return err
	}
	b.Pager = onward(r, found, func(x identity.Record) string { return x.ForeignID })
	b.Pager.Lines = true
	for _, x := range found.Items {
		row, err := d.recordRow(r, v, x, kind)
		if err != nil {
			return err
		}
		b.Records = append(b.Records, row)
	}
	s := screen{Title: b.Title, Nav: "records", Body: b}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "records", s)
}

// recordRow adds whom a record is tied to; somebody who was deleted is nobody.
func (d *Door) recordRow(r *http.Request, v visit, x identity.Record, kind linkKind) (recordRow, error) {
	row := recordRow{Record: x, Kind: kind.Title}
	if x.UserID == "" {
		return row, nil
	}
	u, err := d.prov.User(r.Context(), v.Actor, x.UserID)
	if identity.KindOf(err) == identity.NotFound {
		err = nil
	}
	row.User = u
	return row, err
}

func (d *Door) createRecord(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "id", "display", "type")
	if err != nil {
		return err
	}
	name := f.Value("display")
	key := provisioning.RecordKey{Type: f.Value("type"), ForeignID: f.Value("id")}
	x, err := d.prov.PutRecord(r.Context(), v.Actor, key, provisioning.RecordChange{Display: &name})
	switch {
	case err == nil:
		http.Redirect(w, r, recordRow{Record: x}.URL()+"&done=record-created", http.StatusSeeOther)
		return nil
	case f.refused(err):
		return d.recordList(w, r, v, f)
	}
	return err
}
