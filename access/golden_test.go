package access

import (
	"cmp"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestEveryCellOfThePermissionTablesHolds(t *testing.T) {
	checks := map[string]func(*testing.T, *Model, [][]string){
		"etlworks": checkDecisions, "fentu-connect": checkBoxes, "fentu-fsm": checkTypicalAccess,
		"fintechos": checkFacts, "fluentpro-backup": checkLevelNames,
	}
	for _, name := range Presets() {
		t.Run(name, func(t *testing.T) {
			check, ok := checks[name]
			if !ok {
				t.Fatalf("the preset %s has no permission table", name)
			}
			check(t, preset(t, name), table(t, name))
		})
	}
}

func preset(t testing.TB, name string) *Model {
	t.Helper()
	m, err := Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// table reads the rows of a golden file without its comments.
func table(t *testing.T, name string) [][]string {
	t.Helper()
	data, err := os.ReadFile("testdata/golden/" + name + ".tsv")
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimRight(line, "\n"); line != "" && !strings.HasPrefix(line, "#") {
			rows = append(rows, strings.Split(line, "\t"))
		}
	}
	if len(rows) < 5 {
		t.Fatalf("%s has only %d rows", name, len(rows))
	}
	return rows
}

// can asks about the role alone: every record that a resource needs is there.
func can(m *Model, role, resource, action string) bool {
	who := Subject{Roles: []identity.RoleID{identity.RoleID(role)}}
	for _, l := range m.LinkTypes() {
		who.Links = append(who.Links, l.Type)
	}
	return m.Decide(who, resource, action).Allowed
}

// checkDecisions reads rows of role, resource, action, allow.
func checkDecisions(t *testing.T, m *Model, rows [][]string) {
	ids := map[string]string{"superadmin": "ETL-12", "administrator": "ETL-13", "editor": "ETL-14", "operator": "ETL-15", "viewer": "ETL-16", "api_user": "ETL-17"}
	special := map[string]string{
		"audit view": "ETL-41", "global_stats view": "ETL-42", "users manage": "ETL-01", "user_api call": "ETL-22",
		"builtin_api call": "ETL-21", "own_messages view": "ETL-23",
	}
	for _, row := range rows[1:] {
		role, want := row[0], row[3] == "1"
		cells := 0
		for _, r := range m.Catalogue() {
			for _, a := range r.Actions {
				if row[1] != r.ID && row[1] != "*" || row[2] != a && row[2] != "*" {
					continue
				}
				cells++
				row := strings.TrimSpace(ids[role] + " " + special[r.ID+" "+a])
				t.Run(row+" "+role+" "+r.ID+" "+a, func(t *testing.T) {
					if got := can(m, role, r.ID, a); got != want {
						t.Errorf("got %v, want %v", got, want)
					}
				})
			}
		}
		if cells == 0 {
			t.Errorf("the row %v names what the model does not have", row)
		}
	}
}

// checkBoxes reads rows of a feature's title and, for each role, edit, view or none.
func checkBoxes(t *testing.T, m *Model, rows [][]string) {
	ids := map[string]string{
		"Home": "FC-35", "Connect Wizard": "FC-36", "Connector Set": "FC-37", "Connection Config": "FC-38", "Connector": "FC-39",
		"Connect Object": "FC-40", "Inbound": "FC-41", "Outbound": "FC-42", "Users": "FC-43", "Profiles": "FC-44",
	}
	profiles := map[string]string{"administrator": "FC-48", "integration_manager": "FC-49", "viewer": "FC-50"}
	for _, row := range rows[1:] {
		id := byTitle(t, m, row[0])
		for i, role := range rows[0][1:] {
			t.Run(strings.TrimSpace(ids[row[0]]+" "+profiles[role])+" "+role+" on "+row[0]+" is "+row[i+1], func(t *testing.T) {
				got := "none"
				if can(m, role, id, "view") {
					got = "view"
				}
				if can(m, role, id, "edit") {
					got = "edit"
				}
				if got != row[i+1] {
					t.Errorf("got %s", got)
				}
			})
		}
	}
}

// checkTypicalAccess reads rows of a user type and, for each resource, whether its default role lists it.
func checkTypicalAccess(t *testing.T, m *Model, rows [][]string) {
	ids := map[string]string{
		"administrator": "FSM-18", "dispatcher": "FSM-19", "technician": "FSM-20", "manager": "FSM-21", "accountant": "FSM-22", "read_only": "FSM-23",
	}
	for _, row := range rows[1:] {
		types := m.UserTypes()
		at := slices.IndexFunc(types, func(u identity.UserType) bool { return string(u.ID) == row[0] })
		if at < 0 {
			t.Fatalf("no user type %s", row[0])
		}
		role := string(types[at].DefaultRole)
		for i, column := range rows[0][1:] {
			t.Run(ids[row[0]]+" "+row[0]+" has "+column+": "+row[i+1], func(t *testing.T) {
				got := can(m, role, column, "view")
				if column == "any_edit" {
					got = slices.ContainsFunc(m.Catalogue(), func(r Resource) bool { return can(m, role, r.ID, "edit") })
				}
				if want := row[i+1] == "1"; got != want {
					t.Errorf("got %v", got)
				}
			})
		}
	}
}

// checkFacts reads rows of a fact's name and value.
func checkFacts(t *testing.T, m *Model, rows [][]string) {
	least, most := m.AssignmentBounds()
	types := m.UserTypes()
	guest := types[slices.IndexFunc(types, func(u identity.UserType) bool { return u.ID == "guest" })]
	resources := m.Catalogue()
	self := resources[slices.IndexFunc(resources, func(r Resource) bool { return r.Self })]
	units, _ := m.Units()
	_, flag := m.AdminFlag()
	facts := map[string]string{
		"default_user_type":        string(m.DefaultUserType()),
		"guest_max":                strconv.Itoa(guest.MaxUsers),
		"user_types_extensible":    strconv.FormatBool(m.UserTypesExtensible()),
		"user_types_grant_nothing": strconv.FormatBool(!slices.ContainsFunc(types, func(u identity.UserType) bool { return u.DefaultRole != "" })),
		"roles_min":                strconv.Itoa(least),
		"roles_max":                cmp.Or(map[int]string{0: "many"}[most], strconv.Itoa(most)),
		"root_bu":                  units.Root,
		"username_mutable":         strconv.FormatBool(m.UserNameMutableBy("admin") || m.UserNameMutableBy("self")),
		"admin_flag":               strconv.FormatBool(flag && m.Decide(Subject{Admin: true}, "roles", "edit").Allowed),
		"self_service":             self.ID,
	}
	for _, row := range rows {
		t.Run(row[0]+" is "+row[1], func(t *testing.T) {
			if got := facts[row[0]]; got != row[1] {
				t.Errorf("got %q", got)
			}
		})
	}
}

// checkLevelNames reads rows of an option's title and, for each role, the name of its level.
func checkLevelNames(t *testing.T, m *Model, rows [][]string) {
	ids := map[string]string{
		"Add Environment": "FP-14", "User Management": "FP-15", "Invite/Remove Users": "FP-16", "Use Credentials Manager": "FP-17", "Reconnect": "FP-18",
		"Create Backup Schedule": "FP-19", "Change Schedule": "FP-20", "Select Backup Content": "FP-21", "Change Email": "FP-22", "Run Backup": "FP-23",
		"Use Operation Details": "FP-24", "Restore": "FP-25", "Use Data Protection": "FP-26",
	}
	roles := map[string]string{"admin": "FP-11", "member": "FP-12", "viewer": "FP-13"}
	for _, row := range rows[1:] {
		r := m.now.Load().resources[byTitle(t, m, row[0])]
		for i, role := range rows[0][1:] {
			t.Run(ids[row[0]]+" "+roles[role]+" "+role+" on "+row[0]+" is "+row[i+1], func(t *testing.T) {
				if got := m.Level(identity.RoleID(role), r.ID); got != row[i+1] {
					t.Errorf("the matrix shows %q", got)
				}
				for _, action := range r.Actions {
					want := row[i+1] == "+" || row[i+1] == "View only" && action == "view"
					if got := can(m, role, r.ID, action); got != want {
						t.Errorf("%s is %v", action, got)
					}
				}
			})
		}
	}
}

func byTitle(t *testing.T, m *Model, title string) string {
	t.Helper()
	for _, r := range m.Catalogue() {
		if r.Title == title {
			return r.ID
		}
	}
	t.Fatalf("no resource is called %q", title)
	return ""
}
