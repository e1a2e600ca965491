package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/config"
)

// modelFile returns the preset etlworks as a file, with words replaced.
func modelFile(t *testing.T, replace ...string) string {
	t.Helper()
	m, err := access.Load("etlworks")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "model.yaml")
	if err := os.WriteFile(file, []byte(strings.NewReplacer(replace...).Replace(string(m.Source()))), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestAModelIsShownAsAMatrixInItsOwnWords(t *testing.T) {
	sh := newShell(t)
	out := sh.must("model", "show", "fluentpro-backup")
	for _, want := range []string{"Owner", "Use Credentials Manager", "View only", "onboarding.accept_button", "Complete"} {
		if !strings.Contains(out, want) {
			t.Errorf("the table does not show %q:\n%s", want, out)
		}
	}
	var v modelView
	sh.json(&v, "model", "show", "fluentpro-backup")
	for _, row := range v.Matrix {
		if row.Resource == "credentials" && (row.Cells["admin"] != "+" || row.Cells["viewer"] != "View only") || row.Resource == "restore" && row.Cells["viewer"] != "-" {
			t.Errorf("the row %+v", row)
		}
	}
	sh.json(&v, "model", "show")
	if v.Name != "etlworks" || v.Version != 1 || v.AppliedBy == "" || v.Rules["onboarding.invite_ttl"] != "72h" {
		t.Errorf("in force is %+v", v)
	}
}

func TestAModelFileIsCheckedWithLines(t *testing.T) {
	sh := newShell(t)
	if out := sh.must("model", "check", modelFile(t)); !strings.Contains(out, "is right: 13 resources, 6 roles.") {
		t.Errorf("got %s", out)
	}
	bad := modelFile(t, "identifier: email", "identifier: mail", "grants: {user_api: [call]", "grants: {user_api: [fly]")
	sh.refused(1, []string{"2 mistakes", "line 31: role api_user grants user_api: fly", "line 34: login: identifier"}, "model", "check", bad)
	sh.refused(1, []string{"presets are"}, "model", "check", "nothing-like-it")
}

func TestAModelIsComparedPlannedAndApplied(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		sh.must("user", "create", "--email", "root@example.com", "--role", "superadmin")
		sh.must("tenant", "create", "Acme")
		sh.must("user", "create", "--email", "vera@acme.example", "--role", "viewer", "--tenant", "Acme")
		sh.must("user", "create", "--email", "edda@acme.example", "--role", "editor", "--tenant", "Acme")
		if out := sh.must("model", "diff", "etlworks"); out != "They say the same.\n" {
			t.Errorf("got %s", out)
		}
		file := modelFile(t, "title: Viewer, scope: tenant, grants: {flows: [view]", "title: Viewer, scope: tenant, grants: {explorer: [view]", "invite_ttl: 72h", "invite_ttl: 24h")
		out := sh.must("model", "diff", file)
		for _, want := range []string{"onboarding.invite_ttl", "72h", "24h", "-flows: view", "+explorer: view"} {
			if !strings.Contains(out, want) {
				t.Errorf("the difference does not show %q:\n%s", want, out)
			}
		}
		var plan modelPlanView
		sh.json(&plan, "model", "plan", file)
		if plan.Version != 1 || plan.Looked != 3 || plan.Changed != 1 || len(plan.People) != 1 || plan.People[0].UserName != "vera@acme.example" {
			t.Errorf("the plan is %+v", plan)
		}
		sh.refused(1, []string{"Nothing was changed"}, "model", "apply", file)
		sh.refused(1, []string{"changed meanwhile"}, "model", "apply", file, "--yes", "--version", "7")
		if out := sh.must("model", "apply", file, "--yes", "--reason", "CHG-1"); !strings.Contains(out, "vera@acme.example") || !strings.Contains(out, "etlworks is in force.") {
			t.Errorf("got %s", out)
		}
		if out := sh.must("model", "apply", file, "--yes"); !strings.Contains(out, "It would change nothing.") {
			t.Errorf("got %s", out)
		}
		var events listView[eventView]
		sh.json(&events, "events", "--type", "model.applied")
		if len(events.Items) != 1 || events.Items[0].Reason != "CHG-1" {
			t.Errorf("the events are %+v", events.Items)
		}
		sh.refused(1, []string{"Editor goes and one person holds it"}, "model", "apply", "fluentpro-backup", "--yes")
	})
}

func TestTheStartSaysWhenTheNamedModelIsNotInForce(t *testing.T) {
	sh := newShell(t)
	sh.must("model", "show")
	for named, warns := range map[string]bool{"etlworks": false, "fintechos": true} {
		s, err := config.Load(map[string]string{"access_model": named}, func(name string) string { return sh.env[name] }, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := open(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		b.warnOfModel(slog.New(slog.NewTextHandler(&log, nil)))
		if got := strings.Contains(log.String(), "drawbridge model plan fintechos, then drawbridge model apply fintechos"); got != warns || b.model.Name() != "etlworks" {
			t.Errorf("%s: %q", named, log.String())
		}
		if err := b.db.Close(); err != nil {
			t.Error(err)
		}
	}
}
