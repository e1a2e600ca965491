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

// manyHolders is how many people are moved to another role at a time, within one transaction.
const manyHolders = 200

// DeleteRole deletes a role and returns how many people got another one. While people hold it, it is a Conflict with the code "role_in_use" and their number, unless
// reassignTo names the role that all of them get in the same transaction. A role that a user type or a connection names is a Conflict too, with the code "role_needed"; one that the access model must have is Forbidden.
func (s *Service) DeleteRole(ctx context.Context, by identity.Actor, id, reassignTo identity.RoleID, reason string) (int, error) {
	moved := 0
	err := s.changeRoles(ctx, by, func(tx *store.Tx, m *access.Model) error {
		before, err := tx.RoleDefinition(ctx, identity.DefaultApplication, id)
		if err != nil {
			return sharpen(err, noRoleHere)
		}
		if err := s.whyNeeded(ctx, tx, m, before); err != nil {
			return err
		}
		check, err := s.guardManagers(ctx, tx, m, id)
		if err != nil {
			return err
		}
		if moved, err = s.emptyRole(ctx, tx, by, m, before, reassignTo, reason); err != nil {
			return err
		}
		if err := tx.DeleteRole(ctx, before.Application, id); err != nil {
			return sharpen(err, func() *identity.Error {
				return identity.Errorf(identity.Conflict, "Somebody was given %s meanwhile; try again.", before.Title).WithCode("role_in_use")
			})
		}
		e := aboutRole(by, identity.RoleDeleted, before)
		e.Reason, e.Changes = reason, roleChanges(before, identity.RoleDefinition{}, diffGrants(m, before.Grants, nil))
		if moved > 0 {
			e.Changes = append(e.Changes, identity.Change{Field: "people", Before: moved, After: s.roleTitle(reassignTo)})
		}
		if err := tx.InsertEvent(ctx, e); err != nil {
			return err
		}
		return check()
	})
	return moved, err
}

// whyNeeded refuses to delete a role that something depends on.
func (s *Service) whyNeeded(ctx context.Context, tx *store.Tx, m *access.Model, d identity.RoleDefinition) error {
	needed := func(format string, args ...any) error {
		return identity.Errorf(identity.Conflict, format, args...).WithCode("role_needed")
	}
	if m.Unlimited(d.ID) {
		return unlimited(d.Title)
	}
	if err := s.keepRole(d, nil); err != nil {
		return err
	}
	if m.EnforceSecondFactor([]identity.RoleID{d.ID}) {
		return needed("The access model %s names %s in its rules; it cannot be deleted.", m.Name(), d.Title)
	}
	types, err := tx.TypesWithRole(ctx, d.Application, d.ID)
	if err != nil {
		return err
	}
	for _, t := range m.UserTypes() {
		if t.DefaultRole == d.ID && !slices.Contains(types, t.Title) {
			types = append(types, t.Title)
		}
	}
	if len(types) > 0 {
		return needed("%s is the role of the user type %s; give the type another one first.", d.Title, strings.Join(types, ", "))
	}
	connections, err := allOf(func(q identity.Query) (identity.Page[identity.Connection], error) {
		return tx.Connections(ctx, store.Everything(), q)
	}, func(c identity.Connection) string { return string(c.ID) })
	for _, c := range connections {
		if gives(c, d.ID) {
			return needed("The connection %s gives %s; change its rules and its ceiling first.", c.Name, d.Title)
		}
	}
	return err
}

// gives reports whether a connection gives a role to whoever comes through it.
func gives(c identity.Connection, id identity.RoleID) bool {
	return c.UnknownRole == id || slices.Contains(c.Options.Ceiling, id) || slices.ContainsFunc(c.Options.Rules, func(r identity.Rule) bool { return r.Role == id })
}

// emptyRole gives everybody who holds a role another one, and returns how many people that were.
func (s *Service) emptyRole(ctx context.Context, tx *store.Tx, by identity.Actor, m *access.Model, d identity.RoleDefinition, to identity.RoleID, reason string) (int, error) {
	held, err := tx.AssignmentsTo(ctx, d.Application, d.ID)
	if err != nil || len(held) == 0 {
		return 0, err
	}
	people := slices.CompactFunc(held, func(a, b identity.Assignment) bool { return a.UserID == b.UserID })
	if to == "" || m.RoleInUse() != "reassign" {
		return 0, s.inUse(ctx, tx, m, d, len(people))
	}
	if err := s.checkSuccessor(m, by, d, to); err != nil {
		return 0, err
	}
	if err := tx.DeleteAssignmentsTo(ctx, d.Application, d.ID); err != nil {
		return 0, err
	}
	for part := range slices.Chunk(people, manyHolders) {
		if err := s.moveHolders(ctx, tx, by, d, part, to, reason); err != nil {
			return 0, err
		}
	}
	return len(people), nil
}

// inUse says how many people hold a role, and how many of them were deleted and would come back with it.
func (s *Service) inUse(ctx context.Context, tx *store.Tx, m *access.Model, d identity.RoleDefinition, all int) error {
	living, err := tx.RoleHolders(ctx, store.Everything(), d.Application, false)
	if err != nil {
		return err
	}
	who, what := fmt.Sprintf("%d people hold %s", all, d.Title), "Give them another role first."
	if all == 1 {
		who, what = "One person holds "+d.Title, "Give this person another role first."
	}
	if gone := all - living[d.ID]; gone > 0 {
		who += fmt.Sprintf(" (%d of them deleted, who would come back with it)", gone)
	}
	if m.RoleInUse() == "reassign" {
		what = "Name the role that they get instead."
	}
	return identity.Errorf(identity.Conflict, "%s. %s", who, what).WithCode("role_in_use").WithField("reassign to")
}

// checkSuccessor refuses a role that cannot take the place of another for everybody.
func (s *Service) checkSuccessor(m *access.Model, by identity.Actor, d identity.RoleDefinition, to identity.RoleID) error {
	role, ok := m.Role(to)
	invalid := func(format string, args ...any) error {
		return identity.Errorf(identity.Invalid, format, args...).WithField("reassign to")
	}
	switch {
	case !ok:
		return invalid("There is no role %q in the access model %s.", to, m.Name())
	case to == d.ID:
		return invalid("Name another role than the one that is deleted.")
	case role.Scope != d.Scope:
		return invalid("%s is held by people of another kind than %s; one is a role of the platform and one of tenants.", d.Title, role.Title)
	case !m.Assignable(to):
		return invalid("%s is given by no administrator in the access model %s.", role.Title, m.Name())
	}
	return mayGive(m, by, to)
}

// moveHolders gives some people, who just lost a role, another one by an administrator's word.
func (s *Service) moveHolders(ctx context.Context, tx *store.Tx, by identity.Actor, d identity.RoleDefinition, lost []identity.Assignment, to identity.RoleID, reason string) error {
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
	because := "the role " + d.Title + " was deleted"
	if reason != "" {
		because += ": " + reason
	}
	var given []identity.Assignment
	var events []identity.Event
	for _, a := range lost {
		u := users[a.UserID]
		events = append(events, s.roleEvent(by, identity.RoleRemoved, u, a, because))
		if slices.ContainsFunc(has[a.UserID], func(h identity.Assignment) bool { return h.RoleID == to }) {
			continue
		}
		next := assignment(tx, by, u, to, identity.SourceManual, because)
		given = append(given, next)
		events = append(events, s.roleEvent(by, identity.RoleAssigned, u, next, because))
	}
	if len(given) > 0 {
		if err := tx.InsertAssignment(ctx, given...); err != nil {
			return err
		}
	}
	return tx.InsertEvent(ctx, events...)
}
