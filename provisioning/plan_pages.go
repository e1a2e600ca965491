package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// stepPage are some steps that are to be carried out, as they were read.
type stepPage struct {
	steps []identity.PlanStep
	data  []stepData
	rows  []importRow
	err   error
}

// last returns the line of the last step, or the one behind which there is none.
func (p stepPage) last(after int) int {
	if len(p.steps) == 0 {
		return after
	}
	return p.steps[len(p.steps)-1].Line
}

// readAhead reads the steps behind a line while those before it are being carried out.
func (a *applying) readAhead(ctx context.Context, after int) <-chan stepPage {
	out := make(chan stepPage, 1)
	id, most := a.plan.ID, a.most()
	go func() {
		var page stepPage
		page.err = a.s.db.View(ctx, func(tx *store.Tx) (err error) {
			page, err = readSteps(ctx, tx, id, after, most)
			return err
		})
		out <- page
	}()
	return out
}

// readSteps reads the steps behind a line that are to be carried out.
func readSteps(ctx context.Context, tx *store.Tx, id identity.PlanID, after, most int) (stepPage, error) {
	var p stepPage
	list, err := tx.PlanSteps(ctx, id, StepQuery{States: todo, After: after, Limit: most})
	if err != nil {
		return p, err
	}
	p.steps, p.data, p.rows = list.Items, make([]stepData, len(list.Items)), make([]importRow, len(list.Items))
	for i, step := range p.steps {
		if p.data[i], err = unpackStep(step); err != nil {
			return p, err
		}
		p.rows[i] = p.data[i].row(step.Line)
		p.rows[i].recalled, p.rows[i].undo = p.data[i].Recalled, p.data[i].Undo
		p.rows[i].addressKey()
	}
	return p, nil
}

// sure returns the page as the transaction may rely on it: whoever has the lease is alone with the steps about new people, but those about others may have been emptied
// since they were read, because somebody was erased.
func (a *applying) sure(ctx context.Context, tx *store.Tx, page stepPage, after int) (stepPage, error) {
	for _, step := range page.steps {
		if step.UserID != "" {
			return readSteps(ctx, tx, a.plan.ID, after, a.most())
		}
	}
	return page, nil
}
