package main

import (
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestTheTokenOfANewDirectoryOpensTheSCIMDoor(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		sh.must("tenant", "create", "Acme")
		var d directoryView
		sh.json(&d, "directory", "create", "Acme Okta", "--tenant", "Acme", "--dialect", "okta", "--domain", "acme.example")
		if d.ID == "" || d.BaseURL != "https://id.example.com/scim/v2" || !strings.HasPrefix(d.Token, identity.DirectoryTokenPrefix) || d.Tenant != "Acme" {
			t.Errorf("created %+v", d)
		}
		r := sh.serve()
		if got, body := r.get(t, "/scim/v2/Users", d.Token); got != 200 {
			t.Errorf("with the token: %d %s", got, body)
		}
		if got, _ := r.get(t, "/scim/v2/Users", d.Token+"x"); got != 401 {
			t.Errorf("with another token: %d", got)
		}
		if out := sh.must("directory", "list"); strings.Contains(out, d.Token) || !strings.Contains(out, "Acme Okta") {
			t.Errorf("the list is\n%s", out)
		}
	})
}

func TestARotatedTokenWorksBesideTheOldOneUntilTheNextRotation(t *testing.T) {
	sh := newShell(t)
	var d, second, third directoryView
	sh.json(&d, "directory", "create", "Okta", "--dialect", "okta")
	sh.json(&second, "directory", "rotate-token", "okta")
	r := sh.serve()
	for _, token := range []string{d.Token, second.Token} {
		if got, _ := r.get(t, "/scim/v2/Users", token); got != 200 {
			t.Errorf("after one rotation: %d", got)
		}
	}
	sh.json(&third, "directory", "rotate-token", string(d.ID), "--days", "30")
	for token, want := range map[string]int{d.Token: 401, second.Token: 200, third.Token: 200} {
		if got := r.soon(t, "/scim/v2/Users", token, want); got != want {
			t.Errorf("after two rotations: %d instead of %d", got, want)
		}
	}
	sh.refused(1, []string{"Entra", "drawbridge directory list"}, "directory", "rotate-token", "Entra")
}

// soon asks again until the answer has the status, for the two seconds that another process may believe what it knew of a token.
func (r *running) soon(t *testing.T, path, token string, want int) int {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(5 * time.Second); ; <-tick.C {
		if got, _ := r.get(t, path, token); got == want || time.Now().After(deadline) {
			return got
		}
	}
}

func TestATenantIsCreatedOnce(t *testing.T) {
	sh := newShell(t)
	var made tenantView
	if sh.json(&made, "tenant", "create", "Acme"); made.ID == "" || made.Landing {
		t.Errorf("created %+v", made)
	}
	sh.refused(1, []string{"ACME"}, "tenant", "create", "ACME")
	out := sh.must("tenant", "list")
	if strings.Count(out, "Acme") != 1 || !strings.Contains(out, "SSO Landing") || !strings.Contains(out, "unknown people land here") {
		t.Errorf("the list is\n%s", out)
	}
}

func TestMigrateMayBeRepeated(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		for range 2 {
			if out := sh.must("migrate"); !strings.Contains(out, "up to date") {
				t.Errorf("it says %q", out)
			}
		}
	})
}
