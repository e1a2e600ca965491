package access

import (
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

func subject(roles ...identity.RoleID) Subject { return Subject{Roles: roles} }

// edited returns the model after somebody changed a role in the database.
func edited(t *testing.T, m *Model, id identity.RoleID, change func(*identity.RoleDefinition)) *Model {
	t.Helper()
	defs := m.Definitions()
	i := slices.IndexFunc(defs, func(d identity.RoleDefinition) bool { return d.ID == id })
	change(&defs[i])
	if err := m.CheckRole(defs[i]); err != nil {
		t.Fatal(err)
	}
	if err := m.Use(m.Version()+1, nil, defs); err != nil {
		t.Fatal(err)
	}
	return m
}

func expect(t *testing.T, m *Model, who Subject, resource, action string, want Decision) {
	t.Helper()
	if got := m.Decide(who, resource, action); got != want {
		t.Errorf("%s %s: got %+v\nwant %+v", resource, action, got, want)
	}
}

func TestProfilesOfTheConnectorProductDecide(t *testing.T) {
	t.Run("FC-02 without a profile nothing is granted, and a person has one profile", func(t *testing.T) {
		m := preset(t, "fentu-connect")
		for _, p := range m.Permissions(Subject{}) {
			if p.Allowed || p.Reason != "Without a role nothing is granted" {
				t.Errorf("%s %s: %+v", p.Resource.ID, p.Action, p.Decision)
			}
		}
		if least, most := m.AssignmentBounds(); least != 1 || most != 1 {
			t.Errorf("a person has %d to %d profiles", least, most)
		}
	})
	t.Run("FC-34 without Visible a profile grants nothing, and the other boxes keep their values", func(t *testing.T) {
		m := preset(t, "fentu-connect")
		edited(t, m, "integration_manager", func(d *identity.RoleDefinition) { delete(d.Grants, "visible") })
		for _, p := range m.Permissions(subject("integration_manager")) {
			if p.Allowed {
				t.Errorf("%s %s is still granted", p.Resource.ID, p.Action)
			}
		}
		expect(t, m, subject("integration_manager"), "home", "edit", Decision{Reason: "Integration Manager would grant home: edit, but grants nothing while Visible is not granted"})
		i := slices.IndexFunc(m.Definitions(), func(d identity.RoleDefinition) bool { return d.ID == "integration_manager" })
		if kept := m.Definitions()[i].Grants["connector"]; !slices.Equal(kept, []string{"view", "edit"}) {
			t.Errorf("the box Connector is now %v", kept)
		}
		edited(t, m, "integration_manager", func(d *identity.RoleDefinition) { d.Grants["visible"] = []string{"on"} })
		expect(t, m, subject("integration_manager"), "connector", "edit", Decision{Allowed: true, Reason: "Integration Manager grants connector: view, edit"})
	})
}

func TestEveryBoxOfAProfileIsAFeature(t *testing.T) {
	boxes := map[string]string{
		"FC-35": "home", "FC-36": "connect_wizard", "FC-37": "connector_set", "FC-38": "connection_config", "FC-39": "connector",
		"FC-40": "connect_object", "FC-41": "inbound", "FC-42": "outbound", "FC-43": "users", "FC-44": "profiles",
	}
	for row, box := range boxes {
		t.Run(row+" FC-45 FC-03 the box "+box+" grants the feature and nothing else, unchecked it is gone", func(t *testing.T) {
			m := preset(t, "fentu-connect")
			edited(t, m, "restricted", func(d *identity.RoleDefinition) {
				d.Grants = map[string][]string{"visible": {"on"}, box: {"view", "edit"}}
			})
			for _, p := range m.Permissions(subject("restricted")) {
				if want := p.Resource.ID == "visible" || p.Resource.ID == box; p.Allowed != want {
					t.Errorf("%s %s is %v", p.Resource.ID, p.Action, p.Allowed)
				}
			}
			edited(t, m, "restricted", func(d *identity.RoleDefinition) { delete(d.Grants, box) })
			expect(t, m, subject("restricted"), box, "view", Decision{Reason: "No credentials does not grant " + box + ": view"})
		})
	}
}

func TestProfilesOfTheConnectorProductAreSafeAsShipped(t *testing.T) {
	t.Run("FC-52 a viewer edits nothing", func(t *testing.T) {
		for _, p := range preset(t, "fentu-connect").Permissions(subject("viewer")) {
			if p.Action == "edit" && p.Allowed {
				t.Errorf("Viewer edits %s", p.Resource.ID)
			}
		}
	})
	t.Run("FC-53 users and profiles are sensitive, and only the administrator has them", func(t *testing.T) {
		m := preset(t, "fentu-connect")
		if got := m.Sensitive(); !slices.Equal(got, []string{"connection_config", "users", "profiles"}) {
			t.Errorf("sensitive: %v", got)
		}
		for _, r := range m.Roles() {
			for _, capability := range []string{"users.read", "users.write", "roles.read", "roles.write"} {
				want := r.ID == "administrator" || r.ID == "superadmin"
				if got := m.Allows(subject(r.ID), capability); got.Allowed != want {
					t.Errorf("%s %s: %+v", r.ID, capability, got)
				}
			}
		}
	})
}

func TestRolesOfTheDataProductDecide(t *testing.T) {
	m := preset(t, "etlworks")
	t.Run("ETL-17 ETL-23 an API user signs in nowhere and has two rights", func(t *testing.T) {
		if r, _ := m.Role("api_user"); r.Interactive {
			t.Error("API User may sign in")
		}
		var got []string
		for _, p := range m.Permissions(subject("api_user")) {
			if p.Allowed {
				got = append(got, p.Resource.ID+" "+p.Action)
			}
		}
		if !slices.Equal(got, []string{"user_api call", "own_messages view"}) {
			t.Errorf("API User may %v", got)
		}
	})
	t.Run("ETL-21 an API user cannot execute built-in APIs", func(t *testing.T) {
		if d := m.Allows(subject("api_user"), "api.call"); d.Allowed || d.Reason != "API User does not grant builtin_api: call" {
			t.Errorf("got %+v", d)
		}
	})
	t.Run("ETL-22 the four roles above Viewer execute user-defined APIs", func(t *testing.T) {
		for _, r := range m.Roles() {
			if got := m.Decide(subject(r.ID), "user_api", "call").Allowed; got != (r.ID != "viewer") {
				t.Errorf("%s: %v", r.ID, got)
			}
		}
	})
	t.Run("ETL-14 an editor has all that an administrator has but users, global stats and audit-trail", func(t *testing.T) {
		for _, p := range m.Permissions(subject("editor")) {
			admin := m.Decide(subject("administrator"), p.Resource.ID, p.Action).Allowed
			if want := admin && !slices.Contains([]string{"users", "global_stats", "audit"}, p.Resource.ID); p.Allowed != want {
				t.Errorf("%s %s: %v", p.Resource.ID, p.Action, p.Allowed)
			}
		}
	})
}

func TestRightsOfTheFieldServiceProductReachAsFarAsTheLevel(t *testing.T) {
	m := preset(t, "fentu-fsm")
	person := Place{User: "dora", Team: "north-1", Unit: "north"}
	records := map[string]Place{
		"own": {User: "dora", Team: "north-1", Unit: "north"}, "of the team": {User: "tom", Team: "north-1", Unit: "north"},
		"of the branch": {User: "ben", Team: "north-2", Unit: "north"}, "of another branch": {User: "sue", Team: "south-1", Unit: "south"},
		"of nobody in another branch": {Unit: "south"},
	}
	for _, tt := range []struct {
		row, level string
		sees       []string
	}{
		{"FSM-30", "global", []string{"of another branch", "of nobody in another branch", "of the branch", "of the team", "own"}},
		{"FSM-31 FSM-34", "branch", []string{"of the branch", "of the team", "own"}},
		{"FSM-32", "team", []string{"of the team", "own"}},
		{"FSM-33", "personal", []string{"own"}},
		{"FSM-33 without a level", "", []string{"own"}},
	} {
		t.Run(tt.row+" a dispatcher with the level "+tt.level+" sees the work orders "+strings.Join(tt.sees, ", "), func(t *testing.T) {
			who := Subject{Roles: []identity.RoleID{"dispatcher"}, Level: tt.level}
			d := m.Decide(who, "work_orders", "edit")
			for name, record := range records {
				if got := m.Sees(d, person, record); got != slices.Contains(tt.sees, name) {
					t.Errorf("%s: %v (%+v)", name, got, d)
				}
			}
			if m.Sees(m.Decide(who, "invoicing", "view"), person, records["own"]) {
				t.Error("a level gives what the profile does not")
			}
		})
	}
	t.Run("FSM-34 the reason says profile and level", func(t *testing.T) {
		expect(t, m, Subject{Roles: []identity.RoleID{"dispatcher"}, Level: "branch"}, "work_orders", "view",
			Decision{Allowed: true, Reason: "Dispatcher grants work_orders: view, edit, as far as branch", Level: "branch"})
	})
	t.Run("FSM-31 FSM-32 without a branch or team there is nothing of it", func(t *testing.T) {
		for _, level := range []string{"branch", "team"} {
			d := m.Decide(Subject{Roles: []identity.RoleID{"dispatcher"}, Level: level}, "work_orders", "view")
			if m.Sees(d, Place{User: "dora"}, Place{User: "ben"}) {
				t.Errorf("%s reaches records of nobody's", level)
			}
		}
	})
	t.Run("FSM-04 the mobile app needs the linked technician", func(t *testing.T) {
		expect(t, m, subject("technician"), "mobile_app", "view", Decision{Reason: "Mobile app needs an active Technician record that is linked to the person"})
		expect(t, m, Subject{Roles: []identity.RoleID{"technician"}, Links: []string{"technician"}}, "mobile_app", "view",
			Decision{Allowed: true, Reason: "Technician grants mobile_app: view, edit"})
	})
	t.Run("FSM-63 a profile grants any set of features", func(t *testing.T) {
		m := preset(t, "fentu-fsm")
		edited(t, m, "dispatcher", func(d *identity.RoleDefinition) {
			d.Grants = map[string][]string{"work_orders": {"view"}, "invoicing": {"view", "edit"}, "reports": {"view"}}
		})
		for _, p := range m.Permissions(subject("dispatcher")) {
			if p.Allowed != (p.Resource.ID == "invoicing" || p.Action == "view" && (p.Resource.ID == "work_orders" || p.Resource.ID == "reports")) {
				t.Errorf("%s %s: %v", p.Resource.ID, p.Action, p.Allowed)
			}
		}
	})
}

func TestRolesOfTheBankingPlatformDecide(t *testing.T) {
	m := preset(t, "fintechos")
	t.Run("FOS-01 FOS-07 User Management and administrators manage users, nobody else does", func(t *testing.T) {
		for _, r := range m.Roles() {
			want := r.ID == "user_management" || r.ID == "superadmin"
			if got := m.Allows(subject(r.ID), "users.write"); got.Allowed != want {
				t.Errorf("%s: %+v", r.ID, got)
			}
		}
		if d := m.Allows(Subject{Admin: true}, "users.write"); !d.Allowed || d.Reason != "Is Administrator grants users: view, edit" {
			t.Errorf("the flag: %+v", d)
		}
	})
	t.Run("FOS-20 Is Administrator grants everything, whatever the roles", func(t *testing.T) {
		for _, p := range m.Permissions(Subject{Admin: true, Roles: []identity.RoleID{"portal_viewer"}}) {
			if !p.Allowed || p.Resource.Scoped && p.Level != LevelGlobal {
				t.Errorf("%s %s: %+v", p.Resource.ID, p.Action, p.Decision)
			}
		}
		if preset(t, "etlworks").Decide(Subject{Admin: true}, "flows", "view").Allowed {
			t.Error("the flag grants in a model that has none")
		}
	})
	t.Run("FOS-24 FOS-05 several roles are a union", func(t *testing.T) {
		expect(t, m, subject("auditor", "user_management"), "users", "edit", Decision{Allowed: true, Reason: "User Management grants users: view, edit"})
		expect(t, m, subject("auditor", "user_management"), "records", "edit", Decision{Reason: "None of Auditor, User Management grants records: edit"})
	})
	t.Run("FOS-25 the widest level of the roles that grant the action wins", func(t *testing.T) {
		for _, tt := range []struct {
			roles  []identity.RoleID
			action string
			want   string
		}{
			{[]identity.RoleID{"own_records"}, "view", LevelPersonal},
			{[]identity.RoleID{"own_records", "officer"}, "edit", LevelBranch},
			{[]identity.RoleID{"own_records", "officer"}, "delete", LevelPersonal}, // officers delete nothing
			{[]identity.RoleID{"own_records", "officer", "auditor"}, "view", LevelGlobal},
			{[]identity.RoleID{"own_records", "officer", "auditor"}, "edit", LevelBranch},
		} {
			if got := m.Decide(subject(tt.roles...), "records", tt.action); !got.Allowed || got.Level != tt.want {
				t.Errorf("%v %s: %+v, want %s", tt.roles, tt.action, got, tt.want)
			}
		}
		capped := Subject{Roles: []identity.RoleID{"auditor"}, Level: LevelTeam}
		if d := m.Decide(capped, "records", "view"); d.Level != LevelTeam {
			t.Errorf("the person's own level is no cap: %+v", d)
		}
	})
}

func TestTheRootOfTheBankingPlatformSeesEveryUnit(t *testing.T) {
	m := preset(t, "fintechos")
	t.Run("FOS-18 who stands under the root sees every unit, as far as rights go", func(t *testing.T) {
		root, unit := Place{User: "rita", Unit: "root"}, Place{User: "uma", Unit: "retail", Above: []identity.UnitID{"root"}}
		record := Place{User: "somebody", Unit: "retail-east", Above: []identity.UnitID{"retail", "root"}}
		elsewhere := Place{User: "somebody", Unit: "corporate", Above: []identity.UnitID{"root"}}
		officer := m.Decide(subject("officer"), "records", "edit")
		if !m.Sees(officer, root, record) || !m.Sees(officer, root, elsewhere) || !m.Sees(officer, root, Place{Unit: "root"}) {
			t.Error("an officer under the root does not see everything")
		}
		if !m.Sees(officer, unit, record) || m.Sees(officer, unit, elsewhere) || m.Sees(officer, unit, Place{Unit: "root"}) {
			t.Error("an officer of a unit sees more or less than the unit and those below")
		}
		if m.Sees(m.Decide(subject("officer"), "records", "delete"), root, record) {
			t.Error("standing under the root grants what no role grants")
		}
		if m.Sees(m.Decide(subject("own_records"), "records", "view"), root, record) {
			t.Error("a role for one's own records grants more under the root")
		}
	})
}

func TestRolesOfTheBackupProductAreFour(t *testing.T) {
	m := preset(t, "fluentpro-backup")
	t.Run("FP-08 Owner, Admin, Member and Viewer, and nobody edits them", func(t *testing.T) {
		var titles []string
		for _, r := range m.Roles() {
			if r.Scope == identity.ScopeTenant {
				titles = append(titles, r.Title)
			}
		}
		if !slices.Equal(titles, []string{"Owner", "Admin", "Member", "Viewer"}) || m.RolesEditable() {
			t.Errorf("roles are %v, editable %v", titles, m.RolesEditable())
		}
	})
	t.Run("FP-11 Owner and Admin perform every action in the tenant", func(t *testing.T) {
		for _, role := range []identity.RoleID{"owner", "admin"} {
			for _, p := range m.Permissions(subject(role)) {
				if !p.Allowed {
					t.Errorf("%s: %s %s", role, p.Resource.ID, p.Action)
				}
			}
		}
	})
	t.Run("FP-15 FP-16 FP-12 FP-13 Member and Viewer see users and change and invite nobody", func(t *testing.T) {
		for _, role := range []identity.RoleID{"member", "viewer"} {
			if !m.Allows(subject(role), "users.read").Allowed || m.Allows(subject(role), "users.write").Allowed || m.Allows(subject(role), "users.invite").Allowed {
				t.Errorf("%s has other rights over users", role)
			}
		}
	})
}
