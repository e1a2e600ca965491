package provisioning

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

var typeID = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)

// UserTypes returns the types of people with how many of whom the actor sees have each. A type is a word for people and grants nothing. None where the access
// model has none.
func (s *Service) UserTypes(ctx context.Context, by identity.Actor) ([]identity.UserType, error) {
	scope, err := s.scopeFor(by, usersRead)
	if err != nil {
		return nil, err
	}
	var types []identity.UserType
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if types, err = tx.UserTypes(ctx, identity.DefaultApplication); err != nil || len(types) == 0 {
			return err
		}
		counts, err := tx.CountTypes(ctx, scope)
		for i, t := range types {
			types[i].Users = counts[t.ID]
			if t.ID == s.model.DefaultUserType() {
				types[i].Users += counts[""]
			}
		}
		return err
	})
	return types, err
}

// UserTypeChoices is UserTypes without counting people, for a select: it takes no longer however many people there are.
func (s *Service) UserTypeChoices(ctx context.Context, by identity.Actor) ([]identity.UserType, error) {
	if _, err := s.scopeFor(by, usersRead); err != nil {
		return nil, err
	}
	var types []identity.UserType
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		types, err = tx.UserTypes(ctx, identity.DefaultApplication)
		return err
	})
	return types, err
}

// ProposedRole returns the role that is proposed for new people of a type: the type's, or the least one where it has none. It is a proposal: the type grants nothing.
func (s *Service) ProposedRole(ctx context.Context, by identity.Actor, id identity.UserTypeID) (identity.RoleID, error) {
	if _, err := s.scopeFor(by, usersRead); err != nil {
		return "", err
	}
	_, least := s.model.Landing()
	if id == "" {
		return least, nil
	}
	var t identity.UserType
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		t, err = tx.UserType(ctx, identity.DefaultApplication, id)
		return err
	})
	if t.DefaultRole != "" {
		least = t.DefaultRole
	}
	return least, sharpen(err, noType)
}

func noType() *identity.Error {
	return identity.Errorf(identity.NotFound, "There is no such user type.").WithField("type")
}

// checkType refuses a type that does not exist, or that has as many people as it may have, whichever of two requests comes second.
func (s *Service) checkType(ctx context.Context, tx *store.Tx, u identity.User, id identity.UserTypeID) error {
	if id == "" {
		return nil
	}
	if err := lockType(ctx, tx, id); err != nil {
		return err
	}
	t, err := tx.UserType(ctx, identity.DefaultApplication, id)
	if identity.KindOf(err) == identity.NotFound {
		return identity.Errorf(identity.Invalid, "There is no user type %q.", id).WithField("type").WithCause(err)
	}
	if err != nil || t.MaxUsers == 0 {
		return err
	}
	scope := store.Everything()
	if !s.model.Single() {
		scope = store.OfTenant(u.TenantID)
	}
	n, err := tx.CountOfType(ctx, scope, id, u.ID)
	if err != nil || n < t.MaxUsers {
		return err
	}
	if t.MaxUsers == 1 {
		return identity.Errorf(identity.Conflict, "There can be one user of the type %s, and there is one already; give that one another type first.", t.Title).WithField("type").WithCode("uniqueness")
	}
	return identity.Errorf(identity.Conflict, "There can be %d users of the type %s, and there are as many already.", t.MaxUsers, t.Title).WithField("type").WithCode("uniqueness")
}

// lockType makes those who give people one type, and whoever deletes it, wait for each other.
func lockType(ctx context.Context, tx *store.Tx, id identity.UserTypeID) error {
	return tx.Lock(ctx, "user type "+string(id))
}

// CreateUserType adds a type to those of the access model, where the model lets it be. Of t the title counts, the proposed role, and the id, which is made of the
// title when it is empty. A title that is taken is a Conflict.
func (s *Service) CreateUserType(ctx context.Context, by identity.Actor, t identity.UserType) (identity.UserType, error) {
	if err := s.household(ctx, by); err != nil {
		return t, err
	}
	if !s.model.UserTypesExtensible() {
		return t, identity.Errorf(identity.Forbidden, "The user types of the access model %s are what its file says.", s.model.Name())
	}
	if err := s.checkTitle(&t); err != nil {
		return t, err
	}
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		all, err := s.lockedTypes(ctx, tx)
		if err != nil {
			return err
		}
		t.Application, t.Shipped, t.MaxUsers, t.CreatedAt = identity.DefaultApplication, false, 0, tx.Now()
		t.ID = freeID(all, t.ID, t.Title)
		for _, other := range all {
			if identity.NameKey(other.Title) == identity.NameKey(t.Title) || other.ID == t.ID {
				return nameTaken("user type", t.Title).WithField("title")
			}
			t.Position = max(t.Position, other.Position+1)
		}
		if err := tx.PutUserType(ctx, t); err != nil {
			return err
		}
		e := aboutType(by, identity.UserTypeCreated, t)
		e.Changes = []identity.Change{{Field: "title", After: t.Title}, {Field: "proposed role", After: orNil(string(t.DefaultRole))}}
		return tx.InsertEvent(ctx, e)
	})
	return t, err
}

// lockedTypes returns all types, which nobody else changes until the transaction ends.
func (s *Service) lockedTypes(ctx context.Context, tx *store.Tx) ([]identity.UserType, error) {
	if err := tx.Lock(ctx, "user types"); err != nil {
		return nil, err
	}
	return tx.UserTypes(ctx, identity.DefaultApplication)
}

func (s *Service) checkTitle(t *identity.UserType) error {
	t.Title = strings.TrimSpace(t.Title)
	if t.Title == "" || len(t.Title) > maxTitle || !readableText(t.Title) {
		return identity.Errorf(identity.Invalid, "A user type needs a title of at most %d bytes.", maxTitle).WithField("title")
	}
	if t.ID != "" && !typeID.MatchString(string(t.ID)) {
		return identity.Errorf(identity.Invalid, "The id of a user type has small letters, digits, _ and -, a letter first, at most 63.").WithField("id")
	}
	r, ok := s.model.Role(t.DefaultRole)
	if t.DefaultRole != "" && (!ok || r.Scope != identity.ScopeTenant || !s.model.Assignable(r.ID)) {
		return identity.Errorf(identity.Invalid, "A user type proposes a role that people of a tenant can be given; %q is none.", t.DefaultRole).WithField("role")
	}
	return nil
}

// freeID returns the id that was asked for, or one made of the title that no other type has.
func freeID(all []identity.UserType, asked identity.UserTypeID, title string) identity.UserTypeID {
	if asked != "" {
		return asked
	}
	id := strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(title)), "_0123456789")
	if id == "" {
		id = "type"
	}
	id = id[:min(len(id), 50)]
	for n := 1; ; n++ {
		candidate := id
		if n > 1 {
			candidate = fmt.Sprintf("%s_%d", id, n)
		}
		free := true
		for _, t := range all {
			free = free && string(t.ID) != candidate
		}
		if free {
			return identity.UserTypeID(candidate)
		}
	}
}

// UpdateUserType renames a type, those of the access model too, or changes which role it proposes. Nobody's rights change by it.
func (s *Service) UpdateUserType(ctx context.Context, by identity.Actor, id identity.UserTypeID, change func(*identity.UserType) error) (identity.UserType, error) {
	var after identity.UserType
	if err := s.household(ctx, by); err != nil {
		return after, err
	}
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		if _, err := s.lockedTypes(ctx, tx); err != nil {
			return err
		}
		before, err := tx.UserType(ctx, identity.DefaultApplication, id)
		if err != nil {
			return err
		}
		after = before
		if err := change(&after); err != nil {
			return err
		}
		title, role := after.Title, after.DefaultRole
		after = before
		after.Title, after.DefaultRole = title, role
		if err := s.checkTitle(&after); err != nil || after == before {
			return err
		}
		if err := tx.PutUserType(ctx, after); err != nil {
			return err
		}
		e := aboutType(by, identity.UserTypeUpdated, after)
		if before.Title != after.Title {
			e.Changes = append(e.Changes, identity.Change{Field: "title", Before: before.Title, After: after.Title})
		}
		if before.DefaultRole != after.DefaultRole {
			e.Changes = append(e.Changes, identity.Change{Field: "proposed role", Before: orNil(string(before.DefaultRole)), After: orNil(string(after.DefaultRole))})
		}
		return tx.InsertEvent(ctx, e)
	})
	err = sharpen(err, noType)
	return after, sharpen(err, func() *identity.Error { return nameTaken("user type", after.Title).WithField("title") })
}

// DeleteUserType deletes a type that nobody has and that is not the default.
func (s *Service) DeleteUserType(ctx context.Context, by identity.Actor, id identity.UserTypeID) error {
	if err := s.household(ctx, by); err != nil {
		return err
	}
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		if _, err := s.lockedTypes(ctx, tx); err != nil {
			return err
		}
		t, err := tx.UserType(ctx, identity.DefaultApplication, id)
		if err != nil {
			return err
		}
		if id == s.model.DefaultUserType() {
			return identity.Errorf(identity.Forbidden, "%s is the type of everybody to whom nobody gave another one; it stays.", t.Title)
		}
		if err := lockType(ctx, tx, id); err != nil {
			return err
		}
		n, err := tx.CountOfType(ctx, store.Everything(), id, "")
		if err != nil {
			return err
		}
		if n > 0 {
			return identity.Errorf(identity.Conflict, "%d users have the type %s; give them another one first.", n, t.Title).WithCode("type_in_use")
		}
		if err := tx.DeleteUserType(ctx, identity.DefaultApplication, id); err != nil {
			return err
		}
		e := aboutType(by, identity.UserTypeDeleted, t)
		e.Changes = []identity.Change{{Field: "title", Before: t.Title}}
		return tx.InsertEvent(ctx, e)
	})
	return sharpen(err, noType)
}

func aboutType(by identity.Actor, kind identity.EventType, t identity.UserType) identity.Event {
	e := event(by, kind)
	e.TenantID, e.ObjectKind, e.ObjectID, e.ObjectLabel = by.TenantID, "user type", string(t.ID), t.Title
	return e
}
