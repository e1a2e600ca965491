package provisioning

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// portrait is what is compared of a person or a group: texts by field.
type portrait map[string]string

// compare holds the people and groups of here against those of there.
func (r *replaying) compare(ctx context.Context) error {
	r.report.Compared = true
	seen := map[string]bool{}
	if err := r.comparePeople(ctx, seen); err != nil {
		return err
	}
	if err := r.compareGroups(ctx, seen); err != nil {
		return err
	}
	r.report.Unkept = slices.Sorted(maps.Keys(r.unkept))
	return nil
}

// pageOfPeople returns the next people of an installation with what is compared of them.
func pageOfPeople(ctx context.Context, s *Service, after string) (people []identity.User, looks []portrait, more bool, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) error {
		page, err := tx.Users(ctx, store.Everything(), identity.Query{After: after, Limit: replayPage})
		if err != nil {
			return err
		}
		people, more = page.Items, page.More
		looks, err = s.portraits(ctx, tx, people)
		return err
	})
	return people, looks, more, err
}

// portraits describes people for a comparison.
func (s *Service) portraits(ctx context.Context, tx *store.Tx, people []identity.User) ([]portrait, error) {
	if len(people) == 0 {
		return nil, nil
	}
	if err := s.describe(ctx, tx, people); err != nil {
		return nil, err
	}
	ids := make([]identity.UserID, len(people))
	for i, u := range people {
		ids[i] = u.ID
	}
	links, err := tx.DirectoryLinksOf(ctx, ids)
	out := make([]portrait, len(people))
	for i, u := range people {
		out[i] = portraitOf(u, links[u.ID])
	}
	return out, err
}

func portraitOf(u identity.User, links []identity.DirectoryLink) portrait {
	p := portrait{"tenant": u.TenantName, "userName": u.UserName, "displayName": u.DisplayName, "active": yesNo(u.Enabled), "held": yesNo(u.Held)}
	var addresses, roles []string
	for _, e := range u.Emails {
		addresses = append(addresses, e.Value)
	}
	for _, role := range u.Roles {
		roles = append(roles, string(role.ID))
	}
	slices.Sort(addresses)
	slices.Sort(roles)
	p["emails"], p["roles"] = strings.Join(addresses, ", "), strings.Join(roles, ", ")
	for _, l := range links {
		p["externalId at "+l.DirectoryName], p["active at "+l.DirectoryName] = l.ExternalID, yesNo(l.Active)
	}
	p.attributes(u.Attributes)
	return p
}

// attributes adds the first level of a JSON object.
func (p portrait) attributes(raw json.RawMessage) {
	for name, v := range object(raw) {
		if text, err := json.Marshal(namelessManager(name, v)); err == nil {
			p[name] = string(text)
		}
	}
}

// name is how a person is called in a report.
func (p portrait) name() string {
	if p["tenant"] == "" {
		return p["userName"]
	}
	return p["tenant"] + "/" + p["userName"]
}

func (r *replaying) comparePeople(ctx context.Context, seen map[string]bool) error {
	after := ""
	for more := true; more; {
		people, looks, next, err := pageOfPeople(ctx, r.from, after)
		if err != nil {
			return err
		}
		for i, u := range people {
			if err := r.comparePerson(ctx, u, looks[i], seen); err != nil {
				return err
			}
			after = string(u.ID)
		}
		more = next
	}
	after = ""
	for more := true; more; {
		people, looks, next, err := pageOfPeople(ctx, r.into, after)
		if err != nil {
			return err
		}
		for i, u := range people {
			if after = string(u.ID); !seen[string(u.ID)] {
				r.differ(ReplayDifference{Kind: "person", Who: looks[i].name(), Field: "person", Here: "not there", There: "there"})
			}
		}
		more = next
	}
	return nil
}

// counterpart returns the person there who is one of here: the one whom the replay made, or else one of the same tenant and user name.
func (r *replaying) counterpart(ctx context.Context, u identity.User, look portrait) (portrait, string, error) {
	var found []identity.User
	var looks []portrait
	err := r.into.db.View(ctx, func(tx *store.Tx) error {
		there, err := tx.User(ctx, store.Everything(), identity.UserID(r.ids[string(u.ID)]))
		switch {
		case r.ids[string(u.ID)] != "" && err == nil:
			found = []identity.User{there}
		case err != nil && r.ids[string(u.ID)] != "" && identity.KindOf(err) != identity.NotFound:
			return err
		default:
			if found, err = tx.UsersByName(ctx, store.Everything(), u.UserName, maxForgotten); err != nil {
				return err
			}
			found = slices.DeleteFunc(found, func(o identity.User) bool { return o.DeletedAt != nil })
		}
		looks, err = r.into.portraits(ctx, tx, found)
		return err
	})
	for i, other := range looks {
		if r.ids[string(u.ID)] == string(found[i].ID) || other["tenant"] == look["tenant"] {
			return other, string(found[i].ID), err
		}
	}
	return nil, "", err
}

func (r *replaying) comparePerson(ctx context.Context, u identity.User, look portrait, seen map[string]bool) error {
	other, id, err := r.counterpart(ctx, u, look)
	if err != nil {
		return err
	}
	d := ReplayDifference{Kind: "person", Who: look.name(), UserID: u.ID}
	if id == "" {
		d.Field, d.Here, d.There = "person", "there", "not there"
		return r.because(ctx, d, EventQuery{UserID: u.ID})
	}
	seen[id], r.ids[string(u.ID)] = true, id
	differs, err := r.compareFields(ctx, d, look, other, EventQuery{UserID: u.ID})
	if err != nil {
		return err
	}
	if !differs {
		r.report.Same.People++
	}
	if look["roles"] == other["roles"] && look["roles"] != "" {
		r.report.Same.Roles += strings.Count(look["roles"], ", ") + 1
	}
	return nil
}

// compareFields notes each field that differs, and reports whether one did.
func (r *replaying) compareFields(ctx context.Context, d ReplayDifference, here, there portrait, events EventQuery) (bool, error) {
	fields := map[string]bool{}
	for field := range here {
		fields[field] = true
	}
	for field := range there {
		fields[field] = true
	}
	differs := false
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		mine := r.there(here[field])
		if mine == there[field] || r.unkept[field] {
			continue
		}
		differs = true
		d.Field, d.Here, d.There = field, here[field], there[field]
		if err := r.because(ctx, d, events); err != nil {
			return differs, err
		}
	}
	return differs, nil
}

// because notes a difference with the last event here that speaks of it, and the request that made it.
func (r *replaying) because(ctx context.Context, d ReplayDifference, q EventQuery) error {
	q.Limit = maxRequestEvents
	var page identity.Page[identity.Event]
	err := r.from.db.View(ctx, func(tx *store.Tx) (err error) {
		page, err = tx.Events(ctx, store.Everything(), q)
		return err
	})
	if err != nil {
		return err
	}
	field, _, _ := strings.Cut(d.Field, " at ")
	for _, e := range page.Items {
		speaks := slices.ContainsFunc(e.Changes, func(c identity.Change) bool { return c.Field == field || field == "roles" && c.Field == "role" })
		if speaks || field == "person" {
			d.Event, d.Request = e.ID, e.RequestID
			break
		}
	}
	r.differ(d)
	return nil
}

// pageOfGroups returns the next groups of an installation with their members and the names of their directories.
func pageOfGroups(ctx context.Context, s *Service, after string) (groups []identity.Group, members map[identity.GroupID][]identity.Member, names map[identity.DirectoryID]string, more bool, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) error {
		page, err := tx.Groups(ctx, store.Everything(), identity.Query{After: after, Limit: replayPage})
		if err != nil || len(page.Items) == 0 {
			return err
		}
		groups, more, names = page.Items, page.More, map[identity.DirectoryID]string{}
		ids := make([]identity.GroupID, len(groups))
		for i, g := range groups {
			ids[i] = g.ID
			if _, known := names[g.DirectoryID]; !known {
				d, err := tx.Directory(ctx, store.Everything(), g.DirectoryID)
				if err != nil {
					return err
				}
				names[g.DirectoryID] = d.Name
			}
		}
		members, err = tx.Members(ctx, ids)
		return err
	})
	return groups, members, names, more, err
}

// groupLook is a group for a comparison.
type groupLook struct {
	portrait
	id      identity.GroupID
	members map[string]string // id -> name
}

func groupLooks(ctx context.Context, s *Service) (map[identity.GroupID]groupLook, error) {
	out := map[identity.GroupID]groupLook{}
	after := ""
	for more := true; more; {
		groups, members, names, next, err := pageOfGroups(ctx, s, after)
		if err != nil {
			return nil, err
		}
		for _, g := range groups {
			look := groupLook{id: g.ID, portrait: portrait{"directory": names[g.DirectoryID], "displayName": g.DisplayName, "externalId": g.ExternalID}, members: map[string]string{}}
			look.attributes(g.Attributes)
			for _, m := range members[g.ID] {
				look.members[m.ID] = m.Display
			}
			out[g.ID], after = look, string(g.ID)
		}
		more = next
	}
	return out, nil
}

func (g groupLook) name() string { return g.portrait["directory"] + "/" + g.portrait["displayName"] }

func (r *replaying) compareGroups(ctx context.Context, seen map[string]bool) error {
	here, err := groupLooks(ctx, r.from)
	if err != nil {
		return err
	}
	there, err := groupLooks(ctx, r.into)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(here)) {
		g := here[id]
		other, ok := there[identity.GroupID(r.ids[string(id)])]
		if !ok {
			other, ok = namesake(g, there, seen)
		}
		d := ReplayDifference{Kind: "group", Who: g.name()}
		if !ok {
			d.Field, d.Here, d.There = "group", "there", "not there"
			r.differ(d)
			continue
		}
		seen[string(other.id)], r.ids[string(id)] = true, string(other.id)
		differs, err := r.compareFields(ctx, d, g.portrait, other.portrait, EventQuery{ObjectID: string(id)})
		if err != nil {
			return err
		}
		if !differs {
			r.report.Same.Groups++
		}
	}
	for _, id := range slices.Sorted(maps.Keys(here)) {
		if err := r.compareMembers(ctx, here[id], there[identity.GroupID(r.ids[string(id)])]); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(there)) {
		if !seen[string(id)] {
			r.differ(ReplayDifference{Kind: "group", Who: there[id].name(), Field: "group", Here: "not there", There: "there"})
		}
	}
	return nil
}

// namesake returns the group of the same directory and name.
func namesake(g groupLook, there map[identity.GroupID]groupLook, seen map[string]bool) (groupLook, bool) {
	for _, id := range slices.Sorted(maps.Keys(there)) {
		if other := there[id]; !seen[string(id)] && other.name() == g.name() {
			return other, true
		}
	}
	return groupLook{}, false
}

func (r *replaying) compareMembers(ctx context.Context, here, there groupLook) error {
	mine := map[string]bool{}
	d := ReplayDifference{Kind: "group", Who: here.name(), Field: "members"}
	for _, id := range slices.Sorted(maps.Keys(here.members)) {
		other := r.ids[id]
		mine[other] = true
		if _, in := there.members[other]; in && other != "" {
			r.report.Same.Members++
			continue
		}
		d.Here, d.There = here.members[id]+" is in", "is not"
		if err := r.because(ctx, d, EventQuery{ObjectID: string(here.id)}); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(there.members)) {
		if mine[id] {
			continue
		}
		d.Here, d.There = "is not", there.members[id]+" is in"
		if err := r.because(ctx, d, EventQuery{ObjectID: string(here.id)}); err != nil {
			return err
		}
	}
	return nil
}
