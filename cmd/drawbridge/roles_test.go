package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

// profiles returns a shell of an installation whose roles can be edited, with somebody in each of two of them.
func profiles(t *testing.T, sh shell) shell {
	t.Helper()
	sh.env["DRAWBRIDGE_ACCESS_MODEL"] = "fentu-connect"
	var tenants listView[tenantView]
	if sh.json(&tenants, "tenant", "list", "--search", "Main"); len(tenants.Items) == 0 {
		sh.must("tenant", "create", "Main")
	}
	for who, role := range map[string]string{"boss": "administrator", "ada": "viewer"} {
		sh.must("user", "create", "--email", who+"@example.com", "--tenant", "Main", "--role", role)
	}
	return sh
}

func TestTheOperatorMakesChangesAndDeletesRoles(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		profiles(t, sh)
		var made roleView
		sh.json(&made, "role", "create", "Night shift", "--grant", "visible=all", "--grant", "connector=read-only", "--grant", "home=view,edit", "--intended-for", "people at night")
		if made.ID != "night_shift" || strings.Join(made.Grants["connector"], " ") != "view" || strings.Join(made.Grants["home"], " ") != "view edit" || made.IntendedFor != "people at night" {
			t.Errorf("made %+v", made)
		}
		sh.refused(1, []string{"sensitive", "connection_config"}, "role", "create", "Keeper", "--grant", "connection_config=all")
		sh.must("role", "create", "Keeper", "--grant", "connection_config=all", "--confirm", "connection_config")
		sh.refused(2, []string{"--grant"}, "role", "create", "X", "--grant", "home")
		var copied roleView
		sh.json(&copied, "role", "clone", "Keeper", "Safe", "--without-sensitive")
		if len(copied.Grants) != 0 {
			t.Errorf("the copy grants %v", copied.Grants)
		}
		sh.must("user", "role", "set", "ada@example.com", "Night shift", "--reason", "new job")
		var edited roleView
		sh.json(&edited, "role", "edit", "night_shift", "--grant", "home=none", "--title", "Late shift", "--yes")
		if edited.Affected == nil || *edited.Affected != 1 || edited.Grants["home"] != nil || edited.Grants["connector"] == nil || edited.IntendedFor == "" {
			t.Errorf("edited %+v", edited)
		}
		sh.refused(1, []string{"changed by somebody else"}, "role", "edit", "night_shift", "--title", "X", "--version", "1", "--yes")
		if out := sh.must("role", "edit", "night_shift", "--title", "Late shift", "--yes"); !strings.Contains(out, "like that already") {
			t.Errorf("it says %s", out)
		}
		if out := sh.must("role", "show", "late shift"); !strings.Contains(out, "ada@example.com") || !strings.Contains(out, "read-only") {
			t.Errorf("it shows %s", out)
		}
		if out := sh.must("role", "review", "night_shift"); !strings.Contains(out, "was reviewed today") {
			t.Errorf("it says %s", out)
		}
		sh.refused(1, []string{"One person holds Late shift"}, "role", "delete", "night_shift", "--yes")
		if out := sh.must("role", "delete", "night_shift", "--reassign-to", "viewer", "--reason", "gone", "--yes"); !strings.Contains(out, "held by one person, and Viewer is what they have now") {
			t.Errorf("it says %s", out)
		}
		var history listView[roleStepView]
		sh.json(&history, "user", "role", "history", "ada@example.com")
		if len(history.Items) != 5 || history.Items[0].Reason != "the role Late shift was deleted: gone" {
			t.Errorf("the history is %+v", history.Items)
		}
		if out := sh.must("role", "list"); !strings.Contains(out, "No credentials") || strings.Contains(out, "Late shift") {
			t.Errorf("the list is %s", out)
		}
	})
}

func TestTheOperatorChangesTheRolesOfAPerson(t *testing.T) {
	sh := newShell(t)
	sh.must("tenant", "create", "Acme")
	sh.must("user", "create", "--email", "ada@example.com", "--tenant", "Acme", "--role", "viewer")
	if out := sh.must("user", "role", "set", "ada@example.com", "Editor"); !strings.Contains(out, "ada@example.com has Editor.") {
		t.Errorf("it says %s", out)
	}
	sh.refused(1, []string{"exchange the role"}, "user", "role", "add", "ada@example.com", "viewer")
	sh.refused(1, []string{"everybody needs one role"}, "user", "role", "remove", "ada@example.com", "editor")
	sh.refused(1, []string{"Nobody has more than one role"}, "user", "role", "set", "ada@example.com", "editor", "viewer")
	sh.refused(1, []string{"fixes its roles"}, "role", "create", "Mine")
}

func TestTheOperatorReportsAndReviewsAccess(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		profiles(t, sh)
		var page listView[accessView]
		sh.json(&page, "access", "report", "--sensitive")
		if len(page.Items) != 1 || page.Items[0].User.UserName != "boss@example.com" || len(page.Items[0].Paths[0].Grants) != 3 {
			t.Errorf("the report is %+v", page.Items)
		}
		file := filepath.Join(t.TempDir(), "access.csv")
		sh.must("access", "report", "--output", file)
		if raw, err := os.ReadFile(file); err != nil || !strings.Contains(string(raw), "ada@example.com") {
			t.Errorf("%v: %s", err, raw)
		}
		sh.refused(1, []string{"does not exist yet"}, "access", "report", "--output", file)
		sh.refused(1, []string{"csv, xlsx or json"}, "access", "report", "--output", file, "--format", "doc")
		if out := sh.must("access", "report", "--output", "-", "--format", "json", "--role", "viewer"); strings.Count(out, "\n") != 8 {
			t.Errorf("it writes %s", out)
		}
		if out := sh.must("access", "sensitive"); !strings.Contains(out, "Connection Config") {
			t.Errorf("it shows %s", out)
		}
		var r accessReviewView
		sh.json(&r, "access", "review", "start", "everybody")
		if r.Items != 2 || r.Undecided != 2 {
			t.Errorf("began %+v", r)
		}
		sh.refused(1, []string{"moon"}, "access", "review", "start", "moon")
		sh.json(&r, "access", "review", "show", string(r.ID))
		items := map[string]string{}
		for _, i := range r.Page.Items {
			items[i.User.UserName] = string(i.Item)
		}
		sh.must("access", "review", "decide", string(r.ID), "--item", items["boss@example.com"], "--keep")
		sh.refused(1, []string{"1 of 1 were refused"}, "access", "review", "decide", string(r.ID), "--item", items["ada@example.com"], "--revoke", "--reason", "left")
		sh.must("access", "review", "decide", string(r.ID), "--item", items["ada@example.com"], "--deactivate", "--reason", "left")
		sh.refused(2, nil, "access", "review", "decide", string(r.ID), "--item", items["ada@example.com"])
		evidence := filepath.Join(t.TempDir(), "review.csv")
		var written fileView
		if sh.json(&written, "access", "review", "export", string(r.ID), "--output", evidence); len(written.SHA256) != 64 {
			t.Errorf("wrote %+v", written)
		}
		if out := sh.must("access", "review", "close", string(r.ID)); !strings.Contains(out, "0 of 2 were left undecided") {
			t.Errorf("it says %s", out)
		}
		if out := sh.must("access", "review", "list"); !strings.Contains(out, "Everybody") {
			t.Errorf("the list is %s", out)
		}
		if out := sh.must("access", "review", "list", "--open"); !strings.Contains(out, "No reviews.") {
			t.Errorf("the list is %s", out)
		}
		var u userView
		if sh.json(&u, "user", "show", "ada@example.com"); u.Status != identity.StatusInactive {
			t.Errorf("she is %s", u.Status)
		}
	})
}
