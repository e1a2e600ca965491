package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// planHead is what a list says of a plan. The numbers are those of steps, whatever became of them.
type planHead struct {
	Plan       identity.PlanID   `json:"plan"`
	ID         identity.PlanID   `json:"id"` // the same
	Kind       identity.PlanKind `json:"kind"`
	File       string            `json:"file,omitempty"`
	Source     string            `json:"source"`
	TenantID   identity.TenantID `json:"tenant_id,omitempty"`
	State      string            `json:"state"`
	Create     int               `json:"create"`
	Update     int               `json:"update"`
	Deactivate int               `json:"deactivate"`
	Restore    int               `json:"restore"`
	Move       int               `json:"move"`
	Skip       int               `json:"skip"`
	Conflict   int               `json:"conflict"`
	Holds      []string          `json:"holds,omitempty"` // why it is, or was, held

	Summary     identity.PlanSummary `json:"summary"`
	Options     identity.PlanOptions `json:"options"`
	CreatedBy   string               `json:"created_by"`
	CreatedAt   time.Time            `json:"created_at"`
	AppliedAt   *time.Time           `json:"applied_at,omitempty"`
	RevertedAt  *time.Time           `json:"reverted_at,omitempty"`
	ParentID    identity.PlanID      `json:"undoes,omitempty"`
	DirectoryID identity.DirectoryID `json:"directory_id,omitempty"`
	DecidedBy   string               `json:"decided_by,omitempty"`
	DecidedAt   *time.Time           `json:"decided_at,omitempty"`
	Reason      string               `json:"reason,omitempty"`
	Stopping    bool                 `json:"stopping,omitempty"`
}

func viewPlanHead(p identity.Plan) planHead {
	s := p.Summary
	return planHead{
		Plan: p.ID, ID: p.ID, Kind: p.Kind, File: p.FileName, Source: p.Source, TenantID: p.TenantID, State: string(p.State),
		Create: s.Create, Update: s.Update, Deactivate: s.Deactivate, Restore: s.Restore, Move: s.Move, Skip: s.Skip, Conflict: s.Conflict, Holds: s.Holds,
		Summary: s, Options: p.Options, CreatedBy: p.CreatedBy, CreatedAt: p.CreatedAt, AppliedAt: p.AppliedAt, RevertedAt: p.RevertedAt,
		ParentID: p.ParentID, DirectoryID: p.DirectoryID, DecidedBy: p.DecidedBy, DecidedAt: p.DecidedAt, Reason: p.Reason, Stopping: p.Stopping,
	}
}

// planView is a plan with what is wrong in it, and some of its steps.
type planView struct {
	planHead
	Errors     []planErrorView `json:"errors"`                // rows that cannot be used, and steps that were refused
	MoreErrors bool            `json:"more_errors,omitempty"` // than are shown
	Steps      []planStepView  `json:"steps"`
	More       bool            `json:"more,omitempty"` // there are steps that are not shown
}

// planErrorView is a row that cannot be used, or was refused.
type planErrorView struct {
	Line    int    `json:"line"`
	Field   string `json:"field"`
	Message string `json:"message"`
	Code    string `json:"code,omitempty"`
}

type planStepView struct {
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

func viewPlanSteps(steps []provisioning.PlanStepView) []planStepView {
	out := make([]planStepView, len(steps))
	for i, s := range steps {
		out[i] = planStepView{s.Line, s.Action, s.State, s.UserID, s.Who, s.Detail, s.Field, s.Code, s.Changes, nil}
		if s.Mail != nil {
			m := viewMail(*s.Mail)
			out[i].Mail = &m
		}
	}
	return out
}

// viewPlan reads what a plan says: its errors, and the steps of some queries.
func (b *bridge) viewPlan(ctx context.Context, plan identity.Plan, steps ...provisioning.StepQuery) (planView, error) {
	v := planView{planHead: viewPlanHead(plan), Errors: []planErrorView{}, Steps: []planStepView{}}
	wrong := []provisioning.StepQuery{{Actions: []identity.PlanAction{identity.StepError}, Limit: maxList}, {States: []identity.StepState{identity.StepFailed}, Limit: maxList}}
	for _, q := range wrong {
		page, err := b.people.PlanSteps(ctx, identity.Operator(), plan.ID, q)
		if err != nil {
			return v, err
		}
		for _, s := range page.Items {
			v.Errors = append(v.Errors, planErrorView{s.Line, s.Field, s.Detail, s.Code})
		}
		v.MoreErrors = v.MoreErrors || page.More
	}
	for _, q := range steps {
		page, err := b.people.PlanSteps(ctx, identity.Operator(), plan.ID, q)
		if err != nil {
			return v, err
		}
		v.Steps, v.More = append(v.Steps, viewPlanSteps(page.Items)...), v.More || page.More
	}
	return v, nil
}

// showPlan prints a plan: what would happen, or what happened. The last words say what to do next.
func (p *program) showPlan(ctx context.Context, b *bridge, plan identity.Plan, limit int, last bool) error {
	v, err := b.viewPlan(ctx, plan, shownSteps(plan, limit)...)
	if err != nil {
		return err
	}
	return p.show(v, func(w io.Writer) {
		describePlan(w, plan)
		printSteps(w, v.Steps)
		if v.More {
			fmt.Fprintf(w, "There are more: drawbridge plan show %s --limit 1000\n", plan.ID)
		}
		if last {
			advisePlan(w, plan)
		}
	})
}

// shownSteps are the steps that say most about a plan in its state.
func shownSteps(plan identity.Plan, limit int) []provisioning.StepQuery {
	if plan.AppliedAt != nil {
		return []provisioning.StepQuery{{States: []identity.StepState{identity.StepFailed, identity.StepChanged, identity.StepKept}, Limit: limit}}
	}
	var out []provisioning.StepQuery
	for _, action := range []identity.PlanAction{
		identity.StepError, identity.StepConflict, identity.StepDeactivate, identity.StepMove, identity.StepRestore, identity.StepUpdate, identity.StepCreate,
	} {
		out = append(out, provisioning.StepQuery{Actions: []identity.PlanAction{action}, Limit: limit})
	}
	return out
}

func describePlan(w io.Writer, plan identity.Plan) {
	s := plan.Summary
	parts := []string{planTitle(plan)}
	if s.Form != "" {
		parts = append(parts, clean(s.Form))
	}
	fmt.Fprintf(w, "%s, %d rows, source %s\n", strings.Join(parts, ", "), s.Rows, clean(plan.Source))
	fmt.Fprintf(w, "%d to create, %d to change, %d to keep out, ", s.Create, s.Update, s.Deactivate)
	for _, n := range []struct {
		count int
		what  string
	}{{s.Restore, "to let in again"}, {s.Move, "to move"}, {s.Conflict, "to be decided"}} {
		if n.count > 0 {
			fmt.Fprintf(w, "%d %s, ", n.count, n.what)
		}
	}
	fmt.Fprintf(w, "%d the same, %d that cannot be used\n", s.Skip, s.Errors)
	if plan.AppliedAt != nil {
		fmt.Fprintf(w, "%d done, %d refused, %d changed meanwhile, %d undone\n", s.Done, s.Failed, s.Changed, s.Reverted)
	}
}

// planTitle names a plan for people.
func planTitle(plan identity.Plan) string {
	switch {
	case plan.Kind == identity.PlanUndo:
		return "undo of " + string(plan.ParentID)
	case plan.FileName == "":
		return string(plan.Kind)
	}
	return clean(plan.FileName)
}

// advisePlan says what to do next.
func advisePlan(w io.Writer, plan identity.Plan) {
	switch {
	case plan.State == identity.PlanHeld:
		fmt.Fprintln(w, "It is held. "+clean(strings.Join(plan.Summary.Holds, " ")))
		fmt.Fprintf(w, "Nothing was changed. If it is right all the same: drawbridge plan approve %s --reason \"…\"; if not: drawbridge plan reject %s\n", plan.ID, plan.ID)
	case plan.State == identity.PlanRejected:
		fmt.Fprintf(w, "It was rejected by %s: %s Nothing was changed.\n", clean(plan.DecidedBy), clean(plan.Reason))
	case plan.State == identity.PlanReady && plan.Summary.Changed > 0:
		fmt.Fprintf(w, "Some people were changed meanwhile; their steps were computed again. Look at them above, then: drawbridge plan apply %s\n", plan.ID)
	case plan.State == identity.PlanReady && plan.AppliedAt != nil:
		fmt.Fprintf(w, "It is not done yet. To go on: drawbridge plan apply %s\n", plan.ID)
	case plan.State == identity.PlanReady:
		fmt.Fprintf(w, "Nothing was changed. To carry it out: drawbridge plan apply %s\n", plan.ID)
	case plan.State == identity.PlanDone:
		fmt.Fprintf(w, "To undo it: drawbridge plan undo %s\n", plan.ID)
	}
}

func printSteps(w io.Writer, steps []planStepView) {
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
func stepText(s planStepView) string {
	if s.Detail != "" && (len(s.Changes) == 0 || s.State == identity.StepFailed || s.State == identity.StepChanged) {
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
