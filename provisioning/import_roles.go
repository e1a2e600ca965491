package provisioning

import (
	"context"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// roleReason says why a role is given, or, without one, why roles are taken away.
type roleReason func(identity.RoleID) string

// importRoles makes the roles of a source those that a row names. What the source gave before and what was given at creation goes; what an administrator, a
// directory or a provider gave stays, unless replace takes what administrators gave too. It returns what the person holds afterwards.
func (p *planner) importRoles(ctx context.Context, tx *store.Tx, u identity.User, held []identity.Assignment, wanted []identity.RoleID, reason roleReason) ([]identity.Assignment, error) {
	stays, goes, fresh := p.roleMoves(held, wanted)
	if len(goes)+len(fresh) == 0 {
		return held, nil
	}
	if err := p.checkRoles(ctx, tx, u, held, stays, fresh); err != nil {
		return held, err
	}
	return p.writeRoles(ctx, tx, u, stays, goes, fresh, reason)
}

// roleMoves says which roles stay, go and come.
func (p *planner) roleMoves(held []identity.Assignment, wanted []identity.RoleID) (stays, goes []identity.Assignment, fresh []identity.RoleID) {
	for _, a := range held {
		if !slices.Contains(wanted, a.RoleID) && p.ours(a) {
			goes = append(goes, a)
		} else {
			stays = append(stays, a)
		}
	}
	for _, id := range wanted {
		if !slices.Contains(heldRoles(stays), id) && !slices.Contains(fresh, id) {
			fresh = append(fresh, id)
		}
	}
	return stays, goes, fresh
}

// ours reports whether the plan may take a role away.
func (p *planner) ours(a identity.Assignment) bool {
	switch a.Source {
	case identity.SourceDefault:
		return true
	case identity.SourceImport:
		return p.plan.Options.ReplaceRoles || a.SourceID == p.plan.Source
	case identity.SourceManual:
		return p.plan.Options.ReplaceRoles
	}
	return false
}

// checkRoles holds the roles that somebody would have to the rules.
func (p *planner) checkRoles(ctx context.Context, tx *store.Tx, u identity.User, held, stays []identity.Assignment, fresh []identity.RoleID) error {
	for _, id := range fresh {
		if err := p.s.checkRole(ctx, tx, p.by, id, u.TenantID); err != nil {
			return err
		}
	}
	after := union(heldRoles(stays), fresh)
	if _, most := p.s.model.AssignmentBounds(); most > 0 && len(after) > most {
		for _, a := range stays {
			if !p.ours(a) {
				return identity.Errorf(identity.Conflict, "%s has %s, which this source did not give. Change it by hand, or let the import replace such roles.", u.Label(), p.s.roleTitle(a.RoleID)).
					WithField(fieldRole).WithCode("role_source")
			}
		}
	}
	return p.s.keepRoles(ctx, tx, u, heldRoles(held), after)
}

func (p *planner) writeRoles(ctx context.Context, tx *store.Tx, u identity.User, stays, goes []identity.Assignment, fresh []identity.RoleID, reason roleReason) ([]identity.Assignment, error) {
	var events []identity.Event
	for _, a := range goes {
		e, err := p.s.unassign(ctx, tx, p.by, u, a, reason(""))
		if err != nil {
			return stays, err
		}
		events = append(events, e)
	}
	for _, id := range fresh {
		a := assignment(tx, p.by, u, id, identity.SourceImport, reason(id))
		a.SourceID = p.plan.Source
		if err := tx.InsertAssignment(ctx, a); err != nil {
			return stays, err
		}
		stays = append(stays, a)
		events = append(events, p.s.roleEvent(p.by, identity.RoleAssigned, u, a, reason(id)))
	}
	return stays, tx.InsertEvent(ctx, events...)
}
