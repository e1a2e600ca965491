package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

type signinBody struct {
	Form     form
	ReturnTo string
	Password bool // the step with the password
	Buttons  []provisioning.SignInButton
	Register bool // strangers may found a tenant
}

// signinForm asks for the e-mail address; with ?with=password it asks for both at once, for whoever must not depend on a provider.
func (d *Door) signinForm(w http.ResponseWriter, r *http.Request, _ visit) error {
	back := returnTo(r.FormValue("return_to"))
	if _, err := d.visit(r); err == nil {
		http.Redirect(w, r, back, http.StatusSeeOther)
		return nil
	} else if toDuty(w, r, err) {
		return nil
	}
	body := signinBody{Form: blank("email", r.FormValue("login_hint")), ReturnTo: back, Password: r.FormValue("with") == "password"}
	return d.askSignin(w, r, body)
}

// signin takes the e-mail address and sends its owner to their provider, or asks for the password; with the password it starts the session.
// A known and an unknown address get the same answer.
func (d *Door) signin(w http.ResponseWriter, r *http.Request, _ visit) error {
	f, err := readForm(w, r, "email", "password")
	if err != nil {
		return err
	}
	back := returnTo(f.Value("return_to"))
	if f.Values.Get("password") != "" {
		return d.passwordSignin(w, r, f, back)
	}
	if err := d.authn.Ask(web.ClientIP(r)); f.refused(err) {
		f.Problem.Field = "email"
		return d.askSignin(w, r, signinBody{Form: f, ReturnTo: back})
	}
	connection, err := d.prov.ConnectionForEmail(r.Context(), f.Value("email"))
	switch {
	case err == nil && !f.Values.Has("password"):
		q := url.Values{"login_hint": {f.Value("email")}, "return_to": {back}}
		http.Redirect(w, r, "/sso/"+string(connection)+"/login?"+q.Encode(), http.StatusSeeOther)
		return nil
	case err != nil && identity.KindOf(err) == identity.Internal:
		return err
	}
	body := signinBody{Form: f, ReturnTo: back, Password: f.Value("email") != ""}
	if f.Value("email") == "" {
		body.Form.Problem = identity.Errorf(identity.Invalid, "Enter your e-mail address.").WithField("email")
	}
	return d.askSignin(w, r, body)
}

// askSignin writes the sign-in page. The step with the e-mail address alone may lead to a provider by redirects, which Chromium counts as the form's
// own way; the step with a password posts to us and nowhere else.
func (d *Door) askSignin(w http.ResponseWriter, r *http.Request, body signinBody) error {
	if !body.Password {
		sources := []string{"https:"}
		if strings.HasPrefix(d.url, "http:") {
			sources = append(sources, "http:")
		}
		web.AllowForms(w, sources...)
	}
	buttons, err := d.prov.SignInButtons(r.Context())
	if err != nil {
		return err
	}
	body.Buttons, body.Register = buttons, d.prov.RegistrationOpen()
	s := screen{Title: "Sign in", Body: body}
	if body.Form.Problem != nil {
		s.Status = web.Status(body.Form.Problem)
	}
	return d.show(w, r, visit{}, "signin", s)
}

func (d *Door) passwordSignin(w http.ResponseWriter, r *http.Request, f form, back string) error {
	u, step, err := d.authn.CheckPassword(r.Context(), f.Value("email"), f.Values.Get("password"), web.ClientIP(r))
	switch identity.KindOf(err) {
	case identity.TooMany, identity.Forbidden: // Forbidden: the password was right, and the tenant wants its provider
		f.refused(err)
		f.Problem.Field = "password"
		return d.askSignin(w, r, signinBody{Form: f, ReturnTo: back, Password: true})
	case identity.Unauthenticated, identity.Invalid:
		d.log.InfoContext(r.Context(), "a password was refused", "request", web.RequestID(r.Context()), "remote", web.ClientIP(r), "cause", errors.Unwrap(err))
		f.Problem = identity.Errorf(identity.Invalid, "This e-mail address and password do not open an account. Check both and try again. After several wrong attempts the account is locked, for a while or until an administrator unlocks it.").WithField("password")
		return d.askSignin(w, r, signinBody{Form: f, ReturnTo: back, Password: true})
	}
	if err != nil {
		return err
	}
	if step != "" {
		return d.toCode(w, r, step, back)
	}
	return d.startLocal(w, r, u, back, authn.ByPassword)
}

// startLocal starts the session of somebody who proved to be themselves by these methods (RFC 8176).
func (d *Door) startLocal(w http.ResponseWriter, r *http.Request, u identity.User, back string, methods ...string) error {
	cookie, session, err := d.authn.StartSession(r.Context(), u, identity.Session{
		IP: web.ClientIP(r), UserAgent: r.UserAgent(), Upstream: identity.Upstream{AMR: methods},
	}, "")
	if err != nil {
		return err
	}
	if err := d.endFormer(r); err != nil {
		return err
	}
	d.cookies.SetSession(w, cookie, session.ExpiresAt)
	http.Redirect(w, r, back, http.StatusSeeOther)
	return nil
}

// endFormer ends the session that this browser had before it signed in again: its cookie is about to be overwritten, and nobody could end it any more.
func (d *Door) endFormer(r *http.Request) error {
	v, err := d.anyVisit(r)
	if err == nil {
		err = d.authn.EndSession(r.Context(), v.Actor, v.Session.ID)
	}
	switch identity.KindOf(err) {
	case identity.Unauthenticated, identity.NotFound:
		return nil
	}
	return err
}

// signout ends the session on the server, at its provider too where that is possible, and forgets the cookie.
func (d *Door) signout(w http.ResponseWriter, r *http.Request, v visit) error {
	if d.logout != nil {
		return d.logout(w, r, v.Visit)
	}
	if err := d.authn.EndSession(r.Context(), v.Actor, v.Session.ID); err != nil && identity.KindOf(err) != identity.NotFound {
		return err
	}
	d.cookies.ClearSession(w)
	http.Redirect(w, r, "/signin?done=signed-out", http.StatusSeeOther)
	return nil
}

// returnTo is where a sign-in leads: a path of ours, else the start.
func returnTo(s string) string {
	if to := web.LocalPath(s); to != "/" && to != "" {
		return to
	}
	return "/console"
}
