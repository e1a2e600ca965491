package scim

import (
	"slices"
	"strings"

	"github.com/elimity-com/scim/schema"
)

// enterpriseURN names the extension of RFC 7643 section 4.3.
const enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// resourceType is a type of resources as data: its schema, its extensions and where it is served (RFC 7643 section 6).
type resourceType struct {
	name        string // "User"
	plural      string // the endpoint: "Users"
	description string
	schema      schema.Schema
	attrs       []*attribute // common attributes and those of the core schema, in the order of an answer; meta is last
	index       map[string]*attribute
	extensions  []*extension
	ignored     []string // lower-case names that a client may send and that are never kept

	declared bool         // by the installation, not by the standard
	needed   []*attribute // of attrs: those that are required, or have a sub-attribute that is
	fixed    []*attribute // of attrs: those of which a PUT leaves something as it is
	strict   bool         // there are rules that the standard's own schemas do not have
	partial  bool         // a stored value may have parts that are not shown by default
}

var (
	userType = newResourceType(resourceType{
		name: "User", plural: "Users", description: "People", schema: withoutPassword(schema.CoreUserSchema()),
		extensions: []*extension{newExtension(schema.ExtensionEnterpriseUser())}, ignored: []string{"password"},
	})
	groupType = newResourceType(resourceType{
		name: "Group", plural: "Groups", description: "Groups of people and of groups", schema: withMemberNames(schema.CoreGroupSchema()),
	})
	membersAttr = groupType.index["members"]
	groupsAttr  = userType.index["groups"]
	emailsAttr  = userType.index["emails"]
	activeAttr  = userType.index["active"]
)

// newResourceType completes a type: it indexes the attributes of its schemas.
func newResourceType(t resourceType) *resourceType {
	var meta *attribute
	for _, c := range schema.CommonAttributes() {
		a := newAttribute("", nil, c)
		switch a.name {
		case "meta":
			meta = a
			continue
		case "schemas":
			a.returned, a.readOnly = "always", true // derived from what the resource holds
		}
		t.attrs = append(t.attrs, a)
	}
	for _, c := range t.schema.Attributes {
		t.attrs = append(t.attrs, newAttribute("", nil, c))
	}
	t.attrs = append(t.attrs, meta)
	t.index = indexOf(t.attrs)
	t.prepare()
	return &t
}

func withoutPassword(s schema.Schema) schema.Schema {
	s.Attributes = slices.DeleteFunc(s.Attributes, func(a schema.CoreAttribute) bool { return a.Name() == "password" })
	return s
}

// withMemberNames says that the server names the members: what a client sends as display is not kept (RFC 7643 section 7: readOnly).
func withMemberNames(s schema.Schema) schema.Schema {
	for _, a := range s.Attributes {
		if a.Name() != "members" {
			continue
		}
		subs := a.SubAttributes()
		for i, sub := range subs {
			if sub.Name() == "display" {
				subs[i] = sub.WithMutability(schema.AttributeMutabilityReadOnly())
			}
		}
	}
	return s
}

// resolve finds what a name stands for. Names are matched without regard to case (RFC 7643 2.1); an attribute of an extension needs
// its URN in front unless bare is set.
func (t *resourceType) resolve(name string, bare bool) (ref, bool) {
	if rest, ok := cutURN(name, t.schema.ID); ok {
		if rest == "" {
			return ref{}, true
		}
		return find(nil, t.index, rest)
	}
	for _, x := range t.extensions {
		if rest, ok := cutURN(name, x.urn); ok {
			if rest == "" {
				return ref{ext: x}, true
			}
			return find(x, x.index, rest)
		}
	}
	r, ok := find(nil, t.index, name)
	if !ok && bare {
		for _, x := range t.extensions {
			if r, ok = find(x, x.index, name); ok {
				break
			}
		}
	}
	return r, ok
}

// cutURN reports whether name is the URN or starts with it and a colon, and returns what follows.
func cutURN(name, urn string) (rest string, ok bool) {
	if len(name) < len(urn) || !strings.EqualFold(name[:len(urn)], urn) {
		return "", false
	}
	rest = name[len(urn):]
	if rest == "" {
		return "", true
	}
	return rest[1:], rest[0] == ':' && len(rest) > 1
}

func find(x *extension, index map[string]*attribute, name string) (ref, bool) {
	top, sub, dotted := strings.Cut(name, ".")
	a, ok := index[strings.ToLower(top)]
	if !ok {
		return ref{}, false
	}
	r := ref{ext: x, attr: a}
	if dotted {
		r.sub, ok = a.index[strings.ToLower(sub)]
	}
	return r, ok
}

// extension returns the extension of a URN, or nil.
func (t *resourceType) extension(urn string) *extension {
	for _, x := range t.extensions {
		if strings.EqualFold(x.urn, urn) {
			return x
		}
	}
	return nil
}

// ignores reports whether a name is one that a client may send and that is never kept.
func (t *resourceType) ignores(name string) bool {
	if rest, ok := cutURN(name, t.schema.ID); ok {
		name = rest
	}
	return slices.Contains(t.ignored, strings.ToLower(name))
}
