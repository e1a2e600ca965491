package provisioning

import (
	"context"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// ApprovePlan lets a plan that a guard holds be carried out, and keeps who said so and why, which is needed. Nobody is touched by it. Precondition with the code
// "plan_state" for a plan that is not held.
func (s *Service) ApprovePlan(ctx context.Context, by identity.Actor, id identity.PlanID, reason string) (identity.Plan, error) {
	return s.decidePlan(ctx, by, id, func(tx *store.Tx, plan *identity.Plan) error {
		if plan.State != identity.PlanHeld {
			return identity.Errorf(identity.Precondition, "The plan is %s; only one that is held needs to be approved.", plan.State).WithCode("plan_state")
		}
		plan.State = identity.PlanReady
		return s.approve(ctx, tx, by, plan, reason)
	})
}

// approve notes who approves a plan and why. Its state is the caller's matter.
func (s *Service) approve(ctx context.Context, tx *store.Tx, by identity.Actor, plan *identity.Plan, reason string) error {
	reason, err := s.tidyReason(reason)
	if err != nil {
		return err
	}
	if reason == "" {
		return identity.Errorf(identity.Invalid, "Say why the plan is right all the same.").WithField("reason").WithCode("reason_required")
	}
	plan.Summary.Override = reason
	return decidePlan(ctx, tx, by, identity.PlanApproved, plan, reason)
}

// decidePlan notes a decision about a plan, with its event.
func decidePlan(ctx context.Context, tx *store.Tx, by identity.Actor, kind identity.EventType, plan *identity.Plan, reason string) error {
	at := tx.Now()
	plan.DecidedBy, plan.DecidedAt, plan.Reason = by.Label, &at, reason
	e := planEvent(by, kind, *plan)
	e.Reason = reason
	for _, hold := range plan.Summary.Holds {
		e.Changes = append(e.Changes, identity.Change{Field: "held", Before: hold})
	}
	return tx.InsertEvent(ctx, e)
}

// RejectPlan says that a plan is never carried out, or no further; the reason may be empty. Precondition with the code "plan_state" for a plan that is being
// carried out or is done.
func (s *Service) RejectPlan(ctx context.Context, by identity.Actor, id identity.PlanID, reason string) (identity.Plan, error) {
	return s.decidePlan(ctx, by, id, func(tx *store.Tx, plan *identity.Plan) error {
		if !slices.Contains([]identity.PlanState{identity.PlanHeld, identity.PlanReady}, plan.State) {
			return identity.Errorf(identity.Precondition, "The plan is %s; only one that waits can be rejected.", plan.State).WithCode("plan_state")
		}
		reason, err := s.tidyReason(reason)
		if err != nil {
			return err
		}
		plan.State = identity.PlanRejected
		return decidePlan(ctx, tx, by, identity.PlanRefused, plan, reason)
	})
}

// StopPlan asks whoever carries a plan out to stop between two steps; one on which nobody works waits at once. What was done stays done, and ApplyPlan goes on.
// Precondition with the code "plan_state" for a plan that is not being carried out.
func (s *Service) StopPlan(ctx context.Context, by identity.Actor, id identity.PlanID) (identity.Plan, error) {
	return s.decidePlan(ctx, by, id, func(tx *store.Tx, plan *identity.Plan) error {
		if plan.State != identity.PlanApplying {
			return identity.Errorf(identity.Precondition, "The plan is %s; only one that is being carried out can be stopped.", plan.State).WithCode("plan_state")
		}
		plan.Stopping = true
		if plan.LeaseUntil == nil || !tx.Now().Before(*plan.LeaseUntil) {
			plan.State, plan.Stopping, plan.LeaseUntil, plan.LeaseBy = identity.PlanReady, false, nil, ""
		}
		return tx.InsertEvent(ctx, planEvent(by, identity.PlanStopped, *plan))
	})
}

// decidePlan changes a plan that the actor may write, while nobody else does.
func (s *Service) decidePlan(ctx context.Context, by identity.Actor, id identity.PlanID, change func(*store.Tx, *identity.Plan) error) (identity.Plan, error) {
	plan, err := s.Plan(ctx, by, id)
	if err != nil {
		return plan, err
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		now, err := tx.PlanForUpdate(ctx, planPeople(plan), plan.ID)
		if err != nil {
			return sharpen(err, noPlan)
		}
		if err := change(tx, &now); err != nil {
			return err
		}
		plan = now
		return tx.UpdatePlan(ctx, plan)
	})
	return plan, err
}
