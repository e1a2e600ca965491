package console

import (
	"encoding/json"
	"net/http"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/web"
)

// passwordBody is the page on which somebody changes the own password.
type passwordBody struct {
	Form     form
	Forced   bool // it has to be changed; the present one was just typed
	Code     bool // ask for a code too
	Rules    []authn.PasswordRule
	Typed    bool // the rules say which of them hold
	Action   string
	ReturnTo string
	Name     string // of the account, for a password manager
}

// mustChangeForm is the only page that somebody reaches whose password has to be changed.
func (d *Door) mustChangeForm(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.askPassword(w, r, v, passwordBody{Form: blank(), Forced: true, ReturnTo: returnTo(r.FormValue("return_to"))})
}

func (d *Door) mustChange(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "password", "confirm_password")
	if err != nil {
		return err
	}
	body := passwordBody{Form: f, Forced: true, ReturnTo: returnTo(f.Value("return_to"))}
	return d.changePassword(w, r, v, body, body.ReturnTo)
}

// passwordForm is the same in My Account, where the present password proves who asks.
func (d *Door) passwordForm(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.askPassword(w, r, v, passwordBody{Form: blank()})
}

func (d *Door) password(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "password", "confirm_password", "present", "code")
	if err != nil {
		return err
	}
	return d.changePassword(w, r, v, passwordBody{Form: f}, "/account?done=password-changed")
}

// changePassword does it, or shows what is wrong at its field. What is wrong with the present password is told apart from what is wrong with the new one.
func (d *Door) changePassword(w http.ResponseWriter, r *http.Request, v visit, body passwordBody, to string) error {
	f := body.Form
	err := d.authn.ChangePassword(r.Context(), v.Visit, authn.PasswordChange{
		Present: f.Values.Get("present"), Code: f.Value("code"), New: f.Values.Get("password"), Repeated: f.Values.Get("confirm_password"),
	})
	if err == nil {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	}
	if !f.refused(err) {
		return err
	}
	if f.Problem.Code == "password.wrong" || f.Problem.Code == "password.locked" {
		f.Problem.Field = "present"
	}
	body.Form, body.Typed = f, true
	return d.askPassword(w, r, v, body)
}

func (d *Door) askPassword(w http.ResponseWriter, r *http.Request, v visit, body passwordBody) error {
	var err error
	if body.Rules, err = d.authn.PasswordRules(r.Context(), v.User, body.Form.Values.Get("password")); err != nil {
		return err
	}
	for _, field := range []string{"present", "password", "confirm_password", "code"} {
		body.Form.Values.Del(field)
	}
	body.Name, body.Action = v.User.UserName, "/account/password"
	s := screen{Title: "Change your password", Nav: "account"}
	shown := v
	if body.Forced {
		body.Action, shown = "/signin/password", visit{}
	} else {
		factor, err := d.authn.SecondFactor(r.Context(), v.Actor, v.User.ID)
		if err != nil {
			return err
		}
		body.Code = factor.On
	}
	if body.Form.Problem != nil {
		s.Status = web.Status(body.Form.Problem)
	}
	s.Body = body
	return d.show(w, r, shown, "account_password", s)
}

// passwordRules says which rules a password keeps while it is typed.
func (d *Door) passwordRules(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r)
	if err != nil {
		return err
	}
	rules, err := d.authn.PasswordRules(r.Context(), v.User, f.Values.Get("password"))
	if err != nil {
		return err
	}
	holds := map[string]bool{}
	for _, rule := range rules {
		if !rule.Later {
			holds[rule.Code] = rule.Holds
		}
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(holds)
}
