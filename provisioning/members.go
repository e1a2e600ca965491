package provisioning

import (
	"context"
	"maps"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// changeMembers applies steps to a group's members in their order, writes one event for those who came and one for those who went, and
// reports whether anything changed.
func (s *Service) changeMembers(ctx context.Context, tx *store.Tx, by identity.Actor, g identity.Group, steps []identity.MemberChange) (bool, error) {
	var came []identity.Member
	var went []string
	for _, step := range steps {
		gone, err := removeMembers(ctx, tx, g, step)
		if err != nil {
			return false, err
		}
		went = append(went, gone...)
		if step.Op == "remove" {
			continue
		}
		members, err := resolveMembers(ctx, tx, by, g, step.Members)
		if err != nil {
			return false, err
		}
		fresh, err := tx.InsertMembers(ctx, g.ID, members)
		if err != nil {
			return false, err
		}
		if step.Op == "swap" {
			fresh, went = without(fresh, went, gone)
		}
		came = append(came, fresh...)
	}
	events := memberEvents(by, g, came, went)
	return len(events) > 0, tx.InsertEvent(ctx, events...)
}

// memberEvents returns one event for those who came and one for those who went.
func memberEvents(by identity.Actor, g identity.Group, came []identity.Member, went []string) []identity.Event {
	var events []identity.Event
	if len(came) > 0 {
		ids := make([]string, len(came))
		for i, m := range came {
			ids[i] = m.ID
		}
		events = append(events, memberEvent(by, identity.MembersAdded, g, identity.Change{Field: "members", After: ids}))
	}
	if len(went) > 0 {
		events = append(events, memberEvent(by, identity.MembersRemoved, g, identity.Change{Field: "members", Before: went}))
	}
	return events
}

// without leaves out who went and came back in one step: nothing happened to them. gone is the end of went.
func without(fresh []identity.Member, went, gone []string) ([]identity.Member, []string) {
	left := went[:len(went)-len(gone)]
	for _, id := range gone {
		i := slices.IndexFunc(fresh, func(m identity.Member) bool { return m.ID == id })
		if i < 0 {
			left = append(left, id)
		} else {
			fresh = slices.Delete(fresh, i, i+1)
		}
	}
	return fresh, left
}

func memberEvent(by identity.Actor, kind identity.EventType, g identity.Group, c identity.Change) identity.Event {
	e := aboutGroup(by, kind, g)
	e.Changes = []identity.Change{c}
	return e
}

// removeMembers does the removing half of a step and returns the ids of those who went.
func removeMembers(ctx context.Context, tx *store.Tx, g identity.Group, step identity.MemberChange) ([]string, error) {
	ids := memberIDs(step.Members)
	switch {
	case step.Op == "replace":
		return tx.DeleteMembersExcept(ctx, g.ID, ids)
	case step.Op == "swap":
		return swapOut(ctx, tx, g, step)
	case step.Op != "remove":
		return nil, nil
	case step.Match != nil:
		return tx.DeleteMembersWhere(ctx, g.ID, step.Match)
	}
	return tx.DeleteMembers(ctx, g.ID, ids)
}

// swapOut removes those for whom others come. When there are none the step has no target.
func swapOut(ctx context.Context, tx *store.Tx, g identity.Group, step identity.MemberChange) ([]string, error) {
	gone, err := removeMembers(ctx, tx, g, identity.MemberChange{Op: "remove", Members: step.Gone, Match: step.Match})
	if err == nil && len(gone) == 0 && !step.Lenient {
		err = identity.Errorf(identity.Invalid, "The path selects none of the members of this group; add members by the path members.").WithField("members").WithCode("noTarget")
	}
	return gone, err
}

// memberIDs returns the ids that are ids at all, each once; what is none is no member.
func memberIDs(members []identity.Member) []string {
	seen := make(map[string]bool, len(members))
	ids := make([]string, 0, len(members))
	for _, m := range members {
		if id, ok := identity.ParseID[string](m.ID); ok && !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}

// resolveMembers says of each id whether it is a user or a group that the directory sees; one that is neither is Invalid.
func resolveMembers(ctx context.Context, tx *store.Tx, by identity.Actor, g identity.Group, members []identity.Member) ([]identity.Member, error) {
	if len(members) == 0 {
		return nil, nil
	}
	ids := memberIDs(members)
	users, err := tx.ShareUsers(ctx, store.OfDirectory(by.DirectoryID(), by.TenantID), typed[identity.UserID](ids))
	if err != nil {
		return nil, err
	}
	var groups map[identity.GroupID]string
	if len(users) < len(ids) {
		if groups, err = tx.GroupsAmong(ctx, store.OfDirectory(by.DirectoryID(), by.TenantID), typed[identity.GroupID](ids)); err != nil {
			return nil, err
		}
	}
	out := make([]identity.Member, 0, len(ids))
	for _, m := range members {
		id, _ := identity.ParseID[string](m.ID)
		name, user := users[identity.UserID(id)]
		label, group := groups[identity.GroupID(id)]
		switch {
		case user:
			out = append(out, identity.Member{ID: id, Type: identity.MemberUser, Display: name})
		case group:
			out = append(out, identity.Member{ID: id, Type: identity.MemberGroup, Display: label})
		default:
			return nil, identity.Errorf(identity.Invalid, "There is no user or group %q in this directory; create it before it becomes a member.", m.ID).WithField("members").WithCode("invalidValue")
		}
	}
	return out, refuseCircle(ctx, tx, g, groups)
}

// refuseCircle refuses members that the group itself is in.
func refuseCircle(ctx context.Context, tx *store.Tx, g identity.Group, members map[identity.GroupID]string) error {
	if len(members) == 0 {
		return nil
	}
	if err := tx.Lock(ctx, "nesting of "+string(g.DirectoryID)); err != nil {
		return err
	}
	above, err := tx.Above(ctx, g.ID, slices.Collect(maps.Keys(members)))
	if err == nil && len(above) > 0 {
		err = identity.Errorf(identity.Invalid, "The group %s cannot be a member of itself, not even through other groups.", g.DisplayName).WithField("members").WithCode("invalidValue")
	}
	return err
}

func typed[T ~string](ids []string) []T {
	out := make([]T, len(ids))
	for i, id := range ids {
		out[i] = T(id)
	}
	return out
}
