package provisioning

import (
	"context"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// update runs one change in one transaction, together with the journal entry of the request that asked for it.
func (s *Service) update(ctx context.Context, by identity.Actor, fn func(*store.Tx) error) error {
	return s.updateBy(ctx, by, s.db.Update, fn)
}

// updateBy is update with another method of the database.
func (s *Service) updateBy(ctx context.Context, by identity.Actor, method func(context.Context, func(*store.Tx) error) error, fn func(*store.Tx) error) error {
	r := by.Request
	if r == nil || r.Kept {
		return method(ctx, fn)
	}
	err := method(ctx, func(tx *store.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		entry := *r
		entry.Duration = time.Since(r.At)
		return tx.InsertRequest(ctx, entry)
	})
	r.Kept = err == nil
	return err
}

// RecordRequest keeps what a directory sent and how it was answered, where no change kept it. The caller redacted the body.
func (s *Service) RecordRequest(ctx context.Context, r identity.Request) error {
	return s.db.Update(ctx, func(tx *store.Tx) error { return tx.InsertRequest(ctx, r) })
}

// RequestQuery says which requests are wanted; empty fields do not narrow.
type RequestQuery = store.RequestQuery

// maxAbout is how many people and groups one word may stand for.
const maxAbout = 20

// Requests returns the request journal, newest first. About may hold ids of users and groups, and user names, e-mail addresses and names of
// groups: a request is about them when it changed them or names them.
func (s *Service) Requests(ctx context.Context, by identity.Actor, q RequestQuery) (identity.Page[identity.Request], error) {
	var page identity.Page[identity.Request]
	if err := s.platform(by); err != nil {
		return page, err
	}
	q.After = identity.RequestID(cursor(string(q.After)))
	if !validIDs(&q.DirectoryID) || !validIDs(&q.ID) {
		return page, nil
	}
	q.Method = strings.ToUpper(q.Method)
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		asked := q
		if asked.About, err = subjects(ctx, tx, q.About); err != nil {
			return err
		}
		page, err = tx.Requests(ctx, store.Everything(), asked)
		return err
	})
	return page, err
}

// subjects adds to each word the ids of the people and groups that it names.
func subjects(ctx context.Context, tx *store.Tx, words []string) ([]string, error) {
	var out []string
	for _, word := range words {
		if word = strings.TrimSpace(word); word == "" {
			continue
		}
		id, isID := identity.ParseID[string](word)
		if isID {
			out = append(out, id)
			continue
		}
		out = append(out, word)
		people, err := tx.UsersByEmail(ctx, store.Everything(), keyOf(word), maxAbout)
		if err != nil {
			return nil, err
		}
		for _, u := range people {
			out = append(out, string(u.ID))
		}
		named := &identity.Filter{Op: identity.OpEq, Attr: identity.Attribute{Name: "displayName", Type: identity.TypeString}, Value: word}
		groups, err := tx.Groups(ctx, store.Everything(), identity.Query{Filter: named, Limit: maxAbout})
		if err != nil {
			return nil, err
		}
		for _, g := range groups.Items {
			out = append(out, string(g.ID))
		}
	}
	return out, nil
}

// keyOf returns a word as an address or a user name is compared.
func keyOf(word string) string {
	if key, err := identity.EmailKey(word); err == nil {
		return key
	}
	return identity.NameKey(word)
}

// RequestDetail is one request with what it changed.
type RequestDetail struct {
	Request identity.Request
	Events  []identity.Event
	More    bool // there are more events than are shown
}

// maxRequestEvents is how many events the page of one request shows.
const maxRequestEvents = 200

// Request returns one entry of the journal with its events, or NotFound: it was never kept, or is older than the journal.
func (s *Service) Request(ctx context.Context, by identity.Actor, id identity.RequestID) (RequestDetail, error) {
	var out RequestDetail
	page, err := s.Requests(ctx, by, RequestQuery{ID: id, Limit: 1})
	if err != nil {
		return out, err
	}
	if len(page.Items) == 0 || id == "" {
		return out, identity.Errorf(identity.NotFound,
			"This request is not in the journal. Successful reads are not kept, nor are requests without a valid token; old entries are deleted.")
	}
	out.Request = page.Items[0]
	err = s.db.View(ctx, func(tx *store.Tx) (err error) {
		out.Events, err = tx.EventsOfRequest(ctx, out.Request, maxRequestEvents+1)
		return err
	})
	if out.More = len(out.Events) > maxRequestEvents; out.More {
		out.Events = out.Events[:maxRequestEvents]
	}
	return out, err
}

// sweepRequests is how many entries of the journal one transaction deletes, so that no write waits for it.
const sweepRequests = 500

// SweepRequests deletes the entries of the journal that are older than the age, in small transactions, until none is left or ctx ends. It
// returns how many. An age of 0 or less keeps everything. It may run at any time and on every replica.
func (s *Service) SweepRequests(ctx context.Context, age time.Duration) (int, error) {
	if age <= 0 {
		return 0, nil
	}
	before := time.Now().Add(-age)
	total := 0
	for {
		n := 0
		err := s.db.Update(ctx, func(tx *store.Tx) (err error) {
			if n, err = tx.DeleteRequests(ctx, before, sweepRequests); err != nil {
				return err
			}
			return tx.DeleteReads(ctx, dayOf(before))
		})
		if err != nil {
			return total, err
		}
		if total += n; n < sweepRequests {
			return total, nil
		}
	}
}
