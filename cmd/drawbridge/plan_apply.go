package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

func (p *program) planApply() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "apply PLAN",
		Short: "Carry a plan out exactly, or go on with one that was broken off",
		Long: `Carries a plan out exactly as it is. Somebody who was changed since the plan was made is left alone: their step is computed again and waits for the
next apply. Ctrl-C stops between two steps, and apply goes on where it stopped.`,
		Example: `  drawbridge plan apply ` + planExample + `
  drawbridge plan apply ` + planExample + ` --reason "the branch was closed"`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			p.sweepSeldom(planGoal)
			return p.with(ctx, func(b *bridge) error { return p.applyPlan(ctx, b, identity.PlanID(args[0]), reason) })
		}),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why a plan that is held is right all the same: it approves and applies it")
	return cmd
}

// applyPlan carries a plan out and says what came of it.
func (p *program) applyPlan(ctx context.Context, b *bridge, id identity.PlanID, reason string) error {
	line := p.progress()
	plan, err := b.people.ApplyPlan(ctx, identity.Operator(), id, provisioning.ApplyOptions{
		Override: reason, Temporary: b.authn.TemporaryPassword,
		Progress: func(n provisioning.PlanProgress) {
			line.say("%d of %d done, %d refused, %d changed meanwhile", n.Done, n.Total, n.Failed, n.Changed)
		},
	})
	line.end()
	if err != nil && ctx.Err() != nil {
		return identity.Errorf(identity.Precondition, "Stopped: %d steps are done, and each of them whole. Go on with: drawbridge plan apply %s", plan.Summary.Done, id).WithCause(err)
	}
	if err != nil {
		return err
	}
	return p.showPlan(ctx, b, plan, maxList, true)
}
