package console

import (
	"net/http"
	"strconv"
	"time"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

// userPasswordRoutes are the acts on somebody's password.
func (d *Door) userPasswordRoutes() []route {
	return []route{
		{"GET /console/users/{id}/password", usersWrite, d.resetForm},
		{"POST /console/users/{id}/password", usersWrite, d.reset},
		{"POST /console/users/{id}/unlock", usersWrite, d.unlock},
		{"POST /console/users/{id}/demand", usersWrite, d.demandChange},
	}
}

// The ways to a new password.
const (
	resetByMail  = "mail"
	resetMade    = "temporary"
	resetByGiven = "given"
)

// resetBody is the dialog for a new password, and then what it came to.
type resetBody struct {
	User    identity.User
	At      string
	Locked  bool
	Mailed  bool // a link can be sent
	Confirm bool // a typed password is typed twice
	Must    bool // a typed password has to be changed, unless somebody says otherwise
	Rules   []authn.PasswordRule
	Form    form

	Secret string // the temporary password that was made
	Until  time.Time
}

// resetForm asks how somebody gets a new password.
func (d *Door) resetForm(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.resetPage(w, r, v, blank())
}

func (d *Door) resetPage(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	u, err := d.pathUser(r, v)
	if err != nil {
		return err
	}
	o := v.prov.Model().Onboarding()
	body := resetBody{
		User: u, At: userPath + string(u.ID), Locked: u.Status() == identity.StatusLocked, Mailed: u.Email() != "" && d.authn.MayUseLocal(r.Context(), u.ID) == nil,
		Confirm: o.ConfirmPassword, Must: o.MustChangePassword, Form: f,
	}
	if body.Rules, err = d.authn.PasswordRules(r.Context(), u, ""); err != nil {
		return err
	}
	if f.Value("how") == "" {
		f.Values.Set("how", map[bool]string{true: resetByMail, false: resetMade}[body.Mailed])
	}
	f.Values.Del("password")
	f.Values.Del("confirm_password")
	s := screen{Title: "New password for " + u.Label(), Nav: "users", Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "user_password", s)
}

// reset does it in one of the three ways. A temporary password is shown once.
func (d *Door) reset(w http.ResponseWriter, r *http.Request, v visit) error {
	u, err := d.pathUser(r, v)
	if err != nil {
		return err
	}
	f, err := readForm(w, r, "password", "confirm_password", "for", "reason")
	if err != nil {
		return err
	}
	if f.Value("how") == resetByMail {
		return d.resetByMail(w, r, v, u, f)
	}
	given, err := d.givenPassword(v, f)
	var secret string
	if err == nil {
		secret, err = d.authn.ResetPassword(r.Context(), v.Actor, u.ID, given)
	}
	switch {
	case err != nil && f.refused(err):
		return d.resetPage(w, r, v, f)
	case err != nil:
		return err
	case secret == "":
		http.Redirect(w, r, userPath+string(u.ID)+"?done=password-given", http.StatusSeeOther)
		return nil
	}
	body := resetBody{User: u, At: userPath + string(u.ID), Secret: secret, Until: time.Now().Add(given.For), Form: blank()}
	return d.show(w, r, v, "user_password_made", screen{Title: "Temporary password for " + u.Label(), Nav: "users", Body: body})
}

// givenPassword reads what is given. A temporary one that is made lasts as many hours as was said.
func (d *Door) givenPassword(v visit, f form) (authn.GivenPassword, error) {
	g := authn.GivenPassword{Unlock: f.Value("unlock") != "", Reason: f.Value("reason")}
	if f.Value("how") != resetByGiven {
		hours, err := strconv.Atoi(f.Value("for"))
		if err != nil || hours < 1 {
			return g, identity.Errorf(identity.Invalid, "Choose how long the temporary password opens the account.").WithField("for")
		}
		g.For = time.Duration(hours) * time.Hour
		return g, nil
	}
	g.Password = f.Values.Get("password")
	if g.Password == "" {
		return g, identity.Errorf(identity.Invalid, "Type the password that the person gets.").WithField("password")
	}
	if v.prov.Model().Onboarding().ConfirmPassword {
		repeated := f.Values.Get("confirm_password")
		g.Repeated = &repeated
	}
	must := f.Value("must") != ""
	g.MustChange = &must
	return g, nil
}

// resetByMail sends the link, and takes a lock away where that was ticked: a link opens no account that is locked.
func (d *Door) resetByMail(w http.ResponseWriter, r *http.Request, v visit, u identity.User, f form) error {
	local := d.authn.MayUseLocal(r.Context(), u.ID) == nil
	var err error
	if f.Value("unlock") != "" {
		err = d.authn.Unlock(r.Context(), v.Actor, u.ID, f.Value("reason"))
	}
	if err == nil {
		err = d.prov.SendReset(r.Context(), v.Actor, u.ID, local)
	}
	switch {
	case err == nil:
		http.Redirect(w, r, userPath+string(u.ID)+"?done=reset-sent", http.StatusSeeOther)
		return nil
	case f.refused(err):
		return d.resetPage(w, r, v, f)
	}
	return err
}

// unlock takes a lock away, and the count of wrong passwords.
func (d *Door) unlock(w http.ResponseWriter, r *http.Request, v visit) error {
	u, err := d.pathUser(r, v)
	if err != nil {
		return err
	}
	f, err := readForm(w, r)
	if err != nil {
		return err
	}
	if err := d.authn.Unlock(r.Context(), v.Actor, u.ID, f.Value("reason")); err != nil {
		if !f.refused(err) {
			return err
		}
		return d.userPage(w, r, v, u.ID, userShown{Form: f})
	}
	http.Redirect(w, r, userPath+string(u.ID)+"?done=unlocked", http.StatusSeeOther)
	return nil
}

// demandChange makes somebody change the password at the next sign-in, or takes that back.
func (d *Door) demandChange(w http.ResponseWriter, r *http.Request, v visit) error {
	u, err := d.pathUser(r, v)
	if err != nil {
		return err
	}
	f, err := readForm(w, r)
	if err != nil {
		return err
	}
	on := f.Value("off") == ""
	if err := d.authn.RequirePasswordChange(r.Context(), v.Actor, u.ID, on, f.Value("reason")); err != nil {
		if !f.refused(err) {
			return err
		}
		return d.userPage(w, r, v, u.ID, userShown{Form: f})
	}
	done := map[bool]string{true: "change-demanded", false: "change-not-demanded"}[on]
	http.Redirect(w, r, userPath+string(u.ID)+"?done="+done, http.StatusSeeOther)
	return nil
}
