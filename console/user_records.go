package console

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

// userRecordRoutes tie people to the records of applications.
func (d *Door) userRecordRoutes() []route {
	return []route{
		{"GET /console/users/{id}/records/new", usersWrite, d.tieForm},
		{"POST /console/users/{id}/records", usersWrite, d.tie},
		{"GET /console/users/{id}/records/{type}/remove", usersWrite, d.askUntie},
		{"POST /console/users/{id}/records/{type}/remove", usersWrite, d.untie},
	}
}

// recordKind is a kind of record that the access model ties people to.
type recordKind struct{ Type, Title string }

// tiedRow is a record that somebody is tied to.
type tiedRow struct {
	identity.Record
	Title string // of its kind
}

func (v visit) recordKinds() []recordKind {
	var out []recordKind
	for _, l := range v.prov.Model().LinkTypes() {
		out = append(out, recordKind{l.Type, l.Title})
	}
	return out
}

// fillRecords names what a person is tied to, and what kinds there are.
func (b *userBody) fillRecords(v visit) {
	b.Kinds = v.recordKinds()
	for _, record := range b.Records {
		row := tiedRow{Record: record, Title: record.Type}
		for _, kind := range b.Kinds {
			if kind.Type == record.Type {
				row.Title = kind.Title
			}
		}
		b.Tied = append(b.Tied, row)
	}
}

type tieBody struct {
	User    identity.User
	At      string
	Kinds   []recordKind
	Kind    recordKind
	Search  string
	Records []identity.Record // that nobody is tied to
	More    bool
	Form    form
}

// tieForm lists the records that are tied to nobody.
func (d *Door) tieForm(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.tiePage(w, r, v, blank("type", r.FormValue("type")))
}

func (d *Door) tiePage(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	u, err := d.pathUser(r, v)
	if err != nil {
		return err
	}
	body := tieBody{User: u, At: userPath + string(u.ID), Kinds: v.recordKinds(), Search: search(r), Form: f}
	if len(body.Kinds) == 0 {
		return identity.Errorf(identity.NotFound, "There is no page at this address.")
	}
	body.Kind = body.Kinds[0]
	for _, kind := range body.Kinds {
		if kind.Type == f.Value("type") {
			body.Kind = kind
		}
	}
	found, err := d.prov.Records(r.Context(), v.Actor, provisioning.RecordQuery{Tenant: u.TenantID, Type: body.Kind.Type, Unlinked: true, Search: body.Search, Limit: pageSize})
	if err != nil {
		return err
	}
	body.Records, body.More = found.Items, found.More
	s := screen{Title: "Link " + u.Label() + " to a record", Nav: "users", Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "user_record", s)
}

// tie links a record to the person.
func (d *Door) tie(w http.ResponseWriter, r *http.Request, v visit) error {
	u, err := d.pathUser(r, v)
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "record", "type", "reason")
	if err != nil {
		return err
	}
	key := provisioning.RecordKey{Tenant: u.TenantID, Type: f.Value("type"), ForeignID: f.Value("record")}
	_, err = d.prov.LinkRecord(r.Context(), v.Actor, key, u.ID, f.Value("reason"))
	switch {
	case err == nil:
		http.Redirect(w, r, userPath+string(u.ID)+"?done=record-tied#records", http.StatusSeeOther)
		return nil
	case f.refused(err):
		if f.Problem.Field == "id" || f.Problem.Field == "user" {
			f.Problem.Field = "record"
		}
		return d.tiePage(w, r, v, f)
	}
	return err
}

// untieQuestion asks before a record is untied. Its id stands in the query, since it is the application's own.
func (d *Door) untieQuestion(r *http.Request, v visit) (provisioning.RecordKey, confirmBody, error) {
	u, err := d.pathUser(r, v)
	if err != nil {
		return provisioning.RecordKey{}, confirmBody{}, err
	}
	detail, err := d.prov.UserDetail(r.Context(), v.Actor, u.ID)
	if err != nil {
		return provisioning.RecordKey{}, confirmBody{}, err
	}
	for _, record := range detail.Records {
		if record.Type != r.PathValue("type") || record.ForeignID != r.URL.Query().Get("record") {
			continue
		}
		name := record.Display
		if name == "" {
			name = record.ForeignID
		}
		key := provisioning.RecordKey{Tenant: u.TenantID, Type: record.Type, ForeignID: record.ForeignID}
		return key, confirmBody{
			Title: "Remove the link to " + name + "?", Who: u.Label() + " · " + u.Email(), Button: "Remove the link", Danger: true, Reason: true,
			Action: r.URL.RequestURI(), Back: userPath + string(u.ID),
			Facts: []string{"The record stays in its application, and the account stays here.", "What needs the record cannot be used by this person any more."},
		}, nil
	}
	return provisioning.RecordKey{}, confirmBody{}, identity.Errorf(identity.NotFound, "This person is not tied to that record.")
}

func (d *Door) askUntie(w http.ResponseWriter, r *http.Request, v visit) error {
	_, c, err := d.untieQuestion(r, v)
	if err != nil {
		return err
	}
	return d.confirm(w, r, v, "users", c)
}

func (d *Door) untie(w http.ResponseWriter, r *http.Request, v visit) error {
	key, c, err := d.untieQuestion(r, v)
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "reason")
	if err != nil {
		return err
	}
	_, err = d.prov.UnlinkRecord(r.Context(), v.Actor, key, f.Value("reason"))
	switch {
	case err == nil:
		http.Redirect(w, r, c.Back+"?done=record-untied#records", http.StatusSeeOther)
		return nil
	case f.refused(err):
		c.Form = f
		return d.confirm(w, r, v, "users", c)
	}
	return err
}
