package main

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// wants ends the test unless an error is of that kind and code and says so.
func wants(t *testing.T, err error, kind identity.Kind, code, says string) {
	t.Helper()
	if err == nil || identity.KindOf(err) != kind || identity.CodeOf(err) != code || !strings.Contains(verdict(err), says) {
		t.Errorf("want %v %q %q, got %v (%v, %q)", kind, code, says, err, identity.KindOf(err), identity.CodeOf(err))
	}
}

// asUser returns the actor that somebody is at the console.
func (e *estate) asUser(id identity.UserID) identity.Actor {
	e.t.Helper()
	u := made[identity.User](e.t)(e.b.people.User(e.t.Context(), e.op, id))
	a := identity.Actor{Kind: identity.ActorUser, ID: string(u.ID), Label: u.Label(), TenantID: u.TenantID, Door: "console"}
	for _, r := range u.Roles {
		a.Roles = append(a.Roles, r.ID)
	}
	return a
}

// told returns the events of one type about somebody, newest first.
func (e *estate) told(id identity.UserID, kind identity.EventType) []identity.Event {
	e.t.Helper()
	page := made[identity.Page[identity.Event]](e.t)(e.b.people.Events(e.t.Context(), e.op, provisioning.EventQuery{UserID: id, Limit: 100}))
	var out []identity.Event
	for _, ev := range page.Items {
		if ev.Type == kind {
			out = append(out, ev)
		}
	}
	return out
}

func (e *estate) roleOf(id identity.UserID) identity.RoleID {
	e.t.Helper()
	u := made[identity.User](e.t)(e.b.people.User(e.t.Context(), e.op, id))
	if len(u.Roles) != 1 {
		e.t.Fatalf("%s has the roles %+v", u.UserName, u.Roles)
	}
	return u.Roles[0].ID
}

func TestAnOwnerIsProtectedUntilThePlatformHandsTheTenantOver(t *testing.T) {
	eachEstate(t, "fluentpro-backup", func(t *testing.T, e *estate) {
		ctx, acme := t.Context(), e.tenants[0]
		first, admin := e.push(0, "ada"), e.person(acme.ID, "bob", "admin")
		set := func(to identity.UserID, old identity.RoleID, by identity.Actor) error {
			return drop(e.b.people.TransferOwnership(ctx, by, provisioning.Ownership{Tenant: acme.ID, User: to, OldRole: old, Reason: "a test"}))
		}
		if err := set(first.ID, "", e.op); err != nil {
			t.Fatal(err)
		}
		by := e.asUser(admin.ID)
		t.Run("FP-05 the owner cannot be deleted on any path", func(t *testing.T) { e.ownerStays(t, by, first.ID, "cannot be deleted", e.waysToDelete(by)) })
		t.Run("FP-31 owners cannot be deleted from the tenant", func(t *testing.T) {
			e.ownerStays(t, by, first.ID, "cannot be deleted", e.waysToDelete(e.op))
		})
		t.Run("FP-10 the owner cannot be changed by others", func(t *testing.T) {
			e.ownerStays(t, by, first.ID, "", e.waysToChange(by, acme))
			if err := drop(e.b.people.ReleaseUser(ctx, e.op, first.ID, "")); err != nil {
				t.Fatal(err)
			}
			err := drop(e.b.people.PlaceUsers(ctx, e.op, provisioning.Placement{Users: []provisioning.PlacedUser{{ID: first.ID}}, Tenant: e.tenants[1].ID, Role: "viewer"}))
			wants(t, err, identity.Conflict, "placement_refused", "Ada: owns the tenant: an owner cannot get another role or tenant")
			u, err := e.b.people.User(ctx, e.op, first.ID)
			if err != nil || !u.Enabled || u.DisplayName != "Ada" || e.roleOf(first.ID) != "owner" {
				t.Errorf("%+v, %v", u, err)
			}
		})
		t.Run("FP-09 exactly one owner, handed over by the platform only", func(t *testing.T) {
			wants(t, set(admin.ID, "admin", by), identity.Forbidden, "", "tenants.write")
			wants(t, set(admin.ID, "", e.op), identity.Invalid, "", "which role the old owner gets")
			wants(t, set(admin.ID, "owner", e.op), identity.Invalid, "", "given by no administrator")
			wants(t, drop(e.b.people.SetRoles(ctx, e.op, admin.ID, []identity.RoleID{"owner"}, "a test")), identity.Invalid, "", "given by no administrator")
			if err := e.command(ctx, "tenant", "owner", "Acme", "--set", "bob", "--old-owner-role", "member", "--reason", "Ada retires"); err != nil {
				t.Fatal(err)
			}
			owner := made[identity.User](t)(e.b.people.Owner(ctx, e.op, acme.ID))
			if owner.ID != admin.ID || e.roleOf(admin.ID) != "owner" || e.roleOf(first.ID) != "member" {
				t.Errorf("the owner is %s; the roles are %s and %s", owner.UserName, e.roleOf(admin.ID), e.roleOf(first.ID))
			}
			told := e.told(admin.ID, identity.TenantHanded)
			if len(told) != 1 || told[0].Reason != "Ada retires" || told[0].Changes[0] != (identity.Change{Field: "owner", Before: "Ada", After: "Bob"}) {
				t.Errorf("told as %+v", told)
			}
			if err := drop(e.b.people.DeactivateUser(ctx, e.op, first.ID, "")); err != nil {
				t.Errorf("who owns nothing any more is like others: %v", err)
			}
			wants(t, set(first.ID, "admin", e.op), identity.Precondition, "", "cannot come in")
		})
	})
}

// ownerStays tries to do something to an owner in each way, which must be refused in the same words.
func (e *estate) ownerStays(t *testing.T, by identity.Actor, owner identity.UserID, says string, ways map[string]func(context.Context, identity.UserID) error) {
	t.Helper()
	for name, way := range ways {
		err := way(t.Context(), owner)
		code := identity.CodeOf(err)
		if identity.KindOf(err) != identity.Forbidden && code != "placement_refused" || !strings.Contains(verdict(err), "owns the tenant: ") || !strings.Contains(verdict(err), says) {
			t.Errorf("%s by %s: %v (%v %q)", name, by.Label, err, identity.KindOf(err), code)
		}
	}
}

func (e *estate) waysToDelete(by identity.Actor) map[string]func(context.Context, identity.UserID) error {
	return map[string]func(context.Context, identity.UserID) error{
		"delete": func(ctx context.Context, id identity.UserID) error { return e.b.people.DeleteUser(ctx, by, id, 0) },
		"remove": func(ctx context.Context, id identity.UserID) error {
			return e.b.people.RemoveUser(ctx, by, id, 0, "left")
		},
		"erase": func(ctx context.Context, id identity.UserID) error {
			return e.b.people.EraseUser(ctx, e.op, id, 0, "left")
		},
		"SCIM": func(ctx context.Context, id identity.UserID) error {
			return drop(e.scim(ctx, 0, http.MethodDelete, "/Users/"+string(id), nil))
		},
	}
}

func (e *estate) waysToChange(by identity.Actor, home identity.Tenant) map[string]func(context.Context, identity.UserID) error {
	people := e.b.people
	return map[string]func(context.Context, identity.UserID) error{
		"edit": func(ctx context.Context, id identity.UserID) error {
			return drop(people.UpdateUser(ctx, by, id, 0, func(u *identity.User) error { u.DisplayName = "Eve"; return nil }))
		},
		"edit by SCIM": func(ctx context.Context, id identity.UserID) error {
			return drop(e.scim(ctx, 0, http.MethodPatch, "/Users/"+string(id), patch("replace", "title", "Boss")))
		},
		"deactivate": func(ctx context.Context, id identity.UserID) error {
			return drop(people.DeactivateUser(ctx, by, id, ""))
		},
		"deactivate by SCIM": func(ctx context.Context, id identity.UserID) error {
			return drop(e.scim(ctx, 0, http.MethodPatch, "/Users/"+string(id), patch("replace", "active", false)))
		},
		"deactivate by command": func(ctx context.Context, id identity.UserID) error {
			return e.command(ctx, "user", "deactivate", string(id))
		},
		"other role": func(ctx context.Context, id identity.UserID) error {
			return drop(people.SetRoles(ctx, by, id, []identity.RoleID{"viewer"}, "a test"))
		},
		"other role by placement": func(ctx context.Context, id identity.UserID) error {
			return drop(people.PlaceUsers(ctx, e.op, provisioning.Placement{Users: []provisioning.PlacedUser{{ID: id}}, Tenant: home.ID, Role: "viewer"}))
		},
	}
}

func TestWhereTenantsHaveNoOwnersNobodyIsMadeOne(t *testing.T) {
	eachEstate(t, "etlworks", func(t *testing.T, e *estate) {
		u := e.person(e.tenants[0].ID, "ada", "viewer")
		err := e.command(t.Context(), "tenant", "owner", "Acme", "--set", string(u.ID), "--reason", "a test")
		wants(t, err, identity.Invalid, "no_owners", "Tenants have no owners in the access model etlworks.")
		if err := e.command(t.Context(), "tenant", "owner", "Acme"); err != nil {
			t.Error(err)
		}
	})
}

func TestAPlatformRoleAndATenantExcludeEachOther(t *testing.T) {
	eachEstate(t, "etlworks", func(t *testing.T, e *estate) {
		ctx, acme := t.Context(), e.tenants[0]
		root, u := e.person("", "root", "superadmin"), e.person(acme.ID, "ada", "viewer")
		create := func(tenant identity.TenantID, role identity.RoleID) error {
			return drop(e.b.people.CreateUser(ctx, e.op, provisioning.NewUser{User: personOf(tenant, "eve"), Role: role}))
		}
		place := func(id identity.UserID, tenant identity.TenantID, role identity.RoleID) error {
			return drop(e.b.people.PlaceUsers(ctx, e.op, provisioning.Placement{Users: []provisioning.PlacedUser{{ID: id}}, Tenant: tenant, Role: role}))
		}
		t.Run("ETL-19 only users of a tenant have a role other than SuperAdmin", func(t *testing.T) {
			const above, within = "is a role of the platform; it needs a user without a tenant.", "is a role within a tenant; name the tenant."
			wants(t, create("", "editor"), identity.Invalid, "", within)
			wants(t, create(acme.ID, "superadmin"), identity.Invalid, "", above)
			wants(t, place(u.ID, "", "editor"), identity.Invalid, "", within)
			wants(t, place(u.ID, acme.ID, "superadmin"), identity.Invalid, "", above)
			wants(t, drop(e.b.people.SetRoles(ctx, e.op, u.ID, []identity.RoleID{"superadmin"}, "")), identity.Invalid, "", above)
			wants(t, drop(e.b.people.SetRoles(ctx, e.op, root.ID, []identity.RoleID{"viewer"}, "")), identity.Invalid, "", within)
			wants(t, e.command(ctx, "user", "create", "--email", "eve@example.com", "--role", "editor"), identity.Invalid, "", within)
			wants(t, e.command(ctx, "user", "place", string(u.ID), "--tenant", "Acme", "--role", "superadmin", "--yes"), identity.Invalid, "", above)
			_, err := e.b.people.CreateConnection(ctx, e.op, identity.Connection{
				Name: "x", Kind: identity.OIDC, OIDC: identity.OIDCSettings{Issuer: "https://idp.example.com", ClientID: "c", ClientSecret: "s"}, Options: identity.ConnectionOptions{Ceiling: []identity.RoleID{"superadmin"}},
			})
			if identity.KindOf(err) != identity.Invalid {
				t.Errorf("a provider's rules could give SuperAdmin: %v", err)
			}
		})
		t.Run("ETL-12 SuperAdmin belongs to no tenant and reaches all of them", func(t *testing.T) {
			by, local := e.asUser(root.ID), e.asUser(e.person(acme.ID, "boss", "administrator").ID)
			other := e.person(e.tenants[1].ID, "zoe", "viewer")
			if root.TenantID != "" {
				t.Errorf("the home of SuperAdmin is %s", root.TenantID)
			}
			if _, err := e.b.people.User(ctx, by, other.ID); err != nil {
				t.Error(err)
			}
			if err := drop(e.b.people.CreateTenant(ctx, by, "Initech")); err != nil {
				t.Error(err)
			}
			wants(t, drop(e.b.people.User(ctx, local, other.ID)), identity.NotFound, "", "")
			wants(t, drop(e.b.people.CreateTenant(ctx, local, "Umbrella")), identity.Forbidden, "", "")
		})
	})
}

func TestAUserNameThatNobodyChangesStays(t *testing.T) {
	eachEstate(t, "fintechos", func(t *testing.T, e *estate) {
		t.Run("FOS-31 the user name cannot be edited on any path", func(t *testing.T) {
			ctx, u := t.Context(), e.push(0, "ada")
			const says = "cannot be changed"
			at := "/Users/" + string(u.ID)
			wants(t, drop(e.scim(ctx, 0, http.MethodPatch, at, patch("replace", "userName", "eve"))), identity.Invalid, "mutability", says)
			wants(t, drop(e.scim(ctx, 0, http.MethodPut, at, scimUser("eve"))), identity.Invalid, "mutability", says)
			wants(t, e.command(ctx, "user", "edit", "ada", "--user-name", "eve"), identity.Invalid, "mutability", says)
			local := e.person(e.tenants[0].ID, "bob", "user_management")
			wants(t, drop(e.b.people.UpdateUser(ctx, e.asUser(local.ID), u.ID, 0, func(u *identity.User) error { u.UserName = "eve"; return nil })), identity.Invalid, "mutability", says)
			same := scimUser("ada")
			same["displayName"] = "Ada King"
			if _, err := e.scim(ctx, 0, http.MethodPut, at, same); err != nil {
				t.Errorf("the same name is no change: %v", err)
			}
			if now := made[identity.User](t)(e.b.people.User(ctx, e.op, u.ID)); now.UserName != "ada" || now.DisplayName != "Ada King" {
				t.Errorf("%+v", now)
			}
		})
		t.Run("FOS-11 no second Guest, by SCIM either", func(t *testing.T) {
			ctx := t.Context()
			first, second := scimUser("guest1"), scimUser("guest2")
			first["userType"], second["userType"] = "Guest", "guest"
			made[object](t)(e.scim(ctx, 0, http.MethodPost, "/Users", first))
			wants(t, drop(e.scim(ctx, 0, http.MethodPost, "/Users", second)), identity.Conflict, "uniqueness", "There can be one user of the type Guest")
			other := e.push(0, "cyd")
			wants(t, drop(e.scim(ctx, 0, http.MethodPatch, "/Users/"+string(other.ID), patch("replace", "userType", "Guest"))), identity.Conflict, "uniqueness", "one already")
			wants(t, e.command(ctx, "user", "position", "cyd", "--type", "guest"), identity.Conflict, "uniqueness", "one already")
		})
		t.Run("FOS-21 authorized is what SCIM calls active", func(t *testing.T) {
			ctx, u := t.Context(), e.push(0, "dan")
			at := "/Users/" + string(u.ID)
			for _, on := range []bool{false, true} {
				made[object](t)(e.scim(ctx, 0, http.MethodPatch, at, patch("replace", "active", on)))
				if now := made[identity.User](t)(e.b.people.User(ctx, e.op, u.ID)); now.Enabled != on {
					t.Errorf("active %v left the flag at %v", on, now.Enabled)
				}
			}
			if err := e.command(ctx, "user", "deactivate", "dan"); err != nil {
				t.Fatal(err)
			}
			if seen := made[object](t)(e.scim(ctx, 0, http.MethodGet, at, nil)); seen["active"] != false {
				t.Errorf("SCIM shows %v", seen["active"])
			}
		})
	})
}

func TestAdministratorsGiveAnotherUserNameWhereTheModelLetsThem(t *testing.T) {
	eachEstate(t, "fentu-fsm", func(t *testing.T, e *estate) {
		t.Run("FSM-67 a user name is changed by administrators and by nobody for themselves", func(t *testing.T) {
			ctx := t.Context()
			admin, u := e.person(e.tenants[0].ID, "ada", "administrator"), e.person(e.tenants[0].ID, "bob", "dispatcher")
			rename := func(by identity.Actor, id identity.UserID, name string) error {
				return drop(e.b.people.UpdateUser(ctx, by, id, 0, func(u *identity.User) error { u.UserName = name; return nil }))
			}
			if err := rename(e.asUser(admin.ID), u.ID, "robert"); err != nil {
				t.Error(err)
			}
			wants(t, rename(e.asUser(admin.ID), admin.ID, "countess"), identity.Invalid, "mutability", "cannot be changed")
			if err := e.command(ctx, "user", "edit", "robert", "--user-name", "rob"); err != nil {
				t.Error(err)
			}
		})
	})
}

func TestWhoLeavesIsOutAtOnce(t *testing.T) {
	ways := map[string]func(context.Context, *estate, identity.User) error{
		"FC-62 at the console, one call": func(ctx context.Context, e *estate, u identity.User) error {
			return drop(e.b.people.DeactivateUser(ctx, e.op, u.ID, "left"))
		},
		"FC-62 deleted, one call": func(ctx context.Context, e *estate, u identity.User) error {
			return e.b.people.RemoveUser(ctx, e.op, u.ID, 0, "left")
		},
		"FSM-08 on the command line": func(ctx context.Context, e *estate, u identity.User) error {
			return e.command(ctx, "user", "deactivate", string(u.ID), "--reason", "left")
		},
		"FSM-59 by the directory, at once": func(ctx context.Context, e *estate, u identity.User) error {
			return drop(e.scim(ctx, 0, http.MethodPatch, "/Users/"+string(u.ID), patch("replace", "active", false)))
		},
		"FSM-59 by the directory's DELETE, at once": func(ctx context.Context, e *estate, u identity.User) error {
			return drop(e.scim(ctx, 0, http.MethodDelete, "/Users/"+string(u.ID), nil))
		},
	}
	for _, preset := range []string{"etlworks", "fentu-connect", "fentu-fsm"} {
		t.Run(preset, func(t *testing.T) {
			eachEstate(t, preset, func(t *testing.T, e *estate) {
				n := 0
				for name, leave := range ways {
					n++
					t.Run(name, func(t *testing.T) { e.leaver(t, "leaver"+string(rune('a'+n)), leave) })
				}
			})
		})
	}
}

// leaver lets somebody work, with a session and a key where the model has keys, and then leave.
func (e *estate) leaver(t *testing.T, name string, leave func(context.Context, *estate, identity.User) error) {
	ctx, u := t.Context(), e.push(0, name)
	if e.model.Name() == "fentu-fsm" { // work in hand does not keep a directory from it, and nobody else had any
		made[identity.User](t)(e.b.people.SetRoles(ctx, e.op, u.ID, []identity.RoleID{"technician"}, "a test"))
	}
	cookie, _, err := e.b.authn.StartSession(ctx, u, identity.Session{ConnectionID: ""}, "")
	if err != nil {
		t.Fatal(err)
	}
	var key string
	if _, keys := e.model.APIKeys(); keys {
		if _, key, err = e.b.authn.CreateAPIKey(ctx, e.op, u.ID, "script", ""); err != nil {
			t.Fatal(err)
		}
		if _, err := e.b.authn.InspectKey(ctx, e.op, key); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := e.b.authn.AnySession(ctx, cookie); err != nil {
		t.Fatal(err)
	}
	if err := leave(ctx, e, u); err != nil {
		t.Fatal(err)
	}
	if _, err := e.b.authn.AnySession(ctx, cookie); identity.KindOf(err) != identity.Unauthenticated {
		t.Errorf("the session goes on: %v", err)
	}
	if _, _, err := e.b.authn.StartSession(ctx, u, identity.Session{}, ""); err == nil {
		t.Error("a new session began")
	}
	if _, err := e.b.authn.InspectKey(ctx, e.op, key); key != "" && identity.KindOf(err) != identity.Unauthenticated {
		t.Errorf("the key works on: %v", err)
	}
}

func TestTheLastAdministratorStaysOnEveryPath(t *testing.T) {
	eachEstate(t, "fentu-connect", func(t *testing.T, e *estate) {
		t.Run("FC-69 the last account with full administrative access", func(t *testing.T) {
			ctx, u := t.Context(), e.push(0, "ada")
			made[identity.User](t)(e.b.people.SetRoles(ctx, e.op, u.ID, []identity.RoleID{"administrator"}, "a test"))
			for i, way := range e.waysToGo(e.tenants[0]) {
				if err := way(ctx, u.ID); !strings.Contains(verdict(err), "is the last Administrator; make somebody else one first") {
					t.Errorf("way %d: %v", i, err)
				}
			}
			wants(t, drop(e.b.people.DeleteRole(ctx, e.op, "administrator", "viewer", "a test")), identity.Forbidden, "last_administrator", "Administrator cannot be deleted")
			d := made[provisioning.RoleDetail](t)(e.b.people.Role(ctx, e.op, "administrator", identity.Query{Limit: 1})).Role
			draft := provisioning.RoleDraft{Title: d.Title, Grants: map[string][]string{"visible": {"on"}, "home": {"view"}}, Reason: "a test"}
			wants(t, drop(e.b.people.UpdateRole(ctx, e.op, "administrator", d.Version, draft)), identity.Forbidden, "last_administrator", "Administrator must keep")
			if now := e.roleOf(u.ID); now != "administrator" {
				t.Errorf("now she is %s", now)
			}
			e.person(e.tenants[0].ID, "bob", "administrator")
			if err := e.command(ctx, "user", "deactivate", string(u.ID)); err != nil {
				t.Errorf("with a second one the first may go: %v", err)
			}
		})
	})
}
