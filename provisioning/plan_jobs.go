package provisioning

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// oldReading is how long a plan without a lease may be in the making: those of a release that had no leases.
const oldReading = 24 * time.Hour

// MakePasswords hands in what makes up passwords for plans that mail them: authn is on the same floor. It is called before the service is used.
func (s *Service) MakePasswords(temporary MakePassword) { s.temporary = temporary }

func (s *Service) temporaryOr(given MakePassword) MakePassword {
	if given != nil {
		return given
	}
	return s.temporary
}

// PlansWaiting wakes up whoever calls RunPlans when there is work in this process. What another process leaves is found by looking now and then.
func (s *Service) PlansWaiting() <-chan struct{} { return s.waiting }

// wakeWorker says that there is work. That it was said before and nobody came yet is as good.
func (s *Service) wakeWorker() {
	select {
	case s.waiting <- struct{}{}:
	default:
	}
}

// StartPlan has a plan carried out by the next who calls RunPlans, in the actor's name, and returns at once. It refuses what ApplyPlan refuses; Progress and Temporary
// of the options are not used.
func (s *Service) StartPlan(ctx context.Context, by identity.Actor, id identity.PlanID, o ApplyOptions) (identity.Plan, error) {
	plan, err := s.beginPlan(ctx, by, id, o, noLease)
	if err == nil {
		s.wakeWorker()
	}
	return plan, err
}

// RunPlans carries out what waits or was broken off, one plan after the other, and returns how many it took. Any number of programs may do this at once: each plan
// is one's alone. It returns when nothing is left, or ctx ends; what it has in hand then goes on at once when somebody calls it again. What it could not read is kept as failed.
func (s *Service) RunPlans(ctx context.Context) (int, error) {
	err := s.failLostPlans(ctx)
	var taken int
	for ctx.Err() == nil {
		plan, there, more := s.takePlan(ctx)
		if !there || more != nil {
			return taken, errors.Join(err, more)
		}
		taken++
		err = errors.Join(err, s.runPlan(ctx, plan))
	}
	return taken, err
}

// failLostPlans notes that the reading of plans was broken off.
func (s *Service) failLostPlans(ctx context.Context) error {
	const most = 100
	var lost []identity.Plan
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		lost, err = tx.LostPlans(ctx, tx.Now().Add(-oldReading), most)
		return err
	})
	if err != nil || len(lost) == 0 {
		return err
	}
	return s.db.Update(ctx, func(tx *store.Tx) error {
		again, err := tx.LostPlans(ctx, tx.Now().Add(-oldReading), most)
		for _, plan := range again {
			if err != nil {
				return err
			}
			plan.State, plan.LeaseUntil, plan.LeaseBy = identity.PlanFailed, nil, ""
			plan.Summary.Failure = "The program ended while the rows were being read. Read them again."
			err = tx.UpdatePlan(ctx, plan)
		}
		return err
	})
}

// takePlan takes the lease of the oldest plan that waits.
func (s *Service) takePlan(ctx context.Context) (identity.Plan, bool, error) {
	var list []identity.Plan
	read := func(tx *store.Tx) (err error) {
		list, err = tx.PlansToWork(ctx, 1)
		return err
	}
	if err := s.db.View(ctx, read); err != nil || len(list) == 0 { // most looks find nothing and write nothing
		return identity.Plan{}, false, err
	}
	var plan identity.Plan
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		err := read(tx)
		if err != nil || len(list) == 0 {
			return err
		}
		if plan, err = tx.PlanForUpdate(ctx, planPeople(list[0]), list[0].ID); err != nil {
			return err
		}
		if plan.State != identity.PlanApplying || plan.LeaseUntil != nil && tx.Now().Before(*plan.LeaseUntil) {
			list = nil // another program was quicker; the rest of what waits is found the next time
			return nil
		}
		takeLease(tx, &plan)
		return tx.UpdatePlan(ctx, plan)
	})
	return plan, len(list) > 0, err
}

// runPlan carries a plan on whose lease was taken. Where its applier may not, it goes back with the reason. What fails for no fault of the plan keeps the lease until it
// runs out, and is tried again.
func (s *Service) runPlan(ctx context.Context, plan identity.Plan) error {
	by, err := s.applier(ctx, plan)
	if refused := refusalOf(err); refused != nil {
		return s.giveBack(ctx, plan, refused)
	}
	if err != nil {
		return err
	}
	a := s.applying(by, plan, s.temporary, nil)
	err = s.keepLease(ctx, plan, a.run)
	switch {
	case err == nil:
		return a.finish(ctx, true)
	case identity.CodeOf(err) == errTaken.Code:
		return nil
	case ctx.Err() != nil:
		return s.putDown(context.WithoutCancel(ctx), a.plan)
	case identity.CodeOf(err) == errStopped.Code:
		return a.finish(ctx, false)
	case refusalOf(err) != nil:
		return s.giveBack(ctx, a.plan, refusalOf(err))
	}
	return err
}

// giveBack makes a plan one that may be carried out by somebody else, and says why it was not carried on.
func (s *Service) giveBack(ctx context.Context, plan identity.Plan, why *identity.Error) error {
	return s.changeHeldPlan(ctx, plan, func(tx *store.Tx, plan *identity.Plan) error {
		plan.State, plan.Stopping, plan.LeaseUntil, plan.LeaseBy = identity.PlanReady, false, nil, ""
		plan.Summary.Failure = why.Message
		e := planEvent(identity.System(), identity.PlanApplied, *plan)
		e.Reason = why.Message
		return tx.InsertEvent(ctx, e)
	})
}

// putDown lets the next who looks carry the plan on.
func (s *Service) putDown(ctx context.Context, plan identity.Plan) error {
	return s.changeHeldPlan(ctx, plan, func(_ *store.Tx, plan *identity.Plan) error {
		plan.LeaseUntil, plan.LeaseBy = nil, ""
		return nil
	})
}

// changeHeldPlan changes a plan as long as its lease is the caller's.
func (s *Service) changeHeldPlan(ctx context.Context, plan identity.Plan, change func(*store.Tx, *identity.Plan) error) error {
	return s.db.Update(ctx, func(tx *store.Tx) error {
		now, err := tx.PlanForUpdate(ctx, planPeople(plan), plan.ID)
		if err != nil || now.LeaseBy != plan.LeaseBy {
			return err
		}
		if err := change(tx, &now); err != nil {
			return err
		}
		return tx.UpdatePlan(ctx, now)
	})
}

// applier returns in whose name a plan is carried out, with the rights of now; an error that is no Internal one when they may not any more.
func (s *Service) applier(ctx context.Context, plan identity.Plan) (identity.Actor, error) {
	if plan.Applier == nil {
		return identity.Actor{}, identity.Errorf(identity.Forbidden, "Nobody knows any more who wanted the plan carried out. Carry it out again.")
	}
	by := *plan.Applier
	var err error
	switch by.Kind {
	case identity.ActorUser:
		by, err = s.applierNow(ctx, by)
	case identity.ActorDirectory:
		by, err = s.directoryNow(ctx, by.DirectoryID())
	}
	if err != nil {
		return by, err
	}
	if by.TenantID != "" && by.TenantID != plan.TenantID {
		return by, identity.Errorf(identity.Forbidden, "%s, who wanted the plan carried out, belongs to another tenant now. Somebody else has to carry it out.", by.Label)
	}
	_, err = s.scopeFor(by, usersWrite)
	return by, err
}

// applierNow returns somebody as they are now.
func (s *Service) applierNow(ctx context.Context, by identity.Actor) (identity.Actor, error) {
	gone := identity.Errorf(identity.Forbidden, "%s, who wanted the plan carried out, may not come in any more. Somebody else has to carry it out.", by.Label)
	err := s.db.View(ctx, func(tx *store.Tx) error {
		u, err := tx.User(ctx, store.Everything(), by.UserID())
		if err != nil {
			return sharpen(err, func() *identity.Error { return gone })
		}
		if !u.Enabled || u.LockedAt != nil {
			return gone
		}
		assigned, err := tx.Assignments(ctx, u.ID)
		if err != nil {
			return err
		}
		by.TenantID, by.Label, by.Roles = u.TenantID, u.Label(), nil
		for _, a := range assigned {
			if a.Application == identity.DefaultApplication && !slices.Contains(by.Roles, a.RoleID) {
				by.Roles = append(by.Roles, a.RoleID)
			}
		}
		if _, flags := s.model.AdminFlag(); flags {
			by.Admin, err = tx.Administrator(ctx, u.ID)
		}
		return err
	})
	return by, err
}

// directoryNow returns the actor that a directory is now.
func (s *Service) directoryNow(ctx context.Context, id identity.DirectoryID) (identity.Actor, error) {
	var d identity.Directory
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		d, err = tx.Directory(ctx, store.Everything(), id)
		return err
	})
	if err != nil {
		return identity.Actor{}, sharpen(err, noDirectory)
	}
	return actorOf(d)
}

// actorOf returns the actor that a directory is; Forbidden when it is switched off.
func actorOf(d identity.Directory) (identity.Actor, error) {
	by := identity.Actor{Kind: identity.ActorDirectory, ID: string(d.ID), Label: d.Name, TenantID: d.TenantID, Door: "scim"}
	if !d.Enabled {
		return by, identity.Errorf(identity.Forbidden, "The directory %s is switched off. Switch it on, and carry the plan out again.", d.Name)
	}
	return by, nil
}
