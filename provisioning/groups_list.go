package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// MostCounted is how far the members of a group are counted for a list.
const MostCounted = 1000

// GroupLine is a group in a list.
type GroupLine struct {
	identity.Group
	DirectoryName string
	Members       int // MostCounted when there are as many or more
}

// GroupLines returns a page of the groups that the actor may see, with the names of their directories and how many members they have.
func (s *Service) GroupLines(ctx context.Context, by identity.Actor, q identity.Query) (identity.Page[GroupLine], error) {
	var page identity.Page[GroupLine]
	scope, err := s.scopeFor(by, usersRead)
	if err != nil || !validIDs(&q.Directory) {
		return page, err
	}
	q.After = cursor(q.After)
	err = s.db.View(ctx, func(tx *store.Tx) error {
		found, err := tx.Groups(ctx, scope, q)
		if err != nil {
			return err
		}
		page.Items, err = linesOf(ctx, tx, found.Items)
		page.More, page.Total = found.More, found.Total
		return err
	})
	return page, err
}

func linesOf(ctx context.Context, tx *store.Tx, groups []identity.Group) ([]GroupLine, error) {
	ids := make([]identity.GroupID, len(groups))
	for i, g := range groups {
		ids[i] = g.ID
	}
	members, err := tx.CountMembers(ctx, ids, MostCounted)
	if err != nil {
		return nil, err
	}
	names := map[identity.DirectoryID]string{}
	out := make([]GroupLine, len(groups))
	for i, g := range groups {
		if _, ok := names[g.DirectoryID]; !ok && g.DirectoryID != "" {
			dir, err := tx.Directory(ctx, store.Everything(), g.DirectoryID)
			if err != nil {
				return nil, err
			}
			names[g.DirectoryID] = dir.Name
		}
		out[i] = GroupLine{Group: g, DirectoryName: names[g.DirectoryID], Members: members[g.ID]}
	}
	return out, nil
}

// GroupPage returns a group that the actor may see and a page of its members, beginning behind one; NotFound for others.
func (s *Service) GroupPage(ctx context.Context, by identity.Actor, id identity.GroupID, after string, limit int) (GroupLine, identity.Page[identity.Member], error) {
	var line GroupLine
	var members identity.Page[identity.Member]
	scope, err := s.scopeFor(by, usersRead)
	if err != nil {
		return line, members, err
	}
	if id == "" || !validIDs(&id) {
		return line, members, noGroup()
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		g, err := tx.Group(ctx, scope, id)
		if err != nil {
			return err
		}
		lines, err := linesOf(ctx, tx, []identity.Group{g})
		if err != nil {
			return err
		}
		line = lines[0]
		members, err = tx.MembersPage(ctx, g.ID, cursor(after), limit)
		return err
	})
	return line, members, sharpen(err, noGroup)
}
