package main

import (
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

func TestTheTimelineOfAPersonIsReadAtTheCommandLine(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		sh.must("tenant", "create", "Acme")
		sh.must("user", "create", "--email", "ada@example.com", "--tenant", "Acme", "--role", "viewer")
		sh.must("user", "edit", "ada@example.com", "--name", "Ada\u202eLovelace")
		out := sh.must("user", "timeline", "ada@example.com")
		if !strings.Contains(out, "Changed: displayName Ada\uFFFDLovelace") || !strings.Contains(out, "Created: tenant ") {
			t.Errorf("it says\n%s", out)
		}
		var list, older listView[entryView]
		sh.json(&list, "user", "timeline", "ada@example.com", "--limit", "1")
		if len(list.Items) != 1 || list.Next == "" || list.Items[0].Event == "" || list.Items[0].Changes[0].Field != "displayName" || list.Items[0].Kind != provisioning.EntryChange {
			t.Fatalf("the first page is %+v", list)
		}
		sh.json(&older, "user", "timeline", string(list.Items[0].UserID), "--after", list.Next)
		if len(older.Items) != 1 || older.Next != "" || !strings.HasPrefix(older.Items[0].Sentence, "Created") {
			t.Errorf("the second page is %+v", older)
		}
		if sh.json(&list, "user", "timeline", "ada@example.com", "--since", "2100-01-01"); len(list.Items) != 0 {
			t.Errorf("in a hundred years there is %+v", list)
		}
		sh.refused(1, nil, "user", "timeline", "nobody@example.com")
		sh.refused(1, []string{"place in a timeline"}, "user", "timeline", string(identity.NewID[identity.UserID]()), "--after", "x")
		sh.refused(2, []string{"--since"}, "user", "timeline", "ada@example.com", "--since", "yesterday")
	})
}
