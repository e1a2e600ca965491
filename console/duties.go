package console

import (
	"net/http"
	"net/url"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

// unfinished is the need of the few pages that somebody reaches who has to do something first.
const unfinished = "+"

// dutyPages are where each duty is done.
var dutyPages = map[authn.Duty]string{
	authn.MustChangePassword: "/signin/password",
	authn.MustEnrol:          "/signin/second-factor",
	authn.MustGiveCode:       "/signin/second-factor/code",
}

// dutyRoutes are those pages.
func (d *Door) dutyRoutes() []route {
	return []route{
		{"GET /signin/password", unfinished, d.duty(authn.MustChangePassword, d.mustChangeForm)},
		{"POST /signin/password", unfinished, d.duty(authn.MustChangePassword, d.mustChange)},
		{"GET /signin/second-factor", unfinished, d.duty(authn.MustEnrol, d.mustEnrolForm)},
		{"POST /signin/second-factor", unfinished, d.duty(authn.MustEnrol, d.mustEnrol)},
		{"GET /signin/second-factor.png", unfinished, d.duty(authn.MustEnrol, d.factorImage)},
		{"GET /signin/second-factor/confirm", unfinished, d.duty(authn.MustEnrol, d.mustConfirmForm)},
		{"POST /signin/second-factor/confirm", unfinished, d.duty(authn.MustEnrol, d.mustConfirm)},
		{"GET /signin/second-factor/code", unfinished, d.duty(authn.MustGiveCode, d.mustCodeForm)},
		{"POST /signin/second-factor/code", unfinished, d.duty(authn.MustGiveCode, d.mustCode)},
		{"POST /account/password/rules", unfinished, d.passwordRules},
		{"GET /account/password", signedIn, d.passwordForm},
		{"POST /account/password", signedIn, d.password},
	}
}

// duty runs a page for those whose duty it is; everybody else goes on to where they wanted.
func (d *Door) duty(what authn.Duty, show page) page {
	return func(w http.ResponseWriter, r *http.Request, v visit) error {
		if v.Must != what {
			http.Redirect(w, r, returnTo(r.FormValue("return_to")), http.StatusSeeOther)
			return nil
		}
		return show(w, r, v)
	}
}

// toDuty sends somebody to what has to be done first, and reports whether there is something. The page that was asked for is opened afterwards.
func toDuty(w http.ResponseWriter, r *http.Request, err error) bool {
	to, ok := dutyPages[authn.Duty(identity.CodeOf(err))]
	if !ok || identity.KindOf(err) != identity.Forbidden {
		return false
	}
	back := returnTo(r.FormValue("return_to"))
	if r.Method == http.MethodGet && r.URL.Path != "/signin" {
		back = r.URL.RequestURI()
	}
	http.Redirect(w, r, to+"?"+url.Values{"return_to": {back}}.Encode(), http.StatusSeeOther)
	return true
}

// anyVisit is visit also for those who have to do something first.
func (d *Door) anyVisit(r *http.Request) (visit, error) {
	v, err := d.authn.AnySession(r.Context(), d.cookies.Session(r))
	if err != nil {
		return visit{}, err
	}
	return d.visitOf(r, v), nil
}

// dutyBody is a page on the way in.
type dutyBody struct {
	Form     form
	ReturnTo string
	Secret   string // of an app that is being set up
	Image    string
	Codes    []string // for recovery, shown once
}

// showDuty shows it without the menu: nothing else can be reached.
func (d *Door) showDuty(w http.ResponseWriter, r *http.Request, name, title string, body dutyBody) error {
	if body.Form.Values == nil {
		body.Form = blank()
	}
	body.Form.Values.Del("code")
	s := screen{Title: title, Body: body}
	if body.Form.Problem != nil {
		s.Status = web.Status(body.Form.Problem)
	}
	return d.show(w, r, visit{}, name, s)
}

func (d *Door) mustEnrolForm(w http.ResponseWriter, r *http.Request, _ visit) error {
	return d.showDuty(w, r, "signin_factor", "Turn on a second factor", dutyBody{ReturnTo: returnTo(r.FormValue("return_to"))})
}

func (d *Door) mustEnrol(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r)
	if err != nil {
		return err
	}
	if _, err := d.authn.EnrolRequired(r.Context(), v.Visit, d.issuer()); err != nil {
		return err
	}
	http.Redirect(w, r, "/signin/second-factor/confirm?"+url.Values{"return_to": {returnTo(f.Value("return_to"))}}.Encode(), http.StatusSeeOther)
	return nil
}

func (d *Door) mustConfirmForm(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.mustConfirmPage(w, r, v, blank("return_to", r.FormValue("return_to")))
}

func (d *Door) mustConfirmPage(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	back := returnTo(f.Value("return_to"))
	e, err := d.authn.PendingTOTP(r.Context(), v.Actor, d.issuer())
	if identity.KindOf(err) == identity.NotFound {
		http.Redirect(w, r, "/signin/second-factor?"+url.Values{"return_to": {back}}.Encode(), http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	return d.showDuty(w, r, "signin_factor", "Turn on a second factor", dutyBody{Form: f, ReturnTo: back, Secret: inGroups(e.Secret), Image: "/signin/second-factor.png"})
}

func (d *Door) mustConfirm(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "code")
	if err != nil {
		return err
	}
	codes, err := d.authn.FinishEnrolment(r.Context(), v.Visit, f.Value("code"))
	switch {
	case err == nil:
		return d.showDuty(w, r, "signin_factor", "Recovery codes", dutyBody{Codes: codes, ReturnTo: returnTo(f.Value("return_to"))})
	case f.refused(err):
		return d.mustConfirmPage(w, r, v, f)
	}
	return err
}

func (d *Door) mustCodeForm(w http.ResponseWriter, r *http.Request, _ visit) error {
	return d.showDuty(w, r, "signin_factor_code", "Enter your code", dutyBody{ReturnTo: returnTo(r.FormValue("return_to"))})
}

func (d *Door) mustCode(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "code")
	if err != nil {
		return err
	}
	back := returnTo(f.Value("return_to"))
	err = d.authn.GiveCode(r.Context(), v.Visit, f.Value("code"))
	switch {
	case err == nil:
		http.Redirect(w, r, back, http.StatusSeeOther)
		return nil
	case f.refused(err):
		f.Problem.Field = "code"
		return d.showDuty(w, r, "signin_factor_code", "Enter your code", dutyBody{Form: f, ReturnTo: back})
	}
	return err
}
