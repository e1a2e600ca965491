package console

import (
	"context"
	"net/http"
	"time"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

type forgotBody struct {
	Form form
	Sent string // the address that was entered
}

// forgotForm is the page Restore password.
func (d *Door) forgotForm(w http.ResponseWriter, r *http.Request, _ visit) error {
	return d.gate(w, r, "restore", "Restore password", form{}, forgotBody{Form: blank("email", r.FormValue("email"))})
}

// forgot sends the mail to whoever is meant. Everybody gets the same answer after the same time.
func (d *Door) forgot(w http.ResponseWriter, r *http.Request, _ visit) error {
	began := time.Now()
	f, err := readForm(w, r, "email")
	if err != nil {
		return err
	}
	typed := f.Value("email")
	if err = d.authn.TakeMail(web.ClientIP(r)); err == nil && typed == "" {
		err = identity.Errorf(identity.Invalid, "Enter your e-mail address.")
	}
	if f.refused(err) {
		f.Problem.Field = "email"
		return d.gate(w, r, "restore", "Restore password", f, forgotBody{Form: f})
	}
	failed := d.sendResets(r, typed)
	if err := d.authn.AnswerEvenly(r.Context(), began); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	return d.gate(w, r, "restore", "Restore password", form{}, forgotBody{Form: blank(), Sent: typed})
}

// sendResets writes a mail to everybody who is meant. That too many were sent, or that somebody cannot be helped, is not told here.
func (d *Door) sendResets(r *http.Request, typed string) error {
	people, err := d.prov.Forgotten(r.Context(), typed)
	if err != nil {
		return err
	}
	for _, u := range people {
		local, err := d.mayUseLocal(r.Context(), u.ID)
		if err != nil {
			return err
		}
		by := identity.System()
		by.Door, by.RequestID = "console", web.RequestID(r.Context())
		if err := d.prov.SendReset(r.Context(), by, u.ID, local); identity.KindOf(err) == identity.Internal && err != nil {
			return err
		}
	}
	return nil
}

// mayUseLocal reports whether somebody may have a password here at all.
func (d *Door) mayUseLocal(ctx context.Context, id identity.UserID) (bool, error) {
	err := d.authn.MayUseLocal(ctx, id)
	if identity.KindOf(err) == identity.Forbidden {
		return false, nil
	}
	return err == nil, err
}

type restoreBody struct {
	Form   form
	Opened provisioning.OpenedLink
	Rules  []authn.PasswordRule
}

// restoreForm asks whoever has the link for a new password.
func (d *Door) restoreForm(w http.ResponseWriter, r *http.Request, _ visit) error {
	o, _, err := d.openedMail(r, identity.LinkReset)
	if err != nil {
		return d.linkOver(w, r, identity.LinkReset, err)
	}
	return d.restorePage(w, r, o, blank())
}

func (d *Door) restorePage(w http.ResponseWriter, r *http.Request, o provisioning.OpenedLink, f form) error {
	f.Values.Del("password")
	f.Values.Del("confirm_password")
	rules, err := d.authn.PasswordRules(r.Context(), o.User, "")
	if err != nil {
		return err
	}
	return d.gate(w, r, "restore_new", "Choose a new password", f, restoreBody{f, o, rules})
}

// restore sets the password. Nobody is signed in by it: the next step asks for the password, and for a code where there is one.
func (d *Door) restore(w http.ResponseWriter, r *http.Request, _ visit) error {
	f, err := readForm(w, r, "password", "confirm_password")
	if err != nil {
		return err
	}
	o, token, err := d.openedMail(r, identity.LinkReset)
	if err != nil {
		return d.linkOver(w, r, identity.LinkReset, err)
	}
	password := f.Values.Get("password")
	if err = authn.CheckRepeated(password, f.Values.Get("confirm_password")); err == nil {
		_, err = d.authn.RestorePassword(r.Context(), token, password)
	}
	switch {
	case err == nil:
		d.forgetMail(w)
		http.Redirect(w, r, "/signin?with=password&done=password-restored", http.StatusSeeOther)
		return nil
	case identity.KindOf(err) == identity.NotFound:
		return d.linkOver(w, r, identity.LinkReset, err)
	case f.refused(err):
		return d.restorePage(w, r, o, f)
	}
	return err
}
