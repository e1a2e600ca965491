package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
)

// door is one of those through whom changes come.
type door struct {
	*storm
	rng  *rand.Rand
	acts map[string]func(context.Context) error
	all  []string
}

func newDoor(s *storm, i int) *door {
	d := &door{storm: s, rng: rand.New(rand.NewPCG(s.seed, uint64(i)))}
	d.acts = []func() map[string]func(context.Context) error{d.floor, d.scimDoor, d.commands, d.floorAndSignIns}[i]()
	for name := range d.acts {
		d.all = append(d.all, name)
	}
	slices.Sort(d.all)
	return d
}

func (d *door) next() (string, func(context.Context) error) {
	name := pick(d.rng, d.all)
	return name, d.acts[name]
}

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

func (d *door) somebody() identity.UserID {
	d.mu.Lock()
	defer d.mu.Unlock()
	return pick(d.rng, d.ids)
}

func (d *door) tenant() int  { return d.rng.IntN(len(d.e.tenants)) }
func (d *door) name() string { return fmt.Sprintf("p%d", d.rng.IntN(12)) }
func (d *door) role() identity.RoleID {
	return pick(d.rng, append(slices.Clip(d.roles), d.admin, d.admin, "superadmin"))
}

func (d *door) place() identity.Tenant {
	return pick(d.rng, append(slices.Clip(d.e.tenants), identity.Tenant{}))
}

// drop leaves out what an operation returns beside its error.
func drop[T any](_ T, err error) error { return err }

// floor is provisioning itself, as the console and the API call it.
func (d *door) floor() map[string]func(context.Context) error {
	people, op := d.e.b.people, d.e.op
	return map[string]func(context.Context) error{
		"floor create": func(ctx context.Context) error {
			n := provisioning.NewUser{User: personOf(d.place().ID, d.name()), Role: d.role(), Reason: "storm"}
			if len(d.kinds) > 0 {
				n.Position.Type = pick(d.rng, d.kinds)
			}
			u, err := people.CreateUser(ctx, op, n)
			d.met(u.ID)
			return err
		},
		"floor deactivate": func(ctx context.Context) error { return drop(people.DeactivateUser(ctx, op, d.somebody(), "storm")) },
		"floor activate":   func(ctx context.Context) error { return drop(people.ActivateUser(ctx, op, d.somebody(), "storm")) },
		"floor delete":     func(ctx context.Context) error { return people.DeleteUser(ctx, op, d.somebody(), 0) },
		"floor remove":     func(ctx context.Context) error { return people.RemoveUser(ctx, op, d.somebody(), 0, "storm") },
		"floor restore":    func(ctx context.Context) error { return drop(people.RestoreUser(ctx, op, d.somebody())) },
		"floor erase":      func(ctx context.Context) error { return people.EraseUser(ctx, op, d.somebody(), 0, "storm") },
		"floor set roles": func(ctx context.Context) error {
			return drop(people.SetRoles(ctx, op, d.somebody(), d.someRoles(), "storm"))
		},
		"floor give role": func(ctx context.Context) error {
			return drop(people.AssignRole(ctx, op, d.somebody(), d.role(), "storm"))
		},
		"floor take role": func(ctx context.Context) error {
			return drop(people.RemoveRole(ctx, op, d.somebody(), d.role(), "storm"))
		},
		"floor place": d.placeSome,
		"floor stand": func(ctx context.Context) error {
			return drop(people.SetPosition(ctx, op, d.somebody(), func(p *identity.Position) error {
				if p.Admin = d.rng.IntN(2) == 0; len(d.kinds) > 0 {
					p.Type = pick(d.rng, d.kinds)
				}
				return nil
			}, "storm"))
		},
		"floor rename": func(ctx context.Context) error {
			return drop(people.UpdateUser(ctx, op, d.somebody(), 0, func(u *identity.User) error { u.UserName = d.name(); return nil }))
		},
		"floor merge": func(ctx context.Context) error {
			return drop(people.MergeUsers(ctx, op, provisioning.Merge{Keep: provisioning.PlacedUser{ID: d.somebody()}, Drop: provisioning.PlacedUser{ID: d.somebody()}, Reason: "storm"}))
		},
		"floor import":      d.importFile,
		"floor make role":   d.makeRole,
		"floor weaken role": d.weakenRole,
		"floor delete role": func(ctx context.Context) error {
			return drop(people.DeleteRole(ctx, op, pick(d.rng, d.e.model.Roles()).ID, d.role(), "storm"))
		},
	}
}

// makeRole copies a role that administrators give.
func (d *door) makeRole(ctx context.Context) error {
	return drop(d.e.b.people.CloneRole(ctx, d.e.op, pick(d.rng, d.roles), provisioning.RoleCopy{Title: fmt.Sprintf("Copy %d", d.rng.IntN(3)), WithoutSensitive: true, Reason: "storm"}))
}

// weakenRole takes everything from a role.
func (d *door) weakenRole(ctx context.Context) error {
	r := pick(d.rng, d.e.model.Roles())
	return drop(d.e.b.people.UpdateRole(ctx, d.e.op, r.ID, 0, provisioning.RoleDraft{Title: r.Title, Grants: map[string][]string{}, Reason: "storm"}))
}

// importFile carries out a file with some people and their roles.
func (d *door) importFile(ctx context.Context) error {
	file := "user_name,email,role,active\n"
	for range 3 {
		name := d.name()
		file += fmt.Sprintf("%s,%s@example.com,%s,%v\n", name, name, d.role(), d.rng.IntN(3) > 0)
	}
	o := provisioning.ImportOptions{Tenant: d.e.tenants[d.tenant()].ID, PlanOptions: identity.PlanOptions{ReplaceRoles: d.rng.IntN(2) == 0, Missing: d.rng.IntN(4) == 0, Welcome: identity.WelcomeNone}}
	plan, err := d.e.b.people.PlanImport(ctx, d.e.op, provisioning.Upload{Name: "people.csv", Content: strings.NewReader(file), Size: int64(len(file))}, o)
	if err != nil {
		return err
	}
	return drop(d.e.b.people.ApplyPlan(ctx, d.e.op, plan.ID, provisioning.ApplyOptions{Override: "storm"}))
}

func (d *door) someRoles() []identity.RoleID {
	out := []identity.RoleID{d.role()}
	if d.rng.IntN(3) == 0 {
		out = append(out, d.role())
	}
	return out
}

// placeSome moves one to three people.
func (d *door) placeSome(ctx context.Context) error {
	p := provisioning.Placement{Tenant: d.place().ID, Role: d.role(), Reason: "storm"}
	for range 1 + d.rng.IntN(3) {
		p.Users = append(p.Users, provisioning.PlacedUser{ID: d.somebody()})
	}
	return drop(d.e.b.people.PlaceUsers(ctx, d.e.op, p))
}

// scimDoor is the directories of the tenants.
func (d *door) scimDoor() map[string]func(context.Context) error {
	change := func(ctx context.Context, op object) error {
		return drop(d.e.scim(ctx, d.tenant(), http.MethodPatch, "/Users/"+string(d.somebody()), op))
	}
	return map[string]func(context.Context) error{
		"scim create": func(ctx context.Context) error {
			body := scimUser(d.name())
			if len(d.kinds) > 0 {
				body["userType"] = string(pick(d.rng, d.kinds))
			}
			body["active"] = d.rng.IntN(4) > 0
			made, err := d.e.scim(ctx, d.tenant(), http.MethodPost, "/Users", body)
			id, _ := made["id"].(string)
			d.met(identity.UserID(id))
			return err
		},
		"scim deactivate": func(ctx context.Context) error { return change(ctx, patch("replace", "active", false)) },
		"scim activate":   func(ctx context.Context) error { return change(ctx, patch("replace", "active", true)) },
		"scim rename":     func(ctx context.Context) error { return change(ctx, patch("replace", "userName", d.name())) },
		"scim type": func(ctx context.Context) error {
			return change(ctx, patch("replace", "userType", fmt.Sprint(pick(d.rng, append(slices.Clip(d.kinds), "x")))))
		},
		"scim replace": func(ctx context.Context) error {
			return drop(d.e.scim(ctx, d.tenant(), http.MethodPut, "/Users/"+string(d.somebody()), scimUser(d.name())))
		},
		"scim delete": func(ctx context.Context) error {
			return drop(d.e.scim(ctx, d.tenant(), http.MethodDelete, "/Users/"+string(d.somebody()), nil))
		},
	}
}

// commands is the command line: a program of its own on the same database each time.
func (d *door) commands() map[string]func(context.Context) error {
	run := func(ctx context.Context, args ...string) error {
		return d.e.command(ctx, append(args, "--reason", "storm")...)
	}
	acts := map[string]func(context.Context) error{
		"command create": func(ctx context.Context) error {
			name := d.name()
			return run(ctx, "user", "create", "--user-name", name, "--email", name+"@example.com", "--tenant", d.place().Name, "--role", string(d.role()))
		},
		"command deactivate": func(ctx context.Context) error { return run(ctx, "user", "deactivate", string(d.somebody())) },
		"command activate":   func(ctx context.Context) error { return run(ctx, "user", "activate", string(d.somebody())) },
		"command place": func(ctx context.Context) error {
			to := []string{"--tenant", d.e.tenants[d.tenant()].Name}
			if d.rng.IntN(3) == 0 {
				to = nil // above all tenants
			}
			return run(ctx, append([]string{"user", "place", string(d.somebody()), "--role", string(d.role()), "--yes"}, to...)...)
		},
		"command remove": func(ctx context.Context) error { return run(ctx, "user", "remove", string(d.somebody()), "--yes") },
		"command set role": func(ctx context.Context) error {
			return run(ctx, "user", "role", "set", string(d.somebody()), string(d.role()))
		},
		"command release": func(ctx context.Context) error { return run(ctx, "user", "release", string(d.somebody())) },
	}
	if _, owned := d.e.model.Owner(); owned {
		acts["command owner"] = func(ctx context.Context) error {
			return run(ctx, "tenant", "owner", d.e.tenants[d.tenant()].Name, "--set", string(d.somebody()), "--old-owner-role", string(d.roles[0]))
		}
	}
	return acts
}

// floorAndSignIns is a provider's people, and another administrator.
func (d *door) floorAndSignIns() map[string]func(context.Context) error {
	acts := d.floor()
	for _, name := range slices.Sorted(maps.Keys(acts)) {
		if d.rng.IntN(2) == 0 {
			delete(acts, name)
		}
	}
	acts["sign in"] = func(ctx context.Context) error { return d.e.signIn(ctx, url.QueryEscape(d.name()+"@example.com")) }
	acts["sign in as pushed"] = func(ctx context.Context) error {
		return d.e.signIn(ctx, url.QueryEscape(fmt.Sprintf("pushed%d@example.com", d.tenant())))
	}
	return acts
}
