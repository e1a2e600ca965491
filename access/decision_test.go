package access

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestADecisionNamesTheFirstThatDenies(t *testing.T) {
	m := preset(t, "fentu-fsm")
	role := []identity.RoleID{"technician"}
	linked := []string{"technician"}
	pending := "The account is pending; nothing is granted before its person has come in once"
	tests := []struct {
		name             string
		who              Subject
		resource, action string
		want             string
	}{
		{"roles come first", Subject{Roles: role, Status: identity.StatusInactive, Ceiling: []string{}}, "invoicing", "view", "Technician does not grant invoicing: view"},
		{"then the ceiling", Subject{Roles: role, Ceiling: []string{"reports"}, Status: identity.StatusLocked}, "mobile_app", "view", "Technician grants mobile_app: view, edit; but what is used here is limited to less"},
		{"then the record", Subject{Roles: role, Ceiling: []string{"mobile_app"}, Status: identity.StatusLocked}, "mobile_app", "view", "Mobile app needs an active Technician record that is linked to the person"},
		{"then the status", Subject{Roles: role, Links: linked, Status: identity.StatusLocked}, "mobile_app", "view", "The account is locked; while it is, nothing is granted"},
		{"a deactivated person has nothing", Subject{Roles: role, Links: linked, Status: identity.StatusInactive}, "mobile_app", "view", "The account is deactivated; while it is, nothing is granted"},
		{"nor has one who never came in", Subject{Roles: role, Links: linked, Status: identity.StatusPending}, "mobile_app", "view", pending},
		{"an active one has it", Subject{Roles: role, Links: linked, Status: identity.StatusActive}, "mobile_app", "view", ""},
		{"a ceiling may name one action", Subject{Roles: role, Links: linked, Ceiling: []string{"mobile_app:view"}}, "mobile_app", "view", ""},
		{"and then no other", Subject{Roles: role, Links: linked, Ceiling: []string{"mobile_app:view"}}, "mobile_app", "edit", "Technician grants mobile_app: view, edit; but what is used here is limited to less"},
		{"a ceiling of nothing leaves nothing", Subject{Roles: role, Links: linked, Ceiling: []string{}}, "mobile_app", "view", "Technician grants mobile_app: view, edit; but what is used here is limited to less"},
		{"the platform needs the record too", Subject{Roles: []identity.RoleID{"superadmin"}}, "mobile_app", "view", "Mobile app needs an active Technician record that is linked to the person"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := m.Decide(tt.who, tt.resource, tt.action)
			if got.Allowed != (tt.want == "") || !got.Allowed && got.Reason != tt.want {
				t.Errorf("got %+v, want %q", got, tt.want)
			}
		})
	}
}

func TestAProgramsRoleCountsBeforeItsPersonCameIn(t *testing.T) {
	m := preset(t, "etlworks")
	who := Subject{Roles: []identity.RoleID{"api_user"}, Status: identity.StatusPending}
	if d := m.Decide(who, "user_api", "call"); !d.Allowed {
		t.Errorf("an API user never signs in, and yet: %+v", d)
	}
	who.Roles = []identity.RoleID{"editor"}
	if d := m.Decide(who, "user_api", "call"); d.Allowed {
		t.Errorf("an editor who never came in: %+v", d)
	}
}

func TestCapabilitiesThatAModelDoesNotSpeakOf(t *testing.T) {
	fsm, etl := preset(t, "fentu-fsm"), preset(t, "etlworks")
	for _, tt := range []struct {
		name, capability string
		model            *Model
		who              Subject
		want             bool
	}{
		{"who manages people invites them", "users.invite", etl, subject("administrator"), true},
		{"who does not, does not", "users.invite", etl, subject("editor"), false},
		{"who manages people reads their history", "audit.read", fsm, subject("administrator"), true},
		{"a dispatcher reads none", "audit.read", fsm, subject("dispatcher"), false},
		{"one's own account is one's own", "self.write", fsm, Subject{}, true},
		{"but not while it is locked", "self.write", fsm, Subject{Status: identity.StatusLocked}, false},
		{"and not for a key that is limited to less", "self.write", fsm, Subject{Ceiling: []string{"reports"}}, false},
		{"roles are the platform's", "roles.write", etl, subject("administrator"), false},
		{"the platform has everything", "roles.write", etl, subject("superadmin"), true},
		{"a key of the platform has what it is limited to", "users.write", etl, Subject{Roles: []identity.RoleID{"superadmin"}, Ceiling: []string{"flows"}}, false},
		{"a deactivated super admin has nothing", "users.write", etl, Subject{Roles: []identity.RoleID{"superadmin"}, Status: identity.StatusInactive}, false},
	} {
		if got := tt.model.Allows(tt.who, tt.capability); got.Allowed != tt.want || got.Reason == "" {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

// Whatever somebody has, one more role takes nothing away and narrows nothing; a ceiling, a missing record or a status adds nothing. What the catalogue
// does not list is denied to everybody.
func TestARoleMoreNeverTakesAPermissionAway(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, name := range Presets() {
		m := preset(t, name)
		roles := m.Roles()
		levels, _, _ := m.DataLevels()
		for range 400 {
			var who Subject
			for range random.IntN(4) {
				who.Roles = append(who.Roles, roles[random.IntN(len(roles))].ID)
			}
			who.Admin = random.IntN(8) == 0
			if random.IntN(2) == 0 {
				who.Links = []string{"technician"}
			}
			if len(levels) > 0 && random.IntN(2) == 0 {
				who.Level = levels[random.IntN(len(levels))]
			}
			more, less := who, who
			more.Roles = append(slices.Clone(who.Roles), roles[random.IntN(len(roles))].ID)
			less.Ceiling = []string{"flows", "home:view", "users"}
			less.Status = []identity.Status{identity.StatusLocked, identity.StatusActive}[random.IntN(2)]
			checkOrder(t, m, levels, less, who)
			checkOrder(t, m, levels, who, more)
			if d := m.Decide(more, "no_such_thing", "view"); d.Allowed || d.Reason == "" {
				t.Fatalf("%s: an unknown resource: %+v", name, d)
			}
		}
	}
}

// checkOrder wants everything that less may do in more, at least as far.
func checkOrder(t *testing.T, m *Model, levels []string, less, more Subject) {
	t.Helper()
	a, b := m.Permissions(less), m.Permissions(more)
	for i := range a {
		if a[i].Allowed && (!b[i].Allowed || slices.Index(levels, a[i].Level) > slices.Index(levels, b[i].Level)) {
			t.Fatalf("%s: %s %s: %+v may (%+v), %+v may not (%+v)", m.Name(), a[i].Resource.ID, a[i].Action, less, a[i].Decision, more, b[i].Decision)
		}
		if a[i].Reason == "" || b[i].Reason == "" {
			t.Fatalf("%s: an answer without a reason", a[i].Resource.ID)
		}
	}
}

func TestALevelThatTheModelDoesNotHaveIsTheNarrowest(t *testing.T) {
	for name, role := range map[string]identity.RoleID{"fentu-fsm": "dispatcher", "fintechos": "auditor"} {
		resource := map[string]string{"fentu-fsm": "work_orders", "fintechos": "records"}[name]
		who := Subject{Roles: []identity.RoleID{role}, Level: "galaxy"}
		if d := preset(t, name).Decide(who, resource, "view"); !d.Allowed || d.Level != LevelPersonal {
			t.Errorf("%s: %+v", name, d)
		}
	}
}
