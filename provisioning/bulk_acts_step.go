package provisioning

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// fieldHeld is what a step of a bulk act says of somebody who cannot come in anyway: from now on no directory lets them in.
const fieldHeld = "held"

// action is what a step that changes somebody is called.
func (b *bulkStep) action() identity.PlanAction {
	switch b.Act {
	case BulkDeactivate:
		return identity.StepDeactivate
	case BulkActivate:
		return identity.StepRestore
	case BulkMove:
		return identity.StepMove
	}
	return identity.StepUpdate
}

// bulkReason is what the events of a bulk act say.
func (b *bulkStep) reason() string { return cmp.Or(b.Reason, "bulk act: "+string(b.Act)) }

// bulk does to one person what a bulk act says, as an administrator does it by hand.
func (p *planner) bulk(ctx context.Context, tx *store.Tx, id identity.UserID, b *bulkStep) (effect, error) {
	u, facts, err := tx.UserForChange(ctx, p.scope, id)
	if err != nil {
		return effect{}, sharpen(err, noUser)
	}
	if b.Act == BulkMove {
		if err := p.s.mayTake(ctx, tx, p.by, u); err != nil {
			return effect{}, err
		}
	}
	out := effect{user: u, seen: u.Version}
	was, err := p.standing(ctx, tx, u)
	if err != nil {
		return out, err
	}
	if out.before, err = p.names.fields(ctx, tx, was, p.plan.TenantID, p.plan.Source); err != nil {
		return out, err
	}
	if err := p.bulkAct(ctx, tx, was, facts, b); err != nil {
		return out, err
	}
	if u, err = tx.User(ctx, p.scope, id); err != nil {
		return out, err
	}
	is, err := p.standing(ctx, tx, u)
	if err != nil {
		return out, err
	}
	if out, err = p.compare(ctx, tx, was, is, out); err == nil && len(out.changes) == 0 && was.user.Held != is.user.Held {
		out.changes = []identity.Change{{Field: fieldHeld, Before: yesNo(was.user.Held), After: yesNo(is.user.Held)}}
	}
	return out, err
}

// standing reads everything about a person that a table shows.
func (p *planner) standing(ctx context.Context, tx *store.Tx, u identity.User) (standing, error) {
	all, err := peopleOf(ctx, tx, p.scope, []identity.User{u})
	if err != nil {
		return standing{}, err
	}
	return all[0], nil
}

func (p *planner) bulkAct(ctx context.Context, tx *store.Tx, was standing, facts store.UserFacts, b *bulkStep) error {
	switch b.Act {
	case BulkDeactivate, BulkActivate:
		return p.bulkSwitch(ctx, tx, was.user, facts, b)
	case BulkAssignRole, BulkRemoveRole, BulkSetRole:
		return p.bulkRoles(ctx, tx, was, b)
	case BulkSetUnit:
		return p.bulkUnit(ctx, tx, was, b)
	case BulkMove:
		return p.bulkMove(ctx, tx, was.user, b)
	}
	return fmt.Errorf("no bulk act %q", b.Act)
}

// bulkSwitch lets somebody in or keeps them out, as ActivateUser and DeactivateUser do.
func (p *planner) bulkSwitch(ctx context.Context, tx *store.Tx, u identity.User, facts store.UserFacts, b *bulkStep) error {
	in := b.Act == BulkActivate
	if !in && p.by.UserID() == u.ID {
		return identity.Errorf(identity.Forbidden, "You cannot deactivate yourself; ask another administrator.").WithField(fieldActive)
	}
	_, err := p.s.change(ctx, tx, p.by, u, facts, b.reason(), func(u *identity.User) error {
		u.Enabled, u.Held = in, !in
		return nil
	})
	return err
}

// bulkRoles gives or takes a role, as AssignRole, RemoveRole and SetRoles do. Who has what is wanted, or has not what is to go, stays as they are.
func (p *planner) bulkRoles(ctx context.Context, tx *store.Tx, was standing, b *bulkStep) error {
	if b.Act == BulkRemoveRole && !slices.Contains(heldRoles(was.roles), b.Role) {
		return nil
	}
	want := map[BulkKind]func(*rolesOf) error{BulkAssignRole: p.s.oneMore(b.Role), BulkRemoveRole: p.s.oneLess(ctx, b.Role), BulkSetRole: exactly(b.Role)}
	_, err := p.s.changeHeld(ctx, &rolesOf{tx: tx, by: p.by, user: was.user, reason: b.Reason}, want[b.Act])
	return err
}

func (p *planner) bulkUnit(ctx context.Context, tx *store.Tx, was standing, b *bulkStep) error {
	id, err := p.unit(ctx, tx, identity.KindUnit, "", b.Unit, was.user)
	if err != nil || id == was.position.UnitID {
		return err
	}
	_, err = p.s.setPosition(ctx, tx, p.by, was.user, func(at *identity.Position) error {
		at.UnitID, at.TeamID = id, ""
		return nil
	}, b.reason())
	return err
}

// bulkMove places somebody, as PlaceUsers does.
func (p *planner) bulkMove(ctx context.Context, tx *store.Tx, u identity.User, b *bulkStep) error {
	to := Placement{Users: []PlacedUser{{ID: u.ID}}, Tenant: b.Tenant, Role: b.Role}
	if err := p.s.householdWithin(ctx, tx, p.by); err != nil {
		return err
	}
	plan, err := p.s.planPlacement(ctx, tx, p.by, to, (*store.Tx).UserForUpdate)
	if err != nil {
		return err
	}
	step := plan.Steps[0]
	if step.User.TenantID == plan.Tenant.ID && len(step.User.Roles) == 1 && step.User.Roles[0].ID == b.Role {
		return nil // is there already
	}
	if step.Refused != "" {
		return identity.Errorf(identity.Conflict, "%s %s.", u.Label(), step.Refused).WithCode("placement_refused")
	}
	_, err = p.s.place(ctx, tx, p.by, plan, step, b.Reason)
	return err
}
