package console

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

func (d *Door) editUser(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.UserID](r, "id")
	if err != nil {
		return err
	}
	return d.editForm(w, r, v, id, form{})
}

// editForm shows the form of somebody: as the database has them, or with what was typed. When somebody was faster, it shows what it says now beside what was typed.
func (d *Door) editForm(w http.ResponseWriter, r *http.Request, v visit, id identity.UserID, f form) error {
	detail, err := d.prov.UserDetail(r.Context(), v.Actor, id)
	if err != nil {
		return err
	}
	u := detail.User
	if f.Values == nil {
		f = editValues(detail)
	}
	b := userFormBody{Form: f, User: u, Lost: f.Problem != nil && hasFile(r)}
	if len(detail.Directories) > 0 {
		b.Owner = detail.Directories[0].DirectoryName
	}
	if err := d.personForm(r.Context(), v, &b, u.TenantID); err != nil {
		return err
	}
	if u.TenantID == "" {
		b.Units, b.Admin = nil, ""
	}
	if !v.prov.Model().UserNameMutableBy("admin") {
		b.Fixed = "The access model keeps the user name as it was given."
	}
	if f.Problem != nil && f.Problem.Kind == identity.Precondition {
		b.Now, b.NowAt = u, detail.Standing
		b.Form.Values.Set("version", strconv.FormatInt(u.Version, 10))
		b.Form.Values.Set("stood", stoodText(detail.Standing.UpdatedAt))
	}
	if b.Card, err = d.rolesToEdit(r.Context(), v, detail); err != nil {
		return err
	}
	s := screen{Title: "Edit " + u.Label(), Nav: "users", Body: b}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "user_edit", s)
}

// editValues are the fields of the form as the database has them.
func editValues(detail provisioning.UserDetail) form {
	u, at := detail.User, detail.Standing
	unit := at.UnitID
	if at.TeamID != "" {
		unit = at.TeamID
	}
	yes := map[bool]string{true: "yes"}
	return blank("displayname", u.DisplayName, "username", u.UserName, "email", u.Email(), "version", strconv.FormatInt(u.Version, 10), "stood", stoodText(at.UpdatedAt),
		"type", string(at.Type), "unit", string(unit), "level", at.DataLevel, "external", yes[at.External], "admin", yes[at.Admin])
}

func stoodText(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339Nano)
}

func (d *Door) pathUser(r *http.Request, v visit) (identity.User, error) {
	id, err := pathID[identity.UserID](r, "id")
	if err != nil {
		return identity.User{}, err
	}
	return d.prov.User(r.Context(), v.Actor, id)
}

// updateUser saves what was edited. When somebody was faster, the page shows what it says now beside what was typed, and saving again is deliberate.
func (d *Door) updateUser(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readFormUpTo(w, r, maxPersonForm, personFormFields...)
	if err != nil {
		return err
	}
	u, err := d.pathUser(r, v)
	if err != nil {
		return err
	}
	version, err := strconv.ParseInt(f.Value("version"), 10, 64)
	if err != nil || version < 1 {
		return identity.Errorf(identity.Invalid, "The form does not say which version it was made from. Open the page again.").WithField("version")
	}
	changed, err := d.saveEdit(r, v, u, version, f)
	switch {
	case err == nil:
		done := map[bool]string{true: "user-updated", false: "user-unchanged"}[changed]
		http.Redirect(w, r, afterSave(f, u.ID, done), http.StatusSeeOther)
		return nil
	case !f.refused(err):
		return err
	}
	return d.editForm(w, r, v, u.ID, f)
}

// saveEdit makes the change, of which the form names what it has: what it has not stays. It reports whether anything changed.
func (d *Door) saveEdit(r *http.Request, v visit, u identity.User, version int64, f form) (bool, error) {
	e := provisioning.UserEdit{Reason: f.Value("reason"), User: func(u *identity.User) error {
		for name, field := range map[string]*string{"displayname": &u.DisplayName, "username": &u.UserName} {
			if f.Values.Has(name) {
				*field = f.Value(name)
			}
		}
		if f.Values.Has("email") {
			u.Emails = withPrimary(u.Emails, f.Value("email"))
		}
		return nil
	}}
	var err error
	if e.Avatar, err = readAvatar(r); err != nil {
		return false, err
	}
	moved := false
	if f.Values.Has("stood") {
		if e.Position, err = d.editPosition(r.Context(), v, u, f, &moved); err != nil {
			return false, err
		}
		if e.Stood, err = time.Parse(time.RFC3339Nano, f.Value("stood")); f.Value("stood") != "" && err != nil {
			return false, identity.Errorf(identity.Invalid, "The form does not say which version it was made from. Open the page again.").WithField("version")
		}
	}
	out, err := d.prov.EditUser(r.Context(), v.Actor, u.ID, version, e)
	return out.Version != version || moved || e.Avatar != nil, err
}

// editPosition is the change of where somebody stands. What the form shows as the model's default stays unsaid.
func (d *Door) editPosition(ctx context.Context, v visit, u identity.User, f form, moved *bool) (func(*identity.Position) error, error) {
	wanted, err := d.readPosition(ctx, v, f, u.TenantID)
	if err != nil {
		return nil, err
	}
	detail, err := d.prov.UserDetail(ctx, v.Actor, u.ID)
	if err != nil {
		return nil, err
	}
	shown := detail.Standing
	return func(p *identity.Position) error {
		before := *p
		if f.Values.Has("type") && wanted.Type != shown.Type {
			p.Type = wanted.Type
		}
		if f.Values.Has("level") && wanted.DataLevel != shown.DataLevel {
			p.DataLevel = wanted.DataLevel
		}
		if f.Values.Has("unit") && (wanted.TeamID != shown.TeamID || wanted.TeamID == "" && wanted.UnitID != shown.UnitID) {
			p.UnitID, p.TeamID = wanted.UnitID, wanted.TeamID
		}
		if f.Values.Has("externalask") {
			p.External = wanted.External
		}
		if f.Values.Has("adminask") {
			p.Admin = wanted.Admin
		}
		*moved = *p != before
		return nil
	}, nil
}

// withPrimary returns the addresses with another primary one; the others stay as they are.
func withPrimary(emails []identity.Email, address string) []identity.Email {
	if address == identity.PrimaryEmail(emails) {
		return emails
	}
	out := slices.Clone(emails)
	for i := range out {
		if out[i].Value == identity.PrimaryEmail(emails) {
			if address == "" {
				return slices.Delete(out, i, i+1)
			}
			out[i].Value = address
			return out
		}
	}
	return append(out, identity.Email{Value: address, Type: "work", Primary: true})
}
