package provisioning

import (
	"context"
	"encoding/json"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// ResourceChange is what a change of a resource ends in: the keys that nobody else of its type may have.
type ResourceChange func(*identity.Resource) ([]identity.ResourceKey, error)

// ofDirectory returns the directory that owns what the actor asks for. Resources of declared types belong to directories alone.
func ofDirectory(by identity.Actor) (identity.DirectoryID, error) {
	if by.Kind != identity.ActorDirectory {
		return "", identity.Errorf(identity.Forbidden, "Resources of this type belong to directories; ask for them over SCIM.")
	}
	return by.DirectoryID(), nil
}

// Resource returns a resource of the asking directory, or NotFound.
func (s *Service) Resource(ctx context.Context, by identity.Actor, kind string, id identity.ResourceID) (identity.Resource, error) {
	directory, err := ofDirectory(by)
	if err != nil {
		return identity.Resource{}, err
	}
	if id == "" || !validIDs(&id) {
		return identity.Resource{}, noResource()
	}
	var r identity.Resource
	err = s.db.View(ctx, func(tx *store.Tx) error {
		r, err = tx.Resource(ctx, directory, kind, id)
		return err
	})
	return r, sharpen(err, noResource)
}

// Resources returns a page of the asking directory's resources of one type.
func (s *Service) Resources(ctx context.Context, by identity.Actor, kind string, q identity.Query) (identity.Page[identity.Resource], error) {
	var page identity.Page[identity.Resource]
	directory, err := ofDirectory(by)
	if err != nil {
		return page, err
	}
	q.After = cursor(q.After)
	err = s.db.View(ctx, func(tx *store.Tx) error {
		page, err = tx.Resources(ctx, directory, kind, q)
		return err
	})
	return page, err
}

// CreateResource creates a resource of the asking directory. A key that another one of its type has is a Conflict with the code "uniqueness".
func (s *Service) CreateResource(ctx context.Context, by identity.Actor, r identity.Resource, keys []identity.ResourceKey) (identity.Resource, error) {
	directory, err := ofDirectory(by)
	if err != nil {
		return r, err
	}
	create := func(tx *store.Tx) error {
		r.ID, r.DirectoryID = identity.NewID[identity.ResourceID](), directory
		r.Version, r.CreatedAt, r.UpdatedAt = 1, tx.Now(), tx.Now()
		if err := checkKeys(ctx, tx, r, keys); err != nil {
			return err
		}
		if err := tx.InsertResource(ctx, r, keys); err != nil {
			return err
		}
		e := aboutResource(by, identity.ResourceCreated, r)
		e.Changes = diffResources(identity.Resource{}, r)
		return tx.InsertEvent(ctx, e)
	}
	return r, s.raced(ctx, by, create)
}

// UpdateResource changes a resource by a function that may run more than once: it may set ExternalID and Attributes, and returns the keys. A
// version other than 0 must be the current one, else Precondition. What changes nothing writes nothing.
func (s *Service) UpdateResource(ctx context.Context, by identity.Actor, kind string, id identity.ResourceID, version int64, change ResourceChange) (identity.Resource, error) {
	var out identity.Resource
	directory, err := ofDirectory(by)
	if err != nil {
		return out, err
	}
	if id == "" || !validIDs(&id) {
		return out, noResource()
	}
	err = s.raced(ctx, by, func(tx *store.Tx) error {
		before, err := tx.ResourceForUpdate(ctx, directory, kind, id)
		if err != nil {
			return err
		}
		if version != 0 && version != before.Version {
			return stale()
		}
		out, err = changeResource(ctx, tx, by, before, change)
		return err
	})
	return out, sharpen(err, noResource)
}

func changeResource(ctx context.Context, tx *store.Tx, by identity.Actor, before identity.Resource, change ResourceChange) (identity.Resource, error) {
	after := before
	keys, err := change(&after)
	if err != nil {
		return before, err
	}
	after.ID, after.DirectoryID, after.Type, after.CreatedAt = before.ID, before.DirectoryID, before.Type, before.CreatedAt
	e := aboutResource(by, identity.ResourceUpdated, after)
	if e.Changes = diffResources(before, after); len(e.Changes) == 0 {
		return before, nil
	}
	if err := checkKeys(ctx, tx, after, keys); err != nil {
		return before, err
	}
	after.Version, after.UpdatedAt = before.Version+1, tx.Now()
	if err := tx.UpdateResource(ctx, after, keys); err != nil {
		return before, err
	}
	return after, tx.InsertEvent(ctx, e)
}

// DeleteResource deletes a resource for good. A version other than 0 must be the current one.
func (s *Service) DeleteResource(ctx context.Context, by identity.Actor, kind string, id identity.ResourceID, version int64) error {
	directory, err := ofDirectory(by)
	if err != nil {
		return err
	}
	if id == "" || !validIDs(&id) {
		return noResource()
	}
	err = s.update(ctx, by, func(tx *store.Tx) error {
		r, err := tx.ResourceForUpdate(ctx, directory, kind, id)
		if err != nil {
			return err
		}
		if version != 0 && version != r.Version {
			return stale()
		}
		if err := tx.DeleteResource(ctx, id); err != nil {
			return err
		}
		e := aboutResource(by, identity.ResourceDeleted, r)
		e.Changes = diffResources(r, identity.Resource{})
		return tx.InsertEvent(ctx, e)
	})
	return sharpen(err, noResource)
}

// raced runs a change once more when another request won the race for a key: then its owner is there to be seen.
func (s *Service) raced(ctx context.Context, by identity.Actor, change func(*store.Tx) error) error {
	err := s.update(ctx, by, change)
	if identity.KindOf(err) == identity.Conflict && identity.CodeOf(err) == "" {
		err = s.update(ctx, by, change)
	}
	return err
}

// checkKeys refuses a key that another resource has. The index of the keys settles races.
func checkKeys(ctx context.Context, tx *store.Tx, r identity.Resource, keys []identity.ResourceKey) error {
	for _, k := range keys {
		id, err := tx.ResourceWithKey(ctx, r.DirectoryID, r.Type, k)
		switch {
		case identity.KindOf(err) == identity.NotFound || err == nil && id == r.ID:
		case err != nil:
			return err
		default:
			return identity.Errorf(identity.Conflict, "The %s with the id %s has this value of %s already; send another value, or change that one.", r.Type, id, k.Attribute).
				WithField(k.Attribute).WithCode("uniqueness")
		}
	}
	return nil
}

func diffResources(before, after identity.Resource) []identity.Change {
	var out []identity.Change
	if before.ExternalID != after.ExternalID {
		out = append(out, identity.Change{Field: "externalId", Before: orNil(before.ExternalID), After: orNil(after.ExternalID)})
	}
	return append(out, diffAttributes(before.Attributes, after.Attributes)...)
}

// aboutResource starts an event. The label is what people would call the resource; a hidden attribute is no name.
func aboutResource(by identity.Actor, kind identity.EventType, r identity.Resource) identity.Event {
	e := event(by, kind)
	e.TenantID, e.ObjectKind, e.ObjectID, e.ObjectLabel = by.TenantID, "resource", string(r.ID), r.Type
	var named map[string]any
	if json.Unmarshal(r.Attributes, &named) != nil {
		return e
	}
	shown, _ := identity.Veiled(named, by.Hidden).(map[string]any)
	for _, name := range []any{shown["displayName"], shown["name"], r.ExternalID} {
		if text, ok := name.(string); ok && text != "" {
			e.ObjectLabel += " " + text
			break
		}
	}
	return e
}
