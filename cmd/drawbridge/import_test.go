package main

import (
	"archive/zip"
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
			out := sh.must("import", name, "--tenant", "Acme", "--source", "hr")
			for _, want := range []string{"1 to create", "1 that cannot be used", "no plain e-mail address", "Nothing was changed", "drawbridge plan apply "} {
				if !strings.Contains(out, want) {
					t.Errorf("%q is not in\n%s", want, out)
				}
			}
			sh.json(&plan, "import", name, "--tenant", "Acme", "--source", "hr", "--welcome", "none")
			if plan.State != string(identity.PlanReady) || plan.Summary.Create != 1 || len(plan.Steps) != 2 || plan.Steps[0].Field != "email" {
				t.Fatalf("%+v", plan)
			}
			sh.refused(1, []string{"Nobody has"}, "user", "show", "ada@acme.test")
			sh.json(&plan, "plan", "apply", string(plan.ID))
			if plan.State != string(identity.PlanDone) || plan.Summary.Done != 1 {
				t.Fatalf("%+v", plan)
			}
			sh.must("user", "show", "ada@acme.test")
			sh.refused(1, []string{"nothing is left"}, "plan", "apply", string(plan.ID))
		})
		t.Run("FSM-53 a cron job calls export, and the file is there whole or not at all", func(t *testing.T) { exportsWhole(t, sh) })
		t.Run("FC-70 the audit leaves by the command line, narrowed", func(t *testing.T) {
			out := sh.must("export", "events", "--type", string(identity.UserCreated), "--since", "1h")
			if !strings.Contains(out, "import people.csv, line 2") || strings.Contains(out, string(identity.PlanMade)) {
				t.Error(out)
			}
		})
		t.Run("FSM-54 revert undoes it, and asks first", func(t *testing.T) {
			sh.must("plan", "backup", string(plan.ID), "--out", filepath.Join(t.TempDir(), "before.csv"))
			sh.must("plan", "undo", string(plan.ID), "--yes")
			sh.refused(1, []string{"Nobody has"}, "user", "show", "ada@acme.test")
			var list listView[planHead]
			sh.json(&list, "plan", "list")
			if len(list.Items) != 4 || list.Items[0].Kind != identity.PlanUndo || list.Items[2].State != string(identity.PlanUndone) {
				t.Errorf("%+v", list)
			}
			sh.must("plan", "show", string(plan.ID), "--state", "reverted")
			sh.must("plan", "drop", string(plan.ID), "--yes")
			sh.refused(1, []string{"no such plan"}, "plan", "show", string(plan.ID))
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
	if again.Summary.Skip != 1 || again.Summary.Update+again.Summary.Create != 0 {
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
			sh.json(&plan, "import", name, "--tenant", "Acme", "--apply")
			if plan.Summary.Create != 2 || plan.Summary.Errors != 2 || plan.Summary.Done != 2 {
				t.Fatalf("%+v", plan)
			}
			out := sh.must("plan", "show", string(plan.ID), "--json")
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
