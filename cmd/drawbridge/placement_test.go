package main

import (
	"os"
	"strings"
	"testing"
)

// withPeople returns a shell with two tenants and two viewers in the first.
func withPeople(sh shell) shell {
	sh.t.Helper()
	sh.must("tenant", "create", "Acme")
	sh.must("tenant", "create", "Globex")
	for _, who := range []string{"ada", "bob"} {
		sh.must("user", "create", "--email", who+"@example.com", "--tenant", "Acme", "--role", "viewer")
	}
	return sh
}

// home returns where somebody is and as what.
func (sh shell) home(who string) string {
	sh.t.Helper()
	var u userDetailView
	sh.json(&u, "user", "show", who)
	return u.Tenant + " " + string(u.Roles[0])
}

func TestADryRunShowsThePlanAndMovesNobody(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		withPeople(sh)
		out := sh.must("user", "place", "ada@example.com", "bob@example.com", "ada@example.com", "--tenant", "Globex", "--role", "editor", "--dry-run")
		if strings.Count(out, "would be placed") != 2 || !strings.Contains(out, "Globex, Editor") || !strings.Contains(out, "Acme, Viewer") {
			t.Errorf("the plan is\n%s", out)
		}
		if at := sh.home("ada@example.com"); at != "Acme viewer" {
			t.Errorf("ada is in %s", at)
		}
	})
}

func TestPlacingMovesPeopleWithTheirNewRole(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		withPeople(sh)
		var plan placementView
		sh.json(&plan, "user", "place", "ada@example.com", "bob@example.com", "--tenant", "Globex", "--role", "editor", "--reason", "ticket 1")
		if !plan.Placed || len(plan.Steps) != 2 || plan.Tenant != "Globex" {
			t.Errorf("the plan is %+v", plan)
		}
		for _, who := range []string{"ada@example.com", "bob@example.com"} {
			if at := sh.home(who); at != "Globex editor" {
				t.Errorf("%s is in %s", who, at)
			}
		}
		var events listView[eventView]
		sh.json(&events, "events", "--type", "user.placed")
		if len(events.Items) != 2 || events.Items[0].Reason != "ticket 1" {
			t.Errorf("the events are %+v", events.Items)
		}
	})
}

func TestSomebodyIsAskedBeforePeopleAreMoved(t *testing.T) {
	sh := withPeople(newShell(t))
	place := []string{"user", "place", "ada@example.com", "--tenant", "Globex", "--role", "editor"}
	for _, answer := range []string{"", "n\n", "perhaps\n"} {
		sh.stdin = answer
		sh.refused(1, []string{"Place 1?", "Nobody was placed"}, place...)
	}
	if at := sh.home("ada@example.com"); at != "Acme viewer" {
		t.Fatalf("ada is in %s", at)
	}
	sh.stdin = "y\n"
	if out := sh.must(place...); !strings.Contains(out, "placed") {
		t.Errorf("it says\n%s", out)
	}
	if at := sh.home("ada@example.com"); at != "Globex editor" {
		t.Errorf("ada is in %s", at)
	}
}

func TestNobodyIsAskedWhereNobodyIs(t *testing.T) {
	for _, name := range []string{os.DevNull, passwordFile(t, "n")} {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if p := (&program{stdin: file}); p.asks() {
			t.Errorf("%s would be asked", name)
		}
	}
	if p := (&program{stdin: strings.NewReader("")}); !p.asks() {
		t.Error("somebody who may answer would not be asked")
	}
}

func TestWhenOneCannotBePlacedNobodyIs(t *testing.T) {
	sh := withPeople(newShell(t))
	sh.must("user", "create", "--email", "bob@example.com", "--tenant", "Globex", "--role", "viewer") // takes bob's user name there
	var bob listView[userView]
	sh.json(&bob, "user", "list", "--tenant", "Acme", "--search", "bob")
	out, errs, err := sh.run("user", "place", "ada@example.com", string(bob.Items[0].ID), "--tenant", "Globex", "--role", "editor", "--yes")
	if status(err) != 1 || !strings.Contains(errs, "1 of 2 cannot be placed") || !strings.Contains(out, "refused: ") {
		t.Errorf("%v\n%s\n%s", err, out, errs)
	}
	if at := sh.home("ada@example.com"); at != "Acme viewer" {
		t.Errorf("ada is in %s", at)
	}
}
