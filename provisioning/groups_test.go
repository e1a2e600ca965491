package provisioning_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

func members(ids ...identity.UserID) []identity.Member {
	var out []identity.Member
	for _, id := range ids {
		out = append(out, identity.Member{ID: string(id)})
	}
	return out
}

func (h *house) members(by identity.Actor, g identity.Group) map[string]bool {
	h.t.Helper()
	set := map[string]bool{}
	for _, m := range must[map[identity.GroupID][]identity.Member](h.t)(h.Members(h.ctx, by, []identity.GroupID{g.ID}))[g.ID] {
		set[m.ID] = true
	}
	return set
}

func (h *house) step(by identity.Actor, g identity.Group, steps ...identity.MemberChange) (identity.Group, error) {
	return h.UpdateGroup(h.ctx, by, g.ID, 0, func(*identity.Group) ([]identity.MemberChange, error) { return steps, nil })
}

func TestMembersComeAndGoInTheOrderOfTheSteps(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		okta := h.directory("Okta", "", identity.DialectOkta)
		a, b, c := h.push(okta, "a@x.test"), h.push(okta, "b@x.test"), h.push(okta, "c@x.test")
		g := must[identity.Group](t)(h.CreateGroup(h.ctx, okta, identity.Group{DisplayName: "G"}, members(a.ID, a.ID, b.ID)))
		if got := h.members(okta, g); len(got) != 2 {
			t.Errorf("%v", got)
		}
		if few, err := h.FewMembers(h.ctx, okta, g.ID, 1); err != nil || few {
			t.Errorf("two members are at most one: %v, %v", few, err)
		}
		g2 := must[identity.Group](t)(h.step(okta, g, identity.MemberChange{Op: "remove", Members: members(a.ID)}, identity.MemberChange{Op: "add", Members: members(c.ID)}))
		if got := h.members(okta, g); got[string(a.ID)] || !got[string(c.ID)] || g2.Version != g.Version+1 {
			t.Errorf("%v, version %d", got, g2.Version)
		}
		g3 := must[identity.Group](t)(h.step(okta, g, identity.MemberChange{Op: "add", Members: members(c.ID)}))
		if g3.Version != g2.Version {
			t.Error("adding a member twice made a version")
		}
		must[identity.Group](t)(h.step(okta, g, identity.MemberChange{Op: "replace", Members: members(a.ID)}))
		if got := h.members(okta, g); len(got) != 1 || !got[string(a.ID)] {
			t.Errorf("%v", got)
		}
		must[identity.Group](t)(h.step(okta, g, identity.MemberChange{Op: "replace"}))
		if got := h.members(okta, g); len(got) != 0 {
			t.Errorf("%v", got)
		}
		if few, err := h.FewMembers(h.ctx, okta, g.ID, 0); err != nil || !few {
			t.Errorf("%v, %v", few, err)
		}
		_, err := h.step(okta, g, identity.MemberChange{Op: "add", Members: members(a.ID, "0199aaaa-0000-7000-8000-000000000000")})
		wantKind(t, err, identity.Invalid, "invalidValue")
		if got := h.members(okta, g); len(got) != 0 {
			t.Error("half of it was done")
		}
	})
}

func TestGroupsBelongToTheirDirectory(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a, b := h.directory("A", "", "standard"), h.directory("B", "", "standard")
		u := h.push(a, "a@x.test")
		g := must[identity.Group](t)(h.CreateGroup(h.ctx, a, identity.Group{DisplayName: "G"}, members(u.ID)))
		_, err := h.Group(h.ctx, b, g.ID)
		wantKind(t, err, identity.NotFound, "")
		wantKind(t, h.DeleteGroup(h.ctx, b, g.ID, 0), identity.NotFound, "")
		if got := h.members(b, g); len(got) != 0 {
			t.Error("members of a foreign group")
		}
		_, err = h.CreateGroup(h.ctx, b, identity.Group{DisplayName: "H"}, []identity.Member{{ID: string(g.ID)}})
		wantKind(t, err, identity.Invalid, "invalidValue")
		if m := must[map[identity.UserID][]identity.Membership](t)(h.Memberships(h.ctx, b, []identity.UserID{u.ID})); len(m[u.ID]) != 0 {
			t.Errorf("memberships of a foreign group: %v", m)
		}
	})
}

func TestNestedGroupsAreFollowedAndNeverACircle(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		d := h.directory("D", "", "standard")
		u := h.push(d, "a@x.test")
		inner := must[identity.Group](t)(h.CreateGroup(h.ctx, d, identity.Group{DisplayName: "inner"}, members(u.ID)))
		outer := must[identity.Group](t)(h.CreateGroup(h.ctx, d, identity.Group{DisplayName: "outer"}, []identity.Member{{ID: string(inner.ID)}}))
		got := must[map[identity.UserID][]identity.Membership](t)(h.Memberships(h.ctx, d, []identity.UserID{u.ID}))[u.ID]
		if len(got) != 2 || !got[0].Direct || got[1].Direct {
			t.Errorf("%+v", got)
		}
		for _, circle := range []identity.Group{outer, inner} {
			_, err := h.step(d, inner, identity.MemberChange{Op: "add", Members: []identity.Member{{ID: string(circle.ID)}}})
			wantKind(t, err, identity.Invalid, "invalidValue")
		}
	})
}

func TestEntraGroupNamesAreUnique(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		entra, okta := h.directory("E", "", identity.DialectEntra), h.directory("O", "", identity.DialectOkta)
		g := must[identity.Group](t)(h.CreateGroup(h.ctx, entra, identity.Group{DisplayName: "G"}, nil))
		_, err := h.CreateGroup(h.ctx, entra, identity.Group{DisplayName: "g"}, nil)
		wantKind(t, err, identity.Conflict, "uniqueness")
		must[identity.Group](t)(h.UpdateGroup(h.ctx, entra, g.ID, 0, func(g *identity.Group) ([]identity.MemberChange, error) { g.DisplayName = "G2"; return nil, nil }))
		for range 2 {
			must[identity.Group](t)(h.CreateGroup(h.ctx, okta, identity.Group{DisplayName: "G"}, nil))
		}
	})
}

func TestParallelAdditionsLoseNobody(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		d := h.directory("D", "", "standard")
		g := must[identity.Group](t)(h.CreateGroup(h.ctx, d, identity.Group{DisplayName: "G"}, nil))
		var wg sync.WaitGroup
		for i := range 24 {
			u := h.push(d, fmt.Sprintf("u%d@x.test", i))
			wg.Go(func() {
				if _, err := h.step(d, g, identity.MemberChange{Op: "add", Members: members(u.ID)}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := h.members(d, g); len(got) != 24 {
			t.Errorf("%d members", len(got))
		}
	})
}
