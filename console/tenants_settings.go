package console

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

// settingsView is what a tenant asks of its people, in the units of the form. What is zero is as everywhere.
type settingsView struct {
	identity.TenantSettings
	Idle, Age             string // minutes and hours; empty: as everywhere
	DefaultIdle           string // what everywhere is
	DefaultAge            string
	SessionWas, FactorWas string
	DormantWas            string
}

func (d *Door) viewSettings(t identity.TenantSettings) settingsView {
	p := d.prov.Model().Policy()
	return settingsView{
		TenantSettings: t, Idle: tenantUnits(t.SessionIdle, time.Minute), Age: tenantUnits(t.SessionAge, time.Hour),
		DefaultIdle: tenantUnits(p.SessionIdle, time.Minute), DefaultAge: tenantUnits(p.SessionAge, time.Hour),
		SessionWas: fmt.Sprintf("%s %s %d", t.SessionIdle, t.SessionAge, t.SessionMost), FactorWas: strings.TrimSpace(fmt.Sprintf("%t %s", t.SecondFactor, t.ProviderFactor)), DormantWas: strconv.Itoa(t.DormantDays),
	}
}

// tenantUnits writes a duration as a number of minutes or hours; nothing for none.
func tenantUnits(d, unit time.Duration) string {
	if d == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(d)/float64(unit), 'f', -1, 64)
}

// inDuration reads what tenantUnits writes. What is no number is wrong at its field.
func inDuration(f form, name string, unit time.Duration) (time.Duration, error) {
	text := strings.ReplaceAll(f.Value(name), ",", ".")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n < 0 || n > 1e6 {
		return 0, identity.Errorf(identity.Invalid, "Write a number, or leave it empty.").WithField(name).WithCause(err)
	}
	return time.Duration(n * float64(unit)), nil
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
	Settings settingsView
	Form     form   // what was typed
	About    string // which of the forms it was typed into: sessions, factor or dormant
	Now      bool   // somebody was faster: what it says now stands beside
}

// tenantSettings is what the tenant asks of its own people, beyond what the installation asks of everybody.
func (d *Door) tenantSettings(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.settingsForm(w, r, v, "", form{})
}

func (d *Door) settingsForm(w http.ResponseWriter, r *http.Request, v visit, about string, typed form) error {
	t, err := d.pathTenant(r, v)
	if err != nil {
		return err
	}
	now, err := d.authn.TenantSettings(r.Context(), v.Actor, t.ID)
	if err != nil {
		return err
	}
	view := d.viewSettings(now)
	f := blank("idle", view.Idle, "age", view.Age, "most", orEmpty(now.SessionMost), "factor", yes(now.SecondFactor), "worth", string(now.ProviderFactor), "days", orEmpty(now.DormantDays))
	f.Problem, f.fields = typed.Problem, typed.fields
	for name := range typed.Values {
		f.Values.Set(name, typed.Values.Get(name))
	}
	if about == "factor" && !typed.Values.Has("factor") {
		f.Values.Del("factor") // a box that is not ticked is not sent
	}
	b := tenantSettingsBody{Tenant: t, Settings: view, Form: f, About: about, Now: f.Problem != nil && f.Problem.Kind == identity.Precondition}
	s := screen{Title: "Settings of " + t.Name, Nav: tenantNav(v), Body: b}
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

func yes(on bool) string {
	if on {
		return "1"
	}
	return ""
}

// saveTenantSettings reads a form, looks whether it was made from what is there, and saves it.
func (d *Door) saveTenantSettings(w http.ResponseWriter, r *http.Request, v visit, about string, was func(settingsView) string, save func(identity.TenantID, form) error) error {
	f, err := readForm(w, r, "idle", "age", "most", "factor", "worth", "days", "reason")
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
	if f.stale(was(d.viewSettings(now))) {
		return d.settingsForm(w, r, v, about, f)
	}
	err = save(id, f)
	switch {
	case err == nil:
		http.Redirect(w, r, tenantURL(id)+"?done=tenant-settings", http.StatusSeeOther)
		return nil
	case f.refused(err):
		if f.Problem.Field == "provider_factor" {
			f.Problem.Field = "worth"
		}
		return d.settingsForm(w, r, v, about, f)
	}
	return err
}

func (d *Door) setSessions(w http.ResponseWriter, r *http.Request, v visit) error {
	was := func(s settingsView) string { return s.SessionWas }
	return d.saveTenantSettings(w, r, v, "sessions", was, func(id identity.TenantID, f form) error {
		idle, wrongIdle := inDuration(f, "idle", time.Minute)
		age, wrongAge := inDuration(f, "age", time.Hour)
		most, wrongMost := inNumber(f, "most")
		if err := errors.Join(wrongIdle, wrongAge, wrongMost); err != nil {
			return err
		}
		_, err := d.authn.LimitTenantSessions(r.Context(), v.Actor, id, authn.SessionRules{Idle: idle, Age: age, Most: most})
		return err
	})
}

func (d *Door) setSecondFactor(w http.ResponseWriter, r *http.Request, v visit) error {
	was := func(s settingsView) string { return s.FactorWas }
	return d.saveTenantSettings(w, r, v, "factor", was, func(id identity.TenantID, f form) error {
		_, err := d.authn.RequireSecondFactor(r.Context(), v.Actor, id, f.Value("factor") != "", identity.ProviderFactor(f.Value("worth")))
		return err
	})
}

func (d *Door) setDormant(w http.ResponseWriter, r *http.Request, v visit) error {
	was := func(s settingsView) string { return s.DormantWas }
	return d.saveTenantSettings(w, r, v, "dormant", was, func(id identity.TenantID, f form) error {
		days, err := inNumber(f, "days")
		if err != nil {
			return err
		}
		return d.prov.SetDormantRule(r.Context(), v.Actor, id, days, f.Value("reason"))
	})
}
