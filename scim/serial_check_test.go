package scim

import (
	"context"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// forever is later than everything that happened.
const forever = time.Duration(math.MaxInt64)

// How the history of a run is checked. Clients only know when they asked and when they were answered; between the two their act took effect,
// if there is a serial order at all. For each person the versions make that order: every version was written by exactly one act, which made
// it of the state of the version before, and a version that no answer shows was made by a deletion. So each version has a time before which
// it cannot have been written and one after which it must have been; from these follows when it was possibly, and when surely, the current
// one. Every refusal must have a version that explains it, every name one holder at a time, and no version may precede one that was
// surely older. Members of groups have no order among themselves that a client could see, so each pair of a group and a person is taken as
// a switch: at the end it stands as one of those acts left it which no other surely followed.

// moment is one version of a person.
type moment struct {
	state    map[string]any // nil: deleted
	earliest time.Duration  // the version was not written before
	latest   time.Duration  // and not after
}

// history is what happened to everybody.
type history struct {
	t      *testing.T
	f      *fleet
	users  map[string][]*act
	groups map[string][]*act
	lives  map[string][]moment // of a person: version n is at n-1
	now    map[string]map[string]any
}

func newHistory(t *testing.T, f *fleet) *history {
	t.Helper()
	h := &history{t: t, f: f, users: map[string][]*act{}, groups: map[string][]*act{}, lives: map[string][]moment{}, now: map[string]map[string]any{}}
	for _, a := range f.acts {
		if a.id == "" {
			continue
		}
		if a.group {
			h.groups[a.id] = append(h.groups[a.id], a)
		} else {
			h.users[a.id] = append(h.users[a.id], a)
		}
	}
	for _, endpoint := range []string{"/Users", "/Groups"} {
		for _, v := range listOf(f.must(http.StatusOK, "GET", endpoint+"?count=1000", "").object["Resources"]) {
			h.now[textOf(v.(object)["id"])] = v.(object)
		}
	}
	return h
}

func (h *history) check() {
	statuses := map[int]int{}
	for _, a := range h.f.acts {
		statuses[a.status]++
	}
	h.t.Logf("%d people, %d groups, answers by status %v", len(h.users), len(h.groups), statuses)
	for id := range h.users {
		h.lives[id] = h.live(id)
	}
	if h.t.Failed() {
		return // what follows leans on the versions
	}
	for _, a := range h.f.acts {
		if !a.group && a.kind != "sign in" {
			h.explain(a)
		}
	}
	h.names()
	for id, acts := range h.groups {
		h.group(id, acts)
	}
	h.mirror()
	h.sessions()
}

// kept is what of a person the acts are about.
func kept(state map[string]any) map[string]any {
	out := map[string]any{}
	for _, k := range []string{"userName", "externalId", "title", "active"} {
		if v, ok := state[k]; ok {
			out[k] = v
		}
	}
	return out
}

// after returns the state that an act makes of another.
func (a *act) after(before map[string]any) map[string]any {
	out := map[string]any{}
	if a.kind == "create" {
		out["active"] = true
	} else {
		maps.Copy(out, before)
	}
	maps.Copy(out, a.body)
	return out
}

// live finds the versions of a person: there is no gap but for deletions, each state follows from the one before, and the last is the present one.
func (h *history) live(id string) []moment {
	seen, deletes := map[int64][]*act{}, []*act{}
	last := int64(0)
	for _, a := range h.users[id] {
		switch {
		case a.kind == "delete" && a.status == http.StatusNoContent:
			deletes = append(deletes, a)
		case a.status == http.StatusOK || a.status == http.StatusCreated:
			seen[a.version] = append(seen[a.version], a)
			last = max(last, a.version)
		}
	}
	if h.now[id] == nil {
		last++
	}
	starts, ends := sortedTimes(deletes, func(a *act) time.Duration { return a.start }), sortedTimes(deletes, func(a *act) time.Duration { return a.end })
	var list []moment
	for v, gaps := int64(1), 0; v <= last; v++ {
		if len(seen[v]) > 0 {
			list = append(list, h.version(list, v, seen[v]))
			continue
		}
		if gaps == len(deletes) {
			h.t.Errorf("%s: nobody wrote version %d of %d, and %d deletions are used up", id, v, last, gaps)
			return nil
		}
		list = append(list, moment{earliest: starts[gaps], latest: ends[gaps]})
		gaps++
	}
	h.ends(id, list, len(deletes))
	return list
}

func sortedTimes(acts []*act, of func(*act) time.Duration) []time.Duration {
	var out []time.Duration
	for _, a := range acts {
		out = append(out, of(a))
	}
	slices.Sort(out)
	return out
}

// version finds who wrote one version; everybody else who was told it changed nothing.
func (h *history) version(before []moment, v int64, told []*act) moment {
	state := kept(told[0].state)
	m := moment{state: state, earliest: forever, latest: forever}
	var old map[string]any
	if len(before) > 0 {
		old = before[len(before)-1].state
	}
	for _, a := range told {
		m.latest = min(m.latest, a.end)
		if !maps.Equal(kept(a.state), state) {
			h.t.Errorf("%s: version %d is %v and also %v", a.id, v, kept(a.state), state)
		}
		switch {
		case a.wrote(v, old, state):
			m.earliest = min(m.earliest, a.start)
		case a.kind == "create" || a.tag != "" && a.tag != etag(v) || !maps.Equal(a.after(state), state):
			h.t.Errorf("%s: its answer is version %d with %v, before which was %v", a.text(), v, state, old)
		}
	}
	if m.earliest == forever {
		h.t.Errorf("%s: nobody made version %d with %v of %v", told[0].id, v, state, old)
		m.earliest = 0
	}
	return m
}

// wrote reports whether an act can have made a version of the state before, which is nil when there was nobody.
func (a *act) wrote(v int64, old, state map[string]any) bool {
	if (a.kind == "create") != (old == nil) || a.tag != "" && a.tag != etag(v-1) {
		return false
	}
	return maps.Equal(a.after(old), state) && !maps.Equal(old, state)
}

// ends checks the end of a chain and that no version was surely older than one before it.
func (h *history) ends(id string, list []moment, deletes int) {
	gaps := 0
	begun := time.Duration(0)
	for i, m := range list {
		if m.state == nil {
			gaps++
		}
		if m.latest < begun {
			h.t.Errorf("%s: version %d was there at %s, before an earlier one can have been written at %s", id, i+1, m.latest, begun)
		}
		begun = max(begun, m.earliest)
	}
	if gaps != deletes {
		h.t.Errorf("%s: %d deletions were acknowledged and %d happened", id, deletes, gaps)
	}
	if now := h.now[id]; now != nil && len(list) > 0 && !maps.Equal(kept(now), list[len(list)-1].state) {
		h.t.Errorf("%s is %v, the last version was %v", id, kept(now), list[len(list)-1].state)
	}
}

// window is a time in which a version was the current one.
type window struct{ from, to time.Duration }

// possibly is when a version may have been current, surely when it must have been.
func possibly(list []moment, i int) window {
	w := window{list[i].earliest, forever}
	if i+1 < len(list) {
		w.to = list[i+1].latest
	}
	return w
}

func surely(list []moment, i int) window {
	w := window{list[i].latest, forever}
	if i+1 < len(list) {
		w.to = list[i+1].earliest
	}
	return w
}

func (w window) meets(a *act) bool  { return w.from <= a.end && w.to >= a.start }
func (w window) covers(a *act) bool { return w.from <= a.start && w.to >= a.end }

// gone reports whether a person may have been deleted during an act.
func (h *history) gone(id string, a *act, when func([]moment, int) window, holds func(window, *act) bool) bool {
	list := h.lives[id]
	for i, m := range list {
		if m.state == nil && holds(when(list, i), a) {
			return true
		}
	}
	return false
}

// explain looks for what a refusal speaks of.
func (h *history) explain(a *act) {
	list := h.lives[a.id]
	switch a.status {
	case http.StatusOK, http.StatusNoContent, http.StatusCreated:
		if a.kind != "create" && h.gone(a.id, a, surely, window.covers) {
			h.t.Errorf("%s: that person was deleted all the time", a.text())
		}
	case http.StatusNotFound:
		if !h.gone(a.id, a, possibly, window.meets) {
			h.t.Errorf("%s: that person was never deleted then", a.text())
		}
	case http.StatusPreconditionFailed:
		asked, _ := versions([]string{a.tag})
		if len(asked) == 0 || int(asked[0]) <= len(list) && surely(list, int(asked[0])-1).covers(a) {
			h.t.Errorf("%s: that version was the current one all the time", a.text())
		}
	case http.StatusConflict:
		if !h.held(strings.ToLower(textOf(a.body["userName"])), a) {
			h.t.Errorf("%s: nobody else had that name", a.text())
		}
	default:
		h.t.Errorf("%s: %s", a.text(), a.raw)
	}
}

// held reports whether somebody else may have had a name during an act.
func (h *history) held(name string, a *act) bool {
	for id, list := range h.lives {
		for i, m := range list {
			if id != a.id && m.state != nil && strings.ToLower(textOf(m.state["userName"])) == name && possibly(list, i).meets(a) {
				return true
			}
		}
	}
	return false
}

// names makes sure that nobody had a name while somebody else surely had it.
func (h *history) names() {
	held := map[string][]window{}
	for _, list := range h.lives {
		for i, m := range list {
			if w := surely(list, i); m.state != nil && w.from < w.to {
				name := strings.ToLower(textOf(m.state["userName"]))
				held[name] = append(held[name], w)
			}
		}
	}
	for name, list := range held {
		slices.SortFunc(list, func(a, b window) int { return int(a.from - b.from) })
		for i := 1; i < len(list); i++ {
			if list[i].from < list[i-1].to {
				h.t.Errorf("%s had two holders: one from %v, one from %v", name, list[i-1], list[i])
			}
		}
	}
}

// sessions: whoever was kept out or deleted at the end has no session that comes back to life with them.
func (h *history) sessions() {
	for id := range h.users {
		if now := h.now[id]; now != nil && now["active"] == false {
			h.f.must(http.StatusOK, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"active","value":true}`))
		}
	}
	for _, a := range h.f.acts {
		if a.cookie == "" {
			continue
		}
		_, err := h.f.authn.Session(context.Background(), a.cookie)
		list := h.lives[a.id]
		ended := slices.ContainsFunc(list, func(m moment) bool { return (m.state == nil || m.state["active"] == false) && m.earliest > a.end })
		if last := list[len(list)-1]; last.state == nil || last.state["active"] == false {
			ended = true
		}
		if ended && err == nil {
			h.t.Errorf("%s: the session outlived a deactivation", a.text())
		}
		if !ended && err != nil && !slices.ContainsFunc(list, func(m moment) bool { return (m.state == nil || m.state["active"] == false) && m.latest >= a.start }) {
			h.t.Errorf("%s: the session ended, and nobody ended it: %v", a.text(), err)
		}
	}
}
