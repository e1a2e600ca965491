package provisioning

import (
	"context"
	"errors"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// UndoOptions say how a plan is made that undoes another.
type UndoOptions struct {
	Progress func(steps int) // called now and then with how many steps were looked at
}

// undoable are the states of steps that can be undone; what was kept because somebody had changed it may be tried again.
var undoable = []identity.StepState{identity.StepDone, identity.StepKept}

// UndoPlan makes a plan that undoes what another did, the last step first: it puts back the fields, roles and position of everybody who is still as that plan left
// them, and deletes whom it created and who has not signed in. Whoever was changed since is a conflict, and is kept. Nothing is written but the plan; ApplyPlan
// carries it out as any other, and it can be undone itself. Mails that were sent stay sent. Precondition with the code "plan_state" where there is nothing to undo.
func (s *Service) UndoPlan(ctx context.Context, by identity.Actor, id identity.PlanID, o UndoOptions) (identity.Plan, error) {
	parent, err := s.Plan(ctx, by, id)
	if err != nil {
		return parent, err
	}
	plan := identity.Plan{
		ID: identity.NewID[identity.PlanID](), ParentID: parent.ID, TenantID: parent.TenantID, Kind: identity.PlanUndo, Source: parent.Source, FileName: parent.FileName,
		State: identity.PlanComputing, CreatedBy: by.Label, Options: identity.PlanOptions{Clear: true, Welcome: identity.WelcomeNone, Guards: parent.Options.Guards, Moves: movesPeople(parent)},
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		if err := s.mayUndo(ctx, tx, parent.ID); err != nil {
			return err
		}
		plan.CreatedAt = tx.Now()
		takeLease(tx, &plan)
		return tx.InsertPlan(ctx, plan)
	})
	if err != nil {
		return parent, err
	}
	w := &undoing{importing: importing{planner: s.planner(by, planPeople(plan), plan)}, parent: parent, progress: o.Progress}
	if err := s.keepLease(ctx, plan, w.compute); err != nil {
		gone := s.db.Update(context.WithoutCancel(ctx), func(tx *store.Tx) error { return tx.DeletePlan(context.WithoutCancel(ctx), plan.ID) })
		return parent, errors.Join(err, gone)
	}
	return w.plan, nil
}

// mayUndo refuses to undo a plan that is at work, or did nothing.
func (s *Service) mayUndo(ctx context.Context, tx *store.Tx, id identity.PlanID) error {
	parent, err := tx.PlanForUpdate(ctx, store.Everything(), id)
	if err != nil {
		return sharpen(err, noPlan)
	}
	if parent.State == identity.PlanApplying || parent.State == identity.PlanComputing {
		return identity.Errorf(identity.Precondition, "The plan is %s. Wait until that is done, or stop it.", parent.State).WithCode("plan_state")
	}
	done, err := tx.PlanSteps(ctx, id, StepQuery{States: undoable, Limit: 1})
	if err == nil && len(done.Items) == 0 {
		err = identity.Errorf(identity.Precondition, "The plan did nothing that could be undone.").WithCode("plan_state")
	}
	return err
}

// undoing is a plan in the making that undoes another.
type undoing struct {
	importing
	parent   identity.Plan
	progress func(int)
}

// compute goes through the steps of the other plan, the last first.
func (w *undoing) compute(ctx context.Context) error {
	for before := 0; ; {
		var page identity.Page[identity.PlanStep]
		err := w.s.db.View(ctx, func(tx *store.Tx) (err error) {
			page, err = tx.PlanSteps(ctx, w.parent.ID, StepQuery{States: undoable, After: before, Descending: true, Limit: planSingle})
			return err
		})
		if err != nil {
			return err
		}
		if len(page.Items) == 0 {
			return w.finish(ctx)
		}
		before = page.Items[len(page.Items)-1].Line
		if err := w.chunk(ctx, page.Items); err != nil {
			return err
		}
		if w.progress != nil {
			w.progress(w.last)
		}
		if before <= 1 {
			return w.finish(ctx)
		}
	}
}

// chunk computes how some steps are undone, and writes that down.
func (w *undoing) chunk(ctx context.Context, done []identity.PlanStep) error {
	var rows []importRow
	var who []identity.UserID
	for _, step := range done {
		d, err := readStep(step)
		if err != nil {
			return err
		}
		if len(step.Data) == 0 || step.UserID == "" {
			continue // the person was erased
		}
		w.last++
		rows = append(rows, importRow{line: w.last, fields: personFields{fieldDisplayName: d.Who}, undo: &undoStep{Line: step.Line, Version: step.Version, Left: d.Left, Was: d.Was}})
		who = append(who, step.UserID)
	}
	w.plan.Summary.Rows += len(rows)
	steps, err := w.rehearse(ctx, rows, who)
	if err != nil {
		return err
	}
	for i := range steps {
		d, err := readStep(steps[i])
		if err != nil {
			return err
		}
		d.Undo, d.Fields = rows[i].undo, nil
		describeUndo(&steps[i], d)
		count(&w.plan.Summary, steps[i], d)
		w.watch.see(steps[i], d)
		if err := writeStep(&steps[i], d); err != nil {
			return err
		}
	}
	return w.s.db.Update(ctx, func(tx *store.Tx) error { return tx.PutPlanStep(ctx, steps...) })
}

// describeUndo says what a step does by what it changes.
func describeUndo(step *identity.PlanStep, d stepData) {
	if step.Action == identity.StepError && d.Code == errChanged.Code {
		step.Action = identity.StepConflict
	}
	if step.Action != identity.StepUpdate {
		return
	}
	if d.created() {
		step.Action, step.Detail = identity.StepDeactivate, "created by the plan; deleted again"
		return
	}
	for _, c := range d.Changes {
		switch {
		case c.Field == fieldTenant:
			step.Action = identity.StepMove
			return
		case c.Field == fieldActive && c.After == yesNo(true):
			step.Action = identity.StepRestore
		case c.Field == fieldActive:
			step.Action = identity.StepDeactivate
		}
	}
}

// keepStep notes at a step that undoes another why the person stays as they are.
func keepStep(step *identity.PlanStep, d stepData, refused *identity.Error) error {
	step.State, step.Detail = identity.StepKept, refused.Message
	d.Field, d.Code = refused.Field, refused.Code
	return writeStep(step, d)
}

// markUndone notes at the steps that a plan undoes what became of each.
func (a *applying) markUndone(ctx context.Context, tx *store.Tx, steps []identity.PlanStep) error {
	if a.plan.Kind != identity.PlanUndo {
		return nil
	}
	var reverted []int
	for _, step := range steps {
		d, err := readStep(step)
		if err != nil || d.Undo == nil {
			return err
		}
		switch step.State {
		case identity.StepDone:
			reverted = append(reverted, d.Undo.Line)
		case identity.StepNone, identity.StepKept, identity.StepFailed:
			if step.Action == identity.StepSkip {
				reverted = append(reverted, d.Undo.Line) // it is so already
			} else if err := tx.SetStepState(ctx, a.plan.ParentID, []int{d.Undo.Line}, identity.StepKept, step.Detail); err != nil {
				return err
			}
		}
	}
	return tx.SetStepState(ctx, a.plan.ParentID, reverted, identity.StepReverted, "")
}

// endUndo makes the plan that was undone say so, when all that could be put back is.
func (a *applying) endUndo(ctx context.Context, tx *store.Tx, plan identity.Plan) error {
	if plan.Kind != identity.PlanUndo || plan.State != identity.PlanDone {
		return nil
	}
	parent, err := tx.PlanForUpdate(ctx, a.scopeOfPlan(), plan.ParentID)
	if identity.KindOf(err) == identity.NotFound {
		return nil // thrown away meanwhile
	}
	if err != nil {
		return err
	}
	never := StepQuery{States: []identity.StepState{identity.StepNone}, Limit: planChunk}
	for {
		page, err := tx.PlanSteps(ctx, plan.ID, never)
		if err != nil {
			return err
		}
		if err := a.markUndone(ctx, tx, page.Items); err != nil {
			return err
		}
		if !page.More {
			break
		}
		never.After = page.Items[len(page.Items)-1].Line
	}
	states, err := tx.CountSteps(ctx, parent.ID)
	if err != nil {
		return err
	}
	at := tx.Now()
	parent.State, parent.RevertedAt, parent.Summary.Reverted = identity.PlanUndone, &at, states[identity.StepReverted]
	e := planEvent(a.by, identity.PlanReverted, parent)
	if kept := states[identity.StepKept]; kept > 0 {
		e.Changes = append(e.Changes, identity.Change{Field: "kept", After: kept})
	}
	if err := tx.InsertEvent(ctx, e); err != nil {
		return err
	}
	return tx.UpdatePlan(ctx, parent)
}
