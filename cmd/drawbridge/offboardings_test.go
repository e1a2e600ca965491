package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSomebodyIsOffboardedAtTheCommandLine(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		sh.must("tenant", "create", "Acme")
		for _, who := range []string{"ada", "bob"} {
			sh.must("user", "create", "--email", who+"@example.com", "--tenant", "Acme", "--role", "viewer")
		}
		sh.must("holding", "set", "ada@example.com", "sync/ownership/17", "--name", "SAP to CRM")
		var v leaverView
		t.Run("FC-55 access ends at once, and the rest waits", func(t *testing.T) {
			sh.json(&v, "user", "offboard", "ada@example.com", "--successor", "bob@example.com", "--reason", "leaves us")
			if !v.Out || v.Left != 1 || len(v.Things) != 1 || v.Things[0].State != "open" || v.Successor != "bob@example.com" {
				t.Fatalf("%+v", v)
			}
			sh.refused(1, []string{"still has SAP to CRM"}, "offboarding", "close", string(v.ID))
		})
		t.Run("FC-63 what the application acknowledges is over, and the evidence is a signed file", func(t *testing.T) {
			sh.must("holding", "ack", "sync", string(v.Things[0].Transfer))
			if text := sh.must("offboarding", "show", string(v.ID)); !strings.Contains(text, "Nothing is left") || !strings.Contains(text, "acknowledged") {
				t.Error(text)
			}
			sh.must("offboarding", "close", string(v.ID))
			file := filepath.Join(t.TempDir(), "ada.csv")
			sh.must("offboarding", "report", string(v.ID), "--out", file)
			if raw, err := os.ReadFile(file); err != nil || !strings.Contains(string(raw), "offboarding.closed") {
				t.Errorf("%v %s", err, raw)
			}
			sh.must("export", "check", file)
			var list listView[offboardingView]
			sh.json(&list, "offboarding", "list", "--state", "closed")
			if len(list.Items) != 1 || list.Items[0].ID != v.ID {
				t.Errorf("%+v", list)
			}
		})
		t.Run("FC-55 whoever stays is let in again", func(t *testing.T) {
			sh.json(&v, "user", "offboard", "bob@example.com", "--reason", "leaves us too")
			sh.must("offboarding", "cancel", string(v.ID), "--reason", "stays after all")
			var u userDetailView
			sh.json(&u, "user", "show", "bob@example.com")
			if u.Status != "Active" && u.Status != "Pending" {
				t.Errorf("%+v", u.Status)
			}
		})
	})
}
