package provisioning

import (
	"context"
	"maps"
	"slices"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// mergeRoles returns the roles that are in force after a model was applied: those of its file, but for those that somebody edited, and those that somebody
// made. Where the model fixes its roles, or everything is to be reset, the file's count; where it fixes them, they are all.
func mergeRoles(shipped, now []identity.RoleDefinition, file *access.Model, reset bool) []identity.RoleDefinition {
	var out []identity.RoleDefinition
	next := file.Definitions()
	for _, d := range next {
		if was := find(now, d.ID); was != nil {
			if file.RolesEditable() && !reset && !file.Unlimited(d.ID) && edited(*was, shipped) {
				was.Position, was.Shipped = d.Position, true
				out = append(out, *was)
				continue
			}
			d = retitled(*was, d)
		}
		out = append(out, d)
	}
	for _, d := range now {
		if find(next, d.ID) == nil && file.RolesEditable() && (!d.Shipped || !reset && edited(d, shipped)) {
			d.Shipped, d.Position = false, len(next)+d.Position
			out = append(out, d)
		}
	}
	return out
}

// retitled is a role of the file with what is kept about the role beside its rights.
func retitled(was, d identity.RoleDefinition) identity.RoleDefinition {
	d.Description, d.IntendedFor, d.Provides = was.Description, was.IntendedFor, was.Provides
	d.ReviewedAt, d.ReviewedBy, d.Version, d.CreatedAt = was.ReviewedAt, was.ReviewedBy, was.Version, was.CreatedAt
	return d
}

// edited reports whether a role is another than the one that came with the model in force.
func edited(d identity.RoleDefinition, shipped []identity.RoleDefinition) bool {
	s := find(shipped, d.ID)
	return s == nil || !sameRole(d, *s)
}

// sameRole compares what a role is and may do.
func sameRole(a, b identity.RoleDefinition) bool {
	return a.Role == b.Role && a.Assignable == b.Assignable && maps.Equal(a.Levels, b.Levels) && maps.EqualFunc(granted(a), granted(b), slices.Equal)
}

// granted returns grants without empty ones.
func granted(d identity.RoleDefinition) map[string][]string {
	out := maps.Clone(d.Grants)
	maps.DeleteFunc(out, func(_ string, actions []string) bool { return len(actions) == 0 })
	return out
}

func find(list []identity.RoleDefinition, id identity.RoleID) *identity.RoleDefinition {
	if i := slices.IndexFunc(list, func(d identity.RoleDefinition) bool { return d.ID == id }); i >= 0 {
		d := list[i]
		return &d
	}
	return nil
}

// markKept marks the roles that stay as somebody edited them, and lists those that stay without any difference to what is in force.
func (p *planning) markKept(file *access.Model) {
	next := file.Definitions()
	for _, d := range p.defs {
		f := find(next, d.ID)
		if f != nil && sameRole(d, *f) {
			continue
		}
		i := slices.IndexFunc(p.plan.Roles, func(r RoleOutcome) bool { return r.ID == d.ID })
		if i < 0 {
			kept := d
			i = len(p.plan.Roles)
			p.plan.Roles = append(p.plan.Roles, RoleOutcome{RoleDifference: access.RoleDifference{ID: d.ID, Before: &kept, After: &kept}})
		}
		p.plan.Roles[i].Kept = true
	}
}

// checkReassign refuses to give people a role that is not there afterwards, or belongs to the other kind of people.
func (p *planning) checkReassign() error {
	for _, from := range slices.Sorted(maps.Keys(p.change.Reassign)) {
		was, known := p.before.Role(from)
		to, there := p.after.Role(p.change.Reassign[from])
		_, stays := p.after.Role(from)
		switch {
		case !known || stays:
			return identity.Errorf(identity.Invalid, "The role %q does not go; its people keep it.", from).WithField("reassign")
		case !there:
			return identity.Errorf(identity.Invalid, "There is no role %q in the access model %s that the people of %s could get.", p.change.Reassign[from], p.after.Name(), was.Title).WithField("reassign")
		case was.Scope != to.Scope:
			return identity.Errorf(identity.Invalid, "%s is a role of a %s and %s of a %s; their people differ.", was.Title, was.Scope, to.Title, to.Scope).WithField("reassign")
		}
	}
	return nil
}

// planRoles counts who holds the roles and finds what stands in their way.
func (p *planning) planRoles(ctx context.Context, tx *store.Tx) error {
	holders, err := tx.RoleHolders(ctx, store.Everything(), identity.DefaultApplication, true)
	if err != nil {
		return err
	}
	titles := map[string]identity.RoleID{}
	for _, d := range p.defs {
		key := identity.NameKey(d.Title)
		if other, ok := titles[key]; ok {
			p.obstacle("Two roles would be called %s: %s and %s. Rename the one that you made.", d.Title, other, d.ID)
		}
		titles[key] = d.ID
	}
	for i := range p.plan.Roles {
		r := &p.plan.Roles[i]
		r.Holders = holders[r.ID]
		switch {
		case r.Before == nil || r.Holders == 0:
		case r.After == nil && r.To == "":
			p.obstacle("%s goes and %s; say which role they get (--reassign %s=ROLE).", r.Before.Title, hold(r.Holders), r.ID)
		case r.After != nil && r.After.Scope != r.Before.Scope:
			p.obstacle("%s would become a role of the %s, and %s; take it from them first.", r.After.Title, r.After.Scope, hold(r.Holders))
		}
	}
	return p.planConnections(ctx, tx)
}

// planConnections finds the connections that give roles which go.
func (p *planning) planConnections(ctx context.Context, tx *store.Tx) error {
	connections, err := allOf(func(q identity.Query) (identity.Page[identity.Connection], error) {
		return tx.Connections(ctx, store.Everything(), q)
	}, func(c identity.Connection) string { return string(c.ID) })
	for _, c := range connections {
		for _, r := range p.plan.Roles {
			if r.After == nil && givesRole(c, r.ID) {
				p.obstacle("The connection %s gives %s, which goes; change its rules and its ceiling first.", c.Name, r.Before.Title)
			}
		}
	}
	return err
}

// givesRole reports whether a connection gives a role to whoever comes through it.
func givesRole(c identity.Connection, id identity.RoleID) bool {
	return c.UnknownRole == id || slices.Contains(c.Options.Ceiling, id) || slices.ContainsFunc(c.Options.Rules, func(r identity.Rule) bool { return r.Role == id })
}
