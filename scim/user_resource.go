package scim

import (
	"encoding/json"
	"maps"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
)

// userResource returns a user as a canonical resource that may be changed; groups and meta are not in it.
func userResource(u identity.User) (object, error) {
	res, err := decodeAttributes(u.Attributes)
	if err != nil {
		return nil, identity.Errorf(identity.Internal, "").WithCause(err)
	}
	res["id"], res["userName"], res["active"] = string(u.ID), u.UserName, u.Enabled
	if u.DisplayName != "" {
		res["displayName"] = u.DisplayName
	}
	if u.ExternalID != "" {
		res["externalId"] = u.ExternalID
	}
	if len(u.Emails) > 0 {
		list := make([]any, len(u.Emails))
		for i, e := range u.Emails {
			list[i] = emailObject(e)
		}
		res["emails"] = list
	}
	return res, nil
}

// emailObject always says whether an address is primary, since that is either so or not (RFC 7643 section 2.4).
func emailObject(e identity.Email) object {
	o := object{"value": e.Value, "primary": e.Primary}
	if e.Type != "" {
		o["type"] = e.Type
	}
	if e.Display != "" {
		o["display"] = e.Display
	}
	return o
}

// setUser writes a canonical resource to a user. What has no field goes to Attributes; these stay as they are, byte for byte, when nothing
// in them changed. A resource without active leaves it.
func setUser(u *identity.User, res object) error {
	rest := maps.Clone(res)
	u.UserName = strings.TrimSpace(textOf(rest["userName"]))
	u.DisplayName = textOf(rest["displayName"])
	u.ExternalID = textOf(rest["externalId"])
	if active, ok := rest["active"].(bool); ok {
		u.Enabled = active
	}
	u.Emails = emailsOf(rest["emails"])
	for _, name := range []string{"id", "userName", "displayName", "externalId", "active", "emails"} {
		delete(rest, name)
	}
	if old, err := decodeAttributes(u.Attributes); err == nil && len(u.Attributes) > 0 && equal(old, rest) {
		return nil
	}
	raw, err := json.Marshal(rest)
	if err != nil {
		return identity.Errorf(identity.Internal, "").WithCause(err)
	}
	u.Attributes = raw
	return nil
}

// emailsOf leaves out elements without an address: there is nothing to keep of them.
func emailsOf(v any) []identity.Email {
	list, _ := v.([]any)
	var out []identity.Email
	for _, e := range list {
		o, _ := e.(object)
		m := identity.Email{Value: textOf(o["value"]), Type: textOf(o["type"]), Display: textOf(o["display"]), Primary: isPrimary(e)}
		if m.Value != "" {
			out = append(out, m)
		}
	}
	return out
}

// newUser reads the body of POST. Somebody of whom nothing else is said may come in.
func newUser(body object, d dialect) (identity.User, error) {
	res, err := d.types.users().resource(body, d)
	if err != nil {
		return identity.User{}, err
	}
	u := identity.User{Enabled: true}
	return u, setUser(&u, res)
}

// replaceUser reads the body of PUT and returns the change that it asks for. What the body leaves out is unassigned, except for active
// and externalId: a client that forgets them must not let somebody in or cut the tie to its own record.
func replaceUser(body object, d dialect) (func(*identity.User) error, error) {
	res, err := d.types.users().resource(body, d)
	if err != nil {
		return nil, err
	}
	_, named := member(body, "externalId")
	return func(u *identity.User) error {
		kept := u.ExternalID
		res, err := replacedUser(*u, res, d)
		if err != nil {
			return err
		}
		if err := setUser(u, res); err != nil {
			return err
		}
		if !named {
			u.ExternalID = kept
		}
		return nil
	}, nil
}

// replacedUser adds to the body of PUT what it leaves out and must not lose; nothing, where no schema was declared.
func replacedUser(u identity.User, body object, d dialect) (object, error) {
	t := d.types.users()
	if !t.strict {
		return body, nil
	}
	old, err := userResource(u)
	if err != nil {
		return nil, err
	}
	return t.replaced(old, body)
}

// patchUser returns the change that the operations ask for. It is pure, since it may run more than once.
func patchUser(ops []operation, d dialect) func(*identity.User) error {
	return func(u *identity.User) error {
		res, err := userResource(*u)
		if err != nil {
			return err
		}
		p := &patcher{t: d.types.users(), d: d, res: res}
		if err := p.apply(ops); err != nil {
			return err
		}
		return setUser(u, p.res)
	}
}

// appendUser appends a user. The usual answer copies what is stored as it is.
func (d *Door) appendUser(b []byte, u identity.User, p projection) ([]byte, error) {
	m := meta{created: u.CreatedAt, modified: u.UpdatedAt, version: u.Version, location: d.location(userType, string(u.ID))}
	if p.plain(groupsAttr) && !d.types.users().partial {
		return d.appendPlainUser(b, u, m, p), nil
	}
	if err := u.LoadEmails(); err != nil {
		return nil, identity.Errorf(identity.Internal, "").WithCause(err)
	}
	res, err := userResource(u)
	if err != nil {
		return nil, err
	}
	if len(u.Groups) > 0 {
		list := make([]any, len(u.Groups))
		for i, g := range u.Groups {
			list[i] = object{
				"value": string(g.GroupID), "$ref": d.location(groupType, string(g.GroupID)), "display": g.Display, "type": membershipType(g),
			}
		}
		res["groups"] = list
	}
	return appendResource(b, d.types.users(), res, m, p), nil
}

func membershipType(g identity.Membership) string {
	if g.Direct {
		return "direct"
	}
	return "indirect"
}

func (d *Door) appendPlainUser(b []byte, u identity.User, m meta, p projection) []byte {
	b = append(b, '{')
	b = appendSchemas(b, d.types.users(), func(x *extension) bool { return holdsName(u.Attributes, x.urn) })
	b = appendField(b, "id", string(u.ID))
	if u.ExternalID != "" {
		b = appendField(b, "externalId", u.ExternalID)
	}
	b = appendField(b, "userName", u.UserName)
	if u.DisplayName != "" {
		b = appendField(b, "displayName", u.DisplayName)
	}
	b = appendValue(appendName(b, "active"), activeAttr, u.Enabled, projection{})
	if u.Emails == nil && len(u.RawEmails) > 2 {
		b = append(appendName(b, "emails"), u.RawEmails...)
	}
	b = appendEmails(b, u.Emails)
	b = appendMembers(b, u.Attributes)
	if p.wants(groupsAttr) {
		b = d.appendGroups(b, u.Groups)
	}
	return append(m.append(b, userType, projection{}), '}')
}

func appendEmails(b []byte, emails []identity.Email) []byte {
	if len(emails) == 0 {
		return b
	}
	list := make([]any, len(emails))
	for i, e := range emails {
		list[i] = emailObject(e)
	}
	return appendValue(appendName(b, "emails"), emailsAttr, list, projection{})
}

func (d *Door) appendGroups(b []byte, groups []identity.Membership) []byte {
	if len(groups) == 0 {
		return b
	}
	b = append(appendName(b, "groups"), '[')
	for i, g := range groups {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		b = appendField(b, "value", string(g.GroupID))
		b = appendField(b, "$ref", d.location(groupType, string(g.GroupID)))
		b = appendField(b, "display", g.Display)
		b = append(appendField(b, "type", membershipType(g)), '}')
	}
	return append(b, ']')
}
