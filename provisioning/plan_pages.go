package provisioning

import (
	"context"
	"sync"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// stepPage are some steps that are to be carried out, as they were read.
type stepPage struct {
	steps []identity.PlanStep
	data  []stepData
	rows  []importRow
	err   error

	beside bool // may be carried out beside another one
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
		page.beside = a.beside(page)
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
		if p.data[i], err = decodeStep(step); err != nil {
			return p, err
		}
		p.rows[i] = p.data[i].row(step.Line)
		p.rows[i].recalled, p.rows[i].undo = p.data[i].Recalled, p.data[i].Undo
		p.rows[i].addressKey()
	}
	return p, nil
}

// sure returns the page as the transaction may rely on it, up to a line: whoever has the lease is alone with the steps about new people, but those about others may have
// been emptied since they were read, because somebody was erased.
func (a *applying) sure(ctx context.Context, tx *store.Tx, page stepPage, after, end int) (stepPage, error) {
	for _, step := range page.steps {
		if step.UserID != "" {
			page, err := readSteps(ctx, tx, a.plan.ID, after, a.most())
			return page.upTo(end), err
		}
	}
	return page, nil
}

// upTo leaves out the steps behind a line.
func (p stepPage) upTo(end int) stepPage {
	n := len(p.steps)
	for n > 0 && p.steps[n-1].Line > end {
		n--
	}
	p.steps, p.data, p.rows = p.steps[:n], p.data[:n], p.rows[:n]
	return p
}

// tally is how far a plan was carried out by this run.
type tally struct {
	mu       sync.Mutex
	sum      PlanProgress
	progress func(PlanProgress)
}

// count adds what was done, and tells whoever wants to know.
func (t *tally) count(did PlanProgress) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sum.Total += did.Total
	t.sum.Done, t.sum.Failed, t.sum.Changed = t.sum.Done+did.Done, t.sum.Failed+did.Failed, t.sum.Changed+did.Changed
	if t.progress != nil && did.Total == 0 {
		t.progress(t.sum)
	}
}

func (t *tally) now() PlanProgress {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sum
}

// hands is how many pages may be carried out at once: while one waits for the database, and another for the disk, the next is put together.
const hands = 3

// run carries out what is left of a plan, page by page.
func (a *applying) run(ctx context.Context) error {
	a.count(PlanProgress{Total: a.plan.Summary.Create + a.plan.Summary.Update + a.plan.Summary.Skip})
	idle := make(chan *applying, hands)
	for range hands {
		hand := *a
		hand.planner = a.s.planner(a.by, a.scope, a.plan)
		idle <- &hand
	}
	var failed firstError
	err := a.pages(ctx, func(after int, page stepPage) error {
		hand := <-idle
		if !page.beside {
			other := <-idle // what may touch somebody who is there waits for what was begun before
			err := failed.get()
			if err == nil {
				err = hand.carry(ctx, after, page)
			}
			idle <- other
			idle <- hand
			return err
		}
		go func() {
			failed.set(hand.carry(ctx, after, page))
			idle <- hand
		}()
		return failed.get()
	})
	for range hands {
		<-idle
	}
	if err == nil {
		err = failed.get()
	}
	if err == nil {
		err = a.s.db.Update(ctx, func(tx *store.Tx) error {
			_, err := a.lock(ctx, tx) // is it still ours?
			return err
		})
	}
	if err == nil {
		err = a.leadOpen(ctx)
	}
	return err
}

// pages hands over one page after the other, and reads the next one meanwhile.
func (a *applying) pages(ctx context.Context, do func(after int, page stepPage) error) error {
	after := 0
	for ahead := a.readAhead(ctx, after); ; {
		page := <-ahead
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case page.err != nil:
			return page.err
		case len(page.steps) == 0:
			return nil
		}
		ahead = a.readAhead(ctx, page.last(after))
		if err := do(after, page); err != nil {
			<-ahead
			return err
		}
		after = page.last(after)
	}
}

// carry carries out a page, in as many transactions as it needs.
func (a *applying) carry(ctx context.Context, after int, page stepPage) error {
	end := page.last(after)
	for {
		if err := a.makePasswords(ctx, after); err != nil {
			return err
		}
		last, err := a.chunk(ctx, after, page)
		if err != nil || last >= end {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		after, page = last, (<-a.readAhead(ctx, last)).upTo(end)
		if page.err != nil || len(page.steps) == 0 {
			return page.err
		}
	}
}

// beside reports whether a page may be carried out beside another one: all its steps create plain people. SQLite has one writer and gains nothing by it.
func (a *applying) beside(page stepPage) bool {
	if !a.s.db.Parallel() || len(page.steps) == 0 || page.err != nil {
		return false
	}
	for i, step := range page.steps {
		if step.UserID != "" || step.Action != identity.StepCreate || !a.plain(page.rows[i]) {
			return false
		}
	}
	return true
}

// firstError keeps the first error of several who work.
type firstError struct {
	mu  sync.Mutex
	err error
}

func (f *firstError) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

func (f *firstError) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}
