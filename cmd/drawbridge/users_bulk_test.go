package main

import (
	"strings"
	"testing"
)

func TestManyPeopleAreChangedAtTheCommandLine(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		sh.must("tenant", "create", "Acme")
		var ids []string
		for _, who := range []string{"ada", "bob", "cid"} {
			var u userView
			sh.json(&u, "user", "create", "--email", who+"@example.com", "--tenant", "Acme", "--role", "viewer")
			ids = append(ids, string(u.ID))
		}
		var v struct {
			Plan   string
			State  string
			Update int
			Done   int
		}
		t.Run("ETL-40 --dry-run shows, --yes does exactly that, in the form of import", func(t *testing.T) {
			sh.stdin = strings.Join(ids[:2], "\n") + "\n\n"
			sh.json(&v, "user", "bulk", "set-role", "--ids", "-", "--role", "editor", "--reason", "promoted", "--dry-run")
			if v.State != "planned" || v.Update != 2 || v.Plan == "" {
				t.Fatalf("%+v", v)
			}
			sh.json(&v, "plan", "apply", v.Plan)
			var u userView
			sh.json(&u, "user", "show", "ada@example.com")
			if v.State != "applied" || len(u.Roles) != 1 || u.Roles[0] != "editor" {
				t.Errorf("%+v %+v", v, u.Roles)
			}
		})
		t.Run("FC-55 people are found as in the list, and many at once wait for a word", func(t *testing.T) {
			sh.refused(3, []string{"held"}, "user", "bulk", "deactivate", "--search", "example.com", "--tenant", "Acme", "--reason", "project over", "--yes")
			sh.json(&v, "user", "bulk", "deactivate", "--search", "example.com", "--tenant", "Acme", "--reason", "project over", "--approve", "all of them")
			if v.State != "applied" {
				t.Errorf("%+v", v)
			}
		})
		t.Run("what is meant has to be said", func(t *testing.T) {
			sh.refused(2, []string{"say to whom"}, "user", "bulk", "deactivate", "--reason", "x")
			sh.refused(2, []string{"say to whom"}, "user", "bulk", "deactivate", "--reason", "x", "--ids", "-", "--all")
			sh.refused(1, []string{"no bulk act"}, "user", "bulk", "sing", "--reason", "x", "--all")
			sh.stdin = "nonsense\n"
			sh.refused(1, []string{"Line 1"}, "user", "bulk", "deactivate", "--reason", "x", "--ids", "-")
		})
	})
}
