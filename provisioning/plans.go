package provisioning

import (
	"context"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// PlanAge is how long a plan is kept, and with it the chance to undo it.
const PlanAge = 90 * 24 * time.Hour

func noPlan() *identity.Error {
	return identity.Errorf(identity.NotFound, "There is no such plan here.").WithField("plan")
}

// planEvent starts an event about a plan.
func planEvent(by identity.Actor, kind identity.EventType, p identity.Plan) identity.Event {
	e := event(by, kind)
	e.TenantID, e.ObjectKind, e.ObjectID, e.ObjectLabel = p.TenantID, "plan", string(p.ID), p.FileName
	e.Changes = []identity.Change{{Field: "source", After: p.Source}, {Field: "sha256", After: p.Summary.SHA256}}
	for _, n := range []struct {
		field string
		count int
	}{
		{"rows", p.Summary.Rows},
		{"create", p.Summary.Create},
		{"update", p.Summary.Update},
		{"deactivate", p.Summary.Deactivate},
		{"errors", p.Summary.Errors},
		{"done", p.Summary.Done},
		{"failed", p.Summary.Failed},
		{"changed meanwhile", p.Summary.Changed},
		{"reverted", p.Summary.Reverted},
	} {
		if n.count > 0 {
			e.Changes = append(e.Changes, identity.Change{Field: n.field, After: n.count})
		}
	}
	return e
}

// PlanQuery says which plans are wanted; empty fields do not narrow. Of the query, After, Limit and Tenant count.
type PlanQuery = store.PlanQuery

// Plans returns a page of the plans that the actor may see, newest first.
func (s *Service) Plans(ctx context.Context, by identity.Actor, q identity.Query) (identity.Page[identity.Plan], error) {
	return s.PlansWhere(ctx, by, PlanQuery{Query: q})
}

// PlansWhere is Plans, narrowed.
func (s *Service) PlansWhere(ctx context.Context, by identity.Actor, q PlanQuery) (identity.Page[identity.Plan], error) {
	var page identity.Page[identity.Plan]
	scope, err := s.byHand(by)
	if err != nil {
		return page, err
	}
	q.After = cursor(q.After)
	if !validIDs(&q.Tenant) || !validIDs(&q.Parent) {
		return page, nil
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		page, err = tx.Plans(ctx, scope, q)
		return err
	})
	return page, err
}

// Plan returns a plan that the actor may see, or NotFound.
func (s *Service) Plan(ctx context.Context, by identity.Actor, id identity.PlanID) (identity.Plan, error) {
	var plan identity.Plan
	scope, err := s.byHand(by)
	if err != nil {
		return plan, err
	}
	if id == "" || !validIDs(&id) {
		return plan, noPlan()
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		plan, err = tx.Plan(ctx, scope, id)
		return err
	})
	return plan, sharpen(err, noPlan)
}

// StepQuery says which steps of a plan are wanted; empty fields do not narrow.
type StepQuery = store.StepQuery

// PlanSteps returns a page of the steps of a plan that the actor may see, in the order of their lines.
func (s *Service) PlanSteps(ctx context.Context, by identity.Actor, id identity.PlanID, q StepQuery) (identity.Page[PlanStepView], error) {
	var page identity.Page[PlanStepView]
	plan, err := s.Plan(ctx, by, id)
	if err != nil {
		return page, err
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		steps, err := tx.PlanSteps(ctx, plan.ID, q)
		page.Items, page.More = make([]PlanStepView, len(steps.Items)), steps.More
		for i := range steps.Items {
			if err == nil {
				page.Items[i], err = viewStep(steps.Items[i])
			}
		}
		if err != nil {
			return err
		}
		return mailsOfSteps(ctx, tx, steps.Items, page.Items)
	})
	return page, err
}

// mailsOfSteps adds what became of the mails.
func mailsOfSteps(ctx context.Context, tx *store.Tx, steps []identity.PlanStep, out []PlanStepView) error {
	var ids []identity.MailID
	for _, step := range steps {
		if step.MailID != "" {
			ids = append(ids, step.MailID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	mails, err := tx.MailsByID(ctx, ids)
	for i, step := range steps {
		if m, ok := mails[step.MailID]; ok {
			out[i].Mail = &m
		}
	}
	return err
}

// DropPlan throws a plan away with all that it keeps; what it changed stays, and cannot be undone any more.
func (s *Service) DropPlan(ctx context.Context, by identity.Actor, id identity.PlanID) error {
	scope, err := s.byHand(by)
	if err != nil {
		return err
	}
	if id == "" || !validIDs(&id) {
		return noPlan()
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		plan, err := tx.PlanForUpdate(ctx, scope, id)
		if err != nil {
			return err
		}
		if err := tx.DeletePlan(ctx, id); err != nil {
			return err
		}
		return tx.InsertEvent(ctx, planEvent(by, identity.PlanDropped, plan))
	})
	return sharpen(err, noPlan)
}

// SweepPlans deletes plans that are older than PlanAge, a few in a transaction. It may run at any time and on every replica.
func (s *Service) SweepPlans(ctx context.Context) error {
	const most = 5
	for n := most; n == most; {
		err := s.db.Update(ctx, func(tx *store.Tx) (err error) {
			n, err = tx.DeletePlans(ctx, tx.Now().Add(-PlanAge), most)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
