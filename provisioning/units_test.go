package provisioning_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// forest writes a tree down, a line a unit.
func (h *house) forest() string {
	h.t.Helper()
	var b strings.Builder
	for _, n := range must[[]provisioning.UnitNode](h.t)(h.Units(h.ctx, h.op, "")) {
		fmt.Fprintf(&b, "%s%s %s %d\n", strings.Repeat(" ", n.Depth), n.Kind, n.Name, n.Users)
	}
	return b.String()
}

func in(unit, team identity.UnitID) func(*identity.Position) {
	return func(p *identity.Position) { p.UnitID, p.TeamID = unit, team }
}

func TestBusinessUnitsAreATreeWithARoot(t *testing.T) {
	eachWith(t, "fintechos", func(t *testing.T, h *house) {
		t.Run("FOS-17 the root comes by default and cannot be deleted", func(t *testing.T) {
			root := h.root()
			wantKind(t, h.DeleteUnit(h.ctx, h.op, root.ID, "", ""), identity.Forbidden, "")
			_, err := h.MoveUnit(h.ctx, h.op, root.ID, "")
			wantKind(t, err, identity.Forbidden, "")
			if root.Name != "Root" || root.ParentID != "" {
				t.Errorf("%+v", root)
			}
		})
		t.Run("FOS-16 every user belongs to one business unit, the root unless somebody says otherwise", func(t *testing.T) {
			east := h.unit("East", "", "")
			a, b := h.clerk("a", "portal_viewer", identity.Position{}), h.clerk("b", "portal_viewer", identity.Position{UnitID: east.ID})
			if s := h.standing(a.ID); s.UnitID != h.root().ID || s.UnitName != "Root" {
				t.Errorf("%+v", s)
			}
			if s := h.standing(b.ID); s.UnitID != east.ID || s.UnitName != "East" {
				t.Errorf("%+v", s)
			}
			e := h.lastAbout(b.ID)
			if e.Type != identity.UserCreated || !slices.ContainsFunc(e.Changes, func(c identity.Change) bool { return c.Field == "unit" && c.After == "East" }) {
				t.Errorf("%+v", e)
			}
			if got := h.forest(); got != "unit Root 1\n unit East 1\n" {
				t.Errorf("the picker shows\n%s", got)
			}
		})
		t.Run("a unit of another tenant is none", func(t *testing.T) {
			landing := must[[]provisioning.UnitNode](t)(h.Units(h.ctx, h.op, h.landing().ID))[0]
			_, err := h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: named("c"), Role: "portal_viewer", Position: identity.Position{UnitID: landing.ID}})
			wantKind(t, err, identity.Invalid, "")
			boss := h.actor(h.clerk("boss", "user_management", identity.Position{}).ID)
			_, err = h.RenameUnit(h.ctx, boss, landing.ID, "mine")
			wantKind(t, err, identity.NotFound, "")
			_, err = h.Units(h.ctx, boss, h.landing().ID)
			wantKind(t, err, identity.NotFound, "")
		})
		t.Run("teams are not in this model", func(t *testing.T) {
			_, err := h.CreateUnit(h.ctx, h.op, identity.Unit{Name: "T", Kind: identity.KindTeam})
			wantKind(t, err, identity.Invalid, "")
		})
	})
	each(t, func(t *testing.T, h *house) {
		_, err := h.Units(h.ctx, h.op, "")
		wantKind(t, err, identity.Invalid, "")
		_, err = h.CreateUnit(h.ctx, h.op, identity.Unit{Name: "East"})
		wantKind(t, err, identity.Invalid, "")
	})
}

func TestUnitsAreRenamedAndMovedButNotBelowThemselves(t *testing.T) {
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		east := h.unit("East", "", "")
		north := h.unit("North", "", east.ID)
		team := h.unit("Night", identity.KindTeam, north.ID)
		_, err := h.MoveUnit(h.ctx, h.op, east.ID, north.ID)
		wantKind(t, err, identity.Conflict, "")
		wantSaid(t, err, "a unit cannot be moved below itself")
		_, err = h.MoveUnit(h.ctx, h.op, east.ID, east.ID)
		wantKind(t, err, identity.Conflict, "")
		_, err = h.MoveUnit(h.ctx, h.op, east.ID, team.ID)
		wantKind(t, err, identity.Invalid, "")
		_, err = h.CreateUnit(h.ctx, h.op, identity.Unit{Name: "EAST"})
		wantKind(t, err, identity.Conflict, "")
		_, err = h.CreateUnit(h.ctx, h.op, identity.Unit{Name: "x", ParentID: team.ID})
		wantKind(t, err, identity.Invalid, "")
		must[identity.Unit](t)(h.RenameUnit(h.ctx, h.op, north.ID, "Far North"))
		u := h.clerk("ada", "dispatcher", identity.Position{TeamID: team.ID})
		must[identity.Unit](t)(h.MoveUnit(h.ctx, h.op, team.ID, east.ID))
		if s := h.standing(u.ID); s.UnitID != east.ID || s.TeamID != team.ID {
			t.Errorf("the team left its people behind: %+v", s)
		}
		must[identity.Unit](t)(h.MoveUnit(h.ctx, h.op, north.ID, ""))
		if got := h.forest(); got != "unit Main 0\n unit East 1\n  team Night 1\n unit Far North 0\n" {
			t.Errorf("\n%s", got)
		}
		page := must[identity.Page[identity.Event]](t)(h.Events(h.ctx, h.op, provisioning.EventQuery{ObjectID: string(north.ID), Limit: 9}))
		if len(page.Items) != 3 || page.Items[0].Type != identity.UnitUpdated || page.Items[0].Changes[0].Before != "East" || page.Items[0].Changes[0].After != "Main" {
			t.Errorf("%+v", page.Items)
		}
	})
}

func TestTwoMovesAtOnceMakeNoCircle(t *testing.T) {
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		a, b := h.unit("A", "", ""), h.unit("B", "", "")
		for range 8 {
			var wg sync.WaitGroup
			wg.Go(func() { _, _ = h.MoveUnit(h.ctx, h.op, a.ID, b.ID) })
			wg.Go(func() { _, _ = h.MoveUnit(h.ctx, h.op, b.ID, a.ID) })
			wg.Wait()
			if n := len(must[[]provisioning.UnitNode](t)(h.Units(h.ctx, h.op, ""))); n != 3 {
				t.Fatalf("%d of 3 units hang on the root", n)
			}
			for _, id := range []identity.UnitID{a.ID, b.ID} {
				must[identity.Unit](t)(h.MoveUnit(h.ctx, h.op, id, ""))
			}
		}
	})
}

func TestAUnitInUseIsDeletedOnlyWithAnHeir(t *testing.T) {
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		east, west := h.unit("East", "", ""), h.unit("West", "", "")
		day, night := h.unit("Day", identity.KindTeam, east.ID), h.unit("Night", identity.KindTeam, east.ID)
		u := h.clerk("ada", "dispatcher", identity.Position{UnitID: east.ID, TeamID: night.ID})
		gone := h.clerk("gone", "dispatcher", identity.Position{UnitID: east.ID, TeamID: night.ID})
		if err := h.DeleteUser(h.ctx, h.directory("Okta", h.home().ID, "okta"), gone.ID, 0); err != nil {
			t.Fatal(err)
		}
		err := h.DeleteUnit(h.ctx, h.op, east.ID, "", "")
		wantKind(t, err, identity.Conflict, "unit_in_use")
		wantSaid(t, err, "East still has 1 people and 2 units or teams below it")
		wantKind(t, h.DeleteUnit(h.ctx, h.op, east.ID, east.ID, ""), identity.Invalid, "")
		wantKind(t, h.DeleteUnit(h.ctx, h.op, east.ID, night.ID, ""), identity.Invalid, "")
		if err := h.DeleteUnit(h.ctx, h.op, night.ID, day.ID, "one shift"); err != nil {
			t.Fatal(err)
		}
		if s := h.standing(u.ID); s.TeamID != day.ID || s.UnitID != east.ID {
			t.Errorf("%+v", s)
		}
		if err := h.DeleteUnit(h.ctx, h.op, east.ID, west.ID, "closed"); err != nil {
			t.Fatal(err)
		}
		if s := h.standing(u.ID); s.TeamID != day.ID || s.UnitID != west.ID {
			t.Errorf("%+v", s)
		}
		if e := h.lastAbout(u.ID); e.Type != identity.UserPositioned || e.Reason != "closed" || e.Changes[0].Before != "East" || e.Changes[0].After != "West" {
			t.Errorf("%+v", e)
		}
		if got := h.forest(); got != "unit Main 0\n unit West 1\n  team Day 1\n" {
			t.Errorf("\n%s", got)
		}
	})
}

func TestDeletingAUnitAndPuttingSomebodyIntoItDoNotCross(t *testing.T) {
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		u := h.clerk("ada", "dispatcher", identity.Position{})
		for i := range 8 {
			b := h.unit(fmt.Sprint("Unit ", i), "", "")
			var put, deleted error
			var wg sync.WaitGroup
			wg.Go(func() { put = h.set(h.op, u.ID, in(b.ID, "")) })
			wg.Go(func() { deleted = h.DeleteUnit(h.ctx, h.op, b.ID, "", "") })
			wg.Wait()
			switch {
			case put == nil && deleted == nil, put != nil && deleted != nil:
				t.Fatalf("put %v, deleted %v", put, deleted)
			case put != nil:
				wantKind(t, put, identity.Invalid, "")
			default:
				wantKind(t, deleted, identity.Conflict, "unit_in_use")
			}
		}
	})
}

func TestHowFarPeopleSee(t *testing.T) {
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		east, west := h.unit("East", "", ""), h.unit("West", "", "")
		team, other := h.unit("Night", identity.KindTeam, east.ID), h.unit("Day", identity.KindTeam, east.ID)
		u := h.clerk("ada", "dispatcher", identity.Position{UnitID: east.ID, TeamID: team.ID})
		reach := func(level string) provisioning.Reach {
			if err := h.set(h.op, u.ID, func(p *identity.Position) { p.DataLevel = level }); err != nil {
				t.Fatal(err)
			}
			return must[provisioning.Reach](t)(h.Reach(h.ctx, h.actor(u.ID), u.ID, ""))
		}
		t.Run("FSM-30 global sees all branches", func(t *testing.T) {
			if r := reach("global"); !r.All {
				t.Errorf("%+v", r)
			}
		})
		t.Run("FSM-31 branch sees the assigned branch with its teams, and no other", func(t *testing.T) {
			r := reach("branch")
			if r.All || len(r.Units) != 3 || slices.Contains(r.Units, west.ID) || !slices.Contains(r.Units, east.ID) || !slices.Contains(r.Units, team.ID) || !slices.Contains(r.Units, other.ID) {
				t.Errorf("%+v", r)
			}
		})
		t.Run("FSM-32 team sees the assigned team only", func(t *testing.T) {
			if r := reach("team"); r.All || !slices.Equal(r.Units, []identity.UnitID{team.ID}) {
				t.Errorf("%+v", r)
			}
		})
		t.Run("FSM-33 personal sees the own records only", func(t *testing.T) {
			if r := reach("personal"); r.All || len(r.Units) != 0 || r.Level != "personal" {
				t.Errorf("%+v", r)
			}
		})
		t.Run("FSM-33 personal is what nobody has to be given", func(t *testing.T) {
			if r := reach(""); r.All || len(r.Units) != 0 || r.Level != "personal" {
				t.Errorf("%+v", r)
			}
			if e := h.lastAbout(u.ID); e.Changes[0].Field != "data level" || e.Changes[0].Before != "personal" {
				t.Errorf("%+v", e)
			}
		})
		t.Run("FSM-14 the branch is on the user, and people are found by it", func(t *testing.T) {
			page := must[identity.Page[identity.User]](t)(h.Users(h.ctx, h.op, identity.Query{Unit: east.ID, Limit: 9}))
			if len(page.Items) != 1 || page.Items[0].ID != u.ID || h.standing(u.ID).UnitName != "East" {
				t.Errorf("%+v", page.Items)
			}
			if page = must[identity.Page[identity.User]](t)(h.Users(h.ctx, h.op, identity.Query{Unit: west.ID, Limit: 9})); len(page.Items) != 0 {
				t.Errorf("%+v", page.Items)
			}
			second := h.clerk("bob", "read_only", identity.Position{})
			page = must[identity.Page[identity.User]](t)(h.Users(h.ctx, h.op, identity.Query{Unit: h.root().ID, Limit: 9}))
			if len(page.Items) != 2 || page.Items[1].ID != second.ID {
				t.Errorf("below the root are %+v", page.Items)
			}
		})
	})
}

func TestTheRootSeesEverythingAndAUnitWhatIsBelowIt(t *testing.T) {
	eachWith(t, "fintechos", func(t *testing.T, h *house) {
		east := h.unit("East", "", "")
		city := h.unit("City", "", east.ID)
		west := h.unit("West", "", "")
		t.Run("FOS-18 a user under the root sees the records of all units", func(t *testing.T) {
			top := h.clerk("top", "officer", identity.Position{})
			if r := must[provisioning.Reach](t)(h.Reach(h.ctx, h.op, top.ID, "branch")); !r.All || len(r.Units) != 4 {
				t.Errorf("%+v", r)
			}
		})
		t.Run("FOS-18 a user of a unit sees those of the unit and of what is below it", func(t *testing.T) {
			mid := h.clerk("mid", "officer", identity.Position{UnitID: east.ID})
			want := []identity.UnitID{east.ID, city.ID}
			if r := must[provisioning.Reach](t)(h.Reach(h.ctx, h.op, mid.ID, "branch")); r.All || !slices.Equal(r.Units, want) || slices.Contains(r.Units, west.ID) {
				t.Errorf("%+v, want %v", r, want)
			}
		})
		t.Run("FOS-18 the root does not widen what the rights limit", func(t *testing.T) {
			own := h.clerk("own", "own_records", identity.Position{})
			if r := must[provisioning.Reach](t)(h.Reach(h.ctx, h.op, own.ID, "personal")); r.All || len(r.Units) != 0 {
				t.Errorf("%+v", r)
			}
			if d := h.Model().Decide(access.Who(h.actor(own.ID)), "products", "view"); d.Allowed {
				t.Errorf("the unit granted something: %s", d.Reason)
			}
		})
	})
}

func TestMovingToAnotherTenantLeavesUnitAndTeamBehind(t *testing.T) {
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		east := h.unit("East", "", "")
		u := h.clerk("ada", "dispatcher", identity.Position{UnitID: east.ID, TeamID: h.unit("Night", identity.KindTeam, east.ID).ID, Type: "dispatcher", DataLevel: "branch"})
		must[provisioning.PlacementPlan](t)(h.PlaceUsers(h.ctx, h.op, provisioning.Placement{Users: []provisioning.PlacedUser{{ID: u.ID}}, Tenant: h.landing().ID, Role: "read_only", Reason: "left"}))
		s := h.standing(u.ID)
		if s.UnitID == east.ID || s.TeamID != "" || s.UnitName != "Main" || s.Type != "dispatcher" || s.DataLevel != "branch" {
			t.Errorf("%+v", s)
		}
		var fields []string
		page := must[identity.Page[identity.Event]](t)(h.Events(h.ctx, h.op, provisioning.EventQuery{UserID: u.ID, Type: identity.UserPlaced, Limit: 1}))
		for _, c := range page.Items[0].Changes {
			fields = append(fields, c.Field)
		}
		if !slices.Equal(fields, []string{"tenant", "roles", "password", "unit", "team"}) && !slices.Equal(fields, []string{"tenant", "roles", "unit", "team"}) {
			t.Errorf("%v", fields)
		}
	})
}
