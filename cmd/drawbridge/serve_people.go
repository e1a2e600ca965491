package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

// peopleEvery is how often it is looked whether a tombstone's time is over, or nobody has seen somebody for too long.
const peopleEvery = time.Hour

// lookAfterPeople erases whom nobody brought back, and deactivates whom nobody has seen where a tenant wants that, again and again, until ctx ends.
func (b *bridge) lookAfterPeople(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(peopleEvery)
	defer tick.Stop()
	for {
		erased, err := b.people.PurgeTombstones(ctx, identity.System(), b.settings.TombstoneAge())
		deactivated, more := b.people.RunDormantRules(ctx, identity.System())
		if err = errors.Join(err, more); err != nil && ctx.Err() == nil {
			log.Error("people could not be looked after; it will be tried again", "in", peopleEvery, "error", err)
		}
		if erased+deactivated > 0 {
			log.Info("people were looked after", "erased", erased, "deactivated", deactivated)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
