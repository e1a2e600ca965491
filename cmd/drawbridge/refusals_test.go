package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// refusalSteps is how many operations are done through each of the three doors.
const refusalSteps = 30

// The same operations, in the same order, are done in three installations: in one through provisioning, in one through SCIM, in one on the command line. What is
// refused in one is refused in all, for the same reason and in the same words.
func TestTheSameOperationsAreRefusedInTheSameWordsThroughEveryDoor(t *testing.T) {
	seed := stormSeed(t)
	presets(t, func(t *testing.T, preset string) {
		for _, kind := range []struct {
			name string
			url  func(testing.TB) string
		}{{"sqlite", storetest.SQLiteURL}, {"postgres", storetest.PostgresURL}} {
			t.Run(kind.name, func(t *testing.T) {
				var worlds [3]*twin
				for i := range worlds {
					worlds[i] = newTwin(newEstate(t, shellOn(t, kind.url(t)), preset))
				}
				compareDoors(t, worlds, rand.New(rand.NewPCG(seed, 7)))
			})
		}
	})
}

// twin is an installation with the same people as its siblings.
type twin struct {
	*estate
	who   map[string]identity.UserID
	names []string
}

// newTwin pushes three people, of whom two are made what must not be lost.
func newTwin(e *estate) *twin {
	w := &twin{estate: e, who: map[string]identity.UserID{}, names: []string{"ada", "bob", "cyd"}}
	s := newStorm(e, 0)
	ctx := e.t.Context()
	for _, name := range w.names {
		u := e.push(0, name)
		w.who[name] = u.ID
		if name == "cyd" {
			continue
		}
		made[identity.User](e.t)(e.b.people.SetRoles(ctx, e.op, u.ID, []identity.RoleID{s.admin}, "a test"))
		if _, flags := e.model.AdminFlag(); flags {
			made[identity.Position](e.t)(e.b.people.SetPosition(ctx, e.op, u.ID, func(p *identity.Position) error { p.Admin = true; return nil }, "a test"))
		}
	}
	if _, owned := e.model.Owner(); owned {
		made[identity.User](e.t)(e.b.people.TransferOwnership(ctx, e.op, provisioning.Ownership{Tenant: e.tenants[0].ID, User: w.who["ada"], Reason: "a test"}))
	}
	return w
}

// operation is something that can be done to a person through each door.
type operation struct {
	name   string
	only   []string // of these people; nil: of all
	floor  func(ctx context.Context, w *twin, id identity.UserID) error
	scim   func(ctx context.Context, w *twin, id identity.UserID) error
	shell  func(ctx context.Context, w *twin, id identity.UserID) error
	always bool // it is refused whenever the person is there
}

// attempts are those that every door has. People whom a directory manages are changed there, so names are tried only where nobody may change them.
func attempts(w *twin) []operation {
	ops := []operation{
		{
			name: "deactivate",
			floor: func(ctx context.Context, w *twin, id identity.UserID) error {
				return drop(w.b.people.DeactivateUser(ctx, w.op, id, ""))
			},
			scim: func(ctx context.Context, w *twin, id identity.UserID) error { return w.patch(ctx, id, "active", false) },
			shell: func(ctx context.Context, w *twin, id identity.UserID) error {
				return w.command(ctx, "user", "deactivate", string(id))
			},
		},
		{
			name: "activate",
			floor: func(ctx context.Context, w *twin, id identity.UserID) error {
				return drop(w.b.people.ActivateUser(ctx, w.op, id, ""))
			},
			scim: func(ctx context.Context, w *twin, id identity.UserID) error { return w.patch(ctx, id, "active", true) },
			shell: func(ctx context.Context, w *twin, id identity.UserID) error {
				return w.command(ctx, "user", "activate", string(id))
			},
		},
	}
	ops = append(ops, operation{
		name: "delete",
		floor: func(ctx context.Context, w *twin, id identity.UserID) error {
			return w.b.people.RemoveUser(ctx, w.op, id, 0, "left")
		},
		scim: func(ctx context.Context, w *twin, id identity.UserID) error {
			return drop(w.estate.scim(ctx, 0, http.MethodDelete, "/Users/"+string(id), nil))
		},
		shell: func(ctx context.Context, w *twin, id identity.UserID) error {
			return w.command(ctx, "user", "remove", string(id), "--yes", "--reason", "left")
		},
	})
	rename := operation{
		name: "rename", always: true,
		floor: func(ctx context.Context, w *twin, id identity.UserID) error {
			return drop(w.b.people.UpdateUser(ctx, w.op, id, 0, func(u *identity.User) error { u.UserName = "zoe"; return nil }))
		},
		scim: func(ctx context.Context, w *twin, id identity.UserID) error {
			return w.patch(ctx, id, "userName", "zoe")
		},
		shell: func(ctx context.Context, w *twin, id identity.UserID) error {
			return w.command(ctx, "user", "edit", string(id), "--user-name", "zoe")
		},
	}
	if _, owned := w.model.Owner(); owned {
		rename.name, rename.only = "edit the owner", []string{"ada"}
		rename.floor = func(ctx context.Context, w *twin, id identity.UserID) error {
			return drop(w.b.people.UpdateUser(ctx, w.op, id, 0, func(u *identity.User) error { u.DisplayName = "Zoe"; return nil }))
		}
		rename.scim = func(ctx context.Context, w *twin, id identity.UserID) error {
			return w.patch(ctx, id, "displayName", "Zoe")
		}
		rename.shell = func(ctx context.Context, w *twin, id identity.UserID) error {
			return w.command(ctx, "user", "edit", string(id), "--name", "Zoe")
		}
		return append(ops, rename)
	}
	if len(w.model.UserTypes()) > 0 && slices.ContainsFunc(w.model.UserTypes(), func(t identity.UserType) bool { return t.MaxUsers == 1 }) {
		return append(ops, rename, operation{
			name: "guest",
			floor: func(ctx context.Context, w *twin, id identity.UserID) error {
				return drop(w.b.people.SetPosition(ctx, w.op, id, func(p *identity.Position) error { p.Type = "guest"; return nil }, ""))
			},
			scim: func(ctx context.Context, w *twin, id identity.UserID) error {
				return w.patch(ctx, id, "userType", "Guest")
			},
			shell: func(ctx context.Context, w *twin, id identity.UserID) error {
				return w.command(ctx, "user", "position", string(id), "--type", "guest")
			},
		})
	}
	return ops
}

func (w *twin) patch(ctx context.Context, id identity.UserID, attribute string, value any) error {
	return drop(w.scim(ctx, 0, http.MethodPatch, "/Users/"+string(id), patch("replace", attribute, value)))
}

// compareDoors does the same in all of them. Refusals are counted, so that a comparison of nothing is none.
func compareDoors(t *testing.T, worlds [3]*twin, rng *rand.Rand) {
	ctx, refused := t.Context(), map[string]int{}
	gone := map[string]bool{}
	for range refusalSteps {
		op := pick(rng, attempts(worlds[0]))
		who := pick(rng, worlds[0].names)
		if gone[who] {
			continue
		}
		if op.only != nil && !slices.Contains(op.only, who) {
			continue
		}
		errs := [3]error{
			op.floor(ctx, worlds[0], worlds[0].who[who]), op.scim(ctx, worlds[1], worlds[1].who[who]), op.shell(ctx, worlds[2], worlds[2].who[who]),
		}
		for i, door := range []string{"SCIM", "the command line"} {
			if a, b := verdict(errs[0]), verdict(errs[i+1]); a != b {
				t.Fatalf("%s %s: provisioning says %q, %s %q", op.name, who, a, door, b)
			}
		}
		if code := identity.CodeOf(errs[0]); code != identity.CodeOf(errs[2]) || scimCodes[code] != identity.CodeOf(errs[1]) {
			t.Fatalf("%s %s: the codes are %q, %q and %q", op.name, who, code, identity.CodeOf(errs[1]), identity.CodeOf(errs[2]))
		}
		gone[who] = op.name == "delete" && errs[0] == nil
		if errs[0] != nil {
			refused[op.name+": "+verdict(errs[0])]++
		} else if op.always {
			t.Fatalf("%s %s was not refused", op.name, who)
		}
	}
	if worlds[0].guards() && len(refused) == 0 {
		t.Error("nothing was refused, so nothing was compared")
	}
	for what, n := range refused {
		t.Logf("%d times %s", n, what)
	}
}

// guards reports whether the access model keeps anything that these operations could break.
func (w *twin) guards() bool {
	_, owned := w.model.Owner()
	return owned || w.model.MinimumAdmins() > 0 || slices.ContainsFunc(w.model.Roles(), func(r identity.Role) bool { return r.Scope == identity.ScopeTenant && w.model.Minimum(r.ID) > 0 })
}

// scimCodes are our codes that are words of SCIM too; it says nothing of the others.
var scimCodes = map[string]string{"mutability": "mutability", "uniqueness": "uniqueness"}

// verdict is the kind of a refusal and its sentence.
func verdict(err error) string {
	if err == nil {
		return "yes"
	}
	var e *identity.Error
	if !errors.As(err, &e) {
		return fmt.Sprint(err)
	}
	return e.Kind.String() + ": " + strings.TrimSpace(e.Message)
}
