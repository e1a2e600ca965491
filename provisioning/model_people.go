package provisioning

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

const (
	peoplePage = 500  // people who are read at once
	maxEffects = 4096 // kinds of people of whom is remembered what changes for them
)

// standings are what decides about a page of people.
type standings struct {
	users     []identity.User
	roles     map[identity.UserID][]identity.Assignment
	positions map[identity.UserID]identity.Position
	records   map[identity.UserID][]string
}

func readStandings(ctx context.Context, tx *store.Tx, after string) (standings, bool, error) {
	var s standings
	page, err := tx.Users(ctx, store.Everything(), identity.Query{After: after, Limit: peoplePage})
	if err != nil || len(page.Items) == 0 {
		return s, false, err
	}
	s.users = page.Items
	ids := make([]identity.UserID, len(s.users))
	for i, u := range s.users {
		ids[i] = u.ID
	}
	if s.roles, err = tx.AssignmentsOf(ctx, ids); err != nil {
		return s, false, err
	}
	if s.positions, err = tx.PositionsOf(ctx, ids); err != nil {
		return s, false, err
	}
	s.records, err = tx.RecordTypesOfMany(ctx, ids)
	return s, page.More, err
}

// subject returns a person without a status: a model changes what somebody may do, not whether the account is in order.
func (s *standings) subject(id identity.UserID) access.Subject {
	who := access.Subject{Links: s.records[id], Admin: s.positions[id].Admin, Level: s.positions[id].DataLevel}
	for _, a := range s.roles[id] {
		if !slices.Contains(who.Roles, a.RoleID) {
			who.Roles = append(who.Roles, a.RoleID)
		}
	}
	slices.Sort(who.Roles)
	return who
}

// planPeople walks over everybody and reports those whose permissions change.
func (p *planning) planPeople(ctx context.Context, tx *store.Tx, each func(PersonChange) error) error {
	for after, more := "", true; more; {
		var s standings
		var err error
		if s, more, err = readStandings(ctx, tx, after); err != nil {
			return err
		}
		for _, u := range s.users {
			if err := p.planPerson(u, s.subject(u.ID), each); err != nil {
				return err
			}
			after = string(u.ID)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	p.seats.report(p)
	return nil
}

func (p *planning) planPerson(u identity.User, before access.Subject, each func(PersonChange) error) error {
	then := before
	then.Roles = p.rolesAfter(before.Roles)
	p.plan.People++
	p.seats.count(p, u, before, then)
	changes := p.effect(before, then)
	if len(changes) == 0 {
		return nil
	}
	p.plan.Changed++
	if each == nil {
		return nil
	}
	return each(PersonChange{User: u, Before: before.Roles, After: then.Roles, Permissions: changes})
}

// rolesAfter returns the roles that somebody holds afterwards.
func (p *planning) rolesAfter(roles []identity.RoleID) []identity.RoleID {
	out := make([]identity.RoleID, 0, len(roles))
	for _, id := range roles {
		if to, goes := p.change.Reassign[id]; goes {
			id = to
		}
		if _, ok := p.after.Role(id); ok && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// effect returns what changes for people of a kind; there are far fewer kinds than people.
func (p *planning) effect(before, then access.Subject) []access.PermissionChange {
	key := fmt.Sprint(before.Roles, before.Admin, before.Links, before.Level)
	changes, ok := p.effects[key]
	if !ok {
		if len(p.effects) >= maxEffects {
			clear(p.effects)
		}
		changes = p.before.Changes(p.after, before, then)
		p.effects[key] = changes
	}
	return changes
}

// seatCount counts what invariants ask for, while people pass by.
type seatCount struct {
	managers map[identity.TenantID][2]int // who may change people, before and after; "" is the platform
	guarded  map[seatOf]int               // who holds what must be held, afterwards
	tooMany  int                          // people with more roles than one may have
	tooFew   int
}

// seatOf is a role that must be held, or without one the admin flag, in one tenant or above all.
type seatOf struct {
	role   identity.RoleID
	tenant identity.TenantID
}

func newSeatCount() seatCount {
	return seatCount{managers: map[identity.TenantID][2]int{}, guarded: map[seatOf]int{}}
}

func (c *seatCount) count(p *planning, u identity.User, before, then access.Subject) {
	least, most := p.after.AssignmentBounds()
	if most > 0 && len(then.Roles) > most {
		c.tooMany++
	}
	if len(then.Roles) < least && len(then.Roles) < len(before.Roles) {
		c.tooFew++
	}
	if !u.Enabled || u.LockedAt != nil {
		return
	}
	n := c.managers[u.TenantID]
	for i, may := range []bool{p.before.Allows(before, usersWrite).Allowed, p.after.Allows(then, usersWrite).Allowed} {
		if may {
			n[i]++
		}
	}
	if n != [2]int{} {
		c.managers[u.TenantID] = n
	}
	for _, id := range then.Roles {
		if p.after.Minimum(id) > 0 {
			c.guarded[seatOf{id, u.TenantID}]++
		}
	}
	if then.Admin && p.after.MinimumAdmins() > 0 {
		c.guarded[seatOf{"", u.TenantID}]++
	}
}

// report says what the counts come to.
func (c *seatCount) report(p *planning) {
	least, most := p.after.AssignmentBounds()
	if c.tooMany > 0 {
		p.obstacle("%s more roles than the access model allows (%d); take some away first.", have(c.tooMany), most)
	}
	if c.tooFew > 0 {
		p.obstacle("%s fewer roles than the access model asks for (%d); say which roles they get.", have(c.tooFew), least)
	}
	for _, tenant := range c.tenants() {
		n := c.managers[tenant]
		if n[0] > 0 && n[1] == 0 {
			p.obstacle("Nobody of %s could change people any more.", p.tenantName(tenant))
		}
		if n[0] > 0 && tenant != "" {
			c.guard(p, tenant)
		}
	}
}

// guard warns where somebody must hold something afterwards and too few do.
func (c *seatCount) guard(p *planning, tenant identity.TenantID) {
	for _, r := range p.after.Roles() {
		if n := p.after.Minimum(r.ID); r.Scope == identity.ScopeTenant && c.guarded[seatOf{r.ID, tenant}] < n {
			p.warn("%s has nobody who is %s; make somebody one.", p.tenantName(tenant), r.Title)
		}
	}
	if label, ok := p.after.AdminFlag(); ok && c.guarded[seatOf{"", tenant}] < p.after.MinimumAdmins() {
		p.warn("%s has nobody with %q; give it to somebody.", p.tenantName(tenant), label)
	}
}

func (c *seatCount) tenants() []identity.TenantID {
	var out []identity.TenantID
	for id := range c.managers {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

func (p *planning) tenantName(id identity.TenantID) string {
	if id == "" {
		return "the platform"
	}
	if name, ok := p.tenants[id]; ok {
		return name
	}
	return "the tenant " + string(id)
}

// plural counts things, for a sentence.
func plural(n int, what string) string {
	if n == 1 {
		return "one " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func have(n int) string {
	if n == 1 {
		return "One person has"
	}
	return fmt.Sprintf("%d people have", n)
}

func hold(n int) string {
	if n == 1 {
		return "one person holds it"
	}
	return fmt.Sprintf("%d people hold it", n)
}

// roleWords lists roles by their titles in a model.
func roleWords(m *access.Model, ids []identity.RoleID) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = string(id)
		if r, ok := m.Role(id); ok {
			words[i] = r.Title
		}
	}
	return strings.Join(words, ", ")
}
