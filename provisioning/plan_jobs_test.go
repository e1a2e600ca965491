package provisioning_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

// jobLines is a file of n people.
func jobLines(n int) []string {
	lines := []string{"email,given name,family name"}
	for i := range n {
		lines = append(lines, fmt.Sprintf("job%04d@acme.test,Job,Number %d", i, i))
	}
	return lines
}

// jobLeft writes a plan as a program left it that was killed: being worked on until a time.
func (h *house) jobLeft(id identity.PlanID, state identity.PlanState, until time.Time) {
	h.t.Helper()
	err := h.db.Update(h.ctx, func(tx *store.Tx) error {
		plan, err := tx.PlanForUpdate(h.ctx, store.Everything(), id)
		if err != nil {
			return err
		}
		plan.State, plan.LeaseUntil, plan.LeaseBy = state, &until, "a program that is gone"
		return tx.UpdatePlan(h.ctx, plan)
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) jobPlan(id identity.PlanID) identity.Plan {
	h.t.Helper()
	return must[identity.Plan](h.t)(h.Plan(h.ctx, h.op, id))
}

func (h *house) runs(want int) {
	h.t.Helper()
	if n := must[int](h.t)(h.RunPlans(h.ctx)); n != want {
		h.t.Errorf("%d plans were taken, want %d", n, want)
	}
}

func TestAPlanIsStartedAndCarriedOutByAWorker(t *testing.T) {
	eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
		home := h.account()
		boss := h.boss("boss@acme.test", "administrator")
		h.boss("second@acme.test", "administrator")
		o := provisioning.ImportOptions{Tenant: home.ID}
		t.Run("FSM-50 starting returns at once, whoever looks for work carries it out in the name of who started it, and wakes up by itself", func(t *testing.T) {
			plan := must[identity.Plan](t)(h.PlanImport(h.ctx, boss, file(jobLines(3)...), o))
			started := must[identity.Plan](t)(h.StartPlan(h.ctx, boss, plan.ID, provisioning.ApplyOptions{}))
			if started.State != identity.PlanApplying || started.LeaseUntil != nil {
				t.Errorf("%s until %v", started.State, started.LeaseUntil)
			}
			select {
			case <-h.PlansWaiting():
			default:
				t.Error("nobody was woken")
			}
			h.runs(1)
			h.runs(0)
			if got := h.jobPlan(plan.ID); got.State != identity.PlanDone || got.Summary.Done != 3 || got.LeaseUntil != nil || got.LeaseBy != "" {
				t.Errorf("%s, %d done, until %v", got.State, got.Summary.Done, got.LeaseUntil)
			}
			if e := h.lastEvent(identity.UserCreated); e.ActorID != boss.ID {
				t.Errorf("created by %s", e.ActorLabel)
			}
		})
		t.Run("FSM-50 what another program works on is its own until its lease runs out", func(t *testing.T) {
			plan := h.plan(o, "email", "late@acme.test")
			h.StartPlan(h.ctx, boss, plan.ID, provisioning.ApplyOptions{})
			h.jobLeft(plan.ID, identity.PlanApplying, time.Now().Add(time.Minute))
			h.runs(0)
			_, err := h.ApplyPlan(h.ctx, boss, plan.ID, provisioning.ApplyOptions{})
			wantKind(t, err, identity.Precondition, "plan_busy")
			h.jobLeft(plan.ID, identity.PlanApplying, time.Now().Add(-time.Second))
			h.runs(1)
			if got := h.jobPlan(plan.ID); got.State != identity.PlanDone {
				t.Errorf("%s", got.State)
			}
		})
		t.Run("FSM-50 an administrator who was deactivated meanwhile does not go on: the plan goes back and says why", func(t *testing.T) {
			plan := must[identity.Plan](t)(h.PlanImport(h.ctx, boss, file("email", "never@acme.test"), o))
			must[identity.Plan](t)(h.StartPlan(h.ctx, boss, plan.ID, provisioning.ApplyOptions{}))
			must[identity.User](t)(h.UpdateUser(h.ctx, h.op, boss.UserID(), 0, func(u *identity.User) error { u.Enabled = false; return nil }))
			h.runs(1)
			got := h.jobPlan(plan.ID)
			if got.State != identity.PlanReady || got.Summary.Done != 0 || !strings.Contains(got.Summary.Failure, "may not come in any more") {
				t.Errorf("%s, %d done, %q", got.State, got.Summary.Done, got.Summary.Failure)
			}
			if h.apply(plan.ID); h.jobPlan(plan.ID).Summary.Failure != "" {
				t.Error("the reason of the last time is still there")
			}
		})
		t.Run("FSM-50 a program that is asked to end puts the plan down, and the next one goes on", func(t *testing.T) {
			plan := h.plan(o, jobLines(230)...)
			must[identity.Plan](t)(h.StartPlan(h.ctx, h.op, plan.ID, provisioning.ApplyOptions{}))
			ctx, end := context.WithCancel(h.ctx)
			end()
			if n, err := h.RunPlans(ctx); n != 0 {
				t.Errorf("%d plans were taken: %v", n, err)
			}
			h.runs(1)
			if got := h.jobPlan(plan.ID); got.State != identity.PlanDone {
				t.Errorf("%s", got.State)
			}
		})
		t.Run("FSM-50 a plan whose reading was broken off is failed, not in the making for ever", func(t *testing.T) {
			plan := h.plan(o, "email", "half@acme.test")
			h.jobLeft(plan.ID, identity.PlanComputing, time.Now().Add(time.Minute))
			h.runs(0)
			if got := h.jobPlan(plan.ID); got.State != identity.PlanComputing {
				t.Errorf("%s", got.State)
			}
			h.jobLeft(plan.ID, identity.PlanComputing, time.Now().Add(-time.Second))
			h.runs(0)
			if got := h.jobPlan(plan.ID); got.State != identity.PlanFailed || !strings.Contains(got.Summary.Failure, "Read them again") {
				t.Errorf("%s %q", got.State, got.Summary.Failure)
			}
			_, err := h.ApplyPlan(h.ctx, h.op, plan.ID, provisioning.ApplyOptions{})
			wantKind(t, err, identity.Precondition, "plan_state")
		})
	})
}

func TestSeveralProgramsShareThePlans(t *testing.T) {
	eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
		o := provisioning.ImportOptions{Tenant: h.account().ID}
		const plans, people = 4, 60
		lines := jobLines(plans * people)
		for i := range plans {
			part := append([]string{lines[0]}, lines[1+i*people:1+(i+1)*people]...)
			must[identity.Plan](t)(h.StartPlan(h.ctx, h.op, h.plan(o, part...).ID, provisioning.ApplyOptions{}))
		}
		var wg sync.WaitGroup
		for range 3 {
			replica := provisioning.New(h.db, h.Model())
			wg.Go(func() {
				for range plans {
					if _, err := replica.RunPlans(h.ctx); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		page := must[identity.Page[identity.Plan]](t)(h.Plans(h.ctx, h.op, identity.Query{Limit: 10}))
		for _, plan := range page.Items {
			if plan.State != identity.PlanDone || plan.Summary.Done != people || plan.Summary.Failed > 0 {
				t.Errorf("%s: %+v", plan.State, plan.Summary)
			}
		}
		made := must[identity.Page[identity.Event]](t)(h.Events(h.ctx, h.op, provisioning.EventQuery{Type: identity.UserCreated, Limit: 1000}))
		if len(made.Items) != plans*people {
			t.Errorf("%d people were created, want %d", len(made.Items), plans*people)
		}
	})
}

func TestALeaseThatIsLostEndsTheWork(t *testing.T) {
	eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
		plan := h.plan(provisioning.ImportOptions{Tenant: h.account().ID}, jobLines(300)...)
		var once sync.Once
		_, err := h.ApplyPlan(h.ctx, h.op, plan.ID, provisioning.ApplyOptions{Progress: func(provisioning.PlanProgress) {
			once.Do(func() { h.jobLeft(plan.ID, identity.PlanApplying, time.Now().Add(time.Minute)) })
		}})
		if got := h.jobPlan(plan.ID); got.LeaseBy != "a program that is gone" || got.State != identity.PlanApplying {
			t.Errorf("%s by %s, %d done", got.State, got.LeaseBy, got.Summary.Done)
		}
		wantKind(t, err, identity.Precondition, "plan_taken")
	})
}
