package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestSourcesAndPlansAtTheCommandLine(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		sh.must("tenant", "create", "Acme")
		t.Run("FSM-49 a source is set by flags, shown as a file, and set from it", func(t *testing.T) {
			var v sourceView
			sh.json(&v, "source", "set", "hr", "--tenant", "Acme", "--full", "--guard-most", "25", "--welcome", "none", "--role", "Viewer", "--map", "Mail=email", "--pattern", "people-*.csv")
			if s := v.Settings; !s.Missing || s.Guards.Most != 25 || s.Welcome != identity.WelcomeNone || s.Role != "viewer" || s.Mapping["Mail"] != "email" {
				t.Fatalf("%+v", v)
			}
			shown := sh.must("source", "show", "hr", "--tenant", "Acme")
			name := filepath.Join(t.TempDir(), "hr.json")
			if err := os.WriteFile(name, []byte(strings.Replace(shown, "25", "7", 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			sh.must("source", "set", "hr", "--tenant", "Acme", "--file", name, "--reason", "smaller")
			sh.json(&v, "source", "show", "hr", "--tenant", "Acme")
			if v.Settings.Guards.Most != 7 || v.Settings.Pattern != "people-*.csv" {
				t.Errorf("%+v", v)
			}
			var list listView[sourceView]
			sh.json(&list, "source", "list")
			if len(list.Items) != 1 || list.Items[0].Tenant != "Acme" {
				t.Errorf("%+v", list)
			}
			sh.refused(1, []string{"no settings"}, "source", "set", "hr", "--file", peopleFile(t, `{"shoe": 1}`))
			sh.refused(1, []string{"no such source"}, "source", "show", "none")
		})
		lines := []string{"Mail,displayName"}
		for _, n := range strings.Fields("a b c d e f g h i j k l m n o p") {
			lines = append(lines, n+"@acme.test,"+strings.ToUpper(n))
		}
		var plan planView
		t.Run("FSM-50 a plan that is held is approved or rejected, and says so in every form", func(t *testing.T) {
			sh.json(&plan, "import", peopleFile(t, lines...), "--tenant", "Acme", "--source", "hr")
			sh.must("plan", "apply", string(plan.ID))
			half := peopleFile(t, lines[:6]...)
			sh.json(&plan, "import", half, "--tenant", "Acme", "--source", "hr")
			if plan.State != "held" || plan.Plan != plan.ID || plan.Deactivate != 11 || plan.Skip != 5 || len(plan.Holds) == 0 || plan.Errors == nil {
				t.Fatalf("%+v", plan)
			}
			sh.refused(3, []string{"held"}, "plan", "apply", string(plan.ID))
			if out := sh.must("plan", "reject", string(plan.ID), "--reason", "half is missing"); !strings.Contains(out, "rejected by operator: half is missing") {
				t.Error(out)
			}
			sh.json(&plan, "import", half, "--tenant", "Acme", "--source", "hr")
			sh.json(&plan, "plan", "approve", string(plan.ID), "--reason", "a branch was closed", "--apply")
			if plan.State != "applied" || plan.Reason != "a branch was closed" || plan.DecidedBy != "operator" {
				t.Errorf("%+v", plan)
			}
			var list listView[planHead]
			sh.json(&list, "plan", "list", "--state", "rejected", "--source", "hr", "--kind", "import", "--tenant", "Acme")
			if len(list.Items) != 1 || list.Items[0].Deactivate != 11 {
				t.Errorf("%+v", list)
			}
			sh.refused(2, []string{"--state"}, "plan", "list", "--state", "shiny")
			sh.refused(1, []string{"can be stopped"}, "plan", "stop", string(plan.ID))
		})
		t.Run("FSM-54 undo is a plan that is shown first and can be undone", func(t *testing.T) {
			var undo planView
			sh.json(&undo, "plan", "undo", string(plan.ID), "--dry-run")
			if undo.State != "planned" || undo.Kind != identity.PlanUndo || undo.ParentID != plan.ID || undo.Restore != 11 || len(undo.Steps) != 11 {
				t.Fatalf("%+v", undo)
			}
			sh.json(&undo, "plan", "undo", string(plan.ID), "--yes")
			if undo.State != "applied" || undo.Summary.Done != 11 {
				t.Errorf("%+v", undo)
			}
			sh.json(&plan, "plan", "show", string(plan.ID), "--state", "reverted", "--limit", "3")
			if plan.State != "undone" || len(plan.Steps) != 3 || !plan.More {
				t.Errorf("%+v", plan)
			}
			sh.json(&undo, "plan", "undo", string(undo.ID), "--yes", "--reason", "it was right after all")
			if undo.State != "applied" || undo.Deactivate != 11 {
				t.Errorf("%+v", undo)
			}
		})
		sh.must("source", "delete", "hr", "--tenant", "Acme", "--yes")
		sh.refused(1, []string{"no such source"}, "source", "show", "hr", "--tenant", "Acme")
	})
}
