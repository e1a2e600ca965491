package provisioning

import (
	"context"
	"io"
	"strconv"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sheets"
	"github.com/drawbridge-id/drawbridge/store"
)

// FileFormat is the form of a table that is written: "csv", "xlsx" or "jsonl".
type FileFormat = sheets.Format

// PlanQuery says which plans are wanted; empty fields do not narrow.
type PlanQuery = store.PlanQuery

// FindPlans returns a page of the plans that the actor may see and the query names, newest first.
func (s *Service) FindPlans(ctx context.Context, by identity.Actor, q PlanQuery) (identity.Page[identity.Plan], error) {
	var page identity.Page[identity.Plan]
	scope, err := s.byHand(by)
	if err != nil {
		return page, err
	}
	q.After = identity.PlanID(cursor(string(q.After)))
	if !validIDs(&q.Parent) {
		return page, nil
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		page, err = tx.FindPlans(ctx, scope, q)
		return err
	})
	return page, err
}

// WritePlanErrors writes the rows of a plan that could not be used, or were refused, with the reason of each: to be mended in the file that they came from.
func (s *Service) WritePlanErrors(ctx context.Context, by identity.Actor, id identity.PlanID, f FileFormat, out io.Writer) error {
	if _, err := s.Plan(ctx, by, id); err != nil {
		return err
	}
	w, err := sheets.NewWriter(out, f, sheets.Columns("line", "who", "field", "what", "message"))
	if err != nil {
		return err
	}
	for _, q := range []StepQuery{{Actions: []identity.PlanAction{identity.StepError, identity.StepConflict}}, {States: []identity.StepState{identity.StepFailed}}} {
		q.Limit = planChunk
		for more := true; more; {
			page, err := s.PlanSteps(ctx, by, id, q)
			if err != nil {
				return err
			}
			for _, step := range page.Items {
				what := string(step.Action)
				if step.State == identity.StepFailed {
					what = string(step.State)
				}
				if err := w.Write([]string{strconv.Itoa(step.Line), step.Who, step.Field, what, step.Detail}); err != nil {
					return err
				}
				q.After = step.Line
			}
			more = page.More
		}
	}
	return w.Close()
}
