package console

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

func (d *Door) factorRoutes() []route {
	return []route{
		{"GET /account/second-factor", signedIn, d.enrolForm},
		{"POST /account/second-factor", signedIn, d.enrol},
		{"GET /account/second-factor.png", signedIn, d.factorImage},
		{"GET /account/second-factor/confirm", signedIn, d.confirmFactorForm},
		{"POST /account/second-factor/confirm", signedIn, d.confirmFactor},
		{"GET /account/second-factor/off", signedIn, d.factorOffForm},
		{"POST /account/second-factor/off", signedIn, d.factorOff},
		{"GET /account/second-factor/codes", signedIn, d.recoveryForm},
		{"POST /account/second-factor/codes", signedIn, d.recovery},
	}
}

// issuer is what an app for codes calls us.
func (d *Door) issuer() string {
	if u, err := url.Parse(d.url); err == nil && u.Host != "" {
		return "Drawbridge (" + u.Host + ")"
	}
	return "Drawbridge"
}

// proofBody is a page of My Account that asks for the password again, and for a code where there is one.
type proofBody struct {
	Title  string
	Lead   string
	Button string
	Danger bool
	Code   bool // ask for a code too
	Action string
	Form   form
}

// askProof shows it, also with what was wrong.
func (d *Door) askProof(w http.ResponseWriter, r *http.Request, v visit, body proofBody) error {
	body.Form.Values.Del("password")
	body.Form.Values.Del("code")
	s := screen{Title: body.Title, Nav: "account", Body: body}
	if body.Form.Problem != nil {
		s.Status = web.Status(body.Form.Problem)
	}
	return d.show(w, r, v, "account_proof", s)
}

func enrolPage(f form) proofBody {
	return proofBody{
		Title: "Turn on a second factor", Button: "Continue", Action: "/account/second-factor", Form: f,
		Lead: "From then on a code from an app on your phone is asked for after your password. Enter your password to begin.",
	}
}

func (d *Door) enrolForm(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.askProof(w, r, v, enrolPage(blank()))
}

func (d *Door) enrol(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "password")
	if err != nil {
		return err
	}
	_, err = d.authn.EnrolTOTP(r.Context(), v.Actor, d.issuer(), f.Values.Get("password"))
	switch {
	case err == nil:
		http.Redirect(w, r, "/account/second-factor/confirm", http.StatusSeeOther)
		return nil
	case f.refused(err):
		return d.askProof(w, r, v, enrolPage(f))
	}
	return err
}

type confirmFactorBody struct {
	Form   form
	Secret string
	Image  string // its address, with the size in pixels beside it
}

// confirmFactorForm shows what an app is given, as a picture and as text, and asks for its first code.
func (d *Door) confirmFactorForm(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.confirmFactorPage(w, r, v, blank())
}

func (d *Door) confirmFactorPage(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	e, err := d.authn.PendingTOTP(r.Context(), v.Actor, d.issuer())
	if identity.KindOf(err) == identity.NotFound {
		http.Redirect(w, r, "/account/second-factor", http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	f.Values.Del("code")
	s := screen{Title: "Turn on a second factor", Nav: "account", Body: confirmFactorBody{Form: f, Secret: inGroups(e.Secret), Image: "/account/second-factor.png"}}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "account_factor", s)
}

// inGroups parts what somebody types from a screen.
func inGroups(s string) string {
	var out []byte
	for i := range len(s) {
		if i > 0 && i%4 == 0 {
			out = append(out, ' ')
		}
		out = append(out, s[i])
	}
	return string(out)
}

// factorImage is the QR code of an enrolment that waits for its first code. Nothing keeps it.
func (d *Door) factorImage(w http.ResponseWriter, r *http.Request, v visit) error {
	e, err := d.authn.PendingTOTP(r.Context(), v.Actor, d.issuer())
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Content-Length", strconv.Itoa(len(e.Image)))
	_, _ = w.Write(e.Image) // a browser that left needs no answer
	return nil
}

func (d *Door) confirmFactor(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "code")
	if err != nil {
		return err
	}
	codes, err := d.authn.ConfirmTOTP(r.Context(), v.Actor, f.Value("code"))
	switch {
	case err == nil:
		return d.showRecovery(w, r, v, codes, true)
	case f.refused(err):
		return d.confirmFactorPage(w, r, v, f)
	}
	return err
}

type recoveryBody struct {
	Codes []string
	New   bool // the second factor is new, not only its codes
}

// showRecovery is the only page that ever shows recovery codes.
func (d *Door) showRecovery(w http.ResponseWriter, r *http.Request, v visit, codes []string, isNew bool) error {
	return d.show(w, r, v, "account_recovery", screen{Title: "Recovery codes", Nav: "account", Body: recoveryBody{codes, isNew}})
}

func factorOffPage(f form) proofBody {
	return proofBody{
		Title: "Turn off the second factor?", Button: "Turn it off", Danger: true, Code: true, Action: "/account/second-factor/off", Form: f,
		Lead: "From then on your password alone opens your account. Your recovery codes are worth nothing any more.",
	}
}

func (d *Door) factorOffForm(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.askProof(w, r, v, factorOffPage(blank()))
}

func (d *Door) factorOff(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "password", "code")
	if err != nil {
		return err
	}
	err = d.authn.DisableTOTP(r.Context(), v.Actor, f.Values.Get("password"), f.Value("code"))
	switch {
	case err == nil:
		http.Redirect(w, r, "/account?done=factor-off", http.StatusSeeOther)
		return nil
	case f.refused(err):
		return d.askProof(w, r, v, factorOffPage(f))
	}
	return err
}

func recoveryPage(f form) proofBody {
	return proofBody{
		Title: "New recovery codes?", Button: "Make new codes", Code: true, Action: "/account/second-factor/codes", Form: f,
		Lead: "You get ten new codes, shown once. The ones that you have now are worth nothing from then on.",
	}
}

func (d *Door) recoveryForm(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.askProof(w, r, v, recoveryPage(blank()))
}

func (d *Door) recovery(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "password", "code")
	if err != nil {
		return err
	}
	codes, err := d.authn.NewRecoveryCodes(r.Context(), v.Actor, f.Values.Get("password"), f.Value("code"))
	switch {
	case err == nil:
		return d.showRecovery(w, r, v, codes, false)
	case f.refused(err):
		return d.askProof(w, r, v, recoveryPage(f))
	}
	return err
}

// factorRow is what the page of a user says of the second factor and of emergencies.
type factorRow struct {
	authn.SecondFactor
	Emergency bool
	Platform  bool // the visitor may make accounts ones for emergencies
}

// factorOf reads it, as far as the visitor may see the user.
func (d *Door) factorOf(r *http.Request, v visit, id identity.UserID) (factorRow, error) {
	out := factorRow{Platform: v.Can(tenantsWrite) && v.User.TenantID == ""}
	var err error
	if out.SecondFactor, err = d.authn.SecondFactor(r.Context(), v.Actor, id); err != nil {
		return out, err
	}
	if v.Can(usersRead) {
		out.Emergency, err = d.prov.BreakGlass(r.Context(), v.Actor, id)
	}
	return out, err
}
