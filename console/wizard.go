package console

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

// The fields of the wizard: what is about us first, then the provider's own values.
var (
	whomFields   = []string{"name", "tenant", "domains", "unknown", "unknownrole", "directory"}
	wizardFields = slices.Concat([]string{"provider", "id"}, whomFields, providerFields)
)

// wizardBody is one page of the wizard.
type wizardBody struct {
	Step        int // of the six: 1 provider, 2 for whom, 3 our values and 4 theirs on one page; 5 test and 6 switch on are the connection's own page
	Guide       guide
	Guides      []guide
	Form        form
	Tenants     []identity.Tenant
	Roles       roleOptions
	Directories []identity.Directory
	Addresses   addresses
	Made        bool // the connection exists: its secret may stay as it is
}

// IsSAML chooses what the page asks for.
func (b wizardBody) IsSAML() bool { return b.Guide.IsSAML() }

// cards are the providers to choose from, with what an address of theirs begins with.
type cards struct {
	Base   string
	Guides []guide
}

// Cards are the providers of step 1.
func (b wizardBody) Cards() cards { return cards{"/console/connections/new?provider=", b.Guides} }

// Carried are the fields of the other steps, which travel along unseen. A secret and a file never do.
func (b wizardBody) Carried() [][2]string {
	shown := whomFields
	if b.Step > 2 {
		shown = providerFields
	}
	var out [][2]string
	for _, name := range wizardFields {
		if value := b.Form.Value(name); value != "" && name != "clientsecret" && !slices.Contains(shown, name) {
			out = append(out, [2]string{name, value})
		}
	}
	return out
}

// newConnection is step 1, or step 2 once the provider is chosen.
func (d *Door) newConnection(w http.ResponseWriter, r *http.Request, v visit) error {
	key := r.FormValue("provider")
	if key == "" {
		key = r.FormValue("kind")
	}
	g := guideOf(key, "")
	if g.Key == "" {
		return d.show(w, r, v, "wizard_provider", screen{Title: "New connection", Nav: "connections", Body: wizardBody{Step: 1, Guides: guides}})
	}
	f := blank("provider", g.Key, "unknown", string(identity.UnknownLanding), "id", identity.NewID[string](), "tenant", r.FormValue("tenant"))
	return d.wizardPage(w, r, v, f, 2)
}

// wizardStep goes from one step to another; nothing is written.
func (d *Door) wizardStep(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, whomFields...)
	if err != nil {
		return err
	}
	if f.Value("to") == "whom" {
		return d.wizardPage(w, r, v, f, 2)
	}
	c := wizardConnection(f)
	err = d.prov.CheckConnectionPlan(r.Context(), v.Actor, c)
	if f.refused(err) {
		return d.wizardPage(w, r, v, f, 2)
	}
	if err != nil {
		return err
	}
	return d.wizardPage(w, r, v, f, 3)
}

func (d *Door) wizardPage(w http.ResponseWriter, r *http.Request, v visit, f form, step int) error {
	g := guideOf(f.Value("provider"), "")
	if g.Key == "" {
		g = guideOf("", identity.ConnectionKind(f.Value("kind")))
	}
	body := wizardBody{Step: step, Guide: g, Form: f, Addresses: d.addresses(identity.ConnectionID(f.Value("id")))}
	if err := d.wizardChoices(r.Context(), v, &body); err != nil {
		return err
	}
	page := "wizard_whom"
	if step > 2 {
		page = "wizard_values"
	}
	s := screen{Title: "New connection to " + g.Title, Nav: "connections", Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, page, s)
}

func (d *Door) wizardChoices(ctx context.Context, v visit, body *wizardBody) error {
	var err error
	if body.Tenants, err = d.tenantOptions(ctx, v); err != nil {
		return err
	}
	if body.Roles, err = d.roleOptions(ctx, v); err != nil {
		return err
	}
	p, err := d.prov.Directories(ctx, v.Actor, identity.Query{Limit: maxOptions})
	body.Directories = p.Items
	return err
}

// wizardConnection decodes all but the provider's values. The id was chosen when the wizard began, so that the addresses on its pages are the right ones.
func wizardConnection(f form) identity.Connection {
	g := guideOf(f.Value("provider"), "")
	if g.Key == "" {
		g.Kind = identity.ConnectionKind(f.Value("kind"))
	}
	c := identity.Connection{Name: f.Value("name"), TenantID: identity.TenantID(f.Value("tenant")), Kind: g.Kind, Options: identity.ConnectionOptions{Provider: g.Key}}
	c.ID, _ = identity.ParseID[identity.ConnectionID](f.Value("id"))
	readRules(f, &c)
	return c
}

// createConnection ends the input: the connection is made, switched off, and a test begins, or its page leads on to one.
func (d *Door) createConnection(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, wizardFields...)
	if err != nil {
		return err
	}
	c := wizardConnection(f)
	if err = d.prov.CheckConnectionPlan(r.Context(), v.Actor, c); err == nil {
		if err = d.readProvider(r, f, &c); err == nil {
			c, err = d.prov.PrepareConnection(r.Context(), v.Actor, c)
		}
	}
	switch {
	case err == nil && f.Value("then") == "test":
		return d.trialPage(w, r, v, c)
	case err == nil:
		http.Redirect(w, r, "/console/connections/"+string(c.ID)+"?done=connection-prepared", http.StatusSeeOther)
		return nil
	case f.refused(err):
		step := 3
		if slices.Contains(whomFields, f.fieldOf()) {
			step = 2
		}
		return d.wizardPage(w, r, v, f, step)
	}
	return err
}

// readRules decodes whom a connection is trusted for and what happens to a person whom nobody knows.
func readRules(f form, c *identity.Connection) {
	c.Domains = words(f.Value("domains"))
	c.Unknown = identity.UnknownPolicy(strings.TrimSpace(f.Value("unknown")))
	c.UnknownRole = ""
	if c.Unknown == identity.UnknownTenant {
		c.UnknownRole = identity.RoleID(f.Value("unknownrole"))
	}
	c.DirectoryID = identity.DirectoryID(f.Value("directory"))
}
