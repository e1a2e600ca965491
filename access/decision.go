package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// Decision is an answer with its reason, one sentence for people.
type Decision struct {
	Allowed bool
	Reason  string
	Level   string // of an allowed action on a scoped resource: how far its records go; see Sees
}

// Subject is whom a question is about. The zero value of a field never widens an answer.
type Subject struct {
	Roles   []identity.RoleID
	Admin   bool            // carries the admin flag, where the model has one
	Links   []string        // kinds of records of the application that are tied to the person and active
	Status  identity.Status // empty: who asks has come in, so the account is in order
	Level   string          // how far the person sees at most; empty: as the model says
	Ceiling []string        // of a key or a connection: "resource" or "resource:action", and nothing else counts; nil: no ceiling
}

// Who returns the subject that an actor is. Who acts has come in: nothing is said about the account's status.
func Who(by identity.Actor) Subject { return Subject{Roles: by.Roles, Admin: by.Admin} }

// Decide says whether somebody may do something with a resource of the catalogue. Roles and the admin flag are a union: one that grants is enough.
// A role without the gate, where the model has one, grants nothing. What is granted is cut by the subject's ceiling, by the record that the
// resource requires, and by the account's status, in this order; the reason names the first that denies. What the catalogue does not list is denied to
// everybody; roles that the model does not have grant nothing.
func (m *Model) Decide(who Subject, resource, action string) Decision {
	return m.now.Load().decide(who, resource, action)
}

func (c *compiled) decide(who Subject, resource, action string) Decision {
	r, ok := c.resources[resource]
	if !ok || !slices.Contains(r.Actions, action) {
		return deny("The access model %s has no %s: %s", c.doc.Name, resource, action)
	}
	if r.Self {
		return c.limit(who, r, action, nil, allow("%s is everybody's own", r.Title))
	}
	by := c.granting(who, resource, action)
	if len(by) == 0 {
		return deny("%s", c.refusal(who, r, action))
	}
	d := allow("%s grants %s: %s", by[0].Title, resource, strings.Join(by[0].grants[resource], ", "))
	if by[0].unlimited {
		d = allow("%s grants everything", by[0].Title)
	}
	if d.Level = c.level(who, r, by); d.Level != "" {
		d.Reason += ", as far as " + d.Level
	}
	return c.limit(who, r, action, by, d)
}

// held returns the roles of the model that somebody has, the admin flag as one of them.
func (c *compiled) held(who Subject) []*role {
	out := make([]*role, 0, len(who.Roles)+1)
	for _, id := range who.Roles {
		if r := c.byID[id]; r != nil {
			out = append(out, r)
		}
	}
	if who.Admin && c.admin != nil {
		out = append(out, c.admin)
	}
	return out
}

// granting returns the roles that grant the action; one that grants everything alone.
func (c *compiled) granting(who Subject, resource, action string) []*role {
	var out []*role
	for _, r := range c.held(who) {
		switch {
		case r.unlimited:
			return []*role{r}
		case slices.Contains(r.grants[resource], action):
			out = append(out, r)
		}
	}
	return out
}

// limit applies what roles do not say: the ceiling, the record, the status.
func (c *compiled) limit(who Subject, r *resource, action string, by []*role, d Decision) Decision {
	switch {
	case who.Ceiling != nil && !slices.Contains(who.Ceiling, r.ID) && !slices.Contains(who.Ceiling, r.ID+":"+action):
		return deny("%s%s", d.Reason, "; but what is used here is limited to less")
	case r.RequiresLink != "" && !slices.Contains(who.Links, r.RequiresLink):
		return deny("%s needs an active %s record that is linked to the person", r.Title, c.linkTitle(r.RequiresLink))
	case who.Status == identity.StatusInactive:
		return deny("The account is deactivated; while it is, nothing is granted")
	case who.Status == identity.StatusLocked:
		return deny("The account is locked; while it is, nothing is granted")
	case who.Status == identity.StatusPending && !slices.ContainsFunc(by, func(r *role) bool { return !r.Interactive }):
		return deny("The account is pending; nothing is granted before its person has come in once")
	}
	return d
}

func (c *compiled) linkTitle(kind string) string {
	for _, l := range c.doc.Links {
		if l.Type == kind && l.Title != "" {
			return l.Title
		}
	}
	return kind
}

// level returns how far the records of a scoped resource go; "" for other resources. Where grants carry levels, it is the widest of them, and a grant
// without one is as narrow as the model's default; the person's own level, where there is one, is the cap.
func (c *compiled) level(who Subject, r *resource, by []*role) string {
	a := c.doc.DataAccess
	if a == nil || !r.Scoped {
		return ""
	}
	top := len(a.Levels) - 1
	reach := slices.Index(a.Levels, a.Default)
	own := slices.Index(a.Levels, who.Level)
	if own < 0 && who.Level != "" {
		own = 0 // a level that the model no longer has
	}
	switch {
	case by[0].unlimited:
		return a.Levels[top]
	case a.Where == LevelOfUser && own >= 0:
		return a.Levels[own]
	case a.Where == LevelOfUser:
		return a.Levels[reach]
	}
	for _, g := range by {
		if g == c.admin {
			reach = top
		}
		reach = max(reach, slices.Index(a.Levels, g.Levels[r.ID]))
	}
	if own >= 0 {
		reach = min(reach, own)
	}
	return a.Levels[reach]
}

// own are the capabilities that everybody has over his or her own account where the model does not speak of them.
var own = []string{"self.read", "self.write"}

// follows says which capability stands in for one that the model binds to nothing.
var follows = map[string]string{"users.invite": "users.write", "audit.read": "users.write"}

// Allows says whether somebody has one of Drawbridge's own capabilities ("users.read", "users.write", "tenants.write", "audit.read", "api.call" …),
// by the actions that the catalogue binds to it. Where the model binds nothing to it, inviting people and reading their history follow users.write, one's
// own account is one's own, and everything else is the platform's.
func (m *Model) Allows(who Subject, capability string) Decision {
	return m.now.Load().allows(who, capability)
}

func (c *compiled) allows(who Subject, capability string) Decision {
	for _, r := range c.held(who) {
		if r.unlimited && who.Ceiling == nil && who.Status == "" {
			return allow("%s grants everything", r.Title)
		}
	}
	bound := c.binds[capability]
	switch other, ok := follows[capability]; {
	case len(bound) == 0 && ok:
		return c.allows(who, other)
	case len(bound) == 0 && slices.Contains(own, capability):
		_, action, _ := strings.Cut(capability, ".")
		return c.limit(who, &resource{ID: "self"}, action, nil, allow("One's own account is everybody's own"))
	case len(bound) == 0:
		return deny("The access model %s gives %s to the platform only", c.doc.Name, capability)
	}
	for _, b := range bound {
		if d := c.decide(who, b.resource, b.action); d.Allowed {
			return d
		}
	}
	return c.decide(who, bound[0].resource, bound[0].action)
}

// Permission is one action of the catalogue with what somebody may do.
type Permission struct {
	Resource Resource
	Action   string
	Decision
}

// Permissions returns the decision on every action of the catalogue, in its order. All of them are of one state of the model.
func (m *Model) Permissions(who Subject) []Permission {
	c := m.now.Load()
	var out []Permission
	for i := range c.doc.Catalogue {
		r := c.doc.Catalogue[i].public()
		for _, action := range r.Actions {
			out = append(out, Permission{Resource: r, Action: action, Decision: c.decide(who, r.ID, action)})
		}
	}
	return out
}

// Privileged reports whether a role may manage people: it has platform scope, or may write users or roles. A role that the model does not have
// counts as privileged, since what is not known cannot be called harmless.
func (m *Model) Privileged(id identity.RoleID) bool {
	c := m.now.Load()
	held, ok := c.byID[id]
	return !ok || held.Scope == identity.ScopePlatform || c.manages(Subject{Roles: []identity.RoleID{id}})
}

func (c *compiled) manages(who Subject) bool {
	return slices.ContainsFunc(manages, func(capability string) bool { return c.binds[capability] != nil && c.allows(who, capability).Allowed })
}

// Level returns the model's word for what a role may do with a resource, such as "View only": the level whose actions are exactly the granted ones.
// Without such a level it is the actions themselves, or "" when there are none.
func (m *Model) Level(id identity.RoleID, resource string) string {
	c := m.now.Load()
	r, held := c.resources[resource], c.byID[id]
	if r == nil || held == nil {
		return ""
	}
	return c.word(held, r)
}

func (c *compiled) word(held *role, r *resource) string {
	granted := held.grants[r.ID]
	if held.unlimited {
		granted = r.Actions
	}
	for _, name := range c.doc.levelNames() {
		level := c.doc.Levels[name]
		if slices.Equal(c.doc.actions(level, *r), granted) && (len(granted) > 0 || level.word == "none") {
			return name
		}
	}
	return strings.Join(granted, ", ")
}

func rank(level choice) int {
	if level.list == nil {
		return 0
	}
	return 1
}

// refusal says why nothing that somebody has grants an action.
func (c *compiled) refusal(who Subject, r *resource, action string) string {
	held := c.held(who)
	titles := make([]string, 0, len(held))
	for _, h := range held {
		titles = append(titles, h.Title)
		if gate := c.gate(); gate != nil && !h.gated && gate != r && slices.Contains(h.Grants[r.ID], action) {
			return fmt.Sprintf("%s would grant %s: %s, but grants nothing while %s is not granted", h.Title, r.ID, action, gate.Title)
		}
	}
	suffix := ""
	if r.Scope == "platform" {
		suffix = "; " + r.Title + " belongs to the platform"
	}
	switch len(titles) {
	case 0:
		return "Without a role nothing is granted" + suffix
	case 1:
		return fmt.Sprintf("%s does not grant %s: %s", titles[0], r.ID, action) + suffix
	}
	return fmt.Sprintf("None of %s grants %s: %s", strings.Join(titles, ", "), r.ID, action) + suffix
}

// gate returns the resource without which a role grants nothing, or nil.
func (c *compiled) gate() *resource {
	for i := range c.doc.Catalogue {
		if c.doc.Catalogue[i].Gate {
			return &c.doc.Catalogue[i]
		}
	}
	return nil
}

func allow(format string, args ...any) Decision {
	return Decision{Allowed: true, Reason: fmt.Sprintf(format, args...)}
}

func deny(format string, args ...any) Decision {
	return Decision{Reason: fmt.Sprintf(format, args...)}
}

// AdminPrivileged reports whether the admin flag lets people be managed, as every sensible one does.
func (m *Model) AdminPrivileged() bool { return m.now.Load().manages(Subject{Admin: true}) }
