package main

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// How often --follow looks, and how far back: a request that took long is written after younger ones.
const (
	followEvery = time.Second
	followBack  = 3 * time.Minute
)

// follower remembers what it has shown.
type follower struct {
	p    *program
	b    *bridge
	q    provisioning.RequestQuery
	seen map[identity.RequestID]time.Time
}

// followRequests shows the last page of what matches and then each new one, until ctx ends. That is how it is meant to end, so it is no error.
func (p *program) followRequests(ctx context.Context, b *bridge, q provisioning.RequestQuery) error {
	f := &follower{p: p, b: b, q: q, seen: map[identity.RequestID]time.Time{}}
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	err := f.begin(ctx)
	for err == nil {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			err = f.look(ctx)
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// begin shows the last page, and takes note of the rest of the time that look will look at.
func (f *follower) begin(ctx context.Context) error {
	page, err := f.b.people.Requests(ctx, identity.Operator(), f.q)
	if err != nil {
		return err
	}
	if _, err := f.fresh(ctx); err != nil {
		return err
	}
	for _, r := range page.Items {
		f.seen[r.ID] = r.At
	}
	slices.Reverse(page.Items)
	return f.print(ctx, page.Items)
}

// look shows what is new.
func (f *follower) look(ctx context.Context) error {
	fresh, err := f.fresh(ctx)
	if err != nil {
		return err
	}
	old := time.Now().Add(-2 * followBack) // what no later look can find again
	maps.DeleteFunc(f.seen, func(_ identity.RequestID, at time.Time) bool { return at.Before(old) })
	return f.print(ctx, fresh)
}

// fresh returns what was not seen yet, oldest first.
func (f *follower) fresh(ctx context.Context) ([]identity.Request, error) {
	var fresh []identity.Request
	q := f.q
	if since := time.Now().Add(-followBack); since.After(q.Since) {
		q.Since = since
	}
	for {
		page, err := f.b.people.Requests(ctx, identity.Operator(), q)
		if err != nil {
			return nil, err
		}
		for _, r := range page.Items {
			if _, known := f.seen[r.ID]; !known {
				fresh = append(fresh, r)
			}
			f.seen[r.ID], q.After = r.At, r.ID
		}
		if !page.More {
			slices.Reverse(fresh)
			return fresh, nil
		}
	}
}

// print writes one line a request: cells for people, an object for programs.
func (f *follower) print(ctx context.Context, list []identity.Request) error {
	if len(list) == 0 {
		return nil
	}
	names, err := f.b.directoryNames(ctx)
	if err != nil {
		return err
	}
	for _, r := range list {
		if !f.p.json {
			align(f.p.stdout, [][]string{requestCells(r, names)})
			continue
		}
		if err := json.NewEncoder(f.p.stdout).Encode(viewRequest(r, names[r.DirectoryID])); err != nil {
			return err
		}
	}
	return nil
}
