package provisioning

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// ApplyOptions say how a plan is carried out.
type ApplyOptions struct {
	Override string             // why a plan that is held is carried out all the same
	Progress func(PlanProgress) // called after each chunk

	Temporary MakePassword // needed by a plan that mails passwords
}

// PlanProgress is how far a plan was carried out.
type PlanProgress struct {
	Total, Done, Failed, Changed int
}

// todo are the states of steps that ApplyPlan carries out.
var todo = []identity.StepState{identity.StepOpen, identity.StepChanged}

// ApplyPlan carries a plan out, some steps in a transaction: exactly what it says, and nothing to a person who was changed meanwhile. Such a step is computed
// again and waits for the next ApplyPlan. A plan that stops, because ctx ends or the machine does, is continued by calling it again. One that is held is
// Precondition with the code "plan_held" without a reason. The plan is returned also with an error, as far as it got.
func (s *Service) ApplyPlan(ctx context.Context, by identity.Actor, id identity.PlanID, o ApplyOptions) (identity.Plan, error) {
	plan, err := s.beginPlan(ctx, by, id, o, takeLease)
	if err != nil {
		return plan, err
	}
	return s.carryOn(ctx, plan, o)
}

// carryOn carries out a plan whose lease the caller has, in the name of its applier.
func (s *Service) carryOn(ctx context.Context, plan identity.Plan, o ApplyOptions) (identity.Plan, error) {
	a := s.applying(*plan.Applier, plan, s.temporaryOr(o.Temporary), o.Progress)
	err := s.keepLease(ctx, plan, a.run)
	end := a.finish(context.WithoutCancel(ctx), err == nil)
	if err == nil {
		err = end
	}
	return a.plan, err
}

// planPeople is the scope of a plan.
func planPeople(p identity.Plan) store.Scope {
	if p.DirectoryID != "" {
		return store.OfDirectory(p.DirectoryID, p.TenantID)
	}
	if p.TenantID == "" || movesPeople(p) {
		return store.Everything() // who is moved is elsewhere; each step asks whether its person may be taken
	}
	return store.OfTenant(p.TenantID)
}

// movesPeople reports whether the people of a plan are in another tenant than the plan, before or afterwards.
func movesPeople(p identity.Plan) bool {
	return p.Options.Moves && (p.Kind == identity.PlanBulk || p.Kind == identity.PlanUndo)
}

// beginPlan checks that a plan may be carried out now, and keeps why it is carried out where it was held. Lease says who has it from now on.
func (s *Service) beginPlan(ctx context.Context, by identity.Actor, id identity.PlanID, o ApplyOptions, lease func(*store.Tx, *identity.Plan)) (identity.Plan, error) {
	plan, err := s.Plan(ctx, by, id)
	if err == nil && plan.DirectoryID != "" { // it is the directory's word, whoever lets it be carried out
		by, err = s.directoryNow(ctx, plan.DirectoryID)
	}
	if err != nil {
		return plan, err
	}
	return s.takeToApply(ctx, by, plan, o, lease)
}

// takeToApply makes a plan one that is being carried out in the name of the actor.
func (s *Service) takeToApply(ctx context.Context, by identity.Actor, plan identity.Plan, o ApplyOptions, lease func(*store.Tx, *identity.Plan)) (identity.Plan, error) {
	err := s.db.Update(ctx, func(tx *store.Tx) (err error) {
		if plan, err = tx.PlanForUpdate(ctx, planPeople(plan), plan.ID); err != nil {
			return sharpen(err, noPlan)
		}
		if err := mayApply(plan, o, tx.Now()); err != nil {
			return err
		}
		if plan.State == identity.PlanHeld {
			if err := s.approve(ctx, tx, by, &plan, o.Override); err != nil {
				return err
			}
		}
		plan.State, plan.Applier, plan.Stopping, plan.Summary.Failure = identity.PlanApplying, &by, false, ""
		lease(tx, &plan)
		if err := rememberMapping(ctx, tx, plan); err != nil {
			return err
		}
		return tx.UpdatePlan(ctx, plan)
	})
	return plan, err
}

func mayApply(plan identity.Plan, o ApplyOptions, now time.Time) error {
	refuse := func(format string, args ...any) *identity.Error {
		return identity.Errorf(identity.Precondition, format, args...).WithCode("plan_state")
	}
	switch plan.State {
	case identity.PlanComputing:
		return refuse("The file is still being read, or reading it was broken off. Read it again.")
	case identity.PlanUndone:
		return refuse("The plan was undone. Make a new one.")
	case identity.PlanDone:
		return refuse("The plan was carried out already; nothing is left to do.")
	case identity.PlanRejected:
		return refuse("The plan was rejected by %s. Make a new one.", plan.DecidedBy)
	case identity.PlanFailed:
		return refuse("The rows of the plan could not be read. Make a new one.")
	case identity.PlanApplying:
		if plan.LeaseUntil != nil && now.Before(*plan.LeaseUntil) {
			return refuse("The plan is being carried out. Wait until it is done, or stop it.").WithCode("plan_busy")
		}
	case identity.PlanHeld:
		if strings.TrimSpace(o.Override) == "" {
			return refuse("The plan is held. %s Say why it is right all the same to carry it out.", strings.Join(plan.Summary.Holds, " ")).WithField("override").WithCode("plan_held")
		}
	}
	return nil
}

// errStopped says that somebody stopped a plan.
var errStopped = identity.Errorf(identity.Precondition, "The plan was stopped. What was done stays done; carry it out again to go on.").WithCode("plan_stopped")

// applying is a plan that is being carried out.
type applying struct {
	*planner
	*tally
	temporary MakePassword
	made      map[int]importRow // rows of the next steps with passwords that were made up, by line
}

func (s *Service) applying(by identity.Actor, plan identity.Plan, temporary MakePassword, progress func(PlanProgress)) *applying {
	return &applying{planner: s.planner(by, planPeople(plan), plan), tally: &tally{progress: progress}, temporary: temporary}
}

// lock takes the plan, if it may still be carried out by whoever has the lease, so that two who carry out one plan take turns, and no step is done twice.
func (a *applying) lock(ctx context.Context, tx *store.Tx) (identity.Plan, error) {
	plan, err := tx.PlanForUpdate(ctx, a.scopeOfPlan(), a.plan.ID)
	switch {
	case err != nil:
		return plan, err
	case plan.LeaseBy != a.plan.LeaseBy || plan.State != identity.PlanApplying:
		return plan, errTaken
	case plan.Stopping:
		return plan, errStopped
	}
	return plan, nil
}

// chunk carries out the steps of a page that are left behind a line, in one transaction, and returns the line up to which there is none left. The plan is locked first; for
// steps that go beside others only at the end, which undoes all of it when the plan is somebody else's by then.
func (a *applying) chunk(ctx context.Context, after int, page stepPage) (int, error) {
	var last int
	var did PlanProgress
	end, beside := page.last(after), page.beside
	err := a.s.db.Update(ctx, func(tx *store.Tx) (err error) {
		last, did = end, PlanProgress{}
		var plan identity.Plan
		if !beside {
			if plan, err = a.lock(ctx, tx); err != nil {
				return err
			}
			if page, err = a.sure(ctx, tx, page, after, end); err != nil || len(page.steps) == 0 {
				return err
			}
		}
		steps, upTo, err := a.steps(ctx, tx, slices.Clone(page.steps), slices.Clone(page.data), slices.Clone(page.rows))
		if err != nil {
			return err
		}
		last = upTo
		for _, step := range steps {
			did.add(step)
		}
		if err := a.markUndone(ctx, tx, steps); err != nil {
			return err
		}
		if err := putSteps(ctx, tx, steps); err != nil {
			return err
		}
		if beside {
			if plan, err = a.lock(ctx, tx); err != nil {
				return err
			}
		}
		plan.LeaseUntil = leaseEnd(tx)
		plan.Summary.Done, plan.Summary.Failed = plan.Summary.Done+did.Done, plan.Summary.Failed+did.Failed
		return tx.UpdatePlan(ctx, plan)
	})
	if err == nil {
		a.count(did)
	}
	return last, err
}

// most is how many steps a transaction has; fewer when a password is made up for each.
func (a *applying) most() int {
	if a.plan.Options.Welcome == identity.WelcomePassword {
		return applySingle
	}
	return applyChunk
}

func (a *applying) scopeOfPlan() store.Scope { return planPeople(a.plan) }

func (p *PlanProgress) add(step identity.PlanStep) {
	switch step.State {
	case identity.StepDone:
		p.Done++
	case identity.StepFailed:
		p.Failed++
	case identity.StepChanged:
		p.Changed++
	}
}

// steps carries out steps, as many as one transaction should have. It returns those that it did, described anew, and the line up to which there is none left.
func (a *applying) steps(ctx context.Context, tx *store.Tx, steps []identity.PlanStep, data []stepData, rows []importRow) (did []identity.PlanStep, last int, err error) {
	for i := range steps {
		if made, ok := a.made[steps[i].Line]; ok {
			rows[i] = made
		}
	}
	if err := a.together(ctx, tx, steps, data, rows); err != nil {
		return nil, 0, err
	}
	return a.singly(ctx, tx, steps, data, rows)
}

// singly carries out those of some steps that are not done, each by itself. See steps for what it returns.
func (a *applying) singly(ctx context.Context, tx *store.Tx, steps []identity.PlanStep, data []stepData, rows []importRow) (did []identity.PlanStep, last int, err error) {
	var fresh []importRow
	for i, step := range steps {
		if step.UserID == "" && step.State != identity.StepDone {
			fresh = append(fresh, rows[i])
		}
	}
	var known found
	if len(fresh) > 0 {
		if known, err = a.match.look(ctx, tx, fresh); err != nil {
			return nil, 0, err
		}
	}
	single := 0
	for i := range steps {
		if steps[i].State != identity.StepDone {
			if single++; single > applySingle {
				continue
			}
			data[i] = data[i].whole(steps[i])
			if err := a.step(ctx, tx, &steps[i], data[i], rows[i], known); err != nil {
				return nil, 0, err
			}
		}
		did = append(did, steps[i])
		if single <= applySingle {
			last = steps[i].Line
		}
	}
	return did, last, nil
}

// errChanged undoes a step whose person is not as the plan saw them.
var errChanged = identity.Errorf(identity.Precondition, "changed meanwhile").WithCode("plan_changed")

// step carries out one step: what the plan says, or nothing.
func (a *applying) step(ctx context.Context, tx *store.Tx, step *identity.PlanStep, d stepData, r importRow, known found) error {
	id := step.UserID
	var out effect
	refused, err := tx.Try(ctx, func() (err error) {
		if id == "" {
			if id, err = a.match.match(r, known); err != nil {
				return err
			}
		}
		if out, err = a.carryOut(ctx, tx, r, id); err != nil {
			return err
		}
		if id != step.UserID || out.seen != step.Version || !sameChanges(out.changes, d.Changes) {
			return errChanged
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case refused == nil:
		return a.done(step, d, out)
	}
	if r.made != "" {
		r.hash, r.made = "", "" // nobody was told
	}
	if d.Undo != nil {
		return keepStep(step, d, refused)
	}
	if refused.Code == errChanged.Code {
		return a.again(step, r, id, out)
	}
	step.State, step.Detail = identity.StepFailed, refused.Message
	d.Field, d.Code, d.Hash = refused.Field, refused.Code, ""
	return writeStep(step, d)
}

// done notes what a step did, so that it can be undone. A password's hash has done its duty.
func (a *applying) done(step *identity.PlanStep, d stepData, out effect) error {
	markDone(step, out)
	d.Hash, d.Left, d.Was = "", out.after, out.was
	return writeStep(step, d)
}

func markDone(step *identity.PlanStep, out effect) {
	if step.State == identity.StepChanged {
		step.Detail = "" // why it waited
	}
	step.State, step.UserID, step.Version, step.MailID = identity.StepDone, out.user.ID, out.user.Version, out.mail
}

// again puts what the step would do now in the place of what it would have done.
func (a *applying) again(step *identity.PlanStep, r importRow, id identity.UserID, out effect) error {
	step.Action, step.State, step.Detail, step.UserID = identity.StepUpdate, identity.StepChanged, "", id
	if id == "" {
		step.Action = identity.StepCreate
	}
	if err := a.describe(step, r, out); err != nil {
		return err
	}
	if step.Action != identity.StepSkip {
		step.Detail = "changed by somebody else meanwhile; computed again, and not carried out"
	}
	return nil
}

// finish says how far the plan is.
func (a *applying) finish(ctx context.Context, whole bool) error {
	return a.s.db.Update(ctx, func(tx *store.Tx) error {
		plan, err := tx.PlanForUpdate(ctx, a.scopeOfPlan(), a.plan.ID)
		if err != nil {
			return err
		}
		if plan.LeaseBy != a.plan.LeaseBy {
			return nil // it is another's now
		}
		left, err := tx.PlanSteps(ctx, plan.ID, StepQuery{States: todo, Limit: 1})
		if err != nil {
			return err
		}
		at := tx.Now()
		plan.AppliedAt = &at
		plan.Summary.Changed = a.now().Changed
		plan.State, plan.Stopping, plan.LeaseUntil, plan.LeaseBy = identity.PlanReady, false, nil, ""
		if whole && len(left.Items) == 0 {
			plan.State = identity.PlanDone
		}
		a.plan = plan
		if err := a.endUndo(ctx, tx, plan); err != nil {
			return err
		}
		e := planEvent(a.by, identity.PlanApplied, plan)
		e.Reason = plan.Summary.Override
		if err := tx.InsertEvent(ctx, e); err != nil {
			return err
		}
		return tx.UpdatePlan(ctx, plan)
	})
}
