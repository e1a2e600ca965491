package provisioning

import (
	"context"
	"fmt"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// Why events are not replayed that change something beside people, groups, members and roles.
var notRebuilt = map[identity.EventType]string{
	identity.UserPositioned:   "where people stand is not rebuilt",
	identity.UnitCreated:      "business units and teams are not rebuilt",
	identity.UnitUpdated:      "business units and teams are not rebuilt",
	identity.UnitDeleted:      "business units and teams are not rebuilt",
	identity.UserTypeCreated:  "user types are not rebuilt",
	identity.UserTypeUpdated:  "user types are not rebuilt",
	identity.UserTypeDeleted:  "user types are not rebuilt",
	identity.RecordCreated:    "records of applications are not rebuilt",
	identity.RecordUpdated:    "records of applications are not rebuilt",
	identity.RecordLinked:     "records of applications are not rebuilt",
	identity.RecordUnlinked:   "records of applications are not rebuilt",
	identity.ResourceCreated:  "resources of declared types are not rebuilt",
	identity.ResourceUpdated:  "resources of declared types are not rebuilt",
	identity.ResourceDeleted:  "resources of declared types are not rebuilt",
	identity.TenantHanded:     "who owns a tenant is not rebuilt, only the roles that came with it",
	identity.UserTermsChanged: "from when until when people belong here is not rebuilt",
	identity.UserLinked:       "links to providers are not rebuilt: connections hold secrets",
	identity.UserUnlinked:     "links to providers are not rebuilt: connections hold secrets",
	identity.ModelApplied:     "the access model is the one in force now from the start, and so are the roles",
	identity.RoleCreated:      "the access model is the one in force now from the start, and so are the roles",
	identity.RoleUpdated:      "the access model is the one in force now from the start, and so are the roles",
	identity.RoleDeleted:      "the access model is the one in force now from the start, and so are the roles",
}

// apply does what one event tells.
func (r *replaying) apply(ctx context.Context, e identity.Event) error {
	switch e.Type {
	case identity.TenantCreated:
		_, err := r.tenant(ctx, identity.TenantID(e.ObjectID))
		r.report.Applied++
		return err
	case identity.DirectoryCreated:
		_, err := r.directory(ctx, e.ObjectID)
		r.report.Applied++
		return err
	case identity.DirectoryUpdated:
		r.report.Applied++
		return r.changeDirectory(ctx, e)
	case identity.UserCreated, identity.UserUpdated, identity.UserActivated, identity.UserDeactivated, identity.UserAdopted, identity.UserRestored, identity.UserDeleted, identity.UserPlaced,
		identity.RoleAssigned, identity.RoleRemoved, identity.UserMerged, identity.UserErased:
		return r.person(ctx, e)
	case identity.GroupCreated, identity.GroupUpdated, identity.GroupDeleted, identity.MembersAdded, identity.MembersRemoved:
		return r.group(ctx, e)
	}
	if why := notRebuilt[e.Type]; why != "" {
		r.leave(why, string(e.ID))
		return nil
	}
	r.report.Beside++
	return nil
}

// told is one event with what it needs of the scratch installation.
type told struct {
	identity.Event
	r         *replaying
	tenant    identity.TenantID    // there
	directory identity.DirectoryID // there; empty unless a directory did it
	nameless  bool                 // it is about somebody who was erased for good
}

// tell prepares an event to be applied: the tenant and the directory it speaks of are there.
func (r *replaying) tell(ctx context.Context, e identity.Event) (told, error) {
	t := told{Event: e, r: r}
	var err error
	if t.tenant, err = r.tenant(ctx, e.TenantID); err != nil {
		return t, err
	}
	if e.ActorKind == identity.ActorDirectory {
		_, err = r.directory(ctx, e.ActorID)
		t.directory = identity.DirectoryID(r.ids[e.ActorID])
	}
	r.noteUnkept(e)
	return t, err
}

// keep writes the event there too, with the ids of there, so that the scratch installation has a history.
func (t *told) keep(ctx context.Context, tx *store.Tx) error {
	e := t.Event
	e.TenantID, e.UserID, e.RequestID = t.tenant, identity.UserID(t.r.there(string(e.UserID))), ""
	e.ActorID, e.ObjectID = t.r.there(e.ActorID), t.r.there(e.ObjectID)
	return tx.InsertEvent(ctx, e)
}

// person applies an event about a user.
func (r *replaying) person(ctx context.Context, e identity.Event) error {
	nameless := r.nameless(e)
	if nameless {
		r.leave("people who were erased for good have no name there until they are erased: their data is not rebuilt", string(e.ID))
	}
	if _, known := r.ids[string(e.UserID)]; !known && e.Type != identity.UserCreated {
		r.leave("the event about a person whose beginning no event tells: "+e.ObjectLabel, string(e.ID))
		return nil
	}
	if e.Type == identity.UserMerged && !nameless {
		return r.merged(ctx, e)
	}
	t, err := r.tell(ctx, e)
	if err != nil {
		return err
	}
	t.nameless = nameless
	err = r.into.db.Update(ctx, func(tx *store.Tx) error {
		if err := t.step()(ctx, tx); err != nil {
			return err
		}
		return t.keep(ctx, tx)
	})
	if e.Type == identity.UserCreated && err == nil {
		r.ids[string(e.UserID)] = string(e.UserID)
	}
	return r.applied(err, e)
}

// step returns what an event about a user does.
func (t *told) step() func(context.Context, *store.Tx) error {
	steps := map[identity.EventType]func(context.Context, *store.Tx) error{
		identity.UserCreated: t.create, identity.UserPlaced: t.place, identity.UserDeleted: t.bury, identity.RoleAssigned: t.assign, identity.RoleRemoved: t.unassign,
		identity.UserErased: t.erase, identity.UserMerged: t.mergeNameless,
	}
	if step, special := steps[t.Type]; special {
		return step
	}
	return t.change
}

// applied counts an event that was applied, or names it when the scratch installation refused it.
func (r *replaying) applied(err error, e identity.Event) error {
	switch identity.KindOf(err) {
	case identity.NotFound, identity.Conflict, identity.Invalid, identity.Precondition, identity.Forbidden:
		r.leave(string(e.Type)+" of "+e.ObjectLabel+" was refused: "+messageFor(err), string(e.ID))
		return nil
	}
	if err != nil {
		return fmt.Errorf("event %s, %s of %s: %w", e.ID, e.Type, e.ObjectLabel, err)
	}
	r.report.Applied++
	return nil
}

// merged joins two people as they were joined here. What the other events of it tell is done with it.
func (r *replaying) merged(ctx context.Context, e identity.Event) error {
	kept := ""
	for _, c := range e.Changes {
		if text, ok := c.After.(string); ok && c.Field == "joined with" {
			kept = text
		}
	}
	if kept == "" {
		return nil // the same, as the one who stayed sees it
	}
	drop, keep := r.ids[string(e.UserID)], r.ids[kept]
	_, err := r.into.MergeUsers(ctx, identity.Operator(), Merge{Keep: PlacedUser{ID: identity.UserID(keep)}, Drop: PlacedUser{ID: identity.UserID(drop)}, Reason: e.Reason})
	return r.applied(err, e)
}
