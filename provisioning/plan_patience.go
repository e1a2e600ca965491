package provisioning

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// makeNow makes a plan: it calls made once the plan is there, and read now and then with how many rows were read.
type makeNow func(ctx context.Context, made func(identity.Plan), read func(rows int)) (identity.Plan, error)

// patiently makes a plan for somebody who waits as long as patience only: then the plan is returned as one that is being computed, which goes on in this program. What ends it afterwards is
// kept with the plan as its failure.
func (s *Service) patiently(ctx context.Context, patience time.Duration, work makeNow) (identity.Plan, error) {
	w := &lonePlan{s: s, made: make(chan identity.Plan, 1), done: make(chan planResult, 1)}
	ctx = context.WithoutCancel(ctx)
	go func() { w.end(ctx, work) }()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case r := <-w.done:
		return r.plan, r.err
	case <-timer.C:
	}
	select {
	case r := <-w.done:
		return r.plan, r.err
	case plan := <-w.made:
		if w.left.CompareAndSwap(false, true) {
			return plan, nil
		}
		r := <-w.done
		return r.plan, r.err
	}
}

// after calls what the caller wants to hear too, where there is that.
func after[T any](first, then func(T)) func(T) {
	return func(value T) {
		if first(value); then != nil {
			then(value)
		}
	}
}

// lonePlan is a plan in the making, for which somebody waits, or not any more.
type lonePlan struct {
	s    *Service
	plan identity.Plan
	made chan identity.Plan
	done chan planResult
	left atomic.Bool // nobody waits: the end is to be kept
	told time.Time   // when it was last written how many rows were read
}

type planResult struct {
	plan identity.Plan
	err  error
}

func (w *lonePlan) begun(plan identity.Plan) {
	w.plan = plan
	w.made <- plan
}

// read writes how many rows were read, now and then, for whoever looks.
func (w *lonePlan) read(rows int) {
	const every = 2 * time.Second
	if now := time.Now(); w.left.Load() && now.Sub(w.told) >= every {
		w.told = now
		w.write(func(plan *identity.Plan) { plan.Summary.Rows = rows })
	}
}

// write changes the plan while it is computed; that it cannot is no reason to stop.
func (w *lonePlan) write(change func(*identity.Plan)) {
	ctx := context.Background()
	_ = w.s.db.Update(ctx, func(tx *store.Tx) error {
		plan, err := tx.PlanForUpdate(ctx, planPeople(w.plan), w.plan.ID)
		if err != nil || plan.State != identity.PlanComputing {
			return err
		}
		change(&plan)
		return tx.UpdatePlan(ctx, plan)
	})
}

// end makes the plan, and keeps why it could not be made where nobody waits for that.
func (w *lonePlan) end(ctx context.Context, work makeNow) {
	plan, err := work(ctx, w.begun, w.read)
	if err != nil && !w.left.CompareAndSwap(false, true) {
		failed := w.plan
		failed.State, failed.LeaseUntil, failed.LeaseBy = identity.PlanFailed, nil, ""
		failed.Summary.Failure = "The rows could not be read. Try it again."
		if refused := refusalOf(err); refused != nil {
			failed.Summary.Failure = refused.Message
		}
		_ = w.s.db.Update(ctx, func(tx *store.Tx) error { return tx.InsertPlan(ctx, failed) }) // without it the plan is not there any more, which says as much
	}
	w.done <- planResult{plan, err}
}
