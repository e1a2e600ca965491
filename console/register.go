package console

import (
	"net/http"
	"time"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

// noRegister is the answer where nobody registers: as for any address that there is not.
func (d *Door) noRegister() error {
	if d.prov.RegistrationOpen() {
		return nil
	}
	return identity.Errorf(identity.NotFound, "Nobody registers here. Ask whoever runs this installation for an account.")
}

type registerBody struct {
	Form form
	Sent string
}

// registerForm asks for an organisation and an address.
func (d *Door) registerForm(w http.ResponseWriter, r *http.Request, _ visit) error {
	if err := d.noRegister(); err != nil {
		return err
	}
	return d.gate(w, r, "register", "Register", form{}, registerBody{Form: blank()})
}

// register sends the mail with which somebody goes on. Known and unknown names and addresses get the same answer after the same time.
func (d *Door) register(w http.ResponseWriter, r *http.Request, _ visit) error {
	began := time.Now()
	f, err := readForm(w, r, "organisation", "email")
	if err != nil {
		return err
	}
	if err := d.noRegister(); err != nil {
		return err
	}
	if err = d.authn.TakeMail(web.ClientIP(r)); err == nil {
		err = d.prov.Register(r.Context(), provisioning.Registration{Organisation: f.Value("organisation"), Email: f.Value("email")})
	}
	if err == nil {
		err = d.authn.AnswerEvenly(r.Context(), began)
	}
	switch {
	case err == nil:
		return d.gate(w, r, "register", "Register", form{}, registerBody{Form: blank(), Sent: f.Value("email")})
	case f.refused(err):
		return d.gate(w, r, "register", "Register", f, registerBody{Form: f})
	}
	return err
}

type foundBody struct {
	Form   form
	Opened provisioning.OpenedLink
	Rules  []authn.PasswordRule
}

// foundForm asks whoever has the link for the rest.
func (d *Door) foundForm(w http.ResponseWriter, r *http.Request, _ visit) error {
	o, _, err := d.openedMail(r, identity.LinkRegistration)
	if err != nil {
		return d.linkOver(w, r, identity.LinkRegistration, err)
	}
	return d.foundPage(w, r, o, blank("organisation", o.Link.Data.Organisation))
}

func (d *Door) foundPage(w http.ResponseWriter, r *http.Request, o provisioning.OpenedLink, f form) error {
	f.Values.Del("password")
	f.Values.Del("confirm_password")
	rules, err := d.authn.PasswordRules(r.Context(), founder(o, f), "")
	if err != nil {
		return err
	}
	return d.gate(w, r, "register_finish", "Finish your registration", f, foundBody{f, o, rules})
}

// founder is whoever registers, as far as is known; nobody has been created yet.
func founder(o provisioning.OpenedLink, f form) identity.User {
	return identity.User{
		UserName: o.Link.Email, DisplayName: f.Value("first_name") + " " + f.Value("last_name") + " " + f.Value("organisation"),
		Emails: []identity.Email{{Value: o.Link.Email, Primary: true}},
	}
}

// found creates the tenant with its owner, and starts the session.
func (d *Door) found(w http.ResponseWriter, r *http.Request, _ visit) error {
	f, err := readForm(w, r, "organisation", "first_name", "last_name", "password", "confirm_password")
	if err != nil {
		return err
	}
	o, token, err := d.openedMail(r, identity.LinkRegistration)
	if err != nil {
		return d.linkOver(w, r, identity.LinkRegistration, err)
	}
	hash, err := d.newPassword(r.Context(), founder(o, f), f)
	var u identity.User
	if err == nil {
		u, err = d.prov.FoundTenant(r.Context(), token, provisioning.Registration{
			Organisation: f.Value("organisation"), FirstName: f.Value("first_name"), LastName: f.Value("last_name"), PasswordHash: hash,
		})
	}
	switch {
	case err == nil:
		d.forgetMail(w)
		return d.startLocal(w, r, u, "/console?done=registered", authn.ByPassword)
	case identity.KindOf(err) == identity.NotFound:
		return d.linkOver(w, r, identity.LinkRegistration, err)
	case f.refused(err):
		return d.foundPage(w, r, o, f)
	}
	return err
}
