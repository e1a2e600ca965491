package provisioning

import (
	"context"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/store"
)

// event starts an event of an actor.
func event(by identity.Actor, kind identity.EventType) identity.Event {
	return identity.Event{
		Type: kind, ActorKind: by.Kind, ActorID: by.ID, ActorLabel: by.Label, Door: by.Door, RequestID: by.RequestID, IP: by.IP, Hidden: by.Hidden,
	}
}

// about starts an event about a user.
func about(by identity.Actor, kind identity.EventType, u identity.User) identity.Event {
	e := event(by, kind)
	e.TenantID, e.UserID, e.ObjectKind, e.ObjectID, e.ObjectLabel = u.TenantID, u.ID, "user", string(u.ID), u.Label()
	return e
}

// EventQuery says which events are wanted; empty fields do not narrow.
type EventQuery = store.EventQuery

// Events returns what happened, newest first, as far as the actor may read the audit. A user's own timeline needs the right to see users; it has what happened to
// those who were joined with the user.
func (s *Service) Events(ctx context.Context, by identity.Actor, q EventQuery) (identity.Page[identity.Event], error) {
	var page identity.Page[identity.Event]
	capability := auditRead
	if q.UserID != "" {
		capability = usersRead
	}
	scope, err := s.scopeFor(by, capability)
	if err != nil {
		return page, err
	}
	q.After = identity.EventID(cursor(string(q.After)))
	if !validIDs(&q.UserID) || !validIDs(&q.TenantID) || !validIDs(&q.ActorID) {
		return page, nil
	}
	err = s.db.View(ctx, func(tx *store.Tx) error {
		if q.UserID != "" {
			if q.Merged, err = tx.MergedInto(ctx, q.UserID); err != nil {
				return err
			}
		}
		page, err = tx.Events(ctx, scope, q)
		return err
	})
	return page, err
}

// cursor returns an id to continue a list after, or "" for what is none.
func cursor(after string) string {
	id, _ := identity.ParseID[string](after)
	return id
}

// validIDs makes an optional id canonical; false when it is no id.
func validIDs[T ~string](id *T) bool {
	if *id == "" {
		return true
	}
	parsed, ok := identity.ParseID[T](string(*id))
	*id = parsed
	return ok
}
