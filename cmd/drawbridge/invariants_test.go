package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sso/ssotest"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

// seedVariable repeats a run of the storm; without it each run is another.
const seedVariable = "DRAWBRIDGE_STORM_SEED"

// How the storm is done: so many operations on each database of each model through each door, and a look at the database meanwhile every so often.
const (
	stormSteps = 50
	stormDoors = 4
	stormLook  = 3 * time.Millisecond
)

// Random operations through all doors at once never break an invariant of the access model, at no moment.
func TestNoStormOfChangesBreaksAnInvariant(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv(seedVariable); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("%s: %v", seedVariable, err)
		}
	}
	t.Logf("%s=%d", seedVariable, seed)
	presets(t, func(t *testing.T, preset string) {
		storetest.EachURL(t, func(t *testing.T, address string) {
			e := newEstate(t, shellOn(t, address), preset)
			s := newStorm(e, seed)
			s.prepare()
			s.rage(newAuditor(t, e, address))
		})
	})
}

// storm is everybody at work at once.
type storm struct {
	e     *estate
	seed  uint64
	roles []identity.RoleID // that administrators give
	admin identity.RoleID   // that somebody must hold; "" where it is the flag
	kinds []identity.UserTypeID

	mu    sync.Mutex
	ids   []identity.UserID // of everybody who was ever there
	count map[string]int    // what became of which operation
	wrong []error
}

func newStorm(e *estate, seed uint64) *storm {
	s := &storm{e: e, seed: seed, count: map[string]int{}}
	for _, r := range e.model.Roles() {
		if r.Scope == identity.ScopeTenant && e.model.Assignable(r.ID) {
			s.roles = append(s.roles, r.ID)
			if e.model.Minimum(r.ID) > 0 {
				s.admin = r.ID
			}
		}
	}
	if s.admin == "" {
		s.admin = s.roles[0]
	}
	for _, t := range e.model.UserTypes() {
		s.kinds = append(s.kinds, t.ID)
	}
	return s
}

// prepare fills the installation: two who run it, in each tenant two administrators, an owner where there are owners, and others, some of them pushed.
func (s *storm) prepare() {
	e, ctx := s.e, s.e.t.Context()
	for _, name := range []string{"root", "second"} {
		s.met(e.person("", name, "superadmin").ID)
	}
	for i, t := range e.tenants {
		for _, name := range []string{"boss", "vice", "clerk"} {
			role := s.admin
			if name == "clerk" {
				role = s.roles[len(s.roles)-1]
			}
			u := e.person(t.ID, fmt.Sprintf("%s%d", name, i), role)
			s.met(u.ID)
			if _, flags := e.model.AdminFlag(); flags && name != "clerk" {
				made[identity.Position](e.t)(e.b.people.SetPosition(ctx, e.op, u.ID, func(p *identity.Position) error { p.Admin = true; return nil }, "a test"))
			}
			if _, owned := e.model.Owner(); owned && name == "boss" {
				made[identity.User](e.t)(e.b.people.TransferOwnership(ctx, e.op, provisioning.Ownership{Tenant: t.ID, User: u.ID, Reason: "a test"}))
			}
		}
		for _, name := range []string{"pushed", "promoted"} {
			u := e.push(i, fmt.Sprintf("%s%d", name, i))
			s.met(u.ID)
			if name == "promoted" {
				made[identity.User](e.t)(e.b.people.SetRoles(ctx, e.op, u.ID, []identity.RoleID{s.admin}, "a test"))
			}
		}
	}
	e.connect(s.roles...)
	e.idp.Change(func(token *ssotest.IDToken) { token.Claims["groups"] = s.someGroups() })
}

func (s *storm) met(id identity.UserID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id != "" && !slices.Contains(s.ids, id) {
		s.ids = append(s.ids, id)
	}
}

// someGroups are those of whoever signs in now.
func (s *storm) someGroups() []string {
	var out []string
	for _, r := range s.roles {
		if rand.IntN(3) == 0 {
			out = append(out, string(r))
		}
	}
	return out
}

// rage lets the doors work side by side while the auditor looks.
func (s *storm) rage(a *auditor) {
	ctx, stop := context.WithCancel(s.e.t.Context())
	defer stop()
	var doors, audit sync.WaitGroup
	for i := range stormDoors {
		doors.Go(func() { s.work(ctx, newDoor(s, i)) })
	}
	audit.Go(func() {
		tick := time.NewTicker(stormLook)
		defer tick.Stop()
		for ctx.Err() == nil {
			if err := a.look(ctx); err != nil && ctx.Err() == nil {
				s.fail(fmt.Errorf("while they work: %w", err))
				stop()
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	})
	doors.Wait()
	stop()
	audit.Wait()
	if err := a.look(s.e.t.Context()); err != nil {
		s.fail(fmt.Errorf("in the end: %w", err))
	}
	for _, err := range s.wrong {
		s.e.t.Error(err)
	}
	s.e.t.Logf("%d looks; %v", a.looks, s.count)
}

func (s *storm) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrong = append(s.wrong, err)
}

// work makes one door's operations. A refusal is an answer; what nobody classified is a mistake of ours.
func (s *storm) work(ctx context.Context, d *door) {
	for range stormSteps {
		if ctx.Err() != nil {
			return
		}
		name, act := d.next()
		err := act(ctx)
		kind := identity.KindOf(err)
		if err != nil && kind == identity.Internal && ctx.Err() == nil {
			s.fail(fmt.Errorf("%s: %w", name, err))
		}
		what := name
		if err != nil {
			what += " refused"
		}
		s.mu.Lock()
		s.count[what]++
		s.mu.Unlock()
	}
}

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
	}
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
	for name := range acts {
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
