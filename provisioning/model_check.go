package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/access"
	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// Answer says whether a person may do something, why, and with which records.
type Answer struct {
	access.Permission
	Scope DataScope // of an allowed action on a scoped resource
}

// DataScope is the filter with which an application shows the records of a scoped resource to a person: all that has every id which is given here.
// With Nothing no record is meant, because the person belongs to no team or unit whose records they could be.
type DataScope struct {
	Level    string // global, branch, team or personal; "" where the resource is not scoped
	TenantID identity.TenantID
	UnitID   identity.UnitID // branch: the unit
	Subtree  bool            // and every unit below it
	TeamID   identity.UnitID // team
	UserID   identity.UserID // personal
	Nothing  bool
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
	var out Answer
	err := s.subject(ctx, by, id, func(a Access) {
		out = s.answer(a, access.Permission{Resource: access.Resource{ID: resource}, Action: action, Decision: s.model.Decide(a.Subject, resource, action)})
		for _, r := range s.model.Catalogue() {
			if r.ID == resource {
				out.Resource = r
			}
		}
	})
	return out, err
}

// Permissions returns everything that a person may and may not do, with reasons, on the terms of Check.
func (s *Service) Permissions(ctx context.Context, by identity.Actor, id identity.UserID) (Access, error) {
	var out Access
	err := s.subject(ctx, by, id, func(a Access) {
		for _, p := range s.model.Permissions(a.Subject) {
			a.Answers = append(a.Answers, s.answer(a, p))
		}
		out = a
	})
	return out, err
}

// subject reads a person as the access model in force asks about people.
func (s *Service) subject(ctx context.Context, by identity.Actor, id identity.UserID, use func(Access)) error {
	scope := store.Everything()
	if by.UserID() == "" || by.UserID() != id {
		var err error
		if scope, err = s.scopeFor(by, usersRead); err != nil {
			return err
		}
	}
	if id == "" || !validIDs(&id) {
		return noUser()
	}
	return s.db.View(ctx, func(tx *store.Tx) error {
		if err := s.model.Refresh(ctx, tx); err != nil {
			return err
		}
		u, err := tx.User(ctx, scope, id)
		if err != nil {
			return sharpen(err, noUser)
		}
		a := Access{User: u}
		if a.Position, err = s.position(ctx, tx, u); err != nil {
			return err
		}
		if a.Subject, err = asked(ctx, tx, u, a.Position); err == nil {
			use(a)
		}
		return err
	})
}

func asked(ctx context.Context, tx *store.Tx, u identity.User, p identity.Position) (access.Subject, error) {
	who := access.Subject{Admin: p.Admin, Level: p.DataLevel, Status: u.Status()}
	assigned, err := tx.Assignments(ctx, u.ID)
	if err != nil {
		return who, err
	}
	for _, a := range assigned {
		who.Roles = append(who.Roles, a.RoleID)
	}
	who.Links, err = tx.RecordTypesOf(ctx, u.ID)
	return who, err
}

func (s *Service) answer(a Access, p access.Permission) Answer {
	out := Answer{Permission: p}
	if !p.Allowed || p.Level == "" {
		return out
	}
	out.Scope = DataScope{Level: p.Level, TenantID: a.User.TenantID}
	units, _ := s.model.Units()
	switch {
	case p.Level == access.LevelBranch && units.Visibility != "all":
		out.Scope.UnitID, out.Scope.Subtree = a.Position.UnitID, units.Visibility == "subtree"
		out.Scope.Nothing = a.Position.UnitID == ""
	case p.Level == access.LevelTeam:
		out.Scope.TeamID, out.Scope.Nothing = a.Position.TeamID, a.Position.TeamID == ""
	case p.Level == access.LevelPersonal:
		out.Scope.UserID = a.User.ID
	}
	return out
}
