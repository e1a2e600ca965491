package console

import (
	"net/http"

	"github.com/drawbridge-id/drawbridge/identity"
)

func requirement(t identity.Tenant) confirmBody {
	at := "/console/tenants/" + string(t.ID)
	return confirmBody{
		Title: "Require the identity provider for " + t.Name + "?", Button: "Require it", Danger: true, Action: at + "/require-sso", Back: at,
		Facts: []string{
			"The people of " + t.Name + " come in through its identity provider only. Passwords, new passwords and invitations are refused.",
			"Their sessions that began with a password end at once; yours too, if it did.",
			"Accounts for emergencies may still use their password and second factor.",
		},
	}
}

func (d *Door) confirmRequire(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.TenantID](r, "id")
	if err != nil {
		return err
	}
	t, err := d.prov.Tenant(r.Context(), v.Actor, id)
	if err != nil {
		return err
	}
	return d.confirm(w, r, v, "tenants", requirement(t))
}

func (d *Door) requireSSO(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.setRequired(w, r, v, true, "sso-required")
}

func (d *Door) unrequireSSO(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.setRequired(w, r, v, false, "sso-optional")
}

func (d *Door) setRequired(w http.ResponseWriter, r *http.Request, v visit, on bool, done string) error {
	id, err := pathID[identity.TenantID](r, "id")
	if err != nil {
		return err
	}
	f := blank()
	_, err = d.prov.RequireSSO(r.Context(), v.Actor, id, on)
	switch {
	case err == nil:
		http.Redirect(w, r, "/console/tenants/"+string(id)+"?done="+done, http.StatusSeeOther)
		return nil
	case identity.KindOf(err) != identity.NotFound && f.refused(err):
		f.Problem.Field = ""
		return d.tenantPage(w, r, v, f)
	}
	return err
}

func ssoSwitch(t identity.Tenant, off bool) confirmBody {
	at := tenantURL(t.ID)
	c := confirmBody{
		Title: "Switch single sign-on off for " + t.Name + "?", Button: "Switch it off", Danger: true, Action: at + "/switch-sso", Back: at,
		Facts: []string{"Its own identity providers sign nobody in until you switch it on again. The connections stay as they are.", "Sessions that run go on."},
	}
	if off {
		c.Title, c.Button, c.Danger, c.Action = "Switch single sign-on on for "+t.Name+"?", "Switch it on", false, at+"/switch-sso?on=1"
		c.Facts = []string{"Its own identity providers sign people in again, as far as they are enabled."}
	}
	return c
}

// pathSwitch returns the tenant that the address names, and whether its single sign-on is off.
func (d *Door) pathSwitch(r *http.Request, v visit) (identity.Tenant, bool, error) {
	t, err := d.pathTenant(r, v)
	if err != nil {
		return t, false, err
	}
	settings, err := d.authn.TenantSettings(r.Context(), v.Actor, t.ID)
	return t, settings.WithoutSSO, err
}

func (d *Door) confirmSwitch(w http.ResponseWriter, r *http.Request, v visit) error {
	t, off, err := d.pathSwitch(r, v)
	if err != nil {
		return err
	}
	return d.confirm(w, r, v, "tenants", ssoSwitch(t, off))
}

func (d *Door) switchSSO(w http.ResponseWriter, r *http.Request, v visit) error {
	t, off, err := d.pathSwitch(r, v)
	if err != nil {
		return err
	}
	f := blank()
	on := r.URL.Query().Get("on") != ""
	err = d.prov.SwitchSSO(r.Context(), v.Actor, t.ID, on)
	switch {
	case err == nil:
		done := map[bool]string{true: "sso-on", false: "sso-off"}[on]
		http.Redirect(w, r, tenantURL(t.ID)+"?done="+done, http.StatusSeeOther)
		return nil
	case f.refused(err):
		f.Problem.Field = ""
		c := ssoSwitch(t, off)
		c.Form = f
		return d.confirm(w, r, v, "tenants", c)
	}
	return err
}
