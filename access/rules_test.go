package access

import (
	"slices"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	gocmp "github.com/google/go-cmp/cmp"
)

// said is what the presets say about people, one answer of every accessor.
func said(m *Model) map[string]any {
	units, hasUnits := m.Units()
	levels, where, def := m.DataLevels()
	flag, _ := m.AdminFlag()
	keys, hasKeys := m.APIKeys()
	owner, hasOwner := m.Owner()
	open, _ := m.OpenAssignments()
	level, holding := m.Holding()
	on := m.Onboarding()
	out := map[string]any{
		"single": m.Single(), "main": m.MainTenant(), "founds": m.SelfRegistration(), "moved by platform": m.MovedByPlatform(), "holding": holding, "holding level": level,
		"levels": len(levels), "where": where, "default level": def, "flag": flag, "enabled": m.EnabledLabel(), "types": len(m.UserTypes()),
		"type": m.DefaultUserType(), "more types": m.UserTypesExtensible(), "links": len(m.LinkTypes()), "reason": m.ReasonRequired(), "onboarding": on.Default, "delete": m.DeleteMode(),
		"deactivates": m.Deactivates(), "admin names": m.UserNameMutableBy("admin"), "identifier": m.Identifier(), "methods": len(m.Methods()), "external": m.ExternalFlag(),
		"mail": m.EmailRequired("local"), "editable": m.RolesEditable(), "fields": len(m.RoleFields()), "own mail": m.SelfServiceEmail(),
		"review": m.ReviewAdminsEvery(), "users": m.Caption("users_page", "People"), "add": m.Caption("add", "Add"), "admins": m.MinimumAdmins(), "in use": m.RoleInUse(), "open": open.OnPerson,
	}
	if hasUnits {
		out["units"] = units
	}
	if hasKeys {
		out["keys"] = keys
	}
	if hasOwner {
		out["owner"] = owner
	}
	return out
}

func TestEveryRuleOfThePresetsIsAnswered(t *testing.T) {
	common := map[string]any{
		"single": true, "main": "Main", "founds": false, "moved by platform": false, "holding": true, "holding level": "", "levels": 0, "where": "", "default level": "",
		"flag": "", "enabled": "Enabled", "types": 0, "type": identity.UserTypeID(""), "more types": false, "links": 0, "reason": false, "onboarding": OnboardPassword, "delete": DeletePermanent,
		"deactivates": true, "admin names": false, "identifier": IdentifierEmail, "methods": 3, "external": false, "mail": true, "editable": true, "fields": 0,
		"own mail": "verify", "review": time.Duration(0), "users": "Users", "add": "Add", "admins": 0, "in use": "refuse", "open": "warn",
	}
	differs := map[string]map[string]any{
		"etlworks": {
			"single": false, "moved by platform": true, "holding": false, "onboarding": OnboardInvite, "delete": DeleteHidden, "editable": false, "add": "+",
			"keys": APIKeys{JWT: true, SurvivesPasswordChange: true},
		},
		"fentu-connect": {"admin names": true, "fields": 5, "review": 90 * 24 * time.Hour, "add": "New", "in use": "reassign"},
		"fentu-fsm": {
			"holding level": LevelPersonal, "levels": 4, "where": LevelOfUser, "default level": LevelPersonal, "types": 6, "type": identity.UserTypeID("read_only"), "links": 1, "reason": true,
			"admin names": true, "identifier": IdentifierEither, "mail": false, "open": "block", "units": Units{Label: "Branch", Required: true, Teams: true, Root: "Main", Visibility: "own"},
		},
		"fintechos": {
			"levels": 4, "where": LevelOfGrant, "default level": LevelPersonal, "flag": "Is Administrator", "enabled": "Is Authorized", "types": 3, "type": identity.UserTypeID("back_office"),
			"more types": true, "identifier": IdentifierUserName, "external": true, "mail": false, "users": "System Users", "add": "Insert", "admins": 1,
			"units": Units{Label: "Business Unit", Required: true, Root: "Root", Visibility: "subtree"},
		},
		"fluentpro-backup": {
			"single": false, "founds": true, "holding": false, "onboarding": OnboardInvite, "delete": DeleteRemove, "editable": false, "users": "User Management",
			"owner": Owner{Role: "owner", Count: 1, Deny: []string{DenyEdit, DenyDelete, DenyDeactivate, DenyRoleChange}, OnSCIM: OnSCIMRefuse},
		},
	}
	for _, name := range Presets() {
		t.Run(name, func(t *testing.T) {
			got := said(preset(t, name))
			for key, value := range got {
				want, ok := differs[name][key]
				if !ok {
					want = common[key]
				}
				if diff := gocmp.Diff(want, value); diff != "" {
					t.Errorf("%s: %s", key, diff)
				}
			}
			for key := range differs[name] {
				if _, ok := got[key]; !ok {
					t.Errorf("%s is not answered", key)
				}
			}
		})
	}
}

func TestSmallerRulesOfThePresetsAreAnswered(t *testing.T) {
	fsm, fos, backup, etl := preset(t, "fentu-fsm"), preset(t, "fintechos"), preset(t, "fluentpro-backup"), preset(t, "etlworks")
	if p := fsm.Policy(); p.PasswordHistory != 5 || p.PasswordAge != 90*24*time.Hour {
		t.Errorf("policy %+v", p)
	}
	if !fsm.EnforceSecondFactor([]identity.RoleID{"dispatcher", "administrator"}) || fsm.EnforceSecondFactor([]identity.RoleID{"dispatcher"}) {
		t.Error("a second factor is for administrators")
	}
	if fsm.RequiresLink("mobile_app") != "technician" || fsm.RequiresLink("reports") != "" {
		t.Error("the mobile app needs a technician, reports need nothing")
	}
	if !fos.EmailRequired("sso") || !fos.EmailRequired("invite") || fos.EmailRequired("scim") || fos.EmailRequired("local") {
		t.Error("a system user needs an e-mail address for SSO and invitations only")
	}
	if got := fos.Captions("save"); !slices.Equal(got, []string{"Save and reload", "Save and close"}) || !slices.Equal(fos.Captions("add"), []string{"Insert"}) {
		t.Errorf("the buttons of save are %v", got)
	}
	on := backup.Onboarding()
	if on.InviteTTL != 168*time.Hour || !slices.Equal(on.AcceptFields, []string{"first_name", "last_name"}) || on.AcceptButton != "Complete" || on.MailButton != "Join" || on.SetsPassword {
		t.Errorf("an invitation is %+v", on)
	}
	owner, _ := backup.Owner()
	if !owner.Denies(DenyDelete) || owner.Denies("promote") {
		t.Errorf("an owner is %+v", owner)
	}
	if match, unknown := etl.SignIn(); len(match) != 3 || unknown != "landing" {
		t.Errorf("people are found by %v, strangers go to %q", match, unknown)
	}
	if guest := fos.UserTypes()[1]; guest.ID != "guest" || guest.MaxUsers != 1 || !guest.Shipped {
		t.Errorf("a guest is %+v", guest)
	}
	want := []Level{{"+", []string{"view", "use"}}, {"View only", []string{"view"}}, {"-", nil}}
	if diff := gocmp.Diff(want, backup.Levels("credentials")); diff != "" {
		t.Error(diff)
	}
	if diff := gocmp.Diff([]Level{{"all", []string{"manage"}}, {"none", nil}}, etl.Levels("tenants")); diff != "" {
		t.Error(diff)
	}
}

func TestARoleThatSomebodyMadeIsChecked(t *testing.T) {
	etl, fos, fsm := preset(t, "etlworks"), preset(t, "fintechos"), preset(t, "fentu-fsm")
	grants := func(id, action string) map[string][]string { return map[string][]string{id: {action}} }
	for _, tt := range []struct {
		name  string
		model *Model
		def   identity.RoleDefinition
		field string
	}{
		{"nothing", etl, identity.RoleDefinition{}, ""},
		{"what there is", etl, identity.RoleDefinition{Grants: grants("flows", "execute")}, ""},
		{"an unknown resource", etl, identity.RoleDefinition{Grants: grants("rockets", "execute")}, "grants"},
		{"an unknown action", etl, identity.RoleDefinition{Grants: grants("flows", "burn")}, "grants"},
		{"what belongs to the platform", etl, identity.RoleDefinition{Grants: grants("tenants", "manage")}, "grants"},
		{"the platform's own", etl, identity.RoleDefinition{Role: identity.Role{Scope: identity.ScopePlatform}, Grants: grants("tenants", "manage")}, ""},
		{"a level", fos, identity.RoleDefinition{Levels: map[string]string{"records": "branch"}}, ""},
		{"a level that is none", fos, identity.RoleDefinition{Levels: map[string]string{"records": "galaxy"}}, "levels"},
		{"a level of what has none", fos, identity.RoleDefinition{Levels: map[string]string{"users": "branch"}}, "levels"},
		{"a level where people have them", fsm, identity.RoleDefinition{Levels: map[string]string{"reports": "branch"}}, "levels"},
	} {
		err := tt.model.CheckRole(tt.def)
		var e *identity.Error
		if tt.field == "" && err != nil || tt.field != "" && (!asError(err, &e) || e.Kind != identity.Invalid || e.Field != tt.field) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
