package console

import (
	"net/http"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/web"
)

// blankRules is how many empty rows the table of rules has for new ones.
const blankRules = 3

type matchingBody struct {
	Connection identity.Connection
	Form       form
	Rules      []identity.Rule // with empty ones at the end
	Roles      roleOptions
	Tenants    []identity.Tenant
}

// matching shows whom a connection's people are here, and what they may do by the provider's word.
func (d *Door) matching(w http.ResponseWriter, r *http.Request, v visit) error {
	c, err := d.pathConnection(r, v)
	if err != nil {
		return err
	}
	o := c.Options
	f := blank("linkproof", string(o.LinkProof), "directorykey", o.DirectoryKey)
	if o.DeletedAsNew {
		f.Values.Set("deletedasnew", "1")
	}
	for _, role := range o.Ceiling {
		f.Values.Add("ceiling", string(role))
	}
	return d.matchingPage(w, r, v, c, f, o.Rules)
}

func (d *Door) matchingPage(w http.ResponseWriter, r *http.Request, v visit, c identity.Connection, f form, rules []identity.Rule) error {
	body := matchingBody{Connection: c, Form: f, Rules: append(rules[:len(rules):len(rules)], make([]identity.Rule, blankRules)...)}
	var err error
	if body.Roles, err = d.roleOptions(r.Context(), v); err != nil {
		return err
	}
	if body.Tenants, err = d.tenantOptions(r.Context(), v); err != nil {
		return err
	}
	s := screen{Title: "Matching of " + c.Name, Nav: "connections", Body: body}
	if f.Problem != nil {
		s.Status = web.Status(f.Problem)
	}
	return d.show(w, r, v, "connection_matching", s)
}

// formRules decodes the rows of the table; one without an attribute is none.
func formRules(f form) []identity.Rule {
	column := func(name string, row int) string {
		if all := f.Values[name]; row < len(all) {
			return strings.TrimSpace(all[row])
		}
		return ""
	}
	var out []identity.Rule
	for row := range f.Values["attribute"] {
		rule := identity.Rule{
			ID: column("rule", row), Attribute: column("attribute", row), Value: column("value", row), Role: identity.RoleID(column("role", row)), Tenant: identity.TenantID(column("tenant", row)),
		}
		if rule.Attribute != "" {
			out = append(out, rule)
		}
	}
	return out
}

func (d *Door) updateMatching(w http.ResponseWriter, r *http.Request, v visit) error {
	f, err := readForm(w, r, "linkproof", "directorykey", "rules", "ceiling")
	if err != nil {
		return err
	}
	c, err := d.pathConnection(r, v)
	if err != nil {
		return err
	}
	rules := formRules(f)
	var ceiling []identity.RoleID
	for _, role := range f.Values["ceiling"] {
		ceiling = append(ceiling, identity.RoleID(role))
	}
	_, err = d.prov.UpdateConnection(r.Context(), v.Actor, c.ID, func(c *identity.Connection) error {
		o := &c.Options
		o.LinkProof, o.DirectoryKey, o.DeletedAsNew = identity.LinkProof(f.Value("linkproof")), f.Value("directorykey"), f.Has("deletedasnew", "1")
		o.Rules, o.Ceiling = rules, ceiling
		return nil
	})
	switch {
	case err == nil:
		return d.toConnection(w, r, c.ID, "connection-updated")
	case f.refused(err):
		return d.matchingPage(w, r, v, c, f, rules)
	}
	return err
}
