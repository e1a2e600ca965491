package main

import (
	"archive/zip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

// peopleFile writes a CSV file of some lines and returns its path.
func peopleFile(t *testing.T, lines ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(name, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestPeopleComeAndLeaveAsFilesAtTheCommandLine(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		sh.must("tenant", "create", "Acme")
		name := peopleFile(t, "E-Mail;Vorname;Nachname;Rolle", "ada@acme.test;Ada;Lovelace;editor", "broken;No;Body;viewer")
		var plan planView
		t.Run("FSM-50 import shows the plan, and apply does exactly that", func(t *testing.T) {
			out := sh.must("import", name, "--tenant", "Acme", "--source", "hr", "--dry-run")
			for _, want := range []string{"1 to create", "1 that cannot be used", "no plain e-mail address", "Nothing was changed", "drawbridge plan apply "} {
				if !strings.Contains(out, want) {
					t.Errorf("%q is not in\n%s", want, out)
				}
			}
			sh.json(&plan, "import", name, "--tenant", "Acme", "--source", "hr", "--welcome", "none")
			if plan.State != string(identity.PlanReady) || plan.Create != 1 || len(plan.Errors) != 1 || plan.Errors[0].Line != 3 || plan.Errors[0].Field != "email" {
				t.Fatalf("%+v", plan)
			}
			sh.refused(1, []string{"Nobody has"}, "user", "show", "ada@acme.test")
			sh.json(&plan, "plan", "apply", string(plan.Plan))
			if plan.State != string(identity.PlanDone) || plan.Summary.Done != 1 {
				t.Fatalf("%+v", plan)
			}
			sh.must("user", "show", "ada@acme.test")
			sh.refused(1, []string{"nothing is left"}, "plan", "apply", string(plan.Plan))
		})
		t.Run("FSM-53 a cron job calls export, and the file is there whole or not at all", func(t *testing.T) { exportsWhole(t, sh) })
		t.Run("FC-70 the audit leaves by the command line, narrowed", func(t *testing.T) {
			out := sh.must("export", "events", "--type", string(identity.UserCreated), "--since", "1h")
			if !strings.Contains(out, "import people.csv, line 2") || strings.Contains(out, string(identity.PlanMade)) {
				t.Error(out)
			}
		})
		t.Run("FSM-54 revert undoes it, and asks first", func(t *testing.T) {
			sh.must("plan", "backup", string(plan.Plan), "--out", filepath.Join(t.TempDir(), "before.csv"))
			sh.must("plan", "undo", string(plan.Plan), "--yes")
			sh.refused(1, []string{"Nobody has"}, "user", "show", "ada@acme.test")
			var list listView[planHead]
			sh.json(&list, "plan", "list")
			if len(list.Items) != 4 || list.Items[0].Kind != identity.PlanUndo || list.Items[2].State != string(identity.PlanUndone) {
				t.Errorf("%+v", list)
			}
			sh.must("plan", "show", string(plan.Plan), "--state", "reverted")
			sh.must("plan", "drop", string(plan.Plan), "--yes")
			sh.refused(1, []string{"no such plan"}, "plan", "show", string(plan.Plan))
		})
		t.Run("FSM-47 the template is CSV or XLSX", func(t *testing.T) {
			if out := sh.must("import", "template"); !strings.Contains(out, "userName,email") {
				t.Error(out)
			}
			sh.refused(2, []string{"--format"}, "import", "template", "--format", "json")
		})
	})
}

func exportsWhole(t *testing.T, sh shell) {
	out := filepath.Join(t.TempDir(), "people.xlsx")
	var x exportView
	sh.json(&x, "export", "users", "--tenant", "Acme", "--out", out)
	if x.Rows != 1 || x.Format != "xlsx" || len(x.SHA256) != 64 {
		t.Errorf("%+v", x)
	}
	if r, err := zip.OpenReader(out); err != nil {
		t.Error(err)
	} else if err := r.Close(); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(out); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	sh.must("export", "check", out, "--signature", x.Signature)
	var again planView
	sh.json(&again, "import", out)
	if again.Skip != 1 || again.Update+again.Create != 0 {
		t.Errorf("%+v", again)
	}
	sh.refused(1, []string{"no such file"}, "export", "users", "--out", filepath.Join(t.TempDir(), "none", "x.csv"))
}

func TestPasswordsOfAFileAreHeldToThePolicy(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		t.Run("FSM-60 a password in a file is held to the policy, row by row, and is not kept", func(t *testing.T) {
			sh.must("tenant", "create", "Acme")
			name := peopleFile(t, "email,displayName,password,passwordHash", "short@acme.test,Short,short,", "good@acme.test,Good,"+goodPassword+",", "bad@acme.test,Bad,,md5:abc",
				"hash@acme.test,Hash,,$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy")
			var plan planView
			sh.json(&plan, "import", name, "--tenant", "Acme", "--yes")
			if plan.Create != 2 || len(plan.Errors) != 2 || plan.Summary.Done != 2 {
				t.Fatalf("%+v", plan)
			}
			out := sh.must("plan", "show", string(plan.Plan), "--json")
			if strings.Contains(out, "violet") || strings.Contains(out, "$argon2") || strings.Contains(out, "$2a$") {
				t.Error(out)
			}
			if !strings.Contains(out, `"field": "password"`) || !strings.Contains(out, `"field": "password_hash"`) {
				t.Error(out)
			}
			var detail struct {
				Items []eventView `json:"items"`
			}
			sh.json(&detail, "events", "--user", "good@acme.test")
			if len(detail.Items) == 0 {
				t.Error("no event")
			}
		})
	})
}

func TestAnImportIsADryRunOrIsMeant(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		sh.must("tenant", "create", "Acme")
		lines := []string{"Who,Shown"}
		for n := range 30 {
			lines = append(lines, fmt.Sprintf("p%02d@acme.test,Person %d", n, n))
		}
		all, few := peopleFile(t, lines...), peopleFile(t, lines[:4]...)
		saved := filepath.Join(t.TempDir(), "map.json")
		if err := os.WriteFile(saved, []byte(`{"mapping":{"Who":"email","Shown":"displayName"},"transforms":[{"field":"displayName","kind":"upper"}]}`), 0o600); err != nil {
			t.Fatal(err)
		}
		hr := []string{"--tenant", "Acme", "--source", "hr", "--welcome", "none"}
		var r planView
		t.Run("FSM-49 a file says what the columns are, and the next file of the source needs none", func(t *testing.T) {
			sh.json(&r, append([]string{"import", all, "--map", saved, "--yes"}, hr...)...)
			if r.State != string(identity.PlanDone) || r.Create != 30 || r.Summary.Done != 30 {
				t.Fatalf("%+v", r)
			}
			if out := sh.must("user", "show", "p00@acme.test"); !strings.Contains(out, "PERSON 0") {
				t.Error(out)
			}
			sh.json(&r, append([]string{"import", all, "--dry-run"}, hr...)...)
			if r.Skip != 30 || r.State != string(identity.PlanReady) {
				t.Errorf("%+v", r)
			}
		})
		t.Run("FSM-54 a whole list that lacks people is held, also with --yes, and its status is 3", func(t *testing.T) {
			sh.refused(heldStatus, []string{"held", "27 of 30"}, append([]string{"import", few, "--full", "--yes"}, hr...)...)
			sh.json(&r, append([]string{"import", few, "--full"}, hr...)...)
			if r.State != string(identity.PlanHeld) || r.Deactivate != 27 || len(r.Holds) == 0 {
				t.Errorf("%+v", r)
			}
			sh.json(&r, append([]string{"import", few, "--full", "--approve", "the branch was closed"}, hr...)...)
			if r.State != string(identity.PlanDone) || r.Summary.Done != 27 {
				t.Errorf("%+v", r)
			}
		})
		t.Run("FSM-49 pairs and lines say it too", func(t *testing.T) {
			pairs := filepath.Join(t.TempDir(), "map.txt")
			if err := os.WriteFile(pairs, []byte("# hr\nWho = email\n\nShown=\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			sh.json(&r, "import", few, "--tenant", "Acme", "--map", pairs)
			if r.Skip+r.Update != 3 || len(r.Errors) != 0 {
				t.Errorf("%+v", r)
			}
			sh.json(&r, "import", few, "--tenant", "Acme", "--map", "Who=userName", "--map", "Shown=displayName")
			sh.refused(1, []string{"no such file"}, "import", few, "--map", "nowhere.json")
			sh.refused(2, []string{"--dry-run"}, "import", few, "--dry-run", "--yes")
		})
	})
}
