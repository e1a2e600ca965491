package main

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// plansEvery is how often it is looked whether another program left a plan to carry out. What this one starts is begun at once.
const plansEvery = 2 * time.Second

// workPlans works off what HR systems sent, and carries out plans that wait or were broken off, again and again, until ctx ends. What is in hand then is carried on by
// whoever looks next.
func (b *bridge) workPlans(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(plansEvery)
	defer tick.Stop()
	for {
		uploads, err := b.people.RunUploads(ctx)
		plans, more := b.people.RunPlans(ctx)
		if err = errors.Join(err, more); err != nil && ctx.Err() == nil {
			log.Error("a plan could not be carried out; it will be tried again", "error", err)
		}
		if uploads+plans > 0 {
			log.Info("plans were carried out", "uploads", uploads, "plans", plans)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-b.people.PlansWaiting():
		}
	}
}
