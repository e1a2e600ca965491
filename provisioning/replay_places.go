package provisioning

import (
	"context"
	"encoding/json"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// birth returns the event that made something which is no person; false when there is none any more.
func (r *replaying) birth(ctx context.Context, id string, kind identity.EventType) (identity.Event, bool, error) {
	var out identity.Event
	found := false
	err := r.from.db.View(ctx, func(tx *store.Tx) error {
		page, err := tx.Events(ctx, store.Everything(), EventQuery{ObjectID: id, Type: kind, Limit: 1})
		if found = len(page.Items) > 0; found {
			out = page.Items[0]
		}
		return err
	})
	return out, found, err
}

// tenant returns the tenant there that is one of here, and makes it when it is spoken of for the first time.
func (r *replaying) tenant(ctx context.Context, id identity.TenantID) (identity.TenantID, error) {
	if there, known := r.ids[string(id)]; known || id == "" {
		return identity.TenantID(there), nil
	}
	made, found, err := r.birth(ctx, string(id), identity.TenantCreated)
	if err != nil {
		return "", err
	}
	name := made.ObjectLabel
	if !found {
		t, err := r.from.Tenant(ctx, identity.Operator(), id)
		if err != nil {
			return "", err
		}
		name = t.Name
	}
	t, err := r.into.CreateTenant(ctx, identity.Operator(), name)
	if err != nil {
		return "", err
	}
	r.ids[string(id)] = string(t.ID)
	return t.ID, nil
}

// directory makes the directory there that is one of here, when it is spoken of for the first time, and returns its token there; empty when nobody knows any more what it was.
func (r *replaying) directory(ctx context.Context, id string) (string, error) {
	if token, known := r.tokens[id]; known {
		return token, nil
	}
	d, err := r.directoryAsMade(ctx, id)
	if identity.KindOf(err) == identity.NotFound {
		r.tokens[id] = ""
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if d.TenantID, err = r.tenant(ctx, d.TenantID); err != nil {
		return "", err
	}
	d.Networks = nil                            // it is not asked from there
	d.Guard = identity.DirectoryGuard{Most: -1} // what took days is done in a moment, and what was held is not in the journal as done
	made, token, err := r.into.CreateDirectory(ctx, identity.Operator(), d)
	if err != nil {
		return "", err
	}
	r.ids[id], r.tokens[id] = string(made.ID), token
	return token, nil
}

// directoryAsMade returns a directory as it was at first, or as it is where its first event is gone.
func (r *replaying) directoryAsMade(ctx context.Context, id string) (identity.Directory, error) {
	made, found, err := r.birth(ctx, id, identity.DirectoryCreated)
	if err != nil || !found {
		if err != nil {
			return identity.Directory{}, err
		}
		return r.from.Directory(ctx, identity.Operator(), identity.DirectoryID(id))
	}
	d := identity.Directory{TenantID: made.TenantID, Name: made.ObjectLabel}
	return d, setDirectory(&d, made.Changes)
}

// setDirectory gives a directory what an event says of it.
func setDirectory(d *identity.Directory, changes []identity.Change) error {
	for _, c := range changes {
		var err error
		switch c.Field {
		case "name":
			err = into(c.After, &d.Name)
		case "dialect":
			err = into(c.After, &d.Dialect)
		case "enabled":
			err = into(c.After, &d.Enabled)
		case "domains":
			err = into(c.After, &d.Domains)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// into reads the value of a change.
func into(v, out any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, out)
}

// changeDirectory applies a change of a directory's settings.
func (r *replaying) changeDirectory(ctx context.Context, e identity.Event) error {
	if _, err := r.directory(ctx, e.ObjectID); err != nil || r.ids[e.ObjectID] == "" {
		return err
	}
	_, err := r.into.UpdateDirectory(ctx, identity.Operator(), identity.DirectoryID(r.ids[e.ObjectID]), func(d *identity.Directory) error {
		return setDirectory(d, e.Changes)
	})
	return err
}
