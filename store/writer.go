package store

import (
	"context"
	"errors"
	"sync"

	"github.com/jmoiron/sqlx"
)

// maxGathered is how many changes share one transaction at most.
const maxGathered = 256

// errAgain is the error of a change that was undone for no fault of its own.
var errAgain = errors.New("the changes that shared a transaction could not be committed")

// writer makes the changes on SQLite, which has one writer at a time: those that wait while a transaction is committed share the next
// one, each behind a savepoint of its own. A commit waits for the disk, so sharing it is what makes many writes a second possible.
type writer struct {
	db    *DB
	jobs  chan *job
	quit  chan struct{}
	once  sync.Once
	ended sync.WaitGroup
}

// job is one change that waits.
type job struct {
	ctx    context.Context
	fn     func(*Tx) error
	err    error
	failed any // what fn panicked with
	opens  bool
	done   chan struct{}
}

func startWriter(db *DB) *writer {
	w := &writer{db: db, jobs: make(chan *job, maxGathered), quit: make(chan struct{})}
	w.ended.Go(w.run)
	return w
}

// stop ends the writer after the changes that it has begun.
func (w *writer) stop() {
	w.once.Do(func() { close(w.quit) })
	w.ended.Wait()
}

// change runs fn in a transaction and returns when it is committed. A panic of fn is the caller's again.
func (w *writer) change(ctx context.Context, fn func(*Tx) error) error {
	j := &job{ctx: ctx, fn: fn, done: make(chan struct{})}
	select {
	case w.jobs <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.quit:
		return errors.New("the database is closed")
	}
	select {
	case <-j.done:
	case <-w.quit:
		w.ended.Wait()
		select {
		case <-j.done:
		default:
			return errors.New("the database is closed")
		}
	}
	if j.failed != nil {
		panic(j.failed)
	}
	return j.err
}

func (w *writer) run() {
	for {
		select {
		case <-w.quit:
			return
		case j := <-w.jobs:
			w.commit(w.gather(j))
		}
	}
}

// gather returns a change with those that wait behind it.
func (w *writer) gather(first *job) []*job {
	jobs := []*job{first}
	for len(jobs) < maxGathered {
		select {
		case j := <-w.jobs:
			jobs = append(jobs, j)
		default:
			return jobs
		}
	}
	return jobs
}

// commit makes changes in one transaction and tells each how it went.
func (w *writer) commit(jobs []*job) {
	err := w.together(jobs)
	for _, j := range jobs {
		if err != nil && j.err == nil {
			j.err = err
			if len(jobs) > 1 {
				j.err = errors.Join(errAgain, err)
			}
		}
		if j.opens && j.err == nil {
			w.db.opened.Add(1)
		}
		close(j.done)
	}
}

// together returns an error when nothing was committed.
func (w *writer) together(jobs []*job) error {
	tx, err := w.db.write.BeginTxx(context.Background(), nil)
	if err != nil {
		return classify(context.Background(), err)
	}
	committed := false
	defer func() {
		if !committed {
			_ = tx.Rollback()
		}
	}()
	for _, j := range jobs {
		if err := w.do(tx, j, len(jobs) > 1); err != nil {
			return err
		}
	}
	if len(jobs) == 1 && jobs[0].err != nil {
		return nil
	}
	err = classify(context.Background(), tx.Commit())
	committed = err == nil
	return err
}

// do makes one change. Its own failure is the job's; what it returns is a failure of the whole transaction.
func (w *writer) do(tx *sqlx.Tx, j *job, shared bool) error {
	if j.err = j.ctx.Err(); j.err != nil {
		return nil
	}
	if shared {
		if _, err := tx.Exec(`SAVEPOINT change`); err != nil {
			return classify(context.Background(), err)
		}
	}
	j.run(&Tx{db: w.db, q: tx, whole: true, now: now()})
	if !shared {
		return nil
	}
	if j.err != nil {
		if _, err := tx.Exec(`ROLLBACK TO change`); err != nil {
			return classify(context.Background(), err)
		}
	}
	_, err := tx.Exec(`RELEASE change`)
	return classify(context.Background(), err)
}

func (j *job) run(tx *Tx) {
	defer func() {
		if j.failed = recover(); j.failed != nil {
			j.err = errors.New("a change panicked")
		}
	}()
	if j.err = j.fn(tx); j.err == nil {
		j.err = tx.noteSlow(j.ctx)
	}
	j.opens = tx.opens
}
