package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// Answer says whether a person may do something, why, and with whose records.
type Answer struct {
	access.Permission
	Reach Reach // of an allowed action on a scoped resource: the filter with which an application shows its records
}

// Access is everything that the access model says about a person.
type Access struct {
	User     identity.User
	Position identity.Position
	Subject  access.Subject
	Answers  []Answer // every action of the catalogue, in its order
}

// Check says whether a person may do something with a resource of the catalogue: by the roles and the admin flag as they are now, the records that the
// person is tied to, the data level and the account's status. It needs the right to see users of the person's tenant, or is about oneself; who is not
// there is NotFound. What the catalogue does not have is denied.
func (s *Service) Check(ctx context.Context, by identity.Actor, id identity.UserID, resource, action string) (Answer, error) {
	a, err := s.ask(ctx, by, id, func(who access.Subject) []access.Permission {
		out := access.Permission{Resource: access.Resource{ID: resource}, Action: action, Decision: s.model.Decide(who, resource, action)}
		for _, r := range s.model.Catalogue() {
			if r.ID == resource {
				out.Resource = r
			}
		}
		return []access.Permission{out}
	})
	if err != nil {
		return Answer{}, err
	}
	return a.Answers[0], nil
}

// Permissions returns everything that a person may and may not do, with reasons, on the terms of Check.
func (s *Service) Permissions(ctx context.Context, by identity.Actor, id identity.UserID) (Access, error) {
	return s.ask(ctx, by, id, s.model.Permissions)
}

// ask reads a person as the access model in force asks about people, and answers.
func (s *Service) ask(ctx context.Context, by identity.Actor, id identity.UserID, about func(access.Subject) []access.Permission) (Access, error) {
	var out Access
	scope := store.Everything()
	if by.UserID() == "" || by.UserID() != id {
		var err error
		if scope, err = s.scopeFor(by, usersRead); err != nil {
			return out, err
		}
	}
	if id == "" || !validIDs(&id) {
		return out, noUser()
	}
	err := s.db.View(ctx, func(tx *store.Tx) error {
		if err := s.model.Refresh(ctx, tx); err != nil {
			return err
		}
		u, err := tx.User(ctx, scope, id)
		if err != nil {
			return sharpen(err, noUser)
		}
		if out, err = s.standsFor(ctx, tx, u); err != nil {
			return err
		}
		return s.answer(ctx, tx, &out, about(out.Subject))
	})
	return out, err
}

// standsFor reads what decides about a person.
func (s *Service) standsFor(ctx context.Context, tx *store.Tx, u identity.User) (Access, error) {
	a := Access{User: u}
	var err error
	if a.Position, err = s.position(ctx, tx, u); err != nil {
		return a, err
	}
	a.Subject = access.Subject{Admin: a.Position.Admin, Level: a.Position.DataLevel, Status: u.Status()}
	assigned, err := tx.Assignments(ctx, u.ID)
	if err != nil {
		return a, err
	}
	a.Subject.Roles = roleIDs(assigned)
	if len(s.model.LinkTypes()) > 0 {
		a.Subject.Links, err = tx.RecordTypesOf(ctx, u.ID)
	}
	return a, err
}

// answer adds how far each permission goes; each level is worked out once.
func (s *Service) answer(ctx context.Context, tx *store.Tx, a *Access, list []access.Permission) error {
	known := map[string]Reach{}
	for _, p := range list {
		out := Answer{Permission: p}
		if p.Allowed && p.Level != "" {
			reach, ok := known[p.Level]
			if !ok {
				var err error
				if reach, err = s.UnitsVisible(ctx, tx, a.User, p.Level); err != nil {
					return err
				}
				known[p.Level] = reach
			}
			out.Reach = reach
		}
		a.Answers = append(a.Answers, out)
	}
	return nil
}
