package main

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// person creates somebody in Acme and returns the id.
func (sh shell) person(address string) string {
	sh.t.Helper()
	var u userView
	sh.json(&u, "user", "create", "--email", address, "--name", strings.ToUpper(address), "--tenant", "Acme", "--role", "viewer")
	return string(u.ID)
}

func TestSomebodyIsErasedAfterAQuestion(t *testing.T) {
	sh := newShell(t)
	sh.must("tenant", "create", "Acme")
	id := sh.person("ada@acme.test")
	sh.must("holding", "set", "ada@acme.test", "sync/ownership/17", "--name", "SAP to CRM")
	sh.refused(2, []string{"reason"}, "user", "erase", "ada@acme.test")
	if out := sh.must("user", "erase", "ada@acme.test", "--reason", "x", "--dry-run"); !strings.Contains(out, "sync/ownership/17") {
		t.Errorf("the plan is\n%s", out)
	}
	sh.stdin = "n\n"
	sh.refused(1, []string{"Nobody was deleted"}, "user", "erase", "ada@acme.test", "--reason", "x")
	sh.must("user", "show", "ada@acme.test")
	sh.stdin = ""
	var v erasePlanView
	sh.json(&v, "user", "erase", "ada@acme.test", "--reason", "asked for it")
	if !v.Gone || string(v.ID) != id {
		t.Errorf("%+v", v)
	}
	sh.refused(1, []string{"ada@acme.test"}, "user", "show", "ada@acme.test")
	sh.refused(1, []string{"no such user"}, "user", "erase", id, "--reason", "again", "--yes")
	bob := sh.person("bob@acme.test")
	sh.must("user", "remove", "bob@acme.test", "--reason", "left", "--yes")
	if out := sh.must("user", "erase", bob, "--reason", "and the rest", "--yes"); !strings.Contains(out, bob+" is gone") {
		t.Errorf("a tombstone: %s", out)
	}
}

func TestTwoAccountsAreFoundAndJoined(t *testing.T) {
	sh := newShell(t)
	sh.must("tenant", "create", "Acme")
	first := sh.person("ada@acme.test")
	second := sh.person("ada.l@acme.test")
	sh.must("holding", "set", second, "sync/ownership/17")
	var none listView[duplicateView]
	sh.json(&none, "user", "duplicates")
	if len(none.Items) != 0 {
		t.Errorf("found %+v", none.Items)
	}
	sh.refused(1, []string{"stars"}, "user", "duplicates", "--kind", "stars")
	sh.stdin = "\n"
	sh.refused(1, []string{"Nobody was joined"}, "user", "merge", first, second, "--reason", "one Ada")
	if out := sh.must("user", "merge", first, second, "--reason", "one Ada", "--dry-run"); !strings.Contains(out, "ada.l@acme.test") {
		t.Errorf("the plan is\n%s", out)
	}
	var v mergeView
	sh.json(&v, "user", "merge", first, second, "--reason", "one Ada")
	if !v.Joined || v.Holdings != 1 || string(v.Keep) != first {
		t.Errorf("joined %+v", v)
	}
	sh.refused(1, []string{"no such user"}, "user", "show", second)
}

func TestHoldingsGoOverWhenTheApplicationSaysSo(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		sh.must("tenant", "create", "Acme")
		sh.person("ada@acme.test")
		bob := sh.person("bob@acme.test")
		sh.must("holding", "set", "ada@acme.test", "sync/ownership/17")
		sh.refused(2, []string{"sync/hope/17"}, "holding", "set", "ada@acme.test", "sync/hope/17")
		sh.must("holding", "transfer", "ada@acme.test", "bob@acme.test", "--reason", "leaves")
		var open listView[holdingView]
		sh.json(&open, "holding", "open", "sync")
		if len(open.Items) != 1 || open.Items[0].Token == "" || open.Items[0].Transfer.Reason != "leaves" {
			t.Fatalf("open: %+v", open.Items)
		}
		sh.must("holding", "ack", "sync", string(open.Items[0].Transfer.ID))
		sh.refused(1, []string{"No such transfer"}, "holding", "ack", "sync", string(open.Items[0].Transfer.ID))
		var list listView[holdingView]
		sh.json(&list, "holding", "list", "--user", "bob@acme.test")
		if len(list.Items) != 1 || string(list.Items[0].UserID) != bob {
			t.Errorf("bob has %+v", list.Items)
		}
		sh.must("holding", "remove", "sync/ownership/17")
	})
}

func TestUnusedAccountsAreListedAndDeactivated(t *testing.T) {
	sh := newShell(t)
	sh.must("tenant", "create", "Acme")
	sh.person("ada@acme.test")
	if out := sh.must("user", "dormant"); !strings.Contains(out, "Every account is used") {
		t.Errorf("new people are not dormant:\n%s", out)
	}
	sh.refused(2, []string{"--reason"}, "user", "dormant", "--deactivate")
	sh.refused(1, []string{"days"}, "user", "dormant", "--days", "1")
	sh.refused(1, []string{"days"}, "tenant", "dormant", "Acme", "--days", "2")
	if out := sh.must("tenant", "dormant", "Acme", "--days", "180", "--reason", "policy 7"); !strings.Contains(out, "180 days") {
		t.Error(out)
	}
}

func TestAPictureComesFromAFile(t *testing.T) {
	sh := newShell(t)
	sh.must("tenant", "create", "Acme")
	sh.person("ada@acme.test")
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 9, 9))); err != nil {
		t.Fatal(err)
	}
	file, copied := filepath.Join(t.TempDir(), "a.png"), filepath.Join(t.TempDir(), "b.png")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var v avatarView
	sh.json(&v, "user", "avatar", "ada@acme.test", "--set", file)
	if v.Hash == "" || v.Type != "image/png" {
		t.Errorf("%+v", v)
	}
	sh.must("user", "avatar", "ada@acme.test", "--save", copied)
	if saved, err := os.ReadFile(copied); err != nil || len(saved) != v.Bytes {
		t.Errorf("%d bytes saved, %v", len(saved), err)
	}
	sh.refused(1, []string{"PNG, JPEG or WebP"}, "user", "avatar", "ada@acme.test", "--set", passwordFile(t, "no picture"))
	if out := sh.must("user", "avatar", "ada@acme.test", "--remove"); !strings.Contains(out, "has no picture") {
		t.Error(out)
	}
}
