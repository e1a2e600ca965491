package provisioning_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// check asks as the operator.
func (h *house) check(id identity.UserID, resource, action string) provisioning.Answer {
	h.t.Helper()
	return must[provisioning.Answer](h.t)(h.Check(h.ctx, h.op, id, resource, action))
}

// allowedTo fails the test unless a call was let through, or refused as Forbidden with the model's reason.
func allowedTo(t *testing.T, err error, want bool, what string) {
	t.Helper()
	if want && err != nil {
		t.Errorf("%s: %v", what, err)
	}
	if !want && (identity.KindOf(err) != identity.Forbidden || !strings.Contains(err.Error(), "grants")) && !strings.Contains(err.Error(), "does not grant") {
		t.Errorf("%s is not refused with a reason: %v", what, err)
	}
}

// What a role may do with people is what Drawbridge lets it do, in every model.
func TestWhatRolesMayDoWithPeopleIsEnforced(t *testing.T) {
	tests := []struct {
		row, preset         string
		role                identity.RoleID
		flag                bool
		list, change, audit bool
	}{
		{"ETL-01 ETL-13 ETL-41 Administrator", "etlworks", "administrator", false, true, true, true},
		{"ETL-01 ETL-14 ETL-41 Editor", "etlworks", "editor", false, false, false, false},
		{"ETL-01 ETL-15 Operator", "etlworks", "operator", false, false, false, false},
		{"ETL-01 ETL-16 Viewer", "etlworks", "viewer", false, false, false, false},
		{"ETL-01 ETL-17 API User", "etlworks", "api_user", false, false, false, false},
		{"FC-43 FC-48 FC-53 Administrator", "fentu-connect", "administrator", false, true, true, true},
		{"FC-43 FC-49 FC-53 Integration Manager", "fentu-connect", "integration_manager", false, false, false, false},
		{"FC-43 FC-50 FC-53 Viewer", "fentu-connect", "viewer", false, false, false, false},
		{"FSM-18 Administrator", "fentu-fsm", "administrator", false, true, true, true},
		{"FSM-19 FSM-27 Dispatcher", "fentu-fsm", "dispatcher", false, false, false, false},
		{"FSM-21 Manager", "fentu-fsm", "manager", false, false, false, false},
		{"FOS-01 FOS-07 User Management", "fintechos", "user_management", false, true, true, true},
		{"FOS-01 FOS-07 Auditor", "fintechos", "auditor", false, false, false, false},
		{"FOS-07 FOS-20 Auditor who Is Administrator", "fintechos", "auditor", true, true, true, true},
		{"FP-11 FP-15 Admin", "fluentpro-backup", "admin", false, true, true, true},
		{"FP-12 FP-15 Member", "fluentpro-backup", "member", false, true, false, false},
		{"FP-13 FP-15 Viewer", "fluentpro-backup", "viewer", false, true, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			eachWith(t, tt.preset, func(t *testing.T, h *house) {
				home := h.home()
				clerk, _ := h.staff(home.ID, "clerk@example.com", mostHarmless(h))
				_, by := h.staff(home.ID, "somebody@example.com", tt.role)
				by.Admin = tt.flag
				_, err := h.Users(h.ctx, by, identity.Query{Limit: 10})
				allowedTo(t, err, tt.list, "listing people")
				_, err = h.UpdateUser(h.ctx, by, clerk.ID, 0, func(u *identity.User) error { u.DisplayName = "New Name"; return nil })
				allowedTo(t, err, tt.change, "changing somebody")
				_, err = h.Events(h.ctx, by, provisioning.EventQuery{Limit: 10})
				allowedTo(t, err, tt.audit, "reading the audit-trail")
				renamed := slices.Contains(h.events(clerk.ID), identity.UserUpdated)
				if renamed != tt.change {
					t.Errorf("the change is in the events: %v", renamed)
				}
			})
		})
	}
}

// mostHarmless is the role that strangers get.
func mostHarmless(h *house) identity.RoleID {
	_, role := h.Model().Landing()
	return role
}

func TestInvitingIsBoundToTheMatrix(t *testing.T) {
	eachWith(t, "fluentpro-backup", func(t *testing.T, h *house) {
		home := h.home()
		for role, want := range map[identity.RoleID]bool{"admin": true, "member": false, "viewer": false} {
			t.Run("FP-16 "+string(role), func(t *testing.T) {
				_, by := h.staff(home.ID, string(role)+"@example.com", role)
				if d := h.May(by, "users.invite"); d.Allowed != want || d.Reason == "" {
					t.Errorf("got %+v", d)
				}
				_, err := h.Invite(h.ctx, by, provisioning.NewInvitation{Email: "guest-of-" + string(role) + "@example.com", Role: "viewer", Tenant: home.ID})
				allowedTo(t, err, want, "inviting")
			})
		}
	})
}

func TestThePlatformSeesEveryTenantAndAnAdministratorOne(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme, beta := h.tenant("Acme"), h.tenant("Beta")
		ada, inAcme := h.staff(acme.ID, "ada@acme.example", "administrator")
		bob, _ := h.staff(beta.ID, "bob@beta.example", "viewer")
		root := h.as(h.admin("root@example.com").ID)
		t.Run("ETL-12 the super admin sees the people of every tenant and belongs to none", func(t *testing.T) {
			page := must[identity.Page[identity.User]](t)(h.Users(h.ctx, root, identity.Query{Limit: 10}))
			if root.TenantID != "" || len(page.Items) != 3 {
				t.Errorf("%d people are seen from %q", len(page.Items), root.TenantID)
			}
			for _, a := range must[provisioning.Access](t)(h.Permissions(h.ctx, root, root.UserID())).Answers {
				if a.Allowed {
					t.Fatal("who never came in has permissions")
				}
			}
			h.signedIn(root.UserID())
			for _, a := range must[provisioning.Access](t)(h.Permissions(h.ctx, root, root.UserID())).Answers {
				if !a.Allowed {
					t.Errorf("%s %s: %s", a.Resource.ID, a.Action, a.Reason)
				}
			}
		})
		t.Run("ETL-13 ETL-41 an administrator sees the people and the audit-trail of the own tenant", func(t *testing.T) {
			page := must[identity.Page[identity.User]](t)(h.Users(h.ctx, inAcme, identity.Query{Limit: 10}))
			if len(page.Items) != 1 || page.Items[0].ID != ada.ID {
				t.Errorf("seen are %+v", page.Items)
			}
			_, err := h.Check(h.ctx, inAcme, bob.ID, "flows", "view")
			wantKind(t, err, identity.NotFound, "")
			for _, e := range must[identity.Page[identity.Event]](t)(h.Events(h.ctx, inAcme, provisioning.EventQuery{Limit: 50})).Items {
				if e.TenantID != acme.ID {
					t.Errorf("the audit-trail shows %s of another tenant", e.Type)
				}
			}
		})
		t.Run("ETL-42 global stats are the administrator's", func(t *testing.T) {
			edda, _ := h.staff(acme.ID, "edda@acme.example", "editor")
			h.signedIn(ada.ID)
			h.signedIn(edda.ID)
			if d := h.check(ada.ID, "global_stats", "view"); !d.Allowed {
				t.Errorf("an administrator: %+v", d.Decision)
			}
			if d := h.check(edda.ID, "global_stats", "view"); d.Allowed || d.Reason != "Editor does not grant global_stats: view" {
				t.Errorf("an editor: %+v", d.Decision)
			}
		})
	})
}

func TestAProgramHasItsRightsWithoutComingIn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		acme := h.tenant("Acme")
		ada, _ := h.staff(acme.ID, "ada@acme.example", "administrator")
		t.Run("ETL-21 ETL-23 an API user may only call and read its own messages, without ever coming in", func(t *testing.T) {
			robot, by := h.staff(acme.ID, "robot@acme.example", "api_user")
			var may []string
			for _, a := range must[provisioning.Access](t)(h.Permissions(h.ctx, by, robot.ID)).Answers {
				if a.Allowed {
					may = append(may, a.Resource.ID)
				}
			}
			if !slices.Equal(may, []string{"user_api", "own_messages"}) {
				t.Errorf("it may %v", may)
			}
			_, err := h.Check(h.ctx, by, ada.ID, "flows", "view")
			wantKind(t, err, identity.Forbidden, "")
		})
	})
}

func TestAProfileDecidesAtTheNextRequest(t *testing.T) {
	for row, name := range map[string]string{"FC-03 FC-45": "fentu-connect", "FSM-27 FSM-28": "fentu-fsm", "FOS-05": "fintechos"} {
		t.Run(row+" what a role grants is what pages show and what is let through, and a change counts at once", func(t *testing.T) {
			eachWith(t, name, func(t *testing.T, h *house) {
				role := map[string]identity.RoleID{"fentu-connect": "viewer", "fentu-fsm": "dispatcher", "fintechos": "auditor"}[name]
				u, by := h.staff(h.home().ID, "ada@example.com", role)
				h.signedIn(u.ID)
				before := must[provisioning.Access](t)(h.Permissions(h.ctx, by, u.ID))
				for _, a := range before.Answers {
					if one := h.check(u.ID, a.Resource.ID, a.Action); one.Decision != a.Decision {
						t.Errorf("%s %s: the list says %+v, the check %+v", a.Resource.ID, a.Action, a.Decision, one.Decision)
					}
				}
				// Another replica, which read its model before the change.
				replica := provisioning.New(h.db, must[*access.Model](t)(access.Parse(name, h.Model().Source())))
				d := h.draft(role)
				d.Grants["users"], d.ConfirmSensitive = []string{"view"}, []string{"users"}
				must[provisioning.RoleChange](t)(h.UpdateRole(h.ctx, h.op, role, 0, d))
				for _, s := range []*provisioning.Service{h.Service, replica} {
					if d := must[provisioning.Answer](t)(s.Check(h.ctx, h.op, u.ID, "users", "view")); !d.Allowed {
						t.Errorf("after the change: %+v", d.Decision)
					}
				}
				_, err := h.Users(h.ctx, by, identity.Query{Limit: 5})
				allowedTo(t, err, true, "listing people")
			})
		})
	}
}

// draft returns a role as it may be changed.
func (h *house) draft(id identity.RoleID) provisioning.RoleDraft {
	h.t.Helper()
	for _, d := range h.Model().Definitions() {
		if d.ID == id {
			out := provisioning.RoleDraft{Title: d.Title, Grants: map[string][]string{}, Levels: d.Levels, Reason: "tested"}
			for resource, actions := range d.Grants {
				out.Grants[resource] = actions
			}
			return out
		}
	}
	h.t.Fatalf("no role %s", id)
	return provisioning.RoleDraft{}
}

func TestAccountsDecideWithTheirRights(t *testing.T) {
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		u, by := h.staff(h.home().ID, "dora@example.com", "dispatcher")
		asks := func() access.Decision { return h.check(u.ID, "work_orders", "view").Decision }
		t.Run("FSM-01 who may come in and what somebody may do are decided from one record", func(t *testing.T) {
			if d := asks(); d.Allowed || !strings.Contains(d.Reason, "pending") {
				t.Errorf("before the first sign-in: %+v", d)
			}
			h.signedIn(u.ID)
			if d := asks(); !d.Allowed || d.Reason != "Dispatcher grants work_orders: view, edit, as far as personal" {
				t.Errorf("afterwards: %+v", d)
			}
			must[identity.User](t)(h.DeactivateUser(h.ctx, h.op, u.ID, "left"))
			if d := asks(); d.Allowed || !strings.Contains(d.Reason, "deactivated") {
				t.Errorf("deactivated: %+v", d)
			}
			must[identity.User](t)(h.ActivateUser(h.ctx, h.op, u.ID, "back"))
		})
		t.Run("FSM-01 a person may ask about oneself and about nobody else", func(t *testing.T) {
			must[provisioning.Answer](t)(h.Check(h.ctx, by, u.ID, "work_orders", "view"))
			other, _ := h.staff(h.home().ID, "olaf@example.com", "manager")
			_, err := h.Check(h.ctx, by, other.ID, "work_orders", "view")
			wantKind(t, err, identity.Forbidden, "")
			_, err = h.Check(h.ctx, h.op, identity.NewID[identity.UserID](), "work_orders", "view")
			wantKind(t, err, identity.NotFound, "")
			_, err = h.Permissions(h.ctx, h.op, "no id")
			wantKind(t, err, identity.NotFound, "")
		})
	})
}

func TestAnAnswerSaysWhoseRecordsItReaches(t *testing.T) {
	eachWith(t, "fentu-fsm", func(t *testing.T, h *house) {
		north, south := h.unit("North", identity.KindUnit, h.root().ID), h.unit("South", identity.KindUnit, h.root().ID)
		crew := h.unit("Crew 1", identity.KindTeam, north.ID)
		u := h.clerk("dora", "dispatcher", identity.Position{UnitID: north.ID, TeamID: crew.ID})
		h.signedIn(u.ID)
		for _, tt := range []struct {
			row, level string
			all        bool
			units      []identity.UnitID
		}{
			{"FSM-30", access.LevelGlobal, true, nil},
			{"FSM-31 FSM-34", access.LevelBranch, false, []identity.UnitID{north.ID, crew.ID}},
			{"FSM-32", access.LevelTeam, false, []identity.UnitID{crew.ID}},
			{"FSM-33", access.LevelPersonal, false, nil},
		} {
			t.Run(tt.row+" "+tt.level, func(t *testing.T) {
				if err := h.set(h.op, u.ID, func(p *identity.Position) { p.DataLevel = tt.level }); err != nil {
					t.Fatal(err)
				}
				a := h.check(u.ID, "work_orders", "edit")
				if !a.Allowed || a.Level != tt.level || a.Reach.All != tt.all || !slices.Equal(sorted(a.Reach.Units), sorted(tt.units)) || slices.Contains(a.Reach.Units, south.ID) {
					t.Errorf("got %+v", a)
				}
				if b := h.check(u.ID, "invoicing", "view"); b.Allowed || b.Reach.All || len(b.Reach.Units) > 0 {
					t.Errorf("what the profile does not grant reaches %+v", b)
				}
			})
		}
		t.Run("FSM-20 the mobile app waits for the technician", func(t *testing.T) {
			tom := h.clerk("tom", "technician", identity.Position{})
			h.signedIn(tom.ID)
			if d := h.check(tom.ID, "mobile_app", "view"); d.Allowed || d.Reason != "Mobile app needs an active Technician record that is linked to the person" {
				t.Errorf("without: %+v", d.Decision)
			}
			key := provisioning.RecordKey{Type: "technician", ForeignID: "T-1"}
			must[identity.Record](t)(h.PutRecord(h.ctx, h.op, key, provisioning.RecordChange{}))
			must[identity.Record](t)(h.LinkRecord(h.ctx, h.op, key, tom.ID, "hired"))
			if d := h.check(tom.ID, "mobile_app", "view"); !d.Allowed {
				t.Errorf("with: %+v", d.Decision)
			}
		})
	})
}

func sorted(ids []identity.UnitID) []identity.UnitID { return slices.Sorted(slices.Values(ids)) }

func TestStandingUnderTheRootReachesEverythingThatRightsReach(t *testing.T) {
	eachWith(t, "fintechos", func(t *testing.T, h *house) {
		retail := h.unit("Retail", identity.KindUnit, h.root().ID)
		east := h.unit("East", identity.KindUnit, retail.ID)
		rita := h.clerk("rita", "officer", identity.Position{UnitID: h.root().ID})
		uma := h.clerk("uma", "officer", identity.Position{UnitID: retail.ID})
		h.signedIn(rita.ID)
		h.signedIn(uma.ID)
		t.Run("FOS-18 an officer under the root reaches all records, one of a unit those of the unit and below", func(t *testing.T) {
			if a := h.check(rita.ID, "records", "edit"); !a.Allowed || !a.Reach.All {
				t.Errorf("under the root: %+v", a)
			}
			a := h.check(uma.ID, "records", "edit")
			if !a.Allowed || a.Reach.All || !slices.Equal(sorted(a.Reach.Units), sorted([]identity.UnitID{retail.ID, east.ID})) {
				t.Errorf("in Retail: %+v", a)
			}
		})
		t.Run("FOS-18 the root grants nothing by itself", func(t *testing.T) {
			if a := h.check(rita.ID, "records", "delete"); a.Allowed || a.Reach.All {
				t.Errorf("got %+v", a)
			}
		})
		t.Run("FOS-24 FOS-25 a second role adds its rights with its level", func(t *testing.T) {
			must[identity.User](t)(h.AssignRole(h.ctx, h.op, uma.ID, "auditor", "audit season"))
			must[identity.User](t)(h.AssignRole(h.ctx, h.op, uma.ID, "own_records", "audit season"))
			for action, want := range map[string]string{"view": access.LevelGlobal, "edit": access.LevelBranch, "delete": access.LevelPersonal} {
				if a := h.check(uma.ID, "records", action); !a.Allowed || a.Level != want {
					t.Errorf("%s: %+v, want %s", action, a.Decision, want)
				}
			}
		})
		t.Run("FOS-20 Is Administrator grants everything beside the roles", func(t *testing.T) {
			if err := h.set(h.op, uma.ID, func(p *identity.Position) { p.Admin = true }); err != nil {
				t.Fatal(err)
			}
			for _, a := range must[provisioning.Access](t)(h.Permissions(h.ctx, h.op, uma.ID)).Answers {
				if !a.Allowed || a.Resource.Scoped && !a.Reach.All {
					t.Errorf("%s %s: %+v", a.Resource.ID, a.Action, a)
				}
			}
		})
	})
}

func TestAProfileIsTheOnlySourceOfRights(t *testing.T) {
	eachWith(t, "fentu-connect", func(t *testing.T, h *house) {
		t.Run("FC-02 the same person with another profile has exactly its rights", func(t *testing.T) {
			u, _ := h.staff(h.home().ID, "ada@example.com", "viewer")
			h.signedIn(u.ID)
			for _, role := range []identity.RoleID{"integration_manager", "restricted", "administrator"} {
				must[identity.User](t)(h.SetRoles(h.ctx, h.op, u.ID, []identity.RoleID{role}, "new job"))
				for _, p := range h.Model().Permissions(access.Subject{Roles: []identity.RoleID{role}}) {
					if got := h.check(u.ID, p.Resource.ID, p.Action); got.Allowed != p.Allowed {
						t.Errorf("%s: %s %s is %v", role, p.Resource.ID, p.Action, got.Allowed)
					}
				}
			}
		})
	})
}
