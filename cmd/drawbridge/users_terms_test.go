package main

import (
	"strings"
	"testing"
	"time"
)

func TestSomebodyHasAFirstAndALastDay(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		sh.must("user", "create", "--email", "root@example.com", "--role", "superadmin")
		sh.must("user", "create", "--email", "bob@example.com", "--role", "superadmin")
		var edited userView
		sh.json(&edited, "user", "edit", "bob@example.com", "--starts", "2999-03-01", "--ends", "2999-12-31", "--reason", "contract")
		var shown userDetailView
		sh.json(&shown, "user", "show", "bob@example.com")
		if shown.Status != "Inactive" || shown.StartsAt == nil || !shown.StartsAt.Equal(time.Date(2999, 3, 1, 0, 0, 0, 0, time.UTC)) || shown.EndsAt == nil || !shown.EndsAt.Equal(time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%+v", shown)
		}
		if out := sh.must("user", "show", "bob@example.com"); !strings.Contains(out, "Starts") || !strings.Contains(out, "Ends") {
			t.Error(out)
		}
		sh.refused(1, []string{"Change the start"}, "user", "activate", "bob@example.com")
		sh.refused(1, []string{"Write a day as 2006-01-02"}, "user", "edit", "bob@example.com", "--ends", "1/2/2030")
		sh.json(&edited, "user", "edit", "bob@example.com", "--starts", "")
		if edited.Status == "Inactive" {
			t.Errorf("%+v", edited)
		}
		sh.refused(2, []string{"--starts"}, "user", "edit", "bob@example.com")
	})
}
