package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// RoleHolder is somebody who holds a role, with what a change of it comes to for them beside everything else that they have.
type RoleHolder struct {
	identity.User
	Effects []RoleEffect // in the catalogue's order; none: other roles, levels or the model keep everything as it is
}

// RoleEffect is what somebody may do otherwise with one resource.
type RoleEffect struct {
	access.Resource
	Gained, Lost []string // actions
	Reached      []RoleReach
}

// RoleReach is an action that stays and goes to other records, by the data levels of before and after.
type RoleReach struct{ Action, Before, After string }

// modelWith returns the access model as it would be with one role changed.
func (s *Service) modelWith(role identity.RoleDefinition) (*access.Model, error) {
	defs := s.model.Definitions()
	for i := range defs {
		if defs[i].ID == role.ID {
			defs[i] = role
		}
	}
	return access.Assemble(s.model.Name(), s.model.Source(), s.model.Version(), defs)
}

// roleHolders returns the first people who hold a role that would change, and decides for each of them what they may do now and then.
func (s *Service) roleHolders(ctx context.Context, tx *store.Tx, scope store.Scope, role identity.RoleDefinition, limit int) (identity.Page[RoleHolder], error) {
	page, err := tx.HolderPage(ctx, scope, store.HolderQuery{Roles: []identity.RoleID{role.ID}, Limit: limit, Total: true})
	out := identity.Page[RoleHolder]{Total: page.Total, More: page.More}
	if err != nil {
		return out, err
	}
	if err := s.describe(ctx, tx, page.Items); err != nil {
		return out, err
	}
	then, err := s.modelWith(role)
	if err != nil {
		return out, err
	}
	for _, u := range page.Items {
		now, err := s.standsFor(ctx, tx, u)
		if err != nil {
			return out, err
		}
		now.Subject.Status = "" // what the roles are worth, not whether the account is in order
		out.Items = append(out.Items, RoleHolder{User: u, Effects: effects(s.model.Permissions(now.Subject), then.Permissions(now.Subject))})
	}
	return out, nil
}

// effects compares what somebody may do by two models with the same catalogue.
func effects(now, then []access.Permission) []RoleEffect {
	var out []RoleEffect
	for i, before := range now[:min(len(now), len(then))] {
		after := then[i]
		if before.Resource.Self || before.Allowed == after.Allowed && (!before.Allowed || before.Level == after.Level) {
			continue
		}
		if n := len(out); n == 0 || out[n-1].ID != before.Resource.ID {
			out = append(out, RoleEffect{Resource: before.Resource})
		}
		e := &out[len(out)-1]
		switch {
		case !before.Allowed:
			e.Gained = append(e.Gained, after.Action)
		case !after.Allowed:
			e.Lost = append(e.Lost, before.Action)
		default:
			e.Reached = append(e.Reached, RoleReach{before.Action, before.Level, after.Level})
		}
	}
	return out
}
