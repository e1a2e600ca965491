package provisioning

import (
	"context"
	"encoding/json"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// group applies an event about a group.
func (r *replaying) group(ctx context.Context, e identity.Event) error {
	t, err := r.tell(ctx, e)
	if err != nil {
		return err
	}
	if e.Type == identity.GroupCreated && t.directory == "" {
		r.leave("a group of a directory that nobody knows any more", string(e.ID))
		return nil
	}
	if e.Type != identity.GroupCreated && t.groupID() == "" {
		r.leave("the event about a group whose beginning no event tells: "+e.ObjectLabel, string(e.ID))
		return nil
	}
	steps := map[identity.EventType]func(context.Context, *store.Tx) error{
		identity.GroupCreated: t.found, identity.GroupUpdated: t.rename, identity.GroupDeleted: t.dissolve, identity.MembersAdded: t.join, identity.MembersRemoved: t.part,
	}
	err = r.into.db.Update(ctx, func(tx *store.Tx) error {
		if err := steps[e.Type](ctx, tx); err != nil {
			return err
		}
		return t.keep(ctx, tx)
	})
	if e.Type == identity.GroupCreated && err == nil {
		r.ids[e.ObjectID], r.groups[e.ObjectID] = e.ObjectID, true
	}
	return r.applied(err, e)
}

func (t *told) groupID() identity.GroupID { return identity.GroupID(t.r.ids[t.ObjectID]) }

// found writes a new group as the event tells.
func (t *told) found(ctx context.Context, tx *store.Tx) error {
	g := identity.Group{
		ID: identity.GroupID(t.ObjectID), DirectoryID: t.directory, TenantID: t.tenant, DisplayName: t.ObjectLabel, Attributes: []byte("{}"), Version: 1, CreatedAt: t.At, UpdatedAt: t.At,
	}
	if err := t.setGroup(&g); err != nil {
		return err
	}
	return tx.InsertGroup(ctx, g)
}

// setGroup gives a group the fields of the event.
func (t *told) setGroup(g *identity.Group) error {
	attributes := object(g.Attributes)
	if attributes == nil {
		attributes = map[string]any{}
	}
	for _, c := range t.Changes {
		switch {
		case c.Field == "displayName":
			g.DisplayName, _ = c.After.(string)
		case c.Field == "externalId":
			g.ExternalID, _ = c.After.(string)
		case c.After == nil:
			delete(attributes, c.Field)
		default:
			attributes[c.Field] = c.After
		}
	}
	raw, err := json.Marshal(attributes)
	g.Attributes = raw
	return err
}

func (t *told) rename(ctx context.Context, tx *store.Tx) error {
	before, err := tx.GroupForUpdate(ctx, store.Everything(), t.groupID())
	if err != nil {
		return err
	}
	after := before
	if err := t.setGroup(&after); err != nil {
		return err
	}
	after.Version, after.UpdatedAt = before.Version+1, t.At
	return tx.UpdateGroup(ctx, before, after)
}

func (t *told) dissolve(ctx context.Context, tx *store.Tx) error {
	if _, err := tx.DeleteMembershipsOf(ctx, identity.UserID(t.groupID())); err != nil {
		return err
	}
	return tx.DeleteGroup(ctx, t.groupID())
}

// members returns the ids there of those who came or went.
func (t *told) members() (users []identity.UserID, groups []identity.GroupID, err error) {
	var ids []string
	for _, c := range t.Changes {
		for _, v := range []any{c.Before, c.After} {
			var some []string
			if c.Field == "members" && v != nil {
				err = into(v, &some)
			}
			if err != nil {
				return nil, nil, err
			}
			ids = append(ids, some...)
		}
	}
	for _, id := range ids {
		there, known := t.r.ids[id]
		switch {
		case !known && t.r.erased[identity.UserID(id)]:
		case !known:
			t.r.leave("a member of the group "+t.ObjectLabel+" of whom no event tells: "+id, string(t.ID))
		case t.r.groups[id]:
			groups = append(groups, identity.GroupID(there))
		default:
			users = append(users, identity.UserID(there))
		}
	}
	return users, groups, nil
}

func (t *told) join(ctx context.Context, tx *store.Tx) error {
	users, groups, err := t.members()
	if err != nil {
		return err
	}
	people, err := tx.UsersOf(ctx, users)
	if err != nil {
		return err
	}
	names, err := tx.GroupsAmong(ctx, store.Everything(), groups)
	if err != nil {
		return err
	}
	var list []identity.Member
	for _, id := range users {
		if u, there := people[id]; there {
			list = append(list, identity.Member{ID: string(id), Type: identity.MemberUser, Display: u.Label()})
		}
	}
	for _, id := range groups {
		list = append(list, identity.Member{ID: string(id), Type: identity.MemberGroup, Display: names[id]})
	}
	_, err = tx.InsertMembers(ctx, t.groupID(), list)
	return err
}

func (t *told) part(ctx context.Context, tx *store.Tx) error {
	users, groups, err := t.members()
	if err != nil {
		return err
	}
	_, err = tx.DeleteMembers(ctx, t.groupID(), append(asStrings(users), asStrings(groups)...))
	return err
}
