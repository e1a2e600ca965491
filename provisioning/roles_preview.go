package provisioning

import (
	"context"
	"slices"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// RolePreview is what saving a role would do.
type RolePreview struct {
	Role      identity.RoleDefinition // as it would be
	Texts     []identity.Change       // what is said about it
	Grants    []RoleGrantChange       // in the catalogue's order
	Sensitive []RoleGrantChange       // of these, what has to be confirmed
	Missing   string                  // the title of the resource without which the role grants nothing; empty: it has it
	Holders   identity.Page[RoleHolder]
}

// RoleGrantChange is one resource of which a role would grant something else.
type RoleGrantChange struct {
	access.Resource
	Before, After           []string // actions
	Gained, Lost            []string // of these
	LevelBefore, LevelAfter string   // how far the records go, where roles carry data levels
}

// PreviewRole says what UpdateRole, or CreateRole for an empty id, would do with a draft, and to whom: the first people who hold the role, as many as limit, with what changes for
// each of them whatever else they have, and the number of all. It refuses what they refuse, but for sensitive permissions that are not confirmed, and writes nothing.
func (s *Service) PreviewRole(ctx context.Context, by identity.Actor, id identity.RoleID, version int64, d RoleDraft, limit int) (RolePreview, error) {
	var out RolePreview
	if err := s.mayEditRoles(by); err != nil {
		return out, err
	}
	scope, err := s.scopeFor(by, rolesWrite)
	if err != nil {
		return out, err
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		before := identity.RoleDefinition{Role: identity.Role{Application: identity.DefaultApplication, Scope: d.Scope, Interactive: true}, Assignable: true}
		if before.Scope == "" {
			before.Scope = identity.ScopeTenant
		}
		if id != "" {
			if before, err = roleToEdit(ctx, tx, s.model, id, version); err != nil {
				return err
			}
		}
		if out, err = s.previewRole(ctx, tx, by, before, d); err != nil || id == "" {
			return err
		}
		out.Holders, err = s.roleHolders(ctx, tx, scope, out.Role, limit)
		return err
	})
	return out, err
}

// roleToEdit returns a role that may be changed from a version.
func roleToEdit(ctx context.Context, tx *store.Tx, m *access.Model, id identity.RoleID, version int64) (identity.RoleDefinition, error) {
	before, err := tx.RoleDefinition(ctx, identity.DefaultApplication, id)
	switch {
	case err != nil:
		return before, sharpen(err, noRoleHere)
	case version != 0 && version != before.Version:
		return before, stale()
	case m.Unlimited(id):
		return before, unlimited(before.Title)
	}
	return before, nil
}

func (s *Service) previewRole(ctx context.Context, tx *store.Tx, by identity.Actor, before identity.RoleDefinition, d RoleDraft) (RolePreview, error) {
	out := RolePreview{Role: before}
	diffs, err := s.fill(s.model, by, &out.Role, before, d)
	if err != nil {
		return out, err
	}
	if before.ID != "" {
		if err := s.keepRole(before, &out.Role); err != nil {
			return out, err
		}
		if err := s.keepManagers(ctx, tx, out.Role); err != nil {
			return out, err
		}
	}
	out.Texts = roleChanges(before, identity.RoleDefinition{Role: out.Role.Role, Description: out.Role.Description, IntendedFor: out.Role.IntendedFor, Provides: out.Role.Provides, Levels: before.Levels}, nil)
	for _, r := range s.model.Catalogue() {
		if r.Gate && len(out.Role.Grants[r.ID]) == 0 {
			out.Missing = r.Title
		}
		c := RoleGrantChange{Resource: r, Before: before.Grants[r.ID], After: out.Role.Grants[r.ID], LevelBefore: before.Levels[r.ID], LevelAfter: out.Role.Levels[r.ID]}
		if slices.Equal(c.Before, c.After) && c.LevelBefore == c.LevelAfter {
			continue
		}
		c.Gained, c.Lost = beyond(c.After, c.Before), beyond(c.Before, c.After)
		out.Grants = append(out.Grants, c)
		if slices.ContainsFunc(diffs, func(x grantDiff) bool { return x.ID == r.ID && r.Sensitive && len(x.fresh) > 0 }) {
			out.Sensitive = append(out.Sensitive, c)
		}
	}
	return out, nil
}

// beyond returns what a list has and another has not.
func beyond(list, other []string) []string {
	var out []string
	for _, word := range list {
		if !slices.Contains(other, word) {
			out = append(out, word)
		}
	}
	return out
}

// keepManagers refuses a change of a role after which nobody could manage people, as guardManagers does while it is written.
func (s *Service) keepManagers(ctx context.Context, tx *store.Tx, role identity.RoleDefinition) error {
	was := managers(s.model)
	if !slices.Contains(was, role.ID) {
		return nil
	}
	after, err := s.modelWith(role)
	if err != nil || slices.Contains(managers(after), role.ID) {
		return err
	}
	count, err := countManagers(ctx, tx, s.model)
	if err != nil || count == 0 {
		return err
	}
	left, err := countManagers(ctx, tx, after)
	if err == nil && left == 0 {
		return withoutManagers(role.Title)
	}
	return err
}

// MayEditRoles returns why the actor may not make, change or delete roles, as Forbidden; nil: the actor may. It is for showing; every method asks again for itself.
func (s *Service) MayEditRoles(by identity.Actor) error { return s.mayEditRoles(by) }
