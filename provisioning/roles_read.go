package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// RoleDefinitions returns a page of the roles in their order with the number of people who hold each, as far as the actor sees them. After is the id of a
// role; Search is looked for in names and descriptions.
func (s *Service) RoleDefinitions(ctx context.Context, by identity.Actor, q identity.Query) (identity.Page[identity.RoleDefinition], error) {
	var page identity.Page[identity.RoleDefinition]
	scope, err := s.scopeFor(by, rolesRead)
	if err != nil {
		return page, err
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if page, err = tx.RolePage(ctx, identity.DefaultApplication, q); err != nil {
			return err
		}
		return countHolders(ctx, tx, scope, page.Items)
	})
	return page, err
}

func countHolders(ctx context.Context, tx *store.Tx, scope store.Scope, list []identity.RoleDefinition) error {
	if len(list) == 0 {
		return nil
	}
	counts, err := tx.RoleHolders(ctx, scope, list[0].Application, false)
	for i := range list {
		list[i].Users = counts[list[i].ID]
	}
	return err
}

// RoleDetail is everything that a role's page shows.
type RoleDetail struct {
	Role     identity.RoleDefinition
	Grants   []RoleGrant                  // the whole catalogue but what is everybody's own, in its order
	Holders  identity.Page[identity.User] // with all their roles
	Editable bool                         // by the actor
	Why      string                       // why not
}

// RoleGrant is one line of a role's permissions.
type RoleGrant struct {
	access.Resource
	Granted   []string // actions
	Level     string   // the model's word for them
	DataLevel string   // where roles carry data levels
}

// Role returns a role with what it grants and the people who hold it, a page of them by q (After and Limit), or NotFound.
func (s *Service) Role(ctx context.Context, by identity.Actor, id identity.RoleID, q identity.Query) (RoleDetail, error) {
	var d RoleDetail
	scope, err := s.scopeFor(by, rolesRead)
	if err != nil {
		return d, err
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if d.Role, err = tx.RoleDefinition(ctx, identity.DefaultApplication, id); err != nil {
			return sharpen(err, noRoleHere)
		}
		one := []identity.RoleDefinition{d.Role}
		if err := countHolders(ctx, tx, scope, one); err != nil {
			return err
		}
		d.Role = one[0]
		d.Holders, err = tx.HolderPage(ctx, scope, store.HolderQuery{Roles: []identity.RoleID{id}, Tenant: q.Tenant, After: cursor(q.After), Limit: q.Limit, Total: q.Total})
		if err != nil {
			return err
		}
		return s.describe(ctx, tx, d.Holders.Items)
	})
	d.Grants = roleGrants(s.model, d.Role)
	if no := s.whyFixed(by, id); no != nil {
		d.Why = messageFor(no)
	} else {
		d.Editable = true
	}
	return d, err
}

// whyFixed says why the actor may not change a role, or nothing.
func (s *Service) whyFixed(by identity.Actor, id identity.RoleID) error {
	if err := s.mayEditRoles(by); err != nil {
		return err
	}
	if s.model.Unlimited(id) {
		return unlimited(s.roleTitle(id))
	}
	return nil
}

func roleGrants(m *access.Model, d identity.RoleDefinition) []RoleGrant {
	var out []RoleGrant
	for _, r := range m.Catalogue() {
		if r.Self || r.Platform && d.Scope != identity.ScopePlatform {
			continue
		}
		out = append(out, RoleGrant{Resource: r, Granted: d.Grants[r.ID], Level: m.Level(d.ID, r.ID), DataLevel: d.Levels[r.ID]})
	}
	return out
}

func noRoleHere() *identity.Error {
	return identity.Errorf(identity.NotFound, "There is no such role.")
}

func unlimited(title string) *identity.Error {
	return identity.Errorf(identity.Forbidden, "%s grants everything and always will; it cannot be changed.", title).WithCode("roles_fixed")
}
