package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// Standing is where a person stands as a page shows it: with the access model's defaults filled in, and with names.
type Standing struct {
	identity.Position
	TypeTitle string
	UnitName  string
	TeamName  string
}

// filledIn puts the access model's defaults where nothing was said. An empty data level is left where the roles say how far somebody sees.
func (s *Service) filledIn(ctx context.Context, tx *store.Tx, u identity.User, p identity.Position) (identity.Position, error) {
	p.UserID = u.ID
	if p.Type == "" {
		p.Type = s.model.DefaultUserType()
	}
	if err := s.fillLevel(ctx, tx, u, &p); err != nil {
		return p, err
	}
	if _, ok := s.model.Units(); !ok || p.UnitID != "" || u.TenantID == "" {
		return p, nil
	}
	root, err := tx.RootUnit(ctx, u.TenantID)
	if identity.KindOf(err) == identity.NotFound {
		return p, nil // the tenant is older than the units; whoever writes into it makes the root
	}
	p.UnitID = root.ID
	return p, err
}

func (s *Service) fillLevel(ctx context.Context, tx *store.Tx, u identity.User, p *identity.Position) error {
	_, where, level := s.model.DataLevels()
	if p.DataLevel != "" || where != access.LevelOfUser {
		return nil
	}
	p.DataLevel = level
	waiting, ok := s.model.Holding()
	if !ok || waiting == "" {
		return nil
	}
	landing, err := s.landingID(ctx, tx)
	if u.TenantID == landing {
		p.DataLevel = waiting
	}
	return err
}

// position returns where a person stands, with the defaults filled in.
func (s *Service) position(ctx context.Context, tx *store.Tx, u identity.User) (identity.Position, error) {
	if !s.organised() {
		return identity.Position{UserID: u.ID}, nil
	}
	p, err := tx.Position(ctx, u.ID)
	if err != nil {
		return p, err
	}
	return s.filledIn(ctx, tx, u, p)
}

// standing is position with names.
func (s *Service) standing(ctx context.Context, tx *store.Tx, u identity.User) (Standing, error) {
	p, err := s.position(ctx, tx, u)
	if err != nil {
		return Standing{}, err
	}
	names, err := s.placeNames(ctx, tx, p)
	return Standing{Position: p, TypeTitle: names.typeOf(p.Type), UnitName: names.units[p.UnitID], TeamName: names.units[p.TeamID]}, err
}

// placeQuery says what the type and the unit of a list come to. It reports whether nobody can be in the list: a unit that is out of sight has no people.
func (s *Service) placeQuery(ctx context.Context, tx *store.Tx, scope store.Scope, q *identity.Query) (nobody bool, err error) {
	q.TypeIsDefault = q.Type != "" && q.Type == s.model.DefaultUserType()
	if q.Unit == "" {
		return false, nil
	}
	if !validIDs(&q.Unit) {
		return true, nil
	}
	unit, err := tx.Unit(ctx, scope, q.Unit)
	if identity.KindOf(err) == identity.NotFound {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if unit.ParentID == "" {
		q.UnitRootOf = unit.TenantID
	}
	q.Units, err = tx.UnitsBelow(ctx, unit.ID)
	return false, err
}

// placeNames are the words of some positions.
type placeNames struct {
	types map[identity.UserTypeID]string
	units map[identity.UnitID]string
}

func (n placeNames) typeOf(id identity.UserTypeID) string {
	if title, ok := n.types[id]; ok {
		return title
	}
	return string(id)
}

func (s *Service) placeNames(ctx context.Context, tx *store.Tx, list ...identity.Position) (placeNames, error) {
	names := placeNames{types: map[identity.UserTypeID]string{}}
	var units []identity.UnitID
	typed := false
	for _, p := range list {
		typed = typed || p.Type != ""
		for _, id := range []identity.UnitID{p.UnitID, p.TeamID} {
			if id != "" {
				units = append(units, id)
			}
		}
	}
	if typed {
		types, err := tx.UserTypes(ctx, identity.DefaultApplication)
		if err != nil {
			return names, err
		}
		for _, t := range types {
			names.types[t.ID] = t.Title
		}
	}
	if len(units) == 0 {
		return names, nil
	}
	var err error
	names.units, err = tx.UnitNames(ctx, units)
	return names, err
}

// diffPositions names what differs, for an event.
func (s *Service) diffPositions(ctx context.Context, tx *store.Tx, before, after identity.Position) ([]identity.Change, error) {
	before.UpdatedAt = after.UpdatedAt
	if before == after {
		return nil, nil
	}
	names, err := s.placeNames(ctx, tx, before, after)
	var out []identity.Change
	text := func(field, a, b string) {
		if a != b {
			out = append(out, identity.Change{Field: field, Before: orNil(a), After: orNil(b)})
		}
	}
	flag := func(field string, a, b bool) {
		if a != b {
			out = append(out, identity.Change{Field: field, Before: a, After: b})
		}
	}
	text("user type", names.typeOf(before.Type), names.typeOf(after.Type))
	text("unit", names.units[before.UnitID], names.units[after.UnitID])
	text("team", names.units[before.TeamID], names.units[after.TeamID])
	text("data level", before.DataLevel, after.DataLevel)
	flag("external", before.External, after.External)
	flag("administrator", before.Admin, after.Admin)
	return out, err
}

// Reach is how far somebody sees: the person's own records always, and beside them those of some business units and teams, or all of the tenant.
type Reach struct {
	Level string
	All   bool
	Units []identity.UnitID // ascending
}

// Reach returns how far a user whom the actor may see (oneself always) sees at a level of data access; an empty level is the person's own.
func (s *Service) Reach(ctx context.Context, by identity.Actor, id identity.UserID, level string) (Reach, error) {
	u, err := s.User(ctx, by, id)
	if err != nil {
		return Reach{}, err
	}
	if err := s.checkDataLevel(level); err != nil {
		return Reach{}, err
	}
	var out Reach
	err = s.db.View(ctx, func(tx *store.Tx) (err error) {
		out, err = s.UnitsVisible(ctx, tx, u, level)
		return err
	})
	return out, err
}

// UnitsVisible is Reach within a transaction, for a user who was read in it.
func (s *Service) UnitsVisible(ctx context.Context, tx *store.Tx, u identity.User, level string) (Reach, error) {
	p, err := s.position(ctx, tx, u)
	if err != nil {
		return Reach{}, err
	}
	if level == "" {
		level = p.DataLevel
	}
	out := Reach{Level: level}
	switch level {
	case "global":
		out.All = true
	case "branch":
		err = s.branch(ctx, tx, p, &out)
	case "team":
		if p.TeamID != "" {
			out.Units = []identity.UnitID{p.TeamID}
		}
	}
	return out, err
}

// branch fills in the units that somebody of a unit sees. Whoever stands at the root of a tree that is seen downwards sees everything.
func (s *Service) branch(ctx context.Context, tx *store.Tx, p identity.Position, out *Reach) error {
	rule, _ := s.model.Units()
	if rule.Visibility == "all" {
		out.All = true
		return nil
	}
	if p.UnitID == "" {
		return nil
	}
	var err error
	if rule.Visibility != "subtree" {
		out.Units, err = tx.UnitWithTeams(ctx, p.UnitID)
		return err
	}
	unit, err := tx.Unit(ctx, store.Everything(), p.UnitID)
	if err != nil {
		return err
	}
	out.All = unit.ParentID == ""
	out.Units, err = tx.UnitsBelow(ctx, p.UnitID)
	return err
}
