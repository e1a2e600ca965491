package provisioning_test

import (
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

func TestAHeldPlanIsDecided(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		boss := h.as(h.userIn(acme.ID, "boss@acme.test", "administrator").ID)
		o := provisioning.ImportOptions{Tenant: acme.ID, Source: "hr"}
		lines := guardFile(20)
		h.bring(o, lines...)
		o.Missing = true
		held := func() identity.Plan { return h.plan(o, lines[:6]...) }
		t.Run("FSM-50 approving says why, changes nobody, and the plan is carried out then", func(t *testing.T) {
			p, before := held(), h.guardPeople()
			_, err := h.ApprovePlan(h.ctx, boss, p.ID, " ")
			wantKind(t, err, identity.Invalid, "reason_required")
			p = must[identity.Plan](t)(h.ApprovePlan(h.ctx, boss, p.ID, "the branch was closed"))
			if p.State != identity.PlanReady || p.DecidedBy != boss.Label || p.DecidedAt == nil || p.Reason != "the branch was closed" || len(p.Summary.Holds) == 0 {
				t.Fatalf("%+v", p)
			}
			if h.guardPeople() != before {
				t.Error("people changed by approving")
			}
			e := h.lastEvent(identity.PlanApproved)
			if e.Reason != "the branch was closed" || e.ActorLabel != boss.Label || change(e, "held").Before == nil {
				t.Errorf("%+v", e)
			}
			_, err = h.ApprovePlan(h.ctx, boss, p.ID, "again")
			wantKind(t, err, identity.Precondition, "plan_state")
			if done := h.apply(p.ID); done.State != identity.PlanDone || done.Summary.Done != 15 {
				t.Errorf("%+v", done)
			}
			h.undo(p.ID)
		})
		t.Run("FSM-50 a plan that is rejected is never carried out", func(t *testing.T) {
			p, before := held(), h.guardPeople()
			p = must[identity.Plan](t)(h.RejectPlan(h.ctx, boss, p.ID, "half of the file is missing"))
			if p.State != identity.PlanRejected || p.Reason != "half of the file is missing" || h.lastEvent(identity.PlanRefused).Reason != p.Reason {
				t.Fatalf("%+v", p)
			}
			for _, override := range []string{"", "all the same"} {
				_, err := h.ApplyPlan(h.ctx, h.op, p.ID, provisioning.ApplyOptions{Override: override})
				wantKind(t, err, identity.Precondition, "plan_state")
			}
			_, err := h.ApprovePlan(h.ctx, boss, p.ID, "no, it was right")
			wantKind(t, err, identity.Precondition, "plan_state")
			if h.guardPeople() != before {
				t.Error("people changed")
			}
		})
		t.Run("nobody else decides: not another tenant's administrator, not a viewer, not a directory", func(t *testing.T) {
			p := held()
			for by, kind := range map[*identity.Actor]identity.Kind{
				ptr(h.as(h.userIn(beta.ID, "boss@beta.test", "administrator").ID)): identity.NotFound,
				ptr(h.as(h.userIn(acme.ID, "plain@acme.test", "viewer").ID)):       identity.Forbidden,
				ptr(h.directory("Okta", acme.ID, identity.DialectOkta)):            identity.Forbidden,
			} {
				_, err := h.ApprovePlan(h.ctx, *by, p.ID, "why not")
				wantKind(t, err, kind, "")
				_, err = h.RejectPlan(h.ctx, *by, p.ID, "")
				wantKind(t, err, kind, "")
				_, err = h.StopPlan(h.ctx, *by, p.ID)
				wantKind(t, err, kind, "")
				_, err = h.UndoPlan(h.ctx, *by, p.ID, provisioning.UndoOptions{})
				wantKind(t, err, kind, "")
			}
		})
		t.Run("a plan that is being carried out stops between two steps, and goes on later", func(t *testing.T) {
			many := guardFile(130)
			h.bring(provisioning.ImportOptions{Tenant: beta.ID}, many...)
			titles := []string{"email,title"}
			for _, line := range many[1:] {
				titles = append(titles, strings.Split(line, ",")[1]+",Boss")
			}
			p := h.plan(provisioning.ImportOptions{Tenant: beta.ID}, titles...)
			_, err := h.StopPlan(h.ctx, boss, p.ID)
			wantKind(t, err, identity.NotFound, "")
			_, err = h.StopPlan(h.ctx, h.op, p.ID)
			wantKind(t, err, identity.Precondition, "plan_state")
			stop := func(provisioning.PlanProgress) {
				if now := must[identity.Plan](t)(h.StopPlan(h.ctx, h.op, p.ID)); !now.Stopping {
					t.Errorf("%+v", now)
				}
			}
			half, err := h.ApplyPlan(h.ctx, h.op, p.ID, provisioning.ApplyOptions{Progress: stop})
			wantKind(t, err, identity.Precondition, "plan_stopped")
			if half.State != identity.PlanReady || half.Summary.Done == 0 || half.Summary.Done == 130 || half.Stopping {
				t.Fatalf("%+v", half)
			}
			if done := h.apply(p.ID); done.State != identity.PlanDone || done.Summary.Done != 130 {
				t.Errorf("%+v", done)
			}
			waiting := h.plan(provisioning.ImportOptions{Tenant: beta.ID}, "email,title", "p01@acme.test,Guest")
			must[identity.Plan](t)(h.StartPlan(h.ctx, h.op, waiting.ID, provisioning.ApplyOptions{}))
			if now := must[identity.Plan](t)(h.StopPlan(h.ctx, h.op, waiting.ID)); now.State != identity.PlanReady || now.Stopping {
				t.Errorf("nobody works on it: %+v", now)
			}
		})
	})
}

func ptr[T any](v T) *T { return &v }
