package access

import "github.com/drawbridge-id/drawbridge/identity"

// KeyPolicy returns whose API keys work as far as the model says. A model that does not speak of keys lets the platform's roles have them: somebody must be
// able to connect applications.
func (m *Model) KeyPolicy() identity.KeyPolicy {
	now := m.now.Load()
	k := now.doc.APIKeys
	if k == nil {
		p := identity.KeyPolicy{Enabled: true, Roles: []identity.RoleID{}}
		for _, r := range now.roles {
			if r.Scope == identity.ScopePlatform {
				p.Roles = append(p.Roles, r.ID)
			}
		}
		return p
	}
	p := identity.KeyPolicy{Enabled: k.Enabled, Reveal: k.Reveal != "once", Revoke: k.OnDeactivate == "revoke"}
	if k.AllowedRoles.list != nil {
		p.Roles = []identity.RoleID{}
		for _, id := range k.AllowedRoles.list {
			p.Roles = append(p.Roles, identity.RoleID(id))
		}
	}
	return p
}
