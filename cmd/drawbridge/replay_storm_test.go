package main

import (
	"encoding/json"
	"os"
	"testing"
)

// Whatever people, directories, providers and administrators did, one after the other through every door: the journal tells it all.
func TestReplayingAnyStoryGivesTheSamePeopleGroupsAndRoles(t *testing.T) {
	seed := uint64(1795367472824903221) // the doors take turns: the same seed is the same story
	if os.Getenv(seedVariable) != "" {
		seed = stormSeed(t)
	}
	for _, preset := range []string{"etlworks", "fentu-fsm", "fluentpro-backup"} {
		t.Run(preset, func(t *testing.T) {
			onEmptyDatabases(t, func(t *testing.T, empty func() string) {
				e := newEstate(t, shellOn(t, empty()), preset)
				s := newStorm(e, seed)
				s.prepare()
				for i := range stormDoors {
					s.work(t.Context(), newDoor(s, i))
				}
				for _, err := range s.wrong {
					t.Error(err)
				}
				out, _, err := e.sh.run("replay", "--into", empty(), "--json")
				var v replayView
				if wrong := json.Unmarshal([]byte(out), &v); wrong != nil {
					t.Fatal(wrong, err, out)
				}
				if err != nil || len(v.Differences) > 0 || v.People < 5 {
					t.Errorf("%v: %d people are the same; these differ: %+v", err, v.People, v.Differences)
				}
			})
		})
	}
}
