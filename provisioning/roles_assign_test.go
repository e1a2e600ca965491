package provisioning_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store"
)

// given puts a role from a provider's claims into the database.
func (h *house) given(id identity.UserID, role identity.RoleID, c identity.Connection) {
	h.t.Helper()
	err := h.db.Update(h.ctx, func(tx *store.Tx) error {
		return tx.InsertAssignment(h.ctx, identity.Assignment{
			ID: identity.NewID[identity.AssignmentID](), UserID: id, RoleID: role, Application: identity.DefaultApplication,
			Source: identity.SourceClaim, SourceID: string(c.ID), Reason: "a rule", GrantedBy: c.Name, CreatedAt: tx.Now(),
		})
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func TestWhereEverybodyHasExactlyOneRole(t *testing.T) {
	for id, preset := range map[string]string{"FC-67": "fentu-connect", "FSM-26": "fentu-fsm"} {
		t.Run(id+" a second role is refused, and another one takes the place of the first", func(t *testing.T) {
			eachOn(t, preset, func(t *testing.T, h *house) { exactlyOne(t, h) })
		})
	}
	t.Run("FP-03 the role in the row is changed with one call", func(t *testing.T) {
		eachOn(t, "fluentpro-backup", func(t *testing.T, h *house) {
			boss, ada := h.boss("boss@example.com", "admin"), h.hire("ada@example.com", "viewer")
			after := must[identity.User](t)(h.SetRoles(h.ctx, boss, ada.ID, []identity.RoleID{"member"}, ""))
			if len(after.Roles) != 1 || after.Roles[0].ID != "member" || !h.may(ada.ID, "backup", "run") {
				t.Errorf("she has %v", after.Roles)
			}
			_, err := h.SetRoles(h.ctx, boss, ada.ID, []identity.RoleID{"owner"}, "")
			wantKind(t, err, identity.Invalid, "")
			_, err = h.SetRoles(h.ctx, h.boss("v@example.com", "member"), ada.ID, []identity.RoleID{"viewer"}, "")
			wantKind(t, err, identity.Forbidden, "")
		})
	})
}

func exactlyOne(t *testing.T, h *house) {
	roles := h.Model().Roles()
	first, second := roles[len(roles)-1], roles[len(roles)-2]
	ada := h.hire("ada@example.com", first.ID)
	_, err := h.AssignRole(h.ctx, h.op, ada.ID, second.ID, "more")
	wantKind(t, err, identity.Conflict, "role_bounds")
	wantSentence(t, err, "ada@example.com has "+first.Title+", and nobody has more than one role here: exchange the role instead of adding one.")
	_, err = h.SetRoles(h.ctx, h.op, ada.ID, []identity.RoleID{first.ID, second.ID}, "both")
	wantKind(t, err, identity.Invalid, "role_bounds")
	_, err = h.SetRoles(h.ctx, h.op, ada.ID, nil, "none")
	wantKind(t, err, identity.Invalid, "role_bounds")
	_, err = h.RemoveRole(h.ctx, h.op, ada.ID, first.ID, "none")
	wantKind(t, err, identity.Conflict, "role_bounds")
	must[identity.User](t)(h.AssignRole(h.ctx, h.op, ada.ID, first.ID, "again")) // she has it: nothing happens
	must[identity.User](t)(h.SetRoles(h.ctx, h.op, ada.ID, []identity.RoleID{second.ID, second.ID}, "changed"))
	if h.roles(ada.ID) != string(second.ID)+" " {
		t.Errorf("she has %s", h.roles(ada.ID))
	}
	want := []identity.EventType{identity.UserCreated, identity.RoleRemoved, identity.RoleAssigned}
	if got := h.events(ada.ID); !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
		t.Errorf("the events are %v", got)
	}
}

func TestWherePeopleHaveSeveralRoles(t *testing.T) {
	t.Run("FOS-02 somebody has one or more roles, and all of them count", func(t *testing.T) {
		eachOn(t, "fintechos", func(t *testing.T, h *house) {
			ada := h.hire("ada@example.com", "portal_viewer")
			must[identity.User](t)(h.SetRoles(h.ctx, h.op, ada.ID, []identity.RoleID{"officer", "auditor", "portal_viewer"}, ""))
			if !h.may(ada.ID, "records", "edit") || !h.may(ada.ID, "products", "view") {
				t.Error("the roles are no union")
			}
			_, err := h.SetRoles(h.ctx, h.op, ada.ID, nil, "")
			wantKind(t, err, identity.Invalid, "role_bounds")
			wantSentence(t, err, "Everybody needs one role here; choose more.")
		})
	})
	t.Run("FOS-03 a role is given and taken with one call each", func(t *testing.T) {
		eachOn(t, "fintechos", func(t *testing.T, h *house) {
			hr, ada := h.boss("hr@example.com", "user_management"), h.hire("ada@example.com", "portal_viewer")
			more := must[identity.User](t)(h.AssignRole(h.ctx, hr, ada.ID, "officer", "promoted"))
			if len(more.Roles) != 2 || !h.may(ada.ID, "records", "edit") {
				t.Errorf("she has %v", more.Roles)
			}
			less := must[identity.User](t)(h.RemoveRole(h.ctx, hr, ada.ID, "officer", "demoted"))
			if len(less.Roles) != 1 || h.may(ada.ID, "records", "edit") {
				t.Errorf("she has %v", less.Roles)
			}
			_, err := h.RemoveRole(h.ctx, hr, ada.ID, "officer", "")
			wantKind(t, err, identity.NotFound, "")
			_, err = h.RemoveRole(h.ctx, hr, ada.ID, "portal_viewer", "")
			wantKind(t, err, identity.Conflict, "role_bounds")
			wantSentence(t, err, "ada@example.com has no other role, and everybody needs one role: give another role first, or deactivate the person.")
		})
	})
	t.Run("FOS-28 details and roles are changed side by side", func(t *testing.T) {
		eachOn(t, "fintechos", func(t *testing.T, h *house) {
			hr, ada := h.boss("hr@example.com", "user_management"), h.hire("ada@example.com", "portal_viewer")
			must[identity.User](t)(h.UpdateUser(h.ctx, hr, ada.ID, ada.Version, func(u *identity.User) error { u.DisplayName = "Ada"; return nil }))
			must[identity.User](t)(h.AssignRole(h.ctx, hr, ada.ID, "officer", ""))
			must[identity.User](t)(h.AssignRole(h.ctx, hr, ada.ID, "auditor", ""))
			must[identity.User](t)(h.RemoveRole(h.ctx, hr, ada.ID, "officer", ""))
			d := must[provisioning.UserDetail](t)(h.UserDetail(h.ctx, hr, ada.ID))
			if d.User.DisplayName != "Ada" || len(d.Assignments) != 2 || d.Assignments[1].RoleID != "auditor" || d.Assignments[1].GrantedBy != "hr@example.com" {
				t.Errorf("%+v", d)
			}
		})
	})
}

func TestWhatAProviderGivesIsNotTouchedByHand(t *testing.T) {
	eachOn(t, "fintechos", func(t *testing.T, h *house) {
		okta := h.connection("Okta", nil)
		ada := h.hire("ada@example.com", "portal_viewer")
		h.given(ada.ID, "officer", okta)
		_, err := h.RemoveRole(h.ctx, h.op, ada.ID, "officer", "")
		wantKind(t, err, identity.Conflict, "role_source")
		wantSentence(t, err, "ada@example.com has Officer from the rules of the connection Okta; change it there.")
		must[identity.User](t)(h.SetRoles(h.ctx, h.op, ada.ID, []identity.RoleID{"auditor", "officer"}, ""))
		sources := func() (out []string) {
			for _, a := range must[provisioning.UserDetail](t)(h.UserDetail(h.ctx, h.op, ada.ID)).Assignments {
				out = append(out, string(a.RoleID)+" "+string(a.Source))
			}
			slices.Sort(out)
			return out
		}
		if got := sources(); !slices.Equal(got, []string{"auditor manual", "officer claim"}) {
			t.Errorf("the roles are %v", got)
		}
		must[identity.User](t)(h.AssignRole(h.ctx, h.op, ada.ID, "officer", "to stay"))
		if got := sources(); !slices.Equal(got, []string{"auditor manual", "officer claim", "officer manual"}) {
			t.Errorf("the roles are %v", got)
		}
		must[identity.User](t)(h.SetRoles(h.ctx, h.op, ada.ID, nil, "the provider's word is enough"))
		if got := sources(); !slices.Equal(got, []string{"officer claim"}) {
			t.Errorf("the roles are %v", got)
		}
	})
	eachOn(t, "etlworks", func(t *testing.T, h *house) {
		okta := h.connection("Okta", nil)
		ada := h.hire("ada@example.com", "viewer")
		h.given(ada.ID, "editor", okta)
		_, err := h.SetRoles(h.ctx, h.op, ada.ID, []identity.RoleID{"operator"}, "")
		wantKind(t, err, identity.Conflict, "role_source")
		must[identity.User](t)(h.SetRoles(h.ctx, h.op, ada.ID, []identity.RoleID{"editor"}, ""))
		if h.roles(ada.ID) != "editor " {
			t.Errorf("she has %s", h.roles(ada.ID))
		}
	})
}

func TestWhoeverGivesARoleSaysWhyWhereTheModelWantsIt(t *testing.T) {
	t.Run("FSM-61 every role that somebody has comes with a reason, an actor and a source", func(t *testing.T) {
		eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
			boss, ada := h.boss("boss@example.com", "administrator"), h.hire("ada@example.com", "read_only")
			for _, none := range []string{"", "  "} {
				_, err := h.SetRoles(h.ctx, boss, ada.ID, []identity.RoleID{"dispatcher"}, none)
				wantKind(t, err, identity.Invalid, "reason_required")
				wantSentence(t, err, "Say why: here every role that somebody has comes with a reason.")
			}
			_, err := h.SetRoles(h.ctx, boss, ada.ID, []identity.RoleID{"dispatcher"}, strings.Repeat("x", 501))
			wantKind(t, err, identity.Invalid, "")
			must[identity.User](t)(h.SetRoles(h.ctx, boss, ada.ID, []identity.RoleID{"dispatcher"}, "covers for Bob"))
			a := must[provisioning.UserDetail](t)(h.UserDetail(h.ctx, h.op, ada.ID)).Assignments[0]
			if a.Reason != "covers for Bob" || a.GrantedBy != "boss@example.com" || a.Source != identity.SourceManual || a.CreatedAt.IsZero() {
				t.Errorf("%+v", a)
			}
			_, err = h.CreateUser(h.ctx, boss, provisioning.NewUser{User: withTenant(person("x@example.com"), ada.TenantID), Role: "read_only"})
			wantKind(t, err, identity.Invalid, "reason_required")
			_, err = h.PlaceUsers(h.ctx, h.op, provisioning.Placement{Users: []provisioning.PlacedUser{{ID: ada.ID}}, Tenant: ada.TenantID, Role: "read_only"})
			wantKind(t, err, identity.Invalid, "reason_required")
			pushed := h.push(h.directory("Okta", "", identity.DialectOkta), "new@example.com")
			if a := must[provisioning.UserDetail](t)(h.UserDetail(h.ctx, h.op, pushed.ID)).Assignments[0]; a.Reason != "pushed by the directory Okta" || a.GrantedBy != "Okta" {
				t.Errorf("%+v", a)
			}
			if e := h.lastEvent(identity.RoleAssigned); e.Reason != "covers for Bob" || change(e, "source").After != "manual" {
				t.Errorf("%+v", e)
			}
		})
	})
}

func TestTheHistoryOfRolesIsReadFromEvents(t *testing.T) {
	t.Run("FC-56 how somebody's profile changed, and why", func(t *testing.T) {
		eachOn(t, "fentu-connect", func(t *testing.T, h *house) {
			boss, ada := h.boss("boss@example.com", "administrator"), h.hire("ada@example.com", "viewer")
			must[identity.User](t)(h.SetRoles(h.ctx, boss, ada.ID, []identity.RoleID{"integration_manager"}, "new job"))
			page := must[identity.Page[provisioning.RoleStep]](t)(h.RoleHistory(h.ctx, boss, ada.ID, identity.Query{Limit: 50}))
			var got []string
			for _, s := range page.Items {
				got = append(got, map[bool]string{true: "+", false: "-"}[s.Given]+s.Role+" by "+s.By+": "+s.Reason)
				if s.Source != identity.SourceManual || s.At.IsZero() || s.Event == "" {
					t.Errorf("%+v", s)
				}
			}
			slices.Sort(got[:2]) // written in the same moment
			want := []string{"+Integration Manager by boss@example.com: new job", "-Viewer by boss@example.com: new job", "+Viewer by operator: hired"}
			if !slices.Equal(got, want) {
				t.Errorf("the history is %q", got)
			}
			own := must[identity.Page[provisioning.RoleStep]](t)(h.RoleHistory(h.ctx, h.as(ada.ID), ada.ID, identity.Query{Limit: 50}))
			if len(own.Items) != 3 {
				t.Errorf("she sees %d steps of her own", len(own.Items))
			}
			_, err := h.RoleHistory(h.ctx, h.as(ada.ID), boss.UserID(), identity.Query{Limit: 50})
			wantKind(t, err, identity.Forbidden, "")
		})
	})
}

func TestNobodyGivesMoreThanTheyHave(t *testing.T) {
	eachOn(t, "fintechos", func(t *testing.T, h *house) {
		made := must[identity.RoleDefinition](t)(h.CreateRole(h.ctx, h.op, provisioning.RoleDraft{
			Title: "Keeper of roles", Grants: map[string][]string{"roles": {"view", "edit"}}, ConfirmSensitive: []string{"roles"},
		}))
		hr, ada := h.boss("hr@example.com", "user_management"), h.hire("ada@example.com", "portal_viewer")
		_, err := h.AssignRole(h.ctx, hr, ada.ID, made.ID, "")
		wantKind(t, err, identity.Forbidden, "escalation")
		wantSentence(t, err, "You may not give Keeper of roles: it has the right roles.write, which you do not have yourself.")
		_, err = h.CreateUser(h.ctx, hr, provisioning.NewUser{User: withTenant(person("x@example.com"), h.account().ID), Role: made.ID})
		wantKind(t, err, identity.Forbidden, "escalation")
		must[identity.User](t)(h.AssignRole(h.ctx, hr, ada.ID, "officer", "")) // what it grants in the application is no matter
		other := h.directory("Okta", "", identity.DialectOkta)
		_, err = h.SetRoles(h.ctx, other, ada.ID, []identity.RoleID{"officer"}, "")
		wantKind(t, err, identity.Forbidden, "")
	})
}

func TestTheListOfRolesHasOnlyWhatMayBeGiven(t *testing.T) {
	t.Run("ETL-11 the list has what the actor may give in that tenant", func(t *testing.T) {
		eachOn(t, "etlworks", func(t *testing.T, h *house) {
			acme, other := h.tenant("Acme"), h.tenant("Other")
			u := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("boss@acme.test"), acme.ID), Role: "administrator"}))
			list := func(by identity.Actor, in identity.TenantID) (ids []identity.RoleID) {
				for _, r := range must[[]identity.Role](t)(h.AssignableRoles(h.ctx, by, in)) {
					ids = append(ids, r.ID)
				}
				return ids
			}
			tenants := []identity.RoleID{"administrator", "editor", "operator", "viewer", "api_user"}
			boss := h.as(u.ID)
			if !slices.Equal(list(boss, acme.ID), tenants) || list(boss, other.ID) != nil || list(boss, "") != nil {
				t.Errorf("the administrator may give %v, %v and %v", list(boss, acme.ID), list(boss, other.ID), list(boss, ""))
			}
			if !slices.Equal(list(h.op, acme.ID), tenants) || !slices.Equal(list(h.op, ""), []identity.RoleID{"superadmin"}) {
				t.Errorf("the operator may give %v and %v", list(h.op, acme.ID), list(h.op, ""))
			}
		})
	})
	t.Run("ETL-18 a role of a tenant needs a tenant, and a role of the platform none", func(t *testing.T) {
		eachOn(t, "etlworks", func(t *testing.T, h *house) {
			for _, role := range []identity.RoleID{"administrator", "editor", "operator", "viewer", "api_user"} {
				_, err := h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: person("x@example.com"), Role: role})
				wantKind(t, err, identity.Invalid, "")
			}
			root := h.admin("root@example.com")
			_, err := h.SetRoles(h.ctx, h.op, root.ID, []identity.RoleID{"viewer"}, "")
			wantKind(t, err, identity.Invalid, "")
			wantSentence(t, err, "Viewer is a role within a tenant; name the tenant.")
			_, err = h.SetRoles(h.ctx, h.op, h.hire("ada@example.com", "viewer").ID, []identity.RoleID{"superadmin"}, "")
			wantSentence(t, err, "SuperAdmin is a role of the platform; it needs a user without a tenant.")
		})
	})
	t.Run("ETL-40 many people are moved to a tenant with a role that is valid there", func(t *testing.T) {
		eachOn(t, "etlworks", func(t *testing.T, h *house) {
			okta, acme := h.directory("Okta", "", identity.DialectOkta), h.tenant("Acme")
			ada, bob := h.push(okta, "ada@example.com"), h.push(okta, "bob@example.com")
			people := []provisioning.PlacedUser{{ID: ada.ID}, {ID: bob.ID}}
			_, err := h.PlaceUsers(h.ctx, h.op, provisioning.Placement{Users: people, Tenant: acme.ID, Role: "superadmin"})
			wantKind(t, err, identity.Invalid, "")
			must[provisioning.PlacementPlan](t)(h.PlaceUsers(h.ctx, h.op, provisioning.Placement{Users: people, Tenant: acme.ID, Role: "editor", Reason: "joined"}))
			for _, id := range []identity.UserID{ada.ID, bob.ID} {
				if u := must[identity.User](t)(h.User(h.ctx, h.op, id)); u.TenantID != acme.ID || h.roles(id) != "editor " {
					t.Errorf("%+v", u)
				}
			}
		})
	})
}

func TestOneTenantsAdministratorChangesNobodyElsewhere(t *testing.T) {
	eachOn(t, "etlworks", func(t *testing.T, h *house) {
		boss, other := h.boss("boss@example.com", "administrator"), h.tenant("Other")
		bob := must[identity.User](t)(h.CreateUser(h.ctx, h.op, provisioning.NewUser{User: withTenant(person("bob@other.test"), other.ID), Role: "viewer"}))
		_, err := h.SetRoles(h.ctx, boss, bob.ID, []identity.RoleID{"editor"}, "")
		wantKind(t, err, identity.NotFound, "")
		for _, h2 := range must[identity.Page[provisioning.AccessHolder]](t)(h.AccessReport(h.ctx, boss, provisioning.AccessQuery{Limit: 50})).Items {
			if h2.User.TenantID != boss.TenantID {
				t.Errorf("the administrator sees %s", h2.User.UserName)
			}
		}
	})
}

func TestNobodyComesInWithoutAnAccount(t *testing.T) {
	t.Run("FSM-02 a sign-in makes an account with the least role, or is refused; nobody comes in without one", func(t *testing.T) {
		eachOn(t, "fentu-fsm", func(t *testing.T, h *house) {
			h.hire("boss@example.com", "administrator")
			u := must[identity.User](t)(h.signIn(h.connection("Okta", nil), claims("s1", "new@example.com")))
			if h.roles(u.ID) != "read_only " || !h.may(u.ID, "reports", "view") || h.may(u.ID, "reports", "edit") {
				t.Errorf("who came has %s", h.roles(u.ID))
			}
			if a := must[provisioning.UserDetail](t)(h.UserDetail(h.ctx, h.op, u.ID)).Assignments[0]; a.Reason == "" || a.Source != identity.SourceDefault {
				t.Errorf("%+v", a)
			}
			closed := h.connection("Closed", func(c *identity.Connection) {
				c.Unknown, c.Domains, c.OIDC.Issuer = identity.UnknownRefuse, []string{"closed.test"}, "https://closed.test"
			})
			stranger := claims("s2", "new@closed.test")
			stranger.Issuer = "https://closed.test"
			_, err := h.signIn(closed, stranger)
			wantKind(t, err, identity.Forbidden, "jit.off")
			if page := must[identity.Page[identity.User]](t)(h.Users(h.ctx, h.op, identity.Query{Limit: 50})); len(page.Items) != 2 {
				t.Errorf("%d accounts", len(page.Items))
			}
		})
	})
}
