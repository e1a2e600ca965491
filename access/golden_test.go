package access

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
)

func TestEveryRowOfThePermissionTablesHolds(t *testing.T) {
	checks := map[string]func(*testing.T, *Model, [][]string){
		"etlworks": checkDecisions, "fentu-connect": checkBoxes, "fentu-fsm": checkTypicalAccess,
		"fintechos": checkFacts, "fluentpro-backup": checkLevelNames,
	}
	for _, name := range Presets() {
		t.Run(name, func(t *testing.T) {
			m, err := Load(name)
			if err != nil {
				t.Fatal(err)
			}
			check, ok := checks[name]
			if !ok {
				t.Fatalf("the preset %s has no permission table", name)
			}
			check(t, m, table(t, name))
		})
	}
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

func can(m *Model, role, resource, action string) bool {
	return m.Decide(Subject{Roles: []identity.RoleID{identity.RoleID(role)}}, resource, action).Allowed
}

// checkDecisions reads rows of role, resource, action, allow.
func checkDecisions(t *testing.T, m *Model, rows [][]string) {
	for _, row := range rows[1:] {
		role, resource, action, want := row[0], row[1], row[2], row[3] == "1"
		for _, r := range m.now.Load().doc.Catalogue {
			for _, a := range r.Actions {
				if (resource == r.ID || resource == "*") && (action == a || action == "*") && can(m, role, r.ID, a) != want {
					t.Errorf("%s %s %s is %v, want %v (%s)", role, r.ID, a, !want, want, row[4])
				}
			}
		}
		if _, known := m.now.Load().resources[resource]; !known && resource != "*" {
			t.Errorf("the row %v names a resource that the model does not have", row)
		}
	}
}

// checkBoxes reads rows of a feature's title and, for each role, edit, view or none.
func checkBoxes(t *testing.T, m *Model, rows [][]string) {
	roles := rows[0][1:]
	for _, row := range rows[1:] {
		id := byTitle(t, m, row[0])
		for i, role := range roles {
			got := "none"
			if can(m, role, id, "view") {
				got = "view"
			}
			if can(m, role, id, "edit") {
				got = "edit"
			}
			if got != row[i+1] {
				t.Errorf("%s on %s: %s, want %s", role, row[0], got, row[i+1])
			}
		}
	}
}

// checkTypicalAccess reads rows of a user type and, for each resource, whether its default role lists it.
func checkTypicalAccess(t *testing.T, m *Model, rows [][]string) {
	columns := rows[0][1:]
	for _, row := range rows[1:] {
		i := slices.IndexFunc(m.now.Load().doc.UserTypes.Items, func(u userType) bool { return u.ID == row[0] })
		if i < 0 {
			t.Fatalf("no user type %s", row[0])
		}
		role := string(m.now.Load().doc.UserTypes.Items[i].DefaultRole)
		for i, column := range columns {
			got := can(m, role, column, "view")
			if column == "any_edit" {
				got = slices.ContainsFunc(m.now.Load().doc.Catalogue, func(r resource) bool { return can(m, role, r.ID, "edit") })
			}
			if want := row[i+1] == "1"; got != want {
				t.Errorf("%s on %s: %v, want %v", role, column, got, want)
			}
		}
	}
}

// checkFacts reads rows of a fact's name and value.
func checkFacts(t *testing.T, m *Model, rows [][]string) {
	least, most := m.AssignmentBounds()
	many := map[int]string{0: "many"}[most]
	guest := m.now.Load().doc.UserTypes.Items[slices.IndexFunc(m.now.Load().doc.UserTypes.Items, func(u userType) bool { return u.ID == "guest" })]
	self := m.now.Load().doc.Catalogue[slices.IndexFunc(m.now.Load().doc.Catalogue, func(r resource) bool { return r.Self })]
	grantless := !slices.ContainsFunc(m.now.Load().doc.UserTypes.Items, func(u userType) bool { return u.DefaultRole != "" })
	facts := map[string]string{
		"default_user_type":        m.now.Load().doc.UserTypes.Default,
		"guest_max":                strconv.Itoa(guest.MaxUsers),
		"user_types_extensible":    strconv.FormatBool(m.now.Load().doc.UserTypes.Extensible),
		"user_types_grant_nothing": strconv.FormatBool(grantless),
		"roles_min":                strconv.Itoa(least),
		"roles_max":                many,
		"root_bu":                  m.now.Load().doc.BusinessUnits.Root,
		"username_mutable":         strconv.FormatBool(len(m.now.Load().doc.Login.UsernameMutableBy) > 0),
		"admin_flag":               strconv.FormatBool(m.now.Load().doc.AdminFlag != nil && m.now.Load().doc.AdminFlag.Grants["*"].word == "all"),
		"self_service":             self.ID,
	}
	for _, row := range rows {
		if got, ok := facts[row[0]]; !ok || got != row[1] {
			t.Errorf("%s is %q, want %q", row[0], got, row[1])
		}
	}
}

// checkLevelNames reads rows of an option's title and, for each role, the name of its level.
func checkLevelNames(t *testing.T, m *Model, rows [][]string) {
	roles := rows[0][1:]
	for _, row := range rows[1:] {
		id := byTitle(t, m, row[0])
		for i, role := range roles {
			if got := m.Level(identity.RoleID(role), id); got != row[i+1] {
				t.Errorf("%s on %s: %q, want %q", role, row[0], got, row[i+1])
			}
		}
	}
}

func byTitle(t *testing.T, m *Model, title string) string {
	t.Helper()
	for _, r := range m.now.Load().doc.Catalogue {
		if r.Title == title {
			return r.ID
		}
	}
	t.Fatalf("no resource is called %q", title)
	return ""
}
