package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestInvitationsOnTheCommandLine(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		sh.must("tenant", "create", "Acme")
		var made invitationView
		sh.json(&made, "invite", "ada@example.com", "--tenant", "Acme", "--role", "editor", "--message", "Hello")
		if made.UserID == "" || made.State != identity.InvitationOpen || made.Tenant != "Acme" {
			t.Errorf("%+v", made)
		}
		sh.refused(1, []string{"was invited already"}, "invite", "ada@example.com", "--tenant", "Acme", "--role", "editor")
		var list listView[invitationView]
		sh.json(&list, "invitation", "list", "--state", "open")
		if len(list.Items) != 1 || list.Items[0].Mail != identity.MailWaiting || list.Items[0].CreatedBy != "operator" {
			t.Errorf("%+v", list.Items)
		}
		var again invitationView
		sh.json(&again, "invitation", "resend", "ada@example.com")
		if again.MailID == made.MailID {
			t.Error("no new mail")
		}
		sh.stdin = "n\n"
		sh.refused(1, []string{"Nothing was changed"}, "invitation", "revoke", "ada@example.com")
		sh.must("invitation", "revoke", "ada@example.com", "--yes")
		sh.refused(1, []string{"ada@example.com"}, "user", "show", "ada@example.com")
		sh.refused(2, []string{"open, expired or accepted"}, "invitation", "list", "--state", "x")
	})
}

func TestFirstMailsAndForgottenPasswordsOnTheCommandLine(t *testing.T) {
	sh := newShell(t)
	sh.must("tenant", "create", "Acme")
	sh.must("user", "create", "--email", "ada@example.com", "--tenant", "Acme", "--role", "editor")
	sh.must("user", "welcome", "ada@example.com", "--password")
	out := sh.must("user", "reset-password", "ada@example.com")
	if !strings.Contains(out, "works for an hour") {
		t.Error(out)
	}
	var mails listView[mailView]
	sh.json(&mails, "mails")
	if len(mails.Items) != 2 || mails.Items[0].Kind != "reset" || mails.Items[1].Kind != "password" {
		t.Errorf("%+v", mails.Items)
	}
	sh.must("tenant", "sso", "Acme", "--off")
	sh.must("tenant", "sso", "Acme")
}

func TestWordsOfMailsOnTheCommandLine(t *testing.T) {
	sh := newShell(t)
	sh.must("tenant", "create", "Acme")
	file := filepath.Join(t.TempDir(), "invitation.txt")
	words := sh.must("mail-template", "show", "invitation")
	if !strings.HasPrefix(words, "Subject: {{.By}} invites you") || !strings.Contains(words, htmlMark) {
		t.Fatal(words)
	}
	write := func(s string) {
		if err := os.WriteFile(file, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(strings.Replace(words, "invites you", "asks you", 1))
	preview := sh.must("mail-template", "preview", "invitation", "--file", file)
	if !strings.Contains(preview, "Subject: Grace Hopper asks you to Example Ltd") {
		t.Error(preview)
	}
	sh.must("mail-template", "set", "invitation", "--tenant", "Acme", "--file", file)
	var list listView[mailTemplateView]
	sh.json(&list, "mail-template", "list", "--tenant", "Acme")
	if len(list.Items) != len(identity.MailTemplateKinds) || list.Items[0].Source != identity.TemplateOfTenant || list.Items[1].Source != identity.TemplateDefault {
		t.Errorf("%+v", list.Items)
	}
	if got := sh.must("mail-template", "show", "invitation", "--tenant", "Acme"); !strings.Contains(got, "asks you") {
		t.Error(got)
	}
	sh.must("mail-template", "reset", "invitation", "--tenant", "Acme")
	sh.refused(1, []string{"not changed here"}, "mail-template", "reset", "invitation", "--tenant", "Acme")
	write("Subject: x\n\n{{range .Link}}{{end}}")
	sh.refused(1, []string{"cannot stand here"}, "mail-template", "set", "invitation", "--file", file)
	write("no subject")
	sh.refused(1, []string{"Subject: …"}, "mail-template", "set", "invitation", "--file", file)
	sh.refused(1, []string{"no mail"}, "mail-template", "show", "spam")
}
