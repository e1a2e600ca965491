package provisioning_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// story is what happens in one house, drawn before it is built; numbers choose from what the house has then.
type story struct {
	Preset string
	People []int // what kind of person each is
	Roles  []int
	Files  []fileStory
}

// fileStory is one file and what happens around it.
type fileStory struct {
	Source                string
	Columns               []int
	Usual                 bool // with the columns that a new person needs
	Rows                  []rowStory
	Missing, Clear, Every bool // the options Missing, Clear and ReplaceRoles
	Everywhere            bool // the file is the whole installation's: people may go from tenant to tenant
	Policy                int  // whose word counts for the title, and whether a rule gives a role
	Between               []meddling
	AtOnce                bool // what is between happens while the plan is carried out, not before
	Undo                  bool
	BeforeUndo            []meddling
}

// rowStory is one row: whom it is about (beyond the people: somebody new), and which value of its kind each cell has.
type rowStory struct {
	Who   int
	Cells []int
}

// meddling is what somebody else does to a person.
type meddling struct{ Who, Act int }

// GoString writes a story on one line; rapid prints it when it goes wrong.
func (s story) GoString() string {
	text, err := json.Marshal(s)
	return fmt.Sprint(string(text), err)
}

const (
	mostPeople  = 7
	mostColumns = 32
	acts        = 8
)

func drawStory(t *rapid.T) story {
	number := func(most int, label string) int { return rapid.IntRange(0, most).Draw(t, label) }
	s := story{Preset: rapid.SampledFrom(access.Presets()).Draw(t, "preset")}
	for range rapid.IntRange(1, mostPeople).Draw(t, "people") {
		s.People = append(s.People, number(kinds-1, "kind"))
		s.Roles = append(s.Roles, number(20, "role"))
	}
	meddle := func(label string) (out []meddling) {
		for range number(3, label) {
			out = append(out, meddling{number(len(s.People), "who"), number(acts-1, "act")})
		}
		return out
	}
	for range rapid.IntRange(1, 3).Draw(t, "files") {
		f := fileStory{
			Source: rapid.SampledFrom([]string{"hr", "hr", "payroll"}).Draw(t, "source"), Columns: rapid.SliceOfN(rapid.IntRange(0, 40), 1, 8).Draw(t, "columns"),
			Usual: number(3, "usual") > 0, Missing: number(3, "missing") == 0, Clear: number(3, "clear") == 0, Every: number(3, "every role") == 0,
			Everywhere: number(3, "everywhere") == 0, Policy: number(7, "policy"),
			Between: meddle("between"), AtOnce: rapid.Bool().Draw(t, "at once"), Undo: number(2, "undo") == 0, BeforeUndo: meddle("before undo"),
		}
		everybody := make([]int, len(s.People)+3)
		for i := range everybody {
			everybody[i] = i
		}
		everybody = rapid.Permutation(everybody).Draw(t, "everybody")
		for i := range number(9, "rows") {
			who := everybody[i%len(everybody)]
			if number(5, "again") == 0 {
				who = number(len(s.People)+2, "whom")
			}
			f.Rows = append(f.Rows, rowStory{who, rapid.SliceOfN(rapid.IntRange(0, 11), mostColumns, mostColumns).Draw(t, "cells")})
		}
		s.Files = append(s.Files, f)
	}
	return s
}

// TestWhatAPlanShowsIsWhatItDoes carries out random files in random houses, with others at work meanwhile. Whatever is in them: computing writes nothing, carrying out writes
// what the steps that are done say and nothing else, what somebody else wrote meanwhile stands, doing it again does nothing, and undoing puts back what was there.
func TestWhatAPlanShowsIsWhatItDoes(t *testing.T) {
	storetest.EachFresh(t, func(t *testing.T, fresh storetest.Fresh) {
		t.Run("FSM-50 what a plan shows is what it does", func(t *testing.T) {
			fewerChecks(t, map[bool]string{true: "15", false: "40"}[strings.Contains(t.Name(), "postgres")])
			rapid.Check(t, func(rt *rapid.T) {
				s := rapid.Custom(drawStory).Draw(rt, "story")
				var wrong []string
				t.Run("house", func(t *testing.T) { wrong = tellStory(t, fresh, s) })
				if len(wrong) > 0 {
					rt.Fatal(strings.Join(wrong, "\n"))
				}
			})
		})
	})
}

// fewerChecks makes rapid tell fewer stories than its hundred, and the same ones each time, unless somebody says how many (-rapid.checks): each has a house of its own.
func fewerChecks(t *testing.T, n string) {
	if f := flag.Lookup("rapid.checks"); f.Value.String() != f.DefValue {
		return
	}
	for name, value := range map[string]string{"rapid.checks": n, "rapid.seed": "20261122"} {
		f := flag.Lookup(name)
		was := f.Value.String()
		if err := f.Value.Set(value); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := f.Value.Set(was); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// tellStory builds a house, lets the story happen and returns what is wrong about it.
func tellStory(t *testing.T, fresh storetest.Fresh, s story) []string {
	w := newPlanWorld(t, fresh, s)
	for i, f := range s.Files {
		w.where = fmt.Sprintf("file %d", i+1)
		w.tell(f)
		if len(w.wrong) > 0 {
			break
		}
	}
	return w.wrong
}

// tell lets what happens around one file happen.
func (w *planWorld) tell(f fileStory) {
	lines, o := w.write(f), w.options(f)
	before := w.content()
	plan, err := w.PlanImport(w.ctx, w.op, file(lines...), o)
	if refused(err) {
		return // no column says who anybody is
	}
	w.need(err, "planning")
	w.same(before, w.content(), "computing a plan changed something")
	base := map[identity.UserID]people{}
	later := w.carryOut(plan.ID, f, base)
	w.again(plan.ID, lines, o, later, w.touchedBy(f))
	if f.Undo {
		w.undo(plan.ID, f, base, later)
	}
}

// touchedBy are the people whom somebody else changes while a file waits or is carried out.
func (w *planWorld) touchedBy(f fileStory) map[identity.UserID]bool {
	out := map[identity.UserID]bool{}
	for _, m := range f.Between {
		if m.Who < len(w.folk) {
			out[w.folk[m.Who].ID] = true
		}
	}
	return out
}

// carryOut applies a plan, first with somebody else at work, then until nothing of it waits. It notes what people were before they were changed, and returns whom somebody else may
// have changed after the plan did.
func (w *planWorld) carryOut(id identity.PlanID, f fileStory, base map[identity.UserID]people) map[identity.UserID]bool {
	var touched map[string]string
	later := map[identity.UserID]bool{}
	for _, m := range f.Between {
		if m.Who < len(w.folk) {
			later[w.folk[m.Who].ID] = f.AtOnce // who was changed before is as the plan then says, unless it had nothing to say
		}
	}
	if !f.AtOnce {
		touched = w.meddle(f.Between)
	}
	for run := range 4 {
		before, was, steps := w.content(), w.people(f), w.stepsByLine(id)
		done := make(chan map[string]string, 1)
		busy := run == 0 && f.AtOnce
		if busy {
			go func() { done <- w.meddle(f.Between) }()
		}
		_, err := w.ApplyPlan(w.ctx, w.op, id, provisioning.ApplyOptions{Override: "the story wants it"})
		if busy {
			touched = <-done
		}
		if identity.CodeOf(err) == "plan_state" && run > 0 {
			return later
		}
		w.need(err, "carrying out")
		is, fresh := w.people(f), w.newlyDone(steps, w.stepsByLine(id))
		for _, step := range fresh {
			if _, ok := base[step.UserID]; !ok {
				base[step.UserID] = people{step.UserID: was[step.UserID]}
			}
		}
		if run == 0 {
			w.stands(touched, is)
		}
		if !busy {
			w.exactly(fresh, was, is)
			w.onlyThese(fresh, before, w.content())
		}
		touched = nil
	}
	w.fail("after four calls the plan is still not carried out: %v", w.house.steps(id))
	return later
}

// exactly wants that what differs between two states of the house is what the steps say that were done.
func (w *planWorld) exactly(steps []provisioning.PlanStepView, was, is people) {
	want, got := map[string]bool{}, map[string]bool{}
	for _, step := range steps {
		for _, c := range step.Changes {
			if !w.kept[c.Field] {
				continue
			}
			from := said(c.Before)
			if step.Action == identity.StepRestore {
				from = was[step.UserID][c.Field] // a list has nobody who is deleted
			}
			if from != said(c.After) {
				want[fmt.Sprintf("%s %s: %q -> %q", step.UserID, c.Field, from, said(c.After))] = true
			}
		}
	}
	restored := map[identity.UserID]bool{}
	for _, step := range steps {
		restored[step.UserID] = step.Action == identity.StepRestore
	}
	for id := range union(was, is) {
		for field := range w.kept {
			a, b := was[id][field], is[id][field]
			line := fmt.Sprintf("%s %s: %q -> %q", id, field, a, b)
			if a != b && !(was[id] == nil && field == "external" && b == "no") && !(restored[id] && !want[line]) {
				got[line] = true
			}
		}
	}
	w.same(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)), "what the steps say is not what was written")
}

// onlyThese wants that the rows of nobody else changed, and that the events are about those people.
func (w *planWorld) onlyThese(steps []provisioning.PlanStepView, before, after []string) {
	changed, done := map[string]bool{}, map[string]bool{}
	for _, step := range steps {
		done[string(step.UserID)] = true
		if slices.ContainsFunc(step.Changes, func(c identity.Change) bool { return c.Field != "externalId" }) { // the source's own id is between it and Drawbridge
			changed[string(step.UserID)] = true
		}
	}
	old := map[string]bool{}
	for _, line := range before {
		old[line] = true
	}
	told := map[string]bool{}
	for _, line := range after {
		table, rest, _ := strings.Cut(line, "|")
		user, _, _ := strings.Cut(rest, "|")
		switch {
		case old[line] || user == "":
		case table == "events":
			told[user] = true
		case !done[user]:
			w.fail("somebody whom no step is about was changed: %s", line)
		case table != "source_users" && !changed[user]:
			w.fail("a step that changes nothing wrote: %s", line)
		}
	}
	for user := range told {
		if !done[user] {
			w.fail("an event is about somebody whom no step is about: %s", user)
		}
	}
	for user := range changed {
		if !told[user] {
			w.fail("no event says what a step did to %s", user)
		}
	}
}

// again carries out a plan that is done, and plans its file once more: neither does anything, but to people whom somebody else changed later, or touched who had no step.
func (w *planWorld) again(id identity.PlanID, lines []string, o provisioning.ImportOptions, later, touched map[identity.UserID]bool) {
	before := w.content()
	if _, err := w.ApplyPlan(w.ctx, w.op, id, provisioning.ApplyOptions{Override: "again"}); identity.CodeOf(err) != "plan_state" {
		w.fail("a plan that is done was carried out again: %v", err)
	}
	second, err := w.PlanImport(w.ctx, w.op, file(lines...), o)
	w.need(err, "planning again")
	w.same(before, w.content(), "doing it again changed something")
	first, byPerson := w.stepsByLine(id), map[identity.UserID]provisioning.PlanStepView{}
	for _, step := range first {
		byPerson[step.UserID] = step
	}
	last := len(lines)
	for last > 0 && strings.Trim(lines[last-1], ",") == "" {
		last-- // a row without a word is none
	}
	for line, step := range w.stepsByLine(second.ID) {
		did := first[line]
		if line > last || line < 2 { // somebody who is missing: the lines behind the rows are anybody's
			did = byPerson[step.UserID]
		}
		if did.Line == 0 && touched[step.UserID] {
			continue // the row changed nothing when it was planned, so that it has no step
		}
		if step.Action != identity.StepSkip && step.State == identity.StepOpen && w.would(did, step, later) {
			w.fail("line %d was carried out (%s of %s: %s) and would do something again: %s %s: %s\n%s", line, did.Action, did.UserID, changesText(did.Changes), step.Action, step.UserID,
				changesText(step.Changes), strings.Join(lines, "\n"))
		}
	}
}

// would reports whether a step that would do something again should not, by what the first plan did.
func (w *planWorld) would(did, step provisioning.PlanStepView, later map[identity.UserID]bool) bool {
	again, touched := later[step.UserID]
	if did.Line == 0 {
		return !touched // it had nothing to do then
	}
	return did.State == identity.StepDone && !again && !later[did.UserID]
}

// undo undoes a plan: who was not touched since is as before, who was stays.
func (w *planWorld) undo(id identity.PlanID, f fileStory, base map[identity.UserID]people, later map[identity.UserID]bool) {
	touched := map[identity.UserID]bool{}
	untouched := w.content()
	w.meddle(f.BeforeUndo)
	for _, line := range w.content() {
		if _, there := slices.BinarySearch(untouched, line); !there {
			touched[identity.UserID(strings.Split(line, "|")[1])] = true
		}
	}
	before := w.people(f)
	w.need(w.takeBack(id), "undoing")
	is := w.people(f)
	for id := range union(before, is) {
		was, planned := base[id]
		switch {
		case maps.Equal(before[id], is[id]), later[id]: // of those it is not known whether they were changed before or after the plan did
		case !planned:
			w.fail("undoing changed %s, whom the plan did not touch", id)
		case touched[id]:
			w.fail("undoing changed %s, whom somebody else had changed: %v -> %v", id, before[id], is[id])
		case !maps.Equal(was[id], is[id]):
			w.fail("undoing left %s as neither before nor after: %v, was %v", id, is[id], was[id])
		}
	}
}

// stands wants what somebody else wrote meanwhile to be there.
func (w *planWorld) stands(touched map[string]string, is people) {
	for key, value := range touched {
		user, field, _ := strings.Cut(key, " ")
		if got := is[identity.UserID(user)][field]; got != value {
			w.fail("somebody else's word was lost: %s is %q, not %q", key, got, value)
		}
	}
}

func union[K comparable, V any](a, b map[K]V) map[K]bool {
	out := map[K]bool{}
	for k := range a {
		out[k] = true
	}
	for k := range b {
		out[k] = true
	}
	return out
}

func said(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

func changesText(list []identity.Change) string {
	var out []string
	for _, c := range list {
		out = append(out, fmt.Sprintf("%s: %q -> %q", c.Field, said(c.Before), said(c.After)))
	}
	return strings.Join(out, ", ")
}
