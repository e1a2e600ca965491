package provisioning

import (
	"context"
	"io"
	"strconv"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sheets"
)

// FileFormat is the form of a table that is written: "csv", "xlsx" or "jsonl".
type FileFormat = sheets.Format

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
