package provisioning

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// driftHold is why a plan made of drift is held, whatever the guards say.
const driftHold = "It repeats what the source said last, over what somebody changed since. Approve it where the source is right."

// DriftQuery says of which source the drift is wanted.
type DriftQuery struct {
	Tenant identity.TenantID // the source's; a user's own tenant anyway
	Source string
	Keep   bool // keep the plan that would put it right; it is held until somebody approves it
}

// SourceDrift holds what a source of files or an HR system said last about its people against what is there now, as a plan of what would change if it said it again. Nobody is
// changed. The plan is thrown away, unless it is to be kept: then it is held, and may be approved and applied as any other. Errors are those of PlanImport; NotFound when the source
// said nothing about anybody.
func (s *Service) SourceDrift(ctx context.Context, by identity.Actor, q DriftQuery) (DriftReport, error) {
	out := DriftReport{Source: q.Source}
	o := ImportOptions{Tenant: q.Tenant, Source: q.Source, Off: []string{"missing"}}
	o.Welcome = identity.WelcomeNone
	plan, scope, err := s.newPlan(ctx, by, Upload{Name: "drift of " + q.Source}, o)
	if err != nil {
		return out, err
	}
	plan.Kind = identity.PlanDrift
	rows := &saidRows{s: s, plan: plan}
	if plan, err = s.makePlan(ctx, by, scope, plan, func() (importRow, error) { return rows.next(ctx) }, o); err != nil {
		return out, err
	}
	if out.Checked = rows.line; out.Checked > 0 {
		err = s.driftOfPlan(ctx, plan, &out)
	}
	if q.Keep && err == nil && len(out.Items) > 0 {
		out.Plan = plan
		return out, nil
	}
	if err = errors.Join(err, s.DropPlan(ctx, by, plan.ID)); err == nil && out.Checked == 0 {
		err = identity.Errorf(identity.NotFound, "No source called %q said anything about anybody here.", q.Source).WithField("source")
	}
	return out, err
}

// saidRows are what a source said last, as the rows of a file.
type saidRows struct {
	s    *Service
	plan identity.Plan

	after identity.UserID
	page  []store.SourceUser
	line  int
}

// next returns the next row; io.EOF ends them.
func (r *saidRows) next(ctx context.Context) (importRow, error) {
	for len(r.page) == 0 {
		err := r.s.db.View(ctx, func(tx *store.Tx) (err error) {
			r.page, err = tx.KnownToSource(ctx, r.plan.TenantID, r.plan.Source, r.after, driftPage)
			return err
		})
		if err != nil {
			return importRow{}, err
		}
		if len(r.page) == 0 {
			return importRow{}, io.EOF
		}
		r.after = r.page[len(r.page)-1].UserID
		r.page = slices.DeleteFunc(r.page, func(u store.SourceUser) bool { return len(u.Said) == 0 })
	}
	said := r.page[0]
	r.page = r.page[1:]
	r.line++
	row := importRow{line: r.line, fields: personFields{}}
	for field, value := range said.Said {
		row.set(field, value)
	}
	return row, nil
}

// driftOfPlan adds what the steps of a plan would change.
func (s *Service) driftOfPlan(ctx context.Context, plan identity.Plan, out *DriftReport) error {
	after := 0
	for more := true; more; {
		err := s.db.View(ctx, func(tx *store.Tx) error {
			page, err := tx.PlanSteps(ctx, plan.ID, StepQuery{After: after, Limit: driftPage})
			if more = page.More; err != nil || len(page.Items) == 0 {
				return err
			}
			after = page.Items[len(page.Items)-1].Line
			return driftOfSteps(ctx, tx, page.Items, out)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func driftOfSteps(ctx context.Context, tx *store.Tx, steps []identity.PlanStep, out *DriftReport) error {
	var ids []identity.UserID
	for _, step := range steps {
		if step.UserID != "" {
			ids = append(ids, step.UserID)
		}
	}
	last := map[identity.UserID]map[string]identity.Event{}
	if len(ids) > 0 {
		kinds := append([]identity.EventType{identity.RoleAssigned, identity.RoleRemoved, identity.UserPositioned}, personal...)
		err := tx.EachEventOf(ctx, ids, nil, kinds, func(e identity.Event) error {
			if last[e.UserID] == nil {
				last[e.UserID] = map[string]identity.Event{}
			}
			for _, c := range e.Changes {
				last[e.UserID][c.Field] = e
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, step := range steps {
		view, err := viewStep(step)
		if err != nil {
			return err
		}
		driftOfStep(view, last[step.UserID], out)
	}
	return nil
}

// driftOfStep adds what one step would change, with whoever changed it before.
func driftOfStep(step PlanStepView, last map[string]identity.Event, out *DriftReport) {
	item := DriftItem{UserID: step.UserID, Who: step.Who}
	switch step.Action {
	case identity.StepSkip:
		return
	case identity.StepError, identity.StepConflict:
		item.Field, item.Said = string(step.Action), step.Detail
		out.add(item)
		return
	case identity.StepCreate:
		item.Field, item.Said, item.Now = "person", "there", "not there"
		out.add(item)
		return
	}
	for _, c := range step.Changes {
		item.Field, item.Said, item.Now = c.Field, changeValue(plain(c.After)), changeValue(plain(c.Before))
		e := last[c.Field]
		item.ChangedBy, item.At, item.Event = e.ActorLabel, e.At, e.ID
		out.add(item)
	}
}
