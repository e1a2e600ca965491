package console

import (
	"net/http"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/web"
)

type mailSettingsBody struct {
	Tabs      settingsTabs
	Form      form
	Server    string // empty: none is set
	From      string
	To        string // the visitor's address
	Tenants   []identity.Tenant
	Tenant    identity.TenantID
	Templates []templateRow
	Switch    tenantSwitch
}

// templateRow is a mail whose words can be changed.
type templateRow struct {
	identity.MailTemplate
	About string
	URL   string
}

// mailSettings shows whether mails can be sent and whose words they have.
func (d *Door) mailSettings(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.mailPage(w, r, v, blank())
}

func (d *Door) mailPage(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	b := mailSettingsBody{Tabs: v.tabs("mail"), Form: f, Server: d.installed.MailServer, From: d.installed.MailFrom, To: v.User.Email(), Tenant: d.settingsTenant(r, v)}
	var err error
	if b.Tenants, err = d.tenantOptions(r.Context(), v); err != nil {
		return err
	}
	b.Switch = tenantSwitch{settingsPath + "/mail", "The installation’s words", b.Tenants, b.Tenant}
	all, err := d.prov.MailTemplates(r.Context(), v.Actor, b.Tenant)
	if err != nil {
		return err
	}
	for _, m := range all {
		b.Templates = append(b.Templates, templateRow{m, aboutMail(m.Kind), settingsURL("/mail/"+string(m.Kind), v, b.Tenant, "")})
	}
	return d.showSettings(w, r, v, "settings_mail", "Mail", f, b)
}

func aboutMail(kind identity.MailTemplateKind) string {
	for _, k := range identity.MailTemplateKinds {
		if k.Kind == kind {
			return k.About
		}
	}
	return ""
}

// testMail sends the visitor a mail.
func (d *Door) testMail(w http.ResponseWriter, r *http.Request, v visit) error {
	_, err := d.prov.SendTestMail(r.Context(), v.Actor)
	f := blank()
	switch {
	case err == nil:
		http.Redirect(w, r, settingsPath+"/outbox?done=mail-tested", http.StatusSeeOther)
		return nil
	case identity.KindOf(err) == identity.Precondition && f.refused(err):
		return d.mailPage(w, r, v, f)
	}
	return err
}

type templateBody struct {
	Tabs     settingsTabs
	Form     form
	Mail     identity.MailTemplate // as it is in force
	About    string
	Tenant   identity.TenantID
	Whose    string // the tenant's name; empty: the installation's
	Own      bool   // what is in force was changed here, and can be restored
	Now      bool   // somebody was faster; Mail is what they saved
	Preview  *identity.Mail
	Action   string
	Restore  string
	ListURL  string
	Fields   []string
	Password bool // the mail is sent for a password, not for a link
}

// templateFields are what the words of a mail may speak of, as far as people need it.
var templateFields = []string{".Product", ".Tenant", ".Name", ".Email", ".UserName", ".By", ".Message", ".Link", ".Button", ".Until", ".Password", ".OldEmail", ".NewEmail", ".Advice"}

func (d *Door) mailTemplate(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.templatePage(w, r, v, form{}, nil)
}

func (d *Door) templatePage(w http.ResponseWriter, r *http.Request, v visit, f form, preview *identity.Mail) error {
	tenant := d.settingsTenant(r, v)
	m, err := d.prov.MailTemplate(r.Context(), v.Actor, tenant, identity.MailTemplateKind(r.PathValue("kind")))
	if err != nil {
		return err
	}
	if preview == nil {
		shown, err := d.prov.PreviewMailTemplate(r.Context(), v.Actor, identity.MailTemplate{Kind: m.Kind, TenantID: tenant})
		if err != nil {
			return err
		}
		preview = &shown
	}
	if f.Values == nil {
		f = blank("subject", m.Subject, "text", m.Text, "html", m.HTML, "seen", m.UpdatedAt.Format(time.RFC3339Nano))
	}
	b := templateBody{
		Tabs: v.tabs("mail"), Form: f, Mail: m, About: aboutMail(m.Kind), Tenant: tenant, Own: m.Source != identity.TemplateDefault && m.TenantID == tenant, Preview: preview, Fields: templateFields,
		Action: settingsURL("/mail/"+string(m.Kind), v, tenant, ""), Restore: settingsURL("/mail/"+string(m.Kind)+"/restore", v, tenant, ""), ListURL: settingsURL("/mail", v, tenant, ""),
		Password: m.Kind == identity.MailPassword,
	}
	if f.Problem != nil && f.Problem.Kind == identity.Precondition {
		b.Now = true
		f.Values.Set("seen", m.UpdatedAt.Format(time.RFC3339Nano))
	}
	if tenant != "" && !v.Single() {
		t, err := d.prov.Tenant(r.Context(), v.Actor, tenant)
		if err != nil {
			return err
		}
		b.Whose = t.Name
	}
	return d.showSettings(w, r, v, "settings_template", "Mail: "+b.About, f, b)
}

// saveTemplate shows how a mail would look, or saves its words.
func (d *Door) saveTemplate(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "subject", "text", "html")
	if err != nil {
		return err
	}
	m := identity.MailTemplate{Kind: identity.MailTemplateKind(r.PathValue("kind")), TenantID: d.settingsTenant(r, v), Subject: f.Value("subject"), Text: f.Values.Get("text"), HTML: f.Values.Get("html")}
	var preview *identity.Mail
	if f.Value("act") == "preview" {
		var shown identity.Mail
		if shown, err = d.prov.PreviewMailTemplate(r.Context(), v.Actor, m); err == nil {
			preview = &shown
		}
	} else {
		var seen time.Time
		if seen, err = time.Parse(time.RFC3339Nano, f.Value("seen")); err != nil {
			return identity.Errorf(identity.Invalid, "The form does not say which words it was made from. Open the page again.").WithField("seen").WithCause(err)
		}
		err = d.prov.ChangeMailTemplate(r.Context(), v.Actor, m, seen)
	}
	switch {
	case err == nil && preview == nil:
		http.Redirect(w, r, settingsURL("/mail", v, m.TenantID, "template-saved"), http.StatusSeeOther)
		return nil
	case err == nil, f.refused(err):
		return d.templatePage(w, r, v, f, preview)
	}
	return err
}

// restoring is the question before changed words are taken back.
func (d *Door) restoring(r *http.Request, v visit) confirmBody {
	tenant, kind := d.settingsTenant(r, v), r.PathValue("kind")
	back := settingsURL("/mail/"+kind, v, tenant, "")
	c := confirmBody{
		Title: "Restore the former words?", Who: aboutMail(identity.MailTemplateKind(kind)), Button: "Restore the words", Danger: true, Action: strings.Replace(back, "/mail/"+kind, "/mail/"+kind+"/restore", 1), Back: back,
		Facts: []string{"The words that were written here are dropped; the audit keeps them.", "From now on people get the words that came with Drawbridge, or those of the installation where it has its own."},
	}
	return c
}

func (d *Door) confirmRestoreTemplate(w http.ResponseWriter, r *http.Request, v visit) error {
	if _, err := d.prov.MailTemplate(r.Context(), v.Actor, d.settingsTenant(r, v), identity.MailTemplateKind(r.PathValue("kind"))); err != nil {
		return err
	}
	return d.confirm(w, r, v, "settings", d.restoring(r, v))
}

func (d *Door) restoreTemplate(w http.ResponseWriter, r *http.Request, v visit) error {
	tenant := d.settingsTenant(r, v)
	if err := d.prov.ResetMailTemplate(r.Context(), v.Actor, tenant, identity.MailTemplateKind(r.PathValue("kind"))); err != nil {
		return err
	}
	http.Redirect(w, r, settingsURL("/mail", v, tenant, "template-restored"), http.StatusSeeOther)
	return nil
}

type outboxBody struct {
	Tabs     settingsTabs
	Form     form
	Server   string
	Mails    []identity.Mail
	Pager    pager
	State    provisioning.MailOutcome
	States   []provisioning.MailOutcome
	To       string
	Tenants  []identity.Tenant
	Names    map[identity.TenantID]string
	Tenant   identity.TenantID
	Filtered bool
	query    string // of the list
}

// Resend is where a mail is sent again, and from where the browser comes back to the same list.
func (b outboxBody) Resend(id identity.MailID) string {
	to := settingsPath + "/outbox/" + string(id) + "/resend"
	if b.query != "" {
		to += "?" + b.query
	}
	return to
}

// outbox lists the mails that wait, were sent or were given up, newest first.
func (d *Door) outbox(w http.ResponseWriter, r *http.Request, v visit) error {
	return d.outboxPage(w, r, v, blank())
}

func (d *Door) outboxPage(w http.ResponseWriter, r *http.Request, v visit, f form) error {
	b := outboxBody{Tabs: v.tabs("outbox"), Form: f, Server: d.installed.MailServer, States: []provisioning.MailOutcome{provisioning.MailsWaiting, provisioning.MailsGivenUp, provisioning.MailsSent}}
	q := provisioning.MailQuery{Query: keyset(r), To: strings.ToLower(oneLine(clip(strings.TrimSpace(r.FormValue("to")), 254)))}
	for _, state := range b.States {
		if r.FormValue("state") == string(state) {
			q.Outcome = state
		}
	}
	if v.Platform() {
		q.TenantID, _ = identity.ParseID[identity.TenantID](r.FormValue("tenant"))
	}
	found, err := d.prov.MailsWhere(r.Context(), v.Actor, q)
	if err != nil {
		return err
	}
	b.Pager = turn(r, q.Query, &found, func(m identity.Mail) string { return string(m.ID) })
	b.Mails, b.State, b.To, b.Tenant, b.query = found.Items, q.Outcome, q.To, q.TenantID, r.URL.RawQuery
	b.Filtered = q.Outcome != "" || q.To != "" || q.TenantID != ""
	if b.Tenants, b.Names, err = d.tenantsByID(r.Context(), v); err != nil {
		return err
	}
	s := screen{Title: "Outbox", Nav: "settings", Body: b}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "settings_outbox", s)
}

// resendFromOutbox sends a mail again that was given up, and comes back to the list as it was filtered.
func (d *Door) resendFromOutbox(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := pathID[identity.MailID](r, "mail")
	if err != nil {
		return err
	}
	err = d.prov.ResendMail(r.Context(), v.Actor, id)
	f := blank()
	switch {
	case err == nil:
		q := r.URL.Query()
		q.Set("done", "mail-resent")
		http.Redirect(w, r, settingsPath+"/outbox?"+q.Encode(), http.StatusSeeOther)
		return nil
	case identity.KindOf(err) == identity.Conflict && f.refused(err):
		return d.outboxPage(w, r, v, f)
	}
	return err
}
