package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sheets"
)

type planSummaryView struct {
	ID         identity.PlanID      `json:"id"`
	File       string               `json:"file"`
	Source     string               `json:"source"`
	TenantID   identity.TenantID    `json:"tenant_id,omitempty"`
	State      identity.PlanState   `json:"state"`
	Summary    identity.PlanSummary `json:"summary"`
	Options    identity.PlanOptions `json:"options"`
	CreatedBy  string               `json:"created_by"`
	CreatedAt  time.Time            `json:"created_at"`
	AppliedAt  *time.Time           `json:"applied_at,omitempty"`
	RevertedAt *time.Time           `json:"reverted_at,omitempty"`
}

func viewPlanSummary(p identity.Plan) planSummaryView {
	return planSummaryView{p.ID, p.FileName, p.Source, p.TenantID, p.State, p.Summary, p.Options, p.CreatedBy, p.CreatedAt, p.AppliedAt, p.RevertedAt}
}

type importView struct {
	planSummaryView
	Steps []importStepView `json:"steps"`
	More  bool             `json:"more,omitempty"` // there are steps that are not shown
}

type importStepView struct {
	Line    int                 `json:"line"`
	Action  identity.PlanAction `json:"action"`
	State   identity.StepState  `json:"state"`
	UserID  identity.UserID     `json:"user_id,omitempty"`
	Who     string              `json:"who"`
	Detail  string              `json:"detail,omitempty"`
	Field   string              `json:"field,omitempty"`
	Code    string              `json:"code,omitempty"`
	Changes []identity.Change   `json:"changes,omitempty"`
	Mail    *mailView           `json:"mail,omitempty"` // that told a new person
}

func viewSteps(steps []provisioning.PlanStepView) []importStepView {
	out := make([]importStepView, len(steps))
	for i, s := range steps {
		out[i] = importStepView{s.Line, s.Action, s.State, s.UserID, s.Who, s.Detail, s.Field, s.Code, s.Changes, nil}
		if s.Mail != nil {
			m := viewMail(*s.Mail)
			out[i].Mail = &m
		}
	}
	return out
}

func printSteps(w io.Writer, steps []importStepView) {
	if len(steps) == 0 {
		return
	}
	t := table{heading: []string{"LINE", "WHAT", "WHO", "MAIL", ""}}
	for _, s := range steps {
		what := string(s.Action)
		if s.State != identity.StepOpen && s.State != identity.StepNone {
			what += " " + string(s.State)
		}
		t.add(strconv.Itoa(s.Line), what, s.Who, mailText(s.Mail), stepText(s))
	}
	t.write(w)
}

// mailText says what became of a mail.
func mailText(m *mailView) string {
	switch {
	case m == nil:
		return "-"
	case m.Failure != "":
		return string(m.State) + ": " + m.Failure
	}
	return string(m.State)
}

// stepText says why a step is as it is, else what it changes.
func stepText(s importStepView) string {
	if s.Detail != "" && s.Action != identity.StepDeactivate {
		if s.Field != "" && !strings.Contains(s.Detail, s.Field) {
			return s.Field + ": " + s.Detail
		}
		return s.Detail
	}
	var parts []string
	for _, c := range s.Changes {
		if s.Action == identity.StepCreate {
			parts = append(parts, fmt.Sprintf("%s %v", c.Field, orNone(c.After)))
		} else {
			parts = append(parts, fmt.Sprintf("%s %v -> %v", c.Field, orNone(c.Before), orNone(c.After)))
		}
	}
	if s.Detail != "" {
		parts = append(parts, s.Detail)
	}
	return strings.Join(parts, "; ")
}

func orNone(v any) any {
	if v == nil {
		return "(none)"
	}
	return v
}

func (p *program) importList() *cobra.Command {
	var q identity.Query
	cmd := &cobra.Command{
		Use: "list", Short: "List imports, newest first", Example: "  drawbridge import list", Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			if err := checkLimit("import list", q.Limit); err != nil {
				return err
			}
			return p.with(ctx, func(b *bridge) error { return p.listImports(ctx, b, q) })
		}),
	}
	paging(cmd, &q.Limit, &q.After)
	return cmd
}

func (p *program) listImports(ctx context.Context, b *bridge, q identity.Query) error {
	page, err := b.people.Plans(ctx, identity.Operator(), q)
	if err != nil {
		return err
	}
	list := views(page, viewPlanSummary, func(v identity.Plan) string { return string(v.ID) })
	return p.show(list, func(w io.Writer) {
		t := table{heading: []string{"ID", "WHEN", "FILE", "SOURCE", "STATE", "CREATE", "CHANGE", "KEEP OUT", "WRONG", "DONE", "BY"}, none: "No imports."}
		for _, v := range page.Items {
			s := v.Summary
			t.add(string(v.ID), when(&v.CreatedAt), v.FileName, v.Source, string(v.State), strconv.Itoa(s.Create), strconv.Itoa(s.Update), strconv.Itoa(s.Deactivate),
				strconv.Itoa(s.Errors), strconv.Itoa(s.Done), v.CreatedBy)
		}
		t.write(w)
		more(w, list.Next != "", list.Next)
	})
}

func (p *program) importShow() *cobra.Command {
	var actions, states []string
	var q provisioning.StepQuery
	cmd := &cobra.Command{
		Use:     "show PLAN",
		Short:   "Show an import and its steps, row by row",
		Example: "  drawbridge import show 0197a000-0000-7000-8000-000000000001 --action error",
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			if err := checkLimit("import show", q.Limit); err != nil {
				return err
			}
			for _, a := range actions {
				q.Actions = append(q.Actions, identity.PlanAction(a))
			}
			for _, s := range states {
				q.States = append(q.States, identity.StepState(s))
			}
			return p.with(ctx, func(b *bridge) error { return p.showPlanSteps(ctx, b, identity.PlanID(args[0]), q) })
		}),
	}
	f := cmd.Flags()
	f.StringSliceVar(&actions, "action", nil, "only these: create, update, deactivate, skip, error")
	f.StringSliceVar(&states, "state", nil, "only these: open, done, failed, changed, reverted, kept, none")
	f.IntVar(&q.After, "after", 0, "continue after this line")
	f.IntVar(&q.Limit, "limit", 50, "how many to show, at most 1000")
	return cmd
}

func (p *program) showPlanSteps(ctx context.Context, b *bridge, id identity.PlanID, q provisioning.StepQuery) error {
	plan, err := b.people.Plan(ctx, identity.Operator(), id)
	if err != nil {
		return err
	}
	page, err := b.people.PlanSteps(ctx, identity.Operator(), id, q)
	if err != nil {
		return err
	}
	v := importView{planSummaryView: viewPlanSummary(plan), Steps: viewSteps(page.Items), More: page.More}
	return p.show(v, func(w io.Writer) {
		describePlan(w, plan)
		printSteps(w, v.Steps)
		if page.More {
			more(w, true, strconv.Itoa(v.Steps[len(v.Steps)-1].Line))
		}
		adviseImport(w, plan)
	})
}

func (p *program) importApply() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "apply PLAN",
		Short: "Carry an import out exactly as planned, or go on with one that was broken off",
		Long: `Carries an import out exactly as planned. Somebody who was changed since the plan was made is left alone: their step is computed again and waits for the
next apply. Ctrl-C stops between two steps, and apply goes on where it stopped.`,
		Example: `  drawbridge import apply 0197a000-0000-7000-8000-000000000001
  drawbridge import apply 0197a000-0000-7000-8000-000000000001 --reason "the branch was closed"`,
		Args: cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error { return p.applyImport(ctx, b, identity.PlanID(args[0]), reason) })
		}),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why a plan that is held is right all the same")
	return cmd
}

func (p *program) importRevert() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:     "revert PLAN",
		Short:   "Undo an import for everybody whom nobody has changed since",
		Example: "  drawbridge import revert 0197a000-0000-7000-8000-000000000001 --yes",
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error { return p.revertImport(ctx, b, identity.PlanID(args[0]), yes) })
		}),
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func (p *program) revertImport(ctx context.Context, b *bridge, id identity.PlanID, yes bool) error {
	plan, err := b.people.Plan(ctx, identity.Operator(), id)
	if err != nil {
		return err
	}
	question := fmt.Sprintf("Undo %d steps of %s? People whom it created are deleted.", plan.Summary.Done, clean(plan.FileName))
	if !yes && !p.json && p.asks() && !p.confirm(question) {
		return identity.Errorf(identity.Precondition, "Nothing was undone. Answer y, or repeat with --yes.")
	}
	line := p.progress()
	plan, err = b.people.RevertPlan(ctx, identity.Operator(), id, func(n provisioning.PlanProgress) { line.say("%d undone, %d kept", n.Done, n.Changed) })
	line.end()
	if err != nil {
		return err
	}
	return p.showImport(ctx, b, plan, maxList, true)
}

func (p *program) importDrop() *cobra.Command {
	return &cobra.Command{
		Use:     "drop PLAN",
		Short:   "Throw an import away with what it keeps; it cannot be applied or undone any more",
		Example: "  drawbridge import drop 0197a000-0000-7000-8000-000000000001",
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.with(ctx, func(b *bridge) error {
				if err := b.people.DropPlan(ctx, identity.Operator(), identity.PlanID(args[0])); err != nil {
					return err
				}
				return p.show(map[string]string{"dropped": args[0]}, func(w io.Writer) { fmt.Fprintln(w, "Thrown away.") })
			})
		}),
	}
}

func (p *program) importBackup() *cobra.Command {
	var o outFile
	cmd := &cobra.Command{
		Use:     "backup PLAN",
		Short:   "Write the people whom an import changed as they were before, in a file that can be imported",
		Example: "  drawbridge import backup 0197a000-0000-7000-8000-000000000001 --out before.csv",
		Args:    cobra.ExactArgs(1),
		RunE: p.do(func(ctx context.Context, args []string) error {
			return p.export(ctx, "import backup", o, func(b *bridge, f sheets.Format, out io.Writer) (provisioning.Export, error) {
				return b.people.ExportBackup(ctx, identity.Operator(), identity.PlanID(args[0]), f, out)
			})
		}),
	}
	o.flags(cmd)
	return cmd
}
