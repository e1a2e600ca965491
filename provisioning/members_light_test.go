package provisioning_test

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

func (h *house) group(by identity.Actor, name string, ids ...identity.UserID) identity.Group {
	h.t.Helper()
	return must[identity.Group](h.t)(h.CreateGroup(h.ctx, by, identity.Group{DisplayName: name, ExternalID: "x-" + name}, members(ids...)))
}

// crowd pushes some people.
func (h *house) crowd(by identity.Actor, name string, n int) []identity.UserID {
	h.t.Helper()
	ids := make([]identity.UserID, n)
	for i := range ids {
		ids[i] = h.push(by, fmt.Sprintf("%s%d@x.test", name, i)).ID
	}
	return ids
}

// stored returns who is a member of a group in the database, whether or not the group is there.
func (h *house) stored(id identity.GroupID) []identity.UserID {
	h.t.Helper()
	var out []identity.UserID
	err := h.db.View(h.ctx, func(tx *store.Tx) error {
		list, err := tx.Members(h.ctx, []identity.GroupID{id})
		for _, m := range list[id] {
			out = append(out, identity.UserID(m.ID))
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

func TestMembersWhoComeAndGoSideBySideAreAllCounted(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		d := h.directory("D", "", "standard")
		const lanes, turns = 8, 6
		leaving, coming := h.crowd(d, "old", lanes*turns), h.crowd(d, "new", lanes*turns)
		stays := h.push(d, "stays@x.test").ID
		g := h.group(d, "G", append(slices.Clone(leaving), stays)...)
		var wg sync.WaitGroup
		for lane := range lanes {
			wg.Go(func() {
				last := g.Version
				for turn := range turns {
					i := lane*turns + turn
					_, err := h.step(d, g, identity.MemberChange{Op: "add", Members: members(coming[i])}, identity.MemberChange{Op: "remove", Members: members(leaving[i])})
					now, err2 := h.Group(h.ctx, d, g.ID)
					if err != nil || err2 != nil || now.Version <= last {
						t.Errorf("version %d after %d: %v %v", now.Version, last, err, err2)
					}
					last = now.Version
				}
			})
		}
		wg.Wait()
		want := slices.Sorted(slices.Values(append(slices.Clone(coming), stays)))
		if got := h.stored(g.ID); !slices.Equal(got, want) {
			t.Errorf("%d members, want %d", len(got), len(want))
		}
		if now := must[identity.Group](t)(h.Group(h.ctx, d, g.ID)); now.Version != g.Version+lanes*turns {
			t.Errorf("version %d after %d changes of version %d", now.Version, lanes*turns, g.Version)
		}
	})
}

func TestTheSameMemberAddedBySeveralIsThereOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		d := h.directory("D", "", "standard")
		ids := h.crowd(d, "u", 5)
		g := h.group(d, "G")
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for _, id := range ids {
					if _, err := h.step(d, g, identity.MemberChange{Op: "add", Members: members(id)}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if got := h.stored(g.ID); !slices.Equal(got, slices.Sorted(slices.Values(ids))) {
			t.Errorf("%d members", len(got))
		}
		if now := must[identity.Group](t)(h.Group(h.ctx, d, g.ID)); now.Version != g.Version+5 {
			t.Errorf("version %d: what changes nothing is no change", now.Version)
		}
	})
}

func TestADeletedGroupKeepsNoMember(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		d := h.directory("D", "", "standard")
		ids := h.crowd(d, "u", 8)
		for round := range 6 {
			g := h.group(d, fmt.Sprint("G", round))
			var wg sync.WaitGroup
			for i, id := range ids {
				wg.Go(func() {
					if i == len(ids)/2 {
						if err := h.DeleteGroup(h.ctx, d, g.ID, 0); err != nil {
							t.Error(err)
						}
						return
					}
					if _, err := h.step(d, g, identity.MemberChange{Op: "add", Members: members(id)}); err != nil && identity.KindOf(err) != identity.NotFound {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if left := h.stored(g.ID); len(left) > 0 {
				t.Errorf("%d members of a deleted group", len(left))
			}
		}
		for id, list := range must[map[identity.UserID][]identity.Membership](t)(h.Memberships(h.ctx, d, ids)) {
			t.Errorf("%s is still in %v", id, list)
		}
	})
}

func TestADeletedUserIsNobodysMember(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		d := h.directory("D", "", "standard")
		groups := []identity.Group{h.group(d, "A"), h.group(d, "B"), h.group(d, "C")}
		for round := range 6 {
			id := h.push(d, fmt.Sprintf("gone%d@x.test", round)).ID
			var wg sync.WaitGroup
			for _, g := range groups {
				wg.Go(func() {
					if _, err := h.step(d, g, identity.MemberChange{Op: "add", Members: members(id)}); err != nil && identity.KindOf(err) != identity.Invalid {
						t.Error(err)
					}
				})
			}
			wg.Go(func() {
				if err := h.DeleteUser(h.ctx, d, id, 0); err != nil {
					t.Error(err)
				}
			})
			wg.Wait()
			for _, g := range groups {
				if slices.Contains(h.stored(g.ID), id) {
					t.Errorf("a deleted user is a member of %s", g.DisplayName)
				}
			}
		}
	})
}

// A change of members that changes something else as well is no light one, however it looks.
func TestAChangeOfMembersKeepsWhatElseItChanges(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		d := h.directory("D", "", "standard")
		ids := h.crowd(d, "u", 4)
		changes := map[string]func(*identity.Group){
			"the externalId goes":  func(g *identity.Group) { g.ExternalID = "" },
			"the name is probe":    func(g *identity.Group) { g.DisplayName = "probe" },
			"the attributes go":    func(g *identity.Group) { g.Attributes = nil },
			"the attributes empty": func(g *identity.Group) { g.Attributes = []byte("{}") },
		}
		for i, name := range slices.Sorted(maps.Keys(changes)) {
			g := identity.Group{DisplayName: name, ExternalID: "x", Attributes: []byte(`{"urn:x":{"a":"b"}}`)}
			g = must[identity.Group](t)(h.CreateGroup(h.ctx, d, g, nil))
			want := g
			changes[name](&want)
			must[identity.Group](t)(h.UpdateGroup(h.ctx, d, g.ID, 0, func(g *identity.Group) ([]identity.MemberChange, error) {
				changes[name](g)
				return []identity.MemberChange{{Op: "add", Members: members(ids[i])}}, nil
			}))
			got := must[identity.Group](t)(h.Group(h.ctx, d, g.ID))
			if got.DisplayName != want.DisplayName || got.ExternalID != want.ExternalID || len(got.Attributes) > 2 != (len(want.Attributes) > 2) {
				t.Errorf("%s: %q %q %s", name, got.DisplayName, got.ExternalID, got.Attributes)
			}
			if len(h.stored(g.ID)) != 1 {
				t.Errorf("%s: nobody came", name)
			}
		}
	})
}
