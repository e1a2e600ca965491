package console

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

// ownDataBody is the form with one's own names and language.
type ownDataBody struct {
	Form  form
	Owner string        // the directory that says who this is; there is nothing to change then
	User  identity.User // as the record is
	Now   bool          // somebody was faster; User is what they saved
}

func (d *Door) ownDataForm(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.ownDataPage(w, r, v, ownDataBody{})
}

func (d *Door) ownDataPage(w http.ResponseWriter, r *http.Request, v visit, b ownDataBody) error {
	detail, err := d.prov.UserDetail(r.Context(), v.Actor, v.User.ID)
	if err != nil {
		return err
	}
	b.User = detail.User
	if len(detail.Directories) > 0 {
		b.Owner = detail.Directories[0].DirectoryName
	}
	if b.Form.Values == nil {
		n := b.User.Name()
		b.Form = blank("display_name", b.User.DisplayName, "first_name", n.GivenName, "last_name", n.FamilyName, "locale", b.User.Locale())
	}
	s := screen{Title: "Your data", Nav: "account"}
	if b.Form.Problem != nil {
		s.Status = web.Status(b.Form.Problem)
	}
	if b.Form.Problem == nil || b.Form.Problem.Kind == identity.Precondition {
		b.Now = b.Form.Problem != nil
		b.Form.Values.Set("version", strconv.FormatInt(b.User.Version, 10))
	}
	s.Body = b
	return d.show(w, r, v, "account_edit", s)
}

// ownData saves them. What was left as it was is not sent on, so that an account without first and last name keeps none.
func (d *Door) ownData(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "display_name", "first_name", "last_name", "locale")
	if err != nil {
		return err
	}
	u, err := d.prov.User(r.Context(), v.Actor, v.User.ID)
	if err != nil {
		return err
	}
	version, err := strconv.ParseInt(f.Value("version"), 10, 64)
	if err != nil || version < 1 {
		return identity.Errorf(identity.Invalid, "The form does not say which version it was made from. Open the page again.").WithField("version")
	}
	changed := func(name, now string) *string {
		if typed := f.Value(name); typed != now {
			return &typed
		}
		return nil
	}
	n := u.Name()
	out, err := d.prov.UpdateOwn(r.Context(), v.Actor, provisioning.OwnData{
		DisplayName: changed("display_name", u.DisplayName), FirstName: changed("first_name", n.GivenName), LastName: changed("last_name", n.FamilyName), Locale: changed("locale", u.Locale()), Version: version,
	})
	switch {
	case err == nil:
		done := map[bool]string{true: "own-unchanged", false: "own-updated"}[out.Version == version]
		http.Redirect(w, r, "/account?done="+done, http.StatusSeeOther)
		return nil
	case f.refused(err):
		return d.ownDataPage(w, r, v, ownDataBody{Form: f})
	}
	return err
}

// ownPicture takes a picture of the visitor.
func (d *Door) ownPicture(w http.ResponseWriter, r *http.Request, v visit) error {
	f := form{Values: blank().Values, fields: []string{"avatar"}}
	content, err := pictureOf(r)
	if err == nil {
		_, err = d.prov.SetAvatar(r.Context(), v.Actor, v.User.ID, content)
	}
	switch {
	case err == nil:
		http.Redirect(w, r, "/account?done=picture-set", http.StatusSeeOther)
		return nil
	case f.refused(err):
		f.Problem.Field = "avatar"
		return d.accountPage(w, r, v, accountBody{Form: f})
	}
	return err
}

// pictureOf reads the file of a form, and no more of it than a picture may have.
func pictureOf(r *http.Request) ([]byte, error) {
	file, _, err := r.FormFile("avatar")
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, identity.Errorf(identity.TooLarge, "A picture has at most %d MB.", identity.MaxAvatar>>20).WithCause(err)
	case err != nil:
		return nil, identity.Errorf(identity.Invalid, "Choose a picture first: a PNG, JPEG or WebP file of at most %d MB.", identity.MaxAvatar>>20).WithCause(err)
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, identity.MaxAvatar+1))
}

func (d *Door) removePicture(w http.ResponseWriter, r *http.Request, v visit) error {
	if err := d.prov.DeleteAvatar(r.Context(), v.Actor, v.User.ID); err != nil && identity.KindOf(err) != identity.NotFound {
		return err
	}
	http.Redirect(w, r, "/account?done=picture-removed", http.StatusSeeOther)
	return nil
}
