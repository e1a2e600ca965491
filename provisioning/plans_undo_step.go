package provisioning

import (
	"context"
	"maps"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// putBack makes somebody what they were before a step of another plan, by the rules that hold for everybody.
func (p *planner) putBack(ctx context.Context, tx *store.Tx, r importRow, id identity.UserID) (effect, error) {
	u, facts, err := p.anybody(ctx, tx, id)
	if err != nil {
		return effect{}, err
	}
	was, before, err := p.standsNow(ctx, tx, u)
	if err != nil {
		return effect{}, err
	}
	out := effect{user: u, seen: u.Version, before: before}
	if u.Version != r.undo.Version || !maps.Equal(trimmed(before), trimmed(r.undo.Left)) {
		return out, identity.Errorf(identity.Precondition, "%s was changed since; nothing was undone.", u.Label()).WithCode(errChanged.Code)
	}
	if r.undo.Was == nil {
		err = p.uncreate(ctx, tx, u)
	} else {
		err = p.putAllBack(ctx, tx, was, facts, r.undo.Was)
	}
	if err != nil {
		return out, err
	}
	if u, err = tx.AnyUserForUpdate(ctx, p.scope, id); err != nil {
		return out, err
	}
	is, _, err := p.standsNow(ctx, tx, u)
	if err != nil {
		return out, err
	}
	return p.compare(ctx, tx, was, is, out)
}

// anybody locks a person, deleted or not.
func (p *planner) anybody(ctx context.Context, tx *store.Tx, id identity.UserID) (identity.User, store.UserFacts, error) {
	u, facts, err := tx.UserForChange(ctx, p.scope, id)
	if identity.KindOf(err) == identity.NotFound {
		u, err = tx.DeletedUserForUpdate(ctx, p.scope, id)
	}
	return u, facts, sharpen(err, noUser)
}

// standsNow reads a person as a table has them.
func (p *planner) standsNow(ctx context.Context, tx *store.Tx, u identity.User) (standing, personFields, error) {
	all, err := peopleOf(ctx, tx, p.scope, []identity.User{u})
	if err != nil {
		return standing{}, nil, err
	}
	fields, err := p.names.fields(ctx, tx, all[0], p.plan.TenantID, p.plan.Source)
	return all[0], fields, err
}

// trimmed leaves out what is empty, which an older plan may not have had.
func trimmed(f personFields) personFields {
	out := personFields{}
	for k, v := range f {
		if v != "" {
			out[k] = v
		}
	}
	return out
}

func (p *planner) undoReason() string { return "undo of " + p.plan.FileName }

// putAllBack puts back a person's home, record, roles, position and what the source knew.
func (p *planner) putAllBack(ctx context.Context, tx *store.Tx, now standing, facts store.UserFacts, was *wasPerson) error {
	u, err := now.user, error(nil)
	if p.by.UserID() == u.ID && u.Enabled && !was.User.Enabled {
		return identity.Errorf(identity.Forbidden, "You cannot deactivate yourself; ask another administrator.").WithField(fieldActive)
	}
	if u.DeletedAt != nil && was.User.DeletedAt == nil {
		if u, facts, err = p.unearth(ctx, tx, u); err != nil {
			return err
		}
	}
	if u.TenantID != was.User.TenantID {
		if u, facts, err = p.bringHome(ctx, tx, u, was); err != nil {
			return err
		}
	}
	if u.DeletedAt == nil {
		if u, _, err = p.s.setTerms(ctx, tx, p.by, u, facts, now.terms, was.Terms, p.undoReason()); err != nil {
			return err
		}
		if u, facts, err = tx.UserForChange(ctx, p.scope, u.ID); err != nil {
			return err
		}
		if err := p.putRecordBack(ctx, tx, u, facts, was); err != nil {
			return err
		}
	}
	if u.DeletedAt == nil && was.User.DeletedAt != nil {
		if u, err = tx.UserForUpdate(ctx, p.scope, u.ID); err != nil {
			return err
		}
		if err := p.s.bury(ctx, tx, p.by, u, p.undoReason()); err != nil {
			return err
		}
	}
	if was.Source != nil {
		return tx.PutSourceUser(ctx, *was.Source)
	}
	return tx.DeleteSourceUser(ctx, store.SourceUser{TenantID: p.plan.TenantID, Source: p.plan.Source, UserID: u.ID})
}

func (p *planner) putRecordBack(ctx context.Context, tx *store.Tx, u identity.User, facts store.UserFacts, was *wasPerson) error {
	by, err := p.whoseWord(ctx, tx)
	if err != nil {
		return err
	}
	u, err = p.s.change(ctx, tx, by, u, facts, p.undoReason(), was.writeAs(by))
	if err != nil {
		return sharpen(err, func() *identity.Error { return taken(was.User.UserName) })
	}
	held, err := tx.Assignments(ctx, u.ID)
	if err != nil {
		return err
	}
	if err := p.putRolesBack(ctx, tx, u, held, was.Roles); err != nil {
		return err
	}
	_, err = p.s.setPosition(ctx, tx, p.by, u, func(at *identity.Position) error {
		at.Type, at.UnitID, at.TeamID, at.DataLevel, at.External = was.Position.Type, was.Position.UnitID, was.Position.TeamID, was.Position.DataLevel, was.Position.External
		return nil
	}, p.undoReason())
	return err
}

// write puts what a person was into the user that is there now. One who was deleted then stays out until they are deleted again.
func (w *wasPerson) write(u *identity.User) error {
	u.UserName, u.DisplayName, u.Emails, u.Attributes = w.User.UserName, w.User.DisplayName, w.User.Emails, w.User.Attributes
	if w.User.DeletedAt == nil {
		u.Enabled = w.User.Enabled
	}
	return nil
}

// unearth brings a tombstone back.
func (p *planner) unearth(ctx context.Context, tx *store.Tx, before identity.User) (identity.User, store.UserFacts, error) {
	if _, err := p.s.unbury(ctx, tx, p.by, before, p.undoReason()); err != nil {
		return before, store.UserFacts{}, sharpen(err, func() *identity.Error { return taken(before.UserName) })
	}
	return tx.UserForChange(ctx, p.scope, before.ID)
}

// bringHome moves somebody back to the tenant that they were in, where their roles are given again afterwards.
func (p *planner) bringHome(ctx context.Context, tx *store.Tx, u identity.User, was *wasPerson) (identity.User, store.UserFacts, error) {
	home, err := tx.Tenant(ctx, store.Everything(), was.User.TenantID)
	if err != nil {
		return u, store.UserFacts{}, sharpen(err, noTenant)
	}
	why, err := p.s.whyNotThere(ctx, tx, u, home)
	if err != nil {
		return u, store.UserFacts{}, err
	}
	if why != "" {
		return u, store.UserFacts{}, identity.Errorf(identity.Conflict, "%s %s.", u.Label(), why).WithCode("placement_refused")
	}
	if _, err := p.s.keepMove(ctx, tx, u, home.ID, heldRoles(was.Roles)); err != nil {
		return u, store.UserFacts{}, err
	}
	held, err := tx.Assignments(ctx, u.ID)
	if err != nil {
		return u, store.UserFacts{}, err
	}
	names, err := tx.TenantNames(ctx, []identity.TenantID{u.TenantID})
	if err != nil {
		return u, store.UserFacts{}, err
	}
	step := PlacementStep{User: u, FromTenant: names[u.TenantID], FromRoles: p.s.rolesOf(held)}
	_, events, err := p.s.move(ctx, tx, p.by, step, home, p.s.rolesOf(was.Roles), p.undoReason())
	if err != nil {
		return u, store.UserFacts{}, err
	}
	if err := tx.InsertEvent(ctx, events...); err != nil {
		return u, store.UserFacts{}, err
	}
	return tx.UserForChange(ctx, p.scope, u.ID)
}

// uncreate deletes somebody whom the other plan created, unless they have used the account.
func (p *planner) uncreate(ctx context.Context, tx *store.Tx, u identity.User) error {
	switch {
	case u.DeletedAt != nil:
		return identity.Errorf(identity.Precondition, "%s is deleted already.", u.Label()).WithCode(errChanged.Code)
	case u.LastLoginAt != nil:
		return identity.Errorf(identity.Precondition, "%s has signed in since; delete the person by hand if that is meant.", u.Label()).WithCode(errChanged.Code)
	}
	if err := tx.DeleteSourceUser(ctx, store.SourceUser{TenantID: p.plan.TenantID, Source: p.plan.Source, UserID: u.ID}); err != nil {
		return err
	}
	return p.s.bury(ctx, tx, p.by, u, p.undoReason())
}

// putRolesBack puts back the roles that a person had, each with where it came from.
func (p *planner) putRolesBack(ctx context.Context, tx *store.Tx, u identity.User, now, were []identity.Assignment) error {
	has := func(list []identity.Assignment, a identity.Assignment) bool {
		return slices.ContainsFunc(list, func(b identity.Assignment) bool { return a.ID == b.ID })
	}
	if err := p.s.keepRoles(ctx, tx, u, heldRoles(now), heldRoles(were)); err != nil {
		return err
	}
	var events []identity.Event
	for _, a := range now {
		if has(were, a) {
			continue
		}
		e, err := p.s.unassign(ctx, tx, p.by, u, a, p.undoReason())
		if err != nil {
			return err
		}
		events = append(events, e)
	}
	for _, a := range were {
		if has(now, a) {
			continue
		}
		if err := p.s.checkRole(ctx, tx, p.by, a.RoleID, u.TenantID); err != nil {
			return err
		}
		if err := tx.InsertAssignment(ctx, a); err != nil {
			return err
		}
		events = append(events, p.s.roleEvent(p.by, identity.RoleAssigned, u, a, p.undoReason()))
	}
	return tx.InsertEvent(ctx, events...)
}
