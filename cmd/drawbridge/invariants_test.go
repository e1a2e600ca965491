package main

import (
	"context"
	"fmt"
	"math/rand/v2"
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
	seed := stormSeed(t)
	presets(t, func(t *testing.T, preset string) {
		storetest.EachURL(t, func(t *testing.T, address string) {
			e := newEstate(t, shellOn(t, address), preset)
			s := newStorm(e, seed)
			s.prepare()
			s.rage(newAuditor(t, e, address))
		})
	})
}

// stormSeed returns by what the operations are drawn, and prints it.
func stormSeed(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv(seedVariable); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("%s: %v", seedVariable, err)
		}
	}
	t.Logf("%s=%d", seedVariable, seed)
	return seed
}

// storm is everybody at work at once.
type storm struct {
	e     *estate
	seed  uint64
	roles []identity.RoleID // that administrators give
	admin identity.RoleID   // that somebody must hold; "" where it is the flag
	kinds []identity.UserTypeID

	mu    sync.Mutex
	rng   *rand.Rand        // of what providers say
	ids   []identity.UserID // of everybody who was ever there
	count map[string]int    // what became of which operation
	wrong []error
}

func newStorm(e *estate, seed uint64) *storm {
	s := &storm{e: e, seed: seed, rng: rand.New(rand.NewPCG(seed, stormDoors)), count: map[string]int{}}
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
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, r := range s.roles {
		if s.rng.IntN(3) == 0 {
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
