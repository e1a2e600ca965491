package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sheets"
)

// planExample is an id for examples.
const planExample = "0197a000-0000-7000-8000-000000000001"

// plans returns the commands about plans, whatever they came from.
func (p *program) plans() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Plans of imports, syncs and bulk acts: list, show, apply, approve, reject, stop, undo, drop, backup",
		Long: `A plan says what an import, a sync or a bulk act would change, person by person. Nothing is changed before it is applied, and then exactly what it says.
A guard holds a plan that would do harm, such as one of an empty file: somebody approves or rejects it.`,
	}
	cmd.AddCommand(p.planList(), p.planShow(), p.planApply(), p.planApprove(), p.planReject(), p.planStop(), p.planUndo(), p.planDrop(), p.planBackup())
	return p.group(cmd)
}

// planFilter is what the flags of plan list say.
type planFilter struct {
	states, kinds []string
	tenant        string
	q             provisioning.PlanQuery
}

func (p *program) planList() *cobra.Command {
	var o planFilter
	cmd := &cobra.Command{
		Use: "list", Short: "List plans, newest first", Args: cobra.NoArgs,
		Example: `  drawbridge plan list --state held
  drawbridge plan list --source hr --kind sync --json`,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			if err := o.read(); err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error { return p.listPlans(ctx, b, o) })
		}),
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.states, "state", nil, "only these: "+words(planStates))
	f.StringSliceVar(&o.kinds, "kind", nil, "only these: "+words(planKinds))
	f.StringVar(&o.q.Source, "source", "", "only those of this source")
	f.StringVar(&o.tenant, "tenant", "", "only those about this tenant's people, by name or id")
	paging(cmd, &o.q.Limit, &o.q.After)
	return cmd
}

var (
	planStates = []identity.PlanState{
		identity.PlanComputing, identity.PlanReady, identity.PlanHeld, identity.PlanRejected, identity.PlanApplying, identity.PlanDone, identity.PlanUndone, identity.PlanFailed,
	}
	planKinds   = []identity.PlanKind{identity.PlanImport, identity.PlanSync, identity.PlanBulk, identity.PlanUndo, identity.PlanDrift}
	planActions = []identity.PlanAction{
		identity.StepCreate, identity.StepUpdate, identity.StepDeactivate, identity.StepRestore, identity.StepMove, identity.StepSkip, identity.StepConflict, identity.StepError,
	}
	stepStates = []identity.StepState{
		identity.StepOpen, identity.StepDone, identity.StepFailed, identity.StepChanged, identity.StepReverted, identity.StepKept, identity.StepNone,
	}
)

// words joins words that a flag takes.
func words[T ~string](list []T) string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = string(w)
	}
	return strings.Join(out, ", ")
}

// oneOf reads what a flag says as words of a list.
func oneOf[T ~string](command, flag string, said []string, known []T) ([]T, error) {
	var out []T
	for _, word := range said {
		if !slices.Contains(known, T(word)) {
			return nil, usage(command, "--%s is %q; use %s", flag, word, words(known))
		}
		out = append(out, T(word))
	}
	return out, nil
}

func (o *planFilter) read() (err error) {
	if err := checkLimit("plan list", o.q.Limit); err != nil {
		return err
	}
	if o.q.States, err = oneOf("plan list", "state", o.states, planStates); err != nil {
		return err
	}
	o.q.Kinds, err = oneOf("plan list", "kind", o.kinds, planKinds)
	return err
}

func (p *program) listPlans(ctx context.Context, b *bridge, o planFilter) error {
	tenant, err := b.findTenant(ctx, o.tenant)
	if err != nil {
		return err
	}
	o.q.Tenant = tenant.ID
	page, err := b.people.PlansWhere(ctx, identity.Operator(), o.q)
	if err != nil {
		return err
	}
	list := views(page, viewPlanHead, func(v identity.Plan) string { return string(v.ID) })
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"ID", "WHEN", "WHAT", "SOURCE", "STATE", "CREATE", "CHANGE", "KEEP OUT", "WRONG", "DONE", "BY"}, none: "No plans."}
		for _, v := range page.Items {
			s := v.Summary
			t.add(string(v.ID), when(&v.CreatedAt), planTitle(v), v.Source, string(v.State), strconv.Itoa(s.Create), strconv.Itoa(s.Update), strconv.Itoa(s.Deactivate),
				strconv.Itoa(s.Errors+s.Conflict), strconv.Itoa(s.Done), v.CreatedBy)
		}
		t.write(w)
		more(w, list.Next != "", list.Next)
	})
}

func (p *program) planShow() *cobra.Command {
	var actions, states []string
	var q provisioning.StepQuery
	cmd := &cobra.Command{
		Use:     "show PLAN",
		Short:   "Show a plan and its steps, person by person",
		Example: "  drawbridge plan show " + planExample + " --action error,conflict",
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) (err error) {
			if err := checkLimit("plan show", q.Limit); err != nil {
				return err
			}
			if q.Actions, err = oneOf("plan show", "action", actions, planActions); err != nil {
				return err
			}
			if q.States, err = oneOf("plan show", "state", states, stepStates); err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error { return p.showPlanSteps(ctx, b, identity.PlanID(args[0]), q) })
		}),
	}
	f := cmd.Flags()
	f.StringSliceVar(&actions, "action", nil, "only these: "+words(planActions))
	f.StringSliceVar(&states, "state", nil, "only these: "+words(stepStates))
	f.IntVar(&q.After, "after", 0, "continue after this line")
	f.IntVar(&q.Limit, "limit", 50, "how many to show, at most 1000")
	return cmd
}

func (p *program) showPlanSteps(ctx context.Context, b *bridge, id identity.PlanID, q provisioning.StepQuery) error {
	plan, err := b.people.Plan(ctx, identity.Operator(), id)
	if err != nil {
		return err
	}
	v, err := b.viewPlan(ctx, plan, q)
	if err != nil {
		return err
	}
	return p.show(v, func(w io.Writer) {
		describePlan(w, plan)
		printSteps(w, v.Steps)
		if v.More {
			more(w, true, strconv.Itoa(v.Steps[len(v.Steps)-1].Line))
		}
		advisePlan(w, plan)
	})
}

func (p *program) planDrop() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:     "drop PLAN",
		Short:   "Throw a plan away with what it keeps; it cannot be applied or undone any more",
		Example: "  drawbridge plan drop " + planExample + " --yes",
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			if !yes && !p.json && p.asks() && !p.confirm("Throw the plan away? What it did cannot be undone any more.") {
				return identity.Errorf(identity.Precondition, "Nothing was thrown away. Answer y, or repeat with --yes.")
			}
			return p.with(ctx, func(b *bridge) error {
				if err := b.people.DropPlan(ctx, identity.Operator(), identity.PlanID(args[0])); err != nil {
					return err
				}
				return p.show(map[string]string{"dropped": args[0]}, func(w io.Writer) { fmt.Fprintln(w, "Thrown away.") })
			})
		}),
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func (p *program) planBackup() *cobra.Command {
	var o outFile
	cmd := &cobra.Command{
		Use:     "backup PLAN",
		Short:   "Write the people whom a plan changed as they were before, in a file that can be imported",
		Example: "  drawbridge plan backup " + planExample + " --out before.csv",
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.export(ctx, "plan backup", o, func(b *bridge, f sheets.Format, out io.Writer) (provisioning.Export, error) {
				return b.people.ExportBackup(ctx, identity.Operator(), identity.PlanID(args[0]), f, out)
			})
		}),
	}
	o.flags(cmd)
	return cmd
}
