package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// termsEvery is how often it is looked whose start or end has come.
const termsEvery = time.Minute

// peopleEvery is how often it is looked whether a tombstone's time is over, or nobody has seen somebody for too long.
const peopleEvery = time.Hour

// lookAfterPeople erases whom nobody brought back, deactivates whom nobody has seen where a tenant wants that, and opens offboardings for leavers who still have something, again and
// again, until ctx ends.
func (b *bridge) lookAfterPeople(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(peopleEvery)
	defer tick.Stop()
	for {
		erased, err := b.people.PurgeTombstones(ctx, identity.System(), b.settings.TombstoneAge())
		deactivated, more := b.people.RunDormantRules(ctx, identity.System())
		opened, last := b.people.OpenOffboardings(ctx, identity.System())
		if err = errors.Join(err, more, last); err != nil && ctx.Err() == nil {
			log.Error("people could not be looked after; it will be tried again", "in", peopleEvery, "error", err)
		}
		if erased+deactivated+opened > 0 {
			log.Info("people were looked after", "erased", erased, "deactivated", deactivated, "offboardings", opened)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// keepTerms lets in whose start has come and keeps out whose end is over, again and again, until ctx ends.
func (b *bridge) keepTerms(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(termsEvery)
	defer tick.Stop()
	for {
		n, err := b.people.RunTerms(ctx, identity.System())
		if err != nil && ctx.Err() == nil {
			log.Error("starts and ends could not be carried out; it will be tried again", "in", termsEvery, "error", err)
		}
		if n > 0 {
			log.Info("starts and ends were carried out", "people", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
