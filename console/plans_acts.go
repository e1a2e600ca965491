package console

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// planAct is something that can be done with a plan: a question first, which says what will happen and to how many, then the act, which returns the next page.
type planAct struct {
	ask func(p identity.Plan) confirmBody
	act func(ctx context.Context, v visit, p identity.Plan, reason string) (string, error)
}

func (d *Door) planActs() map[string]planAct {
	return map[string]planAct{
		"apply":   {ask: askApply, act: d.applyPlan},
		"approve": {ask: askApprove, act: d.approvePlan},
		"reject":  {ask: askReject, act: d.rejectPlan},
		"stop":    {ask: askStop, act: d.stopPlan},
		"undo":    {ask: askUndo, act: d.undoPlan},
		"drop":    {ask: askDrop, act: d.dropPlan},
	}
}

// asksPlan shows the question.
func (d *Door) asksPlan(a planAct) page {
	return func(w http.ResponseWriter, r *http.Request, v visit) error {
		p, err := d.pathPlan(r, v)
		if err != nil {
			return err
		}
		return d.confirm(w, r, v, "imports", a.ask(p))
	}
}

// actsPlan does it. What is refused is said beside the same question, about the plan as it is now.
func (d *Door) actsPlan(a planAct) page {
	return func(w http.ResponseWriter, r *http.Request, v visit) error {
		f, err := readForm(w, r, "reason")
		if err != nil {
			return err
		}
		p, err := d.pathPlan(r, v)
		if err != nil {
			return err
		}
		to, err := a.act(r.Context(), v, p, f.Value("reason"))
		if err == nil {
			http.Redirect(w, r, to, http.StatusSeeOther)
			return nil
		}
		if !f.refused(err) {
			return err
		}
		if f.Problem.Field == "override" {
			again := *f.Problem
			again.Field = "reason"
			f.Problem = &again
		}
		if p, err = d.pathPlan(r, v); err != nil {
			return err
		}
		body := a.ask(p)
		body.Form = f
		return d.confirm(w, r, v, "imports", body)
	}
}

// aboutPlan starts a question about a plan.
func aboutPlan(p identity.Plan, act string) confirmBody {
	at := plansPath + string(p.ID)
	return confirmBody{Who: planTitle(p) + ", source " + p.Source, Action: at + "/" + act, Back: at}
}

// planFacts say what a plan will do, one sentence for each kind of change.
func planFacts(p identity.Plan) []string {
	var out []string
	add := func(n int, one, many string) {
		if n > 0 {
			out = append(out, count(n, one, many))
		}
	}
	s := p.Summary
	add(s.Create, "person is created.", "people are created.")
	add(s.Update, "person is changed.", "people are changed.")
	add(s.Deactivate, "person may no longer come in; their sessions end.", "people may no longer come in; their sessions end.")
	add(s.Restore, "person may come in again.", "people may come in again.")
	add(s.Move, "person goes to another tenant.", "people go to another tenant.")
	if n := s.Errors + s.Conflict; n > 0 {
		out = append(out, count(n, "row is left out: it cannot be used, or somebody has to decide.", "rows are left out: they cannot be used, or somebody has to decide."))
	}
	return out
}

func askApply(p identity.Plan) confirmBody {
	c := aboutPlan(p, "apply")
	c.Title, c.Button, c.Facts = "Apply this plan to "+count(planned(p), "person", "people")+"?", "Apply to "+count(planned(p), "person", "people"), planFacts(p)
	c.Danger = p.Summary.Deactivate > 0
	switch p.Options.Welcome {
	case identity.WelcomeInvite:
		c.Facts = append(c.Facts, "New people get a mail with a link to set their password.")
	case identity.WelcomePassword:
		c.Facts = append(c.Facts, "New people get a mail with a password for the first sign-in.")
	}
	if p.State == identity.PlanHeld {
		c.Facts = append([]string{"It is held. " + strings.Join(p.Summary.Holds, " ")}, c.Facts...)
		c.Reason, c.Danger = true, true
	}
	c.Facts = append(c.Facts, "Exactly this is done. Whoever was changed meanwhile is left alone, and it can be undone for 90 days.")
	return c
}

func (d *Door) applyPlan(ctx context.Context, v visit, p identity.Plan, reason string) (string, error) {
	_, err := d.prov.StartPlan(ctx, v.Actor, p.ID, provisioning.ApplyOptions{Override: reason})
	return plansPath + string(p.ID), err
}

func askApprove(p identity.Plan) confirmBody {
	c := aboutPlan(p, "approve")
	c.Title, c.Button, c.Reason = "Approve this plan, although it is held?", "Approve it", true
	c.Facts = append(slices.Clone(p.Summary.Holds), planFacts(p)...)
	c.Facts = append(c.Facts, "Approving does nothing to anybody: the plan is applied in a step of its own.")
	return c
}

func (d *Door) approvePlan(ctx context.Context, v visit, p identity.Plan, reason string) (string, error) {
	_, err := d.prov.ApprovePlan(ctx, v.Actor, p.ID, reason)
	return plansPath + string(p.ID) + "?done=plan-approved", err
}

func askReject(p identity.Plan) confirmBody {
	c := aboutPlan(p, "reject")
	c.Title, c.Button, c.Danger, c.Reason = "Reject this plan?", "Reject it", true, true
	c.Facts = []string{"It is never applied, or no further. It stays in the list with your reason.", "Whoever made it can make a new one."}
	return c
}

func (d *Door) rejectPlan(ctx context.Context, v visit, p identity.Plan, reason string) (string, error) {
	_, err := d.prov.RejectPlan(ctx, v.Actor, p.ID, reason)
	return plansPath + string(p.ID) + "?done=plan-rejected", err
}

func askStop(p identity.Plan) confirmBody {
	c := aboutPlan(p, "stop")
	c.Title, c.Button, c.Danger = "Stop applying this plan?", "Stop it", true
	c.Facts = []string{
		"It ends after the rows that are being worked on now. What was done stays done, each row whole.",
		"You can apply the rest later, or undo what was done.",
	}
	return c
}

func (d *Door) stopPlan(ctx context.Context, v visit, p identity.Plan, _ string) (string, error) {
	_, err := d.prov.StopPlan(ctx, v.Actor, p.ID)
	return plansPath + string(p.ID), err
}

func askUndo(p identity.Plan) confirmBody {
	c := aboutPlan(p, "undo")
	n := p.Summary.Done - p.Summary.Reverted
	c.Title, c.Button, c.Danger = "Undo what this plan did to "+count(n, "person", "people")+"?", "Undo it", true
	c.Facts = []string{
		"Fields, roles and places are put back as they were before.",
		"People whom the plan created and who have not signed in are deleted.",
		"Whoever was changed since is kept as they are. Mails that were sent stay sent.",
		"It becomes a plan of its own, which is applied at once unless a guard holds it, and can be undone itself.",
	}
	return c
}

func (d *Door) undoPlan(ctx context.Context, v visit, p identity.Plan, _ string) (string, error) {
	undo, err := d.prov.UndoPlan(ctx, v.Actor, p.ID, provisioning.UndoOptions{})
	if err == nil && undo.State == identity.PlanReady { // one that is held waits to be approved
		_, err = d.prov.StartPlan(ctx, v.Actor, undo.ID, provisioning.ApplyOptions{})
	}
	return plansPath + string(undo.ID), err
}

func askDrop(p identity.Plan) confirmBody {
	c := aboutPlan(p, "drop")
	c.Title, c.Button, c.Danger = "Throw this plan away?", "Throw it away", true
	c.Facts = []string{"The plan and all that it keeps are deleted."}
	if p.AppliedAt != nil {
		c.Facts = append(c.Facts, "What it changed stays, and cannot be undone from here any more.")
	} else {
		c.Facts = append(c.Facts, "Nobody was changed by it, and nobody will be.")
	}
	return c
}

func (d *Door) dropPlan(ctx context.Context, v visit, p identity.Plan, _ string) (string, error) {
	return importsPath + "?done=plan-dropped", d.prov.DropPlan(ctx, v.Actor, p.ID)
}
