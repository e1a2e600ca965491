package access

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// Decision is an answer with its reason, one sentence for people.
type Decision struct {
	Allowed bool
	Reason  string
}

// Subject is whom a question is about.
type Subject struct {
	Roles []identity.RoleID
	Admin bool // carries the admin flag, where the model has one
}

// Who returns the subject that an actor is.
func Who(by identity.Actor) Subject { return Subject{Roles: by.Roles, Admin: by.Admin} }

// Decide says whether any of the roles grants an action on a resource of the catalogue. Roles are a union: one that grants is enough. What the
// catalogue does not list is denied to everybody; roles that the model does not have grant nothing.
func (m *Model) Decide(who Subject, resource, action string) Decision {
	r, ok := m.now.Load().resources[resource]
	if !ok || !slices.Contains(r.Actions, action) {
		return deny("The access model %s has no %s: %s", m.Name(), resource, action)
	}
	if r.Self {
		return allow("%s is everybody's own", r.Title)
	}
	for _, id := range who.Roles {
		held := m.now.Load().byID[id]
		switch {
		case held == nil:
		case held.unlimited:
			return allow("%s grants everything", held.Title)
		case slices.Contains(held.grants[resource], action):
			return allow("%s grants %s: %s", held.Title, resource, strings.Join(held.grants[resource], ", "))
		}
	}
	if r.Scope == "platform" {
		return deny("%s; %s belongs to the platform", m.now.Load().refusal(who.Roles, resource+": "+action), r.Title)
	}
	return deny("%s", m.now.Load().refusal(who.Roles, resource+": "+action))
}

// Allows says whether any of the roles has one of Drawbridge's own capabilities ("users.read", "users.write", "tenants.write", "audit.read",
// "api.call" …), by the actions that the catalogue binds to it. A capability that nothing is bound to is the platform's.
func (m *Model) Allows(who Subject, capability string) Decision {
	for _, id := range who.Roles {
		if held := m.now.Load().byID[id]; held != nil && held.unlimited {
			return allow("%s grants everything", held.Title)
		}
	}
	for _, b := range m.now.Load().binds[capability] {
		if d := m.Decide(who, b.resource, b.action); d.Allowed {
			return d
		}
	}
	if len(m.now.Load().binds[capability]) == 0 {
		return deny("The access model %s gives %s to the platform only", m.Name(), capability)
	}
	b := m.now.Load().binds[capability][0]
	return m.Decide(who, b.resource, b.action)
}

// Privileged reports whether a role may manage people: it has platform scope, or may write users or roles. A role that the model does not have
// counts as privileged, since what is not known cannot be called harmless.
func (m *Model) Privileged(id identity.RoleID) bool {
	held, ok := m.now.Load().byID[id]
	if !ok || held.Scope == identity.ScopePlatform {
		return true
	}
	return slices.ContainsFunc(manages, func(capability string) bool {
		return m.now.Load().binds[capability] != nil && m.Allows(Subject{Roles: []identity.RoleID{id}}, capability).Allowed
	})
}

// Level returns the model's word for what a role may do with a resource, such as "View only": the level whose actions are exactly the granted ones.
// Without such a level it is the actions themselves, or "" when there are none.
func (m *Model) Level(id identity.RoleID, resource string) string {
	r, held := m.now.Load().resources[resource], m.now.Load().byID[id]
	if r == nil || held == nil {
		return ""
	}
	granted := held.grants[resource]
	if held.unlimited {
		granted = r.Actions
	}
	names := slices.Sorted(maps.Keys(m.now.Load().doc.Levels))
	// Where a resource has no action but view, "all" and "view" name the same set: the level that means all is the better word.
	slices.SortStableFunc(names, func(a, b string) int { return rank(m.now.Load().doc.Levels[a]) - rank(m.now.Load().doc.Levels[b]) })
	for _, name := range names {
		if slices.Equal(m.now.Load().doc.actions(m.now.Load().doc.Levels[name], *r), granted) && (len(granted) > 0 || m.now.Load().doc.Levels[name].word == "none") {
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

func (c *compiled) refusal(roles []identity.RoleID, what string) string {
	titles := make([]string, 0, len(roles))
	for _, id := range roles {
		if r, ok := c.byID[id]; ok {
			titles = append(titles, r.Title)
		}
	}
	switch len(titles) {
	case 0:
		return "Without a role nothing is granted"
	case 1:
		return titles[0] + " does not grant " + what
	}
	return "None of " + strings.Join(titles, ", ") + " grants " + what
}

func allow(format string, args ...any) Decision {
	return Decision{Allowed: true, Reason: fmt.Sprintf(format, args...)}
}

func deny(format string, args ...any) Decision {
	return Decision{Reason: fmt.Sprintf(format, args...)}
}
