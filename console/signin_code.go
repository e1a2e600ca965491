package console

import (
	"net/http"
	"net/url"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

// stepCookie binds the browser between password and code. There is no session before the code.
const stepCookie = "drawbridge-step"

type codeBody struct {
	Form     form
	ReturnTo string
}

// toCode sends a browser that gave the right password to the page that asks for the code.
func (d *Door) toCode(w http.ResponseWriter, r *http.Request, step, back string) error {
	d.cookies.Set(w, http.Cookie{Name: stepCookie, Value: step, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, "/signin/code?"+url.Values{"return_to": {back}}.Encode(), http.StatusSeeOther)
	return nil
}

// codeForm asks for the code of the app. Whoever gave no password begins there.
func (d *Door) codeForm(w http.ResponseWriter, r *http.Request, _ visit) error {
	back := returnTo(r.FormValue("return_to"))
	if d.cookies.Value(r, stepCookie) == "" {
		http.Redirect(w, r, "/signin?"+url.Values{"return_to": {back}}.Encode(), http.StatusSeeOther)
		return nil
	}
	return d.askCode(w, r, codeBody{Form: blank(), ReturnTo: back})
}

func (d *Door) askCode(w http.ResponseWriter, r *http.Request, body codeBody) error {
	s := screen{Title: "Enter your code", Body: body}
	if body.Form.Problem != nil {
		s.Status = web.Status(body.Form.Problem)
	}
	return d.show(w, r, visit{}, "signin_code", s)
}

// code takes the code and starts the session.
func (d *Door) code(w http.ResponseWriter, r *http.Request, _ visit) error {
	f, err := readForm(w, r, "code")
	if err != nil {
		return err
	}
	back := returnTo(f.Value("return_to"))
	u, err := d.authn.CheckCode(r.Context(), d.cookies.Value(r, stepCookie), f.Value("code"), web.ClientIP(r))
	switch identity.KindOf(err) {
	case identity.Invalid, identity.TooMany:
		f.refused(err)
		f.Problem.Field = "code"
		f.Values.Del("code")
		return d.askCode(w, r, codeBody{Form: f, ReturnTo: back})
	case identity.Unauthenticated:
		d.cookies.Clear(w, stepCookie)
		http.Redirect(w, r, "/signin?"+url.Values{"done": {"step-over"}, "return_to": {back}}.Encode(), http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	d.cookies.Clear(w, stepCookie)
	return d.startLocal(w, r, u, back, authn.ByPassword, authn.ByCode)
}
