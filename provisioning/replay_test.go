package provisioning_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// replayed replays the events of a house into an empty one and returns what differs.
func replayed(t *testing.T, fresh storetest.Fresh, w *house, preset string) []string {
	t.Helper()
	db, _ := fresh(t)
	report, err := w.Replay(w.ctx, w.op, houseOn(t, db, preset).Service, provisioning.ReplayOptions{})
	var out []string
	if err != nil {
		out = append(out, err.Error())
	}
	for _, d := range report.Differences {
		out = append(out, fmt.Sprintf("%+v", d))
	}
	for _, l := range report.Left {
		if !strings.Contains(l.What, "rebuilt") {
			out = append(out, fmt.Sprintf("left: %+v", l))
		}
	}
	there, err := w.Users(w.ctx, w.op, identity.Query{Limit: 1})
	if err != nil || report.Same.People == 0 && len(there.Items) > 0 {
		out = append(out, fmt.Sprint("nobody is the same: ", err))
	}
	return out
}

// Whatever files do to people, and others do meanwhile, the events tell all of it.
func TestTheEventsOfAnyFileTellAllThatItDid(t *testing.T) {
	storetest.EachFresh(t, func(t *testing.T, fresh storetest.Fresh) {
		t.Run("FSM-50 MIS-08 FC-70 a replay of random files gives the same people, groups and roles", func(t *testing.T) {
			fewerChecks(t, map[bool]string{true: "5", false: "15"}[strings.Contains(t.Name(), "postgres")])
			rapid.Check(t, func(rt *rapid.T) {
				s := rapid.Custom(drawStory).Draw(rt, "story")
				var wrong []string
				t.Run("house", func(t *testing.T) {
					w := newPlanWorld(t, fresh, s)
					for _, f := range s.Files {
						w.tell(f)
					}
					wrong = replayed(t, fresh, w.house, s.Preset)
				})
				if len(wrong) > 0 {
					rt.Fatal(strings.Join(wrong, "\n"))
				}
			})
		})
	})
}

// replayedFor runs a story in a house of its own on each database, and replays it.
func replayedFor(t *testing.T, preset string, story func(t *testing.T, h *house)) {
	t.Helper()
	storetest.EachFresh(t, func(t *testing.T, fresh storetest.Fresh) {
		db, _ := fresh(t)
		h := houseOn(t, db, preset)
		story(t, h)
		for _, wrong := range replayed(t, fresh, h, preset) {
			t.Error(wrong)
		}
	})
}

func TestReplayingSomebodyErasedTakesThoseAlongWhoHadBeenJoinedWithThem(t *testing.T) {
	replayedFor(t, "etlworks", func(t *testing.T, h *house) {
		h.hire("stays@acme.test", "administrator")
		keep, drop := h.hire("keep@acme.test", "viewer"), h.hire("drop@acme.test", "viewer")
		must[identity.User](t)(h.SetRoles(h.ctx, h.op, drop.ID, []identity.RoleID{"editor"}, "promoted"))
		must[identity.User](t)(h.DeactivateUser(h.ctx, h.op, drop.ID, "pause"))
		must[provisioning.MergePlan](t)(h.MergeUsers(h.ctx, h.op, provisioning.Merge{Keep: provisioning.PlacedUser{ID: keep.ID}, Drop: provisioning.PlacedUser{ID: drop.ID}, Reason: "one person"}))
		must[identity.User](t)(h.SetRoles(h.ctx, h.op, keep.ID, []identity.RoleID{"operator"}, "changed"))
		h.ok(h.EraseUser(h.ctx, h.op, keep.ID, 0, "asked for it"))
		must[identity.User](t)(h.UpdateUser(h.ctx, h.op, h.hire("keep@acme.test", "viewer").ID, 0, func(u *identity.User) error { u.DisplayName = "Somebody else"; return nil }))
	})
}

func TestAReplayKnowsWhoKeepsSomebodyOut(t *testing.T) {
	replayedFor(t, "etlworks", func(t *testing.T, h *house) {
		o := provisioning.ImportOptions{Tenant: h.account().ID, Source: "hr", PlanOptions: identity.PlanOptions{Role: "viewer", Missing: true}}
		h.bring(o, "email,displayName", "ada@acme.test,Ada", "bob@acme.test,Bob")
		h.bring(o, "email,displayName", "bob@acme.test,Bob")
		u := must[identity.User](t)(h.DeactivateUser(h.ctx, h.op, h.known("ada@acme.test").ID, "left"))
		if e := h.lastEvent(identity.UserUpdated); e.UserID != u.ID || len(e.Changes) != 1 || e.Changes[0].Field != "kept out by" {
			t.Errorf("the last event is %+v", e)
		}
	})
}

func TestAReplayKnowsByWhatIDAnHRSystemKnowsSomebody(t *testing.T) {
	replayedFor(t, "etlworks", func(t *testing.T, h *house) {
		hr := h.directory("HR", h.tenant("Acme").ID, identity.DialectStandard)
		h.hrSend(t, hr, hrOperation("a", hrPerson(1, nil)), hrOperation("b", hrPerson(2, nil)), hrOperation("c", hrPerson(3, nil)))
		h.hrSend(t, hr, hrOperation("a", hrPerson(1, map[string]any{"externalId": "other"})), hrOperation("c", hrPerson(3, map[string]any{"active": false})))
		u := h.hrSend(t, hr, hrOperation("b", hrPerson(2, map[string]any{"active": false, "title": "Gone"})))
		undo := must[identity.Plan](t)(h.UndoPlan(h.ctx, h.op, u.PlanID, provisioning.UndoOptions{}))
		must[identity.Plan](t)(h.ApplyPlan(h.ctx, h.op, undo.ID, provisioning.ApplyOptions{Override: "back"}))
		if !h.known("hr002@acme.test").Enabled || h.known("hr003@acme.test").Enabled {
			t.Error("it was not undone, or too much of it")
		}
	})
}

func TestOnlyThePlatformReplaysAndOnlyIntoAnEmptyDatabase(t *testing.T) {
	storetest.EachFresh(t, func(t *testing.T, fresh storetest.Fresh) {
		db, _ := fresh(t)
		h := houseOn(t, db, "etlworks")
		boss := h.administrator("boss@acme.test", h.tenant("Acme").ID, "administrator")
		other, _ := fresh(t)
		into := houseOn(t, other, "etlworks")
		_, err := h.Replay(h.ctx, boss, into.Service, provisioning.ReplayOptions{})
		wantKind(t, err, identity.Forbidden, "")
		into.admin("root@acme.test")
		_, err = h.Replay(h.ctx, h.op, into.Service, provisioning.ReplayOptions{})
		wantKind(t, err, identity.Precondition, "replay_not_empty")
	})
}
