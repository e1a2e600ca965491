package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// importResult is what import and sync print with --json.
type importResult struct {
	Plan       identity.PlanID    `json:"plan"`
	State      identity.PlanState `json:"state"`
	Create     int                `json:"create"`
	Update     int                `json:"update"`
	Deactivate int                `json:"deactivate"`
	Restore    int                `json:"restore"`
	Move       int                `json:"move"`
	Roles      int                `json:"roles"`
	Skip       int                `json:"skip"`
	Conflict   int                `json:"conflict"`
	Errors     []importProblem    `json:"errors"`
	More       bool               `json:"more_errors,omitempty"` // there are more than are listed
	Rows       int                `json:"rows"`
	Done       int                `json:"done"`
	Failed     int                `json:"failed"`
	Changed    int                `json:"changed"`
	Holds      []string           `json:"holds,omitempty"`
	File       string             `json:"file"`
	Form       string             `json:"form"`
	SHA256     string             `json:"sha256"`
	Source     string             `json:"source"`
	TenantID   identity.TenantID  `json:"tenant_id,omitempty"`
	Steps      []importStepView   `json:"steps,omitempty"`
}

// importProblem is a row that was not taken, with the reason.
type importProblem struct {
	Line    int    `json:"line"`
	Field   string `json:"field"`
	Message string `json:"message"`
	Code    string `json:"code,omitempty"`
	Who     string `json:"who,omitempty"`
}

// result counts a plan and lists the rows that were not taken, at most maxList of them.
func (b *bridge) result(ctx context.Context, plan identity.Plan) (importResult, error) {
	s := plan.Summary
	out := importResult{
		Plan: plan.ID, State: plan.State, Create: s.Create, Update: s.Update, Deactivate: s.Deactivate, Restore: s.Restore, Move: s.Move, Roles: s.Roles, Skip: s.Skip,
		Conflict: s.Conflict, Errors: []importProblem{}, Rows: s.Rows, Done: s.Done, Failed: s.Failed, Changed: s.Changed, Holds: s.Holds,
		File: plan.FileName, Form: s.Form, SHA256: s.SHA256, Source: plan.Source, TenantID: plan.TenantID,
	}
	for _, q := range []provisioning.StepQuery{
		{Actions: []identity.PlanAction{identity.StepError}, Limit: maxList},
		{Actions: []identity.PlanAction{identity.StepConflict}, Limit: maxList},
		{States: []identity.StepState{identity.StepFailed}, Limit: maxList},
	} {
		page, err := b.people.PlanSteps(ctx, identity.Operator(), plan.ID, q)
		if err != nil {
			return out, err
		}
		for _, step := range page.Items {
			out.Errors = append(out.Errors, importProblem{step.Line, step.Field, step.Detail, step.Code, step.Who})
		}
		out.More = out.More || page.More
	}
	return out, nil
}

// showImport prints a plan: what would happen, or what happened.
func (p *program) showImport(ctx context.Context, b *bridge, plan identity.Plan, limit int, last bool) error {
	v, err := b.result(ctx, plan)
	if err != nil {
		return err
	}
	more := false
	for _, kind := range shownSteps(plan) {
		kind.Limit = limit
		page, err := b.people.PlanSteps(ctx, identity.Operator(), plan.ID, kind)
		if err != nil {
			return err
		}
		v.Steps, more = append(v.Steps, viewSteps(page.Items)...), more || page.More
	}
	return p.show(v, func(w io.Writer) {
		describePlan(w, plan)
		printSteps(w, v.Steps)
		if more {
			fmt.Fprintf(w, "There are more: drawbridge import show %s --limit 1000\n", plan.ID)
		}
		if last {
			adviseImport(w, plan)
		}
	})
}

// shownSteps are the steps that say most about a plan in its state.
func shownSteps(plan identity.Plan) []provisioning.StepQuery {
	if plan.AppliedAt != nil {
		return []provisioning.StepQuery{{States: []identity.StepState{identity.StepFailed, identity.StepChanged, identity.StepKept}}}
	}
	out := make([]provisioning.StepQuery, 0, 7)
	for _, action := range []identity.PlanAction{
		identity.StepError, identity.StepConflict, identity.StepDeactivate, identity.StepRestore, identity.StepMove, identity.StepUpdate, identity.StepCreate,
	} {
		out = append(out, provisioning.StepQuery{Actions: []identity.PlanAction{action}})
	}
	return out
}

func describePlan(w io.Writer, plan identity.Plan) {
	s := plan.Summary
	fmt.Fprintf(w, "%s, %s, %d rows, source %s\n", clean(plan.FileName), clean(s.Form), s.Rows, clean(plan.Source))
	parts := []string{fmt.Sprintf("%d to create, %d to change, %d to keep out", s.Create, s.Update, s.Deactivate)}
	for _, n := range []struct {
		count int
		what  string
	}{{s.Restore, "to bring back"}, {s.Move, "to move"}, {s.Conflict, "to be decided"}} {
		if n.count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n.count, n.what))
		}
	}
	fmt.Fprintf(w, "%s, %d the same, %d that cannot be used\n", strings.Join(parts, ", "), s.Skip, s.Errors)
	if plan.AppliedAt != nil {
		fmt.Fprintf(w, "%d done, %d refused, %d changed meanwhile, %d undone\n", s.Done, s.Failed, s.Changed, s.Reverted)
	}
}

// holdsText is why a plan is held, in one line.
func holdsText(plan identity.Plan) string { return clean(strings.Join(plan.Summary.Holds, " ")) }

// adviseImport says what to do next.
func adviseImport(w io.Writer, plan identity.Plan) {
	switch {
	case plan.State == identity.PlanHeld:
		fmt.Fprintln(w, "It is held. "+holdsText(plan))
		fmt.Fprintf(w, "Nothing was changed. If it is right all the same: drawbridge import apply %s --reason \"…\"\n", plan.ID)
	case plan.State == identity.PlanReady && plan.AppliedAt != nil:
		fmt.Fprintf(w, "Some people were changed meanwhile; their steps were computed again. Look at them above, then: drawbridge import apply %s\n", plan.ID)
	case plan.State == identity.PlanReady:
		fmt.Fprintf(w, "Nothing was changed. To carry it out: drawbridge import apply %s\n", plan.ID)
	case plan.State == identity.PlanDone:
		fmt.Fprintf(w, "To undo it: drawbridge import revert %s\n", plan.ID)
	}
}
