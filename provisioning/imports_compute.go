package provisioning

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/sheets"
	"github.com/drawbridge-id/drawbridge/store"
)

// rowSource hands over the rows of a plan one after the other, whatever they come from; io.EOF ends them.
type rowSource func() (importRow, error)

// rowsOf reads the rows of a table.
func rowsOf(table *sheets.Reader, shape *shaper) rowSource {
	return func() (importRow, error) {
		row, err := table.Next()
		if err != nil {
			return importRow{}, err
		}
		return shape.read(row), nil
	}
}

// importing is a plan in the making.
type importing struct {
	*planner
	rows    rowSource
	o       ImportOptions
	last    int // line
	written int // steps
	watch   planWatch
}

// makePlan writes a plan and computes its steps. A plan whose rows cannot be read is gone again.
func (s *Service) makePlan(ctx context.Context, by identity.Actor, scope store.Scope, plan identity.Plan, rows rowSource, o ImportOptions) (identity.Plan, error) {
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		takeLease(tx, &plan)
		return tx.InsertPlan(ctx, plan)
	})
	if err != nil {
		return plan, err
	}
	if o.Made != nil {
		o.Made(plan)
	}
	w := &importing{planner: s.planner(by, scope, plan), rows: rows, o: o}
	w.match.repeats = o.repeats
	if err := s.keepLease(ctx, plan, w.compute); err != nil {
		gone := s.db.Update(context.WithoutCancel(ctx), func(tx *store.Tx) error { return tx.DeletePlan(context.WithoutCancel(ctx), plan.ID) })
		return plan, errors.Join(err, gone)
	}
	return w.plan, nil
}

// compute reads all rows, a chunk at a time, then adds who is missing, and finishes the plan.
func (w *importing) compute(ctx context.Context) error {
	var coming []<-chan around
	err := w.parts(ctx, &coming)
	for _, part := range coming {
		<-part // what was begun ends before the rows are closed
	}
	if err == nil && w.plan.Options.Missing {
		err = w.missing(ctx)
	}
	if err != nil {
		return err
	}
	return w.finish(ctx)
}

// readsAhead is of how many chunks the people are read while the one before them is being computed.
const readsAhead = 2

// parts computes chunk by chunk. What is coming is read already, or being read.
func (w *importing) parts(ctx context.Context, coming *[]<-chan around) error {
	for more := true; more || len(*coming) > 0; {
		if more && len(*coming) <= readsAhead {
			rows, err := w.read()
			if err != nil {
				return err
			}
			*coming, more = append(*coming, w.readAround(ctx, rows)), len(rows) == planChunk
			continue
		}
		part := <-(*coming)[0]
		*coming = (*coming)[1:]
		if part.err != nil {
			return part.err
		}
		if err := w.chunk(ctx, part); err != nil {
			return err
		}
		if w.o.Progress != nil {
			w.o.Progress(w.plan.Summary.Rows)
		}
	}
	return nil
}

// around are some rows with whom they may be about.
type around struct {
	rows  []importRow
	known found
	there map[identity.UserID]person
	err   error
}

// readAround reads who has the keys of rows, while those before them are being computed.
func (w *importing) readAround(ctx context.Context, rows []importRow) <-chan around {
	out := make(chan around, 1)
	p := w.s.planner(w.by, w.scope, w.plan) // with a memory of its own
	go func() {
		part := around{rows: rows}
		part.err = w.s.db.View(ctx, func(tx *store.Tx) (err error) {
			if part.known, err = p.match.lookToMatch(ctx, tx, rows); err == nil {
				part.there, err = p.people(ctx, tx, part.known.people())
			}
			return err
		})
		out <- part
	}()
	return out
}

// people are all whom a key names.
func (f found) people() []identity.UserID {
	var out []identity.UserID
	for _, keys := range f {
		for _, list := range keys {
			for _, k := range list {
				out = append(out, k.UserID)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (w *importing) read() ([]importRow, error) {
	var rows []importRow
	for len(rows) < planChunk {
		row, err := w.rows()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// chunk computes the steps of some rows and writes them down.
func (w *importing) chunk(ctx context.Context, part around) error {
	rows := part.rows
	if len(rows) == 0 {
		return nil
	}
	w.plan.Summary.Rows += len(rows)
	for _, r := range rows {
		w.last = max(w.last, r.line)
	}
	who, err := w.whom(ctx, rows, part.known)
	if err != nil {
		return err
	}
	for i := range rows {
		if err := w.secret(ctx, &rows[i], who[i] == ""); err != nil {
			return err
		}
	}
	return w.steps(ctx, part, who)
}

// steps computes and writes the steps of rows whose people are known: those about plain new people together, the others one by one. A row that says what is there
// already has none.
func (w *importing) steps(ctx context.Context, part around, who []identity.UserID) error {
	rows := part.rows
	var list []*newcomer
	err := w.s.db.View(ctx, func(tx *store.Tx) (err error) {
		list, err = w.newcomers(ctx, tx, rows, who, part.known)
		return err
	})
	if err != nil {
		return err
	}
	steps := make([]identity.PlanStep, len(rows))
	var single []int
	for i, n := range list {
		is, ok := part.there[who[i]]
		switch {
		case ok && w.same(rows[i], is):
			steps[i] = identity.PlanStep{Action: identity.StepSkip, State: identity.StepNone, Detail: nothingChanges}
			count(&w.plan.Summary, steps[i], stepData{})
		case n == nil:
			single = append(single, i)
		default:
			var d stepData
			if steps[i], d, err = w.planned(rows[i], n); err != nil {
				return err
			}
			count(&w.plan.Summary, steps[i], d)
			w.watch.see(steps[i], d)
		}
	}
	if err := w.stepByStep(ctx, rows, who, steps, single); err != nil {
		return err
	}
	steps = slices.DeleteFunc(steps, func(step identity.PlanStep) bool { return idle(step) && !w.tellsAll() })
	if len(steps) == 0 {
		return nil
	}
	w.written += len(steps)
	return w.s.db.Update(ctx, func(tx *store.Tx) error { return tx.PutPlanStep(ctx, steps...) })
}

// stepByStep computes the steps of rows that go by themselves.
func (w *importing) stepByStep(ctx context.Context, rows []importRow, who []identity.UserID, steps []identity.PlanStep, which []int) error {
	some := pick(who, which)
	for part := range slices.Chunk(which, planSingle) {
		list, err := w.rehearse(ctx, pick(rows, part), some[:len(part)])
		if err != nil {
			return err
		}
		some = some[len(part):]
		for k, i := range part {
			steps[i] = list[k]
			d, err := readStep(list[k])
			if err != nil {
				return err
			}
			count(&w.plan.Summary, list[k], d)
			w.watch.see(list[k], d)
		}
	}
	return nil
}

// whom finds whom rows are about, and marks those that cannot be used.
func (w *importing) whom(ctx context.Context, rows []importRow, known found) ([]identity.UserID, error) {
	who := make([]identity.UserID, len(rows))
	var absent func(importRow) identity.UserID
	err := w.s.db.View(ctx, func(tx *store.Tx) (err error) {
		for i := range rows {
			if err := w.home(ctx, tx, &rows[i]); err != nil {
				return err
			}
		}
		if absent, err = w.absent(ctx, tx, rows, known); err != nil {
			return err
		}
		return w.lookUp(ctx, tx, rows)
	})
	if err != nil {
		return nil, err
	}
	for i := range rows {
		r := &rows[i]
		id, err := w.match.match(*r, known)
		if err == nil && id == "" {
			id = absent(*r)
		}
		if refused := refusalOf(err); refused != nil && r.wrong == nil {
			r.wrong = refused
		} else if err != nil && refused == nil {
			return nil, err
		}
		if refused := w.match.repeated(*r); refused != nil && r.wrong == nil {
			r.wrong = refused
		}
		if id != "" {
			if refused := w.match.claim(id, r.line); refused != nil && r.wrong == nil {
				r.wrong = refused
			}
		}
		who[i] = id
	}
	return who, nil
}

// home finds the tenant of a row.
func (w *importing) home(ctx context.Context, tx *store.Tx, r *importRow) error {
	r.tenant = w.plan.TenantID
	word := r.fields[fieldTenant]
	if word == "" {
		if word = w.ruledTenant(*r); word == "" {
			return nil
		}
	}
	id, err := w.names.tenant(ctx, tx, word)
	if refused := refusalOf(err); refused != nil {
		if r.wrong == nil {
			r.wrong = refused
		}
		return nil
	}
	r.tenant = id
	return err
}

// secret turns the password of somebody new into its hash. Nobody's password is changed by a file.
func (w *importing) secret(ctx context.Context, r *importRow, fresh bool) error {
	password := r.password
	r.password = ""
	if !fresh || r.wrong != nil {
		r.hash = ""
		return nil
	}
	var err error
	switch {
	case r.hash != "" && w.o.CheckHash == nil, password != "" && w.o.Hash == nil:
		err = identity.Errorf(identity.Invalid, "Passwords are not taken here. Leave the column out.").WithField(fieldPassword)
	case r.hash != "":
		r.terms, err = w.o.CheckHash(r.hash)
	case password != "":
		u := identity.User{TenantID: r.tenant}
		if err = r.applyTo(&u, false); err == nil {
			r.hash, r.terms, err = w.o.Hash(ctx, w.by, u, password)
		}
	}
	if refused := refusalOf(err); refused != nil {
		if refused.Field == "" {
			refused.Field = fieldPassword
		}
		r.wrong, r.hash = refused, ""
		return nil
	}
	return err
}

// missing adds a step for everybody of the source whom the file no longer has.
func (w *importing) missing(ctx context.Context) error {
	var after identity.UserID
	for {
		var ids []identity.UserID
		err := w.s.db.View(ctx, func(tx *store.Tx) (err error) {
			ids, err = tx.UsersOfSource(ctx, w.plan.TenantID, w.plan.Source, after, planChunk)
			return err
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		after = ids[len(ids)-1]
		var rows []importRow
		var who []identity.UserID
		for _, id := range ids {
			if !w.match.met(id) {
				w.last++
				rows = append(rows, importRow{line: w.last, fields: personFields{fieldActive: yesNo(false)}, recalled: true})
				who = append(who, id)
			}
		}
		if len(rows) > 0 {
			if err := w.steps(ctx, around{rows: rows}, who); err != nil {
				return err
			}
		}
	}
}

// manySteps is of how many new steps on the database looks at them.
const manySteps = 1000

// finish holds the plan where a guard says so, and makes it ready otherwise.
func (w *importing) finish(ctx context.Context) error {
	return w.s.db.Update(ctx, func(tx *store.Tx) error {
		if err := hasLease(ctx, tx, w.plan); err != nil {
			return err
		}
		if w.written >= manySteps {
			if err := tx.AnalyzePlanSteps(ctx); err != nil {
				return err
			}
		}
		w.plan.LeaseUntil, w.plan.LeaseBy = nil, ""
		if err := w.hold(ctx, tx); err != nil {
			return err
		}
		if err := tx.UpdatePlan(ctx, w.plan); err != nil {
			return err
		}
		return tx.InsertEvent(ctx, planEvent(w.by, identity.PlanMade, w.plan))
	})
}
