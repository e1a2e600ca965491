package provisioning

import (
	"context"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// ApplyModel puts an access model in force in one transaction: its roles, what becomes of those whose role goes, its types of people, and the document.
// Version is that of the plan; where something changed since, it is Precondition and the plan has to be made again. What the plan calls an obstacle is a
// Conflict, and nothing is changed. The new rights count at everybody's next request. Only the platform applies.
func (s *Service) ApplyModel(ctx context.Context, by identity.Actor, c ModelChange, version int64) (ModelPlan, error) {
	if err := s.platform(by); err != nil {
		return ModelPlan{}, err
	}
	var plan ModelPlan
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		p, err := lockedPlan(ctx, tx, c, version)
		if err != nil {
			return err
		}
		plan = p.plan
		if len(plan.Obstacles) > 0 {
			return identity.Errorf(identity.Conflict, "The access model was not applied. %s", strings.Join(plan.Obstacles, " ")).WithCode("model_obstacles")
		}
		if plan.Nothing() {
			return nil
		}
		return s.applyPlan(ctx, tx, by, p)
	})
	if err != nil {
		return plan, err
	}
	return plan, s.db.View(ctx, func(tx *store.Tx) error { return s.model.Refresh(ctx, tx) })
}

// lockedPlan is the plan once nobody else can change roles or the model any more.
func lockedPlan(ctx context.Context, tx *store.Tx, c ModelChange, version int64) (*planning, error) {
	if err := tx.RaiseAccessVersion(ctx, identity.DefaultApplication); err != nil {
		return nil, err
	}
	if err := tx.Lock(ctx, "administrators"); err != nil { // the plan says that somebody is left to manage people
		return nil, err
	}
	p, err := planModel(ctx, tx, c, nil)
	if err != nil {
		return nil, err
	}
	if now := p.plan.Version - 1; now != version {
		return nil, identity.Errorf(identity.Precondition, "The access model or a role was changed meanwhile; make the plan again.").WithCode("model_changed")
	}
	return p, nil
}

func (s *Service) applyPlan(ctx context.Context, tx *store.Tx, by identity.Actor, p *planning) error {
	if err := p.putRoles(ctx, tx, by); err != nil {
		return err
	}
	if err := tx.SeedOrganisation(ctx, p.after); err != nil {
		return err
	}
	if err := p.fixTypes(ctx, tx); err != nil {
		return err
	}
	record := store.AccessModelRecord{Application: identity.DefaultApplication, Name: p.after.Name(), Document: p.change.Source, AppliedBy: by.Label}
	if err := tx.PutAccessModel(ctx, record); err != nil {
		return err
	}
	return tx.InsertEvent(ctx, p.event(by))
}

// putRoles writes the roles that come and change, gives the people of roles that go their new ones, and deletes those.
func (p *planning) putRoles(ctx context.Context, tx *store.Tx, by identity.Actor) error {
	for _, r := range p.plan.Roles {
		if r.After != nil || r.Before == nil {
			continue
		}
		if r.Holders == 0 {
			if err := tx.DeleteRole(ctx, identity.DefaultApplication, r.ID); err != nil {
				return err
			}
			continue
		}
		going := *r.Before // its title may be that of a role which comes
		going.Title += " (" + string(r.ID) + ")"
		if err := tx.PutRole(ctx, going); err != nil {
			return err
		}
	}
	for _, d := range p.defs {
		if err := tx.PutRole(ctx, p.versioned(d)); err != nil {
			return err
		}
	}
	for _, r := range p.plan.Roles {
		if r.After == nil && r.Holders > 0 {
			if err := p.reassign(ctx, tx, by, r); err != nil {
				return err
			}
			if err := tx.DeleteRole(ctx, identity.DefaultApplication, r.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// versioned raises the version of a role that changes.
func (p *planning) versioned(d identity.RoleDefinition) identity.RoleDefinition {
	if i := slices.IndexFunc(p.plan.Roles, func(r RoleOutcome) bool { return r.ID == d.ID }); d.Version == 0 || i >= 0 && !sameRole(d, *p.plan.Roles[i].Before) {
		d.Version++
	}
	return d
}

// reassign gives everybody who holds a role that goes another one, deleted people too, from the same source.
func (p *planning) reassign(ctx context.Context, tx *store.Tx, by identity.Actor, r RoleOutcome) error {
	held, err := tx.AssignmentsTo(ctx, identity.DefaultApplication, r.ID)
	if err != nil {
		return err
	}
	if err := tx.DeleteAssignmentsTo(ctx, identity.DefaultApplication, r.ID); err != nil {
		return err
	}
	for part := range slices.Chunk(held, peoplePage) {
		if err := p.reassignPart(ctx, tx, by, r, part); err != nil {
			return err
		}
	}
	return nil
}

func (p *planning) reassignPart(ctx context.Context, tx *store.Tx, by identity.Actor, r RoleOutcome, lost []identity.Assignment) error {
	ids := make([]identity.UserID, len(lost))
	for i, a := range lost {
		ids[i] = a.UserID
	}
	users, err := tx.UsersOf(ctx, ids)
	if err != nil {
		return err
	}
	has, err := tx.AssignmentsOf(ctx, ids)
	if err != nil {
		return err
	}
	to, _ := p.after.Role(r.To)
	var given []identity.Assignment
	var events []identity.Event
	for _, a := range lost {
		e := about(by, identity.RoleRemoved, users[a.UserID])
		e.Reason, e.Changes = p.reason(), []identity.Change{{Field: "role", Before: r.Before.Title}, {Field: "source", Before: a.Source}}
		events = append(events, e)
		same := func(b identity.Assignment) bool {
			return b.RoleID == r.To && b.Source == a.Source && b.SourceID == a.SourceID
		}
		if slices.ContainsFunc(has[a.UserID], same) {
			continue
		}
		b := a
		b.ID, b.RoleID, b.Reason, b.GrantedBy, b.CreatedAt = identity.NewID[identity.AssignmentID](), r.To, p.reason(), by.Label, tx.Now()
		given = append(given, b)
		has[a.UserID] = append(has[a.UserID], b)
		e = about(by, identity.RoleAssigned, users[a.UserID])
		e.Reason, e.Changes = p.reason(), []identity.Change{{Field: "role", After: to.Title}, {Field: "source", After: b.Source}}
		events = append(events, e)
	}
	for few := range slices.Chunk(given, maxInsert) {
		if err := tx.InsertAssignment(ctx, few...); err != nil {
			return err
		}
	}
	for few := range slices.Chunk(events, maxInsert) {
		if err := tx.InsertEvent(ctx, few...); err != nil {
			return err
		}
	}
	return nil
}

// maxInsert is how many rows are written at once.
const maxInsert = 100

// reason is what the events of people say.
func (p *planning) reason() string {
	if p.change.Reason != "" {
		return p.change.Reason
	}
	return "the access model " + p.after.Name() + " was applied"
}

// fixTypes lets no type of people propose a role that is gone.
func (p *planning) fixTypes(ctx context.Context, tx *store.Tx) error {
	types, err := tx.UserTypes(ctx, identity.DefaultApplication)
	if err != nil {
		return err
	}
	said := p.after.UserTypes()
	for _, t := range types {
		if _, ok := p.after.Role(t.DefaultRole); ok || t.DefaultRole == "" {
			continue
		}
		t.DefaultRole = p.change.Reassign[t.DefaultRole]
		if i := slices.IndexFunc(said, func(x identity.UserType) bool { return x.ID == t.ID }); i >= 0 {
			t.DefaultRole = said[i].DefaultRole
		}
		if err := tx.PutUserType(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// event says what was applied: names, and every role and rule that changed.
func (p *planning) event(by identity.Actor) identity.Event {
	e := event(by, identity.ModelApplied)
	e.ObjectKind, e.ObjectID, e.ObjectLabel, e.Reason = "model", p.after.Name(), p.after.Title(), p.change.Reason
	e.Changes = []identity.Change{
		{Field: "model", Before: p.plan.Before.Name, After: p.plan.After.Name},
		{Field: "version", Before: p.plan.Version - 1, After: p.plan.Version + 1},
	}
	for _, r := range p.plan.Roles {
		c := identity.Change{Field: "role " + string(r.ID), Before: roleText(r.Before), After: roleText(r.After)}
		if c.Before != c.After {
			e.Changes = append(e.Changes, c)
		}
	}
	return e
}

// roleText writes what a role grants on one line; nil for none.
func roleText(d *identity.RoleDefinition) any {
	if d == nil {
		return nil
	}
	var parts []string
	for id, actions := range granted(*d) {
		part := id + ": " + strings.Join(actions, ", ")
		if level := d.Levels[id]; level != "" {
			part += " (" + level + ")"
		}
		parts = append(parts, part)
	}
	slices.Sort(parts)
	return strings.Join(append([]string{d.Title}, parts...), "; ")
}
