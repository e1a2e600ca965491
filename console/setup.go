package console

import (
	"net/http"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

// setupCookie has the token of the setup link that this browser opened, so that no later address carries it.
const setupCookie = "drawbridge-setup"

// setupBody is one page of a setup link. It has nothing but the link's own connection.
type setupBody struct {
	wizardBody
	Setup provisioning.Setup
	Start string // the address of a test
	Done  identity.Connection
}

// Cards are the providers that the link may be used for.
func (b setupBody) Cards() cards {
	out := cards{Base: "/setup?provider="}
	for _, g := range guides {
		if b.Setup.Link.Kind == "" || b.Setup.Link.Kind == g.Kind {
			out.Guides = append(out.Guides, g)
		}
	}
	return out
}

// openSetup answers GET /setup/{secret}, the link that was sent: the token goes to a cookie, and out of the address.
func (d *Door) openSetup(w http.ResponseWriter, r *http.Request, _ visit) error {
	token := r.PathValue("secret")
	s, err := d.openToken(r, token)
	if err != nil {
		return err
	}
	d.cookies.Set(w, http.Cookie{Name: setupCookie, Value: token, Expires: s.Link.ExpiresAt})
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, "/setup", http.StatusSeeOther)
	return nil
}

// setup is the whole journey of a setup link: choose a provider, enter its values, test, finish.
func (d *Door) setup(w http.ResponseWriter, r *http.Request, _ visit) error {
	s, err := d.opened(r)
	if err != nil {
		return err
	}
	body := setupBody{Setup: s}
	key := r.FormValue("provider")
	switch {
	case s.Connection != nil && key == "" && r.FormValue("step") == "":
		body.Step, body.Guide = 5, guideOf(s.Connection.Options.Provider, s.Connection.Kind)
		return d.setupPage(w, r, "setup_test", body)
	case s.Connection != nil:
		return d.setupValues(w, r, s, guideOf(s.Connection.Options.Provider, s.Connection.Kind), providerForm(*s.Connection))
	}
	g := guideOf(key, "")
	if g.Key == "" || s.Link.Kind != "" && g.Kind != s.Link.Kind {
		body.Step = 1
		return d.setupPage(w, r, "setup", body)
	}
	return d.setupValues(w, r, s, g, blank())
}

// opened returns what the browser's setup link opens.
func (d *Door) opened(r *http.Request) (provisioning.Setup, error) {
	return d.openToken(r, d.cookies.Value(r, setupCookie))
}

// openToken slows down who tries wrong tokens. A right one always opens, so that nobody can keep others out.
func (d *Door) openToken(r *http.Request, token string) (provisioning.Setup, error) {
	s, err := d.prov.OpenSetup(r.Context(), token)
	if identity.KindOf(err) == identity.NotFound {
		if slow := d.brake.Take(web.ClientIP(r)); slow != nil {
			return s, slow
		}
	}
	s.Actor.RequestID, s.Actor.IP = web.RequestID(r.Context()), web.ClientIP(r)
	return s, err
}

func (d *Door) setupValues(w http.ResponseWriter, r *http.Request, s provisioning.Setup, g guide, f form) error {
	body := setupBody{Setup: s, wizardBody: wizardBody{Step: 3, Guide: g, Form: f, Addresses: d.addresses(s.Link.ConnectionID), Made: s.Connection != nil}}
	return d.setupPage(w, r, "setup_values", body)
}

func (d *Door) setupPage(w http.ResponseWriter, r *http.Request, page string, body setupBody) error {
	s := screen{Title: "Single sign-on for " + body.Setup.Tenant, Wide: true, Body: body}
	if body.Form.Problem != nil {
		s.Status = web.Status(body.Form.Problem)
	}
	return d.show(w, r, visit{}, page, s)
}

// saveSetup takes what the customer's provider says.
func (d *Door) saveSetup(w http.ResponseWriter, r *http.Request, _ visit) error {
	f, err := readForm(w, r, providerFields...)
	if err != nil {
		return err
	}
	s, err := d.opened(r)
	if err != nil {
		return err
	}
	if err := d.brake.Take(string(s.Link.ID)); err != nil {
		return err
	}
	g := guideOf(f.Value("provider"), "")
	if g.Key == "" {
		return identity.Errorf(identity.Invalid, "Choose your provider first.")
	}
	c := identity.Connection{ID: s.Link.ConnectionID, Kind: g.Kind, Options: identity.ConnectionOptions{Provider: g.Key}}
	if err = d.readProvider(r, f, &c); err == nil {
		_, err = d.prov.SetUpConnection(r.Context(), s.Actor, c)
	}
	switch {
	case err == nil:
		http.Redirect(w, r, "/setup?done=setup-saved", http.StatusSeeOther)
		return nil
	case identity.CodeOf(err) != "setup.unknown" && f.refused(err):
		return d.setupValues(w, r, s, g, f)
	}
	return err
}

// testSetup begins a test of the link's connection.
func (d *Door) testSetup(w http.ResponseWriter, r *http.Request, _ visit) error {
	s, err := d.opened(r)
	if err != nil {
		return err
	}
	if err := d.brake.Take(string(s.Link.ID)); err != nil {
		return err
	}
	t, secret, err := d.prov.BeginTrial(r.Context(), s.Actor, s.Link.ConnectionID)
	if err != nil {
		return err
	}
	body := setupBody{Setup: s, Start: trialStart(t, secret), wizardBody: wizardBody{Step: 5}}
	if s.Connection != nil {
		body.Guide = guideOf(s.Connection.Options.Provider, s.Connection.Kind)
	}
	return d.setupPage(w, r, "setup_test", body)
}

// finishSetup uses the link up.
func (d *Door) finishSetup(w http.ResponseWriter, r *http.Request, _ visit) error {
	s, err := d.opened(r)
	if err != nil {
		return err
	}
	c, err := d.prov.FinishSetup(r.Context(), s.Actor)
	if err != nil {
		return err
	}
	d.cookies.Clear(w, setupCookie)
	return d.setupPage(w, r, "setup_done", setupBody{Setup: s, Done: c, wizardBody: wizardBody{Step: 6}})
}

// DomainList is what the connection will be trusted for.
func (b setupBody) DomainList() string { return strings.Join(b.Setup.Link.Domains, ", ") }
