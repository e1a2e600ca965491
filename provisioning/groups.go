package provisioning

import (
	"context"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// Group returns a group that the actor may see, without its members, or NotFound.
func (s *Service) Group(ctx context.Context, by identity.Actor, id identity.GroupID) (identity.Group, error) {
	scope, err := s.scopeFor(by, usersRead)
	if err != nil {
		return identity.Group{}, err
	}
	if id == "" || !validIDs(&id) {
		return identity.Group{}, noGroup()
	}
	var g identity.Group
	err = s.db.View(ctx, func(tx *store.Tx) error {
		g, err = tx.Group(ctx, scope, id)
		return err
	})
	return g, sharpen(err, noGroup)
}

// GroupWithMembers is Group with the members, both as they were at one moment.
func (s *Service) GroupWithMembers(ctx context.Context, by identity.Actor, id identity.GroupID) (identity.Group, []identity.Member, error) {
	var g identity.Group
	var members []identity.Member
	scope, err := s.scopeFor(by, usersRead)
	if err != nil {
		return g, nil, err
	}
	if id == "" || !validIDs(&id) {
		return g, nil, noGroup()
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		g, members, err = tx.GroupWithMembers(ctx, scope, id)
		return err
	})
	return g, members, sharpen(err, noGroup)
}

// Groups returns a page of the groups that the actor may see, without their members.
func (s *Service) Groups(ctx context.Context, by identity.Actor, q identity.Query) (identity.Page[identity.Group], error) {
	var page identity.Page[identity.Group]
	scope, err := s.scopeFor(by, usersRead)
	if err != nil {
		return page, err
	}
	q.After = cursor(q.After)
	err = s.db.View(ctx, func(tx *store.Tx) error {
		page, err = tx.Groups(ctx, scope, q)
		return err
	})
	return page, err
}

// Members returns the members of some groups; one that the actor may not see has none.
func (s *Service) Members(ctx context.Context, by identity.Actor, ids []identity.GroupID) (map[identity.GroupID][]identity.Member, error) {
	scope, err := s.scopeFor(by, usersRead)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	var out map[identity.GroupID][]identity.Member
	err = s.db.View(ctx, func(tx *store.Tx) error {
		seen, err := tx.GroupsAmong(ctx, scope, ids)
		if err != nil {
			return err
		}
		visible := slices.DeleteFunc(slices.Clone(ids), func(id identity.GroupID) bool { _, ok := seen[id]; return !ok })
		out, err = tx.Members(ctx, visible)
		return err
	})
	return out, err
}

// FewMembers reports whether a group that the actor may see has at most so many members; one that is not there has none. The cost does not
// depend on the group's size.
func (s *Service) FewMembers(ctx context.Context, by identity.Actor, id identity.GroupID, most int) (few bool, err error) {
	scope, err := s.scopeFor(by, usersRead)
	if err != nil || id == "" || !validIDs(&id) {
		return err == nil, err
	}
	known := sized{by.ID, id, most}
	if s.large.has(known) {
		return false, nil
	}
	err = s.db.View(ctx, func(tx *store.Tx) (err error) {
		few, err = tx.FewMembers(ctx, scope, id, most)
		return err
	})
	if err == nil && !few {
		s.large.add(known)
	}
	return few, err
}

// CreateGroup creates a group of the asking directory. Members who do not exist are Invalid with the code "invalidValue"; for an Entra directory
// a display name that is taken is a Conflict with the code "uniqueness".
func (s *Service) CreateGroup(ctx context.Context, by identity.Actor, g identity.Group, members []identity.Member) (identity.Group, error) {
	if by.Kind != identity.ActorDirectory {
		return g, identity.Errorf(identity.Forbidden, "Groups belong to directories; push them over SCIM.")
	}
	if err := normaliseGroup(&g); err != nil {
		return g, err
	}
	err := s.update(ctx, by, func(tx *store.Tx) error {
		if err := s.checkGroupName(ctx, tx, by, g); err != nil {
			return err
		}
		g.ID, g.DirectoryID, g.TenantID = identity.NewID[identity.GroupID](), by.DirectoryID(), by.TenantID
		g.Version, g.CreatedAt, g.UpdatedAt = 1, tx.Now(), tx.Now()
		if err := tx.InsertGroup(ctx, g); err != nil {
			return err
		}
		e := aboutGroup(by, identity.GroupCreated, g)
		e.Changes = append([]identity.Change{{Field: "displayName", After: g.DisplayName}}, diffGroups(identity.Group{DisplayName: g.DisplayName}, g)...)
		if err := tx.InsertEvent(ctx, e); err != nil {
			return err
		}
		_, err := s.changeMembers(ctx, tx, by, g, []identity.MemberChange{{Op: "add", Members: members}})
		return err
	})
	return g, err
}

// UpdateGroup changes a group by a function that may run more than once: it may set DisplayName, ExternalID and Attributes, and returns what
// happens to the members. The cost does not depend on the group's size. A version other than 0 must be the current one, else Precondition.
func (s *Service) UpdateGroup(ctx context.Context, by identity.Actor, id identity.GroupID, version int64, change func(*identity.Group) ([]identity.MemberChange, error)) (identity.Group, error) {
	if by.Kind != identity.ActorDirectory {
		return identity.Group{}, identity.Errorf(identity.Forbidden, "Groups belong to directories; change them there.")
	}
	if id == "" || !validIDs(&id) {
		return identity.Group{}, noGroup()
	}
	var out identity.Group
	if g, done, err := s.changeFew(ctx, by, id, version, change); done {
		return g, err
	}
	err := s.update(ctx, by, func(tx *store.Tx) error {
		before, err := tx.GroupForUpdate(ctx, store.OfDirectory(by.DirectoryID(), by.TenantID), id)
		if err != nil {
			return err
		}
		if version != 0 && version != before.Version {
			return stale()
		}
		out, err = s.changeGroup(ctx, tx, by, before, change)
		return err
	})
	return out, sharpen(err, noGroup)
}

func (s *Service) changeGroup(ctx context.Context, tx *store.Tx, by identity.Actor, before identity.Group, change func(*identity.Group) ([]identity.MemberChange, error)) (identity.Group, error) {
	after := before
	steps, err := change(&after)
	if err != nil {
		return before, err
	}
	after.ID, after.DirectoryID, after.TenantID, after.CreatedAt, after.Version = before.ID, before.DirectoryID, before.TenantID, before.CreatedAt, before.Version
	if err := normaliseGroup(&after); err != nil {
		return before, err
	}
	if identity.NameKey(after.DisplayName) != identity.NameKey(before.DisplayName) {
		if err := s.checkGroupName(ctx, tx, by, after); err != nil {
			return before, err
		}
	}
	changes := diffGroups(before, after)
	moved, err := s.changeMembers(ctx, tx, by, after, steps)
	if err != nil || (len(changes) == 0 && !moved) {
		return before, err
	}
	after.Version, after.UpdatedAt = before.Version+1, tx.Now()
	if err := tx.UpdateGroup(ctx, before, after); err != nil || len(changes) == 0 {
		return after, err
	}
	e := aboutGroup(by, identity.GroupUpdated, after)
	e.Changes = changes
	return after, tx.InsertEvent(ctx, e)
}

// DeleteGroup deletes a group with its memberships. A version other than 0 must be the current one.
func (s *Service) DeleteGroup(ctx context.Context, by identity.Actor, id identity.GroupID, version int64) error {
	if by.Kind != identity.ActorDirectory {
		return identity.Errorf(identity.Forbidden, "Groups belong to directories; delete them there.")
	}
	if id == "" || !validIDs(&id) {
		return noGroup()
	}
	err := s.update(ctx, by, func(tx *store.Tx) error {
		g, err := tx.GroupForUpdate(ctx, store.OfDirectory(by.DirectoryID(), by.TenantID), id)
		if err != nil {
			return err
		}
		if version != 0 && version != g.Version {
			return stale()
		}
		around, err := tx.DeleteMembershipsOf(ctx, identity.UserID(id))
		if err != nil {
			return err
		}
		if err := tx.BumpGroups(ctx, around); err != nil {
			return err
		}
		if err := tx.DeleteGroup(ctx, id); err != nil {
			return err
		}
		e := aboutGroup(by, identity.GroupDeleted, g)
		e.Changes = []identity.Change{{Field: "displayName", Before: g.DisplayName}}
		return tx.InsertEvent(ctx, e)
	})
	return sharpen(err, noGroup)
}

// checkGroupName refuses a second group of one name where the directory's dialect wants that (docs/decisions, scim dialects).
func (s *Service) checkGroupName(ctx context.Context, tx *store.Tx, by identity.Actor, g identity.Group) error {
	d, err := tx.Directory(ctx, store.Everything(), by.DirectoryID())
	if err != nil || d.Dialect != identity.DialectEntra {
		return err
	}
	if err := tx.Lock(ctx, "groups of "+string(d.ID)); err != nil {
		return err
	}
	same, err := tx.GroupNamed(ctx, d.ID, g.DisplayName, g.ID)
	if identity.KindOf(err) == identity.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	return identity.Errorf(identity.Conflict, "The group with the id %s has the displayName %q already; change that one, or choose another name.", same, g.DisplayName).WithField("displayName").WithCode("uniqueness")
}

func normaliseGroup(g *identity.Group) error {
	g.DisplayName = strings.TrimSpace(g.DisplayName)
	if g.DisplayName == "" || len(g.DisplayName) > 1024 {
		return identity.Errorf(identity.Invalid, "A group needs a displayName of at most 1024 bytes.").WithField("displayName").WithCode("invalidValue")
	}
	if len(g.Attributes) == 0 {
		g.Attributes = []byte("{}")
	}
	return nil
}

func diffGroups(before, after identity.Group) []identity.Change {
	var out []identity.Change
	if before.DisplayName != after.DisplayName {
		out = append(out, identity.Change{Field: "displayName", Before: before.DisplayName, After: after.DisplayName})
	}
	if before.ExternalID != after.ExternalID {
		out = append(out, identity.Change{Field: "externalId", Before: orNil(before.ExternalID), After: orNil(after.ExternalID)})
	}
	return append(out, diffAttributes(before.Attributes, after.Attributes)...)
}

func aboutGroup(by identity.Actor, kind identity.EventType, g identity.Group) identity.Event {
	e := event(by, kind)
	e.TenantID, e.ObjectKind, e.ObjectID, e.ObjectLabel = g.TenantID, "group", string(g.ID), g.DisplayName
	return e
}
