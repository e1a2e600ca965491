package provisioning_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

// draft is a profile that may look at connectors.
func draft(title string) provisioning.RoleDraft {
	return provisioning.RoleDraft{Title: title, Grants: map[string][]string{"visible": {"on"}, "connector": {"view"}}}
}

func TestProfilesAreMadeAndChanged(t *testing.T) {
	t.Run("FC-23 a profile is a named set of permissions that people get", func(t *testing.T) {
		eachOn(t, "fentu-connect", func(t *testing.T, h *house) {
			made := must[identity.RoleDefinition](t)(h.CreateRole(h.ctx, h.op, draft("Night shift")))
			if made.ID != "night_shift" || made.Scope != identity.ScopeTenant || !made.Assignable || made.Shipped || made.Version != 1 {
				t.Errorf("made %+v", made)
			}
			ada := h.hire("ada@example.com", made.ID)
			if !h.may(ada.ID, "connector", "view") || h.may(ada.ID, "connector", "edit") || h.may(ada.ID, "inbound", "view") {
				t.Error("it grants something else than was checked")
			}
			e := h.lastEvent(identity.RoleCreated)
			if e.ObjectKind != "role" || e.ObjectID != "night_shift" || e.ActorLabel != "operator" || fmt.Sprint(change(e, "grants connector").After) != "[view]" {
				t.Errorf("the event is %+v", e)
			}
		})
	})
	t.Run("FC-30 a profile has a unique name and a description", func(t *testing.T) {
		eachOn(t, "fentu-connect", func(t *testing.T, h *house) {
			d := draft(" Night shift ")
			d.Description = "For the people at night"
			if made := must[identity.RoleDefinition](t)(h.CreateRole(h.ctx, h.op, d)); made.Title != "Night shift" || made.Description != d.Description {
				t.Errorf("made %+v", made)
			}
			_, err := h.CreateRole(h.ctx, h.op, draft("NIGHT SHIFT"))
			wantKind(t, err, identity.Conflict, "uniqueness")
			wantSentence(t, err, "There is a role Night shift already; choose another name.")
			for _, wrong := range []string{"", "  ", "a\nb", strings.Repeat("x", 101)} {
				_, err := h.CreateRole(h.ctx, h.op, draft(wrong))
				wantKind(t, err, identity.Invalid, "")
			}
			second := must[identity.RoleDefinition](t)(h.CreateRole(h.ctx, h.op, draft("Night-Shift!")))
			if second.ID != "night_shift_2" {
				t.Errorf("the id is %q", second.ID)
			}
			if third := must[identity.RoleDefinition](t)(h.CreateRole(h.ctx, h.op, draft("夜勤"))); third.ID != "role" {
				t.Errorf("the id is %q", third.ID)
			}
			_, err = h.UpdateRole(h.ctx, h.op, second.ID, 0, draft("viewer"))
			wantKind(t, err, identity.Conflict, "uniqueness")
		})
	})
	t.Run("FC-31 all checkboxes are saved at once, with a diff", func(t *testing.T) {
		eachOn(t, "fentu-connect", func(t *testing.T, h *house) { savesAllCheckboxes(t, h) })
	})
}

func TestAProfileSaysWhoShouldHaveIt(t *testing.T) {
	t.Run("FC-54 who should have it, what it gives, when it was last reviewed", func(t *testing.T) {
		eachOn(t, "fentu-connect", func(t *testing.T, h *house) {
			d := draft("Night shift")
			d.IntendedFor, d.Provides = "People at night", "Looking at connectors"
			made := must[identity.RoleDefinition](t)(h.CreateRole(h.ctx, h.op, d))
			boss := h.boss("boss@example.com", "administrator")
			must[identity.RoleDefinition](t)(h.MarkRoleReviewed(h.ctx, boss, made.ID, "still right"))
			now := must[provisioning.RoleDetail](t)(h.Role(h.ctx, boss, made.ID, identity.Query{})).Role
			if now.IntendedFor != "People at night" || now.Provides != "Looking at connectors" || now.ReviewedAt == nil || now.ReviewedBy != "boss@example.com" || now.Version != 1 {
				t.Errorf("it is %+v", now)
			}
			if e := h.lastEvent(identity.RoleReviewed); e.Reason != "still right" || e.ObjectID != string(made.ID) {
				t.Errorf("the event is %+v", e)
			}
			_, err := h.MarkRoleReviewed(h.ctx, h.boss("v@example.com", "viewer"), made.ID, "")
			wantKind(t, err, identity.Forbidden, "")
		})
	})
}

func savesAllCheckboxes(t *testing.T, h *house) {
	ada := h.hire("ada@example.com", "viewer")
	before := must[provisioning.RoleDetail](t)(h.Role(h.ctx, h.op, "viewer", identity.Query{})).Role
	d := provisioning.RoleDraft{Title: "Viewer", Description: "looks", Reason: "ticket 7", Grants: map[string][]string{"visible": {"on"}, "home": {"edit", "view"}, "connector": {"view"}, "inbound": {}}}
	changed := must[provisioning.RoleChange](t)(h.UpdateRole(h.ctx, h.op, "viewer", before.Version, d))
	want := map[string][]string{"visible": {"on"}, "home": {"view", "edit"}, "connector": {"view"}}
	if changed.Affected != 1 || !reflect.DeepEqual(changed.Role.Grants, want) || changed.Role.Version != before.Version+1 {
		t.Errorf("changed %+v", changed)
	}
	if !h.may(ada.ID, "home", "edit") || h.may(ada.ID, "inbound", "view") {
		t.Error("the change does not count at once")
	}
	e := h.lastEvent(identity.RoleUpdated)
	if got := change(e, "grants home"); fmt.Sprint(got.Before, got.After) != "[view] [view edit]" || e.Reason != "ticket 7" {
		t.Errorf("the event is %+v", e)
	}
	if got := change(e, "grants inbound"); fmt.Sprint(got.Before) != "[view]" || got.After != nil {
		t.Errorf("the event is %+v", e)
	}
	if c := change(e, "grants connector"); c.Field != "" {
		t.Error("what stayed is in the event")
	}
	_, err := h.UpdateRole(h.ctx, h.op, "viewer", before.Version, d)
	wantKind(t, err, identity.Precondition, "")
	if same := must[provisioning.RoleChange](t)(h.UpdateRole(h.ctx, h.op, "viewer", 0, d)); same.Role.Version != changed.Role.Version {
		t.Error("a change of nothing made a version")
	}
	for _, wrong := range []map[string][]string{{"nothing": {"view"}}, {"home": {"fly"}}} {
		d.Grants = wrong
		_, err := h.UpdateRole(h.ctx, h.op, "viewer", 0, d)
		wantKind(t, err, identity.Invalid, "")
	}
	_, err = h.UpdateRole(h.ctx, h.op, "lost", 0, draft("Lost"))
	wantKind(t, err, identity.NotFound, "")
}

func TestAChangedRoleCountsInEveryReplicaAtTheNextRequest(t *testing.T) {
	eachOn(t, "fentu-connect", func(t *testing.T, h *house) {
		other := must[*access.Model](t)(access.Load("fentu-connect"))
		refresh := func() {
			if err := h.db.View(h.ctx, func(tx *store.Tx) error { return other.Refresh(h.ctx, tx) }); err != nil {
				t.Fatal(err)
			}
		}
		refresh()
		must[provisioning.RoleChange](t)(h.UpdateRole(h.ctx, h.op, "viewer", 0, draft("Viewer")))
		refresh()
		who := access.Subject{Roles: []identity.RoleID{"viewer"}}
		if other.Decide(who, "inbound", "view").Allowed || !other.Decide(who, "connector", "view").Allowed {
			t.Error("the other replica decides by the old role")
		}
	})
}

func TestSensitivePermissions(t *testing.T) {
	t.Run("FC-51 what is sensitive is confirmed once more when it is granted", func(t *testing.T) {
		eachOn(t, "fentu-connect", func(t *testing.T, h *house) {
			d := draft("Keeper")
			d.Grants["connection_config"] = []string{"view", "edit"}
			_, err := h.CreateRole(h.ctx, h.op, d)
			wantKind(t, err, identity.Precondition, "confirm_sensitive")
			wantSentence(t, err, "This grants what is sensitive: Connection Config (view, edit). Confirm exactly this: connection_config.")
			d.ConfirmSensitive = []string{"connection_config", "users"}
			_, err = h.CreateRole(h.ctx, h.op, d)
			wantKind(t, err, identity.Precondition, "confirm_sensitive")
			d.ConfirmSensitive = []string{"connection_config"}
			made := must[identity.RoleDefinition](t)(h.CreateRole(h.ctx, h.op, d))
			d.Title = "Keeper of credentials"
			_, err = h.UpdateRole(h.ctx, h.op, made.ID, 0, d)
			wantSentence(t, err, "This grants nothing sensitive; confirm nothing.")
			d.ConfirmSensitive = nil // what is granted already needs no word
			must[provisioning.RoleChange](t)(h.UpdateRole(h.ctx, h.op, made.ID, 0, d))
		})
	})
	t.Run("FC-65 a copy without the sensitive permissions, and who holds them", func(t *testing.T) {
		eachOn(t, "fentu-connect", func(t *testing.T, h *house) {
			_, err := h.CloneRole(h.ctx, h.op, "integration_manager", provisioning.RoleCopy{Title: "Copy"})
			wantKind(t, err, identity.Precondition, "confirm_sensitive")
			made := must[identity.RoleDefinition](t)(h.CloneRole(h.ctx, h.op, "integration_manager", provisioning.RoleCopy{Title: "Copy", WithoutSensitive: true}))
			if _, ok := made.Grants["connection_config"]; ok || len(made.Grants) != 8 || made.Shipped {
				t.Errorf("the copy grants %v", made.Grants)
			}
			if e := h.lastEvent(identity.RoleCreated); e.Reason != "a copy of Integration Manager" {
				t.Errorf("the event says %q", e.Reason)
			}
			whole := must[identity.RoleDefinition](t)(h.CloneRole(h.ctx, h.op, "integration_manager", provisioning.RoleCopy{Title: "Whole", ConfirmSensitive: []string{"connection_config"}}))
			h.hire("ada@example.com", whole.ID)
			h.hire("bob@example.com", made.ID)
			for _, use := range must[[]provisioning.SensitiveUse](t)(h.SensitiveUse(h.ctx, h.op)) {
				if use.Resource.ID == "connection_config" && (use.People != 1 || len(use.Roles) != 4) { // the built-in Super Admin has everything, too
					t.Errorf("%+v", use)
				}
			}
		})
	})
}

func TestNobodyGrantsWhatTheyDoNotHold(t *testing.T) {
	eachOn(t, "fentu-connect", func(t *testing.T, h *house) {
		d := draft("Profile manager")
		d.Grants["profiles"], d.ConfirmSensitive = []string{"view", "edit"}, []string{"profiles"}
		must[identity.RoleDefinition](t)(h.CreateRole(h.ctx, h.op, d))
		by := h.boss("p@example.com", "profile_manager")
		_, err := h.CreateRole(h.ctx, by, provisioning.RoleDraft{Title: "More", Grants: map[string][]string{"visible": {"on"}, "home": {"view"}}})
		wantKind(t, err, identity.Forbidden, "escalation")
		wantSentence(t, err, "You may not grant Home: view, which you do not hold yourself.")
		own := d
		own.Grants = map[string][]string{"visible": {"on"}, "connector": {"view"}, "profiles": {"view", "edit"}, "users": {"edit"}}
		own.ConfirmSensitive = []string{"users"}
		_, err = h.UpdateRole(h.ctx, by, "profile_manager", 0, own)
		wantKind(t, err, identity.Forbidden, "escalation")
		must[identity.RoleDefinition](t)(h.CreateRole(h.ctx, by, draft("Less")))
		_, err = h.CreateRole(h.ctx, by, provisioning.RoleDraft{Title: "Above", Scope: identity.ScopePlatform})
		wantKind(t, err, identity.Forbidden, "")
		_, err = h.CreateRole(h.ctx, h.boss("v@example.com", "viewer"), draft("None"))
		wantKind(t, err, identity.Forbidden, "")
	})
}

func TestSomebodyCanAlwaysManagePeople(t *testing.T) {
	eachOn(t, "fentu-connect", func(t *testing.T, h *house) {
		boss := h.boss("boss@example.com", "administrator")
		less := draft("Administrator")
		_, err := h.UpdateRole(h.ctx, boss, "administrator", 0, less)
		wantKind(t, err, identity.Forbidden, "last_administrator")
		wantSentence(t, err, "Administrator must keep Users: view, or nobody might be left who may manage people and roles.")
		_, err = h.UpdateRole(h.ctx, h.op, "superadmin", 0, less)
		wantKind(t, err, identity.Forbidden, "roles_fixed")
	})
	eachOn(t, "fintechos", func(t *testing.T, h *house) {
		h.hire("hr@example.com", "user_management")
		d := provisioning.RoleDraft{Title: "User Management", Grants: map[string][]string{"roles": {"view"}}}
		_, err := h.UpdateRole(h.ctx, h.op, "user_management", 0, d)
		wantKind(t, err, identity.Forbidden, "last_administrator")
		wantSentence(t, err, "Nobody could manage people any more without User Management; let somebody else do it first.")
		h.admin("root@example.com")
		must[provisioning.RoleChange](t)(h.UpdateRole(h.ctx, h.op, "user_management", 0, d))
	})
}

func TestRolesAreFixedWhereTheModelSaysSo(t *testing.T) {
	for _, preset := range []string{"etlworks", "fluentpro-backup"} {
		eachOn(t, preset, func(t *testing.T, h *house) {
			_, err := h.CreateRole(h.ctx, h.op, provisioning.RoleDraft{Title: "Mine"})
			wantKind(t, err, identity.Forbidden, "roles_fixed")
			wantSentence(t, err, "The access model "+preset+" fixes its roles: they are changed in its file and by nothing else.")
			_, err = h.UpdateRole(h.ctx, h.op, "viewer", 0, provisioning.RoleDraft{Title: "Mine"})
			wantKind(t, err, identity.Forbidden, "roles_fixed")
			_, err = h.DeleteRole(h.ctx, h.op, "viewer", "", "")
			wantKind(t, err, identity.Forbidden, "roles_fixed")
			d := must[provisioning.RoleDetail](t)(h.Role(h.ctx, h.op, "viewer", identity.Query{}))
			if d.Editable || !strings.Contains(d.Why, "fixes its roles") {
				t.Errorf("%v %q", d.Editable, d.Why)
			}
			must[identity.RoleDefinition](t)(h.MarkRoleReviewed(h.ctx, h.op, "viewer", ""))
		})
	}
}

func TestRolesAreListedWithThoseWhoHoldThem(t *testing.T) {
	for _, preset := range access.Presets() {
		t.Run("MIS-06 the roles of "+preset, func(t *testing.T) {
			eachOn(t, preset, func(t *testing.T, h *house) {
				_, least := h.Model().Landing()
				h.hire("a@example.com", least)
				h.hire("b@example.com", least)
				var all []identity.RoleID
				q := identity.Query{Limit: 2}
				for {
					page := must[identity.Page[identity.RoleDefinition]](t)(h.RoleDefinitions(h.ctx, h.op, q))
					for _, r := range page.Items {
						all = append(all, r.ID)
						if r.Users != map[bool]int{true: 2}[r.ID == least] {
							t.Errorf("%s is held by %d", r.ID, r.Users)
						}
					}
					if !page.More {
						break
					}
					q.After = string(all[len(all)-1])
				}
				var want []identity.RoleID
				for _, r := range h.Model().Roles() {
					want = append(want, r.ID)
				}
				if slices.Sort(want); !slices.Equal(slices.Sorted(slices.Values(all)), want) {
					t.Errorf("the roles are %v, want %v", all, want)
				}
				d := must[provisioning.RoleDetail](t)(h.Role(h.ctx, h.op, least, identity.Query{Limit: 1, Total: true}))
				if d.Holders.Total != 2 || len(d.Holders.Items) != 1 || !d.Holders.More || d.Holders.Items[0].TenantName == "" || len(d.Grants) == 0 {
					t.Errorf("%+v", d)
				}
			})
		})
	}
}
