package provisioning_test

import (
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// planUndo makes the plan that undoes another.
func (h *house) planUndo(id identity.PlanID) identity.Plan {
	h.t.Helper()
	return must[identity.Plan](h.t)(h.UndoPlan(h.ctx, h.op, id, provisioning.UndoOptions{}))
}

// undo undoes a plan.
func (h *house) undo(id identity.PlanID) identity.Plan {
	h.t.Helper()
	return must[identity.Plan](h.t)(h.ApplyPlan(h.ctx, h.op, h.planUndo(id).ID, provisioning.ApplyOptions{Override: "it was wrong"}))
}

// undoPeople is everybody as a table has them, without what each change leaves.
func (h *house) undoPeople() string {
	h.t.Helper()
	var out []string
	for _, row := range cells(h.t, []byte(h.guardPeople())) {
		out = append(out, strings.Join([]string{row["id"], row["userName"], row["email"], row["displayName"], row["givenName"], row["title"], row["role"], row["active"], row["state"]}, " | "))
	}
	return strings.Join(out, "\n")
}

func TestAnUndoIsAPlan(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		boss := h.as(h.userIn(acme.ID, "boss@acme.test", "administrator").ID)
		o := provisioning.ImportOptions{Tenant: acme.ID, Source: "hr"}
		h.bring(o, "email,displayName,title,role", "ada@acme.test,Ada,One,editor", "bob@acme.test,Bob,One,viewer", "cid@acme.test,Cid,One,viewer")
		p := h.bring(o, "email,title,role,active,displayName", "ada@acme.test,Two,viewer,yes,", "bob@acme.test,Two,,no,", "dan@acme.test,Two,editor,,Dan")
		after := h.undoPeople()
		t.Run("FSM-54 it says person by person what would be put back, and writes nothing but the plan", func(t *testing.T) {
			undo := must[identity.Plan](t)(h.UndoPlan(h.ctx, boss, p.ID, provisioning.UndoOptions{}))
			if undo.Kind != identity.PlanUndo || undo.ParentID != p.ID || undo.State != identity.PlanReady || undo.TenantID != acme.ID || undo.CreatedBy != boss.Label {
				t.Errorf("%+v", undo)
			}
			if s := undo.Summary; s.Deactivate != 1 || s.Restore != 1 || s.Update != 1 || s.Rows != 3 {
				t.Errorf("%+v", s)
			}
			h.wantSteps(t, undo.ID, "1 deactivate open Dan", "2 restore open Bob", "3 update open Ada")
			ada := h.planSteps(undo.ID)[2].Changes
			want := "[{role viewer editor} {title Two One}]"
			if got := undoText(ada); got != want {
				t.Errorf("%s, want %s", got, want)
			}
			if h.undoPeople() != after {
				t.Error("somebody changed")
			}
			h.ok(h.DropPlan(h.ctx, h.op, undo.ID))
		})
		t.Run("FSM-54 who is changed after that is kept, with the reason", func(t *testing.T) {
			undo := h.planUndo(p.ID)
			h.ok(h.rename(h.known("ada@acme.test").ID, "ada2@acme.test"))
			done := h.apply(undo.ID)
			if done.State != identity.PlanDone || done.Summary.Done != 2 {
				t.Errorf("%+v", done)
			}
			h.wantSteps(t, undo.ID, "1 deactivate done Dan", "2 restore done Bob", "3 update kept Ada: : Ada was changed since; nothing was undone.")
			if u := h.known("ada2@acme.test"); h.roles(u.ID) != "viewer " {
				t.Error("somebody else's change was overwritten")
			}
			h.ok(h.rename(h.known("ada2@acme.test").ID, "ada@acme.test"))
			again := h.undo(undo.ID)
			if again.State != identity.PlanDone || again.Summary.Done != 2 {
				t.Errorf("%+v\n%s", again, strings.Join(h.steps(again.ID), "\n"))
			}
			if got := h.undoPeople(); got != after {
				t.Errorf("undoing the undo:\n%s\nwant\n%s", got, after)
			}
		})
		t.Run("FSM-54 an undo is undone, and that again, and everybody is what they were each time", func(t *testing.T) {
			p := h.bring(o, "email,title,role,active,displayName", "cid@acme.test,Three,editor,,Cid C", "eve@acme.test,Two,viewer,,Eve", "ada@acme.test,Three,viewer,no,")
			after, first := h.undoPeople(), p
			for range 2 {
				p = h.undo(p.ID)
				if h.undoPeople() == after {
					t.Fatal("nothing was undone")
				}
				if strings.Contains(h.undoPeople(), "eve@") {
					t.Error("whom the plan created is still there")
				}
				p = h.undo(p.ID)
				if got := h.undoPeople(); got != after {
					t.Fatalf("undoing the undo:\n%s\nwant\n%s", got, after)
				}
			}
			if state := must[identity.Plan](t)(h.Plan(h.ctx, h.op, first.ID)).State; state != identity.PlanUndone {
				t.Error(state)
			}
		})
		t.Run("there is nothing to undo of a plan that was not carried out, or is undone already, or that another tenant has", func(t *testing.T) {
			_, err := h.UndoPlan(h.ctx, h.op, h.plan(o, "email,title", "cid@acme.test,Nine").ID, provisioning.UndoOptions{})
			wantKind(t, err, identity.Precondition, "plan_state")
			gone := h.bring(o, "email,title", "cid@acme.test,Ten")
			h.undo(gone.ID)
			_, err = h.UndoPlan(h.ctx, h.op, gone.ID, provisioning.UndoOptions{})
			wantKind(t, err, identity.Precondition, "plan_state")
			other := h.as(h.userIn(h.tenant("Beta").ID, "boss@beta.test", "administrator").ID)
			_, err = h.UndoPlan(h.ctx, other, p.ID, provisioning.UndoOptions{})
			wantKind(t, err, identity.NotFound, "")
		})
		t.Run("an undo of people whom it created is not held, one that keeps others out is", func(t *testing.T) {
			many := h.bring(provisioning.ImportOptions{Tenant: acme.ID, Source: "many"}, guardFile(30)...)
			undo := h.planUndo(many.ID)
			if undo.State != identity.PlanReady || undo.Summary.Deactivate != 30 {
				t.Errorf("%+v", undo)
			}
			h.ok(h.DropPlan(h.ctx, h.op, undo.ID))
			lines := []string{"email,active"}
			for _, line := range guardFile(30)[1:] {
				lines = append(lines, strings.Split(line, ",")[1]+",no")
			}
			out := must[identity.Plan](t)(h.ApplyPlan(h.ctx, h.op, h.plan(o, lines...).ID, provisioning.ApplyOptions{Override: "all of them"}))
			in := h.undo(out.ID)
			if undo := h.planUndo(in.ID); undo.State != identity.PlanHeld || !strings.Contains(undo.Summary.Holds[0], "30 of") {
				t.Errorf("%+v", undo)
			}
		})
	})
}

func undoText(changes []identity.Change) string {
	var parts []string
	for _, c := range changes {
		parts = append(parts, strings.TrimSpace(strings.Join([]string{"{" + c.Field, undoCell(c.Before), undoCell(c.After) + "}"}, " ")))
	}
	return "[" + strings.Join(parts, " ") + "]"
}

func undoCell(v any) string {
	s, _ := v.(string)
	return s
}
