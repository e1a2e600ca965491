package provisioning

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// dayOf is the day of a time as the counts of reads have it, in UTC.
func dayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// readCount is how many reads a directory made on a day that are not written yet.
type readCount struct {
	directory identity.DirectoryID
	day       string
}

func (c readCount) compare(o readCount) int {
	return cmp.Or(cmp.Compare(c.directory, o.directory), cmp.Compare(c.day, o.day))
}

// reads counts successful reads until they are written. What is lost with the process are some seconds of a statistic.
type reads struct {
	mu      sync.Mutex
	pending map[readCount]int64
}

// CountRead counts a successful read of a directory. It does not touch the database: WriteReads does.
func (s *Service) CountRead(directory identity.DirectoryID) {
	s.reads.add(readCount{directory, dayOf(time.Now())}, 1)
}

func (r *reads) add(key readCount, n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pending == nil {
		r.pending = map[readCount]int64{}
	}
	r.pending[key] += n
}

// take returns what is pending and forgets it.
func (r *reads) take() map[readCount]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.pending
	r.pending = nil
	return taken
}

// WriteReads writes what CountRead counted, in one transaction. Call it every few seconds and at the end; what cannot be written is kept for the next time.
func (s *Service) WriteReads(ctx context.Context) error {
	taken := s.reads.take()
	if len(taken) == 0 {
		return nil
	}
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		for _, key := range slices.SortedFunc(maps.Keys(taken), readCount.compare) { // in one order, so that replicas do not wait for each other in a circle
			if err := tx.AddReads(ctx, key.directory, key.day, taken[key]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		for key, n := range taken {
			s.reads.add(key, n)
		}
	}
	return err
}

// ReadsToday returns how many reads of each directory succeeded today (in UTC), some seconds behind.
func (s *Service) ReadsToday(ctx context.Context, by identity.Actor) (map[identity.DirectoryID]int64, error) {
	if err := s.platform(by); err != nil {
		return nil, err
	}
	var counts map[identity.DirectoryID]int64
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		counts, err = tx.Reads(ctx, dayOf(time.Now()))
		return err
	})
	return counts, err
}
