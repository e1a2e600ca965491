package scim

import (
	"encoding/json"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
)

// groupResource returns a group as a canonical resource without its members.
func groupResource(g identity.Group) (object, error) {
	res, err := decodeAttributes(g.Attributes)
	if err != nil {
		return nil, identity.Errorf(identity.Internal, "").WithCause(err)
	}
	res["id"], res["displayName"] = string(g.ID), g.DisplayName
	if g.ExternalID != "" {
		res["externalId"] = g.ExternalID
	}
	return res, nil
}

// setGroup writes a canonical resource to a group. Attributes keep what the extensions of the type have; without such they stay as they are.
func setGroup(g *identity.Group, res object, d dialect) error {
	g.DisplayName = textOf(res["displayName"])
	g.ExternalID = textOf(res["externalId"])
	parts := object{}
	for _, x := range d.types.groups().extensions {
		if part, ok := res[x.urn].(object); ok {
			parts[x.urn] = part
		}
	}
	if old, err := decodeAttributes(g.Attributes); err == nil && equal(old, parts) {
		return nil
	}
	raw, err := json.Marshal(parts)
	if err != nil {
		return identity.Errorf(identity.Internal, "").WithCause(err)
	}
	g.Attributes = raw
	return nil
}

// newGroup reads the body of POST.
func newGroup(body object, d dialect) (identity.Group, []identity.Member, error) {
	var g identity.Group
	res, err := d.types.groups().resource(body, d)
	if err != nil {
		return g, nil, err
	}
	if err := setGroup(&g, res, d); err != nil {
		return g, nil, err
	}
	v, _ := member(body, "members")
	members, err := readMembersOf(v)
	return g, members, err
}

// groupChange is what a PUT or PATCH does to a group. It may run more than once.
type groupChange func(*identity.Group) ([]identity.MemberChange, error)

// replaceGroup reads the body of PUT. Members and externalId that the body does not name are kept; null or [] clears them.
func replaceGroup(body object, d dialect) (groupChange, error) {
	res, err := d.types.groups().resource(body, d)
	if err != nil {
		return nil, err
	}
	v, named := member(body, "members")
	members, err := readMembersOf(v)
	if err != nil {
		return nil, err
	}
	_, external := member(body, "externalId")
	return func(g *identity.Group) ([]identity.MemberChange, error) {
		kept := g.ExternalID
		old, err := groupResource(*g)
		if err != nil {
			return nil, err
		}
		res, err := d.types.groups().replaced(old, res)
		if err != nil {
			return nil, err
		}
		if err := setGroup(g, res, d); err != nil {
			return nil, err
		}
		if !external {
			g.ExternalID = kept
		}
		if !named {
			return nil, nil
		}
		return []identity.MemberChange{{Op: opReplace, Members: members}}, nil
	}, nil
}

// patchGroup returns the change that the operations ask for.
func patchGroup(ops []operation, d dialect) groupChange {
	return func(g *identity.Group) ([]identity.MemberChange, error) {
		res, err := groupResource(*g)
		if err != nil {
			return nil, err
		}
		p := &patcher{t: d.types.groups(), d: d, res: res}
		if err := p.apply(ops); err != nil {
			return nil, err
		}
		return p.members, setGroup(g, p.res, d)
	}
}

// touchesMembers reports whether an operation may change members.
func touchesMembers(ops []operation, d dialect) bool {
	for _, o := range ops {
		if o.path != "" {
			if t, err := d.types.groups().path(o.path, d); err != nil || t.attr == nil || t.attr == membersAttr {
				return true
			}
			continue
		}
		v, _ := o.value.(object)
		for name := range v {
			if t, err := d.types.groups().path(name, d); err == nil && (t.attr == nil || t.attr == membersAttr) {
				return true
			}
		}
	}
	return false
}

// appendGroup appends a group with the members that were loaded.
func (d *Door) appendGroup(b []byte, g identity.Group, members []identity.Member, p projection) ([]byte, error) {
	m := meta{created: g.CreatedAt, modified: g.UpdatedAt, version: g.Version, location: d.location(groupType, string(g.ID))}
	t := d.types.groups()
	if !p.plain(membersAttr) || t.partial {
		res, err := groupResource(g)
		if err != nil {
			return nil, err
		}
		if len(members) > 0 && p.wants(membersAttr) {
			list := make([]any, len(members))
			for i, x := range members {
				list[i] = d.memberObject(x)
			}
			res["members"] = list
		}
		return appendResource(b, t, res, m, p), nil
	}
	b = append(b, '{')
	b = appendSchemas(b, t, func(x *extension) bool { return holdsName(g.Attributes, x.urn) })
	b = appendField(b, "id", string(g.ID))
	if g.ExternalID != "" {
		b = appendField(b, "externalId", g.ExternalID)
	}
	b = appendField(b, "displayName", g.DisplayName)
	b = appendMembers(b, g.Attributes)
	b = d.appendMemberList(b, members)
	return append(m.append(b, t, projection{}), '}'), nil
}

func (d *Door) memberObject(m identity.Member) object {
	o := object{"value": m.ID, "$ref": d.memberLocation(m), "type": string(m.Type)}
	if m.Display != "" {
		o["display"] = m.Display
	}
	return o
}

func (d *Door) memberLocation(m identity.Member) string {
	if m.Type == identity.MemberGroup {
		return d.location(groupType, m.ID)
	}
	return d.location(userType, m.ID)
}

// appendMemberList appends "members". A group may have tens of thousands, of which each has the same names and almost the same address, so these are encoded once.
func (d *Door) appendMemberList(b []byte, members []identity.Member) []byte {
	if len(members) == 0 {
		return b
	}
	users, groups := d.memberMiddle(userType), d.memberMiddle(groupType)
	b = slices.Grow(b, memberRoom(members, len(users)))
	b = append(appendName(b, "members"), '[')
	for i, m := range members {
		if i > 0 {
			b = append(b, ',')
		}
		middle := users
		if m.Type == identity.MemberGroup {
			middle = groups
		}
		b = append(append(append(append(b, `{"value":"`...), m.ID...), middle...), m.ID...) // ids need no escapes
		b = append(append(append(b, `","type":"`...), m.Type...), '"')
		if m.Display != "" {
			b = appendText(append(b, `,"display":`...), m.Display)
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

// memberMiddle is what stands between the id of a member and its address, with the beginning of that.
func (d *Door) memberMiddle(t *resourceType) string {
	address := appendText(nil, d.location(t, ""))
	return `","$ref":` + string(address[:len(address)-1])
}

// memberRoom is how long a list of members is with what follows in a group, where no name needs an escape.
func memberRoom(members []identity.Member, middle int) int {
	const rest = len(`,{"value":"`) + len(`","type":"Group"`) + len(`,"display":""}`) + 2*36
	n := 512
	for _, m := range members {
		n += rest + middle + len(m.Display)
	}
	return n
}
