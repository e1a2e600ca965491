package scim

import (
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// member turns an operation on the members of a group into a change of rows. The members themselves are never loaded.
func (p *patcher) member(o operation, t target) error {
	if t.sub != nil {
		return bad(mutability, "%s cannot be changed; remove the member and add the other one.", t.sub.path())
	}
	if t.filter != nil {
		return p.memberWhere(o, t)
	}
	if o.op == opRemove {
		return p.removeMembers(o)
	}
	if o.value == nil && o.op == opAdd {
		return nil
	}
	list, err := readMembersOf(o.value)
	if err != nil {
		return err
	}
	if len(list) > 0 || o.op == opReplace {
		p.members = append(p.members, identity.MemberChange{Op: o.op, Members: list})
	}
	return nil
}

// memberWhere handles members[…]: the usual form names one id.
func (p *patcher) memberWhere(o operation, t target) error {
	switch {
	case o.op == opAdd:
		return p.addWhere(o, t)
	case o.op == opReplace && o.value != nil:
		return p.replaceWhere(o, t)
	}
	change := identity.MemberChange{Op: opRemove, Match: t.filter}
	if ids, ok := namedIDs(t.filter); ok {
		change = identity.MemberChange{Op: opRemove, Members: knownIDs(ids)}
		if len(change.Members) == 0 {
			return nil
		}
	}
	p.members = append(p.members, change)
	return nil
}

// addWhere adds the one member whom the filter names. What else the value says of somebody cannot be kept: a member is an id.
func (p *patcher) addWhere(o operation, t target) error {
	ids, ok := namedIDs(t.filter)
	if !ok || len(ids) != 1 {
		return bad(invalidPath, "The path %q does not say whom to add; use the path members, or members[value eq \"…\"] with one id.", clip(o.path))
	}
	if o.value == nil {
		return nil // as everywhere, null adds nothing
	}
	given, err := p.element(membersAttr, o.value)
	if err != nil {
		return err
	}
	if v, named := member(given, "value"); named && !strings.EqualFold(textOf(v), ids[0]) {
		return bad(mutability, "members.value cannot be changed: the path and the value name two members.")
	}
	m, err := readMember(object{"value": ids[0]})
	if err != nil {
		return err
	}
	p.members = append(p.members, identity.MemberChange{Op: opAdd, Members: []identity.Member{m}})
	return nil
}

// replaceWhere puts the given members in the place of those who were selected (RFC 7644 section 3.5.2.3). The element is replaced as a whole,
// which its immutable sub-attributes allow; a path to one of these does not come here.
func (p *patcher) replaceWhere(o operation, t target) error {
	list, err := readMembersOf(o.value)
	if err != nil {
		return err
	}
	change := identity.MemberChange{Op: opSwap, Members: list, Match: t.filter, Lenient: p.d.createMissing}
	if ids, ok := namedIDs(t.filter); ok {
		change.Gone, change.Match = knownIDs(ids), nil
	}
	p.members = append(p.members, change)
	return nil
}

// namedIDs returns the ids of a filter that is nothing but value eq "id", or several of them joined by or.
func namedIDs(f *identity.Filter) ([]string, bool) {
	if f.Op == identity.OpEq && f.Attr.Sub == "value" {
		id, ok := f.Value.(string)
		return []string{id}, ok
	}
	if f.Op != identity.OpOr {
		return nil, false
	}
	var all []string
	for _, c := range f.Children {
		ids, ok := namedIDs(c)
		if !ok {
			return nil, false
		}
		all = append(all, ids...)
	}
	return all, true
}

// knownIDs leaves out what is no id, since it is nobody's.
func knownIDs(ids []string) []identity.Member {
	var out []identity.Member
	for _, s := range ids {
		if id, ok := identity.ParseID[string](s); ok {
			out = append(out, identity.Member{ID: id})
		}
	}
	return out
}

// removeMembers removes all members, or those that were listed.
func (p *patcher) removeMembers(o operation) error {
	if o.value == nil {
		p.members = append(p.members, identity.MemberChange{Op: opReplace})
		return nil
	}
	if !p.d.removeListed {
		return bad(invalidValue, `remove takes no value; name the members by a filter: members[value eq "…"].`)
	}
	var ids []string
	for _, v := range listOf(o.value) {
		m, ok := v.(object)
		if !ok {
			return bad(invalidValue, "Each of members must be an object with a value.")
		}
		id, _ := member(m, "value")
		s, ok := id.(string)
		if !ok {
			return bad(invalidValue, "members.value is missing; it must be the id of a user or group.")
		}
		ids = append(ids, s)
	}
	if list := knownIDs(ids); len(list) > 0 {
		p.members = append(p.members, identity.MemberChange{Op: opRemove, Members: list})
	}
	return nil
}

func listOf(v any) []any {
	switch t := v.(type) {
	case nil:
		return nil
	case []any:
		return t
	}
	return []any{v}
}

// readMembersOf reads the value of members: a list, or one object. Nobody is in it twice.
func readMembersOf(v any) ([]identity.Member, error) {
	var out []identity.Member
	seen := map[string]bool{}
	for _, e := range listOf(v) {
		if e == nil {
			continue
		}
		m, err := readMember(e)
		if err != nil {
			return nil, err
		}
		if !seen[m.ID] {
			seen[m.ID] = true
			out = append(out, m)
		}
	}
	return out, nil
}

func readMember(v any) (identity.Member, error) {
	o, ok := v.(object)
	if !ok {
		return identity.Member{}, bad(invalidValue, "Each of members must be an object with a value, not %s.", jsonType(v))
	}
	raw, _ := member(o, "value")
	s, ok := raw.(string)
	if !ok || s == "" {
		return identity.Member{}, bad(invalidValue, "members.value is missing; it must be the id of a user or group.")
	}
	id, ok := identity.ParseID[string](s)
	if !ok {
		return identity.Member{}, bad(invalidValue, "members.value %q is the id of no user or group.", clip(s))
	}
	m := identity.Member{ID: id}
	kind, _ := member(o, "type")
	switch k, _ := kind.(string); strings.ToLower(k) {
	case "user":
		m.Type = identity.MemberUser
	case "group":
		m.Type = identity.MemberGroup
	case "", "direct", "indirect":
	default:
		return m, bad(invalidValue, "members.type must be User or Group, not %q.", clip(k))
	}
	return m, nil
}
