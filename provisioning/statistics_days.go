package provisioning

import (
	"context"
	"sync"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// Of how many scopes the days are remembered, and how long after its end a day may still change: what is written late was begun then.
const (
	rememberedScopes = 200
	dayIsFinal       = time.Hour
)

// dayCounts remembers the counts of days that are over, by what may be seen and the day.
type dayCounts struct {
	mu    sync.Mutex
	known map[store.Scope]map[string]DayCount
}

// of returns the last days of a scope, the oldest first. What is remembered is not counted again.
func (d *dayCounts) of(ctx context.Context, tx *store.Tx, scope store.Scope, days int) ([]DayCount, error) {
	today := tx.Now().UTC().Truncate(24 * time.Hour)
	out := make([]DayCount, days)
	missing := days
	for i := range out {
		out[i].Day = dayOf(today.AddDate(0, 0, i-days+1))
		was, known := d.recall(scope, out[i].Day)
		if known {
			out[i] = was
		} else if missing == days {
			missing = i
		}
	}
	if missing == days { // today is never remembered, but for a clock that went back
		missing = days - 1
	}
	counted, err := countDays(ctx, tx, scope, today.AddDate(0, 0, missing-days+1), out[missing:])
	if err != nil {
		return nil, err
	}
	copy(out[missing:], counted)
	final := dayOf(tx.Now().UTC().Add(-dayIsFinal))
	for _, day := range counted {
		if day.Day < final {
			d.keep(scope, day)
		}
	}
	return out, nil
}

func (d *dayCounts) recall(scope store.Scope, day string) (DayCount, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c, known := d.known[scope][day]
	return c, known
}

func (d *dayCounts) keep(scope store.Scope, c DayCount) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known == nil || len(d.known) >= rememberedScopes && d.known[scope] == nil {
		d.known = map[store.Scope]map[string]DayCount{}
	}
	if d.known[scope] == nil || len(d.known[scope]) > 2*StatisticDays[len(StatisticDays)-1] {
		d.known[scope] = map[string]DayCount{}
	}
	d.known[scope][c.Day] = c
}

// countDays counts the days, the first of which begins at a time. A refusal is in the audit when it came through a provider, and among the traces as long as those are
// kept, in whichever way it came.
func countDays(ctx context.Context, tx *store.Tx, scope store.Scope, since time.Time, days []DayCount) ([]DayCount, error) {
	came, err := tx.CountEventsByDay(ctx, scope, identity.SessionStarted, since)
	if err != nil {
		return nil, err
	}
	refused, err := tx.CountEventsByDay(ctx, scope, identity.SignInRefused, since)
	if err != nil {
		return nil, err
	}
	traces, err := tx.CountRefusedByDay(ctx, scope, since)
	if err != nil {
		return nil, err
	}
	pushes, failed, err := tx.CountRequestsByDay(ctx, scope, since)
	out := make([]DayCount, len(days))
	for i, d := range days {
		out[i] = DayCount{d.Day, came[d.Day], max(refused[d.Day], traces[d.Day]), pushes[d.Day], failed[d.Day]}
	}
	return out, err
}
