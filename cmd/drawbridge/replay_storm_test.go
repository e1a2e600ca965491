package main

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

// replaySeeds are stories that differ in what they need: somebody who was joined with somebody erased, an administrator who could go because of one who was erased later, and one
// who keeps out whom a source kept out. The doors take turns, so the same seed is the same story.
var replaySeeds = []uint64{15, 10, 25}

// Whatever people, directories, providers and administrators did, one after the other through every door: the journal tells it all.
func TestReplayingAnyStoryGivesTheSamePeopleGroupsAndRoles(t *testing.T) {
	seeds, given := replaySeeds, os.Getenv(seedVariable) != ""
	if given {
		seeds = []uint64{stormSeed(t)}
	}
	for i, preset := range []string{"etlworks", "fentu-fsm", "fluentpro-backup"} {
		for j, seed := range seeds {
			t.Run(preset+" "+strconv.FormatUint(seed, 10), func(t *testing.T) {
				onEmptyDatabases(t, func(t *testing.T, empty func() string) {
					if !given && i != j && strings.HasSuffix(t.Name(), "postgres") {
						t.Skip("where it takes longer each story is told to one model")
					}
					replayStory(t, empty, preset, seed)
				})
			})
		}
	}
}

// replayStory lets the doors work in turn, and replays what they did.
func replayStory(t *testing.T, empty func() string, preset string, seed uint64) {
	t.Helper()
	e := newEstate(t, shellOn(t, empty()), preset)
	s := newStorm(e, seed)
	s.prepare()
	for i := range stormDoors {
		s.work(t.Context(), newDoor(s, i))
	}
	for _, err := range s.wrong {
		t.Error(err)
	}
	if v := e.replayed(empty()); v.People < 5 {
		t.Errorf("%d people are the same", v.People)
	}
}

// replayed replays what happened into an empty database; nothing may differ, and nothing be left out but what is never rebuilt.
func (e *estate) replayed(into string) replayView {
	e.t.Helper()
	out, rest, err := e.sh.run("replay", "--into", into, "--json")
	var v replayView
	if wrong := json.Unmarshal([]byte(out), &v); wrong != nil {
		e.t.Fatal(wrong, err, out, rest)
	}
	if err != nil || len(v.Differences) > 0 {
		e.t.Errorf("%v; these differ: %+v", err, v.Differences)
	}
	return v
}

func TestAReplayRemembersWhoWasThereUntilTheyWereErased(t *testing.T) {
	onEmptyDatabases(t, func(t *testing.T, empty func() string) {
		e := newEstate(t, shellOn(t, empty()), "fentu-fsm")
		ctx, people, home := t.Context(), e.b.people, e.tenants[0].ID
		pushed := e.push(0, "pushed")
		made[identity.User](t)(people.SetRoles(ctx, e.op, pushed.ID, []identity.RoleID{"administrator"}, "a test"))
		first := e.person(home, "first", "administrator")
		if _, err := e.scim(ctx, 0, http.MethodDelete, "/Users/"+string(pushed.ID), nil); err != nil {
			t.Fatal(err)
		}
		e.person(home, "second", "administrator")
		if err := people.EraseUser(ctx, e.op, first.ID, 0, "a test"); err != nil {
			t.Fatal(err)
		}
		v := e.replayed(empty())
		if !slices.ContainsFunc(v.Left, func(l replayLeftView) bool { return strings.HasPrefix(l.What, "people who were erased for good") }) || v.Requests != 2 || v.People != 1 {
			t.Errorf("the report is %+v", v)
		}
	})
}
