package provisioning

import (
	"context"
	"maps"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// RevertPlan undoes what a plan did, some steps in a transaction, the last first: it puts back the fields, roles and position of everybody who is still as the plan
// left them, and deletes those whom it created and who have not signed in. Who was changed since is kept as they are, and the step says so. It may be called again after it was
// broken off. Mails that were sent stay sent.
func (s *Service) RevertPlan(ctx context.Context, by identity.Actor, id identity.PlanID, progress func(PlanProgress)) (identity.Plan, error) {
	plan, err := s.Plan(ctx, by, id)
	if err != nil {
		return plan, err
	}
	if plan.AppliedAt == nil {
		return plan, identity.Errorf(identity.Precondition, "The plan was not carried out; there is nothing to undo.").WithCode("plan_state")
	}
	r := &reverting{planner: s.planner(by, planPeople(plan), plan)}
	r.planner.plan.Options.Clear = true
	for last := 0; ; {
		if err := ctx.Err(); err != nil {
			return r.plan, err
		}
		if last, err = r.chunk(ctx, last); err != nil {
			return r.plan, err
		}
		if last == 0 {
			return r.finish(ctx)
		}
		if progress != nil {
			progress(r.now)
		}
	}
}

// reverting is a plan that is being undone.
type reverting struct {
	*planner
	now PlanProgress // Done: undone; Changed: kept
}

// chunk undoes the steps in front of a line (0: the last ones), and returns the first line; 0 when there are none.
func (r *reverting) chunk(ctx context.Context, before int) (int, error) {
	var first int
	var now PlanProgress
	err := r.s.db.Update(ctx, func(tx *store.Tx) error {
		first, now = 0, PlanProgress{}
		plan, err := tx.PlanForUpdate(ctx, planPeople(r.plan), r.plan.ID)
		if err != nil {
			return err
		}
		page, err := tx.PlanSteps(ctx, plan.ID, StepQuery{States: []identity.StepState{identity.StepDone}, After: before, Descending: true, Limit: applyChunk})
		if err != nil || len(page.Items) == 0 {
			return err
		}
		for i := range page.Items {
			if err := r.step(ctx, tx, &page.Items[i]); err != nil {
				return err
			}
			if page.Items[i].State == identity.StepReverted {
				now.Done++
			} else {
				now.Changed++
			}
		}
		first = page.Items[len(page.Items)-1].Line
		plan.Summary.Reverted += now.Done
		if err := tx.UpdatePlan(ctx, plan); err != nil {
			return err
		}
		r.plan.Summary = plan.Summary
		return tx.PutPlanStep(ctx, page.Items...)
	})
	r.now.Done, r.now.Changed = r.now.Done+now.Done, r.now.Changed+now.Changed
	return first, err
}

func (r *reverting) finish(ctx context.Context) (identity.Plan, error) {
	var plan identity.Plan
	err := r.s.db.Update(ctx, func(tx *store.Tx) (err error) {
		if plan, err = tx.PlanForUpdate(ctx, planPeople(r.plan), r.plan.ID); err != nil {
			return err
		}
		at := tx.Now()
		plan.State, plan.RevertedAt = identity.PlanUndone, &at
		e := planEvent(r.by, identity.PlanReverted, plan)
		if r.now.Changed > 0 {
			e.Changes = append(e.Changes, identity.Change{Field: "kept", After: r.now.Changed})
		}
		if err := tx.InsertEvent(ctx, e); err != nil {
			return err
		}
		return tx.UpdatePlan(ctx, plan)
	})
	return plan, err
}

// step undoes one step, or says why the person stays as they are.
func (r *reverting) step(ctx context.Context, tx *store.Tx, step *identity.PlanStep) error {
	d, err := readStep(*step)
	if err != nil {
		return err
	}
	refused, err := tx.Try(ctx, func() error { return r.undo(ctx, tx, *step, d) })
	if err != nil {
		return err
	}
	step.State, step.Detail = identity.StepReverted, ""
	if refused != nil {
		step.State, step.Detail = identity.StepKept, refused.Message
		d.Field, d.Code = refused.Field, refused.Code
	}
	return writeStep(step, d)
}

func (r *reverting) undo(ctx context.Context, tx *store.Tx, step identity.PlanStep, d stepData) error {
	reason := "undo of import " + r.plan.FileName
	u, facts, err := tx.UserForChange(ctx, r.scope, step.UserID)
	if err != nil {
		return sharpen(err, noUser)
	}
	all, err := peopleOf(ctx, tx, r.scope, []identity.User{u})
	if err != nil {
		return err
	}
	is, err := r.names.fields(ctx, tx, all[0], r.plan.TenantID, r.plan.Source)
	if err != nil {
		return err
	}
	if u.Version != step.Version || !maps.EqualFunc(trimmed(is), trimmed(d.Left), func(a, b string) bool { return a == b }) {
		return identity.Errorf(identity.Precondition, "%s was changed since the import; nothing was undone.", u.Label()).WithCode("plan_changed")
	}
	if d.Was == nil {
		return r.uncreate(ctx, tx, u, reason)
	}
	if _, err := r.s.change(ctx, tx, r.by, u, facts, reason, d.Was.putBack); err != nil {
		return err
	}
	if err := r.roles(ctx, tx, u, all[0].roles, d.Was.Roles, reason); err != nil {
		return err
	}
	_, err = r.s.setPosition(ctx, tx, r.by, u, func(at *identity.Position) error {
		was := d.Was.Position
		at.Type, at.UnitID, at.TeamID, at.DataLevel, at.External = was.Type, was.UnitID, was.TeamID, was.DataLevel, was.External
		return nil
	}, reason)
	if err != nil {
		return err
	}
	if d.Was.Source != nil {
		return tx.PutSourceUser(ctx, *d.Was.Source)
	}
	return tx.DeleteSourceUser(ctx, r.known(u, importRow{})[0])
}

// trimmed leaves out what is empty, which an older plan may not have had.
func trimmed(f personFields) personFields {
	out := personFields{}
	for k, v := range f {
		if v != "" {
			out[k] = v
		}
	}
	return out
}

// putBack writes what a person was into the user that is there now.
func (w *wasPerson) putBack(u *identity.User) error {
	u.UserName, u.DisplayName, u.Enabled, u.Emails, u.Attributes = w.User.UserName, w.User.DisplayName, w.User.Enabled, w.User.Emails, w.User.Attributes
	return nil
}

// uncreate deletes somebody whom the plan created, unless they have used the account.
func (r *reverting) uncreate(ctx context.Context, tx *store.Tx, u identity.User, reason string) error {
	if u.LastLoginAt != nil {
		return identity.Errorf(identity.Precondition, "%s has signed in since the import; delete the person by hand if that is meant.", u.Label()).WithCode("plan_changed")
	}
	if err := tx.DeleteSourceUser(ctx, r.known(u, importRow{})[0]); err != nil {
		return err
	}
	return r.s.bury(ctx, tx, r.by, u, reason)
}

// roles puts back the roles that a person had, each with where it came from.
func (r *reverting) roles(ctx context.Context, tx *store.Tx, u identity.User, now, were []identity.Assignment, reason string) error {
	var events []identity.Event
	has := func(list []identity.Assignment, a identity.Assignment) bool {
		return slices.ContainsFunc(list, func(b identity.Assignment) bool { return a.ID == b.ID })
	}
	if err := r.s.keepRoles(ctx, tx, u, heldRoles(now), heldRoles(were)); err != nil {
		return err
	}
	for _, a := range now {
		if has(were, a) {
			continue
		}
		e, err := r.s.unassign(ctx, tx, r.by, u, a, reason)
		if err != nil {
			return err
		}
		events = append(events, e)
	}
	for _, a := range were {
		if has(now, a) {
			continue
		}
		if err := r.s.checkRole(ctx, tx, r.by, a.RoleID, u.TenantID); err != nil {
			return err
		}
		if err := tx.InsertAssignment(ctx, a); err != nil {
			return err
		}
		events = append(events, r.s.roleEvent(r.by, identity.RoleAssigned, u, a, reason))
	}
	return tx.InsertEvent(ctx, events...)
}
