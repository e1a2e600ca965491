package provisioning

import (
	"bytes"
	"context"
	"slices"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// fewMembers is how many members a change may name to be made without locking the group.
const fewMembers = 100

// changeFew is UpdateGroup for what identity providers send most: some users come, some members go, and nothing else happens. It looks first and
// then writes one statement, which holds only if what was seen is still so; many such changes of one group go on side by side. False means that
// the change is of another kind, or that somebody else was faster: then the group must be locked.
func (s *Service) changeFew(ctx context.Context, by identity.Actor, id identity.GroupID, version int64, change func(*identity.Group) ([]identity.MemberChange, error)) (identity.Group, bool, error) {
	if !s.db.Spreads() || version != 0 {
		return identity.Group{}, false, nil
	}
	steps, ids, ok := onlyMembers(change)
	if !ok {
		return identity.Group{}, false, nil
	}
	var g identity.Group
	var facts []store.MemberFact
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		g, facts, err = tx.GroupFacts(ctx, store.OfDirectory(by.DirectoryID(), by.TenantID), id, ids)
		return err
	})
	if err != nil {
		return g, identity.KindOf(err) == identity.NotFound, sharpen(err, noGroup)
	}
	came, went, ok := outcome(steps, facts)
	if !ok || !leaves(g, change) || len(came) == 0 && len(went) == 0 {
		return g, false, nil
	}
	err = s.update(ctx, by, func(tx *store.Tx) error {
		tx.ChangeMembers(g.ID, came, went)
		g.UpdatedAt = tx.Now()
		return tx.InsertEvent(ctx, memberEvents(by, g, came, went)...)
	})
	if identity.KindOf(err) == identity.Conflict {
		return g, false, nil
	}
	g.Version++
	return g, true, err
}

// onlyMembers returns the steps of a change that adds and removes members by their ids and does nothing else, and all of these ids.
func onlyMembers(change func(*identity.Group) ([]identity.MemberChange, error)) (steps []identity.MemberChange, ids []string, ok bool) {
	const name = "probe"
	g := identity.Group{DisplayName: name}
	steps, err := change(&g)
	if err != nil || len(steps) == 0 || g.DisplayName != name || g.ExternalID != "" || len(g.Attributes) > 0 {
		return nil, nil, false
	}
	for _, step := range steps {
		if step.Op != "add" && step.Op != "remove" || step.Match != nil || len(step.Members) == 0 {
			return nil, nil, false
		}
		for _, m := range step.Members {
			id, ok := identity.ParseID[string](m.ID)
			if !ok {
				return nil, nil, false
			}
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	return steps, ids, len(ids) <= fewMembers
}

// leaves reports whether a change leaves a group itself as it is: on one that has nothing, onlyMembers does not see what a change takes away.
func leaves(g identity.Group, change func(*identity.Group) ([]identity.MemberChange, error)) bool {
	after := g
	_, err := change(&after)
	return err == nil && after.DisplayName == g.DisplayName && after.ExternalID == g.ExternalID && bytes.Equal(after.Attributes, g.Attributes)
}

// outcome plays the steps through and returns who came and who went in the end; false when one who comes is no user that the directory sees.
func outcome(steps []identity.MemberChange, facts []store.MemberFact) (came []identity.Member, went []string, ok bool) {
	at := make(map[string]int, len(facts))
	in := make([]bool, len(facts))
	for i, f := range facts {
		at[f.ID], in[i] = i, f.Member
	}
	for _, step := range steps {
		for _, m := range step.Members {
			id, _ := identity.ParseID[string](m.ID)
			i := at[id]
			if step.Op == "add" && facts[i].Name == nil && !facts[i].Member {
				return nil, nil, false
			}
			in[i] = step.Op == "add"
		}
	}
	for i, f := range facts {
		switch {
		case in[i] && !f.Member:
			came = append(came, identity.Member{ID: f.ID, Type: identity.MemberUser, Display: *f.Name})
		case !in[i] && f.Member:
			went = append(went, f.ID)
		}
	}
	return came, went, true
}
