package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// raceRounds is how often two people try to go at once.
const raceRounds = 12

// Two administrators are the last two, and both go at the same moment through different doors: one of them stays.
func TestOfTwoAdministratorsWhoGoAtOnceOneStays(t *testing.T) {
	eachEstate(t, "fentu-connect", func(t *testing.T, e *estate) {
		t.Run("FC-69 always one account with full administrative access", func(t *testing.T) {
			main, ctx := e.tenants[0], t.Context()
			ways := e.waysToGo(main)
			for round := range raceRounds {
				pair := [2]identity.User{}
				for i := range pair {
					u := e.push(0, fmt.Sprintf("admin%d-%d", round, i))
					pair[i] = made[identity.User](t)(e.b.people.SetRoles(ctx, e.op, u.ID, []identity.RoleID{"administrator"}, "a test"))
				}
				var errs [2]error
				var both sync.WaitGroup
				for i, u := range pair {
					both.Go(func() { errs[i] = ways[(round+i*(1+round/len(ways)))%len(ways)](ctx, u.ID) })
				}
				both.Wait()
				switch {
				case errs[0] == nil && errs[1] == nil:
					t.Fatalf("round %d: both are gone", round)
				case errs[0] != nil && errs[1] != nil:
					t.Fatalf("round %d: nobody could go: %v, %v", round, errs[0], errs[1])
				}
				stays := 0
				if errs[0] == nil {
					stays = 1
				}
				if identity.KindOf(errs[stays]) == identity.Internal {
					t.Fatal(errs[stays])
				}
				e.makeRoom(pair[stays].ID)
			}
		})
	})
}

// waysToGo are the ways in which somebody stops being an administrator.
func (e *estate) waysToGo(home identity.Tenant) []func(context.Context, identity.UserID) error {
	people, op := e.b.people, e.op
	return []func(context.Context, identity.UserID) error{
		func(ctx context.Context, id identity.UserID) error {
			return drop(people.DeactivateUser(ctx, op, id, "leaves"))
		},
		func(ctx context.Context, id identity.UserID) error {
			return drop(e.scim(ctx, 0, http.MethodPatch, "/Users/"+string(id), patch("replace", "active", false)))
		},
		func(ctx context.Context, id identity.UserID) error {
			return drop(people.SetRoles(ctx, op, id, []identity.RoleID{"viewer"}, "leaves"))
		},
		func(ctx context.Context, id identity.UserID) error {
			return drop(e.scim(ctx, 0, http.MethodDelete, "/Users/"+string(id), nil))
		},
		func(ctx context.Context, id identity.UserID) error {
			return drop(people.PlaceUsers(ctx, op, provisioning.Placement{Users: []provisioning.PlacedUser{{ID: id}}, Tenant: home.ID, Role: "viewer"}))
		},
		func(ctx context.Context, id identity.UserID) error { return people.EraseUser(ctx, op, id, 0, "leaves") },
		func(ctx context.Context, id identity.UserID) error {
			return e.command(ctx, "user", "deactivate", string(id))
		},
	}
}

// makeRoom takes the last administrator away behind the program's back, so that the next two are the last two.
func (e *estate) makeRoom(id identity.UserID) {
	e.t.Helper()
	db := newAuditor(e.t, e, e.sh.env["DRAWBRIDGE_DATABASE"]).db
	if _, err := db.ExecContext(e.t.Context(), fmt.Sprintf(`DELETE FROM assignments WHERE CAST(user_id AS TEXT) = '%s'`, id)); err != nil {
		e.t.Fatal(err)
	}
}
