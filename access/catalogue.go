package access

import (
	"maps"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// Resource is one row of the catalogue: something that roles grant.
type Resource struct {
	ID           string
	Title        string
	Owner        string // "app": published to applications; "drawbridge": bound to what Drawbridge itself does
	Platform     bool   // for platform roles only
	Scoped       bool   // a data level says how far its records go
	Sensitive    bool
	Gate         bool // without it a role grants nothing
	Self         bool // everybody's own
	RequiresLink string
	Actions      []string
}

// Catalogue returns everything that roles grant, in the model's order.
func (m *Model) Catalogue() []Resource {
	list := m.document().Catalogue
	out := make([]Resource, len(list))
	for i := range list {
		out[i] = list[i].public()
	}
	return out
}

func (r *resource) public() Resource {
	return Resource{
		ID: r.ID, Title: r.Title, Owner: r.Owner, Platform: r.Scope == "platform", Scoped: r.Scoped, Sensitive: r.Sensitive, Gate: r.Gate, Self: r.Self,
		RequiresLink: r.RequiresLink, Actions: slices.Clone(r.Actions),
	}
}

// Sensitive returns the ids of the resources that the model marks as sensitive.
func (m *Model) Sensitive() []string {
	var out []string
	for _, r := range m.document().Catalogue {
		if r.Sensitive {
			out = append(out, r.ID)
		}
	}
	return out
}

// Level is a named set of actions, such as "View only".
type Level struct {
	Name    string
	Actions []string
}

// Levels returns the levels that make a difference on a resource, the one that grants most first and the one that grants nothing last; "all" and "none"
// where the model has no better word. An unknown resource has none.
func (m *Model) Levels(id string) []Level {
	c := m.now.Load()
	r := c.resources[id]
	if r == nil {
		return nil
	}
	var out []Level
	for _, name := range append(c.doc.levelNames(), "all", "none") {
		g, ok := c.doc.Levels[name]
		if !ok {
			g = choice{word: name}
		}
		actions := c.doc.actions(g, *r)
		known := slices.ContainsFunc(out, func(l Level) bool { return slices.Equal(l.Actions, actions) })
		if !known && (len(actions) > 0 || g.word == "none") {
			out = append(out, Level{Name: name, Actions: slices.Clone(actions)})
		}
	}
	slices.SortStableFunc(out, func(a, b Level) int { return len(b.Actions) - len(a.Actions) })
	return out
}

// levelNames returns the model's own levels. Where a resource has no action but view, "all" and "view" name the same set: the level that means all is
// the better word and comes first.
func (d *document) levelNames() []string {
	names := slices.Sorted(maps.Keys(d.Levels))
	slices.SortStableFunc(names, func(a, b string) int { return rank(d.Levels[a]) - rank(d.Levels[b]) })
	return names
}

// CheckRole reports what is wrong with a role that somebody made or changed: an unknown resource, action or data level, something of the platform's for
// a tenant's role. The error is Invalid and its Field says where. A role that grants nothing is a role.
func (m *Model) CheckRole(def identity.RoleDefinition) error {
	c := m.now.Load()
	for _, id := range slices.Sorted(maps.Keys(def.Grants)) {
		r := c.resources[id]
		switch {
		case r == nil:
			return identity.Errorf(identity.Invalid, "The access model %s has no %q.", c.doc.Name, id).WithField("grants")
		case r.Scope == "platform" && def.Scope != identity.ScopePlatform && len(def.Grants[id]) > 0:
			return identity.Errorf(identity.Invalid, "%s belongs to the platform; a tenant's role cannot have it.", r.Title).WithField("grants")
		}
		for _, action := range def.Grants[id] {
			if !slices.Contains(r.Actions, action) {
				return identity.Errorf(identity.Invalid, "%s has no action %q; its actions are %s.", r.Title, action, strings.Join(r.Actions, ", ")).WithField("grants")
			}
		}
	}
	return c.checkLevels(def)
}

func (c *compiled) checkLevels(def identity.RoleDefinition) error {
	for _, id := range slices.Sorted(maps.Keys(def.Levels)) {
		r := c.resources[id]
		switch {
		case r == nil:
			return identity.Errorf(identity.Invalid, "The access model %s has no %q.", c.doc.Name, id).WithField("levels")
		case c.doc.DataAccess == nil || c.doc.DataAccess.Where != LevelOfGrant:
			return identity.Errorf(identity.Invalid, "Roles carry no data levels in the access model %s.", c.doc.Name).WithField("levels")
		case !r.Scoped:
			return identity.Errorf(identity.Invalid, "%s has no data levels.", r.Title).WithField("levels")
		case !slices.Contains(c.doc.DataAccess.Levels, def.Levels[id]):
			return identity.Errorf(identity.Invalid, "%q is no data level; write one of %s.", def.Levels[id], strings.Join(c.doc.DataAccess.Levels, ", ")).WithField("levels")
		}
	}
	return nil
}
