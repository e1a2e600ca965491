package access

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/google/go-cmp/cmp"
)

// small is the smallest model that has no mistake; tests change one thing in it.
const small = `apiVersion: drawbridge.access-model/v1
name: small
title: Small
tenancy: {mode: single, landing: {role: reader}}
catalogue:
  - {id: visible, title: Visible, owner: app, gate: true, actions: [on]}
  - {id: things, title: Things, owner: app, actions: [view, edit]}
  - {id: users, title: Users, owner: drawbridge, actions: [view, edit], binds: {view: users.read, edit: users.write}}
  - {id: tenants, title: Tenants, owner: drawbridge, scope: platform, actions: [manage], binds: {manage: tenants.write}}
  - {id: mine, title: My Account, owner: drawbridge, self: true, actions: [view], binds: {view: self.read}}
levels: {look: [view]}
roles:
  - {id: reader, title: Reader, scope: tenant, grants: {visible: all, things: look}}
  - {id: hidden, title: Hidden, scope: tenant, grants: {things: all}}
  - {id: boss, title: Boss, scope: tenant, grants: {"*": all}}
login: {identifier: email, methods: [password]}
`

func load(t *testing.T, text string) (*Model, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "model.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(file)
}

func mustLoad(t *testing.T, text string) *Model {
	t.Helper()
	m, err := load(t, text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAModelDecidesWithAReason(t *testing.T) {
	etl, err := Load("etlworks")
	if err != nil {
		t.Fatal(err)
	}
	own := mustLoad(t, small)
	tests := []struct {
		name             string
		model            *Model
		roles            []identity.RoleID
		resource, action string
		want             Decision
	}{
		{"a role grants what it lists", etl, []identity.RoleID{"operator"}, "flows", "execute", Decision{Allowed: true, Reason: "Operator grants flows: view, execute"}},
		{"a role grants nothing else", etl, []identity.RoleID{"viewer"}, "flows", "execute", Decision{Allowed: false, Reason: "Viewer does not grant flows: execute"}},
		{"several roles are a union", etl, []identity.RoleID{"viewer", "api_user"}, "user_api", "call", Decision{Allowed: true, Reason: "API User grants user_api: call"}},
		{"none of several grants", etl, []identity.RoleID{"viewer", "api_user"}, "users", "view", Decision{Allowed: false, Reason: "None of Viewer, API User grants users: view"}},
		{"the super admin may do everything", etl, []identity.RoleID{"superadmin"}, "tenants", "manage", Decision{Allowed: true, Reason: "SuperAdmin grants everything"}},
		{"an administrator does not manage tenants", etl, []identity.RoleID{"administrator"}, "tenants", "manage", Decision{Allowed: false, Reason: "Administrator does not grant tenants: manage; Tenants belongs to the platform"}},
		{"nobody may do what the catalogue does not list", etl, []identity.RoleID{"superadmin"}, "flows", "fly", Decision{Allowed: false, Reason: "The access model etlworks has no flows: fly"}},
		{"an unknown role grants nothing", etl, []identity.RoleID{"nobody"}, "flows", "view", Decision{Allowed: false, Reason: "Without a role nothing is granted"}},
		{"without a role nothing is granted", etl, nil, "flows", "view", Decision{Allowed: false, Reason: "Without a role nothing is granted"}},
		{"a level stands for its actions", own, []identity.RoleID{"reader"}, "things", "view", Decision{Allowed: true, Reason: "Reader grants things: view"}},
		{"a role without the gate grants nothing", own, []identity.RoleID{"hidden"}, "things", "view", Decision{Allowed: false, Reason: "Hidden would grant things: view, but grants nothing while Visible is not granted"}},
		{"what is one's own needs no role", own, nil, "mine", "view", Decision{Allowed: true, Reason: "My Account is everybody's own"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.model.Decide(Subject{Roles: tt.roles}, tt.resource, tt.action)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCapabilitiesFollowTheCatalogue(t *testing.T) {
	tests := []struct {
		preset, role, capability string
		want                     bool
	}{
		{"etlworks", "superadmin", "tenants.write", true},
		{"etlworks", "administrator", "tenants.write", false},
		{"etlworks", "administrator", "users.write", true},
		{"etlworks", "administrator", "audit.read", true},
		{"etlworks", "editor", "users.read", false},
		{"etlworks", "viewer", "api.call", true},
		{"etlworks", "api_user", "api.call", false},
		{"fluentpro-backup", "viewer", "users.read", true},
		{"fluentpro-backup", "viewer", "users.write", false},
		{"fluentpro-backup", "admin", "users.write", true},
		{"fluentpro-backup", "admin", "tenants.write", false},
		{"fluentpro-backup", "superadmin", "tenants.write", true},
		{"fluentpro-backup", "superadmin", "audit.read", true},
		{"fintechos", "user_management", "users.write", true},
		{"fintechos", "auditor", "users.read", false},
		{"fintechos", "auditor", "self.write", true},
		{"fintechos", "nobody", "users.write", false},
	}
	for _, tt := range tests {
		m, err := Load(tt.preset)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Allows(Subject{Roles: []identity.RoleID{identity.RoleID(tt.role)}}, tt.capability); got.Allowed != tt.want || got.Reason == "" {
			t.Errorf("%s: %s %s is %v (%s)", tt.preset, tt.role, tt.capability, got.Allowed, got.Reason)
		}
	}
}

func TestEveryPresetHasASuperAdminALandingRoleAndNoPrivilegedStrangers(t *testing.T) {
	if diff := cmp.Diff([]string{"etlworks", "fentu-connect", "fentu-fsm", "fintechos", "fluentpro-backup"}, Presets()); diff != "" {
		t.Fatal(diff)
	}
	for _, name := range Presets() {
		m, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		super, ok := m.Role("superadmin")
		if !ok || super.Scope != identity.ScopePlatform || !super.Interactive || super.Application != identity.DefaultApplication {
			t.Errorf("%s: superadmin is %+v", name, super)
		}
		tenant, landing := m.Landing()
		role, ok := m.Role(landing)
		if tenant != "SSO Landing" || !ok || role.Scope != identity.ScopeTenant || m.Privileged(landing) {
			t.Errorf("%s: people land in %q as %+v", name, tenant, role)
		}
		if m.Minimum("superadmin") < 1 || m.Minimum(landing) != 0 {
			t.Errorf("%s: the last super admin is not kept, or the last newcomer is", name)
		}
	}
}

func TestPrivilegedRolesAreThoseThatManagePeople(t *testing.T) {
	want := map[string][]identity.RoleID{
		"etlworks":         {"superadmin", "administrator"},
		"fentu-connect":    {"superadmin", "administrator"},
		"fentu-fsm":        {"superadmin", "administrator"},
		"fintechos":        {"superadmin", "user_management"},
		"fluentpro-backup": {"superadmin", "owner", "admin"},
	}
	for _, name := range Presets() {
		m, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		var got []identity.RoleID
		for _, r := range m.Roles() {
			if m.Privileged(r.ID) {
				got = append(got, r.ID)
			}
		}
		if diff := cmp.Diff(want[name], got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if !m.Privileged("unheard_of") {
			t.Errorf("%s: a role that nobody knows counts as harmless", name)
		}
	}
}

func TestRolesSayWhoMaySignInAndWhoMayBeAssigned(t *testing.T) {
	etl, err := Load("etlworks")
	if err != nil {
		t.Fatal(err)
	}
	var machines []identity.RoleID
	for _, r := range etl.Roles() {
		if !r.Interactive {
			machines = append(machines, r.ID)
		}
	}
	if !slices.Equal(machines, []identity.RoleID{"api_user"}) {
		t.Errorf("not interactive: %v", machines)
	}
	backup, err := Load("fluentpro-backup")
	if err != nil {
		t.Fatal(err)
	}
	if backup.Assignable("owner") || !backup.Assignable("admin") || backup.Assignable("nobody") {
		t.Error("an owner is made with the tenant and by nothing else")
	}
	fsm, err := Load("fentu-fsm")
	if err != nil {
		t.Fatal(err)
	}
	if p := fsm.Policy(); p.MaxFailures != 5 || !p.NeverUnlock || p.SessionIdle.Minutes() != 30 || p.MinPassword != 12 || p.PasswordClasses != 3 {
		t.Errorf("policy %+v", p)
	}
}

func TestEveryMistakeOfAFileIsNamedAtOnce(t *testing.T) {
	text := strings.NewReplacer(
		"things: look}", "things: [view, fly], stars: all}",
		"things: all}", "tenants: all}",
		"identifier: email", "identifier: mail",
		"edit: users.write", "edit: users.wirte, burn: users.read",
		"title: Small\n", "title: Small\ncolour: red\n",
	).Replace(small)
	_, err := load(t, text)
	if identity.KindOf(err) != identity.Invalid {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{
		"line 4: unknown key colour",
		"line 14: role reader grants things: fly; its actions are view, edit",
		`line 14: role reader grants "stars", which the catalogue does not list`,
		"line 15: role hidden grants tenants, which belongs to the platform",
		`login: identifier is "mail"`,
		`binds edit is "users.wirte"`, `binds names the action "burn"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the answer does not say %q:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "access.") {
		t.Errorf("the answer speaks of Go types:\n%v", err)
	}
}

func TestAFileWithOneMistakeIsRefused(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"an unknown version", "model/v1", "model/v2", "apiVersion"},
		{"an id that is no slug", "id: reader", "id: The Reader", "is no id"},
		{"a role twice", "id: hidden", "id: boss", "stands twice"},
		{"a key twice", "title: Small\n", "title: Small\ntitle: Large\n", "line 4"},
		{"a landing role that does not exist", "{role: reader}", "{role: guest}", `"guest"`},
		{"a landing role of the platform", "title: Reader, scope: tenant", "title: Reader, scope: platform", "platform role"},
		{"a landing role that manages people", "{role: reader}", "{role: boss}", "boss may manage people"},
		{"a superadmin that cannot run the installation", "id: hidden, title: Hidden", "id: superadmin, title: S", "runs the installation"},
		{"a level that does not exist", "things: look", "things: stare", `"stare" is no level`},
		{"a level with an unknown action", "look: [view]", "look: [view, see]", `"see"`},
		{"a list for everything", `{"*": all}`, `{"*": [view]}`, "not a list"},
		{"no way to come in", "methods: [password]", "methods: []", "nobody could come in"},
		{"a word where a number stands", "login:", "assignment: {min: one}\nlogin:", "`one` is no whole number"},
		{"a word where a duration stands", "login:", "policies: {session: {idle: soon}}\nlogin:", "`soon` is no duration"},
		{"bounds that cannot hold", "login:", "assignment: {min: 2, max: 1}\nlogin:", "smaller than min"},
		{"an invariant that nobody knows", "login:", "invariants: [{kind: magic}]\nlogin:", "invariants: kind"},
		{"a map where a word stands", "things: look", "things: {a: b}", "a word or a list"},
		{"a second document", "login:", "---\nlogin:", "second document"},
		{"no YAML", "apiVersion", "\t{", "cannot start"},
		{"nothing", small, "", "empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(t, strings.Replace(small, tt.old, tt.new, 1))
			if identity.KindOf(err) != identity.Invalid || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("want an Invalid that says %q, got %v", tt.want, err)
			}
		})
	}
}

func TestAFileThatIsMissingOrTooLargeIsNotRead(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "none.yaml"))
	if identity.KindOf(err) != identity.NotFound || !strings.Contains(err.Error(), "etlworks") {
		t.Errorf("a missing file: %v", err)
	}
	_, err = load(t, small+"#"+strings.Repeat("x", MaxSize))
	if identity.KindOf(err) != identity.TooLarge {
		t.Errorf("a file above the limit: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(small)
	f.Add("a: &a [*a]")
	f.Add("{}")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Parse("fuzz", []byte(text))
		if err != nil {
			if k := identity.KindOf(err); k != identity.Invalid {
				t.Fatalf("kind %v for %q", k, text)
			}
			return
		}
		if _, landing := m.Landing(); m.Privileged(landing) {
			t.Fatalf("whom nobody knows would be privileged: %q", text)
		}
	})
}

func asError(err error, e **identity.Error) bool { return errors.As(err, e) }

func TestEveryMistakeHasItsLine(t *testing.T) {
	text := strings.NewReplacer(
		"role: reader}}", "role: guest}}",
		"title: Things, owner: app", "title: Things, owner: nobody",
		"id: hidden", "id: boss",
		"identifier: email", "identifier: mail",
		"methods: [password]}", "methods: [pigeon]}\npolicies:\n  session:\n    idle: -1s\ninvariants:\n  - {kind: last_admin}\nconsole: {colour: red}",
	).Replace(small)
	_, err := load(t, text)
	var got Mistakes
	if !errors.As(err, &got) {
		t.Fatalf("got %v", err)
	}
	want := Mistakes{
		{4, `tenancy: landing names the role "guest", which roles does not list`},
		{7, `catalogue things: owner is "nobody"; write one of app, drawbridge`},
		{15, `role boss: "boss" stands twice`},
		{16, `login: identifier is "mail"; write one of email, username, username_or_email`},
		{16, `login: methods is "pigeon"; write one of password, saml, oidc`},
		{19, "policies: session: idle is negative"},
		{21, "invariants: last_admin: name a role, or flag: true with an admin_flag"},
		{22, `console: colour is "colour"; write one of add, import_page, invite, menu, records_page, roles_page, save, settings_page, users_page`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
