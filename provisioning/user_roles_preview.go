package provisioning

import (
	"context"
	"slices"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// RolesPreview is what other roles would change for a person.
type RolesPreview struct {
	User  identity.User
	Roles []identity.Role // that the person would hold, also by directories and providers
	Gains []AccessGrant   // what the person could do and cannot now
	Loses []AccessGrant   // what the person can do now and could not then
}

// Sensitive returns what the access model calls sensitive of the gains.
func (p RolesPreview) Sensitive() []AccessGrant {
	return slices.DeleteFunc(slices.Clone(p.Gains), func(g AccessGrant) bool { return !g.Resource.Sensitive })
}

// PreviewRoles says what would change for a person if administrators gave exactly these roles; what directories and providers give stays beside them. It changes nothing, and needs the right to
// change users. Whether the actor may give the roles is SetRoles' to say.
func (s *Service) PreviewRoles(ctx context.Context, by identity.Actor, id identity.UserID, roles []identity.RoleID) (RolesPreview, error) {
	var p RolesPreview
	scope, err := s.scopeFor(by, usersWrite)
	if err != nil {
		return p, err
	}
	if by.Kind == identity.ActorDirectory || id == "" || !validIDs(&id) {
		return p, noUser()
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if p.User, err = tx.User(ctx, scope, id); err != nil {
			return sharpen(err, noUser)
		}
		held, err := tx.Assignments(ctx, id)
		if err != nil {
			return err
		}
		now, err := s.standsFor(ctx, tx, p.User)
		if err != nil {
			return err
		}
		now.Subject.Status = "" // what the roles are worth, not whether the account is in order
		then := now.Subject
		then.Roles = union(roles, given(held, false))
		for _, role := range then.Roles {
			r, ok := s.model.Role(role)
			if !ok {
				return identity.Errorf(identity.Invalid, "There is no role %q in the access model %s.", role, s.model.Name()).WithField("role")
			}
			p.Roles = append(p.Roles, r)
		}
		p.Gains, p.Loses = s.moreThan(then, now.Subject), s.moreThan(now.Subject, then)
		return nil
	})
	return p, err
}

// moreThan returns what one subject may do and another may not, or not as far.
func (s *Service) moreThan(one, other access.Subject) []AccessGrant {
	var out []AccessGrant
	less := map[string]bool{}
	for _, g := range s.grantsOf(other, AccessQuery{}) {
		for _, action := range g.Actions {
			less[g.Resource.ID+":"+action+":"+g.DataLevel] = true
		}
	}
	for _, g := range s.grantsOf(one, AccessQuery{}) {
		g.Actions = slices.DeleteFunc(slices.Clone(g.Actions), func(action string) bool { return less[g.Resource.ID+":"+action+":"+g.DataLevel] })
		if len(g.Actions) > 0 {
			out = append(out, g)
		}
	}
	return out
}
