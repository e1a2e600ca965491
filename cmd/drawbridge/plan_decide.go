package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// hereDecided is the reason of a decision at the command line that nobody gave one for.
const hereDecided = "decided at the command line"

func (p *program) planApprove() *cobra.Command {
	var reason string
	var apply bool
	cmd := &cobra.Command{
		Use:   "approve PLAN",
		Short: "Let a plan that a guard holds be carried out",
		Long:  "Lets a plan that a guard holds be carried out, and keeps who said so and why. Nobody is touched by it: 'drawbridge plan apply' does that, or --apply at once.",
		Example: `  drawbridge plan approve ` + planExample + ` --reason "the branch was closed"
  drawbridge plan approve ` + planExample + ` --reason "the branch was closed" --apply`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				plan, err := b.people.ApprovePlan(ctx, identity.Operator(), identity.PlanID(args[0]), reason)
				if err != nil || !apply {
					return p.showDecided(ctx, b, plan, err)
				}
				return p.applyPlan(ctx, b, plan.ID, "")
			})
		}),
	}
	cmd.Flags().StringVar(&reason, "reason", hereDecided, "why the plan is right all the same; kept with the plan and its events")
	cmd.Flags().BoolVar(&apply, "apply", false, "carry it out at once")
	return cmd
}

func (p *program) planReject() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:     "reject PLAN",
		Short:   "Say that a plan is never carried out",
		Example: "  drawbridge plan reject " + planExample + ` --reason "half of the file is missing"`,
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				plan, err := b.people.RejectPlan(ctx, identity.Operator(), identity.PlanID(args[0]), reason)
				return p.showDecided(ctx, b, plan, err)
			})
		}),
	}
	cmd.Flags().StringVar(&reason, "reason", hereDecided, "why; kept with the plan and its events")
	return cmd
}

func (p *program) planStop() *cobra.Command {
	return &cobra.Command{
		Use:     "stop PLAN",
		Short:   "Stop a plan that is being carried out, between two steps",
		Long:    "Asks whoever carries a plan out to stop between two steps. What was done stays done; 'drawbridge plan apply' goes on with it, 'drawbridge plan undo' takes it back.",
		Example: "  drawbridge plan stop " + planExample,
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				plan, err := b.people.StopPlan(ctx, identity.Operator(), identity.PlanID(args[0]))
				return p.showDecided(ctx, b, plan, err)
			})
		}),
	}
}

// showDecided prints a plan about which something was decided.
func (p *program) showDecided(ctx context.Context, b *bridge, plan identity.Plan, err error) error {
	if err != nil {
		return err
	}
	v, err := b.viewPlan(ctx, plan)
	if err != nil {
		return err
	}
	return p.show(v, func(w io.Writer) {
		describePlan(w, plan)
		if plan.Stopping {
			fmt.Fprintln(w, "It is stopping.")
		}
		advisePlan(w, plan)
	})
}

func (p *program) planUndo() *cobra.Command {
	var yes, dryRun bool
	var reason string
	cmd := &cobra.Command{
		Use:   "undo PLAN",
		Short: "Undo a plan for everybody whom nobody has changed since",
		Long: `Makes a plan that undoes another, and shows it: fields, roles and places are put back as they were, people whom the plan created are deleted, and whoever was changed
since is kept. With --yes, or when you say so, it is carried out; it can be undone itself.`,
		Example: `  drawbridge plan undo ` + planExample + ` --dry-run
  drawbridge plan undo ` + planExample + ` --yes`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			if yes && dryRun {
				return usage("plan undo", "--yes and --dry-run say the opposite; give one of them")
			}
			return p.with(ctx, func(b *bridge) error {
				return p.undoPlan(ctx, b, identity.PlanID(args[0]), reason, func() bool {
					return yes || !dryRun && !p.json && p.asks() && p.confirm("Carry it out?")
				})
			})
		}),
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "carry it out without asking")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only make the plan and show it")
	cmd.Flags().StringVar(&reason, "reason", "", "why an undo that a guard holds is right all the same")
	return cmd
}

func (p *program) undoPlan(ctx context.Context, b *bridge, id identity.PlanID, reason string, sure func() bool) error {
	line := p.progress()
	plan, err := b.people.UndoPlan(ctx, identity.Operator(), id, provisioning.UndoOptions{Progress: func(n int) { line.say("%d steps looked at", n) }})
	line.end()
	if err != nil {
		return err
	}
	if !p.json {
		if err := p.showPlan(ctx, b, plan, 20, false); err != nil {
			return err
		}
	}
	if sure() {
		return p.applyPlan(ctx, b, plan.ID, reason)
	}
	if p.json {
		return p.showPlan(ctx, b, plan, maxList, true)
	}
	advisePlan(p.stdout, plan)
	return nil
}
