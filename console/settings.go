package console

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/authn"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

const settingsPath = "/console/settings"

// Installation is what the settings pages say of how the program was started. The zero value says nothing.
type Installation struct {
	MailServer  string // host and port; empty: there is none, and mails wait
	MailFrom    string // whom mails come from
	NamedModel  string // the access model that DRAWBRIDGE_ACCESS_MODEL names
	NamedSource []byte // and its document
	JournalAge  time.Duration
}

// settingsRoutes are the settings: what holds for everybody's sign-in, mails and keys.
func (d *Door) settingsRoutes() []route {
	return []route{
		{"GET /console/settings", usersWrite, d.settings},
		{"POST /console/settings", usersWrite, d.saveSettings},
		{"GET /console/settings/mail", usersWrite, d.mailSettings},
		{"POST /console/settings/mail/test", usersWrite, d.testMail},
		{"GET /console/settings/mail/{kind}", usersWrite, d.mailTemplate},
		{"POST /console/settings/mail/{kind}", usersWrite, d.saveTemplate},
		{"GET /console/settings/mail/{kind}/restore", usersWrite, d.confirmRestoreTemplate},
		{"POST /console/settings/mail/{kind}/restore", usersWrite, d.restoreTemplate},
		{"GET /console/settings/outbox", usersWrite, d.outbox},
		{"POST /console/settings/outbox/{mail}/resend", usersWrite, d.resendFromOutbox},
		{"GET /console/settings/keys", usersWrite, d.keys},
		{"GET /console/settings/keys/policy", tenantsWrite, d.confirmKeyPolicy},
		{"POST /console/settings/keys/policy", tenantsWrite, d.setKeyPolicy},
		{"GET /console/settings/keys/{key}/revoke", usersWrite, d.confirmRevokeKey},
		{"POST /console/settings/keys/{key}/revoke", usersWrite, d.revokeKey},
		{"GET /console/settings/installation", usersWrite, d.installation},
		{"GET /console/settings/installation/model.yaml", usersWrite, d.modelSource},
	}
}

// settingsTabs are the pages of the settings that the visitor can use.
type settingsTabs struct {
	On        string // which one is open
	Household bool   // the visitor runs the installation
}

// tabs says which pages there are. Whoever runs the installation sees all of it: the platform, or the administrators of the one organisation.
func (v visit) tabs(on string) settingsTabs {
	return settingsTabs{on, v.Platform() || v.Single()}
}

// Platform reports whether the visitor stands above all tenants.
func (v visit) Platform() bool { return v.Actor.TenantID == "" && v.Can(tenantsWrite) }

// showSettings shows a page of the settings.
func (d *Door) showSettings(w http.ResponseWriter, r *http.Request, v visit, name, title string, f form, body any) error {
	s := screen{Title: title, Nav: "settings", Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, name, s)
}

// settingsTenant is the tenant whose part of the settings a page shows: one's own, or the one that somebody above all tenants chose; "" for none.
func (d *Door) settingsTenant(r *http.Request, v visit) identity.TenantID {
	if v.Actor.TenantID != "" {
		return v.Actor.TenantID
	}
	if v.Single() {
		if t, err := d.prov.MainTenant(r.Context()); err == nil {
			return t.ID
		}
	}
	id, _ := identity.ParseID[identity.TenantID](r.FormValue("tenant"))
	return id
}

type securityBody struct {
	Tabs     settingsTabs
	Form     form
	Policies authn.Policies
	From     map[string]string // whose word each rule is: program, model, installation
	Mail     string
	Tenants  []identity.Tenant // to choose from
	Tenant   identity.Tenant   // whose part is shown; none without an id
	Now      *authn.TenantRules
	Own      authn.TenantRules // what the tenant says now
	Switch   tenantSwitch
	Action   string
	Dormant  int // after how many days unseen people are deactivated; 0: never
}

// tenantSwitch is a select that leads to the same page of another tenant.
type tenantSwitch struct {
	Path    string
	All     string // what no tenant means
	Tenants []identity.Tenant
	Tenant  identity.TenantID
}

// settings shows what is asked of passwords, sign-ins and sessions, whose word each is, and the part that a tenant may say itself.
func (d *Door) settings(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.securityPage(w, r, v, form{}, nil)
}

func (d *Door) securityPage(w http.ResponseWriter, r *http.Request, v visit, f form, now *authn.TenantRules) error {
	b := securityBody{Tabs: v.tabs("security"), Form: f, Now: now}
	var err error
	if b.Policies, err = d.authn.Policies(r.Context(), v.Actor); err != nil {
		return err
	}
	b.From = sourcesOf(b.Policies)
	if b.Tenants, err = d.tenantOptions(r.Context(), v); err != nil {
		return err
	}
	if id := d.settingsTenant(r, v); id != "" {
		if err := d.tenantPart(r.Context(), v, id, &b); err != nil {
			return err
		}
	}
	if b.Form.Values == nil {
		b.Form = rulesForm(b.Own)
	}
	b.Switch = tenantSwitch{settingsPath, "Choose a tenant to see what it says itself …", b.Tenants, b.Tenant.ID}
	b.Action = settingsURL("", v, b.Tenant.ID, "")
	return d.showSettings(w, r, v, "settings", v.Caption("settings_page", "Settings"), b.Form, b)
}

// tenantPart fills in what one tenant says.
func (d *Door) tenantPart(ctx context.Context, v visit, id identity.TenantID, b *securityBody) error {
	t, err := d.prov.Tenant(ctx, v.Actor, id)
	if err != nil {
		return err
	}
	said, err := d.authn.TenantSettings(ctx, v.Actor, id)
	b.Tenant, b.Own, b.Dormant = t, authn.RulesOf(said), said.DormantDays
	return err
}

// sourcesOf says whose word each rule is.
func sourcesOf(p authn.Policies) map[string]string {
	from := map[string]string{}
	say := func(rule string, model bool) {
		from[rule] = "program"
		if model {
			from[rule] = "model"
		}
	}
	say("length", p.Model.MinPassword >= p.Default.MinPassword)
	say("classes", p.Model.PasswordClasses > 1)
	say("history", p.Model.PasswordHistory > 1)
	say("password_age", p.Model.PasswordAge > 0)
	say("failures", p.Model.MaxFailures > 0)
	say("window", p.Model.FailureWindow > 0)
	say("unlock", p.Model.UnlockAfter > 0 || p.Model.NeverUnlock)
	say("idle", p.Model.SessionIdle > 0)
	say("age", p.Model.SessionAge > 0)
	say("factor", len(p.Enforced) > 0)
	say("email", p.Email != "verify")
	if p.Idle > 0 {
		from["idle"] = "installation"
	}
	if p.Age > 0 {
		from["age"] = "installation"
	}
	return from
}

// rulesForm is the form of a tenant's part, as it stands.
func rulesForm(r authn.TenantRules) form {
	f := blank("provider_factor", string(r.Worth), "seen", rulesText(r))
	set := func(name string, d time.Duration) {
		n, unit := inUnits(d)
		f.Values.Set(name+"_unit", unit)
		if n > 0 {
			f.Values.Set(name, strconv.FormatInt(n, 10))
		} else if name == "age" {
			f.Values.Set("age_unit", "hours")
		}
	}
	set("idle", r.Idle)
	set("age", r.Age)
	if r.Most > 0 {
		f.Values.Set("most", strconv.Itoa(r.Most))
	}
	if r.SecondFactor {
		f.Values.Set("second_factor", "yes")
	}
	return f
}

// units are what people give times in.
var units = []struct {
	name string
	span time.Duration
}{{"days", 24 * time.Hour}, {"hours", time.Hour}, {"minutes", time.Minute}}

// inUnits writes a time in the largest unit that it is a whole number of.
func inUnits(d time.Duration) (n int64, unit string) {
	for _, u := range units {
		if d > 0 && d%u.span == 0 {
			return int64(d / u.span), u.name
		}
	}
	return int64(d.Round(time.Minute) / time.Minute), "minutes"
}

// rulesText writes rules into a hidden field, so that the form knows what stood there when it was opened.
func rulesText(r authn.TenantRules) string {
	return strings.Join([]string{r.Idle.String(), r.Age.String(), strconv.Itoa(r.Most), strconv.FormatBool(r.SecondFactor), string(r.Worth)}, "/")
}

func rulesFrom(text string) (authn.TenantRules, error) {
	var r authn.TenantRules
	parts := strings.Split(text, "/")
	bad := identity.Errorf(identity.Invalid, "The form does not say what it was made from. Open the page again.").WithField("seen")
	if len(parts) != 5 {
		return r, bad
	}
	var errs [4]error
	r.Idle, errs[0] = time.ParseDuration(parts[0])
	r.Age, errs[1] = time.ParseDuration(parts[1])
	r.Most, errs[2] = strconv.Atoi(parts[2])
	r.SecondFactor, errs[3] = strconv.ParseBool(parts[3])
	r.Worth = identity.ProviderFactor(parts[4])
	if slices.ContainsFunc(errs[:], func(err error) bool { return err != nil }) {
		return r, bad
	}
	return r, nil
}

// typedTenantRules reads the form of a tenant's part. What is left empty is as everywhere.
func typedTenantRules(f form) (authn.TenantRules, error) {
	out := authn.TenantRules{SecondFactor: f.Value("second_factor") == "yes", Worth: identity.ProviderFactor(f.Value("provider_factor"))}
	for name, to := range map[string]*time.Duration{"idle": &out.Idle, "age": &out.Age} {
		n, err := wholeNumber(f, name)
		if err != nil {
			return out, err
		}
		for _, u := range units {
			if u.name == cmp.Or(f.Value(name+"_unit"), "minutes") {
				*to = time.Duration(min(n, 1_000_000)) * u.span
			}
		}
	}
	most, err := wholeNumber(f, "most")
	out.Most = int(most)
	return out, err
}

// wholeNumber reads a field that is empty or a number above 0.
func wholeNumber(f form, name string) (int64, error) {
	typed := f.Value(name)
	if typed == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(typed, 10, 32)
	if err != nil || n < 1 {
		return 0, identity.Errorf(identity.Invalid, "Write a whole number above 0, or leave it empty: then it is as everywhere.").WithField(name).WithCause(err)
	}
	return n, nil
}

// saveSettings saves a tenant's part. When somebody was faster, the page shows what they saved beside what was typed.
func (d *Door) saveSettings(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "idle", "age", "most", "second_factor", "provider_factor")
	if err != nil {
		return err
	}
	id := d.settingsTenant(r, v)
	seen, err := rulesFrom(f.Value("seen"))
	if err != nil {
		return err
	}
	rules, err := typedTenantRules(f)
	var now identity.TenantSettings
	if err == nil {
		now, err = d.authn.ChangeTenantRules(r.Context(), v.Actor, id, seen, rules)
	}
	switch {
	case err == nil:
		http.Redirect(w, r, settingsURL("", v, id, "settings-saved"), http.StatusSeeOther)
		return nil
	case !f.refused(err):
		return err
	}
	if f.Problem.Kind != identity.Precondition {
		return d.securityPage(w, r, v, f, nil)
	}
	theirs := authn.RulesOf(now)
	f.Values.Set("seen", rulesText(theirs))
	return d.securityPage(w, r, v, f, &theirs)
}

// settingsURL is a page of the settings, of the tenant that somebody above all tenants looks at, with what was done.
func settingsURL(page string, v visit, tenant identity.TenantID, done string) string {
	out, mark := settingsPath+page, "?"
	if tenant != "" && v.Actor.TenantID == "" && !v.Single() {
		out, mark = out+mark+"tenant="+string(tenant), "&"
	}
	if done != "" {
		out += mark + "done=" + done
	}
	return out
}
