package main

import (
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestTheGuardOfADirectoryAtTheCommandLine(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		sh.must("directory", "create", "Okta", "--dialect", "okta")
		var v guardView
		t.Run("FSM-58 it is shown with its defaults, set piece by piece, off and back", func(t *testing.T) {
			sh.json(&v, "directory", "guard", "Okta")
			if v.Most != 25 || v.Percent != 20 || v.Minutes != 60 || v.Answer != identity.AnswerRetry || v.Off {
				t.Errorf("%+v", v)
			}
			sh.json(&v, "directory", "guard", "Okta", "--most", "5", "--answer", "202", "--end-sessions")
			if v.Most != 5 || v.Answer != identity.AnswerQueue || !v.EndSession || v.Minutes != 60 {
				t.Errorf("%+v", v)
			}
			sh.json(&v, "directory", "guard", "Okta", "--off")
			if !v.Off || !v.EndSession {
				t.Errorf("%+v", v)
			}
			var again guardView
			sh.json(&again, "directory", "guard", "Okta", "--default")
			if again.Off || again.Most != 25 || again.EndSession {
				t.Errorf("%+v", again)
			}
			sh.refused(1, []string{"429 or 202"}, "directory", "guard", "Okta", "--answer", "418")
		})
		var list listView[burstView]
		sh.json(&list, "directory", "bursts", "list")
		if len(list.Items) != 0 {
			t.Errorf("%+v", list)
		}
		sh.refused(1, []string{"no such burst"}, "directory", "bursts", "approve", planExample, "--reason", "x")
		sh.refused(1, []string{"no such burst"}, "directory", "bursts", "show", planExample)
		sh.refused(2, []string{"reason"}, "directory", "bursts", "reject", planExample)
	})
}
