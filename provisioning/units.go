package provisioning

import (
	"context"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// maxUnitName is the longest name of a business unit or a team in bytes.
const maxUnitName = 200

// UnitNode is a business unit or a team in its tree.
type UnitNode struct {
	identity.Unit
	Depth int // 0: the root
}

// lockUnits makes changes of one tenant's tree, and of who is where in it, come one after the other.
func lockUnits(ctx context.Context, tx *store.Tx, tenant identity.TenantID) error {
	return tx.Lock(ctx, "units "+string(tenant))
}

// unitRule returns what the access model says of business units, or Invalid where it has none.
func (s *Service) unitRule() (access.Units, error) {
	rule, ok := s.model.Units()
	if !ok {
		return rule, identity.Errorf(identity.Invalid, "The access model %s has no business units.", s.model.Name()).WithField("unit")
	}
	return rule, nil
}

// Units returns the tree of a tenant that the actor may see, each unit before what is below it and by name, with how many people each has. An empty tenant is the
// actor's own, or the one of an installation that has one.
func (s *Service) Units(ctx context.Context, by identity.Actor, tenant identity.TenantID) ([]UnitNode, error) {
	return s.unitTree(ctx, by, tenant, (*store.Tx).Units)
}

// UnitChoices is Units without counting people, for a select: it takes no longer however many people there are.
func (s *Service) UnitChoices(ctx context.Context, by identity.Actor, tenant identity.TenantID) ([]UnitNode, error) {
	return s.unitTree(ctx, by, tenant, (*store.Tx).UnitsUncounted)
}

func (s *Service) unitTree(ctx context.Context, by identity.Actor, tenant identity.TenantID, read func(*store.Tx, context.Context, identity.TenantID) ([]identity.Unit, error)) ([]UnitNode, error) {
	scope, err := s.scopeFor(by, usersRead)
	if err != nil {
		return nil, err
	}
	if _, err := s.unitRule(); err != nil {
		return nil, err
	}
	var list []identity.Unit
	err = s.db.View(ctx, func(tx *store.Tx) error {
		t, err := s.tenantAsked(ctx, tx, by, scope, tenant)
		if err != nil {
			return err
		}
		list, err = read(tx, ctx, t.ID)
		return err
	})
	return tree(list), err
}

// tenantAsked returns the tenant that a call is about: the named one, the actor's own, or the one of an installation that has one.
func (s *Service) tenantAsked(ctx context.Context, tx *store.Tx, by identity.Actor, scope store.Scope, id identity.TenantID) (identity.Tenant, error) {
	if id == "" {
		id = by.TenantID
	}
	if id == "" && s.model.Single() {
		t, err := tx.MainTenant(ctx)
		return t, sharpen(err, noTenant)
	}
	if id == "" {
		return identity.Tenant{}, identity.Errorf(identity.Invalid, "Name the tenant.").WithField("tenant")
	}
	if !validIDs(&id) {
		return identity.Tenant{}, noTenant()
	}
	t, err := tx.Tenant(ctx, scope, id)
	return t, sharpen(err, noTenant)
}

// tree puts units into the order of a tree: each before what is below it.
func tree(list []identity.Unit) []UnitNode {
	below := map[identity.UnitID][]identity.Unit{}
	for _, u := range list {
		below[u.ParentID] = append(below[u.ParentID], u)
	}
	out := make([]UnitNode, 0, len(list))
	var add func(parent identity.UnitID, depth int)
	add = func(parent identity.UnitID, depth int) {
		for _, u := range below[parent] {
			out = append(out, UnitNode{u, depth})
			add(u.ID, depth+1)
		}
	}
	add("", 0)
	return out
}

// CreateUnit creates a business unit, or a team where the access model has teams, below ParentID; an empty parent is the root of the tenant. A name that is
// there already below the same parent is a Conflict.
func (s *Service) CreateUnit(ctx context.Context, by identity.Actor, n identity.Unit) (identity.Unit, error) {
	var out identity.Unit
	scope, rule, err := s.mayShape(by)
	if err != nil {
		return out, err
	}
	if n.Name, err = unitName(n.Name); err != nil {
		return out, err
	}
	if n.Kind == "" {
		n.Kind = identity.KindUnit
	}
	if n.Kind != identity.KindUnit && n.Kind != identity.KindTeam || n.Kind == identity.KindTeam && !rule.Teams {
		return out, identity.Errorf(identity.Invalid, "The access model %s has no units of the kind %q.", s.model.Name(), n.Kind).WithField("kind")
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		tenant, err := s.tenantAsked(ctx, tx, by, scope, n.TenantID)
		if err != nil {
			return err
		}
		if err := lockUnits(ctx, tx, tenant.ID); err != nil {
			return err
		}
		parent, err := s.parentUnit(ctx, tx, tenant.ID, n.ParentID)
		if err != nil {
			return err
		}
		out = identity.Unit{ID: identity.NewID[identity.UnitID](), TenantID: tenant.ID, ParentID: parent.ID, Kind: n.Kind, Name: n.Name, CreatedAt: tx.Now()}
		if err := tx.InsertUnit(ctx, out); err != nil {
			return err
		}
		e := aboutUnit(by, identity.UnitCreated, out)
		e.Changes = []identity.Change{{Field: "name", After: out.Name}, {Field: "kind", After: out.Kind}, {Field: "below", After: parent.Name}}
		return tx.InsertEvent(ctx, e)
	})
	return out, sharpen(err, func() *identity.Error { return unitTaken(n.Name) })
}

// mayShape returns what an actor may see of the trees that they may change.
func (s *Service) mayShape(by identity.Actor) (store.Scope, access.Units, error) {
	rule, err := s.unitRule()
	if err != nil {
		return store.Scope{}, rule, err
	}
	scope, err := s.byHand(by)
	return scope, rule, err
}

// parentUnit returns a unit, below which others may be; an empty id is the root, which is made where a tenant has none yet.
func (s *Service) parentUnit(ctx context.Context, tx *store.Tx, tenant identity.TenantID, id identity.UnitID) (identity.Unit, error) {
	none := identity.Errorf(identity.Invalid, "There is no such unit to put it below; below a team nothing can be.").WithField("parent")
	if !validIDs(&id) {
		return identity.Unit{}, none
	}
	if id == "" {
		name, _ := s.model.RootUnit()
		if err := tx.SeedRoot(ctx, tenant, name); err != nil {
			return identity.Unit{}, err
		}
		return tx.RootUnit(ctx, tenant)
	}
	b, err := tx.Unit(ctx, store.OfTenant(tenant), id)
	if identity.KindOf(err) == identity.NotFound || err == nil && b.Kind != identity.KindUnit {
		return b, none
	}
	return b, err
}

func unitName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > maxUnitName || !readableText(name) {
		return name, identity.Errorf(identity.Invalid, "A unit needs a name of at most %d bytes.", maxUnitName).WithField("name")
	}
	return name, nil
}

func unitTaken(name string) *identity.Error {
	return identity.Errorf(identity.Conflict, "There is already a unit or team named %q at this place.", name).WithField("name")
}

func noSuchUnit() *identity.Error {
	return identity.Errorf(identity.NotFound, "There is no such unit here.").WithField("unit")
}

// RenameUnit gives a unit or team, the root too, another name.
func (s *Service) RenameUnit(ctx context.Context, by identity.Actor, id identity.UnitID, name string) (identity.Unit, error) {
	name, err := unitName(name)
	if err != nil {
		return identity.Unit{}, err
	}
	out, err := s.changeUnit(ctx, by, id, func(_ *store.Tx, b *identity.Unit) ([]identity.Change, error) {
		if b.Name == name {
			return nil, nil
		}
		change := identity.Change{Field: "name", Before: b.Name, After: name}
		b.Name = name
		return []identity.Change{change}, nil
	})
	return out, sharpen(err, func() *identity.Error { return unitTaken(name) })
}

// MoveUnit puts a unit with all that is below it, or a team, below another unit of the tenant; an empty parent is the root. The root stays where it is, and
// nothing goes below itself. A team takes its people along: they belong to the new unit.
func (s *Service) MoveUnit(ctx context.Context, by identity.Actor, id, parent identity.UnitID) (identity.Unit, error) {
	var name string
	out, err := s.changeUnit(ctx, by, id, func(tx *store.Tx, b *identity.Unit) ([]identity.Change, error) {
		name = b.Name
		if b.ParentID == "" {
			return nil, identity.Errorf(identity.Forbidden, "%s is the root; everything else is below it.", b.Name).WithField("unit")
		}
		to, err := s.parentUnit(ctx, tx, b.TenantID, parent)
		if err != nil || to.ID == b.ParentID {
			return nil, err
		}
		below, err := tx.UnitsBelow(ctx, b.ID)
		if err != nil {
			return nil, err
		}
		if slices.Contains(below, to.ID) {
			return nil, identity.Errorf(identity.Conflict, "%s is %s itself or below it; a unit cannot be moved below itself.", to.Name, b.Name).WithField("parent")
		}
		from, err := tx.Unit(ctx, store.OfTenant(b.TenantID), b.ParentID)
		if err != nil {
			return nil, err
		}
		b.ParentID = to.ID
		if b.Kind == identity.KindTeam {
			if err := s.movePeople(ctx, tx, by, *b, func(p *identity.Position) { p.UnitID = to.ID }, "the team "+b.Name+" was moved"); err != nil {
				return nil, err
			}
		}
		return []identity.Change{{Field: "below", Before: from.Name, After: to.Name}}, nil
	})
	return out, sharpen(err, func() *identity.Error { return unitTaken(name) })
}

// changeUnit changes a unit of the actor's scope while nobody else changes the tree, and writes the event. No changes write nothing.
func (s *Service) changeUnit(ctx context.Context, by identity.Actor, id identity.UnitID, change func(*store.Tx, *identity.Unit) ([]identity.Change, error)) (identity.Unit, error) {
	var out identity.Unit
	scope, _, err := s.mayShape(by)
	if err != nil {
		return out, err
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		if out, err = s.lockedUnit(ctx, tx, scope, id); err != nil {
			return err
		}
		changes, err := change(tx, &out)
		if err != nil || len(changes) == 0 {
			return err
		}
		if err := tx.UpdateUnit(ctx, out); err != nil {
			return err
		}
		e := aboutUnit(by, identity.UnitUpdated, out)
		e.Changes = changes
		return tx.InsertEvent(ctx, e)
	})
	return out, err
}

// lockedUnit returns a unit of the scope, read after its tree was locked.
func (s *Service) lockedUnit(ctx context.Context, tx *store.Tx, scope store.Scope, id identity.UnitID) (identity.Unit, error) {
	if id == "" || !validIDs(&id) {
		return identity.Unit{}, noSuchUnit()
	}
	b, err := tx.Unit(ctx, scope, id)
	if err == nil {
		err = lockUnits(ctx, tx, b.TenantID)
	}
	if err == nil {
		b, err = tx.Unit(ctx, scope, id)
	}
	return b, sharpen(err, noSuchUnit)
}

func aboutUnit(by identity.Actor, kind identity.EventType, b identity.Unit) identity.Event {
	e := event(by, kind)
	e.TenantID, e.ObjectKind, e.ObjectID, e.ObjectLabel = b.TenantID, "unit", string(b.ID), b.Name
	return e
}
