package access

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync/atomic"
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

// Model is the access model in force: the catalogue and the settings of its file, and the roles, which come from the file until Use replaces them by those
// of the database. It may be used by any number of goroutines; each question is answered from one state.
type Model struct {
	now atomic.Pointer[compiled]
}

// compiled is one state of a model. It never changes.
type compiled struct {
	version   int64 // of the database; 0: as the file says
	source    []byte
	doc       document
	roles     []*role
	byID      map[identity.RoleID]*role
	admin     *role // what the admin flag grants; nil: the model has none
	resources map[string]*resource
	binds     map[string][]binding
}

// Name returns the model's id, such as "etlworks".
func (m *Model) Name() string { return m.now.Load().doc.Name }

// Title returns the model's name for people.
func (m *Model) Title() string { return m.now.Load().doc.Title }

// Source returns the model's file.
func (m *Model) Source() []byte { return m.now.Load().source }

// Version returns the version of the database that the model was last brought up to with Use; 0 when it never was.
func (m *Model) Version() int64 { return m.now.Load().version }

// role is a role with its grants spelled out.
type role struct {
	identity.RoleDefinition
	unlimited bool                // platform scope and {"*": all}
	gated     bool                // has the gate, or the model has none
	grants    map[string][]string // what counts: resource -> actions in the catalogue's order
}

// binding is the action of the catalogue that stands for a capability.
type binding struct{ resource, action string }

// compile makes a state of a document without mistakes. Without definitions the roles are the file's.
func compile(source []byte, d document, version int64, defs []identity.RoleDefinition) *compiled {
	c := &compiled{
		version: version, source: source, doc: d,
		byID: map[identity.RoleID]*role{}, resources: map[string]*resource{}, binds: map[string][]binding{},
	}
	for i := range d.Catalogue {
		r := &c.doc.Catalogue[i]
		c.resources[r.ID] = r
		for _, action := range slices.Sorted(maps.Keys(r.Binds)) {
			c.binds[r.Binds[action]] = append(c.binds[r.Binds[action]], binding{r.ID, action})
		}
	}
	if !slices.ContainsFunc(d.Roles, d.unlimited) {
		c.add(&role{RoleDefinition: identity.RoleDefinition{Role: superadmin, Assignable: true, Shipped: true}, unlimited: true})
	}
	c.admin = c.doc.compileAdmin()
	if defs == nil {
		defs = d.definitions()
	}
	for _, def := range defs {
		if c.byID[def.ID] == nil {
			c.add(d.compileRole(def))
		}
	}
	return c
}

// Source is where the state in force is kept.
type Source interface {
	// AccessModel returns the version in force with its document and roles; nothing but the version when it is the known one.
	AccessModel(ctx context.Context, application string, known int64) (version int64, document []byte, roles []identity.RoleDefinition, err error)
}

// Refresh brings the model up to what its source says. It costs one small question when nothing has changed.
func (m *Model) Refresh(ctx context.Context, from Source) error {
	known := m.Version()
	version, document, roles, err := from.AccessModel(ctx, identity.DefaultApplication, known)
	if err != nil || version == known {
		return err
	}
	return m.Use(version, document, roles)
}

// Use puts another state in force: the roles of the database, and its document where it has one (nil leaves the present one). Version is the
// database's. A document with mistakes changes nothing and is returned as Invalid.
func (m *Model) Use(version int64, source []byte, defs []identity.RoleDefinition) error {
	was := m.now.Load()
	d := was.doc
	if source == nil {
		source = was.source
	}
	if !bytes.Equal(source, was.source) {
		var err error
		if d, err = parse("in the database", source); err != nil {
			return err
		}
	}
	m.now.Store(compile(source, d, version, defs))
	return nil
}

func (c *compiled) add(r *role) {
	c.roles = append(c.roles, r)
	c.byID[r.ID] = r
}

func (d *document) compileRole(def identity.RoleDefinition) *role {
	entry, ok := d.role(def.ID)
	unlimited := def.Shipped && def.Scope == identity.ScopePlatform && (ok && d.unlimited(entry) || !ok && def.ID == superadmin.ID)
	grants := d.effective(def)
	return &role{RoleDefinition: def, unlimited: unlimited, gated: grants != nil, grants: grants}
}

// compileAdmin returns what the admin flag grants, as a role that nobody is given.
func (d *document) compileAdmin() *role {
	if d.AdminFlag == nil {
		return nil
	}
	entry := roleEntry{Scope: identity.ScopeTenant, Grants: d.AdminFlag.Grants}
	def := identity.RoleDefinition{Role: identity.Role{Title: d.AdminFlag.Label, Scope: entry.Scope, Interactive: true}, Grants: d.expand(entry)}
	grants := d.effective(def)
	return &role{RoleDefinition: def, gated: grants != nil, grants: grants}
}

// definitions are the roles of the file, with their grants spelled out.
func (d *document) definitions() []identity.RoleDefinition {
	out := make([]identity.RoleDefinition, len(d.Roles))
	for i, entry := range d.Roles {
		out[i] = identity.RoleDefinition{
			Role: identity.Role{
				ID: entry.ID, Application: identity.DefaultApplication, Title: entry.Title, Scope: entry.Scope,
				Interactive: entry.Interactive == nil || *entry.Interactive,
			},
			Assignable: entry.Assignable == nil || *entry.Assignable, Shipped: true, Position: i, Grants: d.expand(entry), Levels: entry.Levels,
		}
	}
	return out
}

// expand spells out a role's grants. A tenant's role never gets what belongs to the platform.
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
		if actions := d.actions(g, r); ok && len(actions) > 0 {
			out[r.ID] = actions
		}
	}
	return out
}

// effective returns what counts of a role's grants: what the catalogue has, in its order; nothing of the platform's for a tenant's role; nothing at all
// without the gate.
func (d *document) effective(def identity.RoleDefinition) map[string][]string {
	out := map[string][]string{}
	for _, r := range d.Catalogue {
		if r.Scope == "platform" && def.Scope != identity.ScopePlatform {
			continue
		}
		for _, action := range r.Actions {
			if slices.Contains(def.Grants[r.ID], action) {
				out[r.ID] = append(out[r.ID], action)
			}
		}
		if r.Gate && len(out[r.ID]) == 0 {
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
	granted := d.effective(identity.RoleDefinition{Role: identity.Role{ID: entry.ID, Scope: entry.Scope}, Grants: d.expand(entry)})
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
	roles := m.now.Load().roles
	out := make([]identity.Role, 0, len(roles))
	for _, r := range roles {
		out = append(out, r.Role)
	}
	return out
}

// Role returns a role by its id; false when the model has none.
func (m *Model) Role(id identity.RoleID) (identity.Role, bool) {
	r, ok := m.now.Load().byID[id]
	if !ok {
		return identity.Role{}, false
	}
	return r.Role, true
}

// Definitions returns every role with its grants in the model's order; a built-in superadmin comes first.
func (m *Model) Definitions() []identity.RoleDefinition {
	roles := m.now.Load().roles
	out := make([]identity.RoleDefinition, 0, len(roles))
	for _, r := range roles {
		out = append(out, r.RoleDefinition)
	}
	return out
}

// Landing returns the name of the tenant in which unknown people arrive and the role they get; identity.LandingTenantName when the model names no tenant.
func (m *Model) Landing() (tenantName string, role identity.RoleID) {
	tenantName = m.now.Load().doc.Tenancy.Landing.Tenant
	if tenantName == "" {
		tenantName = identity.LandingTenantName
	}
	return tenantName, m.now.Load().doc.Tenancy.Landing.Role
}

// Assignable reports whether people may be given the role. An owner, for one, is made with its tenant and by nothing else.
func (m *Model) Assignable(id identity.RoleID) bool {
	r, ok := m.now.Load().byID[id]
	return ok && r.Assignable
}

// AssignmentBounds returns how many roles a user has at least and at most; most is 0 when there is no limit.
func (m *Model) AssignmentBounds() (least, most int) {
	return m.now.Load().doc.Assignment.Min, m.now.Load().doc.Assignment.Max
}

// Minimum returns how many enabled users must hold the role at any time (the invariant last_admin); 0 when any number may.
// The last one who can run the installation is always kept.
func (m *Model) Minimum(id identity.RoleID) int {
	least := 0
	if r, ok := m.now.Load().byID[id]; ok && r.unlimited {
		least = 1
	}
	for _, i := range m.now.Load().doc.Invariants {
		if i.Kind == "last_admin" && i.Role == id {
			least = max(least, i.Count)
		}
	}
	return least
}

// Unlimited reports whether a role grants everything by itself, whatever the catalogue has: nobody edits such a role.
func (m *Model) Unlimited(id identity.RoleID) bool {
	r, ok := m.now.Load().byID[id]
	return ok && r.unlimited
}

// Policy is what a model asks of passwords and sessions. A zero field means that the model does not say.
type Policy struct {
	MinPassword     int           // characters
	PasswordClasses int           // how many of: small letters, capitals, digits, others
	PasswordHistory int           // how many of the last passwords may not come back
	PasswordAge     time.Duration // after which a password has to be changed
	MaxFailures     int           // wrong passwords before the account waits
	FailureWindow   time.Duration // after which a wrong password is forgotten
	UnlockAfter     time.Duration // how long it waits
	NeverUnlock     bool          // it is locked until an administrator unlocks it
	SessionIdle     time.Duration
	SessionAge      time.Duration
}

// Policy returns what the model asks of passwords and sessions.
func (m *Model) Policy() Policy {
	p := m.now.Load().doc.Policies
	return Policy{
		MinPassword: p.Password.MinLength, PasswordClasses: p.Password.Classes, PasswordHistory: p.Password.History, PasswordAge: p.Password.MaxAge,
		MaxFailures: p.Lockout.MaxRetries, FailureWindow: p.Lockout.Window, UnlockAfter: p.Lockout.AutoUnlock.Duration, NeverUnlock: p.Lockout.AutoUnlock.never,
		SessionIdle: p.Session.Idle, SessionAge: p.Session.Absolute,
	}
}
