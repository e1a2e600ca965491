package scim

import (
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// catalogue is the resource types that a door serves. The nil catalogue is that of the standard.
type catalogue struct {
	user   *resourceType
	group  *resourceType
	all    []*resourceType // users, groups, and what the installation declared, in its order
	hidden []identity.Veil // attributes whose values neither events nor the journal keep
	secret []string        // their names in lower case
}

// newCatalogue joins what the installation declared to the standard. Users and groups without extensions of their own stay the types of
// the standard, to the pointer.
func newCatalogue(s *Schemas) *catalogue {
	k := &catalogue{user: userType, group: groupType}
	if s == nil {
		k.all = []*resourceType{userType, groupType}
		return k
	}
	k.user, k.group = userType.extend(s.user), groupType.extend(s.group)
	k.all = append([]*resourceType{k.user, k.group}, s.types...)
	for _, t := range k.all {
		for _, v := range t.veils() {
			k.hidden = append(k.hidden, v)
			k.secret = append(k.secret, strings.ToLower(v[len(v)-1]))
		}
	}
	return k
}

func (k *catalogue) users() *resourceType {
	if k == nil {
		return userType
	}
	return k.user
}

func (k *catalogue) groups() *resourceType {
	if k == nil {
		return groupType
	}
	return k.group
}

// named returns the type that is served under an endpoint, or nil.
func (k *catalogue) named(plural string) *resourceType {
	i := slices.IndexFunc(k.all, func(t *resourceType) bool { return t.plural == plural })
	if i < 0 {
		return nil
	}
	return k.all[i]
}

// speaks reports whether a text names a hidden attribute.
func (k *catalogue) speaks(s string) bool {
	if k == nil || len(k.secret) == 0 {
		return false
	}
	s = strings.ToLower(s)
	return slices.ContainsFunc(k.secret, func(name string) bool { return strings.Contains(s, name) })
}

// extend returns the type with more extensions; one that it has already is replaced. The attributes of the core schema stay the same.
func (t *resourceType) extend(more []*extension) *resourceType {
	if len(more) == 0 {
		return t
	}
	out := *t
	out.extensions = slices.Clone(t.extensions)
	for _, x := range more {
		i := slices.IndexFunc(out.extensions, func(o *extension) bool { return strings.EqualFold(o.urn, x.urn) })
		if i < 0 {
			out.extensions = append(out.extensions, x)
		} else {
			out.extensions[i] = x
		}
	}
	out.prepare()
	return &out
}
