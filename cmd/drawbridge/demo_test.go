package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
)

func TestTheTourEndsWithSomebodyInSSOLandingAsViewer(t *testing.T) {
	before, err := filepath.Glob(filepath.Join(os.TempDir(), "drawbridge-demo-*"))
	if err != nil {
		t.Fatal(err)
	}
	out := shell{t: t}.must("demo", "--once", "--listen", "127.0.0.1:0")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if last := lines[len(lines)-1]; !strings.HasPrefix(last, "Margaret Hamilton is in SSO Landing as Viewer: http://127.0.0.1:") || !strings.Contains(last, "/console/users/") {
		t.Errorf("the last line of the tour is %q", last)
	}
	after, err := filepath.Glob(filepath.Join(os.TempDir(), "drawbridge-demo-*"))
	if err != nil || len(after) > len(before) {
		t.Errorf("left behind: %v, %v", after, err)
	}
}

func TestTheTourIsToldToPrograms(t *testing.T) {
	out := shell{t: t}.must("demo", "--once", "--listen", "127.0.0.1:0", "--json")
	var methods []string
	var end landedView
	scan := bufio.NewScanner(strings.NewReader(out))
	for scan.Scan() {
		var step stepView
		end = landedView{}
		if err := errors.Join(json.Unmarshal(scan.Bytes(), &step), json.Unmarshal(scan.Bytes(), &end)); err != nil {
			t.Fatalf("%v: %s", err, scan.Text())
		}
		if step.Step > 0 {
			methods = append(methods, step.Method)
		}
	}
	if end.Landed.Tenant != "SSO Landing" || len(end.Landed.Roles) != 1 || end.Landed.Roles[0] != "viewer" || end.Password == "" {
		t.Errorf("the tour ended with %+v", end)
	}
	for _, method := range []string{"GET", "POST", "PUT", "PATCH"} {
		if !strings.Contains(strings.Join(methods, " "), method) {
			t.Errorf("nobody sent a %s: %v", method, methods)
		}
	}
}

func TestTheDemoOfEveryPresetHasItsPeople(t *testing.T) {
	for _, preset := range access.Presets() {
		t.Run(preset, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "kept")
			sh := shell{t: t, env: map[string]string{}}
			if out := sh.must("demo", "--once", "--listen", "127.0.0.1:0", "--model", preset, "--keep", dir); !strings.Contains(out, "Margaret Hamilton is in ") {
				t.Errorf("it ended with\n%s", out)
			}
			sh.env["DRAWBRIDGE_DATABASE"] = "sqlite:" + filepath.Join(dir, demoFile)
			sh.hasPeopleOf(preset)
		})
	}
}

// hasPeopleOf checks that somebody holds each role that people of a tenant may have, and that what the model speaks of is there.
func (sh shell) hasPeopleOf(preset string) {
	sh.t.Helper()
	model, err := access.Load(preset)
	if err != nil {
		sh.t.Fatal(err)
	}
	var people listView[userView]
	sh.json(&people, "user", "list", "--limit", "200")
	held := map[string]bool{}
	for _, u := range people.Items {
		for _, r := range u.Roles {
			held[string(r)] = true
		}
	}
	for _, r := range model.Roles() {
		if r.Scope == identity.ScopeTenant && model.Assignable(r.ID) && !held[string(r.ID)] && !(preset == "fluentpro-backup" && r.ID == "admin") { // the first one owns the tenant
			sh.t.Errorf("nobody is %s", r.Title)
		}
	}
	for what, want := range map[string]bool{"owner": preset == "fluentpro-backup", "technician": preset == "fentu-fsm", "invitation": preset == "etlworks" || preset == "fluentpro-backup"} {
		if got := sh.shows(what, held); got != want {
			sh.t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
}

// shows reports whether the demo has an owner, a record or an invitation.
func (sh shell) shows(what string, held map[string]bool) bool {
	sh.t.Helper()
	switch what {
	case "owner":
		return held["owner"]
	case "technician":
		out, _, err := sh.run("record", "list", "technician")
		return err == nil && strings.Contains(out, "demo-1")
	}
	return strings.Contains(sh.must("invitation", "list"), "hedy@acme.example")
}

func TestADemoIgnoresTheSettingsOfARealInstallation(t *testing.T) {
	sh := newShell(t)
	sh.env["DRAWBRIDGE_LISTEN"] = "nonsense"
	sh.must("demo", "--once", "--listen", "127.0.0.1:0")
	delete(sh.env, "DRAWBRIDGE_LISTEN")
	var list listView[userView]
	if sh.json(&list, "user", "list"); len(list.Items) != 0 {
		t.Errorf("the demo's people are in the real database: %+v", list.Items)
	}
}

func TestAKeptDemoCanBeOpenedAgainAndNotOverwritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kept")
	sh := shell{t: t, env: map[string]string{}}
	sh.must("demo", "--once", "--listen", "127.0.0.1:0", "--keep", dir)
	sh.env["DRAWBRIDGE_DATABASE"] = "sqlite:" + filepath.Join(dir, demoFile)
	var u userDetailView
	if sh.json(&u, "user", "show", "margaret@"+partnersDomain); u.Tenant != "SSO Landing" || len(u.Links) != 1 {
		t.Errorf("kept is %+v", u)
	}
	if sh.json(&u, "user", "show", "grace@"+acmeDomain); u.Status != identity.StatusInactive || len(u.Sessions) != 0 {
		t.Errorf("kept is %+v", u)
	}
	if out := sh.must("signins", "--refused"); !strings.Contains(out, "user.inactive") {
		t.Errorf("the refusal is\n%s", out)
	}
	sh.refused(1, []string{"not empty"}, "demo", "--once", "--keep", dir)
}

func TestATourThatGoesWrongSaysWhereItEnded(t *testing.T) {
	server := http.NewServeMux()
	server.HandleFunc("GET /scim/v2/Users", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"detail":"out of order"}`, http.StatusInternalServerError)
	})
	origin := httptest.NewServer(server)
	defer origin.Close()
	var out bytes.Buffer
	g := &guide{p: &program{stdout: &out}}
	acme, _ := demoPeople()
	okta := &fakeOkta{pusher: pusher{base: origin.URL + "/scim/v2", token: "t", guide: g}, people: acme}
	err := okta.push(t.Context())
	if err == nil || !strings.Contains(err.Error(), "500 instead of 200") || !strings.Contains(err.Error(), "out of order") {
		t.Errorf("the error is %v", err)
	}
	if !strings.Contains(out.String(), "500") {
		t.Errorf("the tour shows\n%s", out.String())
	}
}
