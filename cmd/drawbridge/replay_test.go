package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/config"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// replayHouse is the demo on a database of any kind, and what makes databases without a table.
type replayHouse struct {
	t     *testing.T
	sh    shell
	b     *bridge
	s     *stage
	empty func() string
}

// onEmptyDatabases runs a test on each kind of database, with what makes empty ones.
func onEmptyDatabases(t *testing.T, test func(t *testing.T, empty func() string)) {
	t.Run("sqlite", func(t *testing.T) {
		test(t, func() string {
			return "sqlite:" + filepath.Join(t.TempDir(), string(identity.NewID[identity.EventID]())+".db")
		})
	})
	t.Run("postgres", func(t *testing.T) {
		test(t, func() string {
			url := storetest.PostgresURL(t)
			db, err := sql.Open("postgres", url)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.ExecContext(t.Context(), `DROP SCHEMA public CASCADE; CREATE SCHEMA public`); err != nil {
				t.Fatal(err)
			}
			return url
		})
	})
}

// newReplayHouse gives the tour of the demo on an empty database.
func newReplayHouse(t *testing.T, preset string, empty func() string) *replayHouse {
	t.Helper()
	h := &replayHouse{t: t, empty: empty}
	listener, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := empty()
	h.sh = shellOn(t, url)
	h.sh.env["DRAWBRIDGE_ACCESS_MODEL"] = preset
	values := map[string]string{"url": "http://" + listener.Addr().String(), "allow_private_providers": "true", "log_level": "warn"}
	settings, err := config.Load(values, func(name string) string {
		if name == "DRAWBRIDGE_URL" {
			return ""
		}
		return h.sh.env[name]
	}, os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	if h.b, err = open(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- h.b.run(ctx, listener, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		stop()
		<-served
		_ = h.b.db.Close()
	})
	idp, err := newFakeIdP(ctx, settings.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(idp.close)
	if h.s, err = h.b.stage(ctx, idp, &guide{p: &program{stdout: io.Discard}}); err != nil {
		t.Fatal(err)
	}
	if err := h.s.tour(ctx); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *replayHouse) find(address string) identity.User {
	h.t.Helper()
	return made[identity.User](h.t)(h.b.findUser(h.t.Context(), address))
}

// work is what people do with such an installation: they place, change, keep out, delete, bring back, import, and their directories go on.
func (h *replayHouse) work() {
	h.t.Helper()
	ctx, op, people := h.t.Context(), identity.Operator(), h.b.people
	home := h.find("ada@" + acmeDomain).TenantID
	roles := made[[]identity.Role](h.t)(people.AssignableRoles(ctx, op, home))
	first, other := roles[len(roles)-1].ID, roles[len(roles)-2].ID
	margaret := h.find("margaret@" + partnersDomain)
	if margaret.TenantID != home {
		_ = made[provisioning.PlacementPlan](h.t)(people.PlaceUsers(ctx, op, provisioning.Placement{Users: []provisioning.PlacedUser{{ID: margaret.ID}}, Tenant: home, Role: first, Reason: "a test"}))
	}
	_ = made[identity.User](h.t)(people.SetRoles(ctx, op, margaret.ID, []identity.RoleID{other}, "a test"))
	made[identity.User](h.t)(people.UpdateUser(ctx, op, margaret.ID, 0, func(u *identity.User) error {
		u.DisplayName, u.Emails = "M. Hamilton", append(u.Emails, identity.Email{Value: "mh@" + partnersDomain, Type: "home"})
		return nil
	}))
	for i, act := range []string{"held", "gone", "back"} {
		u := made[identity.User](h.t)(people.CreateUser(ctx, op, provisioning.NewUser{User: personOf(home, act), Role: roles[i%len(roles)].ID, Reason: "a test"}))
		h.end(act, u)
	}
	h.bring(home, first, "Mary Jackson,mary@"+acmeDomain, "Christine Darden,christine@"+acmeDomain)
	h.bring(home, first, "Mary W. Jackson,mary@"+acmeDomain)
	o, e := h.s.okta, h.s.entra
	for _, err := range []error{
		o.patch(ctx, "/Users/"+o.people[1].id, http.StatusOK, "", object{"op": "replace", "value": object{"active": true}}),
		e.patch(ctx, "/Users/"+e.people[1].id, http.StatusOK, "", object{"op": "Replace", "path": "title", "value": strings.Repeat("very long ", 1000)}, object{"op": "Replace", "path": "nickName", "value": strings.Repeat("very long ", 1000)}), // more than the journal keeps of a body
		e.patch(ctx, "/Users/"+e.people[0].id, http.StatusOK, "", object{"op": "Replace", "path": "password", "value": "a-Secret-7-of-hers"}, object{"op": "Replace", "path": "title", "value": "Director"}),
		e.patch(ctx, "/Users/"+e.people[0].id, http.StatusOK, "", object{"op": "Add", "path": "manager", "value": e.people[1].id}),
	} {
		if err != nil {
			h.t.Fatal(err)
		}
	}
}

// end is what becomes of somebody who was just made.
func (h *replayHouse) end(act string, u identity.User) {
	h.t.Helper()
	ctx, op, people := h.t.Context(), identity.Operator(), h.b.people
	if act == "held" {
		made[identity.User](h.t)(people.UpdateUser(ctx, op, u.ID, 0, func(u *identity.User) error { u.Enabled = false; return nil }))
		return
	}
	if err := people.DeleteUser(ctx, op, u.ID, 0); err != nil {
		h.t.Fatal(err)
	}
	if act == "back" {
		made[identity.User](h.t)(people.RestoreUser(ctx, op, u.ID))
	}
}

// bring imports a file of names and addresses.
func (h *replayHouse) bring(home identity.TenantID, role identity.RoleID, rows ...string) {
	h.t.Helper()
	content := "name,email\n" + strings.Join(rows, "\n") + "\n"
	up := provisioning.Upload{Name: "people.csv", Content: strings.NewReader(content), Size: int64(len(content))}
	plan := made[identity.Plan](h.t)(h.b.people.PlanImport(h.t.Context(), identity.Operator(), up, provisioning.ImportOptions{Source: "hr", Tenant: home, PlanOptions: identity.PlanOptions{Role: role, Mapping: identity.Mapping{"name": "displayName", "email": "email"}}}))
	done := made[identity.Plan](h.t)(h.b.people.ApplyPlan(h.t.Context(), identity.Operator(), plan.ID, provisioning.ApplyOptions{}))
	if done.Summary.Done != len(rows) {
		h.t.Fatalf("the import did %+v", done.Summary)
	}
}

// replay replays into an empty database and returns the report with the exit status.
func (h *replayHouse) replay(args ...string) (replayView, error) {
	h.t.Helper()
	out, _, err := h.sh.run(append([]string{"replay", "--into", h.empty(), "--json"}, args...)...)
	var v replayView
	if wrong := json.Unmarshal([]byte(out), &v); wrong != nil {
		h.t.Fatalf("%v, %v: %s", wrong, err, out)
	}
	return v, err
}

func (h *replayHouse) wantSame(v replayView, err error) {
	h.t.Helper()
	people := made[identity.Page[identity.User]](h.t)(h.b.people.Users(h.t.Context(), identity.Operator(), identity.Query{Limit: 1, Total: true}))
	if err != nil || len(v.Differences) > 0 || !v.Compared || int64(v.People) != people.Total || v.Roles < v.People || v.Groups != 2 || v.Members != 4 {
		h.t.Errorf("%d people here; %v\n%+v", people.Total, err, v)
	}
	for _, left := range v.Left {
		if !strings.Contains(left.What, "rebuilt") {
			h.t.Errorf("not replayed: %+v", left)
		}
	}
}

func TestReplayingTheJournalOfTheDemoGivesTheSamePeopleGroupsAndRoles(t *testing.T) {
	presets(t, func(t *testing.T, preset string) {
		onEmptyDatabases(t, func(t *testing.T, empty func() string) {
			h := newReplayHouse(t, preset, empty)
			v, err := h.replay()
			h.wantSame(v, err)
			if v.Requests < 10 {
				t.Errorf("only %d requests were sent again", v.Requests)
			}
			h.work()
			v, err = h.replay()
			if h.wantSame(v, err); !slices.Equal(v.Unkept, []string{"password"}) || v.Applied < 10 {
				t.Errorf("what the journal does not keep is %v, and %d events were applied", v.Unkept, v.Applied)
			}
			v, err = h.replay("--since", time.Now().Add(time.Hour).Format(time.RFC3339)) // all as the events tell
			if h.wantSame(v, err); v.Requests > 0 {
				t.Errorf("%d requests were sent again", v.Requests)
			}
		})
	})
}

// behind changes a row behind the back of the journal.
func (h *replayHouse) behind(query string, args ...any) {
	h.t.Helper()
	address, driver := h.sh.env["DRAWBRIDGE_DATABASE"], "postgres"
	if path, file := strings.CutPrefix(address, "sqlite:"); file {
		address, driver = path, "sqlite"
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		h.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(h.t.Context(), query, args...); err != nil {
		h.t.Fatal(err)
	}
}

func TestReplayNamesExactlyWhatWasChangedBehindTheJournalsBack(t *testing.T) {
	onEmptyDatabases(t, func(t *testing.T, empty func() string) {
		h := newReplayHouse(t, "etlworks", empty)
		ada := h.find("ada@" + acmeDomain)
		for _, c := range []struct {
			name, query  string
			who, field   string
			here, replay string
		}{
			{"a name", `UPDATE users SET display_name = 'Eve' WHERE id = $1`, "Acme/ada@" + acmeDomain, "displayName", "Eve", "Ada Lovelace"},
			{"who may come in", `UPDATE users SET enabled = FALSE, display_name = 'Ada Lovelace' WHERE id = $1`, "Acme/ada@" + acmeDomain, "active", "no", "yes"},
			{"a role", `UPDATE assignments SET role_id = 'administrator' WHERE user_id = $1`, "Acme/ada@" + acmeDomain, "roles", "administrator", "viewer"},
			{"a member", `DELETE FROM group_members WHERE member_id = $1`, "Acme Okta/Engineering", "members", "is not", "Ada Lovelace is in"},
			{"a person", `UPDATE users SET deleted_at = updated_at WHERE id = $1`, "Acme/ada@" + acmeDomain, "person", "not there", "there"},
		} {
			h.behind(c.query, string(ada.ID))
			v, err := h.replay()
			i := slices.IndexFunc(v.Differences, func(d differenceView) bool { return d.Who == c.who && d.Field == c.field })
			if i < 0 || status(err) != 1 {
				t.Errorf("%s: %v, %+v", c.name, err, v.Differences)
				continue
			}
			d := v.Differences[i]
			if d.Here != c.here || d.There != c.replay || c.field != "person" && d.Event == "" {
				t.Errorf("%s: %+v", c.name, d)
			}
			if c.name == "a name" && (len(v.Differences) != 1 || d.Request == "") {
				t.Errorf("%s: %+v", c.name, v.Differences)
			}
		}
	})
}

func TestReplayTouchesNoDatabaseThatSomebodyUses(t *testing.T) {
	eachShell(t, func(t *testing.T, sh shell) {
		sh.must("user", "create", "--email", "you@example.com", "--role", "superadmin")
		own := sh.env["DRAWBRIDGE_DATABASE"]
		sh.refused(1, []string{"own database"}, "replay", "--into", own)
		other := newShell(t)
		other.must("user", "create", "--email", "me@example.com", "--role", "superadmin")
		sh.refused(1, []string{"not empty"}, "replay", "--into", other.env["DRAWBRIDGE_DATABASE"])
		strange := filepath.Join(t.TempDir(), "strange.db")
		db, err := sql.Open("sqlite", strange)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.ExecContext(t.Context(), `CREATE TABLE accounts (id TEXT)`); err != nil {
			t.Fatal(err)
		}
		sh.refused(1, []string{"not empty"}, "replay", "--into", strange)
		sh.refused(2, []string{"into"}, "replay")
		sh.refused(2, []string{"--since"}, "replay", "--into", "x.db", "--since", "yesterday")
		if out := sh.must("replay", "--into", filepath.Join(t.TempDir(), "new.db"), "--until", "2000-01-01"); !strings.Contains(out, "Nothing was compared") {
			t.Errorf("it says\n%s", out)
		}
	})
}
