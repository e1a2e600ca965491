package provisioning

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// RoleDraft is what somebody writes of a role: all of it, since all checkboxes are saved at once.
type RoleDraft struct {
	Title       string
	Description string
	IntendedFor string
	Provides    string
	Scope       identity.RoleScope  // of a new role; empty: of a tenant
	Grants      map[string][]string // resource -> actions
	Levels      map[string]string   // resource -> data level, where roles carry levels

	ConfirmSensitive []string // the ids of exactly those sensitive resources of which more is granted than before
	Reason           string
}

// RoleChange is a changed role and how many people it concerns, from their next request on.
type RoleChange struct {
	Role     identity.RoleDefinition
	Affected int
}

// CreateRole makes a role. Forbidden where the access model fixes its roles, or of what the actor does not hold; a taken name is a Conflict; sensitive
// permissions that are not confirmed are Precondition with the code "confirm_sensitive" and their ids as Choices.
func (s *Service) CreateRole(ctx context.Context, by identity.Actor, d RoleDraft) (identity.RoleDefinition, error) {
	return s.makeRole(ctx, by, func(context.Context, *store.Tx) (RoleDraft, error) { return d, nil })
}

// RoleCopy says how a role is copied.
type RoleCopy struct {
	Title            string
	WithoutSensitive bool // leave out everything that the access model calls sensitive
	ConfirmSensitive []string
	Reason           string
}

// CloneRole makes a role with the rights of another. The errors are CreateRole's.
func (s *Service) CloneRole(ctx context.Context, by identity.Actor, id identity.RoleID, c RoleCopy) (identity.RoleDefinition, error) {
	return s.makeRole(ctx, by, func(ctx context.Context, tx *store.Tx) (RoleDraft, error) {
		from, err := tx.RoleDefinition(ctx, identity.DefaultApplication, id)
		if err != nil {
			return RoleDraft{}, sharpen(err, noRoleHere)
		}
		d := RoleDraft{
			Title: c.Title, Description: from.Description, IntendedFor: from.IntendedFor, Provides: from.Provides, Scope: from.Scope,
			Grants: maps.Clone(from.Grants), Levels: maps.Clone(from.Levels), ConfirmSensitive: c.ConfirmSensitive, Reason: c.Reason,
		}
		if c.WithoutSensitive {
			for _, resource := range s.model.Sensitive() {
				delete(d.Grants, resource)
				delete(d.Levels, resource)
			}
		}
		if d.Reason == "" {
			d.Reason = "a copy of " + from.Title
		}
		return d, nil
	})
}

func (s *Service) makeRole(ctx context.Context, by identity.Actor, draft func(context.Context, *store.Tx) (RoleDraft, error)) (identity.RoleDefinition, error) {
	var out identity.RoleDefinition
	err := s.changeRoles(ctx, by, func(tx *store.Tx, m *access.Model) error {
		d, err := draft(ctx, tx)
		if err != nil {
			return err
		}
		out, err = s.insertRole(ctx, tx, by, m, d)
		return err
	})
	return out, err
}

// changeRoles runs a change of roles: one after the other over all replicas, with the model as it is in force, and seen here at once.
func (s *Service) changeRoles(ctx context.Context, by identity.Actor, change func(*store.Tx, *access.Model) error) error {
	if err := s.mayEditRoles(by); err != nil {
		return err
	}
	err := s.update(ctx, by, func(tx *store.Tx) error {
		if err := tx.RaiseAccessVersion(ctx, identity.DefaultApplication); err != nil {
			return err
		}
		m, err := s.modelIn(ctx, tx)
		if err != nil {
			return err
		}
		return change(tx, m)
	})
	if err != nil {
		return err
	}
	return s.refreshModel(ctx)
}

func (s *Service) insertRole(ctx context.Context, tx *store.Tx, by identity.Actor, m *access.Model, d RoleDraft) (identity.RoleDefinition, error) {
	role := identity.RoleDefinition{
		Role:       identity.Role{Application: identity.DefaultApplication, Scope: d.Scope, Interactive: true},
		Assignable: true, Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
	}
	if role.Scope == "" {
		role.Scope = identity.ScopeTenant
	}
	if role.Scope != identity.ScopeTenant && !ofPlatform(by) {
		return role, identity.Errorf(identity.Forbidden, "Only the platform makes roles of the platform.").WithField("scope")
	}
	diffs, err := s.fill(m, by, &role, identity.RoleDefinition{}, d)
	if err == nil {
		err = checkConfirmed(diffs, d.ConfirmSensitive)
	}
	if err != nil {
		return role, err
	}
	for _, other := range m.Definitions() {
		role.Position = max(role.Position, other.Position+1)
	}
	role.ID = roleID(m, role.Title)
	e := aboutRole(by, identity.RoleCreated, role)
	e.Reason, e.Changes = d.Reason, roleChanges(identity.RoleDefinition{}, role, diffs)
	if err := tx.PutRole(ctx, role); err != nil {
		return role, err
	}
	return role, tx.InsertEvent(ctx, e)
}

// fill writes a draft into a role and holds every rule about what the role grants then, but for what is to be confirmed; before is the role as it was.
func (s *Service) fill(m *access.Model, by identity.Actor, role *identity.RoleDefinition, before identity.RoleDefinition, d RoleDraft) ([]grantDiff, error) {
	role.Title, role.Description, role.IntendedFor, role.Provides = d.Title, d.Description, d.IntendedFor, d.Provides
	if err := checkTexts(role); err != nil {
		return nil, err
	}
	for _, other := range m.Definitions() {
		if other.ID != role.ID && identity.NameKey(other.Title) == identity.NameKey(role.Title) {
			return nil, identity.Errorf(identity.Conflict, "There is a role %s already; choose another name.", other.Title).WithField("title").WithCode("uniqueness")
		}
	}
	role.Grants, role.Levels = tidyGrants(m, d.Grants), maps.Clone(d.Levels)
	maps.DeleteFunc(role.Levels, func(resource, _ string) bool { return role.Grants[resource] == nil })
	if err := m.CheckRole(*role); err != nil {
		return nil, err
	}
	diffs := diffGrants(m, before.Grants, role.Grants)
	return diffs, mayGrant(m, by, diffs)
}

// UpdateRole makes a role what the draft says; a version other than 0 must be the current one, else Precondition. It counts for everybody who holds the role from
// their next request on. What changes nothing writes nothing. The other errors are CreateRole's, and Forbidden with the code "last_administrator".
func (s *Service) UpdateRole(ctx context.Context, by identity.Actor, id identity.RoleID, version int64, d RoleDraft) (RoleChange, error) {
	var out RoleChange
	err := s.changeRoles(ctx, by, func(tx *store.Tx, m *access.Model) error {
		before, err := roleToEdit(ctx, tx, m, id, version)
		if err != nil {
			return err
		}
		check, err := s.guardManagers(ctx, tx, m, id)
		if err != nil {
			return err
		}
		if out.Role, err = s.writeRole(ctx, tx, by, m, before, d); err != nil {
			return err
		}
		counts, err := tx.RoleHolders(ctx, store.Everything(), before.Application, false)
		if err != nil {
			return err
		}
		out.Role.Users, out.Affected = counts[id], counts[id]
		return check()
	})
	return out, err
}

func (s *Service) writeRole(ctx context.Context, tx *store.Tx, by identity.Actor, m *access.Model, before identity.RoleDefinition, d RoleDraft) (identity.RoleDefinition, error) {
	after := before
	diffs, err := s.fill(m, by, &after, before, d)
	if err == nil {
		err = checkConfirmed(diffs, d.ConfirmSensitive)
	}
	if err != nil {
		return before, err
	}
	if err := s.keepRole(before, &after); err != nil {
		return before, err
	}
	changes := roleChanges(before, after, diffs)
	if len(changes) == 0 {
		return before, nil
	}
	after.Version++
	after.UpdatedAt = tx.Now()
	e := aboutRole(by, identity.RoleUpdated, after)
	e.Reason, e.Changes = d.Reason, changes
	if err := tx.PutRole(ctx, after); err != nil {
		return before, err
	}
	return after, tx.InsertEvent(ctx, e)
}

// MarkRoleReviewed notes that the actor looked at a role today and found it right. It changes nothing that the role grants, so it needs no editable roles.
func (s *Service) MarkRoleReviewed(ctx context.Context, by identity.Actor, id identity.RoleID, note string) (identity.RoleDefinition, error) {
	var out identity.RoleDefinition
	if err := s.mayKeepRoles(by); err != nil {
		return out, err
	}
	err := s.update(ctx, by, func(tx *store.Tx) error {
		if err := tx.RaiseAccessVersion(ctx, identity.DefaultApplication); err != nil {
			return err
		}
		before, err := tx.RoleDefinition(ctx, identity.DefaultApplication, id)
		if err != nil {
			return sharpen(err, noRoleHere)
		}
		at := tx.Now()
		out = before
		out.ReviewedAt, out.ReviewedBy = &at, by.Label
		e := aboutRole(by, identity.RoleReviewed, out)
		e.Reason, e.Changes = note, []identity.Change{{Field: "reviewed", Before: orNil(reviewedText(before)), After: reviewedText(out)}}
		if err := tx.PutRole(ctx, out); err != nil {
			return err
		}
		return tx.InsertEvent(ctx, e)
	})
	if err != nil {
		return out, err
	}
	return out, s.refreshModel(ctx)
}

func reviewedText(d identity.RoleDefinition) string {
	if d.ReviewedAt == nil {
		return ""
	}
	return dayOf(*d.ReviewedAt) + " by " + d.ReviewedBy
}

// aboutRole starts an event about a role. In the one tenant of a single model its administrators read it.
func aboutRole(by identity.Actor, kind identity.EventType, d identity.RoleDefinition) identity.Event {
	e := event(by, kind)
	if by.Kind == identity.ActorUser {
		e.TenantID = by.TenantID
	}
	e.ObjectKind, e.ObjectID, e.ObjectLabel = "role", string(d.ID), d.Title
	return e
}

// roleChanges returns what differs between two states of a role: its texts, and each resource of which it grants something else.
func roleChanges(before, after identity.RoleDefinition, diffs []grantDiff) []identity.Change {
	var out []identity.Change
	text := func(field, a, b string) {
		if a != b {
			out = append(out, identity.Change{Field: field, Before: orNil(a), After: orNil(b)})
		}
	}
	text("title", before.Title, after.Title)
	text("description", before.Description, after.Description)
	text("intended for", before.IntendedFor, after.IntendedFor)
	text("provides", before.Provides, after.Provides)
	for _, d := range diffs {
		out = append(out, identity.Change{Field: "grants " + d.ID, Before: listOrNil(d.before), After: listOrNil(d.after)})
	}
	levels := maps.Clone(before.Levels)
	if levels == nil {
		levels = map[string]string{}
	}
	maps.Copy(levels, after.Levels)
	for _, id := range slices.Sorted(maps.Keys(levels)) {
		text("level of "+id, before.Levels[id], after.Levels[id])
	}
	return out
}

func listOrNil(list []string) any {
	if len(list) == 0 {
		return nil
	}
	return list
}

// roleID makes an id of a title that no role has: "Night shift" is night_shift.
func roleID(m *access.Model, title string) identity.RoleID {
	words := strings.FieldsFunc(strings.ToLower(title), func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	base := strings.TrimLeft(strings.Join(words, "_"), "0123456789_")
	if base == "" {
		base = "role"
	}
	base = strings.TrimRight(base[:min(len(base), 50)], "_")
	id := identity.RoleID(base)
	for n := 2; ; n++ {
		if _, taken := m.Role(id); !taken && id != "new" { // the page of new roles is at /console/roles/new
			return id
		}
		id = identity.RoleID(fmt.Sprintf("%s_%d", base, n))
	}
}
