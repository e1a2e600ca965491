package provisioning

import (
	"context"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// organised reports whether the access model says anything about where people stand. Where it does not, nobody asks the database about it.
func (s *Service) organised() bool {
	_, units := s.model.Units()
	_, flag := s.model.AdminFlag()
	levels, _, _ := s.model.DataLevels()
	return units || flag || len(levels) > 0 || len(s.model.UserTypes()) > 0 || s.model.UserTypesExtensible() || s.model.ExternalFlag()
}

// SetPosition changes where a person stands by a function that may run more than once. It is given what was said so far, without the access model's defaults, and
// may set Type, UnitID, TeamID, DataLevel, External and Admin; what it empties is as the model says. The first wrong word is Invalid with its field, a type
// that is full a Conflict with the code "uniqueness". What changes nothing writes nothing. It returns the position with the defaults filled in.
func (s *Service) SetPosition(ctx context.Context, by identity.Actor, id identity.UserID, change func(*identity.Position) error, reason string) (identity.Position, error) {
	var out identity.Position
	scope, err := s.byHand(by)
	if err != nil {
		return out, err
	}
	if id == "" || !validIDs(&id) {
		return out, noUser()
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := tx.UserForUpdate(ctx, scope, id)
		if err != nil {
			return err
		}
		out, err = s.setPosition(ctx, tx, by, u, change, reason)
		return err
	})
	return out, sharpen(err, noUser)
}

// byHand is scopeFor a change that people make and no directory.
func (s *Service) byHand(by identity.Actor) (store.Scope, error) {
	if by.Kind == identity.ActorDirectory {
		return store.Scope{}, identity.Errorf(identity.Forbidden, "A directory may not do this.")
	}
	return s.scopeFor(by, usersWrite)
}

func (s *Service) setPosition(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, change func(*identity.Position) error, reason string) (identity.Position, error) {
	before, err := tx.Position(ctx, u.ID)
	if err != nil {
		return before, err
	}
	after := before
	if err := change(&after); err != nil {
		return before, err
	}
	after.UserID, after.UpdatedAt = u.ID, before.UpdatedAt
	if err := s.checkPosition(ctx, tx, by, u, before, &after); err != nil {
		return before, err
	}
	changes, err := s.diffPositions(ctx, tx, before, after)
	if err != nil {
		return before, err
	}
	if len(changes) > 0 {
		if err := tx.PutPosition(ctx, after); err != nil {
			return before, err
		}
		e := about(by, identity.UserPositioned, u)
		e.Reason, e.Changes = strings.TrimSpace(reason), changes
		if err := tx.InsertEvent(ctx, e); err != nil {
			return before, err
		}
	}
	return s.filledIn(ctx, tx, u, after)
}

// checkPosition holds the rules of what changed. A team of the unit that somebody leaves is left too.
func (s *Service) checkPosition(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User, before identity.Position, after *identity.Position) error {
	if by.UserID() != "" && by.UserID() == u.ID && *after != before && !s.mayDoEverything(by) {
		return identity.Errorf(identity.Forbidden, "You cannot change where you stand yourself; ask another administrator.")
	}
	if after.Type != before.Type {
		if err := s.checkType(ctx, tx, u, after.Type); err != nil {
			return err
		}
	}
	if after.UnitID != before.UnitID && after.TeamID == before.TeamID {
		after.TeamID = ""
	}
	if after.UnitID != before.UnitID || after.TeamID != before.TeamID {
		if err := s.checkUnit(ctx, tx, u, after); err != nil {
			return err
		}
	}
	if after.DataLevel != before.DataLevel {
		if err := s.checkDataLevel(after.DataLevel); err != nil {
			return err
		}
	}
	if after.External != before.External && !s.model.ExternalFlag() {
		return identity.Errorf(identity.Invalid, "The access model %s does not tell external people apart.", s.model.Name()).WithField("external")
	}
	if after.Admin != before.Admin {
		if err := s.checkFlag(by, u, after.Admin); err != nil {
			return err
		}
	}
	return s.keepPosition(ctx, tx, by, u, before, *after)
}

func (s *Service) checkDataLevel(level string) error {
	levels, _, _ := s.model.DataLevels()
	switch {
	case level == "" || slices.Contains(levels, level):
		return nil
	case len(levels) == 0:
		return identity.Errorf(identity.Invalid, "The access model %s has no levels of data access.", s.model.Name()).WithField("level")
	}
	return identity.Errorf(identity.Invalid, "There is no level of data access %q; use one of %s.", level, strings.Join(levels, ", ")).WithField("level")
}

// checkFlag refuses the admin flag where the model has none, and to whoever lacks any of what it grants.
func (s *Service) checkFlag(by identity.Actor, u identity.User, on bool) error {
	label, ok := s.model.AdminFlag()
	switch {
	case !ok:
		return identity.Errorf(identity.Invalid, "The access model %s has no admin flag; give a role instead.", s.model.Name()).WithField("admin")
	case !s.mayDoEverything(by):
		return identity.Errorf(identity.Forbidden, "Only who may do everything may give or take %q.", label).WithField("admin").WithCode("admin_flag")
	case on && u.TenantID == "":
		return identity.Errorf(identity.Invalid, "%s belongs to people of a tenant; give a role of the platform instead.", label).WithField("admin")
	}
	return nil
}

// mayDoEverything reports whether an actor has all that people of a tenant can have.
func (s *Service) mayDoEverything(by identity.Actor) bool {
	if trusted(by) {
		return true
	}
	who := access.Who(by)
	return by.Kind == identity.ActorUser && !slices.ContainsFunc(s.model.Catalogue(), func(r access.Resource) bool {
		return !r.Platform && !r.Self && r.RequiresLink == "" && slices.ContainsFunc(r.Actions, func(action string) bool { return !s.model.Decide(who, r.ID, action).Allowed })
	})
}

// checkUnit refuses units and teams that are not there, and puts a team's unit where only the team was named.
func (s *Service) checkUnit(ctx context.Context, tx *store.Tx, u identity.User, p *identity.Position) error {
	if p.UnitID == "" && p.TeamID == "" {
		return nil
	}
	rule, ok := s.model.Units()
	if !ok {
		return identity.Errorf(identity.Invalid, "The access model %s has no business units.", s.model.Name()).WithField("unit")
	}
	if u.TenantID == "" {
		return identity.Errorf(identity.Invalid, "%s stands above all tenants and belongs to no %s.", u.Label(), rule.Label).WithField("unit")
	}
	if !validIDs(&p.UnitID) || !validIDs(&p.TeamID) {
		return noUnit(rule)
	}
	if err := lockUnits(ctx, tx, u.TenantID); err != nil {
		return err
	}
	if p.UnitID != "" {
		unit, err := tx.Unit(ctx, store.OfTenant(u.TenantID), p.UnitID)
		if identity.KindOf(err) == identity.NotFound || err == nil && unit.Kind != identity.KindUnit {
			return noUnit(rule)
		}
		if err != nil {
			return err
		}
	}
	return s.checkTeam(ctx, tx, u, p, rule)
}

func (s *Service) checkTeam(ctx context.Context, tx *store.Tx, u identity.User, p *identity.Position, rule access.Units) error {
	if p.TeamID == "" {
		return nil
	}
	if !rule.Teams {
		return identity.Errorf(identity.Invalid, "The access model %s has no teams.", s.model.Name()).WithField("team")
	}
	team, err := tx.Unit(ctx, store.OfTenant(u.TenantID), p.TeamID)
	if identity.KindOf(err) == identity.NotFound || err == nil && team.Kind != identity.KindTeam {
		return identity.Errorf(identity.Invalid, "There is no such team in the person's tenant.").WithField("team")
	}
	if err != nil {
		return err
	}
	if p.UnitID == "" {
		p.UnitID = team.ParentID
	}
	if team.ParentID != p.UnitID {
		return identity.Errorf(identity.Invalid, "%s is a team of another %s; choose one of the person's own.", team.Name, rule.Label).WithField("team")
	}
	return nil
}

func noUnit(rule access.Units) *identity.Error {
	return identity.Errorf(identity.Invalid, "There is no such %s in the person's tenant.", rule.Label).WithField("unit")
}

// leaveOrganisation takes what belongs to the tenant that a person left: the unit, the team, the admin flag, the records, and a type that is full in the new one.
func (s *Service) leaveOrganisation(ctx context.Context, tx *store.Tx, by identity.Actor, before, after identity.User) ([]identity.Change, error) {
	if before.TenantID == after.TenantID {
		return nil, nil
	}
	events, err := s.untieAll(ctx, tx, by, before)
	if err != nil {
		return nil, err
	}
	if err := tx.InsertEvent(ctx, events...); err != nil || !s.organised() {
		return nil, err
	}
	was, err := tx.Position(ctx, before.ID)
	if err != nil {
		return nil, err
	}
	is := was
	is.UnitID, is.TeamID, is.Admin = "", "", false
	if err := s.checkType(ctx, tx, after, is.Type); identity.KindOf(err) == identity.Conflict {
		is.Type = ""
	} else if err != nil {
		return nil, err
	}
	changes, err := s.diffPositions(ctx, tx, was, is)
	if err != nil || len(changes) == 0 {
		return nil, err
	}
	return changes, tx.PutPosition(ctx, is)
}

// returnToType looks whether somebody who was deleted and comes back still has room in the own type: an administrator is told, a directory's person gets the
// default.
func (s *Service) returnToType(ctx context.Context, tx *store.Tx, by identity.Actor, u identity.User) ([]identity.Change, error) {
	if u.DeletedAt == nil || !slices.ContainsFunc(s.model.UserTypes(), func(t identity.UserType) bool { return t.MaxUsers > 0 }) {
		return nil, nil
	}
	was, err := tx.Position(ctx, u.ID)
	if err != nil || was.Type == "" {
		return nil, err
	}
	err = s.checkType(ctx, tx, u, was.Type)
	if identity.KindOf(err) != identity.Conflict || by.Kind != identity.ActorDirectory {
		return nil, err
	}
	is := was
	is.Type = ""
	changes, err := s.diffPositions(ctx, tx, was, is)
	if err != nil {
		return nil, err
	}
	return changes, tx.PutPosition(ctx, is)
}
