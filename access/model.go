package access

import (
	"maps"
	"slices"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// superadmin is the role that runs the installation. A model that has no platform role with everything (the single-tenant products have none)
// gets this one built in: without it nobody could create a tenant, connect a provider or place a person.
var superadmin = identity.Role{
	ID: "superadmin", Application: identity.DefaultApplication, Title: "SuperAdmin", Scope: identity.ScopePlatform, Interactive: true,
}

// manages are the capabilities that make a role dangerous in the wrong hands: who has one can give rights away.
var manages = []string{"users.write", "roles.write"}

// Model is an access model. It never changes after Load and may be used by any number of goroutines.
type Model struct {
	Name  string // its id, such as "etlworks"
	Title string // for people

	doc       document
	roles     []*role
	byID      map[identity.RoleID]*role
	resources map[string]*resource
	binds     map[string][]binding
}

// role is a role with its grants spelled out.
type role struct {
	identity.Role
	unlimited  bool // platform scope and {"*": all}
	assignable bool
	grants     map[string][]string // resource -> actions in the catalogue's order
}

// binding is the action of the catalogue that stands for a capability.
type binding struct{ resource, action string }

// compile makes a model of a document without mistakes.
func compile(d document) *Model {
	m := &Model{
		Name: d.Name, Title: d.Title, doc: d,
		byID: map[identity.RoleID]*role{}, resources: map[string]*resource{}, binds: map[string][]binding{},
	}
	for i := range d.Catalogue {
		r := &m.doc.Catalogue[i]
		m.resources[r.ID] = r
		for _, action := range slices.Sorted(maps.Keys(r.Binds)) {
			m.binds[r.Binds[action]] = append(m.binds[r.Binds[action]], binding{r.ID, action})
		}
	}
	if !slices.ContainsFunc(d.Roles, d.unlimited) {
		m.add(&role{Role: superadmin, unlimited: true, assignable: true})
	}
	for _, entry := range d.Roles {
		m.add(d.compileRole(entry))
	}
	return m
}

func (m *Model) add(r *role) {
	m.roles = append(m.roles, r)
	m.byID[r.ID] = r
}

func (d *document) compileRole(entry roleEntry) *role {
	return &role{
		Role: identity.Role{
			ID: entry.ID, Application: identity.DefaultApplication, Title: entry.Title, Scope: entry.Scope,
			Interactive: entry.Interactive == nil || *entry.Interactive,
		},
		unlimited:  d.unlimited(entry),
		assignable: entry.Assignable == nil || *entry.Assignable,
		grants:     d.expand(entry),
	}
}

// expand spells out a role's grants. A tenant's role never gets what belongs to the platform, and a role without the gate gets nothing.
func (d *document) expand(entry roleEntry) map[string][]string {
	out := map[string][]string{}
	for _, r := range d.Catalogue {
		if r.Scope == "platform" && entry.Scope != identity.ScopePlatform {
			continue
		}
		g, ok := entry.Grants[r.ID]
		if !ok {
			g, ok = entry.Grants["*"]
		}
		actions := d.actions(g, r)
		if ok && len(actions) > 0 {
			out[r.ID] = actions
		}
		if r.Gate && len(actions) == 0 {
			return nil
		}
	}
	return out
}

// actions returns the actions of a resource that a grant names, in the catalogue's order.
func (d *document) actions(g choice, r resource) []string {
	if level, ok := d.Levels[g.word]; ok && g.list == nil {
		g = level
	}
	if g.list == nil && g.word == "all" {
		return r.Actions
	}
	var out []string
	for _, action := range r.Actions {
		if slices.Contains(g.list, action) {
			out = append(out, action)
		}
	}
	return out
}

// grants reports whether a role may do something that is bound to one of the capabilities.
func (d *document) grants(entry roleEntry, capabilities ...string) bool {
	granted := d.expand(entry)
	for _, r := range d.Catalogue {
		for action, capability := range r.Binds {
			if slices.Contains(capabilities, capability) && slices.Contains(granted[r.ID], action) {
				return true
			}
		}
	}
	return false
}

// Roles returns every role in the model's order; a built-in superadmin comes first.
func (m *Model) Roles() []identity.Role {
	out := make([]identity.Role, 0, len(m.roles))
	for _, r := range m.roles {
		out = append(out, r.Role)
	}
	return out
}

// Role returns a role by its id; false when the model has none.
func (m *Model) Role(id identity.RoleID) (identity.Role, bool) {
	r, ok := m.byID[id]
	if !ok {
		return identity.Role{}, false
	}
	return r.Role, true
}

// Landing returns the name of the tenant in which unknown people arrive and the role they get; identity.LandingTenantName when the model names no tenant.
func (m *Model) Landing() (tenantName string, role identity.RoleID) {
	tenantName = m.doc.Tenancy.Landing.Tenant
	if tenantName == "" {
		tenantName = identity.LandingTenantName
	}
	return tenantName, m.doc.Tenancy.Landing.Role
}

// Assignable reports whether people may be given the role. An owner, for one, is made with its tenant and by nothing else.
func (m *Model) Assignable(id identity.RoleID) bool {
	r, ok := m.byID[id]
	return ok && r.assignable
}

// AssignmentBounds returns how many roles a user has at least and at most; most is 0 when there is no limit.
func (m *Model) AssignmentBounds() (least, most int) {
	return m.doc.Assignment.Min, m.doc.Assignment.Max
}

// Minimum returns how many enabled users must hold the role at any time (the invariant last_admin); 0 when any number may.
// The last one who can run the installation is always kept.
func (m *Model) Minimum(id identity.RoleID) int {
	least := 0
	if r, ok := m.byID[id]; ok && r.unlimited {
		least = 1
	}
	for _, i := range m.doc.Invariants {
		if i.Kind == "last_admin" && i.Role == id {
			least = max(least, i.Count)
		}
	}
	return least
}

// Policy is what a model asks of passwords and sessions. A zero field means that the model does not say.
type Policy struct {
	MinPassword     int           // characters
	PasswordClasses int           // how many of: small letters, capitals, digits, others
	MaxFailures     int           // wrong passwords before the account waits
	UnlockAfter     time.Duration // how long it waits
	NeverUnlock     bool          // it waits until an administrator sets a new password
	SessionIdle     time.Duration
	SessionAge      time.Duration
}

// Policy returns what the model asks of passwords and sessions.
func (m *Model) Policy() Policy {
	p := m.doc.Policies
	return Policy{
		MinPassword: p.Password.MinLength, PasswordClasses: p.Password.Classes,
		MaxFailures: p.Lockout.MaxRetries, UnlockAfter: p.Lockout.AutoUnlock.Duration, NeverUnlock: p.Lockout.AutoUnlock.never,
		SessionIdle: p.Session.Idle, SessionAge: p.Session.Absolute,
	}
}
