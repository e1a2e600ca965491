package provisioning

import (
	"context"
	"maps"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// driftOfGroups looks at the groups of a directory: their names, and whom it put into them.
func (s *Service) driftOfGroups(ctx context.Context, d identity.Directory, out *DriftReport) error {
	after := ""
	for more := true; more; {
		err := s.db.View(ctx, func(tx *store.Tx) error {
			page, err := tx.Groups(ctx, store.OfDirectory(d.ID, d.TenantID), identity.Query{After: after, Limit: driftPage})
			if more = page.More; err != nil || len(page.Items) == 0 {
				return err
			}
			after = string(page.Items[len(page.Items)-1].ID)
			return s.driftOfSome(ctx, tx, d, page.Items, out)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) driftOfSome(ctx context.Context, tx *store.Tx, d identity.Directory, groups []identity.Group, out *DriftReport) error {
	ids := make([]identity.GroupID, len(groups))
	told, pushed := map[string]words{}, map[string]map[string]bool{}
	for i, g := range groups {
		ids[i], told[string(g.ID)], pushed[string(g.ID)] = g.ID, words{}, map[string]bool{}
	}
	kinds := []identity.EventType{identity.GroupCreated, identity.GroupUpdated, identity.MembersAdded, identity.MembersRemoved}
	err := tx.EachEventOf(ctx, nil, asStrings(ids), kinds, func(e identity.Event) error {
		if e.Type == identity.GroupCreated || e.Type == identity.GroupUpdated {
			told[e.ObjectID].hear(e, d.ID)
			return nil
		}
		for _, c := range e.Changes {
			var came, went []string
			if err := into(orEmpty(c.After), &came); err != nil {
				return err
			}
			if err := into(orEmpty(c.Before), &went); err != nil {
				return err
			}
			for _, id := range came {
				pushed[e.ObjectID][id] = true
			}
			for _, id := range went {
				delete(pushed[e.ObjectID], id)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	members, err := tx.Members(ctx, ids)
	if err != nil {
		return err
	}
	for _, g := range groups {
		out.Checked++
		item := DriftItem{GroupID: g.ID, Who: g.DisplayName}
		now := object(g.Attributes)
		if now == nil {
			now = map[string]any{}
		}
		now["displayName"] = g.DisplayName
		told[string(g.ID)].drift(now, item, out)
		if err := membersDrift(ctx, tx, d, item, pushed[string(g.ID)], members[g.ID], out); err != nil {
			return err
		}
	}
	return nil
}

func orEmpty(v any) any {
	if v == nil {
		return []string{}
	}
	return v
}

// membersDrift adds who was put into a group and is not in it any more, and who is in it and was not put there. People leave groups otherwise when they are deleted or placed elsewhere.
func membersDrift(ctx context.Context, tx *store.Tx, d identity.Directory, item DriftItem, pushed map[string]bool, members []identity.Member, out *DriftReport) error {
	item.Field = "members"
	in := map[string]bool{}
	for _, m := range members {
		if in[m.ID] = true; !pushed[m.ID] {
			item.Said, item.Now = "", m.Display
			out.add(item)
		}
	}
	var gone []identity.UserID
	for _, id := range slices.Sorted(maps.Keys(pushed)) {
		if !in[id] {
			gone = append(gone, identity.UserID(id))
		}
	}
	if len(gone) == 0 {
		return nil
	}
	people, err := tx.UsersOf(ctx, gone)
	if err != nil {
		return err
	}
	left := map[identity.UserID]identity.Event{}
	err = tx.EachEventOf(ctx, gone, nil, []identity.EventType{identity.UserDeleted, identity.UserPlaced, identity.UserMerged, identity.UserErased}, func(e identity.Event) error {
		left[e.UserID] = e
		return nil
	})
	for _, id := range gone {
		u, there := people[id]
		if !there {
			u.UserName = string(id)
		}
		e := left[id]
		item.Said, item.Now, item.ChangedBy, item.At, item.Event = u.Label(), "", e.ActorLabel, e.At, e.ID
		if e.ActorID != string(d.ID) { // whom the directory itself let go is not missed
			out.add(item)
		}
	}
	return err
}
