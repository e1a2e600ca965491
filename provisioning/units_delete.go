package provisioning

import (
	"context"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// peopleAtOnce is how many people of a unit are read at once.
const peopleAtOnce = 500

// DeleteUnit deletes a unit or team; never the root. While people are in it or something is below it, it is a Conflict with the code "unit_in_use", unless
// another unit (for a team: another team of the same unit) is named that takes both over in the same transaction.
func (s *Service) DeleteUnit(ctx context.Context, by identity.Actor, id, heir identity.UnitID, reason string) error {
	scope, _, err := s.mayShape(by)
	if err != nil {
		return err
	}
	return s.db.Update(ctx, func(tx *store.Tx) error {
		b, err := s.lockedUnit(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		if b.ParentID == "" {
			return identity.Errorf(identity.Forbidden, "%s is the root and stays; it can be renamed.", b.Name).WithField("unit")
		}
		to, err := s.heirOf(ctx, tx, b, heir)
		if err != nil {
			return err
		}
		if err := s.emptyUnit(ctx, tx, by, b, to, reason); err != nil {
			return err
		}
		if err := tx.DeleteUnit(ctx, b.ID); err != nil {
			return err
		}
		e := aboutUnit(by, identity.UnitDeleted, b)
		e.Reason, e.Changes = reason, []identity.Change{{Field: "name", Before: b.Name}, {Field: "taken over by", After: orNil(to.Name)}}
		return tx.InsertEvent(ctx, e)
	})
}

// heirOf returns the unit that takes over what another one has; none when none was named and none is needed.
func (s *Service) heirOf(ctx context.Context, tx *store.Tx, b identity.Unit, id identity.UnitID) (identity.Unit, error) {
	wrong := identity.Errorf(identity.Invalid, "What %s has can be taken over by another unit of the tenant that is not below it, and a team's people by another team of its unit.", b.Name).WithField("heir")
	if !validIDs(&id) {
		return identity.Unit{}, wrong
	}
	if id == "" {
		return identity.Unit{}, s.keepUsed(ctx, tx, b)
	}
	to, err := tx.Unit(ctx, store.OfTenant(b.TenantID), id)
	if identity.KindOf(err) == identity.NotFound {
		return to, wrong
	}
	if err != nil {
		return to, err
	}
	below, err := tx.UnitsBelow(ctx, b.ID)
	if err == nil && (slices.Contains(below, to.ID) || to.Kind != b.Kind || b.Kind == identity.KindTeam && to.ParentID != b.ParentID) {
		err = wrong
	}
	return to, err
}

// keepUsed refuses to delete a unit that people are in or something is below.
func (s *Service) keepUsed(ctx context.Context, tx *store.Tx, b identity.Unit) error {
	below, err := tx.UnitsBelow(ctx, b.ID)
	if err != nil {
		return err
	}
	people, err := tx.Users(ctx, store.OfTenant(b.TenantID), identity.Query{Unit: b.ID, Units: []identity.UnitID{b.ID}, Total: true})
	if err != nil || people.Total == 0 && len(below) == 1 {
		return err
	}
	return identity.Errorf(identity.Conflict, "%s still has %d people and %d units or teams below it; name another unit that takes them over.", b.Name, people.Total, len(below)-1).
		WithField("heir").WithCode("unit_in_use")
}

// emptyUnit hands over what a unit has: people, with an event each, and what is below it. Deleted people keep no trace of it.
func (s *Service) emptyUnit(ctx context.Context, tx *store.Tx, by identity.Actor, b, to identity.Unit, reason string) error {
	if reason == "" {
		reason = b.Name + " was deleted"
	}
	change := func(p *identity.Position) { p.UnitID = to.ID }
	if b.Kind == identity.KindTeam {
		change = func(p *identity.Position) { p.TeamID = to.ID }
	}
	if err := s.movePeople(ctx, tx, by, b, change, reason); err != nil {
		return err
	}
	if b.Kind == identity.KindTeam {
		return tx.ReassignTeam(ctx, b.ID, to.ID)
	}
	if to.ID == "" {
		root, err := tx.RootUnit(ctx, b.TenantID)
		if err != nil {
			return err
		}
		to = root // nobody is left but deleted people
	}
	if err := tx.ReassignUnit(ctx, b.ID, to.ID); err != nil {
		return err
	}
	return sharpen(tx.ReparentUnits(ctx, b.ID, to.ID), func() *identity.Error {
		return identity.Errorf(identity.Conflict, "%s has something below it with the same name as something below %s; rename one of them first.", b.Name, to.Name).WithField("heir")
	})
}

// movePeople changes the position of everybody in a unit or team, with an event each.
func (s *Service) movePeople(ctx context.Context, tx *store.Tx, by identity.Actor, b identity.Unit, change func(*identity.Position), reason string) error {
	q := identity.Query{Unit: b.ID, Units: []identity.UnitID{b.ID}, Limit: peopleAtOnce}
	for {
		page, err := tx.Users(ctx, store.OfTenant(b.TenantID), q)
		if err != nil || len(page.Items) == 0 {
			return err
		}
		if err := s.moveSome(ctx, tx, by, page.Items, change, reason); err != nil {
			return err
		}
		if !page.More {
			return nil
		}
		q.After = string(page.Items[len(page.Items)-1].ID)
	}
}

func (s *Service) moveSome(ctx context.Context, tx *store.Tx, by identity.Actor, people []identity.User, change func(*identity.Position), reason string) error {
	ids := make([]identity.UserID, len(people))
	for i, u := range people {
		ids[i] = u.ID
	}
	before, err := tx.PositionsOf(ctx, ids)
	if err != nil {
		return err
	}
	var after []identity.Position
	var events []identity.Event
	for _, u := range people {
		p := before[u.ID]
		change(&p)
		e := about(by, identity.UserPositioned, u)
		e.Reason = reason
		if e.Changes, err = s.diffPositions(ctx, tx, before[u.ID], p); err != nil {
			return err
		}
		after, events = append(after, p), append(events, e)
	}
	if err := tx.PutPosition(ctx, after...); err != nil {
		return err
	}
	return tx.InsertEvent(ctx, events...)
}
