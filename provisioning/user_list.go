package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// ListedUser is somebody in a list as a page shows it.
type ListedUser struct {
	identity.User
	Standing   Standing
	Invitation *identity.Invitation // of somebody who was invited and has not joined yet
}

// ListUsers is Users with where each person stands, with the access model's defaults filled in, and with the invitations that are open. The filter and the orders of the query are those of Users.
func (s *Service) ListUsers(ctx context.Context, by identity.Actor, q identity.Query) (identity.Page[ListedUser], error) {
	page, err := s.Users(ctx, by, q)
	out := identity.Page[ListedUser]{Items: make([]ListedUser, len(page.Items)), Total: page.Total, More: page.More, LastKey: page.LastKey}
	if err != nil || len(page.Items) == 0 || by.Kind == identity.ActorDirectory {
		return out, err
	}
	var waiting []identity.UserID
	at := map[identity.UserID]*ListedUser{}
	for i, u := range page.Items {
		out.Items[i].User = u
		at[u.ID] = &out.Items[i]
		if u.LastLoginAt == nil {
			waiting = append(waiting, u.ID)
		}
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if err := s.listInvitations(ctx, tx, waiting, at); err != nil || !s.organised() {
			return err
		}
		return s.listStandings(ctx, tx, out.Items)
	})
	return out, err
}

func (s *Service) listInvitations(ctx context.Context, tx *store.Tx, ids []identity.UserID, at map[identity.UserID]*ListedUser) error {
	if len(ids) == 0 {
		return nil
	}
	page, err := tx.Invitations(ctx, store.Everything(), store.InvitationQuery{Users: ids, Query: identity.Query{Limit: len(ids)}}) // the ids are of a list that the actor saw
	for i, invitation := range page.Items {
		if u := at[invitation.Link.UserID]; u != nil && invitation.State(tx.Now()) != identity.InvitationAccepted {
			u.Invitation = &page.Items[i]
		}
	}
	return err
}

// listStandings fills in where people stand, with a handful of questions for any number of them.
func (s *Service) listStandings(ctx context.Context, tx *store.Tx, list []ListedUser) error {
	ids := make([]identity.UserID, len(list))
	for i, u := range list {
		ids[i] = u.ID
	}
	stood, err := tx.PositionsOf(ctx, ids)
	if err != nil {
		return err
	}
	roots := map[identity.TenantID]identity.UnitID{}
	positions := make([]identity.Position, len(list))
	for i, u := range list {
		p := stood[u.ID]
		if p.Type == "" {
			p.Type = s.model.DefaultUserType()
		}
		if p.UnitID == "" {
			if p.UnitID, err = s.rootOf(ctx, tx, u.TenantID, roots); err != nil {
				return err
			}
		}
		positions[i] = p
	}
	names, err := s.placeNames(ctx, tx, positions...)
	for i, p := range positions {
		list[i].Standing = Standing{Position: p, TypeTitle: names.typeOf(p.Type), UnitName: names.units[p.UnitID], TeamName: names.units[p.TeamID]}
	}
	return err
}

// rootOf returns the root of a tenant's units, each asked for once; "" where there is none.
func (s *Service) rootOf(ctx context.Context, tx *store.Tx, tenant identity.TenantID, known map[identity.TenantID]identity.UnitID) (identity.UnitID, error) {
	_, units := s.model.Units()
	if id, ok := known[tenant]; ok || !units || tenant == "" {
		return id, nil
	}
	root, err := tx.RootUnit(ctx, tenant)
	if identity.KindOf(err) == identity.NotFound {
		err = nil
	}
	known[tenant] = root.ID
	return root.ID, err
}
