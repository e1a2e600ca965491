package provisioning

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// errTaken says that a lease ran out, as when the machine slept, and somebody else has the plan.
var errTaken = identity.Errorf(identity.Precondition, "Somebody else works on the plan now; what was done stays done. Look at it again.").WithCode("plan_taken")

// takeLease makes the plan the caller's alone.
func takeLease(tx *store.Tx, plan *identity.Plan) {
	plan.LeaseUntil, plan.LeaseBy = leaseEnd(tx), identity.NewID[string]()
}

// noLease leaves the plan to the next who looks for work.
func noLease(_ *store.Tx, plan *identity.Plan) { plan.LeaseUntil, plan.LeaseBy = nil, "" }

// leaseEnd is until when whoever takes or renews a lease now has it.
func leaseEnd(tx *store.Tx) *time.Time {
	until := tx.Now().Add(identity.PlanLease)
	return &until
}

// hasLease refuses to go on with a plan that somebody else has, and keeps it from others until the transaction ends.
func hasLease(ctx context.Context, tx *store.Tx, plan identity.Plan) error {
	now, err := tx.PlanForUpdate(ctx, planPeople(plan), plan.ID)
	if err == nil && now.LeaseBy != plan.LeaseBy {
		return errTaken
	}
	return err
}

// keepLease renews the lease of a plan as long as work lasts, however long its parts take, and ends work when the lease is lost.
func (s *Service) keepLease(ctx context.Context, plan identity.Plan, work func(context.Context) error) error {
	return s.keep(ctx, work, func(ctx context.Context, tx *store.Tx) (bool, error) {
		return tx.RenewPlan(ctx, plan.ID, plan.LeaseBy, *leaseEnd(tx))
	})
}

// keep calls renew again and again as long as work lasts, and ends work when it says that the lease is lost.
func (s *Service) keep(ctx context.Context, work func(context.Context) error, renew func(context.Context, *store.Tx) (bool, error)) error {
	inner, stop := context.WithCancelCause(ctx)
	var beat sync.WaitGroup
	beat.Go(func() { s.renewLease(inner, renew, stop) })
	err := work(inner)
	lost := errors.Is(context.Cause(inner), errTaken)
	stop(nil)
	beat.Wait()
	if lost && err != nil {
		return errTaken
	}
	return err
}

func (s *Service) renewLease(ctx context.Context, renew func(context.Context, *store.Tx) (bool, error), stop context.CancelCauseFunc) {
	tick := time.NewTicker(identity.PlanLease / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		kept := true
		err := s.db.Update(ctx, func(tx *store.Tx) (err error) {
			kept, err = renew(ctx, tx)
			return err
		})
		if err == nil && !kept { // an error is another try
			stop(errTaken)
			return
		}
	}
}
