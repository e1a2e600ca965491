package access

import (
	"maps"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"go.yaml.in/yaml/v3"
)

// Assemble makes a model of a document and of roles that are kept beside it, as Use puts them in force. A document with mistakes is Invalid; name is for
// the message. Without roles (nil) they are the document's.
func Assemble(name string, source []byte, version int64, defs []identity.RoleDefinition) (*Model, error) {
	d, err := parse(name, source)
	if err != nil {
		return nil, err
	}
	m := &Model{}
	m.now.Store(compile(source, d, version, defs))
	return m, nil
}

// Rule is one word of a model's file that is not about roles, by its path: "policies.lockout.max_retries" is "5".
type Rule struct{ Path, Value string }

// Rules returns everything that a model says beside its catalogue, levels and roles, sorted by path.
func (m *Model) Rules() []Rule {
	var root yaml.Node
	if yaml.Unmarshal(m.Source(), &root) != nil || len(root.Content) != 1 {
		return nil // a model in force was read before
	}
	var out []Rule
	flatten(&out, "", "", root.Content[0])
	out = slices.DeleteFunc(out, func(r Rule) bool {
		top, _, _ := strings.Cut(r.Path, ".")
		return slices.Contains([]string{"apiVersion", "name", "catalogue", "levels", "roles"}, top)
	})
	slices.SortFunc(out, func(a, b Rule) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// flatten lists the leaves below a node. An item of a list that has a name is a leaf of its own, since it may say nothing else.
func flatten(out *[]Rule, path, name string, n *yaml.Node) {
	switch {
	case n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if key := n.Content[i].Value; name == "" || n.Content[i+1].Value != name || !slices.Contains(names, key) {
				flatten(out, join(path, key), "", n.Content[i+1])
			}
		}
	case n.Kind == yaml.SequenceNode && len(n.Content) > 0 && n.Content[0].Kind == yaml.MappingNode:
		for _, item := range n.Content {
			at := join(path, nameOf(item))
			*out = append(*out, Rule{at, "yes"})
			flatten(out, at, nameOf(item), item)
		}
	case n.Kind == yaml.SequenceNode:
		words := make([]string, len(n.Content))
		for i, item := range n.Content {
			words[i] = item.Value
		}
		*out = append(*out, Rule{path, strings.Join(words, ", ")})
	default:
		*out = append(*out, Rule{path, n.Value})
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// names are the keys by which an item of a list is called.
var names = []string{"id", "kind", "type"}

// nameOf returns what tells an item of a list from the others.
func nameOf(item *yaml.Node) string {
	for _, key := range names {
		if n := child(item, key); n != nil {
			return n.Value
		}
	}
	return ""
}

// Difference is what tells one model from another.
type Difference struct {
	Rules     []identity.Change // beside roles, by path
	Catalogue []identity.Change // resources with their actions
	Roles     []RoleDifference  // those that differ; in the order of the first model, then those that only the second has
}

// RoleDifference is what tells a role of one model from the role of another with the same id.
type RoleDifference struct {
	ID            identity.RoleID
	Before, After *identity.RoleDefinition // nil: the model has none
	Permissions   []PermissionChange
}

// PermissionChange is one action that is granted in one model and not in the other, or not as far.
type PermissionChange struct {
	Resource string
	Action   string
	Before   Grant
	After    Grant
}

// Grant is what counts of a decision when two are compared.
type Grant struct {
	Allowed bool
	Level   string
}

// Gained reports whether the change grants more than before.
func (c PermissionChange) Gained() bool { return c.After.Allowed && !c.Before.Allowed }

// Lost reports whether the change grants less than before.
func (c PermissionChange) Lost() bool { return c.Before.Allowed && !c.After.Allowed }

// Diff returns what tells the model from another one that may follow it.
func (m *Model) Diff(after *Model) Difference {
	return Difference{Rules: changes(m.Rules(), after.Rules()), Catalogue: changes(m.rows(), after.rows()), Roles: m.diffRoles(after)}
}

// rows returns the catalogue as pairs of an id and everything that is said of it.
func (m *Model) rows() []Rule {
	out := []Rule{}
	for _, r := range m.Catalogue() {
		words := []string{r.Title + ": " + strings.Join(r.Actions, ", ")}
		for name, on := range map[string]bool{"platform": r.Platform, "scoped": r.Scoped, "sensitive": r.Sensitive, "gate": r.Gate, "self": r.Self, "requires " + r.RequiresLink: r.RequiresLink != ""} {
			if on {
				words = append(words, name)
			}
		}
		slices.Sort(words[1:])
		out = append(out, Rule{r.ID, strings.Join(words, "; ")})
	}
	return out
}

func changes(before, after []Rule) []identity.Change {
	was, is := map[string]string{}, map[string]string{}
	for _, r := range before {
		was[r.Path] = r.Value
	}
	for _, r := range after {
		is[r.Path] = r.Value
	}
	var out []identity.Change
	for _, path := range slices.Sorted(maps.Keys(maps.Collect(both(was, is)))) {
		a, hadIt := was[path]
		b, hasIt := is[path]
		if a == b && hadIt == hasIt {
			continue
		}
		c := identity.Change{Field: path}
		if hadIt {
			c.Before = a
		}
		if hasIt {
			c.After = b
		}
		out = append(out, c)
	}
	return out
}

// both walks the keys of two maps.
func both(a, b map[string]string) func(func(string, bool) bool) {
	return func(yield func(string, bool) bool) {
		for _, m := range []map[string]string{a, b} {
			for k := range m {
				if !yield(k, true) {
					return
				}
			}
		}
	}
}

func (m *Model) diffRoles(after *Model) []RoleDifference {
	was, is := m.Definitions(), after.Definitions()
	find := func(list []identity.RoleDefinition, id identity.RoleID) *identity.RoleDefinition {
		if i := slices.IndexFunc(list, func(d identity.RoleDefinition) bool { return d.ID == id }); i >= 0 {
			return &list[i]
		}
		return nil
	}
	var out []RoleDifference
	for _, d := range append(slices.Clone(was), is...) {
		if slices.ContainsFunc(out, func(x RoleDifference) bool { return x.ID == d.ID }) {
			continue
		}
		x := RoleDifference{ID: d.ID, Before: find(was, d.ID), After: find(is, d.ID)}
		x.Permissions = m.Changes(after, Subject{Roles: []identity.RoleID{d.ID}, Links: m.links()}, Subject{Roles: []identity.RoleID{d.ID}, Links: after.links()})
		if x.Before == nil || x.After == nil || len(x.Permissions) > 0 || x.Before.Title != x.After.Title || x.Before.Scope != x.After.Scope ||
			x.Before.Interactive != x.After.Interactive || x.Before.Assignable != x.After.Assignable {
			out = append(out, x)
		}
	}
	return out
}

// links returns every kind of record, for a question about roles alone.
func (m *Model) links() []string {
	var out []string
	for _, l := range m.LinkTypes() {
		out = append(out, l.Type)
	}
	return out
}

// Changes returns what somebody may do in one model and not, or not as far, in another that may follow it: before is the person as the first
// model sees them, then as the second does. What one catalogue has and the other has not is denied in the other.
func (m *Model) Changes(after *Model, before, then Subject) []PermissionChange {
	type key struct{ resource, action string }
	is := map[key]Grant{}
	next := after.Permissions(then)
	for _, p := range next {
		is[key{p.Resource.ID, p.Action}] = Grant{p.Allowed, p.Level}
	}
	var out []PermissionChange
	add := func(p Permission, was, will Grant) {
		if was != will {
			out = append(out, PermissionChange{Resource: p.Resource.ID, Action: p.Action, Before: was, After: will})
		}
	}
	for _, p := range m.Permissions(before) {
		k := key{p.Resource.ID, p.Action}
		add(p, Grant{p.Allowed, p.Level}, is[k])
		delete(is, k)
	}
	for _, p := range next {
		if will, ok := is[key{p.Resource.ID, p.Action}]; ok {
			add(p, Grant{}, will)
		}
	}
	return out
}
