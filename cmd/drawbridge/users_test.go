package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

// passwordFile returns a file with a password in its first line.
func passwordFile(t *testing.T, password string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const goodPassword = "violet anchor 7 maple"

func TestTheFirstAdministratorIsMadeOnAnEmptyDatabase(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		var u userView
		sh.json(&u, "user", "create", "--email", "you@example.com", "--role", "superadmin", "--password-file", passwordFile(t, goodPassword))
		if u.ID == "" || u.TenantID != "" || u.UserName != "you@example.com" || len(u.Roles) != 1 || u.Roles[0] != "superadmin" {
			t.Errorf("created %+v", u)
		}
		var detail userDetailView
		sh.json(&detail, "user", "show", "YOU@example.com")
		if detail.ID != u.ID || len(detail.Assignments) != 1 || detail.Assignments[0].GrantedBy == "" {
			t.Errorf("shown %+v", detail)
		}
		var events listView[eventView]
		sh.json(&events, "events", "--user", "you@example.com", "--type", string(identity.UserCreated))
		if len(events.Items) != 1 || events.Items[0].Door != "cli" || events.Items[0].Actor != "operator" {
			t.Errorf("the events are %+v", events.Items)
		}
		sh.refused(1, []string{"you@example.com"}, "user", "create", "--email", "you@example.com", "--role", "superadmin")
	})
}

func TestAPasswordComesFromAFileOrStandardInputAndNeverFromAnArgument(t *testing.T) {
	sh := newShell(t)
	sh.stdin = goodPassword + "\r\nsecond line"
	sh.must("user", "create", "--email", "a@example.com", "--role", "superadmin", "--password-file", "-")
	sh.stdin = ""
	sh.refused(1, []string{"standard input", "empty"}, "user", "create", "--email", "b@example.com", "--role", "superadmin", "--password-file", "-")
	sh.refused(1, []string{"no such file"}, "user", "create", "--email", "b@example.com", "--role", "superadmin", "--password-file", filepath.Join(t.TempDir(), "none"))
	sh.refused(1, []string{"password"}, "user", "create", "--email", "b@example.com", "--role", "superadmin", "--password-file", passwordFile(t, "short"))
	sh.refused(1, []string{"b@example.com"}, "user", "show", "b@example.com")
}

func TestALostPasswordIsReplacedAndAHeldPersonReleased(t *testing.T) {
	sh := newShell(t)
	sh.must("user", "create", "--email", "a@example.com", "--role", "superadmin")
	sh.must("user", "set-password", "a@example.com", "--password-file", passwordFile(t, goodPassword))
	var events listView[eventView]
	sh.json(&events, "events", "--user", "a@example.com", "--type", string(identity.PasswordSet))
	if len(events.Items) != 1 {
		t.Errorf("the events are %+v", events.Items)
	}
	sh.refused(1, []string{"password"}, "user", "set-password", "a@example.com", "--password-file", passwordFile(t, "short"))
	sh.refused(1, []string{"No directory"}, "user", "release", "a@example.com")
}

func TestAPersonNeedsATenantOrARoleOfThePlatform(t *testing.T) {
	sh := newShell(t)
	sh.must("tenant", "create", "Acme")
	sh.refused(1, []string{"tenant"}, "user", "create", "--email", "a@example.com", "--role", "viewer")
	sh.refused(1, []string{"superadmin, administrator"}, "user", "create", "--email", "a@example.com", "--role", "boss", "--tenant", "Acme")
	sh.refused(1, []string{"Nowhere", "drawbridge tenant create"}, "user", "create", "--email", "a@example.com", "--role", "viewer", "--tenant", "Nowhere")
	sh.refused(1, []string{"no plain e-mail address"}, "user", "create", "--email", "a b", "--role", "viewer", "--tenant", "Acme")
	sh.refused(1, nil, "user", "create", "--email", "a@example.com", "--role", "superadmin", "--tenant", "Acme")
	var list listView[userView]
	if sh.json(&list, "user", "list"); len(list.Items) != 0 {
		t.Errorf("somebody was created: %+v", list.Items)
	}
}

func TestAListIsReadPageByPage(t *testing.T) {
	sh := newShell(t)
	sh.must("tenant", "create", "Acme")
	for _, who := range []string{"ada", "bob", "cyd"} {
		sh.must("user", "create", "--email", who+"@acme.example", "--name", who, "--tenant", "acme", "--role", "Viewer")
	}
	var first, second listView[userView]
	sh.json(&first, "user", "list", "--tenant", "Acme", "--limit", "2")
	sh.json(&second, "user", "list", "--tenant", "Acme", "--limit", "2", "--after", first.Next)
	if len(first.Items) != 2 || len(second.Items) != 1 || second.Next != "" || second.Items[0].UserName != "cyd@acme.example" {
		t.Errorf("the pages are %+v and %+v", first, second)
	}
	if out := sh.must("user", "list", "--limit", "1"); !strings.Contains(out, "--after") || !strings.Contains(out, "Acme") || !strings.Contains(out, "Viewer") {
		t.Errorf("the list is\n%s", out)
	}
	if out := sh.must("user", "list", "--search", "nobody at all"); out != "Nobody.\n" {
		t.Errorf("an empty list is %q", out)
	}
}

func TestADeactivatedPersonIsInactiveUntilActivated(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		sh.must("tenant", "create", "Acme")
		sh.must("user", "create", "--email", "ada@acme.example", "--tenant", "Acme", "--role", "viewer")
		var u userView
		sh.json(&u, "user", "deactivate", "ada@acme.example", "--reason", "left")
		if u.Status != identity.StatusInactive {
			t.Errorf("after deactivate: %s", u.Status)
		}
		var events listView[eventView]
		sh.json(&events, "events", "--type", string(identity.UserDeactivated))
		if len(events.Items) != 1 || events.Items[0].Reason != "left" {
			t.Errorf("the events are %+v", events.Items)
		}
		if sh.json(&u, "user", "activate", string(u.ID)); u.Status == identity.StatusInactive {
			t.Error("after activate: still inactive")
		}
	})
}

func TestTwoPeopleOfOneAddressAreToldApartByTheirIDs(t *testing.T) {
	sh := newShell(t)
	for _, tenant := range []string{"Acme", "Globex"} {
		sh.must("tenant", "create", tenant)
		sh.must("user", "create", "--email", "ada@example.com", "--tenant", tenant, "--role", "viewer")
	}
	sh.refused(1, []string{"Several users", "--search"}, "user", "deactivate", "ada@example.com")
}

func TestTheLastAdministratorStays(t *testing.T) {
	sh := newShell(t)
	sh.must("user", "create", "--email", "you@example.com", "--role", "superadmin")
	sh.refused(1, []string{"last"}, "user", "deactivate", "you@example.com")
}
