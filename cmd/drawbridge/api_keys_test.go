package main

import (
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestAnAPIKeyIsMadeReplacedAndRevokedAtTheCommandLine(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		sh.must("user", "create", "--email", "you@example.com", "--role", "superadmin")
		var made, fresh apiKeyView
		sh.json(&made, "api-key", "create", "you@example.com", "--name", "nightly")
		var shown map[string]string
		sh.json(&shown, "api-key", "reveal", string(made.ID))
		if made.Key == "" || shown["key"] != made.Key || made.Name != "nightly" {
			t.Errorf("made %+v, shown %q", made, shown["key"])
		}
		sh.stdin = "n\n"
		sh.refused(1, []string{"Nothing was changed"}, "api-key", "regenerate", string(made.ID))
		sh.json(&fresh, "api-key", "regenerate", string(made.ID), "--yes")
		sh.must("api-key", "revoke", string(fresh.ID), "--yes", "--reason", "lost")
		var keys []apiKeyView
		sh.json(&keys, "api-key", "list", "you@example.com")
		if len(keys) != 2 || keys[0].RevokedAt == nil || keys[1].RevokedAt == nil || keys[0].Key != "" {
			t.Errorf("listed %+v", keys)
		}
		var policy identity.KeyPolicy
		sh.json(&policy, "api-key", "policy", "--roles", "api_user")
		if !policy.Allows([]identity.RoleID{"api_user"}) || policy.Allows([]identity.RoleID{"superadmin"}) {
			t.Errorf("the policy is %+v", policy)
		}
		sh.refused(1, []string{"switched off"}, "api-key", "create", "you@example.com", "--name", "second")
	})
}
