package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDriftIsReadAtTheCommandLine(t *testing.T) {
	onEmptyDatabases(t, func(t *testing.T, empty func() string) {
		h := newReplayHouse(t, "etlworks", empty)
		h.end("held", h.find("ada@"+acmeDomain))
		var v driftView
		h.sh.json(&v, "drift", "--directory", "acme okta")
		if len(v.Items) != 1 || v.Items[0].Who != "ada@"+acmeDomain || v.Items[0].Field != "active" || v.Items[0].ChangedBy != "operator" || v.Items[0].At == nil || v.Checked != 3 {
			t.Errorf("it says %+v", v)
		}
		if out := h.sh.must("drift", "--directory", "Acme Okta"); !strings.Contains(out, "Acme Okta SAID") || !strings.Contains(out, "operator") {
			t.Errorf("it says\n%s", out)
		}
		if out := h.sh.must("drift", "--directory", "Globex Entra"); !strings.Contains(out, "Everything is as Globex Entra said it last.") {
			t.Errorf("it says\n%s", out)
		}
		err := h.s.okta.patch(t.Context(), "/Users/"+h.s.okta.people[0].id, http.StatusOK, "", object{"op": "replace", "value": object{"active": true}})
		if err != nil {
			t.Fatal(err)
		}
		if h.sh.json(&v, "drift", "--directory", "acme okta"); len(v.Items) != 1 { // a directory lets nobody in whom an administrator keeps out
			t.Errorf("it says %+v", v)
		}
		h.sh.refused(1, []string{"directory"}, "drift", "--directory", "None")
		h.sh.refused(2, nil, "drift")
	})
}

func TestThePlanOfADriftingSourceIsKeptForApproval(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		sh.must("tenant", "create", "Acme")
		file := filepath.Join(t.TempDir(), "people.csv")
		if err := os.WriteFile(file, []byte("email,displayName\nada@example.com,Ada\nbob@example.com,Bob\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		sh.must("import", file, "--source", "hr", "--tenant", "Acme", "--role", "viewer", "--yes")
		if out := sh.must("drift", "--source", "hr", "--tenant", "Acme"); !strings.Contains(out, "Everything is as hr said it last.") {
			t.Errorf("it says\n%s", out)
		}
		sh.must("user", "edit", "ada@example.com", "--name", "Countess")
		var v driftView
		if sh.json(&v, "drift", "--source", "hr", "--tenant", "Acme"); len(v.Items) != 1 || v.Items[0].Said != "Ada" || v.Items[0].Now != "Countess" || v.Plan != "" {
			t.Errorf("it says %+v", v)
		}
		if sh.json(&v, "drift", "--source", "hr", "--tenant", "Acme", "--plan"); v.Plan == "" {
			t.Errorf("no plan was kept: %+v", v)
		}
		if out := sh.must("plan", "show", string(v.Plan)); !strings.Contains(out, "held") || !strings.Contains(out, "Countess") {
			t.Errorf("the plan is\n%s", out)
		}
		sh.refused(2, []string{"--directory or --source"}, "drift", "--source", "hr", "--directory", "x")
		sh.refused(1, []string{"payroll"}, "drift", "--source", "payroll", "--tenant", "Acme")
	})
}
