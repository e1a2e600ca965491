package main

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning/dnstest"
	"github.com/drawbridge-id/drawbridge/store"
)

func TestADomainIsClaimedAndVerifiedAtTheCommandLine(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		dns := dnstest.Start(t)
		sh.env["DRAWBRIDGE_DNS_RESOLVER"] = dns.Address
		sh.must("tenant", "create", "Acme")
		sh.must("tenant", "create", "Other")
		if out := sh.must("domain", "add", "acme.test", "--tenant", "Acme"); !strings.Contains(out, "_drawbridge.acme.test") || !strings.Contains(out, "drawbridge-verification=") {
			t.Errorf("the record is not shown: %s", out)
		}
		sh.refused(1, []string{"no TXT record _drawbridge.acme.test"}, "domain", "verify", "acme.test")
		var list struct{ Items []domainView }
		sh.json(&list, "domain", "list", "--tenant", "Acme")
		dns.Set(list.Items[0].RecordName, list.Items[0].RecordValue)
		if out := sh.must("domain", "verify", "acme.test"); !strings.Contains(out, "verified for Acme") {
			t.Errorf("it says %s", out)
		}
		sh.refused(1, []string{"belongs to somebody else"}, "domain", "add", "acme.test", "--tenant", "Other")
		sh.must("domain", "override", "acme.test", "--tenant", "Other", "--reason", "sold")
		if out := sh.must("domain", "list"); !strings.Contains(out, "not verified, by the word of operator: sold") || !strings.Contains(out, "waiting") {
			t.Errorf("the list is %s", out)
		}
		sh.refused(1, []string{"--tenant"}, "domain", "remove", "acme.test")
		sh.must("domain", "remove", "acme.test", "--tenant", "Other")
		sh.refused(1, []string{"drawbridge domain list"}, "domain", "remove", "other.test")
	})
}

func TestTheOperatorRequiresAProviderAndTakesSecondFactorsAway(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		sh.must("tenant", "create", "Acme")
		sh.stdin = goodPassword + "\n"
		sh.must("user", "create", "--email", "root@bridge.test", "--role", "superadmin", "--password-file", "-")
		sh.refused(1, []string{"Nobody has come in through a provider of Acme"}, "tenant", "require-sso", "Acme")
		sh.refused(1, []string{"needs a password and a second factor"}, "user", "break-glass", "root@bridge.test")
		sh.refused(1, []string{"no second factor"}, "user", "reset-second-factor", "root@bridge.test")
		sh.withDatabase(func(tx *store.Tx) error {
			users, err := tx.LoginCandidates(t.Context(), "root@bridge.test")
			if err != nil {
				return err
			}
			if err := tx.BeginSecondFactor(t.Context(), users[0].ID, []byte("twenty bytes of seed")); err != nil {
				return err
			}
			return tx.ConfirmSecondFactor(t.Context(), users[0].ID)
		})
		sh.must("user", "break-glass", "root@bridge.test", "--reason", "the safe")
		sh.refused(1, []string{"Nobody has come in"}, "tenant", "require-sso", "Acme")
		sh.must("tenant", "require-sso", "Acme", "--off")
		sh.must("user", "break-glass", "root@bridge.test", "--off")
		if out := sh.must("user", "reset-second-factor", "root@bridge.test", "--reason", "lost phone"); !strings.Contains(out, "password alone") {
			t.Errorf("it says %s", out)
		}
		if out := sh.must("events"); !strings.Contains(out, string(identity.SecondFactorReset)) || !strings.Contains(out, string(identity.BreakGlassGranted)) {
			t.Errorf("the events are %s", out)
		}
	})
}

// withDatabase changes the shell's database behind the program's back.
func (sh shell) withDatabase(fn func(tx *store.Tx) error) {
	sh.t.Helper()
	key, err := base64.StdEncoding.DecodeString(sh.env["DRAWBRIDGE_SECRET_KEY"])
	if err != nil {
		sh.t.Fatal(err)
	}
	db, err := store.Open(sh.t.Context(), sh.env["DRAWBRIDGE_DATABASE"], store.Options{SecretKey: key})
	if err != nil {
		sh.t.Fatal(err)
	}
	defer db.Close()
	if err := db.Update(sh.t.Context(), fn); err != nil {
		sh.t.Fatal(err)
	}
}
