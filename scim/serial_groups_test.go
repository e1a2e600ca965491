package scim

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

// write is an act that set a switch, or a name.
type write struct {
	value      any
	start, end time.Duration
}

// settledAt reports whether a value may be the last one: it was written by an act that no act with another value surely followed.
func settledAt(writes []write, value any) bool {
	return slices.ContainsFunc(writes, func(w write) bool {
		return w.value == value && !slices.ContainsFunc(writes, func(o write) bool { return o.value != value && o.start > w.end })
	})
}

func (a *act) done() bool { return a.status >= 200 && a.status < 300 }

// group checks one group: its refusals, its conditions, and that it ended as its acts left it.
func (h *history) group(id string, acts []*act) {
	var names []write
	var deleted *act
	for _, a := range acts {
		if a.done() && a.kind == "delete" {
			if deleted != nil {
				h.t.Errorf("%s was deleted twice", id)
			}
			deleted = a
		}
		if name, ok := a.body["displayName"]; ok && a.done() {
			names = append(names, write{name, a.start, a.end})
		}
	}
	for _, a := range acts {
		h.explainGroup(a, deleted)
	}
	h.conditions(acts)
	now := h.now[id]
	if (now == nil) != (deleted != nil) {
		h.t.Errorf("%s: deleted %v, and there is %v", id, deleted != nil, now)
	}
	if now == nil {
		return
	}
	if !settledAt(names, now["displayName"]) {
		h.t.Errorf("%s is named %v after %v", id, now["displayName"], names)
	}
	h.members(id, acts)
}

// members takes each person as a switch.
func (h *history) members(id string, acts []*act) {
	in := map[string]bool{}
	for _, m := range listOf(h.now[id]["members"]) {
		in[textOf(m.(object)["value"])] = true
	}
	for user, own := range h.users {
		writes := []write{{value: false, start: -1, end: -1}}
		for _, a := range acts {
			named := slices.Contains(a.members, user)
			if a.done() && a.kind != "read" && (named || a.kind == "replace" || a.kind == "put") {
				writes = append(writes, write{named && a.kind != "remove", a.start, a.end})
			}
		}
		for _, a := range own {
			if a.done() && a.kind == "delete" {
				writes = append(writes, write{false, a.start, a.end})
			}
		}
		if !settledAt(writes, in[user]) {
			h.t.Errorf("%s is a member of %s: %v, after %v", user, id, in[user], writes)
		}
		delete(in, user)
	}
	if len(in) > 0 {
		h.t.Errorf("%s has members who never were there: %v", id, in)
	}
}

// explainGroup looks for what a refusal speaks of.
func (h *history) explainGroup(a *act, deleted *act) {
	switch {
	case a.done():
		if deleted != nil && deleted.end < a.start {
			h.t.Errorf("%s: the group was deleted", a.text())
		}
		for _, user := range a.members {
			if a.kind != "remove" && a.kind != "read" && h.gone(user, a, surely, window.covers) {
				h.t.Errorf("%s: %s was deleted all the time", a.text(), user)
			}
		}
	case a.status == http.StatusNotFound:
		if deleted == nil || deleted.start > a.end {
			h.t.Errorf("%s: the group was there", a.text())
		}
	case a.status == http.StatusBadRequest:
		if !slices.ContainsFunc(a.members, func(user string) bool { return h.gone(user, a, possibly, window.meets) }) {
			h.t.Errorf("%s: everybody was there: %s", a.text(), a.raw)
		}
	case a.status == http.StatusPreconditionFailed:
		if a.tag == "" || !h.changedSince(a) {
			h.t.Errorf("%s: nothing changed since that version was told", a.text())
		}
	default:
		h.t.Errorf("%s: %s", a.text(), a.raw)
	}
}

// changedSince reports whether a group may have changed between the time when a version was asked for and the end of the act that
// named it: by another act, or because a member was deleted.
func (h *history) changedSince(a *act) bool {
	since := window{a.tagged, a.end}
	return slices.ContainsFunc(h.f.acts, func(o *act) bool {
		return o != a && o.done() && o.kind != "read" && since.meets(o) && (o.id == a.id || !o.group && o.kind == "delete")
	})
}

// conditions: of all acts that named one version and changed the group, one was done.
func (h *history) conditions(acts []*act) {
	first := map[string]*act{}
	for _, a := range acts {
		if !a.done() || a.tag == "" || a.etag == a.tag || a.kind == "delete" || a.kind == "read" {
			continue
		}
		if o := first[a.tag]; o != nil {
			h.t.Errorf("%s and %s: both found the same version and changed it", o.text(), a.text())
		}
		first[a.tag] = a
	}
}

// mirror: the groups of a person are those that have the person as a member, and only who is there is a member.
func (h *history) mirror() {
	ofUsers, ofGroups := map[[2]string]bool{}, map[[2]string]bool{}
	for id, res := range h.now {
		for _, g := range listOf(res["groups"]) {
			ofUsers[[2]string{textOf(g.(object)["value"]), id}] = true
		}
		for _, m := range listOf(res["members"]) {
			user := textOf(m.(object)["value"])
			ofGroups[[2]string{id, user}] = true
			if h.now[user] == nil {
				h.t.Errorf("%s has the member %s, who is not there", id, user)
			}
		}
	}
	if !maps.Equal(ofUsers, ofGroups) {
		h.t.Errorf("the groups of people are %v, the members of groups %v", ofUsers, ofGroups)
	}
}
