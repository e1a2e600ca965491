package console

import (
	"net/http"
	"strconv"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

// settingsView is what a tenant asks of its people, in the units of its page. What is zero is as everywhere.
type settingsView struct {
	identity.TenantSettings
	Idle, Age   string // minutes and hours; empty: as everywhere
	DefaultIdle string // what everywhere is
	DefaultAge  string
}

func (d *Door) viewSettings(t identity.TenantSettings) settingsView {
	p := d.prov.Model().Policy()
	return settingsView{
		TenantSettings: t, Idle: tenantUnits(t.SessionIdle, time.Minute), Age: tenantUnits(t.SessionAge, time.Hour),
		DefaultIdle: tenantUnits(p.SessionIdle, time.Minute), DefaultAge: tenantUnits(p.SessionAge, time.Hour),
	}
}

// tenantUnits writes a duration as a number of minutes or hours; nothing for none.
func tenantUnits(d, unit time.Duration) string {
	if d == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(d)/float64(unit), 'f', -1, 64)
}

// inNumber reads a whole number; nothing is 0.
func inNumber(f form, name string) (int, error) {
	if f.Value(name) == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(f.Value(name))
	if err != nil || n < 0 {
		return 0, identity.Errorf(identity.Invalid, "Write a whole number, or leave it empty.").WithField(name).WithCause(err)
	}
	return n, nil
}

type tenantSettingsBody struct {
	Tenant   identity.Tenant
	Days     int // unseen that long, people are deactivated; 0: never
	Was      string
	Form     form   // what was typed
	Now      bool   // somebody was faster: what it says now stands beside
	Security string // where its sessions and its second factor are
}

// tenantSettings is what becomes of a tenant's people whom nobody sees any more. What it asks of sessions and second factors is in the settings.
func (d *Door) tenantSettings(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.dormantForm(w, r, v, form{})
}

func (d *Door) dormantForm(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	t, err := d.pathTenant(r, v)
	if err != nil {
		return err
	}
	now, err := d.authn.TenantSettings(r.Context(), v.Actor, t.ID)
	if err != nil {
		return err
	}
	if f.Values == nil {
		f = blank("days", orEmpty(now.DormantDays))
	}
	b := tenantSettingsBody{Tenant: t, Days: now.DormantDays, Was: strconv.Itoa(now.DormantDays), Form: f, Now: f.Problem != nil && f.Problem.Kind == identity.Precondition, Security: settingsURL("", v, t.ID, "")}
	s := screen{Title: "Unused accounts", Nav: tenantNav(v), Body: b}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "tenant_settings", s)
}

func orEmpty(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// setDormant looks whether the form was made from what is there, and saves it.
func (d *Door) setDormant(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "days", "reason")
	if err != nil {
		return err
	}
	id, err := pathID[identity.TenantID](r, "id")
	if err != nil {
		return err
	}
	now, err := d.authn.TenantSettings(r.Context(), v.Actor, id)
	if err != nil {
		return err
	}
	if f.stale(strconv.Itoa(now.DormantDays)) {
		return d.dormantForm(w, r, v, f)
	}
	days, err := inNumber(f, "days")
	if err == nil {
		err = d.prov.SetDormantRule(r.Context(), v.Actor, id, days, f.Value("reason"))
	}
	switch {
	case err == nil:
		http.Redirect(w, r, tenantURL(id)+"?done=tenant-settings", http.StatusSeeOther)
		return nil
	case f.refused(err):
		return d.dormantForm(w, r, v, f)
	}
	return err
}
